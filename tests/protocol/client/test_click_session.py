"""What was clicked, without a window: prompts, answers, undo."""

from maskwright_client.candidates import known_candidates
from maskwright_client.click_session import ClickSession, box_between
from maskwright_protocol.messages import Alternative, Example, Instance, Mask, PixelRect, Point, Rect, Report, Selection

NOTHING = Selection("", 0, Report("auto", [], "cpu"))


def instance(value: int, *others: int) -> Instance:
    def mask(v: int) -> Mask:
        return Mask(PixelRect(0, 0, 1, 1), data=bytes([v]))

    alternatives = [Alternative(0.5, f"other-{n}", mask=mask(other)) for n, other in enumerate(others)]
    return Instance(str(value), "", 0.9, Rect(0, 0, 1, 1), "m", alternatives, mask=mask(value))


def shown(session: ClickSession) -> list[int]:
    return [hypothesis.preview.data[0] for _, hypothesis in session.result()]


def answer(session: ClickSession, value: int, *others: int) -> None:
    asked = session.missing()
    assert asked is not None
    session.take(session.key(asked), known_candidates(instance(value, *others), NOTHING))


def test_undo_shows_the_older_answer_without_asking() -> None:
    session = ClickSession()
    assert session.missing() is None
    session.add_point(1, 2, True)
    answer(session, 10)
    session.add_point(3, 4, False)
    assert shown(session) == [], "the answer to two clicks is not there yet"
    answer(session, 20)
    assert session.points == [Point(1, 2), Point(3, 4, False)]
    assert session.undo()
    assert (shown(session), session.missing()) == ([10], None)
    assert session.redo()
    assert shown(session) == [20]
    assert session.undo()
    assert session.undo()
    assert not session.undo()
    assert shown(session) == []


def test_only_exclusions_ask_nothing() -> None:
    session = ClickSession()
    session.add_point(1, 2, False)
    assert session.missing() is None


def test_several_objects_ticked_and_removed() -> None:
    session = ClickSession()
    session.set_box(Rect(0, 0, 5, 5))
    answer(session, 1)
    session.new_object()
    session.new_object()  # the new one is still empty
    assert len(session.state.objects) == 2
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
    session = ClickSession("soft")
    session.add_point(1, 1, True)
    answer(session, 5)
    session.settings = "grown"
    assert session.missing() is not None
    answer(session, 6)
    assert shown(session) == [6]
    session.settings = "soft"
    assert (shown(session), session.missing()) == ([5], None)


def test_hypotheses_go_round() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    answer(session, 1, 2, 3)
    seen = []
    for _ in range(4):
        seen += shown(session)
        session.next_hypothesis()
    assert seen == [1, 2, 3, 1]


def test_found_objects_can_be_clicked_further() -> None:
    session = ClickSession()
    session.add_found(NOTHING, [instance(1), instance(2)])
    assert shown(session) == [1, 2]
    session.add_point(0.5, 0.5, False)
    assert session.missing() is not None
    assert session.boxes == [Rect(0, 0, 1, 1)]


def test_nothing_found_is_not_asked_twice() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    session.take(session.key(session.current), None)
    assert session.missing() is None
    assert session.answered(session.current)
    assert session.result() == []


def test_clicks_after_another_hypothesis_go_on_from_it() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    answer(session, 1, 2, 3)
    session.next_hypothesis()
    session.next_hypothesis()
    session.add_point(5, 5, False)
    assert session.current.base == "other-1"
    assert session.points == [Point(1, 1), Point(5, 5, False)], "all clicks, in case it is forgotten"
    session.undo()
    assert (shown(session), session.current.base) == ([3], "")


def test_a_click_outside_makes_a_found_object_larger() -> None:
    session = ClickSession()
    session.add_found(NOTHING, [instance(1)])
    session.add_point(0.5, 0.5, True)
    assert (session.current.base, session.current.box) == ("1", (0, 0, 1, 1))
    session.add_point(7, 7, True)
    assert (session.current.base, session.current.box) == ("1", None)


def test_what_was_stopped_is_asked_again_by_undo_and_redo_only() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    session.stop(session.key(session.current))
    assert session.missing() is None
    assert session.is_stopped(session.key(session.current))
    session.undo()
    session.redo()
    assert session.missing() is session.current


def test_examples_are_steps_and_end_with_what_they_found() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    answer(session, 7)
    session.add_example(Rect(0, 0, 4.004, 5), True)
    session.add_example(Rect(9, 9, 2, 2), False)
    assert session.examples == [Example(0, 0, 4.0, 5), Example(9, 9, 2, 2, include=False)]
    assert session.missing() is None, "examples ask nothing by themselves"
    session.undo()
    assert len(session.examples) == 1
    session.redo()
    session.new_object()
    assert len(session.examples) == 2
    session.add_found(NOTHING, [instance(1), instance(2)])
    assert (session.examples, shown(session)) == ([], [7, 1, 2])
    session.undo()
    assert len(session.examples) == 2


def test_a_taken_object_is_meant_as_it_is_until_a_further_click() -> None:
    session = ClickSession()
    session.add_point(1, 1, True)
    session.take_object(3, 4, "leaf")
    assert (session.current.base, session.current.alone, session.points) == ("leaf", True, [Point(3, 4)])
    assert session.missing() is session.current
    session.take_object(3, 4, "tree")
    session.add_point(9, 9, False)
    assert (session.current.base, session.current.alone, len(session)) == ("tree", False, 2)
    session.undo()
    session.undo()
    assert (session.current.base, session.current.alone) == ("leaf", True)


def test_a_new_box_takes_the_place_of_the_old_and_undo_brings_that_back() -> None:
    session = ClickSession()
    session.set_box(Rect(0, 0, 4, 4))
    session.add_point(2, 2, True)
    session.set_box(Rect(1, 1, 9, 9))
    assert session.boxes == [Rect(1, 1, 9, 9)]
    session.undo()
    assert (session.boxes, session.points) == ([Rect(0, 0, 4, 4)], [Point(2, 2)])


def test_a_new_picture_leaves_the_places_only_also_for_undo() -> None:
    session = ClickSession()
    session.take_object(3, 4, "leaf")
    answer(session, 1)
    session.add_point(5, 5, True)
    session.forget_bases()
    session.settings = "another picture"
    assert (session.current.base, session.points) == ("", [Point(3, 4), Point(5, 5)])
    assert session.missing() is session.current
    session.undo()
    assert (session.current.base, session.current.alone, shown(session)) == ("", False, [])


def test_live_examples_ask_once_one_of_them_is_wanted() -> None:
    session = ClickSession(live_examples=True)
    session.add_example(Rect(0, 0, 4, 4), False)
    assert session.missing() is None
    session.add_example(Rect(5, 5, 4, 4), True)
    answer(session, 7)
    assert (shown(session), len(session)) == ([7], 2)
    session.add_example(Rect(6, 6, 4, 4), True)
    assert session.missing() is session.current
    session.undo()
    assert (shown(session), session.missing()) == ([7], None)


def test_a_box_may_be_dragged_in_any_direction() -> None:
    assert box_between(10, 20, 4, 5) == Rect(4, 5, 6, 15) == box_between(4, 20, 10, 5)


def test_a_click_in_the_place_of_another_is_no_step() -> None:
    session = ClickSession()
    session.add_point(10, 10, include=True)
    answer(session, 1)
    session.add_point(10.4, 9.8, include=True)
    assert len(session) == 1
    assert shown(session) == [1]
    session.add_point(10.4, 9.8, include=False)
    assert len(session) == 2


def test_larger_and_smaller_hypotheses_are_a_step_away() -> None:
    session = ClickSession()
    session.add_point(5, 5, include=True)
    answer(session, 200, 90, 250)
    known = session.answer(session.current)
    assert known is not None
    areas = {index: one.preview.area for index, one in enumerate(known.hypotheses)}
    order = sorted(areas, key=lambda index: areas[index])
    start = order.index(session.current.choice)
    assert session.sized_hypothesis(1) == (start + 1 < len(order))
    while session.sized_hypothesis(1):
        pass
    assert session.current.choice == order[-1]
    while session.sized_hypothesis(-1):
        pass
    assert session.current.choice == order[0]
    assert not session.sized_hypothesis(-1)
