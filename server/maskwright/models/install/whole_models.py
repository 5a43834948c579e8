"""Reads pickles of whole models (``.pt`` files of Ultralytics) as data: no class of theirs is imported or called.

A pickle is a program for a small machine. This reader runs it with everything that it would import replaced by records
that only remember what they were given, so that whatever is in the file becomes a tree of plain values and tensors. The
process that converts pickles (``pickle_reader``) writes the tensors, and the description as metadata, into a
safetensors file, which the family loads.
"""

from __future__ import annotations

import json
import math
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import torch

_MAX_PICKLE = 64 << 20
_MAX_VALUES = 100_000
WORDS = "words"  # name of the tensor with the embeddings of the words that an open-vocabulary model was saved with
_EMBEDDED = ("txt_feats", "pe")  # its names in YOLO-World and YOLOE
_Machine: Any = pickle._Unpickler  # pyright: ignore[reportAttributeAccessIssue]
_STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


class Record:
    """Stands for an object of the file: the name of its class, its constructor's arguments and its attributes."""

    def __init__(self, kind: str, arguments: tuple[Any, ...] = ()) -> None:
        self.kind = kind
        self.arguments = arguments
        self.state: dict[Any, Any] = {}

    def restore(self, state: Any) -> None:
        """Keep the state that the pickle gives the object."""
        if isinstance(state, tuple) and len(state) == 2:  # (__dict__, slots)
            state = {**(state[0] or {}), **(state[1] or {})}
        if isinstance(state, dict):
            self.state.update(state)

    # Pickles of lists, sets and dictionaries of odd classes fill them by these.
    def append(self, item: Any) -> None:
        self.state.setdefault("items", []).append(item)

    def extend(self, items: Any) -> None:
        self.state.setdefault("items", []).extend(items)

    def add(self, item: Any) -> None:
        self.append(item)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.state[("item", key if isinstance(key, (str, int)) else repr(type(key)))] = value


@dataclass
class Module:
    """A module of the network: its class and its plain attributes."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class WholeModel:
    """``names``: of the object classes, as in the file; ``description``: the architecture, from which the network is
    built; ``tensors``: the state dict; ``modules``: all modules by dotted name, "" for the outermost."""

    kind: str
    names: Any
    description: Any
    tensors: dict[str, torch.Tensor]
    modules: dict[str, Module]


def read(file: Any) -> WholeModel:
    """The model in an Ultralytics checkpoint, a zip file.

    Raises ``ValueError`` when there is none that can be understood; a hostile file can also cause other exceptions.
    """
    with zipfile.ZipFile(file) as archive:
        content = _Reader(archive).load()
    if not isinstance(content, dict):
        raise ValueError("it is no checkpoint")
    root = content.get("ema") or content.get("model")
    if not isinstance(root, Record) or "_modules" not in root.state:
        raise ValueError("it holds no model")
    tensors: dict[str, torch.Tensor] = {}
    modules: dict[str, Module] = {}
    _walk(root, "", tensors, modules)
    embedded = next((value for key in _EMBEDDED if isinstance(value := root.state.get(key), torch.Tensor)), None)
    if embedded is not None:
        tensors[WORDS] = embedded
    names, description = (_plain(root.state.get(key), [_MAX_VALUES]) for key in ("names", "yaml"))
    return WholeModel(root.kind, names, description, tensors, modules)


def metadata(model: WholeModel) -> dict[str, str]:
    """Metadata for the safetensors file with the model's tensors; each value is JSON."""
    names = model.names
    if isinstance(names, dict):
        names = [names.get(i) for i in range(len(names))]
    modules = {place: [module.kind, module.settings] for place, module in model.modules.items()}
    values = {"kind": model.kind, "names": names, "description": model.description, "modules": modules}
    return {name: json.dumps(value) for name, value in values.items()}


class _Reader:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        names = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(names) != 1:
            raise ValueError("it has no single pickle in it")
        self._root = names[0].removesuffix("data.pkl")
        self._storages: dict[str, torch.Tensor] = {}

    def load(self) -> Any:
        info = self._archive.getinfo(f"{self._root}data.pkl")
        if info.file_size > _MAX_PICKLE:
            raise ValueError("its table of contents is too long")
        with self._archive.open(info) as file:
            return _Inert(file, self).load()

    def storage(self, kind: str, key: str) -> torch.Tensor:
        """The flat tensor of a storage. It takes what is in the file, not what the pickle says of its size."""
        if key not in self._storages:
            if kind not in _STORAGES:
                raise ValueError(f"it stores numbers as {kind}")
            info = self._archive.getinfo(f"{self._root}data/{key}")
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its tensors are compressed")
            data = bytearray(self._archive.read(info))
            empty = torch.empty(0, dtype=_STORAGES[kind])
            self._storages[key] = torch.frombuffer(data, dtype=_STORAGES[kind]) if data else empty
        return self._storages[key]


class _Inert(_Machine):
    """A pickle machine whose imports are records. The pure Python one: what it does can be replaced."""

    dispatch = dict(_Machine.dispatch)

    def __init__(self, file: Any, reader: _Reader) -> None:
        super().__init__(file)
        self._reader = reader
        self._kinds: dict[str, type[Record]] = {}

    def load_build(self) -> None:
        """Objects get their state only if they are records: setting it on anything else could change this program."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Record):
            target.restore(state)

    dispatch[pickle.BUILD[0]] = load_build

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full == "collections.OrderedDict":
            return OrderedDict
        if full == "torch._utils._rebuild_tensor_v2":
            return rebuild_tensor
        if full == "torch._utils._rebuild_parameter":
            return _parameter
        if module == "torch" and name.endswith("Storage"):
            return name
        if full == "dill._dill._load_type":  # how dill, which Ultralytics saved with for years, writes plain types
            return lambda kind: self.find_class("builtins", str(kind))
        if module in ("builtins", "__builtin__") and name in ("set", "frozenset"):
            return list
        if full not in self._kinds:
            self._kinds[full] = type("Kind", (Record,), {"__new__": _new, "__init__": _nothing, "name": full})
        return self._kinds[full]

    def persistent_load(self, pid: Any) -> Any:
        what, kind, key, *_ = pid
        if what != "storage":
            raise ValueError("it refers to something outside")
        return self._reader.storage(str(kind), str(key))

    def get_extension(self, code: int) -> Any:
        raise ValueError(f"it uses the registered extension {code}")


def _new(cls: Any, *arguments: Any, **_: Any) -> Record:
    record = object.__new__(cls)
    Record.__init__(record, cls.name, arguments)
    return record


def _nothing(self: Any, *_: Any, **__: Any) -> None:
    return None


def rebuild_tensor(storage: torch.Tensor, offset: int, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    """A copy of a part of a storage; torch checks its bounds. Raises ``ValueError`` for more than there is."""
    size, stride = tuple(int(n) for n in size), tuple(int(n) for n in stride)
    if math.prod(size) > storage.numel():
        raise ValueError("a tensor is larger than what is stored")
    return torch.as_strided(storage, size, stride, int(offset)).clone()


def _parameter(data: torch.Tensor, *_: Any) -> torch.Tensor:
    return data


def _walk(record: Record, place: str, tensors: dict[str, torch.Tensor], modules: dict[str, Module]) -> None:
    if len(modules) > 10_000 or place.count(".") > 50:
        raise ValueError("it holds too many modules")
    state = record.state
    modules[place] = Module(record.kind, {k: _flat(v) for k, v in state.items() if isinstance(k, str)})
    skipped = state.get("_non_persistent_buffers_set")
    passing = skipped if isinstance(skipped, (set, list, tuple)) else ()
    for group in ("_parameters", "_buffers"):
        for name, value in dict(state.get(group) or {}).items():
            if isinstance(value, torch.Tensor) and name not in passing:
                tensors[f"{place}.{name}" if place else str(name)] = value
    for name, child in dict(state.get("_modules") or {}).items():
        if isinstance(child, Record):
            _walk(child, f"{place}.{name}" if place else str(name), tensors, modules)


def _flat(value: Any) -> Any:
    """A number, a text or a short list of them; everything else becomes None."""
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        return [item if isinstance(item, (str, int, float, bool)) else None for item in value]
    return value if isinstance(value, (str, int, float, bool)) else None


def _plain(value: Any, left: list[int]) -> Any:
    """Numbers, texts, and lists and dictionaries of them; everything else becomes None. ``left``: how many, at most."""
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("it describes too much")
    if isinstance(value, dict):
        return {k: _plain(v, left) for k, v in value.items() if isinstance(k, (str, int))}
    if isinstance(value, (list, tuple)):
        return [_plain(item, left) for item in value]
    return value if isinstance(value, (str, int, float, bool)) else None
