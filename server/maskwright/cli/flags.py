"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
ImageFile = Annotated[Path, typer.Argument(help="PNG, JPEG, WebP or TIFF.", metavar="IMAGE")]
Recipe = Annotated[str, typer.Option(help="How to do it; 'maskwright models list' names the recipes.")]
Depth = Annotated[int, typer.Option(help="Bits of the mask file: 8 or 16.")]
MinScore = Annotated[float | None, typer.Option(help="Leave out finds below this score, 0..1.")]

# What to look for, and with what.
ExcludedPoint = Annotated[list[str] | None, typer.Option("--exclude", help="But not what is at X,Y.", metavar="X,Y")]
Detector = Annotated[
    str, typer.Option(help="The model that finds things by name; 'maskwright models list' names them.")
]
DetectorOptions = Annotated[
    list[str] | None,
    typer.Option("--option", help="A setting of the detector; 'maskwright models show MODEL' lists them. Repeatable.",
                 metavar="NAME=VALUE"),
]  # fmt: skip
Tiles = Annotated[str, typer.Option(help="Look closer for small things: on, off, or auto: when nothing was found.")]

# What is near and far.
Nearer = Annotated[str, typer.Option(help="Select what is as near as X,Y or nearer.", metavar="X,Y")]
Farther = Annotated[str, typer.Option(help="Select what is as far as X,Y or farther.", metavar="X,Y")]
AsFar = Annotated[str, typer.Option("--as-far", help="Select what is as far away as X,Y.", metavar="X,Y")]
Range = Annotated[
    str,
    typer.Option("--range", help="Select by distance: 0 is the nearest place, 100 the farthest.", metavar="FROM,TO"),
]
Softness = Annotated[
    float, typer.Option(min=0, max=100, help="Over how much beyond the distance the selection fades out, of 100.")
]

# Steps of post-processing.
Threshold = Annotated[float | None, typer.Option(help="Cut the soft mask hard at this alpha, 0..1.")]
FillHoles = Annotated[bool, typer.Option("--fill-holes", help="Fill holes inside the mask.")]
MinArea = Annotated[float, typer.Option(help="Remove parts smaller than so many pixels.")]
Smooth = Annotated[float, typer.Option(help="Round corners and jaggies up to so many pixels.")]
Grow = Annotated[float, typer.Option(help="Grow by so many pixels; negative shrinks.")]
Feather = Annotated[float, typer.Option(help="Blur the edge by so many pixels.")]
Invert = Annotated[bool, typer.Option("--invert", help="Select everything else.")]

# How an edge is found again.
EdgeWidth = Annotated[float, typer.Option(help="Width of the edge band in pixels; 0 chooses.")]
Hair = Annotated[bool, typer.Option("--hair", help="Follow hair and fur out of the band.")]
RoundEdge = Annotated[float, typer.Option(help="Round the outline within so many pixels; it stays as soft.")]
Contrast = Annotated[float, typer.Option(help="Make the edge steeper, 0..1.")]
ShiftEdge = Annotated[float, typer.Option(help="Move the edge within its softness: -1 inward to 1 outward.")]


def by_role(**chosen: str) -> dict[str, str]:
    """Role -> model, where one is named."""
    return {role: model for role, model in chosen.items() if model}
