"""From what was chosen and meant to the messages of the wire."""

from typing import Any

import pytest

from maskwright_client.body_parts import BodyPart
from maskwright_client.jobs import Cut, Edge, JobOptions, Prompt
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Example, Flats, Job, Mask, PixelRect, Point, PostProcess, Rect

MASK = Mask(PixelRect(10, 20, 30, 40), data=bytes([255]) * 1200)
ALL_MODELS = {"detector": "d", "segmenter": "s", "matting": "m", "refiner": "r", "parser": "p"}
CLEANED = PostProcess(threshold=0.5, fill_holes=True, min_area=9.0, smooth=1.0, grow=-2.0, feather=3.0, invert=True)
CHOSEN = JobOptions(
    recipes={"select": "sam", "cutout": "birefnet", "parse": "auto"},
    models=ALL_MODELS,
    threshold=0.5,
    fill_holes=True,
    min_area=9.0,
    smooth=1.0,
    grow=-2.0,
    feather=3.0,
    invert=True,
    mask_depth=16,
)


def test_defaults_ask_for_soft_masks_and_no_post_processing() -> None:
    job = JobOptions().select(Prompt(" a dog "))
    assert (job.text, job.recipe, job.models, job.mask_depth, job.merge) == ("a dog", "auto", {}, 8, True)
    assert job.post == PostProcess()


@pytest.mark.parametrize(
    ("job", "recipe", "roles"),
    [
        (CHOSEN.select(Prompt("x")), "sam", "detector segmenter"),
        (CHOSEN.select_object(MASK), "sam", "segmenter"),
        (CHOSEN.select_points([Point(1, 2)], []), "sam", "segmenter"),
        (CHOSEN.similar("a", None), "sam", "segmenter"),
        (CHOSEN.prefetch(), "sam", "segmenter"),
        (CHOSEN.everything(), "sam", "segmenter"),
        (CHOSEN.detect("x"), "auto", "detector"),
        (CHOSEN.subject(), "birefnet", "matting refiner"),
        (CHOSEN.cut_out(Cut(), ""), "birefnet", "matting refiner"),
        (CHOSEN.cut_out(Cut("x"), ""), "birefnet", "matting refiner detector segmenter"),
        (CHOSEN.cut_out(Cut(mask=MASK), ""), "birefnet", "matting refiner detector segmenter"),
        (CHOSEN.refine(MASK, Edge()), "auto", "matting refiner"),
        (CHOSEN.parts([BodyPart("hair")], True), "auto", "parser refiner"),
        (CHOSEN.parts_draft(), "auto", "parser refiner"),
    ],
    ids=lambda value: value.TYPE if isinstance(value, Job) else "",
)
def test_each_job_has_the_recipe_of_its_verb_and_the_models_that_it_can_use(job: Any, recipe: str, roles: str) -> None:
    assert job.recipe == recipe
    assert set(job.models) == set(roles.split())
    if hasattr(job, "post") and not getattr(job, "draft", False):  # else there are no masks to clean up
        assert (job.post, job.mask_depth) == (CLEANED, 16)


def test_the_parser_selects_when_the_recipe_is_that_of_parts() -> None:
    how = JobOptions(recipes={"select": "parts"}, models=ALL_MODELS)
    assert how.select(Prompt("hair")).models["parser"] == "p"


def test_words_places_and_what_to_leave_out() -> None:
    prompt = Prompt("fox", " tail ", " best ", [Point(3, 4)], [Rect(1, 2, 3, 4)], [Example(5, 6, 7, 8)])
    job = JobOptions(precise="on", tiles="off").select(prompt, MASK)
    assert (job.text, job.exclude_text, job.pick) == ("fox", "tail", "best")
    assert (job.points, job.boxes, job.examples) == (prompt.points, prompt.boxes, prompt.examples)
    assert (job.precise, job.tiles, job.region, job.start) == ("on", "off", MASK, None)
    assert JobOptions().select(Prompt("fox", pick=" ")).pick == "all"


def test_a_mask_says_roughly_where_it_is() -> None:
    prompt = Prompt("fox", boxes=[Rect(1, 2, 3, 4)], mask=MASK)
    job = JobOptions().select(prompt)
    assert (job.start, job.boxes) == (MASK, [Rect(1, 2, 3, 4), Rect(10, 20, 30, 40)])
    assert len(prompt.boxes) == 1
    assert JobOptions().select_object(MASK).boxes == [Rect(10, 20, 30, 40)]


def test_settings_of_the_detector_may_stand_alone() -> None:
    how = JobOptions(detector_options="task=objects; min_score=0.2")
    job = how.select(Prompt())
    assert (job.detector_options, job.min_score, job.text) == ({"task": "objects"}, 0.2, "")
    found = how.detect(" dog ")
    assert (found.text, found.detector_options, found.min_score) == ("dog", {"task": "objects"}, 0.2)
    assert JobOptions().select(Prompt("x")).min_score is None
    with pytest.raises(BadInput):
        JobOptions(detector_options="task").detect("dog")


@pytest.mark.parametrize("prompt", [Prompt(), Prompt(" "), Prompt(exclude="dog")])
def test_nothing_to_look_for(prompt: Prompt) -> None:
    with pytest.raises(EmptyPrompt, match="nothing to look for"):
        JobOptions().select(prompt)


def test_what_needs_a_selection_says_so() -> None:
    how = JobOptions()
    for make in (
        lambda: how.select_object(None),
        lambda: how.refine(None, Edge()),
        lambda: how.inpaint(None, 0.0, 0.0, 0.5),
        lambda: how.similar("", None),
    ):
        with pytest.raises(EmptyPrompt, match="Nothing is selected"):
            make()


def test_hovering_has_a_tool_of_its_own_and_no_edges() -> None:
    how = JobOptions(grow=4.0, precise="on")
    click = how.select_points([Point(1, 2)], [Rect(0, 0, 5, 5)], MASK, seed="a")
    hover = how.select_points([Point(1, 2)], [], preview=True)
    assert click.tool != hover.tool
    assert (click.post.grow, hover.post.grow) == (4.0, 0.0)
    assert (click.precise, hover.precise) == ("on", "off")
    assert (click.region, click.continue_from) == (MASK, "a")
    assert click.pick == hover.pick == "best"
    assert not click.merge


def test_examples_ask_for_all_that_is_like_them_in_one() -> None:
    job = JobOptions().select_points([], [], examples=[Example(0, 1, 2, 3)])
    assert (job.examples, job.pick, job.merge) == ([Example(0, 1, 2, 3)], "all", True)


def test_the_edge_is_asked_for_by_the_names_of_the_wire() -> None:
    edge = Edge(24.0, True, 3.0, 0.5, -0.5)
    for job in (JobOptions().refine(MASK, edge), JobOptions().cut_out(Cut("cat", edge=edge), "")):
        assert (job.edge_width, job.hair, job.smooth) == (24.0, True, 3.0)
        assert (job.contrast, job.shift_edge) == (0.5, -0.5)


def test_a_refined_edge_is_cleaned_up_only_when_that_is_wanted() -> None:
    assert CHOSEN.refine(MASK, Edge(), clean_up=False).post == PostProcess()


def test_a_cut_out_and_its_look() -> None:
    cut = Cut("fox", "tail", "2", mask=MASK, outline=4.0, outline_colour="#ff0000", background="#00ff00", shadow=True)
    job = JobOptions().cut_out(cut, "RGBA8")
    assert (job.text, job.exclude_text, job.pick, job.mask) == ("fox", "tail", "2", MASK)
    assert (job.outline, job.outline_colour, job.background, job.shadow) == (4.0, "#ff0000", "#00ff00", True)
    assert (job.foreground, job.format, job.colours) == (True, "RGBA8", "auto")
    assert JobOptions().cut_out(Cut(clean=False), "RGBA8").colours == "own"
    assert not JobOptions().cut_out(Cut(), "").foreground
    assert not JobOptions().subject().foreground
    painted = [Cut(outline=1.0), Cut(background="#00ff00"), Cut(shadow=True)]
    assert all(one.painted for one in painted)
    assert not Cut("fox", outline_colour="#ff0000").painted


def test_inpainting_keeps_the_usual_clean_up_out() -> None:
    job = CHOSEN.inpaint(MASK, 2.0, 0.0, 0.5)
    assert (job.recipe, job.context, job.mask, job.mask_depth) == ("inpaint", 0.5, MASK, 16)
    assert job.post == PostProcess(grow=2.0)


def test_people_are_told_apart_only_when_that_is_asked() -> None:
    how = JobOptions()
    together = how.parts([BodyPart("hair"), BodyPart("skin")], True, region=MASK)
    assert (together.parts, together.per_person, together.merge) == (["hair", "skin"], False, True)
    assert (together.refine, together.region) == (True, MASK)
    apart = how.parts([BodyPart("hair"), BodyPart("skin", 1)], False)
    assert (apart.parts, apart.per_person, apart.merge, apart.refine) == (["hair", "skin"], True, False, False)
    assert how.parts([BodyPart("hair")], False, one_by_one=True).per_person
    draft = how.parts_draft()
    assert (draft.draft, draft.per_person) == (True, True)


def test_the_map_is_asked_for_in_the_background() -> None:
    assert JobOptions().everything().priority == "background"


def test_gaps_in_lines_matter_to_line_art_only() -> None:
    options = JobOptions(gap=4.0, recipes={"select": "sam2", "cutout": "u2netp"}, models={"segmenter": "sam2.1-tiny"})
    click = [Point(3, 4)]
    assert options.select_points(click, []).gap is None
    assert options.everything().gap is None
    drawing = options.on_line_art()
    for job in (drawing.select_points(click, []), drawing.everything(), drawing.select(Prompt(points=click))):
        assert (job.recipe, job.gap, job.models) == ("line-art", 4.0, {})
    assert options.flats("BGRA8", 9.0) == Flats(
        "", tool="flats", recipe="line-art", gap=4.0, min_area=9.0, format="BGRA8"
    )
    assert options.recipes["select"] == "sam2"  # the copy is one
