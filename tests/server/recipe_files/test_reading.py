"""Recipe files: read back what was written, tell the line of what is wrong, keep saved ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from maskwright.gateway import saved_recipes
from maskwright.recipe_files import folder, reading, writing
from maskwright_client import recipe
from maskwright_protocol import codec
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import SERVER_MESSAGES, Failed, Recipes, RecipeSave, RecipesRequest
from tests.protocol.client.recipe_choices import steps

GOOD = """# for the shop
name = "Portrait"
description = "Hair, with soft edges."

[[step]]
name = "hair"
verb = "parse"
part = ["hair"]
refine = true

[[step]]
verb = "cutout"
mask = "hair"

[[output]]
step = "hair"
file = "{stem}-hair.png"

[[output]]
file = "cut/{stem}.webp"
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_CONFIG", str(tmp_path / "user" / "config.toml"))
    return tmp_path / "user" / "recipes"


def test_a_file_as_a_person_writes_it() -> None:
    one = reading.parse(GOOD, "portrait.toml")
    assert (one.name, [step.name for step in one.steps]) == ("Portrait", ["hair", "cutout"])
    assert [(output.step, output.what) for output in one.outputs] == [("hair", "mask"), ("cutout", "cutout")]
    assert reading.parse(writing.text(one), "x.toml") == one


def test_windows_files_and_a_missing_name(tmp_path: Path) -> None:
    path = tmp_path / "my hair.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace('name = "Portrait"\n', "").replace("\n", "\r\n").encode())
    assert reading.read(path).name == "my hair"


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ('name = "Portrait"', "nmae = 1", 2, "nmae"),
        ('verb = "parse"', 'verb = "prase"', 7, '"parse"'),
        ("refine = true", 'refine = "yes"', 9, "true or false"),
        ('part = ["hair"]', "prat = 1", 8, '"part"'),
        ('mask = "hair"', 'mask = "hiar"', 13, '"hair"'),
        ('mask = "hair"', '"maks" = "hair"', 13, '"mask"'),
        ('verb = "cutout"', "", 11, "no verb"),
        ('file = "{stem}-hair.png"', 'file = "{setm}.png"', 17, '"stem"'),
        ('step = "hair"', 'step = "face"', 16, "face"),
        ('file = "cut/{stem}.webp"', 'what = "instances"', 20, "instances"),
        ('verb = "parse"', "verb = parse", 7, "quotes"),
        ('"Hair, with soft edges."', '"Hair', 3, "quotes"),
    ],
)
def test_the_line_of_what_is_wrong(old: str, new: str, line: int, word: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        reading.parse(GOOD.replace(old, new, 1), "portrait.toml")
    assert caught.value.message.startswith(f"portrait.toml, line {line}"), caught.value.message
    assert word in caught.value.message + caught.value.hint


def test_what_is_written_is_read_back() -> None:
    chance = random.Random(5)
    for _ in range(200):
        one = recipe.read({"name": 'a "b" \\ \x7f \t é\n', "step": steps(chance)})
        assert reading.parse(writing.text(one), "x.toml") == one


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 70_000, b"x = " + b"[" * 5000, b"\x00", b""])
def test_odd_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        reading.read(path)
    assert "odd.toml" in caught.value.message
    assert caught.value.hint


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(BadInput):
            reading.read(path)


def test_saved_recipes_are_found_by_name_title_and_path(config: Path) -> None:
    one = reading.parse(GOOD, "x.toml")
    assert folder.names() == []
    with pytest.raises(BadInput, match="There is no recipe portrait"):
        folder.find("portrait")
    assert folder.save("Portrait: hair", one) == "portrait-hair"
    assert folder.path_of("portrait-hair") == config / "portrait-hair.toml"
    for word in ("portrait-hair", "Portrait: hair", "PORTRAIT-HAIR", "portrait-hair.toml"):
        assert folder.find(word) == config / "portrait-hair.toml"
    with pytest.raises(BadInput) as caught:
        folder.find("portrat-hair")
    assert "portrait-hair" in caught.value.hint
    with pytest.raises(BadInput) as caught:
        folder.save("Portrait  hair", one)
    assert caught.value.details["exists"] == "portrait-hair"
    folder.save("Portrait hair", one, overwrite=True)
    assert reading.read(folder.path_of("portrait-hair")).name == "Portrait hair"
    folder.remove("portrait-hair")
    assert folder.names() == []


def test_a_folder_of_that_name_is_no_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    folder.save("cats", reading.parse(GOOD, "x.toml"))
    (tmp_path / "cats").mkdir()
    monkeypatch.chdir(tmp_path)
    assert folder.find("cats") == config / "cats.toml"
    (tmp_path / "mine").write_text(GOOD)
    assert folder.find("mine") == Path("mine")


def test_a_full_folder_fits_into_a_message(config: Path) -> None:
    one = recipe.read({"step": [{"verb": "parse", "part": ["x"] * 5000}]})
    for number in range(60):
        folder.write(config / f"r{number:02d}.toml", one)
    answer = saved_recipes.answer(RecipesRequest("a"))
    again = codec.decode(codec.encode_bytes(answer), SERVER_MESSAGES)
    assert isinstance(again, Recipes)
    assert len(again.recipes) == 60
    assert not again.recipes[0].problem
    assert "too many" in again.recipes[-1].problem


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\\c", ".hidden", "con", "Größe №5", "x" * 300, "..", "   "])
def test_a_name_never_leads_out_of_the_folder(config: Path, title: str) -> None:
    one = recipe.read({"step": [{"verb": "cutout"}]})
    if not any(letter.isalnum() for letter in title):
        with pytest.raises(BadInput, match="no name"):
            folder.save(title, one)
        return
    name = folder.save(title, one)
    assert (config / f"{name}.toml").parent == config
    assert [path.name for path in config.iterdir()] == [f"{name}.toml"]
    assert name.casefold() != "con"


def test_clients_list_and_save(config: Path) -> None:
    step = {"verb": "select", "text": "dog", "grow": 2}
    made = saved_recipes.answer(RecipeSave("a", "My dogs", {"description": "All of them.", "step": [step]}))
    assert isinstance(made, Recipes)
    (one,) = made.recipes
    assert (one.name, one.title, one.description) == ("my-dogs", "My dogs", "All of them.")
    again = saved_recipes.answer(RecipeSave("b", "my dogs", {"step": [step]}))
    assert isinstance(again, Failed)
    assert again.details["exists"] == "my-dogs"
    (config / "broken.toml").write_text("[[step]]\nverb = 'selct'\n")
    listed = saved_recipes.answer(RecipesRequest("c"))
    assert isinstance(listed, Recipes)
    assert [(saved.name, bool(saved.recipe), saved.problem) for saved in listed.recipes] == [
        ("broken", False, 'broken.toml, line 2: There is no verb "selct".'),
        ("my-dogs", True, ""),
    ]
    assert recipe.read(listed.recipes[1].recipe).steps[0].options == {"text": "dog", "grow": 2.0}


@pytest.mark.parametrize(
    "data", [{}, {"step": [{"verb": "select", "grow": "x"}]}, {"step": 3}, {"step": [{"verb": "cutout", "mask": "a"}]}]
)
def test_what_a_client_sends_is_checked(config: Path, data: dict) -> None:
    answer = saved_recipes.answer(RecipeSave("a", "x", data))
    assert isinstance(answer, Failed)
    assert answer.code == "bad_input"
    assert answer.hint
    assert folder.names() == []


def test_a_recipe_that_is_too_long_is_not_written(config: Path) -> None:
    data = {"step": [{"verb": "parse", "part": ["x" * 900] * 100}]}
    answer = saved_recipes.answer(RecipeSave("a", "x", data))
    assert isinstance(answer, Failed)
    assert "too long" in answer.message
    assert folder.names() == []
