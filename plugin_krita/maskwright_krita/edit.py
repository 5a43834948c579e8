"""Changes of what was made last, asked for in words: "also the hat", "a bit tighter", "only the largest"."""

from typing import Any, Optional

from maskwright_client import edits, told
from maskwright_client.ask import Steps
from maskwright_client.edits import Edit, Thing
from maskwright_client.jobs import Prompt
from maskwright_protocol.language import tr

from .editor import app, changes, planes, selections
from .editor.planes import Plane
from .results import FoundObject, Result

_COMBINES = (edits.ADD, edits.SUBTRACT, edits.INTERSECT)
_INSIDE = bytes(value > 127 for value in range(256))


def wanted(controller: Any, sentence: str) -> Optional[Edit]:
    """The change that a sentence asks for, where there is something to change."""
    edit = edits.read(sentence)
    document = app.active_document()
    if edit is None or document is None:
        return None
    if edit.kind == edits.PICK:
        shown = _last(controller, document)
        return edit if shown is not None and len(shown.objects) > 1 else None
    has_selection = not selections.is_empty(selections.current(document))
    made = _last(controller, document) is not None and controller.last_kind != "selection"
    return edit if has_selection or (made and edit.kind in _COMBINES) else None


def steps(controller: Any, edit: Edit) -> Steps:
    """Steps that do it, in one undo step."""
    document = app.current_document()
    if edit.kind == edits.PICK:
        yield from _pick(controller, _last(controller, document), edit)
    elif edit.kind not in _COMBINES:
        yield from _selection(document, edit)
    elif selections.is_empty(selections.current(document)):
        yield from _layer(controller, _last(controller, document), edit)
    else:
        yield from _combine(controller, edit)


def _last(controller: Any, document: Any) -> Optional[Result]:
    """What was found last, if that was in this image."""
    result = controller.result
    return result if result is not None and result.document == document and result.fits() else None


def _combine(controller: Any, edit: Edit) -> Steps:
    """With the selection, as it is now."""
    result = yield from _ask(controller, controller.reader("selection"), edit)
    yield from controller.show_and_commit(result, "selection", edit.kind)


def _ask(controller: Any, reader: Any, edit: Edit) -> Steps:
    job = controller.options.select(Prompt(edit.text))
    return (yield from controller.ask_about(Result(reader, tr("Selection"), job.text), job))


def _layer(controller: Any, last: Optional[Result], edit: Edit) -> Steps:
    """A layer or mask like the last one, with what was found then and what is found now."""
    if last is None:
        raise app.Problem(*told.NOTHING_TICKED)
    found = yield from _ask(controller, last.reader, edit)
    if found.objects:
        found.objects = _together(last.chosen(), found, edit.kind)
        found.ticked = {one.id for one in found.objects}
        found.prompt = last.prompt
        found.forget_merged()
    yield from controller.show_and_commit(found, controller.last_kind, "replace")


def _together(before: Any, found: Result, kind: str) -> Any:
    now = found.plane()
    if kind == edits.ADD:
        return [*before, *found.objects]
    with_each = planes.darker if kind == edits.INTERSECT else planes.without
    left = [FoundObject(one.id, one.label, one.score, with_each(one.plane, now), one.doubtful) for one in before]
    return [one for one in left if one.plane.data]


def _pick(controller: Any, last: Optional[Result], edit: Edit) -> Steps:
    """Some of what was found before, in the place of all of it."""
    if last is None:
        raise app.Problem(*told.NOTHING_TICKED)
    left = edit.picked([_thing(one.plane) for one in last.objects])
    last.ticked = {last.objects[index].id for index in left}
    yield from controller.show_and_commit(last, controller.last_kind, "")


def _thing(plane: Plane) -> Thing:
    box = plane.box
    return Thing(box.x + box.width / 2, box.y + box.height / 2, bytes(plane.data).translate(_INSIDE).count(1))


def _selection(document: Any, edit: Edit) -> Steps:
    """Another edge for the selection, or everything but it."""
    current = selections.current(document)
    if current is None:
        raise app.Problem(tr("Nothing is selected."), tr("Select something first."))
    made = changes.changed(document, current, edit)
    if not made.data or not any(made.data):
        raise app.Problem(tr("Nothing would be left of the selection."), tr("Nothing was changed. Ask for less."))
    yield None
    yield from selections.apply(document, selections.from_plane(made), _title(edit))


def _title(edit: Edit) -> str:
    """In the history."""
    titles = {
        edits.GROW: tr("Grow Selection") if edit.strength > 0 else tr("Shrink Selection"),
        edits.FEATHER: tr("Feather Selection"), edits.SMOOTH: tr("Smooth Selection"),
        edits.HARDEN: tr("Harden Selection"), edits.INVERT: tr("Invert Selection"),
    }  # fmt: skip
    return titles[edit.kind]
