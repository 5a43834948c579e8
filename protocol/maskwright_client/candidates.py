"""What the server makes of clicks: a preview at once, further hypotheses and the mask at full size when wanted."""

from dataclasses import dataclass, replace
from typing import Callable, List, Optional

from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.messages import Instance, Job, Select, Selection

from .ask import PictureSource, Steps
from .jobs import LINE_ART
from .preview_picture import Preview, PreviewPicture, full_preview

OTHERS = 2  # further hypotheses (a part, the whole, something larger) to ask for
Ask = Callable[[Job, PictureSource], Steps]  # how an editor asks: steps that end with the answer


@dataclass
class Question:
    """Clicks on a picture, as a request in the document's pixels.

    ``alone`` means the object that ``job.continue_from`` names, as it is; the points only stand in for it should the
    server have forgotten it.
    """

    ask: Ask
    picture: PictureSource
    job: Select
    alone: bool = False

    def plain(self) -> "Question":
        """The same places, as if nothing was known of them."""
        return replace(self, job=replace(self.job, continue_from=""), alone=False)

    def answer(self, preview: Optional[PreviewPicture] = None, others: int = 0) -> Steps:
        """Steps that end with the ``Selection``, in the pixels of ``preview`` or else in the document's."""
        job = replace(self.job, alternatives=others)
        if self.alone:
            job = replace(job, points=[], strokes=[])
        try:
            if preview is not None:
                return (yield from self.ask(preview.job(job), preview))
            return (yield from self.ask(job, self.picture))
        except EmptyPrompt:
            if not self.alone:
                raise
        return (yield from self.plain().answer(preview, others))


@dataclass
class Hypothesis:
    """One reading of the clicks: how it is asked for, as what number of the answer it comes (0: the likeliest)."""

    question: Optional[Question]
    number: int
    instance: Instance  # its mask is that of the preview
    preview: Preview
    whole: Optional[Selection] = None  # at full size, once that is there

    def find_whole(self) -> Steps:
        """Steps that end with it as a ``Selection`` of the document's size."""
        if self.whole is None:
            assert self.question is not None
            answer = yield from self.question.answer(None, OTHERS if self.number else 0)
            readings = _readings(answer)[self.number : self.number + 1]
            self.whole = answer if self.number == 0 else replace(answer, instances=readings, merged=None)
            if readings and "close" in answer.report.timings:  # it was looked at closer than the preview was
                assert readings[0].mask is not None
                self.preview = full_preview(readings[0].mask)
        return self.whole


class Candidates:
    """An answer to clicks.

    ``hypotheses`` holds the likeliest, and the others once they were asked for: drawing and sending them with each
    click would take longer than the click. It is empty when nothing was found; ``answer`` then says why.
    """

    def __init__(self, question: Optional[Question], answer: Selection, preview: Optional[PreviewPicture]) -> None:
        self.answer = answer
        self._question = question
        self._preview = preview
        self._complete = question is None
        self.hypotheses = self._read(question, answer)

    @property
    def has_others(self) -> bool:
        """There are other hypotheses, or there may be."""
        return len(self.hypotheses) > 1 or (bool(self.hypotheses) and not self._complete)

    def _read(self, question: Optional[Question], answer: Selection) -> List[Hypothesis]:
        found = []
        for number, instance in enumerate(_readings(answer)):
            assert instance.mask is not None
            if self._preview is None:
                whole = answer if number == 0 else replace(answer, instances=[instance], merged=None)
                found.append(Hypothesis(question, number, instance, full_preview(instance.mask), whole))
            else:
                found.append(Hypothesis(question, number, instance, self._preview.preview(instance.mask)))
        return found

    def find_others(self) -> Steps:
        """Steps that ask for the other hypotheses, unless they are known; they end with how many there are in all."""
        if self._question is not None and not self._complete and self.hypotheses:
            question = self._question.plain() if self._question.alone else self._question
            found = self._read(question, (yield from question.answer(self._preview, OTHERS)))
            # An object that was taken as it is stays the first; what a click there could mean follows.
            self.hypotheses = [self.hypotheses[0], *found] if self._question.alone else found or self.hypotheses
            self._complete = True
        return len(self.hypotheses)


def ask_candidates(question: Question) -> Steps:
    """Steps that end with ``Candidates``, shown in the overview's pixels where the picture has more than that.

    Lines are thinner than those: what lies inside of them is shown as it is.
    """
    preview = PreviewPicture(question.picture)
    shown = preview if preview.is_smaller and question.job.recipe != LINE_ART else None
    return Candidates(question, (yield from question.answer(shown)), shown)


def known_candidates(instance: Instance, answer: Selection) -> Candidates:
    """One instance of an answer to something else than clicks, at full size and with all its alternatives."""
    return Candidates(None, replace(answer, instances=[instance], merged=None), None)


def _readings(answer: Selection) -> List[Instance]:
    """The best instance with its mask, the likeliest first; all in one where examples ask for all."""
    best = next((instance for instance in answer.instances if instance.mask is not None), None)
    if answer.merged is not None and answer.instances:
        return [replace(answer.instances[0], mask=answer.merged, alternatives=[])]
    if best is None:
        return []
    others = [other for other in best.alternatives if other.mask is not None]
    return [
        best,
        *(replace(best, id=o.id, score=o.score, mask=o.mask, doubtful=False, alternatives=[]) for o in others),
    ]
