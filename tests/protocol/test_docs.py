"""docs/protocol.md names everything that is on the wire, and says of it what the code does."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from maskwright.gateway import listener, outgoing, session
from maskwright_protocol import bulk, codec, masks, messages
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import CODES
from maskwright_protocol.messages import CLIENT_MESSAGES, PRIORITIES, SERVER_MESSAGES, Job
from maskwright_protocol.pixels import FORMATS, TRANSFERS

DOC = Path(__file__).parents[2] / "docs" / "protocol.md"
TEXT = DOC.read_text(encoding="utf-8")
SECTIONS = {match[1]: match[2] for match in re.finditer(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT, re.M | re.S)}
PARTS = [
    cls
    for cls in vars(messages).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type) and not issubclass(cls, messages.Message)
]


def rows(section: str) -> dict[str, list[str]]:
    """Tables' rows by what their first cell names in backquotes."""
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def type_name(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        return "optional " + type_name(next(a for a in arguments if a is not type(None)))
    if origin is list:
        return "list of " + type_name(arguments[0])
    if origin is dict:
        return "map of str to " + type_name(arguments[1])
    return "any" if hint is Any else hint.__name__


def default_of(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "empty" if field.default_factory() in ([], {}) else "all defaults"
    if field.default is dataclasses.MISSING:
        return ""
    if field.default is None:
        return "absent"
    return "empty" if field.default == b"" else json.dumps(field.default)


def check_fields(cls: type, section: str, left_out: set[str]) -> None:
    hints, table = typing.get_type_hints(cls), rows(section)
    fields = [field for field in dataclasses.fields(cls) if field.name not in left_out]
    assert list(table) == [field.name for field in fields]
    for field in fields:
        kind, default, meaning = table[field.name]
        assert (field.name, kind, default) == (field.name, type_name(hints[field.name]), default_of(field))
        assert meaning


@pytest.mark.parametrize("kind", sorted({**CLIENT_MESSAGES, **SERVER_MESSAGES}))
def test_every_message_with_its_fields(kind: str) -> None:
    cls = {**CLIENT_MESSAGES, **SERVER_MESSAGES}[kind]
    direction = " and ".join(side for side, known in (("C", CLIENT_MESSAGES), ("S", SERVER_MESSAGES)) if kind in known)
    common = {field.name for field in dataclasses.fields(Job)} if issubclass(cls, Job) else set()
    check_fields(cls, SECTIONS[f"`{kind}` ({direction})"], common)


def test_the_fields_of_all_jobs() -> None:
    check_fields(Job, SECTIONS["All jobs"], set())
    for kind, cls in CLIENT_MESSAGES.items():
        assert (f"`{kind}`" in SECTIONS["All jobs"].split("|")[0]) is issubclass(cls, Job)


@pytest.mark.parametrize("cls", PARTS, ids=lambda cls: cls.__name__)
def test_every_part_with_its_fields(cls: type) -> None:
    check_fields(cls, SECTIONS[cls.__name__], set())


def test_nothing_is_described_that_is_not_there() -> None:
    described = {name.split("`")[1] for name in SECTIONS if name.startswith("`")}
    assert described == {*CLIENT_MESSAGES, *SERVER_MESSAGES}


def test_every_error() -> None:
    table = rows(TEXT[TEXT.index("## Errors") : TEXT.index("## Vectors")])
    assert set(table) == set(CODES)
    assert all(when and what for when, what in table.values())


def test_every_pixel_format_with_its_size() -> None:
    section = SECTIONS["Pixel formats"]
    found = {name: int(size) for name, size in re.findall(r"`(\w+)` \((\d+)", section)}
    assert found == {name: layout.pixel_bytes for name, layout in FORMATS.items()}
    assert all(f"`{transfer}`" in section for transfer in TRANSFERS)


def test_the_worked_example_is_right() -> None:
    vectors = json.loads((Path(__file__).parent / "vectors" / "image_key.json").read_text(encoding="utf-8"))
    assert f"```\n{vectors[0]['hashed_text']}\n```" in TEXT
    assert f"`{vectors[0]['key']}`" in TEXT


def test_the_discovery_files_fields() -> None:
    section = TEXT[TEXT.index("## Finding the server") : TEXT.index("## Connection")]
    example = re.search(r"```json\n(.*?)\n```", section)
    assert example is not None
    names = [field.name for field in dataclasses.fields(Endpoint)]
    assert list(json.loads(example[1])) == names
    assert all(f"`{name}`" in section for name in names)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("bytes of a message to the server", codec.MAX_MESSAGE),
        ("depth of nesting", codec.MAX_DEPTH),
        ("values in a message", codec.MAX_ITEMS),
        ("to the server: elements of a list", codec.MAX_LIST),
        ("to the server: elements of a list", codec.MAX_ENTRIES),
        ("to the server: characters of a string", codec.MAX_TEXT),
        ("to the server: floats", codec.MAX_COORDINATE),
        ("pixels of a mask", masks.MAX_MASK_PIXELS),
        ("bytes of parts that wait", session.MAX_PART_BYTES >> 20),
        ("bytes of parts that wait", bulk.MAX_BLOBS),
        ("bytes of parts and of waiting", session.MAX_MASKS_TOTAL >> 20),
        ("a connection without", listener.HELLO_S),
        ("an upload, or parts", session.SILENCE_S),
        ("an upload, or parts", session.SLOWEST_UPLOAD >> 10),
        ("pixels of `picture.box`", masks.MAX_MASK_PIXELS),
        ("answers that", outgoing.MAX_UNREAD),
        ("answers that", outgoing.MAX_UNREAD_BYTES >> 20),
        ("answers that", outgoing.MAX_UNREAD_TOTAL >> 30),
        ("answers that", outgoing.READ_TIMEOUT_S),
        ("data of one", session.SLICE_BYTES),
    ],
)
def test_limits(what: str, value: float) -> None:
    (line,) = [line for line in TEXT.splitlines() if line.startswith(f"| {what}")]
    assert re.search(rf"(?<![\d,]){value:,.0f}(?![\d,])", line.split("|", 2)[2]), line


def test_other_numbers() -> None:
    assert f"when {listener.MAX_SESSIONS} clients are connected" in TEXT
    assert masks.INLINE_BYTES == 4 << 20
    assert bulk.PART_BYTES == 1 << 20
    assert f"# The protocol, version {messages.PROTOCOL_VERSION}" in TEXT
    assert all(f"`{priority}`" in TEXT for priority in PRIORITIES)


def test_every_vector_file_is_listed() -> None:
    listed = rows(TEXT[TEXT.index("## Vectors") :])
    assert set(listed) == {path.name for path in (Path(__file__).parent / "vectors").iterdir()}


def test_links_within_the_page() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", TEXT, re.M)
    }
    assert set(re.findall(r"\(#([\w-]+)\)", TEXT)) <= anchors
