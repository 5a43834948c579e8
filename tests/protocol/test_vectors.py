"""The byte-level vectors: files that never change by themselves, read and written through the public functions.

They were made with msgpack, hashlib and zlib alone, and are checked against those here too. A client in another
language can use the same files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest

from maskwright_client import websocket
from maskwright_client.ask import raster_data
from maskwright_protocol import codec, masks, proof
from maskwright_protocol.digest import image_key, strip_digests
from maskwright_protocol.errors import BadMessage
from maskwright_protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES, Mask, PixelRect
from maskwright_protocol.pixels import FORMATS

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def named(entry: dict[str, Any]) -> str:
    return entry.get("about") or entry["fields"]["type"]


def plain(value: Any) -> Any:
    """JSON -> what msgpack gives."""
    if isinstance(value, dict):
        return bytes.fromhex(value["$bytes"]) if "$bytes" in value else {k: plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


MESSAGES = load("exchange") + load("messages")


@pytest.mark.parametrize("entry", MESSAGES, ids=named)
def test_messages_in_both_directions(entry: dict[str, Any]) -> None:
    raw, fields = bytes.fromhex(entry["hex"]), plain(entry["fields"])
    assert msgpack.unpackb(raw) == fields
    message = codec.decode(raw, CLIENT_MESSAGES if entry["from"] == "client" else SERVER_MESSAGES)
    assert fields["type"] == message.TYPE
    assert codec.encode_bytes(message) == raw
    if entry["from"] == "client":
        assert codec.decode(raw, CLIENT_MESSAGES, limited=True) == message


def test_every_message_has_a_vector() -> None:
    covered = {(entry["from"], entry["fields"]["type"]) for entry in MESSAGES}
    assert {kind for who, kind in covered if who == "client"} == set(CLIENT_MESSAGES)
    assert {kind for who, kind in covered if who == "server"} | {"part"} == set(SERVER_MESSAGES)


def test_the_exchange_is_the_main_conversation() -> None:
    kinds = [entry["fields"]["type"] for entry in load("exchange")]
    assert kinds == ["hello", "welcome", "select", "progress", "selection"]


@pytest.mark.parametrize("entry", load("lenient"), ids=named)
def test_what_is_understood_though_we_would_not_write_it_so(entry: dict[str, Any]) -> None:
    message = codec.decode(bytes.fromhex(entry["hex"]), CLIENT_MESSAGES)
    cls = CLIENT_MESSAGES[entry["type"]]
    expected = codec.build(cls, plain(entry["fields"]), entry["type"])
    assert message == expected


@pytest.mark.parametrize("entry", load("refused"), ids=named)
def test_what_is_refused(entry: dict[str, Any]) -> None:
    raw = bytes.fromhex(entry["hex"])
    with pytest.raises(BadMessage):
        codec.decode(raw, {**CLIENT_MESSAGES, **SERVER_MESSAGES})


@pytest.mark.parametrize("entry", load("image_key"), ids=named)
def test_image_keys(entry: dict[str, Any]) -> None:
    width, height, name, transfer = (entry[field] for field in ("width", "height", "format", "transfer"))
    pixels = bytes.fromhex(entry["pixels"])
    strips = strip_digests(pixels, height, width * FORMATS[name].pixel_bytes)
    assert strips == entry["strips"]
    assert image_key(width, height, name, transfer, strips) == entry["key"]
    assert raster_data(pixels, width, height, name, PixelRect(0, 0, 1, 1), transfer).raster.key == entry["key"]
    assert entry["hashed_text"].split("\n") == [f"{width}x{height} {name} {transfer} 64", *strips]
    assert entry["key"] == "sha256-" + hashlib.sha256(entry["hashed_text"].encode()).hexdigest()


@pytest.mark.parametrize("entry", load("masks"), ids=named)
def test_masks(entry: dict[str, Any]) -> None:
    box, data, rows = PixelRect(*entry["box"]), bytes.fromhex(entry["data"]), bytes.fromhex(entry["rows"])
    mask = Mask(box, entry["depth"], entry["encoding"], data=data)
    assert masks.unpack(mask) == rows
    assert len(rows) == box.width * box.height * entry["depth"] // 8
    again = masks.pack(box, rows, entry["depth"], compress=entry["encoding"] == "zlib")
    assert masks.unpack(again) == rows
    assert again.encoding == entry["encoding"]
    assert (zlib.decompress(data) if entry["encoding"] == "zlib" else data) == rows
    assert masks.place(mask, box.width, box.height, box.x, box.y) == rows


def test_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = json.loads((FOLDER / "handshake.json").read_text(encoding="utf-8"))
    challenge = websocket.Challenge(entry["host"], entry["port"])
    assert challenge.request.decode() == entry["challenge"]
    assert challenge.feed(entry["challenge_answer"].encode())
    assert challenge.nonce == entry["server_nonce"]
    monkeypatch.setattr(os, "urandom", lambda count: bytes.fromhex(entry["random"])[:count])
    handshake = websocket.Handshake(entry["host"], entry["port"], entry["token"], challenge.nonce)
    assert handshake.request.decode() == entry["request"]
    assert handshake.feed(entry["response"].encode())
    assert handshake.rest == b""


def test_the_proofs_of_the_handshake() -> None:
    """Each value of the exchange, from nothing but HMAC and SHA-256."""
    entry = json.loads((FOLDER / "handshake.json").read_text(encoding="utf-8"))

    def mac(key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, hashlib.sha256).digest()

    token, signed = entry["token"].encode(), entry["signed"].encode()
    client_key, server_key = mac(token, b"Client Key"), mac(token, b"Server Key")
    stored_key = hashlib.sha256(client_key).digest()
    signature = mac(stored_key, signed)
    assert entry["signed"] == f"maskwright 1\n{entry['port']}\n{entry['server_nonce']}\n{entry['client_nonce']}"
    assert (entry["client_key"], entry["stored_key"]) == (client_key.hex(), stored_key.hex())
    assert entry["client_proof"] == bytes(a ^ b for a, b in zip(client_key, signature, strict=True)).hex()
    assert entry["server_proof"] == mac(server_key, signed).hex()
    shown = f"Maskwright {entry['server_nonce']} {entry['client_nonce']} {entry['client_proof']}"
    assert f"\r\nAuthorization: {shown}\r\n" in entry["request"]
    assert f"\r\nMaskwright-Proof: {entry['server_proof']}\r\n" in entry["response"]
    assert proof.is_client_proof(
        proof.Verifier(stored_key, server_key), entry["signed"].encode(), entry["client_proof"]
    )


@pytest.mark.parametrize("entry", load("frames"), ids=named)
def test_frames(entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    raw, payload = bytes.fromhex(entry["frame"]), bytes.fromhex(entry["payload"])
    if entry["mask"] is None:
        assert websocket.FrameReader(1000).feed(raw) == [(entry["opcode"], payload)]
        return
    mask = bytes.fromhex(entry["mask"])
    monkeypatch.setattr(os, "urandom", lambda count: mask[:count])
    assert b"".join(bytes(part) for part in websocket.frame(entry["opcode"], [payload])) == raw
    masked = raw[-len(payload) :]
    assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked)) == payload
