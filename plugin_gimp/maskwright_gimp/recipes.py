"""Recipes in GIMP: run one on an image, all layers or all open images; keep what was done last as one."""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from gi.repository import Gimp

from maskwright_client import ask, saved_recipes
from maskwright_client import recipe as recipes
from maskwright_client.ask import Steps
from maskwright_client.recipe import Answers, Output, Recipe, Step
from maskwright_client.results import found, nothing_found, numbered
from maskwright_protocol.errors import BadInput, JobCancelled, MaskwrightError, ServerAbsent
from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import Job, PixelRect, SavedRecipe

from . import image_edits, image_source, remembered
from .outcome import Outcome

NEXT_START = tr("It is in Run Recipe at once, and in Filters > Maskwright > Recipes from GIMP's next start on.")


# ---------------------------------------------------------------- running


class Picture(NamedTuple):
    """One thing to look at, and what was found there."""

    target: image_source.Target
    answers: Answers


def run_recipe(call: Any) -> Outcome:
    """The recipe that the call names, or that its procedure is for."""
    chosen = call.options()
    made = saved_recipes.read(_named(refresh(call), call.entry.recipe or chosen["recipe"]))
    scope = chosen["run-on"]
    Gimp.progress_init(f"{made.name}...")
    images = Gimp.get_images() if scope == "images" else [call.image]
    done, told = 0, []
    for image in images:
        layers = _layers(image, call, scope)
        try:
            count, said = _image(call, made, image, layers)
        except (JobCancelled, ServerAbsent):
            raise
        except MaskwrightError as error:
            if len(images) == 1:
                raise
            count, said = 0, [joined(error.message, error.hint)]
        done += count
        told += [f"{image.get_name()}: {one}" if len(images) > 1 else one for one in said]
    Gimp.progress_end()
    if told and call.watched:
        Gimp.message("\n".join([*told[:10], ""]))
    return done, {"recipe": made.name, "images": len(images), "message": joined(*told)}


def _named(saved: Sequence[SavedRecipe], name: str) -> SavedRecipe:
    for one in saved:
        if name.strip().casefold() in (one.name.casefold(), one.title.casefold()):
            return one
    if not saved:
        raise BadInput(tr("No recipe is saved yet."), tr("Select something, then choose Save Last as Recipe."))
    raise BadInput(tr('There is no recipe "{0}".', name), recipes.did_you_mean(name, [one.name for one in saved]))


def _layers(image: Any, call: Any, scope: str) -> List[List[Any]]:
    """What is looked at one after the other, as the drawables of a call."""
    if scope == "layers":
        return [[layer] for layer in _flat(image.get_layers()) if layer.get_width() and layer.get_height()]
    return [list(call.drawables) if image == call.image else image.get_selected_layers()]


def _flat(layers: Sequence[Any]) -> List[Any]:
    """Layers with pixels of their own, in groups too."""
    return [one for layer in layers for one in (_flat(layer.get_children()) if layer.is_group() else [layer])]


def _image(call: Any, made: Recipe, image: Any, layers: Sequence[List[Any]]) -> Tuple[int, List[str]]:
    """Ask about each, then change the image in one undo step; how many gave something, and why others did not."""
    pictures: List[Picture] = []
    said: List[str] = []
    try:
        for drawables in layers:
            target = image_source.Target(image, drawables, "layer")
            try:
                answers = _ask(call, made, image, target)
            except BaseException:
                target.close()
                raise
            pictures.append(Picture(target, answers))
        changes = [(one, output) for one in pictures for output in made.outputs if _masks(output, one.answers)]
        of_layers = len(layers) > 1
        if changes:
            with image_edits.one_undo_step(image):
                for one, output in changes:
                    _put(made, output, one, of_layers)
        for one in pictures:
            if not any(_masks(output, one.answers) for output in made.outputs):
                sentence = nothing_found(one.answers.nothing)
                said.append(f"{_name(one.target)}: {sentence}" if of_layers else sentence)
    finally:
        for one in pictures:
            one.target.close()
    return len({id(one) for one, _ in changes}), said


def _ask(call: Any, made: Recipe, image: Any, target: image_source.Target) -> Answers:
    painted = any(saved_recipes.is_painted(step) for step in made.steps)
    if painted and not target.is_plain:
        raise BadInput(
            tr("Outlines, backgrounds and shadows can only be drawn in 8- and 16-bit images in sRGB."),
            tr("Leave them out of the recipe, or convert the image first."),
        )
    outline = image_source.selection(image, image_source.mask_depth(image)) if made.needs_selection else None
    target.source.overview()

    def asked(job: Job) -> Steps:
        job.tool = "recipe"
        return call.asker.steps(job, target.source)

    def began(number: int, step: Step) -> None:
        Gimp.progress_set_text(f"{made.name}: {step.name}")

    steps = recipes.run(made, asked, target.box, outline, target.clean_colours(), began)
    return ask.run(steps, call.asker.wait)


def _masks(output: Output, answers: Answers) -> List[Any]:
    answer = answers.by_step.get(output.step)
    return [] if answer is None or output.what in saved_recipes.NO_PIXELS else found(answer).masks


def _name(target: image_source.Target) -> str:
    return target.layer.get_name() if target.layer is not None else tr("Visible image")


def _put(made: Recipe, output: Output, picture: Picture, of_layers: bool) -> None:
    """One output into the image. A mask alone becomes the selection; of several layers each gets it as its mask."""
    target, answer = picture.target, picture.answers.by_step[output.step]
    union, instances = found(answer)
    several = sum(one.what == "mask" for one in made.outputs) > 1
    label = f"{made.name} {output.step}" if len(made.outputs) > 1 else made.name
    name = f"{_name(target)} ({label})" if of_layers else label
    colours = getattr(answer, "foreground", None)
    if output.what == "instances":
        parts = [[one.mask] for one in instances if one.mask is not None]
        names = numbered([one.label for one in instances], name)
        image_edits.apply_layers(target, parts, names, group=name)
    elif output.what == "cutout":
        step = made.step(output.step)
        if colours is not None and (colours.format == "RGBA8" or saved_recipes.is_painted(step)):
            image_edits.apply_cutout(target, colours, name)
        else:
            image_edits.apply_layers(target, [union], [name], colours=colours)
    elif several:
        image_edits.apply_channel(target.image, union, name)
    elif of_layers:
        image_edits.apply_layer_mask(target, union, "replace")
    else:
        image_edits.apply_selection(target.image, union, "replace")


# ---------------------------------------------------------------- saved ones


def refresh(call: Any) -> List[SavedRecipe]:
    """The saved recipes, as the server has them; remembered for GIMP's next start."""
    saved: List[SavedRecipe] = ask.run(saved_recipes.listed(call.client), call.asker.wait)
    _remember_saved(saved)
    return saved


def _remember_saved(saved: Sequence[SavedRecipe]) -> None:
    remembered.keep(Gimp.directory(), remembered.SAVED, [vars(one) for one in saved])


def save_recipe(call: Any) -> Outcome:
    """What was done last, under a name."""
    chosen, kept = call.options(), last()
    if not chosen["title"].strip():
        raise BadInput(tr("The recipe has no name."), tr("Give it one."))
    data: Dict[str, Any] = {**kept["recipe"], "name": chosen["title"].strip()}
    if chosen["description"].strip():
        data["description"] = chosen["description"].strip()
    steps = saved_recipes.saved(call.client, chosen["title"], data, chosen["replace"])
    one: SavedRecipe = ask.run(steps, call.asker.wait)
    refresh(call)
    said = joined(tr('Saved as "{0}".', one.title), NEXT_START, *kept["notes"])
    if call.watched:
        Gimp.message(said)
    return 1, {"recipe": one.name, "message": said}


def copy_command(call: Any) -> Outcome:
    """The command line that does with files what was done last; on the clipboard when somebody sits there."""
    kept = last()
    text, notes = recipes.command(recipes.read(kept["recipe"]))
    said = joined(*kept["notes"], *notes)
    if call.watched:
        from gi.repository import Gdk, GimpUi, Gtk

        GimpUi.init("maskwright")
        board = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        board.set_text(text, -1)
        board.store()
        Gimp.message("\n".join([tr("The clipboard has the command:"), text, said]))
    return 1, {"command": text, "message": said}


# ---------------------------------------------------------------- what was done last


def remember(job: Job, box: PixelRect, chosen: Dict[str, Any]) -> None:
    """Keep what was asked for, so that it can be saved as a recipe. ``chosen``: the call's options."""
    what = {"layer": "cutout", "layers": "instances"}.get(chosen.get("result", ""), "mask")
    try:
        made, notes = recipes.of_job(job, box, what=what)
        kept: Dict[str, Any] = {"recipe": recipes.as_data(made), "notes": notes}
    except BadInput as error:
        kept = {"problem": error.message, "hint": error.hint}
    remembered.keep(Gimp.directory(), remembered.LAST, kept)


def last() -> Dict[str, Any]:
    kept = remembered.last(Gimp.directory())
    if kept is None:
        raise BadInput(tr("Nothing was selected or cut out yet."), tr("Do it once, then save it."))
    if "recipe" not in kept:
        raise BadInput(
            kept.get("problem", tr("That cannot be repeated.")), kept.get("hint", tr("Select something else first."))
        )
    return kept
