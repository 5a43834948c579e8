"""The size of functions: what is longer than a screen is several functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests import rooms

MOST_LINES = 60


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file and their lines, decorators and docstrings included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            assert node.end_lineno is not None
            yield f"{node.name} in line {node.lineno}", node.end_lineno - first + 1


def test_no_function_is_longer_than_a_screen() -> None:
    sizes = {(name, function): lines for name, path in rooms.files().items() for function, lines in functions(path)}
    assert len(sizes) > 1000
    assert {place: lines for place, lines in sizes.items() if lines > MOST_LINES} == {}
