"""What was clicked in Click to Select: objects with points and boxes, undo per step. Plain Python, no GIMP.

States are immutable, so undo is going back to an older one; answers are kept by what was asked, so going back to a
state whose answers came shows them at once.
"""

from typing import Any, Dict, Hashable, List, NamedTuple, Optional, Set, Tuple

from maskwright_protocol.messages import Example, Instance, Mask, Point, Rect

Prompt = Tuple[Hashable, ...]


class Thing(NamedTuple):
    """One object: its prompts, and whether it is part of the result."""

    number: int
    points: Tuple[Tuple[float, float, bool], ...] = ()
    box: Optional[Tuple[float, float, float, float]] = None
    ticked: bool = True
    choice: int = 0  # 0 the best answer, 1.. its alternatives
    base: str = ""  # the answer that further clicks go on from: one found by name, or another guess that was chosen

    @property
    def empty(self) -> bool:
        return not self.base and self.box is None and not any(include for _, _, include in self.points)


class State(NamedTuple):
    """``examples``: boxes ``(x, y, width, height, include)`` around what is to be looked for and what is not."""

    things: Tuple[Thing, ...] = (Thing(1),)
    current: int = 0
    examples: Tuple[Tuple[float, float, float, float, bool], ...] = ()


class Session:
    """``settings`` stands for everything else that an answer depends on (post-processing, models, ...)."""

    def __init__(self, settings: Hashable = ()) -> None:
        self.state = State()
        self.settings = settings
        self._past: List[State] = []
        self._future: List[State] = []
        self._answers: Dict[Hashable, Optional[Instance]] = {}
        self._stopped: Set[Hashable] = set()
        self._numbers = 1

    # ------------------------------------------------------------ steps, each undone by one undo

    def _step(self, state: State) -> None:
        self._past.append(self.state)
        self._future.clear()
        self.state = state

    def _change(self, index: int, **changes: Any) -> None:
        things = list(self.state.things)
        things[index] = things[index]._replace(**changes)
        self._step(self.state._replace(things=tuple(things)))

    @property
    def thing(self) -> Thing:
        return self.state.things[self.state.current]

    def add_point(self, x: float, y: float, include: bool) -> None:
        """A click. After another guess was chosen it goes on from that one, not from the best."""
        thing, answer = self.thing, self.answer(self.thing)
        points = (*thing.points, (round(x, 2), round(y, 2), include))
        base, box = thing.base, thing.box
        if answer is not None and thing.choice:
            base = answer.alternatives[thing.choice - 1].id or base
        if base and include and box is not None and not _holds(box, x, y):
            box = None  # it is to become larger than what was found
        self._change(self.state.current, points=points, box=box, base=base, choice=0, ticked=True)

    def set_box(self, x: float, y: float, width: float, height: float) -> None:
        box = (round(x, 2), round(y, 2), round(width, 2), round(height, 2))
        self._change(self.state.current, box=box, base="", choice=0, ticked=True)

    def new_thing(self) -> None:
        """Begin another object, unless the current one is still empty."""
        if self.thing.empty and not self.thing.points:
            return
        self._numbers += 1
        things = (*self.state.things, Thing(self._numbers))
        self._step(self.state._replace(things=things, current=len(things) - 1))

    def add_example(self, x: float, y: float, width: float, height: float, include: bool) -> None:
        """A box around something of the kind that is to be found, or of another kind."""
        box = (round(x, 2), round(y, 2), round(width, 2), round(height, 2), include)
        self._step(self.state._replace(examples=(*self.state.examples, box)))

    @property
    def examples(self) -> List[Example]:
        return [Example(*box) for box in self.state.examples]

    def add_found(self, instances: List[Instance]) -> None:
        """Objects that were found by name or example become objects that can be clicked on further; the examples have
        done their work."""
        things = [thing for thing in self.state.things if not thing.empty]
        for instance in instances:
            self._numbers += 1
            box = instance.box
            thing = Thing(self._numbers, box=(box.x, box.y, box.width, box.height), base=instance.id)
            self._answers[self.key(thing)] = instance
            things.append(thing)
        if things:
            self._step(State(tuple(things), len(things) - 1))

    def remove(self, index: int) -> None:
        things = [thing for i, thing in enumerate(self.state.things) if i != index]
        if not things:
            self._numbers += 1
            things = [Thing(self._numbers)]
        self._step(self.state._replace(things=tuple(things), current=min(self.state.current, len(things) - 1)))

    def tick(self, index: int, ticked: bool) -> None:
        self._change(index, ticked=ticked)

    def next_alternative(self) -> None:
        answer = self.answer(self.thing)
        if answer is not None and answer.alternatives:
            self._change(self.state.current, choice=(self.thing.choice + 1) % (1 + len(answer.alternatives)))

    def choose(self, index: int) -> None:
        """Which object the next click is for; not a step of its own."""
        self.state = self.state._replace(current=index)

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

    # ------------------------------------------------------------ questions and answers

    def key(self, thing: Thing) -> Hashable:
        return (thing.number, thing.points, thing.box, thing.base, self.settings)

    def answered(self, thing: Thing) -> bool:
        return self.key(thing) in self._answers

    def answer(self, thing: Thing) -> Optional[Instance]:
        """What the server said; None when it found nothing or has not answered."""
        return self._answers.get(self.key(thing))

    def take(self, key: Hashable, instance: Optional[Instance]) -> None:
        self._answers[key] = instance

    def missing(self) -> Optional[Thing]:
        """The next object to ask about: the current one first."""
        for thing in (self.thing, *self.state.things):
            if not (thing.empty or self.answered(thing) or self.is_stopped(thing)):
                return thing
        return None

    def stop(self, key: Hashable) -> None:
        """Do not ask for that again, until undo or redo come back to it."""
        self._stopped.add(key)

    def is_stopped(self, thing: Thing) -> bool:
        return self.is_stopped_key(self.key(thing))

    def is_stopped_key(self, key: Hashable) -> bool:
        return key in self._stopped

    def ask_again(self) -> None:
        """Ask once more for what had no answer."""
        self._stopped.clear()
        self._answers = {key: answer for key, answer in self._answers.items() if answer is not None}

    def mask(self, thing: Thing) -> Optional[Mask]:
        answer = self.answer(thing)
        if answer is None or thing.empty:
            return None
        return answer.alternatives[thing.choice - 1].mask if thing.choice else answer.mask

    def result(self) -> List[Tuple[Thing, Mask]]:
        """The ticked objects' masks."""
        found = [(thing, self.mask(thing)) for thing in self.state.things if thing.ticked]
        return [(thing, mask) for thing, mask in found if mask is not None]


def prompts(thing: Thing) -> Tuple[List[Point], List[Rect]]:
    """An object's prompts as the wire has them."""
    return [Point(*point) for point in thing.points], [Rect(*thing.box)] if thing.box is not None else []


def _holds(box: Tuple[float, float, float, float], x: float, y: float) -> bool:
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
