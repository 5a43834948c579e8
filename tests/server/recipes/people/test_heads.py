"""Hair that grows on no head is left out."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maskwright.cli.demo import SAMPLE
from maskwright.masks.boxes import PixelBox
from maskwright.models.roles import Box
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.people.heads import hair_of
from maskwright_protocol.messages import Parse
from tests.server.recipes.conftest import Desk, plane

VIEW = PixelBox(100, 200, 80, 100)
FACE = Box(120, 220, 140, 250)  # in the document


def scene() -> np.ndarray:
    """Long hair beside the face with a soft rim, and a dark thing far below it."""
    mask = np.zeros((100, 80), np.float32)
    mask[9:71, 39:51] = 0.3
    mask[10:70, 40:50] = 0.9
    mask[80:95, 10:30] = 0.8
    return mask


def test_what_begins_at_a_face_stays_with_its_soft_rim() -> None:
    mask = scene()
    kept = hair_of(mask, VIEW, None, [FACE])
    assert np.array_equal(kept[:75], mask[:75])
    assert not kept[75:].any()


def test_without_a_face_that_has_hair_all_of_it_stays() -> None:
    mask = scene()
    elsewhere = Box(500, 500, 520, 530)
    for person, faces in ((None, []), (None, [elsewhere]), (Box(300, 200, 400, 300), [FACE])):
        assert np.array_equal(hair_of(mask, VIEW, person, faces), mask)


def test_a_helmet_is_no_hair() -> None:
    photo = np.asarray(Image.open(SAMPLE))
    desk = Desk(ModelPool([], "cpu", 2))
    answer = desk.run(Parse("1", picture=desk.picture(photo, "photo"), parts=["hair"], merge=True))
    hair = plane(answer.merged, photo) > 0.5
    assert hair[20:60, 170:290].mean() > 0.7
    assert not hair[140:].any(), "neither the collar nor the helmet"
    assert {"yunet", "yolox-nano", "skin-clothes-hair"} == set(answer.report.models)
