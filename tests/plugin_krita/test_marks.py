"""The click tool's marks: what is asked for, and taking clicks back one by one."""

from maskwright_krita.marks import Marks, Touch, box_between
from maskwright_protocol.messages import Example, Point, Rect


def test_only_an_inclusion_or_a_box_can_be_answered() -> None:
    marks = Marks()
    assert not marks.answerable()
    marks.add(Point(1, 1, include=False))
    assert not marks.answerable()
    marks.add(Rect(0, 0, 4, 4))
    assert marks.answerable()


def test_a_new_box_takes_the_place_of_the_old_and_undo_brings_that_back() -> None:
    marks = Marks()
    marks.add(Rect(0, 0, 4, 4))
    marks.add(Point(2, 2))
    marks.add(Rect(1, 1, 9, 9))
    assert marks.boxes == [Rect(1, 1, 9, 9)]
    assert marks.undo()
    assert marks.boxes == [Rect(0, 0, 4, 4)]
    assert marks.points == [Point(2, 2)]


def test_the_answer_follows_undo() -> None:
    marks = Marks()
    marks.add(Point(1, 1)).answer = "first"
    marks.add(Point(2, 2))
    assert marks.pending is marks.steps[-1]
    assert marks.answer == "first"
    marks.steps[-1].answer = "second"
    assert marks.pending is None
    assert marks.answer == "second"
    marks.undo()
    assert marks.answer == "first"
    marks.undo()
    assert marks.answer is None
    assert not marks.undo()


def test_a_box_may_be_dragged_in_any_direction() -> None:
    assert box_between(10, 20, 4, 5) == Rect(4, 5, 6, 15) == box_between(4, 20, 10, 5)


def test_a_touched_object_is_meant_as_it_is_until_a_second_mark_goes_on_from_it() -> None:
    marks = Marks()
    marks.add(Touch(Point(3, 4), "leaf"))
    assert marks.answerable()
    assert marks.touch == Touch(Point(3, 4), "leaf")
    assert (marks.seed, marks.points) == ("leaf", [Point(3, 4)])
    marks.add(Point(9, 9, include=False))
    assert marks.touch is None
    assert (marks.seed, len(marks.points)) == ("leaf", 2)
    marks.add(Point(5, 5), "other guess")
    assert marks.seed == "other guess"
    marks.undo()
    assert marks.seed == "leaf"


def test_a_new_picture_leaves_the_places_only() -> None:
    marks = Marks()
    marks.add(Touch(Point(3, 4), "leaf"))
    marks.add(Point(5, 5), "guess")
    marks.forget_seeds()
    assert (marks.seed, marks.points) == ("", [Point(3, 4), Point(5, 5)])


def test_examples_ask_once_one_of_them_is_wanted_and_leave_boxes_alone() -> None:
    marks = Marks()
    marks.add(Example(0, 0, 4, 4, include=False))
    assert not marks.answerable()
    marks.add(Example(5, 5, 4, 4))
    assert marks.answerable()
    assert marks.examples == [Example(0, 0, 4, 4, include=False), Example(5, 5, 4, 4)]
    assert (marks.boxes, marks.points) == ([], [])
    marks.undo()
    assert len(marks.examples) == 1
