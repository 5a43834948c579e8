"""The client against the real gateway."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from maskwright_client.ask import raster_data
from maskwright_client.client import Client, Ticket
from maskwright_protocol import codec
from maskwright_protocol.discovery import Endpoint
from maskwright_protocol.errors import (
    BadMessage,
    ConnectionLost,
    Forbidden,
    JobCancelled,
    MaskwrightError,
    ServerAbsent,
    UnknownImage,
    UnknownWord,
)
from maskwright_protocol.masks import INLINE_BYTES
from maskwright_protocol.messages import (
    Done,
    Failed,
    Instance,
    Job,
    Mask,
    Message,
    ModelsRequest,
    Picture,
    PixelRect,
    Point,
    Prefetch,
    Progress,
    Rect,
    Refine,
    Report,
    Select,
    Selection,
    Status,
    StatusRequest,
)
from tests.protocol.support import Gateway, until

ITEM = raster_data(bytes(range(192)), 8, 8, "RGB8", PixelRect(0, 0, 8, 8))
PICTURE = Picture(PixelRect(0, 0, 8, 8), [replace(ITEM.raster, data=bytes(ITEM.data))])
BIG = bytes(range(251)) * (INLINE_BYTES // 251 + 9000)  # more than goes inline
BIG_BOX = PixelRect(0, 0, len(BIG), 1)
Connect = Callable[..., Client]
Start = Callable[..., Gateway]


def selection(job: Job, data: bytes) -> Selection:
    mask = Mask(PixelRect(0, 0, len(data), 1), data=data)
    found = Instance("1", "thing", 1.0, Rect(0, 0, 1, 1), "m", mask=mask)
    return Selection(job.id, job.generation, Report("auto", [], "cpu"), instances=[found])


def pixels_back(job: Job, rasters: dict[str, bytes]) -> Message:
    return selection(job, rasters[ITEM.raster.key])


def select(**changes: object) -> Select:
    return replace(Select("", picture=PICTURE, points=[Point(1, 1)]), **changes)


def mask_of(answer: Message) -> bytes:
    assert isinstance(answer, Selection)
    assert answer.instances[0].mask is not None
    return bytes(answer.instances[0].mask.data or b"")


def test_a_request_is_answered(gateway: Start, connect: Connect) -> None:
    client = connect(gateway().endpoint)
    answer = client.request(StatusRequest(""), 5)
    assert isinstance(answer, Status)
    assert answer.sessions == 1
    assert client.welcome is not None
    assert client.welcome.max_message == codec.MAX_MESSAGE


def test_pixels_go_there_and_masks_come_back(gateway: Start, connect: Connect) -> None:
    client = connect(gateway(pixels_back).endpoint)
    assert mask_of(client.request(select(), 5)) == ITEM.data


def test_many_requests_at_once_each_get_their_own_answer(gateway: Start, connect: Connect) -> None:
    client = connect(gateway(lambda job, rasters: selection(job, job.recipe.encode())).endpoint)
    tickets = [client.submit(select(recipe=f"r{number}")) for number in range(8)]
    assert [mask_of(ticket.result(5)) for ticket in tickets] == [f"r{number}".encode() for number in range(8)]


def test_from_many_threads(gateway: Start, connect: Connect) -> None:
    client, answers = connect(gateway().endpoint), []

    def ask() -> None:
        answers.extend(client.request(StatusRequest(""), 10) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.id for answer in answers if isinstance(answer, Status)}) == 80


def test_long_masks_travel_in_parts_both_ways(gateway: Start, connect: Connect) -> None:
    def echo(job: Job, rasters: dict[str, bytes]) -> Message:
        assert isinstance(job, Refine)
        assert job.mask is not None
        return selection(job, bytes(reversed(job.mask.data or b"")))

    client = connect(gateway(echo).endpoint)
    job = Refine("", picture=PICTURE, mask=Mask(BIG_BOX, data=BIG))
    assert hashlib.sha256(mask_of(client.request(job, 10))).digest() == hashlib.sha256(BIG[::-1]).digest()
    assert job.mask == Mask(BIG_BOX, data=BIG)
    assert client.parts.held == 0


# ---------------------------------------------------------------- failures


def test_typed_errors_arrive_as_they_were_raised(gateway: Start, connect: Connect) -> None:
    def refuse(job: Job, rasters: dict[str, bytes]) -> Message:
        raise UnknownWord("No model knows 'zyx'.", "Try 'ox'.", word="zyx", near=["ox"], models=[])

    with pytest.raises(UnknownWord) as caught:
        connect(gateway(refuse).endpoint).request(select(), 5)
    assert caught.value.message == "No model knows 'zyx'."
    assert caught.value.hint == "Try 'ox'."
    assert caught.value.details == {"word": "zyx", "near": ["ox"], "models": []}


def test_details_may_be_called_anything(gateway: Start, connect: Connect) -> None:
    def refuse(job: Job, rasters: dict[str, bytes]) -> Message:
        return Failed(job.id, "a_code_of_the_future", "m", "h", details={"message": 1, "hint": 2, "self": 3, "code": 4})

    with pytest.raises(MaskwrightError) as caught:
        connect(gateway(refuse).endpoint).request(select(), 5)
    assert caught.value.code == "a_code_of_the_future"
    assert (caught.value.message, caught.value.hint, caught.value.details["self"]) == ("m", "h", 3)


def test_an_image_that_the_server_does_not_hold(gateway: Start, connect: Connect) -> None:
    with pytest.raises(UnknownImage) as caught:
        connect(gateway().endpoint).request(select(picture=Picture(PICTURE.box, [ITEM.raster])), 5)
    assert caught.value.details == {"keys": [ITEM.raster.key]}


def test_a_wrong_token(gateway: Start, connect: Connect) -> None:
    endpoint = replace(gateway().endpoint, token="wrong")
    with pytest.raises(Forbidden):
        connect(endpoint).request(StatusRequest(""), 5)


def test_a_token_that_cannot_be_sent(gateway: Start, connect: Connect) -> None:
    client = connect(replace(gateway().endpoint, token="clé"))
    for _ in range(2):
        with pytest.raises(Forbidden):
            client.request(StatusRequest(""), 5)


def test_nobody_there(gateway: Start, connect: Connect) -> None:
    gone = gateway()
    gone.close()
    client = connect(gone.endpoint)
    for _ in range(2):
        with pytest.raises(ServerAbsent):
            client.request(StatusRequest(""), 5)


def test_an_address_that_cannot_be_found_out() -> None:
    def broken() -> Endpoint:
        raise RuntimeError("no settings")

    with Client("test", endpoint=broken) as client:
        for _ in range(2):
            with pytest.raises(MaskwrightError):
                client.request(StatusRequest(""), 5)


@pytest.mark.parametrize("value", [2**70, "\ud800"])
def test_a_request_that_cannot_be_sent(gateway: Start, connect: Connect, value: object) -> None:
    client = connect(gateway().endpoint)
    with pytest.raises(BadMessage):
        client.request(select(tool=value), 5)
    assert client.request(StatusRequest(""), 5)


# ---------------------------------------------------------------- cancelling


def test_a_waiting_and_a_running_job_are_cancelled(gateway: Start, connect: Connect) -> None:
    server = gateway()
    client = connect(server.endpoint)
    running, waiting = client.submit(select()), client.submit(select())
    assert until(lambda: server.worker.current == 1 and len(server.scheduler.queue.waiting()) == 1)
    for ticket in (waiting, running):
        ticket.cancel()
        with pytest.raises(JobCancelled) as caught:
            ticket.result(5)
        assert not caught.value.details["superseded"]
        ticket.cancel()
    assert server.worker.cancels == 1
    assert server.store.get(ITEM.raster.key).pins == 0


def test_a_newer_generation_supersedes(gateway: Start, connect: Connect) -> None:
    client = connect(gateway().endpoint)
    tickets = [client.submit(select(tool="lasso", generation=number)) for number in range(3)]
    for ticket in tickets[:2]:
        with pytest.raises(JobCancelled) as caught:
            ticket.result(5)
        assert caught.value.details["superseded"]
    assert not tickets[2].done()


def test_cancelled_before_it_left(connect: Connect) -> None:
    asked = threading.Event()

    def slow() -> Endpoint:
        asked.wait(5)
        raise ServerAbsent("nobody")

    with Client("test", endpoint=slow) as client:
        ticket = client.submit(select())
        ticket.cancel()
        assert ticket.done()
        asked.set()
        with pytest.raises(JobCancelled):
            ticket.result(0)


def test_progress_comes_each_second(gateway: Start, connect: Connect) -> None:
    client, heard = connect(gateway().endpoint), []
    ticket = client.submit(select(), lambda progress: heard.append((time.monotonic(), progress)))
    assert until(lambda: len(heard) >= 4)
    times = [when for when, _ in heard]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 1.5
    assert all(isinstance(message, Progress) and message.id == ticket.message.id for _, message in heard)


# ---------------------------------------------------------------- connections come and go


def test_states_are_told(gateway: Start, connect: Connect) -> None:
    states: list[str] = []
    server = gateway()
    client = connect(server.endpoint, states.append)
    assert client.state == "disconnected"
    client.request(StatusRequest(""), 5)
    assert states == ["connected"]
    server.call(server.cut)
    assert until(lambda: states == ["connected", "disconnected"])
    client.request(StatusRequest(""), 5)
    client.close()
    assert states == ["connected", "disconnected"] * 2


def test_requests_are_sent_again_with_their_masks(gateway: Start, connect: Connect) -> None:
    seen: list[bytes] = []

    def cut_once(job: Job, rasters: dict[str, bytes]) -> Message:
        assert isinstance(job, Refine)
        assert job.mask is not None
        seen.append(bytes(job.mask.data or b""))
        if len(seen) == 1:
            server.cut()
        return selection(job, b"done")

    server = gateway(cut_once)
    job = Refine("", picture=PICTURE, mask=Mask(BIG_BOX, data=BIG))
    assert mask_of(connect(server.endpoint).request(job, 10)) == b"done"
    assert seen == [BIG, BIG]


def test_they_are_sent_again_only_once(gateway: Start, connect: Connect) -> None:
    def cut(job: Job, rasters: dict[str, bytes]) -> Message:
        server.cut()
        return Done(job.id)

    server = gateway(cut)
    client = connect(server.endpoint)
    with pytest.raises(ConnectionLost):
        client.request(Prefetch("", picture=PICTURE), 10)
    assert server.worker.current == 2
    assert client.request(StatusRequest(""), 5)


def test_a_restarted_server_is_waited_for(gateway: Start, connect: Connect) -> None:
    first = gateway()
    client = connect(first.endpoint)
    ticket = client.submit(select())
    assert until(lambda: first.worker.current == 1)
    first.call(first.vanish)
    first.close()
    second = gateway(pixels_back, port=first.port)
    assert mask_of(ticket.result(10)) == ITEM.data
    assert second.seen


def test_known_keys_do_not_outlive_the_connection(gateway: Start, connect: Connect) -> None:
    server = gateway()
    client = connect(server.endpoint)
    client.request(StatusRequest(""), 5)
    client.known_keys.add("k")
    server.call(server.cut)
    assert until(lambda: client.state == "disconnected")
    client.request(StatusRequest(""), 5)
    assert client.known_keys == set()


def test_closing_ends_what_is_under_way(gateway: Start, connect: Connect) -> None:
    server = gateway()
    client = connect(server.endpoint)
    ticket = client.submit(select())
    assert until(lambda: server.worker.current == 1)
    client.close()
    with pytest.raises(ConnectionLost):
        ticket.result(0)
    with pytest.raises(ConnectionLost):
        client.submit(StatusRequest(""))
    client.close()
    assert until(
        lambda: server.call(lambda: server.scheduler.queue.of_session("")) == [] and not server.policy.sessions
    )


# ---------------------------------------------------------------- callbacks


def test_callbacks_that_fail_hurt_nobody(gateway: Start, connect: Connect) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    client = connect(gateway(pixels_back).endpoint, fail)
    ticket = client.submit(select(), fail)
    ticket.add_done_callback(fail)
    assert mask_of(ticket.result(5)) == ITEM.data
    assert client.request(ModelsRequest(""), 5)


def test_callbacks_may_ask_again(gateway: Start, connect: Connect) -> None:
    """Even when the server was not there: the new request must not be forgotten with the old."""
    gone = gateway()
    gone.close()
    client, second = connect(gone.endpoint), list[Ticket]()
    first = client.submit(StatusRequest(""))
    first.add_done_callback(lambda _: second.append(client.submit(StatusRequest(""))))
    for tickets in ([first], second):
        assert until(lambda tickets=tickets: bool(tickets))
        with pytest.raises(ServerAbsent):
            tickets[0].result(5)


def test_a_callback_on_a_done_ticket_is_called_at_once(gateway: Start, connect: Connect) -> None:
    ticket = connect(gateway().endpoint).submit(StatusRequest(""))
    ticket.result(5)
    called: list[Ticket] = []
    ticket.add_done_callback(called.append)
    assert called == [ticket]
    assert ticket.wait(0)
    assert ticket.done()


def test_no_answer_yet(gateway: Start, connect: Connect) -> None:
    ticket = connect(gateway().endpoint).submit(select())
    with pytest.raises(TimeoutError):
        ticket.result(0)
    assert not ticket.done()
