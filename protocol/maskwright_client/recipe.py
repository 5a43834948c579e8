"""Recipes that users keep: steps that select, cut out and refine, and what is made of their answers.

A recipe is plain data, as it stands in a TOML file and as it travels: see ``docs/automation.md``. The server reads and
writes the files.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Collection, Dict, List, Mapping, NamedTuple, Optional

from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Cutout, CutoutResult, Job, Mask, PixelRect, Selection

from . import recipe_jobs, recipe_options
from .ask import Steps
from .recipe_options import SELECTION, VERBS, Verb, did_you_mean

MAX_STEPS = 32
PLACEHOLDERS = ("stem", "name", "step", "label", "number")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TOP, _OUTPUT = ("name", "description", "step", "output"), ("step", "what", "file", "background", "quality", "depth")


@dataclass
class Step:
    """``name`` is what later steps and outputs call it by; ``options`` as ``recipe_options`` has them."""

    verb: Verb
    name: str
    options: Dict[str, Any] = field(default_factory=dict)

    @property
    def masks(self) -> List[str]:
        """The names of the masks that it uses."""
        return [value for name, value in self.options.items() if self.verb.options[name].kind == "mask"]

    @property
    def gives_mask(self) -> bool:
        return "mask" in self.verb.gives


@dataclass
class Output:
    """What of a step is kept. ``what``: "mask", "cutout", "instances" (a mask each), "map" or "boxes"."""

    step: str
    what: str
    file: str  # pattern with ``PLACEHOLDERS``; empty for the usual name
    background: str = ""
    quality: Optional[int] = None
    depth: int = 0  # bits a channel; 0 for what mask or picture have


@dataclass
class Recipe:
    name: str
    description: str
    steps: List[Step]
    outputs: List[Output]

    @property
    def needs_selection(self) -> bool:
        """It begins with something that is selected already."""
        return any(SELECTION in step.masks for step in self.steps)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


# ---------------------------------------------------------------- plain data -> recipe


def read(data: Mapping[str, Any], name: str = "") -> Recipe:
    """``name`` is for a recipe that has none. Raises ``BadInput``, whose ``details["where"]`` is the path to what is
    wrong: keys, and numbers in lists from 0."""
    _known(data, _TOP, [])
    title, description = (_text_of(data, key, []) for key in ("name", "description"))
    tables = _tables(data, "step")
    if not tables:
        raise _wrong([], tr("The recipe has no steps."), tr('Begin one with [[step]] and verb = "select".'))
    if len(tables) > MAX_STEPS:
        raise _wrong(
            ["step", MAX_STEPS], tr("A recipe has at most {0} steps.", MAX_STEPS), tr("Make two recipes of it.")
        )
    steps: List[Step] = []
    for number, table in enumerate(tables):
        steps.append(_step(table, steps, ["step", number]))
    outputs: List[Output] = []
    for number, table in enumerate(_tables(data, "output")):
        output = _output(table, steps, ["output", number])
        if any(_file(output, steps) == _file(other, steps) for other in outputs):
            hint = tr('Give each a name of its own: file = "{stem}-hair.png".')
            raise _wrong(["output", number], tr("Two outputs would go into the same file."), hint)
        outputs.append(output)
    return Recipe(title or name, description, steps, outputs or [_usual(steps[-1])])


def _wrong(where: List[Any], message: str, hint: str) -> BadInput:
    return BadInput(message, hint, where=where)


def _known(table: Mapping[str, Any], keys: Collection[str], where: List[Any]) -> None:
    for key in table:
        if key not in keys:
            place = f"[[{where[0]}]]" if where else tr("a recipe")
            raise _wrong([*where, key], tr('There is no "{0}" in {1}.', key, place), did_you_mean(str(key), keys))


def _text_of(table: Mapping[str, Any], key: str, where: List[Any]) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _wrong([*where, key], tr('"{0}" is a text.', key), tr('Write {0} = "...".', key))
    return value.strip()


def _tables(data: Mapping[str, Any], key: str) -> List[Mapping[str, Any]]:
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _wrong([key], tr('"{0}" is written as [[{0}]], once for each.', key), tr("Write [[{0}]].", key))
    return found


def _step(table: Mapping[str, Any], before: List[Step], where: List[Any]) -> Step:
    word = _text_of(table, "verb", where)
    if not word:
        raise _wrong(where, tr("Step {0} has no verb.", where[1] + 1), tr("It is one of {0}.", ", ".join(VERBS)))
    if word not in VERBS:
        raise _wrong([*where, "verb"], tr('There is no verb "{0}".', word), did_you_mean(word, VERBS))
    taken = {step.name for step in before}
    name = _text_of(table, "name", where) or _free(word, taken)
    if not _NAME.fullmatch(name) or name == SELECTION:
        hint = tr('Use letters, digits, "-" and "_"; "{0}" is what is selected already.', SELECTION)
        raise _wrong([*where, "name"], tr('A step cannot be called "{0}".', name), hint)
    if name in taken:
        raise _wrong(
            [*where, "name"], tr('There are two steps called "{0}".', name), tr("Give each a name of its own.")
        )
    verb, options = VERBS[word], {}
    for key, value in table.items():
        if key not in ("verb", "name"):
            try:
                option = recipe_options.option_of(verb, key)
                options[option.name] = recipe_options.checked(option, value)
            except BadInput as error:
                raise _wrong([*where, key], error.message, error.hint) from None
    clash = recipe_options.check_all(verb, options)
    if clash:
        raise _wrong(where, clash, tr("Use one of them."))
    return _with_masks(Step(verb, name, options), before, where)


def _free(word: str, taken: Collection[str]) -> str:
    """A name for a step that has none: its verb, with a number from the second on."""
    number, name = 1, word
    while name in taken:
        number += 1
        name = f"{word}-{number}"
    return name


def _with_masks(step: Step, before: List[Step], where: List[Any]) -> Step:
    """With the mask of the step before where one is needed and none is named; names are checked."""
    having = [one.name for one in before if one.gives_mask]
    if step.verb.name in ("refine", "similar") and "mask" not in step.options:
        step.options["mask"] = having[-1] if having else SELECTION
    for key, value in step.options.items():
        if step.verb.options[key].kind != "mask" or value in (SELECTION, *having):
            continue
        if any(one.name == value for one in before):
            raise _wrong([*where, key], tr('The step "{0}" gives no mask.', value), tr("Name another step."))
        hint = did_you_mean(value, [*having, SELECTION])
        raise _wrong([*where, key], tr('There is no earlier step called "{0}".', value), hint)
    return step


def _output(table: Mapping[str, Any], steps: List[Step], where: List[Any]) -> Output:
    _known(table, _OUTPUT, where)
    name = _text_of(table, "step", where) or steps[-1].name
    if all(step.name != name for step in steps):
        hint = did_you_mean(name, [step.name for step in steps])
        raise _wrong([*where, "step"], tr('There is no step called "{0}".', name), hint)
    step = next(step for step in steps if step.name == name)
    what = _text_of(table, "what", where) or _usual(step).what
    if what not in step.verb.gives:
        hint = tr("It gives: {0}.", ", ".join(step.verb.gives))
        raise _wrong([*where, "what"], tr('The step "{0}" ({1}) gives no "{2}".', name, step.verb.name, what), hint)
    file, quality = _text_of(table, "file", where), table.get("quality")
    _check_pattern(file, [*where, "file"])
    if quality is not None and (isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100):
        raise _wrong([*where, "quality"], tr('"quality" is a number from 1 to 100.'), tr("Write quality = 90."))
    depth = table.get("depth", 0)
    if isinstance(depth, bool) or depth not in (0, 8, 16, 32):
        raise _wrong([*where, "depth"], tr('"depth" is 8 or 16, or 32 for floats.'), tr("Write depth = 16."))
    background = _text_of(table, "background", where)
    if background:
        try:
            recipe_options.checked(recipe_options.VERBS["cutout"].options["background"], background)
        except BadInput as error:
            raise _wrong([*where, "background"], error.message, error.hint) from None
    return Output(name, what, file, background, quality, depth)


def _check_pattern(file: str, where: List[Any]) -> None:
    for word in re.findall(r"\{([^{}]*)\}", file):
        if word not in PLACEHOLDERS:
            hint = did_you_mean(word, PLACEHOLDERS)
            raise _wrong(where, tr('There is no placeholder "{{{0}}}".', word), hint)
    parts = re.split(r"[/\\]", file)
    if ".." in parts or file[:1] in ("/", "\\") or re.match(r"[A-Za-z]:", file):
        raise _wrong(
            where, tr('"{0}" leads out of the output folder.', file), tr('Write a name like "{stem}-hair.png".')
        )
    if file and "{stem}" not in file and "{name}" not in file:
        hint = tr('Write a name like "{stem}-hair.png".')
        raise _wrong(where, tr('All pictures would go into the same file "{0}".', file), hint)


def _file(output: Output, steps: List[Step]) -> str:
    """The pattern of an output's file without its suffix; hyphens and case do not tell files apart everywhere."""
    step = next(step for step in steps if step.name == output.step)
    return file_pattern(output, step).casefold()


def file_pattern(output: Output, step: Step) -> str:
    """What an output's file is called: as its recipe says, else as the step's command would call it."""
    if output.file:
        return output.file
    suffix = step.verb.suffix if output.what == step.verb.gives[0] else output.what
    number = "-{number}-{label}" if output.what == "instances" else ""
    return "{stem}-" + suffix + number


def _usual(step: Step) -> Output:
    return Output(step.name, step.verb.gives[0], "")


# ---------------------------------------------------------------- recipe -> plain data


def as_data(recipe: Recipe) -> Dict[str, Any]:
    """What ``read`` reads, without what goes without saying."""
    data: Dict[str, Any] = {key: getattr(recipe, key) for key in ("name", "description") if getattr(recipe, key)}
    data["step"] = [{"name": step.name, "verb": step.verb.name, **step.options} for step in recipe.steps]
    if recipe.outputs != [_usual(recipe.steps[-1])]:
        data["output"] = [
            {key: value for key, value in vars(output).items() if value not in ("", None, 0)}
            for output in recipe.outputs
        ]
    return data


def of_job(asked: Job, box: PixelRect, name: str = "", what: str = "") -> "Made":
    """The recipe of one step that asks the same of other pictures; see ``recipe_jobs.from_job``."""
    kept = recipe_jobs.from_job(asked, box)
    data: Dict[str, Any] = {"name": name, "step": [{"verb": kept.verb, **kept.options}]}
    if what in VERBS[kept.verb].gives:
        data["output"] = [{"what": what}]
    return Made(read(data), kept.notes)


class Made(NamedTuple):
    recipe: Recipe
    notes: List[str]


def told(recipe: Recipe) -> str:
    """What a recipe does, in the words of its file."""
    steps = []
    for step in recipe.steps:
        said = [_option_told(name, value) for name, value in step.options.items()]
        steps.append(f"{step.verb.name} ({', '.join(said)})" if said else step.verb.name)
    return tr("{0}.", tr("; then ").join(steps))


def _option_told(name: str, value: Any) -> str:
    if value is True:
        return name
    text = " ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name} {text}"


def command(recipe: Recipe, file: str = "RECIPE.toml") -> "Command":
    """The command that does the same with files: of one step its own, else ``maskwright run``."""
    (first, *others) = recipe.steps
    mask_only = first.verb.name == "cutout" and recipe.outputs == [Output(first.name, "mask", "")]
    if others or not (mask_only or recipe.outputs == [_usual(first)]):
        mask = ' --mask "masks/{stem}.png"' if recipe.needs_selection else ""
        return Command(f"maskwright run {file} PICTURES{mask} -o OUT", [])
    text, notes = recipe_jobs.command(first.verb, first.options)
    return Command(f"{text} --mask-only" if mask_only else text, notes)


class Command(NamedTuple):
    text: str
    notes: List[str]


# ---------------------------------------------------------------- running


class Answers(NamedTuple):
    """Of the steps that had what they need, their answers by name; and what the first empty one says."""

    by_step: Dict[str, Any]
    nothing: Any  # an answer with ``reason``, ``message`` and ``hint``, or None


def run(
    recipe: Recipe,
    ask: Callable[[Job], Steps],
    box: PixelRect,
    selection: Optional[Mask] = None,
    colours: str = "RGBA8",
    began: Callable[[int, Step], None] = lambda number, step: None,
) -> Steps:
    """Steps that end with ``Answers``. ``ask`` gives the steps of a job; ``selection`` is what is selected already;
    ``colours``: the pixel format of cut-outs, empty for none; ``began(number, step)`` is called before each step.

    A step whose mask was not found is left out; steps that do without go on.
    """
    masks: Dict[str, Optional[Mask]] = {SELECTION: selection}
    answers: Dict[str, Any] = {}
    nothing: Any = None
    for number, step in enumerate(recipe.steps):
        if any(name != SELECTION and masks.get(name) is None for name in step.masks):
            continue
        began(number, step)
        job = recipe_jobs.job(step.verb, step.options, masks, box)
        job.priority = "batch"
        if isinstance(job, Cutout):
            wanted = any(output.step == step.name and output.what == "cutout" for output in recipe.outputs)
            job.foreground, job.format = bool(wanted and colours), colours or job.format
        answer = yield from ask(job)
        answers[step.name] = answer
        masks[step.name] = mask_of(answer)
        if nothing is None and answer.reason:
            nothing = answer
    return Answers(answers, nothing)


def mask_of(answer: Any) -> Optional[Mask]:
    """The one mask of an answer, None when nothing was found."""
    if getattr(answer, "reason", ""):
        return None
    if isinstance(answer, CutoutResult):
        return answer.alpha
    if not isinstance(answer, Selection):
        return None
    if answer.merged is not None:
        return answer.merged
    return answer.instances[0].mask if answer.instances else None
