"""From the arguments of a call to the messages of the wire; plain Python, no GIMP."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from maskwright_client import detector_options
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import (
    Cutout,
    Detect,
    Example,
    Job,
    Mask,
    Parse,
    Point,
    PostProcess,
    Rect,
    Refine,
    Select,
)

from . import parts, procedures

Options = Mapping[str, Any]


def post_process(options: Options) -> PostProcess:
    """The post-processing chain that the options ask for."""
    return PostProcess(
        threshold=options["threshold"] or None,
        fill_holes=options["fill-holes"],
        min_area=options["min-area"],
        smooth=options["smooth"],
        grow=options["grow"],
        feather=options["feather"],
        invert=options["invert"],
    )


def models(text: str) -> Dict[str, str]:
    """Role -> model of ``"segmenter=mobile-sam, detector=yolox-nano"``."""
    chosen: Dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        role, equals, identity = (piece.strip() for piece in part.partition("="))
        if not (role and equals and identity):
            raise BadInput(f"{part!r} does not name a role and a model.", 'Write it as "segmenter=mobile-sam".')
        chosen[role] = identity
    return chosen


def _numbers(text: str, count: int, what: str) -> List[Tuple[float, ...]]:
    found: List[Tuple[float, ...]] = []
    for group in text.replace(";", " ").split():
        try:
            values = tuple(float(piece) for piece in group.split(","))
        except ValueError:
            values = ()
        if len(values) != count:
            example = "120,80 200,95" if count == 2 else "100,50,300,200"
            raise BadInput(f"{group!r} is not {what}.", f'Write {what} as "{example}".')
        found.append(values)
    return found


def points(include: str, exclude: str) -> List[Point]:
    """The points of ``"x,y x,y"`` texts."""
    return [Point(x, y, True) for x, y in _numbers(include, 2, "a point")] + [
        Point(x, y, False) for x, y in _numbers(exclude, 2, "a point")
    ]


def boxes(text: str) -> List[Rect]:
    """The boxes of a ``"x,y,width,height ..."`` text."""
    return [Rect(x, y, width, height) for x, y, width, height in _numbers(text, 4, "a box")]


def examples(options: Options) -> List[Example]:
    """The boxes around things that are wanted, and around things that are not."""
    return [
        Example(*box, include=include)
        for name, include in (("like", True), ("unlike", False))
        for box in _numbers(options.get(name, ""), 4, "a box")
    ]


def common(options: Options, depth: int) -> Dict[str, Any]:
    """What all jobs that run a model share."""
    return {
        "recipe": options["recipe"].strip() or "auto",
        "models": models(options["models"]),
        "mask_depth": depth,
        "post": post_process(options),
    }


def looks(options: Options) -> Dict[str, Any]:
    """How closely a selection looks."""
    return {"precise": options.get("precise", "auto"), "tiles": options.get("tiles", "auto")}


def select_job(options: Options, depth: int, selection: Optional[Mask]) -> Select:
    """By words, points and boxes; the current selection limits or prompts when the options say so."""
    job = Select(
        "", merge=True, **common(options, depth), **looks(options), **detector_options.read(options.get("finding", ""))
    )
    job.text = options.get("prompt", "").strip()
    job.exclude_text = options.get("but-not", "").strip()
    job.pick = options.get("pick", "all").strip() or "all"
    job.points = points(options.get("include", ""), options.get("exclude", ""))
    job.boxes, job.examples = boxes(options.get("boxes", "")), examples(options)
    use = options.get("current-selection", "ignore")
    if use == "limit":
        job.region = selection
    elif use == "prompt" and selection is not None:
        job.boxes.append(_rect(selection))
        job.start = selection
    if not (job.text or job.detector_options or job.points or job.boxes or job.examples):
        raise EmptyPrompt("There is nothing to look for.")
    return job


def detect_job(options: Options) -> Detect:
    """Where things are."""
    how = detector_options.read(options["finding"])
    usual = {"recipe": options["recipe"].strip() or "auto", "models": models(options["models"])}
    return Detect("", text=options["prompt"].strip(), tiles=options["tiles"], **usual, **how)


def object_job(options: Options, depth: int, selection: Optional[Mask]) -> Select:
    """The object that the current selection is drawn around."""
    if selection is None:
        raise EmptyPrompt("Nothing is selected.", "Draw a rectangle or a lasso around the object first.")
    job = Select("", merge=True, pick="best", **common(options, depth), **looks(options))
    job.boxes, job.start = [_rect(selection)], selection
    return job


def edge(options: Options) -> Dict[str, Any]:
    """The settings of jobs that find an edge again."""
    return {
        "edge_width": options["edge-width"],
        "hair": options["hair"],
        "smooth": options["smooth-edge"],
        "contrast": options["contrast"],
        "shift_edge": options["shift-edge"],
    }


def refine_job(options: Options, depth: int, selection: Optional[Mask]) -> Refine:
    if selection is None:
        raise EmptyPrompt("Nothing is selected.", "Select something roughly, then refine it.")
    return Refine("", mask=selection, **edge(options), **common(options, depth))


def parts_job(options: Options, depth: int, selection: Optional[Mask]) -> Parse:
    """The parts that the options name; people are told apart when one of them is meant alone."""
    wanted = parts.read(options["parts"])
    apart = parts.people(wanted) or options["result"] == "layers"
    job = Parse("", parts=parts.names(wanted), per_person=apart, merge=not apart, **common(options, depth))
    job.refine = options["find-edges"]
    job.region = selection if options["current-selection"] == "limit" else None
    return job


def draft_of_parts(options: Options) -> Parse:
    """What there is to choose from, quickly."""
    usual = {"recipe": options["recipe"].strip() or "auto", "models": models(options["models"])}
    return Parse("", tool="parts", per_person=True, draft=True, **usual)


def inpainting_job(options: Options, depth: int, selection: Optional[Mask]) -> Refine:
    """The selection grown and feathered, and the rectangle around it that an inpainting tool should look at."""
    if selection is None:
        raise EmptyPrompt("Nothing is selected.", "Select what is to be filled anew first.")
    post = PostProcess(grow=options["grow"], feather=options["feather"])
    return Refine("", recipe="inpaint", context=options["context"], post=post, mask_depth=depth, mask=selection)


def subject_job(options: Options, depth: int) -> Cutout:
    """What stands out, as a mask."""
    return Cutout("", foreground=False, **common(options, depth))


def cutout_job(options: Options, depth: int, selection: Optional[Mask], colours: str = "") -> Cutout:
    """What the prompt means, or the subject. ``colours``: the pixel format in which the server shall send the cut-out's
    colours, empty for none."""
    job = Cutout("", foreground=bool(colours), **edge(options), **common(options, depth))
    job.text = options.get("prompt", "").strip()
    job.exclude_text = options.get("but-not", "").strip()
    job.pick = options.get("pick", "all").strip() or "all"
    job.points = points(options.get("include", ""), options.get("exclude", ""))
    job.boxes = boxes(options.get("boxes", ""))
    job.outline, job.outline_colour = options["outline"], options["outline-color"]
    job.background = options["background-color"] if options["fill-background"] else ""
    job.shadow = options["keep-shadow"]
    if options.get("current-selection", "ignore") == "prompt":
        if selection is None:
            raise EmptyPrompt("Nothing is selected.", "Draw a rectangle or a lasso around the object first.")
        job.mask = selection
    if colours:
        job.format = colours
        job.colours = "auto" if options["clean-colors"] else "own"
    return job


def needs_colours(options: Options) -> bool:
    """Whether only the server can make the cut-out's colours."""
    return bool(options["outline"] or options["fill-background"] or options["keep-shadow"])


def changed_post(options: Options) -> bool:
    """Whether any post-processing was asked for."""
    return any(options[a.name] != a.default for a in procedures.POST)


def _rect(mask: Mask) -> Rect:
    return Rect(float(mask.box.x), float(mask.box.y), float(mask.box.width), float(mask.box.height))


def job_name(job: Job) -> str:
    """What the progress bar says while nothing is known from the server."""
    if isinstance(job, Refine) and job.recipe == "inpaint":
        return "Preparing the selection"
    names = {"cutout": "Finding the subject", "refine": "Refining the selection", "parse": "Looking for people"}
    return names.get(job.TYPE, "Selecting")
