"""Downloads against a real HTTP server, with the real hub client in the process that the server uses for it."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from maskwright.config import default_model_folder
from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Entry, ModelFile, Source
from maskwright.models.install import download, remove, scan
from maskwright.models.machine import records
from maskwright_protocol.errors import (
    CODES,
    DiskFull,
    DownloadFailed,
    JobCancelled,
    LicenceNeeded,
    MaskwrightError,
    ModelMissing,
    Offline,
)
from tests.server.models.conftest import Puller
from tests.server.models.hub import REVISION, TOKEN, Hub

DATA = random.Random(1).randbytes(3_000_000)
MORE = random.Random(2).randbytes(5_000)


def entry_of(hub: Hub, *bases: str, data: bytes = DATA, published: bool = True, **more) -> Entry:
    file = ModelFile(name="a.onnx")
    if published:
        file = ModelFile(name="a.onnx", size=len(data), sha256=hashlib.sha256(data).hexdigest())
    fields = {
        "id": "a", "family": "yolox", "roles": ("detector",), "title": "A", "summary": "A.", "licence": "MIT",
        "commercial": "yes", "source": "", "revision": "1", "files": (file,), "parameters": 0, "memory": 1,
        "input_size": 64, "sources": tuple(Source(url=f"{hub.url}/{base}/") for base in bases or ("release",)),
    }  # fmt: skip
    return Entry.model_validate({**fields, **more})


def pull(entry: Entry, **more) -> Path:
    return download.pull(entry, [], default_model_folder(), **more)


def nothing_is_there(entry: Entry) -> bool:
    """No scan sees the model, nor any folder that could be taken for one."""
    folder = default_model_folder()
    visible = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
    return not visible and scan.scan([folder], Catalogue(model=(entry,))) == {}


# ---------------------------------------------------------------- the hub


def test_a_model_of_two_files_from_the_hub(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA, "b.json": MORE})
    assert puller.pull() == {"done": str(default_model_folder() / "faces")}
    assert puller.installed() == {"a.onnx": DATA, "b.json": MORE}
    assert puller.unfinished() == {}
    assert all(f"/resolve/{REVISION}/" in path for _, path, _, _ in puller.hub.requests)
    asked = len(puller.hub.requests)
    assert "done" in puller.pull()
    assert len(puller.hub.requests) == asked, "it was downloaded again"
    assert "done" in puller.pull(MASKWRIGHT_OFFLINE="1")


def test_the_storage_behind_the_hub_gets_no_token(puller: Puller) -> None:
    from tests.server.models import hub as hubs

    with hubs.running() as storage:
        puller.on_the_hub({"a.onnx": DATA})
        storage.files = puller.hub.files
        puller.hub.redirect = f"{storage.url}/storage"
        assert "done" in puller.pull(HF_TOKEN=TOKEN)
        assert puller.installed() == {"a.onnx": DATA}
        assert puller.hub.requests[0][3] == f"Bearer {TOKEN}"
        assert storage.transfers("a.onnx") == [""]
        assert [authorization for *_, authorization in storage.requests if authorization] == []


def test_an_address_that_runs_out_in_a_long_download_is_asked_for_again(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    puller.hub.redirect = f"{puller.hub.url}/storage"
    puller.hub.faults["a/faces/a.onnx"] = [1_000_000, 403]
    assert "done" in puller.pull()
    assert puller.installed() == {"a.onnx": DATA}
    assert len(puller.hub.transfers("storage/a/faces/a.onnx")) == 3
    assert [method for method, path, *_ in puller.hub.requests if "/resolve/" in path] == ["HEAD", "HEAD"]
    shutil.rmtree(default_model_folder())
    puller.hub.faults["a/faces/a.onnx"] = [403]
    assert puller.pull()["error"] == "access_denied"


def test_a_gated_model_says_what_to_do_and_comes_with_the_right_token(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    puller.hub.gated.add("a/faces")
    for token in ("", "hf_wrong"):
        answer = puller.pull(HF_TOKEN=token)
        assert answer["error"] == "access_denied"
        assert "gated" in answer["message"]
        assert "ask for access" in answer["hint"]
        assert "HF_TOKEN" in answer["hint"]
        assert answer["details"]["page"].endswith("/a/faces")
    assert puller.installed() == {}
    assert "done" in puller.pull(HF_TOKEN=TOKEN)
    assert puller.installed() == {"a.onnx": DATA}


def test_what_the_hub_does_not_have(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    del puller.hub.files["a/faces/a.onnx"]
    puller.hub.files["a/faces/other"] = b""
    answer = puller.pull()
    assert answer["error"] == "download_failed"
    assert "no file a.onnx" in answer["message"]
    puller.hub.files.clear()
    assert puller.pull()["error"] == "access_denied"
    source = f'[{{ hub = "a/faces", revision = "{"9" * 40}" }}]'
    puller.on_the_hub({"a.onnx": DATA})
    puller.declare({"a.onnx": DATA}, sources=source)
    assert "no revision 9999" in puller.pull()["message"]
    assert puller.installed() == {}


def test_a_hub_that_is_not_there_and_offline_modes(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA, "b.json": MORE})
    answer = puller.pull(HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["error"] == "download_failed"
    assert answer["message"].count("cannot be reached") == 1
    assert puller.pull(MASKWRIGHT_OFFLINE="1")["error"] == "offline"
    assert puller.pull(HF_HUB_OFFLINE="1")["error"] == "offline"
    assert puller.hub.requests == []


def test_another_source_is_tried_when_the_first_fails(puller: Puller) -> None:
    puller.hub.files["release/a.onnx"] = DATA
    hub = f'{{ hub = "a/faces", revision = "{REVISION}" }}'
    puller.declare({"a.onnx": DATA}, sources=f'[{hub}, {{ url = "{puller.hub.url}/release/" }}]')
    assert "done" in puller.pull()
    assert puller.installed() == {"a.onnx": DATA}


def test_without_a_published_digest_the_hubs_own_counts_and_is_enforced_from_then_on(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA}, published=False)
    puller.hub.faults["a/faces/a.onnx"] = ["corrupt"]
    assert "damaged" in puller.pull()["message"]
    assert records.content("faces", "a.onnx") is None
    assert "done" in puller.pull()
    recorded = records.content("faces", "a.onnx")
    assert recorded is not None
    assert recorded.sha256 == hashlib.sha256(DATA).hexdigest()
    shutil.rmtree(default_model_folder() / "faces")
    puller.hub.files["a/faces/a.onnx"] = DATA[::-1]
    assert puller.pull()["error"] == "download_failed"
    assert puller.installed() == {}


def test_a_killed_download_goes_on_where_it_was(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(30)

    puller.hub.gate = gate
    process = puller.start()
    assert reached.wait(30)
    part = default_model_folder() / ".downloads" / "faces" / "a.onnx.part"
    while not part.exists() or part.stat().st_size < 1_000_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    release.set()
    puller.hub.gate = lambda path: None
    arrived = puller.unfinished()["a.onnx.part"]
    assert puller.installed() == {}
    assert "done" in puller.pull()
    assert puller.installed() == {"a.onnx": DATA}
    assert puller.hub.transfers("a.onnx") == ["", f"bytes={arrived}-"]


def test_two_processes_share_one_download(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(30)

    puller.hub.gate = gate
    first = puller.start()
    assert reached.wait(30)
    second = puller.start()
    assert second.stdout is not None
    while '"Another program is downloading it"' not in second.stdout.readline():
        assert second.poll() is None
    release.set()
    assert "done" in puller.finish(first)
    assert "done" in puller.finish(second)
    assert puller.hub.transfers("a.onnx") == [""]
    assert puller.installed() == {"a.onnx": DATA}


def test_the_process_ends_with_the_one_that_started_it(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    reached, release = threading.Event(), threading.Event()

    def gate(path: str) -> None:
        reached.set()
        release.wait(30)

    puller.hub.gate = gate
    process = puller.start()
    assert reached.wait(30)
    process.communicate()  # closes its standard input
    release.set()
    assert process.returncode == 1
    assert puller.installed() == {}


# ---------------------------------------------------------------- plain https


def test_an_interrupted_download_goes_on_by_itself(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.faults["release/a.onnx"] = [700_000, 503, 100_000]
    seen: list[download.PullProgress] = []
    folder = pull(entry_of(hub), report=seen.append)
    assert (folder / "a.onnx").read_bytes() == DATA
    assert hub.transfers("a.onnx") == ["", "bytes=700000-", "bytes=700000-", "bytes=800000-"]
    done = [p.done for p in seen if p.stage == "download"]
    assert done == sorted(done)
    assert done[-1] == len(DATA) == seen[-1].total
    assert seen[-1].stage == "verify"


def test_a_server_without_ranges_starts_again(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.ranges = False
    hub.faults["release/a.onnx"] = [700_000]
    assert (pull(entry_of(hub)) / "a.onnx").read_bytes() == DATA


@pytest.mark.parametrize("published", [True, False])
def test_a_file_that_changed_meanwhile_is_not_pieced_together(home: Path, hub: Hub, published: bool) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.faults["release/a.onnx"] = [1_000_000, 404]
    with pytest.raises(DownloadFailed):
        pull(entry_of(hub, published=False))
    newer = DATA[::-1]
    hub.files["release/a.onnx"] = newer
    entry = entry_of(hub, data=newer, published=published)
    assert (pull(entry) / "a.onnx").read_bytes() == newer


@pytest.mark.parametrize("fault", ["corrupt", "short"])
def test_damaged_files_are_never_installed(home: Path, hub: Hub, fault: str) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.faults["release/a.onnx"] = [fault] * 9
    entry = entry_of(hub)
    with pytest.raises(DownloadFailed):
        pull(entry)
    assert nothing_is_there(entry)
    hub.faults.clear()
    assert (pull(entry) / "a.onnx").read_bytes() == DATA


def test_a_beginning_that_was_damaged_is_thrown_away(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.faults["release/a.onnx"] = [1_000_000, 404]
    entry = entry_of(hub)
    with pytest.raises(DownloadFailed):
        pull(entry)
    part = default_model_folder() / ".downloads" / "a" / "a.onnx.part"
    part.write_bytes(bytes(part.stat().st_size))
    assert (pull(entry) / "a.onnx").read_bytes() == DATA
    assert hub.transfers("a.onnx")[-2:] == ["bytes=1000000-", ""]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_statuses(home: Path, hub: Hub, status: int) -> None:
    hub.files["release/a.onnx"] = DATA
    hub.faults["release/a.onnx"] = [status] * 9
    entry = entry_of(hub)
    with pytest.raises(MaskwrightError) as caught:
        pull(entry)
    assert caught.value.code == ("access_denied" if status in (401, 403) else "download_failed")
    assert str(status) in caught.value.message
    assert len(hub.requests) == (4 if status == 500 else 1)
    assert nothing_is_there(entry)


def test_a_mirror_goes_on_with_what_the_first_source_sent(home: Path, hub: Hub) -> None:
    hub.files.update({"release/a.onnx": DATA, "mirror/a.onnx": DATA})
    hub.faults["release/a.onnx"] = [1_200_000, 404]
    assert (pull(entry_of(hub, "release", "mirror")) / "a.onnx").read_bytes() == DATA
    assert hub.transfers("mirror/a.onnx") == ["bytes=1200000-"]


def test_a_redirect_to_an_address_without_encryption_is_refused(home: Path, hub: Hub) -> None:
    hub.files["a/b/a.onnx"] = DATA
    base = f"a/b/resolve/{REVISION}"
    hub.redirect = "http://192.0.2.1/storage"
    with pytest.raises(DownloadFailed, match="without encryption"):
        pull(entry_of(hub, base))
    hub.redirect = f"{hub.url}/storage"
    assert (pull(entry_of(hub, base)) / "a.onnx").read_bytes() == DATA


def test_cancelling_stops_at_once_and_keeps_what_arrived(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    seen: list[int] = []
    with pytest.raises(JobCancelled):
        pull(entry_of(hub), report=lambda p: seen.append(p.done), cancelled=lambda: bool(seen) and seen[-1] > 10**6)
    entry = entry_of(hub)
    assert nothing_is_there(entry)
    pull(entry)
    assert hub.transfers("a.onnx")[1].startswith("bytes=1")


def test_offline_and_no_source(home: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWRIGHT_OFFLINE", "1")
    with pytest.raises(Offline):
        pull(entry_of(hub))
    assert hub.requests == []
    with pytest.raises(DownloadFailed, match="No download"):
        pull(entry_of(hub, sources=()))


def test_the_licence_needs_a_yes_once(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    entry = entry_of(hub, commercial="no", licence="CC BY-NC 4.0", licence_url="https://example.org/licence")
    with pytest.raises(LicenceNeeded) as caught:
        pull(entry)
    assert caught.value.details["licence_url"] == "https://example.org/licence"
    assert hub.requests == []
    shutil.rmtree(pull(entry, accept_licence=True))
    pull(entry)
    changed = entry_of(hub, commercial="ask", licence="another", id="a")
    shutil.rmtree(default_model_folder() / "a")
    with pytest.raises(LicenceNeeded):
        pull(changed)


# ---------------------------------------------------------------- disk


def test_a_disk_that_is_too_small_is_noticed_before_anything_travels(home: Path, hub: Hub, monkeypatch) -> None:
    hub.files["release/a.onnx"] = DATA
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=download.RESERVE + len(DATA) - 1))
    with pytest.raises(DiskFull) as caught:
        pull(entry_of(hub))
    assert caught.value.details["needed"] == len(DATA)
    assert hub.requests == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=download.RESERVE + len(DATA)))
    pull(entry_of(hub))


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare to mount a small disk with")
def test_a_disk_that_gets_full_meanwhile(puller: Puller) -> None:
    disk = puller.home / "data"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs '{disk}'"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    puller.on_the_hub({"a.onnx": DATA})
    code = (
        "from maskwright.models.install import download, download_process as process; "
        "download.RESERVE = -(1 << 30); process.main(['faces'])"
    )
    process = subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", f"{mount}; exec '{sys.executable}' -c \"{code}\""],
        env={**os.environ, "HF_ENDPOINT": puller.hub.url},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    answer = puller.finish(process)
    assert answer["error"] == "disk_full"
    assert puller.hub.transfers("a.onnx") == [""]


# ---------------------------------------------------------------- this computer


def test_files_that_are_here_already_are_not_downloaded(home: Path, hub: Hub) -> None:
    mine = home / "mine" / "stuff"
    mine.mkdir(parents=True)
    (mine / "renamed (2).onnx").write_bytes(DATA)
    folder = download.pull(entry_of(hub), [home / "mine"], default_model_folder())
    assert (folder / "a.onnx").read_bytes() == DATA
    assert hub.requests == []
    remove.remove(entry_of(hub), default_model_folder())
    assert (mine / "renamed (2).onnx").read_bytes() == DATA


@pytest.mark.parametrize("name", ["a.onnx", "another name.bin"])
@pytest.mark.parametrize("packed", [True, False])
def test_from_a_folder_or_a_zip(home: Path, hub: Hub, name: str, packed: bool, monkeypatch) -> None:
    monkeypatch.setenv("MASKWRIGHT_OFFLINE", "1")
    origin = home / "usb"
    (origin / "deep").mkdir(parents=True)
    (origin / "deep" / name).write_bytes(DATA)
    (origin / "a.onnx.txt").write_bytes(b"no")
    if packed:
        with zipfile.ZipFile(home / "usb.zip", "w") as archive:
            archive.write(origin / "deep" / name, f"../../{name}")
        origin = home / "usb.zip"
    assert (pull(entry_of(hub), origin=origin) / "a.onnx").read_bytes() == DATA
    assert [p.name for p in home.iterdir() if p.name not in ("usb", "usb.zip", "data", "hf")] == []
    assert hub.requests == []


def test_a_folder_or_zip_without_the_right_file(home: Path, hub: Hub) -> None:
    entry = entry_of(hub)
    (home / "wrong").mkdir()
    (home / "wrong" / "a.onnx").write_bytes(DATA[::-1])
    with zipfile.ZipFile(home / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.onnx", bytes(len(DATA) * 4))
    (home / "broken.zip").write_bytes((home / "bomb.zip").read_bytes()[:100])
    for name in ("wrong", "bomb.zip", "broken.zip", "absent"):
        with pytest.raises(DownloadFailed) as caught:
            pull(entry, origin=home / name)
        assert caught.value.details["tried"] or name == "broken.zip"
        assert nothing_is_there(entry)
    assert hub.requests == []


def test_a_broken_installation_is_replaced_and_removing_takes_all_of_it(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    entry = entry_of(hub)
    folder = pull(entry)
    (folder / "a.onnx").write_bytes(DATA[::-1])
    os.utime(folder / "a.onnx", (1, 1))
    assert pull(entry) == folder
    assert (folder / "a.onnx").read_bytes() == DATA
    assert remove.remove(entry, default_model_folder()) == len(DATA)
    assert nothing_is_there(entry)
    with pytest.raises(ModelMissing):
        remove.remove(entry, default_model_folder())
    with pytest.raises(ModelMissing):
        remove.remove(catalogue.built_in().get("u2netp"), default_model_folder())


def test_the_new_errors_travel() -> None:
    assert {"licence_needed", "download_failed", "access_denied", "offline", "disk_full"} <= set(CODES)


def test_a_folder_that_cannot_be_written_to(home: Path, hub: Hub) -> None:
    hub.files["release/a.onnx"] = DATA
    place = home / "a file"
    place.write_bytes(b"")
    with pytest.raises(DownloadFailed, match="cannot be written") as caught:
        download.pull(entry_of(hub), [], place)
    assert "models path" in caught.value.hint
    assert hub.requests == []


def test_what_cannot_be_had_leaves_nothing_behind(puller: Puller) -> None:
    puller.on_the_hub({"a.onnx": DATA})
    puller.hub.gated.add("a/faces")
    assert puller.pull()["error"] == "access_denied"
    assert not (default_model_folder() / ".downloads" / "faces").exists()
    puller.hub.gated.clear()
    puller.hub.faults["a/faces/a.onnx"] = [1_000_000, 404]
    assert puller.pull()["error"] == "download_failed"
    assert puller.unfinished() == {"a.onnx.part": 1_000_000}, "what has arrived is kept"
