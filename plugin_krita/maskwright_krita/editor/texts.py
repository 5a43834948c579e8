"""Where texts in the user's language come from, by the name that this package had for it."""

from maskwright_protocol.language import joined, tr, trn  # noqa: F401
