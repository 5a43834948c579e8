"""What promptable torch segmenters (SAM and its descendants) share: the frame of the image, prompts, the decoder.

Kirillov et al., "Segment Anything" (2023); Ravi et al., "SAM 2" (2024). A family encodes the image with its own
network; prompts go through transformers' prompt encoders, which with the decoder always compute in float32: coordinates
rounded to half precision miss by pixels, and the decoder is the cheap part.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from maskwright.masks.logits import LogitMap, logit
from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, Embedding, FloatMap, Hypothesis, SegmentPrompt
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import dtype, nbytes, running
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

from .two_way import two_way

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean, standard deviation
FLOAT32 = ["shared_image_embedding", "prompt_encoder", "mask_decoder"]  # modules that stay in float32
NORM = 1e-5  # what all authors' norms over features add to the variance, but those of SAM's and SAM 2's image encoders

_NOTHING = -1  # the label of a point that is none
_ABSENT = -8.0  # logit outside the picture in a mask to start from
# Prompts in one pass of the decoder: some 40 MB each. More of them leave a processor's caches and take longer.
_AT_ONCE = {"cpu": 4, "cuda": 32, "mps": 8}


@dataclass(frozen=True)
class Frame:
    """How an image of ``height`` x ``width`` pixels lies in the network's square: upper left, ``rows`` x ``columns``.

    Pixels of the square; the whole square where the family squashes the image into it.
    """

    height: int
    width: int
    side: int
    rows: int
    columns: int

    @classmethod
    def padded(cls, size: tuple[int, int], side: int) -> Frame:
        """The long side brought to ``side``, the rest of the square left empty."""
        scale = side / max(size)
        rows, columns = (max(1, int(length * scale + 0.5)) for length in size)
        return cls(*size, side, rows, columns)

    @classmethod
    def squashed(cls, size: tuple[int, int], side: int) -> Frame:
        """Both sides brought to ``side``."""
        return cls(*size, side, side, side)

    def places(self, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        """Image pixels -> pixels of the square."""
        across, down = self.columns / self.width, self.rows / self.height
        return [(x * across, y * down) for x, y in points]

    def cells(self, grid: int) -> tuple[float, float]:
        """Rows and columns of a grid over the square that the image covers."""
        return self.rows * grid / self.side, self.columns * grid / self.side

    def drawn(self, values: FloatMap) -> LogitMap:
        """Logits over the square ``(grid, grid)`` float32 -> the same over the image, without the padding."""
        rows, columns = self.cells(values.shape[0])
        whole_rows, whole_columns = int(np.ceil(rows)), int(np.ceil(columns))
        inside = np.ascontiguousarray(values[:whole_rows, :whole_columns])
        return LogitMap(inside, 0.0, 0.0, whole_columns / columns * self.width, whole_rows / rows * self.height)

    def start(self, mask: FloatMap, grid: int) -> FloatMap:
        """A soft mask of the image, of any resolution -> logits over the square ``(grid, grid)`` float32."""
        size = tuple(max(1, round(cells)) for cells in reversed(self.cells(grid)))
        method = cv2.INTER_AREA if mask.shape[0] > size[1] else cv2.INTER_LINEAR
        values = np.full((grid, grid), _ABSENT, np.float32)
        small = cv2.resize(np.asarray(mask, np.float32), size, interpolation=method)
        values[: size[1], : size[0]] = logit(small, -_ABSENT)
        return values


def planes(image: RGB, frame: Frame, mean: tuple[float, ...], std: tuple[float, ...], setup: Setup) -> Tensor:
    """The network's input ``(1, 3, side, side)``: resized as 8-bit with antialiasing, normalised, padded with 0."""
    pixels = torch.from_numpy(np.require(image, requirements=("C", "W"))).permute(2, 0, 1)[None]
    if image.shape[:2] != (frame.rows, frame.columns):
        size = (frame.rows, frame.columns)
        pixels = nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)
    pixels = pixels.to(setup.device)
    scale = 1 / (255 * torch.tensor(std, device=setup.device))
    shift = -torch.tensor(mean, device=setup.device) / torch.tensor(std, device=setup.device)
    out = torch.zeros((1, 3, frame.side, frame.side), device=setup.device)
    torch.addcmul(shift[:, None, None], pixels, scale[:, None, None], out=out[..., : frame.rows, : frame.columns])
    return out.to(dtype(setup.precision))


def norms_add(value: float, network: nn.Module) -> None:
    """Let the network's norms over features add ``value`` to the variance; those over channels stay as they are."""
    for part in network.modules():
        if type(part) is nn.LayerNorm:
            part.eps = value


class SamLike(ABC):
    """A promptable segmenter around transformers' prompt encoder and mask decoder.

    Families set ``mean_std`` and ``squash`` and define ``encode``; ``decode`` where their decoder is another one.
    """

    knows_objects = True
    uses_saliency = False
    mean_std = IMAGENET
    squash = False
    clicks_need: tuple[str, ...] = ("image", "half", "quarter")  # of the features, what ``decode`` looks at

    def __init__(self, entry: Entry, setup: Setup, network: Any) -> None:
        self.model_id = entry.id
        self.device = setup.device
        self.nbytes = nbytes(network)
        self.setup = setup
        self.encoder, self.prompt_encoder = network.vision_encoder, network.prompt_encoder
        self.decoder = network.mask_decoder
        norms_add(NORM, self.decoder.transformer)  # the library (5.24) adds 1e-6 in SAM's and HQ-SAM's
        self.side = int(self.prompt_encoder.input_image_size)
        self.grid = 4 * int(self.prompt_encoder.image_embedding_size[0])  # cells a side of masks, given or found
        with running(self.model_id):
            self.positions = network.get_image_wide_positional_embeddings().contiguous()  # (1, C, h, w)

    @abstractmethod
    def encode(self, pixels: Tensor) -> dict[str, Tensor]:
        """Features of the network's input ``(1, 3, side, side)``, which ``planes`` makes, in its precision.

        ``"image"`` ``(1, C, h, w)`` is what the decoder attends to.
        """

    def decode(self, features: dict[str, Tensor], sparse: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        """Prompts' embeddings ``(P, N, C)`` and ``(P or 1, C, h, w)`` -> masks ``(P, 4, H, W)`` and scores ``(P, 4)``.

        The first mask is the one for clear prompts, the others part, object and whole. All float32.
        """
        tokens, attended = attend(self.decoder, features["image"], self.positions, sparse, dense)
        fine = enlarge(self.decoder, attended, features.get("half"), features.get("quarter"))
        first = 1 if hasattr(self.decoder, "obj_score_token") else 0
        weights = mask_weights(self.decoder, tokens[:, first + 1 :])
        return weigh(weights, fine), self.decoder.iou_prediction_head(tokens[:, first])

    def frame(self, size: tuple[int, int]) -> Frame:
        return Frame.squashed(size, self.side) if self.squash else Frame.padded(size, self.side)

    def embed(self, image: RGB) -> Embedding:
        """Features of ``image`` ``(H, W, 3)`` uint8: ``data`` is what ``encode`` gives, tensors by name.

        They may be moved to another device and back. Raises ``OutOfMemory``.
        """
        size = image.shape[:2]
        with running(self.model_id):
            features = self.encode(planes(image, self.frame(size), *self.mean_std, self.setup))
        return Embedding(self.model_id, size, features, sum(t.nbytes for t in features.values()))

    def features(self, embedding: Embedding) -> FloatMap:
        """As ``roles.Featured``: what the decoder attends to, ``(C, h, w)`` float32, without the padding."""
        image = embedding.data["image"][0]
        rows, columns = self.frame(embedding.image_size).cells(image.shape[1])
        inside = image[:, : math.ceil(rows), : math.ceil(columns)]
        return np.ascontiguousarray(inside.float().cpu().numpy())

    def segment(self, embedding: Embedding, prompts: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """For each prompt its hypotheses, best first. Prompts of the same make-up share a pass of the decoder.

        Raises ``BadInput`` when the logits of a prompt are another model's.
        """
        frame = self.frame(embedding.image_size)
        answers: list[list[Hypothesis]] = [[] for _ in prompts]
        with running(self.model_id):
            needed = {name: embedding.data[name] for name in self.clicks_need if name in embedding.data}
            features = {name: tensor.to(self.device, torch.float32) for name, tensor in needed.items()}
            for indices in self._alike(prompts):
                batch = [prompts[i] for i in indices]
                masks, scores = self.decode(features, self._sparse(batch, frame), self._dense(batch, frame))
                clear = self._stable(masks).tolist()
                values, likely = masks.float().cpu().numpy(), scores.float().cpu().numpy()
                for place, index in enumerate(indices):
                    order = _order(prompts[index], likely[place], clear[place])
                    shown, sure = values[place], np.clip(likely[place], 0, 1).tolist()
                    answers[index] = [Hypothesis(frame.drawn(shown[i]), sure[i], shown[i]) for i in order]
        return answers

    def _alike(self, prompts: list[SegmentPrompt]) -> Iterator[list[int]]:
        """Indices of prompts that can share a pass, having as many points and boxes.

        Shorter ones are not padded, since the network would attend to the padding.
        """

        def shape(index: int) -> tuple[int, bool]:
            return len(prompts[index].points), prompts[index].box is not None

        at_once = _AT_ONCE[self.device.partition(":")[0]]
        for _, group in groupby(sorted(range(len(prompts)), key=shape), shape):
            indices = list(group)
            yield from (indices[first : first + at_once] for first in range(0, len(indices), at_once))

    def _sparse(self, batch: list[SegmentPrompt], frame: Frame) -> Tensor:
        """Points and boxes of prompts that are made up alike -> ``(P, N, C)``."""
        points, labels, boxes = None, None, None
        if batch[0].points or (batch[0].box is None and self.squash):
            # SAM 2 and its descendants must see a point; one with the label for "none" stands for it.
            places = [frame.places((x, y) for x, y, _ in prompt.points) or [(0.0, 0.0)] for prompt in batch]
            kinds = [[int(include) for _, _, include in prompt.points] or [_NOTHING] for prompt in batch]
            points, labels = self._tensor(places)[None], self._tensor(kinds)[None].int()
        if batch[0].box is not None:
            ends = [frame.places([prompt.box[:2], prompt.box[2:]]) for prompt in batch if prompt.box]
            boxes = self._tensor(ends).flatten(1)[None]
        if points is None and boxes is None:
            return torch.empty((len(batch), 0, self.positions.shape[1]), device=self.device)
        return self.prompt_encoder(points, labels, boxes, None)[0][0]

    def _dense(self, batch: list[SegmentPrompt], frame: Frame) -> Tensor:
        """Masks to start from -> ``(P, C, h, w)``, or ``(1, C, 1, 1)`` when there are none."""
        none = self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        starts = [self._start(prompt, frame) for prompt in batch]
        given = [start for start in starts if start is not None]
        if not given:
            return none
        embedded = iter(self.prompt_encoder.mask_embed(self._tensor(np.stack(given))[:, None]))
        absent = none[0].expand(-1, *self.positions.shape[2:])
        return torch.stack([absent if start is None else next(embedded) for start in starts])

    def _start(self, prompt: SegmentPrompt, frame: Frame) -> FloatMap | None:
        if prompt.logits is not None:
            if prompt.logits.shape != (self.grid, self.grid):
                raise BadInput(tr("The answer to continue from is another model's."), tr("Start the selection anew."))
            return prompt.logits
        return None if prompt.mask is None else frame.start(prompt.mask, self.grid)

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=self.device)

    def _stable(self, masks: Tensor) -> Tensor:
        """For each prompt whether its first mask hardly depends on the threshold, ``(P,)`` bool.

        Where it does, SAM 2 prefers another mask.
        """
        if not getattr(self.decoder, "dynamic_multimask_via_stability", False):
            return torch.ones(len(masks), dtype=torch.bool, device=masks.device)
        delta = self.decoder.dynamic_multimask_stability_delta
        inner, outer = ((masks[:, 0] > t).flatten(1).sum(1, dtype=torch.float32) for t in (delta, -delta))
        return torch.where(outer > 0, inner / outer, 1.0) >= self.decoder.dynamic_multimask_stability_thresh


def _order(prompt: SegmentPrompt, scores: FloatMap, stable: bool) -> list[int]:
    """Indices of the four masks, best first: that for clear prompts first if this one is clear, the others by score."""
    others = sorted(range(1, len(scores)), key=lambda i: -float(scores[i]))
    continued = prompt.logits is not None or prompt.mask is not None
    clear = prompt.box is not None or len(prompt.points) > 1 or continued
    return [0, *others] if clear and stable else [*others, 0]


def attend(decoder: Any, image: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
    """The two-way transformer -> output tokens ``(P, T, C)`` in the decoder's order, image ``(P, C, h, w)``."""
    kinds = ("obj_score_token", "iou_token", "mask_tokens", "hq_token")
    own = torch.cat([getattr(decoder, kind).weight for kind in kinds if hasattr(decoder, kind)])
    count = len(sparse)
    tokens = torch.cat([own.expand(count, -1, -1), sparse], dim=1)
    queries, cells = two_way(decoder.transformer, tokens, image + dense, positions)
    return queries[:, : len(own)], cells.transpose(1, 2).unflatten(2, image.shape[2:])


def enlarge(decoder: Any, attended: Tensor, half: Tensor | None = None, quarter: Tensor | None = None) -> Tensor:
    """``(P, C, h, w)`` -> ``(P, C / 8, 4 h, 4 w)``, with the encoder's finer features added where there are any."""
    double = decoder.upscale_conv1(attended)
    double = decoder.activation(decoder.upscale_layer_norm(double if half is None else double + half))
    four = decoder.upscale_conv2(double)
    return decoder.activation(four if quarter is None else four + quarter)


def mask_weights(decoder: Any, tokens: Tensor) -> Tensor:
    """Mask tokens ``(P, M, C)`` -> each mask's weights for the channels, ``(P, M, C / 8)``."""
    return torch.stack([mlp(tokens[:, i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1)


def weigh(weights: Tensor, fine: Tensor) -> Tensor:
    """``(P, M, K)`` and ``(P, K, H, W)`` -> ``(P, M, H, W)``."""
    return (weights @ fine.flatten(2)).unflatten(2, fine.shape[2:])
