"""A painter who has set Krita to Japanese: the menus, the panel and the server's sentences are Japanese too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.shared_data import EVAL

from ..chroot import Lab
from ..server import Server
from .driver import Krita, install
from .studio import Studio

pytestmark = pytest.mark.editor

CHOSEN = "[Language]\nkrita=ja\n"  # as Settings > Switch Application Language writes it
WORDS = """
def words(widget):
    found = []
    for one in [widget, *widget.findChildren(QWidget)]:
        if not one.isVisibleTo(widget):
            continue
        found.append(one.toolTip())
        for name in ("text", "placeholderText", "title"):
            said = getattr(one, name, None)
            if callable(said) and not isinstance(one, QAbstractSpinBox):
                found.append(said())
        if isinstance(one, QComboBox):
            found += [one.itemText(number) for number in range(one.count())]
    return sorted({text for text in found if isinstance(text, str) and text.strip()})
"""
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
THE_SAME = {"Maskwright", "dog; the largest cat"}  # names, and what is typed in English
KRITAS = {
    "Close Docker",
    "Float Docker",
    "Lock Docker",
}  # translated with Krita's own catalogue, where that is installed


@pytest.fixture(scope="module")
def studio(
    open_lab: Callable[[str], Lab], serve: Callable[[Lab], Server], plugin_zip: Path, photos: Path
) -> Iterator[Studio]:
    lab = open_lab("krita")
    install(lab, plugin_zip)
    lab.path("home", ".config", "klanguageoverridesrc").write_text(CHOSEN)
    server = serve(lab)
    lab.open_display(1280, 800)
    krita = Krita(lab)
    with server.client() as client:
        yield Studio(krita, lab, client, EVAL)
    krita.quit()


def unknown(texts: list[str]) -> list[str]:
    """Those that are not Japanese. Numbers, units and signs are not looked at."""
    return [text for text in texts if re.search("[A-Za-z]{3}", text) and not JAPANESE.search(text)]


def test_the_menus_are_japanese(studio: Studio) -> None:
    ours = "[a for a in K.actions() if a.objectName().startswith('maskwright_')]"
    texts = studio.krita.get(f"{{a.objectName(): a.text() for a in {ours}}}")
    assert texts["maskwright_select_subject"] == "被写体を選択(&J)"
    assert texts["maskwright_cutout"] == "背景を削除して新しいレイヤーに(&B)"
    assert len(texts) > 15
    assert unknown(list(texts.values())) == []
    assert unknown(studio.krita.get(f"[a.toolTip() for a in {ours}]")) == []


def test_the_panel_is_japanese(studio: Studio) -> None:
    studio.reset()
    studio.open(studio.photo("photos/bus.jpg"))
    studio.krita.run(WORDS)
    texts = studio.krita.get("words(docker())")
    assert "選択" in texts
    kritas = {text for text in texts if text.endswith(" Docker")}  # of the frame: in Krita's own catalogue
    assert sorted(set(unknown(texts)) - THE_SAME - kritas) == []


def test_the_server_answers_in_japanese(studio: Studio) -> None:
    studio.krita.run("FAILED.clear(); child('maskwright_prompt_field').setEditText('unicorn')")
    studio.press("maskwright_go")
    studio.krita.wait("failure() is not None and not C.busy()", "the answer", 120.0)
    code, message, _ = studio.krita.get("failure()")
    assert code == "unknown_word"
    assert "'unicorn' を知りません" in message


def test_without_a_choice_the_systems_language_is_taken(studio: Studio) -> None:
    lab = studio.lab
    plugins = lab.within(lab.path("home", ".local", "share", "krita", "pykrita", "x").parent)
    code = "from maskwright_krita.editor.languages import of_krita; print(of_krita()[0])"
    environment = {"PYTHONPATH": plugins, "HOME": "/nowhere", "LC_ALL": "C.UTF-8", "LANGUAGE": "de:ja"}
    assert lab.run(["python3", "-c", code], env=environment).stdout.startswith("de")
    assert lab.run(["python3", "-c", code], env={"PYTHONPATH": plugins}).stdout.strip() == "ja"
