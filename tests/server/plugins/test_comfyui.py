"""ComfyUI's nodes: the contract that ComfyUI documents for nodes, its types, and real answers of a real server."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskwright.plugins import bundle, comfyui
from maskwright_client.scripting import questions
from tests.server.conftest import Server
from tests.shared_data import REPOSITORY

torch = pytest.importorskip("torch", reason="ComfyUI's tensors need torch")

PHOTO = REPOSITORY / "server" / "maskwright" / "cli" / "sample" / "astronaut.jpg"
VERBS = {"CutOut": "cutout"}
PYTHON_TYPES = {"STRING": str, "FLOAT": float, "INT": int, "BOOLEAN": bool}
LINKS = {"IMAGE", "MASK", "BBOX", "SEGS"}


@pytest.fixture(scope="module")
def pack(server: Server) -> Iterator[Any]:
    """The pack as ComfyUI imports it, beside a running server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKWRIGHT_RUNTIME_DIR", server.environment["MASKWRIGHT_RUNTIME_DIR"])
        from maskwright.plugins import comfyui_nodes
        from maskwright.plugins.comfyui_nodes import host

        yield comfyui_nodes
        while host._connection:
            host._connection.pop().close()


@pytest.fixture(scope="module")
def batch() -> Any:
    """Two pictures, ``(2, H, W, 3)``: a photo, and the photo in a mirror."""
    photo = np.asarray(Image.open(PHOTO).resize((320, 320)), np.float32) / 255
    return torch.from_numpy(np.stack([photo, photo[:, ::-1]]))


def run(pack: Any, name: str, **given: Any) -> tuple[Any, ...]:
    """What a node gives, called as ComfyUI calls it."""
    cls = pack.NODE_CLASS_MAPPINGS[f"Maskwright{name}"]
    found = getattr(cls(), cls.FUNCTION)(**given)
    assert set(found) == {"ui", "result"}
    assert len(found["result"]) == len(cls.RETURN_TYPES)
    return found["result"]


# ---------------------------------------------------------------- the contract


def test_every_node_keeps_the_contract(pack: Any) -> None:
    assert set(pack.NODE_DISPLAY_NAME_MAPPINGS) == set(pack.NODE_CLASS_MAPPINGS)
    names = {"Select", "CutOut", "Refine", "Parse", "Everything", "Detect"}
    assert set(pack.NODE_CLASS_MAPPINGS) == {f"Maskwright{name}" for name in names}
    for cls in pack.NODE_CLASS_MAPPINGS.values():
        inputs = cls.INPUT_TYPES()
        assert set(inputs) <= {"required", "optional", "hidden"}
        for kind, *options in [*inputs["required"].values(), *inputs.get("optional", {}).values()]:
            assert isinstance(kind, list) or kind in {*PYTHON_TYPES, *LINKS}
            check_options(kind, *options)
        assert cls.CATEGORY == "Maskwright"
        assert set(cls.RETURN_TYPES) <= {"STRING", *LINKS}
        assert len(cls.RETURN_TYPES) == len(cls.RETURN_NAMES) == len(set(cls.RETURN_NAMES))
        assert len(getattr(cls, "OUTPUT_IS_LIST", cls.RETURN_TYPES)) == len(cls.RETURN_TYPES)
        assert callable(getattr(cls(), cls.FUNCTION))


def check_options(kind: Any, options: dict[str, Any] | None = None) -> None:
    options = options or {}
    assert set(options) <= {"default", "min", "max", "step", "tooltip", "multiline"}
    if "default" in options:
        default = options["default"]
        assert type(default) is PYTHON_TYPES[kind]
        assert "min" not in options or options["min"] <= default <= options["max"]


def test_inputs_are_what_the_verbs_know(pack: Any) -> None:
    for name, cls in pack.NODE_CLASS_MAPPINGS.items():
        short = name.removeprefix("Maskwright")
        verb: Any = getattr(questions, VERBS[short] if short in VERBS else short.lower())
        inputs = cls.INPUT_TYPES()
        given = {*inputs["required"], *inputs.get("optional", {})} - {"crop_factor", "bboxes"}
        assert given <= set(inspect.signature(verb).parameters)


def test_nodes_run_again_only_when_models_come_or_go(pack: Any) -> None:
    cls = pack.NODE_CLASS_MAPPINGS["MaskwrightSelect"]
    first = cls.IS_CHANGED(text="dog")
    assert first == cls.IS_CHANGED(text="dog")
    assert len(first) == 64


# ---------------------------------------------------------------- real answers


def test_a_batch_gives_masks_boxes_and_segs(pack: Any, batch: Any) -> None:
    mask, segs, bboxes, report = run(pack, "Select", image=batch, text="person", precise="off")
    assert mask.shape == (2, 320, 320)
    assert mask.dtype == torch.float32
    assert mask.max() == 1
    assert mask.min() == 0
    assert len(segs) == len(bboxes) == 2  # lists, an item a picture
    shape, found = segs[0]
    assert shape == (320, 320)
    seg = found[0]
    assert seg._fields == ("cropped_image", "cropped_mask", "confidence", "crop_region", "bbox", "label",
                           "control_net_wrapper")  # fmt: skip
    left, top, right, bottom = seg.crop_region
    assert seg.cropped_mask.shape == (bottom - top, right - left)
    np.testing.assert_allclose(seg.cropped_mask, mask[0, top:bottom, left:right].numpy(), atol=1e-6)
    assert list(seg.bbox) == bboxes[0][0]
    assert seg.label == "person"
    assert "found by" in report
    mirrored = bboxes[1][0]
    assert abs((320 - mirrored[2]) - bboxes[0][0][0]) < 40  # each picture was looked at for itself


def test_nothing_found_is_an_empty_mask_and_is_said(pack: Any, batch: Any) -> None:
    mask, segs, bboxes, report = run(pack, "Select", image=batch, text="elephant")
    assert mask.shape == (2, 320, 320)
    assert not mask.any()
    assert [found for _, found in segs] == [[], []]
    assert bboxes == [[], []]
    assert report.count("No elephant was found") == 2


def test_boxes_of_detect_lead_select(pack: Any, batch: Any) -> None:
    bboxes, segs, labels, _ = run(pack, "Detect", image=batch[:1], text="person")
    assert labels == ["person"]
    assert segs[0][1][0].cropped_mask.max() == 1
    mask, *_ = run(pack, "Select", image=batch[:1], text="", bboxes=bboxes[0], precise="off")
    left, top, right, bottom = bboxes[0][0]
    inside = mask[0, top:bottom, left:right].sum() / mask.sum()
    assert inside > 0.9


def test_cut_out_and_refine(pack: Any, batch: Any) -> None:
    image, alpha, bboxes, _ = run(pack, "CutOut", image=batch[:1])
    assert image.shape == (1, 320, 320, 4)
    assert image.dtype == alpha.dtype == torch.float32
    assert torch.allclose(image[..., 3], alpha, atol=1 / 254)
    assert 0.2 < alpha.mean() < 0.9
    assert len(bboxes) == 1
    rough = (alpha > 0.5).float()
    soft, _ = run(pack, "Refine", image=batch, mask=torch.cat([rough, torch.zeros_like(rough)]))
    assert ((soft[0] > 0) & (soft[0] < 1)).any()
    assert not soft[1].any()
    report = run(pack, "Refine", image=batch[:1], mask=torch.zeros(1, 64, 64))[-1]
    assert "The mask is empty." in report


def test_a_mask_of_another_size_is_scaled(pack: Any, batch: Any) -> None:
    region = torch.zeros(1, 160, 160)
    region[:, :80] = 1
    limited, *_ = run(pack, "Select", image=batch[:1], text="person", region=region, precise="off")
    assert limited[0, :158].any()
    assert not limited[0, 162:].any()


def test_parts_and_everything(pack: Any, batch: Any) -> None:
    mask, segs, _, _ = run(pack, "Parse", image=batch[:1], part="hair")
    assert mask.any()
    assert segs[0][1][0].label == "hair"
    shown, mask, segs, bboxes, _ = run(pack, "Everything", image=batch[:1], points=8)
    assert shown.shape == (1, 320, 320, 3)
    assert len(segs[0][1]) == len(bboxes[0]) > 1
    assert mask.any()


def test_a_mistake_is_told_with_its_hint(pack: Any, batch: Any) -> None:
    with pytest.raises(RuntimeError, match=r"'here' is not a point\. Write a point"):
        run(pack, "Select", image=batch, text="", point="here")


# ---------------------------------------------------------------- ComfyUI around them


class Interrupted(Exception):
    """What ComfyUI raises in a node when the user cancels."""


def test_progress_and_cancel_go_through_comfyui(pack: Any, batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[float, float, int]] = []
    cancelled = [True]
    node_thread = threading.get_ident()

    class Bar:
        def __init__(self, total: int) -> None:
            self.total = total

        def update_absolute(self, value: int) -> None:
            shown.append((value, self.total, threading.get_ident()))

    def check() -> None:
        if cancelled[0] and len(shown) >= 2:
            raise Interrupted

    utils, management = types.ModuleType("comfy.utils"), types.ModuleType("comfy.model_management")
    utils.__dict__["ProgressBar"], management.__dict__["throw_exception_if_processing_interrupted"] = Bar, check
    monkeypatch.setitem(sys.modules, "comfy.utils", utils)
    monkeypatch.setitem(sys.modules, "comfy.model_management", management)
    with pytest.raises(Interrupted):
        run(pack, "Everything", image=batch, points=64)
    assert {thread for *_, thread in shown} == {node_thread}
    assert all(0 <= value <= total == 2000 for value, total, _ in shown)
    cancelled[0] = False
    shown.clear()
    run(pack, "Detect", image=batch, text="person")
    assert shown[-1][0] == 2000


# ---------------------------------------------------------------- the folder


def test_the_installed_folder_brings_all_it_needs(tmp_path: Path, server: Server) -> None:
    """Loaded as ComfyUI loads it, by a Python that has numpy, Pillow and torch, and no Maskwright in its way."""
    (tmp_path / "custom_nodes").mkdir()
    (target,) = comfyui.install(tmp_path)
    assert [path.name for path in (tmp_path / "custom_nodes").iterdir()] == ["maskwright"]
    code = (
        "import importlib.util, sys, os, torch\n"
        f"folder = {str(target)!r}\n"
        "name, init = folder.replace('.', '_x_'), os.path.join(folder, '__init__.py')\n"
        "spec = importlib.util.spec_from_file_location(name, init)\n"
        "pack = importlib.util.module_from_spec(spec); sys.modules[spec.name] = pack; spec.loader.exec_module(pack)\n"
        "node = pack.NODE_CLASS_MAPPINGS['MaskwrightDetect']()\n"
        "print(node.run(image=torch.zeros(1, 64, 64, 3), text='dog')['result'][-1])\n"
        "import maskwright_client, maskwright_protocol\n"
        "assert maskwright_client.__file__.startswith(folder) and maskwright_protocol.__file__.startswith(folder)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**server.environment, "PYTHONSAFEPATH": "1"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "No dog was found" in done.stdout


def test_zip_and_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(comfyui.build(tmp_path)) as archive:
        names = archive.namelist()
    assert all(name.startswith("maskwright/") for name in names)
    for part in ("__init__.py", "nodes.py", "vendor/maskwright_client/scripting/connection.py"):
        assert f"maskwright/{part}" in names
    with pytest.raises(bundle.NotFound, match="--to"):
        comfyui.install(tmp_path)
    nodes = tmp_path / "ComfyUI" / "custom_nodes"
    (nodes / "other").mkdir(parents=True)
    assert comfyui.node_folders(None, {"HOME": str(tmp_path)}, tmp_path) == [nodes]
    assert comfyui.node_folders(nodes) == comfyui.node_folders(nodes.parent) == [nodes]
    stale = nodes / "maskwright" / "gone.py"
    stale.parent.mkdir()
    stale.write_text("raise SystemExit")
    comfyui.install(nodes)
    assert not stale.exists()
    assert comfyui.uninstall(nodes) == [nodes / "maskwright"]
    assert comfyui.uninstall(nodes) == []
    assert os.listdir(nodes) == ["other"]
