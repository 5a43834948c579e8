"""The ``maskwright`` command: its parts put together. What a command does is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskwright.plugins.cli import plugins_app
from maskwright_protocol import __version__

from . import access_commands, bridge_commands, cutout_commands, recipe_commands, select_commands
from .flags import Json
from .model_commands import models_app

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


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


for command in (
    select_commands.select,
    cutout_commands.refine,
    cutout_commands.cutout,
    select_commands.detect,
    select_commands.parse,
    select_commands.everything,
    select_commands.similar,
    select_commands.flats,
    select_commands.edit,
    recipe_commands.run,
    access_commands.certificate,
    bridge_commands.http,
    bridge_commands.mcp,
):
    app.command()(command)


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
def demo(
    image: Annotated[
        Path | None, typer.Argument(help="A photo of yours; a sample otherwise.", metavar="[IMAGE]")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")] = Path("demo"),
) -> None:
    """Select and cut out the main thing of a photo, and write what came out."""
    from .demo import run_demo

    run_demo(image, out)


app.add_typer(models_app, name="models")
app.add_typer(recipe_commands.recipes_app, name="recipes")
app.add_typer(plugins_app, name="plugins")
app.add_typer(access_commands.token_app, name="token")
