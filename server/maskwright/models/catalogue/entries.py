"""What an entry of the catalogue holds: a checkpoint, its files and where they can be had. Light."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from maskwright.models import families
from maskwright.models.family import Family
from maskwright_protocol.errors import ModelMissing
from maskwright_protocol.language import joined, tr

Role = Literal["detector", "panoptic", "segmenter", "matting", "parser", "depth"]
Commercial = Literal["yes", "no", "ask"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]

_NAME = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"  # no separators and no leading dot: it can only name a file in its folder
_SHA256 = r"^[0-9a-f]{64}$"
# Plain http only to this computer.
_URL = r"^(https://|http://(127\.0\.0\.1|localhost)(:\d+)?/)"


class Content(BaseModel):
    """What a file may consist of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: PositiveInt
    sha256: str = Field(pattern=_SHA256)


class Pickle(BaseModel):
    """The published checkpoint that a file is converted from, once, after it was downloaded (see ``convert``).

    ``size`` and ``sha256`` as in ``ModelFile``. ``key``: which dictionary in it holds the tensors; the usual ones are
    found. ``rename``: ``[pattern, replacement]`` pairs of regular expressions, applied in turn to every tensor's name.
    ``drop``: a pattern; tensors whose published names match it are left out. ``allow``: names of
    ``pickle_reader.ALLOWABLE`` that it may hold besides tensors, which needs its ``sha256``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_NAME)
    size: PositiveInt | None = None
    sha256: str | None = Field(default=None, pattern=_SHA256)
    key: str = ""
    rename: tuple[tuple[str, str], ...] = ()
    drop: str = ""
    allow: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_sound(self) -> Pickle:
        for pattern in (*(pattern for pattern, _ in self.rename), self.drop):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error})") from None
        if self.allow and not self.sha256:
            raise ValueError("allow needs the sha256 of the one file that it is for")
        return self


class ModelFile(BaseModel):
    """One file of a checkpoint. ``size`` in bytes, ``sha256`` in lower-case hex, None where the source publishes none:
    they are then recorded at the first download (see ``records``). ``about``: bytes to tell people where the size is
    not known. ``also``: other exports that serve as well. ``pickle``: what the source has instead of it; the file is
    made from that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_NAME)
    size: PositiveInt | None = None
    sha256: str | None = Field(default=None, pattern=_SHA256)
    about: PositiveInt | None = None
    also: tuple[Content, ...] = ()
    pickle: Pickle | None = None

    @model_validator(mode="after")
    def _is_made_of_one(self) -> ModelFile:
        if self.pickle is not None and (not self.name.endswith(".safetensors") or self.pickle.name == self.name):
            raise ValueError("a pickle is converted to a file whose name ends in .safetensors")
        if self.pickle is None and self.name.endswith((".pt", ".pth", ".bin", ".ckpt", ".pkl")):
            raise ValueError("a pickle is never loaded: name a .safetensors file and say 'pickle = { name = ... }'")
        return self

    @property
    def published(self) -> ModelFile:
        """What is downloaded: the file itself or the pickle it is made from."""
        if self.pickle is None:
            return self
        own = {"name": self.pickle.name, "size": self.pickle.size, "sha256": self.pickle.sha256}
        return self.model_copy(update={**own, "also": (), "pickle": None})

    @property
    def contents(self) -> tuple[Content, ...]:
        """What the file may consist of, that of the sources first; empty where no digest is published."""
        own = (Content(size=self.size, sha256=self.sha256),) if self.size and self.sha256 else ()
        return own + self.also


class Source(BaseModel):
    """Where files can be had: ``hub`` (owner/name) at a pinned ``revision``, or ``url`` with the files' names appended.

    A hub repository whose revision is not known yet is pinned to the one of its first download.

    ``folder`` is a folder inside a hub repository; ``names`` says what a file is called there if not by its own name.
    ``ready``: it has the files themselves where other sources have the pickles that they are made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hub: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    url: str | None = Field(default=None, pattern=_URL + r".*/$")
    folder: str = Field(default="", pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$|^$")
    names: dict[str, str] = Field(default_factory=dict)
    ready: bool = False

    @model_validator(mode="after")
    def _is_one_kind(self) -> Source:
        if (self.hub is None) == (self.url is None):
            raise ValueError("a source has either a hub repository or a url")
        return self

    def path(self, name: str) -> str:
        """The path of a file within the hub repository or below the url."""
        name = self.names.get(name, name)
        return f"{self.folder}/{name}" if self.folder else name

    def address(self, name: str) -> str:
        """Where a file of a ``url`` source is."""
        return f"{self.url}{quote(self.path(name))}"

    def title(self) -> str:
        if self.hub and self.revision:
            return f"{self.hub} at {self.revision[:12]}"
        return self.hub or self.url or ""


class Entry(BaseModel):
    """One checkpoint. ``memory`` is in bytes while it runs in fp32, ``memory_in`` the same for other precisions;
    ``parameters`` a count, ``input_size`` pixels of the longer side. ``source`` is the page to read about it. ``roles``
    and ``needs_trimap`` are those of the family unless given. For detectors: ``names`` of the classes, where they are
    not the usual ones of the family, and ``draws``, whether it gives masks besides boxes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)
    family: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    roles: tuple[Role, ...] = Field(min_length=1)
    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    licence_url: str = Field(default="", pattern=r"^https://|^$")
    commercial: Commercial
    source: str = Field(pattern=r"^https://|^$")
    revision: str = Field(min_length=1)
    sources: tuple[Source, ...] = ()
    gated: bool = False
    recommended: bool = False
    files: tuple[ModelFile, ...]
    embedded: bool = False
    parameters: int = Field(ge=0)
    memory: PositiveInt
    memory_in: dict[Precision, PositiveInt] = Field(default_factory=dict)
    # For one picture, measured, by kind of device: "cpu" is one core of a server's processor.
    seconds: dict[Literal["cpu", "cuda"], PositiveFloat] = Field(default_factory=dict)
    input_size: PositiveInt
    options: dict[str, Any] = Field(default_factory=dict)
    # Kinds of picture that a matting model was made for; empty: all.
    suits: tuple[Literal["photo", "portrait", "drawing"], ...] = ()
    needs_trimap: bool = False
    names: tuple[str, ...] = ()
    draws: bool | None = None
    requires: tuple[str, ...] = ()  # Python modules without which an embedded model does not count as installed
    prefers_gpu: bool = False  # on a CPU so slow that it is only taken when asked for or where it is the only one
    own: bool = False  # the user's own entry

    @model_validator(mode="before")
    @classmethod
    def _is_like_its_family(cls, data: Any) -> Any:
        family = families.known().get(str(data.get("family"))) if isinstance(data, dict) else None
        return data if family is None else {"roles": family.roles, "needs_trimap": family.needs_trimap, **data}

    @model_validator(mode="after")
    def _files_are_distinct(self) -> Entry:
        names = [file.name for file in self.files]
        if len(set(names)) < len(names):
            raise ValueError("a file is listed twice")
        return self

    @property
    def facts(self) -> Family:
        """What is known of its family. Raises ``KeyError`` for one without code."""
        return families.get(self.family)

    @property
    def size(self) -> int:
        """Bytes to download, as far as they are known; some may be estimates."""
        return sum(file.published.size or file.about or 0 for file in self.files)

    @cached_property
    def runtime(self) -> Literal["torch", "onnx", "none"]:
        """What runs it, judged by its files."""
        kinds = {Path(file.name).suffix for file in self.files}
        if ".safetensors" in kinds:
            return "torch"
        return "onnx" if ".onnx" in kinds else "none"

    @property
    def folder_names(self) -> frozenset[str]:
        """Names that a folder with its files may have: the id, or the name of a repository that has them."""
        return frozenset({self.id} | {source.hub.rpartition("/")[2] for source in self.sources if source.hub})

    def memory_for(self, precision: Precision) -> int:
        """Bytes while it runs in that precision; where that was not measured, in fp32."""
        return self.memory_in.get(precision, self.memory)

    def running_for(self, precision: Precision) -> int:
        """Bytes that it takes only while it runs: those of ``memory_for`` less the weights."""
        return max(0, self.memory_for(precision) - self.parameters * (4 if precision == "fp32" else 2))


class Absent(BaseModel):
    """A checkpoint that people ask for and Maskwright cannot run. ``why``: sentences; ``instead``: ids of others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)
    title: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    commercial: Commercial
    source: str = Field(pattern=r"^https://")
    why: str = Field(min_length=1)
    instead: tuple[str, ...] = Field(min_length=1)


class Catalogue(BaseModel):
    """All entries; within a role the preferred ones come first. ``absent``: what there is no entry for, and why.
    ``problems``: sentences about the user's file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: tuple[Entry, ...]
    absent: tuple[Absent, ...] = ()
    problems: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Catalogue:
        ids = [entry.id for entry in (*self.model, *self.absent)]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"models listed twice: {', '.join(twice)}")
        return self

    def get(self, model_id: str) -> Entry:
        """The entry of that id. Raises ``ModelMissing`` for an unknown one."""
        for entry in self.model:
            if entry.id == model_id:
                return entry
        for known in self.absent:
            if known.id == model_id:
                text = joined(tr("Maskwright cannot run {0}.", known.title), known.why)
                raise ModelMissing(text, hint=tr("Take instead: {0}.", ", ".join(known.instead)), model=model_id)
        near = get_close_matches(model_id.lower(), [entry.id for entry in self.model], 5, 0.6)
        hint = tr("Did you mean {0}?", ", ".join(near)) if near else tr("'maskwright models list' shows all of them.")
        raise ModelMissing(tr("There is no model called {0!r}.", model_id[:64]), hint=hint, model=model_id)

    def with_role(self, role: str) -> list[Entry]:
        return [entry for entry in self.model if role in entry.roles]
