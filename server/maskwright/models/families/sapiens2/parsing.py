"""Sapiens2, parts of the body: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Signs, late

FAMILY = Family(
    name="sapiens2_parsing",
    title="Sapiens2, parts of the body",
    roles=("parser",),
    layouts=("config.json model.safetensors preprocessor_config.json",),
    signs=(Signs(config=("sapiens2",), without=("*decode_head.input_conv.*", "*conv_pose.*")),),
    compared=(
        Compared(
            what="random weights, small: logits of the parts",
            against="facebookresearch/sapiens2 (3098c14), positions in single precision",
            difference="8e-6 of logits that vary by 0.4; 0.005 with positions in bfloat16, its default",
        ),
    ),
    load=late(f"{__package__}.inference.sapiens2", "Sapiens2Parser"),
)
