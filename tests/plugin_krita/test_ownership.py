"""A server is Krita's own only if a Krita started that very run of it."""

from pathlib import Path

import pytest

from maskwright_krita import ownership
from maskwright_protocol.discovery import Endpoint, prepare_runtime_directory, write_endpoint


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    return prepare_runtime_directory()


def test_only_the_claimed_run_is_ours(runtime: Path) -> None:
    assert not ownership.is_ours()
    mine = Endpoint("127.0.0.1", 4000, "secret")
    write_endpoint(mine)
    assert not ownership.is_ours()
    ownership.claim(mine)
    assert ownership.is_ours()
    assert "secret" not in (runtime / ownership.FILE_NAME).read_text()
    write_endpoint(Endpoint("127.0.0.1", 4000, "another run"))
    assert not ownership.is_ours()


def test_a_damaged_note_claims_nothing(runtime: Path) -> None:
    write_endpoint(Endpoint("127.0.0.1", 4000, "secret"))
    (runtime / ownership.FILE_NAME).write_bytes(b"\xff\xfe")
    assert not ownership.is_ours()
