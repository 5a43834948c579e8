"""Hub repositories whose revision the catalogue does not name: pinned at the first download, enforced ever after."""

from __future__ import annotations

import random

import pytest

from maskwright.models.catalogue.entries import Source
from maskwright.models.install import scan
from maskwright.models.install.transports import Location
from maskwright.models.machine import records
from tests.server.models.conftest import Puller
from tests.server.models.hub import REVISION, TOKEN

DATA = random.Random(1).randbytes(300_000)
CONFIG = b'{"a": 1}'
NEWER = "f" * 40


def declared(puller: Puller) -> None:
    puller.hub.files.update({"a/faces/model.onnx": DATA, "a/faces/config.json": CONFIG})
    puller.declare({"model.onnx": None, "config.json": None}, published=False, sources='[{ hub = "a/faces" }]')


def resolved(puller: Puller) -> set[str]:
    """The revisions at which files were asked for."""
    paths = [path for _, path, _, _ in puller.hub.requests if "/resolve/" in path]
    return {path.split("/resolve/")[1].split("/")[0] for path in paths}


def test_the_first_download_takes_mains_commit_and_later_ones_the_same(puller: Puller) -> None:
    declared(puller)
    assert records.revision("faces", "a/faces") is None
    assert "done" in puller.pull()
    assert puller.installed() == {"model.onnx": DATA, "config.json": CONFIG}
    assert resolved(puller) == {REVISION}
    assert records.revision("faces", "a/faces") == REVISION
    recorded = records.content("faces", "model.onnx")
    assert recorded is not None
    assert recorded.size == len(DATA)

    puller.hub.revision, puller.hub.older = NEWER, {REVISION}
    puller.hub.requests.clear()
    for path in scan.scan([puller.home / "data" / "maskwright" / "models"])["faces"].folder.iterdir():
        path.unlink()
    assert "done" in puller.pull()
    assert resolved(puller) == {REVISION}
    assert not any(path.startswith("api/") for _, path, _, _ in puller.hub.requests), "it is known already"


def test_other_contents_at_the_pinned_commit_are_refused(puller: Puller) -> None:
    declared(puller)
    assert "done" in puller.pull()
    puller.hub.files["a/faces/model.onnx"] = DATA[::-1]
    (puller.home / "data" / "maskwright" / "models" / "faces" / "model.onnx").unlink()
    answer = puller.pull()
    assert answer["error"] == "download_failed"
    assert "model.onnx" not in puller.installed()


def test_a_commit_that_is_gone_is_not_replaced_by_another(puller: Puller) -> None:
    declared(puller)
    records.record_revision("faces", "a/faces", NEWER)
    answer = puller.pull()
    assert answer["error"] == "download_failed"
    assert f"no revision {NEWER}" in answer["message"]
    assert resolved(puller) == {NEWER}


@pytest.mark.parametrize("name", ["model.onnx", "config.json"])
def test_what_the_hub_says_of_a_file_is_checked(puller: Puller, name: str) -> None:
    """Large files by SHA-256, small ones by git's SHA-1: a damaged one is not recorded as right."""
    declared(puller)
    puller.hub.faults[f"a/faces/{name}"] = ["corrupt", "corrupt"]
    answer = puller.pull()
    assert answer["error"] == "download_failed"
    assert f"sent for {name} is damaged" in answer["message"]
    assert puller.installed() == {}
    assert records.content("faces", name) is None
    puller.hub.faults.clear()
    assert "done" in puller.pull()
    assert records.content("faces", name) is not None


def test_private_and_absent_repositories_are_told_before_anything_is_recorded(puller: Puller) -> None:
    declared(puller)
    puller.hub.files.clear()
    assert puller.pull(HF_TOKEN=TOKEN)["error"] == "access_denied"
    assert records.revision("faces", "a/faces") is None
    assert puller.pull(HF_HUB_OFFLINE="1")["error"] == "offline"


def test_records_that_are_no_commit_count_for_nothing(home) -> None:
    records.record_revision("a", "b/c", "main")
    assert records.revision("a", "b/c") is None
    assert Source(hub="b/c").title() == "b/c"
    assert not Location("", "").digest_known
