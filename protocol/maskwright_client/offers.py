"""Which models to offer for download, and what to say about them."""

from typing import Any, List, NamedTuple, Optional, Sequence

from maskwright_protocol.language import joined, tr
from maskwright_protocol.messages import ModelInfo

RECOMMENDED, INSTALLED, MORE = tr("Recommended for this computer"), tr("Installed"), tr("More models")
ROLE_NAMES = {
    "detector": tr("finds by name"),
    "segmenter": tr("outlines"),
    "matting": tr("cuts out"),
    "parser": tr("knows parts"),
    "depth": tr("knows distances"),
}
_HELPED = ("model_missing", "licence_needed", "unknown_word")  # codes of failures that a download may help


class Row(NamedTuple):
    """A model in a list of all: under which heading, and what is said about it."""

    model: ModelInfo
    heading: str
    about: str


# ---------------------------------------------------------------- which


def can_download(model: ModelInfo) -> bool:
    """Whether it can be downloaded and was not yet."""
    return model.downloadable and not model.installed and not model.embedded


def may_help(failure: Any) -> bool:
    """Whether a download may be what this failure asks for. ``failure``: an error, or what has its ``code``."""
    return getattr(failure, "code", "") in _HELPED


def offered(failure: Any, models: Sequence[ModelInfo]) -> Optional[ModelInfo]:
    """The model to download after that failure: one that its ``details`` name, else the best for the role that they
    name; None when there is nothing to download."""
    if not may_help(failure):
        return None
    details = failure.details
    role, named = details.get("role"), details.get("model")
    names = [named] if named else list(details.get("models") or ())
    ready = [model for model in models if can_download(model)]
    fitting = [model for model in ready if (model.id in names if names else role in model.roles)]
    return min(fitting, key=lambda model: (not model.recommended, model.gated, model.size), default=None)


def suggested(report: Any, models: Sequence[ModelInfo]) -> Optional[ModelInfo]:
    """The model to download that would have understood more of the words of an answer; None without one. ``report``:
    the answer's, None where there is none."""
    wanted = getattr(report, "offer", "")
    return next((model for model in models if model.id == wanted and can_download(model)), None)


def first_set(models: Sequence[ModelInfo]) -> List[ModelInfo]:
    """The recommended models, for someone who has none of them yet; else nothing."""
    found = [model for model in models if model.recommended and not model.embedded]
    if any(model.installed for model in found):
        return []
    return [model for model in found if model.downloadable]


def only_built_in(models: Sequence[ModelInfo]) -> bool:
    """Whether nothing was downloaded or placed yet."""
    return not any(model.installed and not model.embedded for model in models)


def playing(models: Sequence[ModelInfo], role: str) -> List[ModelInfo]:
    """The installed models that can play a role."""
    return [model for model in models if model.installed and role in model.roles]


def rows(models: Sequence[ModelInfo]) -> List[Row]:
    """What is recommended and not there yet comes first, then what is installed, then the rest."""
    order = (RECOMMENDED, INSTALLED, MORE)
    found = [Row(model, _heading(model), _about(model)) for model in models]
    return sorted(found, key=lambda row: (order.index(row.heading), row.model.title.casefold()))


def _heading(model: ModelInfo) -> str:
    if model.installed:
        return INSTALLED
    return RECOMMENDED if model.recommended and model.downloadable else MORE


# ---------------------------------------------------------------- what to say


def needs_a_yes(*models: ModelInfo) -> bool:
    """Whether the licence of one of them does not allow everything."""
    return any(model.commercial != "yes" for model in models)


def size(*models: ModelInfo) -> str:
    """What is to be loaded for all of them, as a painter reads it."""
    count = sum(model.size for model in models)
    if count <= 0:
        return tr("unknown size")
    known = f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
    return known if all(model.size > 0 for model in models) else tr("more than {0}", known)


def time(model: ModelInfo) -> str:
    """How long a picture takes, for a sentence: an estimate; empty where nobody measured."""
    if model.seconds <= 0:
        return ""
    about = f"{model.seconds:.0f}" if model.seconds >= 3 else f"{model.seconds:.1f}"
    return tr("about {0} s a picture on {1}", about, model.measured_on)


def facts(model: ModelInfo) -> str:
    """What is worth knowing before the download: size, licence, time."""
    return ", ".join(part for part in (size(model), model.licence, time(model)) if part)


def understands(model: ModelInfo) -> str:
    """Why to get a model that an answer suggests, a sentence."""
    return tr("{0} understands all of it ({1}).", model.title, facts(model))


def terms(model: ModelInfo) -> str:
    """What the licence allows, in a sentence."""
    allowed = {"yes": tr("May be used for any purpose."), "no": tr("Not for commercial use.")}
    text: str = allowed.get(model.commercial, tr("Whether it may be used commercially is unclear: read the licence."))
    return joined(text, tr("Its source asks for an account that was given access.") if model.gated else "")


def sentence(failure: Any) -> str:
    """A failure as the user reads it."""
    return joined(getattr(failure, "message", str(failure)), getattr(failure, "hint", ""))


def _about(model: ModelInfo) -> str:
    roles = ", ".join(ROLE_NAMES.get(role, role) for role in model.roles)
    if model.embedded:
        state = tr("built in") if model.installed else tr("needs a Python package")
    elif model.installed:
        state = tr("recommended, installed") if model.recommended else tr("installed")
    else:
        state = size(model) if model.downloadable else tr("to be placed by hand")
    uses = {"yes": "", "no": tr("not for commercial use")}
    use = uses.get(model.commercial, tr("commercial use: see the licence"))
    resident = tr("in memory") if model.resident else ""
    known = [roles, ", ".join(filter(None, (state, resident))), ", ".join(filter(None, (model.licence, use)))]
    if not model.installed:
        known.append(time(model))
    if model.gated:
        known.append(tr("needs an account"))
    return " · ".join(fact for fact in known if fact)
