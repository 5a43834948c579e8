"""``python tests/parity/birefnet.py DIR``: our BiRefNet against upstream's vectors; prints max |diff| a case.

``DIR`` holds ``ops/`` and folders with ``keys.json`` and ``case_HxW.{json,npz}``; its README says how the weights and
pictures are made. Exit code 1 where a difference reaches ``PASS``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskwright.masks.foreground import estimate_foreground
from maskwright.models.catalogue.entries import Entry
from maskwright.models.families.birefnet.inference.deform import sampled, tap_matrix
from maskwright.models.families.birefnet.inference.network import build
from maskwright.models.families.birefnet.inference.swin import Attention
from maskwright.models.runtime.setup import Setup

PASS = 5e-5
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_PROBES = 8
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Difference:
    """``value`` is the largest absolute difference."""

    case: str
    value: float

    @property
    def passed(self) -> bool:
        return self.value < PASS


def words(label: str, count: int) -> Words:
    key = int.from_bytes(hashlib.sha256(label.encode()).digest()[:16], "little")
    return np.random.Philox(key=key).random_raw(count)


def _gain(key: str, dimensions: int) -> float:
    if ".offset_conv." in key or ".modulator_conv." in key:
        return 1.5
    if key == "bb.patch_embed.proj.weight":
        return 0.03
    return 1.0 if dimensions == 2 else 1.2


def filled(tag: str, key: str, shape: list[int], window: int) -> torch.Tensor:
    name = key.rpartition(".")[2]
    if name == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if name == "relative_position_index":
        return Attention(1, 1, window).relative_position_index
    raw = words(f"{tag}:{key}", int(np.prod(shape)))
    r = (2 * ((raw >> np.uint64(11)) * 2.0**-53) - 1).reshape(shape)
    match name:
        case "running_mean":
            r = 0.1 * r
        case "running_var":
            r = 1 + 0.25 * r
        case "relative_position_bias_table":
            r = 0.5 * r
        case "bias":
            r = (0.003 if key == "bb.patch_embed.proj.bias" else 0.1) * r
        case "weight" if len(shape) == 1:
            r = 1 + 0.2 * r
        case _:
            r = _gain(key, len(shape)) * np.sqrt(3 / np.prod(shape[1:])) * r
    return torch.from_numpy(r.astype(np.float32))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The checkpoint that ``folder/keys.json`` describes. Raises ``ValueError`` if it comes out otherwise."""
    header: dict[str, Any] = json.loads((folder / "keys.json").read_text(encoding="utf-8"))
    keys: dict[str, Any] = header["keys"]
    window = next(round(v["shape"][0] ** 0.5) for k, v in keys.items() if k.endswith("relative_position_index"))
    tensors = {key: filled(header["tag"], key, about["shape"], window) for key, about in keys.items()}
    for key, about in keys.items():
        if hashlib.sha256(tensors[key].numpy().tobytes()).hexdigest()[:16] != about["sha256_16"]:
            raise ValueError(f"{key} is not filled as {folder.name}/keys.json says")
    return tensors


def picture(tag: str, height: int, width: int) -> NDArray[np.uint8]:
    """The test picture ``(H, W, 3)``."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    planes = [255 * x // (width - 1), 255 * y // (height - 1), 255 * (x + y) // (width + height - 2)]
    image = np.stack(planes, -1)
    inside = (2 * x - width) ** 2 * 4 * height**2 + (2 * y - height) ** 2 * 4 * width**2 < height**2 * width**2
    image[inside] = 255 - image[inside]
    noise = (words(f"{tag}:image:{height}x{width}", image.size) & np.uint64(63)).astype(np.int64).reshape(
        image.shape
    ) - 32
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def normalised(image: NDArray[np.uint8]) -> torch.Tensor:
    planes = (image.astype(np.float32) / 255 - _MEAN) / _DEVIATION
    return torch.from_numpy(planes.astype(np.float32).transpose(2, 0, 1)[None].copy())


def model_cases(folder: Path, precision: str = "fp32") -> Iterator[Difference]:
    """One model's cases, both patch orders; where only statistics of the map are stored, those."""
    fields = {"family": "birefnet", "roles": ("matting",), "title": "-", "summary": "-", "licence": "-"}
    more = {"commercial": "yes", "source": "", "revision": "-", "files": (), "parameters": 0, "memory": 1}
    entry = Entry.model_validate({"id": f"parity-{folder.name}", **fields, **more, "input_size": 1024})
    tensors = weights(folder)
    setup = Setup("cpu", torch.get_num_threads(), precision)  # type: ignore[arg-type]
    network = build(tensors, "c_hg_wg", entry, setup)
    del tensors
    for path in sorted(folder.glob("case_*.json")):
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        image = picture(about["tag"], about["H"], about["W"])
        if hashlib.sha256(image.tobytes()).hexdigest() != about["input_uint8_sha256"]:
            raise ValueError(f"the picture of {path.name} is not as described")
        stored = np.load(path.with_suffix(".npz"))
        for order in ("c_hg_wg", "wg_hg_c"):
            network.decoder.order = order
            with torch.inference_mode():
                sigmoid = network(normalised(image))[0, 0].float().sigmoid().numpy()
            name = f"{folder.name} {about['H']}x{about['W']} {order}"
            if f"sigmoid_{order}" in stored:
                yield Difference(name, float(np.max(np.abs(sigmoid - stored[f"sigmoid_{order}"]))))
            else:
                yield Difference(f"{name} (statistics)", _against_statistics(sigmoid, about[order]["sigmoid"]))


def _against_statistics(values: NDArray[np.float32], about: dict[str, Any]) -> float:
    flat = values.ravel().astype(np.float64)
    probes = flat[[i * (flat.size - 1) // (_PROBES - 1) for i in range(_PROBES)]]
    pairs = [(flat.mean(), about["mean"]), (flat.std(), about["std"])]
    pairs += [(flat.min(), about["min"]), (flat.max(), about["max"]), *zip(probes, about["probe"], strict=True)]
    return max(abs(float(ours) - float(theirs)) for ours, theirs in pairs)


def deform_conv2d(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """As torchvision's, from what ``deform`` reads."""
    out = x.new_empty(len(x), *x.shape[2:], len(weight))
    for place, rows, columns in sampled(x, offset, mask, weight.shape[-1]):
        out[place, rows] = (columns @ tap_matrix(weight)).view(out[place, rows].shape)
    return out.permute(0, 3, 1, 2)


def deform_cases(folder: Path) -> Iterator[Difference]:
    with np.load(folder / "deform_conv2d.npz") as stored:
        for kernel in (1, 3, 7):
            names = ("input", "offset", "mask", "weight", "output")
            *inputs, output = (torch.from_numpy(stored[f"k{kernel}_{name}"]) for name in names)
            with torch.inference_mode():
                ours = deform_conv2d(*inputs)
            yield Difference(f"deform_conv2d {kernel}x{kernel}", float((ours - output).abs().max()))


def foreground_cases(folder: Path) -> Iterator[Difference]:
    with np.load(folder / "foreground.npz") as stored:
        image, alpha = (stored[name].astype(np.float32) / np.float32(255) for name in ("image", "alpha"))
        ours = estimate_foreground(image, alpha)
        yield Difference("foreground", float(np.abs(ours - stored["foreground_cv2"]).max()))


def differences(folder: Path) -> Iterator[Difference]:
    """All cases of a folder."""
    if (folder / "ops").is_dir():
        yield from deform_cases(folder / "ops")
        yield from foreground_cases(folder / "ops")
    for keys in sorted(folder.glob("*/keys.json"), key=lambda path: path.stat().st_size):
        yield from model_cases(keys.parent)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    found = []
    for one in differences(Path(arguments[0])):
        print(f"{one.case:45} {one.value:.2e} {'' if one.passed else 'FAILED'}", flush=True)
        found.append(one)
    if not found:
        print("There are no vectors in that folder.", file=sys.stderr)
        return 2
    worst = max(found, key=lambda one: one.value)
    print(f"{len(found)} cases, worst {worst.value:.2e} ({worst.case}), pass mark {PASS:.0e}")
    return 0 if worst.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
