"""A request in the words of rembg's server (2.x), and its answer as that server gives it: a PNG file."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.masks import post
from maskwright_client.scripting import AsyncMaskwright, CutOut
from maskwright_protocol.errors import BadInput

Plane = NDArray[np.uint8]
# rembg's names, and the same or the nearest model here, the first that is installed; none: what suits the picture.
MODELS: dict[str, tuple[str, ...]] = {
    "u2net": (),
    "u2netp": ("u2netp",),
    "u2net_human_seg": (),
    "silueta": (),
    "isnet-general-use": (),
    "isnet-anime": ("isnet-anime",),
    "birefnet-general": ("birefnet", "birefnet-onnx"),
    "birefnet-general-lite": ("birefnet-lite", "birefnet-lite-onnx"),
    "birefnet-portrait": ("birefnet-portrait", "birefnet-portrait-onnx"),
    "birefnet-dis": ("birefnet", "birefnet-onnx"),
    "birefnet-hrsod": ("birefnet-hr", "birefnet", "birefnet-onnx"),
    "birefnet-cod": ("birefnet", "birefnet-onnx"),
    "birefnet-massive": ("birefnet", "birefnet-onnx"),
    "bria-rmbg": ("rmbg-2.0",),
    "sam": (),
}
_REFUSED = {
    "u2net_cloth_seg": "Clothes are had by the command 'maskwright parse'.",
    "u2net_custom": "Models of your own are added by the command 'maskwright models add'.",
    "dis_custom": "Models of your own are added by the command 'maskwright models add'.",
    "ben_custom": "Models of your own are added by the command 'maskwright models add'.",
}
_TRUE, _FALSE = {"1", "true", "on", "yes", "t", "y"}, {"0", "false", "off", "no", "f", "n", ""}
_SOFTENED = 2.0  # sigma of rembg's cleaned masks, in pixels


@dataclass
class Wanted:
    """rembg's parameters: ``a`` alpha matting with the thresholds ``af`` and ``ab`` (0..255) and the band ``ae`` in
    pixels, ``om`` only the mask, ``ppm`` a cleaned mask, ``bgc`` the colour behind (red, green, blue, alpha)."""

    model: str = "u2net"
    a: bool = False
    af: int = 240
    ab: int = 10
    ae: int = 10
    om: bool = False
    ppm: bool = False
    bgc: tuple[int, int, int, int] | None = None
    points: list[tuple[float, float]] = field(default_factory=list)
    excluded: list[tuple[float, float]] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)


def read(given: Mapping[str, str]) -> Wanted:
    """What was asked for; fields that are not known are passed over. Raises ``BadInput``."""
    wanted = Wanted(model=given.get("model") or "u2net")
    if wanted.model in _REFUSED:
        raise BadInput(f"The model {wanted.model} is not had here.", _REFUSED[wanted.model])
    wanted.a, wanted.om, wanted.ppm = (_switch(given, name) for name in ("a", "om", "ppm"))
    wanted.af, wanted.ab = _number(given, "af", 240, 255), _number(given, "ab", 10, 255)
    wanted.ae = _number(given, "ae", 10, 1000)
    if wanted.a and wanted.ab >= wanted.af:
        raise BadInput("af has to be more than ab.", "Leave both out for 240 and 10.")
    if given.get("bgc"):
        wanted.bgc = _colour(given["bgc"])
    _read_prompt(wanted, given.get("extras", ""))
    return wanted


async def answer(client: AsyncMaskwright, content: bytes, wanted: Wanted) -> tuple[bytes, CutOut]:
    """The PNG file, and the answer it was made of. Raises ``MaskwrightError``."""
    model, notes = await _model(client, wanted)
    edges = "refined" if wanted.a else "matte"
    if wanted.points or wanted.excluded or wanted.boxes:
        edges = "refined" if wanted.a else "auto"
    cut = await client.cutout(
        content, model=model, point=wanted.points, exclude=wanted.excluded, box=wanted.boxes, edges=edges,
        edge_width=2.0 * wanted.ae if wanted.a else 0.0, colours="best" if wanted.a else "own",
        mask_only=wanted.om,
    )  # fmt: skip
    cut.notes += notes
    if not cut.found:
        raise BadInput(cut.message, cut.hint)
    return await asyncio.to_thread(_png, cut, wanted), cut


async def _model(client: AsyncMaskwright, wanted: Wanted) -> tuple[str, list[str]]:
    """The model to ask for, empty for what suits the picture, and what is to be said of that."""
    fitting = MODELS.get(wanted.model, (wanted.model,))
    if not fitting:
        return "", []
    known = {model.id: model for model in (await client.models()).models}
    if wanted.model not in MODELS and (wanted.model not in known or "matting" not in known[wanted.model].roles):
        raise BadInput(f"There is no model {wanted.model!r} that cuts out.", f"Known are {', '.join(MODELS)}.")
    for name in fitting:
        if name in known and (known[name].installed or known[name].embedded):
            return name, []
    return "", [f"{wanted.model} is not installed: 'maskwright models pull {fitting[-1]}' gets it."]


def _png(cut: CutOut, wanted: Wanted) -> bytes:
    if wanted.om:
        image = Image.fromarray(cleaned(cut.mask) if wanted.ppm else cut.mask)
    else:
        pixels = cut.cutout.copy()
        if wanted.a:
            low, high = wanted.ab / 255, wanted.af / 255
            alpha = post.levels(pixels[..., 3].astype(np.float32) / np.float32(255), low, high)
            pixels[..., 3] = np.rint(alpha * 255)
        elif wanted.ppm:
            pixels[..., 3] = cleaned(cut.mask)
        image = Image.fromarray(pixels)
        if wanted.bgc is not None:
            image = Image.alpha_composite(Image.new("RGBA", image.size, wanted.bgc), image)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def cleaned(mask: Plane) -> Plane:
    """A mask without specks and jaggies, 0 or 255: softened, and cut at half."""
    soft = post.gaussian(mask.astype(np.float32) / np.float32(255), _SOFTENED)
    return (post.threshold(soft, 0.5) * 255).astype(np.uint8)


# ---------------------------------------------------------------- what was sent


def _switch(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise BadInput(f"{name} is true or false, not {given[name]!r}.")
    return text in _TRUE


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:9]) > most:
        raise BadInput(f"{name} is a whole number from 0 to {most}, not {text[:40]!r}.")
    return int(text)


def _colour(text: str) -> tuple[int, int, int, int]:
    pieces = [piece.strip() for piece in text.split(",")]
    values = [int(piece) for piece in pieces if piece.isascii() and piece.isdigit() and len(piece) <= 3]
    if len(values) != len(pieces) or len(values) not in (3, 4) or max(values) > 255:
        raise BadInput(f"{text[:40]!r} is no colour.", "Write red,green,blue,alpha, each from 0 to 255.")
    red, green, blue, alpha = [*values, 255][:4]
    return red, green, blue, alpha


def _read_prompt(wanted: Wanted, extras: str) -> None:
    """What the model ``sam`` is to cut out. As in rembg, extras that are no JSON, and others, are passed over."""
    try:
        found = json.loads(extras) if extras else {}
    except (ValueError, RecursionError):
        found = {}
    marks = found.get("sam_prompt", ()) if isinstance(found, dict) and wanted.model == "sam" else ()
    for mark in marks if isinstance(marks, list) else ():
        kind, data, label = _mark(mark)
        if kind == "point" and len(data) == 2:
            (wanted.points if label else wanted.excluded).append((data[0], data[1]))
        elif kind == "rectangle" and len(data) == 4:
            left, top, right, bottom = data
            wanted.boxes.append((left, top, right - left, bottom - top))
        else:
            raise BadInput(f"{str(mark)[:80]} is no point and no rectangle.", "Its data are x,y or two corners.")


def _mark(mark: Any) -> tuple[str, list[float], Any]:
    if not isinstance(mark, dict) or not isinstance(mark.get("data"), list):
        return "", [], 0
    data = [float(value) for value in mark["data"] if isinstance(value, int | float) and math.isfinite(value)]
    return str(mark.get("type")), data if len(data) == len(mark["data"]) else [], mark.get("label", 1)
