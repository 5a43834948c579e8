"""Checkpoints that are published as pickles: pulled, converted once, never kept nor loaded as what they were."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from maskwright.config import default_model_folder
from maskwright.models import catalogue
from maskwright.models.install import convert, download, scan
from maskwright.models.machine import records
from maskwright_protocol.errors import JobCancelled, ModelBroken, NeedsPackage
from tests.server.models.conftest import Puller
from tests.server.models.hub import REVISION
from tests.shared_data import MODELS

from .pickles import reduce, weights

torch = pytest.importorskip("torch", reason="torch is not installed: pickles cannot be read here")
load_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").load_file


def saved(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


WEIGHTS = weights()
NAMED = {f"module._orig_mod.{name}": value for name, value in WEIGHTS.items()}
CHECKPOINT = saved({"epoch": 3, "net": {**NAMED, "loss.a": torch.ones(1)}})
RENAME = r'rename = [["^module\\.", ""], ["^_orig_mod\\.", "x."]], drop = "^loss"'
PICKLE = f'pickle = {{ name = "faces.pth", key = "net", {RENAME} }}'


def declare(puller: Puller, pickle: str = PICKLE, sources: str = "", name: str = "faces.pth") -> None:
    sources = sources or f'[{{ url = "{puller.hub.url}/release/" }}]'
    text = (
        f'[[model]]\nid = "faces"\nfamily = "yolo"\nsources = {sources}\n'
        f'files = [{{ name = "config.json" }}, {{ name = "model.safetensors", {pickle} }}]\n'
    )
    (puller.home / "models.toml").write_text(text, encoding="utf-8")
    puller.hub.files.update({f"release/{name}": CHECKPOINT, "release/config.json": b"{}"})


def sound() -> bool:
    model = scan.scan([default_model_folder()]).get("faces")
    if model is None:
        return False
    scan.verify(model)
    return True


def test_a_pickle_is_converted_with_its_keys_renamed_and_is_gone(puller: Puller) -> None:
    declare(puller)
    assert puller.pull() == {"done": str(default_model_folder() / "faces")}
    assert sorted(puller.installed()) == ["config.json", "model.safetensors"]
    assert puller.unfinished() == {}
    read = load_file(default_model_folder() / "faces" / "model.safetensors")
    assert set(read) == {f"x.{name}" for name in WEIGHTS}
    assert all(torch.equal(read[f"x.{name}"], value) for name, value in WEIGHTS.items())
    assert sound()
    assert catalogue.load().get("faces").runtime == "torch"
    recorded = records.content("faces", "faces.pth")
    assert recorded is not None, "the next download must be of the same file"
    assert recorded.size == len(CHECKPOINT)
    puller.hub.requests.clear()
    assert "done" in puller.pull()
    assert puller.hub.requests == []


def test_what_was_converted_is_enforced(puller: Puller) -> None:
    declare(puller)
    assert "done" in puller.pull()
    file = default_model_folder() / "faces" / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelBroken, match="damaged or is another version"):
        sound()
    assert "done" in puller.pull()
    assert sound()


def test_a_malicious_pickle_is_refused_and_nothing_is_installed(puller: Puller) -> None:
    marker = puller.home / "executed"
    declare(puller)
    puller.hub.files["release/faces.pth"] = reduce(marker)
    answer = puller.pull()
    assert answer["error"] == "model_broken"
    assert "reading it would run code" in answer["message"]
    assert [called.split(".")[-1] for called in answer["details"]["calls"]] == ["exec"]
    assert not marker.exists()
    assert puller.installed() == {}
    assert "faces" not in scan.scan([default_model_folder()])


def test_a_key_that_is_not_there_and_names_that_meet(puller: Puller) -> None:
    for pickle, sentence in (
        ('pickle = { name = "faces.pth", key = "ema" }', "no part called ema"),
        (
            'pickle = { name = "faces.pth", key = "net", rename = [[".*", "a"]] }',
            "two of its tensors would be called a",
        ),
        ('pickle = { name = "faces.pth", key = "net", drop = "." }', "none of its tensors is left"),
    ):
        declare(puller, pickle)
        assert sentence in puller.pull()["message"]


def test_a_pickle_that_the_user_placed_is_told_of_and_taken_without_a_network(puller: Puller) -> None:
    import hashlib

    digest = hashlib.sha256(CHECKPOINT).hexdigest()
    exact = PICKLE.replace('key = "net"', f'key = "net", size = {len(CHECKPOINT)}, sha256 = "{digest}"')
    for pickle, folder, name in ((PICKLE, "faces", "faces.pth"), (exact, "whatever", "download (1).pth")):
        declare(puller, pickle)
        mine = puller.home / "mine"
        shutil.rmtree(mine, ignore_errors=True)
        shutil.rmtree(default_model_folder(), ignore_errors=True)
        (mine / folder).mkdir(parents=True)
        (mine / folder / name).write_bytes(CHECKPOINT)
        (mine / folder / "config.json").write_bytes(b"{}")
        entry = catalogue.load().get("faces")
        if folder == "faces":
            assert "converted first" in scan.scan([mine])["faces"].problem
        else:
            (default_model_folder() / "faces").mkdir(parents=True)
            (default_model_folder() / "faces" / "config.json").write_bytes(b"{}")
        puller.hub.requests.clear()
        download.pull(entry, [mine], default_model_folder())
        assert sound()
        assert puller.hub.requests == []
        assert (mine / folder / name).read_bytes() == CHECKPOINT, "the user's own file stays"


def test_from_a_folder(puller: Puller) -> None:
    declare(puller, sources="[]")
    (puller.home / "got").mkdir()
    (puller.home / "got" / "faces.pth").write_bytes(CHECKPOINT)
    (puller.home / "got" / "config.json").write_bytes(b"{}")
    download.pull(catalogue.load().get("faces"), [], default_model_folder(), origin=puller.home / "got")
    assert sound()


def test_a_cancel_ends_the_reader(puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(puller)
    stages: list[str] = []
    processes: list[Any] = []
    popen = convert.subprocess.Popen
    monkeypatch.setattr(convert.subprocess, "Popen", lambda *a, **k: processes.append(popen(*a, **k)) or processes[-1])
    with pytest.raises(JobCancelled):
        download.pull(
            catalogue.load().get("faces"), [], default_model_folder(),
            report=lambda now: stages.append(now.stage), cancelled=lambda: "convert" in stages and bool(processes),
        )  # fmt: skip
    assert all(process.poll() is not None for process in processes)
    assert puller.installed() == {}
    assert list((default_model_folder() / ".downloads" / "faces").glob("maskwright-convert-*")) == []
    download.pull(catalogue.load().get("faces"), [], default_model_folder())
    assert sound()


def test_without_torch_nothing_is_downloaded_for_nothing(puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(puller)
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    with pytest.raises(NeedsPackage) as caught:
        download.pull(catalogue.load().get("faces"), [], default_model_folder())
    assert 'pip install "maskwright[torch]"' in caught.value.hint
    assert puller.hub.requests == []


@pytest.mark.skipif(
    not (MODELS / "mobile-sam" / "mobile_sam.pt").is_file(), reason="the shared checkpoint is not there"
)
def test_a_real_checkpoint(puller: Puller) -> None:
    """MobileSAM's weights in the authors' layout, from a page of releases to a model folder."""
    real = MODELS / "mobile-sam" / "mobile_sam.pt"
    declare(puller, 'pickle = { name = "mobile_sam.pt", rename = [["^image_encoder\\\\.", "encoder."]] }')
    puller.hub.files["release/mobile_sam.pt"] = real.read_bytes()
    assert "done" in puller.pull()
    read = load_file(default_model_folder() / "faces" / "model.safetensors")
    expected = torch.load(Path(real), weights_only=True)
    assert len(read) == len(expected)
    assert all(torch.equal(read[k.replace("image_encoder.", "encoder.", 1)], v) for k, v in expected.items())
    assert any(name.startswith("encoder.") for name in read)


def test_a_pickle_of_one_s_own_is_converted_when_it_is_added(home: Path) -> None:
    from maskwright.models.install import user_models
    from tests.server.recipes.tiny_models import birefnet

    source, weights = home / "mine.pth", birefnet()
    torch.save({"epoch": 3, "net": weights, "optimizer": {"lr": 0.1}}, source)
    published = source.read_bytes()
    folder = user_models.add([source], "mine", "birefnet", {"input_size": 64}, key="net").folder
    assert [path.name for path in folder.iterdir()] == ["mine.safetensors"]
    assert set(load_file(folder / "mine.safetensors")) == set(weights)
    entry = catalogue.load().get("mine")
    assert (entry.own, entry.runtime, [file.name for file in entry.files]) == (True, "torch", ["mine.safetensors"])
    assert source.read_bytes() == published
    marker = home / "executed"
    source.write_bytes(reduce(marker))
    with pytest.raises(ModelBroken):
        user_models.add([source], "other", "yolo", {"roles": ["detector"], "input_size": 64})
    assert not marker.exists()
    assert "other" not in {known.id for known in catalogue.load().model}


def test_a_source_that_has_the_tensors_already(puller: Puller) -> None:
    """Some mirrors have converted the pickle themselves: theirs is taken where the pickle cannot be had."""
    from safetensors.torch import save

    hub = f'{{ hub = "a/faces", revision = "{REVISION}", ready = true }}'
    declare(puller, sources=f'[{{ url = "{puller.hub.url}/release/" }}, {hub}]')
    del puller.hub.files["release/faces.pth"]
    tensors = save({"a": torch.arange(4.0)})
    puller.hub.files.update({"a/faces/model.safetensors": tensors, "a/faces/config.json": b"{}"})
    assert "done" in puller.pull()
    assert puller.installed() == {"config.json": b"{}", "model.safetensors": tensors}
    recorded = records.content("faces", "model.safetensors")
    assert recorded is not None
    assert recorded.size == len(tensors)
    assert not any(path.endswith("a/faces/faces.pth") for _, path, *_ in puller.hub.requests)
    shutil.rmtree(default_model_folder())
    puller.hub.files["a/faces/model.safetensors"] = save({"a": torch.zeros(4)})
    assert puller.pull()["error"] == "download_failed", "another content than the first time"
    assert puller.installed() == {}
