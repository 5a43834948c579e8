"""YOLO v8, 11 and 26: boxes of a checkpoint's own classes, and masks from its segment models. Detector.

https://github.com/ultralytics/ultralytics, AGPL-3.0. ``.onnx`` exports run in ONNX Runtime without that package; for
safetensors files, converted from ``.pt`` files, its layers are needed, see ``ultralytics_network``. Input: RGB 0..1,
letterboxed with grey 114. The output's layouts are in ``boxes``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import classes
from maskwright.models.families.yolo import INSTEAD, of_another_kind
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Detection
from maskwright.models.runtime.setup import Setup
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

from . import boxes

_MIN_SCORE = 0.25
# Planes (1, 3, H, W) float32 -> the output and, from segment models, the mask prototypes, both without batch axis.
Network = Callable[[boxes.Floats], tuple[boxes.Floats, boxes.Floats | None]]


class Yolo:
    def __init__(
        self,
        entry: Entry,
        device: str,
        names: tuple[str, ...],
        network: Network,
        stride: int,
        fixed: tuple[int, int] | None = None,
        nbytes: int = 0,
    ) -> None:
        """``fixed``: the one input size (H, W) the network takes; None takes any multiples of ``stride``."""
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = device
        self.nbytes = nbytes or entry.memory
        self.labels = names
        self._min_score = float(entry.options.get("min_score", _MIN_SCORE))
        self._side = entry.input_size
        self.network, self._stride, self._fixed = network, stride, fixed

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Boxes, and masks from segment models, of what is in ``image`` ``(H, W, 3)`` uint8, best first.

        The words of ``text`` and the option ``classes`` choose among the checkpoint's names; without both, all count.
        Raises ``UnknownWord``, ``BadInput``, ``ModelBroken``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        names = classes(text, chosen["classes"], self.labels)
        side = -(-(chosen["size"] or self._side) // self._stride) * self._stride
        picture, box = boxes.letterbox(image, self._fixed or (side, side), None if self._fixed else self._stride)
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        output, protos = self.network(planes)
        limit = self._min_score if min_score is None else min_score
        found = boxes.rows(output, len(self.labels), 0 if protos is None else len(protos), limit)
        if found is None:
            text = tr("The outputs of the model {0} are not those of a YOLO detector with its classes.", self.model_id)
            shape = list(output.shape)
            raise ModelBroken(text, INSTEAD, model=self.model_id, shape=shape, classes=len(self.labels))
        kept = boxes.select(found, names, chosen["iou"], chosen["max_det"], chosen["agnostic"])
        return boxes.detections(found, kept, names, box, (image.shape[0], image.shape[1]), protos)


def load(entry: Entry, folder: Path, setup: Setup) -> Yolo:
    """Raises ``ModelBroken`` and, for safetensors files, ``NeedsPackage``."""
    path = folder / entry.files[0].name
    return _from_onnx(entry, path, setup) if path.suffix == ".onnx" else _from_checkpoint(entry, path, setup)


def _from_onnx(entry: Entry, path: Path, setup: Setup) -> Yolo:
    from maskwright.models.runtime.onnx_session import OnnxSession

    session = OnnxSession(entry, path, None, setup.device, setup.threads)
    (name,) = session.inputs
    shape = session.shapes[name]
    height, width = (shape[2:] if len(shape) == 4 else (0, 0))[:2]
    fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    told = session.metadata
    try:
        stride = int(told.get("stride", 32))
        names = _names(ast.literal_eval(told["names"]) if "names" in told else None, entry)
    except (ValueError, SyntaxError, TypeError, RecursionError) as error:
        text = tr("What the file {0} of the model {1} tells of itself cannot be read.", path.name, entry.id)
        raise ModelBroken(text, model=entry.id, reason=str(error)[:200]) from error
    task = told.get("task", "detect")
    if fixed == (0, 0) or task not in ("detect", "segment"):
        text = tr("The model {0} cannot be used. {1}", entry.id, of_another_kind(task))
        raise ModelBroken(text, INSTEAD, model=entry.id, task=task[:40])
    wanted = session.outputs[:2]

    def network(planes: boxes.Floats) -> tuple[boxes.Floats, boxes.Floats | None]:
        shapes = (1, None, None), (1, None, None, None)
        output, *protos = session.run(wanted, {name: planes}, shapes[: max(1, len(wanted))])
        return output[0], protos[0][0] if protos else None

    return Yolo(entry, setup.device, names, network, stride, fixed)


def _from_checkpoint(entry: Entry, path: Path, setup: Setup) -> Yolo:
    import torch

    from maskwright.models.runtime import torch_runtime

    from . import checkpoints, ultralytics_network

    torch.set_num_threads(setup.threads)
    content = checkpoints.load(path, entry)
    names = _names(content.names, entry)
    model = ultralytics_network.build(content, entry).to(setup.device)
    torch_runtime.require_numbers(entry, model)
    stride = max(32, int(model.stride.max()))

    def network(planes: boxes.Floats) -> tuple[boxes.Floats, boxes.Floats | None]:
        with torch_runtime.running(entry.id):
            output: Any = model(torch.from_numpy(planes).to(setup.device))[0]
            output, protos = output if isinstance(output, tuple) else (output, None)
            return output[0].cpu().numpy(), None if protos is None else protos[0].cpu().numpy()

    return Yolo(entry, setup.device, names, network, stride, nbytes=torch_runtime.nbytes(model))


def _names(told: Any, entry: Entry) -> tuple[str, ...]:
    """The classes by number, from the file or else from the catalogue. Raises ``ModelBroken``."""
    names = told or entry.names
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        text = tr("The model {0} does not tell the names of its classes.", entry.id)
        raise ModelBroken(text, hint=tr("Name them: maskwright models add FILE --names 'face, hand'"), model=entry.id)
    return tuple(names)
