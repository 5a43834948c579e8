"""OpenCV, seen by the type checker as untyped: its stubs say of every result only that it is some array of numbers."""

from __future__ import annotations

from typing import Any

import cv2 as _cv2

cv2: Any = _cv2
