"""What a user can choose from, as values and words, and the help beside the fields; the same in both editors."""

from maskwright_protocol.language import tr

EMPTY_LAYER = tr("The selected layer is empty: the visible image was looked at.")

LOOKS_CLOSELY = (("auto", tr("At small objects")), ("on", tr("At all objects")), ("off", tr("At none")))
USES_TILES = (("auto", tr("When nothing is found")), ("on", tr("Always")), ("off", tr("Never")))
PICKS = (
    ("all", tr("All that are found")),
    ("best", tr("The best match")),
    ("2", tr("The second best")),
    ("3", tr("The third")),
)

PROMPT_HELP = tr(
    """What to select, in words:
"dog; red car": every dog and every red car
"dog - collar": dogs without their collars
"the largest dog", "two largest dogs": by size
"second person from the left": by place
"dog #2": the second by score"""
)
DETECTOR_HELP = tr(
    """Settings of the model that finds by name, with semicolons between:
"min_score=0.3": less sure things too
"classes=0,2", "iou=0.5", "max_det=5", "size=1280"
"task=referring", "task=ocr": what Florence-2 is to do"""
)
