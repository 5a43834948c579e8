"""Florence-2: regions by words, for words, or just because they are there; boxes, polygons and written lines. Detector.

Xiao et al., "Florence-2: Advancing a Unified Representation for a Variety of Vision Tasks", 2023, MIT. The network is
transformers' own; its checkpoints are the converted ones (``florence-community/*``), without code, or the authors' and
what was made from those (see ``models.official_florence``), whose code is left where it is. It writes an answer, which
``models.location_tokens`` reads: by beam search and without chance, so that a question has one answer. It tells no
confidence, so every score is 1. Phrases are asked for one by one, the picture is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from maskwright.masks.polygons import polygon_logits
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import split
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection
from maskwright.models.runtime.setup import Setup
from maskwright.models.runtime.torch_runtime import nbytes, pretrained, running
from maskwright_protocol.errors import BadInput, EmptyPrompt, ModelBroken, TooLarge
from maskwright_protocol.language import tr

from . import checkpoints
from .tokens import CLOSE, OPEN, SEPARATOR, Kind, Piece, Region, parse, spell

_CELLS = 256  # of a polygon's grid along the longer side
_MARKS = {mark.name: mark for mark in (SEPARATOR, OPEN, CLOSE)}
_LOCATION = re.compile(r"<loc_(\d+)>")


class _Task(NamedTuple):
    """``question``: what the model was trained to be asked, ``{}`` for the phrase or region. ``kind`` of its answer."""

    question: str
    kind: Kind


# By the names that the option ``task`` has for them.
TASKS = {
    "grounding": _Task("Locate the phrases in the caption: {}", "box"),
    "referring": _Task("Locate {} in the image with mask", "polygon"),
    "open_vocabulary": _Task("Locate {} in the image.", "box"),
    "objects": _Task("Locate the objects with category name in the image.", "box"),
    "dense_captions": _Task("Locate the objects in the image, with their descriptions.", "box"),
    "regions": _Task("Locate the region proposals in the image.", "box"),
    "segment_region": _Task("What is the polygon mask of region {}", "polygon"),
    "ocr": _Task("What is the text in the image, with regions?", "quad"),
}


class Florence2:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        from transformers import AutoTokenizer, CLIPImageProcessorPil, Florence2ForConditionalGeneration

        told = checkpoints.described(folder)
        self.tokens: Any
        try:
            self._images = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
            if told is None:
                self.tokens = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            else:
                self.tokens = checkpoints.tokenizer(folder)
        except (OSError, ValueError, KeyError) as error:
            text = tr("The files of the model {0} cannot be read.", entry.id)
            raise ModelBroken(text, model=entry.id, reason=str(error)[:300]) from error
        if told is None:
            self.network = pretrained(Florence2ForConditionalGeneration, entry, folder, setup)
        else:
            self.network = checkpoints.network(entry, folder, told, setup)
        self._image_token = int(self.network.config.image_token_id)
        known = self.tokens.get_vocab()
        self._places = {i: int(m[1]) for token, i in known.items() if (m := _LOCATION.fullmatch(token))}
        if len(self._places) < 1000:
            text = tr("The tokenizer of the model {0} knows no places.", entry.id)
            raise ModelBroken(text, hint=tr("Use a checkpoint of florence-community."), model=entry.id)
        self._marks = {known[name]: mark for name, mark in _MARKS.items() if name in known}
        self._silent = set(self.tokens.all_special_ids) - set(self._places) - set(self._marks)
        self.model_id = entry.id
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = nbytes(self.network)

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """What the option ``task`` asks of ``image`` ``(H, W, 3)`` uint8.

        "auto" means grounding with a text and objects without one.

        Tasks that take words label what they find with the user's phrases (separated by ``;``, ``,`` or new lines); a
        phrase that is not found gives nothing. With a text "objects" and "dense_captions" keep what has one of its
        phrases in the label, and "ocr" the lines that contain one. Scores are 1.

        Raises ``EmptyPrompt``, ``BadInput``, ``TooLarge``, ``OutOfMemory``.
        """
        chosen = checked(self._options, options)
        phrases = split(text)
        name = chosen["task"] if chosen["task"] != "auto" else "grounding" if phrases else "objects"
        task = TASKS[name]
        asked = [task.question]
        if name == "segment_region":
            asked = [task.question.format(spell(_region(chosen["region"])))]
        elif "{}" in task.question:
            if not phrases:
                raise EmptyPrompt(tr("The task {0} needs words to look for.", name))
            asked = [task.question.format(phrase) for phrase in phrases]
        found: list[Detection] = []
        seen = self.look(image)
        for number, question in enumerate(asked):
            regions = parse(self.answer(seen, question, chosen["beams"], chosen["max_tokens"]), task.kind)
            label = phrases[number] if len(asked) > 1 or ("{}" in task.question and phrases) else None
            found += [_detection(region, name, label, image) for region in regions]
        if "{}" not in task.question and phrases:
            found = [d for d in found if any(phrase in (d.text or d.label).casefold() for phrase in phrases)]
        return found

    def look(self, image: RGB) -> torch.Tensor:
        """Features of the image, ``(tokens, width)``: the slow part, which serves all questions."""
        pictures = self._images(images=image, return_tensors="pt", input_data_format="channels_last")
        kind = next(self.network.parameters()).dtype
        with running(self.model_id):
            return self.network.get_image_features(pictures["pixel_values"].to(self.device, kind)).pooler_output[0]

    def answer(self, seen: torch.Tensor, question: str, beams: int, most: int) -> list[Piece]:
        """The answer to a question as words, places and marks. ``seen``: ``(tokens, width)`` of ``_look``."""
        start, end = self.tokens.bos_token_id, self.tokens.eos_token_id
        words = self.tokens(question, add_special_tokens=False)["input_ids"]
        ids = torch.tensor([[self._image_token] * len(seen) + [start, *words, end]], device=self.device)
        places = int(self.network.config.text_config.max_position_embeddings)
        if ids.shape[1] > places:
            raise TooLarge(tr("The text is too long for Florence-2."), hint=tr("Use fewer words."))
        with running(self.model_id):
            inputs = self.network.get_input_embeddings()(ids)
            inputs[0, : len(seen)] = seen.to(inputs.dtype)
            mask = torch.ones_like(ids)
            encoder = self.network.get_encoder()
            told = encoder(inputs_embeds=inputs, attention_mask=mask)
            tokens = self.network.generate(
                encoder_outputs=told,
                attention_mask=mask,
                num_beams=beams,
                do_sample=False,
                max_new_tokens=min(most, places),
            )[0]
        return self.pieces(tokens.tolist())

    def pieces(self, tokens: list[int]) -> list[Piece]:
        """Tokens as words, places and marks. Successive tokens of words are decoded together."""
        pieces: list[Piece] = []
        words: list[int] = []
        for token in [*tokens, None]:
            if token is not None and token not in self._places and token not in self._marks:
                if token not in self._silent:
                    words.append(token)
                continue
            if words:
                pieces.append(self.tokens.decode(words, skip_special_tokens=True))
                words = []
            if token is not None:
                pieces.append(self._places.get(token, self._marks.get(token, 0)))
        return pieces


def _region(text: str) -> list[float]:
    """Four numbers 0..1. Raises ``BadInput``."""
    try:
        box = [float(part) for part in text.split(",")]
    except ValueError:
        box = []
    if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
        hint = tr("Give x0,y0,x1,y1 as shares of the picture, for instance 0.25,0.1,0.75,0.9.")
        raise BadInput(tr("The task segment_region needs a region."), hint=hint, option="region")
    return box


def _detection(region: Region, task: str, label: str | None, image: RGB) -> Detection:
    height, width = image.shape[:2]
    corners = [(x * width, y * height) for x, y in region.corners]
    logits = None
    if region.polygons:
        polygons = [[(x * width, y * height) for x, y in polygon] for polygon in region.polygons]
        corners = [corner for polygon in polygons for corner in polygon]
        logits = polygon_logits(polygons, width, height, _CELLS)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    box = Box(min(xs), min(ys), max(xs), max(ys))
    if task == "ocr":
        return Detection(box, region.label, 1.0, text=region.label, quad=tuple(corners))
    name = (
        label if label is not None else region.label or {"segment_region": "region", "regions": "region"}.get(task, "")
    )
    return Detection(box, name, 1.0, logits)
