"""Which models to offer for download, and what to say about them. Knows neither Krita nor Qt."""

from typing import Any, Dict, List, Optional

from maskwright_protocol.messages import ModelInfo

from .texts import tr


def offered(details: Dict[str, Any], models: List[ModelInfo]) -> Optional[ModelInfo]:
    """The model that a ``model_missing`` names, or else the best one for the role that it names; None when there is
    nothing to download."""
    wanted, role = details.get("model"), details.get("role")
    ready = [model for model in models if model.downloadable and not model.installed]
    for model in ready:
        if model.id == wanted:
            return model
    fitting = [model for model in ready if role in model.roles] if role and not wanted else []
    return min(fitting, key=lambda model: (not model.recommended, model.gated, model.size), default=None)


def first_set(models: List[ModelInfo]) -> List[ModelInfo]:
    """The recommended models, for someone who has none of them yet; else nothing."""
    found = [model for model in models if model.recommended and not model.embedded]
    if any(model.installed for model in found):
        return []
    return [model for model in found if model.downloadable]


def size(count: int) -> str:
    """Bytes as a painter reads them."""
    if count <= 0:
        return tr("unknown size")
    if count >= 1_000_000_000:
        return tr("{0} GB", f"{count / 1e9:.1f}")
    return tr("{0} MB", max(1, round(count / 1e6)))


def sizes(models: List[ModelInfo]) -> str:
    """Of all of them together."""
    known = size(sum(model.size for model in models))
    return known if all(model.size for model in models) else tr("more than {0}", known)


def terms(model: ModelInfo) -> str:
    """What the licence allows, in a sentence."""
    allowed = {
        "yes": tr("May be used for any purpose."),
        "no": tr("Not for commercial use."),
    }.get(model.commercial, tr("Whether it may be used commercially is unclear: read the licence."))
    if model.gated:
        allowed += " " + tr("Its source asks for an account that was given access.")
    return allowed


def needs_a_yes(models: List[ModelInfo]) -> bool:
    return any(model.commercial != "yes" for model in models)
