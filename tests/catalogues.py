"""The texts that people read, taken from the sources, and the catalogues of their translations.

``python -m tests.catalogues`` brings the catalogues up to date: texts that are new are added without a translation,
those that are gone are removed. ``python -m tests.catalogues de`` begins a new language, or brings only that one up to
date.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.shared_data import REPOSITORY

LANGUAGES = REPOSITORY / "protocol" / "maskwright_protocol" / "languages"
# What programs speak through catalogues; the client's part for scripts speaks to programmers, in English.
SPOKEN = ("protocol", "plugin_krita/maskwright_krita", "plugin_gimp", "server/maskwright")
UNSPOKEN = ("maskwright_client/scripting",)
MODELS = REPOSITORY / "server" / "maskwright" / "models" / "catalogue"
ACTIONS = REPOSITORY / "plugin_krita" / "maskwright_krita.action"
DESKTOP = REPOSITORY / "plugin_krita" / "maskwright_krita.desktop"
PLURALS = {"ja": "nplurals=1; plural=0;", "zh_CN": "nplurals=1; plural=0;", "fr": "nplurals=2; plural=(n > 1);"}
MANY = "nplurals=2; plural=(n != 1);"
WIDTH = 100


@dataclass
class Entry:
    """A text: ``several`` is its plural, ``files`` where it is used, ``said`` its translations (one a plural form)."""

    text: str
    several: str = ""
    files: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


# ---------------------------------------------------------------- the sources


def files() -> Iterator[Path]:
    """The Python files whose texts people read."""
    for folder in SPOKEN:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            if "typings" not in path.parts and not any(name in path.as_posix() for name in UNSPOKEN):
                yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def literal(node: ast.expr) -> str | None:
    """The text of a plain literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Each ``tr`` and ``trn`` with those of its arguments that are texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            count = {"tr": 1, "trn": 2}.get(name, 0)
            if count:
                yield node, node.args[:count]


def texts() -> dict[str, Entry]:
    """All texts by their English."""
    found: dict[str, Entry] = {}

    def keep(text: str, several: str, file: Path) -> None:
        entry = found.setdefault(text, Entry(text))
        entry.several = entry.several or several
        name = file.relative_to(REPOSITORY).as_posix()
        if name not in entry.files:
            entry.files.append(name)

    for path in files():
        for _, arguments in calls(tree(path)):
            said = [literal(argument) for argument in arguments]
            if said[0]:
                keep(said[0], (said[1] or "") if len(said) > 1 else "", path)
    for path in sorted(MODELS.glob("*.toml")):
        for model in tomllib.loads(path.read_text(encoding="utf-8")).get("model", ()):
            if model.get("summary"):
                keep(model["summary"], "", path)
    for tip in xml.parse(ACTIONS).iter("toolTip"):
        keep(tip.text or "", "", ACTIONS)
    keep(re.findall("^Comment=(.+)$", DESKTOP.read_text(encoding="utf-8"), re.M)[0], "", DESKTOP)
    return found


# ---------------------------------------------------------------- the catalogues


def header(language: str) -> str:
    plurals = PLURALS.get(language, MANY)
    return f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: {plurals}\n"


def forms(language: str) -> int:
    """How many forms of a text for several things a language has."""
    found = re.search(r"nplurals=(\d+)", header(language))
    assert found
    return int(found[1])


def quoted(text: str) -> str:
    """A text as .po files have it, in several lines where it is long."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
    if len(escaped) <= WIDTH and "\\n" not in escaped[:-2]:
        return f'"{escaped}"'
    lines = [""]
    for piece in re.findall(r".*?(?:\\n|\s+|$)", escaped):
        if len(lines[-1]) + len(piece) > WIDTH or lines[-1].endswith("\\n"):
            lines.append("")
        lines[-1] += piece
    return '""\n' + "\n".join(f'"{line}"' for line in lines if line)


def written(language: str, entries: dict[str, Entry]) -> str:
    """The .po file."""
    blocks = [f'msgid ""\nmsgstr {quoted(header(language))}']
    for entry in entries.values():
        lines = [f"#: {file}" for file in entry.files]
        lines.append(f"msgid {quoted(entry.text)}")
        if entry.several:
            lines.append(f"msgid_plural {quoted(entry.several)}")
            said = entry.said or [""] * forms(language)
            lines += [f"msgstr[{number}] {quoted(text)}" for number, text in enumerate(said)]
        else:
            lines.append(f"msgstr {quoted(entry.said[0] if entry.said else '')}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def update(language: str) -> int:
    """Write a catalogue anew from the sources, with the translations that it has; how many texts have none."""
    from maskwright_protocol.language import read

    path, found = LANGUAGES / f"{language}.po", texts()
    if path.exists():
        with path.open(encoding="utf-8") as file:
            known = read(file)
        for text, entry in found.items():
            entry.said = known.plurals.get(text, []) if entry.several else [known.texts.get(text, "")]
    path.write_text(written(language, found), encoding="utf-8")
    return sum(not any(entry.said) for entry in found.values())


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in LANGUAGES.glob("*.po")):
        print(f"{name}: {update(name)} texts without a translation")
