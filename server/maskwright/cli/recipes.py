"""What ``maskwright recipes`` does, and how a command's flags become a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from maskwright.recipe_files import folder, reading, writing
from maskwright_client import recipe
from maskwright_client.recipe_options import SELECTION, VERBS, Verb
from maskwright_protocol.errors import BadInput

from . import console

# Flags of picture commands that a recipe keeps in its outputs, or not at all: where files are and how many at a time.
OUTPUT_FLAGS = {"mask-only", "instances", "background", "quality", "depth", "format"}
RUN_FLAGS = {
    "out", "frame", "recursive", "list", "resume", "jobs", "report", "sheet", "watch", "json", "save-recipe", "help",
    "layer", "overwrite",
}  # fmt: skip
NOT_KEPT = {"guesses", "labels"}


def list_saved(as_json: bool) -> None:
    found = folder.load()
    if as_json:
        console.print_json([
            {"name": one.name, "title": one.title, "description": one.description, "problem": one.problem}
            for one in found
        ])  # fmt: skip
        return
    if not found:
        console.errors.print(f"No recipe is saved in {folder.folder()}.", markup=False, soft_wrap=True)
        return
    table = Table(box=None, header_style="dim")
    for column in ("name", "title", "what it does"):
        table.add_column(column, overflow="fold")
    for one in found:
        about = one.problem or one.description or recipe.told(recipe.read(one.recipe))
        table.add_row(one.name, one.title, about, style="red" if one.problem else "")
    console.output.print(table)


def show(word: str, command: bool) -> None:
    with console.explained():
        path = folder.find(word)
        one = reading.read(path)
        if not command:
            console.output.print(writing.text(one), markup=False, soft_wrap=True, end="")
            return
        said = recipe.command(one, str(path))
        console.output.print(said.text, markup=False, soft_wrap=True)
        for note in said.notes:
            console.errors.print(note, markup=False)


def save(file: str, name: str, replace: bool) -> None:
    with console.explained():
        one = reading.read(Path(file))
        saved = folder.save(name or one.name, one, replace)
        console.errors.print(f"Saved: {folder.path_of(saved)}", markup=False, soft_wrap=True)


def remove(word: str) -> None:
    with console.explained():
        path = folder.find(word)
        if path.parent != folder.folder():
            raise BadInput(f"{word} is not a saved recipe.", "'maskwright recipes list' shows those.")
        folder.remove(path.stem)
        console.errors.print(f"Deleted: {path}", markup=False, soft_wrap=True)


def show_path() -> None:
    console.output.print(str(folder.folder()), markup=False, soft_wrap=True)


# ---------------------------------------------------------------- from flags


def save_command(context: typer.Context, where: str) -> None:
    """Keep the running command as a recipe: in the file ``where``, or by that name among the saved ones."""
    with console.explained():
        one, notes = of_flags(context)
        path = Path(where)
        if path.suffix == reading.SUFFIX:
            one.name = path.stem
            folder.write(path, one)
        else:
            path = folder.path_of(folder.save(where, one))
        console.errors.print(f"Recipe: {path}", markup=False, soft_wrap=True)
        for note in notes:
            console.errors.print(note, style="dim", markup=False)


def of_flags(context: typer.Context) -> tuple[recipe.Recipe, list[str]]:
    """The recipe of a picture command as it was typed, and notes on what it does not keep. Raises ``BadInput``."""
    verb = VERBS.get(context.command.name or "")
    if verb is None and context.command.name == "edit":
        raise BadInput("A change in words is no step of a recipe.", "Save a 'select' with --not, --grow or --feather.")
    if verb is None:
        raise BadInput("This runs a recipe already.", "Copy its file, or 'maskwright recipes save FILE'.")
    given = {_flag(one): context.params[one.name] for one in context.command.params if _was_typed(context, one)}
    step: dict[str, Any] = {"verb": verb.name}
    notes = []
    for name, value in given.items():
        option = verb.options.get(name)
        if option is not None and (name not in OUTPUT_FLAGS or (name, verb.name) == ("background", "cutout")):
            step[name] = SELECTION if option.kind == "mask" else value
        elif name in NOT_KEPT:
            notes.append(f"--{name} is not kept in the recipe.")
    if list(step.values()).count(SELECTION) > 1:
        raise BadInput("A recipe can begin with one mask only.", "Leave --mask or --region out.")
    if SELECTION in step.values():
        notes.append('The recipe begins with a mask: maskwright run RECIPE PICTURES --mask "masks/{stem}.png"')
    outputs = _outputs(verb, given)
    return recipe.read({"step": [step], **({"output": outputs} if outputs else {})}), notes


def _outputs(verb: Verb, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Empty for the verb's own usual one."""
    what = "mask" if given.get("mask-only") else verb.gives[0]
    how = {name: given[name] for name in ("quality", "depth") if given.get(name)}
    if given.get("background") and verb.name != "cutout":
        how["background"] = given["background"]
    if given.get("format"):
        from maskwright.files import formats

        suffix = verb.suffix if what == verb.gives[0] else what
        how["file"] = f"{{stem}}-{suffix}.{formats.extension(given['format'])}"
    others = [{"what": "instances"}] if "instances" in given and "instances" in verb.gives else []
    if not (others or how or what != verb.gives[0]):
        return []
    return [{"what": what, **how}, *others]


def _flag(parameter: Any) -> str:
    """Its name as it is typed, without hyphens before it."""
    return max(parameter.opts, key=len).lstrip("-")


def _was_typed(context: typer.Context, parameter: Any) -> bool:
    source = context.get_parameter_source(parameter.name)
    return parameter.param_type_name == "option" and source is not None and source.name == "COMMANDLINE"
