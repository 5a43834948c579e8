"""Photos that come with installed packages, and what is on them."""

from __future__ import annotations

from pathlib import Path

import skimage

from maskwright_protocol import messages

PHOTO = Path(skimage.__file__).parent / "data" / "astronaut.png"


BOX = messages.Rect(12, 4, 442, 508)
