"""Tokens for clients on other computers, by name: a file beside the settings, for this user only.

It holds what checks a token and not the token itself: whoever reads a copy of it cannot log in.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from maskwright.config import config_file
from maskwright_protocol.errors import BadInput
from maskwright_protocol.proof import Verifier, verifier_of
from maskwright_protocol.whole_file import write_whole

LOCAL, CONFIGURED = "local", "settings"  # names of the token of the endpoint file, and of that of the settings
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class NamedToken:
    """``added`` is the day, as 2026-05-17."""

    verifier: Verifier
    added: str


class TokenFile:
    """The tokens in a file, read again whenever it was changed."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or config_file().with_name("tokens.json")
        self._seen: tuple[int, ...] = ()
        self._tokens: dict[str, NamedToken] = {}

    def tokens(self) -> dict[str, NamedToken]:
        """All tokens by name. Raises ``BadInput`` for a file that cannot be read or that others may read."""
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._seen, self._tokens = (), {}
            return {}
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if seen != self._seen:
            if os.name != "nt" and found.st_mode & 0o077:
                raise BadInput(f"{self._path} may be read by others.", f"Make it yours alone: chmod 600 {self._path}")
            self._tokens, self._seen = self._read(), seen
        return dict(self._tokens)

    def add(self, name: str) -> str:
        """Make a token; it is returned, and cannot be had again. Raises ``BadInput``."""
        if not _NAME.fullmatch(name) or name in (LOCAL, CONFIGURED):
            raise BadInput(f"A token cannot be named '{name}'.", "Use up to 64 letters, digits, dots and dashes.")
        token = secrets.token_urlsafe(32)
        with self._changing() as tokens:
            if name in tokens:
                raise BadInput(f"There is a token '{name}' already.", f"Run 'maskwright token revoke {name}' first.")
            tokens[name] = NamedToken(verifier_of(token), datetime.now(UTC).date().isoformat())
            self._write(tokens)
        return token

    def revoke(self, name: str) -> None:
        """Forget a token. A running server ends its connections within seconds. Raises ``BadInput``."""
        with self._changing() as tokens:
            if tokens.pop(name, None) is None:
                raise BadInput(f"There is no token '{name}'.", "Run 'maskwright token list'.")
            self._write(tokens)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, NamedToken]]:
        """All tokens, while nobody else changes them."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):
            yield self.tokens()

    def _read(self) -> dict[str, NamedToken]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: NamedToken(Verifier(bytes.fromhex(entry["stored_key"]), bytes.fromhex(entry["server_key"])),
                                     str(entry["added"])) for name, entry in entries.items()}  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(
                f"The tokens in {self._path} cannot be read.", "Remove the file and add them anew."
            ) from error

    def _write(self, tokens: dict[str, NamedToken]) -> None:
        entries = {
            name: {
                "stored_key": t.verifier.stored_key.hex(),
                "server_key": t.verifier.server_key.hex(),
                "added": t.added,
            }
            for name, t in tokens.items()
        }
        write_whole(self._path, json.dumps(entries, indent=1).encode(), private=True)
