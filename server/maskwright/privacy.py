"""Switches off what libraries would report to their makers or look up there.

``maskwright`` calls it when it is imported, so that it is done in every process of ours before any of these libraries
is. What each switch was seen to do is told in ``docs/security.md``.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime 1.32 reports by default, on Linux too
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "YOLO_OFFLINE": "1",  # ultralytics: no reports, no look for updates
    "YOLO_AUTOINSTALL": "false",
    "DO_NOT_TRACK": "1",  # what several libraries agree on
}


def keep_to_ourselves() -> None:
    """Set the switches for this process and those that it starts, whatever the user's environment says."""
    os.environ.update(SWITCHES)
