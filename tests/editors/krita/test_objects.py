"""The object map in the click tool: highlights without asking, part and whole, taking what is shown, similar things."""

import numpy as np
import pytest

from maskwright_client.object_map import Lookup
from maskwright_protocol.messages import Everything, Example, ObjectMap, PixelRect, Point, Select, Similar

from ..chroot import Lab, wait_until
from .actions import answered, preview, start
from .driver import Krita
from .studio import Studio, placed

pytestmark = pytest.mark.editor

CAT = "photos/chelsea.png"
WIDTH, HEIGHT = 451, 300
BOX = PixelRect(0, 0, WIDTH, HEIGHT)


@pytest.fixture
def mapped(studio: Studio, krita: Krita) -> Lookup:
    """The tool is on and knows all objects; what the server's own map says."""
    studio.open(studio.photo(CAT))
    krita.run("K.activeWindow().activeView().canvas().setZoomLevel(1.0); C.options.hover = True")
    start(studio, krita)
    krita.wait("T.pointing.hover.ready", "the object map", 120.0)
    found = studio.ask(Everything(""), studio.photo(CAT), BOX)
    assert isinstance(found, ObjectMap)
    return Lookup(found, BOX)


def inner(lookup: Lookup) -> tuple[float, float]:
    """A place whose smallest object has another around it, away from edges."""
    for one in lookup.objects.values():
        shape = lookup.shape(one)
        if one.parent and shape.box.width > 12 and shape.box.height > 12:
            plane = np.frombuffer(shape.plane, np.uint8).reshape(shape.box.height, shape.box.width) > 0
            core = plane[3:-3, 3:-3] & plane[:-6, 3:-3] & plane[6:, 3:-3] & plane[3:-3, :-6] & plane[3:-3, 6:]
            for y, x in np.argwhere(core):
                place = float(x + 3 + shape.box.x) + 0.5, float(y + 3 + shape.box.y) + 0.5
                if lookup.at(*place) is one:
                    return place
    pytest.fail("this picture has no object inside another")


def point_at(krita: Krita, lab: Lab, place: tuple[float, float]) -> None:
    x, y = krita.get(f"on_canvas({place[0]}, {place[1]})")
    lab.xdotool("mousemove", x - 3, y, "mousemove", x, y)


def shown(krita: Krita) -> tuple[int, int, int, int]:
    return krita.get("(lambda b: (b.x, b.y, b.width, b.height))(T._overlay._hover[0].box)")


def box_of(lookup: Lookup, one: object) -> tuple[int, int, int, int]:
    box = lookup.shape(one).box  # type: ignore[arg-type]
    return box.x, box.y, box.width, box.height


def test_hovering_asks_nothing_and_shows_part_and_whole(studio: Studio, krita: Krita, lab: Lab, mapped: Lookup) -> None:
    place = inner(mapped)
    chain = mapped.around(mapped.at(*place))  # type: ignore[arg-type]
    before = krita.get("C.connection._generation")
    point_at(krita, lab, place)
    wait_until(lambda: krita.get("T.pointing.hover.shown is not None"), "the highlight", 10.0)
    assert shown(krita) == box_of(mapped, chain[0])
    plane = np.frombuffer(studio.fetch("T._overlay._hover[0].data"), np.uint8)
    assert (plane == np.frombuffer(mapped.shape(chain[0]).plane, np.uint8)).all()
    lab.xdotool("keydown", "shift", "click", 4, "keyup", "shift")
    wait_until(lambda: shown(krita) == box_of(mapped, chain[1]), "what holds it", 5.0)
    point_at(krita, lab, (place[0] + 1, place[1]))
    assert shown(krita) == box_of(mapped, chain[1]), "it stays while the pointer is inside"
    krita.key("Down")
    wait_until(lambda: shown(krita) == box_of(mapped, chain[0]), "the part again", 5.0)
    krita.key("Up")
    wait_until(lambda: shown(krita) == box_of(mapped, chain[1]), "what holds it", 5.0)
    krita.run("K.action('maskwright_smaller').trigger()")
    assert shown(krita) == box_of(mapped, chain[0])
    assert krita.get("C.connection._generation") == before, "no question was sent"
    krita.key("Escape")
    krita.wait("not T.active", "the tool to end")
    assert krita.get("d.selection() is None")
    assert studio.history()[0] == []


def drawn(studio: Studio, krita: Krita) -> np.ndarray:
    """The server's mask of the object that was taken."""
    identity = krita.get("T.session.current.base")
    return placed(
        studio.ask(Select("", continue_from=identity), studio.photo(CAT), BOX).instances[0].mask, WIDTH, HEIGHT
    )


def test_a_click_takes_what_is_shown_and_the_next_goes_on_from_it(
    studio: Studio, krita: Krita, lab: Lab, mapped: Lookup
) -> None:
    place = inner(mapped)
    point_at(krita, lab, place)
    krita.wait("T.pointing.hover.shown is not None", "the highlight")
    studio.click(*place)
    answered(krita, 1)
    first = krita.get("T.session.current.base")
    part = preview(studio)
    assert (part == drawn(studio, krita)).all()
    krita.key("Up")
    krita.wait(f"T.session.current.base != {first!r} and T.session.missing() is None", "what holds it")
    whole = preview(studio)
    assert (whole == drawn(studio, krita)).all()
    assert (whole > 127).sum() > (part > 127).sum()
    krita.key("Tab")
    krita.wait("T.session.current.choice == 1 and not T.busy", "another guess")
    other, guess = preview(studio), krita.get("T.session.shown.instance.id")
    studio.click(5, 5, key="alt")
    answered(krita, 2)
    assert krita.get("T.session.current.base") == guess, "the click goes on from that guess"
    krita.key("ctrl+z")
    krita.wait("len(T.session) == 1", "the click to be taken back")
    assert (preview(studio) == other).all()
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    wait_until(lambda: (studio.selection() == other).all(), "the selection")
    studio.has_steps(1)


def test_enter_takes_what_is_under_the_pointer(studio: Studio, krita: Krita, lab: Lab, mapped: Lookup) -> None:
    point_at(krita, lab, inner(mapped))
    krita.wait("T.pointing.hover.shown is not None", "the highlight")
    identity = krita.get("T.pointing.hover.shown.id")
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    answer = studio.ask(Select("", continue_from=identity), studio.photo(CAT), BOX)
    assert (studio.selection() == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()
    studio.has_steps(1)
    studio.undo()
    krita.wait("d.selection() is None", "undo")


def test_a_forgotten_object_is_asked_for_by_its_place(studio: Studio, krita: Krita, lab: Lab, mapped: Lookup) -> None:
    place = inner(mapped)
    point_at(krita, lab, place)
    krita.wait("T.pointing.hover.shown is not None", "the highlight")
    krita.run("T.pointing.hover.shown.id = 'forgotten'")
    studio.click(*place)
    answered(krita, 1)
    assert studio.failure() is None
    point = Point(*krita.get("(lambda p: (p.x, p.y))(T.session.points[0])"))
    answer = studio.ask(Select("", points=[point], pick="best"), studio.photo(CAT), BOX)
    assert (preview(studio) == placed(answer.instances[0].mask, WIDTH, HEIGHT)).all()


def test_what_is_similar_to_a_click(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    start(studio, krita)
    studio.click(230, 150)
    answered(krita, 1)
    identity = krita.get("T.session.shown.instance.id")
    studio.press("maskwright_similar_button")
    krita.wait("not T.active and not C.busy()", "the answer", 120.0)
    studio.settle()
    assert studio.failure() is None
    answer = studio.ask(Similar("", to=identity, merge=True), studio.photo(CAT), BOX)
    mask = answer.merged if len(answer.instances) > 1 else answer.instances[0].mask
    assert (studio.selection() == placed(mask, WIDTH, HEIGHT)).all()
    assert krita.get("len(C.result.objects)") == len(answer.instances)
    studio.has_steps(1)


def test_what_is_similar_to_a_selection(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("K.action('maskwright_similar').trigger()")
    studio.idle()
    failure = studio.failure()
    assert failure is not None
    assert failure[1] == "Nothing is selected."
    studio.command("select_by_prompt('cat')")
    cat = studio.selection()
    krita.run("FAILED.clear(); K.action('maskwright_similar').trigger()")
    studio.idle(120.0)
    studio.settle()
    assert studio.failure() is None
    found = studio.selection()
    both, either = ((found > 127) & (cat > 127)).sum(), (cat > 127).sum()
    assert both > 0.8 * either, "the thing itself comes first"
    studio.has_steps(2)


def test_settings_of_how_to_look_and_how_it_was_found(studio: Studio, krita: Krita) -> None:
    studio.open(studio.photo(CAT))
    krita.run("w = child('maskwright_closely'); w.setCurrentIndex(w.findData('on'))")
    krita.run("w = child('maskwright_tiles'); w.setCurrentIndex(w.findData('on'))")
    assert krita.get("(C.options.precise, C.options.tiles)") == ("on", "on")
    studio.command("select_by_prompt('cat')")
    answer = studio.ask(Select("", text="cat", precise="on", tiles="on", merge=True), studio.photo(CAT), BOX)
    mask = answer.merged if len(answer.instances) > 1 else answer.instances[0].mask
    assert (studio.selection() == placed(mask, WIDTH, HEIGHT)).all()
    text = krita.get("child('maskwright_how').text()")
    titles = krita.get("{m.id: m.title for m in C.connection.models}")
    assert len(answer.report.models) > 1
    assert all(titles[model] in text for model in answer.report.models)
    listed = krita.get("(lambda w: [w.itemData(i) for i in range(w.count())])(child('maskwright_recipe'))")
    missing = krita.get("[r.name for r in C.connection.recipes if r.verb == 'select' and not r.available]")
    assert listed
    assert not set(listed) & set(missing)
    krita.run("child('maskwright_closely').setCurrentIndex(0); w.setCurrentIndex(0)")


def test_examples_select_all_that_is_like_them(studio: Studio, krita: Krita, lab: Lab) -> None:
    studio.open(studio.photo(CAT))
    krita.run("C.options.hover = False")
    studio.choose("By Examples")
    krita.wait("T.active and 'prefetch' not in T._tasks", "the tool to be on")

    def drag(x0: float, y0: float, x1: float, y1: float, button: int) -> None:
        start, end = krita.get(f"on_canvas({x0}, {y0})"), krita.get(f"on_canvas({x1}, {y1})")
        middle = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
        lab.xdotool("mousemove", *start, "mousedown", button, "mousemove", *middle, "mousemove", *end)
        lab.xdotool("mouseup", button)

    drag(150, 90, 200, 130, 1)  # an eye
    krita.wait("T.preview() is not None", "what is like it", 240.0)
    drag(20, 200, 120, 290, 3)
    krita.wait("len(T.session) == 2 and T.session.missing() is None", "what is like the one and not the other", 60.0)
    assert krita.get("[one.include for one in T.session.examples]") == [True, False]
    examples = [
        Example(*one) for one in krita.get("[(e.x, e.y, e.width, e.height, e.include) for e in T.session.examples]")
    ]
    expected = studio.ask(Select("", examples=examples, merge=True), studio.photo(CAT), BOX)
    assert (preview(studio) == placed(expected.merged, WIDTH, HEIGHT)).all()
    krita.key("Return")
    krita.wait("not T.active and not C.busy()", "the tool to end")
    studio.settle()
    assert (studio.selection() == placed(expected.merged, WIDTH, HEIGHT)).all()
    krita.run("T.mode = Mode.BOX")
    studio.has_steps(1)
