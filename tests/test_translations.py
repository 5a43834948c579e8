"""Every text that people read is in every catalogue, and nothing that they read misses ``tr``."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwright_protocol import language
from maskwright_protocol.errors import CODES
from tests import catalogues
from tests.shared_data import REPOSITORY

LANGUAGES = ("de", "es", "fr", "ja", "zh_CN")
TEXTS = catalogues.texts()
FILES = {path: catalogues.tree(path) for path in catalogues.files()}


def catalogue(name: str) -> language.Catalogue:
    return language.catalogue(name)


# ---------------------------------------------------------------- the catalogues


def test_there_is_a_catalogue_for_each_language() -> None:
    assert language.available() == LANGUAGES


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_text_is_missing(name: str) -> None:
    known = catalogue(name)
    missing = [text for text, entry in TEXTS.items() if text not in (known.plurals if entry.several else known.texts)]
    assert missing == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_catalogue_is_what_the_tool_writes(name: str) -> None:
    """Nothing in it that no source has, and in the sources' order."""
    known, entries = catalogue(name), catalogues.texts()
    for text, entry in entries.items():
        entry.said = known.plurals.get(text, []) if entry.several else [known.texts.get(text, "")]
    path = catalogues.LANGUAGES / f"{name}.po"
    assert path.read_text(encoding="utf-8") == catalogues.written(name, entries), "run: python -m tests.catalogues"


def fields(text: str) -> dict[str, set[str]]:
    """The places for values in a text, with how each is written."""
    found: dict[str, set[str]] = {}
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is not None:
            found.setdefault(name, set()).add(f"{conversion or ''}:{spec}")
    return found


def has_values(text: str) -> bool:
    return re.search(r"\{\d", text) is not None


@pytest.mark.parametrize("name", LANGUAGES)
def test_translations_have_the_same_places_for_values(name: str) -> None:
    known, wrong = catalogue(name), []
    for text, entry in TEXTS.items():
        said = known.plurals.get(text, []) if entry.several else [known.texts.get(text, "")]
        if entry.several:
            wrong += [] if len(said) == catalogues.forms(name) else [text]
        if has_values(text + entry.several):
            wrong += [one for one in said if fields(one) != fields(entry.several or text)]
        else:  # braces stand for themselves
            wrong += [one for one in said if re.findall(r"\{.*?\}", one) != re.findall(r"\{.*?\}", text)]
    assert wrong == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_translations_keep_what_programs_read(name: str) -> None:
    """Commands to type, and the space around a separator."""
    known = catalogue(name)
    for text, said in known.texts.items():
        commands = re.findall(r"maskwright (?:serve|doctor|models list|models show|models pull|run|stop)\b", text)
        assert [command for command in commands if command not in said] == [], said
        assert text.count("\n") == said.count("\n"), said


# ---------------------------------------------------------------- letters pressed with Alt


def marked(label: str, mark: str) -> str:
    """The letter after the mark; a mark that is written twice is a letter of the text."""
    found = re.search(f"(?<!{mark}){mark}([^{mark}\\s])", label)
    return found[1].casefold() if found else ""


def menu_entries(file: str) -> dict[str, list[str]]:
    """The labels of a table of menu entries, by menu: each row begins with an id, a label and the menu."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(FILES[REPOSITORY / file]):
        row = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
        if len(row) < 3 or not (catalogues.literal(row[0]) or "").startswith("maskwright"):
            continue
        labels = [text for _, (first, *_) in catalogues.calls(row[1]) if (text := catalogues.literal(first))]
        found.setdefault(ast.unparse(row[2]), []).extend(labels)
    return {menu: labels for menu, labels in found.items() if labels}


KRITA = menu_entries("plugin_krita/maskwright_krita/extension.py")
GIMP = menu_entries("plugin_gimp/maskwright_gimp/procedures.py")


@pytest.mark.parametrize("name", ["en", *LANGUAGES])
@pytest.mark.parametrize(("entries", "mark"), [(KRITA, "&"), (GIMP, "_")], ids=["krita", "gimp"])
def test_a_menu_has_each_letter_once(entries: dict[str, list[str]], mark: str, name: str) -> None:
    assert sum(map(len, entries.values())) > 10
    known = catalogue(name).texts
    for menu, labels in entries.items():
        letters = [marked(known.get(label, label), mark) for label in labels if mark in label]
        assert "" not in letters
        assert len(set(letters)) == len(letters), (menu, letters)


# ---------------------------------------------------------------- the sources

# Calls whose texts people see, by the name of the function; of those that take other texts too, which arguments.
SHOWN = {
    "QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "setText", "setToolTip", "setWindowTitle",
    "setPlaceholderText", "setStatusTip", "setWhatsThis", "addAction", "addItem", "addTab", "addRow", "setTitle",
    "setLabelText", "setInformativeText", "showMessage", "showFloatingMessage", "set_text", "set_label", "set_markup",
    "set_tooltip_text", "set_title", "set_placeholder_text", "message", "set_ok_label", "progress_init",
    "progress_set_text", "add_button", "set_menu_label", "Failure", "Told",
}  # fmt: skip
SHOWN_BY_NAME = {"label", "title", "tooltip_text", "placeholder_text", "text", "secondary_text", "hint", "tip"}
ERRORS = {kind.__name__ for kind in CODES.values()} | {"Problem"}
# Texts that look like words and are none, or are for programmers.
QUIET = {
    "AttributeError", "NotImplementedError", "RuntimeError", "TypeError", "ValueError", "KeyError", "IndexError",
    "OSError", "TimeoutError", "AssertionError", "debug", "info", "warning", "error", "exception", "log", "compile",
    "sub", "fullmatch", "match",
    "search", "split", "findall", "startswith", "endswith", "getLogger", "setObjectName", "inherits", "Thread", "cast",
    "TypeVar", "require_version", "encode", "setStyleSheet", "add_class", "Formatter", "field", "set_property",
    "get_property", "connect", "getattr", "setattr", "hasattr", "namedtuple", "one_of", "icon", "getOpenFileName",
}  # fmt: skip
# A sentence or several words; single words are found by where they are shown.
WORDS = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z(\"']{1,}")
NOT_WORDS = re.compile(r"^[\W\d_]*$|^[a-z0-9_.:/ -]*$|^\s*<|background-color|border-radius|R'G'B'|Y u|^#|^ ?[,;:]")


def shown_files() -> list[Path]:
    """What runs inside the editors: there every text is looked at."""
    return [
        path
        for path in FILES
        if any(part in path.parts for part in ("maskwright_krita", "maskwright_gimp", "maskwright_client"))
        and path.name not in NO_TEXTS
    ]


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def children(node: ast.AST) -> Iterator[ast.AST]:
    """What a node holds, without annotations, and without what is only compared with or looked up by."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from (one for one in [*node.args.defaults, *node.args.kw_defaults, *node.body] if one is not None)
    elif isinstance(node, ast.AnnAssign):
        yield from [node.value] if node.value is not None else []
    elif isinstance(node, (ast.Assert, ast.Compare, ast.Subscript)):
        yield from (one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.Constant))
    elif isinstance(node, ast.Dict):
        yield from node.values
    else:
        yield from ast.iter_child_nodes(node)


def unwrapped(node: ast.AST, everything: bool, shown: bool = False) -> Iterator[str]:
    """Texts that people see and that are not in a call of ``tr``. ``everything``: all that reads like words, else the
    texts of errors alone. ``shown``: the node is what a widget or a message shows."""
    if isinstance(node, ast.Expr) and catalogues.literal(node.value) is not None:
        return  # documentation
    if isinstance(node, ast.Call):
        name = called(node)
        if name in ("tr", "trn") or name in QUIET:
            return
        error, widget = name in ERRORS, everything and name in SHOWN
        yield from unwrapped(node.func, everything)
        for number, argument in enumerate(node.args):
            yield from unwrapped(argument, everything, widget or (error and number < 2))
        for keyword in node.keywords:
            named = (everything and keyword.arg in SHOWN_BY_NAME) or (error and keyword.arg == "hint")
            yield from unwrapped(keyword.value, everything, named or widget)
        return
    text = catalogues.literal(node) if isinstance(node, ast.expr) else None
    if isinstance(node, ast.JoinedStr):
        text = "".join(catalogues.literal(part) or "{}" for part in node.values)
    if text is not None:
        words = re.search(r"[A-Za-z]{2}", text) if shown else everything and WORDS.search(text)
        if words and not NOT_WORDS.search(text):
            yield text
        return
    for child in children(node):
        yield from unwrapped(child, everything, shown)


# What reads like words and is not for people, or is the same in all languages.
ALLOWED = {
    ' --mask "masks/{stem}.png"', "maskwright run {} PICTURES{} -o OUT", "Connection: Upgrade", "Upgrade: websocket",
}  # fmt: skip
NO_TEXTS = ("edit_words.py",)  # words that users write, in all languages


def test_every_text_in_the_editors_goes_through_tr() -> None:
    found = {
        (path.relative_to(REPOSITORY).as_posix(), text)
        for path in shown_files()
        for text in unwrapped(FILES[path], True)
        if text not in ALLOWED
    }
    assert sorted(found) == []


def test_every_error_that_a_client_may_see_goes_through_tr() -> None:
    """Those of the command line alone are for the terminal."""
    rooms = ("gateway", "images", "jobs", "workers", "recipes", "masks")
    wanted = [path for path in FILES if "maskwright" in path.parts and any(room in path.parts for room in rooms)]
    found = {
        (path.relative_to(REPOSITORY).as_posix(), text)
        for path in [*wanted, *(path for path in FILES if "maskwright_protocol" in path.parts)]
        for text in unwrapped(FILES[path], False)
        if path.stem not in ("access", "certificates", "tokens")
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("QLabel('Word')", 1),
        ("QLabel(tr('Word'))", 0),
        ("button(tip='Words to read')", 1),
        ("raise BadInput('No such thing.', tr('Try again.'))", 1),
        ("raise BadInput(f'No {name}.')", 1),
        ("TITLE = 'Select by Prompt'", 1),
        ("if text == 'Some words':\n    pass", 0),
        ('"""Documentation of a module."""', 0),
        ("log.warning('the server is gone')", 0),
    ],
)
def test_the_search_finds_what_it_looks_for(source: str, wrong: int) -> None:
    assert len(list(unwrapped(ast.parse(source), True))) == wrong


def test_tr_is_given_plain_texts() -> None:
    """Else they are not found here. Summaries of models and tips of Krita's actions are taken from their own files."""
    found = {
        (path.relative_to(REPOSITORY).as_posix(), ast.unparse(call))
        for path, tree in FILES.items()
        if path.name != "language.py"
        for call, arguments in catalogues.calls(tree)
        if any(catalogues.literal(argument) is None for argument in arguments)
    }
    assert found == {
        ("server/maskwright/models/install/scan.py", "tr(entry.summary)"),
        ("plugin_krita/maskwright_krita/extension.py", "tr(tip)"),
    }


def test_tr_is_given_a_value_for_each_place() -> None:
    wrong = []
    for path, tree in FILES.items():
        if path.name == "language.py":
            continue
        for call, arguments in catalogues.calls(tree):
            text = catalogues.literal(arguments[0]) or ""
            plural = len(arguments) > 1
            given = len(call.args) - (2 if plural else 1)
            if given and not any(isinstance(argument, ast.Starred) for argument in call.args):
                places = fields((catalogues.literal(arguments[1]) or "") if plural else text)
                if set(places) != {str(number) for number in range(given)}:
                    wrong.append((path.name, text))
    assert wrong == []
