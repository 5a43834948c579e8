"""Deleting models that were downloaded."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from filelock import FileLock, Timeout

from maskwright.models.catalogue.entries import Entry
from maskwright_protocol.errors import DownloadFailed, ModelMissing
from maskwright_protocol.language import tr

from . import user_catalogue
from .download import STAGING


def remove(entry: Entry, destination: Path) -> int:
    """Delete a downloaded model and what is left of its unfinished downloads; returns the bytes that were freed.

    Of a folder that is a link only the link is deleted. A model that the user added from files is taken out of the
    user's catalogue too. Raises ``ModelMissing``: files that the user placed elsewhere are the user's to delete.
    """
    added = entry.own and not entry.sources  # what can be had again stays known
    if added:
        user_catalogue.remove(entry.id)
    staging = destination / STAGING
    target = destination / entry.id
    doomed = [p for p in (target, staging / entry.id) if p.is_dir()]
    if not doomed and added:
        return 0
    if not doomed:
        raise ModelMissing(
            tr("The model {0} is not in Maskwright's own model folder.", entry.id),
            hint=tr("Models in other folders are yours to delete: 'maskwright models show' tells where they are."),
            model=entry.id,
        )
    staging.mkdir(parents=True, exist_ok=True)
    lock = FileLock(staging / f"{entry.id}.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout:
        raise DownloadFailed(tr("{0} is being downloaded.", entry.id), tr("Cancel the download first.")) from None
    try:
        for link in [p for p in doomed if p.is_symlink()]:
            link.unlink()
            doomed.remove(link)
        freed = sum(p.lstat().st_size for folder in doomed for p in folder.rglob("*") if p.is_file())
        for folder in doomed:
            away = staging / f"{entry.id}.{time.time_ns()}.old"  # gone for everyone at once, then deleted
            os.replace(folder, away)
            shutil.rmtree(away)
    finally:
        lock.release()
    return freed
