"""SAM 3's and 3.1's checkpoints as their authors publish them: their names for the weights -> transformers'.

One file holds the detector of concepts and a tracker for films. In SAM 3 the tracker's own decoder answers clicks; in
SAM 3.1 (``sam3.1_multiplex.pt``) that follows many objects at once, and a decoder for clicks lies beside it under names
that begin with ``interactive_``. Its necks have three levels instead of four, the last of which was never looked at.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from maskwright.models.catalogue.entries import Entry
from maskwright.models.install.wrappers import unwrapped
from maskwright.models.runtime.torch_runtime import Weights

from .checkpoints import sam2 as clicks_of_sam2
from .checkpoints import strange

_IMAGE = "backbone.vision_backbone."
_NECKS = (f"{_IMAGE}interactive_convs.", f"{_IMAGE}sam2_convs.")  # of the decoder for clicks
# What follows objects through films, and what the detector would do with points, which the library does not.
_UNUSED = re.compile(
    rf"^{re.escape(_IMAGE)}(propagation_convs|interactive_convs|sam2_convs)\.|\.freqs_cis$|^geometry_encoder\.points_"
)
_FILMS = re.compile(r"^(transformer|maskmem_|mask_downsample|obj_ptr_|no_obj_|no_mem_pos_enc)")
_ORDER = (("dconv_2x2_0", "scale_layers.0"), ("dconv_2x2_1", "scale_layers.2"), ("dconv_2x2", "scale_layers.0"),
          ("conv_1x1", "proj1"), ("conv_3x3", "proj2"))  # fmt: skip
_PERCEPTRONS = "presence_head|box_head|ref_point_head|box_rpb_embed_[xy]|text_mlp"
_CONCEPTS: tuple[tuple[str, str], ...] = (
    # the image
    (r"^backbone\.vision_backbone\.trunk\.", "vision_encoder.backbone."),
    (r"^backbone\.vision_backbone\.convs\.", "vision_encoder.neck.fpn_layers."),
    (r"^(vision_encoder\.backbone)\.pos_embed$", r"\1.embeddings.position_embeddings"),
    (r"^(vision_encoder\.backbone)\.patch_embed\.proj\.", r"\1.embeddings.patch_embeddings.projection."),
    (r"^(vision_encoder\.backbone)\.ln_pre\.", r"\1.layer_norm."),
    (r"^(vision_encoder\.backbone)\.blocks\.(\d+)\.norm(\d)\.", r"\1.layers.\2.layer_norm\3."),
    (r"^(vision_encoder\.backbone)\.blocks\.(\d+)\.attn\.proj\.", r"\1.layers.\2.attention.o_proj."),
    (r"^(vision_encoder\.backbone)\.blocks\.(\d+)\.attn\.", r"\1.layers.\2.attention."),
    (r"^(vision_encoder\.backbone)\.blocks\.", r"\1.layers."),
    # words
    (r"^backbone\.language_backbone\.resizer\.", "text_projection."),
    (r"^backbone\.language_backbone\.encoder\.text_projection$", "text_encoder.text_projection.weight"),
    (r"^backbone\.language_backbone\.encoder\.", "text_encoder.text_model."),
    (r"^(text_encoder\.text_model)\.token_embedding", r"\1.embeddings.token_embedding"),
    (r"^(text_encoder\.text_model)\.positional_embedding$", r"\1.embeddings.position_embedding.weight"),
    (r"^(text_encoder\.text_model)\.ln_final", r"\1.final_layer_norm"),
    (r"^(text_encoder\.text_model)\.transformer\.resblocks\.", r"\1.encoder.layers."),
    (r"^(text_encoder\..+)\.ln_(\d)\.", r"\1.layer_norm\2."),
    (r"^(text_encoder\..+)\.attn\.", r"\1.self_attn."),
    (r"^(text_encoder\..+\.mlp)\.c_fc\.", r"\1.fc1."),
    (r"^(text_encoder\..+\.mlp)\.c_proj\.", r"\1.fc2."),
    # examples
    (r"^geometry_encoder\.encode\.", "geometry_encoder.layers."),
    (r"^geometry_encoder\.encode_norm\.", "geometry_encoder.output_layer_norm."),
    (r"^geometry_encoder\.norm\.", "geometry_encoder.prompt_layer_norm."),
    (r"^geometry_encoder\.img_pre_norm\.", "geometry_encoder.vision_layer_norm."),
    # objects
    (r"^transformer\.encoder\.", "detr_encoder."),
    (r"^transformer\.decoder\.", "detr_decoder."),
    (r"^detr_decoder\.norm\.", "detr_decoder.output_layer_norm."),
    (r"^detr_decoder\.presence_token_head\.", "detr_decoder.presence_head."),
    (r"^detr_decoder\.presence_token_out_norm\.", "detr_decoder.presence_layer_norm."),
    (r"^detr_decoder\.bbox_embed\.", "detr_decoder.box_head."),
    (r"^detr_decoder\.boxRPB_embed_", "detr_decoder.box_rpb_embed_"),
    (r"^(detr_decoder\.layers\.\d+)\.cross_attn\.", r"\1.vision_cross_attn."),
    (r"^(detr_decoder\.layers\.\d+)\.ca_text\.", r"\1.text_cross_attn."),
    (r"^(detr_decoder\.layers\.\d+)\.norm1\.", r"\1.vision_cross_attn_layer_norm."),
    (r"^(detr_decoder\.layers\.\d+)\.catext_norm\.", r"\1.text_cross_attn_layer_norm."),
    (r"^(detr_decoder\.layers\.\d+)\.norm2\.", r"\1.self_attn_layer_norm."),
    (r"^(detr_decoder\.layers\.\d+)\.norm3\.", r"\1.mlp_layer_norm."),
    # masks and scores
    (r"^segmentation_head\.mask_predictor\.mask_embed\.", "mask_decoder.mask_embedder."),
    (r"^segmentation_head\.instance_seg_head\.", "mask_decoder.instance_projection."),
    (r"^segmentation_head\.semantic_seg_head\.", "mask_decoder.semantic_projection."),
    (r"^segmentation_head\.cross_attend_prompt\.", "mask_decoder.prompt_cross_attn."),
    (r"^segmentation_head\.cross_attn_norm\.", "mask_decoder.prompt_cross_attn_norm."),
    (r"^segmentation_head\.", "mask_decoder."),
    (r"^dot_prod_scoring\.prompt_mlp\.out_norm\.", "dot_product_scoring.text_mlp_out_norm."),
    (r"^dot_prod_scoring\.prompt_mlp\.", "dot_product_scoring.text_mlp."),
    (r"^dot_prod_scoring\.prompt_proj\.", "dot_product_scoring.text_proj."),
    (r"^dot_prod_scoring\.hs_proj\.", "dot_product_scoring.query_proj."),
    # what several of them have
    (r"^((?:geometry_encoder|detr_\w+)\..*)\.cross_attn_image\.", r"\1.cross_attn."),
    (r"^((?:geometry_encoder|detr_\w+)\..*)\.linear(\d)\.", r"\1.mlp.fc\2."),
    (r"^((?:geometry_encoder|detr_\w+)\.layers\.\d+)\.norm(\d)\.", r"\1.layer_norm\2."),
    (r"^((?:geometry_encoder|detr_\w+|mask_decoder)\..*attn)\.out_proj\.", r"\1.o_proj."),
    *((rf"\.({_PERCEPTRONS})\.layers\.{i}\.", rf".\1.layer{i + 1}.") for i in range(3)),
)
_JOINED = re.compile(r"\.(?:qkv\.|in_proj_)(weight|bias)$")  # queries, keys and values in one tensor


def named_by_authors(path: Path) -> bool:
    """Whether the safetensors file has the authors' names; False when it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return any(name.startswith("detector.") for name in unwrapped(dict.fromkeys(file.keys())))
    except (OSError, SafetensorError):
        return False


def levels(weights: Weights, entry: Entry) -> int:
    """How many levels its necks have. Raises ``ModelBroken`` when these are not SAM 3's weights."""
    neck = f"detector.{_IMAGE}convs."
    found = {name[len(neck) :].split(".")[0] for name in weights if name.startswith(neck)}
    if not found:
        raise strange(entry, KeyError(f"detector.{_IMAGE}convs"))
    return len(found)


def concepts(weights: Weights) -> Weights:
    """The weights that ``Sam3Model`` takes, under its names."""
    found: Weights = {}
    for name, tensor in weights.items():
        part, _, rest = name.partition(".")
        if part != "detector" or _UNUSED.search(rest):
            continue
        new = _neck(rest)
        for pattern, replacement in _CONCEPTS:
            new = re.sub(pattern, replacement, new)
        if new.endswith("position_embeddings"):
            tensor = tensor[:, 1:]  # without that of the class token, which has no place
        elif new == "text_encoder.text_projection.weight":
            tensor = tensor.transpose(0, 1).contiguous()
        found.update(_apart(new, tensor))
    return found


def clicks(weights: Weights) -> Weights:
    """The weights that ``Sam3TrackerModel`` takes, under its names, without an image encoder."""
    inner: Weights = {}
    multiplex = any(name.startswith("tracker.model.interactive_") for name in weights)
    for name, tensor in weights.items():
        if multiplex:
            own = re.sub(r"^tracker\.model\.(interactive_|interactivity_)(?=sam_|no_mem_embed)", "", name)
            if own != name:
                inner[own] = tensor
        elif name.startswith("tracker.") and not _FILMS.match(name.removeprefix("tracker.")):
            inner[name.removeprefix("tracker.")] = tensor
    found = {}
    for name, tensor in clicks_of_sam2(inner).items():
        # Its transformer's perceptron has the names of SAM's, where SAM 2 has those of other perceptrons.
        name = name.replace(".mlp.lin1.", ".mlp.proj_in.").replace(".mlp.lin2.", ".mlp.proj_out.")
        found[re.sub(r"\.out_proj\.", ".o_proj.", name)] = tensor
    for name, tensor in weights.items():
        rest = name.removeprefix("detector.")
        for neck in _NECKS:
            if name != rest and rest.startswith(neck):
                found[_neck("vision_encoder.neck.fpn_layers." + rest[len(neck) :])] = tensor
    return found


def _neck(name: str) -> str:
    if "fpn_layers." not in name and f"{_IMAGE}convs." not in name:
        return name
    for old, new in _ORDER:
        name = name.replace(f".{old}.", f".{new}.")
    return name


def _apart(name: str, tensor: Tensor) -> Weights:
    """Queries', keys' and values' weights, which are stored as one tensor, apart."""
    if not _JOINED.search(name):
        return {name: tensor}
    parts = zip("qkv", torch.chunk(tensor, 3), strict=True)
    return {_JOINED.sub(rf".{letter}_proj.\1", name): part.contiguous() for letter, part in parts}
