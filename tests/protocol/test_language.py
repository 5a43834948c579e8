"""Texts know what they are made of: they can be said in another language, by another process."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator

import pytest

from maskwright_protocol import language, messages
from maskwright_protocol.errors import BadInput, LicenceNeeded
from maskwright_protocol.language import Sentence, joined, nearest, said_in, tr, trn

LINES = """
msgid ""
msgstr ""
"Language: xx\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 ? 0 : n<5 ? 1 : 2);\\n"

#: a/file.py
msgid "One"
msgstr "Uno"

# said twice
msgid ""
"A long text, "
"in two lines\\n"
msgstr ""
"Ein \\"langer\\" Text,\\t"
"in zwei Zeilen\\n"

msgid "{0} thing"
msgid_plural "{0} things"
msgstr[0] "{0} a"
msgstr[1] "{0} b"
msgstr[2] "{0} c"

#, fuzzy
msgid "Unsure"
msgstr "Vielleicht"

msgid "Not yet"
msgstr ""
"""


@pytest.fixture
def german() -> Iterator[None]:
    """This program speaks German for a while."""
    language.use(["de"])
    yield
    language.use([])


def test_a_catalogue_is_read_as_gettext_reads_it() -> None:
    known = language.read(LINES.splitlines(keepends=True))
    assert known.texts == {"One": "Uno", "A long text, in two lines\n": 'Ein "langer" Text,\tin zwei Zeilen\n'}
    assert known.plurals == {"{0} thing": ["{0} a", "{0} b", "{0} c"]}
    assert [known.text("{0} thing", "{0} things", count) for count in (1, 2, 7, 21)] == [
        "{0} a", "{0} b", "{0} c", "{0} a",
    ]  # fmt: skip
    assert known.text("{0} dog", "{0} dogs", 2) == "{0} dogs"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (["ja"], "ja"), (["ja_JP.UTF-8", "C"], "ja"), (["de-AT"], "de"), (["fr_CA@euro"], "fr"),
        (["pt_BR", "es"], "es"),        (["zh"], "zh_CN"),
        (["zh-Hans-SG"], "zh_CN"), (["zh_CN.utf8"], "zh_CN"), (["zh-Hant", "ja"], "ja"),
        (["zh_TW"], "en"), (["en_GB", "de"], "en"), (["C"], "en"), ([""], "en"), ([], "en"), (["../../x", "\n"], "en"),
    ],
)  # fmt: skip
def test_the_catalogue_for_a_reader(wanted: list[str], name: str) -> None:
    assert nearest(wanted) == name


def test_the_users_own_choice_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(language.OVERRIDE, "ja")
    assert language.use(["de"]) == language.current() == "ja"
    monkeypatch.delenv(language.OVERRIDE)
    assert language.use([]) == "en"


def test_a_text_is_said_again_with_its_values_and_those_in_them() -> None:
    inner = tr("{0} knows it.", "SAM")
    text = tr("{0} was left out: {1}", "YOLO", inner)
    assert text == "YOLO was left out: SAM knows it."
    assert isinstance(text, Sentence)
    assert text.said_in("de") == "YOLO wurde ausgelassen: SAM kennt es."
    assert text.said_in("en") == str(text)
    assert type(text.said_in("de")) is str


def test_counts_take_the_form_of_their_language() -> None:
    one, several = (trn("Only {0} face was found.", "Only {0} faces were found.", count) for count in (1, 3))
    assert (one, several) == ("Only 1 face was found.", "Only 3 faces were found.")
    assert several.said_in("ja") == "顔は 3 個しか見つかりませんでした。"
    assert [text.said_in("fr") for text in (one, several)] == [
        "Seul 1 visage a été trouvé.", "Seuls 3 visages ont été trouvés.",
    ]  # fmt: skip


def test_another_process_says_it_too() -> None:
    """As the worker's sentences are said by the gateway: an exception among the values travels as its text."""
    sent = pickle.dumps(tr("A message could not be read: {0}", BadInput("cut off")))
    code = (
        "import pickle, sys; from maskwright_protocol.language import said_in\n"
        "print(ascii(said_in(pickle.loads(bytes.fromhex(sys.argv[1])), 'es')))"
    )
    done = subprocess.run([sys.executable, "-c", code, sent.hex()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "'No se pudo leer un mensaje: cut off'"


def test_json_carries_it_with_the_sentences_in_it() -> None:
    sent = joined(tr("The model {0} ({1}) is not installed.", "YOLOX-Nano", tr("No shadow was seen.")), "as it is")
    got = language.from_json(json.loads(json.dumps(language.to_json(sent))))
    assert got == sent
    assert said_in(got, "de") == said_in(sent, "de") != sent
    assert language.from_json(language.to_json("as it is")) == "as it is"


def test_a_message_is_said_in_a_language_and_stays_as_it_is_for_others() -> None:
    report = messages.Report("auto", ["yolo"], "cpu", notes=[tr("No shadow was seen."), "as it is"])
    answer = messages.Selection("1", 0, report, reason="nothing_found", message=tr("Nothing was found."))
    said = said_in(answer, "de")
    assert (said.message, said.report.notes) == (
        "Es wurde nichts gefunden.",
        ["Es war kein Schatten zu sehen.", "as it is"],
    )
    assert (answer.message, answer.report.notes[0]) == ("Nothing was found.", "No shadow was seen.")
    plain = messages.Done("1")
    assert said_in(plain, "de") is plain
    failed = messages.Failed.from_error("1", BadInput(tr("Nothing is ticked."), tried=[tr("Cancelled.")]))
    assert said_in(failed, "de").details == {"tried": ["Abgebrochen."]}


def test_a_programs_own_language(german: None) -> None:
    assert tr("Nothing was found.") == "Es wurde nichts gefunden."
    assert tr("{0} knows it.", "SAM") == "SAM kennt es."
    assert tr("Nobody has translated this: {0}", 1) == "Nobody has translated this: 1"
    assert trn("Only {0} face was found.", "Only {0} faces were found.", 2) == "Nur 2 Gesichter wurden gefunden."
    assert BadInput(tr("Nothing was found.")).message == "Es wurde nichts gefunden."


def test_a_catalogues_mistake_does_not_take_an_answer_away(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = language.Catalogue({"{0} knows it.": "{1} {"}, {}, lambda count: 0)
    monkeypatch.setattr(language, "catalogue", lambda name: broken)
    assert tr("{0} knows it.", "SAM").said_in("de") == "SAM knows it."


def test_sentences_are_joined_as_their_language_does() -> None:
    assert joined("One.", "", "Two.") == "One. Two."
    assert joined() == ""
    both = joined(tr("Nothing was found."), tr("Cancelled."))
    assert said_in(both, "ja") == "何も見つかりませんでした。キャンセルしました。"


def test_a_hint_is_about_its_model_in_any_language() -> None:
    hint = LicenceNeeded("No.", model="birefnet").hint
    assert "pull birefnet --accept-licence" in hint
    assert "pull birefnet --accept-licence" in said_in(hint, "ja")
