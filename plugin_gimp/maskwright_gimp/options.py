"""From the arguments of a call to the messages of the wire; plain Python, no GIMP."""

from typing import Any, Callable, Dict, Mapping, Optional

from maskwright_client import body_parts, coordinates
from maskwright_client.jobs import AUTO, ROLES, Cut, Edge, JobOptions, Prompt
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Job, Mask, Refine

Values = Mapping[str, Any]
# A procedure's verb -> the wire's, for which there are recipes.
WIRE_VERBS = {
    "select_by_prompt": "select",
    "mask_from_prompt": "select",
    "click_to_select": "select",
    "select_object": "select",
    "detect": "detect",
    "select_subject": "cutout",
    "cut_out": "cutout",
    "remove_background": "cutout",
    "select_refine": "refine",
    "prepare_inpainting": "refine",
    "select_parts": "parse",
}
# Arguments that a procedure may have and ``JobOptions`` knows by the same names.
_AS_THEY_ARE = (
    "precise", "tiles", "fill-holes", "min-area", "smooth", "grow", "feather", "invert",
)  # fmt: skip


def read(values: Values, verb: str, depth: int = 8) -> JobOptions:
    """How a procedure with that verb is to find and finish things. Raises ``BadInput``."""
    return JobOptions(
        recipes={WIRE_VERBS[verb]: values.get("recipe", "").strip() or AUTO},
        models=models(values.get("models", "")),
        threshold=values.get("threshold") or None,
        mask_depth=depth,
        detector_options=_detector_options(values),
        **{name.replace("-", "_"): values[name] for name in _AS_THEY_ARE if name in values},
    )


def _detector_options(values: Values) -> str:
    """The settings of the detector in one line; that of the least score has a field of its own, which goes before."""
    least = values.get("least-score") or 0.0
    given = (values.get("detector-options", "").strip(" ;"), f"min_score={least:g}" if least > 0 else "")
    return "; ".join(filter(None, given))


def models(text: str) -> Dict[str, str]:
    """Role -> model of ``"segmenter=mobile-sam, detector=yolox-nano"``. Raises ``BadInput``."""
    known = sorted({role for roles in ROLES.values() for role in roles})
    chosen: Dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        role, equals, identity = (piece.strip() for piece in part.partition("="))
        if not (role and equals and identity):
            raise BadInput(
                tr("{0!r} does not name a role and a model.", part), tr('Write it as "segmenter=mobile-sam".')
            )
        if role not in known:
            raise BadInput(tr("There is no role called {0!r}.", role), tr("Roles: {0}.", ", ".join(known)))
        chosen[role] = identity
    return chosen


def _prompt(values: Values, selection: Optional[Mask]) -> Dict[str, Any]:
    """The fields of a ``Prompt``; the current selection is one of them when the options say so."""
    return {
        "text": values.get("prompt", ""),
        "exclude": values.get("but-not", ""),
        "pick": values.get("pick", "all"),
        "points": coordinates.points(values.get("include", ""), values.get("exclude", "")),
        "boxes": coordinates.boxes(values.get("boxes", "")),
        "examples": coordinates.examples(values.get("like", ""), values.get("unlike", "")),
        "mask": selection if values.get("current-selection") == "prompt" else None,
    }


def limit(values: Values, selection: Optional[Mask]) -> Optional[Mask]:
    """The current selection, when the result is to stay inside it."""
    return selection if values["current-selection"] == "limit" else None


def _edge(values: Values) -> Edge:
    names = ("edge-width", "hair", "smooth-edge", "contrast", "shift-edge")
    return Edge(*(values[name] for name in names))


def cut(values: Values, selection: Optional[Mask] = None) -> Cut:
    """What is to be cut out and how it is to look."""
    return Cut(
        **_prompt(values, selection),
        edge=_edge(values),
        outline=values["outline"],
        outline_colour=values["outline-color"],
        background=values["background-color"] if values["fill-background"] else "",
        shadow=values["keep-shadow"],
        clean=values["clean-colors"],
    )


def _cut_out(how: JobOptions, values: Values, selection: Optional[Mask], colours: str) -> Job:
    if values.get("current-selection") == "prompt" and selection is None:
        raise EmptyPrompt(tr("Nothing is selected."), tr("Draw a rectangle or a lasso around the object first."))
    return how.cut_out(cut(values, selection), colours)


def _parts(how: JobOptions, values: Values, selection: Optional[Mask], colours: str) -> Job:
    wanted, layers = body_parts.read(values["parts"]), values["result"] == "layers"
    return how.parts(wanted, values["find-edges"], layers, limit(values, selection))


def _select(how: JobOptions, values: Values, selection: Optional[Mask], colours: str) -> Job:
    return how.select(Prompt(**_prompt(values, selection)), limit(values, selection))


_MAKERS: Dict[str, Callable[[JobOptions, Values, Optional[Mask], str], Job]] = {
    "select_by_prompt": _select,
    "mask_from_prompt": _select,
    "click_to_select": _select,
    "select_object": lambda how, values, selection, colours: how.select_object(selection),
    "detect": lambda how, values, selection, colours: how.detect(values["prompt"]),
    "select_subject": lambda how, values, selection, colours: how.subject(),
    "cut_out": _cut_out,
    "remove_background": _cut_out,
    "select_refine": lambda how, values, selection, colours: how.refine(selection, _edge(values)),
    "prepare_inpainting": lambda how, values, selection, colours: how.inpaint(
        selection, values["grow"], values["feather"], values["context"]
    ),
    "select_parts": _parts,
}


def job(verb: str, values: Values, depth: int = 8, selection: Optional[Mask] = None, colours: str = "") -> Job:
    """The job of a procedure with that verb. ``selection``: the current one. ``colours``: the pixel format in which the
    server shall send a cut-out's colours, empty for none. Raises ``BadInput``, ``EmptyPrompt``."""
    return _MAKERS[verb](read(values, verb, depth), values, selection, colours)


def job_name(job: Job) -> str:
    """What the progress bar says while nothing is known from the server."""
    if isinstance(job, Refine) and job.recipe == "inpaint":
        return tr("Preparing the selection")
    names = {
        "cutout": tr("Finding the subject"),
        "refine": tr("Refining the selection"),
        "parse": tr("Looking for people"),
    }
    return names.get(job.TYPE, tr("Selecting"))
