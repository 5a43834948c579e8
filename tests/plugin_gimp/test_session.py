"""Click to Select without a window: prompts, answers, undo."""

from maskwright_gimp.session import Session, prompts
from maskwright_protocol.messages import Alternative, Example, Instance, Mask, PixelRect, Point, Rect


def instance(value: int, *others: int) -> Instance:
    def mask(v: int) -> Mask:
        return Mask(PixelRect(0, 0, 1, 1), data=bytes([v]))

    alternatives = [Alternative(0.5, mask=mask(other)) for other in others]
    return Instance(str(value), "", 0.9, Rect(0, 0, 1, 1), "m", alternatives, mask=mask(value))


def shown(session: Session) -> list[int]:
    return [(mask.data or b"")[0] for _, mask in session.result()]


def answer(session: Session, value: int, *others: int) -> None:
    thing = session.missing()
    assert thing is not None
    session.take(session.key(thing), instance(value, *others))


def test_undo_shows_the_older_answer_without_asking() -> None:
    session = Session()
    assert session.missing() is None
    session.add_point(1, 2, True)
    answer(session, 10)
    session.add_point(3, 4, False)
    assert shown(session) == [], "the answer to two clicks is not there yet"
    answer(session, 20)
    assert prompts(session.thing)[0] == [Point(1, 2), Point(3, 4, False)]
    assert session.undo()
    assert (shown(session), session.missing()) == ([10], None)
    assert session.redo()
    assert shown(session) == [20]
    assert session.undo()
    assert session.undo()
    assert not session.undo()
    assert shown(session) == []


def test_only_exclusions_ask_nothing() -> None:
    session = Session()
    session.add_point(1, 2, False)
    assert session.missing() is None


def test_several_objects_ticked_and_removed() -> None:
    session = Session()
    session.set_box(0, 0, 5, 5)
    answer(session, 1)
    session.new_thing()
    session.new_thing()  # the new one is still empty
    assert len(session.state.things) == 2
    session.add_point(9, 9, True)
    answer(session, 2)
    assert shown(session) == [1, 2]
    session.tick(0, False)
    assert shown(session) == [2]
    session.remove(1)
    assert shown(session) == []
    session.undo()
    session.undo()
    assert shown(session) == [1, 2]


def test_other_settings_ask_again_and_old_ones_are_remembered() -> None:
    session = Session("soft")
    session.add_point(1, 1, True)
    answer(session, 5)
    session.settings = "grown"
    assert session.missing() is not None
    answer(session, 6)
    assert shown(session) == [6]
    session.settings = "soft"
    assert (shown(session), session.missing()) == ([5], None)


def test_alternatives_go_round() -> None:
    session = Session()
    session.add_point(1, 1, True)
    answer(session, 1, 2, 3)
    seen = []
    for _ in range(4):
        seen += shown(session)
        session.next_alternative()
    assert seen == [1, 2, 3, 1]


def test_found_objects_can_be_clicked_further() -> None:
    session = Session()
    session.add_found([instance(1), instance(2)])
    assert shown(session) == [1, 2]
    session.add_point(0.5, 0.5, False)
    assert session.missing() is not None
    assert prompts(session.thing)[1] == [Rect(0, 0, 1, 1)]


def test_nothing_found_is_not_asked_twice() -> None:
    session = Session()
    session.add_point(1, 1, True)
    session.take(session.key(session.thing), None)
    assert session.missing() is None
    assert session.answered(session.thing)
    assert session.result() == []


def test_clicks_after_another_guess_go_on_from_it() -> None:
    session = Session()
    session.add_point(1, 1, True)
    thing = session.missing()
    assert thing is not None
    found = instance(1, 2, 3)
    for number, other in enumerate(found.alternatives):
        other.id = f"other-{number}"
    session.take(session.key(thing), found)
    session.next_alternative()
    session.next_alternative()
    session.add_point(5, 5, False)
    assert session.thing.base == "other-1"
    assert prompts(session.thing)[0] == [Point(1, 1), Point(5, 5, False)], "all clicks, in case it is forgotten"
    session.undo()
    assert (shown(session), session.thing.base) == ([3], "")


def test_a_click_outside_makes_a_found_object_larger() -> None:
    session = Session()
    session.add_found([instance(1)])
    session.add_point(0.5, 0.5, True)
    assert (session.thing.base, session.thing.box) == ("1", (0, 0, 1, 1))
    session.add_point(7, 7, True)
    assert (session.thing.base, session.thing.box) == ("1", None)


def test_what_was_stopped_is_asked_again_by_undo_and_redo_only() -> None:
    session = Session()
    session.add_point(1, 1, True)
    session.stop(session.key(session.thing))
    assert session.missing() is None
    assert session.is_stopped(session.thing)
    session.undo()
    session.redo()
    assert session.missing() is session.thing


def test_examples_are_steps_and_end_with_what_they_found() -> None:
    session = Session()
    session.add_point(1, 1, True)
    answer(session, 7)
    session.add_example(0, 0, 4.004, 5, True)
    session.add_example(9, 9, 2, 2, False)
    assert session.examples == [Example(0, 0, 4.0, 5), Example(9, 9, 2, 2, include=False)]
    assert session.missing() is None, "examples ask nothing by themselves"
    session.undo()
    assert len(session.examples) == 1
    session.redo()
    session.new_thing()
    assert len(session.examples) == 2
    session.add_found([instance(1), instance(2)])
    assert (session.examples, shown(session)) == ([], [7, 1, 2])
    session.undo()
    assert len(session.examples) == 2
