"""What a user can choose from, as values and words, and the help beside the fields; the same in both editors."""

EMPTY_LAYER = "The selected layer is empty: the visible image was looked at."

LOOKS_CLOSELY = (("auto", "At small objects"), ("on", "At all objects"), ("off", "At none"))
USES_TILES = (("auto", "When nothing is found"), ("on", "Always"), ("off", "Never"))
PICKS = (("all", "All that are found"), ("best", "The best match"), ("2", "The second best"), ("3", "The third"))

PROMPT_HELP = """What to select, in words:
"dog; red car": every dog and every red car
"dog - collar": dogs without their collars
"the largest dog", "two largest dogs": by size
"second person from the left": by place
"dog #2": the second by score"""
DETECTOR_HELP = """Settings of the model that finds by name, with semicolons between:
"min_score=0.3": less sure things too
"classes=0,2", "iou=0.5", "max_det=5", "size=1280"
"task=referring", "task=ocr": what Florence-2 is to do"""
