"""What to say when a model cannot be had: which files are missing, what was tried, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskwright.models.catalogue.entries import Entry, ModelFile
from maskwright_protocol.errors import AccessDenied, DiskFull, DownloadFailed, MaskwrightError
from maskwright_protocol.language import tr


def disk_full(entry: Entry, needed: int, free: int) -> DiskFull:
    """``needed`` and ``free`` are bytes."""
    needed = max(needed, 0)
    text = tr(
        "There is not enough room for {0}: {1} MiB are needed, {2} MiB are free.", entry.title, needed >> 20, free >> 20
    )
    return DiskFull(text, model=entry.id, needed=needed, free=free)


def not_found(
    entry: Entry, missing: Sequence[ModelFile], origin: Path | None, destination: Path, tried: list[str]
) -> MaskwrightError:
    """``origin``: the folder or zip that was to hold the files, if not the network. ``tried``: what went wrong, in
    sentences."""
    names = ", ".join(file.published.name for file in missing)
    if origin is not None:
        text = tr("{0} does not hold {1} of {2}.", origin.name, names, entry.title)
        return DownloadFailed(text, tr("Choose the folder or zip with these files."), model=entry.id, tried=tried)
    if not entry.sources:
        text = tr("No download of {0} is known.", entry.title)
        hint = tr("Put a folder with {0} into {1}, or pull with --from.", names, destination.name)
        return DownloadFailed(text, hint, model=entry.id, tried=[])
    text = tr("{0} could not be downloaded. {1}", entry.title, " ".join(tried))
    return DownloadFailed(text, model=entry.id, tried=tried)


def access_denied(entry: Entry, text: str) -> AccessDenied:
    """``text``: the source's refusal, a sentence."""
    hub = next((source.hub for source in entry.sources if source.hub), None)
    page = f"https://huggingface.co/{hub}" if hub else entry.source
    steps = (
        f"1. Log in at {page} and ask for access. 2. Make a token that may read. 3. Run 'hf auth login', or "
        f"set HF_TOKEN to the token and restart the server. 4. Pull {entry.id} again."
    )
    return AccessDenied(text, steps, model=entry.id, page=page)
