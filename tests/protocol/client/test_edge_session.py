"""A live edge panel's questions, strokes and views, without an editor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maskwright_client import ask, edge_views
from maskwright_client.ask import PictureSource, RasterData, Steps, raster_data
from maskwright_client.client import Client
from maskwright_client.edge_session import MOST_SEEN, EdgeSession
from maskwright_client.edge_settings import BRUSHES, SLIDERS, EdgeSettings
from maskwright_client.jobs import Cut, JobOptions
from maskwright_client.preview_picture import Preview
from maskwright_protocol import masks
from maskwright_protocol.errors import BadInput, EmptyPrompt, MaskwrightError, MorePixelsNeeded
from maskwright_protocol.messages import (
    Cutout,
    CutoutResult,
    Instance,
    Job,
    Mask,
    Message,
    PixelRect,
    PostProcess,
    Rect,
    Refine,
    Report,
    Selection,
)
from tests.protocol.client.event_loop import QueueLoop
from tests.protocol.support import Gateway

BOX = PixelRect(0, 0, 2000, 1000)
SELECTED = PixelRect(500, 300, 40, 30)
REPORT = Report("auto", ["m"], "cpu")


class Photo(PictureSource):
    def __init__(self) -> None:
        self.box = BOX
        self.read: list[PixelRect] = []

    def overview(self) -> RasterData:
        width, height = self.overview_size()
        return raster_data(bytes(width * height), width, height, "GRAY8", self.box)

    def detail(self, box: PixelRect) -> RasterData:
        self.read.append(box)
        return raster_data(bytes(box.width * box.height), box.width, box.height, "GRAY8", box)


def selection() -> Mask:
    return masks.pack(SELECTED, b"\xff" * (SELECTED.width * SELECTED.height))


def draw(job: Job, rasters: dict[str, bytes]) -> Message:
    """A view: one pixel in its corner, as bright as the smoothing says; nothing for a contrast of 1, an error for a
    shift of 1. A near view needs more pixels than the overview has. In full: the mask that was named."""
    if isinstance(job, Cutout):
        return CutoutResult(job.id, 0, REPORT, alpha=job.mask or selection())
    assert isinstance(job, Refine)
    if job.shift_edge == 1:
        raise BadInput("Not so.")
    if job.view is None:
        assert rasters[job.mask_key] == b"\xff" * (SELECTED.width * SELECTED.height)
        mask = masks.pack(SELECTED, bytes([int(job.smooth)]) * (SELECTED.width * SELECTED.height))
    else:
        assert job.picture is not None
        box = job.view.box
        shown = any(r.box == box for r in job.picture.rasters)
        if job.view.width == box.width < 1000 and not shown:
            raise MorePixelsNeeded("More.", box=[box.x, box.y, box.width, box.height])
        mask = masks.pack(PixelRect(0, 0, 1, 1), bytes([int(job.smooth)]))
    found = [] if job.contrast == 1 else [Instance("refined", "", 1.0, Rect(0, 0, 1, 1), "m", mask=mask)]
    return Selection(job.id, 0, REPORT, instances=found)


class Session(EdgeSession):
    """Notes what it is told."""

    def __init__(self, client: Client) -> None:
        super().__init__(JobOptions(), self._asked)
        self.loop = self.turns = QueueLoop()
        self.client = client
        self.jobs: list[Any] = []
        self.shown: list[Preview] = []
        self.errors: list[str] = []
        self.generation = 0

    def _asked(self, job: Job, picture: PictureSource) -> Steps:
        self.jobs.append(job)
        self.generation += 1
        job.generation = self.generation
        return ask.answer(self.client, job, picture)

    def previewed(self) -> None:
        assert self.preview is not None
        self.shown.append(self.preview)

    def failed_with(self, error: Exception) -> None:
        assert isinstance(error, MaskwrightError)
        self.errors.append(error.message)

    def settle(self) -> None:
        self.turns.turn(lambda: self.idle)

    def run(self, steps: Steps) -> Any:
        return ask.run(steps, lambda awaited: threading.Event().wait(0.01) if not awaited.done() else None)


@pytest.fixture
def session(gateway: Callable[..., Gateway], connect: Callable[..., Client]) -> Iterator[Session]:
    found = Session(connect(gateway(draw).endpoint))
    yield found
    found.close()


def begin(session: Session) -> Photo:
    photo = Photo()
    session.take_selection(photo, selection())
    session.look_at(Rect(0.0, 0.0, 2000.0, 1000.0), 0.5)
    session.settle()
    return photo


def test_a_preview_covers_all_that_is_seen(session: Session) -> None:
    session.set(smooth=7.0)
    begin(session)
    (shown,) = session.shown
    assert shown.box == PixelRect(0, 0, 1000, 500)
    assert shown.place == Rect(0, 0, 2000, 1000)
    assert shown.data == bytes([7]) + bytes(499_999)
    session.set(contrast=100.0)
    session.settle()
    assert session.shown[-1].data == bytes(500_000), "nothing of it in sight is a preview too"


def test_picture_and_selection_travel_once(session: Session) -> None:
    begin(session)
    for value in range(1, 6):
        session.set(smooth=float(value))
        session.settle()
    assert len(session.jobs) == 6
    assert all(job.mask is None and job.mask_key == session.jobs[0].mask_key for job in session.jobs)
    sent = [raster for job in session.jobs for raster in (job.picture.rasters if job.picture else []) if raster.data]
    assert sent == [], "the session's own jobs hold no pixels"
    assert len(session.client.known_keys) == 2


def test_a_slider_that_moves_quickly_is_asked_about_now_and_then_and_at_its_end(session: Session) -> None:
    begin(session)
    before = len(session.jobs)
    for value in range(1, 41):
        session.set(smooth=float(value))
        if value % 10 == 0:
            session.turns.turn(lambda: not session.turns.waiting.empty())
    session.settle()
    asked = [job.smooth for job in session.jobs[before:]]
    assert asked[-1] == 40
    assert asked == sorted(asked)
    assert len(asked) < 10
    assert session.preview is not None
    assert session.preview.data[0] == 40


def test_an_error_is_told_once_and_the_next_change_asks_again(session: Session) -> None:
    begin(session)
    session.set(shift_edge=100.0)
    session.settle()
    session.look_at(Rect(0.0, 0.0, 2000.0, 1000.0), 0.5)
    session.settle()
    assert session.errors == ["Not so."]
    session.set(shift_edge=0.0, smooth=3.0)
    session.settle()
    assert session.preview is not None
    assert session.preview.data[0] == 3
    session.set(shift_edge=100.0)
    session.settle()
    session.ask_again()
    session.settle()
    assert session.errors == ["Not so."] * 3


def test_near_views_ask_for_the_pixels_that_they_show_and_keep_them(session: Session) -> None:
    photo = begin(session)
    session.look_at(Rect(400.0, 200.0, 300.0, 200.0), 2.0)
    session.settle()
    assert photo.read == [PixelRect(400, 200, 300, 200)]
    assert session.shown[-1].box == PixelRect(0, 0, 300, 200), "no more pixels than the picture has"
    session.set(smooth=9.0)
    session.settle()
    assert len(photo.read) == 1
    assert session.shown[-1].data[0] == 9


def test_what_is_seen_stays_inside_the_picture_and_within_a_number_of_pixels(session: Session) -> None:
    begin(session)
    session.look_at(Rect(-500.0, -500.0, 4000.0, 4000.0), 1.0)
    session.settle()
    view = session.jobs[-1].view
    assert view.box == BOX
    assert view.width * view.height <= MOST_SEEN * 1.01
    before = len(session.jobs)
    session.look_at(Rect(5000.0, 0.0, 100.0, 100.0), 1.0)
    session.set(smooth=5.0)
    assert session.idle
    assert len(session.jobs) == before


def test_each_stroke_can_be_taken_back_and_painted_again(session: Session) -> None:
    begin(session)
    states = [session.strokes]
    for number, brush in enumerate(BRUSHES):
        session.begin(brush.kind, 20.0, 100.0 + number, 100.0)
        for step in range(1, 30):
            session.extend(100.0 + number + step, 100.0)
        session.end()
        states.append(session.strokes)
    session.settle()
    assert session.jobs[-1].edge_strokes == session.strokes
    assert [stroke.kind for stroke in session.strokes] == [brush.kind for brush in BRUSHES]
    assert all(len(stroke.path) // 2 < 15 for stroke in session.strokes), "places that add nothing are left out"
    for state in reversed(states[:-1]):
        assert session.undo()
        assert session.strokes == state
    assert not session.undo()
    for state in states[1:]:
        assert session.redo()
        assert session.strokes == state
    session.undo()
    session.begin("hair", 5.0, 1.0, 1.0)
    session.end()
    assert not session.can_redo(), "another stroke forgets what was taken back"
    session.begin("hair", 5.0, 1.0, 1.0)
    session.drop_stroke()
    assert len(session.strokes) == 4
    session.settle()
    assert session.jobs[-1].edge_strokes == session.strokes


def test_a_very_long_stroke_stays_within_what_the_wire_takes(session: Session) -> None:
    begin(session)
    session.begin("inside", 1.0, 0.0, 0.0)
    for step in range(6000):
        session.extend(float(step % 1900), float(step // 1900 * 3))
    session.end()
    (stroke,) = session.strokes
    assert len(stroke.path) <= 4096
    assert stroke.path[-2:] == [float(5999 % 1900), float(5999 // 1900 * 3)]
    session.settle()
    assert session.errors == []


def test_the_result_has_the_pictures_size_and_what_is_set(session: Session) -> None:
    session.set(smooth=4.0, grow=-2.0, feather=1.5, threshold=40.0, edge_width=12.0)
    begin(session)
    answer = session.run(session.finish())
    assert answer.instances[0].mask.box == SELECTED
    job = session.jobs[-1]
    assert job.view is None
    assert job.post == PostProcess(grow=-2.0, feather=1.5, threshold=0.4)
    assert (job.smooth, job.edge_width, job.keep) == (4.0, 12.0, False)


def test_the_view_may_be_known_before_there_is_something_to_work_on(session: Session) -> None:
    session.look_at(Rect(0.0, 0.0, 2000.0, 1000.0), 0.5)
    assert session.idle
    session.take_selection(Photo(), selection())
    session.settle()
    assert len(session.shown) == 1


def test_nothing_to_work_on_is_told(session: Session) -> None:
    assert not session.ready
    with pytest.raises(EmptyPrompt):
        session.run(session.finish())


def test_a_cut_out_keeps_its_edge_until_a_slider_finds_another(session: Session) -> None:
    answer = session.run(session.find(Cut("cat", outline=5.0), Photo()))
    assert isinstance(answer, CutoutResult)
    assert session.ready
    session.look_at(Rect(0.0, 0.0, 2000.0, 1000.0), 0.5)
    session.settle()
    assert session.jobs[-1].keep
    session.set(edge_width=20.0)
    session.settle()
    assert not session.jobs[-1].keep
    alpha = session.run(session.finish()).instances[0].mask
    session.run(session.cut_by(alpha, Cut("cat", outline=5.0), "BGRA8"))
    job = session.jobs[-1]
    assert (job.edges, job.outline, job.text, job.format) == ("given", 5.0, "", "BGRA8")
    assert job.mask.box == SELECTED


def test_settings_survive_being_kept_and_nonsense_does_not_come_back() -> None:
    kept = EdgeSettings(smooth=3.0, hair=True, shift_edge=-40.0)
    assert EdgeSettings.from_dict(kept.to_dict()) == kept
    assert EdgeSettings.from_dict({"smooth": 1e9, "hair": "yes", "grow": "wide"}) == EdgeSettings()
    assert EdgeSettings.from_dict(None) == EdgeSettings()
    assert {slider.name for slider in SLIDERS} == set(kept.to_dict()) - {"hair"}


# ---------------------------------------------------------------- views


def over(view: edge_views.EdgeView, alpha: int, below: tuple[int, int, int], phase: int = 0) -> list[int]:
    """What is seen of a pixel of the picture."""
    red, green, blue, cover = edge_views.table(view, phase)[alpha]
    return [round(mine + (255 - cover) / 255 * theirs) for mine, theirs in zip((red, green, blue), below, strict=True)]


@pytest.mark.parametrize(("name", "without", "half", "with_it"), [
    ("overlay", [152, 25, 15], [101, 37, 22], [50, 50, 30]),
    ("black", [0, 0, 0], [25, 25, 15], [50, 50, 30]),
    ("white", [255, 255, 255], [152, 152, 142], [50, 50, 30]),
    ("matte", [0, 0, 0], [128, 128, 128], [255, 255, 255]),
])  # fmt: skip
def test_views_of_soft_selections(name: str, without: list[int], half: list[int], with_it: list[int]) -> None:
    view = edge_views.view_named(name)
    for alpha, expected in ((0, without), (128, half), (255, with_it)):
        found = over(view, alpha, (50, 50, 30))
        assert all(abs(a - b) <= 2 for a, b in zip(found, expected, strict=True)), (alpha, found, expected)


def test_the_ants_go_along_the_rim_and_march() -> None:
    width, height = 37, 29
    rows = [[255 if 9 <= x < 25 and 6 <= y < 20 else 0 for x in range(width)] for y in range(height)]
    preview = Preview(PixelRect(0, 0, width, height), bytes(v for row in rows for v in row), Rect(0, 0, width, height))
    view = edge_views.view_named("ants")
    data = edge_views.pixels(view, preview)
    rim = {(x, y) for y in range(6, 20) for x in range(9, 25) if x in (9, 24) or y in (6, 19)}
    assert {(i % width, i // width) for i, value in enumerate(data) if value} == rim
    assert set(data) == set(range(edge_views.PHASES + 1))
    first, second = ([over(view, i, (9, 9, 9), phase)[0] for i in range(1, 9)] for phase in (0, 1))
    assert first[1:] + first[:1] == second
    assert over(view, 0, (9, 9, 9)) == [9, 9, 9]


def test_a_selection_that_goes_on_beyond_what_is_seen_has_no_rim_there() -> None:
    preview = Preview(PixelRect(0, 0, 16, 16), b"\xff" * 256, Rect(0, 0, 16, 16))
    assert not any(edge_views.pixels(edge_views.view_named("ants"), preview))


def test_the_views_come_round() -> None:
    name, seen = edge_views.VIEWS[0].name, []
    for _ in edge_views.VIEWS:
        seen.append(name)
        name = edge_views.next_view(name).name
    assert seen == [view.name for view in edge_views.VIEWS]
    assert name == seen[0]
    assert edge_views.view_named("unknown") is edge_views.VIEWS[0]
