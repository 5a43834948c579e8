"""One client's conversation: greetings, uploads, jobs, and everything that a client must not do."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskwright.gateway.session import MAX_PART_BYTES, SLICE_BYTES, CloseConnection
from maskwright_client.ask import RasterData, raster_data
from maskwright_protocol import codec
from maskwright_protocol.messages import (
    CLIENT_MESSAGES,
    BulkPart,
    Cancel,
    Cancelled,
    Done,
    Failed,
    Hello,
    ImageBegin,
    ImageEnd,
    ImageNeed,
    ImageReady,
    ImageSlice,
    Job,
    Mask,
    Models,
    ModelsRequest,
    Picture,
    PixelRect,
    Point,
    Prefetch,
    Progress,
    Raster,
    Refine,
    Select,
    Shutdown,
    Status,
    StatusRequest,
    Welcome,
)

from .support import DirectClient

ITEM = raster_data(bytes(range(192)), 8, 8, "RGB8", PixelRect(0, 0, 8, 8))
PICTURE = Picture(PixelRect(0, 0, 8, 8), [replace(ITEM.raster, data=bytes(ITEM.data))])


def select(identity: str = "j", **changes: Any) -> Select:
    return replace(Select(identity, picture=PICTURE, points=[Point(1, 1)]), **changes)


def raw(**fields: Any) -> bytes:
    data = msgpack.packb(fields)
    assert data is not None
    return data


def begin_of(item: RasterData, identity: str = "u") -> ImageBegin:
    r = item.raster
    return ImageBegin(identity, r.key, r.width, r.height, r.format, r.transfer, item.strips)


# ---------------------------------------------------------------- greeting


def test_a_greeting_is_answered_with_the_limits(new_client: type[DirectClient]) -> None:
    client = new_client()
    client.greet()
    (welcome,) = client.take()
    assert isinstance(welcome, Welcome)
    assert (welcome.version, welcome.session, welcome.strip_rows) == (1, "first", 64)
    assert (welcome.max_message, welcome.slice_bytes) == (codec.MAX_MESSAGE, SLICE_BYTES)
    assert welcome.max_pixels == client.store.max_pixels


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (Hello(2, "test"), "version_mismatch"),
        (Hello(0, "test"), "version_mismatch"),
        (StatusRequest("s"), "bad_message"),
        (select(), "bad_message"),
        (b"GET / HTTP/1.1\r\n", "bad_message"),
        (b"", "bad_message"),
        (raw(type="hello", version="1", client="x"), "bad_message"),
        (raw(type="hello", version=1), "bad_message"),
        (raw(type="hello", version=1, client="x" * 2000), "bad_input"),
        (bytes(codec.MAX_MESSAGE + 1), "too_large"),
    ],
)
def test_whoever_does_not_greet_is_told_why_and_shut_out(new_client: type[DirectClient], first: Any, code: str) -> None:
    client = new_client()
    with pytest.raises(CloseConnection):
        client.send(first)
    (answer,) = client.take()
    assert isinstance(answer, Failed)
    assert answer.code == code
    assert client.store.used == 0


def test_a_wrong_version_is_told_the_right_one(new_client: type[DirectClient]) -> None:
    client = new_client()
    with pytest.raises(CloseConnection):
        client.send(Hello(7, "test"))
    (answer,) = client.take()
    assert isinstance(answer, Failed)
    assert answer.details["version"] == 1


NOT_BEGUN = "The upload of the image was not begun, or was given up."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ja-JP", "画像の送信が始まっていないか、中止されました。"),
        ("de", "Das Hochladen des Bilds wurde nicht begonnen oder aufgegeben."),
        ("", NOT_BEGUN), ("tlh", NOT_BEGUN),
    ],
)  # fmt: skip
def test_a_client_is_told_in_its_language(new_client: type[DirectClient], language: str, said: str) -> None:
    """And others of the same server in theirs."""
    client, other = new_client(), new_client()
    client.send(Hello(1, "test", language=language))
    other.greet()
    assert client.error(ImageEnd("e", ITEM.raster.key)).message == said
    assert other.error(ImageEnd("e", ITEM.raster.key)).message == NOT_BEGUN


# ---------------------------------------------------------------- requests


def test_plain_requests(client: DirectClient) -> None:
    client.send(StatusRequest("s"))
    client.send(ModelsRequest("m"))
    client.send(Shutdown("e"))
    status, models, done = client.take()
    assert isinstance(status, Status)
    assert models == Models("m")
    assert done == Done("e")
    assert (status.id, client.stopped) == ("s", 1)


def test_a_job_waits_and_is_cancelled(client: DirectClient) -> None:
    client.send(select())
    (progress,) = client.take()
    assert isinstance(progress, Progress)
    assert client.store.get(ITEM.raster.key).pins == 1
    client.send(Cancel("unknown"))
    client.send(Cancel("j"))
    assert client.take() == [Cancelled("j")]
    assert client.store.get(ITEM.raster.key).pins == 0
    client.send(Cancel("j"))
    assert client.take() == []


def test_a_newer_generation_ends_the_older_one_with_an_answer(client: DirectClient) -> None:
    client.send(select("a", tool="lasso", generation=1))
    client.take()
    client.send(select("b", tool="lasso", generation=2))
    assert Cancelled("a", 1, superseded=True) in client.take()
    assert [job.request.id for job in client.scheduler.queue.waiting()] == ["b"]
    assert client.store.get(ITEM.raster.key).pins == 1


def test_other_sessions_are_out_of_reach(client: DirectClient) -> None:
    got: list[Any] = []
    other = client.open("second", got)
    client.greet(other)
    client.send(select("j", tool="lasso", generation=1))
    client.take()
    client.send(Cancel("j"), other)
    client.send(select("j", tool="lasso", generation=2), other)
    assert client.take() == []
    assert len(client.scheduler.queue.waiting()) == 2


def test_leaving_ends_jobs_and_uploads(client: DirectClient) -> None:
    client.send(select())
    big = raster_data(bytes(64 * 100 * 4), 100, 64, "RGBA8", PixelRect(0, 0, 100, 64))
    client.send(begin_of(big))
    client.take()
    client.session.closed()
    assert client.take() == []
    assert client.scheduler.queue.waiting() == []
    assert client.store.used == len(ITEM.data)
    assert client.store.get(ITEM.raster.key).pins == 0


def test_too_many_jobs_of_one_client(client: DirectClient) -> None:
    for number in range(4):
        client.send(select(str(number)))
    assert client.error(select("one more")).code == "busy"
    assert client.store.get(ITEM.raster.key).pins == 4


def test_an_image_that_is_not_there_is_named(client: DirectClient) -> None:
    failed = client.error(select(picture=Picture(PICTURE.box, [ITEM.raster])))
    assert (failed.id, failed.code, failed.details) == ("j", "unknown_image", {"keys": [ITEM.raster.key]})


# ---------------------------------------------------------------- uploads


def test_an_upload_then_a_job_by_key(client: DirectClient) -> None:
    client.send(begin_of(ITEM))
    assert client.take() == [ImageNeed("u", ITEM.raster.key, [0])]
    for offset in range(0, 192, 64):
        client.send(ImageSlice(ITEM.raster.key, 0, offset, bytes(ITEM.data)[offset : offset + 64]))
    client.send(ImageEnd("e", ITEM.raster.key))
    assert client.take() == [ImageReady("e", ITEM.raster.key)]
    client.send(select(picture=Picture(PICTURE.box, [ITEM.raster])))
    assert [type(message) for message in client.take()] == [Progress]


def test_slices_out_of_order(client: DirectClient) -> None:
    client.send(begin_of(ITEM))
    failed = client.error(ImageSlice(ITEM.raster.key, 0, 64, bytes(64)))
    assert failed.code == "bad_message"
    assert client.error(ImageEnd("e", ITEM.raster.key)).code == "unknown_image"
    assert client.store.used == 0


def test_slices_of_no_upload_are_left_over_from_one_that_was_given_up(client: DirectClient) -> None:
    client.send(ImageSlice("sha256-none", 0, 0, bytes(64)))
    assert client.take() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "CMYK8"}, "bad_input"),
        ({"transfer": "gamma"}, "bad_input"),
        ({"width": 0}, "bad_input"),
        ({"height": -1}, "bad_input"),
        ({"width": 2000, "height": 2000}, "too_large"),
        ({"key": "x"}, "bad_image"),
        ({"strips": ["é"]}, "bad_image"),
        ({"strips": []}, "bad_image"),
        ({"strips": ["a"] * 5000}, "bad_input"),
    ],
)
def test_uploads_that_cannot_be(client: DirectClient, change: dict[str, Any], code: str) -> None:
    failed = client.error(replace(begin_of(ITEM), **change))
    assert (failed.id, failed.code) == ("u", code)


# ---------------------------------------------------------------- bulk


def test_a_mask_in_parts(client: DirectClient) -> None:
    data = bytes(range(64))
    for offset in (0, 40):
        client.send(BulkPart("j", 0, offset, data[offset : 40 + offset]))
    client.send(Refine("j", picture=PICTURE, mask=Mask(PICTURE.box, blob=0)))
    assert [type(message) for message in client.take()] == [Progress]
    (job,) = client.scheduler.queue.waiting()
    assert isinstance(job.request, Refine)
    assert job.request.mask == Mask(PICTURE.box, data=data)


def test_masks_are_inflated_by_the_worker_only(client: DirectClient) -> None:
    mask = Mask(PICTURE.box, 8, "zlib", data=zlib.compress(bytes(64)))
    client.send(select(start=mask))
    (job,) = client.scheduler.queue.waiting()
    assert isinstance(job.request, Select)
    assert job.request.start == mask


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (Mask(PICTURE.box, blob=0), "bad_message"),
        (Mask(PICTURE.box, data=bytes(63)), "bad_input"),
        (Mask(PICTURE.box), "bad_input"),
        (Mask(PixelRect(0, 0, 100_000, 100_000), 8, "zlib", data=zlib.compress(b"")), "too_large"),
        (Mask(PixelRect(0, 0, -8, -8), data=bytes(64)), "bad_input"),
    ],
)
def test_masks_that_cannot_be(client: DirectClient, mask: Mask, code: str) -> None:
    failed = client.error(select(start=mask))
    assert (failed.id, failed.code) == ("j", code)
    assert client.scheduler.queue.waiting() == []


def test_parts_of_a_refused_job_are_forgotten(client: DirectClient) -> None:
    for attempt in range(3):
        identity = f"j{attempt}"
        client.send(BulkPart(identity, 0, 0, bytes(100)))
        assert client.session.parts.held == 100
        client.error(select(identity, points=[Point(float("nan"), 0)], start=Mask(PICTURE.box, blob=0)))
        assert client.session.parts.held == 0


def test_parts_of_a_cancelled_job_are_forgotten(client: DirectClient) -> None:
    client.send(BulkPart("j", 0, 0, bytes(100)))
    client.send(Cancel("j"))
    assert client.session.parts.held == 0


def test_parts_beyond_the_limit(client: DirectClient) -> None:
    client.session.parts.limit = 100
    assert MAX_PART_BYTES > 100
    client.send(BulkPart("j", 0, 0, bytes(100)))
    failed = client.error(BulkPart("k", 0, 0, bytes(1)))
    assert (failed.id, failed.code) == ("k", "too_large")
    failed = client.error(BulkPart("j", 0, 7, bytes(1)))
    assert (failed.id, failed.code) == ("j", "bad_message")


# ---------------------------------------------------------------- what must not hurt


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_garbage_costs_only_an_answer(client: DirectClient, data: bytes) -> None:
    assert client.error(data).code in ("bad_message", "bad_input")


atoms = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=4)
plain = st.recursive(
    atoms | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
KEYS = [ITEM.raster.key, "", "x"]
BOX = {"x": 0, "y": 0, "width": 8, "height": 8}
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["a", "b", ""]),
    "key": st.sampled_from(KEYS),
    "picture": st.sampled_from(
        [{"box": BOX, "rasters": [{"key": key, "width": 8, "height": 8, "format": "RGB8", "box": BOX}]} for key in KEYS]
    ),
    "strips": st.just(ITEM.strips),
    "data": st.binary(max_size=200),
    "generation": st.integers(-1, 3),
    "format": st.sampled_from(["RGB8", "none"]),
    "width": st.sampled_from([8, -8, 0, 2**31]),
    "height": st.sampled_from([8, 0, 2**31]),
}


@st.composite
def odd_messages(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(sorted(set(CLIENT_MESSAGES) - {"hello"})))
    fields = {}
    for name in sorted(CLIENT_MESSAGES[kind].__dataclass_fields__):
        choice = draw(st.integers(0, 9))
        if choice < 8 and name in USUAL:
            fields[name] = draw(USUAL[name])
        elif choice == 9:
            fields[name] = draw(plain)
    return raw(type=kind, **fields)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(odd_messages(), max_size=12))
def test_any_conversation_ends_in_typed_answers(client: DirectClient, messages: list[bytes]) -> None:
    """Nothing is raised, nothing is an internal error, and the memory comes back."""
    for data in messages:
        client.send(data)
    for answer in client.take():
        assert not isinstance(answer, Failed) or answer.code != "internal", answer
    client.session.closed()
    assert client.scheduler.queue.waiting() == []
    assert all(raster.pins == 0 for raster in client.store.rasters.values())
    assert client.store.used == sum(raster.size for raster in client.store.rasters.values())


@pytest.mark.parametrize("job", [Select, Prefetch, Refine])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": ""}, "bad_input"),
        ({"picture": None}, "bad_input"),
        ({"picture": Picture(PICTURE.box, [])}, "bad_input"),
        ({"picture": Picture(PixelRect(0, 0, 0, 8), PICTURE.rasters)}, "bad_input"),
        ({"picture": Picture(PICTURE.box, [replace(PICTURE.rasters[0], box=PixelRect(0, 0, 0, 0))])}, "bad_input"),
        ({"picture": Picture(PICTURE.box, [replace(PICTURE.rasters[0], format="RGB9")])}, "bad_input"),
        ({"picture": Picture(PICTURE.box, [replace(PICTURE.rasters[0], data=b"short")])}, "bad_image"),
        ({"picture": Picture(PICTURE.box, [Raster("k", 2**15, 2**15, "RGB8", PICTURE.box)])}, "too_large"),
        ({"priority": "urgent"}, "bad_input"),
        ({"mask_depth": 12}, "bad_input"),
        ({"deadline_s": -1.0}, "bad_input"),
        ({"deadline_s": float("nan")}, "bad_input"),
    ],
)
def test_jobs_that_cannot_be(client: DirectClient, job: type[Job], changes: dict[str, Any], code: str) -> None:
    failed = client.error(replace(job("j", picture=PICTURE), **changes))
    assert (failed.id, failed.code) == (changes.get("id", "j"), code)
    assert client.scheduler.queue.waiting() == []


def test_a_defect_of_ours_is_an_answer_too(new_client: type[DirectClient]) -> None:
    client = new_client()
    client.greet()
    client.services.models = lambda identity, deliver: 1 / 0  # type: ignore[assignment,return-value]
    failed = client.error(ModelsRequest("m"))
    assert (failed.id, failed.code) == ("m", "internal")
    client.send(StatusRequest("s"))
    assert isinstance(client.take()[0], Status)
