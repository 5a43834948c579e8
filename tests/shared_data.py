"""Where the shared models, photos and parity vectors lie; tests skip where they are absent.

``MASKWRIGHT_TEST_DATA`` names the folder that holds them; else it is ``shared`` beside the repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("MASKWRIGHT_TEST_DATA", REPOSITORY.parent / "shared"))
MODELS = SHARED / "models"
EVAL = SHARED / "eval"
PARITY = SHARED / "parity"

needs_models = pytest.mark.skipif(not (MODELS / "mobile-sam").is_dir(), reason="the shared model folder is not there")
needs_eval = pytest.mark.skipif(not (EVAL / "matting").is_dir(), reason="the photos with ground truth are not there")
needs_parity = pytest.mark.skipif(not PARITY.is_dir(), reason="the parity vectors are not there")
