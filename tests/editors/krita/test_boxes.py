"""The command line and Krita find the same things in the same places."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ..server import Server
from .driver import Krita
from .studio import Studio

pytestmark = pytest.mark.editor
WORDS = "bus; second person from the left; the largest person"
DETECT = """
from maskwright_protocol.messages import Detect
from maskwright_krita.pictures import Picture
SEEN = []
def look():
    answer = yield from C.connection.ask(Detect("", text={words!r}), Picture(C.reader("selection")))
    SEEN.extend((i.label, i.score, (i.box.x, i.box.y, i.box.width, i.box.height)) for i in answer.instances)
C.run("Looking", look)
"""


@pytest.fixture
def street(studio: Studio) -> Image.Image:
    return studio.photo("photos/bus.jpg").resize((480, 640), Image.Resampling.LANCZOS)


def on_the_command_line(server: Server, picture: Path, command: str, *more: str) -> list[dict[str, Any]]:
    run = subprocess.run(
        [sys.executable, "-m", "maskwright.cli", command, picture, "--text", WORDS, "--json", *more],
        env=server.environment(), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return json.loads(run.stdout)["instances"]


def test_detect_and_select(studio: Studio, krita: Krita, server: Server, street: Image.Image, tmp_path: Path) -> None:
    street.save(tmp_path / "street.png")
    studio.open(street)
    krita.run(DETECT.format(words=WORDS))
    studio.idle()
    seen = krita.get("SEEN")
    told = on_the_command_line(server, tmp_path / "street.png", "detect")
    assert len(told) == 3
    assert [(label, round(score, 3)) for label, score, _ in seen] == [(i["label"], round(i["score"], 3)) for i in told]
    np.testing.assert_allclose([box for _, _, box in seen], [i["box"] for i in told], atol=0.02)
    studio.command(f"select_by_prompt({WORDS!r})")
    parts = krita.get("[(p.label, p.score, (p.plane.box.x, p.plane.box.y, p.plane.box.width, p.plane.box.height))"
                      " for p in C.result.objects]")  # fmt: skip
    told = on_the_command_line(server, tmp_path / "street.png", "select", "-o", str(tmp_path / "mask.png"))
    assert [(label, round(score, 3)) for label, score, _ in parts] == [(i["label"], round(i["score"], 3)) for i in told]
    np.testing.assert_allclose([box for _, _, box in parts], [i["box"] for i in told], atol=0.02)
    assert np.array_equal(studio.selection(), np.asarray(Image.open(tmp_path / "mask.png")))


def test_settings_of_the_detector(studio: Studio, krita: Krita, street: Image.Image) -> None:
    studio.open(street)
    studio.command("select_by_prompt('people')")
    everybody = krita.get("len(C.result.objects)")
    krita.run("w = child('maskwright_detector_options'); w.setText('min_score=0.8'); w.editingFinished.emit()")
    assert krita.get("C.options.detector_options") == "min_score=0.8"
    studio.command("select_by_prompt('people')")
    assert 0 < krita.get("len(C.result.objects)") < everybody
    krita.run("C.options.detector_options = 'classes=5'")
    studio.command("select_by_prompt('')")
    assert krita.get("[p.label for p in C.result.objects]") == ["bus"]
    krita.run("C.options.detector_options = 'iuo=1'; FAILED.clear(); C.select_by_prompt('people')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "no option called 'iuo'" in failure[1]
    krita.run("C.options.detector_options = 'nonsense'; FAILED.clear(); C.select_by_prompt('people')")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert "NAME=VALUE" in failure[2]
