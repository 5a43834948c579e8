"""Settings survive, odd settings do no harm, and requests say what was chosen."""

import json

import pytest

from maskwright_krita.options import HISTORY_LENGTH, Cut, Edge, Options, labels_of
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import Mask, ModelInfo, PixelRect, Point, Rect


def test_settings_survive() -> None:
    options = Options(mode="add", kind="layer", grow=2.5, threshold=0.5, models={"matting": "u2netp"}, limit=True)
    options.remember("cat")
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "null", json.dumps({"mode": "explode", "grow": "wide", "history": 3, "threshold": 7.0})],
)
def test_what_cannot_be_used_is_left_at_its_default(text: str) -> None:
    assert Options.from_json(text) == Options()


def test_numbers_without_a_point_are_numbers_too() -> None:
    options = Options.from_json('{"grow": 3, "feather": 1, "limit": 1}')
    assert (options.grow, options.feather, options.limit) == (3.0, 1.0, False)


def test_the_history_has_each_prompt_once_newest_first() -> None:
    options = Options()
    for number in range(HISTORY_LENGTH + 5):
        options.remember(f"thing {number}")
    options.remember("thing 10")
    assert options.history[0] == "thing 10"
    assert len(options.history) == HISTORY_LENGTH == len(set(options.history))


def test_text_requests_carry_models_region_and_edges() -> None:
    options = Options(models={"detector": "d", "matting": "m"}, feather=2.0)
    region = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")
    request = options.select_text("cat", region)
    assert (request.text, request.merge) == ("cat", True)
    assert request.models == {"detector": "d"}
    assert request.post.feather == 2.0
    assert request.region is region


def test_settings_of_the_detector() -> None:
    request = Options(finding="min_score=0.4; task=referring").select_text("cat", None)
    assert (request.detector_options, request.min_score) == ({"task": "referring"}, 0.4)
    assert Options().select_text("cat", None).min_score is None
    with pytest.raises(BadInput):
        Options(finding="referring").select_text("cat", None)


def test_hovering_has_a_tool_of_its_own_and_no_edges() -> None:
    options = Options(grow=4.0)
    click = options.select_points([Point(1, 2)], [Rect(0, 0, 5, 5)])
    hover = options.select_points([Point(1, 2)], [], preview=True)
    assert click.tool != hover.tool
    assert (click.post.grow, hover.post.grow) == (4.0, 0.0)
    assert click.pick == hover.pick == "best"


def test_models_of_a_role() -> None:
    def model(name: str, roles: list[str], installed: bool) -> ModelInfo:
        return ModelInfo(name, "f", roles, name, "", "MIT", "yes", installed)

    models = [model("a", ["matting"], True), model("b", ["matting"], False), model("c", ["segmenter"], True)]
    assert [found.id for found in labels_of(models, "matting")] == ["a"]


def test_looking_closely_is_for_clicks_and_words_and_never_for_hovering() -> None:
    options = Options(closely=True, tiles="on")
    assert options.select_text("cat", None).precise == "on"
    assert options.select_text("cat", None).tiles == "on"
    assert options.select_points([Point(1, 2)], []).precise == "on"
    assert options.select_points([Point(1, 2)], [], preview=True).precise == "off"
    assert Options().select_points([Point(1, 2)], []).precise == "auto"
    assert Options.from_json('{"tiles": "sometimes"}').tiles == "auto"


def test_the_edge_is_asked_for_by_the_names_of_the_wire() -> None:
    edge = Edge(24.0, True, 3.0, 0.5, -0.5)
    mask = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")
    refine = Options().refine(mask, edge)
    assert (refine.edge_width, refine.hair, refine.smooth, refine.contrast, refine.shift_edge) == (
        24,
        True,
        3,
        0.5,
        -0.5,
    )
    cut = Options(models={"matting": "m", "detector": "d"}).cut_out(Cut("cat", "dog", "best", edge, 8.0), True)
    assert (cut.text, cut.exclude_text, cut.pick, cut.outline, cut.shift_edge) == ("cat", "dog", "best", 8.0, -0.5)
    assert cut.models == {"matting": "m", "detector": "d"}
    assert Options(models={"detector": "d"}).cut_out(Cut(), False).models == {}


def test_inpainting_keeps_the_dockers_edges_out() -> None:
    mask = Mask(PixelRect(0, 0, 1, 1), data=b"\xff")
    job = Options(grow=9.0, feather=9.0).inpaint(mask, 2.0, 0.0, 0.5)
    assert (job.recipe, job.post.grow, job.post.feather, job.context) == ("inpaint", 2.0, 0.0, 0.5)


def test_parts_are_merged_unless_people_are_told_apart() -> None:
    options = Options(models={"parser": "p", "detector": "d"})
    assert options.parts(["hair"], False, True, None).merge
    apart = options.parts(["hair"], True, False, None)
    assert (apart.per_person, apart.merge, apart.refine, apart.models) == (True, False, False, {"parser": "p"})


def test_the_map_is_asked_for_in_the_background() -> None:
    assert Options().everything().priority == "background"
