"""The catalogue: every checkpoint Maskwright knows, read from ``catalogue.toml``. Light: no array library here."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from maskwright_protocol.errors import ModelMissing

Role = Literal["detector", "segmenter", "matter", "parser"]
Commercial = Literal["yes", "no", "ask"]


class ModelFile(BaseModel):
    """One file of a checkpoint. ``size`` in bytes, ``sha256`` in lower-case hex."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    size: PositiveInt
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Entry(BaseModel):
    """One checkpoint. ``memory`` is in bytes, ``parameters`` a count, ``input_size`` pixels of the longer side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    family: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    roles: tuple[Role, ...] = Field(min_length=1)
    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    commercial: Commercial
    source: str = Field(pattern=r"^https://")
    revision: str = Field(min_length=1)
    files: tuple[ModelFile, ...]
    embedded: bool = False
    parameters: int = Field(ge=0)
    memory: PositiveInt
    input_size: PositiveInt
    options: dict[str, Any] = Field(default_factory=dict)


class Catalogue(BaseModel):
    """All entries; within a role the preferred ones come first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: tuple[Entry, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Catalogue:
        ids = [entry.id for entry in self.model]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"models listed twice: {', '.join(twice)}")
        return self

    def get(self, model_id: str) -> Entry:
        """The entry of that id. Raises ``ModelMissing`` for an unknown one."""
        for entry in self.model:
            if entry.id == model_id:
                return entry
        known = ", ".join(entry.id for entry in self.model)
        raise ModelMissing(f"There is no model called {model_id!r}.", hint=f"Known models: {known}.", model=model_id)

    def with_role(self, role: str) -> list[Entry]:
        return [entry for entry in self.model if role in entry.roles]


def parse(text: str) -> Catalogue:
    """A catalogue from TOML. Raises ``tomllib.TOMLDecodeError`` or ``pydantic.ValidationError``."""
    return Catalogue.model_validate(tomllib.loads(text))


@cache
def load() -> Catalogue:
    """The catalogue that comes with this version."""
    return parse(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
