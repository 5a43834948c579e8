from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from maskwright.models import catalogue, families
from maskwright.models.catalogue import loading
from maskwright.models.catalogue.entries import Catalogue
from maskwright.models.install import scan
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import presets
from maskwright_protocol.errors import BadInput, ModelBroken, ModelMissing
from tests.shared_data import MODELS, needs_models


def test_the_catalogue_is_sound():
    known = catalogue.load()
    for entry in known.model:
        assert entry.commercial in ("yes", "no", "ask")
        assert set(entry.roles) <= set(families.get(entry.family).roles)
        assert entry.files or entry.embedded
        assert not entry.files or entry.facts.fits([file.name for file in entry.files])
    with pytest.raises(ModelMissing):
        known.get("nothing")
    folder = Path(catalogue.__file__).parent
    text = "\n".join((folder / f"{name}.toml").read_text(encoding="utf-8") for name in loading.FILES)
    for wrong in (text.replace("family =", 'roles = ["painter"]\nfamily =', 1), text + text, text + "\nfurther = 1\n"):
        with pytest.raises((ValidationError, ValueError)):
            catalogue.parse(wrong)


def test_the_gateway_can_read_all_of_it_without_array_libraries():
    code = (
        "import sys, maskwright.models.catalogue, maskwright.recipes.job.presets as p;"
        "from maskwright.models.install import scan;"
        "found = scan.scan([]); p.available(found); scan.model_infos(found);"
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
    found = scan.scan([tmp_path / "absent", tmp_path])
    always = {i for i, model in found.items() if not model.entry.requires}
    coded = {i for i in always if not found[i].entry.files}
    assert always == {"grabcut", "mobile-sam", "yolox-nano", "yunet", "skin-clothes-hair", "rvm", "u2netp", *coded}
    assert all(model.entry.embedded for model in found.values())
    for model in found.values():
        scan.verify(model)
    infos = {info.name + info.verb: info for info in presets.available(found)}
    assert infos["autoselect"].available
    assert infos["yolox+mobile-samselect"].available
    assert not infos["sam2select"].available
    assert infos["sam2select"].missing.startswith("sam2")
    assert infos["u2netpcutout"].available
    pool = ModelPool([], "cpu", 1)
    assert pool.candidates("segmenter") == ["mobile-sam", "grabcut"]
    assert pool.candidates("detector") == ["yolox-nano", "yunet"]
    assert pool.candidates("parser") == ["skin-clothes-hair"]
    for role, name in (("segmenter", "sam2.1-tiny"), ("segmenter", "u2netp"), ("matting", "x")):
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
    found = scan.scan([copied(tmp_path, bytes)])
    assert found["yolox-nano"].folder == tmp_path / "whatever"
    assert not found["yolox-nano"].problem
    assert "yolox-nano" in scan.scan([tmp_path / "whatever"])
    assert {"mobile-sam", "yolox-nano", "u2netp", "grabcut"} <= set(scan.scan([MODELS]))


@needs_models
def test_truncated_and_damaged_files_are_broken_models(tmp_path, broken_installation):
    short = tmp_path / "short"
    short.mkdir()
    copied(short, lambda data: data[:1000])
    found = scan.scan([short])
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
    from maskwright.models.runtime.onnx_session import OnnxSession

    entry = catalogue.load().get("yolox-nano")
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"not a model at all")
    with pytest.raises(ModelBroken):
        OnnxSession(entry, junk, ("images",), "cpu", 1)
    with pytest.raises(ModelBroken) as caught:
        OnnxSession(entry, MODELS / "yolox-nano" / "yolox_nano.onnx", ("picture",), "cpu", 1)
    assert caught.value.details["missing"] == ["picture"]
    assert caught.value.details["unexpected"] == ["images"]


@needs_models
def test_the_pool_keeps_models_and_drops_the_least_recent():
    pool = ModelPool([MODELS], "cpu", 1)
    assert pool.loaded.budget("cpu") > 0
    detector = pool.detector("yolox-nano")
    matting = pool.matting("u2netp")
    assert pool.detector("yolox-nano") is detector
    assert pool.resident() == ["u2netp", "yolox-nano"]
    pool.loaded.budgets["cpu"] = pool.nbytes() + pool.known.get("grabcut").memory - 1
    pool.segmenter("grabcut")
    assert pool.resident() == ["yolox-nano", "grabcut"]
    assert pool.matting("u2netp") is not matting
    assert pool.device == "cpu"
    assert pool.device_reason


def test_fine_tuned_checkpoints_of_one_size_are_told_apart(tmp_path):
    contents = {"first": b"a" * 100, "second": b"b" * 100}
    tables = [
        {
            "id": name, "family": "birefnet", "roles": ("matting",), "title": name, "summary": "-", "licence": "MIT",
            "commercial": "yes", "source": "", "revision": "1", "sources": ({"hub": f"a/Repo_{name}"},),
            "files": ({"name": "model.safetensors", "size": 100, "sha256": hashlib.sha256(data).hexdigest()},),
            "parameters": 0, "memory": 1, "input_size": 64,
        }
        for name, data in contents.items()
    ]  # fmt: skip
    known = Catalogue.model_validate({"model": tables})
    for folder, name in (("whatever", "second"), ("Repo_first", "first"), ("unknown", None)):
        place = tmp_path / folder / folder
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(contents[name] if name else b"c" * 100)
        assert list(scan.scan([place.parent], known)) == ([name] if name else [])


# What painters know from other programs: a repository, or a file in one.
KNOWN_ELSEWHERE = (
    *(f"ZhengPeng7/BiRefNet{name}" for name in (
        "", "_512x512", "_HR", "-portrait", "-matting", "_HR-matting", "_lite", "_lite-2K", "_lite-matting", "_dynamic",
    )),
    "joelseytre/toonout", "egeorcun/lucida", "briaai/RMBG-2.0", "facebook/sam3", "Kijai/sam2-safetensors",
    "1038lab/sam2", "edgetam.pt", "vil-uob/sam3-litetext-s0",
    "sam_vit_h_4b8939.pth", "sam_vit_l_0b3195.pth", "sam_vit_b_01ec64.pth", "mobile_sam.pt",
    "sam_hq_vit_h.pth", "sam_hq_vit_l.pth", "sam_hq_vit_b.pth",
    *(f"{name}_hiera_{size}.pt" for name in ("sam2", "sam2.1") for size in ("tiny", "small", "base_plus", "large")),
    *(f"sam2.1_hiera_{size}-fp16.safetensors" for size in ("tiny", "small", "base_plus", "large")),
    "IDEA-Research/grounding-dino-tiny", "IDEA-Research/grounding-dino-base",
    *(f"florence-community/Florence-2-{name}" for name in ("base", "base-ft", "large", "large-ft")),
    "HuggingFaceM4/Florence-2-DocVQA", "thwri/CogFlorence-2.1-Large", "thwri/CogFlorence-2.2-Large",
    "gokaygokay/Florence-2-SD3-Captioner", "gokaygokay/Florence-2-Flux-Large",
    *(f"MiaoshouAI/Florence-2-{size}-PromptGen-v{number}" for size in ("base", "large") for number in ("1.5", "2.0")),
    "PJMixers-Images/Florence-2-base-Castollux-v0.5",
    "face_yolov8m.pt", "hand_yolov8s.pt", "person_yolov8n-seg.pt", "person_yolov8s-seg.pt", "person_yolov8m-seg.pt",
    "deepfashion2_yolov8s-seg.pt",
    "mattmdjaga/segformer_b2_clothes", "jonathandinu/face-parsing", "sayeed99/segformer-b3-fashion",
    "1038lab/segformer_clothes", "1038lab/segformer_face", "1038lab/segformer_fashion",
    "Metal3d/deeplabv3p-resnet50-human",
    "hustvl/vitmatte-small-composition-1k", "hustvl/vitmatte-base-composition-1k",
    "hustvl/vitmatte-small-distinctions-646", "hustvl/vitmatte-base-distinctions-646",
)  # fmt: skip


def test_what_is_known_elsewhere_has_an_entry_or_a_reason() -> None:
    known = catalogue.built_in()
    had = {source.hub for entry in known.model for source in entry.sources}
    had |= {file.published.name for entry in known.model for file in entry.files}
    assert [name for name in KNOWN_ELSEWHERE if name not in had] == []
    reasons = {entry.id for entry in (*known.model, *known.absent)}
    assert {"ben", "ben2", "inspyrenet", "sdmatte", "florence-2-pixelprose"} <= reasons
    for absent in known.absent:
        assert all(known.get(instead) for instead in absent.instead)
        with pytest.raises(ModelMissing) as caught:
            known.get(absent.id)
        assert absent.why in caught.value.message
        assert absent.instead[0] in caught.value.hint


def test_nothing_without_a_free_licence_comes_unasked() -> None:
    for entry in catalogue.built_in().model:
        if entry.commercial == "yes":
            assert not any(word in entry.licence for word in ("NC", "AGPL", "see the model card", "other"))
        assert not (entry.recommended and (entry.commercial != "yes" or entry.gated or not entry.size))


def test_a_wrong_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ModelMissing, match="no model called") as caught:
        catalogue.built_in().get("Birefnet-lit")
    assert "birefnet-lite" in caught.value.hint
    with pytest.raises(ModelMissing) as caught:
        catalogue.built_in().get("x" * 1000)
    assert len(caught.value.message) < 100
    assert "models list" in caught.value.hint


def test_the_folders_of_other_programs_are_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickles that lie there wait to be converted; they are no broken models."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for place in ("ultralytics/bbox/face_yolov8m.pt", "sams/sam_vit_b_01ec64.pth", ".hidden/x/hand_yolov8s.pt"):
        (tmp_path / "models" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / place).write_bytes(b"a pickle")
    found = scan.scan([tmp_path / "models"])
    face = found["face-yolov8m"]
    assert face.waits
    assert face.folder == tmp_path / "models" / "ultralytics" / "bbox"
    assert "models pull face-yolov8m" in face.problem
    assert "sam-vit-b" not in found, "it has another size than the published file"
    assert "hand-yolov8s" not in found
    with pytest.raises(ModelBroken, match="converted first"):
        scan.verify(face)
