"""The server from a terminal: connect, show progress, explain failures, choose the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from maskwright_client import ask, launcher
from maskwright_client.client import Client, Ticket
from maskwright_protocol.errors import BadInput, JobCancelled, MaskwrightError, ServerAbsent
from maskwright_protocol.messages import CutoutResult, Instance, Job, Message, ObjectMap, Report, Selection
from maskwright_protocol.messages import Progress as ProgressMessage

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


def ask_server(client: Client, job: Job, source: ask.PictureSource, quiet: bool = False) -> Message:
    """Run a job with a progress bar on stderr; Ctrl+C cancels it on the server too."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=quiet or not errors.is_terminal) as bar:
        task = bar.add_task("Connecting", total=1.0)

        def on_progress(message: ProgressMessage) -> None:
            bar.update(task, description=escape(message.text or message.stage), completed=message.fraction)

        def wait(ticket: Ticket) -> None:
            try:
                while not ticket.wait(0.2):
                    pass
            except KeyboardInterrupt:
                ticket.cancel()
                ticket.wait(5.0)

        return ask.run(ask.answer(client, job, source, on_progress), wait)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=float))


def tell(answer: Selection | ObjectMap, summary: dict[str, Any], written: Sequence[Path], as_json: bool) -> None:
    """What came out and where it is, as JSON or for people; ends with the code for an empty answer."""
    if as_json:
        print_json({**summary, "files": [str(path) for path in written]})
    else:
        print_report(answer.report)
        for path in written:
            output.print(str(path), markup=False, soft_wrap=True)
    nothing_found(answer, as_json)


def say(result: dict[str, Any], sentence: str, as_json: bool) -> None:
    """What was done: ``result`` as JSON, or the sentence for people."""
    if as_json:
        print_json(result)
    else:
        errors.print(sentence, soft_wrap=True)


def nothing_found(answer: Selection | CutoutResult | ObjectMap, as_json: bool) -> None:
    """End with the code for an empty answer, having said why."""
    if not answer.reason:
        return
    if not as_json:
        errors.print(answer.message, style="bold yellow", markup=False)
        if answer.hint:
            errors.print(answer.hint, markup=False)
    raise typer.Exit(EXIT_NOTHING_FOUND)


def instance_summary(instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "label": instance.label,
        "score": round(instance.score, 4),
        "box": [round(v, 2) for v in (instance.box.x, instance.box.y, instance.box.width, instance.box.height)],
        "source": instance.source,
        "guesses": [{"id": other.id, "score": round(other.score, 4)} for other in instance.alternatives],
    }


def selection_summary(answer: Selection) -> dict[str, Any]:
    return {
        "instances": [instance_summary(instance) for instance in answer.instances],
        "reason": answer.reason,
        "message": answer.message,
        "hint": answer.hint,
        "agreement": answer.agreement,
        **report_summary(answer.report),
    }


def report_summary(report: Report) -> dict[str, Any]:
    return {"report": asdict(report)}


def print_report(report: Report) -> None:
    took = sum(report.timings.values())
    models = " + ".join(report.models) or report.recipe
    errors.print(f"{models} on {report.device}, {took:.0f} ms", style="dim", markup=False)
    for note in report.notes:
        errors.print(note, style="dim", markup=False)
    if report.offer:
        from maskwright.models import catalogue
        from maskwright.models.install import recommend

        errors.print(recommend.advice(catalogue.load().get(report.offer)), markup=False)
