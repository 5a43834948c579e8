"""What people read, in their language.

``tr`` gives a text in the language of this program, and the text remembers what it was made of: a server has clients of
several languages, and says it again in each one's (``said_in``). The texts in the code are English and are themselves
the keys of the catalogues, gettext's files in the folder ``languages``.

A program calls ``use`` before it imports what has texts, since many are made when a module is loaded.
"""

import dataclasses
import gettext
import os
import re
from functools import lru_cache
from numbers import Number
from typing import Any, Dict, Iterable, List, Tuple

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "languages")
OVERRIDE = "MASKWRIGHT_LANGUAGE"  # the environment variable that goes before what the editor says
SOURCE = "en"
# Scripts and regions whose readers one Chinese catalogue is for; the others rather read English.
_SIMPLIFIED = ("zh", "zh_cn", "zh_sg", "zh_my", "zh_hans")

_current = SOURCE


class Sentence(str):
    """A text for people, made of a template and the values in it."""

    template: str
    plural: str  # the template for several; empty where there is nothing to count
    values: Tuple[Any, ...]  # with a plural, the first is the count

    def __reduce__(self) -> Tuple[Any, ...]:
        """For another process, which gets texts and numbers."""
        values = tuple(value if isinstance(value, (str, Number)) else str(value) for value in self.values)
        return _restored, (str(self), self.template, self.plural, values)

    def said_in(self, language: str) -> str:
        """The same in another language, as plain text."""
        return _said(self.template, self.plural, said_in(self.values, language), language)

    def with_values(self, *values: Any) -> "Sentence":
        """The same sentence about something else."""
        return _restored(_said(self.template, self.plural, values, _current), self.template, self.plural, values)


def to_json(text: str) -> Any:
    """A text, or a value in one, for a process that is spoken to in JSON."""
    if not isinstance(text, Sentence):
        return text if isinstance(text, (str, int, float)) else str(text)
    return [str(text), text.template, text.plural, [to_json(value) for value in text.values]]


def from_json(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    text, template, plural, values = value
    return _restored(text, template, plural, tuple(from_json(one) for one in values))


def _restored(text: str, template: str, plural: str, values: Tuple[Any, ...]) -> Sentence:
    one = Sentence(text)
    one.template, one.plural, one.values = template, plural, values
    return one


def tr(template: str, *values: Any) -> Sentence:
    """The text in this program's language, with ``{0}``, ``{1}``, ... replaced by the values, if there are any."""
    if _current != SOURCE:
        text = _said(template, "", values, _current)
    else:  # servers say much that nobody asks for: in their own language it costs one call
        text = template.format(*values) if values else template
    one = Sentence(text)
    one.template, one.plural, one.values = template, "", values
    return one


def trn(one: str, several: str, count: int, *values: Any) -> Sentence:
    """The text for so many things: ``one`` or ``several``, or what other forms a language has. ``{0}`` is the count."""
    return _restored(_said(one, several, (count, *values), _current), one, several, (count, *values))


def joined(*sentences: str) -> str:
    """Sentences one after the other, without those that are empty."""
    found = [one for one in sentences if one]
    text = found[0] if found else ""
    for one in found[1:]:
        text = tr("{0} {1}", text, one)
    return text


def use(languages: Iterable[str]) -> str:
    """Make the first known one of these (as ``de``, ``de_AT.UTF-8`` or ``zh-Hans``) this program's; its name."""
    global _current
    override = os.environ.get(OVERRIDE)
    _current = nearest([override] if override else languages)
    return _current


def current() -> str:
    """This program's language, by the name of its catalogue; "en" without one."""
    return _current


@lru_cache(maxsize=None)
def available() -> Tuple[str, ...]:
    """The languages that there are catalogues of."""
    names = os.listdir(FOLDER) if os.path.isdir(FOLDER) else []
    return tuple(sorted(name[:-3] for name in names if name.endswith(".po")))


def nearest(languages: Iterable[str]) -> str:
    """The catalogue for a reader of these languages, the preferred one first; "en" where there is none."""
    for wanted in languages:
        parts = re.split(r"[.@]", wanted.replace("-", "_"))[0].lower().split("_")
        if parts[0] in (SOURCE, "c", "posix"):
            return SOURCE
        if parts[0] == "zh" and "_".join(parts[:2]) not in _SIMPLIFIED:
            continue
        names = {name.lower(): name for name in available()}
        for known in ("_".join(parts), "_".join(parts[:2]), parts[0], *(["zh_cn"] if parts[0] == "zh" else [])):
            if known in names:
                return names[known]
    return SOURCE


def said_in(value: Any, language: str) -> Any:
    """The value with every text of ours in it in this language: a message, a list, a map, or a text by itself. What
    holds none is the very same object."""
    if isinstance(value, Sentence):
        return value.said_in(language)
    if isinstance(value, (list, tuple)):
        items = [said_in(item, language) for item in value]
        same = all(new is old for new, old in zip(items, value))
        return value if same else items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        entries = {key: said_in(item, language) for key, item in value.items()}
        return value if all(entries[key] is value[key] for key in value) else entries
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        changed = {name: new for name, old in fields.items() if (new := said_in(old, language)) is not old}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _said(template: str, plural: str, values: Tuple[Any, ...], language: str) -> str:
    found = catalogue(language)
    text = found.text(template, plural, values[0]) if plural else found.texts.get(template, template)
    if not values:
        return text
    try:
        return text.format(*values)
    except (IndexError, KeyError, ValueError):  # a catalogue's mistake must not take an answer away
        return (plural if plural and values[0] != 1 else template).format(*values)


# ---------------------------------------------------------------- catalogues


@dataclasses.dataclass
class Catalogue:
    """``texts`` by their English; ``plurals``: the forms by the English singular; ``form``: which one a count takes."""

    texts: Dict[str, str]
    plurals: Dict[str, List[str]]
    form: Any

    def text(self, one: str, several: str, count: int) -> str:
        forms = self.plurals.get(one)
        number = self.form(abs(int(count)))
        if not forms or number >= len(forms):
            return one if count == 1 else several
        return forms[number]


@lru_cache(maxsize=None)
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language; an empty one where there is none."""
    if language not in available():
        return Catalogue({}, {}, lambda count: 0 if count == 1 else 1)
    with open(os.path.join(FOLDER, language + ".po"), encoding="utf-8") as file:
        return read(file)


_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def read(lines: Iterable[str]) -> Catalogue:
    """A catalogue from the lines of a .po file, without the entries that are fuzzy or have no translation."""
    texts: Dict[str, str] = {}
    plurals: Dict[str, List[str]] = {}
    entry: Dict[str, str] = {}
    key, fuzzy, next_is_fuzzy = "", False, False

    def keep() -> None:
        strings = [entry[name] for name in sorted(entry) if name.startswith("msgstr")]
        if not strings or fuzzy or not all(strings):
            return
        if "msgid_plural" in entry:
            plurals[entry["msgid"]] = strings
        else:
            texts[entry["msgid"]] = strings[0]

    for line in lines:
        if line.startswith("#"):
            next_is_fuzzy = next_is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        name, quote, text = line.partition('"')
        if not quote:
            continue
        if name:
            key = name.strip()
            if key == "msgid":
                keep()
                entry, fuzzy, next_is_fuzzy = {}, next_is_fuzzy, False
        text = text[: text.rindex('"')]
        if "\\" in text:
            text = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
        entry[key] = entry.get(key, "") + text
    keep()
    return Catalogue(texts, plurals, _plural_form(texts.pop("", "")))


def _plural_form(header: str) -> Any:
    found = re.search(r"Plural-Forms:.*?plural=([^;\n]+)", header)
    return gettext.c2py(found[1]) if found else (lambda count: 0 if count == 1 else 1)  # type: ignore[attr-defined]
