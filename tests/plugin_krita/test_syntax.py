"""What travels in the zip runs on the oldest Python that a Krita brings along, and needs nothing else."""

import ast
import sys

import pytest

from maskwright.plugins import krita

FILES = {name: data for name, data in krita.contents() if name.endswith(".py")}
GIVEN = {"krita", "PyQt5", "PyQt6", "msgpack", "maskwright_protocol", "maskwright_client", "maskwright_krita"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_python_38_parses_it(name: str) -> None:
    ast.parse(FILES[name], name, feature_version=(3, 8))


@pytest.mark.parametrize("name", sorted(name for name in FILES if "/vendor/msgpack/" not in name))
def test_it_imports_only_what_is_there(name: str) -> None:
    for node in ast.walk(ast.parse(FILES[name])):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for imported in names:
            root = imported.split(".")[0]
            assert root in GIVEN or root in sys.stdlib_module_names, f"{name} imports {imported}"


def test_only_the_editor_package_and_the_shell_import_krita() -> None:
    """Krita's interface stays behind one narrow package; only what Krita itself creates is outside."""
    outside = {"maskwright_krita/extension.py", "maskwright_krita/docker.py"}
    for name, data in FILES.items():
        if "/vendor/" in name or "/editor/" in name or name in outside:
            continue
        assert b"from krita import" not in data, name
