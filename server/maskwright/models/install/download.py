"""Getting models: from their sources in turn, a folder or a zip; checked; installed in one step or not at all.

Everything unfinished lies in ``.downloads`` inside the model folder, which no scan looks at. A lock there lets one
process at a time work at a model; the others wait, and then find it installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from maskwright.models.catalogue.entries import Catalogue, Content, Entry, ModelFile, Pickle, Source
from maskwright.models.machine import records
from maskwright_protocol.errors import DownloadFailed, JobCancelled, LicenceNeeded, ModelBroken, Offline
from maskwright_protocol.language import tr

from . import scan, transports
from .convert import convert, require_reader
from .download_errors import access_denied, disk_full, not_found
from .scan import Installed
from .transports import Full, Location, Refused, SourceFailed, SwitchedOff, Unreachable

STAGING = ".downloads"
RESERVE = 64 << 20  # bytes of the disk that are left free
_WAIT_S = 0.2


@dataclass(frozen=True)
class PullProgress:
    """``stage``: "waiting" (for another process), "download", "verify" or "convert". ``total`` is 0 while unknown."""

    stage: str
    done: int
    total: int
    text: str

    @property
    def fraction(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


def is_offline() -> bool:
    """Whether downloads are switched off."""
    return os.environ.get("MASKWRIGHT_OFFLINE", "").lower() not in ("", "0", "false", "no")


def agree(entry: Entry, accept: bool) -> None:
    """Record that the user agreed to the licence. Raises ``LicenceNeeded`` where that is needed and did not happen."""
    if entry.commercial == "yes" or entry.own or records.licence_accepted(entry.id, entry.licence):
        return
    if not accept:
        use = "does not allow commercial use" if entry.commercial == "no" else "leaves questions open"
        raise LicenceNeeded(
            tr("The licence of {0} ({1}) {2}: you must agree to it first.", entry.title, entry.licence, use),
            model=entry.id,
            licence=entry.licence,
            licence_url=entry.licence_url or entry.source,  # then the model's page tells it
            commercial=entry.commercial,
        )
    records.accept_licence(entry.id, entry.licence)


def pull(
    entry: Entry,
    folders: Sequence[Path],
    destination: Path,
    *,
    origin: Path | None = None,
    accept_licence: bool = False,
    report: Callable[[PullProgress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Install a model below ``destination`` unless it is in one of ``folders`` already; returns its folder.

    ``origin``: a folder, a file or a zip to take the files from instead of the network. Raises ``LicenceNeeded``,
    ``DownloadFailed``, ``AccessDenied``, ``Offline``, ``DiskFull`` or ``JobCancelled``.
    """
    try:
        return _Pull(entry, [*folders, destination], destination, origin, report, cancelled).run(accept_licence)
    except OSError as error:
        text = tr("{0} cannot be written: {1}.", entry.title, error.strerror or error)
        hint = tr("Check the folder that 'maskwright models path' names last.")
        raise DownloadFailed(text, hint, model=entry.id, tried=[]) from error


@dataclass
class _Pull:
    entry: Entry
    folders: list[Path]
    destination: Path
    origin: Path | None
    report: Callable[[PullProgress], None]
    cancelled: Callable[[], bool]

    def __post_init__(self) -> None:
        self._staging = self.destination / STAGING / self.entry.id
        self._finished = 0  # bytes of the files that are whole
        # As far as they are known.
        self._sizes = {file.name: file.published.size or file.about or 0 for file in self.entry.files}
        self._tried: list[str] = []
        self._refused = ""

    def run(self, accept_licence: bool) -> Path:
        if (found := self._sound()) is not None:
            return found
        agree(self.entry, accept_licence)
        self._staging.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._staging.with_name(f"{self.entry.id}.lock"))
        self._acquire(lock)
        try:
            return self._sound() or self._install()
        except Full:
            free = shutil.disk_usage(self.destination).free
            raise disk_full(self.entry, sum(self._sizes.values()), free) from None
        finally:
            if not any(path.stat().st_size for path in _files(self._staging) if not path.name.endswith(".part.json")):
                shutil.rmtree(self._staging, ignore_errors=True)  # nothing to resume from
            lock.release()

    def _sound(self) -> Path | None:
        model = scan.scan(self.folders, Catalogue(model=(self.entry,))).get(self.entry.id)
        return model.folder if model is not None and _right(model) else None

    def _acquire(self, lock: FileLock) -> None:
        while True:
            self._check()
            try:
                lock.acquire(timeout=_WAIT_S)
                return
            except Timeout:
                done = sum(p.stat().st_size for p in _files(self._staging) if not p.name.endswith(".json"))
                self._tell("waiting", done, "Another program is downloading it")

    def _install(self) -> Path:
        entry = self.entry
        self._staging.mkdir(exist_ok=True)
        if any(file.pickle for file in entry.files):
            require_reader()
        missing = [file for file in entry.files if not any(self._have(form) for form in _forms(file))]
        origin = self.origin
        if missing and origin is not None:
            missing = [file for file in missing if not any(self._copied(origin, form) for form in _forms(file))]
        elif missing:
            missing = self._from_sources(missing)
        if missing:
            if self._refused:
                raise access_denied(entry, self._refused)
            raise not_found(entry, missing, self.origin, self.destination, self._tried)
        for file in entry.files:
            if file.pickle is not None and not (self._staging / file.name).exists():
                self._convert(file, file.pickle)
        for leftover in _files(self._staging):
            if leftover.name not in {file.name for file in entry.files}:
                leftover.unlink()
        target = self.destination / entry.id
        away = self._staging.with_name(f"{entry.id}.old")
        if target.is_symlink():  # what it leads to is the user's
            target.unlink()
        elif target.exists():  # found broken above
            shutil.rmtree(away, ignore_errors=True)
            os.replace(target, away)
        os.replace(self._staging, target)
        shutil.rmtree(away, ignore_errors=True)
        return target

    def _have(self, file: ModelFile) -> bool:
        """Whether the file is in the staging folder, or could be taken from elsewhere on this computer."""
        whole = self._staging / file.name
        if whole.exists() and self._is_right(file, whole):
            return True
        known = scan.allowed(self.entry, file)
        found = [scan.find_content(self.folders, content) for content in known]
        if not known:
            found = [scan.find_named(self.folders, self.entry, file.name)]
        for path in filter(None, found):
            transports.adopt(path, whole)
            if self._is_right(file, whole):
                return True
        return False

    def _is_right(self, file: ModelFile, whole: Path) -> bool:
        """Whether the file in the staging folder is the wanted one; it is deleted otherwise."""
        if not self._accept(file, whole, None):
            whole.unlink()
            return False
        self._finished += whole.stat().st_size
        return True

    def _copied(self, origin: Path, file: ModelFile) -> bool:
        part = self._staging / f"{file.name}.part"
        sizes = {content.size for content in scan.allowed(self.entry, file)}
        self._room(max(sizes, default=0))
        try:
            for name, copy in transports.local_candidates(origin, file.name, sizes):
                self._tell("verify", self._finished, f"Checking {name}")
                copy(part, self._check)
                if self._accept(file, part, None):
                    self._keep(part, file)
                    return True
                self._say(f"{name} in {origin.name} is not the {file.name} of this model.")
                part.unlink(missing_ok=True)
        except SourceFailed as error:
            part.unlink(missing_ok=True)
            self._say(str(error))
        return False

    def _from_sources(self, missing: list[ModelFile]) -> list[ModelFile]:
        if not self.entry.sources:
            return missing
        if is_offline():
            raise Offline(tr("Downloads are switched off."), model=self.entry.id)
        parts = sum(p.stat().st_size for p in _files(self._staging) if p.name.endswith(".part"))
        self._room(sum(file.published.size or 0 for file in missing) - parts)
        for source in self.entry.sources:
            left = list(missing)
            for file in missing:
                try:
                    source = self._pinned(source)
                    self._bring(source, file if source.ready else file.published)
                    left.remove(file)
                except Unreachable as error:
                    self._say(str(error))
                    break
                except SourceFailed as error:
                    if isinstance(error, Refused):
                        self._refused = self._refused or str(error)
                    self._say(str(error))
                except SwitchedOff:
                    raise Offline(
                        tr("The hub's client is told to stay offline."), tr("Unset HF_HUB_OFFLINE.")
                    ) from None
            missing = left
            if not missing:
                break
        return missing

    def _say(self, problem: str) -> None:
        if problem not in self._tried:
            self._tried.append(problem)

    def _bring(self, source: Source, file: ModelFile) -> None:
        part = self._staging / f"{file.name}.part"
        before = part.stat().st_size if part.exists() else 0
        try:
            self._fetch(transports.locate(source, file.name), file)
        except Refused:
            if not part.exists() or part.stat().st_size <= before:
                raise
            self._fetch(transports.locate(source, file.name), file)  # a signed address can expire

    def _pinned(self, source: Source) -> Source:
        """A hub repository at one commit: the catalogue's, or else that of this model's first download."""
        if source.hub is None or source.revision is not None:
            return source
        commit = records.revision(self.entry.id, source.hub)
        if commit is None:
            commit = transports.newest(source.hub)
            records.record_revision(self.entry.id, source.hub, commit)
        return source.model_copy(update={"revision": commit})

    def _convert(self, file: ModelFile, pickle: Pickle) -> None:
        """Make the file from the pickle that has arrived and is checked."""
        source, target = self._staging / pickle.name, self._staging / file.name
        self._room(source.stat().st_size)
        self._tell("convert", self._finished, f"Converting {pickle.name} to tensors that hold no code")
        convert(
            source,
            target,
            sha256=self._digest(source),
            key=pickle.key,
            allow=pickle.allow,
            rename=pickle.rename,
            drop=pickle.drop,
            check=self._check,
        )
        made = Content(size=target.stat().st_size, sha256=self._digest(target))
        records.record_content(self.entry.id, file.name, made)
        source.unlink()

    def _fetch(self, where: Location, file: ModelFile) -> None:
        """Download a file and check it. One that was resumed and turns out wrong is downloaded anew once."""
        known = scan.allowed(self.entry, file)
        size = known[0].size if known else where.size
        if size is not None and where.size is not None and where.size not in {c.size for c in known} and known:
            raise SourceFailed(f"The source has {where.size} bytes for {file.name} instead of {size}.")
        where = replace(where, size=size)
        part = self._staging / f"{file.name}.part"
        if not known and size is not None:
            self._sizes[next(f.name for f in self.entry.files if file.name in (f.name, f.published.name))] = size
            self._room(size - (part.stat().st_size if part.exists() else 0))

        def report(done: int) -> None:
            self._tell("download", self._finished + done, f"Downloading {self.entry.title}")

        for _ in range(2):
            pieced = part.exists()
            trusted = bool(known) or where.digest_known
            transports.download(where, part, trusted=trusted, report=report, check=self._check)
            self._tell("verify", self._finished + part.stat().st_size, f"Checking {file.name}")
            if self._accept(file, part, where):
                self._keep(part, file)
                return
            part.unlink()
            if not pieced:
                break
        raise SourceFailed(f"What the source sent for {file.name} is damaged or another version.")

    def _accept(self, file: ModelFile, path: Path, where: Location | None) -> bool:
        """Whether the content is right.

        Where the catalogue has no digest the source's must match, if it has one; the digest of what came is recorded
        and enforced from then on.
        """
        size = path.stat().st_size
        known = scan.allowed(self.entry, file)
        if known and size not in {content.size for content in known}:
            return False
        actual = self._digest(path)
        if known:
            return actual in {content.sha256 for content in known}
        if size == 0 or (where is not None and where.sha256 not in (None, actual)):
            return False
        if where is not None and where.blob not in (None, self._digest(path, "sha1", b"blob %d\0" % size)):
            return False
        records.record_content(self.entry.id, file.name, Content(size=size, sha256=actual))
        return True

    def _digest(self, path: Path, algorithm: str = "sha256", prefix: bytes = b"") -> str:
        digest = hashlib.new(algorithm, prefix)
        with path.open("rb") as file:
            while chunk := file.read(1 << 22):
                digest.update(chunk)
                self._check()
        return digest.hexdigest()

    def _keep(self, part: Path, file: ModelFile) -> None:
        with part.open("rb+") as data:
            os.fsync(data.fileno())
        self._finished += part.stat().st_size
        os.replace(part, self._staging / file.name)

    def _room(self, needed: int) -> None:
        free = shutil.disk_usage(self.destination).free
        if needed + RESERVE > free:
            raise disk_full(self.entry, needed, free)

    def _tell(self, stage: str, done: int, text: str) -> None:
        self.report(PullProgress(stage, done, sum(self._sizes.values()), text))

    def _check(self) -> None:
        if self.cancelled():
            raise JobCancelled(tr("Cancelled."))


def _forms(file: ModelFile) -> tuple[ModelFile, ...]:
    """The file, and the pickle that it can be made from."""
    return (file,) if file.pickle is None else (file, file.published)


def _files(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_file()]
    except OSError:
        return []


def _right(model: Installed) -> bool:
    try:
        scan.verify(model)
    except ModelBroken:
        return False
    return True
