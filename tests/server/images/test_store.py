"""The image store: content keys are verified, memory is bounded, and what is in use stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from maskwright.images import segments
from maskwright.images.store import ImageStore
from maskwright_client.ask import RasterData, raster_data
from maskwright_protocol.digest import image_key, strip_spans
from maskwright_protocol.errors import BadImage, BadMessage, Busy, TooLarge, UnknownImage
from maskwright_protocol.messages import ImageBegin, ImageSlice, PixelRect, Raster

WIDTH = 10  # of RGB8: a strip of 64 rows is 1920 bytes
STRIP = 64 * WIDTH * 3


def image(*fills: int, rows: int | None = None) -> RasterData:
    """An image with one strip for each fill value."""
    rows = rows or 64 * len(fills)
    data = b"".join(bytes([fill]) * STRIP for fill in fills)[: rows * WIDTH * 3]
    return raster_data(data, WIDTH, rows, "RGB8", PixelRect(0, 0, WIDTH, rows))


def begin_of(item: RasterData) -> ImageBegin:
    raster = item.raster
    return ImageBegin("b", raster.key, raster.width, raster.height, raster.format, raster.transfer, item.strips)


def with_data(item: RasterData) -> Raster:
    return replace(item.raster, data=bytes(item.data))


def send(store: ImageStore, session: str, item: RasterData, strips: list[int], piece: int = 700) -> None:
    spans = list(strip_spans(item.raster.height))
    for strip in strips:
        top, rows = spans[strip]
        content = bytes(item.data)[top * WIDTH * 3 : (top + rows) * WIDTH * 3]
        for offset in range(0, len(content), piece):
            store.receive(session, ImageSlice(item.raster.key, strip, offset, content[offset : offset + piece]))


def upload(store: ImageStore, item: RasterData, session: str = "s") -> list[int]:
    needed = store.begin(session, begin_of(item))
    send(store, session, item, needed)
    store.end(session, item.raster.key)
    return needed


def content(store: ImageStore, key: str) -> bytes:
    """As another process sees it."""
    stored = store.get(key)
    return bytes(segments.attach(stored.memory.name, stored.size))


@pytest.fixture
def store() -> Iterator[ImageStore]:
    made = ImageStore(10 * STRIP, 1_000_000)
    yield made
    made.clear()
    assert made.used == 0


def test_inline_pixels_are_kept_under_their_key(store: ImageStore) -> None:
    item = image(1, 2)
    store.put(with_data(item))
    assert content(store, item.raster.key) == item.data
    assert store.used == 2 * STRIP
    store.put(with_data(item))
    assert store.used == 2 * STRIP


def test_an_upload_in_slices(store: ImageStore) -> None:
    item = image(1, 2, 3, rows=130)
    assert upload(store, item) == [0, 1, 2]
    assert content(store, item.raster.key) == item.data
    assert store.begin("other", begin_of(item)) == []
    store.end("other", item.raster.key)


def test_only_changed_strips_are_asked_for(store: ImageStore) -> None:
    upload(store, image(1, 2, 3))
    changed = image(1, 9, 3)
    assert upload(store, changed, "another session") == [1]
    assert content(store, changed.raster.key) == changed.data


def test_strips_move_and_repeat(store: ImageStore) -> None:
    upload(store, image(1, 2))
    moved = image(2, 1, 2, 7)
    assert upload(store, moved) == [3]
    assert content(store, moved.raster.key) == moved.data


def test_strips_of_what_is_gone_are_asked_for(store: ImageStore) -> None:
    upload(store, image(1, 2))
    upload(store, image(*range(10, 20)))
    assert upload(store, image(1, 2)) == [0, 1]


def test_an_equal_digest_of_another_length_is_not_copied(store: ImageStore) -> None:
    """A client may claim any digest; copying must stay inside the strip."""
    upload(store, image(1, 2))
    forged = image(1, 2, rows=100)
    digests = image(1, 2).strips
    key = image_key(WIDTH, 100, "RGB8", "srgb", digests)
    begin = replace(begin_of(forged), key=key, strips=digests)
    assert store.begin("s", begin) == [1]
    send(store, "s", RasterData(replace(forged.raster, key=key), forged.data, digests), [1])
    with pytest.raises(BadImage):
        store.end("s", key)
    assert store.used == 2 * STRIP


# ---------------------------------------------------------------- refused


def test_pixels_that_do_not_match_their_key(store: ImageStore) -> None:
    item = with_data(image(1))
    for wrong in (
        replace(item, data=bytes(STRIP)),
        replace(item, data=bytes(STRIP - 1)),
        replace(item, data=b""),
        replace(item, key="sha256-0"),
        replace(item, width=32, height=20),
        replace(item, format="RGBA8"),
        replace(item, transfer="linear"),
    ):
        with pytest.raises(BadImage):
            store.put(wrong)
    assert store.used == len(store.rasters) == 0


@pytest.mark.parametrize(
    "change", [{"strips": []}, {"strips": ["a", "b", "c"]}, {"strips": ["a", "é"]}, {"height": 129}, {"transfer": "x"}]
)
def test_a_begin_that_does_not_match_its_key(store: ImageStore, change: dict[str, object]) -> None:
    with pytest.raises(BadImage):
        store.begin("s", replace(begin_of(image(1, 2)), **change))
    assert store.used == 0


@pytest.mark.parametrize(
    ("strip", "offset", "size"),
    [(0, 1, 5), (0, -1, 5), (0, 0, STRIP + 1), (-1, 0, 5), (2, 0, 5), (2**31, 0, 1), (1, STRIP, 1)],
)
def test_a_slice_out_of_place_ends_the_upload(store: ImageStore, strip: int, offset: int, size: int) -> None:
    item = image(1, 2)
    store.begin("s", begin_of(item))
    with pytest.raises(BadMessage):
        store.receive("s", ImageSlice(item.raster.key, strip, offset, bytes(size)))
    store.abort("s")
    assert store.used == 0
    assert upload(store, item) == [0, 1]


def test_a_slice_of_a_strip_that_was_not_asked_for(store: ImageStore) -> None:
    upload(store, image(1, 2))
    changed = image(1, 9)
    store.begin("s", begin_of(changed))
    with pytest.raises(BadMessage):
        store.receive("s", ImageSlice(changed.raster.key, 0, 0, bytes(5)))


@pytest.mark.parametrize("damage", ["missing", "short", "wrong"])
def test_an_upload_that_is_not_what_was_announced(store: ImageStore, damage: str) -> None:
    item = image(1, 2)
    store.begin("s", begin_of(item))
    send(store, "s", item, [0])
    if damage != "missing":
        send(store, "s", image(1, 3) if damage == "wrong" else image(1, 2, rows=100), [])
        size = STRIP if damage == "wrong" else STRIP - 1
        store.receive("s", ImageSlice(item.raster.key, 1, 0, bytes(size)))
    with pytest.raises(BadImage):
        store.end("s", item.raster.key)
    assert store.used == len(store.rasters) == 0


def test_strangers_cannot_add_to_an_upload(store: ImageStore) -> None:
    item = image(1, 2)
    store.begin("s", begin_of(item))
    store.receive("stranger", ImageSlice(item.raster.key, 0, 0, bytes(STRIP)))
    with pytest.raises(UnknownImage):
        store.end("stranger", item.raster.key)
    send(store, "s", item, [0, 1])
    store.end("s", item.raster.key)
    assert content(store, item.raster.key) == item.data


def test_unknown_keys_are_named(store: ImageStore) -> None:
    store.put(with_data(image(1)))
    with pytest.raises(UnknownImage) as caught:
        store.pin(["x", image(1).raster.key, "y"])
    assert caught.value.details == {"keys": ["x", "y"]}
    assert store.get(image(1).raster.key).pins == 0
    store.unpin(["x"])


# ---------------------------------------------------------------- memory


def test_the_least_recently_used_goes_first(store: ImageStore) -> None:
    first, second, third = image(1, 1, 1, 1), image(2, 2, 2, 2), image(3, 3, 3)
    for item in (first, second):
        store.put(with_data(item))
    store.get(first.raster.key)
    name = store.get(second.raster.key).memory.name
    store.get(first.raster.key)
    store.put(with_data(third))
    store.get(first.raster.key)
    with pytest.raises(UnknownImage):
        store.get(second.raster.key)
    assert store.evicted == [name]
    with pytest.raises(FileNotFoundError):
        segments.attach(name, 4 * STRIP)


def test_pinned_images_stay(store: ImageStore) -> None:
    first, second = image(*range(6)), image(*range(10, 16))
    store.put(with_data(first))
    store.pin([first.raster.key])
    with pytest.raises(Busy):
        store.put(with_data(second))
    assert content(store, first.raster.key) == first.data
    store.unpin([first.raster.key])
    store.put(with_data(second))


def test_what_can_never_fit_is_refused_at_once(store: ImageStore) -> None:
    store.put(with_data(image(1)))
    with pytest.raises(TooLarge):
        store.put(with_data(image(*range(11))))
    with pytest.raises(TooLarge):
        store.begin("s", begin_of(image(*range(11))))
    store.get(image(1).raster.key)


def test_uploads_count_and_stay_until_given_up(store: ImageStore) -> None:
    store.begin("s", begin_of(image(*range(6))))
    assert store.used == 6 * STRIP
    with pytest.raises(Busy):
        store.put(with_data(image(*range(10, 16))))
    store.abort("s")
    assert store.used == 0
    store.put(with_data(image(*range(10, 16))))


def test_a_session_has_one_upload(store: ImageStore) -> None:
    store.begin("s", begin_of(image(*range(6))))
    store.begin("s", begin_of(image(*range(10, 16))))
    assert store.used == 6 * STRIP
    with pytest.raises(UnknownImage):
        store.end("s", image(*range(6)).raster.key)


def test_two_clients_upload_the_same(store: ImageStore) -> None:
    item = image(1, 2, 3)
    for session in ("a", "b"):
        store.begin(session, begin_of(item))
        send(store, session, item, [0, 1, 2])
    assert store.used == 6 * STRIP
    for session in ("a", "b"):
        store.end(session, item.raster.key)
    assert store.used == 3 * STRIP
    assert content(store, item.raster.key) == item.data


class StoreMachine(RuleBasedStateMachine):
    """Any sequence of calls by two sessions, with the memory counted beside it."""

    IMAGES = [image(1), image(2), image(1, 2), image(1, 3), image(4, 2, 1), image(5, 6, 7, rows=150), image(*range(9))]
    KEYS = {item.raster.key: item for item in IMAGES}

    def __init__(self) -> None:
        super().__init__()
        self.store = ImageStore(6 * STRIP, 1_000_000)
        self.pins: list[str] = []
        self.uploads: dict[str, RasterData] = {}
        self.needed: dict[str, list[int]] = {}

    @rule(item=st.sampled_from(IMAGES))
    def put(self, item: RasterData) -> None:
        try:
            self.store.put(with_data(item))
        except TooLarge:
            assert len(item.data) > self.store.budget
        except Busy:
            assert len(item.data) <= self.store.budget
        else:
            assert self.store.get(item.raster.key).size == len(item.data)

    @rule(session=st.sampled_from("ab"), item=st.sampled_from(IMAGES))
    def begin(self, session: str, item: RasterData) -> None:
        known = item.raster.key in self.store.rasters
        if not known:
            self.uploads.pop(session, None)
        try:
            self.needed[session] = self.store.begin(session, begin_of(item))
        except (TooLarge, Busy):
            return
        finally:
            if known:
                self.needed.pop(session, None)
        if not known:
            self.uploads[session] = item

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), whole=st.booleans())
    def finish(self, data: st.DataObject, whole: bool) -> None:
        session = data.draw(st.sampled_from(sorted(self.uploads)))
        item = self.uploads.pop(session)
        needed = self.needed.pop(session, None)
        if needed is None:  # another image was begun meanwhile that the store held
            needed = []
            whole = False
        send(self.store, session, item, needed if whole else needed[1:])
        try:
            self.store.end(session, item.raster.key)
        except BadImage:
            assert not whole
        else:
            assert content(self.store, item.raster.key) == item.data

    @rule(session=st.sampled_from("ab"))
    def leave(self, session: str) -> None:
        self.store.abort(session)
        self.uploads.pop(session, None)
        self.needed.pop(session, None)

    @rule(key=st.sampled_from(sorted(KEYS)))
    def pin(self, key: str) -> None:
        try:
            self.store.pin([key])
        except UnknownImage:
            return
        self.pins.append(key)

    @precondition(lambda self: self.pins)
    @rule(data=st.data())
    def unpin(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.pins)))
        self.pins.remove(key)
        self.store.unpin([key])

    @invariant()
    def memory_is_counted_and_bounded(self) -> None:
        held = sum(stored.size for stored in self.store.rasters.values())
        assert self.store.used == held + sum(len(item.data) for item in self.uploads.values())
        assert self.store.used <= self.store.budget

    @invariant()
    def pinned_images_are_whole(self) -> None:
        for key in set(self.pins):
            assert content(self.store, key) == self.KEYS[key].data

    def teardown(self) -> None:
        self.store.clear()
        assert self.store.used == 0


StoreMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)
TestStoreMachine = StoreMachine.TestCase


def test_who_is_done_with_an_image_frees_it_for_all_who_never_used_it(store: ImageStore) -> None:
    mine, shared = image(1, 2), image(3)
    for item, users in ((mine, ["batch"]), (shared, ["batch", "artist"])):
        upload(store, item)
        for user in users:
            store.used_by(user, [item.raster.key])
    store.pin([mine.raster.key])
    store.forget("batch", [mine.raster.key, shared.raster.key, "sha256-unknown"])
    assert set(store.rasters) == {mine.raster.key, shared.raster.key}, "a job needs it, the artist uses the other"
    store.unpin([mine.raster.key])
    store.forget("batch", [mine.raster.key, shared.raster.key])
    assert set(store.rasters) == {shared.raster.key}
    assert store.used == STRIP
    store.leave("artist")
    assert set(store.rasters) == {shared.raster.key}, "who comes back finds it"
    store.forget("batch", [shared.raster.key])
    assert not store.rasters
