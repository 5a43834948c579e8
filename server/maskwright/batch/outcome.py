"""What came of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskwright_protocol.errors import MaskwrightError

from .inputs import STDIN
from .summaries import Summary
from .task import Targets

DONE, NOTHING_FOUND, FAILED, SKIPPED = "done", "nothing_found", "failed", "skipped"
DOUBTFUL_SCORE = 0.7
DOUBTFUL_AGREEMENT = 0.5


@dataclass(frozen=True)
class Item:
    """A picture and where its files go. ``path`` None is the standard input; ``frame`` counts from 1."""

    path: Path | None
    targets: Targets = field(default_factory=Targets)
    frame: int = 1
    layer: str = ""  # of a file with layers; empty for all together

    @property
    def name(self) -> str:
        if self.path is None:
            return STDIN
        return str(self.path) if self.frame == 1 else f"{self.path}, frame {self.frame}"


@dataclass
class Outcome:
    """``record`` is what ``--json``, reports and the journal tell. ``error`` is there when it failed; ``thumbnail`` is
    the name of one that was drawn."""

    item: Item
    status: str
    record: Summary
    error: MaskwrightError | None = None
    thumbnail: str = ""

    @property
    def found(self) -> list[Summary]:
        """The found things, of whichever task."""
        return next((self.record[name] for name in ("instances", "subjects", "objects") if name in self.record), [])


@dataclass
class Counts:
    """How many pictures ended how."""

    done: int = 0
    nothing_found: int = 0
    failed: int = 0
    skipped: int = 0
    doubtful: int = 0
    names: dict[str, str] = field(
        default_factory=lambda: {
            DONE: "done", NOTHING_FOUND: "with nothing found", FAILED: "failed", SKIPPED: "skipped",
        }
    )  # fmt: skip

    def add(self, outcome: Outcome) -> None:
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        self.doubtful += bool(outcome.record.get("doubtful"))

    @property
    def sentence(self) -> str:
        told = [f"{getattr(self, status)} {words}" for status, words in self.names.items() if getattr(self, status)]
        return f"{', '.join(told) or 'No picture'}." + (f" {self.doubtful} to look at." if self.doubtful else "")


def of_answer(item: Item, summary: Summary, files: Sequence[Path], seconds: float) -> Outcome:
    """The outcome for an answer, which may be that nothing was found."""
    status = NOTHING_FOUND if summary["reason"] else DONE
    record: dict[str, Any] = {**_head(item, status), **summary, "files": [str(path) for path in files]}
    outcome = Outcome(item, status, record)
    scores = [one["score"] for one in outcome.found]
    if record.get("score") is None:  # the answer has none of its own
        record["score"] = min(scores) if scores else None
    record["doubtful"] = status == DONE and _is_doubtful(outcome)
    record["seconds"] = round(seconds, 3)
    return outcome


def of_error(item: Item, error: MaskwrightError) -> Outcome:
    told = {"error": error.code, "message": error.message, "hint": error.hint, "details": error.details}
    return Outcome(item, FAILED, {**_head(item, FAILED), **told}, error)


def of_record(item: Item, record: Summary) -> Outcome:
    """The outcome for a picture that was done before."""
    status = NOTHING_FOUND if record["status"] == NOTHING_FOUND else SKIPPED
    return Outcome(item, status, {**record, **_head(item, status), "before": True})


def _head(item: Item, status: str) -> Summary:
    head: Summary = {"image": STDIN if item.path is None else str(item.path), "status": status}
    return head if item.frame == 1 else {**head, "frame": item.frame}


def _is_doubtful(outcome: Outcome) -> bool:
    score, agreement = outcome.record["score"], outcome.record.get("agreement")
    flagged = outcome.record.get("doubtful") or any(one.get("doubtful") for one in outcome.found)
    weak = score is not None and score < DOUBTFUL_SCORE
    return flagged or weak or (agreement is not None and agreement < DOUBTFUL_AGREEMENT)
