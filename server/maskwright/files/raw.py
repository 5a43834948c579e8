"""Camera raw, developed by LibRaw where ``rawpy`` is installed."""

from __future__ import annotations

import importlib.util
import io

from .picture import Stored, Unreadable, check_frame, check_size


def read(data: bytes, frame: int) -> Stored:
    """Developed with the camera's white balance, 16 bits, sRGB, upright. Raises ``Unreadable`` and ``ValueError``."""
    check_frame(frame, 1)
    if importlib.util.find_spec("rawpy") is None:
        raise Unreadable(
            "it is camera raw, and no raw decoder is installed",
            'Install one with: pip install "maskwright[raw]", or develop it to TIFF or JPEG first.',
        )
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as photo:
            check_size(photo.sizes.raw_width, photo.sizes.raw_height)
            pixels = photo.postprocess(use_camera_wb=True, output_bps=16)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else "unknown"
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"it is camera raw that the decoder refuses ({reason})") from None
    return Stored(pixels, "rgb", is_srgb=True)
