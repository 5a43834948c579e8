"""``python -m tests.server.every_recipe PHOTO``: starts the server, runs a job of every recipe, stops the server.

Prints ``{"verb recipe": what came of it}``. A program of its own, so that a test can watch it and all that it starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskwright.files.reading import FileSource
from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_client.launcher import start
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.masks import pack
from maskwright_protocol.messages import (
    Cutout,
    Detect,
    Everything,
    Job,
    ModelsRequest,
    Parse,
    PixelRect,
    Point,
    RecipeInfo,
    Refine,
    Select,
    Shutdown,
)


def jobs(recipe: RecipeInfo, box: PixelRect) -> Sequence[Job]:
    """What users ask that recipe for, once each way."""
    common: dict[str, Any] = {"recipe": recipe.name}
    middle = Point(box.x + box.width // 2, box.y + box.height // 2)
    half = pack(PixelRect(box.x, box.y, box.width, box.height // 2), bytes([255]) * (box.width * (box.height // 2)))
    if recipe.verb == "detect":
        return [Detect("", text="person", min_score=0.0, **common)]
    if recipe.verb == "refine":
        return [Refine("", mask=half, **common)]
    if recipe.verb == "parse":
        return [Parse("", parts=["hair"], refine=True, **common)]
    if recipe.verb == "cutout":
        return [Cutout("", **common)]
    text = {"parts": "hair", "lettering": "lettering"}.get(recipe.name, "person")
    words = [Select("", text=text, min_score=0.0, **common)]
    return (words if recipe.takes_text else []) + (
        [Select("", points=[middle], **common)] if recipe.takes_points else []
    )


def main(photo: Path) -> dict[str, str]:
    """Run them all; an error is told by its code."""
    endpoint = start([sys.executable, "-m", "maskwright.cli"])
    source, told = FileSource(photo), {}
    with Client("every recipe", endpoint=lambda: endpoint) as client:
        recipes = client.request(ModelsRequest(""), 60).recipes  # type: ignore[attr-defined]
        asked = [(f"{r.verb} {r.name}", job) for r in recipes if r.available for job in jobs(r, source.box)]
        asked.append(("everything", Everything("", points_per_side=4)))
        for name, job in asked:
            try:
                answer = ask.run(ask.answer(client, job, source), lambda ticket: ticket.wait(300))
                told[name] = getattr(answer, "reason", "") or "done"
            except MaskwrightError as error:
                told[name] = error.code
        client.request(Shutdown(""), 30)
    return told


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # of the namespace that the test made
    print(json.dumps(main(Path(sys.argv[1]))))
