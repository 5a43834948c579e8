"""Highlighting under the pointer in Click to Select: an object map is asked for once, then looked up for every move."""

from typing import Any, Dict, Optional, Tuple

from maskwright_client.object_map import Lookup
from maskwright_protocol.messages import Everything, MappedObject

from . import driver, reading
from .view import CURRENT, HOVERED, Layer, View, shape_buffer


class Hover:
    """Shows in ``view`` what is under the pointer, once the server has found all objects."""

    def __init__(self, call: Any, subject: reading.Subject, view: View, job: Everything) -> None:
        self._view, self._subject = view, subject
        self._lookup: Optional[Lookup] = None
        self._layers: Dict[int, Layer] = {}
        self._question = driver.Question(call.client, job, subject.source, self._came, lambda progress: None)
        view.on_hover = self._point

    @property
    def ready(self) -> bool:
        return self._lookup is not None

    def close(self) -> None:
        self._question.drop()

    def _came(self, answer: Any, error: Optional[Exception]) -> None:
        # Without a map there is no highlighting; a click works all the same and says what is wrong.
        if error is None and answer.labels is not None:
            self._lookup = Lookup(answer, self._subject.box)

    def _point(self, place: Optional[Tuple[float, float]]) -> None:
        one = self._lookup.at(*place) if self._lookup is not None and place is not None else None
        self._view.show_hovered(self._layer(one) if one is not None else None)

    def shape(self, x: float, y: float) -> Optional[Layer]:
        """What lies there, to be shown as the current object until the server has looked."""
        one = self._lookup.at(x, y) if self._lookup is not None else None
        return self._layer(one)._replace(paint=CURRENT) if one is not None else None

    def _layer(self, one: MappedObject) -> Layer:
        assert self._lookup is not None
        if one.number not in self._layers:
            buffer = shape_buffer(self._lookup.shape(one))
            self._layers[one.number] = Layer(buffer, HOVERED, self._lookup.scale)
        return self._layers[one.number]
