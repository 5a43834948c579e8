"""The verbs: what a script asks, in the words of the command line's flags (``not_`` is ``--not``).

``point``, ``box`` and their like take one tuple, several, or text as the command line does; ``scribble``, ``lasso``
and their like one line or several, each a list of places or such a text. A mask is an array, a
Pillow image, a file or an answer. Lengths are pixels; scores are 0 to 1.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from maskwright_client import coordinates
from maskwright_client.body_parts import BodyPart
from maskwright_client.jobs import Cut, Edge, JobOptions, Prompt
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import (
    Cutout,
    Detect,
    Distance,
    Example,
    Job,
    Mask,
    Point,
    Rect,
    Refine,
    Select,
    Stroke,
)

from .answers import CutOut, Detection, Everything, Flats, Selected
from .pictures import ArraySource

if TYPE_CHECKING:
    from .pictures import Picture

A = TypeVar("A")
Progress = Callable[[str, float], None]  # a sentence, and how much is done, 0..1
Numbers = Union[str, Sequence[float], Sequence[Sequence[float]]]
Lines = Union[str, Sequence[str], Sequence[Sequence[float]], Sequence[Sequence[Sequence[float]]]]
Settings = Union[Mapping[str, Any], Sequence[str], None]
ReadMask = Callable[[Any], Mask]


@dataclass
class Question(Generic[A]):
    """A verb with its picture. ``job`` builds the request, given what reads masks of the picture's size."""

    image: "Picture"
    job: Callable[[ReadMask], Job]
    answer: Callable[[Any, ArraySource], A]
    progress: Optional[Progress]


def select(
    image: "Picture", *, text: str = "", not_: str = "", point: Numbers = (), exclude: Numbers = (), box: Numbers = (),
    scribble: Lines = (), exclude_scribble: Lines = (), lasso: Lines = (), exclude_lasso: Lines = (),
    like: Numbers = (), unlike: Numbers = (), mask: Any = None, region: Any = None, nearer: Numbers = (),
    farther: Numbers = (), as_far: Numbers = (), range: Numbers = (), softness: float = 2.0,
    gap: Optional[float] = None, recipe: str = "auto",
    pick: Union[str, int] = "all", min_score: Optional[float] = None, precise: str = "auto", tiles: str = "auto",
    detector: str = "", segmenter: str = "", option: Settings = None, threshold: Optional[float] = None,
    grow: float = 0.0, feather: float = 0.0, smooth: float = 0.0, fill_holes: bool = False, min_area: float = 0.0,
    invert: bool = False, depth: int = 8, guesses: int = 0, progress: Optional[Progress] = None,
) -> Question[Selected]:  # fmt: skip
    """Select by words, points, strokes, boxes, examples, a mask to start from, or by distance."""
    options = JobOptions(
        recipes={"select": recipe}, models=_models(detector=detector, segmenter=segmenter),
        detector_options=_settings(option), precise=precise, tiles=tiles, threshold=threshold, grow=grow,
        feather=feather, smooth=smooth, fill_holes=fill_holes, min_area=min_area, invert=invert, gap=gap,
        mask_depth=depth,
    )  # fmt: skip
    prompt = _prompt(text, not_, pick, point, exclude, box, like, unlike)
    prompt.strokes = _strokes(scribble, exclude_scribble, lasso, exclude_lasso)
    distance = _distance(softness, range=range, nearer=nearer, same=as_far, farther=farther)

    def job(read: ReadMask) -> Select:
        limit = None if region is None else read(region)
        if distance is not None:  # the server says what does not go together
            far = options.select_distance(distance, limit)
            return replace(
                far, text=prompt.text, points=prompt.points, strokes=prompt.strokes, boxes=prompt.boxes,
                examples=prompt.examples,
            )  # fmt: skip
        start = None if mask is None else read(mask)
        made = options.select(replace(prompt, mask=start), limit)
        made.min_score = made.min_score if min_score is None else min_score
        return replace(made, boxes=prompt.boxes, alternatives=guesses)

    return Question(image, job, Selected, progress)


def cutout(
    image: "Picture", *, text: str = "", not_: str = "", point: Numbers = (), exclude: Numbers = (), box: Numbers = (),
    scribble: Lines = (), exclude_scribble: Lines = (), lasso: Lines = (), exclude_lasso: Lines = (),
    mask: Any = None, pick: Union[str, int] = "all", subject: Numbers = (), min_score: Optional[float] = None,
    edges: str = "auto", edge_width: float = 0.0, hair: bool = False, smooth: float = 0.0, contrast: float = 0.0,
    shift_edge: float = 0.0, transparency: bool = False, paint_out: str = "", grow: float = 0.0, feather: float = 0.0,
    fill_holes: bool = False, min_area: float = 0.0, colours: str = "auto",
    outline: float = 0.0, outline_colour: str = "#ffffff", shadow: bool = False, background: str = "",
    crop: bool = False, recipe: str = "auto", model: str = "", mask_only: bool = False, depth: int = 8,
    progress: Optional[Progress] = None,
) -> Question[CutOut]:  # fmt: skip
    """Cut out the main subject, or what a prompt names, with clean edge colours."""
    options = JobOptions(
        recipes={"cutout": recipe}, models=_models(matting=model), grow=grow, feather=feather,
        fill_holes=fill_holes, min_area=min_area, mask_depth=depth,
    )  # fmt: skip
    prompt = _prompt(text, not_, pick, point, exclude, box)
    prompt.strokes = _strokes(scribble, exclude_scribble, lasso, exclude_lasso)
    places = _points(subject)
    edge = Edge(edge_width, hair, smooth, contrast, shift_edge)

    def job(read: ReadMask) -> Cutout:
        rough = None if mask is None else read(mask)
        cut = Cut(
            **{**vars(prompt), "mask": rough}, edge=edge, outline=outline, outline_colour=outline_colour,
            background=background, shadow=shadow,
        )  # fmt: skip
        made = options.cut_out(cut, "" if mask_only else "RGBA8")
        return replace(
            made, min_score=min_score, edges=edges, transparency=transparency, paint_out=paint_out, colours=colours,
            crop=crop, subject_at=places[0] if places else None,
        )  # fmt: skip

    return Question(image, job, lambda wire, source: CutOut(wire, source, crop), progress)


def refine(
    image: "Picture", *, mask: Any, edge_width: float = 0.0, hair: bool = False, smooth: float = 0.0,
    contrast: float = 0.0, shift_edge: float = 0.0, grow: float = 0.0, feather: float = 0.0, invert: bool = False,
    recipe: str = "auto", context: float = 0.0, model: str = "", depth: int = 8, progress: Optional[Progress] = None,
) -> Question[Selected]:  # fmt: skip
    """Give a rough mask soft, right edges, or make it ready for inpainting."""
    options = JobOptions(
        recipes={"refine": recipe}, models=_models(matting=model), grow=grow, feather=feather, invert=invert,
        mask_depth=depth,
    )  # fmt: skip
    edge = Edge(edge_width, hair, smooth, contrast, shift_edge)

    def job(read: ReadMask) -> Refine:
        return replace(options.refine(read(mask), edge), context=context)

    return Question(image, job, Selected, progress)


def parse(
    image: "Picture", *, part: Union[str, Sequence[str]] = (), model: str = "", per_person: bool = False,
    person: int = 0, whole: bool = False, refine: bool = False, grow: float = 0.0, feather: float = 0.0,
    smooth: float = 0.0, min_area: float = 0.0, depth: int = 8, progress: Optional[Progress] = None,
) -> Question[Selected]:  # fmt: skip
    """Select parts of people: hair, clothes, the face; all parts without names."""
    options = JobOptions(
        models=_models(parser=model), grow=grow, feather=feather, smooth=smooth, min_area=min_area, mask_depth=depth
    )  # fmt: skip
    names = [part] if isinstance(part, str) else list(part)
    wanted = options.parts([BodyPart(name) for name in names if name], refine, one_by_one=per_person)
    made = replace(wanted, merge=True, person=person, find_people=not whole)
    return Question(image, lambda read: made, Selected, progress)


def everything(
    image: "Picture", *, points: int = 0, layers: int = 0, min_score: Optional[float] = None, min_area: float = 0.0,
    gap: Optional[float] = None, recipe: str = "auto", progress: Optional[Progress] = None,
) -> Question[Everything]:  # fmt: skip
    """Find all objects."""
    made = replace(
        JobOptions(recipes={"select": recipe}).everything(), points_per_side=points, layers=layers,
        min_score=min_score, min_area=min_area, gap=gap,
    )  # fmt: skip
    return Question(image, lambda read: made, Everything, progress)


def detect(
    image: "Picture", *, text: str = "", recipe: str = "auto", min_score: Optional[float] = None, tiles: str = "auto",
    detector: str = "", option: Settings = None, progress: Optional[Progress] = None,
) -> Question[Detection]:  # fmt: skip
    """Find things by name: boxes, labels and scores."""
    options = JobOptions(
        recipes={"detect": recipe}, models=_models(detector=detector), detector_options=_settings(option), tiles=tiles
    )  # fmt: skip
    made: Detect = options.detect(text)
    made.min_score = made.min_score if min_score is None else min_score
    return Question(image, lambda read: made, Detection, progress)


def similar(
    image: "Picture", *, mask: Any, pick: Union[str, int] = "all", min_score: Optional[float] = None,
    recipe: str = "auto", depth: int = 8, progress: Optional[Progress] = None,
) -> Question[Selected]:  # fmt: skip
    """Find what is like a selection, which comes first."""
    options = JobOptions(recipes={"select": recipe}, mask_depth=depth)

    def job(read: ReadMask) -> Job:
        return replace(options.similar("", read(mask)), pick=str(pick), min_score=min_score)

    return Question(image, job, Selected, progress)


def flats(
    image: "Picture", *, gap: Optional[float] = None, min_area: float = 0.0, progress: Optional[Progress] = None
) -> Question[Flats]:
    """Fill every region of line art with a flat colour of its own."""
    made = JobOptions(gap=gap).flats("RGBA8", min_area)
    return Question(image, lambda read: made, Flats, progress)


# ---------------------------------------------------------------- what was given


def _models(**chosen: str) -> Dict[str, str]:
    return {role: model for role, model in chosen.items() if model}


def _settings(given: Settings) -> str:
    """Settings of a detector in one line."""
    pairs = [f"{name}={value}" for name, value in given.items()] if isinstance(given, Mapping) else given
    return "; ".join(pairs or ())


def _prompt(
    text: str, not_: str, pick: Union[str, int], point: Numbers, exclude: Numbers, box: Numbers,
    like: Numbers = (), unlike: Numbers = (),
) -> Prompt:  # fmt: skip
    """Without its mask, which a picture has to fit. Raises ``BadInput``."""
    shown = [Example(*box, include=wanted) for boxes, wanted in ((like, True), (unlike, False))
             for box in _groups(boxes, 4, "a box")]  # fmt: skip
    points = [*_points(point), *(replace(one, include=False) for one in _points(exclude))]
    boxes = [Rect(*one) for one in _groups(box, 4, "a box")]
    return Prompt(text, not_, str(pick), points, boxes, shown)


def _strokes(scribble: Lines, exclude_scribble: Lines, lasso: Lines, exclude_lasso: Lines) -> List[Stroke]:
    """Raises ``BadInput``."""
    return coordinates.strokes(*map(_lines, (scribble, exclude_scribble, lasso, exclude_lasso)))


def _lines(given: Lines) -> List[str]:
    """One line or several, each a text or places, as texts. Raises ``BadInput``."""
    if isinstance(given, str):
        return [given]
    items: List[Any] = list(given)
    several = all(isinstance(one, str) or (len(one) and hasattr(one[0], "__len__")) for one in items)
    lines = items if several else [items]
    return [one if isinstance(one, str) else " ".join(f"{x!r},{y!r}" for x, y in _groups(one, 2, "a point"))
            for one in lines if len(one)]  # fmt: skip


def _distance(softness: float, **given: Numbers) -> Optional[Distance]:
    named = {name: value for name, value in given.items() if len(value)}
    if not named:
        return None
    if len(named) > 1:
        raise BadInput("Only one distance can be selected at a time.", "Use one of nearer, as_far, farther, range.")
    ((name, value),) = named.items()
    if name == "range":
        near, far = coordinates.span(value if isinstance(value, str) else ",".join(str(one) for one in value))
        return Distance(near / 100, far / 100, softness / 100)
    places = _points(value)
    if len(places) != 1:
        raise BadInput("A distance goes by one place.", "Give it as (120, 80).")
    return Distance(softness=softness / 100, at=places[0], than=name)


def _points(given: Numbers) -> List[Point]:
    return [Point(x, y) for x, y in _groups(given, 2, "a point")]


def _groups(given: Numbers, count: int, what: str) -> List[Tuple[float, ...]]:
    """Groups of ``count`` numbers: of one group, of several, or of text. Raises ``BadInput``."""
    if isinstance(given, str):
        read = coordinates.points(given) if count == 2 else coordinates.boxes(given)
        return [tuple(vars(one).values())[:count] for one in read]
    items: List[Any] = list(given)
    groups = [items] if items and not hasattr(items[0], "__len__") else items
    try:
        found = [tuple(float(value) for value in group) for group in groups]
    except (TypeError, ValueError):
        found = [()]
    if not all(len(group) == count and all(map(math.isfinite, group)) for group in found):
        example = "(120, 80)" if count == 2 else "(x, y, width, height)"
        raise BadInput(f"{given!r} is not {what}.", f"Give {what} as {example}.")
    return found
