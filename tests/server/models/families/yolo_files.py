"""Small YOLO checkpoints and exports of the real classes, in the published layouts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

from maskwright.models.catalogue.entries import Entry
from maskwright.models.families.yolo.inference import ultralytics_network
from maskwright.models.install.convert import convert

MOST = 300  # finds in exports with suppression
NAMES = {0: "face", 1: "left hand", 2: "person"}
ARCHITECTURES = {
    "yolov5": "v5/yolov5.yaml",
    "yolov6": "v6/yolov6.yaml",
    "yolo12": "12/yolo12.yaml",
    "yolov8": "v8/yolov8.yaml",
    "yolov8-seg": "v8/yolov8-seg.yaml",
    "yolo11": "11/yolo11.yaml",
    "yolo11-seg": "11/yolo11-seg.yaml",
    "yolo26": "26/yolo26.yaml",
    "yolo26-seg": "26/yolo26-seg.yaml",
    "yolov8-worldv2": "v8/yolov8-worldv2.yaml",
    "yoloe-11-seg": "11/yoloe-11-seg.yaml",
}


def entry(file: str, **more: Any) -> Entry:
    known = {
        "id": "tiny-yolo", "family": "yolo", "roles": ["detector"], "title": "Tiny", "summary": "For tests.",
        "licence": "AGPL-3.0", "commercial": "ask", "source": "", "revision": "tests", "files": [{"name": file}],
        "parameters": 0, "memory": 1 << 20, "input_size": 128,
    }  # fmt: skip
    return Entry.model_validate({**known, **more})


def model(architecture: str, seed: int = 0) -> Any:
    """A narrow network of a published architecture with random weights that finds something in noise."""
    with ultralytics_network.quiet():
        import ultralytics
        from ultralytics.nn import tasks
        from ultralytics.utils import YAML
    path = Path(ultralytics.__file__).parent / "cfg" / "models" / ARCHITECTURES[architecture]
    description = {**YAML.load(str(path)), "scale": "n"}
    by_words = architecture.startswith("yoloe") or "world" in architecture
    whole = by_words or architecture == "yolo12"  # whose attention would have no heads
    description["scales"] = {"n": [0.34, 0.25, 512] if whole else [0.34, 0.125, 256]}
    torch.manual_seed(seed)
    kinds = ["WorldModel"] if "world" in architecture else ["YOLOEModel", "YOLOESegModel"]
    kinds = kinds if by_words else ["DetectionModel", "SegmentationModel"]
    cls: Any = getattr(tasks, kinds[architecture.endswith("-seg")])
    network: Any = cls(cfg=description, nc=80 if by_words else len(NAMES), verbose=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(1.5, 3.0)  # so that places differ in more than rounding
            module.bias.data.normal_(0, 0.5)
    head = network.model[-1]
    for branch in [*head.cv3, *getattr(head, "one2one_cv3", [])]:
        branch[-1].weight.data.normal_(0, 0.3)
        branch[-1].bias.data.fill_(-1.0)
    network.names = dict(NAMES)
    if by_words:  # as its set_classes leaves it
        for contrast in [*head.cv4, *getattr(head, "one2one_cv4", [])]:
            contrast.bias.data.fill_(-1.0)
            contrast.logit_scale.data.fill_(-1.0)
        words = torch.nn.functional.normalize(torch.randn(1, len(NAMES), 512), dim=-1)
        setattr(network, "txt_feats" if "world" in architecture else "pe", words)
        head.nc = len(NAMES)
    return network.eval()


def checkpoint(folder: Path, architecture: str, seed: int = 0, note: Any = None, **how: Any) -> Path:
    """A ``.pt`` file as training writes it. ``note``: what its author left in the model; ``how``: as ``torch.save``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.pt"
    network = model(architecture, seed).half()
    network.note = note
    content = {"epoch": -1, "model": network, "ema": None, "train_args": {"imgsz": 128}}
    torch.save(content, path, **how)
    return path


def converted(folder: Path, architecture: str, seed: int = 0) -> Path:
    path = checkpoint(folder, architecture, seed).with_suffix(".safetensors")
    convert(path.with_suffix(".pt"), path)
    return path


def exported(
    path: Path,
    architecture: str,
    *,
    end_to_end: bool = False,
    nms: bool = False,
    tells: bool = True,
    task: str = "",
    seed: int = 0,
) -> Any:
    """Write an ONNX export with what Ultralytics' exporter writes into it; returns the network that was exported.

    ``task``: what it says it is for. ``nms``: as the exporter's option.
    """
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    network = model(architecture, seed)
    network.end2end = end_to_end
    network.fuse(verbose=False)
    network.model[-1].export = True
    outputs = ["output0", "output1"] if architecture.endswith("-seg") else ["output0"]
    network.task = task or ("segment" if len(outputs) == 2 else "detect")
    network = _suppressing(network) if nms else network
    # The package onnx would look for functions that are not used.
    with mock.patch.object(onnx_proto_utils, "_add_onnxscript_fn", lambda data, *_: data):
        torch.onnx.export(
            network, (torch.zeros(1, 3, 128, 128),), str(path), input_names=["images"], output_names=outputs,
            dynamo=False, opset_version=17,
        )  # fmt: skip
    if tells:
        task = task or ("segment" if len(outputs) == 2 else "detect")
        told = {"names": repr(NAMES), "stride": "32", "task": task}
        with path.open("ab") as file:
            for key, value in told.items():
                file.write(_property(key, value))
    return network


def _suppressing(network: Any) -> Any:
    """The network with suppression behind it, as the exporter puts it there. Its ``nms`` is torchvision's, which tests
    do without: an operator of that name is its place."""
    from torch.onnx._internal.torchscript_exporter.utils import register_custom_op_symbolic
    from ultralytics.engine.exporter import NMSModel

    from maskwright.masks.instances import nms

    def kept(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
        found = nms(boxes.detach().numpy(), scores.detach().numpy(), iou_threshold, len(scores))
        return torch.tensor(found, dtype=torch.int64)

    def written(g: Any, boxes: Any, scores: Any, iou_threshold: Any) -> Any:
        one, both = (g.op("Constant", value_t=torch.tensor(axes)) for axes in ([0], [0, 1]))
        most = g.op("Constant", value_t=torch.tensor([100_000]))
        limit = g.op("Unsqueeze", g.op("Cast", iou_threshold, to_i=1), one)
        found = g.op("NonMaxSuppression", g.op("Unsqueeze", boxes, one), g.op("Unsqueeze", scores, both), most, limit)
        column = g.op("Gather", found, g.op("Constant", value_t=torch.tensor([2])), axis_i=1)
        return g.op("Squeeze", column, g.op("Constant", value_t=torch.tensor([1])))

    if not hasattr(torch.ops.torchvision, "nms"):
        torch.library.define("torchvision::nms", "(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.impl("torchvision::nms", "CPU", kept)
        register_custom_op_symbolic("torchvision::nms", written, 17)
    how = {"format": "onnx", "dynamic": False, "batch": 1, "max_det": MOST, "conf": 0.15, "iou": 0.7}
    network.model[-1].xyxy = True
    package = SimpleNamespace(ops=SimpleNamespace(nms=torch.ops.torchvision.nms))
    suppressing = NMSModel(network, SimpleNamespace(**how, agnostic_nms=False, opset=17)).eval()

    class Exported(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = suppressing

        def forward(self, planes: torch.Tensor) -> Any:
            with mock.patch.dict("sys.modules", {"torchvision": package, "torchvision.ops": package.ops}):
                return self.inner(planes)

    return Exported().eval()


def _property(key: str, value: str) -> bytes:
    """One ``metadata_props`` of ONNX's ModelProto: parts of a protobuf message may follow one another in any order."""
    pair = b"".join(bytes([tag]) + _length(text) + text.encode() for tag, text in ((0x0A, key), (0x12, value)))
    return bytes([14 << 3 | 2]) + bytes([len(pair)]) + pair


def _length(text: str) -> bytes:
    return bytes([len(text.encode())])
