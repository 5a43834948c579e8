"""What an answer holds, and how it is told."""

from maskwright_client.results import by_whom, found, how, nothing_found, numbered, places, rated
from maskwright_protocol import masks
from maskwright_protocol.messages import CutoutResult, Instance, ModelInfo, PixelRect, Rect, Report, Selection

REPORT = Report("auto", ["yolox", "mobile-sam"], "cpu", notes=["One note."])
MASK, OTHER = (masks.pack(PixelRect(0, 0, 1, 1), bytes([value])) for value in (1, 2))


def instance(label: str, mask: object = MASK) -> Instance:
    return Instance("1", label, 0.876, Rect(1, 2, 30, 40), "m", mask=mask)  # type: ignore[arg-type]


def test_masks_of_an_answer() -> None:
    one, bare = instance("cat"), instance("cat", None)
    assert found(Selection("", 0, REPORT, instances=[one, bare])) == ([MASK], [one])
    assert found(Selection("", 0, REPORT, instances=[one], merged=OTHER)) == ([OTHER], [one])
    assert found(Selection("", 0, REPORT, "nothing_found", merged=OTHER)) == ([], [])
    assert found(CutoutResult("", 0, REPORT, alpha=MASK)) == ([MASK], [])
    assert found(CutoutResult("", 0, REPORT, "nothing_found", alpha=MASK)) == ([], [])


def test_sentences() -> None:
    assert nothing_found(Selection("", 0, REPORT)) == "Nothing was found."
    assert nothing_found(Selection("", 0, REPORT, message="No cat.", hint="Try dog.")) == "No cat. Try dog."
    assert places(Selection("", 0, REPORT, instances=[instance("cat")])) == "1. cat (88 %): 30 x 40 at 1, 2"
    assert (rated(0.876, False), rated(0.413, True)) == ("88 %", "41 % ?")
    assert how(REPORT) == "yolox + mobile-sam on CPU. One note."
    assert how(Report("sam3", ["a"], "cuda:0")) == "sam3: a on CUDA:0."


def test_who_made_it_and_what_each_did() -> None:
    yolox = ModelInfo("yolox", "f", ["detector"], "YOLOX", "", "MIT", "yes", installed=True)
    assert by_whom(REPORT, [yolox]) == "Made by YOLOX (finds by name) + mobile-sam, on CPU."
    both = ModelInfo("sam3", "f", ["detector", "segmenter"], "SAM 3", "", "MIT", "yes", installed=True)
    assert by_whom(Report("sam3", ["sam3"], "cuda:0"), [both]) == "Made by SAM 3 (finds by name, outlines), on CUDA:0."
    assert by_whom(Report("auto", [], "cpu"), [yolox]) == ""


def test_layers_of_the_same_label_are_numbered() -> None:
    assert numbered(["cat", "dog", "cat", ""], "Object") == ["cat 1", "dog 1", "cat 2", "Object 1"]
