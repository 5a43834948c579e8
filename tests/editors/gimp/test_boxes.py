"""The command line, GIMP and the server find the same things in the same places."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from ..chroot import Lab
from ..server import Server
from .asking import Plane
from .driver import Gimp

pytestmark = pytest.mark.editor
WORDS = "bus; second person from the left; the largest person"


def on_the_command_line(server: Server, lab: Lab, command: str, *more: str) -> list[dict[str, Any]]:
    arguments = [command, str(lab.path("photo.png")), "--text", WORDS, "--json", *more]
    run = subprocess.run(
        [sys.executable, "-m", "maskwright.cli", *arguments],
        env=server.environment(), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return json.loads(run.stdout)["instances"]


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert [(i["label"], round(i["score"], 3)) for i in one] == [(i["label"], round(i["score"], 3)) for i in other]
    np.testing.assert_allclose([i["box"] for i in one], [i["box"] for i in other], atol=0.02)


def test_detect_and_select(image: Gimp, server: Server, lab: Lab, photo: Plane) -> None:
    told = image.call("maskwright-detect", prompt=WORDS).ok()
    detected = told.report["instances"]
    assert told.count == len(detected) == 3
    assert {one["label"] for one in detected} == {"bus", "person"}
    same(detected, on_the_command_line(server, lab, "detect"))
    assert image.run("out = Gimp.Selection.is_empty(image)"), "nothing was changed"
    selected = image.call("maskwright-select-by-prompt", prompt=WORDS).ok().report["instances"]
    same(selected, on_the_command_line(server, lab, "select", "-o", str(lab.path("mask.png"))))
    assert [(i["label"], i["confidence"]) for i in selected] == [(i["label"], i["score"]) for i in detected]


def test_settings_of_the_detector(image: Gimp) -> None:
    people = image.call("maskwright-detect", detector_options="classes=0; max_det=2").ok().report["instances"]
    assert [one["label"] for one in people] == ["person", "person"]
    less = image.call("maskwright-select-by-prompt", prompt="people", detector_options="min_score=0.8").ok()
    assert 0 < less.count < image.call("maskwright-select-by-prompt", prompt="people").ok().count
    assert all(one["confidence"] >= 0.8 for one in less.report["instances"])
    wrong = image.call("maskwright-select-by-prompt", prompt="people", detector_options="iuo=1")
    assert wrong.status != "success"
    assert "no option called 'iuo'" in wrong.error
    assert "It takes: iou" in wrong.error
    nonsense = image.call("maskwright-detect", prompt="people", detector_options="nonsense")
    assert "NAME=VALUE" in nonsense.error
    nobody = image.call("maskwright-detect", prompt="giraffe").ok()
    assert (nobody.count, nobody.report["message"][:9]) == (0, "No giraff")
