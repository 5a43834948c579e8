"""The endpoint file: private, whole, and believed only when nobody else could have written it."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskwright_protocol import discovery
from maskwright_protocol.discovery import Endpoint, find_server, read_endpoint, remove_endpoint, write_endpoint
from maskwright_protocol.errors import ServerAbsent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
ENDPOINT = Endpoint("127.0.0.1", 4321, "secret", 77, 1, True, "/ca.pem")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read() -> None:
    write_endpoint(ENDPOINT)
    assert read_endpoint() == ENDPOINT
    assert find_server() == ENDPOINT


def test_nobody_else_can_read_it(runtime: Path) -> None:
    before = os.umask(0)
    try:
        path = write_endpoint(ENDPOINT)
    finally:
        os.umask(before)
    assert path == runtime / discovery.FILE_NAME
    assert mode(path) == 0o600
    assert mode(runtime) == 0o700


def test_a_loose_directory_is_made_private(runtime: Path) -> None:
    runtime.mkdir()
    runtime.chmod(0o777)
    write_endpoint(ENDPOINT)
    assert mode(runtime) == 0o700


def test_a_link_is_no_private_directory(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        write_endpoint(ENDPOINT)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_others_is_not_believed(runtime: Path) -> None:
    path = write_endpoint(ENDPOINT)
    os.chown(path, 12345, -1)
    assert read_endpoint() is None
    os.chown(path, os.getuid(), -1)
    assert read_endpoint() == ENDPOINT
    os.chown(runtime, 12345, -1)
    assert read_endpoint() is None
    with pytest.raises(PermissionError):
        write_endpoint(ENDPOINT)


@pytest.mark.parametrize("loose", [0o620, 0o602, 0o666, 0o640, 0o604])
def test_a_file_that_others_may_read_or_write_is_not_believed(loose: int) -> None:
    path = write_endpoint(ENDPOINT)
    path.chmod(loose)
    assert read_endpoint() is None
    with pytest.raises(ServerAbsent):
        find_server()


def test_a_link_is_not_believed(runtime: Path, tmp_path: Path) -> None:
    """Also where it leads to a private file of this user that looks right."""
    path = write_endpoint(ENDPOINT)
    path.rename(tmp_path / "victims.json")
    path.symlink_to(tmp_path / "victims.json")
    assert read_endpoint() is None
    path.unlink()
    path.mkdir()
    assert read_endpoint() is None
    path.rmdir()
    os.mkfifo(path, 0o600)
    assert read_endpoint() is None


def test_a_directory_that_others_may_change_is_not_believed(runtime: Path, tmp_path: Path) -> None:
    write_endpoint(ENDPOINT)
    runtime.chmod(0o770)
    assert read_endpoint() is None
    runtime.chmod(0o700)
    assert read_endpoint() == ENDPOINT
    runtime.rename(tmp_path / "elsewhere")
    runtime.symlink_to(tmp_path / "elsewhere")
    assert read_endpoint() is None


def test_readers_see_the_old_file_or_the_new_one(runtime: Path) -> None:
    path = write_endpoint(ENDPOINT)
    with path.open() as old:
        write_endpoint(Endpoint("127.0.0.1", 1, "new"))
        assert json.load(old)["token"] == "secret"
    found = read_endpoint()
    assert found is not None
    assert found.token == "new"
    assert [entry.name for entry in runtime.iterdir()] == [discovery.FILE_NAME]


def test_a_failed_write_leaves_nothing_behind(runtime: Path) -> None:
    (runtime / discovery.FILE_NAME / "in the way").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_endpoint(ENDPOINT)
    assert [entry.name for entry in runtime.iterdir()] == [discovery.FILE_NAME]


def test_only_its_own_file_is_removed() -> None:
    path = write_endpoint(ENDPOINT)
    remove_endpoint(Endpoint("127.0.0.1", 4321, "an older server's"))
    assert path.exists()
    remove_endpoint(ENDPOINT)
    assert not path.exists()
    remove_endpoint(ENDPOINT)


def test_there_is_none(runtime: Path) -> None:
    assert read_endpoint() is None
    assert not runtime.exists()
    with pytest.raises(ServerAbsent):
        find_server()


def test_fields_that_came_later_have_defaults(runtime: Path) -> None:
    write_endpoint(ENDPOINT).write_text('{"host": "h", "port": 5, "token": "t", "novelty": [1]}')
    assert read_endpoint() == Endpoint("h", 5, "t")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '"x"', "{}", '{"host": "h", "port": "p", "token": "t"}', "\udcff",
     '{"host": "h", "port": 1e999, "token": "t"}', '{"host": "h", "port": null, "token": "t"}', "[" * 200_000],
)  # fmt: skip
def test_nonsense_is_no_server(text: str) -> None:
    write_endpoint(ENDPOINT).write_text(text, encoding="utf-8", errors="surrogateescape")
    assert read_endpoint() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_garbage_is_no_server(data: bytes) -> None:
    write_endpoint(ENDPOINT).write_bytes(data)
    assert read_endpoint() is None


# ---------------------------------------------------------------- where


def test_the_systems_own_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKWRIGHT_RUNTIME_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert discovery.runtime_directory() == tmp_path / "maskwright"
    for absent in ("", str(tmp_path / "absent")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", absent)
        assert discovery.runtime_directory().name == f"maskwright-{os.getuid()}"


def test_other_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASKWRIGHT_RUNTIME_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert discovery.runtime_directory() == tmp_path / "Library" / "Caches" / "Maskwright" / "run"
    monkeypatch.setattr(sys, "platform", "win32")
    assert discovery.runtime_directory() == tmp_path / "local" / "Maskwright" / "run"
