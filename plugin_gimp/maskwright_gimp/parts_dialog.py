"""Clothes, face and body parts: what was seen of each person, in the picture and in a list to tick."""

from typing import Any, Dict, List, Tuple

from gi.repository import GimpUi

from maskwright_client import body_parts
from maskwright_client.body_parts import BodyPart
from maskwright_client.part_names import shown
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import Instance, Job, Selection

from . import options
from .found_dialog import FoundDialog

ASKED_BY = ("source", "recipe", "models")


def ask(call: Any, procedure: Any) -> bool:
    """Show the dialog, which leaves what is wanted in the argument ``parts``; whether the user wants it."""
    GimpUi.init("maskwright")
    dialog = PartsDialog(call, procedure)
    try:
        return dialog.run()
    finally:
        dialog.close()


class PartsDialog(FoundDialog):
    """A draft is looked for as it opens, and finished when the user wants it. The argument ``parts`` follows the ticks,
    and the ticks follow what is typed there."""

    by_person = True
    words = "parts"
    rows = ("find-edges", "mode", "result")
    _rows: List[BodyPart] = []
    _writing = False

    def _begin(self) -> None:
        self._search()

    def _settings(self) -> Tuple[Any, ...]:
        chosen = self.call.options()
        return tuple(chosen[name] for name in ASKED_BY)

    def _asked(self, chosen: Dict[str, Any]) -> Job:
        return options.read(chosen, self.call.entry.verb).parts_draft()

    @property
    def ready(self) -> bool:
        return bool(self.config.get_property("parts").strip())

    def _said(self, answer: Selection) -> str:
        return joined(*self.target.notes, tr("Tick what is to be selected."))

    def _take(self, answer: Selection) -> None:
        listed = body_parts.rows(answer.instances)
        answer.instances = [_named(part, instance) for part, instance in listed]
        self._rows = [part for part, _ in listed]
        super()._take(answer)
        if self._rows:  # what was asked for in another picture and is not seen here is forgotten
            self._follow_words()
            self._write(body_parts.write(self._chosen()))

    def _chosen(self) -> List[BodyPart]:
        things = self.findings.things if self.findings is not None else []
        return [part for part, one in zip(self._rows, things) if one.ticked]

    def _ticked(self) -> None:
        words = self.config.get_property("parts")
        self._write(body_parts.with_ticks(words, self._rows, self._chosen()))
        super()._ticked()

    def _write(self, text: str) -> None:
        self._writing = True
        self.config.set_property("parts", text)
        self._writing = False

    def _changed(self, config: Any, parameter: Any) -> None:
        if parameter.name == "parts" and not self._writing:
            self._follow_words()
        super()._changed(config, parameter)

    def _follow_words(self) -> None:
        words = self.config.get_property("parts")
        for part, one in zip(self._rows, self.findings.things if self.findings is not None else ()):
            one.ticked = body_parts.is_ticked(part, words)
        self.list.refresh()
        self._refresh()


def _named(part: BodyPart, instance: Instance) -> Instance:
    instance.label = shown(part, instance.label)
    return instance
