"""Depth Anything: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="depth_anything",
    title="Depth Anything",
    roles=("depth",),
    layouts=("config.json model.safetensors preprocessor_config.json", "*.onnx"),
    signs=(Signs(config=("depth_anything",)), Signs(outputs=("predicted_depth *",))),
    load=late(f"{__package__}.inference.depth_anything"),
)
