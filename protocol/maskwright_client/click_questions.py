"""Asks the server about clicks: one question at a time, and one that no longer matters is given up."""

from typing import Any, Callable, Hashable, List, Optional

from maskwright_protocol.messages import Instance, MappedObject, Report, Selection

from .ask import Steps
from .candidates import Candidates, Question, ask_candidates
from .click_session import ClickedObject, ClickSession
from .hover import Hover
from .steps import Loop, Runner

REST_MS = 400  # after an answer, when the user rests: get ready what will be wanted next


class ClickQuestions:
    """Base of what an editor asks about clicks; answers go into ``session``."""

    loop: Loop

    def __init__(self) -> None:
        self.session = ClickSession()
        self.report: Optional[Report] = None  # of the last answer
        self.asked: Hashable = None  # the session's key of the clicks that are asked about; None for other questions
        self._gives_way = False  # what is asked for is given up when there is a click to ask about
        self._runner: Optional[Runner] = None
        self._rest: Optional[object] = None  # stands for a rest that is awaited
        self._resting: Optional[Runner] = None

    # ------------------------------------------------------------ the editor's part

    def question(self, one: ClickedObject) -> Question:
        """What to ask about an object."""
        raise NotImplementedError

    def begun(self) -> None:
        """Something is asked for."""

    def told(self, answer: Selection) -> None:
        """An answer is in the session."""

    def failed_with(self, error: Exception, key: Hashable) -> None:
        """There is no answer. ``key``: ``asked`` of what was asked for."""
        raise NotImplementedError

    def no_other(self) -> None:
        """The user wanted another hypothesis, and there is none."""

    def changed(self) -> None:
        """There was an answer, or an error."""

    def rest(self) -> Steps:
        """Steps to take while the user rests; given up when there is something to ask for."""
        return self.whole()

    def rested(self, value: Any) -> None:
        """``rest`` has ended with that value."""
        self.changed()

    # ------------------------------------------------------------ asking

    @property
    def busy(self) -> bool:
        """Something is asked for."""
        return self._runner is not None

    @property
    def idle(self) -> bool:
        """Nothing is asked for or got ready, and nothing will be before the user does something."""
        return self._runner is None and self._rest is None and self._resting is None

    def ask_next(self) -> None:
        """Ask about what is not known yet; give up what is asked for and does not matter any more."""
        one = self.session.missing()
        if self._runner is not None and self._is_outdated(one):
            self.give_up()
        if self._runner is None and one is not None:
            key = self.session.key(one)
            self.run(ask_candidates(self.question(one)), lambda found: self._take(key, found), key)

    def _is_outdated(self, one: Optional[ClickedObject]) -> bool:
        if self.asked is None:
            return self._gives_way and one is not None
        return one is None or self.session.key(one) != self.asked

    def _take(self, key: Hashable, found: Candidates) -> Selection:
        self.session.take(key, found)
        return found.answer

    def other(self) -> None:
        """Show another hypothesis for the current object: a part, the whole, and round again."""
        self._show_other(self.session.next_hypothesis)

    def climb_clicked(self, hover: Optional[Hover], by: int) -> Optional[MappedObject]:
        """Take what holds the thing that was clicked (1), or a part of it (-1): the object of the map, which is
        returned, or without a map another hypothesis."""
        if hover is not None and hover.ready and self.session.current.alone:
            return hover.climb_clicked(self.session, by)
        self._show_other(lambda: self.session.sized_hypothesis(by))
        return None

    def _show_other(self, choose: Callable[[], bool]) -> None:
        answer = self.session.answer(self.session.current)
        if answer is None or self._runner is not None:
            return

        def take(count: int) -> Selection:
            if not choose():
                self.no_other()
            return answer.answer

        self.run(answer.find_others(), take)
        self._gives_way = True

    def run(self, steps: Steps, take: Callable[[Any], Selection], key: Hashable = None) -> None:
        """``take`` puts what the steps end with into the session; it returns the answer to tell of."""
        self._stop_resting()
        self.asked, self._gives_way = key, False
        self.begun()
        self._runner = Runner(steps, self.loop, lambda value, error: self._done(take, value, error))

    def _done(self, take: Callable[[Any], Selection], value: Any, error: Optional[Exception]) -> None:
        key, self.asked, self._runner = self.asked, None, None
        if error is None:
            answer = take(value)
            self.report = answer.report
            self.told(answer)
            self._rest = rest = object()
            self.loop.later(lambda: self._begin_rest(rest), REST_MS)
        else:
            self.failed_with(error, key)
        self.changed()

    def give_up(self) -> None:
        """Wait for nothing any more."""
        self._stop_resting()
        runner, self.asked, self._runner = self._runner, None, None
        if runner is not None:
            runner.drop()

    # ------------------------------------------------------------ while the user rests

    def _begin_rest(self, rest: object) -> None:
        if rest is self._rest:  # else there was another click
            self._rest = None
            self._resting = Runner(self.rest(), self.loop, self._rested)

    def _rested(self, value: Any, error: Optional[Exception]) -> None:
        self._resting = None
        if error is None:  # else whoever wants it asks again, and says what is wrong
            self.rested(value)

    def _stop_resting(self) -> None:
        resting, self._rest, self._resting = self._resting, None, None
        if resting is not None:
            resting.drop()

    def whole(self) -> Steps:
        """Steps that end with the ticked objects as instances of the document's size."""
        instances: List[Instance] = []
        for _, hypothesis in self.session.result():
            found = yield from hypothesis.find_whole()
            self.report = found.report
            instances += [instance for instance in found.instances if instance.mask is not None]
        return instances
