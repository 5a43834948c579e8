"""What comes back: masks and cut-outs as arrays and Pillow images, at the picture's size, made when asked for."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

from maskwright_client import results
from maskwright_client.object_map import Lookup
from maskwright_protocol import masks
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import CutoutResult, FlatsResult, MappedObject, Mask, ObjectMap, PixelRect, Selection
from maskwright_protocol.messages import Instance as WireInstance
from maskwright_protocol.whole_file import write_whole

from . import packages
from .pictures import ArraySource

if TYPE_CHECKING:
    from PIL import Image

    from .pictures import Array

Box = Tuple[float, float, float, float]  # x, y, width, height in pixels of the picture
_GOLDEN = 0.618034  # steps of hue that keep neighbours' numbers apart


class Shape:
    """Something with a place in the picture."""

    def __init__(self, source: ArraySource) -> None:
        self._source = source

    @property
    def mask(self) -> "Array":
        """``(H, W)`` of the picture's size, 0 outside to full inside: uint8, or uint16 where ``depth=16`` was asked
        for; all 0 where nothing was found."""
        return _empty(self._source)

    @property
    def image(self) -> "Image.Image":
        """The mask as a grey Pillow image."""
        return packages.pillow().fromarray(self.mask)

    @property
    def cutout(self) -> "Array":
        """``(H, W, 4)`` uint8: the picture's own colours, the mask as straight alpha."""
        np = packages.numpy()
        pixels = self._source.pixels
        if pixels.dtype.kind == "f":
            pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
        elif pixels.dtype == np.uint16:
            pixels = (pixels // 257).astype(np.uint8)
        colours = pixels[..., :3] if pixels.shape[2] >= 3 else np.repeat(pixels[..., :1], 3, axis=-1)
        alpha = self.mask
        alpha = (alpha // 257).astype(np.uint8) if alpha.dtype == np.uint16 else alpha
        if pixels.shape[2] in (2, 4):
            alpha = (alpha.astype(np.uint16) * pixels[..., -1] // 255).astype(np.uint8)
        return np.concatenate([colours, alpha[..., None]], axis=-1)

    def save(self, path: "Union[str, os.PathLike[str]]", overwrite: bool = False) -> None:
        """Write ``image`` in the format of the suffix, whole or not at all.

        An older file is replaced, but for the picture itself unless ``overwrite``. Raises ``BadInput``.
        """
        target = os.path.realpath(os.fspath(path))
        source = self._source.path
        if not overwrite and source is not None and os.path.exists(target) and os.path.samefile(source, target):
            raise BadInput(f"{os.path.basename(target)} is the picture itself.", "Choose another name.")
        _write(self.image, target)


class Instance(Shape):
    """One found thing."""

    def __init__(self, found: WireInstance, source: ArraySource) -> None:
        super().__init__(source)
        self._wire = found.mask
        self.id = found.id
        self.label = found.label
        self.score = found.score
        self.box: Box = (found.box.x, found.box.y, found.box.width, found.box.height)
        self.text = found.text
        self.part = found.part
        self.person = found.person
        self.guesses = [Guess(one.score, one.mask, source) for one in found.alternatives if one.mask is not None]

    def __repr__(self) -> str:
        x, y, width, height = self.box
        return f"<{self.label or 'object'} {self.score:.0%}, {width:.0f} x {height:.0f} at {x:.0f}, {y:.0f}>"

    @property
    def mask(self) -> "Array":
        return _plane(self._wire, self._source)


class Guess(Shape):
    """Another way to see an instance: a part, the whole, something larger."""

    def __init__(self, score: float, found: Mask, source: ArraySource) -> None:
        super().__init__(source)
        self._wire = found
        self.score = score

    @property
    def mask(self) -> "Array":
        return _plane(self._wire, self._source)


class Answer:
    """Common to all answers; false when nothing was found, and then ``message`` and ``hint`` say why."""

    def __init__(self, wire: Any, source: ArraySource, instances: List[Instance]) -> None:
        self._wire_answer = wire
        self.instances = instances
        self.size: Tuple[int, int] = (source.height, source.width)
        self.found = not wire.reason
        self.message: str = wire.message
        self.hint: str = wire.hint
        self.recipe: str = wire.report.recipe
        self.models: List[str] = list(wire.report.models)
        self.device: str = wire.report.device
        self.timings: Dict[str, float] = dict(wire.report.timings)  # stage -> milliseconds
        self.notes: List[str] = [*source.notes, *wire.report.notes]

    def __bool__(self) -> bool:
        return self.found

    def __repr__(self) -> str:
        what = f"{len(self.instances)} found" if self.found else results.nothing_found(self._wire_answer)
        return f"<{type(self).__name__}: {what}>"

    @property
    def boxes(self) -> "Array":
        """``(N, 4)`` float64: x, y, width and height of each instance, in pixels."""
        np = packages.numpy()
        return np.array([one.box for one in self.instances], np.float64).reshape(-1, 4)


class Detection(Answer):
    """Where things are: ``instances`` have boxes, labels and scores, and no masks."""

    def __init__(self, wire: Selection, source: ArraySource) -> None:
        super().__init__(wire, source, [Instance(one, source) for one in wire.instances])


class Selected(Answer, Shape):
    """A mask, and its instances. ``agreement`` (0..1) and ``edge_method`` are a refinement's, ``context`` the box
    (x, y, width, height) that an inpainting tool should look at where one was asked for."""

    def __init__(self, wire: Selection, source: ArraySource) -> None:
        Shape.__init__(self, source)
        Answer.__init__(self, wire, source, [Instance(one, source) for one in wire.instances])
        self._wire = wire
        self.agreement = wire.agreement
        self.edge_method = wire.edge_method
        box = wire.context
        self.context = None if box is None else (box.x, box.y, box.width, box.height)

    @property
    def mask(self) -> "Array":
        planes = [_plane(one, self._source) for one in results.found(self._wire).masks] if self.found else []
        return packages.numpy().maximum.reduce(planes) if planes else _empty(self._source)


class CutOut(Answer, Shape):
    """A cut-out. ``mask`` is its alpha, ``cutout`` has the background's colour taken out of soft edges, ``image`` is
    that as a Pillow image (a mask where ``mask_only`` was asked for). With ``crop`` both show the subject's box."""

    def __init__(self, wire: CutoutResult, source: ArraySource, crop: bool) -> None:
        Shape.__init__(self, source)
        Answer.__init__(self, wire, source, [Instance(one, source) for one in wire.subjects])
        self._wire = wire
        self._crop = crop
        self.agreement = wire.agreement
        self.edge_method = wire.edge_method

    @property
    def _box(self) -> PixelRect:
        """What ``cutout`` and ``image`` show of the picture."""
        alpha = self._wire.alpha
        return alpha.box if self._crop and alpha is not None and self.found else self._source.box

    @property
    def mask(self) -> "Array":
        return _plane(self._wire.alpha if self.found else None, self._source)

    @property
    def cutout(self) -> "Array":
        np = packages.numpy()
        box, colours = self._box, self._wire.foreground
        if colours is None:
            return Shape.cutout.fget(self)[_slices(box)]  # type: ignore[attr-defined]
        canvas = np.zeros((box.height, box.width, 4), np.uint8)
        if self.found:
            part = colours.box
            pixels = np.frombuffer(masks.unpack(colours), np.uint8).reshape(part.height, part.width, 4)
            canvas[_slices(PixelRect(part.x - box.x, part.y - box.y, part.width, part.height))] = pixels
        return canvas

    @property
    def image(self) -> "Image.Image":
        only_mask = self.found and self._wire.foreground is None
        return packages.pillow().fromarray(self.mask[_slices(self._box)] if only_mask else self.cutout)


class Everything(Answer, Shape):
    """All objects of a picture. An object holds those below it: ``parents`` is the number of each one's holder, in the
    order of ``instances`` and counted from 1; 0 is none. ``mask`` is everything that belongs to any object."""

    def __init__(self, wire: ObjectMap, source: ArraySource) -> None:
        Shape.__init__(self, source)
        self._lookup = Lookup(wire, source.box)
        objects = [_Object(one, self._lookup, source) for one in wire.objects]
        Answer.__init__(self, wire, source, list(objects))
        places = {one.number: place for place, one in enumerate(wire.objects, 1)}
        self.parents = [places.get(one.parent, 0) for one in wire.objects]
        self._places = places
        self._wire = wire

    @property
    def labels(self) -> "Array":
        """``(H, W)`` uint16: the number of the smallest object at each pixel, counted from 1; 0 where there is none."""
        np = packages.numpy()
        found = self._wire.labels
        if found is None:
            return np.zeros((self._source.height, self._source.width), np.uint16)
        small = np.frombuffer(masks.unpack(found), "<u2").reshape(found.box.height, found.box.width)
        numbers = np.zeros(65536, np.uint16)
        for number, place in self._places.items():
            numbers[number] = place
        return _enlarged(numbers[small], self._source)

    @property
    def mask(self) -> "Array":
        np = packages.numpy()
        return (self.labels > 0).astype(np.uint8) * np.uint8(255)

    @property
    def image(self) -> "Image.Image":
        """The map in colours."""
        np, pillow = packages.numpy(), packages.pillow()
        colours = np.full((1, len(self.instances) + 1, 3), (0, 190, 240), np.uint8)
        colours[0, :, 0] = np.arange(colours.shape[1]) * _GOLDEN % 1.0 * 255
        palette = np.array(pillow.fromarray(colours, "HSV").convert("RGB"))[0]
        palette[0] = 0
        return pillow.fromarray(palette[self.labels])


class Flats(Answer, Shape):
    """Flat colours for the regions of line art. ``colours`` is ``(H, W, 4)`` uint8, opaque; ``image`` is that as a
    Pillow image; ``labels`` ``(H, W)`` int64 counts the regions, from 1. ``mask`` is what has a colour."""

    def __init__(self, wire: FlatsResult, source: ArraySource) -> None:
        Shape.__init__(self, source)
        Answer.__init__(self, wire, source, [])
        self._wire = wire
        self.count = wire.count
        self.gap = wire.gap

    def __repr__(self) -> str:
        what = f"{self.count} regions" if self.found else results.nothing_found(self._wire)
        return f"<{type(self).__name__}: {what}>"

    @property
    def colours(self) -> "Array":
        np = packages.numpy()
        found = self._wire.colours
        size = (self._source.height, self._source.width, 4)
        return np.zeros(size, np.uint8) if found is None else np.frombuffer(masks.unpack(found), np.uint8).reshape(size)

    @property
    def labels(self) -> "Array":
        np = packages.numpy()
        colours = np.ascontiguousarray(self.colours).view(np.uint32)[..., 0]
        return np.unique(colours, return_inverse=True)[1].reshape(colours.shape) + int(self.found)

    @property
    def mask(self) -> "Array":
        return self.colours[..., 3].copy()

    @property
    def image(self) -> "Image.Image":
        return packages.pillow().fromarray(self.colours)


class _Object(Instance):
    """An instance of an object map, which shows it at the overview's size."""

    def __init__(self, found: MappedObject, lookup: Lookup, source: ArraySource) -> None:
        super().__init__(WireInstance(found.id, found.name, found.score, found.box, ""), source)
        self._object, self._lookup = found, lookup

    @property
    def mask(self) -> "Array":
        np = packages.numpy()
        box, plane = self._lookup.shape(self._object)
        small = np.zeros((self._lookup.height, self._lookup.width), np.uint8)
        small[_slices(box)] = np.frombuffer(plane, np.uint8).reshape(box.height, box.width)
        return _enlarged(small, self._source)


# ---------------------------------------------------------------- planes


def _slices(box: PixelRect) -> Tuple[slice, slice]:
    return slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)


def _empty(source: ArraySource) -> "Array":
    np = packages.numpy()
    return np.zeros((source.height, source.width), np.uint8)


def _plane(found: Optional[Mask], source: ArraySource) -> "Array":
    """A mask of the wire in the picture's frame."""
    np = packages.numpy()
    if found is None:
        return _empty(source)
    plane = masks.place(found, source.width, source.height)
    return np.frombuffer(plane, np.uint8 if found.depth == 8 else "<u2").reshape(source.height, source.width)


def _enlarged(plane: "Array", source: ArraySource) -> "Array":
    """A plane of the overview's size at the picture's: each pixel that of the overview which its middle lies in."""
    np = packages.numpy()
    rows = (2 * np.arange(source.height) + 1) * plane.shape[0] // (2 * source.height)
    columns = (2 * np.arange(source.width) + 1) * plane.shape[1] // (2 * source.width)
    return plane[rows[:, None], columns[None, :]]


def _write(image: Any, target: str) -> None:
    suffix = os.path.splitext(target)[1]
    kind = _format(suffix)
    data = io.BytesIO()
    try:
        image.save(data, format=kind)
        write_whole(Path(target), data.getbuffer())
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(f"{target} cannot be written: {why}.", "Choose another name or format.") from error


def _format(suffix: str) -> str:
    """Pillow's name of the format. Raises ``BadInput``."""
    known: Dict[str, str] = packages.pillow().registered_extensions()
    if suffix.lower() not in known:
        raise BadInput(f"Pillow does not write {suffix or 'files without a suffix'}.", "Use for instance .png or .tif.")
    return known[suffix.lower()]
