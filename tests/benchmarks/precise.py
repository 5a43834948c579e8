"""What the precise pass gains: IoU and boundary F-score with and without it. ``python -m tests.benchmarks.precise``."""

from __future__ import annotations

import numpy as np

from maskwright.models.runtime.pool import ModelPool
from maskwright_protocol.errors import MorePixelsNeeded
from maskwright_protocol.messages import Picture, Select
from tests.server.recipes.conftest import Desk, iou, plane
from tests.server.recipes.selecting.large_photos import (
    around,
    boundary_f,
    chair,
    lemur,
    middle,
    pasted,
    with_detail,
)
from tests.shared_data import MODELS


def measured(desk: Desk, picture: Picture, pixels: np.ndarray, truth: np.ndarray, job: Select) -> tuple[str, float]:
    """``IoU / F`` within two pixels, and the milliseconds of the second look."""
    job.picture = picture
    try:
        answer = desk.run(job)
    except MorePixelsNeeded as error:
        job.picture = with_detail(desk, picture, pixels, error)
        answer = desk.run(job)
    if not answer.instances:
        return "nothing", 0.0
    mask = plane(answer.instances[0].mask, pixels)
    return f"{iou(mask, truth):.3f} / {boundary_f(mask, truth):.3f}", answer.report.timings.get("close", 0.0)


def main() -> None:
    desk = Desk(ModelPool([MODELS], "cpu", 2))
    cases = [("lemur, 680 x 440, whole picture", *lemur())]
    cases += [(f"lemur, {side} px in 3072 x 2048", *pasted(*lemur(), side, 1700, 900)) for side in (60, 120, 300)]
    cases += [(f"armchair (VOC), {side} px in 3072 x 2048", *pasted(*chair(), side, 1700, 900)) for side in (100, 300)]
    print("| picture | prompt | IoU / F, `off` | IoU / F, `auto` | IoU / F, `on` |")
    print("|---|---|---|---|---|")
    for name, pixels, truth in cases:
        picture = desk.picture(pixels, name, 1024 if max(pixels.shape) > 1024 else None)
        for prompt in ("click", "box"):
            cells = []
            for mode in ("off", "auto", "on"):
                job = Select("1", precise=mode)
                if prompt == "click":
                    job.points = [middle(truth)]
                else:
                    job.boxes = [around(truth)]
                cells.append(measured(desk, picture, pixels, truth, job)[0])
            print(f"| {name} | {prompt} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
