"""Made-up entries of the catalogue, and folders that hold their files."""

from __future__ import annotations

from pathlib import Path

from maskwright.models.catalogue.entries import Catalogue, Entry, ModelFile


def entry_of(name: str, file: str, **more) -> Entry:
    fields = {
        "id": name, "family": "yolox", "roles": ("detector",), "title": name.title(), "summary": "A.", "licence": "MIT",
        "commercial": "yes", "source": "", "revision": "1", "files": (ModelFile(name=file),), "parameters": 0,
        "memory": 1, "input_size": 64,
    }  # fmt: skip
    return Entry.model_validate({**fields, **more})


def there(folder: Path, *entries: Entry) -> Catalogue:
    """A model folder with these, each with some bytes."""
    for entry in entries:
        (folder / entry.id).mkdir(parents=True)
        for file in entry.files:
            (folder / entry.id / file.name).write_bytes(b"some bytes")
    return Catalogue(model=entries)
