"""The models that come with Maskwright: their notices, how they were made, and that rounding changes no mask."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
from PIL import Image

from maskwright.models import catalogue
from maskwright.models.install import scan
from maskwright.models.roles import Box, MattingModel, Segmenter, SegmentPrompt
from maskwright.models.runtime.pool import ModelPool
from tests import embedded
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

NAMES = (*embedded.HALVED, *embedded.AS_PUBLISHED)
LEVEL = 1 / 255
PHOTOS = (
    "matting/lemur.png",
    "photos/bus.jpg",
    "person_parts/000335_image.png",
    "person_parts/000342_image.png",
)


def test_all_of_them_are_in_the_notice_and_in_the_catalogue() -> None:
    notice = (scan.EMBEDDED / "NOTICE.md").read_text(encoding="utf-8")
    there = {path.relative_to(scan.EMBEDDED).as_posix() for path in scan.EMBEDDED.glob("*/*")}
    assert there == set(NAMES)
    for name in NAMES:
        content = (scan.EMBEDDED / name).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        model, file = name.split("/")
        section = next(part for part in notice.split("\n## ") if f"`{name}`" in part)
        assert f"`{sha256}`, {len(content)} bytes" in " ".join(section.split()), name
        entry = catalogue.load().get(model)
        assert entry.embedded
        assert entry.commercial == "yes"
        assert entry.source in section
        assert entry.licence in section or {"Apache-2.0": "Apache License"}[entry.licence] in section
        known = {c.sha256 for f in entry.files if f.name == file for c in f.contents}
        assert sha256 in known, name
    for licence in re.findall(r"`(LICENSE[^`]*)`", notice):
        assert (scan.EMBEDDED / licence).is_file() or licence == "LICENSE"


@needs_models
@pytest.mark.parametrize("name", NAMES)
def test_they_are_made_from_the_published_files(name: str) -> None:
    stored = (scan.EMBEDDED / name).read_bytes()
    source = (MODELS / name).read_bytes()
    if name in embedded.AS_PUBLISHED:
        assert stored == source
    else:
        assert embedded.halved(MODELS / name) == stored
        notice = (scan.EMBEDDED / "NOTICE.md").read_text(encoding="utf-8")
        assert f"`{hashlib.sha256(source).hexdigest()}`" in notice


def drawn(pool: ModelPool, image: np.ndarray) -> list[np.ndarray]:
    """What the built-in models with rounded weights see: masks of a click and of a box, 0..1, and people's alpha."""
    height, width = image.shape[:2]
    segmenter: Segmenter = pool.segmenter("mobile-sam")
    seen = segmenter.embed(image)
    click = SegmentPrompt(points=[(width / 2, height / 2, True)])
    box = SegmentPrompt(box=Box(width / 5, height / 6, width * 4 / 5, height * 5 / 6))
    masks = [
        1 / (1 + np.exp(-np.clip(hypothesis.logits.values.astype(np.float64), -60, 60)))
        for hypotheses in segmenter.segment(seen, [click, box])
        for hypothesis in hypotheses
    ]
    matting: MattingModel = pool.matting("rvm")
    return [*masks, matting.matte(image)]


@needs_models
@needs_eval
def test_rounded_weights_draw_the_same_masks() -> None:
    stored, published = ModelPool([], "cpu", 2), ModelPool([MODELS], "cpu", 2)
    assert stored.installed["mobile-sam"].folder.parent == scan.EMBEDDED
    assert published.installed["mobile-sam"].folder.parent == MODELS
    worst = {}
    for name in PHOTOS:
        image = np.asarray(Image.open(EVAL / name).convert("RGB"))
        pairs = zip(drawn(stored, image), drawn(published, image), strict=True)
        worst[name] = max(float(np.abs(a - b).max()) for a, b in pairs)
    print("largest difference of a mask, in 255ths:", {name: round(255 * value, 2) for name, value in worst.items()})
    assert max(worst.values()) > 0, "both are the same file"
    assert max(worst.values()) <= LEVEL
