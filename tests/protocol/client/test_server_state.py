"""What is known of a server; and a server is one's own only if that very run of it was started here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maskwright_client import server_state
from maskwright_client.ask import run
from maskwright_client.client import Client
from maskwright_client.server_state import ABSENT, CONNECTED, REFUSED, ServerState
from maskwright_protocol.discovery import Endpoint, find_server, prepare_runtime_directory, write_endpoint
from maskwright_protocol.errors import ServerAbsent, VersionMismatch
from tests.protocol.support import Gateway


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    return prepare_runtime_directory()


def test_only_the_claimed_run_is_ours(runtime: Path) -> None:
    assert not server_state.is_claimed("krita")
    mine = Endpoint("127.0.0.1", 4000, "secret")
    write_endpoint(mine)
    assert not server_state.is_claimed("krita")
    server_state.claim(mine, "krita")
    assert server_state.is_claimed("krita")
    assert not server_state.is_claimed("gimp")
    assert "secret" not in (runtime / server_state.note_name("krita")).read_text()
    write_endpoint(Endpoint("127.0.0.1", 4000, "another run"))
    assert not server_state.is_claimed("krita")


def test_a_damaged_note_claims_nothing(runtime: Path) -> None:
    write_endpoint(Endpoint("127.0.0.1", 4000, "secret"))
    (runtime / server_state.note_name("krita")).write_bytes(b"\xff\xfe")
    assert not server_state.is_claimed("krita")


class Watch(ServerState):
    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.seen: list[str] = []

    def server_changed(self) -> None:
        self.seen.append(self.state)


def test_no_server_is_told_once() -> None:
    with Client("test", endpoint=find_server) as client:
        watch = Watch(client)
        run(watch.look())
        run(watch.look())
        assert (watch.state, watch.seen) == (ABSENT, [ABSENT])
        assert isinstance(watch.error, ServerAbsent)


def test_a_server_of_another_version_refuses() -> None:
    def endpoint() -> Endpoint:
        raise VersionMismatch("The server speaks another version.")

    with Client("test", endpoint=endpoint) as client:
        watch = Watch(client)
        run(watch.look())
        assert watch.state == REFUSED
        assert watch.error is not None


def test_a_running_server_is_told_when_something_is_new(gateway: Callable[[], Gateway]) -> None:
    server = gateway()
    with Client("test", endpoint=lambda: server.endpoint) as client:
        watch = Watch(client)
        run(watch.look())
        run(watch.look())
        assert (watch.state, watch.seen) == (CONNECTED, [CONNECTED])
        assert watch.status is not None
