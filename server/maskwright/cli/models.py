"""What the ``maskwright models`` commands do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from maskwright.config import Settings, default_model_folder, model_folders
from maskwright.models import catalogue, options
from maskwright.models.catalogue import page
from maskwright.models.catalogue.entries import Entry, ModelFile, Source
from maskwright.models.family import Family
from maskwright.models.install import convert as conversion
from maskwright.models.install import download, recommend, scan, user_models
from maskwright.models.install import remove as removal
from maskwright.models.machine import records
from maskwright_client import offers
from maskwright_protocol.errors import BadInput, MaskwrightError, ModelMissing
from maskwright_protocol.messages import ModelInfo, Models, ModelsRequest

from . import console

_COMMERCIAL = {"yes": "yes", "no": "no", "ask": "ask, the licence leaves questions open"}
_NAMED = 8  # names of classes that are listed
_USE = {
    "detector": "maskwright select PICTURE --text WORDS --detector {id}",
    "segmenter": "maskwright select PICTURE --point X,Y --segmenter {id}",
    "matting": "maskwright cutout PICTURE --model {id}",
    "parser": "maskwright parse PICTURE --model {id}",
    "depth": "maskwright select PICTURE --nearer X,Y",
    "refiner": "maskwright refine PICTURE --mask MASK --model {id}",
}
_PURPOSE = {
    "detector": "find by name",
    "panoptic": "name everything",
    "segmenter": "select",
    "matting": "cut out",
    "parser": "parts of people",
    "depth": "near and far",
}


def folders() -> list[Path]:
    """The folders that are searched for models."""
    return model_folders(Settings())


def show_list(as_json: bool, installed: bool, role: str) -> None:
    """``installed``: those on this computer and the recommended ones only. ``role``: those of that role only."""
    for problem in catalogue.load().problems:
        console.errors.print(problem, style="yellow", markup=False)
    with console.explained(as_json), console.connected() as client:
        answer = client.request(ModelsRequest(""), console.REPLY_S)
        assert isinstance(answer, Models)
        shown = [m for m in answer.models if not installed or m.installed or m.problem or m.recommended]
        shown = [m for m in shown if not role or role in m.roles]
        if as_json:
            console.print_json({"models": [asdict(m) for m in shown], "recipes": [asdict(r) for r in answer.recipes]})
            return
        if not answer.models:
            raise typer.Exit(console.EXIT_FAILED)
        table = _table("model", "for", "download", "commercial use", "state")
        for model in shown:
            size = "" if model.embedded else page.size_text(model.size)
            purposes = ", ".join(_PURPOSE[one] for one in model.roles)
            table.add_row(model.id, purposes, size, model.commercial, _state(model))
        console.output.print(table)
        hint = "\n'maskwright models show MODEL' tells when to use one, its licence and its needs.\n"
        console.output.print(hint, style="dim")
        if installed or role:
            return
        recipes = _table("recipe", "for", "what it does", "state")
        for recipe in answer.recipes:
            recipes.add_row(recipe.name, recipe.verb, recipe.title, "ready" if recipe.available else recipe.missing)
        console.output.print(recipes)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "model")
    return table


def _state(model: ModelInfo) -> str:
    if model.problem:
        return model.problem
    state = "built in" if model.embedded and model.installed else "installed" if model.installed else "not installed"
    if model.resident:
        state += ", loaded"
    if model.recommended and not model.installed:
        state += ", recommended for this computer"
    if not model.installed and not model.downloadable and not model.embedded:
        state += ", to be placed by hand"
    return state


def show(model: str, as_json: bool) -> None:
    """All that is known of a model."""
    with console.explained(as_json):
        entry = catalogue.load().get(model)
        settings = entry.facts.options
        found = scan.scan(folders()).get(model)
        if as_json:
            state: dict[str, Any] = {"installed": bool(found and not found.problem), "folder": None, "problem": ""}
            if found is not None:
                state.update(folder=str(found.folder), problem=found.problem)
            console.print_json({**entry.model_dump(), **state, "detector_options": [asdict(o) for o in settings]})
            return
        rows = _facts(entry, found) | {f"--option {o.name}": options.described(o) for o in settings}
        console.output.print(f"[bold]{entry.title}[/]  {entry.id}")
        for name, value in ((name, value) for name, value in rows.items() if value):
            console.output.print(f"{name:>10}  ", end="", style="dim")
            console.output.print(value, markup=False, soft_wrap=True)


def _facts(entry: Entry, found: scan.Installed | None) -> dict[str, str]:
    by_hand = "comes with Maskwright" if entry.embedded else "none known: place the files by hand"
    return {
        "what": entry.summary,
        "roles": ", ".join(entry.roles),
        "licence": f"{entry.licence}, commercial use: {_COMMERCIAL[entry.commercial]}  {entry.licence_url}",
        "access": "the hub gives it only to accounts that asked for it, on its page" if entry.gated else "",
        "page": entry.source,
        "revision": entry.revision,
        "files": ", ".join(_file(file) for file in entry.files) or "none",
        "sources": "; ".join(_source(entry, source) for source in entry.sources) or by_hand,
        "parameters": page.parameters_text(entry.parameters),
        "time": _time(entry),
        "memory": page.memory_text(entry) + (" in half precision" if "fp16" in entry.memory_in else ""),
        "state": _place(entry, found),
    }


def _time(entry: Entry) -> str:
    measured = (f"{value:g} s on {recommend.MEASURED_ON[kind]}" for kind, value in entry.seconds.items())
    return ", ".join(f"a picture took {text}" for text in measured)


def _file(file: ModelFile) -> str:
    size = page.size_text(file.published.size) if file.published.size else ""
    size = size or (f"~{page.size_text(file.about)}" if file.about else "")
    known = [part for part in (size, f"made from {file.pickle.name}" if file.pickle else "") if part]
    return f"{file.name} ({', '.join(known)})" if known else file.name


def _source(entry: Entry, source: Source) -> str:
    pinned = records.revision(entry.id, source.hub) if source.hub and not source.revision else None
    return source.model_copy(update={"revision": pinned}).title() if pinned else source.title()


def _place(entry: Entry, found: scan.Installed | None) -> str:
    if found is None:
        return "not installed"
    if found.problem:
        return found.problem
    return "built in" if entry.embedded else f"installed in {found.folder}"


def pull(models: Sequence[str], recommended: bool, origin: Path | None, accept_licence: bool, as_json: bool) -> None:
    """Download and install models, those that are recommended here too if asked for."""
    done = []
    with console.explained(as_json):
        known = catalogue.load()
        wanted = [*models, *(recommend.recommended(known, Settings().device) if recommended else [])]
        if not wanted:
            raise BadInput("No model was named.", "Name one, or add --recommended.")
        entries = [known.get(model) for model in dict.fromkeys(wanted)]
        if not as_json:
            _tell_what_comes(entries)
        for entry in entries:
            folder = _pull_one(entry, origin, accept_licence, as_json)
            done.append({"model": entry.id, "folder": str(folder)})
            if not as_json:
                console.errors.print(f"{entry.title} is installed in {folder}.", soft_wrap=True)
    if as_json:
        console.print_json({"installed": done})


def _tell_what_comes(entries: Sequence[Entry]) -> None:
    """Size, licence and time of what is about to be downloaded."""
    there = scan.scan(folders())
    infos = {info.id: info for info in scan.model_infos(there, device=Settings().device)}
    coming = [infos[entry.id] for entry in entries if entry.id not in there]
    for info in coming:
        console.errors.print(f"{info.title}: {offers.facts(info)}", soft_wrap=True, markup=False)
    if len(coming) > 1:
        console.errors.print(f"Together {offers.size(*coming)}.")


def _pull_one(entry: Entry, origin: Path | None, accept_licence: bool, quiet: bool) -> Path:
    """The folder that it is in now. Shows a progress bar on a terminal unless ``quiet``."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    quiet = quiet or not console.errors.is_terminal
    with Progress(*columns, console=console.errors, transient=True, disable=quiet) as bar:
        task = bar.add_task(entry.title, total=None)

        def report(now: download.PullProgress) -> None:
            bar.update(task, description=now.text, completed=now.done, total=now.total or None)

        return download.pull(
            entry, folders(), default_model_folder(), origin=origin, accept_licence=accept_licence, report=report
        )


def verify(models: Sequence[str], as_json: bool) -> None:
    """Read every byte of these models, or of all installed ones; exit code 1 if one is broken."""
    results = []
    with console.explained(as_json):
        found = scan.scan(folders())
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


def remove(model: str, as_json: bool) -> None:
    with console.explained(as_json):
        freed = removal.remove(catalogue.load().get(model), default_model_folder())
        sentence = f"{model} is gone; {page.size_text(freed)} are free again."
        console.say({"removed": model, "bytes": freed}, sentence, as_json)


def add(files: Sequence[Path], model: str, family: str, facts: dict[str, Any], key: str, as_json: bool) -> None:
    """``model`` and ``family`` may be empty. ``facts`` as in the catalogue: title, licence, ..."""
    asking = sys.stdin.isatty() and console.errors.is_terminal and not as_json
    with console.explained(as_json), console.errors.status("Looking into the files") as status:

        def report(text: str) -> None:
            status.update(escape(text))

        def choose(possible: Sequence[Family]) -> str:
            status.stop()
            chosen = _ask_for_family(possible)
            status.start()
            return chosen

        done = user_models.add(
            files, model, family, facts, key=key, choose=choose if asking else None, report=report
        )  # fmt: skip
        status.stop()
        told = {"model": done.entry.id, "family": done.entry.family, "folder": str(done.folder), "names": done.names}
        console.say({**told, "replaced": done.replaced, "twins": done.twins}, _added(done), as_json)


def _ask_for_family(possible: Sequence[Family]) -> str:
    console.errors.print("The file does not tell which family of models it is of. Is it:")
    for number, family in enumerate(possible, 1):
        purposes = ", ".join(_PURPOSE.get(role, role) for role in family.roles)
        console.errors.print(f"{number:>3}  {family.title} ({purposes})", markup=False)
    number = 0
    while not 1 <= number <= len(possible):
        number = typer.prompt("Number", type=int, err=True)
    return possible[number - 1].name


def _added(done: user_models.Added) -> str:
    """What is installed now and how it is used, sentences."""
    entry = done.entry
    again = ", in place of what was called so before" if done.replaced else ""
    text = f"{entry.id} is installed in {done.folder}{again}. It is a {entry.facts.title} model and was tried once."
    if done.names:
        shown = ", ".join(done.names[:_NAMED]) + (", ..." if len(done.names) > _NAMED else "")
        text += f" It knows: {escape(shown)}."
    if done.twins:
        text += f" The same file is installed as {', '.join(done.twins)} too."
    role = "refiner" if entry.needs_trimap else entry.roles[0]
    return f"{text}\nUse it: {_USE[role].format(id=entry.id)}"


def convert(file: Path, out: Path, key: str, sha256: str, allow: Sequence[str], as_json: bool) -> None:
    with console.explained(as_json):
        done = conversion.convert(file, out, key=key, sha256=sha256, allow=allow)
        result = {"file": str(done.out), "tensors": done.tensors, "sha256": done.sha256}
        console.say(result, f"{done.tensors} tensors are in {done.out}.", as_json)


def print_catalogue(markdown: bool) -> None:
    """The built-in catalogue, as a table or as the page docs/models.md."""
    known = catalogue.built_in()
    if markdown:
        typer.echo(page.markdown(known), nl=False)
        return
    table = _table("model", "download", "memory", "licence", "commercial", "when to use it")
    for entry in known.model:
        size = "built in" if entry.embedded else page.download_text(entry)
        table.add_row(entry.id, size, page.memory_text(entry), entry.licence, entry.commercial, entry.summary)
    for absent in known.absent:
        table.add_row(absent.id, "none", "", absent.licence, absent.commercial, f"Cannot be run. {absent.why}")
    console.output.print(table)
