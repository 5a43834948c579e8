"""Contact sheets of made-up outcomes: order, names that bite, pages, leftovers."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from maskwright.batch.outcome import FAILED, NOTHING_FOUND, Counts, Item, Outcome, of_answer
from maskwright.batch.pace import Pace, spoken
from maskwright.batch.sheet import ACROSS, DOWN, Sheet
from maskwright.files.reading import Picture
from maskwright.files.result import Result
from maskwright_protocol.errors import BadInput

NAMES = ["plain.jpg", "<script>alert(1)</script>.png", 'quo"te\'s & more.png', "ümläut 猫.png", "a b#c?d%20.png",
         "new\nline.png", "\udcff.png", "{braces} {0}.png", "javascript:x.png"]  # fmt: skip


def outcome(name: str, score: float = 0.9, reason: str = "") -> Outcome:
    summary = {"instances": [{"score": score}] if not reason else [], "reason": reason, "message": reason}
    return of_answer(Item(Path("in") / name), summary, [] if reason else [Path("out") / name], 1.0)


class Page(HTMLParser):
    """The elements of a page, their texts and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.captions: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "figcaption":
            self.captions.append("")

    def handle_data(self, data: str) -> None:
        if self.captions:
            self.captions[-1] += data


def drawn(sheet: Sheet, one: Outcome, number: int) -> Outcome:
    one.thumbnail = f"{number:032x}"
    picture = Picture(np.full((30, 40, 3), 90, np.uint8))
    sheet.thumbnails.draw(one.thumbnail, picture, Result(40, 30, np.full((30, 40), 255, np.uint8)), [])
    return one


def test_names_are_shown_and_never_run(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet.html")
    for number, name in enumerate(NAMES):
        sheet.add(drawn(sheet, outcome(name), number))
    sheet.write("9 done.")
    page = Page((tmp_path / "sheet.html").read_text())
    allowed = {"html", "meta", "title", "style", "h1", "p", "main", "figure", "figcaption", "img", "a", "br", "b"}
    assert set(page.tags) <= allowed
    shown = [caption.splitlines()[0] for caption in page.captions]
    assert shown[0].startswith("in/plain.jpg")
    assert "<script>" in page.captions[1]
    assert len(page.captions) == len(NAMES)
    images = [link for link in page.links if link.startswith("sheet_files/")]
    assert all((tmp_path / unquote(link)).is_file() for link in images)
    assert len(images) == len(NAMES)
    assert not any(re.match(r"\w+:", link) for link in page.links), "nothing from elsewhere"


def test_what_to_look_at_comes_first(tmp_path: Path) -> None:
    sheet, counts = Sheet(tmp_path / "sheet.html"), Counts()
    outcomes = [
        outcome("good.png"), outcome("none.png", reason="nothing_found"), outcome("weak.png", 0.4),
        Outcome(Item(Path("in/broken.png")), FAILED, {"image": "", "status": FAILED, "message": "It is text."}),
        outcome("weaker.png", 0.3),
    ]  # fmt: skip
    for one in outcomes:
        counts.add(one)
        sheet.add(one)
    assert counts.sentence == "3 done, 1 with nothing found, 1 failed. 2 to look at."
    sheet.write(counts.sentence)
    text = (tmp_path / "sheet.html").read_text()
    order = [unescape(found) for found in re.findall(r"<figcaption>in/(\w+)", text)]
    assert order == ["weak", "weaker", "broken", "none", "good"]
    assert text.count("Look at it.") == 2
    assert "It is text." in text
    assert outcomes[1].status == NOTHING_FOUND


def test_pictures_have_pages_and_leftovers_go(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet.png")
    count = ACROSS * DOWN + 3
    for number in range(count):
        sheet.add(drawn(sheet, outcome(f"{number} 猫.png", 0.5 if number == count - 1 else 0.9), number))
    drawn(sheet, outcome("of an earlier run.png"), 999)
    other = sheet.thumbnails.folder / "holiday.webp"
    other.write_bytes(b"somebody's")
    written = sheet.write("")
    assert [path.name for path in written] == ["sheet.png", "sheet-2.png"]
    first, second = (Image.open(path) for path in written)
    assert (first.width, first.height > second.height) == (second.width, True)
    red = np.asarray(first.convert("RGB")).astype(int)[8:60, 8:60]
    assert ((red[..., 0] > 180) & (red[..., 1] < 80)).any(), "the doubtful one is framed, first on the first page"
    assert len(list(sheet.thumbnails.folder.iterdir())) == count + 1
    assert other.is_file()


def test_other_kinds_of_sheets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"sheet\.pdf"):
        Sheet(tmp_path / "sheet.pdf")


def test_the_time_left_goes_by_what_was_computed() -> None:
    clock = iter([0.0, 50.0, 52.0, 54.0, 54.1])
    pace = Pace(lambda: next(clock))
    assert pace.left(10) is None
    pace.ended(skipped=True)
    for _ in range(2):
        pace.ended(skipped=False)
    pace.ended(skipped=True)
    assert pace.left(10) == 20.0
    assert [spoken(seconds) for seconds in (0.2, 61, 300, 7200)] == ["1 s", "61 s", "5 min", "2.0 h"]
