"""A contact sheet: every picture beside what came of it, those to look at first.

A page for browsers (``.html``) shows thumbnails from a folder beside it as they are scrolled to, so that ten thousand
pictures open as quickly as ten; it needs nothing from elsewhere. As pictures (``.png``) the sheet has pages. While a
batch runs, only a line of each picture is kept in memory.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageDraw, ImageFont

from maskwright.files.writing import write_whole
from maskwright_protocol.errors import BadInput

from .outcome import DONE, FAILED, NOTHING_FOUND, SKIPPED, Outcome
from .task import told_when_not_written
from .thumbnails import SIDE, Thumbnails

ACROSS, DOWN = 4, 8  # thumbnails of a page of a PNG sheet
GAP, LINES = 12, 44
PAPER, INK, FAINT, FLAG = (250, 249, 246), (30, 30, 34), (110, 110, 118), (200, 60, 20)
_WORDS = {DONE: "", SKIPPED: "", NOTHING_FOUND: "nothing found", FAILED: "failed"}
_FINGERPRINT = re.compile(r"[0-9a-f]{32}\.webp")
_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }}
body {{ margin: 1.5rem }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(460px, 1fr)); gap: 1rem }}
figure {{ margin: 0; padding: .5rem; border: 1px solid #8884; border-radius: 6px }}
figure.look {{ border: 2px solid #d9480f }}
figure.none {{ opacity: .8 }}
img {{ max-width: 100%; height: auto; display: block }}
figcaption {{ overflow-wrap: anywhere; margin-top: .4rem }}
b {{ color: #d9480f }}
</style>
<h1>{title}</h1>
<p>{counts}</p>
<main>
"""


@dataclass(frozen=True)
class _Entry:
    place: tuple[int, int]  # in the sheet: what to look at first, then as they came
    name: str
    thumbnail: str
    score: float | None
    doubtful: bool
    words: str
    file: str

    @property
    def said(self) -> str:
        told = [self.words] if self.words else []
        if self.score is not None:
            told.append(f"score {self.score:.2f}")
        return ", ".join(told)


class Sheet:
    """``path`` ends with ``.html`` or ``.png``; thumbnails lie in a folder beside it. Raises ``BadInput``."""

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in (".html", ".htm", ".png"):
            raise BadInput(f"A sheet cannot be written as {path.name}.", "Call it sheet.html or sheet.png.")
        self.path = path
        self.thumbnails = Thumbnails(path.with_name(f"{path.stem}_files"))
        self._entries: list[_Entry] = []

    def add(self, outcome: Outcome) -> None:
        record = outcome.record
        doubtful = bool(record.get("doubtful"))
        rank = 0 if doubtful else {FAILED: 1, NOTHING_FOUND: 2}.get(outcome.status, 3)
        words = _WORDS[outcome.status]
        if words and record.get("message"):
            words = f"{words}: {record['message']}"
        files: Sequence[str] = record.get("files") or ()
        self._entries.append(
            _Entry(
                (rank, len(self._entries)), outcome.item.name, outcome.thumbnail, record.get("score"), doubtful, words,
                files[0] if files else "",
            )
        )  # fmt: skip

    def write(self, counts: str) -> list[Path]:
        """Write the sheet, remove thumbnails that it does not show. ``counts`` is a sentence. Raises ``BadInput``."""
        entries = sorted(self._entries, key=lambda entry: entry.place)
        with told_when_not_written(self.path):
            if self.path.suffix.lower() == ".png":
                written = [self._page(number, page) for number, page in enumerate(_pages(entries), 1)]
            else:
                text = _HEAD.format(title=escape(self.path.stem), counts=escape(counts))
                figures = "".join(self._figure(entry) for entry in entries)
                data = f"{text}{figures}</main>\n</html>\n".encode("utf-8", "replace")
                write_whole(self.path, data)
                written = [self.path]
        self._tidy({f"{entry.thumbnail}.webp" for entry in entries})
        return written

    def _figure(self, entry: _Entry) -> str:
        kind = "look" if entry.doubtful else "" if entry.file else "none"
        image = ""
        if self.thumbnails.has(entry.thumbnail):
            source = quote(f"{self.thumbnails.folder.name}/{entry.thumbnail}.webp")
            image = f'<img loading="lazy" src="{source}" alt="">'
        if entry.file and image:
            image = f'<a href="{escape(_link(entry.file, self.path.parent))}">{image}</a>'
        flag = "<b>Look at it.</b> " if entry.doubtful else ""
        said = f"<br>{flag}{escape(entry.said)}" if flag or entry.said else ""
        return f'<figure class="{kind}">{image}<figcaption>{escape(entry.name)}{said}</figcaption></figure>\n'

    def _page(self, number: int, entries: Sequence[_Entry]) -> Path:
        step = (2 * SIDE + GAP, SIDE + LINES + GAP)
        rows = -(-len(entries) // ACROSS) or 1
        page = Image.new("RGB", (GAP + ACROSS * step[0], GAP + rows * step[1]), PAPER)
        draw, font = ImageDraw.Draw(page), ImageFont.load_default(14)
        for place, entry in enumerate(entries):
            x, y = GAP + place % ACROSS * step[0], GAP + place // ACROSS * step[1]
            if self.thumbnails.has(entry.thumbnail):
                with Image.open(self.thumbnails.path(entry.thumbnail)) as thumbnail:
                    page.paste(thumbnail, (x, y))
            if entry.doubtful:
                draw.rectangle((x - 4, y - 4, x + 2 * SIDE + 3, y + SIDE + LINES), outline=FLAG, width=2)
            said = f"Look at it. {entry.said}" if entry.doubtful else entry.said
            draw.text((x, y + SIDE + 4), _fitting(Path(entry.name).name, font), INK, font)
            draw.text((x, y + SIDE + 22), _fitting(said, font), FLAG if entry.doubtful else FAINT, font)
        path = self.path if number == 1 else self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")
        data = io.BytesIO()
        page.save(data, "PNG")
        write_whole(path, data.getvalue())
        return path

    def _tidy(self, shown: set[str]) -> None:
        if self.thumbnails.folder.is_dir():
            for path in self.thumbnails.folder.iterdir():
                if _FINGERPRINT.fullmatch(path.name) and path.name not in shown:
                    path.unlink(missing_ok=True)


def _pages(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    size = ACROSS * DOWN
    yield from (entries[start : start + size] for start in range(0, max(1, len(entries)), size))


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """As much of a text as fits below a thumbnail; the default font lacks most letters that it cannot name."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    while text and font.getlength(text) > 2 * SIDE:
        text = text[:-4] + "..." if not text.endswith("...") else text[:-5] + "..."
    return text


def _link(file: str, folder: Path) -> str:
    """The address of a file, from a page in ``folder``."""
    try:
        relative = os.path.relpath(file, folder)
    except ValueError:  # on another drive
        return Path(file).resolve().as_uri()
    return quote(relative.replace(os.sep, "/"), errors="surrogateescape")
