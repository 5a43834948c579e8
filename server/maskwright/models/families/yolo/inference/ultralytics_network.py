"""Ultralytics' modules without what else its package does: network, telemetry, installs, files in other folders.

https://github.com/ultralytics/ultralytics, AGPL-3.0; an extra that the user installs. Only its layers are used: a
checkpoint was read as data when it was converted (``install.whole_models``); its architecture is built anew from the
description in it, and the weights are put in strictly. Loaders and predictors, which download and unpickle, are never
called.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from maskwright.config import default_model_folder
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.families.yolo import INSTEAD, of_another_kind
from maskwright.models.install.whole_models import WORDS, Module, WholeModel
from maskwright.models.machine import packages
from maskwright.models.runtime.torch_runtime import require_keys
from maskwright_protocol.errors import ModelBroken, NeedsPackage
from maskwright_protocol.language import tr

_KINDS = {"DetectionModel": "DetectionModel", "SegmentationModel": "SegmentationModel"}
_KINDS["YOLOv10DetectionModel"] = "DetectionModel"  # what version 8.2 called it
# The package puts functions of its own in their place, for the whole process: theirs may install packages.
_REPLACED = ((Image, "open"), (torch, "save"), (cv2, "imread"), (cv2, "imwrite"), (cv2, "imshow"))
# YOLO-World and YOLOE compare with embeddings of words. Those that were saved are used; others cannot be made, since
# the text encoders are no packages of the index.
_TEXT_KINDS = {"WorldModel": "txt_feats", "YOLOEModel": "pe", "YOLOESegModel": "pe"}
_KINDS.update({kind: kind for kind in _TEXT_KINDS})
# Before it, one model's activation was taken over by those that were built later, and SPPF layers lost theirs.
_OLDEST = (8, 4, 164)
# The package evaluates what a file tells of its activation, as code: it may be no more than one of these.
_ACTIVATION = re.compile(
    r"(torch\.)?nn\.(SiLU|ReLU|ReLU6|LeakyReLU|GELU|Hardswish|Mish|ELU|Identity)\([\w=., ]{0,40}\)"
)
# Layers that detectors are made of. Others of the package download weights or need more packages.
_LAYERS = frozenset(
    re.findall(
        r"[\w.]+",
        """Conv DWConv ConvTranspose DWConvTranspose2d GhostConv Focus Concat Bottleneck BottleneckCSP GhostBottleneck
        C1 C2 C2f C3 C3k2 C3x C3TR C3Ghost C2PSA C2fPSA C2fCIB PSA SCDown SPP SPPF SPPELAN ELAN1 RepNCSPELAN4 ADown
        AConv RepC3 CBLinear CBFuse A2C2f C2fAttn ImagePoolingAttn Detect v10Detect Segment Segment26 WorldDetect
        YOLOEDetect YOLOESegment YOLOESegment26 nn.Upsample nn.Identity nn.Conv2d
        nn.BatchNorm2d nn.ConvTranspose2d nn.MaxPool2d nn.ZeroPad2d""",
    )
)
# Settings that decide what a layer computes: the file's must be those of the layers that were built.
_SETTINGS = (
    "kernel_size", "stride", "padding", "dilation", "groups", "eps", "add", "scale_factor", "mode", "nc", "reg_max",
    "num_heads", "c",
)  # fmt: skip


def build(content: WholeModel, entry: Entry) -> Any:
    """The model of the file, fp32, in eval mode on the CPU, layers fused.

    Raises ``NeedsPackage`` without ultralytics, ``ModelBroken`` for a model of another kind, of layers it does not
    know, or with weights that do not fit.
    """
    name = content.kind.rpartition(".")[2]
    if not content.kind.startswith("ultralytics.") or name not in _KINDS:
        text = tr("The model {0} cannot be used. {1}", entry.id, of_another_kind(name))
        raise ModelBroken(text, INSTEAD, model=entry.id, kind=content.kind)
    description = content.description
    _check(description, entry)
    words = _words(content, entry) if name in _TEXT_KINDS else None
    with quiet():
        from ultralytics.nn import tasks

        try:
            count = {} if words is None else {"nc": int(description.get("nc") or 80)}
            model: Any = getattr(tasks, _KINDS[name])(
                cfg=description, ch=_channels(description), verbose=False, **count
            )
        except MemoryError:
            raise
        except Exception as error:
            text = tr("The installed ultralytics cannot build the model {0}.", entry.id)
            hint = tr("Use an ONNX export of the model.")
            raise ModelBroken(text, hint, model=entry.id, reason=str(error)[:300]) from error
        if words is not None:
            setattr(model, _TEXT_KINDS[name], words)
            model.model[-1].nc = words.shape[1]
        _compare(content, model, entry)
        weights = {
            key: value.float() if value.is_floating_point() else value
            for key, value in content.tensors.items()
            if key != WORDS
        }
        own = model.state_dict()
        wrong = [key for key in own if key in weights and own[key].shape != weights[key].shape]
        require_keys(entry, own.keys() - weights.keys(), weights.keys() - own.keys(), wrong)
        model.load_state_dict(weights, strict=True)
        return model.eval().requires_grad_(False).fuse(verbose=False)


def _words(content: WholeModel, entry: Entry) -> torch.Tensor:
    """The embeddings ``(1, words, width)`` of the model's names. Raises ``ModelBroken`` when none were saved."""
    words, names = content.tensors.get(WORDS), content.names
    if any(".lrpc." in key for key in content.tensors):
        text = tr("The model {0} is prompt-free, which only works as an export.", entry.id)
        hint = tr("Use its ONNX export.")
        raise ModelBroken(text, hint, model=entry.id)
    if words is None or not words.is_floating_point() or words.dim() != 3 or not names or words.shape[1] != len(names):
        text = tr("The model {0} finds things by words, and no words are saved in it.", entry.id)
        hint = tr("Save it with words in Ultralytics (set_classes, then save or export), or use Grounding DINO.")
        raise ModelBroken(text, hint, model=entry.id)
    return words[:1].float()


def _channels(description: Any) -> int:
    return int(description.get("channels") or description.get("ch") or 3)


def _check(description: Any, entry: Entry) -> None:
    """Raises ``ModelBroken`` unless the architecture is a list of known layers with plain arguments."""
    try:
        for _, count, layer, arguments in [*description["backbone"], *description["head"]]:
            if layer.removeprefix("torch.") not in _LAYERS or not isinstance(count, int) or not 0 < count < 100:
                raise ValueError(f"layer {layer!r}")
            if not isinstance(arguments, list):
                raise ValueError(f"arguments of {layer!r}")
        activation = description.get("activation")
        if activation and not _ACTIVATION.fullmatch(activation):
            raise ValueError(f"activation {activation[:100]!r}")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        text = tr("The model {0} is made of parts that Maskwright does not know.", entry.id)
        hint = tr("Use an ONNX export of the model.")
        raise ModelBroken(text, hint, model=entry.id, reason=str(error)[:300]) from error


def _compare(content: WholeModel, model: Any, entry: Entry) -> None:
    """Raises ``ModelBroken`` when this version of the package would compute something else than the file's."""
    built = dict(model.named_modules())
    for name, module in content.modules.items():
        if name in built and name:
            other = [key for key in _SETTINGS if _differs(module, built[name], key)]
            if type(built[name]).__name__ != module.kind.rpartition(".")[2]:
                other.append(module.kind)
            if other:
                text = tr(
                    "The model {0} was made with a version of ultralytics whose {1} differs.", entry.id, module.kind
                )
                hint = tr("Use an ONNX export of the model.")
                raise ModelBroken(text, hint, model=entry.id, place=name, differs=other)


def _differs(module: Module, built: Any, key: str) -> bool:
    theirs, ours = module.settings.get(key), getattr(built, key, None)
    if theirs is None or ours is None or isinstance(ours, torch.Tensor):
        return False
    return theirs != (list(ours) if isinstance(ours, tuple) else ours)


@contextmanager
def quiet() -> Iterator[None]:
    """Around the package's import: settings that keep it to itself, and a version of torchvision if there is none."""
    if "ultralytics" not in sys.modules:
        if find_spec("ultralytics") is None:
            raise packages.missing("A YOLO checkpoint", "ultralytics")
        os.environ.update(
            YOLO_OFFLINE="1",
            YOLO_AUTOINSTALL="false",
            YOLO_VERBOSE="false",
            ULTRALYTICS_SAFE_LOAD="1",
            YOLO_CONFIG_DIR=str(default_model_folder().parent),
        )
        finder = _VersionOfTorchvision()
        sys.meta_path.append(finder)  # last: an installed torchvision is found before
        own = [(module, name, getattr(module, name)) for module, name in _REPLACED]
        try:
            import ultralytics  # noqa: F401
            from ultralytics.utils import SETTINGS

            if SETTINGS.get("sync"):
                SETTINGS.update({"sync": False})
        finally:
            sys.meta_path.remove(finder)
            for module, name, function in own:
                setattr(module, name, function)
    _require_recent_package()
    yield


def _require_recent_package() -> None:
    told = str(sys.modules["ultralytics"].__version__)
    if tuple(int(part) for part in re.findall(r"\d+", told)[:3]) < _OLDEST:
        text = tr(
            "ultralytics {0} is too old for YOLO checkpoints: {1} or later is needed.",
            told,
            ".".join(map(str, _OLDEST)),
        )
        hint = tr('Run: pip install --upgrade "maskwright[yolo]" and then: maskwright stop')
        raise NeedsPackage(text, hint, package="ultralytics")


class _VersionOfTorchvision(importlib.metadata.DistributionFinder):
    """Tells the version of the torchvision that belongs to this torch. The package asks for it when it is imported,
    and for torchvision itself only in predictors, which are not used.
    """

    def find_spec(self, *_: Any, **__: Any) -> None:
        return None

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        return [_Torchvision()] if context is not None and context.name == "torchvision" else []


class _Torchvision(importlib.metadata.Distribution):
    def read_text(self, filename: str) -> str | None:
        minor = int(torch.__version__.split(".")[1]) + 15  # torch 2.n goes with torchvision 0.(n + 15)
        return f"Metadata-Version: 2.1\nName: torchvision\nVersion: 0.{minor}.0\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Path:
        raise FileNotFoundError(path)
