"""``maskwright plugins``: build and install the editor plug-ins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .bundle import NotFound

plugins_app = typer.Typer(no_args_is_help=True, help="Build and install what goes into Krita, GIMP and ComfyUI.")


class Editor(StrEnum):
    krita = "krita"
    gimp = "gimp"
    comfyui = "comfyui"


RESTART = {
    Editor.krita: "Restart Krita. If the docker is missing: Settings > Configure Krita > Python Plugin Manager.",
    Editor.gimp: "Restart GIMP.",
    Editor.comfyui: "Restart ComfyUI. The nodes are under Maskwright.",
}
EditorName = Annotated[Editor, typer.Argument(help="krita, gimp or comfyui")]
Resources = Annotated[
    Path | None,
    typer.Option(
        "--to",
        "--resources",
        help="Krita's resource folder, GIMP's plug-ins folder or ComfyUI's own, when it is not one of the usual ones.",
    ),
]


def _module(editor: Editor):
    from . import comfyui, gimp, krita

    return {Editor.krita: krita, Editor.gimp: gimp, Editor.comfyui: comfyui}[editor]


@contextmanager
def _explained() -> Iterator[None]:
    """Failures become a sentence and the exit code 1."""
    try:
        yield
    except (NotFound, OSError) as error:
        text = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        typer.echo(text, err=True)
        raise typer.Exit(1) from error


@plugins_app.command()
def build(
    editor: EditorName, out: Annotated[Path, typer.Option(help="The folder for the zip.")] = Path("dist")
) -> None:
    """Build the zip that the editor can import, or that goes into ComfyUI's custom_nodes."""
    with _explained():
        typer.echo(_module(editor).build(out))


@plugins_app.command()
def install(editor: EditorName, resources: Resources = None) -> None:
    """Install the plug-in for this user."""
    with _explained():
        for path in _module(editor).install(resources):
            typer.echo(f"installed in {path}")
    typer.echo(RESTART[editor])


@plugins_app.command()
def uninstall(editor: EditorName, resources: Resources = None) -> None:
    """Remove the plug-in."""
    with _explained():
        removed = _module(editor).uninstall(resources)
    for path in removed:
        typer.echo(f"removed {path}")
    if not removed:
        typer.echo("It is not installed.")
