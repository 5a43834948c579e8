"""Letters pressed with Alt: none has two meanings."""

import random
import string

import pytest

from maskwright_gimp import procedures
from maskwright_gimp.mnemonics import DIALOG_BUTTONS, Mnemonics

# Of GIMP's own entries in the Select menu.
SELECT_MENU = set("anibtshgrdpqcem")


def marked(label: str) -> str:
    assert label.count("_") <= 1
    return label.partition("_")[2][:1].casefold() if "_" in label else ""


def test_the_select_menu_has_each_letter_once() -> None:
    entries = [one for one in procedures.ALL if procedures.SELECT in (one.menu, *one.more_menus)]
    letters = [marked(one.label) for one in entries]
    assert len(set(letters)) == len(letters) >= 7
    assert not SELECT_MENU & set(letters)


@pytest.mark.parametrize("entry", procedures.ALL, ids=lambda entry: entry.name)
def test_each_dialog_has_each_letter_once(entry: procedures.Procedure) -> None:
    """In whatever order its rows come."""
    for seed in range(20):
        rows = list(entry.arguments)
        random.Random(seed).shuffle(rows)
        letters = Mnemonics()
        labels = [letters.give(row.nick) for row in rows]
        assert [label.replace("_", "") for label in labels] == [row.nick.replace("_", "") for row in rows]
        given = [marked(label) for label in labels if "_" in label]
        assert len(set(given)) == len(given)
        assert not set(given) & set(DIALOG_BUTTONS)


def test_a_label_keeps_its_own_letter_while_that_is_free() -> None:
    letters = Mnemonics("")
    assert letters.give("S_hift edge") == "S_hift edge"
    assert letters.give("_Hair and fur") == "Hair _and fur"
    assert letters.give("縁の幅") == "縁の幅(_B)"
    assert letters.give("しきい値") == "しきい値(_C)"


def test_labels_stay_whole_when_all_letters_are_taken() -> None:
    assert Mnemonics(string.ascii_lowercase).give("_Mode") == "Mode"
