"""SAM 3: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="sam3",
    title="SAM 3",
    roles=("segmenter", "detector"),
    layouts=("config.json model.safetensors tokenizer.json", "*.safetensors tokenizer.json"),
    signs=(Signs(config=("sam3", "sam3_video")), Signs(tensors=("detector.backbone.vision_backbone.*",))),
    recipes=(Recipe("sam3", 10),),
    vocabulary="any",
    compared=(
        Compared(
            what="random weights, full size: words, words with examples",
            against="facebookresearch/sam3 (99d02f2)",
            difference="scores 1.3e-6, boxes 3e-7, masks 1.6e-5 of logits up to 4; bf16 encoders: 0.01, 0.002, 0.11",
        ),
        Compared(
            what="the same: a click, a box, both",
            against="facebookresearch/sam3 (99d02f2)",
            difference="9e-6 of logits up to 3.4; bf16 encoder: 0.08",
        ),
        Compared(
            what="small random weights: words, words with examples, examples",
            against="facebookresearch/sam3 (99d02f2)",
            difference="scores 6e-6, boxes 4e-6, masks 6e-5 of logits up to 7; bf16 encoders: 0.03, 0.01, 0.3",
            test="tests/parity/test_sam3.py",
        ),
        Compared(
            what="the same: clicks and boxes",
            against="facebookresearch/sam3 (99d02f2)",
            difference="6e-6 of logits up to 2.7; bf16 encoder: 0.04",
            test="tests/parity/test_sam3.py",
        ),
    ),
    load=late(f"{__package__}.inference.sam3"),
)
