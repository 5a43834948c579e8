"""What Click to Select asks the server: one question at a time, an outdated one is given up."""

from typing import Any, Callable, Dict, Hashable, List, Optional, Tuple

from maskwright_client.ask import PictureSource, Steps
from maskwright_client.candidates import OTHERS, Candidates, Hypothesis, Question, ask_candidates
from maskwright_client.click_session import ClickedObject, ClickSession, prompts
from maskwright_client.jobs import JobOptions, Prompt
from maskwright_client.results import how, nothing_found
from maskwright_client.steps import Runner
from maskwright_protocol.messages import Instance, Job, Mask, Report, Selection

from . import async_client, image_source, options, procedures
from .server_line import ServerLine

ASKED_BY = ("recipe", "models", "precise", "tiles", "current-selection", *procedures.POST_NAMES)
PREPARE_MS = 400  # after an answer, when the user rests: get the masks ready that OK will want


class Questions:
    """Puts answers into the session; ``changed()`` is called after each."""

    def __init__(self, call: Any, target: image_source.Target, line: ServerLine, changed: Callable[[], None]) -> None:
        self.call, self.target, self.line, self.changed = call, target, line, changed
        self.depth = image_source.mask_depth(call.image)
        self.outline = image_source.selection(call.image, self.depth)
        self.session = ClickSession(self._settings())
        self.report: Optional[Report] = None
        self.asked: Hashable = None  # the session's key of what is asked for; None for other questions
        self._gives_way = False  # what is asked for is given up when there is a click to ask about
        self._runner: Optional[Runner] = None
        self._preparing: Optional[Runner] = None
        self._open = True

    @property
    def busy(self) -> bool:
        return self._runner is not None

    def close(self) -> None:
        self._open = False
        for runner in (self._runner, self._preparing):
            if runner is not None:
                runner.drop()

    def stop(self) -> None:
        """Give up what is asked for; it is not asked again until the user does something about it."""
        if self._runner is not None:
            if self.asked is not None:
                self.session.stop(self.asked)
            self._runner.cancel()

    def settings_changed(self) -> bool:
        """Whether answers given so far are of other settings."""
        settings = self._settings()
        changed = settings != self.session.settings
        self.session.settings = settings
        return changed

    def ask_next(self) -> None:
        """Ask about what is not known yet."""
        one = self.session.missing()
        if self._runner is not None:
            if self._outdated(one):
                self._runner.cancel()
            return
        if one is None or not self._open:
            return
        key = self.session.key(one)
        self._run(key, ask_candidates(self._question(one)), lambda found: self._take(key, found))

    def _outdated(self, one: Optional[ClickedObject]) -> bool:
        """What is asked for is not what matters now; ``one`` does."""
        if self.asked is None:
            return self._gives_way and one is not None
        return one is None or self.session.key(one) != self.asked

    def _question(self, one: ClickedObject) -> Question:
        points, boxes = prompts(one)
        job = self._job_options().select_points(points, boxes, self._region(), seed=one.base)
        return Question(self._ask, self.target.source, job, one.alone)

    def _take(self, key: Hashable, found: Candidates) -> Selection:
        self.session.take(key, found)
        return found.answer

    def other(self) -> None:
        """Show another hypothesis for the current object: a part, the whole, and round again."""
        answer = self.session.answer(self.session.current)
        if answer is None or self._runner is not None:
            return

        def take(count: int) -> Selection:
            self.session.next_hypothesis()
            return answer.answer

        self._run(None, answer.find_others(), take)
        self._gives_way = True

    def find(self, text: str, done: Callable[[], None]) -> None:
        """Add what is called so, or is like the examples, or both."""

        def take(answer: Selection) -> Selection:
            self.session.add_found(answer, [instance for instance in answer.instances if instance.mask is not None])
            done()
            return answer

        examples = self.session.examples
        if (text or examples) and self._runner is None:
            job = self._job_options().select(Prompt(text, examples=examples), self._region())
            job.alternatives = OTHERS
            self._run(None, self._ask(job, self.target.source), take)

    def similar(self) -> None:
        """Add what is like the current object."""
        shown = self.session.shown
        if shown is None or self._runner is not None:
            return

        def take(found: Selection) -> Selection:
            # The object itself comes first; it is on the list already.
            self.session.add_found(found, [one for one in found.instances[1:] if one.mask is not None])
            return found

        self._run(None, self._similar(shown), take)

    def _similar(self, shown: Hypothesis) -> Steps:
        whole = yield from shown.find_whole()
        job = self._job_options().similar(shown.instance.id, whole.instances[0].mask)
        return (yield from self._ask(job, self.target.source))

    def whole(self) -> Steps:
        """Steps that end with the ticked objects as instances of the document's size."""
        instances: List[Instance] = []
        for _, hypothesis in self.session.result():
            found = yield from hypothesis.find_whole()
            self.report = found.report
            instances += [instance for instance in found.instances if instance.mask is not None]
        return instances

    # ------------------------------------------------------------ inside

    def _options(self) -> Dict[str, Any]:
        return self.call.options()

    def _settings(self) -> Tuple[Any, ...]:
        chosen = self._options()
        return tuple(chosen[name] for name in ASKED_BY)

    def _job_options(self) -> JobOptions:
        return options.read(self._options(), self.call.entry.verb, self.depth)

    def _region(self) -> Optional[Mask]:
        return options.limit(self._options(), self.outline)

    def _ask(self, job: Job, source: PictureSource) -> Steps:
        return async_client.asking(self.call.client, job, source, self._progress)

    def _run(self, key: Hashable, steps: Steps, take: Callable[[Any], Selection]) -> None:
        """``take`` puts what the steps end with into the session; it returns the answer to tell of."""

        def again() -> None:
            self.session.ask_again()
            self.changed()

        def done(value: Any, error: Optional[Exception]) -> None:
            self._runner = None
            if error is None:
                answer = take(value)
                self.report = answer.report
                self.line.say(how(answer.report) if answer.instances else nothing_found(answer))
                async_client.LOOP.later(self._prepare, PREPARE_MS)
            elif async_client.was_cancelled(error):
                self.line.say("Stopped." if key is None or self.session.is_stopped(key) else "")
            else:
                if key is not None:
                    self.session.take(key, None)
                self.line.fail(error, self.call.client, again)
            self.changed()

        if self._preparing is not None:
            self._preparing.drop()
            self._preparing = None
        self.asked, self._gives_way = key, False
        self.line.busy("Looking...")
        self._runner = async_client.run(steps, done)

    def _prepare(self) -> None:
        if not self._open or self._runner is not None or self._preparing is not None:
            return

        def done(value: Any, error: Optional[Exception]) -> None:
            self._preparing = None
            if error is None:  # else OK asks again, and says what is wrong
                self.changed()

        if any(hypothesis.whole is None for _, hypothesis in self.session.result()):
            self._preparing = async_client.run(self.whole(), done)

    def _progress(self, progress: Any) -> None:
        if self._open and self._runner is not None and progress.text:
            self.line.busy(progress.text)
