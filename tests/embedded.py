"""Makes the models that come with Maskwright: ``python -m tests.embedded`` writes them from ``shared/models``.

Large weights are stored in half precision, each behind a ``Cast`` that ONNX Runtime works out once when it loads the
file: it computes in single precision, as before. Small weights (biases, scales, the kernels of depthwise convolutions)
are most of what rounding would change in a mask and little of the size: they stay as they are, and so do files that are
small as a whole. ``tests/server/models/test_embedded.py`` compares masks.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from maskwright.models.install.scan import EMBEDDED

from .shared_data import MODELS

LEAST = 40_000  # numbers in a tensor that is rounded
HALVED = (
    "mobile-sam/mobilesam_encoder.onnx",
    "mobile-sam/mobilesam_decoder_multi.onnx",
    "rvm/rvm_mobilenetv3_fp32.onnx",
)
AS_PUBLISHED = (
    "u2netp/u2netp.onnx",
    "yolox-nano/yolox_nano.onnx",
    "yunet/yunet_n_640.onnx",
    "skin-clothes-hair/pan_skin_clothes_hair.onnx",
)


def halved(path: Path) -> bytes:
    """The model of that file with its large float32 weights in half precision. Raises ``OverflowError`` where one does
    not fit into it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST:
            continue
        small = values.astype(np.float16)
        if not np.isfinite(small).all():
            raise OverflowError(f"{tensor.name} in {path.name} does not fit into half precision")
        name = f"{tensor.name}_half"
        casts.append(helper.make_node("Cast", [name], [tensor.name], name, to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(small, name))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def main() -> None:
    for name in (*HALVED, *AS_PUBLISHED):
        target = EMBEDDED / name
        target.parent.mkdir(exist_ok=True)
        if name in HALVED:
            target.write_bytes(halved(MODELS / name))
        else:
            shutil.copyfile(MODELS / name, target)
        content = target.read_bytes()
        print(f"{name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
