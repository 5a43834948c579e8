"""Pictures and selections that the tests in GIMP share."""

from __future__ import annotations

import numpy as np

from maskwright_client.client import Client
from maskwright_protocol.messages import Select
from tests.editors.gimp.asking import Pixels, Plane, answer, plane
from tests.editors.gimp.driver import Gimp

WIDTH, HEIGHT = 480, 640


def selected(gimp: Gimp) -> Plane:
    """The selection, one byte a pixel."""
    size, data = gimp.run("out = (image.get_width(), image.get_height()), selected(image)")
    return np.frombuffer(data, np.uint8).reshape(size[1], size[0])


def drawn(gimp: Gimp, item: str, encoding: str, channels: int) -> Plane:
    size, data = gimp.run(f"out = ({item}.get_width(), {item}.get_height()), plane({item}, {encoding!r})")
    return np.frombuffer(data, np.uint8).reshape(size[1], size[0], channels)


def bus(client: Client, photo: Plane, **fields: object) -> Plane:
    job = Select("", text="bus", merge=True, **fields)  # type: ignore[arg-type]
    return plane(answer(client, job, Pixels(photo)).merged, WIDTH, HEIGHT)
