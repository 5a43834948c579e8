"""What a user is told, and how loudly."""

import pytest

from maskwright_client import told
from maskwright_protocol import errors
from maskwright_protocol.messages import CutoutResult, Instance, ModelInfo, Rect, Report, Selection

READER = ModelInfo(
    "reader", "f", ["detector"], "Reader", "", "MIT", "yes", installed=False, downloadable=True, size=5_000_000
)
FOUND = Instance("1", "dog", 0.9, Rect(0, 0, 4, 4), "m")


def report(*notes: str, offer: str = "") -> Report:
    return Report("auto", ["m"], "cpu", notes=list(notes), offer=offer)


def test_an_unknown_word_brings_other_words_and_a_model() -> None:
    error = errors.UnknownWord("No dgo.", "Did you mean dog?", word="dgo", near=["dog", "hot dog"], models=["reader"])
    said = told.of_failure(error, [READER])
    assert said.text == "No dgo. Did you mean dog?"
    assert (said.loudness, said.word, said.words) == (told.ERROR, "dgo", ("dog", "hot dog"))
    assert (said.remedy, said.model) == (told.DOWNLOAD, READER)
    assert told.of_failure(error)[5:7] == (None, ""), "nothing is known of models"


@pytest.mark.parametrize("kind", errors.CODES.values(), ids=list(errors.CODES))
def test_every_error_of_the_wire_is_a_sentence_with_a_way_on(kind: type) -> None:
    said = told.of_failure(kind("It did not work."))
    if kind is errors.JobCancelled:
        assert said == told.Told(told.NOTE, "Cancelled. Nothing was changed.", code="cancelled")
        return
    assert (said.loudness, said.sentence, said.code) == (told.ERROR, "It did not work.", kind.code)  # type: ignore[attr-defined]
    assert said.hint or said.remedy


def test_what_a_button_does() -> None:
    assert told.of_failure(errors.ServerAbsent("a")).remedy == told.START
    assert told.of_failure(errors.OutOfMemory("a")).remedy == told.AGAIN
    assert told.of_failure(errors.BadInput("a")).remedy == ""


def test_a_defect_is_told_as_one() -> None:
    said = told.of_failure(ZeroDivisionError("division by zero"))
    assert said.text == (
        "Maskwright met an unexpected problem (ZeroDivisionError: division by zero). "
        "Nothing was changed. Please report it."
    )
    assert (said.loudness, said.code) == (told.ERROR, "internal")


def test_nothing_found_is_a_notice_and_a_note_a_note() -> None:
    nothing = Selection("", 0, report(), "nothing_found", "No dog was found.", "Try another word.")
    said = told.of_answer(nothing, ["The layer is empty."])
    assert said is not None
    assert (said.loudness, said.text) == (told.NOTICE, "No dog was found. Try another word.")
    assert told.of_answer(CutoutResult("", 0, report(), "nothing_found"))[0] == told.NOTICE  # type: ignore[index]
    fine = Selection("", 0, report("Slow."), instances=[FOUND])
    assert told.of_answer(fine, ["The layer is empty."]) == told.Told(told.NOTE, "The layer is empty.")
    assert told.of_answer(fine) == told.Told(told.NOTE, "Slow.")
    assert told.of_answer(Selection("", 0, report(), instances=[FOUND])) is None


def test_words_understood_in_part_are_a_notice_with_a_model() -> None:
    answer = Selection("", 0, report("'red' was left out.", offer="reader"), instances=[FOUND])
    said = told.of_answer(answer, models=[READER])
    assert said is not None
    assert (said.loudness, said.sentence, said.remedy, said.model) == (
        told.NOTICE, "'red' was left out.", told.DOWNLOAD, READER,
    )  # fmt: skip
    assert said.hint.startswith("Reader understands all of it")
    assert told.of_answer(answer) == told.Told(told.NOTE, "'red' was left out.")
