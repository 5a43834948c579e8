"""Flags that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.models import ArgumentInfo

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Recipe = Annotated[str, typer.Option(help="How to do it; 'maskwright models list' names the recipes.")]
MinScore = Annotated[float | None, typer.Option(help="Leave out finds below this score, 0..1.")]

# What to look for, and with what.
ExcludedPoint = Annotated[list[str] | None, typer.Option("--exclude", help="But not what is at X,Y.", metavar="X,Y")]
Scribble = Annotated[
    list[str] | None,
    typer.Option(help="Select what this stroke runs over; 'width=N' may end it. Repeatable.", metavar="'X,Y X,Y ...'"),
]
ExcludedScribble = Annotated[
    list[str] | None,
    typer.Option("--exclude-scribble", help="But not what this stroke runs over.", metavar="'X,Y X,Y ...'"),
]
Lasso = Annotated[
    list[str] | None, typer.Option(help="Select the thing inside this loop. Repeatable.", metavar="'X,Y X,Y ...'")
]
ExcludedLasso = Annotated[
    list[str] | None,
    typer.Option("--exclude-lasso", help="But not what is inside this loop.", metavar="'X,Y X,Y ...'"),
]
Like = Annotated[
    list[str] | None, typer.Option(help="Select all that is like what is in the box. Repeatable.", metavar="X,Y,W,H")
]
Unlike = Annotated[list[str] | None, typer.Option(help="But nothing like this.", metavar="X,Y,W,H")]
MASKS = "FILE|FOLDER|PATTERN"
StartMask = Annotated[str, typer.Option(help="Start from this mask; a folder or pattern for many.", metavar=MASKS)]
RoughMask = Annotated[
    str, typer.Option(help="Cut out what this rough mask shows; a folder or pattern for many.", metavar=MASKS)
]
Region = Annotated[str, typer.Option(help="Select only inside this mask; a folder or pattern for many.", metavar=MASKS)]
Detector = Annotated[
    str, typer.Option(help="The model that finds things by name; 'maskwright models list' names them.")
]
DetectorOptions = Annotated[
    list[str] | None,
    typer.Option("--option", help="A setting of the detector; 'maskwright models show MODEL' lists them. Repeatable.",
                 metavar="NAME=VALUE"),
]  # fmt: skip
Tiles = Annotated[str, typer.Option(help="Look closer for small things: on, off, or auto: in large pictures.")]

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
Guesses = Annotated[
    int, typer.Option(min=0, help="Also write so many other guesses of each object: a part, the whole, ...")
]

# Line art.
Gap = Annotated[
    float | None,
    typer.Option(min=0, max=200, help="Line art: close gaps in lines up to so many pixels; else what suits its size."),
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


MANY = "Many pictures"


@dataclass(frozen=True)
class Pictures:
    """The flags of every command that works on pictures: which, where to, and how many at a time."""

    images: Annotated[
        list[str] | None,
        typer.Argument(help="Pictures, folders or patterns; - is a picture from a pipe.", metavar="IMAGE"),
    ] = None
    out: Annotated[
        str, typer.Option("--out", "-o", help="File; folder for several pictures; - is a pipe. Else beside each.")
    ] = ""
    frame: Annotated[str, typer.Option(help="Which frame of an animation or page of a file: a number, or all.")] = "1"
    layer: Annotated[str, typer.Option(help="One layer of a PSD or OpenRaster file, by its name.", metavar="NAME")] = ""
    format: Annotated[
        str, typer.Option(help="What to write where no name tells: png, webp, tiff, avif, jxl, jpeg, psd, ora, svg, "
                          "geojson, coco.", metavar="FORMAT")
    ] = ""  # fmt: skip
    depth: Annotated[
        int, typer.Option(help="Bits of what is written, 8 or 16, or 32 for floats; 0 for what picture or mask have.")
    ] = 0
    quality: Annotated[
        int | None, typer.Option(help="1 to 100, where a format may lose something; else it loses nothing.")
    ] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Even a picture that is read here.")] = False
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders with all folders in them.", rich_help_panel=MANY)
    ] = False
    lists: Annotated[
        list[str] | None,
        typer.Option("--list", help="Also the pictures whose paths are in this file, one a line; - is a pipe.",
                     metavar="FILE", rich_help_panel=MANY),
    ] = None  # fmt: skip
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out what was done with the same settings.", rich_help_panel=MANY)
    ] = False
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=64, help="Pictures at a time: one computes while others are "
                          "read and written.", rich_help_panel=MANY)
    ] = 2  # fmt: skip
    report: Annotated[
        Path | None, typer.Option(help="Write a line of JSON for each picture.", rich_help_panel=MANY)
    ] = None
    sheet: Annotated[
        Path | None,
        typer.Option(help="Write a contact sheet, .html or .png, doubtful results first.", rich_help_panel=MANY),
    ] = None
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and take what arrives in the folders.", rich_help_panel=MANY)
    ] = False
    save_recipe: Annotated[
        str,
        typer.Option(help="Keep this command as a recipe: a file NAME.toml, or a name among the saved ones.",
                     metavar="NAME", rich_help_panel=MANY),
    ] = ""  # fmt: skip
    as_json: Json = False

    @property
    def mask_depth(self) -> int:
        """Bits in which masks come from the server."""
        return 16 if self.depth > 8 else 8


def on_pictures(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes all flags of ``Pictures`` besides its own, as its first parameter."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    hints = inspect.get_annotations(Pictures, eval_str=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(one.name, kind, default=one.default, annotation=hints[one.name]) for one in fields(Pictures)
    ]
    own = [one.replace(kind=kind) for one in own]
    first = [one for one in own if any(isinstance(part, ArgumentInfo) for part in get_args(one.annotation))]
    invocation = inspect.Parameter("invocation", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [invocation, *first, shared[0], *(one for one in own if one not in first), *shared[1:]]

    def run(invocation: typer.Context, **given: Any) -> None:
        pictures = Pictures(**{one.name: given.pop(one.name) for one in shared})
        if pictures.save_recipe:
            from . import recipes

            recipes.save_command(invocation, pictures.save_recipe)
            if not pictures.images and not pictures.lists:
                return
        command(pictures, **given)

    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run
