"""What was clicked: objects with points, strokes and boxes, and what the server made of them; each step can be undone.

States are immutable, so undo is going back to an older one; answers are kept by what was asked, so going back to a
state whose answers came shows them at once.
"""

from contextlib import contextmanager
from typing import Any, Dict, Hashable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from maskwright_protocol.messages import Example, Instance, Point, Rect, Selection, Stroke

from .candidates import Candidates, Hypothesis, known_candidates
from .coordinates import thinned

SAME_PLACE = 0.75  # document pixels
MOST_PLACES = 400  # of a stroke
Box = Tuple[float, float, float, float]  # x, y, width, height
Line = Tuple[Tuple[float, ...], bool, float, bool]  # a stroke's path, whether it includes, its width, whether closed


class ClickedObject(NamedTuple):
    """One object: its prompts, and whether it is part of the result. Places are the document's."""

    number: int
    points: Tuple[Tuple[float, float, bool], ...] = ()
    strokes: Tuple[Line, ...] = ()
    box: Optional[Box] = None
    ticked: bool = True
    choice: int = 0  # which hypothesis of the answer; 0 is the likeliest
    base: str = ""  # what further clicks go on from: an object that was found, or another hypothesis that was chosen
    alone: bool = False  # ``base`` is meant as it is; the point stands in for it should the server have forgotten it

    @property
    def empty(self) -> bool:
        included = any(point[2] for point in self.points) or any(stroke[1] for stroke in self.strokes)
        return not (self.base or self.box is not None or included)

    @property
    def untouched(self) -> bool:
        """Nothing was clicked yet, not even what is not meant."""
        return self.empty and not self.points and not self.strokes


class State(NamedTuple):
    """``examples``: boxes ``(x, y, width, height, include)`` around what is to be looked for and what is not."""

    objects: Tuple[ClickedObject, ...] = (ClickedObject(1),)
    chosen: int = 0  # number in ``objects`` of the one that the next click is for
    examples: Tuple[Tuple[float, float, float, float, bool], ...] = ()


class ClickSession:
    """``settings`` stands for everything else that an answer depends on (post-processing, models, the picture, ...).

    ``live_examples``: examples are part of the question about the clicks, and all that is like them is one object.
    Otherwise they wait until somebody looks for them.
    """

    def __init__(self, settings: Hashable = (), live_examples: bool = False) -> None:
        self.state = State()
        self.settings = settings
        self.live_examples = live_examples
        self._past: List[State] = []
        self._future: List[State] = []
        self._answers: Dict[Hashable, Optional[Candidates]] = {}
        self._stopped: Set[Hashable] = set()
        self._numbers = 1

    def __len__(self) -> int:
        """How many prompts the current object has, with the examples."""
        current = self.current
        places = len(current.points) + len(current.strokes) + (current.box is not None)
        return places + len(self.state.examples)

    @property
    def fresh(self) -> bool:
        """Nothing was clicked yet for the current object."""
        examples = self.live_examples and bool(self.state.examples)
        return self.current.untouched and not examples

    # ------------------------------------------------------------ steps, each undone by one undo

    def _step(self, state: State) -> None:
        self._past.append(self.state)
        self._future.clear()
        self.state = state

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """What is done meanwhile is taken back by one undo."""
        before = len(self._past)
        yield
        del self._past[before + 1 :]

    def _change(self, index: int, **changes: Any) -> None:
        objects = list(self.state.objects)
        objects[index] = objects[index]._replace(**changes)
        self._step(self.state._replace(objects=tuple(objects)))

    @property
    def current(self) -> ClickedObject:
        return self.state.objects[self.state.chosen]

    def add_point(self, x: float, y: float, include: bool) -> None:
        """A click. After another hypothesis was chosen it goes on from that one, not from the likeliest.

        One in the place of another says nothing new.
        """
        current = self.current
        if any(include == known and max(abs(x - px), abs(y - py)) < SAME_PLACE for px, py, known in current.points):
            return
        self._prompt((x, y), include, points=(*current.points, (round(x, 2), round(y, 2), include)))

    def _prompt(self, at: Tuple[float, float], include: bool, **changes: Any) -> None:
        """Go on from what is shown with something more."""
        current, shown = self.current, self.shown
        base, box = current.base, current.box
        if shown is not None and current.choice:
            base = shown.instance.id or base
        if base and include and box is not None and not _holds(box, *at):
            box = None  # it is to become larger than what was found
        self._change(self.state.chosen, box=box, base=base, choice=0, ticked=True, alone=False, **changes)

    def add_stroke(self, path: Sequence[float], include: bool, width: float = 0.0, closed: bool = False) -> None:
        """A stroke over the object or over what does not belong to it, or round it (``closed``).

        ``path``: x and y in turn. A loop round the object takes the place of a box and of an earlier loop.
        """
        kept = _outlined(path)
        strokes = (*self.current.strokes, (kept, include, round(width, 2), closed))
        if include and closed:
            strokes = (*(one for one in strokes[:-1] if not (one[1] and one[3])), strokes[-1])
            self._change(
                self.state.chosen, strokes=strokes, box=None, base="", choice=0, ticked=True, alone=False
            )  # fmt: skip
        else:
            self._prompt((kept[-2], kept[-1]), include, strokes=strokes)

    def object_at(self, x: float, y: float) -> Optional[int]:
        """Index of the object that is shown at a place, the current one first; None where none is."""
        order = [self.state.chosen, *range(len(self.state.objects))]
        for index in order:
            hypothesis = self.hypothesis(self.state.objects[index])
            if hypothesis is not None and hypothesis.preview.shows(x, y):
                return index
        return None

    def begin_anew(self) -> None:
        """Drop all objects for another one."""
        self._numbers += 1
        self._step(State((ClickedObject(self._numbers),), 0))

    def set_box(self, box: Rect) -> None:
        """A box around the object; it takes the place of an earlier one."""
        kept = round(box.x, 2), round(box.y, 2), round(box.width, 2), round(box.height, 2)
        self._change(self.state.chosen, box=kept, base="", choice=0, ticked=True, alone=False)

    def take_object(self, x: float, y: float, identity: str) -> None:
        """A click that takes an object of the object map as it is; in the place of all earlier prompts."""
        points = ((round(x, 2), round(y, 2), True),)
        self._change(
            self.state.chosen, points=points, strokes=(), box=None, base=identity, choice=0, ticked=True, alone=True
        )  # fmt: skip

    def new_object(self) -> None:
        """Begin another object, unless the current one is still empty."""
        if self.fresh:
            return
        self._numbers += 1
        objects = (*self.state.objects, ClickedObject(self._numbers))
        self._step(self.state._replace(objects=objects, chosen=len(objects) - 1))

    def add_example(self, box: Rect, include: bool) -> None:
        """A box around something of the kind that is to be found, or of another kind."""
        kept = (round(box.x, 2), round(box.y, 2), round(box.width, 2), round(box.height, 2), include)
        self._step(self.state._replace(examples=(*self.state.examples, kept)))

    def add_found(self, answer: Selection, instances: List[Instance]) -> None:
        """Instances of an answer (by name, by example) become objects that can be clicked on further; the examples
        have done their work."""
        objects = [one for one in self.state.objects if not one.empty]
        for instance in instances:
            self._numbers += 1
            box = instance.box
            one = ClickedObject(self._numbers, box=(box.x, box.y, box.width, box.height), base=instance.id)
            self._answers[self.key(one)] = known_candidates(instance, answer)
            objects.append(one)
        if objects:
            self._step(State(tuple(objects), len(objects) - 1))

    def remove(self, index: int) -> None:
        objects = [one for i, one in enumerate(self.state.objects) if i != index]
        if not objects:
            self._numbers += 1
            objects = [ClickedObject(self._numbers)]
        self._step(self.state._replace(objects=tuple(objects), chosen=min(self.state.chosen, len(objects) - 1)))

    def tick(self, index: int, ticked: bool) -> None:
        self._change(index, ticked=ticked)

    def next_hypothesis(self) -> bool:
        """Show the next hypothesis that is known, the likeliest after the last; False when there is no other."""
        answer = self.answer(self.current)
        count = len(answer.hypotheses) if answer is not None else 0
        if count > 1:
            self._change(self.state.chosen, choice=(self.current.choice + 1) % count)
        return count > 1

    def sized_hypothesis(self, by: int) -> bool:
        """Show the next larger (1) or smaller (-1) hypothesis that is known; False when there is none."""
        answer = self.answer(self.current)
        found = answer.hypotheses if answer is not None else []
        if not found:
            return False
        order = sorted(range(len(found)), key=lambda i: found[i].preview.area)
        place = order.index(min(self.current.choice, len(found) - 1)) + by
        if not 0 <= place < len(order):
            return False
        self._change(self.state.chosen, choice=order[place])
        return True

    def choose(self, index: int) -> None:
        """Which object the next click is for; not a step of its own."""
        self.state = self.state._replace(chosen=index)

    def undo(self) -> bool:
        if not self._past:
            return False
        self._stopped.clear()
        self._future.append(self.state)
        self.state = self._past.pop()
        return True

    def redo(self) -> bool:
        if not self._future:
            return False
        self._stopped.clear()
        self._past.append(self.state)
        self.state = self._future.pop()
        return True

    def can_undo(self) -> bool:
        return bool(self._past)

    def can_redo(self) -> bool:
        return bool(self._future)

    def forget_bases(self) -> None:
        """The picture has changed: only places count, also in the states that undo comes back to."""
        self.state = _plain(self.state)
        self._past = [_plain(state) for state in self._past]
        self._future = [_plain(state) for state in self._future]

    # ------------------------------------------------------------ questions and answers

    @property
    def points(self) -> List[Point]:
        """The current object's."""
        return prompts(self.current).points

    @property
    def strokes(self) -> List[Stroke]:
        """The current object's."""
        return prompts(self.current).strokes

    @property
    def boxes(self) -> List[Rect]:
        """The current object's; at most one."""
        return prompts(self.current).boxes

    @property
    def examples(self) -> List[Example]:
        return [Example(*box) for box in self.state.examples]

    def key(self, one: ClickedObject) -> Hashable:
        """Names the question about an object: equal questions have the same answer."""
        examples = self.state.examples if self.live_examples else ()
        return (one.number, one.points, one.strokes, one.box, one.base, one.alone, examples, self.settings)

    def answerable(self, one: ClickedObject) -> bool:
        """Something says what is meant; "not this" alone does not."""
        return not one.empty or (self.live_examples and any(box[-1] for box in self.state.examples))

    def answered(self, one: ClickedObject) -> bool:
        return self.key(one) in self._answers

    def answer(self, one: ClickedObject) -> Optional[Candidates]:
        """What the server said; None when it failed or has not answered."""
        return self._answers.get(self.key(one))

    def hypothesis(self, one: ClickedObject) -> Optional[Hypothesis]:
        """The chosen reading of an object's clicks."""
        answer = self.answer(one)
        if answer is None or not answer.hypotheses or not self.answerable(one):
            return None
        return answer.hypotheses[min(one.choice, len(answer.hypotheses) - 1)]

    @property
    def shown(self) -> Optional[Hypothesis]:
        """The chosen reading of the current object's clicks."""
        return self.hypothesis(self.current)

    def take(self, key: Hashable, answer: Optional[Candidates]) -> None:
        """The answer to a question; None when it failed."""
        self._answers[key] = answer

    def missing(self) -> Optional[ClickedObject]:
        """The next object to ask about: the current one first."""
        for one in (self.current, *self.state.objects):
            if self.answerable(one) and not self.answered(one) and not self.is_stopped(self.key(one)):
                return one
        return None

    def stop(self, key: Hashable) -> None:
        """Do not ask for that again, until undo or redo come back to it."""
        self._stopped.add(key)

    def is_stopped(self, key: Hashable) -> bool:
        return key in self._stopped

    def ask_again(self) -> None:
        """Ask once more for what had no answer."""
        self._stopped.clear()
        self._answers = {key: answer for key, answer in self._answers.items() if answer is not None}

    def result(self) -> List[Tuple[ClickedObject, Hypothesis]]:
        """The ticked objects that were found."""
        found = [(one, self.hypothesis(one)) for one in self.state.objects if one.ticked]
        return [(one, hypothesis) for one, hypothesis in found if hypothesis is not None]


class Prompts(NamedTuple):
    """An object's prompts, as the wire has them; at most one box."""

    points: List[Point]
    boxes: List[Rect]
    strokes: List[Stroke]


def prompts(one: ClickedObject) -> Prompts:
    return Prompts(
        [Point(*point) for point in one.points],
        [Rect(*one.box)] if one.box is not None else [],
        [Stroke(list(path), include, width, closed) for path, include, width, closed in one.strokes],
    )


def _outlined(path: Sequence[float]) -> Tuple[float, ...]:
    """A path without places that lie nearer together than a thousandth of its size; at most some ``MOST_PLACES``."""
    least = max(max(path[0::2]) - min(path[0::2]), max(path[1::2]) - min(path[1::2]), 1e-3) / 1000
    kept = thinned(path, least)
    while len(kept) > 2 * MOST_PLACES:
        least *= 2
        kept = thinned(path, least)
    return tuple(round(value, 2) for value in kept)


def _plain(state: State) -> State:
    objects = tuple(one._replace(base="", alone=False, choice=0) for one in state.objects)
    return state._replace(objects=objects)


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


def box_between(x0: float, y0: float, x1: float, y1: float) -> Rect:
    """The box that a drag from one place to another means."""
    return Rect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
