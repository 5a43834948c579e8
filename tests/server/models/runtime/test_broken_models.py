"""Models that do not work, in all ways that files can be broken: the automatic choice goes on with the others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from maskwright.models import catalogue
from maskwright.models.install import scan, user_catalogue, user_models
from maskwright.models.machine import records
from maskwright.models.runtime.broken_models import without_broken
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.run import run
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.messages import Cutout, Detect, Job, Parse, Picture, PixelRect, Point, Raster, Select
from tests.server.models import onnx_files
from tests.server.photos import PHOTO
from tests.server.recipes import tiny_models as tiny

Damage = Callable[[Path], object]


def _changed(change: Callable[[torch.Tensor], torch.Tensor]) -> Damage:
    def damage(path: Path) -> None:
        save_file({name: change(value).contiguous() for name, value in load_file(path).items()}, path)

    return damage


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Damage] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "folder": _folder,
    "absent": Path.unlink,
    "nan": _changed(lambda tensor: torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor),
    "flat": _changed(lambda tensor: tensor.reshape(-1)),
    "small": _changed(lambda tensor: tensor[:1] if tensor.dim() else tensor),
    "other": lambda path: save_file({"layer.weight": torch.zeros(3, 3)}, path),
}
# ONNX files that answer with ones or no numbers, of shapes that nothing knows or that the family gives.
SHAPES = {"yolox": (1, 3549, 85), "u2net": (1, 1, 320, 320), "skin_clothes_hair": (1, 3, 512, 512), "yolo": (1, 84, 9)}
INPUTS = {"yolox": "images", "u2net": "input.1", "skin_clothes_hair": "x.1", "yolo": "images"}
SIZES = {"yolox": 416, "u2net": 320, "skin_clothes_hair": 512, "yolo": 640}
NAMES = ["model.safetensors", "config.json", "preprocessor_config.json"]
FOLDERS = {
    "sam3": "sam3", "sam2": "sam2.1-tiny", "sam_hq": "sam-hq-vit-base", "sam": "sam-vit-base",
    "grounding_dino": "grounding-dino-tiny", "florence2": "florence-2-base", "rt_detr": "rt-detr-r18",
    "segformer": "segformer-clothes", "vitmatte": "vitmatte-small", "birefnet": tiny.MATTING,
    **({"yolo": tiny.YOLO} if find_spec("ultralytics") is not None else {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make(tmp_path_factory.mktemp("sound") / "models")


def own(folder: Path, family: str, files: list[str], **more: Any) -> str:
    """Declare a model of the user's; its id."""
    table = {"id": folder.name, "family": family, "files": [{"name": name} for name in files], **more}
    user_catalogue.write(table)
    return folder.name


def damaged(sound: Path, place: Path, family: str) -> list[str]:
    """One model of the family for each way to be broken."""
    found = []
    for name, damage in DAMAGES.items():
        folder = place / f"bad-{family}-{name}"
        shutil.copytree(sound / FOLDERS[family], folder)
        names = sorted((path.name for path in folder.iterdir()), key=lambda n: not n.endswith(".safetensors"))
        damage(folder / names[0])
        words = (
            {"names": ["person"]} if name == "nan" and family in ("yolo", "rt_detr") else {}
        )  # others are loaded to see
        found.append(own(folder, family, names, input_size=64, **words))
    return found


def exports(place: Path, family: str) -> list[str]:
    shape = SHAPES[family]
    nan = np.float32(np.nan).tobytes()
    numbers = onnx_files.answering({INPUTS[family]: 4}, ["out"], (1, 2, 3))
    contents = {
        "cut": numbers[:-30], "rubbish": b"rubbish", "void": b"", "shape": numbers,
        "input": onnx_files.answering({"other": 4, "more": 2}, ["out"], (1, 2, 3)),
        "nan": onnx_files.filled({INPUTS[family]: 4}, "out", shape, nan),
    }  # fmt: skip
    found = []
    for name, data in contents.items():
        folder = place / f"bad-{family}-onnx-{name}"
        folder.mkdir()
        (folder / "model.onnx").write_bytes(data)
        more: dict[str, Any] = {"names": ["person"]} if family == "yolo" else {}
        more |= {"options": {"labels": "simple"}} if family == "skin_clothes_hair" else {}
        found.append(own(folder, family, ["model.onnx"], input_size=SIZES[family], **more))
    return found


def ask(pool: ModelPool, request: Job, **named: str) -> tuple[Any, list[str]]:
    """The answer and what was left out, as in a worker."""
    image = np.ascontiguousarray(np.asarray(Image.open(PHOTO).convert("RGB")))
    box = PixelRect(0, 0, image.shape[1], image.shape[0])
    request.picture = Picture(box, [Raster("photo", box.width, box.height, "RGB8", box)])
    request.models = dict(named)
    told: list[str] = []

    def attempt(notes: list[str]) -> Any:
        told[:] = notes
        context = JobContext(pool, EmbeddingCache(1 << 28), lambda *_: None, lambda: False, notes=list(notes))
        return run(request, {"photo": memoryview(image.tobytes())}, context)

    answer = without_broken(attempt, pool, frozenset(named.values()))
    assert answer.report.notes[: len(told)] == told
    return answer, told


def requests() -> dict[str, Job]:
    return {
        "detect": Detect("1", text="person"),
        "words": Select("1", text="person", precise="off"),
        "click": Select("1", points=[Point(220.0, 100.0)], precise="off"),
        "cutout": Cutout("1"),
        "parse": Parse("1", parts=["hair"], draft=True),
    }


@pytest.mark.parametrize(
    ("what", "families"),
    [
        ("detect", ["grounding_dino", "rt_detr", "florence2", "yolo", "sam3"]),
        ("words", ["sam3", "grounding_dino", "sam2"]),
        ("click", ["sam2", "sam", "sam_hq", "sam3"]),
        ("cutout", ["birefnet", "vitmatte"]),
        ("parse", ["segformer"]),
    ],
)
def test_one_broken_model_never_breaks_the_automatic_choice(
    home: Path, sound: Path, what: str, families: list[str]
) -> None:
    place = home / "models"
    place.mkdir()
    names = {name for family in families if family in FOLDERS for name in damaged(sound, place, family)}
    names |= {name for family in SHAPES for name in exports(place, family)}
    assert len([entry for entry in catalogue.load().model if entry.own]) == len(names)

    def pool() -> ModelPool:
        return ModelPool([place], "cpu", 1, learn=True)

    answer, told = ask(pool(), requests()[what])
    assert answer.report.models
    assert not names & set(answer.report.models)
    assert answer.reason in ("", "nothing_found")
    for sentence in told:
        assert any(sentence.startswith(f"{name} was left out: ") for name in names), sentence
    assert len(told) == len(set(told)) >= 2
    # The next worker knows, and so do lists.
    again, told_again = ask(pool(), requests()[what])
    assert told_again == []
    assert again.report.models == answer.report.models
    listed = scan.scan([place])
    failed = {name for name in names if name in listed and listed[name].failed}
    assert failed == {sentence.partition(" was left out")[0] for sentence in told}
    assert all(listed[name].problem.startswith("Broken: ") for name in failed)


def test_a_broken_model_that_is_asked_for_says_so_and_works_again_when_it_is_mended(home: Path, sound: Path) -> None:
    place = home / "models"
    folder = place / "mine"
    shutil.copytree(sound / FOLDERS["rt_detr"], folder)
    whole = (folder / "model.safetensors").read_bytes()
    own(folder, "rt_detr", NAMES, input_size=64, names=["person"])
    DAMAGES["nan"](folder / "model.safetensors")
    pool = ModelPool([place], "cpu", 1, learn=True)
    with pytest.raises(ModelBroken, match="no number") as caught:
        ask(pool, Detect("1", text="person"), detector="mine")
    assert "models add FILE --id mine" in caught.value.hint
    assert "mine" in records.failures()
    assert ask(pool, Detect("1", text="person"))[0].report.models != ["mine"]
    (folder / "model.safetensors").write_bytes(whole)  # and its entry says so, as when a better file is added
    files = [{"name": name, **user_models.content(folder / name)} for name in NAMES]
    user_catalogue.write(
        {"id": "mine", "family": "rt_detr", "input_size": 64, "names": ["person"], "files": files}
    )  # fmt: skip
    answer, told = ask(pool, Detect("1", text="person"))
    assert (answer.report.models, told) == (["mine"], [])
    assert not scan.scan([place])["mine"].problem
    assert ask(pool, Detect("1", text="person"), detector="mine")[0].report.models == ["mine"]


def test_a_failure_is_forgotten_when_the_model_works_for_whoever_names_it(home: Path, sound: Path) -> None:
    place = home / "models"
    shutil.copytree(sound / FOLDERS["rt_detr"], place / "mine")
    own(place / "mine", "rt_detr", NAMES, input_size=64)
    records.record_failure("mine", scan.tried(scan.scan([place])["mine"]), "It failed, for a reason that is gone.")
    assert scan.scan([place])["mine"].failed
    ask(ModelPool([place], "cpu", 1, learn=True), Detect("1", text="person"), detector="mine")
    assert not scan.scan([place])["mine"].failed
    assert records.failures() == {}


@pytest.mark.parametrize(
    "reason", ["CUDA error: unspecified launch failure", "CUDNN_STATUS_INTERNAL_ERROR", "no memory"]
)
def test_what_a_graphics_card_did_is_not_held_against_a_model(home: Path, sound: Path, reason: str) -> None:
    place = home / "models"
    shutil.copytree(sound / FOLDERS["rt_detr"], place / "mine")
    own(place / "mine", "rt_detr", NAMES)
    pool = ModelPool([place], "cpu", 1, learn=True)
    assert pool.best("detector") == "mine"
    assert pool.give_up(ModelBroken("The model mine failed.", model="mine", reason=reason)) == "mine"
    assert pool.best("detector") != "mine"
    assert records.failures() == {}
    assert ModelPool([place], "cpu", 1, learn=True).best("detector") == "mine"
