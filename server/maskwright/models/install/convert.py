"""Converts pickles (``.pt``, ``.pth``) to safetensors, without running what is in them.

The file is read by torch's ``weights_only`` reader, which builds tensors and plain containers and calls nothing else,
in a process of its own that confines itself (``confinement`` tells what holds on which system). A few harmless classes
of training scripts (``pickle_reader.ALLOWABLE``) can be allowed in addition, each time for the one file that has a
given SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maskwright.models.machine import packages
from maskwright_protocol.errors import BadInput, ModelBroken

from .pickle_reader import ALLOWABLE

TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Conversion:
    """``sha256`` is of the pickle; ``tensors`` is how many were written to ``out``."""

    out: Path
    sha256: str
    tensors: int


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_reader() -> None:
    """Raises ``NeedsPackage`` unless pickles can be read here."""
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise packages.missing("Reading a pickle", package)


def convert(
    source: Path,
    out: Path,
    *,
    key: str = "",
    sha256: str = "",
    allow: Sequence[str] = (),
    rename: Sequence[tuple[str, str]] = (),
    drop: str = "",
    check: Callable[[], None] = lambda: None,
) -> Conversion:
    """Write the tensors of ``source`` to ``out``. ``key``: which dictionary of the checkpoint holds them, such as
    "state_dict"; the usual ones are found. ``sha256``: what the file must be, if it is known. ``allow``: names of
    ``pickle_reader.ALLOWABLE`` that this file, known by its ``sha256``, may hold. ``rename`` and ``drop`` as in
    ``catalogue.Pickle``. ``check`` is called a few times a second and may raise to give up.

    Raises ``BadInput`` (no such file, another digest), ``NeedsPackage`` (torch is not installed) or ``ModelBroken``
    (refused; its message says why, ``details`` has what the file would have called).
    """
    if not source.is_file():
        raise BadInput(f"There is no file {source.name}.", "Check the path.")
    try:
        actual = digest(source)
    except OSError as error:
        raise BadInput(f"{source.name} cannot be read: {error.strerror or error}.", "Check the file.") from error
    if not os.access(out.parent, os.W_OK):
        text = f"{out.name} cannot be written: its folder is not there, or may not be written to."
        raise BadInput(text, "Name another place with --out.")
    if sha256 and actual != sha256.lower():
        raise BadInput(f"{source.name} is not the file with that SHA-256.", "Get the file again.", sha256=actual)
    strange = sorted(set(allow) - set(ALLOWABLE))
    if strange:
        raise BadInput(f"{strange[0]} can never be allowed.", f"Only these can: {', '.join(ALLOWABLE)}.")
    if allow and not sha256:
        raise BadInput("Classes are allowed for one file only.", f"Add --sha256 {actual} if that is the file you mean.")
    require_reader()
    with tempfile.TemporaryDirectory(prefix="maskwright-convert-", dir=out.parent) as place:
        part = Path(place) / "out.safetensors"
        wanted = {"key": key, "sha256": actual, "allow": [*allow], "rename": [*rename], "drop": drop}
        answer = _in_a_process(source.resolve(), part, wanted, check, Path(place))
        if "refused" in answer:
            raise ModelBroken(
                f"{source.name} was not read: {answer['refused']}",
                "Get the model as safetensors or ONNX, or convert it where you trust it.",
                model=source.name,
                sha256=actual,
                calls=answer.get("calls", []),
            )
        os.replace(part, out)
    return Conversion(out, actual, answer["tensors"])


def _in_a_process(
    source: Path, part: Path, wanted: dict[str, Any], check: Callable[[], None], place: Path
) -> dict[str, Any]:
    command = [sys.executable, "-I", "-c", _start(), str(source), str(part), json.dumps(wanted)]
    keep = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment.update(TMPDIR=str(place), HOME=str(place), OMP_NUM_THREADS="1")
    # Its standard input is never written to: the reader ends when this process, and with it the pipe, is gone.
    with (
        (place / "told").open("w+b") as told,
        subprocess.Popen(
            command, cwd=place, env=environment, stdin=subprocess.PIPE, stdout=told, stderr=subprocess.DEVNULL
        ) as reader,
    ):
        end = time.monotonic() + TIMEOUT_S
        try:
            while reader.poll() is None:
                check()
                if time.monotonic() > end:
                    return {"refused": "reading it took too long."}
                time.sleep(0.05)
        finally:
            reader.kill()
        told.seek(0)
        lines = told.read(1 << 20).decode(errors="replace").strip().splitlines()
    try:
        answer = json.loads(lines[-1])
        return answer if "refused" in answer else {"tensors": int(answer["tensors"])}
    except (LookupError, TypeError, ValueError, RecursionError):
        return {"refused": f"the process that read it ended (exit code {reader.returncode})."}


def _start() -> str:
    """Code for an isolated interpreter: find this installation of the package and run ``pickle_reader.main``."""
    root = Path(__file__).parents[3]
    return (
        f"import sys; sys.path.append({str(root)!r}); "
        "from maskwright.models.install.pickle_reader import main; main(sys.argv[1:])"
    )
