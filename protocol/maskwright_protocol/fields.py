"""What the fields of messages say of themselves besides their type, as metadata of the dataclass fields."""

from typing import Any, Collection, Dict

BULK = {"bulk": True}  # holds masks or pixels, or things that do: their bytes may travel ahead, in ``part`` messages


def one_of(choices: Collection[Any]) -> Dict[str, Any]:
    """The field takes these values only."""
    return {"choices": choices}


def at_least(lowest: float) -> Dict[str, Any]:
    """The field takes no smaller number."""
    return {"lowest": lowest}
