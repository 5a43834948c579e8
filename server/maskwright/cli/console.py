"""The server from a terminal: connect, show progress, explain failures, choose the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from maskwright_client import launcher
from maskwright_client.client import Client
from maskwright_protocol.errors import BadInput, JobCancelled, MaskwrightError, ServerAbsent
from maskwright_protocol.messages import Progress as ProgressMessage

if TYPE_CHECKING:
    from maskwright.batch.connection import Connection

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING_FOUND, EXIT_NO_SERVER, EXIT_CANCELLED = 1, 2, 3, 4, 130

REPLY_S = 5.0  # how long a server may take for an answer that needs no model

errors = Console(stderr=True, highlight=False)
output = Console(highlight=False)


def own_command() -> list[str]:
    """How to start the command of this installation."""
    return [sys.executable, "-m", "maskwright.cli"]


@contextmanager
def explained(as_json: bool = False) -> Iterator[None]:
    """Turn typed errors into a sentence, a hint and an exit code."""
    try:
        yield
    except MaskwrightError as error:
        fail(error, as_json)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_CANCELLED) from None


def fail(error: MaskwrightError, as_json: bool = False) -> NoReturn:
    if as_json:
        print_json({"error": error.code, "message": error.message, "hint": error.hint, "details": error.details})
    else:
        errors.print(error.message, style="bold red", markup=False)
        if error.hint:
            errors.print(error.hint, markup=False)
    if isinstance(error, JobCancelled):
        raise typer.Exit(EXIT_CANCELLED)
    if isinstance(error, ServerAbsent):
        raise typer.Exit(EXIT_NO_SERVER)
    raise typer.Exit(EXIT_USAGE if isinstance(error, BadInput) else EXIT_FAILED)


@contextmanager
def connected(start: bool = True) -> Iterator[Client]:
    """A client of the running server; starts one if there is none."""
    if start:
        launcher.start_if_absent(command=own_command())
    with Client("cli") as client:
        yield client


@contextmanager
def connection() -> Iterator[Connection]:
    """What asks the server for jobs; starts one if there is none, and whenever it is gone."""
    from maskwright.batch.connection import Connection

    def revive() -> None:
        launcher.start_if_absent(command=own_command())

    revive()
    with Client("cli") as client:
        yield Connection(client, revive)


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Callable[[ProgressMessage], None]]:
    """A bar on stderr for one job, on a terminal; what it gives takes the job's progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=quiet or not errors.is_terminal) as bar:
        task = bar.add_task("Connecting", total=1.0)

        def on_progress(message: ProgressMessage) -> None:
            bar.update(task, description=escape(message.text or message.stage), completed=message.fraction)

        yield on_progress


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=float))


def say(result: dict[str, Any], sentence: str, as_json: bool) -> None:
    """What was done: ``result`` as JSON, or the sentence for people."""
    if as_json:
        print_json(result)
    else:
        errors.print(sentence, soft_wrap=True)


def show_report(report: dict[str, Any]) -> None:
    """Which models took how long where, notes, and a model that would have understood more."""
    took = sum(report["timings"].values())
    models = " + ".join(report["models"]) or report["recipe"]
    errors.print(f"{models} on {report['device']}, {took:.0f} ms", style="dim", markup=False)
    for note in report["notes"]:
        errors.print(note, style="dim", markup=False)
    if report["offer"]:
        from maskwright.models import catalogue
        from maskwright.models.install import recommend

        errors.print(recommend.advice(catalogue.load().get(report["offer"])), markup=False)
