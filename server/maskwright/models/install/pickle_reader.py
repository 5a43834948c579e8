"""The process that reads a pickle for ``convert``. Neither the file nor the code that reads it is trusted.

First the opcodes of the pickle are listed, and a file that would import or call anything unknown is refused. Then the
process forbids itself sockets, new processes and writing anywhere but to the result, by an audit hook, which cannot be
removed again. Only then torch's restricted reader opens the file.

``torch.serialization.get_unsafe_globals_in_checkpoint`` cannot make this list: it reads zip files of pickle protocol 2
only. Older checkpoints, plain pickles and later protocols would have to be refused although they are good, or be read
without a look at them first.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pickletools
import re
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_PICKLE = 256 << 20
MAX_NAMES = 20
ROOM = 2 << 30  # bytes that reading may take besides the tensors
USUAL_KEYS = ("state_dict", "model_state_dict", "model", "ema", "params_ema", "params", "net")
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "shutil.", "ctypes.dlopen",
    "webbrowser.", "urllib.", "ftplib.", "smtplib.", "pty.",
)  # fmt: skip
# What torch's restricted reader rebuilds tensors from, and plain containers.
_HARMLESS = re.compile(
    r"(torch \w+Storage|torch (float|double|half|bfloat16|u?int\d*|long|bool|device|Size)\w*|torch\._utils _rebuild_\w+"
    r"|torch\.nn\.parameter (Parameter|Buffer)|torch\._tensor _rebuild_from_type_v2|torch\.storage (Unt|T)ypedStorage"
    r"|collections OrderedDict|_codecs encode)"
)
# What whole models of Ultralytics are made of besides. None of it is imported: ``whole_models`` reads it as data.
_WHOLE = re.compile(
    r"(ultralytics\.(nn|utils|yolo)[\w.]* \w+|torch\.nn\.modules\.\w+ \w+|torch\.nn\.\w+ \w+|torch Size"
    r"|(pathlib|pathlib\._local) (Posix|Windows)Path|(builtins|__builtin__) (set|getattr|slice|dict|list|tuple)"
    r"|numpy(\._?core\.multiarray)? (dtype|ndarray|scalar|_reconstruct)|argparse Namespace|types SimpleNamespace"
    r"|collections (defaultdict|OrderedDict))"
)
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


class PickleRefused(Exception):
    """The file is not read; the text is a sentence."""

    def __init__(self, text: str, calls: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.calls = calls


def main(arguments: list[str]) -> None:
    """``SOURCE OUT WANTED``, where WANTED is JSON with key, sha256, allow, rename, drop; prints one JSON line."""
    source, out, wanted = arguments
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        answer: dict[str, Any] = {"tensors": _convert(Path(source), Path(out), **json.loads(wanted))}
    except PickleRefused as error:
        answer = {"refused": str(error), "calls": list(error.calls)}
    except MemoryError:
        answer = {"refused": "there is not enough memory to read it."}
    except Exception as error:
        answer = {"refused": f"it cannot be read ({type(error).__name__}: {str(error)[:300]})."}
    print(json.dumps(answer), flush=True)


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _convert(
    source: Path, out: Path, key: str, sha256: str, allow: list[str], rename: list[tuple[str, str]], drop: str
) -> int:
    with source.open("rb") as file:  # the very bytes that were looked at are the ones that are read
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise PickleRefused("it changed while it was being read.")
        file.seek(0)
        whole = _is_whole_model(file, allow)
        file.seek(0)
        import torch
        from safetensors.torch import save_file

        from . import whole_models

        shells = [_allowed(name) for name in allow]
        limit_memory(source.stat().st_size)
        forbid(out)
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
    tensors = _named(_tensors(content, key), rename, drop)
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


def limit_memory(size: int) -> None:
    """Let the process have no more memory than the tensors of a file of ``size`` bytes can need.

    A small file may claim to hold terabytes.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    with open("/proc/self/statm" if sys.platform == "linux" else os.devnull, encoding="ascii") as file:
        pages = file.read().split()
    if pages:
        most = int(pages[0]) * resource.getpagesize() + ROOM + 4 * size
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _allowed(name: str) -> Any:
    """A class of ``ALLOWABLE`` and the name that pickles know it by."""
    if name not in ALLOWABLE:
        raise PickleRefused(f"{name} can never be allowed.")
    module, _, attribute = name.rpartition(".")
    real = module.replace("numpy.core", "numpy._core")
    return getattr(importlib.import_module(real), attribute), name


def forbid(out: Path) -> None:
    """From now on this process can write only to ``out`` and beside it, and can reach nothing else."""
    allowed = str(out)
    place = str(out.parent) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PickleRefused(f"it tried to do something that is forbidden ({event}).")
        if event == "open" and len(arguments) == 3 and isinstance(arguments[2], int):
            writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            path = os.fspath(arguments[0]) if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
            path = os.fsdecode(path)
            if writing and path != allowed and not path.startswith(place) and path != os.devnull:
                raise PickleRefused("it tried to write a file.")

    sys.addaudithook(hook)


def _is_whole_model(file: Any, allow: list[str]) -> bool:
    """Whether the file is a whole model, which ``whole_models`` can read as data; False for plain tensors.

    Raises ``PickleRefused``, with the names, for pickles that would import or call anything else than tensors and such
    models are made of.
    """
    strange: list[str] = []
    for name, data in _pickles(file):
        try:
            for called in _imports(data):
                known = _HARMLESS.fullmatch(called) or called.replace(" ", ".") in allow
                if not known and called not in strange:
                    strange.append(called)
        except PickleRefused:
            raise
        except Exception as error:
            raise PickleRefused(f"{name} is no pickle that can be read.") from error
    if strange and any(called.startswith("ultralytics.") for called in strange):
        strange.sort(key=lambda called: bool(_WHOLE.fullmatch(called)))  # the unknown ones first
        if _WHOLE.fullmatch(strange[0]):
            return True
    if strange:
        shown = tuple(called.replace(" ", ".", 1) for called in strange[:MAX_NAMES])
        if any(called.startswith(("ultralytics", "models.", "torch.nn.modules")) for called in shown):
            text = "it is a whole model, not its weights: reading it would run the code of its classes"
        else:
            text = "reading it would run code"
        raise PickleRefused(f"{text} ({', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''}).", shown)
    return False


def _pickles(file: Any) -> Iterator[tuple[str, bytes]]:
    """The pickles of a checkpoint: members of a zip, or the file itself (torch before 1.6, plain pickles)."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            names = [info for info in archive.infolist() if not info.is_dir()]
            pickles = [info for info in names if info.filename.endswith(".pkl")]
            if any(info.filename.endswith(("constants.pkl", ".py")) for info in names):
                raise PickleRefused("it is TorchScript, which is a program and not only weights.")
            if len(pickles) != 1:
                raise PickleRefused(f"it holds {len(pickles)} pickles where a checkpoint has one.")
            if pickles[0].file_size > MAX_PICKLE:
                raise PickleRefused("its table of contents is too long.")
            yield pickles[0].filename, archive.read(pickles[0])
        return
    file.seek(0)
    data = file.read(MAX_PICKLE)
    if data[:6] in (b"PK\x03\x04\x00\x00", b"PK\x03\x04"):
        raise PickleRefused("it is a damaged zip.")
    yield "the file", data


def _imports(data: bytes) -> list[str]:
    """``module name`` of all that the pickles at the start of ``data`` would import."""
    found: list[str] = []
    position = 0
    for _ in range(8):  # old checkpoints are a few pickles one after the other, then the tensors' bytes
        end = position
        names: list[str] = []  # strings on top of the stack, as far as that is certain
        memo: dict[int, str] = {}
        stored = 0
        try:
            for code, argument, place in pickletools.genops(data[position:]):
                end = position + (place or 0) + 1
                if code.name in ("GLOBAL", "INST"):
                    found.append(str(argument))
                elif code.name == "STACK_GLOBAL":
                    found.append(" ".join(names[-2:]) if len(names) >= 2 else "unknown unknown")
                elif code.name in ("EXT1", "EXT2", "EXT4"):
                    found.append("copyreg extension")
                if code.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                    number = stored if code.name == "MEMOIZE" else int(str(argument))
                    stored += 1
                    memo.pop(number, None)
                    if names:
                        memo[number] = names[-1]
                elif code.name in ("GET", "BINGET", "LONG_BINGET"):
                    known = memo.get(int(str(argument)))
                    names = [*names, known] if known is not None else []
                elif "UNICODE" in code.name or "STRING" in code.name:
                    names.append(str(argument))
                else:
                    names = []
        except ValueError:
            if position == 0:
                raise
            break
        position = end
        if position >= len(data):
            break
    return found


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
