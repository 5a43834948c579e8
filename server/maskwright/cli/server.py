"""``status``, ``stop`` and ``models list``."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.table import Table

from maskwright.models.catalogue.page import size_text
from maskwright_protocol.discovery import read_endpoint
from maskwright_protocol.errors import ServerAbsent
from maskwright_protocol.messages import Done, ModelInfo, Models, ModelsRequest, Shutdown, Status, StatusRequest

from . import console

REPLY_S = 5.0
_FOR = {"detector": "find by name", "segmenter": "select", "matting": "cut out", "parser": "parts of people"}
MIB = 1024 * 1024


def show_status(as_json: bool) -> None:
    with console.explained(as_json), console.connected(start=False) as client:
        status = client.request(StatusRequest(""), REPLY_S)
        assert isinstance(status, Status)
        if as_json:
            console.print_json(asdict(status))
            return
        print_ = console.output.print
        print_(f"Maskwright {status.server_version}, running for {status.uptime_s:.0f} s (process {status.pid})")
        print_(f"memory {status.memory_bytes / MIB:.0f} MiB, images {status.image_bytes / MIB:.0f} of "
               f"{status.image_budget / MIB:.0f} MiB")  # fmt: skip
        clients, jobs = (f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((status.sessions, "client"),
                         (status.running, "job")))  # fmt: skip
        print_(f"{clients}, {jobs} running, {status.queued} waiting")
        for worker in status.workers:
            line = f"worker on {worker.device}: {worker.state}"
            if worker.pid is not None:
                line += f" (process {worker.pid}, {worker.memory_bytes / MIB:.0f} MiB)"
            print_(line)
            if worker.device_reason:
                print_(f"  {worker.device_reason}")
            if worker.models:
                print_(f"  loaded: {', '.join(worker.models)}")
        for download in status.downloads:
            print_(f"{download.text}: {download.fraction:.0%}", markup=False)


def stop_server() -> None:
    with console.explained():
        if read_endpoint() is None:
            console.errors.print("The Maskwright server is not running.")
            return
        try:
            with console.connected(start=False) as client:
                answer = client.request(Shutdown(""), REPLY_S)
                assert isinstance(answer, Done)
        except ServerAbsent:
            console.errors.print("The Maskwright server is not running.")
            return
        console.errors.print("The Maskwright server stops.")


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


def show_models(as_json: bool, installed: bool = False, role: str = "") -> None:
    """``installed``: those on this computer and the recommended ones only. ``role``: those of that role only."""
    with console.explained(as_json), console.connected() as client:
        answer = client.request(ModelsRequest(""), REPLY_S)
        assert isinstance(answer, Models)
        models = [m for m in answer.models if not installed or m.installed or m.problem or m.recommended]
        models = [m for m in models if not role or role in m.roles]
        if as_json:
            console.print_json({"models": [asdict(m) for m in models], "recipes": [asdict(r) for r in answer.recipes]})
            return
        if not answer.models:
            raise typer.Exit(console.EXIT_FAILED)
        table = Table(box=None, header_style="dim")
        for column in ("model", "for", "download", "commercial use", "state"):
            table.add_column(column, overflow="fold", no_wrap=column == "model")
        for model in models:
            size = "" if model.embedded else size_text(model.size)
            table.add_row(
                model.id, ", ".join(_FOR[role] for role in model.roles), size, model.commercial, _state(model)
            )
        console.output.print(table)
        console.output.print(
            "\n'maskwright models show MODEL' tells when to use one, its licence and its needs.\n", style="dim"
        )
        if installed or role:
            return
        recipes = Table(box=None, header_style="dim")
        for column in ("recipe", "for", "what it does", "state"):
            recipes.add_column(column, overflow="fold")
        for recipe in answer.recipes:
            recipes.add_row(recipe.name, recipe.verb, recipe.title, "ready" if recipe.available else recipe.missing)
        console.output.print(recipes)
