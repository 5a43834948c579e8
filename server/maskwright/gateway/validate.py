"""What must hold of a request besides the types and limits of its single fields, which the codec checks."""

from __future__ import annotations

from maskwright_protocol import bulk
from maskwright_protocol.errors import BadInput, TooLarge
from maskwright_protocol.language import tr
from maskwright_protocol.masks import MAX_MASK_PIXELS, expected_size
from maskwright_protocol.messages import ImageBegin, Job, Mask, PixelRect, Pixels, Raster


def check_job(job: Job, max_pixels: int) -> None:
    """Raises ``BadInput`` or ``TooLarge`` for a job that no worker could do."""
    if not job.id:
        raise BadInput(tr("A request has no id."))
    if job.LOOKS and not job.rasters:
        raise BadInput(tr("There is no image to work on."), tr("Open an image first."))
    if job.picture is not None:
        _check_box(job.picture.box, tr("The image is empty."))
    for raster in job.rasters:
        _check_box(raster.box, tr("A part of the image is empty."))
        check_raster(raster, max_pixels)
    for item in bulk.bulk_fields(job):
        _check_mask(item, max_pixels)


def check_raster(raster: Raster | ImageBegin, max_pixels: int) -> None:
    """Raises ``BadInput`` for a raster without pixels and ``TooLarge`` for one of more than ``max_pixels``."""
    if raster.width < 1 or raster.height < 1:
        raise BadInput(tr("The image is empty."), tr("Choose a layer that has pixels."))
    if raster.width * raster.height > max_pixels:
        raise TooLarge(tr("The image has more than {0} megapixels.", max_pixels // 1_000_000))


def _check_box(box: PixelRect, text: str) -> None:
    if box.width < 1 or box.height < 1:
        raise BadInput(text, tr("Choose a layer that has pixels."))
    if box.width * box.height > MAX_MASK_PIXELS:  # its mask could not be sent
        raise TooLarge(tr("The image has more than {0} megapixels.", MAX_MASK_PIXELS // 1_000_000))


def _check_mask(item: Mask | Pixels, max_pixels: int) -> None:
    """What the sizes alone tell; compressed data is inflated by the worker, since that may take a while."""
    size = expected_size(item)
    if item.box.width * item.box.height > max_pixels:
        raise TooLarge(tr("A mask has more than {0} megapixels.", max_pixels // 1_000_000))
    if item.encoding == "raw" and len(item.data or b"") != size:
        raise BadInput(tr("A mask has {0} bytes where its box needs {1}.", len(item.data or b""), size))
