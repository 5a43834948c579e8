"""Downloads over the protocol: a real server, a real download process, a real HTTP server to load from."""

from __future__ import annotations

import hashlib
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from maskwright_protocol.errors import JobCancelled, LicenceNeeded, MaskwrightError, ModelMissing
from maskwright_protocol.messages import (
    Detect,
    Done,
    DownloadInfo,
    Message,
    ModelInfo,
    ModelPull,
    ModelRemove,
    Models,
    ModelsRequest,
    Picture,
    PixelRect,
    Progress,
    Raster,
    Status,
    StatusRequest,
)
from tests.server.conftest import Server, start_server, stop_server, wait_for
from tests.server.models import hub as hubs
from tests.shared_data import MODELS, needs_models

DATA = random.Random(3).randbytes(2_000_000)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pulls")


@pytest.fixture(scope="module")
def serving(place: Path) -> Iterator[Server]:
    server = start_server(place)
    yield server
    stop_server(server)


@pytest.fixture
def hub(place: Path) -> Iterator[hubs.Hub]:
    """One model, ``faces``, that is not installed."""
    with hubs.running() as hub:
        hub.files["release/faces.onnx"] = DATA
        declare(place, hub, DATA)
        yield hub
    shutil.rmtree(place / "data", ignore_errors=True)


def declare(place: Path, hub: hubs.Hub, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    (place / "models.toml").write_text(
        f'[[model]]\nid = "faces"\nfamily = "yolox"\ninput_size = 416\n'
        f'files = [{{ name = "faces.onnx", size = {len(data)}, sha256 = "{digest}" }}]\n'
        f'sources = [{{ url = "{hub.url}/release/" }}]\n',
        encoding="utf-8",
    )


def faces(server: Server) -> ModelInfo:
    with server.client() as client:
        answer = client.request(ModelsRequest(""), 10)
    assert isinstance(answer, Models)
    return next(model for model in answer.models if model.id == "faces")


def held(hub: hubs.Hub) -> tuple[threading.Event, threading.Event]:
    """Transfers stop in their middle: set when one does, and to be set so that it goes on."""
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(30)

    hub.gate = gate
    return reached, release


def test_pull_and_remove(serving: Server, hub: hubs.Hub) -> None:
    before = faces(serving)
    assert (before.installed, before.downloadable, before.size) == (False, True, len(DATA))
    told: list[Progress] = []
    with serving.client() as client:
        assert isinstance(client.submit(ModelPull("", "faces"), told.append).result(30), Done)
        assert told
        assert all(0 <= p.fraction <= 1 and p.text and p.generation == 0 for p in told)
        assert faces(serving).installed
        assert isinstance(client.request(ModelRemove("", "faces"), 10), Done)
        assert not faces(serving).installed
        with pytest.raises(ModelMissing, match="model folder"):
            client.request(ModelRemove("", "faces"), 10)
    assert hub.transfers("faces.onnx") == [""]


def test_what_cannot_be_pulled(serving: Server, hub: hubs.Hub) -> None:
    with serving.client() as client:
        with pytest.raises(ModelMissing):
            client.request(ModelPull("", "../etc"), 10)
        with pytest.raises(ModelMissing):
            client.request(ModelRemove("", "../etc"), 10)
        hub.files.clear()
        with pytest.raises(MaskwrightError, match="404") as caught:
            client.request(ModelPull("", "faces"), 30)
        assert caught.value.code == "download_failed"
        assert caught.value.details["tried"]


def test_a_licence_that_leaves_questions_open_needs_a_yes(place: Path, serving: Server) -> None:
    with serving.client() as client:
        with pytest.raises(LicenceNeeded) as caught:
            client.request(ModelPull("", "eomt-dinov3-small"), 10)
        assert caught.value.details["commercial"] == "ask"
        assert caught.value.details["licence_url"]


def test_two_clients_share_a_download_and_one_may_leave(serving: Server, hub: hubs.Hub) -> None:
    reached, release = held(hub)
    told: list[Message] = []
    with serving.client("first") as first, serving.client("second") as second:
        one = first.submit(ModelPull("", "faces"))
        assert reached.wait(30)
        two = second.submit(ModelPull("", "faces"), told.append)
        wait_for(lambda: told)
        one.cancel()
        with pytest.raises(JobCancelled):
            one.result(10)
        release.set()
        assert isinstance(two.result(30), Done)
    assert hub.transfers("faces.onnx") == [""]
    assert faces(serving).installed


def test_every_client_can_see_what_is_on_its_way(serving: Server, hub: hubs.Hub) -> None:
    reached, release = held(hub)
    with serving.client("first") as first, serving.client("second") as second:

        def underway() -> list[DownloadInfo]:
            status = second.request(StatusRequest(""), 10)
            assert isinstance(status, Status)
            return status.downloads

        assert underway() == []
        ticket = first.submit(ModelPull("", "faces"))
        assert reached.wait(30)
        wait_for(lambda: underway() and underway()[0].fraction > 0)
        (seen,) = underway()
        assert (seen.model, seen.stage) == ("faces", "download")
        assert 0 < seen.fraction < 1
        told: list[Progress] = []
        joined = second.submit(ModelPull("", "faces"), told.append)
        wait_for(lambda: told)
        assert told[0].fraction >= seen.fraction, "who joins later does not begin at nothing"
        assert "faces" in serving.cli("status").stdout
        release.set()
        assert isinstance(ticket.result(30), Done)
        assert isinstance(joined.result(30), Done)
        assert underway() == []


def downloading(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "maskwright.models.install.download_process" in child.cmdline()]


@pytest.mark.parametrize("way", ["cancel", "disconnect"])
def test_the_last_to_leave_stops_it_and_the_next_goes_on(serving: Server, hub: hubs.Hub, place: Path, way: str) -> None:
    reached, release = held(hub)
    with serving.client() as client:
        ticket = client.submit(ModelPull("", "faces"))
        assert reached.wait(30)
        part = place / "data" / "maskwright" / "models" / ".downloads" / "faces" / "faces.onnx.part"
        wait_for(lambda: part.exists() and part.stat().st_size > 0)
        (process,) = downloading(serving)
        if way == "cancel":
            ticket.cancel()
            with pytest.raises(JobCancelled):
                ticket.result(10)
            wait_for(lambda: not process.is_running())
    wait_for(lambda: not process.is_running())
    release.set()
    hub.gate = lambda path: None
    assert not faces(serving).installed
    arrived = part.stat().st_size
    with serving.client() as client:
        assert isinstance(client.request(ModelPull("", "faces"), 30), Done)
    assert hub.transfers("faces.onnx") == ["", f"bytes={arrived}-"]


def test_a_process_that_dies_is_a_failure_and_the_server_lives(serving: Server, hub: hubs.Hub) -> None:
    reached, release = held(hub)
    with serving.client() as client:
        ticket = client.submit(ModelPull("", "faces"))
        assert reached.wait(30)
        (process,) = downloading(serving)
        process.kill()
        with pytest.raises(MaskwrightError, match="process ended") as caught:
            ticket.result(30)
        assert caught.value.code == "download_failed"
        release.set()
        hub.gate = lambda path: None
        assert isinstance(client.request(ModelPull("", "faces"), 30), Done)


def test_a_server_that_stops_takes_its_downloads_along(tmp_path: Path) -> None:
    with hubs.running() as hub:
        hub.files["release/faces.onnx"] = DATA
        declare(tmp_path, hub, DATA)
        reached, release = held(hub)
        server = start_server(tmp_path)
        client = server.client()
        try:
            client.submit(ModelPull("", "faces"))
            assert reached.wait(30)
            (process,) = downloading(server)
        finally:
            stop_server(server)
            client.close()
            release.set()
        wait_for(lambda: not process.is_running())


@needs_models
def test_a_model_works_the_moment_it_is_there(serving: Server, hub: hubs.Hub, place: Path) -> None:
    data = (MODELS / "yolox-nano" / "yolox_nano.onnx").read_bytes()
    hub.files["release/faces.onnx"] = data
    pixels = bytes(64 * 64 * 3)
    box = PixelRect(0, 0, 64, 64)
    from maskwright_protocol.digest import image_key, strip_digests

    key = image_key(64, 64, "RGB8", "srgb", strip_digests(pixels, 64, 64 * 3))
    with serving.client() as client:

        def detect() -> Message:
            raster = Raster(key, 64, 64, "RGB8", box, data=pixels)
            return client.request(Detect("", Picture(box, [raster]), text="person", models={"detector": "faces"}), 60)

        declare(place, hub, data)
        with pytest.raises(ModelMissing):
            detect()
        assert isinstance(client.request(ModelPull("", "faces"), 30), Done)
        detect()
