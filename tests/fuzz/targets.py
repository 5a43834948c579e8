"""What is fuzzed: each target takes bytes and tells what came of them; anything but a documented error is raised."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maskwright_client.websocket import Challenge, FrameReader, Handshake
from maskwright_protocol import codec
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import CLIENT_MESSAGES, Cancel, Hello, StatusRequest

from . import conversations
from .choices import Choices


@dataclass(frozen=True)
class Target:
    """``run`` takes one input and names what came of each of its steps; ``seeds`` are sound inputs to begin with."""

    run: Callable[[bytes], list[str]]
    seeds: Callable[[], list[bytes]]
    longest: int = 512  # bytes of an input


def allowed(work: Callable[[], object]) -> str:
    """The code of the documented error that came of it, or ``fine``."""
    try:
        work()
    except MaskwrightError as error:
        return error.code
    return "fine"


def settle(folder: Path) -> None:
    """Keep what the targets record of models in ``folder``, and away from the user's own."""
    os.environ.update(MASKWRIGHT_CONFIG=str(folder / "config.toml"), MASKWRIGHT_RUNTIME_DIR=str(folder / "run"))
    os.environ.update(XDG_DATA_HOME=str(folder), LOCALAPPDATA=str(folder), OMP_NUM_THREADS="1")


@contextmanager
def file_with(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="maskwright-fuzz-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


# ---------------------------------------------------------------- the wire


def decode(data: bytes) -> list[str]:
    """The server's decoder; what it accepts is the same message when it is sent on."""

    def work() -> None:
        message = codec.decode(data, CLIENT_MESSAGES, limited=True)
        packed = codec.encode_bytes(message)
        assert codec.encode_bytes(codec.decode(packed, CLIENT_MESSAGES)) == packed

    return [allowed(work)]


def messages() -> list[bytes]:
    plain = [codec.encode_bytes(message) for message in (Hello(1, "fuzz"), StatusRequest("s"), Cancel("j"))]
    return plain + conversations.sound_messages()


def frames(data: bytes) -> list[str]:
    """The client's reader of frames: however the bytes arrive, they mean the same."""
    choices = Choices(data)
    size = 1 + choices.number(64)
    rest = choices.take(len(data))

    def read(pieces: list[bytes]) -> tuple[list[tuple[int, bytes]], str]:
        reader, found = FrameReader(4096), []

        def work() -> None:
            for piece in pieces:
                room = reader.wanted()
                if room is not None and len(room) >= len(piece) > 0:
                    room[: len(piece)] = piece
                    got = reader.filled(len(piece))
                else:
                    got = reader.feed(piece)
                found.extend((opcode, bytes(payload)) for opcode, payload in got)

        return found, allowed(work)

    (whole, end), (parts, other) = read([rest]), read([rest[at : at + size] for at in range(0, len(rest), size)])
    assert end == other
    assert end != "fine" or whole == parts, "what is read depends on how it arrives"
    return [end]


def frame_seeds() -> list[bytes]:
    small, long = b"\x82\x05hello", b"\x82\x7e\x01\x00" + bytes(256)
    return [b"\x03" + body for body in (small, long, b"\x02\x02ab\x80\x01c", b"\x89\x00", b"\x88\x02\x03\xe8")]


def handshake(data: bytes) -> list[str]:
    """What the client makes of whatever answers at the server's address."""
    challenge, opening = Challenge("127.0.0.1", 1), Handshake("127.0.0.1", 1, "token", "a" * 80)

    def work(talk: Challenge | Handshake) -> bool:
        return any(talk.feed(data[at : at + 100]) for at in range(0, len(data), 100))

    def proved() -> None:
        assert not work(opening), "it was taken for the server without its proof"

    return [allowed(lambda: work(challenge)), allowed(proved)]


def handshake_seeds() -> list[bytes]:
    upgrade = "101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nMaskwright-Proof: 00"
    heads = (upgrade, "401 No", "503 Busy", "200 OK\r\nContent-Length: 8\r\n\r\nabcd1234")
    return [f"HTTP/1.1 {head}\r\n\r\n".encode() for head in heads]


# ---------------------------------------------------------------- files


def picture(data: bytes) -> list[str]:
    """A picture file that a user names; its pixels, or one of our sentences."""
    from maskwright.files.reading import read_picture

    with file_with(data, "picture.png") as path:
        return [allowed(lambda: read_picture(path))]


def picture_seeds() -> list[bytes]:
    import numpy as np
    from PIL import Image

    found = []
    for mode, formats in {
        "RGB": ("PNG", "JPEG", "WEBP", "TIFF"),
        "RGBA": ("PNG", "WEBP"),
        "I;16": ("PNG", "TIFF"),
    }.items():
        for form in formats:
            pixels = np.arange(64, dtype=np.uint16 if mode == "I;16" else np.uint8).reshape(8, 8)
            image = Image.fromarray(pixels) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
            file = io.BytesIO()
            image.save(file, form)
            found.append(file.getvalue())
    return found


def entries(data: bytes) -> list[str]:
    """The user's ``models.toml``: never raises, whatever it says."""
    from maskwright.models.catalogue.loading import built_in, merge

    merged = merge(built_in(), data.decode("utf-8", "replace"))
    return ["problems" if merged.problems else "fine"]


def entry_seeds() -> list[bytes]:
    text = '[[model]]\nid = "mine"\nfamily = "u2net"\nroles = ["saliency"]\nfiles = [{ name = "a.onnx", size = 3 }]\n'
    deep = b"x = " + b"[" * 5000
    return [text.encode(), b"", deep, text.replace("[[model]]", "[model]").encode(), text.replace("3", "1e9").encode()]


def model_folder(data: bytes) -> list[str]:
    """A folder of models with odd files in it: what is found there, and whether it is sound."""
    from maskwright.models import catalogue
    from maskwright.models.catalogue.labels import installed_table
    from maskwright.models.install.scan import scan, verify

    choices = Choices(data)
    known = catalogue.built_in().model
    entry = known[choices.number(len(known))]
    with tempfile.TemporaryDirectory(prefix="maskwright-fuzz-") as base:
        folder = Path(base) / entry.id
        folder.mkdir()
        for file in entry.files:
            kind = choices.number(4)
            if kind == 0:
                (folder / file.name).write_bytes(choices.take(1 + choices.number(200)))
            elif kind == 1 and file.size and file.size < 1 << 30:
                with (folder / file.name).open("wb") as sparse:
                    sparse.truncate(file.size if file.size < 1 << 16 else 7)
            elif kind == 2:
                (folder / file.name).symlink_to(choices.pick(["nowhere", file.name, "/etc/hostname", "."]))
        model = scan([Path(base)]).get(entry.id)
        installed_table(entry, folder)
        return [allowed(lambda: verify(model)) if model else "not found"]


def config(data: bytes) -> list[str]:
    """A parser's ``config.json``: a table of labels or none."""
    from maskwright.models import catalogue
    from maskwright.models.catalogue.labels import installed_table

    files = [{"name": "config.json"}, {"name": "model.safetensors"}, {"name": "preprocessor_config.json"}]
    parser = catalogue.own_entry({"id": "mine", "family": "segformer", "roles": ["parser"], "files": files})
    with file_with(data, "config.json") as path:
        return ["fine" if installed_table(parser, path.parent) else "none"]


def config_seeds() -> list[bytes]:
    return [json.dumps({"id2label": {"0": "Background", "1": "Hair", "2": "Face"}}).encode(), b"{}", b"[" * 100_000]


def onnx(data: bytes) -> list[str]:
    """A model file in ONNX."""
    from maskwright.models import catalogue
    from maskwright.models.runtime.onnx_session import OnnxSession

    entry = catalogue.built_in().get("u2netp")
    with file_with(data, "model.onnx") as path:
        return [allowed(lambda: OnnxSession(entry, path, None, "cpu", 1))]


def onnx_seeds() -> list[bytes]:
    """A model that gives its input back, by hand: fields of protobuf are a tag, a length and what they hold."""

    def part(number: int, value: bytes) -> bytes:
        return bytes([number << 3 | 2, len(value)]) + value

    shape = part(2, b"\x08\x01\x12\x00" + b"")
    kind = part(1, b"\x08\x01" + part(2, b""))
    node = part(1, b"x") + part(2, b"y") + part(4, b"Identity")
    graph = (
        part(1, node)
        + part(2, b"g")
        + part(11, part(1, b"x") + part(2, kind))
        + part(12, part(1, b"y") + part(2, kind))
    )
    model = b"\x08\x08" + part(7, graph) + part(8, b"\x10\x0d")
    external = part(5, b"\x08\x01\x10\x01" + part(8, b"w") + part(13, part(1, b"location") + part(2, b"/etc/passwd")))
    return [model, model + part(7, external), shape]


def safetensors(data: bytes) -> list[str]:
    """A model file in safetensors."""
    from maskwright.models import catalogue
    from maskwright.models.runtime import torch_runtime

    entry = catalogue.built_in().get("birefnet")
    with file_with(data, "model.safetensors") as path:
        return [allowed(lambda: torch_runtime.safetensors(path, entry))]


def safetensors_seeds() -> list[bytes]:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return [len(header).to_bytes(8, "little") + header + bytes(8)]


def folder_seeds() -> list[bytes]:
    return [bytes([number, 0, 50, *range(50), 1, 2, 3]) for number in range(0, 60, 7)]


TARGETS = {
    "codec": Target(decode, messages),
    "sessions": Target(conversations.converse, conversations.seeds),
    "frames": Target(frames, frame_seeds),
    "handshake": Target(handshake, handshake_seeds),
    "pictures": Target(picture, picture_seeds, 2048),
    "entries": Target(entries, entry_seeds),
    "folders": Target(model_folder, folder_seeds),
    "config": Target(config, config_seeds),
    "onnx": Target(onnx, onnx_seeds),
    "safetensors": Target(safetensors, safetensors_seeds),
}


def needs(name: str) -> bool:
    """Whether this installation has what the target fuzzes."""
    from importlib.util import find_spec

    return name != "safetensors" or (find_spec("torch") is not None and find_spec("safetensors") is not None)
