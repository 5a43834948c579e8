"""Which models to offer for download, and what to say about them. Plain Python, no GIMP."""

from typing import Any, List, NamedTuple, Optional, Sequence

from maskwright_protocol.errors import LicenceNeeded, ModelMissing, UnknownWord
from maskwright_protocol.messages import ModelInfo

RECOMMENDED, INSTALLED, MORE = "Recommended for this computer", "Installed", "More models"
PLACE = "Filters > Maskwright > Server and Models"
ROLE_NAMES = {
    "detector": "finds by name",
    "segmenter": "outlines",
    "matting": "cuts out",
    "parser": "knows parts",
}


class Row(NamedTuple):
    """A model in the list: under which heading, and what is said about it."""

    model: ModelInfo
    heading: str
    about: str


def size(count: int) -> str:
    """Bytes as a painter reads them."""
    if count <= 0:
        return "unknown size"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def terms(model: ModelInfo) -> str:
    """What the licence allows, in a sentence."""
    allowed = {"yes": "May be used for any purpose.", "no": "Not for commercial use."}
    text = allowed.get(model.commercial, "Whether it may be used commercially is unclear: read the licence.")
    return text + (" Its source asks for an account that was given access." if model.gated else "")


def needs_a_yes(model: ModelInfo) -> bool:
    return model.commercial != "yes"


def can_download(model: ModelInfo) -> bool:
    return model.downloadable and not model.installed and not model.embedded


def rows(models: Sequence[ModelInfo]) -> List[Row]:
    """What is recommended and not there yet comes first, then what is installed, then the rest."""
    order = (RECOMMENDED, INSTALLED, MORE)
    found = [Row(model, _heading(model), _about(model)) for model in models]
    return sorted(found, key=lambda row: (order.index(row.heading), row.model.title.casefold()))


def _heading(model: ModelInfo) -> str:
    if model.installed:
        return INSTALLED
    return RECOMMENDED if model.recommended and model.downloadable else MORE


def _about(model: ModelInfo) -> str:
    roles = ", ".join(ROLE_NAMES.get(role, role) for role in model.roles)
    if model.embedded:
        state = "built in" if model.installed else "needs a Python package"
    elif model.installed:
        state = "recommended, installed" if model.recommended else "installed"
    else:
        state = size(model.size) if model.downloadable else "to be placed by hand"
    use = {"yes": "", "no": ", not for commercial use"}.get(model.commercial, ", commercial use: see the licence")
    facts = [roles, state + (", in memory" if model.resident else ""), model.licence + use]
    if model.gated:
        facts.append("needs an account")
    return " · ".join(fact for fact in facts if fact)


def only_built_in(models: Sequence[ModelInfo]) -> bool:
    """Whether nothing was downloaded or placed yet."""
    return not any(model.installed and not model.embedded for model in models)


def may_help(error: Exception) -> bool:
    """Whether a download may be what this failure asks for."""
    return isinstance(error, (ModelMissing, LicenceNeeded, UnknownWord))


def offered(error: Exception, models: Sequence[ModelInfo]) -> Optional[ModelInfo]:
    """The model to download after that failure: the one that it names, else the best for the role that it names."""
    if not may_help(error):
        return None
    details = getattr(error, "details", {})
    ready = [model for model in models if can_download(model)]
    role, named = details.get("role"), details.get("model")
    names = [named] if named else list(details.get("models") or ())
    fitting = [model for model in ready if (model.id in names if names else role in model.roles)]
    return min(fitting, key=lambda model: (not model.recommended, model.gated, model.size), default=None)


def hint(error: Exception, model: Optional[ModelInfo]) -> str:
    """What to do about a failure, for those who get no dialog."""
    if model is None:
        return getattr(error, "hint", "")
    return f"Download {model.title} in {PLACE}, or run 'maskwright models pull {model.id}'."


def sentence(error: Any, model: Optional[ModelInfo] = None) -> str:
    """A failure as the user reads it."""
    return f"{getattr(error, 'message', error)} {hint(error, model)}".strip()
