"""EdgeTAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="edgetam",
    title="EdgeTAM",
    roles=("segmenter",),
    layouts=("*.safetensors",),
    signs=(
        Signs(config=("edgetam", "edgetam_video")),
        Signs(tensors=("image_encoder.trunk.body.stages_*", "sam_mask_decoder.iou_token.*")),
    ),
    recipes=(Recipe("edgetam", 45),),
    compared=(
        Compared(
            what="random weights, full size: clicks and boxes, both layouts",
            against="facebookresearch/EdgeTAM (9cc44bf)",
            difference="3e-6 of logits up to 5; bf16 encoder: 0.03",
            test="tests/parity/test_edgetam.py",
        ),
    ),
    load=late(f"{__package__}.inference.edgetam"),
)
