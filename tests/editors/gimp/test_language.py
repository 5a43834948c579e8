"""A retoucher whose GIMP speaks Japanese, after it was started in English: what it remembered then is asked anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from maskwright_gimp.procedures import ALL

from ..chroot import Lab
from ..server import Server
from .asking import Plane
from .driver import Gimp, install

pytestmark = pytest.mark.editor

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
TEXTS = """
def texts(name):
    procedure = pdb.lookup_procedure(name)
    arguments = [one for one in procedure.get_arguments() if one.name not in ("image", "drawables", "run-mode")]
    of_arguments = [text for one in arguments for text in (one.get_nick(), one.get_blurb())]
    return [procedure.get_menu_label(), procedure.get_blurb(), procedure.get_help(), *of_arguments]
"""


@pytest.fixture(scope="module")
def gimp(open_lab: Callable[[str], Lab], serve: Callable[[Lab], Server], lab: Lab, photo: Plane) -> Iterator[Gimp]:
    mine = open_lab("gimp")
    install(mine)
    mine.put(lab.path("photo.png"), "photo.png")
    serve(mine)
    english = Gimp(mine)
    label = english.run("out = pdb.lookup_procedure('maskwright-select-subject').get_menu_label()")
    english.close()
    assert label == "S_ubject"
    gimp = Gimp(mine, LANGUAGE="ja")
    gimp.run(TEXTS + f"PHOTO = {mine.inside + '/photo.png'!r}")
    yield gimp
    gimp.close()


def test_menus_and_arguments_are_japanese(gimp: Gimp) -> None:
    assert gimp.run("out = texts('maskwright-select-subject')[0]") == "被写体を選択(_U)"
    for procedure in ALL:
        texts = gimp.run(f"out = texts({procedure.name!r})")
        assert [text for text in texts if text and not JAPANESE.search(text)] == [], procedure.name


def test_the_server_answers_in_japanese(gimp: Gimp) -> None:
    gimp.run("image = load(PHOTO); layer = image.get_layers()[0]")
    status, _, _, error = gimp.run("out = call('maskwright-select-by-prompt', image, [layer], prompt='unicorn')")
    assert status == "execution-error"
    assert "'unicorn' を知りません" in error
