"""``maskwright demo``: the main job on a real photo, with pictures to look at."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np

from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Cutout, CutoutResult, Rect, Select, Selection

from . import console
from .pictures import Array, FileSource, mask_plane, pixels_array, write_png

SAMPLE = "astronaut.png"  # NASA's portrait of Eileen Collins, public domain, as scikit-image ships it
SAMPLE_BOX = Rect(12, 4, 442, 508)
CHECKER = 16
INK = np.array([0, 110, 255], np.float32)


def sample_photo() -> Path:
    """The sample photo of scikit-image. Raises ``BadInput`` when it is not installed."""
    found = importlib.util.find_spec("skimage")
    path = Path(found.origin).parent / "data" / SAMPLE if found and found.origin else None
    if path is None or not path.exists():
        text = "There is no sample photo on this computer."
        hint = "Give a photo of yours: 'maskwright demo photo.jpg', or get the sample: pip install 'maskwright[demo]'."
        raise BadInput(text, hint)
    return path


def run_demo(image: Path | None, out: Path) -> None:
    """Select the main thing of a photo and cut it out; writes mask, cut-out and a side-by-side picture into ``out``."""
    with console.explained():
        path = image or sample_photo()
        source = FileSource(path)
        box = _box_of_photo(source) if image else SAMPLE_BOX
        with console.connected() as client:
            selection = console.ask_server(client, Select(id="", boxes=[box], merge=True), source)
            cutout = console.ask_server(client, Cutout(id=""), source)
        assert isinstance(selection, Selection)
        assert isinstance(cutout, CutoutResult)
        console.nothing_found(selection, False)
        console.nothing_found(cutout, False)
        assert selection.merged is not None
        assert cutout.alpha is not None
        assert cutout.foreground is not None
        photo = _rgb(source.pixels)
        mask = mask_plane(selection.merged, source.width, source.height)
        area = cutout.foreground.box
        cut = np.zeros((source.height, source.width, 4), np.uint8)
        cut[area.y : area.y + area.height, area.x : area.x + area.width] = pixels_array(cutout.foreground)
        pictures = {
            "mask.png": mask,
            "cutout.png": cut,
            "side-by-side.png": np.hstack([photo, _overlay(photo, mask, box), _on_checker(cut)]),
        }
        console.print_report(selection.report)
        console.print_report(cutout.report)
        console.output.print("Photo, selection, cut-out:")
        for name, pixels in pictures.items():
            write_png(out / name, pixels)
            console.output.print(str((out / name).resolve()), markup=False, soft_wrap=True)


def _box_of_photo(source: FileSource) -> Rect:
    """Most of the picture: what a user would drag who wants its main thing."""
    return Rect(source.width * 0.05, source.height * 0.05, source.width * 0.9, source.height * 0.9)


def _rgb(pixels: Array) -> Array:
    eight = pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
    return np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else np.ascontiguousarray(eight[:, :, :3])


def _overlay(photo: Array, mask: Array, box: Rect) -> Array:
    alpha = (mask.astype(np.float32) / 255)[:, :, None]
    tinted = photo * (1 - 0.45 * alpha) + INK * 0.45 * alpha
    shown = tinted.astype(np.uint8)
    contours, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, contours, -1, (255, 255, 255), 2, cv2.LINE_AA)
    corner = (int(box.x), int(box.y))
    cv2.rectangle(shown, corner, (int(box.x + box.width), int(box.y + box.height)), (255, 220, 0), 2)
    return shown


def _on_checker(cut: Array) -> Array:
    rows, columns = np.indices(cut.shape[:2]) // CHECKER
    board = np.where((rows + columns) % 2, 200, 255).astype(np.float32)[:, :, None]
    alpha = cut[:, :, 3:].astype(np.float32) / 255
    return (cut[:, :, :3] * alpha + board * (1 - alpha)).astype(np.uint8)
