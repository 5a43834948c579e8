"""What the plug-in offers, as plain data: each procedure with its menu entry and its arguments.

The names of arguments are what scripts use; they stay. Lengths are image pixels.
"""

from typing import Any, NamedTuple, Tuple

from maskwright_client.choices import LOOKS_CLOSELY, USES_TILES
from maskwright_protocol.language import tr


class Argument(NamedTuple):
    """One argument; ``kind`` is "string", "double", "boolean", "choice" or "color" (default "#rrggbb")."""

    name: str
    kind: str
    nick: str
    blurb: str
    default: Any
    low: float = 0.0
    high: float = 0.0
    choices: Tuple[Tuple[str, str], ...] = ()  # (id, label)


class Procedure(NamedTuple):
    """``dialog``: whether an interactive call asks first."""

    name: str
    label: str
    menu: str
    blurb: str
    help: str
    arguments: Tuple[Argument, ...]
    dialog: bool = True
    needs_image: bool = True
    recipe: str = ""  # the saved recipe that it runs
    more_menus: Tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """What it does, as ``options`` and ``run_procedure`` name it."""
        if self.recipe:
            return "run_recipe"
        return self.name[len("maskwright-") :].replace("-", "_")


def _text(name: str, nick: str, blurb: str, default: str = "") -> Argument:
    return Argument(name, "string", nick, blurb, default)


def _switch(name: str, nick: str, blurb: str, default: bool = False) -> Argument:
    return Argument(name, "boolean", nick, blurb, default)


def _number(name: str, nick: str, blurb: str, low: float, high: float, default: float = 0.0) -> Argument:
    return Argument(name, "double", nick, blurb, default, low, high)


def _choice(name: str, nick: str, blurb: str, choices: Tuple[Tuple[str, str], ...], default: str = "") -> Argument:
    """Without a default it is the first choice."""
    return Argument(name, "choice", nick, blurb, default or choices[0][0], choices=choices)


def _result(default: str, *allowed: str) -> Argument:
    choices = tuple(choice for choice in RESULTS if not allowed or choice[0] in allowed)
    return _choice("result", tr("_Put it in"), tr("What is made of the answer"), choices, default)


SOURCES = (("layer", tr("Selected layer")), ("visible", tr("Visible image")))
MODES = (("replace", tr("Replace")), ("add", tr("Add")), ("subtract", tr("Subtract")), ("intersect", tr("Intersect")))
RESULTS = (
    ("selection", tr("Selection")),
    ("layer-mask", tr("Layer mask")),
    ("layer", tr("New layer with alpha")),
    ("channel", tr("Saved channel")),
    ("layers", tr("Group of layers, one per object")),
    ("path", tr("Path")),
)
SHOWN_AS = (
    ("tell", tr("Nothing: only show where")),
    ("guides", tr("Guides along their boxes")),
    ("path", tr("Path of their outlines")),
    ("selection", tr("Selection of their boxes")),
)
USES = (("ignore", tr("Ignore it")), ("limit", tr("Stay inside it")), ("prompt", tr("Look for the object in it")))
CUT_USES = (("ignore", tr("Ignore it")), ("prompt", tr("Cut out what is in it")))
ACTIONS = (("status", tr("Show")), ("start", tr("Start the server")), ("stop", tr("Stop the server")))

PROMPT = _text("prompt", tr("_Prompt"), tr("What to select, in words"))
EXCLUDE_TEXT = _text("but-not", tr("But _not"), tr("What to leave out, in words"))
PICK = _text("pick", tr("_Objects"), tr('Which of the found objects: "all", "best", or a number by score'), "all")
SOURCE = _choice("source", tr("_Look at"), tr("What the model looks at"), SOURCES)
RECIPE = _text("recipe", tr("_Recipe"), tr('How to do it; "auto" takes the best that is installed'), "auto")
MODELS = _text("models", tr("_Model"), tr('Models to use, as "role=id, role=id"; empty for the recipe\'s own'))
PRECISE = _choice("precise", tr("Look close_ly"), tr("Look at objects again, at full resolution"), LOOKS_CLOSELY)
TILES = _choice("tiles", tr("S_mall objects"), tr("Look for small things in overlapping tiles"), USES_TILES)
DETECTOR_OPTIONS = _text(
    "detector-options",
    tr("Fine tunin_g"),
    tr('How the detector finds things, as "min_score=0.3; classes=0,2; task=referring"'),
)
LEAST_SCORE = _number(
    "least-score",
    tr("Least _score"),
    tr("Leave out what the model is less sure of; 0 leaves it to the model"),
    0.0,
    1.0,
)
USE = _choice("current-selection", tr("_Current selection"), tr("What the selection is for"), USES)
LIMIT = USE._replace(choices=USES[:2])
CUT_USE = USE._replace(choices=CUT_USES)
MODE = _choice("mode", tr("_Mode"), tr("How to combine with what is there"), MODES)
SHOW = _choice("result", tr("_Put it in"), tr("What is made of the boxes"), SHOWN_AS)
EDGE = _number("edge-width", tr("_Edge width"), tr("Width of the band to work on; 0 chooses it"), 0.0, 500.0)
HAIR = _switch("hair", tr("_Hair and fur"), tr("Work further out where hair or fur reaches out of the edge"))
ROUND = _number("smooth-edge", tr("Smoo_th edge"), tr("Round the outline within this"), 0.0, 100.0)
CONTRAST = _number("contrast", tr("_Contrast"), tr("Make the edge steeper; 1 leaves no softness"), 0.0, 1.0)
SHIFT = _number("shift-edge", tr("S_hift edge"), tr("Move the edge in (-) or out within its softness"), -1.0, 1.0)
OUTLINE = _number("outline", tr("_Outline"), tr("Width of a border around the subject"), 0.0, 500.0)
OUTLINE_COLOR = Argument("outline-color", "color", tr("O_utline colour"), tr("The border's colour"), "#ffffff")
FILL = _switch("fill-background", tr("_Fill the background"), tr("Put a colour behind the subject"))
BACKGROUND = Argument("background-color", "color", tr("_Background colour"), tr("The colour to put behind"), "#ffffff")
SHADOW = _switch("keep-shadow", tr("Keep the shado_w"), tr("Keep what the subject casts on plain ground"))
CLEAN = _switch("clean-colors", tr("_Clean edge colours"), tr("Take the background's colour out of soft edges"), True)
HIDE = _switch("hide-original", tr("_Hide the original layer"), tr("Make the original layer invisible"))

THRESHOLD = _number("threshold", tr("_Threshold"), tr("Cut hard at this alpha; 0 keeps soft edges"), 0.0, 1.0)
FILL_HOLES = _switch("fill-holes", tr("_Fill holes"), tr("Fill holes inside the objects"))
MIN_AREA = _number("min-area", tr("Drop specks _under"), tr("Remove parts smaller than this area"), 0.0, 1e6)
SMOOTH = _number("smooth", tr("_Smooth"), tr("Round corners within this radius"), 0.0, 100.0)
GROW = _number("grow", tr("_Grow"), tr("Grow by this; negative shrinks"), -200.0, 200.0)
FEATHER = _number("feather", tr("F_eather"), tr("Soften the edge by this"), 0.0, 200.0)
INVERT = _switch("invert", tr("_Invert"), tr("Select everything else"))

INCLUDE = _text("include", tr("_Include points"), tr('Points to include, as "x,y x,y"'))
EXCLUDE = _text("exclude", tr("_Exclude points"), tr('Points to exclude, as "x,y x,y"'))
BOXES = _text("boxes", tr("_Boxes"), tr('Boxes around objects, as "x,y,width,height ..."'))
LIKE = _text("like", tr("_Like"), tr('All that is like what is in these boxes, "x,y,width,height ..."'))
UNLIKE = _text("unlike", tr("_Unlike"), tr('But nothing like this, as "x,y,width,height ..."'))

PARTS = _text(
    "parts", tr("_Parts"), tr('Parts or groups of parts, as "hair; all clothes"; "hair #2" is the second person\'s')
)
EXACT = _switch("find-edges", tr("Find the edges _exactly"), tr("At full resolution, hair by matting"), True)

FILL_GROW = _number("grow", tr("_Grow"), tr("Grow by this; 0 chooses by the selection's size"), 0.0, 500.0)
FILL_FEATHER = _number("feather", tr("_Feather"), tr("Soften by this; 0 chooses by size"), 0.0, 200.0)
CONTEXT = _number(
    "context",
    tr("_Context"),
    tr("Save the surroundings too, so many times the selection's size; 0 does not"),
    0.0,
    4.0,
    0.5,
)
ACTION = _choice("action", tr("_Action"), tr("What to do"), ACTIONS)

SCOPES = (("image", tr("This image")), ("images", tr("All open images")), ("layers", tr("All layers of this image")))
RECIPE_NAME = _text("recipe", tr("_Recipe"), tr("A saved recipe"))
RUN_ON = _choice("run-on", tr("Run _on"), tr("What to run it on"), SCOPES)
NAME = _text("title", tr("_Name"), tr("What to call it"))
DESCRIPTION = _text("description", tr("_Description"), tr("What it is for"))
REPLACE = _switch("replace", tr("Re_place"), tr("Replace the recipe of that name"))

POST = (THRESHOLD, FILL_HOLES, MIN_AREA, SMOOTH, GROW, FEATHER, INVERT)
EDGES = (EDGE, HAIR, ROUND, CONTRAST, SHIFT)
LOOKS = (OUTLINE, OUTLINE_COLOR, FILL, BACKGROUND, SHADOW)
EDGE_NAMES, LOOK_NAMES, POST_NAMES = (tuple(one.name for one in group) for group in (EDGES, LOOKS, POST))
HOW = (SOURCE, RECIPE, MODELS)
BY_PROMPT = (PROMPT, EXCLUDE_TEXT, PICK, *HOW, LEAST_SCORE, DETECTOR_OPTIONS, PRECISE, TILES, USE, MODE)

SELECT, MASK = "<Image>/Select", "<Image>/Layer/Mask"
TRANSPARENCY, OWN_MENU = "<Image>/Layer/Transparency", "<Image>/Filters/Maskwright"

# Of each procedure its name, label and menu; what it does, in short and at length; and its arguments.
ALL: Tuple[Procedure, ...] = (
    Procedure(
        "maskwright-select-by-prompt", tr("B_y Prompt..."), SELECT,
        tr("Select what you name"),
        tr("Finds what the prompt names and selects it, with soft edges."),
        (*BY_PROMPT, _result("selection"), *POST),
    ),
    Procedure(
        "maskwright-select-subject", tr("S_ubject"), SELECT,
        tr("Select the subject of the picture"),
        tr("Selects what stands out from the background."),
        (*HOW, MODE, _result("selection", "selection", "layer-mask", "layer", "channel"), *POST),
        dialog=False,
    ),
    Procedure(
        "maskwright-select-object", tr("Ob_ject from Selection"), SELECT,
        tr("Tighten a rough selection to the object in it"),
        tr("Takes the current selection (a rectangle or a lasso) as a hint and selects the object in it."),
        (*HOW, PRECISE, MODE, _result("selection"), *POST),
        dialog=False,
    ),
    Procedure(
        "maskwright-select-refine", tr("Re_fine..."), SELECT,
        tr("Make the edge of the selection fit the picture"),
        tr("Looks at the picture in a band around the selection's edge and finds the soft edge there."),
        (*EDGES, *HOW, _result("selection", "selection", "layer-mask", "layer", "channel"), *POST),
    ),
    Procedure(
        "maskwright-select-parts", tr("C_lothes, Face and Body Parts..."), SELECT,
        tr("Select hair, clothes, faces or parts of them"),
        tr("Finds the people in the picture and selects the parts of them that are named or ticked."),
        (PARTS, EXACT, *HOW, LIMIT, MODE, _result("selection"), *POST),
    ),
    Procedure(
        "maskwright-prepare-inpainting", tr("Prepare f_or Inpainting..."), SELECT,
        tr("Make the selection ready to be filled by an inpainting tool"),
        tr("Grows and feathers the selection, and saves the rectangle around it that an inpainting tool should look "
           "at."),
        (FILL_GROW, FILL_FEATHER, CONTEXT, SOURCE),
    ),
    Procedure(
        "maskwright-remove-background", tr("Remove _Background to New Layer"), TRANSPARENCY,
        tr("Cut the subject out into a new layer"),
        tr("Makes a new layer with the subject and soft, clean edges. The original layer is kept and hidden."),
        (*HOW, _result("layer", "layer", "layer-mask", "selection"), CLEAN, HIDE._replace(default=True), *EDGES, *LOOKS,
         *POST),
        dialog=False,
    ),
    Procedure(
        "maskwright-cut-out", tr("_Cut Out by Prompt..."), TRANSPARENCY,
        tr("Cut what you name out into a new layer"),
        tr("Finds what the prompt names and makes a new layer of it, with soft, clean edges. Without a prompt the "
           "subject is cut out. The original layer is kept."),
        (PROMPT, EXCLUDE_TEXT, PICK, INCLUDE, EXCLUDE, BOXES, *HOW, CUT_USE,
         _result("layer", "layer", "layer-mask", "selection", "channel"), CLEAN, HIDE, *EDGES, *LOOKS, *POST),
    ),
    Procedure(
        "maskwright-mask-from-prompt", tr("Add Mask from Pro_mpt..."), MASK,
        tr("Show only what you name, by a layer mask"),
        tr("Finds what the prompt names and makes a layer mask of it. An existing mask is combined."),
        (*BY_PROMPT, _result("layer-mask"), *POST),
    ),
    Procedure(
        "maskwright-click-to-select", tr("Clic_k to Select..."), OWN_MENU,
        tr("Click on what you want"),
        tr("Click to include, Ctrl-click to exclude, Shift-click for a further object, drag a box. Scripts give "
           "points, boxes and examples as arguments."),
        (INCLUDE, EXCLUDE, BOXES, LIKE, UNLIKE, PROMPT, *HOW, PRECISE, TILES, USE, MODE, _result("selection"), *POST),
        more_menus=(SELECT, "<Image>/Tools"),
    ),
    Procedure(
        "maskwright-detect", tr("_Find by Name..."), OWN_MENU,
        tr("Show where things are, and mark them by guides, a path or a selection"),
        tr("Finds what the prompt names, or lines of writing, and tells their boxes: in the picture, and in the "
           "report's instances. The image stays as it is unless guides, a path or a selection are asked for."),
        (PROMPT, *HOW, LEAST_SCORE, DETECTOR_OPTIONS, TILES, MODE, SHOW),
    ),
    Procedure(
        "maskwright-run-recipe", tr("_Run Recipe..."), OWN_MENU,
        tr("Run a saved recipe"),
        tr("Runs a recipe on this image, on each of its layers, or on all open images; one undo step for each image."),
        (RECIPE_NAME, RUN_ON),
    ),
    Procedure(
        "maskwright-save-recipe", tr("Save _Last as Recipe..."), OWN_MENU,
        tr("Keep what was done last, for other images"),
        tr("Saves the last selection or cut-out of this plug-in, with all its settings, as a recipe."),
        (NAME, DESCRIPTION, REPLACE),
        needs_image=False,
    ),
    Procedure(
        "maskwright-copy-command", tr("C_opy Last as Command"), OWN_MENU,
        tr("Copy the command that does the same with files"),
        tr("Tells the command line that does with files what this plug-in did last."),
        (),
        dialog=False,
        needs_image=False,
    ),
    Procedure(
        "maskwright-server", tr("_Server and Models..."), OWN_MENU,
        tr("See, start and stop the server; see the models"),
        tr("Shows the server's state and the installed models."),
        (ACTION,),
        needs_image=False,
    ),
)  # fmt: skip

BY_NAME = {procedure.name: procedure for procedure in ALL}


def of_recipe(name: str, recipe: str, title: str, description: str) -> Procedure:
    """The procedure of that name for a saved recipe."""
    blurb = description or tr("Run the recipe {0}", title)
    label = title.replace("_", "__")
    return Procedure(name, label, f"{OWN_MENU}/Recipes", blurb, blurb, (RUN_ON,), dialog=False, recipe=recipe)
