"""The user's own models: their files are copied into the model folder, their entries go into ``models.toml``.

A pickle among the files is converted first; what is copied and listed is the safetensors file made from it. Nothing is
installed before the model was loaded and used once, in a process of its own (``runtime.trial``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maskwright.models import catalogue, families
from maskwright.models.catalogue.entries import Entry
from maskwright.models.contents import Contents
from maskwright.models.family import Family
from maskwright_protocol.errors import BadInput, DiskFull, MaskwrightError, ModelBroken, from_code

from . import own_files, recognise, user_catalogue
from .convert import convert

LOOK_S, TRY_S = 120.0, 600.0
_STAGING = ".adding-"
_OLD_S = 24 * 3600.0
_RESERVE = 64 << 20  # bytes of the disk that are left free
_SMALL_JSON = 16 << 20

Choose = Callable[[Sequence[Family]], str]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Added:
    """``replaced``: there was one of that id. ``names``: what it knows, if it tells. ``twins``: ids of the user's other
    models with the same weights."""

    entry: Entry
    folder: Path
    replaced: bool
    names: tuple[str, ...]
    twins: tuple[str, ...]


def add(
    given: Sequence[Path],
    identity: str = "",
    family: str = "",
    more: Mapping[str, Any] | None = None,
    *,
    key: str = "",
    choose: Choose | None = None,
    report: Report = lambda text: None,
) -> Added:
    """Install the model of these files, or of this folder, and write its entry.

    ``identity``: its id; else it is called as the files are. ``family`` and ``more``, further fields of the entry, go
    before what the contents tell. ``key``: which part of a pickle holds the tensors. ``choose`` is asked for the family
    where the contents leave it open. ``report`` gets sentences about what is being done. A model of that id that the
    user added before is replaced.

    Raises ``BadInput`` for what cannot be an entry, ``ModelBroken``, ``NeedsPackage``, ``DiskFull`` or what running the
    model raises; nothing is changed then.
    """
    from maskwright.config import default_model_folder

    user_catalogue.read()  # it says now if it cannot be changed
    files = own_files.named(own_files.gather(given))
    published = _published(files)
    if published is not None and not identity and not family:
        ready = f"Run: maskwright models pull {published.id} --from '{given[0]}'"
        hint = f"{'It is built in.' if published.embedded else ready} Or add it with an --id of your own."
        raise BadInput(f"This is {published.title}, which Maskwright knows as {published.id}.", hint)
    destination = default_model_folder()
    with _staging(destination) as place:
        inside = place / "files"
        inside.mkdir()
        _bring(files, inside, key, published, report)
        report("Looking into the files")
        seen = contents(inside)
        chosen = _family(seen, files, family or (published.family if published else ""), choose)
        described = _described(inside, files)
        twins = _twins(described)
        wanted = identity or next(iter(twins), None) or _free_id(files, given[0], chosen.name)
        entry, table = _entry(described, wanted, chosen, seen, published, dict(more or {}))
        folder = place / entry.id
        os.replace(inside, folder)
        names = _tried(place, entry, seen, chosen, report)
        replaced = _place(folder, destination / entry.id, lambda: user_catalogue.write(table))
    return Added(entry, destination / entry.id, replaced, names, tuple(twin for twin in twins if twin != entry.id))


@contextmanager
def _staging(destination: Path) -> Iterator[Path]:
    """A hidden folder beside the models, which is gone afterwards. Raises ``BadInput`` where none can be made."""
    try:
        destination.mkdir(parents=True, exist_ok=True)
        for old in destination.glob(f"{_STAGING}*"):
            if time.time() - old.stat().st_mtime > _OLD_S:  # of a computer that was switched off
                shutil.rmtree(old, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix=_STAGING, dir=destination))
    except OSError as error:
        text = f"The model folder cannot be written to: {error.strerror or error}."
        raise BadInput(text, "Check the folder that 'maskwright models path' names last.") from error
    try:
        yield place
    except OSError as error:
        text = f"The model could not be installed: {error.strerror or error}."
        raise BadInput(text, "Check the files and the folder that 'maskwright models path' names last.") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _published(files: Mapping[str, Path]) -> Entry | None:
    """The entry of the catalogue whose weights these are. Reads files only if their size is that of a published one."""
    sizes: dict[int, list[tuple[str | None, Entry]]] = {}
    for entry in catalogue.built_in().model:
        for file in entry.files:
            forms = [(content.size, content.sha256) for content in (*file.contents, *file.published.contents)]
            for size, sha256 in forms if file.name.endswith(own_files.WEIGHTS) else ():
                sizes.setdefault(size, []).append((sha256, entry))
    for path in files.values():
        known = sizes.get(path.stat().st_size)
        if known:
            actual = _digest(path)
            found = next((entry for sha256, entry in known if sha256 == actual), None)
            if found is not None:
                return found
    return None


def _digest(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _bring(files: Mapping[str, Path], place: Path, key: str, published: Entry | None, report: Report) -> None:
    """Copy the files there, pickles as what is made from them. Raises ``DiskFull`` and what ``convert`` raises."""
    needed = sum(path.stat().st_size for path in files.values())
    free = shutil.disk_usage(place).free
    if needed + _RESERVE > free:
        raise DiskFull(f"There is not enough room for the model: it needs {needed >> 20} MiB, {free >> 20} are free.")
    for name, path in files.items():
        if path.suffix.lower() in own_files.PICKLES:
            report(f"Converting {path.name} to tensors that hold no code")
            convert(path, place / name, **_conversion(published, key))
        else:
            report(f"Copying {path.name}")
            shutil.copyfile(path, place / name)


def _conversion(published: Entry | None, key: str) -> dict[str, Any]:
    """How the catalogue has that pickle converted."""
    pickle = next((file.pickle for file in published.files if file.pickle), None) if published else None
    if pickle is None:
        return {"key": key}
    allowed = {"sha256": pickle.sha256 or "", "allow": pickle.allow} if pickle.allow else {}
    return {"key": key or pickle.key, "rename": pickle.rename, "drop": pickle.drop, **allowed}


def contents(folder: Path) -> Contents:
    """What can be seen in the files of a folder. Raises ``ModelBroken`` for one that cannot be read."""
    weights = [path for path in sorted(folder.iterdir()) if path.suffix in own_files.WEIGHTS]
    told = _run(["look", *map(str, weights)], LOOK_S, lambda text: None)
    joined: dict[str, list[str]] = {"tensors": [], "inputs": [], "outputs": []}
    metadata: dict[str, str] = {}
    for described in told.values():
        for what, found in joined.items():
            found += described.get(what, ())
        metadata |= {str(name): str(value) for name, value in described.get("told", {}).items()}
    config, preprocessor = (_json(folder / f"{name}.json") for name in ("config", "preprocessor_config"))
    return Contents(config, preprocessor, *(tuple(found) for found in joined.values()), told=metadata)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _SMALL_JSON:
            raise ValueError("it is too long")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelBroken(f"{path.name} cannot be read: {str(error)[:200]}.", "Get the files again.") from error
    return value if isinstance(value, dict) else {}


def _family(seen: Contents, files: Mapping[str, Path], wanted: str, choose: Choose | None) -> Family:
    """Raises ``BadInput`` where it is unknown, or in doubt and nobody can be asked."""
    known = families.known()
    names = [*files, *(path.name for path in files.values())]
    title = next(path.name for name, path in files.items() if name.endswith(own_files.WEIGHTS))
    if wanted and wanted not in known:
        raise BadInput(f"There is no family called {wanted[:40]!r}.", f"Families: {', '.join(sorted(known))}.")
    found = known[wanted] if wanted else recognise.family_of(seen, names, title)
    if found is None:
        possible = recognise.possible(seen, list(files))
        if choose is None or not possible:
            these = ", ".join(family.name for family in possible) or "none of its files"
            text = f"The contents of {title} do not tell which family of models it is of."
            raise BadInput(text, f"If you know it, add --family with one of: {these}.")
        found = known[choose(possible)]
    if not found.fits(files):
        layouts = " or ".join(found.layouts) or "none"
        text = f"A model of the family {found.name} has the files {layouts}, and here are {', '.join(files)}."
        raise BadInput(text, "Add the folder with all of its files, or leave --family away.")
    return found


def _free_id(files: Mapping[str, Path], given: Path, family: str) -> str:
    """An id that no model of the catalogue has."""
    known = catalogue.built_in()
    taken = {entry.id for entry in (*known.model, *known.absent)}
    name = own_files.default_id(list(files.values()), given, family)
    return f"my-{name}" if name in taken else name


def _described(folder: Path, given: Mapping[str, Path]) -> list[dict[str, Any]]:
    """The files as an entry has them, the weights first, which families count on."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.suffix not in own_files.WEIGHTS, path.name)):
        file = {"name": path.name, **content(path)}
        source = given[path.name]
        if source.suffix.lower() in own_files.PICKLES:
            name = own_files.plain_name(source.stem, "model") + source.suffix.lower()
            file["pickle"] = {"name": name, **content(source)}
        found.append(file)
    return found


def content(path: Path) -> dict[str, Any]:
    """Size and digest of a file, as an entry has them."""
    return {"size": path.stat().st_size, "sha256": _digest(path)}


def _twins(files: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ids of the models that the user added before from the same weights."""
    given = {file.get("pickle", file)["sha256"] for file in files if file["name"].endswith(own_files.WEIGHTS)}
    others = [entry for entry in catalogue.load().model if entry.own]
    return [entry.id for entry in others if given & {file.published.sha256 for file in entry.files}]


def _entry(
    files: Sequence[Mapping[str, Any]],
    identity: str,
    family: Family,
    seen: Contents,
    published: Entry | None,
    more: dict[str, Any],
) -> tuple[Entry, dict[str, Any]]:
    """The entry and what is written of it. Raises ``BadInput``."""
    known = catalogue.built_in()
    if identity in {entry.id for entry in (*known.model, *known.absent)}:
        raise BadInput(f"There is a model called {identity} already.", "Choose another --id.")
    told: dict[str, Any] = {}
    if published is not None and published.family == family.name:
        told = {"input_size": published.input_size, "options": published.options, "names": list(published.names)}
    elif "parser" in family.roles and "id2label" not in seen.config:
        like = next((entry for entry in known.model if entry.family == family.name), None)
        told = {"options": {"labels": like.options["labels"]}} if like and "labels" in like.options else {}
    told |= recognise.facts(seen, family)
    fields = {**{name: value for name, value in told.items() if value not in ([], {}, None)}, **more}
    table = {"id": identity, "family": family.name, **fields, "files": [*files]}
    try:
        return catalogue.own_entry(table), table
    except (ValidationError, ValueError) as error:
        text = f"This cannot be a model's entry: {catalogue.first_problem(error)}."
        hint = "Correct that option of the command."
        if catalogue.first_problem(error).startswith("id: "):
            hint = f"Take for example: --id {own_files.plain_name(identity.lower(), 'mine')}"
        raise BadInput(text, hint) from error


def _tried(place: Path, entry: Entry, seen: Contents, family: Family, report: Report) -> tuple[str, ...]:
    """Use the model once; the names that it knows. Raises what that raises, with what to do about it."""
    (place / "entry.json").write_text(entry.model_dump_json(), encoding="utf-8")
    try:
        return tuple(map(str, _run(["use", str(place)], TRY_S, report)["names"]))
    except MaskwrightError as error:
        likely = [other for other in recognise.possible(seen, [f.name for f in entry.files]) if other.signs]
        signed = [f for f in likely if f.name != family.name and any(signs.fit(seen) for signs in f.signs)]
        if signed and not any(signs.fit(seen) for signs in family.signs):
            error.hint = (
                f"Nothing was installed. It looks like {signed[0].title}: add it with --family {signed[0].name}."
            )
        elif isinstance(error, ModelBroken):
            own = error.hint if error.hint != ModelBroken.hint and "maskwright models remove" not in error.hint else ""
            error.hint = f"Nothing was installed. {own or 'Get or export the file again, or name another --family.'}"
        raise


def _place(folder: Path, target: Path, finish: Callable[[], None]) -> bool:
    """Put the folder where it belongs and ``finish``, or neither; whether there was one before, which is gone then."""
    before = folder.with_name("before")
    replaced = os.path.lexists(target)
    if replaced:  # a link too: what it leads to is the user's
        os.replace(target, before)
    try:
        os.replace(folder, target)
        finish()
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        if replaced:
            os.replace(before, target)
        raise
    if before.is_symlink():
        before.unlink()
    return replaced


def _run(arguments: list[str], limit_s: float, report: Report) -> dict[str, Any]:
    """What ``runtime.trial`` answers. Raises what it tells, or ``ModelBroken`` when it ends or takes too long."""
    command = [sys.executable, "-m", "maskwright.models.runtime.trial", *arguments]
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    # Its standard input is never written to: it ends when this process, and with it the pipe, is gone.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        clock = threading.Timer(limit_s, end)
        clock.start()
        last: dict[str, Any] = {}
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("{"):  # libraries may print
                    last = json.loads(line)
                    report(str(last.get("text", "")))
        finally:
            clock.cancel()
            process.kill()
    if "error" in last:
        raise from_code(last["error"], last["message"], last["hint"], last["details"])
    if late.is_set():
        raise ModelBroken(f"It did not answer within {limit_s:.0f} seconds.", "Nothing was installed.")
    if "done" not in last:
        code = process.returncode
        raise ModelBroken(f"The process that tried it ended (exit code {code}).", "Nothing was installed.")
    return last["done"]
