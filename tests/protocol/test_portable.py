"""The packages run inside the editors: Python 3.8, the standard library, and msgpack without its C part."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest

import maskwright_client
import maskwright_protocol

from .support import Gateway

PACKAGES = [Path(str(package.__file__)).parent for package in (maskwright_protocol, maskwright_client)]
FILES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
# What came to the standard library after 3.8 and is easily used by habit.
NEWER_ATTRIBUTES = {"removeprefix", "removesuffix", "to_thread", "is_relative_to", "readlink", "pairwise", "bit_count",
                    "randbytes", "unparse", "hardlink_to"}  # fmt: skip
NEWER_MODULES = {"zoneinfo", "graphlib", "tomllib", "importlib.resources.abc"}
NEWER_NAMES = {("functools", "cache"), ("itertools", "pairwise"), ("typing", "Annotated"), ("typing", "TypeAlias"),
               ("typing", "ParamSpec"), ("typing", "Self"), ("dataclasses", "KW_ONLY"), ("enum", "StrEnum"),
               ("datetime", "UTC"), ("contextlib", "aclosing"), ("contextlib", "chdir")}  # fmt: skip
NEWER_KEYWORDS = {("zip", "strict"), ("dataclass", "slots"), ("dataclass", "kw_only"), ("field", "kw_only"),
                  ("sha1", "usedforsecurity"), ("bisect", "key")}  # fmt: skip
BUILTIN_GENERICS = {"list", "dict", "set", "tuple", "type", "frozenset"}


def problems(tree: ast.AST) -> list[str]:
    """What Python 3.8 would stumble over when it runs this."""
    found = []
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', 0)}: "
        if isinstance(node, ast.Attribute) and node.attr in NEWER_ATTRIBUTES:
            found.append(where + node.attr)
        elif isinstance(node, ast.Import):
            found += [where + a.name for a in node.names if a.name in NEWER_MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [where + a.name for a in node.names if (node.module, a.name) in NEWER_NAMES]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            found += [where + f"{name}({k.arg}=)" for k in node.keywords if (name, k.arg) in NEWER_KEYWORDS]
        elif isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in BUILTIN_GENERICS:
            found.append(where + f"{getattr(node.value, 'id', '')}[...]")
        elif isinstance(node, ast.AnnAssign | ast.arg) and isinstance(node.annotation, ast.BinOp):
            found.append(where + "X | Y in an annotation")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_uses_what_python_3_8_lacks(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    assert problems(tree) == []


@pytest.mark.parametrize(
    "source",
    [
        "x.removeprefix('a')",
        "zip(a, b, strict=True)",
        "@dataclass(slots=True)\nclass A: pass",
        "x: list[int] = []",
        "def f(a: int | None): pass",
        "from functools import cache",
        "import tomllib",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert len(problems(ast.parse(source))) == 1


def imported(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[str, bool]]:
    """The first names of what is imported, and whether that waits until a function runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0], lazy
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from imported(node, lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_nothing_is_imported_but_the_standard_library_and_msgpack() -> None:
    """Scripts of one's own work on numpy arrays and Pillow images; what is for them imports both when it runs."""
    foreign: dict[tuple[str, bool], set[str]] = {}
    for path in FILES:
        for name, lazy in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name not in sys.stdlib_module_names and not name.startswith("maskwright_"):
                foreign.setdefault((name, lazy), set()).add(f"{path.parent.name}/{path.name}")
    assert foreign.pop(("msgpack", False)) == {"maskwright_protocol/_msgpack.py"}
    assert set(foreign) == {("numpy", True), ("PIL", True)}
    assert all(file.startswith("scripting/") for files in foreign.values() for file in files)


ROUND_TRIP = textwrap.dedent(
    """
    import importlib, pkgutil, sys, typing
    import maskwright_client, maskwright_protocol
    for package in (maskwright_protocol, maskwright_client):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(package.__name__ + "." + module.name)
    from maskwright_client import ask
    from maskwright_client.client import Client
    from maskwright_protocol import codec, messages
    from maskwright_protocol.discovery import Endpoint
    import msgpack
    assert msgpack.Packer.__module__ == "msgpack.fallback", msgpack.Packer
    for known in (messages.CLIENT_MESSAGES, messages.SERVER_MESSAGES):
        for cls in known.values():
            typing.get_type_hints(cls)

    class Source(ask.PictureSource):
        box = messages.PixelRect(0, 0, 2, 2)
        def overview(self):
            return ask.raster_data(bytes(range(12)), 2, 2, "RGB8", self.box)

    port, token = sys.argv[1:]
    with Client("test", endpoint=lambda: Endpoint("127.0.0.1", int(port), token)) as client:
        mask = messages.Mask(messages.PixelRect(0, 0, 5000000, 1), data=bytes(5000000))
        job = messages.Refine("", mask=mask)
        answer = ask.run(ask.answer(client, job, Source()), lambda ticket: ticket.wait(20))
    assert isinstance(answer, messages.Done), answer
    files = {name: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
    foreign = {name for name, file in files.items() if "site-packages" in file}
    print(sys.version_info[:2], sorted(foreign))
    """
)


def interpreters() -> list[str]:
    """This Python, and older ones where there are some that start."""
    found = [sys.executable]
    for name in ("python3.8", "python3.9"):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            found.append(path)
    return found


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: Path(path).name)
def test_a_job_with_the_standard_library_and_msgpacks_python_part(python: str, gateway: object, tmp_path: Path) -> None:
    """Everything else is out of reach: no site directory, only copies of the three packages."""
    from maskwright_protocol.messages import Done

    assert callable(gateway)
    server = gateway(lambda job, rasters: Done(job.id))
    assert isinstance(server, Gateway)
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    source = Path(msgpack.__file__).parent
    (tmp_path / "msgpack").mkdir()
    for file in source.glob("*.py"):
        shutil.copy(file, tmp_path / "msgpack")
    script = tmp_path / "script.py"
    script.write_text(ROUND_TRIP)
    environment = {"PATH": os.environ["PATH"], "MSGPACK_PUREPYTHON": "1", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [python, "-S", "-W", "error", str(script), str(server.port), server.endpoint.token],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
