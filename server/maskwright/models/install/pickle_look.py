"""Lists what a checkpoint's pickle would import, before anything reads it. Takes time and memory by the file's size.

``torch.serialization.get_unsafe_globals_in_checkpoint`` cannot make this list: it reads zip files of pickle protocol 2
only. Older checkpoints and later protocols would have to be refused although they are good, or be read without a look
at them first.
"""

from __future__ import annotations

import io
import pickletools
import re
import struct
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

MAX_PICKLE = 64 << 20  # bytes
MAX_OPCODES = 4_000_000  # a second or so for each million; large checkpoints have some 100,000
MAX_IMPORTS = 1000
MAX_NAMES = 20
_PICKLES_BEFORE_1_6 = 5  # with which checkpoints of torch before 1.6 begin; the bytes of the tensors follow
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
    r"|collections (defaultdict|OrderedDict)|dill\._dill (_load_type|_create_(array|dtypemeta|namedtuple)))"
)


class PickleRefused(Exception):
    """The file is not read; the text is a sentence."""

    def __init__(self, text: str, calls: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.calls = calls


def is_whole_model(file: Any, allow: Collection[str]) -> bool:
    """Whether ``file``, open for reading bytes, is a whole model, which ``whole_models`` can read as data; False for
    plain tensors.

    Raises ``PickleRefused``, with the names, for pickles that would import or call anything else than tensors and such
    models are made of, besides what is in ``allow``.
    """
    found: dict[str, None] = {}
    damage: Exception | None = None
    try:
        _list_imports(file, found)
    except (PickleRefused, MemoryError):
        raise
    except Exception as error:  # the parsers of zip files and pickles raise whatever they like
        damage = error
    strange = [name for name in found if not _HARMLESS.fullmatch(name) and name.replace(" ", ".") not in allow]
    if any(name.startswith("ultralytics.") for name in strange):
        strange.sort(key=lambda name: bool(_WHOLE.fullmatch(name)))  # the unknown ones first
        if _WHOLE.fullmatch(strange[0]) and not damage:
            return True
    if strange:
        shown = tuple(name.replace(" ", ".", 1) for name in strange[:MAX_NAMES])
        if any(name.startswith(("ultralytics", "models.", "torch.nn.modules")) for name in shown):
            text = "it is a whole model, not its weights: reading it would run the code of its classes"
        else:
            text = "reading it would run code"
        raise PickleRefused(f"{text} ({', '.join(shown[:4])}{', ...' if len(shown) > 4 else ''}).", shown)
    if damage:
        raise PickleRefused("it is no checkpoint that can be read.") from damage
    return False


def _list_imports(file: Any, found: dict[str, None]) -> None:
    """Add to ``found`` the ``module name`` of all that the pickles of a checkpoint would import."""
    steps = iter(range(MAX_OPCODES))
    file.seek(0)
    if file.read(4) == b"PK\x03\x04":
        _look(io.BytesIO(_pickle_in_zip(file)), found, steps)
        return
    if zipfile.is_zipfile(file):
        raise PickleRefused("it is a zip file behind something else.")
    file.seek(0)
    for _ in range(_PICKLES_BEFORE_1_6):
        _look(file, found, steps)


def _pickle_in_zip(file: Any) -> bytes:
    if not _is_one_zip(file):
        raise PickleRefused("it is a damaged zip, or more than one.")
    with zipfile.ZipFile(file) as archive:
        members = {info.filename.lower(): info for info in archive.infolist()}
        pickles = [info for name, info in members.items() if name.endswith(".pkl")]
        if any(name.endswith(("constants.pkl", ".py")) for name in members):
            raise PickleRefused("it is TorchScript, which is a program and not only weights.")
        if len(members) != len(archive.infolist()):
            raise PickleRefused("two of its parts have the same name.")
        if len(pickles) != 1:
            raise PickleRefused(f"it holds {len(pickles)} pickles where a checkpoint has one.")
        if pickles[0].file_size > MAX_PICKLE:
            raise PickleRefused("its table of contents is too long.")
        return archive.read(pickles[0])


def _is_one_zip(file: Any) -> bool:
    """Whether the file is one zip archive up to its last byte. Only then all readers see the same members in it: some
    look for the table of members where the end of the file says it is, others right before that end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 98))
    tail = file.read()
    end = size - 22
    if tail[-22:-18] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        return False
    length, start = struct.unpack("<LL", tail[-10:-2])
    if tail[-42:-38] == b"PK\x06\x07":  # the form for large files
        end = size - 98
        if tail[:4] != b"PK\x06\x06" or struct.unpack("<Q", tail[-34:-26])[0] != end:
            return False
        length, start = struct.unpack("<QQ", tail[40:56])
    return start + length == end


def _look(stream: Any, found: dict[str, None], steps: Iterator[int]) -> None:
    """Add what the next pickle in ``stream`` would import to ``found``. ``steps`` is used up by one an opcode."""
    below: str | None = None  # strings on top of the stack, as far as that is certain
    top: str | None = None
    memo: dict[int, str | None] = {}
    for code, argument, _ in pickletools.genops(stream):
        if next(steps, None) is None or len(found) > MAX_IMPORTS:
            raise PickleRefused("its table of contents is too long.")
        if code.name in ("GLOBAL", "INST"):
            found[str(argument)] = None
        elif code.name == "STACK_GLOBAL":
            found["unknown unknown" if below is None or top is None else f"{below} {top}"] = None
        elif code.name in ("EXT1", "EXT2", "EXT4"):
            found["copyreg extension"] = None
        if code.name == "MEMOIZE":
            memo[len(memo)] = top
        elif code.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(str(argument))] = top
        elif code.name in ("GET", "BINGET", "LONG_BINGET"):
            below, top = top, memo.get(int(str(argument)))
        elif "UNICODE" in code.name or "STRING" in code.name:
            below, top = top, str(argument)
        else:
            below = top = None
