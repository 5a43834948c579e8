"""For all tests: libraries that report to their makers are told not to before any test imports them."""

import maskwright  # noqa: F401
