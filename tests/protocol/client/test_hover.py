"""What a click would take, and going from parts to wholes."""

import numpy as np

from maskwright_client.click_session import ClickSession
from maskwright_client.hover import Hover
from maskwright_protocol import masks
from maskwright_protocol.messages import MappedObject, ObjectMap, PixelRect, Rect, Report

BOX = PixelRect(100, 50, 40, 20)  # twice the overview's size
FACE, EYE = (110.0, 60.0), (115.0, 61.0)


def hovering() -> Hover:
    labels = np.zeros((10, 20), "<u2")
    labels[2:9, 3:15] = 1
    labels[5:7, 7:9] = 2
    objects = [
        MappedObject(1, "face", 0.9, 336.0, Rect(106, 54, 24, 14)),
        MappedObject(2, "eye", 0.9, 16.0, Rect(114, 60, 4, 4), 1),
    ]
    mask = masks.pack(PixelRect(0, 0, 20, 10), labels.tobytes(), 16)
    hover = Hover()
    assert not hover.ready
    assert not hover.move(*EYE)
    hover.take_map(ObjectMap("1", 0, Report("auto", [], "cpu"), objects=objects, labels=mask), BOX)
    assert hover.ready
    return hover


def name(hover: Hover) -> str:
    return hover.shown.id if hover.shown is not None else ""


def test_it_follows_the_pointer_and_says_when_that_matters() -> None:
    hover = hovering()
    assert hover.move(*EYE)
    assert name(hover) == "eye"
    assert not hover.move(EYE[0] + 1, EYE[1])
    assert hover.move(*FACE)
    assert name(hover) == "face"
    assert hover.move(101.0, 51.0)
    assert hover.shown is None
    assert not hover.leave()


def test_a_larger_object_stays_while_the_pointer_is_inside() -> None:
    hover = hovering()
    hover.move(*EYE)
    assert hover.climb(*EYE, 1)
    assert name(hover) == "face"
    assert not hover.climb(*EYE, 1), "nothing holds the face"
    assert not hover.move(EYE[0] + 1, EYE[1])
    assert name(hover) == "face"
    assert hover.climb(*EYE, -1)
    assert name(hover) == "eye"
    hover.climb(*EYE, 1)
    assert hover.leave()
    assert hover.move(*EYE)
    assert name(hover) == "eye"


def test_a_clicked_object_gives_way_to_what_holds_it() -> None:
    hover, session = hovering(), ClickSession()
    hover.move(*EYE)
    assert hover.pointed(session) is hover.shown
    session.take_object(*EYE, "eye")
    assert hover.pointed(session) is None
    whole = hover.climb_clicked(session, 1)
    assert whole is not None
    assert (whole.id, session.current.base) == ("face", "face")
    assert hover.climb_clicked(session, 1) is None
    session.add_point(*FACE, False)
    assert hover.climb_clicked(session, -1) is None


def test_an_object_is_shown_where_it_lies() -> None:
    hover = hovering()
    eye = hover.find("eye")
    preview = hover.preview(eye)
    assert preview is not None
    assert preview is hover.preview(eye)
    across = preview.place.width / preview.box.width
    assert (across, preview.place.x - BOX.x) == (2.0, preview.box.x * 2.0)
    inside = np.frombuffer(preview.data, np.uint8).reshape(preview.box.height, preview.box.width) > 0
    assert inside.sum() == 4
    hover.forget()
    assert hover.preview(eye) is None
    assert not hover.ready


def test_the_name_of_what_is_shown_or_of_what_holds_it() -> None:
    hover = hovering()
    assert hover.title == ""
    hover.move(*EYE)
    assert hover.title == ""
    for one in (hover.find("face"), hover.find("eye")):
        assert one is not None
        one.name = "person" if one.number == 1 else ""
    assert hover.title == "part of person"
    assert hover.climb(*EYE, 1)
    assert hover.title == "person"
