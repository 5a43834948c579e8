"""ONNX Runtime sessions: which device, how many threads, and what to say when a file is no good."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from maskwright.models.catalogue.entries import Entry
from maskwright_protocol.errors import ModelBroken, NeedsPackage, OutOfMemory
from maskwright_protocol.language import tr

from . import onnx_providers

log = logging.getLogger(__name__)

Shape = tuple[int | None, ...]  # None: any size
_NO_MEMORY = re.compile(r"\balloc(?!ator)|bad_alloc|alloc_failed|out of memory")  # any complaint may name an allocator


class OnnxSession:
    """An ONNX Runtime session that checks its inputs' names when loaded and takes and gives numpy arrays.

    ``device``: where it runs. What fails elsewhere is done on the CPU from then on, and logged.
    """

    def __init__(self, entry: Entry, path: Path, inputs: Sequence[str] | None, device: str, threads: int) -> None:
        """Raises ``ModelBroken`` when the file is no sound ONNX model or its inputs are not ``inputs``, and
        ``NeedsPackage`` when ONNX Runtime is too old to be safe.

        ``inputs`` None: it has one, whatever its exporter called it.
        """
        self.model_id = entry.id
        self.device = device
        self._path, self._threads = path, threads
        _require_safe_runtime()
        try:
            self._session = self._opened()
        except Exception as error:  # ONNX Runtime's exceptions share no base
            if _is_memory(error):
                raise OutOfMemory(tr("There is not enough memory to load {0}.", entry.title), model=entry.id) from error
            text = tr("The file {0} of the model {1} cannot be loaded.", path.name, entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
        self.inputs = [node.name for node in self._session.get_inputs()]
        actual = set(self.inputs)
        if inputs is None:
            inputs = self.inputs[:1]
        if actual != set(inputs) or not inputs:
            raise ModelBroken(
                tr("The file {0} is not the {1} that Maskwright knows: its inputs differ.", path.name, entry.id),
                model=entry.id,
                missing=sorted(set(inputs) - actual),
                unexpected=sorted(actual - set(inputs)),
            )
        self.outputs = [node.name for node in self._session.get_outputs()]
        # What the exporter wrote into the file; and the inputs' sizes, with names where a size is free.
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.shapes: dict[str, list[int | str]] = {node.name: list(node.shape) for node in self._session.get_inputs()}
        self._halves = {node.name for node in self._session.get_inputs() if node.type == "tensor(float16)"}

    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray], shapes: Sequence[Shape]) -> list[np.ndarray]:
        """The named outputs for inputs by name, numbers of ``shapes``, one for each output.

        Graphs that take and give half precision are given and give float32 here as well.
        Raises ``OutOfMemory``, or ``ModelBroken``, also where the outputs are not of these shapes.
        """
        halved = {name: feeds[name].astype(np.float16) for name in self._halves & feeds.keys()}
        try:
            results = self._computed(outputs, {**feeds, **halved})
        except Exception as error:
            text = str(error)
            if _is_memory(error):
                raise OutOfMemory(
                    tr("There is not enough memory to run {0}.", self.model_id), model=self.model_id
                ) from error
            raise ModelBroken(
                tr("The model {0} failed.", self.model_id), model=self.model_id, reason=text[:500]
            ) from error
        results = [_single(result) for result in results]
        actual = [result.shape if isinstance(result, np.ndarray) else () for result in results]
        if len(actual) != len(shapes) or not all(map(_fits, actual, shapes)):
            text = tr("The outputs of the model {0} are not those of the model that Maskwright knows.", self.model_id)
            raise ModelBroken(text, model=self.model_id, shapes=[list(shape) for shape in actual])
        if not _are_numbers(results):
            text = tr("The model {0} gave no numbers.", self.model_id)
            hint = tr("Its weights may be damaged, or the device computes wrongly in half precision.")
            raise ModelBroken(text, hint, model=self.model_id)
        return results

    def _opened(self) -> onnxruntime.InferenceSession:
        """A session on the device, or on the CPU where that fails."""
        try:
            return onnx_providers.open_session(self._path, self.device, self._threads)
        except Exception as error:
            if self.device == "cpu" or _is_memory(error):
                raise
            self._leave_device(error)
            return onnx_providers.open_session(self._path, self.device, self._threads)

    def _computed(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[Any]:
        """The outputs, by the CPU where the device fails or gives no numbers."""
        try:
            results = list(self._session.run(list(outputs), dict(feeds)))
            if self.device == "cpu" or _are_numbers(results):
                return results
            problem: Exception = ArithmeticError("It gave no numbers.")
        except Exception as error:
            if self.device == "cpu" or _is_memory(error):
                raise
            problem = error
        self._leave_device(problem)
        self._session = onnx_providers.open_session(self._path, self.device, self._threads)
        return list(self._session.run(list(outputs), dict(feeds)))

    def _leave_device(self, error: Exception) -> None:
        reason = str(error)[:300]
        log.warning("%s cannot run on %s and runs on the processor instead: %s", self.model_id, self.device, reason)
        self.device = "cpu"


def described(path: Path) -> dict[str, Any]:
    """What an ONNX file tells of itself, as ``Contents`` has it: ``inputs``, ``outputs`` and ``told``.

    Raises ``ModelBroken`` when it cannot be read, and ``NeedsPackage`` as the session does.
    """
    _require_safe_runtime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), options, providers=[onnx_providers.CPU])
    except Exception as error:  # as above
        text = tr("{0} is no ONNX model that can be read.", path.name)
        hint = tr("Get or export the file again; if its weights are in a second file, add the folder with both.")
        raise ModelBroken(text, hint, reason=str(error)[:500]) from error
    ends = {
        name: [f"{node.name} {'x'.join(str(n) if isinstance(n, int) else '?' for n in node.shape)}" for node in nodes]
        for name, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs()))
    }
    return {**ends, "told": dict(session.get_modelmeta().custom_metadata_map)}


def _require_safe_runtime() -> None:
    """Models may keep weights in files beside them; before 1.24.1, ONNX Runtime took them from anywhere on the disk.

    Our package asks for that version, but builds for other devices have packages of their own.
    """
    version = tuple(int(part) for part in re.findall(r"\d+", onnxruntime.__version__)[:3])
    if version < (1, 24, 1):
        text = tr("ONNX Runtime {0} is too old: it lets models read any file.", onnxruntime.__version__)
        raise NeedsPackage(text, tr("Install version 1.24.1 or later of its package."), package="onnxruntime")


def _are_numbers(results: Sequence[Any]) -> bool:
    arrays = [result for result in results if isinstance(result, np.ndarray) and result.dtype.kind == "f"]
    least = [np.minimum.reduce(array, axis=None, initial=0) for array in arrays]
    return not np.logical_or.reduce(np.isnan(least))


def _single(result: Any) -> Any:
    return result.astype(np.float32) if isinstance(result, np.ndarray) and result.dtype == np.float16 else result


def _fits(actual: tuple[int, ...], wanted: Shape) -> bool:
    for side, length in zip(actual, wanted, strict=False):
        if length not in (side, None):
            return False
    return len(actual) == len(wanted)


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or _NO_MEMORY.search(text) is not None
