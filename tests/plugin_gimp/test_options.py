"""From a procedure's arguments to the messages of the wire."""

from typing import Any

import pytest

from maskwright_gimp import options, procedures
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Example, Point, PostProcess, Rect

from .arguments import OUTLINE, arguments, job


def test_defaults_ask_for_soft_masks_and_no_post_processing() -> None:
    made = job("maskwright-select-by-prompt", prompt=" a dog ", depth=16)
    assert (made.text, made.recipe, made.models, made.mask_depth, made.merge) == ("a dog", "auto", {}, 16, True)
    assert made.post == PostProcess()


def test_models_points_and_boxes_are_read() -> None:
    made = job(
        "maskwright-click-to-select",
        include="1,2 3.5,-4",
        exclude="5,6",
        boxes="0,1,2,3",
        models="segmenter=mobile-sam, detector = yolox-nano",
    )
    assert made.points == [Point(1, 2), Point(3.5, -4), Point(5, 6, False)]
    assert made.boxes == [Rect(0, 1, 2, 3)]
    assert made.models == {"segmenter": "mobile-sam", "detector": "yolox-nano"}


@pytest.mark.parametrize("text", ["mobile-sam", "segmenter=", "painter=mobile-sam"])
def test_odd_models_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        options.models(text)


def test_examples_may_stand_alone_or_beside_words() -> None:
    shown: dict[str, Any] = {"like": "0,1,2,3 4,5,6,7", "unlike": "8,9,1,1"}
    made = job("maskwright-click-to-select", prompt="fox", **shown)
    assert made.examples == [Example(0, 1, 2, 3), Example(4, 5, 6, 7), Example(8, 9, 1, 1, include=False)]
    assert (made.text, made.pick) == ("fox", "all")
    assert job("maskwright-click-to-select", **shown).examples == made.examples


def test_settings_of_the_detector() -> None:
    made = job("maskwright-detect", prompt=" dog ", detector_options="iou=0.5", models="detector=d")
    assert (made.text, made.detector_options, made.models) == ("dog", {"iou": "0.5"}, {"detector": "d"})
    with pytest.raises(BadInput):
        job("maskwright-detect", detector_options="iou")


def test_the_least_score_has_a_field_of_its_own() -> None:
    given: dict[str, Any] = {"prompt": "dog", "detector_options": "min_score=0.9; iou=0.5;"}
    asked = job("maskwright-select-by-prompt", least_score=0.25, **given)
    assert (asked.min_score, asked.detector_options) == (0.25, {"iou": "0.5"})
    assert job("maskwright-select-by-prompt", **given).min_score == 0.9
    assert job("maskwright-detect", prompt="dog", least_score=0.4).min_score == 0.4
    assert job("maskwright-detect", prompt="dog").min_score is None


def test_the_selection_limits_or_prompts_or_is_ignored() -> None:
    def made(use: str) -> Any:
        return job("maskwright-select-by-prompt", OUTLINE, prompt="x", current_selection=use)

    assert (made("ignore").region, made("ignore").start) == (None, None)
    assert (made("limit").region, made("limit").boxes) == (OUTLINE, [])
    assert (made("prompt").start, made("prompt").boxes) == (OUTLINE, [Rect(10, 20, 30, 40)])


@pytest.mark.parametrize("name", ["select-object", "select-refine", "prepare-inpainting"])
def test_what_needs_a_selection_says_so(name: str) -> None:
    with pytest.raises(EmptyPrompt, match="Nothing is selected"):
        job(f"maskwright-{name}")
    assert OUTLINE in vars(job(f"maskwright-{name}", OUTLINE)).values()


def test_cutout_asks_for_colours_only_where_they_can_be_used() -> None:
    name = "maskwright-remove-background"
    assert job(name).foreground is False
    assert job("maskwright-select-subject").foreground is False
    made = job(name, grow=-2.0, depth=16, colours="RGBA16")
    assert (made.foreground, made.format, made.post.grow, made.mask_depth) == (True, "RGBA16", -2.0, 16)
    assert (made.text, made.points, made.mask, made.colours) == ("", [], None, "auto")
    own: dict[str, Any] = {"clean_colors": False, "outline": 6.0}
    assert options.cut(arguments(name, **own)).painted
    assert not options.cut(arguments(name)).painted
    assert job(name, colours="RGBA8", **own).colours == "own"


def test_cutting_out_by_prompt_and_the_edge() -> None:
    changes: dict[str, Any] = {
        "prompt": " fox ",
        "but_not": "tail",
        "pick": "best",
        "include": "3,4",
        "boxes": "1,2,30,40",
        "hair": True,
        "smooth_edge": 2.0,
        "contrast": 0.5,
        "shift_edge": -0.25,
        "edge_width": 9.0,
        "outline": 4.0,
        "outline_color": "#ff0000",
        "fill_background": True,
        "background_color": "#00ff00",
        "keep_shadow": True,
    }
    made = job("maskwright-cut-out", OUTLINE, colours="RGBA8", **changes)
    assert (made.text, made.exclude_text, made.pick) == ("fox", "tail", "best")
    assert (made.points, made.boxes, made.mask) == ([Point(3, 4)], [Rect(1, 2, 30, 40)], None)
    assert (made.hair, made.smooth, made.contrast, made.shift_edge, made.edge_width) == (True, 2.0, 0.5, -0.25, 9.0)
    assert (made.outline, made.outline_colour, made.background, made.shadow) == (4.0, "#ff0000", "#00ff00", True)
    changes["current_selection"] = "prompt"
    assert job("maskwright-cut-out", OUTLINE, **changes).mask is OUTLINE
    with pytest.raises(EmptyPrompt, match="Nothing is selected"):
        job("maskwright-cut-out", **changes)


def test_inpainting_keeps_the_edge_as_it_is() -> None:
    made = job("maskwright-prepare-inpainting", OUTLINE, grow=8.0, context=1.5)
    assert (made.recipe, made.post, made.context) == ("inpaint", PostProcess(grow=8.0), 1.5)


def test_parts_of_people() -> None:
    name = "maskwright-select-parts"
    together, apart = job(name, OUTLINE, parts="hair; skin"), job(name, parts="hair; skin #1", find_edges=False)
    assert (together.parts, together.per_person, together.refine) == (["hair", "skin"], False, True)
    assert (apart.per_person, apart.refine) == (True, False)
    assert job(name, parts="hair", result="layers").per_person
    assert together.region is None
    assert job(name, OUTLINE, parts="hair", current_selection="limit").region is OUTLINE
    with pytest.raises(EmptyPrompt):
        job(name)


def test_every_argument_is_complete_and_its_default_possible() -> None:
    for entry in procedures.ALL:
        names = [argument.name for argument in entry.arguments]
        assert len(names) == len(set(names))
        for argument in entry.arguments:
            if argument.kind == "choice":
                assert argument.default in [identity for identity, _ in argument.choices]
            if argument.kind == "double":
                assert argument.low <= argument.default <= argument.high
