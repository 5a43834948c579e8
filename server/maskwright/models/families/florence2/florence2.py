"""Florence-2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late
from maskwright_protocol.language import tr
from maskwright_protocol.messages import OptionInfo

FAMILY = Family(
    name="florence2",
    title="Florence-2",
    roles=("detector",),
    layouts=("config.json *.safetensors preprocessor_config.json tokenizer*",),
    signs=(Signs(config=("florence2",)),),
    recipes=(Recipe("florence2", 20),),
    vocabulary="any",
    options=(
        OptionInfo(
            "task", "choice", tr("What to do; auto names what the text says, or everything without a text."), "auto",
            choices=[
                "auto", "grounding", "referring", "open_vocabulary", "objects", "dense_captions", "regions",
                "segment_region", "ocr",
            ],
        ),
        OptionInfo("region", "text", tr("For segment_region: x0,y0,x1,y1 as shares of the picture, 0 to 1."), ""),
        OptionInfo("beams", "integer", tr("Search width; more is slower and a little better."), 3, 1, 10),
        OptionInfo("max_tokens", "integer", tr("Longest answer; crowded pictures need more."), 1024, 16, 4096),
    ),
    masks="asked",
    own_masks=Recipe("florence2", 30, options={"task": "referring"}),
    covers="Florence-2",
    gives="boxes, outlines, lines of writing with their corners",
    licence="MIT",
    compared=(
        Compared(
            what="random weights: base, features of the picture and of the encoder",
            against="the authors' code on the hub",
            difference="7e-6 and 5e-6",
        ),
        Compared(what="words that it writes"),
    ),
    load=late(f"{__package__}.inference.model", "Florence2"),
)  # fmt: skip
