"""The process that reads a pickle for ``convert``. Neither the file nor the code that reads it is trusted.

The process confines itself first (``confinement``, which tells what holds on which system). Then the opcodes of the
pickle are listed, and a file that would import or call anything unknown is refused (``pickle_look``). Only then torch's
restricted reader opens the file.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

from .confinement import confine
from .pickle_look import PickleRefused, is_whole_model
from .wrappers import unwrapped

USUAL_KEYS = ("state_dict", "model_state_dict", "model", "ema", "params_ema", "params", "net")
# Besides these, what training scripts leave in checkpoints: plain data, without behaviour when it is rebuilt.
ALLOWABLE = (
    "argparse.Namespace",
    "collections.defaultdict",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "pathlib.PosixPath",
    "types.SimpleNamespace",
)


def main(arguments: list[str]) -> None:
    """``SOURCE OUT WANTED``, where WANTED is JSON with key, sha256, allow, rename, drop; prints one JSON line."""
    source, out, wanted = arguments
    # Before the confinement: libraries may load others from anywhere.
    import torch  # noqa: F401
    from safetensors.torch import save_file  # noqa: F401

    from . import whole_models  # noqa: F401

    with open(source, "rb") as file:  # the very bytes that are looked at are the ones that are read
        confine(Path(out).parent, os.fstat(file.fileno()).st_size)
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        try:
            answer: dict[str, Any] = {"tensors": _convert(file, Path(out), **json.loads(wanted))}
        except PickleRefused as error:
            answer = {"refused": str(error), "calls": list(error.calls)}
        except MemoryError:
            answer = {"refused": "there is not enough memory to read it."}
        except Exception as error:
            answer = {"refused": f"it cannot be read ({type(error).__name__}: {str(error)[:300]})."}
    print(json.dumps(answer), flush=True)


def _end_with_the_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _convert(
    file: Any, out: Path, key: str, sha256: str, allow: list[str], rename: list[tuple[str, str]], drop: str
) -> int:
    import torch
    from safetensors.torch import save_file

    from . import whole_models

    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        raise PickleRefused("it changed while it was being read.")
    whole = is_whole_model(file, allow)
    file.seek(0)
    shells = [_allowed(name) for name in allow]
    told: dict[str, str] = {}
    try:
        if whole:
            model = whole_models.read(file)
            content, key, told = model.tensors, "", whole_models.metadata(model)
        else:
            with torch.serialization.safe_globals(shells):
                content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise PickleRefused(f"it holds more than tensors ({reason}).") from error
    tensors = unwrapped(_named(_tensors(content, key), rename, drop))
    taken: set[int] = set()
    save_file({name: _alone(value, taken) for name, value in tensors.items()}, str(out), told or None)
    return len(tensors)


def _alone(value: Any, taken: set[int]) -> Any:
    """The tensor with memory of its own, as safetensors needs it. It is copied only where that is necessary, since some
    are gigabytes long. ``taken``: addresses of the memory that earlier tensors keep."""
    value = value.detach()
    storage = value.untyped_storage()
    fills = value.is_contiguous() and storage.nbytes() == value.numel() * value.element_size() > 0
    if fills and storage.data_ptr() not in taken:
        taken.add(storage.data_ptr())
        return value
    return value.clone().contiguous()


def _allowed(name: str) -> Any:
    """A class of ``ALLOWABLE`` and the name that pickles know it by."""
    if name not in ALLOWABLE:
        raise PickleRefused(f"{name} can never be allowed.")
    module, _, attribute = name.rpartition(".")
    real = module.replace("numpy.core", "numpy._core")
    return getattr(importlib.import_module(real), attribute), name


def _named(tensors: dict[str, Any], rename: list[tuple[str, str]], drop: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in tensors.items():
        if drop and re.search(drop, name):
            continue
        for pattern, replacement in rename:
            name = re.sub(pattern, replacement, name)
        if name in named:
            raise PickleRefused(f"two of its tensors would be called {name[:60]}.")
        named[name] = value
    if not named:
        raise PickleRefused("none of its tensors is left after dropping.")
    return named


def _tensors(content: Any, key: str) -> dict[str, Any]:
    import torch

    if key:
        if not isinstance(content, dict) or key not in content:
            raise PickleRefused(f"it has no part called {key}.")
        content = content[key]
    elif isinstance(content, dict) and not any(isinstance(value, torch.Tensor) for value in content.values()):
        content = next((content[k] for k in USUAL_KEYS if isinstance(content.get(k), dict)), content)
    if not isinstance(content, dict) or not content:
        raise PickleRefused("it holds no table of tensors.")
    wrong = [
        name for name, value in content.items() if not isinstance(value, torch.Tensor) or not isinstance(name, str)
    ]
    if wrong:
        raise PickleRefused(
            f"what is called {str(wrong[0])[:60]} in it is no tensor; name the part to take with --key."
        )
    return content
