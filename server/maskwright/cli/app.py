"""The commands and their flags; the work is in the modules beside this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maskwright.plugins.cli import plugins_app
from maskwright_protocol import __version__

from .models import models_app

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
app.add_typer(models_app, name="models")
app.add_typer(plugins_app, name="plugins")

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
ImageFile = Annotated[Path, typer.Argument(help="PNG, JPEG, WebP or TIFF.", metavar="IMAGE")]
Depth = Annotated[int, typer.Option(help="Bits of the mask file: 8 or 16.")]
Finder = Annotated[str, typer.Option(help="The model that finds things by name; 'maskwright models list' names them.")]
DetectorOptions = Annotated[
    list[str] | None,
    typer.Option("--option", help="A setting of the detector; 'maskwright models show MODEL' lists them. Repeatable.",
                 metavar="NAME=VALUE"),
]  # fmt: skip
Recipe = Annotated[str, typer.Option(help="How to do it; 'maskwright models list' names the recipes.")]
Threshold = Annotated[float | None, typer.Option(help="Cut the soft mask hard at this alpha, 0..1.")]
Grow = Annotated[float, typer.Option(help="Grow by so many pixels; negative shrinks.")]
Feather = Annotated[float, typer.Option(help="Blur the edge by so many pixels.")]
Smooth = Annotated[float, typer.Option(help="Round corners and jaggies up to so many pixels.")]
EdgeWidth = Annotated[float, typer.Option(help="Width of the edge band in pixels; 0 chooses.")]
Hair = Annotated[bool, typer.Option("--hair", help="Follow hair and fur out of the band.")]
RoundEdge = Annotated[float, typer.Option(help="Round the outline within so many pixels; it stays as soft.")]
Contrast = Annotated[float, typer.Option(help="Make the edge steeper, 0..1.")]
ShiftEdge = Annotated[float, typer.Option(help="Move the edge within its softness: -1 inward to 1 outward.")]
FillHoles = Annotated[bool, typer.Option("--fill-holes", help="Fill holes inside the mask.")]
MinArea = Annotated[float, typer.Option(help="Remove parts smaller than so many pixels.")]
Tiles = Annotated[str, typer.Option(help="Look closer for small things: on, off, or auto: when nothing was found.")]
Invert = Annotated[bool, typer.Option("--invert", help="Select everything else.")]


def _models(**chosen: str) -> dict[str, str]:
    """Role -> model, where one is named."""
    return {role: model for role, model in chosen.items() if model}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"maskwright {__version__}")
        raise typer.Exit


@app.callback()
def maskwright(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """AI selections for Krita, GIMP and the command line. Everything happens on this computer."""


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> None:
    """Start the server that hosts the models (see 'maskwright serve --help')."""
    from .serve import parser

    parser().parse_args(context.args or ["--help"])


@app.command()
def status(as_json: Json = False) -> None:
    """Show the running server, its device, memory and jobs."""
    from .server import show_status

    show_status(as_json)


@app.command()
def stop() -> None:
    """Stop the running server."""
    from .server import stop_server

    stop_server()


@app.command()
def select(
    image: ImageFile,
    text: Annotated[str, typer.Option("--text", "-t", help="What to select, in words.")] = "",
    exclude_text: Annotated[str, typer.Option("--not", help="What to subtract, in words.")] = "",
    point: Annotated[list[str] | None, typer.Option(help="Select what is at X,Y. Repeatable.", metavar="X,Y")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="But not what is at X,Y.", metavar="X,Y")] = None,
    box: Annotated[list[str] | None, typer.Option(help="Select what is in the box.", metavar="X,Y,W,H")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="Select all that is like what is in the box. Repeatable.", metavar="X,Y,W,H"),
    ] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="But nothing like this.", metavar="X,Y,W,H")] = None,
    mask: Annotated[Path | None, typer.Option(help="Start from this mask.")] = None,
    region: Annotated[Path | None, typer.Option(help="Select only inside this mask.")] = None,
    recipe: Recipe = "auto",
    pick: Annotated[str, typer.Option(help="all, best, or the number of an instance.")] = "all",
    min_score: Annotated[float | None, typer.Option(help="Leave out finds below this score, 0..1.")] = None,
    precise: Annotated[str, typer.Option(help="Look again, closely: auto (at small things), on or off.")] = "auto",
    tiles: Tiles = "auto",
    detector: Finder = "",
    segmenter: Annotated[str, typer.Option(help="The model that draws the mask.")] = "",
    option: DetectorOptions = None,
    threshold: Threshold = None,
    grow: Grow = 0.0,
    feather: Feather = 0.0,
    smooth: Smooth = 0.0,
    fill_holes: FillHoles = False,
    min_area: MinArea = 0.0,
    invert: Invert = False,
    depth: Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask file (IMAGE-mask.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per instance into this folder.")] = None,
    guesses: Annotated[
        int, typer.Option(min=0, help="Also write so many other guesses of each object: a part, the whole, ...")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Select by words, points, boxes, examples or a mask to start from; writes a mask."""
    from maskwright_client.jobs import JobOptions

    from .jobs import PromptFlags, run_select

    options = JobOptions(
        recipes={"select": recipe}, models=_models(detector=detector, segmenter=segmenter),
        detector_options="; ".join(option or []), precise=precise, tiles=tiles, threshold=threshold, grow=grow,
        feather=feather, smooth=smooth, fill_holes=fill_holes, min_area=min_area, invert=invert, mask_depth=depth,
    )  # fmt: skip
    prompt = PromptFlags(
        text, exclude_text, pick, point or [], exclude or [], box or [], like or [], unlike or [], mask
    )  # fmt: skip
    run_select(image, prompt, region, options, min_score, guesses, out, instances, as_json)


@app.command()
def refine(
    image: ImageFile,
    mask: Annotated[Path, typer.Option(help="The selection to refine.")],
    edge_width: EdgeWidth = 0.0,
    hair: Hair = False,
    smooth: RoundEdge = 0.0,
    contrast: Contrast = 0.0,
    shift_edge: ShiftEdge = 0.0,
    grow: Grow = 0.0,
    feather: Feather = 0.0,
    invert: Invert = False,
    recipe: Annotated[str, typer.Option(help="auto, trimap, guided, or inpaint: grown and feathered.")] = "auto",
    context: Annotated[
        float, typer.Option(help="Tell the box to inpaint in, so many times the selection's size on each side.")
    ] = 0.0,
    model: Annotated[str, typer.Option(help="The model that finds the edge.")] = "",
    depth: Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask file (IMAGE-refined.png).")] = None,
    as_json: Json = False,
) -> None:
    """Give a rough selection soft, right edges, or make it ready for inpainting."""
    from maskwright_client.jobs import Edge, JobOptions

    from .cutting import run_refine

    options = JobOptions(
        recipes={"refine": recipe}, models=_models(matting=model), grow=grow, feather=feather, invert=invert,
        mask_depth=depth,
    )  # fmt: skip
    run_refine(image, mask, options, Edge(edge_width, hair, smooth, contrast, shift_edge), context, out, as_json)


@app.command()
def cutout(
    images: Annotated[list[Path], typer.Argument(help="PNG, JPEG, WebP or TIFF.", metavar="IMAGE...")],
    text: Annotated[str, typer.Option("--text", "-t", help="What to cut out, in words; else the main subject.")] = "",
    exclude_text: Annotated[str, typer.Option("--not", help="What to leave out of it, in words.")] = "",
    point: Annotated[list[str] | None, typer.Option(help="Cut out what is at X,Y. Repeatable.", metavar="X,Y")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="But not what is at X,Y.", metavar="X,Y")] = None,
    box: Annotated[list[str] | None, typer.Option(help="Cut out what is in the box.", metavar="X,Y,W,H")] = None,
    mask: Annotated[Path | None, typer.Option(help="Cut out what this rough mask shows.")] = None,
    pick: Annotated[str, typer.Option(help="Of several subjects: all, best, or a number.")] = "all",
    subject: Annotated[str, typer.Option(help="Of several main subjects the one at X,Y.", metavar="X,Y")] = "",
    min_score: Annotated[float | None, typer.Option(help="Leave out finds below this score, 0..1.")] = None,
    edges: Annotated[str, typer.Option(help="matte, refined or auto.")] = "auto",
    edge_width: EdgeWidth = 0.0,
    hair: Hair = False,
    smooth: RoundEdge = 0.0,
    contrast: Contrast = 0.0,
    shift_edge: ShiftEdge = 0.0,
    transparency: Annotated[bool, typer.Option("--transparency", help="Keep glass and veils transparent.")] = False,
    paint_out: Annotated[str, typer.Option(help="Show the model all else painted over: green, mean or blur.")] = "",
    grow: Grow = 0.0,
    feather: Feather = 0.0,
    fill_holes: FillHoles = False,
    min_area: MinArea = 0.0,
    colours: Annotated[str, typer.Option(help="Of the edge: auto, own, fast or best.")] = "auto",
    outline: Annotated[float, typer.Option(help="A border of so many pixels, as on a sticker.")] = 0.0,
    outline_colour: Annotated[str, typer.Option(help="Its colour.", metavar="#RRGGBB")] = "#ffffff",
    shadow: Annotated[bool, typer.Option("--shadow", help="Keep the shadow on a plain background.")] = False,
    background: Annotated[str, typer.Option(help="Put this colour behind.", metavar="#RRGGBB")] = "",
    crop: Annotated[bool, typer.Option("--crop", help="Write only as much of the picture as shows something.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File, or folder for several images.")] = None,
    recipe: Recipe = "auto",
    model: Annotated[str, typer.Option(help="The model that draws the opacity.")] = "",
    mask_only: Annotated[bool, typer.Option("--mask-only", help="Write the alpha as a mask.")] = False,
    depth: Depth = 8,
    as_json: Json = False,
) -> None:
    """Remove the background, or cut out what a prompt names; writes PNGs with transparency and clean edge colours."""
    from maskwright_client.jobs import Cut, Edge, JobOptions

    from .cutting import run_cutout
    from .jobs import PromptFlags

    options = JobOptions(
        recipes={"cutout": recipe}, models=_models(matting=model), grow=grow, feather=feather, fill_holes=fill_holes,
        min_area=min_area, mask_depth=depth if mask_only else 8,
    )  # fmt: skip
    edge = Edge(edge_width, hair, smooth, contrast, shift_edge)
    cut = Cut(
        edge=edge, outline=outline, outline_colour=outline_colour, background=background, shadow=shadow
    )  # fmt: skip
    job = replace(
        options.cut_out(cut, "" if mask_only else "RGBA8"), min_score=min_score, edges=edges,
        transparency=transparency, paint_out=paint_out, colours=colours, crop=crop,
    )  # fmt: skip
    prompt = PromptFlags(text, exclude_text, pick, point or [], exclude or [], box or [], mask=mask)
    run_cutout(images, prompt, subject, job, out, as_json)


@app.command()
def detect(
    image: ImageFile,
    text: Annotated[str, typer.Option("--text", "-t", help="What to find, in words.")] = "",
    recipe: Recipe = "auto",
    min_score: Annotated[float | None, typer.Option(help="Leave out finds below this score, 0..1.")] = None,
    tiles: Tiles = "auto",
    detector: Finder = "",
    option: DetectorOptions = None,
    as_json: Json = False,
) -> None:
    """Find things by name; prints boxes."""
    from maskwright_client.jobs import JobOptions

    from .jobs import run_detect

    options = JobOptions(
        recipes={"detect": recipe}, models=_models(detector=detector), detector_options="; ".join(option or []),
        tiles=tiles,
    )  # fmt: skip
    run_detect(image, text, options, min_score, as_json)


@app.command()
def parse(
    image: ImageFile,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", "-p", help="hair, skirt, upper body, ...; all labels without. Repeatable."),
    ] = None,
    model: Annotated[str, typer.Option(help="The parser; 'maskwright models list' names them.")] = "",
    per_person: Annotated[bool, typer.Option("--per-person", help="Tell the people apart.")] = False,
    person: Annotated[int, typer.Option(help="Only of this person or face, counted from the left.")] = 0,
    whole: Annotated[bool, typer.Option("--whole", help="Look at the picture as a whole, find no people.")] = False,
    refine: Annotated[bool, typer.Option("--refine", help="Find the edges again, hair by matting.")] = False,
    grow: Grow = 0.0,
    feather: Feather = 0.0,
    smooth: Smooth = 0.0,
    min_area: MinArea = 0.0,
    depth: Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask file (IMAGE-parts.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Also write one mask per part into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Select parts of people: hair, clothes, the face; writes a mask."""
    from maskwright_client.body_parts import BodyPart
    from maskwright_client.jobs import JobOptions

    from .jobs import run_parse

    options = JobOptions(
        models=_models(parser=model), grow=grow, feather=feather, smooth=smooth, min_area=min_area, mask_depth=depth
    )  # fmt: skip
    wanted = options.parts([BodyPart(name) for name in part or []], refine, one_by_one=per_person)
    run_parse(image, replace(wanted, merge=True, person=person, find_people=not whole), out, instances, as_json)


@app.command()
def doctor(
    as_json: Json = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the findings into this file, without personal paths, for a bug report.")
    ] = None,
) -> None:
    """Check this installation and say how to fix what is wrong."""
    from .doctor import run_doctor

    run_doctor(as_json, report)


@app.command()
def everything(
    image: ImageFile,
    points: Annotated[int, typer.Option(help="Points along the long side that are tried; 0 chooses.")] = 0,
    layers: Annotated[int, typer.Option(help="Look at crops too, each time twice as close: 0 to 2.")] = 0,
    min_score: Annotated[float | None, typer.Option(help="Leave out objects below this score, 0..1.")] = None,
    min_area: Annotated[float, typer.Option(help="Leave out objects smaller than so many pixels.")] = 0.0,
    recipe: Recipe = "auto",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The map in colours (IMAGE-objects.png).")] = None,
    labels: Annotated[Path | None, typer.Option(help="Write the objects' numbers as a 16-bit PNG too.")] = None,
    as_json: Json = False,
) -> None:
    """Find all objects; writes a map in colours and a table as JSON beside it."""
    from maskwright_client.jobs import JobOptions

    from .mapping import run_everything

    job = replace(
        JobOptions(recipes={"select": recipe}).everything(), priority="interactive", points_per_side=points,
        layers=layers, min_score=min_score, min_area=min_area,
    )  # fmt: skip
    run_everything(image, job, out, labels, as_json)


@app.command()
def similar(
    image: ImageFile,
    mask: Annotated[Path, typer.Option(help="A selection of one of the things.")],
    pick: Annotated[str, typer.Option(help="all, best (the thing itself), or a number.")] = "all",
    min_score: Annotated[float | None, typer.Option(help="Leave out what is less like it, 0..1.")] = None,
    recipe: Recipe = "auto",
    depth: Depth = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The mask of all (IMAGE-similar.png).")] = None,
    instances: Annotated[Path | None, typer.Option(help="Folder for one mask each.")] = None,
    as_json: Json = False,
) -> None:
    """Find what is like a selection."""
    from maskwright_client.jobs import JobOptions

    from .mapping import run_similar

    options = JobOptions(recipes={"select": recipe}, mask_depth=depth)
    run_similar(image, mask, options, pick, min_score, out, instances, as_json)


@app.command()
def demo(
    image: Annotated[
        Path | None, typer.Argument(help="A photo of yours; a sample otherwise.", metavar="[IMAGE]")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")] = Path("demo"),
) -> None:
    """Select and cut out the main thing of a photo, and write what came out."""
    from .demo import run_demo

    run_demo(image, out)
