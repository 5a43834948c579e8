"""Logs are for their user alone."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwright.logs import configure

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have no modes")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    logger, mask = logging.getLogger("maskwright"), os.umask(0)
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    os.umask(mask)
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:], logger.level, logger.propagate = before


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_logs_are_closed_to_others_also_after_turning_over(tmp_path: Path) -> None:
    configure("info", tmp_path / "logs" / "server.log")
    for number in range(50):
        logging.getLogger("maskwright.test").info("x" * 200_000, extra={"number": number})
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["server.log", "server.log.1", "server.log.2"]
    assert {mode(file) for file in files} == {0o600}


def test_logs_that_are_there_are_closed(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("server.log", "server.log.1", "server.log.2")]
    for file in files:
        file.write_text("before\n")
        file.chmod(0o644)
    configure("info", files[0])
    logging.getLogger("maskwright.test").info("after")
    assert {mode(file) for file in files} == {0o600}
    assert files[0].read_text().startswith("before\n")
    assert "after" in files[0].read_text()
