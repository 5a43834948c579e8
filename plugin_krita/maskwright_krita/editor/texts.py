"""Every text that the user sees goes through ``tr``, so that Krita's translations can take it up."""

import builtins


def tr(text: str, *values: object) -> str:
    """The text in the user's language, with ``{0}``, ``{1}``, ... replaced."""
    translate = getattr(builtins, "i18n", None)
    found = translate(text) if callable(translate) else text
    return str(found).format(*values) if values else str(found)
