"""The rooms of the code and who imports whom, read from the files; ``python -m tests.rooms`` draws the map.

A room is a folder of Python files. An import at the top of a file is an arrow; one inside a function is a lazy arrow,
made when that function runs. Imports for type checkers alone do not count.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.shared_data import REPOSITORY

PACKAGES = {
    "maskwright": "server",
    "maskwright_protocol": "protocol",
    "maskwright_client": "protocol",
    "maskwright_krita": "plugin_krita",
    "maskwright_gimp": "plugin_gimp",
}
PAGE = REPOSITORY / "docs" / "architecture.md"
LATE = r'late\(f"\{__package__\}\.([\w.]+)"\)'  # how a family's description names the module that runs it
BEGIN, END = "<!-- made by: python -m tests.rooms -->", "<!-- end -->"


@dataclass(frozen=True)
class Import:
    """``source`` and ``target`` are names of modules; ``lazy``: only when a function runs."""

    source: str
    target: str
    lazy: bool


@cache
def files() -> dict[str, Path]:
    """All modules of the product by name."""
    found = {}
    for package, folder in PACKAGES.items():
        base = REPOSITORY / folder
        for path in sorted((base / package).rglob("*.py")):
            name = ".".join(path.relative_to(base).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


@cache
def imports() -> list[Import]:
    """Every import of one of our modules by another."""
    known = files()
    found = set()
    for name, path in known.items():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node, lazy in _import_nodes(tree, False):
            for target in _targets(node, package, known):
                if target != name:
                    found.add(Import(name, target, lazy))
        found |= {Import(name, f"{package}.{target}", True) for target in re.findall(LATE, text)}
    return sorted(found, key=lambda one: (one.source, one.target, one.lazy))


def room(module: str) -> str:
    """The room that a module lies in: its folder; what runs models is one room, whichever the family."""
    known = files()[module]
    package = module if known.name == "__init__.py" else module.rpartition(".")[0]
    parts = package.split(".")
    if "families" in parts:
        return "models/inference" if "inference" in parts else "models/families"
    if parts[0] == "maskwright":
        return "/".join(parts[1:]) or "settings"
    return parts[0].removeprefix("maskwright_") if len(parts) == 1 else f"{parts[0][11:]}/{'/'.join(parts[1:])}"


def arrows(lazy: bool) -> dict[str, set[str]]:
    """Room -> the rooms it imports; with ``lazy`` those that it imports inside of functions alone."""
    found: dict[str, set[str]] = {}
    solid = {(room(one.source), room(one.target)) for one in imports() if not one.lazy}
    wanted = {(room(one.source), room(one.target)) for one in imports() if one.lazy} - solid if lazy else solid
    for source, target in wanted:
        if source != target:
            found.setdefault(source, set()).add(target)
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Rooms that import each other in a circle, in order; empty where there is none."""
    done: set[str] = set()

    def walk(one: str, path: list[str]) -> list[str]:
        if one in path:
            return [*path[path.index(one) :], one]
        if one in done:
            return []
        for target in sorted(graph.get(one, ())):
            found = walk(target, [*path, one])
            if found:
                return found
        done.add(one)
        return []

    return next((found for one in sorted(graph) if (found := walk(one, []))), [])


def drawing() -> str:
    """The map as a Mermaid diagram: solid arrows for imports, dotted ones for lazy imports."""
    solid, dotted = _without_detours(arrows(False)), arrows(True)
    everywhere = {"protocol", "settings"}  # nearly all rooms import these
    lines = ["```mermaid", "flowchart TD"]
    groups: dict[str, list[str]] = {}
    for name in sorted({room(module) for module in files()}):
        groups.setdefault(name.partition("/")[0], []).append(name)
    for group, names in groups.items():
        if len(names) > 1:
            inner = " ".join(f'{_id(n)}["{n.partition("/")[2] or n}"]' for n in names)
            lines.append(f'  subgraph "{group}"\n    {inner}\n  end')
        elif names[0] not in everywhere:
            lines.append(f'  {_id(names[0])}["{names[0]}"]')
    for graph, shape in ((solid, "-->"), (dotted, "-.->")):
        for source, targets in sorted(graph.items()):
            for target in sorted(targets - everywhere):
                if source not in everywhere:
                    lines.append(f"  {_id(source)} {shape} {_id(target)}")
    return "\n".join([*lines, "```"])


def _without_detours(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that follow from others, so that the picture can be read."""

    def reach(one: str) -> set[str]:
        found: set[str] = set()
        todo = list(graph.get(one, ()))
        while todo:
            next_one = todo.pop()
            if next_one not in found:
                found.add(next_one)
                todo += graph.get(next_one, ())
        return found

    return {
        one: {t for t in targets if not any(t in reach(o) for o in targets - {t})} for one, targets in graph.items()
    }


def _id(name: str) -> str:
    return name.replace("/", "_")


def _import_nodes(tree: ast.AST, lazy: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazy
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        else:
            yield from _import_nodes(node, lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _targets(node: ast.Import | ast.ImportFrom, package: str, known: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        base = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
    for alias in node.names:
        module = f"{base}.{alias.name}"
        if module in known:
            yield module
        elif base in known:
            yield base


def main() -> None:
    """Put the drawing into the page between its marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{drawing()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
