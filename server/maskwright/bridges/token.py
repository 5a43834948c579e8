"""The secret of the HTTP endpoint. It is another one than the server's, which is never sent; this one callers send."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from maskwright.config import config_file
from maskwright_protocol.errors import BadInput
from maskwright_protocol.whole_file import write_whole


def http_token(renew: bool = False, path: Path | None = None) -> str:
    """The token of this user's file, made at the first time or anew. Raises ``BadInput`` where others may read it."""
    path = path or config_file().with_name("http-token")
    if path.exists() and not renew:
        if os.name != "nt" and path.stat().st_mode & 0o077:
            raise BadInput(f"{path} may be read by others.", f"Make it yours alone: chmod 600 {path}")
        token = path.read_text(encoding="ascii", errors="replace").strip()
        if len(token) >= 32:
            return token
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, token.encode(), private=True)
    return token
