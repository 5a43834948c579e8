"""Packages that only some models need, and what to type to get these and the models. Imports none of them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from maskwright.models.catalogue.entries import Entry
from maskwright_protocol.errors import NeedsPackage
from maskwright_protocol.language import joined, tr

_EXTRAS: dict[str, str] = dict.fromkeys(("torch", "safetensors", "transformers"), "torch")
_EXTRAS["ultralytics"] = "yolo"
_RUN_MODELS = ("maskwright", "torch", "transformers", "ultralytics", "ultralytics-opencv-headless", "onnxruntime")


def command(package: str) -> str:
    """The command that installs a package, with the extra of Maskwright that includes it, if any."""
    extra = _EXTRAS.get(package)
    return f'pip install "maskwright[{extra}]"' if extra else f"pip install {package}"


def missing(what: str, package: str) -> NeedsPackage:
    """The error for ``what``, the subject of a sentence, which needs ``package``."""
    text = tr("{0} needs the package {1}, which is not installed.", what, package)
    hint = tr("Run: {0} and then: maskwright stop", command(package))
    return NeedsPackage(text, hint, package=package)


def lacking(entry: Entry) -> str | None:
    """The first package that this model needs and that is not installed, as far as its files and entry tell."""
    needed = (*(("torch", "safetensors") if entry.runtime == "torch" else ()), *entry.requires)
    return next((package for package in needed if find_spec(package) is None), None)


def versions() -> str:
    """Of the packages that run models: with others a model may work that fails."""
    return " ".join(f"{package} {_version(package)}" for package in _RUN_MODELS)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def how_to_mend(entry: Entry) -> str:
    """What to do about an installed model that does not work, a sentence."""
    if entry.own:
        better = f"Add another file with 'maskwright models add FILE --id {entry.id}'"
        return f"{better}, or remove it: maskwright models remove {entry.id}"
    if entry.embedded:
        return "Install Maskwright again: it comes with this model."
    if not entry.sources:
        return "Put its files there again."
    return f"Run: maskwright models remove {entry.id} and then: maskwright models pull {entry.id}"


def how_to_get(entry: Entry) -> str:
    """How to get a model that is not installed, a sentence."""
    package = lacking(entry)
    if not entry.files and package:
        return tr("Run: {0} and then: maskwright stop", command(package))
    if entry.embedded:
        return tr("It comes with Maskwright, and its files are missing: install Maskwright again.")
    if not entry.sources:
        return tr("Put a folder with {0} into a model folder.", ", ".join(f.name for f in entry.files))
    first = tr("Ask for access first: 'maskwright models show {0}' tells how.", entry.id) if entry.gated else ""
    return joined(tr("Run: maskwright models pull {0}.", entry.id), first)
