"""``maskwright doctor``: checks what usually goes wrong, each with its fix."""

from __future__ import annotations

import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import typer

from maskwright.config import Settings, config_file, default_model_folder, model_folders
from maskwright_protocol import __version__, discovery

from . import talk

FREE_DISK_GIB = 2


@dataclass
class Finding:
    """``state`` is "ok", "note" or "problem"; ``fix`` says what to do about it."""

    topic: str
    state: str
    text: str
    fix: str = ""


def run_doctor(as_json: bool) -> None:
    """Print all findings; exit code 1 if there is a problem."""
    findings = list(examine())
    if as_json:
        talk.print_json({"version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        colours = {"ok": "green", "note": "yellow", "problem": "red"}
        for finding in findings:
            colour = colours[finding.state]
            talk.output.print(f"[{colour}]{finding.state:>8}[/]  {finding.topic}: ", end="")
            talk.output.print(finding.text, markup=False)
            if finding.fix:
                talk.output.print(f"{'':>10}{finding.fix}", markup=False)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(talk.EXIT_FAILED)


def examine() -> Iterator[Finding]:
    """One check after the other; a check that itself fails is a finding too."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _settings,
        _runtime,
        _device,
        _models,
        _disk,
        _server,
    )
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            topic = check.__name__.strip("_")
            yield Finding(topic, "problem", f"The check failed: {type(error).__name__}: {error}", "Report this.")


def _python() -> Iterator[Finding]:
    yield Finding(
        "maskwright",
        "ok",
        f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


def _settings() -> Iterator[Finding]:
    settings = Settings()
    path = config_file()
    yield Finding("settings", "ok", f"read from {path}" if path.exists() else f"all at their defaults (no {path.name})")
    for folder in settings.models:
        if not folder.is_dir():
            yield Finding(
                "settings", "problem", f"The model folder {folder} does not exist.", "Correct the setting 'models'."
            )


def _runtime() -> Iterator[Finding]:
    directory = discovery.prepare_runtime_directory()
    yield Finding("runtime directory", "ok", str(directory))
    path = directory / discovery.FILE_NAME
    if path.exists() and sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("token file", "problem", "Other users can read the server's token.", "Restart the server.")


def _device() -> Iterator[Finding]:
    import numpy as np
    import onnxruntime

    from maskwright.models.installed import scan
    from maskwright.models.pool import ModelPool
    from maskwright.models.roles import Matter

    settings = Settings()
    pool = ModelPool(model_folders(settings), device=settings.device, threads=settings.threads or 1)
    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("onnxruntime", "ok", f"{onnxruntime.__version__} ({providers})")
    if "u2netp" in scan([]):
        matter = pool.get("matter", "u2netp")
        assert isinstance(matter, Matter)
        matter.matte(np.zeros((32, 32, 3), np.uint8))
        yield Finding("device", "ok", f"A model ran on {pool.device}. {pool.device_reason}")


def _models() -> Iterator[Finding]:
    from maskwright.models.installed import scan

    found = scan(model_folders(Settings()))
    sound = [name for name, model in found.items() if not model.problem]
    yield Finding("models", "ok", ", ".join(sound))
    for model in found.values():
        if model.problem:
            yield Finding("models", "problem", model.problem, "Remove that folder and install the model again.")
    if not any("segmenter" in model.entry.roles and not model.entry.embedded for model in found.values()):
        text = "No SAM model is installed; points and boxes use the basic engine."
        yield Finding("models", "note", text, f"Put a model folder into {default_model_folder()}.")


def _disk() -> Iterator[Finding]:
    folder = default_model_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    state = "ok" if free >= FREE_DISK_GIB else "problem"
    yield Finding("disk", state, f"{free:.1f} GiB free for models", "" if state == "ok" else "Make room.")


def _server() -> Iterator[Finding]:
    from maskwright_protocol.client import Client
    from maskwright_protocol.errors import MaskwrightError
    from maskwright_protocol.messages import Status, StatusRequest

    if discovery.read_endpoint() is None:
        yield Finding("server", "note", "not running", "It is started when it is needed, or by 'maskwright serve'.")
        return
    with Client("doctor") as client:
        try:
            status = client.request(StatusRequest(""), 5.0)
        except MaskwrightError as error:
            yield Finding("server", "problem", error.message, error.hint)
            return
    assert isinstance(status, Status)
    yield Finding("server", "ok", f"running since {status.uptime_s:.0f} s, version {status.server_version}")
    if status.server_version != __version__:
        yield Finding("server", "problem", "An older server is running.", "Run 'maskwright stop'.")
