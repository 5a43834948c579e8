"""``maskwright models``: what there is, getting it, checking it, removing it, adding one's own."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
ModelId = Annotated[str, typer.Argument(help="The model's id, as 'maskwright models list' shows it.", metavar="MODEL")]


class RoleName(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    SEGMENTER = "segmenter"
    MATTING = "matting"
    PARSER = "parser"


_COMMERCIAL = {"yes": "yes", "no": "no", "ask": "ask, the licence leaves questions open"}

models_app = typer.Typer(no_args_is_help=True, help="Show, get, check and add models.")


@models_app.command("list")
def models_list(
    scan: Annotated[
        bool, typer.Option("--installed", help="Those on this computer, and what is recommended for it.")
    ] = False,
    role: Annotated[
        RoleName | None, typer.Option(help="Those for that: find by name, select, cut out, parts of people.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List models and recipes, and what is installed."""
    from . import console
    from .server import show_models

    _tell_problems(console)
    show_models(as_json, scan, role.value if role else "")


@models_app.command("path")
def models_path() -> None:
    """Print the folders that are searched for models."""
    from maskwright.config import Settings, model_folders

    for folder in model_folders(Settings()):
        typer.echo(folder)


@models_app.command("show")
def models_show(model: ModelId, as_json: Json = False) -> None:
    """Show all that is known of a model: licence, files, sources, where it is."""
    from maskwright.models import catalogue, options
    from maskwright.models.catalogue.page import memory_text, parameters_text
    from maskwright.models.install import scan

    from . import console

    with console.explained(as_json):
        entry = catalogue.load().get(model)
        settings = entry.facts.options
        found = scan.scan(_folders()).get(model)
        if as_json:
            state: dict[str, Any] = {"installed": bool(found and not found.problem), "folder": None, "problem": ""}
            if found is not None:
                state.update(folder=str(found.folder), problem=found.problem)
            console.print_json({**entry.model_dump(), **state, "detector_options": [asdict(o) for o in settings]})
            return
        files = ", ".join(_file(file) for file in entry.files) or "none"
        rows = {
            "what": entry.summary,
            "roles": ", ".join(entry.roles),
            "licence": f"{entry.licence}, commercial use: {_COMMERCIAL[entry.commercial]}  {entry.licence_url}",
            **({"access": "the hub gives it only to accounts that asked for it, on its page"} if entry.gated else {}),
            "page": entry.source,
            "revision": entry.revision,
            "files": files,
            "sources": "; ".join(_source(entry, source) for source in entry.sources)
            or "none known: place the files by hand",
            "parameters": parameters_text(entry.parameters),
            "memory": memory_text(entry) + (" in half precision" if "fp16" in entry.memory_in else ""),
            "state": _state(found, entry.embedded),
        }
        rows |= {f"--option {o.name}": options.described(o) for o in settings}
        console.output.print(f"[bold]{entry.title}[/]  {entry.id}")
        for name, value in ((name, value) for name, value in rows.items() if value):
            console.output.print(f"{name:>10}  ", end="", style="dim")
            console.output.print(value, markup=False, soft_wrap=True)


def _file(file: Any) -> str:
    from maskwright.models.catalogue.page import size_text

    size = size_text(file.published.size) if file.published.size else f"~{size_text(file.about)}" if file.about else ""
    known = [part for part in (size, f"made from {file.pickle.name}" if file.pickle else "") if part]
    return f"{file.name} ({', '.join(known)})" if known else file.name


def _source(entry: Any, source: Any) -> str:
    from maskwright.models.machine import records

    pinned = records.revision(entry.id, source.hub) if source.hub and not source.revision else None
    return source.model_copy(update={"revision": pinned}).title() if pinned else source.title()


def _state(found: Any, embedded: bool) -> str:
    if found is None:
        return "not installed"
    if found.problem:
        return found.problem
    return "built in" if embedded else f"installed in {found.folder}"


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
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from maskwright.config import default_model_folder
    from maskwright.models import catalogue
    from maskwright.models.install import download
    from maskwright_protocol.errors import BadInput

    from . import console

    done = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with console.explained(as_json):
        wanted = [*(models or []), *(_recommended() if recommended else [])]
        if not wanted:
            raise BadInput("No model was named.", "Name one, or add --recommended.")
        entries = [catalogue.load().get(model) for model in dict.fromkeys(wanted)]
        for entry in entries:
            quiet = as_json or not console.errors.is_terminal
            with Progress(*columns, console=console.errors, transient=True, disable=quiet) as bar:
                task = bar.add_task(entry.title, total=None)

                def report(now: download.PullProgress, bar: Progress = bar, task: Any = task) -> None:
                    bar.update(task, description=now.text, completed=now.done, total=now.total or None)

                folder = download.pull(
                    entry,
                    _folders(),
                    default_model_folder(),
                    origin=origin,
                    accept_licence=accept_licence,
                    report=report,
                )
            done.append({"model": entry.id, "folder": str(folder)})
            if not as_json:
                console.errors.print(f"{entry.title} is installed in {folder}.", soft_wrap=True)
    if as_json:
        console.print_json({"installed": done})


@models_app.command("verify")
def models_verify(
    models: Annotated[
        list[str] | None, typer.Argument(help="Ids of models; all installed ones otherwise.", metavar="[MODEL...]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read every byte of the installed models and compare with the catalogue."""
    from maskwright.models import catalogue
    from maskwright.models.install import scan
    from maskwright_protocol.errors import MaskwrightError, ModelMissing

    from . import console

    results = []
    with console.explained(as_json):
        found = scan.scan(_folders())
        for model in models or sorted(name for name, model in found.items() if not model.waits):
            entry = catalogue.load().get(model)
            if model not in found:
                raise ModelMissing(f"The model {model} is not installed.", model=entry.id)
            try:
                scan.verify(found[model], anew=True)
                results.append({"model": model, "sound": True, "problem": ""})
            except MaskwrightError as error:
                results.append({"model": model, "sound": False, "problem": error.message})
    if as_json:
        console.print_json({"models": results})
    else:
        for result in results:
            mark = "[green]sound[/]" if result["sound"] else "[red]broken[/]"
            console.output.print(f"{mark}  {result['model']}  {result['problem']}", soft_wrap=True)
    if not all(result["sound"] for result in results):
        raise typer.Exit(console.EXIT_FAILED)


@models_app.command("remove")
def models_remove(model: ModelId, as_json: Json = False) -> None:
    """Delete a model that was downloaded."""
    from maskwright.config import default_model_folder
    from maskwright.models import catalogue
    from maskwright.models.catalogue.page import size_text
    from maskwright.models.install import remove

    from . import console

    with console.explained(as_json):
        freed = remove.remove(catalogue.load().get(model), default_model_folder())
        if as_json:
            console.print_json({"removed": model, "bytes": freed})
        else:
            console.errors.print(f"{model} is gone; {size_text(freed)} are free again.")


@models_app.command("add")
def models_add(
    files: Annotated[
        list[Path], typer.Argument(help="ONNX or safetensors files; .pt and .pth are converted.", metavar="FILE...")
    ],
    identity: Annotated[str, typer.Option("--id", help="A name of your own for it.")],
    family: Annotated[str, typer.Option(help="Which code runs it, such as 'yolox'.")],
    title: Annotated[str, typer.Option(help="What lists call it.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of the weights.")] = "unknown",
    commercial: Annotated[str, typer.Option(help="Commercial use: yes, no or ask.")] = "ask",
    input_size: Annotated[int | None, typer.Option(help="Pixels of the longer side that it looks at.")] = None,
    key: Annotated[str, typer.Option(help="Which part of a .pt or .pth file to take.")] = "",
    as_json: Json = False,
) -> None:
    """Add a model of your own: copies its files and writes its entry."""
    from maskwright.models.install import user_models

    from . import console

    with console.explained(as_json):
        more = {"title": title or identity, "licence": licence, "commercial": commercial}
        size = {"input_size": input_size} if input_size else {}
        folder = user_models.add(files, identity, family, {**more, **size}, key)
        if as_json:
            console.print_json({"model": identity, "folder": str(folder)})
        else:
            console.errors.print(f"{identity} is installed in {folder}.", soft_wrap=True)


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
    from maskwright.models.install.convert import convert

    from . import console

    with console.explained(as_json):
        target = out or file.with_suffix(".safetensors")
        done = convert(file, target, key=key, sha256=sha256, allow=allow or ())
        if as_json:
            console.print_json({"file": str(done.out), "tensors": done.tensors, "sha256": done.sha256})
        else:
            console.errors.print(f"{done.tensors} tensors are in {done.out}.", soft_wrap=True)


@models_app.command("table")
def models_table(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/models.md.")] = False,
) -> None:
    """Print the built-in catalogue to choose from."""
    from rich.table import Table

    from maskwright.models import catalogue
    from maskwright.models.catalogue import page as page

    from . import console

    if markdown:
        typer.echo(page.markdown(catalogue.built_in()), nl=False)
        return
    shown = Table(box=None, header_style="dim")
    for column in ("model", "download", "memory", "licence", "commercial", "when to use it"):
        shown.add_column(column, overflow="fold")
    for entry in catalogue.built_in().model:
        size = "built in" if entry.embedded else page.download_text(entry)
        memory = page.memory_text(entry)
        shown.add_row(entry.id, size, memory, entry.licence, entry.commercial, entry.summary)
    for absent in catalogue.built_in().absent:
        shown.add_row(absent.id, "none", "", absent.licence, absent.commercial, f"Cannot be run. {absent.why}")
    console.output.print(shown)


def _recommended() -> list[str]:
    from maskwright.config import Settings
    from maskwright.models import catalogue
    from maskwright.models.install import recommend

    return recommend.recommended(catalogue.load(), Settings().device)


def _folders() -> list[Path]:
    from maskwright.config import Settings, model_folders

    return model_folders(Settings())


def _tell_problems(console: Any) -> None:
    from maskwright.models import catalogue

    for problem in catalogue.load().problems:
        console.errors.print(problem, style="yellow", markup=False)
