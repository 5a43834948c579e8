"""Recipes as plain data: what is understood, what is refused, and the jobs that steps mean."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from maskwright_client import recipe, recipe_jobs
from maskwright_client.jobs import Cut, Edge, JobOptions, Prompt
from maskwright_client.recipe_options import SELECTION, VERBS, checked
from maskwright_protocol import codec
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    EdgeStroke,
    Job,
    Mask,
    PixelRect,
    Point,
    Prefetch,
    Rect,
    Report,
    Selection,
)

from .recipe_choices import options, steps, value

BOX = PixelRect(40, -20, 800, 400)
MASK = Mask(PixelRect(0, 0, 2, 1), data=b"\xff\x80")
OTHER = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")
CASES = 300


def fields_of(job: Job) -> dict[str, Any]:
    """As the wire has them, all numbers as floats."""
    return codec.decode_map(codec.encode_bytes(job))


@pytest.mark.parametrize("verb", list(VERBS.values()), ids=list(VERBS))
def test_every_option_reaches_the_job_and_comes_back(verb: Any) -> None:
    chance = random.Random(verb.name)
    for name, option in verb.options.items():
        wanted = {name: value(option, chance)}
        if name == "softness":
            wanted["range"] = "10,60"
        job = recipe_jobs.job(verb, wanted, {SELECTION: MASK}, BOX)
        assert fields_of(job) != fields_of(verb.job()), name
        codec.decode(codec.encode_bytes(job), CLIENT_MESSAGES, limited=True)
        kept = recipe_jobs.from_job(job, BOX)
        if option.kind in ("points", "boxes") and name != "point" and "%" not in str(kept.options.get(name)):
            pytest.fail(f"{name} is not kept in per cent")
        again = recipe_jobs.job(verb, kept.options, {SELECTION: MASK}, BOX)
        assert fields_of(again) == fields_of(job), name


def test_jobs_and_steps_say_the_same() -> None:
    chance = random.Random(7)
    for _ in range(CASES):
        verb = chance.choice(list(VERBS.values()))
        wanted = options(verb, chance)
        job = recipe_jobs.job(verb, wanted, {SELECTION: MASK}, BOX)
        kept = recipe_jobs.from_job(job, BOX)
        assert kept.verb == verb.name
        assert fields_of(recipe_jobs.job(verb, kept.options, {SELECTION: MASK}, BOX)) == fields_of(job), wanted
        placed = any(verb.options[n].kind in recipe_jobs.PLACED for n in wanted)
        assert (recipe_jobs.PLACES_KEPT in kept.notes) is placed
        assert (recipe_jobs.EVERYBODY in kept.notes) is ("per-person" in wanted)


def test_places_in_per_cent_follow_the_picture() -> None:
    wanted = {"point": ["50%,25%"], "box": ["0%, 0%, 100%, 50%", "1,2,3,4"]}
    job = recipe_jobs.job(VERBS["select"], wanted, {}, BOX)
    assert job.points == [Point(440.0, 80.0)]  # type: ignore[attr-defined]
    assert job.boxes == [Rect(40.0, -20.0, 800.0, 200.0), Rect(1, 2, 3, 4)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["5%", "a%,b%", "1%,2%,3%", "%,%", "1..2%,3%", ""])
def test_odd_places_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match=r"point|place"):
        recipe_jobs.job(VERBS["select"], {"point": [text or "x"]}, {}, BOX)


def test_what_the_panels_ask_for_becomes_a_step() -> None:
    how = JobOptions(
        recipes={"select": "yolox+mobile-sam"}, models={"detector": "yolox-nano", "segmenter": "mobile-sam"},
        detector_options="min_score=0.4; iou=0.5", grow=3, feather=1.5, threshold=0.5, min_area=9, smooth=2,
    )  # fmt: skip
    kept = recipe_jobs.from_job(how.select(Prompt("dog", "collar", "best")), BOX)
    assert kept.verb == "select"
    assert kept.options == {
        "text": "dog", "not": "collar", "pick": "best", "recipe": "yolox+mobile-sam", "min-score": 0.4,
        "detector": "yolox-nano", "segmenter": "mobile-sam", "option": ["iou=0.5"], "threshold": 0.5, "grow": 3.0,
        "feather": 1.5, "smooth": 2.0, "min-area": 9.0,
    }  # fmt: skip
    kept = recipe_jobs.from_job(how.cut_out(Cut("dog", edge=Edge(20.0, True), outline=4), "BGRA8"), BOX)
    assert kept.options["hair"]
    assert kept.options["outline"] == 4.0
    assert kept.options["smooth-mask"] == 2.0
    kept = recipe_jobs.from_job(how.refine(MASK, Edge(12.0)), BOX)
    assert kept.options["mask"] == SELECTION
    assert kept.options["edge-width"] == 12.0
    painted = replace(how.refine(MASK, Edge(12.0)), edge_strokes=[EdgeStroke([1.0, 1.0], "hair", 9.0)])
    assert recipe_jobs.from_job(painted, BOX) == kept._replace(notes=[recipe_jobs.BRUSH_LEFT_OUT])
    kept = recipe_jobs.from_job(how.select_object(MASK), BOX)
    assert kept.options["mask"] == SELECTION
    assert "box" not in kept.options
    kept = recipe_jobs.from_job(how.select_points([Point(440, 80), Point(40, -20, False)], []), BOX)
    assert kept.options["point"] == ["50%,25%"]
    assert kept.options["exclude"] == ["0%,0%"]
    assert kept.notes == [recipe_jobs.PLACES_KEPT]


def test_what_cannot_be_repeated_says_so() -> None:
    with pytest.raises(BadInput) as caught:
        recipe_jobs.from_job(JobOptions().select_points([], [], seed="o7"), BOX)
    assert caught.value.message == recipe_jobs.NOT_REPEATABLE
    with pytest.raises(BadInput):
        recipe_jobs.from_job(Prefetch(""), BOX)


WRONG: dict[str, list[Any]] = {
    "text": [1, True, ["x"], {}], "number": ["1", True, float("nan"), [1]], "count": [1.5, "1", True],
    "switch": [1, "true", 0], "texts": [1, [1], [""], {}], "pick": [0, "first", True, "-1", 1.5],
    "mask": [1, "", ["x"]], "points": [1, [1]], "boxes": [[2]], "strokes": [1, [1]], "settings": ["iou", [1], 3],
    "colour": ["red", "#fff", 1, "#gggggg"], "distance": [1, ["1,2"]],
}  # fmt: skip


@pytest.mark.parametrize("verb", list(VERBS))
def test_values_of_another_kind_are_refused_by_name(verb: str) -> None:
    for name, option in VERBS[verb].options.items():
        for wrong in WRONG[option.kind]:
            with pytest.raises(BadInput) as caught:
                recipe.read({"step": [{"verb": verb, name: wrong}]})
            assert f'"{name}"' in caught.value.message or "step called" in caught.value.message
            assert caught.value.hint
            assert caught.value.details["where"] == ["step", 0, name]


def test_misspelt_words_are_known_again() -> None:
    """Each option, verb and key with two letters swapped, or one left out."""
    chance = random.Random(3)
    for verb in VERBS.values():
        for name in verb.options:
            at = chance.randrange(len(name))
            wrong = name[:at] + name[at + 1 :] if len(name) > 3 else name + "x"
            if wrong.replace("_", "-") in verb.options:
                continue
            with pytest.raises(BadInput) as caught:
                recipe.read({"step": [{"verb": verb.name, wrong: 1}]})
            assert caught.value.hint.startswith(("Did you mean", f'"{wrong}" is an option of', "There is:"))


@pytest.mark.parametrize(
    ("data", "where", "message", "hint"),
    [
        ({}, [], "no steps", "[[step]]"),
        ({"steps": []}, ["steps"], 'no "steps"', '"step"'),
        ({"step": {"verb": "select"}}, ["step"], "[[step]]", "[[step]]"),
        ({"step": [{}]}, ["step", 0], "Step 1 has no verb", "select"),
        ({"step": [{"verb": "cut-out"}]}, ["step", 0, "verb"], '"cut-out"', '"cutout"'),
        ({"step": [{"verb": "select", "edge-width": 2}]}, ["step", 0, "edge-width"], "no option", "cutout, refine"),
        ({"step": [{"verb": "select", "name": "a b"}]}, ["step", 0, "name"], "cannot be called", "letters"),
        ({"step": [{"verb": "select", "name": "selection"}]}, ["step", 0, "name"], "cannot be called", "already"),
        ({"step": [{"verb": "refine", "mask": "hiar"}]}, ["step", 0, "mask"], "no earlier step", "selection"),
        ({"step": [{"verb": "detect"}, {"verb": "refine", "mask": "detect"}]}, ["step", 1, "mask"], "no mask", "other"),
        ({"step": [{"verb": "select", "nearer": "1,2", "range": "0,9"}]}, ["step", 0], "Only one distance", "one"),
        ({"step": [{"verb": "select"}], "output": [{"step": "x"}]}, ["output", 0, "step"], 'called "x"', "select"),
        ({"step": [{"verb": "cutout"}], "output": [{"what": "boxes"}]}, ["output", 0, "what"], '"boxes"', "cutout"),
        ({"step": [{"verb": "cutout"}], "output": [{"file": "{stam}.png"}]}, ["output", 0, "file"], "{stam}", "stem"),
        ({"step": [{"verb": "cutout"}], "output": [{"file": "../{stem}.png"}]}, ["output", 0, "file"], "out of", "{st"),
        ({"step": [{"verb": "cutout"}], "output": [{"file": "/{stem}.png"}]}, ["output", 0, "file"], "out of", "{st"),
        ({"step": [{"verb": "cutout"}], "output": [{"file": "C:{stem}.png"}]}, ["output", 0, "file"], "out of", "{st"),
        ({"step": [{"verb": "cutout"}], "output": [{"file": "one.png"}]}, ["output", 0, "file"], "same file", "{stem}"),
        ({"step": [{"verb": "cutout"}], "output": [{}, {}]}, ["output", 1], "same file", "file ="),
        ({"step": [{"verb": "cutout"}], "output": [{"quality": 0}]}, ["output", 0, "quality"], "1 to 100", "90"),
        ({"step": [{"verb": "cutout"}], "output": [{"background": "x"}]}, ["output", 0, "background"], "colour", ""),
        ({"name": 3, "step": [{"verb": "cutout"}]}, ["name"], "text", "name ="),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(data: Any, where: list[Any], message: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        recipe.read(data)
    assert caught.value.details["where"] == where
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_recipes_are_the_same_when_read_again() -> None:
    chance = random.Random(11)
    for _ in range(CASES):
        data = {"name": "x", "step": steps(chance)}
        one = recipe.read(data)
        assert recipe.read(recipe.as_data(one)) == one


def answer(mask: Mask | None) -> Selection:
    reason = "" if mask else "nothing_found"
    return Selection("", 0, Report("", [], "cpu", ""), reason=reason, message="No dog.", merged=mask)


def run(data: Any, answers: dict[str, Selection], selection: Mask | None = None) -> tuple[list[Job], Any]:
    asked: list[Job] = []

    def ask(job: Job) -> Any:
        asked.append(job)
        return answers[job.TYPE]
        yield

    steps_of = recipe.run(recipe.read(data), ask, BOX, selection)
    try:
        while True:
            next(steps_of)
    except StopIteration as end:
        return asked, end.value


def test_later_steps_work_with_earlier_masks() -> None:
    data = {"step": [{"verb": "select", "text": "dog"}, {"verb": "refine"}, {"verb": "cutout", "mask": "select"}]}
    asked, found = run(data, {"select": answer(MASK), "refine": answer(OTHER), "cutout": answer(MASK)})
    assert [job.TYPE for job in asked] == ["select", "refine", "cutout"]
    assert asked[1].mask is MASK  # type: ignore[attr-defined]
    assert asked[2].mask is MASK  # type: ignore[attr-defined]
    assert all(job.priority == "batch" for job in asked)
    assert list(found.by_step) == ["select", "refine", "cutout"]
    assert found.nothing is None


def test_steps_without_their_mask_are_left_out() -> None:
    data = {"step": [{"verb": "select", "text": "dog"}, {"verb": "refine"}, {"verb": "cutout"}]}
    asked, found = run(data, {"select": answer(None), "cutout": answer(MASK)})
    assert [job.TYPE for job in asked] == ["select", "cutout"]
    assert found.nothing.message == "No dog."


def test_the_selection_is_a_mask_too() -> None:
    data = {"step": [{"verb": "refine"}]}
    asked, _ = run(data, {"refine": answer(MASK)}, OTHER)
    assert asked[0].mask is OTHER  # type: ignore[attr-defined]
    with pytest.raises(EmptyPrompt, match="Nothing is selected"):
        run(data, {})


def test_colours_are_computed_only_for_outputs() -> None:
    step = {"verb": "cutout"}
    for outputs, wanted in (([], True), ([{"what": "mask"}], False), ([{"what": "cutout"}], True)):
        asked, _ = run({"step": [step], "output": outputs}, {"cutout": answer(MASK)})
        assert asked[0].foreground is wanted  # type: ignore[attr-defined]


def test_the_command_of_a_recipe() -> None:
    one = recipe.read(
        {"step": [{"verb": "select", "text": "dog's; red car", "grow": -2, "like": ["1,2,3,4", "5,6,7,8"]}]}
    )
    assert recipe.command(one).text == (
        "maskwright select PICTURE --text 'dog'\"'\"'s; red car' --grow=-2 --like 1,2,3,4 --like 5,6,7,8"
    )
    one = recipe.read({"step": [{"verb": "cutout", "detector": "yolox-s"}], "output": [{"what": "mask"}]})
    assert recipe.command(one).text == "maskwright cutout PICTURE --mask-only"
    assert "detector" in recipe.command(one).notes[0]
    one = recipe.read({"step": [{"verb": "parse", "part": "hair"}, {"verb": "refine"}]})
    assert recipe.command(one, "hair.toml").text == "maskwright run hair.toml PICTURES -o OUT"


def test_checked_keeps_one_text_as_a_list() -> None:
    assert checked(VERBS["parse"].options["part"], "hair") == ["hair"]
    assert checked(VERBS["select"].options["option"], {"iou": 0.5}) == ["iou=0.5"]
    assert checked(VERBS["select"].options["pick"], 2) == "2"
