"""``maskwright doctor``: checks what usually goes wrong, each with its fix."""

from __future__ import annotations

import getpass
import importlib.util
import platform
import re
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from maskwright.config import MIB, Settings, config_file, default_model_folder, model_folders
from maskwright.images import segments
from maskwright_protocol import __version__, discovery

from . import console

FREE_DISK_GIB = 2


@dataclass
class Finding:
    """``state`` is "ok", "note" or "problem"; ``fix`` says what to do about it."""

    topic: str
    state: str
    text: str
    fix: str = ""


def run_doctor(as_json: bool, report: Path | None = None) -> None:
    """Print all findings, and write them to ``report``; exit code 1 if there is a problem."""
    findings = list(examine())
    if report is not None:
        try:
            report.write_text(report_text(findings), encoding="utf-8")
        except OSError as error:
            console.errors.print(f"The report cannot be written: {error.strerror or error}.")
            raise typer.Exit(console.EXIT_FAILED) from error
    if as_json:
        console.print_json({"version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        colours = {"ok": "green", "note": "yellow", "problem": "red"}
        for finding in findings:
            colour = colours[finding.state]
            console.output.print(f"[{colour}]{finding.state:>8}[/]  {finding.topic}: ", end="")
            console.output.print(finding.text, markup=False)
            if finding.fix:
                console.output.print(f"{'':>10}{finding.fix}", markup=False)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(console.EXIT_FAILED)


def report_text(findings: list[Finding]) -> str:
    """The findings for a bug report: the home folder, the user and the computer are not named."""
    lines = [f"Maskwright {__version__}"]
    for finding in findings:
        lines.append(f"{finding.state:>8}  {finding.topic}: {finding.text}")
        if finding.fix:
            lines.append(f"{'':>10}{finding.fix}")
    return _impersonal("\n".join(lines) + "\n")


def _impersonal(text: str) -> str:
    settings = Settings()
    places = [(str(Path.home()), "~")]
    places += [(str(folder), f"<model folder {number}>") for number, folder in enumerate(settings.models, 1)]
    places.append((str(discovery.runtime_directory()), "<runtime directory>"))
    places.append((str(default_model_folder().parent), "<data>"))
    places.append((str(config_file().parent), "<configuration>"))
    for place, name in sorted(places, key=lambda pair: -len(pair[0])):
        if len(place) > 1:
            text = text.replace(place, name).replace(place.replace("\\", "/"), name)
    words = {name for name in (getpass.getuser(), platform.node(), settings.token) if len(name) > 2}
    for word in sorted(words - {"root"}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", "<private>", text)
    return text


def examine() -> Iterator[Finding]:
    """One check after the other; a check that itself fails is a finding too."""
    for check in (
        _python, _settings, _runtime, _card, _device, _torch, _models, _disk, _account, _port, editors, _server,
    ):  # fmt: skip
        try:
            yield from check()
        except Exception as error:
            topic = check.__name__.strip("_")
            yield Finding(topic, "problem", f"The check failed: {type(error).__name__}: {error}", "Report this.")


def _python() -> Iterator[Finding]:
    text = f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("maskwright", "ok", text)


def _settings() -> Iterator[Finding]:
    settings = Settings()
    path = config_file()
    yield Finding("settings", "ok", f"read from {path}" if path.exists() else f"all at their defaults (no {path.name})")
    for folder in settings.models:
        if not folder.is_dir():
            text = f"The model folder {folder} does not exist."
            yield Finding("settings", "problem", text, "Correct the setting 'models'.")


def _runtime() -> Iterator[Finding]:
    directory = discovery.prepare_runtime_directory()
    yield Finding("runtime directory", "ok", str(directory))
    path = directory / discovery.FILE_NAME
    if path.exists() and sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("token file", "problem", "Other users can read the server's token.", "Restart the server.")


def _card() -> Iterator[Finding]:
    from maskwright.models.machine import hardware

    for card in hardware.cards():
        numbers = f"{card.memory / 2**30:.0f} GiB, {card.free / 2**30:.1f} free, driver {card.driver}"
        yield Finding("graphics card", "ok", f"{card.name}, {numbers}")


def _device() -> Iterator[Finding]:
    import numpy as np
    import onnxruntime

    from maskwright.models.install.scan import scan
    from maskwright.models.machine import onnx_builds
    from maskwright.models.roles import MattingModel
    from maskwright.models.runtime.devices import Devices
    from maskwright.models.runtime.pool import ModelPool

    settings = Settings()
    pool = ModelPool(model_folders(settings), device=settings.device, threads=settings.threads or 1)
    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("onnxruntime", "ok", f"{onnxruntime.__version__} ({providers})")
    build = onnx_builds.faster(onnx_builds.parts(), onnxruntime.get_available_providers())
    if build is not None and settings.device != "cpu":
        text = f"this computer has {build.has}, for which there is a faster build"
        yield Finding("onnxruntime", "note", text, f"Run: {build.command} and then: maskwright stop")
    if "u2netp" in scan([]):
        matting = pool.get("matting", "u2netp")
        assert isinstance(matting, MattingModel)
        matting.matte(np.zeros((32, 32, 3), np.uint8))
        place = Devices(settings.device).place("onnx")
        yield Finding("device", "ok", f"A model ran on {place.device}: {place.reason}.")


def _torch() -> Iterator[Finding]:
    """Whether torch is a build that fits this computer; an operation is really run on each device."""
    from maskwright.models.machine import hardware, packages

    if importlib.util.find_spec("torch") is None:
        text = "not installed: the built-in models need none; SAM 2, BiRefNet and other larger ones do"
        yield Finding("torch", "note", text, f"Run: {packages.command('torch')}")
        return
    for package in ("safetensors", "transformers"):
        if importlib.util.find_spec(package) is None:
            fix = f"Run: {packages.command(package)}"
            yield Finding("torch", "problem", f"PyTorch is installed without {package}", fix)
    import torch

    build = hardware.torch_build() or "?"
    name = f"{torch.__version__} ({'CPU' if build == 'cpu' else build})"
    wanted = Settings().device
    tried = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    tried += ["mps"] if torch.backends.mps.is_available() else []
    for device in [*tried, "cpu"]:
        total = float((torch.ones(64, 64, device=device) @ torch.ones(64, 64, device=device)).sum().cpu())
        what = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
        if total == 64.0**3:
            yield Finding("torch", "ok", f"{name} computes on {what}")
        else:
            yield Finding("torch", "problem", f"{name} computes wrongly on {what}", "Update the graphics driver.")
    if tried or not hardware.cards():
        if wanted.startswith(("cuda", "mps")) and not any(device.startswith(wanted) for device in tried):
            fix = "Set device to auto, or install what that device needs."
            yield Finding("torch", "problem", f"The setting device = {wanted}, but PyTorch has no such device", fix)
    elif build == "cpu":
        fix = "Install a CUDA build of torch; see pytorch.org for the command."
        yield Finding("torch", "problem", f"{name} is a CPU build, but there is an NVIDIA card", fix)
    else:
        fix = f"Its driver is {hardware.cards()[0].driver}: update it, or install a torch build for an older CUDA."
        yield Finding("torch", "problem", f"{name} does not work with the NVIDIA driver", fix)


def _models() -> Iterator[Finding]:
    from maskwright.models import catalogue
    from maskwright.models.install import download, recommend
    from maskwright.models.install.scan import scan
    from maskwright.models.machine import packages

    for problem in catalogue.load().problems:
        yield Finding("your models", "problem", problem, f"Correct {catalogue.user_file()}.")
    found = scan(model_folders(Settings()))
    sound = [name for name, model in found.items() if not model.problem]
    yield Finding("models", "ok", ", ".join(sound))
    for model in found.values():
        if model.problem:
            state = "note" if model.waits else "problem"
            fix = "It is not downloaded again." if model.waits else packages.how_to_mend(model.entry)
            yield Finding("models", state, model.problem, fix)
        elif (package := packages.lacking(model.entry)) is not None:
            text = f"{model.entry.id} needs the package {package}, which is not installed."
            yield Finding("models", "problem", text, f"Run: {packages.command(package)}")
    absent = [entry.id for entry in catalogue.load().model if entry.embedded and entry.files and entry.id not in found]
    if absent:
        text = f"Models that come with Maskwright are missing or damaged: {', '.join(absent)}."
        yield Finding("models", "problem", text, "Install Maskwright again.")
    offered = recommend.recommended(catalogue.load(), Settings().device)
    if missing := [name for name in offered if name not in sound]:
        text = f"recommended for this computer: {', '.join(missing)}"
        yield Finding("models", "note", text, "Run: maskwright models pull --recommended")
    for folder in sorted((default_model_folder() / download.STAGING).glob("*/")):
        held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        text = f"An unfinished download of {folder.name} holds {held >> 20} MiB."
        fix = f"Go on with 'maskwright models pull {folder.name}', or 'maskwright models remove {folder.name}'."
        yield Finding("models", "note", text, fix)


def _disk() -> Iterator[Finding]:
    folder = default_model_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    state = "ok" if free >= FREE_DISK_GIB else "problem"
    yield Finding("disk", state, f"{free:.1f} GiB free for models", "" if state == "ok" else "Make room.")


def _account() -> Iterator[Finding]:
    from huggingface_hub import get_token

    text = "a token is set" if get_token() else "no token is set; only models that ask for an account need one"
    yield Finding("hub account", "ok", text)


def _port() -> Iterator[Finding]:
    """Whether programs on this computer can talk to each other, and whether the chosen port is free."""
    settings = Settings()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5.0).close()
    yield Finding("ports", "ok", "programs on this computer can connect to each other")
    if settings.port and discovery.read_endpoint() is None:
        try:
            socket.create_server((settings.host, settings.port)).close()
        except OSError as error:
            fix = "Set another port, or 0 to let the system choose."
            reason = error.strerror or str(error)
            yield Finding("ports", "problem", f"The server cannot use port {settings.port}: {reason}", fix)


def editors() -> Iterator[Finding]:
    """Which editors there are, and whether the plug-ins in them are of this version."""
    from .editors import is_current, profiles, programs

    plugins = list(profiles())
    for editor, paths in programs().items():
        mine = [plugin for plugin in plugins if plugin.editor == editor]
        if paths:
            yield Finding(editor, "ok", f"found: {', '.join(paths)}")
        elif not mine:
            hint = "It may still be there; the plug-in finds us."
            yield Finding(editor, "note", "not found in the usual places", hint)
        for plugin in mine:
            command = f"maskwright plugins install {editor.lower()}"
            if not plugin.version:
                yield Finding(editor, "note", f"no plug-in in {plugin.folder}", f"Run: {command}")
            elif not is_current(plugin):
                text = f"plug-in {plugin.version} in {plugin.folder} is not of this version, {__version__}"
                yield Finding(editor, "problem", text, f"Run: {command} and restart {editor}.")
            elif plugin.trouble:
                text = f"plug-in {plugin.version} in {plugin.folder}, but {plugin.trouble}"
                yield Finding(editor, "problem", text, plugin.fix)
            else:
                yield Finding(editor, "ok", f"plug-in {plugin.version} in {plugin.folder}")


def _server() -> Iterator[Finding]:
    from maskwright_client.client import Client
    from maskwright_protocol.errors import MaskwrightError
    from maskwright_protocol.messages import Status, StatusRequest

    if discovery.read_endpoint() is None:
        yield Finding("server", "note", "not running", "It is started when it is needed, or by 'maskwright serve'.")
        if trouble := segments.trouble(Settings().image_budget * MIB):
            yield Finding("memory", "note", trouble)
        return
    with Client("doctor") as client:
        try:
            status = client.request(StatusRequest(""), 5.0)
        except MaskwrightError as error:
            yield Finding("server", "problem", error.message, error.hint)
            return
    assert isinstance(status, Status)
    yield Finding("server", "ok", f"running since {status.uptime_s:.0f} s, version {status.server_version}")
    for trouble in status.problems:
        yield Finding("memory", "note", trouble)
    if status.server_version != __version__:
        yield Finding("server", "problem", "An older server is running.", "Run 'maskwright stop'.")
