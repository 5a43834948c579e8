"""From a procedure's arguments to the messages of the wire."""

from typing import Any

import pytest

from maskwright_gimp import options, procedures
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Mask, PixelRect, Point, Rect


def arguments(name: str, **changes: Any) -> dict[str, Any]:
    values = {argument.name: argument.default for argument in procedures.BY_NAME[name].arguments}
    return {**values, **{key.replace("_", "-"): value for key, value in changes.items()}}


OUTLINE = Mask(PixelRect(10, 20, 30, 40), data=bytes([255]) * 1200)


def test_defaults_ask_for_soft_masks_and_no_post_processing() -> None:
    job = options.select_job(arguments("maskwright-select-by-prompt", prompt=" a dog "), 16, None)
    assert (job.text, job.recipe, job.models, job.mask_depth, job.merge) == ("a dog", "auto", {}, 16, True)
    assert job.post.threshold is None
    assert not options.changed_post(arguments("maskwright-select-by-prompt"))


def test_models_points_and_boxes_are_read() -> None:
    values = arguments(
        "maskwright-click-to-select",
        include="1,2 3.5,-4",
        exclude="5,6",
        boxes="0,1,2,3",
        models="segmenter=mobile-sam, detector = yolox-nano",
    )
    job = options.select_job(values, 8, None)
    assert job.points == [Point(1, 2), Point(3.5, -4), Point(5, 6, False)]
    assert job.boxes == [Rect(0, 1, 2, 3)]
    assert job.models == {"segmenter": "mobile-sam", "detector": "yolox-nano"}


@pytest.mark.parametrize("include", ["1", "1,2,3", "a,b", "1;2"])
def test_odd_points_are_refused_with_an_example(include: str) -> None:
    with pytest.raises(BadInput) as caught:
        options.select_job(arguments("maskwright-click-to-select", include=include), 8, None)
    assert "120,80" in caught.value.hint


def test_the_selection_limits_or_prompts_or_is_ignored() -> None:
    def job(use: str) -> Any:
        values = arguments("maskwright-select-by-prompt", prompt="x", current_selection=use)
        return options.select_job(values, 8, OUTLINE)

    assert (job("ignore").region, job("ignore").start) == (None, None)
    assert (job("limit").region, job("limit").boxes) == (OUTLINE, [])
    assert (job("prompt").start, job("prompt").boxes) == (OUTLINE, [Rect(10, 20, 30, 40)])


def test_what_needs_a_selection_says_so() -> None:
    for make, name in ((options.object_job, "object"), (options.refine_job, "refine")):
        with pytest.raises(EmptyPrompt, match="Nothing is selected"):
            make(arguments(f"maskwright-select-{name}"), 8, None)


def test_cutout_asks_for_colours_only_where_they_can_be_used() -> None:
    values = arguments("maskwright-remove-background", grow=-2.0)
    assert options.cutout_job(values, 8).foreground is False
    job = options.cutout_job(values, 16, "RGBA16")
    assert (job.foreground, job.format, job.post.grow, job.mask_depth) == (True, "RGBA16", -2.0, 16)


def test_every_argument_is_complete_and_its_default_possible() -> None:
    for entry in procedures.ALL:
        names = [argument.name for argument in entry.arguments]
        assert len(names) == len(set(names))
        for argument in entry.arguments:
            if argument.kind == "choice":
                assert argument.default in [identity for identity, _ in argument.choices]
            if argument.kind == "double":
                assert argument.low <= argument.default <= argument.high
