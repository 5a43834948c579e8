"""What the plug-in offers, as plain data: each procedure with its menu entry and its arguments.

The names of arguments are what scripts use; they stay. Lengths are image pixels.
"""

from typing import Any, NamedTuple, Tuple

from maskwright_client.choices import LOOKS_CLOSELY, USES_TILES


class Argument(NamedTuple):
    """One argument; ``kind`` is "string", "double", "int", "boolean", "choice" or "color" (default "#rrggbb")."""

    name: str
    kind: str
    nick: str
    blurb: str
    default: Any
    low: float = 0.0
    high: float = 0.0
    choices: Tuple[Tuple[str, str], ...] = ()  # (id, label)


class Procedure(NamedTuple):
    """``verb`` names the function of ``calls`` that does it; ``dialog`` whether an interactive call asks first."""

    name: str
    verb: str
    label: str
    menu: str
    blurb: str
    help: str
    arguments: Tuple[Argument, ...]
    dialog: bool = True
    needs_image: bool = True


SOURCES = (("layer", "Selected layer"), ("visible", "Visible image"))
MODES = (
    ("replace", "Replace"),
    ("add", "Add"),
    ("subtract", "Subtract"),
    ("intersect", "Intersect"),
)
RESULTS = (
    ("selection", "Selection"),
    ("layer-mask", "Layer mask"),
    ("layer", "New layer with alpha"),
    ("channel", "Saved channel"),
    ("layers", "One new layer per object"),
)
USES = (("ignore", "Ignore it"), ("limit", "Stay inside it"), ("prompt", "Look for the object in it"))
CUT_USES = (("ignore", "Ignore it"), ("prompt", "Cut out what is in it"))

PROMPT = Argument("prompt", "string", "_Prompt", "What to select, in words", "")
EXCLUDE_TEXT = Argument("but-not", "string", "But _not", "What to leave out, in words", "")
PICK = Argument("pick", "string", "_Objects", 'Which of the found objects: "all", "best", or a number by score', "all")
SOURCE = Argument("source", "choice", "_Look at", "What the model looks at", "layer", choices=SOURCES)
RECIPE = Argument("recipe", "string", "_Recipe", 'How to do it; "auto" takes the best that is installed', "auto")
MODELS = Argument("models", "string", "_Model", 'Models to use, as "role=id, role=id"; empty for the recipe\'s own', "")
PRECISE = Argument(
    "precise", "choice", "Look close_ly", "Look at objects again, at full resolution", "auto", choices=LOOKS_CLOSELY
)
TILES = Argument(
    "tiles", "choice", "S_mall objects", "Look for small things in overlapping tiles", "auto", choices=USES_TILES
)
DETECTOR_OPTIONS = Argument(
    "detector-options",
    "string",
    "_Settings",
    'How the detector finds things, as "min_score=0.3; classes=0,2; task=referring"',
    "",
)
USE = Argument("current-selection", "choice", "_Current selection", "What the selection is for", "ignore", choices=USES)
LIMIT = USE._replace(choices=USES[:2])
CUT_USE = USE._replace(choices=CUT_USES)
MODE = Argument("mode", "choice", "_Mode", "How to combine with what is there", "replace", choices=MODES)
EDGE = Argument("edge-width", "double", "_Edge width", "Width of the band to work on; 0 chooses it", 0.0, 0.0, 500.0)
HAIR = Argument("hair", "boolean", "_Hair and fur", "Work further out where hair or fur reaches out of the edge", False)
ROUND = Argument("smooth-edge", "double", "Smoo_th edge", "Round the outline within this", 0.0, 0.0, 100.0)
CONTRAST = Argument("contrast", "double", "_Contrast", "Make the edge steeper; 1 leaves no softness", 0.0, 0.0, 1.0)
SHIFT = Argument(
    "shift-edge", "double", "S_hift edge", "Move the edge in (-) or out within its softness", 0.0, -1.0, 1.0
)
OUTLINE = Argument("outline", "double", "_Outline", "Width of a border around the subject", 0.0, 0.0, 500.0)
OUTLINE_COLOR = Argument("outline-color", "color", "O_utline colour", "The border's colour", "#ffffff")
FILL = Argument("fill-background", "boolean", "_Fill the background", "Put a colour behind the subject", False)
BACKGROUND = Argument("background-color", "color", "_Background colour", "The colour to put behind", "#ffffff")
SHADOW = Argument("keep-shadow", "boolean", "Keep the shado_w", "Keep what the subject casts on plain ground", False)
CLEAN = Argument(
    "clean-colors", "boolean", "_Clean edge colours", "Take the background's colour out of soft edges", True
)
HIDE = Argument("hide-original", "boolean", "_Hide the original layer", "Make the original layer invisible", False)

THRESHOLD = Argument("threshold", "double", "_Threshold", "Cut hard at this alpha; 0 keeps soft edges", 0.0, 0.0, 1.0)
FILL_HOLES = Argument("fill-holes", "boolean", "_Fill holes", "Fill holes inside the objects", False)
MIN_AREA = Argument("min-area", "double", "Drop specks _under", "Remove parts smaller than this area", 0.0, 0.0, 1e6)
SMOOTH = Argument("smooth", "double", "_Smooth", "Round corners within this radius", 0.0, 0.0, 100.0)
GROW = Argument("grow", "double", "_Grow", "Grow by this; negative shrinks", 0.0, -200.0, 200.0)
FEATHER = Argument("feather", "double", "F_eather", "Soften the edge by this", 0.0, 0.0, 200.0)
INVERT = Argument("invert", "boolean", "_Invert", "Select everything else", False)

INCLUDE = Argument("include", "string", "_Include points", 'Points to include, as "x,y x,y"', "")
EXCLUDE = Argument("exclude", "string", "_Exclude points", 'Points to exclude, as "x,y x,y"', "")
BOXES = Argument("boxes", "string", "_Boxes", 'Boxes around objects, as "x,y,width,height ..."', "")
LIKE = Argument("like", "string", "_Like", 'All that is like what is in these boxes, "x,y,width,height ..."', "")
UNLIKE = Argument("unlike", "string", "_Unlike", 'But nothing like this, as "x,y,width,height ..."', "")

PARTS = Argument(
    "parts",
    "string",
    "_Parts",
    'Parts or groups of parts, as "hair; all clothes"; "hair #2" is the second person\'s',
    "",
)
EXACT = Argument("find-edges", "boolean", "Find the edges _exactly", "At full resolution, hair by matting", True)

FILL_GROW = Argument("grow", "double", "_Grow", "Grow by this; 0 chooses by the selection's size", 0.0, 0.0, 500.0)
FILL_FEATHER = Argument("feather", "double", "_Feather", "Soften by this; 0 chooses by size", 0.0, 0.0, 200.0)
CONTEXT = Argument(
    "context",
    "double",
    "_Context",
    "Save the surroundings too, so many times the selection's size; 0 does not",
    0.5,
    0,
    4,
)

ACTIONS = (("status", "Show"), ("start", "Start the server"), ("stop", "Stop the server"))
ACTION = Argument("action", "choice", "_Action", "What to do", "status", choices=ACTIONS)

POST = (THRESHOLD, FILL_HOLES, MIN_AREA, SMOOTH, GROW, FEATHER, INVERT)
EDGES = (EDGE, HAIR, ROUND, CONTRAST, SHIFT)
EDGE_NAMES = tuple(argument.name for argument in EDGES)
LOOKS = (OUTLINE, OUTLINE_COLOR, FILL, BACKGROUND, SHADOW)
LOOK_NAMES = tuple(argument.name for argument in LOOKS)
POST_NAMES = tuple(argument.name for argument in POST)


def _result(default: str, *allowed: str) -> Argument:
    choices = tuple(choice for choice in RESULTS if not allowed or choice[0] in allowed)
    return Argument("result", "choice", "_Put it in", "What is made of the answer", default, choices=choices)


ALL: Tuple[Procedure, ...] = (
    Procedure(
        "maskwright-select-by-prompt",
        "select_by_prompt",
        "By P_rompt...",
        "<Image>/Select",
        "Select what you name",
        "Finds what the prompt names and selects it, with soft edges.",
        (
            *(PROMPT, EXCLUDE_TEXT, PICK, SOURCE, RECIPE, MODELS, DETECTOR_OPTIONS, PRECISE, TILES, USE, MODE),
            *(_result("selection"), *POST),
        ),
    ),
    Procedure(
        "maskwright-select-subject",
        "select_subject",
        "Sub_ject",
        "<Image>/Select",
        "Select the subject of the picture",
        "Selects what stands out from the background.",
        (SOURCE, RECIPE, MODELS, MODE, _result("selection", "selection", "layer-mask", "layer", "channel"), *POST),
        dialog=False,
    ),
    Procedure(
        "maskwright-select-object",
        "select_object",
        "_Object from Selection",
        "<Image>/Select",
        "Tighten a rough selection to the object in it",
        "Takes the current selection (a rectangle or a lasso) as a hint and selects the object in it.",
        (SOURCE, RECIPE, MODELS, PRECISE, MODE, _result("selection"), *POST),
        dialog=False,
    ),
    Procedure(
        "maskwright-select-refine",
        "select_refine",
        "R_efine...",
        "<Image>/Select",
        "Make the edge of the selection fit the picture",
        "Looks at the picture in a band around the selection's edge and finds the soft edge there.",
        (*EDGES, SOURCE, RECIPE, MODELS, _result("selection", "selection", "layer-mask", "layer", "channel"), *POST),
    ),
    Procedure(
        "maskwright-select-parts",
        "select_parts",
        "Clothes, Face and _Body Parts...",
        "<Image>/Select",
        "Select hair, clothes, faces or parts of them",
        "Finds the people in the picture and selects the parts of them that are named or ticked.",
        (PARTS, EXACT, SOURCE, RECIPE, MODELS, LIMIT, MODE, _result("selection"), *POST),
    ),
    Procedure(
        "maskwright-prepare-inpainting",
        "prepare_inpainting",
        "Prepare for _Inpainting...",
        "<Image>/Select",
        "Make the selection ready to be filled by an inpainting tool",
        "Grows and feathers the selection, and saves the rectangle around it that an inpainting tool should look at.",
        (FILL_GROW, FILL_FEATHER, CONTEXT, SOURCE),
    ),
    Procedure(
        "maskwright-remove-background",
        "remove_background",
        "Remove _Background to New Layer",
        "<Image>/Layer/Transparency",
        "Cut the subject out into a new layer",
        "Makes a new layer with the subject and soft, clean edges. The original layer is kept.",
        (
            *(SOURCE, RECIPE, MODELS, _result("layer", "layer", "layer-mask", "selection"), CLEAN, HIDE),
            *(*EDGES, *LOOKS, *POST),
        ),
        dialog=False,
    ),
    Procedure(
        "maskwright-cut-out",
        "cut_out",
        "_Cut Out by Prompt...",
        "<Image>/Layer/Transparency",
        "Cut what you name out into a new layer",
        "Finds what the prompt names and makes a new layer of it, with soft, clean edges. Without a prompt the subject "
        "is cut out. The original layer is kept.",
        (
            *(PROMPT, EXCLUDE_TEXT, PICK, INCLUDE, EXCLUDE, BOXES, SOURCE, RECIPE, MODELS, CUT_USE),
            *(_result("layer", "layer", "layer-mask", "selection", "channel"), CLEAN, HIDE, *EDGES, *LOOKS, *POST),
        ),
    ),
    Procedure(
        "maskwright-mask-from-prompt",
        "select_by_prompt",
        "Add Mask from Pro_mpt...",
        "<Image>/Layer/Mask",
        "Show only what you name, by a layer mask",
        "Finds what the prompt names and makes a layer mask of it. An existing mask is combined.",
        (
            *(PROMPT, EXCLUDE_TEXT, PICK, SOURCE, RECIPE, MODELS, DETECTOR_OPTIONS, PRECISE, TILES, USE, MODE),
            *(_result("layer-mask"), *POST),
        ),
    ),
    Procedure(
        "maskwright-click-to-select",
        "click_to_select",
        "_Click to Select...",
        "<Image>/Filters/Maskwright",
        "Click on what you want",
        "Click to include, Shift-click to exclude, drag a box. Scripts give points, boxes and examples as arguments.",
        (
            INCLUDE,
            EXCLUDE,
            BOXES,
            LIKE,
            UNLIKE,
            PROMPT,
            SOURCE,
            RECIPE,
            MODELS,
            PRECISE,
            TILES,
            USE,
            MODE,
            _result("selection"),
            *POST,
        ),
    ),
    Procedure(
        "maskwright-detect",
        "detect",
        "_Find by Name...",
        "<Image>/Filters/Maskwright",
        "Tell where things are, without selecting them",
        "Finds what the prompt names, or lines of writing, and tells their boxes: in the report's instances, and in a "
        "message. The image stays as it is.",
        (PROMPT, SOURCE, RECIPE, MODELS, DETECTOR_OPTIONS, TILES),
    ),
    Procedure(
        "maskwright-server",
        "server",
        "_Server and Models...",
        "<Image>/Filters/Maskwright",
        "See, start and stop the server; see the models",
        "Shows the server's state and the installed models.",
        (ACTION,),
        needs_image=False,
    ),
)

BY_NAME = {procedure.name: procedure for procedure in ALL}
