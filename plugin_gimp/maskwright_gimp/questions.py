"""What Click to Select asks the server: one question at a time, an outdated one is given up."""

from typing import Any, Callable, Dict, Optional, Tuple

from maskwright_client.jobs import JobOptions, Prompt
from maskwright_protocol.messages import Instance, Job, Mask, Report, Selection

from . import driver, options, procedures, reading, results
from .server_line import ServerLine
from .session import Session, prompts

ASKED_BY = ("recipe", "models", "precise", "tiles", "current-selection", *procedures.POST_NAMES)


class Questions:
    """Puts answers into the session; ``changed()`` is called after each."""

    def __init__(self, call: Any, subject: reading.Subject, line: ServerLine, changed: Callable[[], None]) -> None:
        self.call, self.subject, self.line, self.changed = call, subject, line, changed
        self.depth = reading.mask_depth(call.image)
        self.outline = reading.selection(call.image, self.depth)
        self.session = Session(self._settings())
        self.report: Optional[Report] = None
        self._question: Optional[driver.Question] = None
        self._asked: Any = None
        self._open = True

    @property
    def busy(self) -> bool:
        return self._question is not None

    def close(self) -> None:
        self._open = False
        if self._question is not None:
            self._question.drop()

    def stop(self) -> None:
        """Give up what is asked for; it is not asked again until the user does something about it."""
        if self._question is not None:
            if self._asked is not None:
                self.session.stop(self._asked)
            self._question.cancel()

    def settings_changed(self) -> bool:
        """Whether answers given so far are of other settings."""
        settings = self._settings()
        changed = settings != self.session.settings
        self.session.settings = settings
        return changed

    def ask_next(self) -> None:
        """Ask about what is not known yet."""
        thing = self.session.missing()
        if self._question is not None:
            if self._asked is not None and (thing is None or self.session.key(thing) != self._asked):
                self._question.cancel()
            return
        if thing is None or not self._open:
            return
        key = self.session.key(thing)
        points, boxes = prompts(thing)
        how = self._job_options()
        job = how.select_points(points, boxes, self._region(), alternatives=2, seed=thing.base)
        self._ask(key, job, lambda answer: self.session.take(key, _best(answer)))

    def find(self, text: str, done: Callable[[], None]) -> None:
        """Add what is called so, or is like the examples, or both."""

        def take(answer: Selection) -> None:
            self.session.add_found([instance for instance in answer.instances if instance.mask is not None])
            done()

        examples = self.session.examples
        if (text or examples) and self._question is None:
            self._ask(None, self._job_options().select(Prompt(text, examples=examples), self._region()), take)

    def similar(self) -> None:
        """Add what is like the current object."""
        answer = self.session.answer(self.session.thing)
        if answer is None or self._question is not None:
            return
        name, mask = answer.id, self.session.mask(self.session.thing)
        if self.session.thing.choice:
            name = answer.alternatives[self.session.thing.choice - 1].id
        job = self._job_options().similar(name, mask)
        # The object itself comes first; it is on the list already.
        self._ask(
            None, job, lambda found: self.session.add_found([i for i in found.instances[1:] if i.mask is not None])
        )

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

    def _ask(self, key: Any, job: Job, take: Callable[[Any], None]) -> None:
        def again() -> None:
            self.session.ask_again()
            self.changed()

        def done(answer: Any, error: Optional[Exception]) -> None:
            self._question = None
            if not self._open:
                return
            if error is None:
                take(answer)
                self.report = answer.report
                found = bool(answer.instances)
                self.line.say(results.how(answer.report) if found else results.nothing_found(answer))
            elif driver.was_cancelled(error):
                self.line.say("Stopped." if key is None or self.session.is_stopped_key(key) else "")
            else:
                if key is not None:
                    self.session.take(key, None)
                self.line.fail(error, self.call.client, again)
            self.changed()

        self._asked = key
        self.line.busy("Looking...")
        self._question = driver.Question(self.call.client, job, self.subject.source, done, self._progress)

    def _progress(self, progress: Any) -> None:
        if self._open and self._question is not None and progress.text:
            self.line.busy(progress.text)


def _best(answer: Selection) -> Optional[Instance]:
    return next((instance for instance in answer.instances if instance.mask is not None), None)
