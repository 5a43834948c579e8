"""What a call costs beside the model's own time, by stage, on a 4000 x 3000 image in the real GIMP.

python -m tests.editors.gimp.benchmark        (from the repository, with its environment)
"""

import json
import statistics
import sys
import time

from PIL import Image

from tests.shared_data import EVAL

from ..chroot import Lab, unusable
from ..server import Server
from .driver import Gimp, install

CALLS = (
    ("click, to selection", "maskwright-click-to-select", {"include": "2000,1200"}),
    ("click, to layer mask", "maskwright-click-to-select", {"include": "2000,1200", "result": "layer-mask"}),
    ("click, to new layer", "maskwright-click-to-select", {"include": "2000,1200", "result": "layer"}),
    ("subject, to selection", "maskwright-select-subject", {}),
    ("remove background, clean colours", "maskwright-remove-background", {}),
)
REPEATS = 3


def measure(gimp: Gimp) -> list[str]:
    rows = []
    for title, name, options in CALLS:
        walls, reports = [], []
        for number in range(1 + REPEATS):
            gimp.run(
                "[each.delete() for each in Gimp.get_images()]; image = load(PHOTO); layer = image.get_layers()[0]"
            )
            begun = time.perf_counter()
            called = gimp.call(name, **options).ok()
            if number:  # the first call uploads and computes the embedding
                walls.append((time.perf_counter() - begun) * 1000)
                reports.append(called.report)
                assert called.report["pixel_bytes"] == 0

        def middle(values: list[float]) -> float:
            return statistics.median(values)

        stages = {stage: middle([r["stages_ms"][stage] for r in reports]) for stage in reports[0]["stages_ms"]}
        model = middle([sum(r["timings"].values()) for r in reports])
        wall = middle(walls)
        print(title, json.dumps(stages), round(model), round(wall), file=sys.stderr)
        rows.append(
            f"| {title} | {wall - sum(stages.values()):.0f} | {stages['prepare']:.0f} | {stages['read']:.0f} "
            f"| {stages['ask'] - model:.0f} | {stages['apply']:.0f} | {wall - model:.0f} | {model:.0f} |"
        )
    return rows


def main() -> None:
    if reason := unusable("gimp"):
        raise SystemExit(reason)
    with Lab("gimp") as lab:
        install(lab)
        picture = Image.open(EVAL / "photos" / "bus.jpg").convert("RGB")
        picture.crop((0, 200, 810, 808)).resize((4000, 3000), Image.Resampling.LANCZOS).save(lab.path("photo.png"))
        server = Server(lab.path("runtime"), lab.path("out", "server.log"))
        server.start()
        gimp = Gimp(lab)
        try:
            gimp.run(f"PHOTO = {lab.inside + '/photo.png'!r}")
            rows = measure(gimp)
        finally:
            gimp.close()
            server.stop()
    print("| call | process | prepare | read | wire | apply | all of ours | models |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
