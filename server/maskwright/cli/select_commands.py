"""The commands that select things in a picture, and their flags; ``jobs`` and ``mapping`` do the work.

These two read pictures with numpy and OpenCV, so they are imported when a command runs: help must be quick.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maskwright_client.body_parts import BodyPart
from maskwright_client.jobs import JobOptions

from . import flags


def select(
    image: flags.ImageFile,
    text: Annotated[str, typer.Option("--text", "-t", help="What to select, in words.")] = "",
    exclude_text: Annotated[str, typer.Option("--not", help="What to subtract, in words.")] = "",
    point: Annotated[list[str] | None, typer.Option(help="Select what is at X,Y. Repeatable.", metavar="X,Y")] = None,
    exclude: flags.ExcludedPoint = None,
    box: Annotated[list[str] | None, typer.Option(help="Select what is in the box.", metavar="X,Y,W,H")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="Select all that is like what is in the box. Repeatable.", metavar="X,Y,W,H"),
    ] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="But nothing like this.", metavar="X,Y,W,H")] = None,
    mask: Annotated[Path | None, typer.Option(help="Start from this mask.")] = None,
    region: Annotated[Path | None, typer.Option(help="Select only inside this mask.")] = None,
    nearer: flags.Nearer = "",
    farther: flags.Farther = "",
    as_far: flags.AsFar = "",
    distance: flags.Range = "",
    softness: flags.Softness = 2.0,
    recipe: flags.Recipe = "auto",
    pick: Annotated[str, typer.Option(help="all, best, or the number of an instance.")] = "all",
    min_score: flags.MinScore = None,
    precise: Annotated[str, typer.Option(help="Look again, closely: auto (at small things), on or off.")] = "auto",
    tiles: flags.Tiles = "auto",
    detector: flags.Detector = "",
    segmenter: Annotated[str, typer.Option(help="The model that draws the mask.")] = "",
    option: flags.DetectorOptions = None,
    threshold: flags.Threshold = None,
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    smooth: flags.Smooth = 0.0,
    fill_holes: flags.FillHoles = False,
    min_area: flags.MinArea = 0.0,
    invert: flags.Invert = False,
    depth: flags.Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask file (IMAGE-mask.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per instance into this folder.")] = None,
    guesses: Annotated[
        int, typer.Option(min=0, help="Also write so many other guesses of each object: a part, the whole, ...")
    ] = 0,
    as_json: flags.Json = False,
) -> None:
    """Select by words, points, boxes, examples or a mask to start from; writes a mask."""
    from .jobs import DistanceFlags, PromptFlags, run_select, run_select_distance

    options = JobOptions(
        recipes={"select": recipe}, models=flags.by_role(detector=detector, segmenter=segmenter),
        detector_options="; ".join(option or []), precise=precise, tiles=tiles, threshold=threshold, grow=grow,
        feather=feather, smooth=smooth, fill_holes=fill_holes, min_area=min_area, invert=invert, mask_depth=depth,
    )  # fmt: skip
    prompt = PromptFlags(
        text, exclude_text, pick, point or [], exclude or [], box or [], like or [], unlike or [], mask
    )  # fmt: skip
    if nearer or farther or as_far or distance:
        far_away = DistanceFlags(nearer, as_far, farther, distance, softness)
        run_select_distance(image, far_away, prompt, region, options, out, instances, as_json)
        return
    run_select(image, prompt, region, options, min_score, guesses, out, instances, as_json)


def detect(
    image: flags.ImageFile,
    text: Annotated[str, typer.Option("--text", "-t", help="What to find, in words.")] = "",
    recipe: flags.Recipe = "auto",
    min_score: flags.MinScore = None,
    tiles: flags.Tiles = "auto",
    detector: flags.Detector = "",
    option: flags.DetectorOptions = None,
    as_json: flags.Json = False,
) -> None:
    """Find things by name; prints boxes."""
    from .jobs import run_detect

    options = JobOptions(
        recipes={"detect": recipe}, models=flags.by_role(detector=detector), detector_options="; ".join(option or []),
        tiles=tiles,
    )  # fmt: skip
    run_detect(image, text, options, min_score, as_json)


def parse(
    image: flags.ImageFile,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", "-p", help="hair, skirt, upper body, ...; all labels without. Repeatable."),
    ] = None,
    model: Annotated[str, typer.Option(help="The parser; 'maskwright models list' names them.")] = "",
    per_person: Annotated[bool, typer.Option("--per-person", help="Tell the people apart.")] = False,
    person: Annotated[int, typer.Option(help="Only of this person or face, counted from the left.")] = 0,
    whole: Annotated[bool, typer.Option("--whole", help="Look at the picture as a whole, find no people.")] = False,
    refine: Annotated[bool, typer.Option("--refine", help="Find the edges again, hair by matting.")] = False,
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    smooth: flags.Smooth = 0.0,
    min_area: flags.MinArea = 0.0,
    depth: flags.Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask file (IMAGE-parts.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per part into this folder.")] = None,
    as_json: flags.Json = False,
) -> None:
    """Select parts of people: hair, clothes, the face; writes a mask."""
    from .jobs import run_parse

    options = JobOptions(
        models=flags.by_role(parser=model), grow=grow, feather=feather, smooth=smooth, min_area=min_area,
        mask_depth=depth,
    )  # fmt: skip
    wanted = options.parts([BodyPart(name) for name in part or []], refine, one_by_one=per_person)
    run_parse(image, replace(wanted, merge=True, person=person, find_people=not whole), out, instances, as_json)


def everything(
    image: flags.ImageFile,
    points: Annotated[int, typer.Option(help="Points along the long side that are tried; 0 chooses.")] = 0,
    layers: Annotated[int, typer.Option(help="Look at crops too, each time twice as close: 0 to 2.")] = 0,
    min_score: Annotated[float | None, typer.Option(help="Leave out objects below this score, 0..1.")] = None,
    min_area: Annotated[float, typer.Option(help="Leave out objects smaller than so many pixels.")] = 0.0,
    recipe: flags.Recipe = "auto",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The map in colours (IMAGE-objects.png).")] = None,
    labels: Annotated[Path | None, typer.Option(help="Write the objects' numbers as a 16-bit PNG too.")] = None,
    as_json: flags.Json = False,
) -> None:
    """Find all objects; writes a map in colours and a table as JSON beside it."""
    from .mapping import run_everything

    job = replace(
        JobOptions(recipes={"select": recipe}).everything(), priority="interactive", points_per_side=points,
        layers=layers, min_score=min_score, min_area=min_area,
    )  # fmt: skip
    run_everything(image, job, out, labels, as_json)


def similar(
    image: flags.ImageFile,
    mask: Annotated[Path, typer.Option(help="A selection of one of the things.")],
    pick: Annotated[str, typer.Option(help="all, best (the thing itself), or a number.")] = "all",
    min_score: Annotated[float | None, typer.Option(help="Leave out what is less like it, 0..1.")] = None,
    recipe: flags.Recipe = "auto",
    depth: flags.Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask of all (IMAGE-similar.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Folder for one mask each.")] = None,
    as_json: flags.Json = False,
) -> None:
    """Find what is like a selection."""
    from .mapping import run_similar

    options = JobOptions(recipes={"select": recipe}, mask_depth=depth)
    run_similar(image, mask, options, pick, min_score, out, instances, as_json)
