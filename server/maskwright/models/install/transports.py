"""Ways to get the bytes of a model: https with resuming, the hub's client for addresses and access, folders, zips.

Each function writes into a ``.part`` file and may be called again to go on where it stopped. What the bytes are worth
is for the caller to check.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from maskwright.models.catalogue.entries import Source
from maskwright_protocol import __version__

CHUNK = 256 * 1024
TIMEOUT_S = 20.0
ATTEMPTS = 4  # in a row that bring no new byte; each waits longer than the one before
PAUSE_S = 0.5
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Report = Callable[[int], None]  # bytes of the file that are here
Check = Callable[[], None]  # raises when the user has cancelled


class SourceFailed(Exception):
    """A source did not give the file; the text is a sentence."""


class Refused(SourceFailed):
    """The source gives the file only to accounts with access to it."""


class Unreachable(SourceFailed):
    """The source does not answer."""


class Full(Exception):
    """The disk is full."""


class SwitchedOff(Exception):
    """The hub's client was told to stay offline."""


@dataclass(frozen=True)
class Location:
    """Where a file is now. ``identity`` stays the same when signed addresses change; ``size`` and the digest as far as
    the source tells: ``sha256``, or ``blob``, the SHA-1 that git names a small file of a repository by."""

    url: str
    identity: str
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    sha256: str | None = None
    blob: str | None = None

    @property
    def digest_known(self) -> bool:
        return bool(self.sha256 or self.blob)


def newest(hub: str) -> str:
    """The commit that the repository's main branch is at now. Raises like ``locate``."""
    with _answers_of(hub):
        from huggingface_hub import HfApi

        found = HfApi().model_info(hub, revision="main", timeout=TIMEOUT_S)
    if not found.sha or not re.fullmatch(r"[0-9a-f]{40}", found.sha):
        raise SourceFailed(f"{hub} did not tell its revision.")
    return found.sha


def locate(source: Source, name: str) -> Location:
    """The address of a file. Asks the hub; raises ``SourceFailed``, ``Refused`` or ``SwitchedOff``."""
    if source.hub is None:
        address = source.address(name)
        return Location(address, address)
    hub, path = source.hub, source.path(name)
    with _answers_of(hub, path, source.revision or ""):
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(hub, path, revision=source.revision)
        found = get_hf_file_metadata(url, timeout=TIMEOUT_S)
    if found.commit_hash and found.commit_hash != source.revision:
        raise SourceFailed(f"{hub} answered with another revision than the one asked for.")
    etag = found.etag or ""
    sha256 = etag if re.fullmatch(r"[0-9a-f]{64}", etag) else None
    blob = etag if re.fullmatch(r"[0-9a-f]{40}", etag) else None
    # The token is for the hub, not for the storage server that it redirects to.
    headers = build_hf_headers() if urlsplit(found.location).netloc == urlsplit(url).netloc else {}
    identity = f"{hub}@{source.revision}/{path}"
    return Location(found.location, identity, dict(headers), found.size, sha256, blob)


@contextmanager
def _answers_of(hub: str, path: str = "", revision: str = "main") -> Iterator[None]:
    """The context of a request to the hub, whose errors become ``SourceFailed``, ``Refused`` or ``SwitchedOff``."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise Refused(f"{hub} is gated: the hub gives it only to accounts that asked for it.") from error
    except errors.RevisionNotFoundError as error:
        raise SourceFailed(f"{hub} has no revision {revision}.") from error
    except errors.EntryNotFoundError as error:
        raise SourceFailed(f"{hub} has no file {path} at that revision.") from error
    except errors.RepositoryNotFoundError as error:
        raise Refused(f"{hub} is not there, or is private and this account may not see it.") from error
    except errors.OfflineModeIsEnabled as error:
        raise SwitchedOff from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise Refused(f"{hub} refused the access (status {status}).") from error
        raise SourceFailed(f"{hub} answered with status {status}.") from error
    except Exception as error:  # the client's, its HTTP library's, the system's: the hub is out of reach
        raise Unreachable(f"{hub} cannot be reached: {_brief(error)}.") from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https (or to this computer) only, and takes no token to another host."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        local = after.hostname in _LOOPBACK and before.scheme == "http"
        if after.scheme != "https" and not (after.scheme == "http" and local):
            raise urllib.error.URLError("it sends to an address without encryption")
        if new is not None and before.netloc != after.netloc:
            new.remove_header("Authorization")
        return new


def download(where: Location, part: Path, *, trusted: bool, report: Report, check: Check) -> None:
    """Download the rest of the file to ``part``, after the bytes that are there already.

    ``trusted``: the caller knows the file's digest, so bytes from another mirror may be continued. Raises
    ``SourceFailed``, ``Refused`` or ``Full``; what has arrived stays.
    """
    opener = urllib.request.build_opener(_Redirects)
    idle = 0
    while True:
        check()
        before = _size(part)
        try:
            if _once(opener, where, part, trusted, report, check):
                return
            reason = "the connection ended early"
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"it answered with status {error.code}"
            if error.code == 416:  # what is here is not the beginning of that file
                part.unlink(missing_ok=True)
            elif error.code in (401, 403):
                raise Refused(f"{_host(where)} refused the access (status {error.code}).") from error
            elif error.code < 500 and error.code not in (408, 429):
                raise SourceFailed(f"{_host(where)} does not have the file (status {error.code}).") from error
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Full from error
            reason = _brief(error)
        idle = 0 if _size(part) > before else idle + 1
        if idle >= ATTEMPTS:
            raise SourceFailed(f"The download from {_host(where)} broke off: {reason}.")
        _pause(PAUSE_S * idle, check)


def _once(
    opener: urllib.request.OpenerDirector, where: Location, part: Path, trusted: bool, report: Report, check: Check
) -> bool:
    """One connection; True when the file is whole."""
    note = part.with_name(part.name + ".json")
    tag = _tag(note, where.identity)
    have = _size(part)
    if have and not (tag or trusted):
        have = 0
    if where.size is not None and have >= where.size:
        if have == where.size:
            report(have)
            return True
        have = 0
    headers = {"User-Agent": f"maskwright/{__version__}", "Accept-Encoding": "identity", **where.headers}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag:
            headers["If-Range"] = tag
    request = urllib.request.Request(where.url, headers=headers)  # noqa: S310 - the catalogue takes https only
    with opener.open(request, timeout=TIMEOUT_S) as response:
        if response.status != 206:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else where.size
        if where.size is not None and total is not None and total != where.size:
            raise SourceFailed(f"{_host(where)} has {total} bytes instead of {where.size}.")
        validator = response.headers.get("ETag") or ""
        usable = validator if not validator.startswith("W/") else ""
        note.write_text(json.dumps({"identity": where.identity, "tag": usable}), encoding="utf-8")
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            file.truncate()
            while chunk := response.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if where.size is not None and have > where.size:
                    raise SourceFailed(f"{_host(where)} sends more than {where.size} bytes.")
                report(have)
                check()
    if total is None and where.size is None:
        return True  # the length is unknown; the caller's digest decides
    return have == total


def _tag(note: Path, identity: str) -> str:
    try:
        value = json.loads(note.read_text(encoding="utf-8"))
        return value["tag"] if value["identity"] == identity else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _host(where: Location) -> str:
    return urlsplit(where.url).hostname or "the source"


def _brief(error: BaseException) -> str:
    """Why, for a sentence, without the numbers that systems give their errors."""
    causes: list[BaseException] = []
    found: object = error
    while isinstance(found, BaseException) and found not in causes:  # libraries hide the system's in their own
        causes.append(found)
        found = getattr(found, "reason", None) or found.__cause__ or found.__context__
    for cause in causes:
        for kind, text in _PLAIN:
            if isinstance(cause, kind):
                return text
    reason = getattr(error, "reason", None)
    text = str(reason) if reason else str(error) or type(error).__name__
    return re.sub(r"\[Errno -?\d+\] ", "", text.splitlines()[0][:200]).rstrip(".")


_PLAIN: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its address is not known, as when there is no internet"),
    (ConnectionRefusedError, "it refuses connections"),
    (TimeoutError, "it does not answer"),
)


def _pause(seconds: float, check: Check) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        time.sleep(0.05)


# ---------------------------------------------------------------- from this computer


def local_candidates(origin: Path, name: str, sizes: set[int]) -> Iterator[tuple[str, Callable[[Path, Check], None]]]:
    """Files of a folder, or members of a zip, that may be the wanted one: by name first, then by size.

    Yields what to call it in a sentence and a function that copies it to a path. Raises ``SourceFailed``.
    """
    limit = max(sizes, default=None)
    if origin.is_dir() or not zipfile.is_zipfile(origin):
        files = [p for p in sorted(origin.rglob("*")) if p.is_file()] if origin.is_dir() else [origin]
        if not all(p.exists() for p in files):
            raise SourceFailed(f"There is no file or folder {origin.name}.")
        named = [p for p in files if p.name == name]
        alike = [p for p in files if p.name != name and p.stat().st_size in sizes]
        for path in [*named, *alike]:
            yield path.name, lambda part, check, path=path: _copy_file(path, part, check)
        return
    with zipfile.ZipFile(origin) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        named = [m for m in members if m.filename.rsplit("/", 1)[-1] == name]
        alike = [m for m in members if m not in named and m.file_size in sizes]
        for member in [*named, *alike]:
            yield (
                member.filename,
                lambda part, check, member=member: _copy_member(archive, member, part, limit, check),
            )


def _copy_file(path: Path, part: Path, check: Check) -> None:
    with _disk(), path.open("rb") as source, part.open("wb") as target:
        while chunk := source.read(CHUNK):
            check()
            target.write(chunk)


def _copy_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, part: Path, limit: int | None, check: Check
) -> None:
    if member.flag_bits & 1:
        raise SourceFailed(f"{member.filename} is encrypted.")
    written = 0
    try:
        with _disk(), archive.open(member) as source, part.open("wb") as target:
            while chunk := source.read(CHUNK):
                check()
                written += len(chunk)
                if limit is not None and written > limit:  # whatever its header says
                    raise SourceFailed(f"{member.filename} is longer than the model's file.")
                target.write(chunk)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise SourceFailed(f"{member.filename} cannot be unpacked: {_brief(error)}.") from error


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Full from error
        raise SourceFailed(f"It cannot be copied: {error.strerror or error}.") from error


def adopt(path: Path, target: Path) -> None:
    """Use a file that is on this computer already: by a hard link, or else as a copy."""
    try:
        os.link(path, target)
    except OSError:
        with _disk():
            shutil.copyfile(path, target)
