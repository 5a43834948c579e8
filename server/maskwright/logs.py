"""Structured logs: key=value lines on a terminal, JSON lines in a file. Never pixels, prompts or tokens."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from io import TextIOWrapper
from pathlib import Path

import structlog

BACKUPS = 2


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A log that only its user may read, older parts too, whatever made them."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        for old in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, BACKUPS + 1))):
            if old.is_file():
                old.chmod(0o600)
        return open(path, "a", encoding=self.encoding, opener=lambda name, flags: os.open(name, flags, 0o600))


def configure(level: str, file: Path | None = None) -> None:
    """Send everything under the ``maskwright`` logger to stderr, or to a rotating file."""
    shared = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=False),
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if file is not None
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = PrivateLog(file, maxBytes=4 << 20, backupCount=BACKUPS, encoding="utf-8")
    else:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger = logging.getLogger("maskwright")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
