"""Krita and GIMP ask for the same thing in the same words: equal settings make equal bytes on the wire."""

from dataclasses import replace
from typing import Any

import pytest

from maskwright_client import body_parts
from maskwright_client.jobs import Cut, Edge, Prompt
from maskwright_gimp import options as gimp
from maskwright_krita.options import Options
from maskwright_protocol import codec
from maskwright_protocol.messages import Example, Job, Rect

from .arguments import OUTLINE, arguments, job

MODELS = {"detector": "yolox-nano", "segmenter": "mobile-sam", "matting": "u2netp", "parser": "segformer-clothes"}
CLEAN_UP: dict[str, Any] = {
    "threshold": 0.5, "fill_holes": True, "min_area": 40.0, "smooth": 2.0, "grow": -3.0, "feather": 1.5, "invert": True,
}  # fmt: skip
EDGE = Edge(30.0, True, 4.0, 0.5, -0.25)
EDGE_ARGUMENTS = {"edge_width": 30.0, "hair": True, "smooth_edge": 4.0, "contrast": 0.5, "shift_edge": -0.25}
CLOSELY: dict[str, Any] = {"precise": "on", "tiles": "off", "detector_options": "iou=0.5; min_score=0.3"}


def asked(name: str, **changes: Any) -> Job:
    """What GIMP asks for with all of these settings."""
    usual = {"models": ", ".join(f"{role}={model}" for role, model in MODELS.items()), "recipe": "auto", **CLEAN_UP}
    known = arguments(f"maskwright-{name}")
    given = {key: value for key, value in usual.items() if key.replace("_", "-") in known}
    return job(f"maskwright-{name}", OUTLINE, **{**given, **changes})


KRITA = Options(models=MODELS, recipes={"select": "auto"}, **CLEAN_UP)
CUT = Cut("fox", "tail", "best", edge=EDGE, outline=4.0, outline_colour="#ff0000", shadow=True)
CLICKS = gimp.read(
    arguments("maskwright-click-to-select", models="segmenter=mobile-sam", **CLEAN_UP), "click_to_select"
)

SAME: dict[str, tuple[Job, Job]] = {
    "words": (
        replace(KRITA, **CLOSELY).select(Prompt("fox", "tail"), OUTLINE),
        asked("select-by-prompt", prompt="fox", but_not="tail", current_selection="limit", **CLOSELY),
    ),
    "words that need trimming": (KRITA.select(Prompt(" fox ", "  ")), asked("select-by-prompt", prompt="fox ")),
    "object": (KRITA.select_object(OUTLINE), asked("select-object")),
    "click": (KRITA.select_points([], [Rect(1, 2, 3, 4)]), CLICKS.select_points([], [Rect(1, 2, 3, 4)])),
    "examples": (
        KRITA.select(Prompt(examples=[Example(0.0, 1.0, 2.0, 3.0), Example(4.0, 5.0, 6.0, 7.0, False)])),
        asked("click-to-select", like="0,1,2,3", unlike="4,5,6,7"),
    ),
    "similar": (KRITA.similar("a", OUTLINE), CLICKS.similar("a", OUTLINE)),
    "prefetch": (KRITA.prefetch(), CLICKS.prefetch()),
    "everything": (KRITA.everything(), CLICKS.everything()),
    "subject": (KRITA.subject(), asked("select-subject")),
    "background": (KRITA.cut_out(Cut(), ""), asked("remove-background")),
    "cut-out": (
        KRITA.cut_out(CUT, "BGRA8"),
        asked(
            "cut-out", prompt="fox", but_not="tail", pick="best", outline=4.0, outline_color="#ff0000",
            keep_shadow=True, colours="RGBA8", **EDGE_ARGUMENTS,
        ),
    ),
    "refine": (KRITA.refine(OUTLINE, EDGE), asked("select-refine", **EDGE_ARGUMENTS)),
    "parts": (
        KRITA.parts(body_parts.read("hair; skin"), True, region=OUTLINE),
        asked("select-parts", parts="hair; skin", current_selection="limit"),
    ),
    "parts of one person": (
        KRITA.parts(body_parts.read("hair; skin #2"), False),
        asked("select-parts", parts="hair; skin #2", find_edges=False),
    ),
    "each part by itself": (
        KRITA.parts(body_parts.read("hair"), True, one_by_one=True),
        asked("select-parts", parts="hair", result="layers"),
    ),
    "draft of parts": (
        KRITA.parts_draft(),
        gimp.read({"models": "parser=segformer-clothes"}, "select_parts").parts_draft(),
    ),
    "inpainting": (
        KRITA.inpaint(OUTLINE, 8.0, 0.0, 1.5),
        asked("prepare-inpainting", grow=8.0, feather=0.0, context=1.5),
    ),
}  # fmt: skip


def on_the_wire(job: Any) -> bytes:
    """As bytes, with the same pixel format."""
    return codec.encode_bytes(replace(job, format="RGBA8") if hasattr(job, "format") else job)


@pytest.mark.parametrize("what", SAME)
def test_equal_settings_make_equal_messages(what: str) -> None:
    in_krita, in_gimp = SAME[what]
    assert on_the_wire(in_krita) == on_the_wire(in_gimp)
