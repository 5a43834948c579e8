"""Grounding DINO: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late
from maskwright.models.options import AGNOSTIC, MAX_DET, iou
from maskwright_protocol.language import tr
from maskwright_protocol.messages import OptionInfo

FAMILY = Family(
    name="grounding_dino",
    title="Grounding DINO",
    roles=("detector",),
    layouts=("config.json *.safetensors preprocessor_config.json tokenizer*",),
    signs=(Signs(config=("grounding-dino", "mm-grounding-dino")),),
    recipes=(Recipe("grounding-dino", 10),),
    vocabulary="any",
    options=(
        OptionInfo(
            "text_threshold", "number", tr("How sure a word must be to become part of a label."), 0.25, 0.0, 1.0
        ),
        iou(0.6),
        MAX_DET,
        AGNOSTIC,
    ),
    covers="Grounding DINO, MM Grounding DINO",
    gives="boxes, each under its phrase",
    licence="Apache-2.0",
    runs="the transformers library's network",
    load=late(f"{__package__}.inference.grounding_dino", "GroundingDino"),
)
