"""``maskwright parse``, and words through the command line and a client: the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_protocol import messages
from tests.server.conftest import Server
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]
PERSON = EVAL / "person_parts" / "0_image.png"
STREET = EVAL / "photos" / "bus.jpg"


def test_parts_through_the_command_line(server: Server, tmp_path: Path) -> None:
    out, each = tmp_path / "hair.png", tmp_path / "each"
    run = server.cli("parse", PERSON, "-p", "hair", "-p", "clothes", "--per-person", "-o", out, "--instances", each,
                     "--json")  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert [one["label"] for one in answer["instances"]] == ["hair of person 1", "clothes of person 1"]
    truth = np.asarray(Image.open(EVAL / "person_parts" / "0_annotation.png"))
    shown = np.asarray(Image.open(out)) > 127
    wanted = (truth == 2) | (truth == 3)
    assert (shown & wanted).sum() / (shown | wanted).sum() > 0.8
    assert len(list(each.iterdir())) == 2
    run = server.cli("parse", PERSON, "-p", "nose", "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["error"] == "unknown_word"


def test_a_client_is_told_the_parts_and_gets_them(server: Server) -> None:
    with server.client() as client:
        told = client.request(messages.ModelsRequest(""), 20)
        assert isinstance(told, messages.Models)
        known = {model.id: model for model in told.models}
        assert known["skin-clothes-hair"].labels == ["skin", "clothes", "hair"]
        assert known["segformer-face"].parts_of == "face"
        assert "upper body" in known["segformer-clothes"].groups
        assert any(recipe.verb == "parse" for recipe in told.recipes)
        job = messages.Parse(id="", parts=["hair"], draft=True)
        answer = ask.run(ask.answer(client, job, FileSource(PERSON)), lambda ticket: ticket.wait(120))
    assert isinstance(answer, messages.Selection)
    assert [(one.part, one.person) for one in answer.instances] == [("hair", 0)]


def test_detect_and_select_give_the_same_boxes_to_everybody(server: Server, tmp_path: Path) -> None:
    text = "second person from the left; bus"
    run = server.cli("detect", STREET, "--text", text, "--json")
    assert run.returncode == 0, run.stderr
    boxes = json.loads(run.stdout)["instances"]
    with server.client() as client:
        wait = lambda ticket: ticket.wait(120)  # noqa: E731
        found = ask.run(ask.answer(client, messages.Detect(id="", text=text), FileSource(STREET)), wait)
        select = messages.Select(id="", text=text, precise="off")
        masks = ask.run(ask.answer(client, select, FileSource(STREET)), wait)
    assert [(b["label"], b["score"]) for b in boxes] == [(i.label, round(i.score, 4)) for i in found.instances]
    assert [b["box"][0] for b in boxes] == [round(i.box.x, 2) for i in found.instances]
    assert [(i.label, i.confidence) for i in masks.instances] == [(i.label, i.score) for i in found.instances]
