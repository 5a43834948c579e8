"""Bytes -> a checked message. pydantic models are derived from the protocol's dataclasses, with limits by type."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import Annotated, Any, Union

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from maskwright_protocol import codec
from maskwright_protocol.errors import BadInput, BadMessage, MaskwrightError, TooLarge
from maskwright_protocol.masks import expected_size
from maskwright_protocol.messages import CLIENT_MESSAGES, PRIORITIES, ImageBegin, Job, Mask, Message, Pixels, Raster
from maskwright_protocol.pixels import FORMATS, TRANSFERS

MAX_COORDINATE = 1e7
MAX_TEXT = 1000
MAX_LIST = 4096
_VALUE_ERRORS = ("finite_number", "greater_than", "less_than", "string_too_long", "too_long")


def parse(data: bytes, max_size: int) -> Message:
    """The message. Raises ``TooLarge``, ``BadMessage`` (not of this protocol) or ``BadInput`` (unusable values)."""
    value = codec.decode_map(data, max_size)
    kind = value["type"]
    if kind not in CLIENT_MESSAGES:
        raise BadMessage(f"Messages of type {kind[:40]!r} are not known.")
    cls = CLIENT_MESSAGES[kind]
    try:
        _model_of(cls).model_validate(value)
    except ValidationError as error:
        raise _as_our_error(error) from None
    del value["type"]
    message = codec.build(cls, value, kind)
    if isinstance(message, Job):
        _check_job(message)
    return message


def check_raster(raster: Raster | ImageBegin, max_pixels: int) -> None:
    """Raises ``BadInput`` or ``TooLarge`` for a raster that cannot be."""
    if raster.format not in FORMATS:
        raise BadInput(f"The pixel format {raster.format[:20]!r} is not known.")
    if raster.transfer not in TRANSFERS:
        raise BadInput(f"The transfer curve {raster.transfer[:20]!r} is not known.")
    if raster.width < 1 or raster.height < 1:
        raise BadInput("The image is empty.", "Choose a layer that has pixels.")
    if raster.width * raster.height > max_pixels:
        raise TooLarge(f"The image has more than {max_pixels // 1_000_000} megapixels.")


def check_mask(item: Mask | Pixels, max_pixels: int) -> None:
    """Raises ``BadInput`` or ``TooLarge`` for what a look at the sizes alone shows to be wrong."""
    size = expected_size(item)
    if item.box.width * item.box.height > max_pixels:
        raise TooLarge(f"A mask has more than {max_pixels // 1_000_000} megapixels.")
    if item.encoding == "raw" and len(item.data or b"") != size:
        raise BadInput(f"A mask has {len(item.data or b'')} bytes where its box needs {size}.")


def _check_job(job: Job) -> None:
    if job.priority not in PRIORITIES:
        raise BadInput(f"The priority {job.priority[:20]!r} is not known.")
    if job.mask_depth not in (8, 16):
        raise BadInput("Masks have 8 or 16 bits.")
    if job.deadline_s < 0:
        raise BadInput("The deadline is in the past.")
    if job.picture is None or not job.picture.rasters:
        raise BadInput("There is no image to work on.", "Open an image first.")
    if job.picture.box.width < 1 or job.picture.box.height < 1:
        raise BadInput("The image is empty.", "Choose a layer that has pixels.")
    for raster in job.picture.rasters:
        if raster.box.width < 1 or raster.box.height < 1:
            raise BadInput("A part of the image is empty.", "Choose a layer that has pixels.")


@cache
def _model_of(cls: type) -> type[BaseModel]:
    hints = typing.get_type_hints(cls)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.default_factory is not dataclasses.MISSING:
            default = Field(default_factory=field.default_factory)
        else:
            default = ... if field.default is dataclasses.MISSING else field.default
        fields[field.name] = (_constrained(hints[field.name]), default)
    return create_model(cls.__name__, __config__=ConfigDict(strict=True, extra="ignore"), **fields)


def _constrained(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Union:
        return Union[tuple(_constrained(a) for a in arguments)]  # noqa: UP007 - built at run time
    if origin is list:
        return Annotated[list[_constrained(arguments[0])], Field(max_length=MAX_LIST)]
    if origin is dict:
        return Annotated[dict[_constrained(arguments[0]), _constrained(arguments[1])], Field(max_length=64)]
    if dataclasses.is_dataclass(hint):
        return _model_of(typing.cast(type, hint))
    if hint is float:
        return Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE, allow_inf_nan=False)]
    if hint is int:
        return Annotated[int, Field(ge=-(2**31), le=2**31)]
    if hint is str:
        return Annotated[str, Field(max_length=MAX_TEXT)]
    return hint


def _as_our_error(error: ValidationError) -> MaskwrightError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"].startswith(_VALUE_ERRORS):
        return BadInput(f"The value of {where} cannot be used: {first['msg']}.")
    return BadMessage(f"The field {where} of a message is wrong: {first['msg']}.")
