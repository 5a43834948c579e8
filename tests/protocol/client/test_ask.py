"""Which pixels travel: against the real gateway and image store."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection

from maskwright_client import ask
from maskwright_client.ask import PictureSource, RasterData, raster_data
from maskwright_client.client import Client, Ticket
from maskwright_protocol import codec
from maskwright_protocol.errors import (
    BadMessage,
    ConnectionLost,
    EmptyPrompt,
    JobCancelled,
    MaskwrightError,
    MorePixelsNeeded,
    UnknownImage,
)
from maskwright_protocol.messages import (
    Done,
    Failed,
    ImageBegin,
    ImageNeed,
    ImageSlice,
    Job,
    Mask,
    Message,
    PixelRect,
    Prefetch,
    Refine,
)
from tests.protocol.support import Gateway, greet, read, scripted, until

Connect = Callable[..., Client]
Start = Callable[..., Gateway]
WIDTH, HEIGHT = 1200, 1024  # RGBA8: 4.9 MB, more than goes inline, in 16 strips
ROW = WIDTH * 4


class Document(PictureSource):
    """An overview of 6 x 5 pixels, and details in full."""

    def __init__(self, seed: int = 0) -> None:
        self.box = PixelRect(0, 0, WIDTH, HEIGHT)
        self.pixels = bytearray(random.Random(seed).randbytes(ROW * HEIGHT))
        self.details = 0

    def overview(self) -> RasterData:
        return raster_data(hashlib.sha256(self.pixels).digest()[:30], 6, 5, "GRAY8", self.box)

    def detail(self, box: PixelRect) -> RasterData:
        self.details += 1
        rows = memoryview(self.pixels)[box.y * ROW : (box.y + box.height) * ROW]
        return raster_data(rows, WIDTH, box.height, "RGBA8", PixelRect(0, box.y, WIDTH, box.height))


def done(job: Job, rasters: dict[str, bytes]) -> Message:
    return Done(job.id, job.generation)


def needs_detail(job: Job, rasters: dict[str, bytes]) -> Message:
    """Answers with the digest of the detail's pixels, in the place of a generation."""
    assert job.picture is not None
    if len(job.picture.rasters) < 2:
        raise MorePixelsNeeded("More.", box=[0, 0, WIDTH, HEIGHT])
    return Done(job.id, fingerprint(rasters[job.picture.rasters[1].key]))


def fingerprint(pixels: bytes | bytearray) -> int:
    return int.from_bytes(hashlib.sha256(pixels).digest()[:3], "big")


def asked(client: Client, document: PictureSource, job: Job | None = None, hopeful: bool = False) -> Message:
    return ask.run(ask.answer(client, job or Prefetch(""), document, hopeful=hopeful), lambda ticket: ticket.wait(10))


def travelled(server: Gateway) -> list[list[bool]]:
    """For each job that came: which of its rasters had their pixels with them."""
    jobs = [message for message in server.seen if isinstance(message, Job)]
    return [[raster.data is not None for raster in job.picture.rasters] for job in jobs if job.picture]


def strips_sent(server: Gateway) -> set[int]:
    return {message.strip for message in server.seen if isinstance(message, ImageSlice)}


def test_pixels_travel_once_and_then_the_key_alone(gateway: Start, connect: Connect) -> None:
    server, document = gateway(done), Document()
    client = connect(server.endpoint)
    for _ in range(3):
        assert isinstance(asked(client, document), Done)
    assert travelled(server) == [[True], [False], [False]]
    document.pixels[0] ^= 1
    asked(client, document)
    assert travelled(server)[3:] == [[True]]


def test_who_goes_through_many_pictures_leaves_none_behind(gateway: Start, connect: Connect) -> None:
    server = gateway(needs_detail)
    client, artist = connect(server.endpoint), connect(server.endpoint)
    kept, passing = Document(1), Document(2)
    asked(artist, kept)
    held = set(server.store.rasters)
    assert len(held) == 2
    for document in (passing, kept):
        ask.run(ask.answer(client, Prefetch(""), document, keep=False), lambda ticket: ticket.wait(10))
    assert until(lambda: set(server.store.rasters) == held)
    assert not client.known_keys
    assert isinstance(asked(client, passing), Done), "it can be sent again"


def test_what_is_read_is_prepared_first(gateway: Start, connect: Connect) -> None:
    """An editor that must not read in one go does it in steps of its own."""

    class Slow(Document):
        def __init__(self) -> None:
            super().__init__()
            self.order: list[str] = []

        def prepare(self) -> ask.Steps:
            yield None
            self.order.append("prepared")

        def prepare_detail(self, box: PixelRect) -> ask.Steps:
            yield None
            self.order.append(f"prepared {box.height} rows")

        def overview(self) -> RasterData:
            self.order.append("overview")
            return super().overview()

        def detail(self, box: PixelRect) -> RasterData:
            self.order.append("detail")
            return super().detail(box)

    document = Slow()
    assert isinstance(asked(connect(gateway(needs_detail).endpoint), document), Done)
    assert document.order == ["prepared", "overview", f"prepared {HEIGHT} rows", "detail"]


def test_what_the_server_forgot_is_sent_again(gateway: Start, connect: Connect) -> None:
    server, document = gateway(done), Document()
    client = connect(server.endpoint)
    asked(client, document)
    server.call(server.store.clear)
    asked(client, document)
    assert travelled(server) == [[True], [False], [True]]
    ids = [message.id for message in server.seen if isinstance(message, Job)]
    assert len(set(ids)) == 3


def test_a_hopeful_client_tries_the_key_first(gateway: Start, connect: Connect) -> None:
    server, document = gateway(done), Document()
    asked(connect(server.endpoint), document, hopeful=True)
    assert travelled(server) == [[False], [True]]
    asked(connect(server.endpoint), document, hopeful=True)
    assert travelled(server)[2:] == [[False]]


def test_full_resolution_travels_when_it_is_asked_for(gateway: Start, connect: Connect) -> None:
    server, document = gateway(needs_detail), Document()
    answer = asked(connect(server.endpoint), document)
    assert isinstance(answer, Done)
    assert answer.generation == fingerprint(document.pixels)
    assert travelled(server) == [[True], [False, False]]
    assert document.details == 1
    slices = [message for message in server.seen if isinstance(message, ImageSlice)]
    assert strips_sent(server) == set(range(16))
    assert max(len(message.data) for message in slices) == 256 * 1024
    assert sum(len(message.data) for message in slices) == len(document.pixels)


def test_only_changed_strips_travel(gateway: Start, connect: Connect) -> None:
    server, document = gateway(needs_detail), Document()
    client = connect(server.endpoint)
    asked(client, document)
    server.call(server.seen.clear)
    for row in (64 * 3, 64 * 4 - 1, 64 * 9 + 5):
        document.pixels[row * ROW] ^= 255
    answer = asked(client, document)
    assert isinstance(answer, Done)
    assert answer.generation == fingerprint(document.pixels)
    assert strips_sent(server) == {3, 9}


def test_a_small_detail_goes_inline(gateway: Start, connect: Connect) -> None:
    def needs_little(job: Job, rasters: dict[str, bytes]) -> Message:
        if job.picture is None or len(job.picture.rasters) < 2:
            raise MorePixelsNeeded("More.", box=[0.0, 64, WIDTH, 8])
        return Done(job.id, fingerprint(rasters[job.picture.rasters[1].key]))

    server, document = gateway(needs_little), Document()
    answer = asked(connect(server.endpoint), document)
    assert isinstance(answer, Done)
    assert answer.generation == fingerprint(document.pixels[64 * ROW : 72 * ROW])
    assert travelled(server)[1] == [False, True]
    assert not any(isinstance(message, ImageBegin) for message in server.seen)


def test_long_masks_are_there_in_every_round(gateway: Start, connect: Connect) -> None:
    seen: list[bytes] = []

    def reply(job: Job, rasters: dict[str, bytes]) -> Message:
        assert isinstance(job, Refine)
        assert job.mask is not None
        seen.append(bytes(job.mask.data or b""))
        return needs_detail(job, rasters)

    data = bytes(range(256)) * 20_000
    job = Refine("", mask=Mask(PixelRect(0, 0, len(data), 1), data=data))
    asked(connect(gateway(reply).endpoint), Document(), job)
    assert seen == [data, data]
    assert job.picture is None


# ---------------------------------------------------------------- interruptions


@pytest.mark.parametrize("interruption", ["connection", "upload"])
def test_an_interrupted_upload_is_made_again(gateway: Start, connect: Connect, interruption: str) -> None:
    server, document, slices = gateway(needs_detail), Document(), 0

    def interrupt() -> None:
        nonlocal slices
        slices += 1
        if slices == 3 and interruption == "connection":
            server.cut()
        elif slices == 3:
            for session in list(server.policy.sessions):
                server.store.abort(session)

    server.store.on_slice = interrupt
    answer = asked(connect(server.endpoint), document)
    assert isinstance(answer, Done)
    assert answer.generation == fingerprint(document.pixels)


def test_a_cancel_during_an_upload_ends_it(gateway: Start, connect: Connect) -> None:
    """The pixels that wait do not travel, and the job is not run after all."""
    server, document = gateway(needs_detail), Document()
    client = connect(server.endpoint)
    tickets: list[Ticket] = []

    def wait(ticket: Ticket) -> None:
        tickets.append(ticket)
        if len(tickets) >= 2:  # the overview's job, then the upload's announcement
            ticket.cancel()
        ticket.wait(10)

    with pytest.raises(JobCancelled):
        ask.run(ask.answer(client, Prefetch(""), document), wait)
    assert tickets[-1].done()
    assert len(travelled(server)) == 1


def test_a_cancel_of_the_uploads_end_drops_its_slices(gateway: Start, connect: Connect) -> None:
    server, document = gateway(done), Document()
    client = connect(server.endpoint)
    steps = ask.upload(client, document.detail(document.box))
    begun = next(steps)
    assert begun.wait(5)
    ending = ask.step(steps, begun)
    ending.cancel()
    assert client.outbox.remove(lambda message: isinstance(message, ImageSlice)) == 0
    with pytest.raises(JobCancelled):
        ask.step(steps, ending)
    assert isinstance(asked(client, document), Done)


def test_a_server_without_room_is_given_up(gateway: Start, connect: Connect) -> None:
    def forget(job: Job, rasters: dict[str, bytes]) -> Message:
        assert job.picture is not None
        raise UnknownImage("Gone.", keys=[job.picture.rasters[0].key])

    server = gateway(forget)
    with pytest.raises(UnknownImage, match="keeps forgetting"):
        asked(connect(server.endpoint), Document())
    assert travelled(server) == [[True]] * ask.MAX_ROUNDS


def test_other_failures_reach_the_caller(gateway: Start, connect: Connect) -> None:
    def refuse(job: Job, rasters: dict[str, bytes]) -> Message:
        raise EmptyPrompt("Nothing to select.")

    server = gateway(refuse)
    with pytest.raises(EmptyPrompt):
        asked(connect(server.endpoint), Document())
    assert len(travelled(server)) == 1


def test_a_closed_client_asks_nothing(gateway: Start, connect: Connect) -> None:
    client = connect(gateway().endpoint)
    client.close()
    with pytest.raises(ConnectionLost):
        asked(client, Document())


@pytest.mark.parametrize(
    "details", [{}, {"box": None}, {"box": [1, 2]}, {"box": "abcd"}, {"box": [0, 0, float("inf"), 1]}]
)
def test_a_server_that_does_not_say_what_it_needs(gateway: Start, connect: Connect, details: dict[str, object]) -> None:
    def reply(job: Job, rasters: dict[str, bytes]) -> Message:
        return Failed(job.id, "more_pixels_needed", "More.", details=details)

    with pytest.raises(BadMessage):
        asked(connect(gateway(reply).endpoint), Document())


@pytest.mark.parametrize("strips", [[16], [-1], [2**31]])
def test_a_server_that_needs_strips_that_do_not_exist(connect: Connect, strips: list[int]) -> None:
    def script(connection: ServerConnection) -> None:
        greet(connection)
        begin = read(connection)
        assert isinstance(begin, ImageBegin)
        connection.send(codec.encode_bytes(ImageNeed(begin.id, begin.key, strips)))
        connection.recv()

    document = Document()
    with scripted(script) as endpoint:
        client = connect(endpoint)
        with pytest.raises(BadMessage):
            ask.run(ask.upload(client, document.detail(document.box)), lambda ticket: ticket.wait(5))
        client.close()


# ---------------------------------------------------------------- without blocking


def test_steps_from_callbacks(gateway: Start, connect: Connect) -> None:
    """As a user interface drives them: nothing waits, each ticket's end starts the next step."""
    server, document = gateway(needs_detail), Document()
    client = connect(server.endpoint)
    results: list[object] = []
    steps = ask.answer(client, Prefetch(""), document)

    def go_on(ticket: Ticket) -> None:
        try:
            ask.step(steps, ticket).add_done_callback(go_on)
        except StopIteration as end:
            results.append(end.value)
        except MaskwrightError as error:
            results.append(error)

    next(steps).add_done_callback(go_on)
    assert until(lambda: bool(results))
    assert isinstance(results[0], Done)
    assert results[0].generation == fingerprint(document.pixels)
