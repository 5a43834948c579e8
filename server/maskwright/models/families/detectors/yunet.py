"""YuNet: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="yunet",
    title="YuNet",
    roles=("detector",),
    layouts=("*.onnx",),
    signs=(Signs(outputs=("cls_8 *", "obj_8 *", "bbox_8 *")),),
    vocabulary=("face",),
    covers="YuNet",
    gives="boxes",
    licence="Apache-2.0",
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.yunet", "YuNet"),
)
