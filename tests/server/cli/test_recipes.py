"""``maskwright run`` and ``recipes`` as their user runs them, and that a recipe does what its command does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer.main
from PIL import Image
from typer.testing import CliRunner, Result

from maskwright.cli import recipes
from maskwright.cli.app import app
from maskwright_client.recipe_options import VERBS
from maskwright_protocol.messages import RecipeSave, RecipesRequest
from tests.server.conftest import Server

from .test_cutting import picture


def flags_of(verb: str) -> set[str]:
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    return {max(one.opts, key=len).lstrip("-") for one in command.params if one.param_type_name == "option"}


@pytest.mark.parametrize("verb", list(VERBS))
def test_steps_have_the_options_of_their_commands(verb: str) -> None:
    """A flag that is new here belongs into ``recipe_options``, or into one of the sets of what is no part of a step."""
    options = {one.name for one in VERBS[verb].options.values() if one.flag}
    others = recipes.OUTPUT_FLAGS | recipes.RUN_FLAGS | recipes.NOT_KEPT
    assert flags_of(verb) - others <= options
    assert options <= flags_of(verb)


@pytest.fixture
def here(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command in this process, against the server: quicker than a process of its own."""
    for name, value in server.environment.items():
        if name.startswith("MASKWRIGHT_"):
            monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def same(first: Path, second: Path) -> bool:
    return first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ("select", "--box", "60,60,180,180", "--threshold", "0.5", "--grow", "3", "--depth", "16"),
        ("cutout", "--point", "150,150", "--outline", "6", "--outline-colour", "#ffee00", "--crop"),
        ("cutout", "--box", "60,60,180,180", "--mask-only", "--feather", "2"),
        ("everything", "--points", "6"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_saved_command_makes_the_same_files(
    here: Callable[..., Result], tmp_path: Path, command: tuple[str, ...]
) -> None:
    image, _ = picture(tmp_path)
    verb, *flags = command
    kept, by_hand, again = tmp_path / "kept.toml", tmp_path / "hand.png", tmp_path / "again"
    made = here(verb, image, *flags, "-o", by_hand, "--save-recipe", kept)
    assert made.exit_code == 0, made.stderr
    ran = here("run", kept, image, "-o", f"{again}/")
    assert ran.exit_code == 0, ran.stderr
    written = [Path(line) for line in ran.stdout.split()]
    assert written
    assert all(path.parent == again for path in written)
    assert same(written[0], by_hand)


def test_a_mask_from_outside_is_named_when_the_recipe_runs(here: Callable[..., Result], tmp_path: Path) -> None:
    image, rough = picture(tmp_path)
    kept = tmp_path / "kept.toml"
    made = here("refine", "--mask", rough, "--edge-width", "30", "--save-recipe", kept)
    assert made.exit_code == 0, made.stderr
    assert "--mask" in made.stderr
    without = here("run", kept, image)
    assert without.exit_code == 2
    assert "begins with what is selected already" in without.stderr
    by_hand, again = tmp_path / "hand.png", tmp_path / "again.png"
    assert here("refine", image, "--mask", rough, "--edge-width", "30", "-o", by_hand).exit_code == 0
    assert here("run", kept, image, "--mask", tmp_path / "{folder}/rough.png", "-o", again).exit_code != 0
    ran = here("run", kept, image, "--mask", rough, "-o", again)
    assert ran.exit_code == 0, ran.stderr
    assert same(by_hand, again)


SEVERAL = """
[[step]]
name = "disk"
verb = "select"
box = ["12%,20%,36%,60%"]

[[step]]
name = "edge"
verb = "refine"

[[step]]
verb = "cutout"
mask = "edge"

[[output]]
step = "disk"
file = "{stem}-rough.png"

[[output]]
step = "edge"
what = "cutout"
file = "own/{stem}.tif"

[[output]]
background = "#0000ff"
quality = 80
file = "{stem}.jpg"

[[output]]
step = "disk"
what = "instances"
file = "each/{stem}-{number}.png"
"""


def test_steps_follow_each_other_and_outputs_have_names(here: Callable[..., Result], tmp_path: Path) -> None:
    image, _ = picture(tmp_path)
    (tmp_path / "several.toml").write_text(SEVERAL)
    ran = here("run", tmp_path / "several.toml", image, tmp_path / "rough.png", "-o", tmp_path / "out")
    assert ran.exit_code in (0, 3), ran.stderr
    out = tmp_path / "out"
    assert {"disk-rough.png", "own/disk.tif", "disk.jpg", "each/disk-01.png"} <= {
        str(path.relative_to(out)) for path in out.rglob("*.*")
    }
    rough = np.asarray(Image.open(out / "disk-rough.png"))
    own = np.asarray(Image.open(out / "own/disk.tif"))
    seen = np.asarray(Image.open(image))
    assert rough[150, 150] == 255
    assert rough[20, 480] == 0
    assert (own[140:160, 140:160, :3] == seen[140:160, 140:160]).all()
    assert own[150, 150, 3] == 255
    assert own[20, 480, 3] == 0
    assert np.asarray(Image.open(out / "disk.jpg"))[20, 480, 2] > 240
    assert np.array_equal(np.asarray(Image.open(out / "each/disk-01.png")), rough)
    again = here("run", tmp_path / "several.toml", image, "-o", out, "--resume", "--report", tmp_path / "r.jsonl")
    assert again.exit_code == 0, again.stderr
    (line,) = (tmp_path / "r.jsonl").read_text().splitlines()
    assert json.loads(line)["status"] == "skipped"


def test_what_is_wrong_is_told_before_any_picture_is_read(here: Callable[..., Result], tmp_path: Path) -> None:
    image, _ = picture(tmp_path)
    wrong = tmp_path / "wrong.toml"
    for content, told in (
        ('[[step]]\nverb = "select"\ntxet = "dog"\n', 'line 3: "select" has no option "txet". Did you mean "text"?'),
        ('[[step]]\nverb = "cutout"\n[[output]]\nfile = "{stem}.gif"\n', ".gif files cannot be written"),
        ("[[step]\n", "line 1 is not TOML"),
    ):
        wrong.write_text(content)
        ran = here("run", wrong, image)
        assert ran.exit_code == 2
        assert told in " ".join(ran.stderr.split())
    ran = here("run", "no such recipe", image)
    assert ran.exit_code == 2
    wrong.write_text(SEVERAL)
    ran = here("run", wrong, image, "-o", tmp_path / "one.png")
    assert ran.exit_code == 2
    assert "do not fit into the one file" in ran.stderr
    assert not (tmp_path / "one.png").exists()


def test_saved_recipes_are_shared_with_the_editors(server: Server, here: Callable[..., Result], tmp_path: Path) -> None:
    image, _ = picture(tmp_path)
    assert here("select", "--box", "60,60,180,180", "--save-recipe", "The disk").exit_code == 0
    with server.client() as client:
        client.request(RecipeSave("", "From Krita", {"step": [{"verb": "cutout"}]}), 10)
        names = [one.name for one in client.request(RecipesRequest(""), 10).recipes]  # type: ignore[attr-defined]
    assert names == ["from-krita", "the-disk"]
    listed = json.loads(here("recipes", "list", "--json").stdout)
    assert [one["title"] for one in listed] == ["From Krita", "The disk"]
    assert here("run", "the disk", image, "-o", tmp_path / "out.png").exit_code == 0
    shown = here("recipes", "show", "the-disk", "--command").stdout
    assert shown.strip() == "maskwright select PICTURE --box 60,60,180,180"
    assert 'verb = "cutout"' in here("recipes", "show", "from-krita").stdout
    again = here("select", "--box", "1,1,2,2", "--save-recipe", "the disk")
    assert again.exit_code == 2
    assert "already" in again.stderr
    assert here("recipes", "remove", "the-disk").exit_code == 0
    assert here("recipes", "remove", "the-disk").exit_code == 2
    folder = Path(here("recipes", "path").stdout.strip())
    assert [path.name for path in folder.iterdir()] == ["from-krita.toml"]
