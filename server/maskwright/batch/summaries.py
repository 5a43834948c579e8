"""What is told of an answer, in plain values: for ``--json``, reports and the journal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from maskwright_protocol.messages import CutoutResult, FlatsResult, Instance, MappedObject, ObjectMap, Rect, Selection

Summary = dict[str, Any]


def of_selection(answer: Selection) -> Summary:
    return {
        "instances": [of_instance(instance) for instance in answer.instances],
        "reason": answer.reason,
        "message": answer.message,
        "hint": answer.hint,
        "agreement": answer.agreement,
        "report": asdict(answer.report),
    }


def of_cutout(answer: CutoutResult) -> Summary:
    return {
        "subjects": [of_instance(one) for one in answer.subjects],
        "reason": answer.reason,
        "message": answer.message,
        "hint": answer.hint,
        "agreement": answer.agreement,
        "edge_method": answer.edge_method,
        "score": answer.score,
        "doubtful": answer.doubtful,
        "report": asdict(answer.report),
    }


def of_map(answer: ObjectMap) -> Summary:
    return {
        "objects": [of_object(one) for one in answer.objects],
        "reason": answer.reason,
        "message": answer.message,
        "hint": answer.hint,
        "report": asdict(answer.report),
    }


def of_flats(answer: FlatsResult) -> Summary:
    return {
        "regions": answer.count,
        "gap": answer.gap,
        "reason": answer.reason,
        "message": answer.message,
        "hint": answer.hint,
        "report": asdict(answer.report),
    }


def of_instance(instance: Instance) -> Summary:
    return {
        "id": instance.id,
        "label": instance.label,
        "score": round(instance.score, 4),
        "box": _box(instance.box),
        "doubtful": instance.doubtful,
        "confidence": instance.confidence,
        "source": instance.source,
        "guesses": [{"id": other.id, "score": round(other.score, 4)} for other in instance.alternatives],
    }


def of_object(one: MappedObject) -> Summary:
    return {
        "number": one.number,
        "id": one.id,
        "score": round(one.score, 4),
        "area": round(one.area, 1),
        "box": _box(one.box),
        "parent": one.parent,
        "name": one.name,
    }


def _box(box: Rect) -> list[float]:
    return [round(v, 2) for v in (box.x, box.y, box.width, box.height)]
