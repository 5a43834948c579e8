"""Boxes around things that are wanted and things that are not: by SAM 3's own head, elsewhere by likeness."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskwright.models.roles import Box
from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import EmptyPrompt, ModelMissing, OutsideImage, TooLarge
from maskwright_protocol.messages import Example, Point, Rect, Select
from tests.server.models.families import tiny_sams as sams
from tests.server.recipes.conftest import Desk, plane
from tests.shared_data import EVAL, MODELS, needs_eval, needs_models

X, Y = -20, 35  # of the layer in the document
WANTED, UNWANTED = Example(X + 10, Y + 8, 60, 50), Example(X + 100, Y + 2, 40, 30, include=False)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    base: Path = tmp_path_factory.mktemp("examples")
    sams.saved_sam3(sams.sam3(), base / "models" / "sam3")
    sams.saved(sams.sam2(), base / "models" / "sam2.1-tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(base / "data"))
        yield Desk(ModelPool([base / "models"], "cpu", 1, known=sams.known()))


def overview(box: Example) -> tuple[Box, bool]:
    return Box(box.x - X, box.y - Y, box.x - X + box.width, box.y - Y + box.height), box.include


@pytest.mark.parametrize("text", ["", "a cat"])
@pytest.mark.parametrize("examples", [[WANTED], [WANTED, UNWANTED]])
def test_sam3_is_shown_the_examples_and_their_kind(room: Desk, text: str, examples: list[Example]) -> None:
    photo = sams.picture(90, 150)
    common: dict[str, Any] = {"min_score": 0.0, "precise": "off", "models": {"segmenter": "sam3"}}
    picture = room.picture(photo, "shown", x=X, y=Y)
    answer = room.run(Select("1", picture, text=text, examples=examples, **common))
    model: Any = room.pool.segmenter("sam3")
    expected = model.segment_text(model.embed(photo), text, examples=[overview(one) for one in examples], min_score=0.0)
    known = [match.hypothesis.score for match in expected]
    assert answer.instances
    assert answer.report.models == ["sam3"]
    assert {one.label for one in answer.instances} == {text}
    for one in answer.instances:
        assert min(abs(one.score - score) for score in known) < 1e-4
    without = model.segment_text(model.embed(photo), text or "visual", min_score=0.0)
    far = [min(abs(one.score - m.hypothesis.score) for m in without) for one in answer.instances]
    assert max(far) > 1e-3, "examples that change nothing were not looked at"


def test_words_and_examples_take_a_model_that_reads_both(room: Desk) -> None:
    picture = room.picture(sams.picture(90, 150), "both", x=X, y=Y)
    common: dict[str, Any] = {"text": "cat", "min_score": 0.0, "precise": "off"}
    answer = room.run(Select("1", picture, examples=[WANTED], **common))
    assert answer.report.models == ["sam3"], "not the first segmenter, which reads no words"
    unlike = room.run(Select("2", picture, examples=[UNWANTED], **common))
    assert unlike.report.models == ["sam3"], "words say what is wanted, the example what is not"
    with pytest.raises(ModelMissing):
        room.run(Select("3", picture, examples=[WANTED], models={"segmenter": "sam2.1-tiny"}, **common))


def test_examples_that_cannot_be(room: Desk, basic: Desk) -> None:
    photo = sams.picture(90, 150)
    picture = room.picture(photo, "wrong", x=X, y=Y)
    with pytest.raises(EmptyPrompt):
        room.run(Select("1", picture, examples=[UNWANTED]))
    with pytest.raises(OutsideImage):
        room.run(Select("2", picture, examples=[Example(500, 500, 10, 10)]))
    with pytest.raises(TooLarge):
        room.run(Select("3", picture, examples=[WANTED] * 129))
    with pytest.raises(ModelMissing):
        basic.run(Select("4", basic.picture(photo, "wrong", x=X, y=Y), examples=[WANTED]))


@needs_models
@needs_eval
def test_what_is_like_the_wanted_and_not_like_the_unwanted() -> None:
    street = np.array(Image.open(EVAL / "photos/bus.jpg").convert("RGB"))
    desk = Desk(ModelPool([MODELS], "cpu", 2))
    picture = desk.picture(street, "street")
    man, sign = Example(50, 400, 195, 505), (600, 300)
    common: dict[str, Any] = {"models": {"segmenter": "mobile-sam"}, "merge": True, "precise": "off"}
    like = desk.run(Select("1", picture, examples=[man], **common))
    scores = [one.score for one in like.instances]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert 2 <= len(scores) <= 6
    union = plane(like.merged, street)
    assert union[600, 140] > 0.5, "the man"
    assert union[600, 280] > 0.5, "the woman, who is like him"
    assert union[sign[1], sign[0]] < 0.5, "the bus is not"
    # The next likest is told apart: neither it nor what is more like it than like the man comes again.
    other = like.instances[1].box
    unlike = Example(other.x, other.y, other.width, other.height, include=False)
    fewer = desk.run(Select("2", picture, examples=[man, unlike], **common))
    assert len(fewer.instances) < len(like.instances)
    left = plane(fewer.merged, street)
    assert left[600, 140] > 0.5
    assert left[round(other.y + other.height / 2), round(other.x + other.width / 2)] < 0.5
    # Boxes and clicks of the usual kind add to it, and a click that excludes takes a whole thing away.
    more = desk.run(Select("3", picture, examples=[man, unlike], boxes=[Rect(10, 230, 795, 520)], **common))
    assert plane(more.merged, street)[sign[1], sign[0]] > 0.5
    gone = desk.run(Select("4", picture, examples=[man], points=[Point(280, 600, False)], **common))
    assert plane(gone.merged, street)[600, 280] < 0.5
