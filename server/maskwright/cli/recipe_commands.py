"""``run`` and ``recipes``: recipes as files, and the saved ones."""

from __future__ import annotations

from typing import Annotated

import typer

from . import flags

recipes_app = typer.Typer(help="The saved recipes.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A recipe file, or the name of a saved recipe.", metavar="RECIPE")]


@flags.on_pictures
def run(
    pictures: flags.Pictures,
    recipe: Name,
    mask: Annotated[
        str,
        typer.Option(help="What is selected already, for recipes that begin so; a folder or pattern for many.",
                     metavar=flags.MASKS),
    ] = "",
) -> None:  # fmt: skip
    """Run a recipe on pictures; writes the files that it says."""
    from maskwright.batch.recipe import RecipeTask
    from maskwright.recipe_files import folder, reading

    from .jobs import companion, run_task

    depth = pictures.mask_depth
    run_task(
        lambda: RecipeTask(recipe=reading.read(folder.find(recipe)), mask=companion(mask), mask_depth=depth), pictures
    )


@recipes_app.command("list")
def list_recipes(as_json: flags.Json = False) -> None:
    """List the saved recipes."""
    from . import recipes

    recipes.list_saved(as_json)


@recipes_app.command()
def show(
    recipe: Name,
    command: Annotated[bool, typer.Option("--command", help="Show the command that does the same.")] = False,
) -> None:
    """Show what a recipe does; what is wrong with a file, too."""
    from . import recipes

    recipes.show(recipe, command)


@recipes_app.command()
def save(
    recipe: Annotated[str, typer.Argument(help="A recipe file.", metavar="FILE")],
    name: Annotated[str, typer.Option(help="What to call it; else what the file says.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace the saved recipe of that name.")] = False,
) -> None:
    """Save a recipe file for the menus of Krita and GIMP."""
    from . import recipes

    recipes.save(recipe, name, replace)


@recipes_app.command()
def remove(recipe: Annotated[str, typer.Argument(help="The name of a saved recipe.", metavar="RECIPE")]) -> None:
    """Delete a saved recipe."""
    from . import recipes

    recipes.remove(recipe)


@recipes_app.command()
def path() -> None:
    """Show the folder of the saved recipes."""
    from . import recipes

    recipes.show_path()
