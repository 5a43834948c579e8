"""Click to Select in the real GIMP: clicks, boxes, highlighting, alternatives, likeness, stopping."""

import itertools

import numpy as np
import pytest

from maskwright_client.client import Client
from maskwright_client.object_map import Lookup
from maskwright_protocol.messages import Everything, Example, Instance, PixelRect, Point, Rect, Select, Similar, Stroke

from ..chroot import wait_until
from .asking import Pixels, Plane, answer, plane
from .halting import halted
from .pictures import HEIGHT, WIDTH, selected
from .windows import Clicks, Windows

pytestmark = pytest.mark.editor


def test_click_to_select(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    assert clicks.outline() < 20
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    one = clicks.outline()
    clicks.click(400, 260, button=3)
    wait_until(lambda: clicks.outline() not in (one, 0), "the second click's answer")
    shown.picture("click-to-select", clicks.window)
    clicks.lab.xdotool("key", "ctrl+z")
    wait_until(lambda: abs(clicks.outline() - one) < 30, "the first click's answer again")
    clicks.lab.xdotool("key", "ctrl+z")
    wait_until(lambda: clicks.outline() < 20, "no answer at all")
    clicks.drag(8, 120, 470, 450)
    wait_until(lambda: clicks.outline() > 300, "the answer to the box")
    shown.picture("_box", clicks.window)
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp)
    with shown.server.client() as client:
        job = Select("", boxes=[Rect(8.0, 120.0, 462.0, 330.0)], pick="best")
        near = plane(answer(client, job, Pixels(photo)).instances[0].mask, WIDTH, HEIGHT)
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.97, "the box was dragged to whole screen pixels"
    shown.undo()
    wait_until(shown.unchanged, "one undo to bring everything back")


OTHERS = (40, 190, 150)  # the outline of objects that are not the current one
OTHER, SIMILAR, FIND = (912, 389), (1006, 389), (1113, 29)  # these buttons' middles in the window
HOVERED = (255, 214, 90)


def test_what_is_under_the_pointer_lights_up(shown: Windows) -> None:
    clicks = Clicks(shown)

    def lit() -> int:
        shot = shown.picture("hover", clicks.window)
        return int((np.abs(shot - np.array(HOVERED)).max(axis=2) <= 2).sum())

    def over(x: float, y: float) -> int:
        clicks.lab.xdotool("mousemove", *clicks.at(x, y))
        return lit()

    assert lit() < 20
    # The map comes when it is ready; each look moves the pointer a little.
    places = itertools.cycle([(240, 250), (242, 252)])
    wait_until(lambda: over(*next(places)) > 200, "an outline under the pointer", 120.0)
    clicks.lab.xdotool("mousemove", 5, 5)
    wait_until(lambda: lit() < 20, "the highlight to go with the pointer")
    assert clicks.finish("Escape") == "cancel"
    assert shown.unchanged()


def test_leaving_click_to_select_changes_nothing(shown: Windows) -> None:
    clicks = Clicks(shown)
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    assert clicks.finish("Escape") == "cancel"
    assert shown.unchanged()
    assert shown.gimp.run("out = image.is_dirty()") is False


def lights_up(clicks: Clicks, x: float = 240, y: float = 250) -> None:
    """Wait until what is there is highlighted: from then on the first click on an object takes what is."""
    places = itertools.cycle([(x, y), (x + 2, y + 2)])

    def lit() -> bool:
        clicks.lab.xdotool("mousemove", *clicks.at(*next(places)))
        shot = clicks.windows.picture("_hover", clicks.window)
        return int((np.abs(shot - np.array(HOVERED)).max(axis=2) <= 2).sum()) > 200

    wait_until(lit, "an outline under the pointer", 120.0)


def taken(clicks: Clicks, client: Client, photo: Plane, x: float, y: float) -> Instance:
    """What a click on the highlighted object there selects."""
    point = _near(clicks, x, y)
    found = answer(client, Everything(""), Pixels(photo))
    lookup = Lookup(found, PixelRect(0, 0, WIDTH, HEIGHT))
    one = lookup.at(point.x, point.y)
    assert one is not None, "no object of the map is there"
    return answer(client, Select("", continue_from=lookup.clicked(one).id), Pixels(photo)).instances[0]


def test_the_first_click_takes_what_is_highlighted(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    lights_up(clicks)
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    clicks.settled()
    assert clicks.finish("Return") == "success"
    with shown.server.client() as client:
        near = plane(taken(clicks, client, photo, 240, 250).mask, WIDTH, HEIGHT)
    got = selected(shown.gimp)
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.97


def test_the_highlighted_shape_is_shown_at_once_and_stop_ends_the_wait(shown: Windows) -> None:
    clicks = Clicks(shown)
    lights_up(clicks)
    quiet = shown.picture("_bar", clicks.window)
    with halted(shown.server) as halt:
        clicks.click(240, 250)
        halt.wait_for_job()
        clicks.lab.xdotool("mousemove", 5, 5)  # else the highlight lies above it
        wait_until(lambda: clicks.outline() > 200, "the shape that was highlighted", 10.0)
        x, y = clicks.stop_button(quiet)
        clicks.lab.xdotool("mousemove", x, y, "click", 1)
    wait_until(lambda: clicks.outline() < 20, "the shape to go, since nobody looks any more")
    # Undo and redo come back to the question, and now it is answered.
    clicks.lab.xdotool("key", "ctrl+z")
    clicks.lab.xdotool("key", "ctrl+y")
    wait_until(lambda: clicks.outline() > 300, "the answer")
    assert clicks.finish("Return") == "success"
    assert selected(shown.gimp).any()


def test_clicks_go_on_from_another_guess(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    clicks.click(60, 400, button=3)  # so that the next one is a place, and does not take what is highlighted
    clicks.click(240, 250)
    wait_until(lambda: clicks.outline() > 300, "the outline of what was clicked")
    clicks.lab.xdotool("mousemove", 5, 5)  # else a highlight lies above the outline, and goes with the pointer
    clicks.settled()
    first = clicks.outline()
    clicks.press(*OTHER)
    clicks.settled()
    # The mask at full size, which follows when the user rests, changes the outline too, but by little.
    wait_until(lambda: abs(clicks.outline() - first) > first / 4, "another guess")
    clicks.click(60, 200, button=3)
    clicks.settled()
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp)
    points = [_near(clicks, 60, 400, False), _near(clicks, 240, 250)]
    with shown.server.client() as client:
        best = answer(client, Select("", points=points, pick="best", alternatives=2), Pixels(photo)).instances[0]
        points.append(_near(clicks, 60, 200, False))
        further = Select("", points=points, pick="best", continue_from=best.alternatives[0].id)
        near = plane(answer(client, further, Pixels(photo)).instances[0].mask, WIDTH, HEIGHT)
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.97


def test_what_is_like_an_object_is_added(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    lights_up(clicks, 150, 330)
    clicks.click(150, 330)  # one of the people
    wait_until(lambda: clicks.outline() > 100, "the outline of what was clicked")
    clicks.settled()
    clicks.press(*SIMILAR)
    clicks.settled()

    def others() -> int:
        shot = shown.picture("similar", clicks.window)
        return int((np.abs(shot - np.array(OTHERS)).max(axis=2) <= 2).sum())

    wait_until(lambda: others() > 300, "the outlines of what is like it", 120.0)
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp) > 127
    with shown.server.client() as client:
        one = taken(clicks, client, photo, 150, 330)
        found = answer(client, Similar("", to=one.id, mask=one.mask), Pixels(photo)).instances
    assert len(found) > 1, "this picture shows several like it"
    expected = np.zeros((HEIGHT, WIDTH), bool)
    for instance in [one, *found[1:]]:
        expected |= plane(instance.mask, WIDTH, HEIGHT) > 127
    assert (got & expected).sum() / (got | expected).sum() > 0.95
    assert got.sum() > (plane(one.mask, WIDTH, HEIGHT) > 127).sum()


def test_a_line_over_it_and_a_loop_around_it_mean_it(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    line = [(110, 200), (230, 215), (350, 200), (430, 260)]
    loop = [(20, 230), (120, 210), (150, 330), (140, 560), (20, 560)]
    with shown.server.client() as client:
        for key, path, closed in (("alt+s", line, False), ("alt+a", loop, True)):
            clicks.lab.xdotool("key", key)
            clicks.draw(path)
            wait_until(lambda: clicks.outline() > 100, "the outline of what was meant")
            clicks.settled()
            shown.picture("_lasso" if closed else "_scribble", clicks.window)
            shape = [value for x, y in path for value in (_near(clicks, x, y).x, _near(clicks, x, y).y)]
            stroke = Stroke(shape, width=0.0 if closed else 12 / clicks.scale, closed=closed)
            found = answer(client, Select("", strokes=[stroke], pick="best"), Pixels(photo)).instances[0]
            expected = plane(found.mask, WIDTH, HEIGHT) > 127
            if not closed:
                clicks.lab.xdotool("key", "ctrl+z")
                wait_until(lambda: clicks.outline() < 20, "the step to be taken back")
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp) > 127
    assert (got & expected).sum() / (got | expected).sum() > 0.9


def _near(clicks: Clicks, x: float, y: float, include: bool = True) -> Point:
    """The point of the document that a click there is: clicks are on whole screen pixels."""
    sx, sy = clicks.at(x, y)
    return Point(round((sx - clicks.left) / clicks.scale, 2), round((sy - clicks.top) / clicks.scale, 2), include)


def _dragged(clicks: Clicks, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    """The box of the document that a drag means."""
    start, end = _near(clicks, x0, y0), _near(clicks, x1, y1)
    return start.x, start.y, round(end.x - start.x, 2), round(end.y - start.y, 2)


def test_examples_are_drawn_and_found(shown: Windows, photo: Plane) -> None:
    clicks = Clicks(shown)
    clicks.lab.xdotool("key", "alt+x")
    clicks.settled()
    clicks.find_picture()
    clicks.drag(30, 240, 145, 535)
    clicks.drag(5, 140, 470, 440, button=3)
    clicks.settled()
    shown.picture("examples", clicks.window)
    assert clicks.outline() < 20, "boxes that show examples select nothing by themselves"
    clicks.press(*FIND)
    wait_until(lambda: clicks.outline() > 100, "what is like the example", 240.0)
    clicks.settled()
    assert clicks.finish("Return") == "success"
    got = selected(shown.gimp)
    like, unlike = _dragged(clicks, 30, 240, 145, 535), _dragged(clicks, 5, 140, 470, 440)
    examples = [Example(*like), Example(*unlike, include=False)]
    with shown.server.client() as client:
        found = answer(client, Select("", examples=examples, merge=True), Pixels(photo))
    near = plane(found.merged, WIDTH, HEIGHT)
    assert len(found.instances) > 1
    both = ((got > 127) & (near > 127)).sum() / ((got > 127) | (near > 127)).sum()
    assert both > 0.95
