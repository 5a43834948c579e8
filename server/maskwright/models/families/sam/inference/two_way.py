"""SAM's two-way transformer on the library's weights, with its products taken in another order.

Kirillov et al., "Segment Anything" (2023), section on the mask decoder. An image has thousands of cells and a prompt
some ten tokens. The library projects the cells four times a layer and lets tokens attend to the result; here the tokens
are projected instead, since ``q (W x) = (q W) x``: less than half of the work, with the same result but for rounding.
What all prompts of a pass have in common, the image before the first layer, is read once for all of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def two_way(transformer: Any, tokens: Tensor, image: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens ``(P, T, C)`` and image ``(P or 1, C, h, w)`` -> both as they are after the last layer.

    The image comes out as cells ``(P, h * w, C)``. ``positions``: ``(1, C, h, w)``.
    """
    places = positions.flatten(2).transpose(1, 2)
    cells = image.flatten(2).transpose(1, 2).contiguous()
    queries = tokens
    for layer in transformer.layers:
        asked = queries if layer.skip_first_layer_pe else queries + tokens
        told = _among_tokens(layer.self_attn, asked, queries)
        queries = layer.layer_norm1(told if layer.skip_first_layer_pe else queries + told)
        placed = cells + places
        told = _from_cells(layer.cross_attn_token_to_image, queries + tokens, placed, cells)
        queries = layer.layer_norm2(queries + told)
        queries = layer.layer_norm3(queries + layer.mlp(queries))
        cells = layer.layer_norm4(_to_cells(layer.cross_attn_image_to_token, cells, placed, queries + tokens, queries))
    told = _from_cells(transformer.final_attn_token_to_image, queries + tokens, cells + places, cells)
    return transformer.layer_norm_final_attn(queries + told), cells


def _among_tokens(attention: Any, asked: Tensor, values: Tensor) -> Tensor:
    return attention(query=asked[:, None], key=asked[:, None], value=values[:, None])[0][:, 0]


def _last(attention: Any) -> Any:
    return attention.o_proj if hasattr(attention, "o_proj") else attention.out_proj


def _heads(attention: Any, tokens: Tensor) -> Tensor:
    """``(P, T, H * D)`` -> ``(P, H, T, D)``."""
    return tokens.unflatten(2, (attention.num_attention_heads, -1)).transpose(1, 2)


def _by_head(attention: Any, weight: Tensor) -> Tensor:
    """``(H * D, C)`` -> ``(H, D, C)``."""
    return weight.unflatten(0, (attention.num_attention_heads, -1))


def _from_cells(attention: Any, asked: Tensor, placed: Tensor, cells: Tensor) -> Tensor:
    """What tokens ``(P, T, C)`` learn from the cells ``(P or 1, N, C)``, of which ``placed`` are the keys.

    A bias of the keys adds the same to all cells, so that it changes nothing; one of the values adds itself.
    """
    queries = _heads(attention, attention.q_proj(asked)) * attention.scaling
    folded = queries @ _by_head(attention, attention.k_proj.weight)  # (P, H, T, C)
    count, heads, tokens, channels = folded.shape
    groups = len(cells)  # one for all prompts, or one each
    rows = folded.reshape(groups, -1, channels)
    seen = (rows @ placed.transpose(1, 2)).softmax(-1) @ cells
    seen = seen.reshape(count, heads, tokens, channels)
    values = seen @ _by_head(attention, attention.v_proj.weight).transpose(1, 2)
    values = values.transpose(1, 2).flatten(2) + attention.v_proj.bias
    return _last(attention)(values)


def _to_cells(attention: Any, cells: Tensor, placed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The cells ``(P, N, C)`` plus what they learn from tokens ``(P, T, C)``. Each head's shares sum up to 1."""
    known = _heads(attention, attention.k_proj(keys)) * attention.scaling  # (P, H, T, D)
    folded = known @ _by_head(attention, attention.q_proj.weight)
    count, heads, tokens, channels = folded.shape
    offset = (known @ _by_head(attention, attention.q_proj.bias[:, None])).reshape(count, 1, heads * tokens)
    last = _last(attention)
    given = _heads(attention, attention.v_proj(values)) @ _by_head(attention, last.weight.T)
    given = (given + last.bias / heads).reshape(count, heads * tokens, channels)
    placed, cells = (part.expand(count, -1, -1) for part in (placed, cells))
    scores = torch.baddbmm(offset, placed, folded.reshape(count, -1, channels).transpose(1, 2))
    shares = scores.unflatten(2, (heads, tokens)).softmax(-1).flatten(2)
    return torch.baddbmm(cells, shares, given)
