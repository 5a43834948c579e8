"""What Click to Select asks the server: about clicks, by name, and what is like an object."""

from typing import Any, Callable, Hashable, Optional, Tuple

from maskwright_client.ask import PictureSource, Steps
from maskwright_client.candidates import OTHERS, Hypothesis, Question
from maskwright_client.click_questions import ClickQuestions
from maskwright_client.click_session import ClickedObject, ClickSession, prompts
from maskwright_client.jobs import JobOptions, Prompt
from maskwright_client.results import how, nothing_found
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Job, Mask, Selection

from . import async_client, image_source, options, procedures
from .server_line import ServerLine

ASKED_BY = ("recipe", "models", "precise", "tiles", "current-selection", *procedures.POST_NAMES)


class Questions(ClickQuestions):
    """``show()`` is called after each answer."""

    loop = async_client.LOOP

    def __init__(self, call: Any, target: image_source.Target, line: ServerLine, show: Callable[[], None]) -> None:
        super().__init__()
        self.call, self.target, self.line, self._show = call, target, line, show
        self.depth = image_source.mask_depth(call.image)
        self.outline = image_source.selection(call.image, self.depth)
        self.session = ClickSession(self._settings())
        self.last: Optional[Job] = None  # what was asked for by name, or as what is similar

    def question(self, one: ClickedObject) -> Question:
        points, boxes, strokes = prompts(one)
        job = self._job_options().select_points(points, boxes, self._region(), seed=one.base, strokes=strokes)
        return Question(self._ask, self.target.source, job, one.alone)

    def begun(self) -> None:
        self.line.busy(tr("Looking..."))

    def told(self, answer: Selection) -> None:
        self.line.say(how(answer.report) if answer.instances else nothing_found(answer))

    def failed_with(self, error: Exception, key: Hashable) -> None:
        if isinstance(error, JobCancelled):
            self._stopped(key)
            return
        if key is not None:
            self.session.stop(key)  # what comes back to it by undo or redo asks again: nothing was found out
        self.line.fail(error, self.call.client, self._again)

    def _again(self) -> None:
        self.session.ask_again()
        self._show()

    def changed(self) -> None:
        self._show()

    def ask_next(self) -> None:
        waited = self.busy
        super().ask_next()
        if waited and not self.busy:
            self.line.say("")

    def stop(self) -> None:
        """Give up what is asked for; it is not asked again until the user does something about it."""
        if self.busy:
            key = self.asked
            self.give_up()
            self._stopped(key)
            self._show()

    def _stopped(self, key: Hashable) -> None:
        if key is not None:
            self.session.stop(key)
        self.line.say(tr("Stopped."))

    def settings_changed(self) -> bool:
        """Whether answers given so far are of other settings."""
        settings = self._settings()
        changed = settings != self.session.settings
        self.session.settings = settings
        return changed

    def find(self, text: str, done: Callable[[], None]) -> None:
        """Add what is called so, or is like the examples, or both."""

        def take(answer: Selection) -> Selection:
            self.session.add_found(answer, [instance for instance in answer.instances if instance.mask is not None])
            done()
            return answer

        examples = self.session.examples
        if (text or examples) and not self.busy:
            job = self._job_options().select(Prompt(text, examples=examples), self._region())
            job.alternatives = OTHERS
            self.run(self._ask(job, self.target.source), take)

    def similar(self) -> None:
        """Add what is like the current object."""
        shown = self.session.shown
        if shown is None or self.busy:
            return

        def take(found: Selection) -> Selection:
            # The object itself comes first; it is on the list already.
            self.session.add_found(found, [one for one in found.instances[1:] if one.mask is not None])
            return found

        self.run(self._similar(shown), take)

    def _similar(self, shown: Hypothesis) -> Steps:
        whole = yield from shown.find_whole()
        job = self._job_options().similar(shown.instance.id, whole.instances[0].mask)
        return (yield from self._ask(job, self.target.source))

    def kept(self) -> Optional[Job]:
        """What was asked for last, as clicks or by name: objects of the map are in no other picture."""
        job = self.question(self.session.current).plain().job
        return job if job.points or job.strokes or job.boxes else self.last

    def _settings(self) -> Tuple[Any, ...]:
        chosen = self.call.options()
        return tuple(chosen[name] for name in ASKED_BY)

    def _job_options(self) -> JobOptions:
        return options.read(self.call.options(), self.call.entry.verb, self.depth)

    def _region(self) -> Optional[Mask]:
        return options.limit(self.call.options(), self.outline)

    def _ask(self, job: Job, source: PictureSource) -> Steps:
        if job.tool == "select":
            self.last = job
        return async_client.asking(self.call.client, job, source, self._progress)

    def _progress(self, progress: Any) -> None:
        if self.busy and progress.text:
            self.line.busy(progress.text)
