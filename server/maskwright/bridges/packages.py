"""What only bridges need: the extra ``maskwright[bridges]``."""

from __future__ import annotations

import importlib.util

from maskwright_protocol.errors import NeedsPackage


def require(*names: str) -> None:
    """Raises ``NeedsPackage`` with the command that installs what is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise NeedsPackage(
            f"This needs {' and '.join(missing)}, which is not installed.",
            "Install it: pip install 'maskwright[bridges]' (or: pipx install --force 'maskwright[bridges]').",
        )
