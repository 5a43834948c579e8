"""The client's side of RFC 6455, against the server side of the ``websockets`` library, without sockets."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidHandshake
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from maskwright_client import websocket
from maskwright_client.websocket import BINARY, CLOSE, MASK_SLICE, PING, PONG, Challenge, FrameReader, Handshake, frame
from maskwright_protocol import proof
from maskwright_protocol.errors import (
    BadMessage,
    Busy,
    ConnectionLost,
    Forbidden,
    MaskwrightError,
    ServerAbsent,
    TooLarge,
)

BIG = 1 << 27
# All forms of the length field, and all places where masking changes its slice.
LENGTHS = [0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536, 65537, MASK_SLICE - 1, MASK_SLICE, MASK_SLICE + 1, 300_001]


def joined(opcode: int, payload: list[websocket.Buffer]) -> bytes:
    return b"".join(bytes(buffer) for buffer in frame(opcode, payload))


def answer_to(request: Request, token: str, channel: str) -> str:
    """The proof that a server shows which knows the token."""
    _, nonce, client_nonce, shown = request.headers["Authorization"].split(" ")
    verifier, signed = proof.verifier_of(token), proof.transcript(channel, nonce, client_nonce)
    assert proof.is_client_proof(verifier, signed, shown) == (token == "secret")
    return proof.server_proof(verifier, signed)


def opened() -> tuple[ServerProtocol, Handshake]:
    """A server protocol that has accepted our handshake."""
    ours, theirs = Handshake("127.0.0.1", 80, "secret", "a1"), ServerProtocol(max_size=BIG)
    theirs.receive_data(ours.request)
    (request,) = theirs.events_received()
    assert isinstance(request, Request)
    response = theirs.accept(request)
    response.headers[proof.PROOF_HEADER] = answer_to(request, "secret", "80")
    theirs.send_response(response)
    assert ours.feed(b"".join(theirs.data_to_send()))
    return theirs, ours


# ---------------------------------------------------------------- handshake


def refusal(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_real_server_and_we_agree(cut: int) -> None:
    ours, theirs = Handshake("::1", 4321, "secret", "a1"), ServerProtocol()
    theirs.receive_data(ours.request)
    (request,) = theirs.events_received()
    assert isinstance(request, Request)
    assert request.headers["Host"] == "[::1]:4321"
    assert b"secret" not in ours.request
    assert "Origin" not in request.headers
    assert "Sec-WebSocket-Extensions" not in request.headers
    response = theirs.accept(request)
    assert response.status_code == 101
    response.headers[proof.PROOF_HEADER] = answer_to(request, "secret", "4321")
    theirs.send_response(response)
    data = b"".join(theirs.data_to_send()) + b"first frame"
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)]
    needed = next(number for number, piece in enumerate(pieces, 1) if ours.feed(piece))
    assert b"".join(pieces[:needed]).endswith(b"\r\n\r\n" + ours.rest)


def test_each_handshake_has_its_own_key() -> None:
    assert Handshake("h", 1, "t", "a1").request != Handshake("h", 1, "t", "a1").request


@pytest.mark.parametrize(("token", "channel"), [("another", "80"), ("secret", "81"), ("secret", "tls")])
def test_a_server_that_does_not_know_the_token_or_is_elsewhere(token: str, channel: str) -> None:
    ours, theirs = Handshake("127.0.0.1", 80, "secret", "a1"), ServerProtocol()
    theirs.receive_data(ours.request)
    (request,) = theirs.events_received()
    assert isinstance(request, Request)
    response = theirs.accept(request)
    response.headers[proof.PROOF_HEADER] = proof.server_proof(
        proof.verifier_of(token), proof.transcript(channel, *request.headers["Authorization"].split(" ")[1:3])
    )
    theirs.send_response(response)
    with pytest.raises(ServerAbsent):
        ours.feed(b"".join(theirs.data_to_send()))


def test_a_challenge_in_pieces() -> None:
    challenge = Challenge("127.0.0.1", 80)
    assert challenge.request == b"GET /challenge HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na1b2"
    assert [challenge.feed(answer[n : n + 1]) for n in range(len(answer))] == [False] * (len(answer) - 1) + [True]
    assert challenge.nonce == "a1b2"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("401 Unauthorized"), Forbidden),
        (refusal("101 Switching Protocols"), ServerAbsent),
        (refusal("200 OK"), ServerAbsent),
        (refusal("200 OK", "Content-Length: 99999999"), ServerAbsent),
        (refusal("200 OK", "Content-Length: 0"), ServerAbsent),
        (refusal("200 OK", "Content-Length: 6") + b"a\r\nb: ", ServerAbsent),
        (refusal("200 OK", "Content-Length: 4", "Content-Length: 5") + b"a1b2c", ServerAbsent),
        (b"x" * (websocket.MAX_RESPONSE_HEAD + 1), ServerAbsent),
    ],
)
def test_what_is_no_challenge(answer: bytes, error: type[MaskwrightError]) -> None:
    with pytest.raises(error):
        Challenge("127.0.0.1", 80).feed(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("401 Unauthorized"), Forbidden),
        (refusal("403 Forbidden"), Forbidden),
        (refusal("503 Service Unavailable"), Busy),
        (refusal("200 OK", "Content-Type: text/html"), ServerAbsent),
        (refusal("500 Internal Server Error"), ServerAbsent),
        (refusal("101 Switching Protocols"), ServerAbsent),
        (refusal("101 Switching Protocols", "Sec-WebSocket-Accept: wrong"), ServerAbsent),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ServerAbsent),
        (b"\r\n\r\n", ServerAbsent),
        (b"x" * (websocket.MAX_RESPONSE_HEAD + 1), ServerAbsent),
    ],
)
def test_other_answers_are_typed_errors(answer: bytes, error: type[MaskwrightError]) -> None:
    with pytest.raises(error):
        Handshake("127.0.0.1", 80, "t", "a1").feed(answer)


def test_a_refusal_of_a_real_server() -> None:
    ours, theirs = Handshake("127.0.0.1", 80, "t", "a1"), ServerProtocol()
    theirs.receive_data(ours.request.replace(b"Version: 13", b"Version: 12"))
    assert isinstance(theirs.handshake_exc, InvalidHandshake) or theirs.events_received()
    theirs.send_response(theirs.reject(401, "no"))
    with pytest.raises(Forbidden):
        ours.feed(b"".join(theirs.data_to_send()))


def test_a_host_that_no_header_can_hold() -> None:
    with pytest.raises(Forbidden):
        Challenge("clé", 80)


# ---------------------------------------------------------------- frames to the server


@pytest.mark.parametrize("length", LENGTHS)
def test_a_real_server_reads_our_frames(length: int) -> None:
    theirs, _ = opened()
    payload = os.urandom(length)
    theirs.receive_data(joined(BINARY, [payload]))
    (received,) = theirs.events_received()
    assert isinstance(received, Frame)
    assert received.opcode == Opcode.BINARY
    assert bytes(received.data) == payload


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 3, 5, 130, MASK_SLICE, MASK_SLICE + 1]), max_size=5))
def test_a_payload_in_several_buffers_is_masked_as_one(lengths: list[int]) -> None:
    buffers: list[websocket.Buffer] = [bytearray(os.urandom(length)) for length in lengths]
    theirs, _ = opened()
    theirs.receive_data(joined(BINARY, buffers))
    (received,) = theirs.events_received()
    assert isinstance(received, Frame)
    assert bytes(received.data) == b"".join(buffers)


def test_views_of_wide_items_are_sent_as_their_bytes() -> None:
    theirs, _ = opened()
    wide = memoryview(bytearray(range(200))).cast("I")
    theirs.receive_data(joined(BINARY, [b"x", wide]))
    (received,) = theirs.events_received()
    assert isinstance(received, Frame)
    assert bytes(received.data) == b"x" + bytes(range(200))


def test_each_frame_has_its_own_mask() -> None:
    assert len({joined(BINARY, [b""])[-4:] for _ in range(20)}) > 1


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_control_frames(opcode: int) -> None:
    theirs, _ = opened()
    theirs.receive_data(joined(opcode, [b"hello"]))
    (received,) = theirs.events_received()
    assert isinstance(received, Frame)
    assert (received.opcode, bytes(received.data)) == ({PING: Opcode.PING, PONG: Opcode.PONG}[opcode], b"hello")


def test_our_goodbye_is_understood() -> None:
    theirs, _ = opened()
    theirs.receive_data(joined(CLOSE, [b"\x03\xe8"]))
    assert theirs.close_rcvd == Close(1000, "")


# ---------------------------------------------------------------- frames from the server


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_we_read_a_real_servers_messages_however_they_are_cut(data: st.DataObject) -> None:
    """Messages, fragmented or not, with pings in between; bytes arrive in any pieces."""
    theirs, _ = opened()
    expected: list[tuple[int, bytes]] = []
    for _ in range(data.draw(st.integers(1, 4))):
        fragments = data.draw(st.lists(st.sampled_from([0, 1, 126, 70_000]), min_size=1, max_size=3))
        message = b""
        for number, size in enumerate(fragments):
            piece, final = os.urandom(size), number == len(fragments) - 1
            message += piece
            if number:
                theirs.send_continuation(piece, final)
            else:
                theirs.send_binary(piece, final)
            if data.draw(st.booleans()):
                theirs.send_ping(b"p")
                expected.append((PING, b"p"))
        expected.append((BINARY, message))
    raw = b"".join(theirs.data_to_send())
    reader, found = FrameReader(BIG), []
    while raw:
        count = data.draw(st.integers(1, 5) | st.integers(1, len(raw)))
        found += reader.feed(raw[:count])
        raw = raw[count:]
    for kind in (PING, BINARY):  # a ping within a message's fragments comes before the message
        assert [body for opcode, body in found if opcode == kind] == [body for o, body in expected if o == kind]


def test_byte_by_byte() -> None:
    theirs, _ = opened()
    theirs.send_binary(b"one")
    theirs.send_binary(b"t" * 300)
    theirs.send_pong(b"")
    theirs.send_close(1001, "bye")
    reader, found = FrameReader(BIG), []
    for byte in b"".join(theirs.data_to_send()):
        found += reader.feed(bytes([byte]))
    assert [opcode for opcode, _ in found] == [BINARY, BINARY, PONG, CLOSE]
    assert found[1][1] == b"t" * 300


@given(st.lists(st.integers(1, 100_000), max_size=6))
def test_large_payloads_go_straight_to_their_place(counts: list[int]) -> None:
    theirs, _ = opened()
    payload = os.urandom(200_000)
    theirs.send_binary(payload)
    raw = b"".join(theirs.data_to_send())
    reader = FrameReader(BIG)
    assert reader.wanted() is None
    assert reader.feed(raw[:10]) == []
    position, found = 10, []
    for count in [*counts, 200_000]:
        target = reader.wanted()
        if target is None:
            break
        piece = raw[position : position + min(count, len(target))]
        target[: len(piece)] = piece
        position += len(piece)
        found += reader.filled(len(piece))
    assert found == [(BINARY, payload)]
    assert reader.wanted() is None


@pytest.mark.parametrize(
    "raw",
    [
        b"\x82\x80\0\0\0\0",  # masked
        b"\xc2\x00",  # a reserved bit
        b"\x81\x01x",  # text
        b"\x83\x00",  # an unknown kind
        b"\x8b\x00",
        b"\x89\x7e\x00\x7e",  # a ping of 126 bytes
        b"\x09\x00",  # a ping in fragments
        b"\x80\x00",  # the rest of nothing
        b"\x02\x01x\x82\x01y",  # a message within a message
    ],
)
def test_frames_that_are_not_allowed(raw: bytes) -> None:
    with pytest.raises(BadMessage):
        FrameReader(BIG).feed(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x82\x7e\x03\xe9",
        b"\x82\x7f" + b"\xff" * 8,
        b"\x02\x7e\x02\x58" + bytes(600) + b"\x80\x7e\x01\x91",
    ],
)
def test_messages_beyond_the_limit_are_refused_by_their_header(raw: bytes) -> None:
    with pytest.raises(TooLarge):
        FrameReader(1000).feed(raw)


def test_the_limit_is_exact() -> None:
    assert FrameReader(1000).feed(b"\x82\x7e\x03\xe8" + bytes(1000)) == [(BINARY, bytes(1000))]
    fragments = b"\x02\x7e\x02\x58" + bytes(600) + b"\x80\x7e\x01\x90" + bytes(400)
    assert FrameReader(1000).feed(fragments) == [(BINARY, bytes(1000))]


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_garbage_raises_only_typed_errors(data: bytes) -> None:
    reader = FrameReader(1000)
    try:
        reader.feed(data)
    except MaskwrightError:
        return
    assert reader.wanted() is None or len(reader.wanted() or b"") <= 1000


# ---------------------------------------------------------------- goodbyes


@pytest.mark.parametrize(
    ("payload", "error", "says"),
    [
        (Close(1009, "").serialize(), TooLarge, "longer"),
        (Close(1001, "").serialize(), ConnectionLost, "shutting down"),
        (Close(1011, "keepalive").serialize(), ConnectionLost, "1011: keepalive"),
        (Close(1000, "").serialize(), ConnectionLost, "1000"),
        (b"", ConnectionLost, "1005"),
        (b"\x03", ConnectionLost, "1005"),
        (b"\x03\xe8\xff\xff", ConnectionLost, "1000"),
    ],
)
def test_what_a_close_frame_means(payload: bytes, error: type[MaskwrightError], says: str) -> None:
    found = websocket.close_error(payload)
    assert type(found) is error
    assert says in found.message
