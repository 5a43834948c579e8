"""What Ultralytics trains besides detectors: said when such a model is added and when it is loaded. Light."""

from __future__ import annotations

INSTEAD = "Use a model that detects or segments."
OTHERS = {  # what else Ultralytics trains: the class in a .pt file, the task in an export, what it does
    ("OBBModel", "obb"): "It finds turned boxes (OBB), which Maskwright cannot use.",
    ("PoseModel", "pose"): "It finds the joints of bodies (pose), which Maskwright cannot use.",
    ("ClassificationModel", "classify"): "It names whole pictures (classify) and finds nothing in them.",
    ("SemanticModel", "semantic"): "It labels pixels and finds no objects (semantic), which Maskwright cannot use.",
    ("DepthModel", "depth"): "It tells how far things are (depth), which Maskwright cannot use.",
}


def of_another_kind(told: str) -> str:
    """What a model does that is no detector, a sentence. ``told``: its class, or the task of its export."""
    return next((what for names, what in OTHERS.items() if told in names), "It is no YOLO that detects or segments.")
