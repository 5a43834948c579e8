"""What all torch families share: device, precision, strict loading, and what to say when memory runs out.

Imported only where a torch model is loaded: torch itself takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from maskwright_protocol.language import tr

# Before any import of the hub's or transformers' code: nothing is downloaded and nothing is reported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from torch import nn

from maskwright.models.catalogue.entries import Entry, Precision
from maskwright.models.install.wrappers import unwrapped
from maskwright.models.machine import packages
from maskwright_protocol.errors import MaskwrightError, ModelBroken, OutOfMemory

from .setup import Setup, WantedPrecision

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Weights = dict[str, torch.Tensor]
_NAMED = 8  # keys that an error lists
# Whole numbers that older versions of the library saved along with the weights; no layer computes with them.
_COUNTERS = (".position_ids", ".num_batches_tracked")
_DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def choose_device(wanted: str = "auto") -> tuple[str, str]:
    """``"auto"``, ``"cpu"``, ``"cuda:N"`` or ``"mps"`` -> the device torch models run on, and why, as a sentence."""
    if wanted == "cpu":
        return "cpu", tr("CPU was asked for")
    if not wanted.startswith(("auto", "cuda", "mps")):
        return "cpu", tr("{0} is for ONNX models", wanted)
    if torch.cuda.is_available() and wanted != "mps":
        return (wanted if wanted.startswith("cuda:") else "cuda:0"), tr("PyTorch offers CUDA")
    if torch.backends.mps.is_available() and not wanted.startswith("cuda"):
        return "mps", tr("PyTorch offers Apple's Metal")
    if torch.version.cuda is None and torch.version.hip is None:
        return "cpu", tr("this PyTorch is built for the CPU only")
    return "cpu", tr("PyTorch sees no graphics card it can use")


def choose_precision(device: str, wanted: WantedPrecision = "auto") -> Precision:
    """What the device computes in: fp32 on the CPU and Metal; on CUDA bf16 where the card can, else fp16.

    ``wanted`` other than "auto" is taken where the device can do it; the CPU has no fp16.
    """
    card = device.startswith("cuda")
    bf16 = not card or torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "fp32" or (wanted == "fp16" and device != "cpu") or (wanted == "bf16" and bf16):
        return wanted
    if not card:
        return "fp32"
    return "bf16" if bf16 else "fp16"


def dtype(precision: Precision) -> torch.dtype:
    """The floating-point type of a precision; int8 is not one."""
    return _DTYPES[precision]


def pretrained(kind: type[PreTrainedModel], entry: Entry, folder: Path | None, setup: Setup, **options: Any) -> Any:
    """A transformers model of class ``kind`` from a local folder in the hub's layout, in eval mode on its device.

    Without a folder ``options`` hold its ``config`` and ``state_dict``.

    Safetensors only, no remote code, no network. Raises ``ModelBroken`` naming the keys when any is missing,
    unexpected or of another shape (save those that the class itself declares to be irrelevant).
    """
    from transformers.utils import logging

    logging.disable_progress_bar()  # a server's standard error is its log
    torch.set_num_threads(setup.threads)
    try:
        model, info = cast(Any, kind).from_pretrained(
            os.fspath(folder) if folder is not None else None,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are listed in ``info`` and refused below
            dtype=dtype(setup.precision),
            **options,
        )
    except (OSError, ValueError, KeyError) as error:
        text = tr("The files of the model {0} cannot be read as {1}.", entry.id, kind.__name__)
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error
    mismatched = [key[0] if isinstance(key, tuple) else str(key) for key in info.get("mismatched_keys", ())]
    unexpected = [key for key in info.get("unexpected_keys", ()) if not str(key).endswith(_COUNTERS)]
    require_keys(entry, info.get("missing_keys", ()), unexpected, mismatched)
    require_numbers(entry, model)
    return model.eval().requires_grad_(False).to(setup.device)


def require_keys(entry: Entry, missing: Any = (), unexpected: Any = (), mismatched: Any = ()) -> None:
    """Raises ``ModelBroken`` that names the keys unless all three are empty."""
    wrong = {"missing": missing, "unexpected": unexpected, "of another shape": mismatched}
    told = {what: sorted(str(key) for key in keys) for what, keys in wrong.items() if keys}
    if told:
        parts = [f"{what}: {', '.join(keys[:_NAMED])}" for what, keys in told.items()]
        text = tr("The weights of the model {0} do not belong to it ({1}).", entry.id, "; ".join(parts))
        raise ModelBroken(
            text,
            packages.how_to_mend(entry),
            model=entry.id,
            **{what.replace(" ", "_"): keys for what, keys in told.items()},
        )


def require_numbers(entry: Entry, module: nn.Module) -> None:
    """Raises ``ModelBroken`` unless all weights are numbers: others give empty answers, which look like good ones."""
    for name, tensor in module.named_parameters():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        least, most = torch.aminmax(tensor.detach())  # no numbers if any is none
        if not bool(torch.isfinite(least) & torch.isfinite(most)):
            text = tr("The weights of the model {0} are damaged: {1} holds what is no number.", entry.id, name)
            raise ModelBroken(text, model=entry.id, damaged=name)


def load_strictly(module: nn.Module, weights: Mapping[str, torch.Tensor], entry: Entry, setup: Setup) -> None:
    """Put ``weights`` into our own ``module``, then into eval mode on its device. Raises ``ModelBroken``."""
    own = module.state_dict()
    mismatched = [key for key in own if key in weights and own[key].shape != weights[key].shape]
    require_keys(entry, own.keys() - weights.keys(), weights.keys() - own.keys(), mismatched)
    module.load_state_dict(weights, strict=True, assign=True)
    require_numbers(entry, module)
    module.eval().requires_grad_(False).to(setup.device, dtype(setup.precision))


def safetensors(path: Path, entry: Entry) -> Weights:
    """The tensors of a file by name, on the CPU, without the names of what the model was wrapped in.

    Raises ``ModelBroken``.
    """
    from safetensors.torch import load_file

    try:
        return unwrapped(load_file(path))
    except Exception as error:  # the Rust library's error has no public base
        text = tr("The file {0} of the model {1} cannot be read.", path.name, entry.id)
        raise ModelBroken(text, model=entry.id, reason=str(error)[:500]) from error


def weights_file(entry: Entry) -> str:
    """The name of the entry's safetensors file. Raises ``ModelBroken``."""
    for file in entry.files:
        if file.name.endswith(".safetensors"):
            return file.name
    raise ModelBroken(tr("The model {0} names no safetensors file.", entry.id), model=entry.id)


def weights(entry: Entry, folder: Path) -> Weights:
    """The tensors of the entry's safetensors file by name, on the CPU. Raises ``ModelBroken``."""
    return safetensors(folder / weights_file(entry), entry)


def nbytes(module: nn.Module) -> int:
    """Bytes of a module's parameters and buffers."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in tensors}.values())


@contextmanager
def running(model_id: str) -> Iterator[None]:
    """The context of every forward pass: without gradients; a full device raises ``OutOfMemory``, and what the network
    cannot compute ``ModelBroken``."""
    try:
        with torch.inference_mode():
            yield
    except MaskwrightError:
        raise
    except Exception as error:
        if not is_memory(error):
            text = tr("The model {0} failed.", model_id)
            raise ModelBroken(text, model=model_id, reason=f"{type(error).__name__}: {error}"[:500]) from error
        give_back()
        raise OutOfMemory(tr("There is not enough memory to run {0}.", model_id), model=model_id) from error


def is_memory(error: BaseException) -> bool:
    """Whether an error raised by torch means that memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # The CPU allocator, Metal and the CUDA libraries have no error class of their own for this.
    words = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def give_back() -> None:
    """Free the memory that torch keeps on the devices for its next tensors."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def move(model: object, device: str) -> bool:
    """Move all modules that a model holds, directly or in containers, to ``device``; False when it holds none.

    A model that waits in main memory is moved back to its own device before it is used again.
    """
    modules = _modules(list(vars(model).values()))
    for module in modules:
        module.to(device)
    return bool(modules)


def _modules(values: list[Any]) -> list[nn.Module]:
    found = [value for value in values if isinstance(value, nn.Module)]
    for value in values:
        if isinstance(value, Mapping):
            found += _modules(list(value.values()))
        elif isinstance(value, (list, tuple)):
            found += _modules(list(value))
    return found
