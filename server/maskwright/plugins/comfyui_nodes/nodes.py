"""The nodes. Each takes a batch of pictures and asks the server about one after the other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from maskwright_client.scripting import Answer
from maskwright_protocol.errors import MaskwrightError

from . import host, tensors

log = logging.getLogger("maskwright")

_TEXT = ("STRING", {"default": ""})
_AUTO = ("STRING", {"default": "auto", "tooltip": "'maskwright models list' names the recipes."})
_OFF = ("BOOLEAN", {"default": False})


def _number(default: float, low: float, high: float, tooltip: str, step: float = 0.01) -> tuple[str, dict[str, Any]]:
    return "FLOAT", {"default": default, "min": low, "max": high, "step": step, "tooltip": tooltip}


_LENGTHS = {
    "grow": _number(0.0, -512, 512, "Pixels; negative shrinks.", 1.0),
    "feather": _number(0.0, 0, 512, "Blur the edge by so many pixels.", 0.5),
    "smooth": _number(0.0, 0, 512, "Round corners and jaggies up to so many pixels.", 0.5),
}
_EDGE = {
    "edge_width": _number(0.0, 0, 1024, "Width of the edge band in pixels; 0 chooses.", 1.0),
    "hair": ("BOOLEAN", {"default": False, "tooltip": "Follow hair and fur out of the band."}),
    "contrast": _number(0.0, 0, 1, "Make the edge steeper."),
    "shift_edge": _number(0.0, -1, 1, "Move the edge within its softness: inward or outward."),
}
_CROP = {"crop_factor": _number(3.0, 1, 20, "SEGS: how many times its box a thing's surroundings are.", 0.1)}
_SCORE = {"min_score": _number(-1.0, -1, 1, "Leave out finds below this score; -1 leaves it to the model.")}
_PICK = ("STRING", {"default": "all", "tooltip": "all, best, or a number in order of score."})


class _Node:
    """``ask`` answers one picture; ``give`` makes the node's outputs of all answers."""

    CATEGORY = "Maskwright"
    FUNCTION = "run"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ()
    MASKS: ClassVar[tuple[str, ...]] = ()  # inputs that are masks

    @classmethod
    def IS_CHANGED(cls, **given: Any) -> str:
        return host.models()

    def run(self, image: torch.Tensor, **given: Any) -> dict[str, Any]:
        shown = tensors.pictures(image)
        crop_factor = given.pop("crop_factor", 3.0)
        masks = {name: tensors.planes(given.pop(name, None), shown) for name in self.MASKS}
        if given.get("min_score", 0) < 0:
            given["min_score"] = None
        answers: list[Any] = []
        with host.Work(len(shown)) as work:
            for number, picture in enumerate(shown):
                planes = {name: found[number] for name, found in masks.items()}
                answers.append(self._answered(picture, {**given, **planes, "progress": work.heard}))
                work.finished_one()
        lines = [f"picture {number}: {text}" for number, one in enumerate(answers, 1) for text in _sayings(one)]
        for number, one in enumerate(answers, 1):
            if not one.found:
                log.warning("Maskwright, picture %d: %s %s", number, one.message, one.hint)
        report = "\n".join([*dict.fromkeys(_made_by(one) for one in answers if one.found), *lines])
        return {"ui": {"text": [report]}, "result": (*self.give(shown, answers, crop_factor), report)}

    def _answered(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        try:
            return self.ask(picture, given)
        except MaskwrightError as error:
            raise RuntimeError(f"{error.message} {error.hint}".strip()) from error

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        raise NotImplementedError

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        raise NotImplementedError


@dataclass
class _NoMask:
    """Stands for the answer about a picture whose mask shows nothing; others of its batch may have one."""

    mask: np.ndarray
    found = False
    message = "The mask is empty."
    hint = "It has to show something roughly."
    notes = ()


def _sayings(answer: Answer | _NoMask) -> list[str]:
    """What the user should know of an answer: above all that nothing was found."""
    return [*([] if answer.found else [f"{answer.message} {answer.hint}".strip()]), *answer.notes]


def _made_by(answer: Answer) -> str:
    return f"{len(answer.instances)} found by {' + '.join(answer.models)} on {answer.device}"


class _Found(_Node):
    """Nodes that answer with a mask and its instances; SEGS and BBOX are lists with an item a picture."""

    RETURN_TYPES = ("MASK", "SEGS", "BBOX", "STRING")
    RETURN_NAMES = ("mask", "segs", "bboxes", "report")
    OUTPUT_IS_LIST = (False, True, True, False)

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        segs = [tensors.segs(one.mask.shape, one.instances, crop_factor) for one in answers]
        return tensors.mask([one.mask for one in answers]), segs, [tensors.bboxes(one.instances) for one in answers]


class Select(_Found):
    DESCRIPTION = "Select by words, points, boxes or a mask to start from."
    MASKS = ("mask", "region")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": ("IMAGE",), "text": ("STRING", {"default": "", "tooltip": "What to select."})},
            "optional": {
                "not_": ("STRING", {"default": "", "tooltip": "What to subtract, in words."}),
                "point": ("STRING", {"default": "", "tooltip": "What is at x,y; several with blanks between."}),
                "exclude": ("STRING", {"default": "", "tooltip": "But not what is at x,y."}),
                "box": ("STRING", {"default": "", "tooltip": "What is in x,y,width,height."}),
                "bboxes": ("BBOX", {"tooltip": "What is in these boxes."}),
                "mask": ("MASK", {"tooltip": "A rough mask to start from."}),
                "region": ("MASK", {"tooltip": "Select nothing outside."}),
                "pick": _PICK,
                **_SCORE,
                "precise": (["auto", "on", "off"],),
                "tiles": (["auto", "on", "off"],),
                "recipe": _AUTO,
                **_LENGTHS,
                "fill_holes": _OFF,
                "invert": _OFF,
                **_CROP,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        boxes = [(x, y, right - x, bottom - y) for x, y, right, bottom in given.pop("bboxes", None) or ()]
        if boxes:
            given["box"] = boxes
        return host.client().select(picture, depth=16, **given)


class Parse(_Found):
    DESCRIPTION = "Parts of people: hair, clothes, the face."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        part = {"default": "hair", "tooltip": "Several with semicolons between; all parts without."}
        person = {"default": 0, "min": 0, "max": 99, "tooltip": "Only of this person, from the left; 0: of all."}
        return {
            "required": {"image": ("IMAGE",), "part": ("STRING", part)},
            "optional": {
                "per_person": _OFF,
                "person": ("INT", person),
                "whole": ("BOOLEAN", {"default": False, "tooltip": "Look at the picture as a whole, find no people."}),
                "refine": ("BOOLEAN", {"default": False, "tooltip": "Find the edges again, hair by matting."}),
                "model": _TEXT,
                **_LENGTHS,
                **_CROP,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        parts = [piece.strip() for piece in given.pop("part").split(";")]
        return host.client().parse(picture, part=parts, depth=16, **given)


class Everything(_Node):
    DESCRIPTION = "All objects, and a map of them in colours."
    RETURN_TYPES = ("IMAGE", "MASK", "SEGS", "BBOX", "STRING")
    RETURN_NAMES = ("map", "mask", "segs", "bboxes", "report")
    OUTPUT_IS_LIST = (False, False, True, True, False)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        points = {"default": 0, "min": 0, "max": 128, "tooltip": "Points along the long side; 0 chooses."}
        return {
            "required": {"image": ("IMAGE",)},
            "optional": {
                "points": ("INT", points),
                "layers": ("INT", {"default": 0, "min": 0, "max": 2, "tooltip": "Look at crops too, so often."}),
                **_SCORE,
                "min_area": _number(0.0, 0, 1e8, "Leave out objects of fewer pixels.", 1.0),
                "recipe": _AUTO,
                **_CROP,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        return host.client().everything(picture, **given)

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        maps = tensors.image([np.asarray(one.image) for one in answers])
        segs = [tensors.segs(one.labels.shape, one.instances, crop_factor) for one in answers]
        boxes = [tensors.bboxes(one.instances) for one in answers]
        return maps, tensors.mask([one.mask for one in answers]), segs, boxes


class Detect(_Node):
    DESCRIPTION = "Where things are, by name. Its SEGS are full boxes."
    RETURN_TYPES = ("BBOX", "SEGS", "STRING", "STRING")
    RETURN_NAMES = ("bboxes", "segs", "labels", "report")
    OUTPUT_IS_LIST = (True, True, True, False)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        option = {"default": "", "tooltip": "Settings of the detector, with semicolons between: iou=0.5; max_det=5"}
        return {
            "required": {"image": ("IMAGE",), "text": _TEXT},
            "optional": {
                **_SCORE,
                "tiles": (["auto", "on", "off"],),
                "recipe": _AUTO,
                "detector": _TEXT,
                "option": ("STRING", option),
                **_CROP,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        given["option"] = [piece for piece in given.pop("option", "").split(";") if piece.strip()]
        return host.client().detect(picture, **given)

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        segs = [
            tensors.segs(shown[number].shape[:2], one.instances, crop_factor, boxes_only=True)
            for number, one in enumerate(answers)
        ]
        labels = [", ".join(found.label for found in one.instances) for one in answers]
        return [tensors.bboxes(one.instances) for one in answers], segs, labels


class CutOut(_Node):
    DESCRIPTION = "Remove the background, or cut out what is named, with clean edge colours."
    RETURN_TYPES = ("IMAGE", "MASK", "BBOX", "STRING")
    RETURN_NAMES = ("image", "mask", "bboxes", "report")
    OUTPUT_IS_LIST = (False, False, True, False)
    MASKS = ("mask",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": ("IMAGE",)},
            "optional": {
                "text": ("STRING", {"default": "", "tooltip": "What to cut out; else the main subject."}),
                "not_": _TEXT,
                "mask": ("MASK", {"tooltip": "Cut out what this rough mask shows."}),
                "pick": _PICK,
                **_SCORE,
                "edges": (["auto", "matte", "refined"],),
                **_EDGE,
                **_LENGTHS,
                "transparency": ("BOOLEAN", {"default": False, "tooltip": "Keep glass and veils transparent."}),
                "shadow": ("BOOLEAN", {"default": False, "tooltip": "Keep the shadow on a plain background."}),
                "background": ("STRING", {"default": "", "tooltip": "Put this colour behind: #rrggbb"}),
                "outline": _number(0.0, 0, 512, "A border of so many pixels, as on a sticker.", 1.0),
                "colours": (["auto", "own", "fast", "best"],),
                "recipe": _AUTO,
                "model": _TEXT,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        return host.client().cutout(picture, depth=16, **given)

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        images = tensors.image([one.cutout for one in answers])
        boxes = [tensors.bboxes(one.instances) for one in answers]
        return images, tensors.mask([one.mask for one in answers]), boxes


class Refine(_Node):
    DESCRIPTION = "Give a rough mask soft, right edges, or make it ready for inpainting."
    RETURN_TYPES = ("MASK", "STRING")
    RETURN_NAMES = ("mask", "report")
    MASKS = ("mask",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": ("IMAGE",), "mask": ("MASK",)},
            "optional": {
                **_EDGE,
                **_LENGTHS,
                "invert": _OFF,
                "recipe": ("STRING", {"default": "auto", "tooltip": "auto, trimap, guided, or inpaint."}),
                "model": _TEXT,
            },
        }

    def ask(self, picture: np.ndarray, given: dict[str, Any]) -> Any:
        if given["mask"] is None:
            return _NoMask(np.zeros(picture.shape[:2], np.uint16))
        return host.client().refine(picture, depth=16, **given)

    def give(self, shown: list[np.ndarray], answers: list[Any], crop_factor: float) -> tuple[Any, ...]:
        return (tensors.mask([one.mask for one in answers]),)


_NODES: dict[str, type[_Node]] = {
    "Select": Select,
    "Cut Out": CutOut,
    "Refine": Refine,
    "Parse": Parse,
    "Everything": Everything,
    "Detect": Detect,
}
NODE_CLASS_MAPPINGS = {f"Maskwright{name.replace(' ', '')}": node for name, node in _NODES.items()}
NODE_DISPLAY_NAME_MAPPINGS = {f"Maskwright{name.replace(' ', '')}": f"Maskwright {name}" for name in _NODES}
