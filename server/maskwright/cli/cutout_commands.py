"""The commands that cut out and refine, and their flags; what does the work is imported when a command runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from maskwright_client.jobs import Cut, Edge, JobOptions

from . import flags


@flags.on_pictures
def refine(
    pictures: flags.Pictures,
    mask: Annotated[
        str, typer.Option(help="The selection to refine; a folder or pattern for many.", metavar=flags.MASKS)
    ],
    edge_width: flags.EdgeWidth = 0.0,
    hair: flags.Hair = False,
    smooth: flags.RoundEdge = 0.0,
    contrast: flags.Contrast = 0.0,
    shift_edge: flags.ShiftEdge = 0.0,
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    invert: flags.Invert = False,
    recipe: Annotated[str, typer.Option(help="auto, trimap, guided, or inpaint: grown and feathered.")] = "auto",
    context: Annotated[
        float, typer.Option(help="Tell the box to inpaint in, so many times the selection's size on each side.")
    ] = 0.0,
    model: Annotated[str, typer.Option(help="The model that finds the edge.")] = "",
) -> None:
    """Give a rough selection soft, right edges, or make it ready for inpainting."""
    from maskwright.batch.companions import Companion
    from maskwright.batch.selecting import RefineTask

    from .jobs import run_task

    options = JobOptions(
        recipes={"refine": recipe}, models=flags.by_role(matting=model), grow=grow, feather=feather, invert=invert,
        mask_depth=pictures.mask_depth,
    )  # fmt: skip
    edge = Edge(edge_width, hair, smooth, contrast, shift_edge)
    run_task(lambda: RefineTask(mask=Companion(mask), edge=edge, options=options, context=context), pictures)


@flags.on_pictures
def cutout(
    pictures: flags.Pictures,
    text: Annotated[str, typer.Option("--text", "-t", help="What to cut out, in words; else the main subject.")] = "",
    exclude_text: Annotated[str, typer.Option("--not", help="What to leave out of it, in words.")] = "",
    point: Annotated[list[str] | None, typer.Option(help="Cut out what is at X,Y. Repeatable.", metavar="X,Y")] = None,
    exclude: flags.ExcludedPoint = None,
    box: Annotated[list[str] | None, typer.Option(help="Cut out what is in the box.", metavar="X,Y,W,H")] = None,
    scribble: flags.Scribble = None,
    exclude_scribble: flags.ExcludedScribble = None,
    lasso: flags.Lasso = None,
    exclude_lasso: flags.ExcludedLasso = None,
    mask: flags.RoughMask = "",
    pick: Annotated[str, typer.Option(help="Of several subjects: all, best, or a number.")] = "all",
    subject: Annotated[str, typer.Option(help="Of several main subjects the one at X,Y.", metavar="X,Y")] = "",
    min_score: flags.MinScore = None,
    edges: Annotated[str, typer.Option(help="matte, refined or auto.")] = "auto",
    edge_width: flags.EdgeWidth = 0.0,
    hair: flags.Hair = False,
    smooth: flags.RoundEdge = 0.0,
    contrast: flags.Contrast = 0.0,
    shift_edge: flags.ShiftEdge = 0.0,
    transparency: Annotated[bool, typer.Option("--transparency", help="Keep glass and veils transparent.")] = False,
    paint_out: Annotated[str, typer.Option(help="Show the model all else painted over: green, mean or blur.")] = "",
    grow: flags.Grow = 0.0,
    feather: flags.Feather = 0.0,
    fill_holes: flags.FillHoles = False,
    min_area: flags.MinArea = 0.0,
    colours: Annotated[str, typer.Option(help="Of the edge: auto, own, fast or best.")] = "auto",
    outline: Annotated[float, typer.Option(help="A border of so many pixels, as on a sticker.")] = 0.0,
    outline_colour: Annotated[str, typer.Option(help="Its colour.", metavar="#RRGGBB")] = "#ffffff",
    shadow: Annotated[bool, typer.Option("--shadow", help="Keep the shadow on a plain background.")] = False,
    background: Annotated[str, typer.Option(help="Put this colour behind.", metavar="#RRGGBB")] = "",
    crop: Annotated[bool, typer.Option("--crop", help="Write only as much of the picture as shows something.")] = False,
    recipe: flags.Recipe = "auto",
    model: Annotated[str, typer.Option(help="The model that draws the opacity.")] = "",
    mask_only: Annotated[bool, typer.Option("--mask-only", help="Write the alpha as a mask.")] = False,
) -> None:
    """Remove the background, or cut out what a prompt names; writes PNGs with transparency and clean edge colours."""
    from maskwright.batch.cutting import CutoutTask

    from .jobs import PromptFlags, StrokeFlags, companion, place, run_task

    options = JobOptions(
        recipes={"cutout": recipe}, models=flags.by_role(matting=model), grow=grow, feather=feather,
        fill_holes=fill_holes, min_area=min_area, mask_depth=pictures.mask_depth if mask_only else 8,
    )  # fmt: skip
    edge = Edge(edge_width, hair, smooth, contrast, shift_edge)
    cut = Cut(edge=edge, outline=outline, outline_colour=outline_colour, background=background, shadow=shadow)
    job = replace(
        options.cut_out(cut, "" if mask_only else "RGBA8"), min_score=min_score, edges=edges,
        transparency=transparency, paint_out=paint_out, colours=colours, crop=crop,
    )  # fmt: skip
    prompt = PromptFlags(text, exclude_text, pick, point or [], exclude or [], box or [])
    prompt.strokes = StrokeFlags(scribble or [], exclude_scribble or [], lasso or [], exclude_lasso or [])
    run_task(
        lambda: CutoutTask(mask=companion(mask), ask=replace(job, subject_at=place(subject), **prompt.read().fields())),
        pictures,
    )
