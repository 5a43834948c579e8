"""Which models are on this computer: the embedded ones and those in the model folders. Light, like the catalogue.

A model folder holds one directory per model; the folders of other programs, with directories in directories, serve
too. A directory is recognised by the names and sizes of its files, whatever it is called; contents are checked by
SHA-256 before the first load, once per file. Directories whose names begin with a dot (unfinished downloads) are passed
over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maskwright.models import catalogue
from maskwright.models.catalogue.entries import Catalogue, Content, Entry, ModelFile
from maskwright.models.catalogue.labels import installed_table
from maskwright.models.machine import packages, records
from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelInfo

from . import recommend

_COMMON = ("model.safetensors", "model.onnx")
LARGE = 32 << 20  # bytes of a file whose digest is worth remembering: a worker starts again after each pause
EMBEDDED = Path(__file__).parents[1] / "embedded"


@dataclass(frozen=True)
class Installed:
    """A model found. ``folder`` holds its files; ``problem`` is a sentence when it cannot be used as it is, else empty.
    ``waits``: the problem is only that it is a pickle still, which ``pull`` converts. ``failed``: the files are those
    that they should be, but they did not work when they were used last.
    """

    entry: Entry
    folder: Path
    problem: str = ""
    waits: bool = False
    failed: bool = False


def scan(folders: Sequence[Path], known: Catalogue | None = None) -> dict[str, Installed]:
    """Models by id. The first sound one wins, folders in order, then the embedded ones; a broken one is kept only
    when there is no sound one. Folders that do not exist are passed over.
    """
    known = known or catalogue.load()
    found: dict[str, Installed] = {}
    naming = _by_file_name(known)
    for directory in _directories(folders):
        sizes = _sizes(directory)
        likely = {entry.id for name in sizes for entry in naming.get(name, ())}
        claims = [m for entry in known.model if entry.id in likely and (m := _recognise(entry, directory, sizes))]
        for model in _settle(claims):
            entry = model.entry
            if entry.id not in found or (found[entry.id].problem and not model.problem):
                found[entry.id] = model
    for entry in known.model:
        if entry.embedded and _can_run(entry) and (entry.id not in found or found[entry.id].problem):
            directory = EMBEDDED / entry.id
            model = _recognise(entry, directory, _sizes(directory)) if entry.files else Installed(entry, directory)
            if model:
                found[entry.id] = model
    return _with_failures(found)


def _with_failures(found: dict[str, Installed]) -> dict[str, Installed]:
    """What failed when it was used last, with these very files and packages, has that as its problem."""
    for model_id, (what, sentence) in records.failures().items():
        model = found.get(model_id)
        if model is not None and not model.problem and tried(model) == what:
            found[model_id] = replace(model, problem=f"Broken: {sentence}", failed=True)
    return found


def tried(model: Installed) -> str:
    """A digest of what is tried when a model is used: its entry, its files as they are, the packages that run it."""
    state = [model.entry.model_dump_json(), packages.versions()]
    for file in model.entry.files:
        try:
            status = (model.folder / file.name).stat()
            state.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
        except OSError:
            state.append(f"{file.name} -")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


def _by_file_name(known: Catalogue) -> dict[str, list[Entry]]:
    """The entries that have a file of a name: there may be thousands of folders without any."""
    naming: dict[str, list[Entry]] = {}
    for entry in known.model:
        for file in entry.files:
            for name in {file.name, *([file.pickle.name] if file.pickle else [])}:
                naming.setdefault(name, []).append(entry)
    return naming


def _settle(claims: list[Installed]) -> list[Installed]:
    """Choose among entries that a folder may be, since fine-tuned checkpoints share their file's name and size.

    The folder's name decides, or else the contents of the files.
    """
    kept = []
    for model in claims:
        rivals = [other for other in claims if other is not model and _shares_a_file(model.entry, other.entry)]
        named = model.folder.name in model.entry.folder_names
        if not rivals or named or (not any(r.folder.name in r.entry.folder_names for r in rivals) and _fits(model)):
            kept.append(model)
    return kept


def _shares_a_file(one: Entry, other: Entry) -> bool:
    return not {file.name for file in one.files}.isdisjoint(file.name for file in other.files)


def _fits(model: Installed) -> bool:
    """Whether the contents are right; reads them."""
    if model.problem:
        return False
    try:
        for file in model.entry.files:
            path = model.folder / file.name
            status = path.stat()
            known = {content.sha256 for content in allowed(model.entry, file)}
            if known and digest(str(path), status.st_size, status.st_mtime_ns) not in known:
                return False
    except OSError:
        return False
    return True


def _can_run(entry: Entry) -> bool:
    return all(find_spec(module) is not None for module in entry.requires)


def _directories(folders: Sequence[Path]) -> list[Path]:
    """The folders, the folders in them, and the folders in those; each name of each once, also where links go round."""
    directories: list[Path] = []
    seen: dict[tuple[str, str], int] = {}  # by name and where that is, how deep it was looked into

    def look(folder: Path, real: str, depth: int) -> None:
        if seen.get((folder.name, real), -1) >= depth:
            return
        seen[folder.name, real] = depth
        directories.append(folder)
        for inside in _inside(folder) if depth else ():
            look(inside, os.path.realpath(inside) if inside.is_symlink() else f"{real}{os.sep}{inside.name}", depth - 1)

    for folder in folders:
        look(folder, os.path.realpath(folder), 2)
    return directories


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def _sizes(directory: Path) -> dict[str, int]:
    try:
        return {p.name: p.stat().st_size for p in directory.iterdir() if p.is_file()}
    except OSError:
        return {}


def _recognise(entry: Entry, directory: Path, sizes: dict[str, int]) -> Installed | None:
    if not entry.files:
        return None
    if any(f.pickle and f.name not in sizes and _is_published(entry, f, sizes) for f in entry.files):
        text = tr("The checkpoint of {0} is here, but must be converted first: maskwright models pull {0}.", entry.id)
        return Installed(entry, directory, text, waits=True)
    present = [f for f in entry.files if f.name in sizes]
    named = directory.name in entry.folder_names
    # Many models have a config.json and a model.safetensors: where no size is published, the folder's name must fit.
    telling = any(f.contents or not (f.name.endswith((".json", ".txt")) or f.name in _COMMON) for f in present)
    if not present or (not named and (len(present) < len(entry.files) or not telling)):
        return None
    missing = [f.name for f in entry.files if f.name not in sizes]
    if missing:
        return Installed(entry, directory, f"The model {entry.id} lacks the file {missing[0]}.")
    for file in entry.files:
        right = sorted({content.size for content in allowed(entry, file)})
        if right and sizes[file.name] not in right:
            text = tr(
                "The file {0} of the model {1} has {2} bytes instead of {3}.",
                file.name,
                entry.id,
                sizes[file.name],
                right[0],
            )
            return Installed(entry, directory, text)
    return Installed(entry, directory)


def _is_published(entry: Entry, file: ModelFile, sizes: dict[str, int]) -> bool:
    """Whether the pickle that the file is made from is there, judged by its name and size."""
    pickle = file.published
    right = [content.size for content in allowed(entry, pickle)]
    return pickle.name in sizes and (not right or sizes[pickle.name] in right)


def allowed(entry: Entry, file: ModelFile) -> tuple[Content, ...]:
    """What the file may consist of; empty when nobody published it and it was not seen before."""
    if file.contents:
        return file.contents
    recorded = records.content(entry.id, file.name)
    return (recorded,) if recorded else ()


def verify(model: Installed, anew: bool = False) -> None:
    """Check the contents against the catalogue. Raises ``ModelBroken``.

    Costs time only once per unchanged file, over restarts too; ``anew`` reads every byte again.
    """
    if anew:
        digest.cache_clear()
    if model.problem and not model.failed:
        raise ModelBroken(model.problem, packages.how_to_mend(model.entry), model=model.entry.id)
    for file in model.entry.files:
        path = model.folder / file.name
        try:
            status = path.stat()
            actual = digest(str(path), status.st_size, status.st_mtime_ns, anew)
        except OSError as error:
            raise ModelBroken(
                tr("The file {0} cannot be read: {1}.", file.name, error), model=model.entry.id
            ) from error
        known = allowed(model.entry, file)
        if not status.st_size:
            raise ModelBroken(
                tr("The file {0} of the model {1} is empty.", file.name, model.entry.id), model=model.entry.id
            )
        if not known:  # no digest is published: it must stay what it is now
            records.record_content(model.entry.id, file.name, Content(size=status.st_size, sha256=actual))
        elif actual not in {content.sha256 for content in known}:
            raise ModelBroken(
                tr("The file {0} of the model {1} is damaged or is another version.", file.name, model.entry.id),
                model=model.entry.id,
                sha256=actual,
            )


@lru_cache(maxsize=256)
def digest(path: str, size: int, mtime_ns: int, anew: bool = False) -> str:
    """The SHA-256 of a file, from memory or the records where size and time are those of an earlier reading."""
    large = size >= LARGE
    known = records.digest(path, size, mtime_ns) if large and not anew else None
    if known is not None:
        return known
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if large:
        try:
            records.record_digest(path, size, mtime_ns, sha256)
        except OSError:
            pass  # in a folder that cannot be written to it is computed again each time
    return sha256


def find_content(folders: Sequence[Path], content: Content) -> Path | None:
    """A file with that content anywhere in the model folders, whatever it is called. Reads files of that size only."""
    for directory in _directories(folders):
        for name, size in _sizes(directory).items():
            if size != content.size:
                continue
            path = directory / name
            try:
                if digest(str(path), size, path.stat().st_mtime_ns) == content.sha256:
                    return path
            except OSError:
                continue
    return None


def find_named(folders: Sequence[Path], entry: Entry, name: str) -> Path | None:
    """A file of that name in a folder with the name of the model or of one of its repositories.

    A pickle, whose name is unique, may be in any folder.
    """
    telling = name in {file.pickle.name for file in entry.files if file.pickle}
    for directory in _directories(folders):
        if (telling or directory.name in entry.folder_names) and (directory / name).is_file():
            return directory / name
    return None


def model_infos(found: Mapping[str, Installed], resident: Sequence[str] = (), device: str = "auto") -> list[ModelInfo]:
    """Every model of the catalogue in the form of the wire.

    ``found``: by ``scan``. ``resident``: ids of the loaded ones. ``device``: as in the settings, for what is
    recommended.
    """
    known = catalogue.load()
    offered = recommend.recommended(known, device)
    computer = recommend.Computer.this(device)
    return [
        ModelInfo(
            id=entry.id,
            family=entry.family,
            roles=list(entry.roles),
            title=entry.title,
            summary=tr(entry.summary),  # the catalogue's texts are keys of translations too
            licence=entry.licence,
            commercial=entry.commercial,
            installed=entry.id in found and not found[entry.id].problem,
            embedded=entry.embedded,
            resident=entry.id in resident,
            licence_url=entry.licence_url or entry.source,
            gated=entry.gated,
            size=entry.size,
            memory=entry.memory,
            downloadable=bool(entry.sources),
            recommended=entry.id in offered,
            seconds=computer.seconds(entry),
            measured_on=recommend.MEASURED_ON[computer.kind(entry)] if computer.seconds(entry) else "",
            problem=_problem(found[entry.id]) if entry.id in found else "",
            **_parts(entry, found.get(entry.id)),
        )
        for entry in known.model
    ]


def _problem(model: Installed) -> str:
    package = packages.lacking(model.entry)
    if model.problem or package is None:
        return model.problem
    return tr("{0} needs the package {1}: {2}", model.entry.title, package, packages.command(package))


def _parts(entry: Entry, model: Installed | None) -> dict[str, Any]:
    """The parts that a parser tells apart, if its entry or its files list them."""
    table = installed_table(entry, model.folder if model else None) if "parser" in entry.roles else None
    if table is None:
        return {}
    return {"labels": list(table.parts), "groups": list(table.groups), "parts_of": table.of}
