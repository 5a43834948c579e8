"""BiRefNet: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late
from maskwright_protocol.language import tr

_CUT = ("birefnet", "birefnet-hr", "birefnet-lite", "birefnet-onnx", "birefnet-lite-onnx", "birefnet-512")
_SOFT = ("birefnet-hr-matting", "birefnet-matting", "birefnet-lite-matting")


FAMILY = Family(
    name="birefnet",
    title="BiRefNet",
    roles=("matting",),
    layouts=("*.safetensors", "*.onnx"),
    signs=(
        Signs(tensors=("*bb.layers.*", "*squeeze_module.*")),
        Signs(inputs=("input_image *x3x*",), without=("orig_im_size *",)),
    ),
    recipes=(
        Recipe("birefnet", 10, models=_CUT),
        Recipe(
            "birefnet-matting", 20, "BiRefNet matting", tr("Main subject with hair and glass"), models=(*_SOFT, *_CUT)
        ),
        Recipe("rmbg-2.0", 30, "RMBG-2.0 (not for commercial use)", models=("rmbg-2.0",)),
        Recipe("toonout", 40, "ToonOut", tr("Main character of a drawing"), models=("toonout", "toonout-onnx")),
    ),
    compared=(
        Compared(
            what="random weights in two sizes, four pictures each; the deformable convolution by itself",
            against="ZhengPeng7/BiRefNet",
            difference="3e-6 (twelve cases held back: 2.2e-6)",
            test="tests/parity/test_birefnet.py",
        ),
        Compared(what="ToonOut, RMBG-2.0 and the ONNX exports by themselves"),
    ),
    load=late(f"{__package__}.inference.load"),
)
