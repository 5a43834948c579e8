"""Names that training left in front of weights: of what a model was wrapped in when it was saved. Light."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Tensor = TypeVar("Tensor")
_COMPILED = re.compile(r"(^|(?<=\.))_orig_mod\.")  # torch.compile, of the whole or of a part
_PARALLEL = "module."  # DataParallel and its like, and averaged models
_COUNT = "n_averaged"  # of averaged models: how many went into it


def unwrapped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by the names that the model itself has for them; as they are where two would have the same name."""
    named = {_COMPILED.sub("", name): tensor for name, tensor in weights.items() if name != _COUNT}
    while named and all(name.startswith(_PARALLEL) for name in named):
        named = {name.removeprefix(_PARALLEL): tensor for name, tensor in named.items()}
    saved = weights.keys() - {_COUNT}
    return named if len(named) == len(saved) and named.keys() != saved else dict(weights)
