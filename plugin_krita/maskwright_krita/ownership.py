"""Which server Krita started: noted beside the server's address, so that after a crash the next Krita knows it as its
own and ends it when it ends itself. Knows neither Krita nor Qt."""

import hashlib
from typing import Optional

from maskwright_protocol.discovery import Endpoint, read_endpoint, runtime_directory

FILE_NAME = "started-by-krita"


def _name(endpoint: Endpoint) -> str:
    """Names one run of a server; its token is new at each start, and is not written down a second time."""
    return hashlib.sha256(endpoint.token.encode()).hexdigest()[:32]


def claim(endpoint: Endpoint) -> None:
    """Krita started this server."""
    try:
        (runtime_directory() / FILE_NAME).write_text(_name(endpoint), encoding="ascii")
    except OSError:
        pass  # then only this Krita knows


def is_ours(endpoint: Optional[Endpoint] = None) -> bool:
    """The running server was started by this Krita or by one before it."""
    endpoint = endpoint or read_endpoint()
    if endpoint is None:
        return False
    try:
        return (runtime_directory() / FILE_NAME).read_text(encoding="ascii") == _name(endpoint)
    except (OSError, UnicodeDecodeError):
        return False
