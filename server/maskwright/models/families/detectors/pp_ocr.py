"""PP-OCR's text detector: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late
from maskwright.models.options import MAX_DET

FAMILY = Family(
    name="pp_ocr",
    title="PP-OCR text detector",
    roles=("detector",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("x *x3x*",), outputs=("* *x1x*",)),),
    vocabulary=("lettering",),
    lettering=True,
    options=(MAX_DET,),
    covers="PP-OCR v3, v4, v5 (detection)",
    gives="lines of lettering",
    licence="Apache-2.0",
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.pp_ocr", "PpOcrDetector"),
)
