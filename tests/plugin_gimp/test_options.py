"""From a procedure's arguments to the messages of the wire."""

from typing import Any

import pytest

from maskwright_gimp import options, procedures
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Example, Mask, PixelRect, Point, Rect


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


def test_examples_may_stand_alone_or_beside_words() -> None:
    values = arguments("maskwright-click-to-select", like="0,1,2,3 4,5,6,7", unlike="8,9,1,1", prompt="fox")
    job = options.select_job(values, 8, None)
    assert job.examples == [Example(0, 1, 2, 3), Example(4, 5, 6, 7), Example(8, 9, 1, 1, include=False)]
    assert (job.text, job.pick) == ("fox", "all")
    assert options.select_job({**values, "prompt": ""}, 8, None).examples == job.examples
    with pytest.raises(BadInput):
        options.select_job({**values, "like": "1,2"}, 8, None)


def test_settings_of_the_detector_may_stand_alone() -> None:
    values = arguments("maskwright-select-by-prompt", finding="task=objects; min_score=0.2")
    job = options.select_job(values, 8, None)
    assert (job.detector_options, job.min_score, job.text) == ({"task": "objects"}, 0.2, "")
    found = options.detect_job(arguments("maskwright-detect", prompt=" dog ", finding="iou=0.5", models="detector=d"))
    assert (found.text, found.detector_options, found.models) == ("dog", {"iou": "0.5"}, {"detector": "d"})
    with pytest.raises(BadInput):
        options.detect_job(arguments("maskwright-detect", finding="iou"))


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
    for make, name in (
        (options.object_job, "select-object"),
        (options.refine_job, "select-refine"),
        (options.inpainting_job, "prepare-inpainting"),
    ):
        with pytest.raises(EmptyPrompt, match="Nothing is selected"):
            make(arguments(f"maskwright-{name}"), 8, None)


def test_cutout_asks_for_colours_only_where_they_can_be_used() -> None:
    values = arguments("maskwright-remove-background", grow=-2.0)
    assert options.cutout_job(values, 8, None).foreground is False
    assert options.subject_job(arguments("maskwright-select-subject"), 8).foreground is False
    job = options.cutout_job(values, 16, None, "RGBA16")
    assert (job.foreground, job.format, job.post.grow, job.mask_depth) == (True, "RGBA16", -2.0, 16)
    assert (job.text, job.points, job.mask, job.colours) == ("", [], None, "auto")
    own = arguments("maskwright-remove-background", clean_colors=False, outline=6.0)
    assert options.needs_colours(own)
    assert not options.needs_colours(values)
    assert options.cutout_job(own, 8, None, "RGBA8").colours == "own"


def test_cutting_out_by_prompt_and_the_edge() -> None:
    values = arguments(
        "maskwright-cut-out",
        prompt=" fox ",
        but_not="tail",
        pick="best",
        include="3,4",
        boxes="1,2,30,40",
        hair=True,
        smooth_edge=2.0,
        contrast=0.5,
        shift_edge=-0.25,
        edge_width=9.0,
        outline=4.0,
        outline_color="#ff0000",
        fill_background=True,
        background_color="#00ff00",
        keep_shadow=True,
    )
    job = options.cutout_job(values, 8, OUTLINE, "RGBA8")
    assert (job.text, job.exclude_text, job.pick) == ("fox", "tail", "best")
    assert (job.points, job.boxes, job.mask) == ([Point(3, 4)], [Rect(1, 2, 30, 40)], None)
    assert (job.hair, job.smooth, job.contrast, job.shift_edge, job.edge_width) == (True, 2.0, 0.5, -0.25, 9.0)
    assert (job.outline, job.outline_colour, job.background, job.shadow) == (4.0, "#ff0000", "#00ff00", True)
    values["current-selection"] = "prompt"
    assert options.cutout_job(values, 8, OUTLINE).mask is OUTLINE
    with pytest.raises(EmptyPrompt, match="Nothing is selected"):
        options.cutout_job(values, 8, None)


def test_inpainting_keeps_the_edge_as_it_is() -> None:
    job = options.inpainting_job(arguments("maskwright-prepare-inpainting", grow=8.0, context=1.5), 8, OUTLINE)
    assert (job.recipe, job.post.grow, job.post.feather, job.context, job.mask) == ("inpaint", 8.0, 0.0, 1.5, OUTLINE)


def test_every_argument_is_complete_and_its_default_possible() -> None:
    for entry in procedures.ALL:
        names = [argument.name for argument in entry.arguments]
        assert len(names) == len(set(names))
        for argument in entry.arguments:
            if argument.kind == "choice":
                assert argument.default in [identity for identity, _ in argument.choices]
            if argument.kind == "double":
                assert argument.low <= argument.default <= argument.high
