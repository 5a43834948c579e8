"""The ``maskwright models`` commands and their flags; ``models`` does the work."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .flags import Json

ModelId = Annotated[str, typer.Argument(help="The model's id, as 'maskwright models list' shows it.", metavar="MODEL")]


class RoleName(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    SEGMENTER = "segmenter"
    MATTING = "matting"
    PARSER = "parser"


models_app = typer.Typer(no_args_is_help=True, help="Show, get, check and add models.")


def _work():
    """The module that does it. It reads the catalogue, so it is imported when a command runs: help must be quick."""
    from . import models

    return models


@models_app.command("list")
def models_list(
    installed: Annotated[
        bool, typer.Option("--installed", help="Those on this computer, and what is recommended for it.")
    ] = False,
    role: Annotated[
        RoleName | None, typer.Option(help="Those for that: find by name, select, cut out, parts of people.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List models and recipes, and what is installed."""
    _work().show_list(as_json, installed, role.value if role else "")


@models_app.command("path")
def models_path() -> None:
    """Print the folders that are searched for models."""
    for folder in _work().folders():
        typer.echo(folder)


@models_app.command("show")
def models_show(model: ModelId, as_json: Json = False) -> None:
    """Show all that is known of a model: licence, files, sources, where it is."""
    _work().show(model, as_json)


@models_app.command("pull")
def models_pull(
    models: Annotated[list[str] | None, typer.Argument(help="Ids of models.", metavar="[MODEL...]")] = None,
    recommended: Annotated[
        bool, typer.Option("--recommended", help="Those that are recommended for this computer.")
    ] = False,
    origin: Annotated[
        Path | None, typer.Option("--from", help="Take the files from this folder or zip, without a network.")
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="I have read the licence and agree to it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download and install models; goes on where an earlier download stopped."""
    _work().pull(models or [], recommended, origin, accept_licence, as_json)


@models_app.command("verify")
def models_verify(
    models: Annotated[
        list[str] | None, typer.Argument(help="Ids of models; all installed ones otherwise.", metavar="[MODEL...]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read every byte of the installed models and compare with the catalogue."""
    _work().verify(models or [], as_json)


@models_app.command("remove")
def models_remove(model: ModelId, as_json: Json = False) -> None:
    """Delete a model that was downloaded."""
    _work().remove(model, as_json)


@models_app.command("add")
def models_add(
    files: Annotated[
        list[Path],
        typer.Argument(help="A model's file or files, or their folder; .pt and .pth are converted.", metavar="FILE..."),
    ],
    identity: Annotated[str, typer.Option("--id", help="A name of your own for it; else the file's.")] = "",
    family: Annotated[str, typer.Option(help="Which code runs it, where the file does not tell.")] = "",
    title: Annotated[str, typer.Option(help="What lists call it.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of the weights.")] = "",
    commercial: Annotated[str, typer.Option(help="Commercial use: yes, no or ask.")] = "",
    input_size: Annotated[int | None, typer.Option(help="Pixels of the longer side that it looks at.")] = None,
    names: Annotated[str, typer.Option(help="Of its classes in order, with commas, where the file has none.")] = "",
    key: Annotated[str, typer.Option(help="Which part of a .pt or .pth file to take.")] = "",
    as_json: Json = False,
) -> None:
    """Add a model of your own: tells what it is, tries it once, copies its files and writes its entry."""
    facts = {"title": title, "licence": licence, "commercial": commercial, "input_size": input_size}
    facts["names"] = [name.strip() for name in names.split(",") if name.strip()]
    _work().add(files, identity, family, {name: value for name, value in facts.items() if value}, key, as_json)


@models_app.command("convert")
def models_convert(
    file: Annotated[Path, typer.Argument(help="A .pt, .pth or .bin checkpoint.", metavar="FILE")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="FILE with .safetensors otherwise.")] = None,
    key: Annotated[str, typer.Option(help="Which part of the checkpoint to take.")] = "",
    sha256: Annotated[str, typer.Option(help="What the file must be.")] = "",
    allow: Annotated[
        list[str] | None, typer.Option(help="A harmless class that this file may hold; needs --sha256. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Convert a pickle to safetensors, in a process without network and without running what is in it."""
    _work().convert(file, out or file.with_suffix(".safetensors"), key, sha256, allow or [], as_json)


@models_app.command("table")
def models_table(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/models.md.")] = False,
) -> None:
    """Print the built-in catalogue to choose from."""
    _work().print_catalogue(markdown)
