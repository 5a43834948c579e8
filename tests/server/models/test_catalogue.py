from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from maskwright.models import catalogue, installed
from maskwright.models.pool import ModelPool
from maskwright.models.words import COCO, lookup, resolve
from maskwright.recipes import presets
from maskwright_protocol.errors import BadInput, EmptyPrompt, ModelBroken, ModelMissing, UnknownWord
from tests.server.eval_paths import MODELS, needs_models


def test_the_catalogue_is_sound():
    known = catalogue.load()
    for entry in known.model:
        assert entry.commercial in ("yes", "no", "ask")
        assert entry.family in catalogue.families()
        assert entry.files or entry.embedded
    with pytest.raises(ModelMissing):
        known.get("nothing")
    text = Path(catalogue.__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    for wrong in (text.replace('roles = ["matter"]', 'roles = ["painter"]'), text + text, text + "\nfurther = 1\n"):
        with pytest.raises((ValidationError, ValueError)):
            catalogue.parse(wrong)


def test_the_gateway_can_read_all_of_it_without_array_libraries():
    code = (
        "import sys, maskwright.models.installed, maskwright.models.catalogue, maskwright.recipes.presets as p;"
        "p.recipe_infos([]); maskwright.models.installed.model_infos([]);"
        "print([m for m in ('numpy', 'cv2', 'onnxruntime', 'torch') if m in sys.modules])"
    )
    environment_path = [p for p in sys.path if p]
    out = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {environment_path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "[]"


def test_only_embedded_models_are_there_without_folders(tmp_path):
    found = installed.scan([tmp_path / "absent", tmp_path])
    always = {i for i, model in found.items() if not model.entry.requires}
    assert always == {"grabcut", "u2netp"}
    assert all(model.entry.embedded for model in found.values())
    installed.verify(found["u2netp"])
    infos = {info.name + info.verb: info for info in presets.available(found)}
    assert infos["autoselect"].available
    assert not infos["mobile-samselect"].available
    assert infos["mobile-samselect"].missing == "mobile-sam"
    assert infos["u2netpcutout"].available
    pool = ModelPool([], "cpu", 1)
    assert pool.best("segmenter") == "grabcut"
    assert pool.best("detector") is None
    for role, name in (("segmenter", "mobile-sam"), ("segmenter", "u2netp"), ("matter", "x")):
        with pytest.raises(ModelMissing):
            pool.get(role, name)
    with pytest.raises(BadInput):
        presets.find("select", "nonsense")


def copied(tmp_path: Path, edit) -> Path:
    folder = tmp_path / "whatever"
    folder.mkdir()
    data = bytearray((MODELS / "yolox-nano" / "yolox_nano.onnx").read_bytes())
    (folder / "yolox_nano.onnx").write_bytes(edit(data))
    return tmp_path


@needs_models
def test_a_model_is_recognised_by_its_files_whatever_its_folder_is_called(tmp_path):
    found = installed.scan([copied(tmp_path, bytes)])
    assert found["yolox-nano"].folder == tmp_path / "whatever"
    assert not found["yolox-nano"].problem
    assert "yolox-nano" in installed.scan([tmp_path / "whatever"])
    assert {"mobile-sam", "yolox-nano", "u2netp", "grabcut"} <= set(installed.scan([MODELS]))


@needs_models
def test_truncated_and_damaged_files_are_broken_models(tmp_path):
    short = tmp_path / "short"
    short.mkdir()
    copied(short, lambda data: data[:1000])
    found = installed.scan([short])
    assert "1000 bytes" in found["yolox-nano"].problem
    with pytest.raises(ModelBroken):
        ModelPool([short], "cpu", 1).detector("yolox-nano")
    damaged = tmp_path / "damaged"
    damaged.mkdir()

    def flip(data: bytearray) -> bytes:
        data[len(data) // 2] ^= 255
        return bytes(data)

    copied(damaged, flip)
    with pytest.raises(ModelBroken, match="damaged"):
        ModelPool([damaged], "cpu", 1).detector("yolox-nano")
    assert ModelPool([short, MODELS], "cpu", 1).installed["yolox-nano"].problem == ""


@needs_models
def test_a_session_refuses_what_is_no_model_and_other_inputs(tmp_path):
    from maskwright.models.runtime import Session

    entry = catalogue.load().get("yolox-nano")
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"not a model at all")
    with pytest.raises(ModelBroken):
        Session(entry, junk, ("images",), "cpu", 1)
    with pytest.raises(ModelBroken) as caught:
        Session(entry, MODELS / "yolox-nano" / "yolox_nano.onnx", ("picture",), "cpu", 1)
    assert caught.value.details["missing"] == ["picture"]
    assert caught.value.details["unexpected"] == ["images"]


@needs_models
def test_the_pool_keeps_models_and_drops_the_least_recent():
    pool = ModelPool([MODELS], "cpu", 1)
    assert pool.budget > 0
    detector = pool.detector("yolox-nano")
    matter = pool.matter("u2netp")
    assert pool.detector("yolox-nano") is detector
    assert pool.resident() == ["u2netp", "yolox-nano"]
    pool.budget = pool.nbytes() + pool.known.get("grabcut").memory - 1
    pool.segmenter("grabcut")
    assert pool.resident() == ["yolox-nano", "grabcut"]
    assert pool.matter("u2netp") is not matter
    assert pool.device == "cpu"
    assert pool.device_reason


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("people", "person"),
        ("Women", "person"),
        ("the puppies", "dog"),
        ("bike", "bicycle"),
        ("sofas", "couch"),
        ("monitor", "tv"),
        ("TV", "tv"),
        ("buses", "bus"),
        ("knives", "knife"),
        ("sheep", "sheep"),
        ("wine glasses", "wine glass"),
        ("cell-phone", "cell phone"),
        ("calves", "cow"),
        ("dining tables", "dining table"),
        ("geese", "bird"),
    ],
)
def test_words(word, name):
    assert lookup(word) == name


def test_every_class_knows_itself_and_prompts_may_name_several():
    assert len(COCO) == 80
    for name in COCO:
        assert lookup(name) == name
    assert list(resolve("dog; Cat, dogs").values()) == ["dog", "cat"]
    with pytest.raises(EmptyPrompt):
        resolve(" ; ,")
    with pytest.raises(UnknownWord) as caught:
        resolve("person; bycicle")
    assert caught.value.details["word"] == "bycicle"
    assert "bicycle" in caught.value.details["near"]
    assert caught.value.details["models"]
    with pytest.raises(UnknownWord) as caught:
        resolve("red car")
    assert caught.value.details["near"][0] == "car"


def test_fine_tuned_checkpoints_of_one_size_are_told_apart(tmp_path):
    contents = {"first": b"a" * 100, "second": b"b" * 100}
    tables = [
        {
            "id": name, "family": "birefnet", "roles": ("matter",), "title": name, "summary": "-", "licence": "MIT",
            "commercial": "yes", "source": "", "revision": "1", "sources": ({"hub": f"a/Repo_{name}"},),
            "files": ({"name": "model.safetensors", "size": 100, "sha256": hashlib.sha256(data).hexdigest()},),
            "parameters": 0, "memory": 1, "input_size": 64,
        }
        for name, data in contents.items()
    ]  # fmt: skip
    known = catalogue.Catalogue.model_validate({"model": tables})
    for folder, name in (("whatever", "second"), ("Repo_first", "first"), ("unknown", None)):
        place = tmp_path / folder / folder
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(contents[name] if name else b"c" * 100)
        assert list(installed.scan([place.parent], known)) == ([name] if name else [])
