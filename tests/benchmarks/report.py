"""Results as lines of a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Result:
    """``ratio`` is against the run's own floor; ``bound`` is what the project promises, if it does."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    bound: float | None = None

    @property
    def kept(self) -> bool:
        return self.bound is None or (self.value if self.ratio is None else self.ratio) <= self.bound


def table(results: list[Result]) -> str:
    lines = ["| what | measured | ratio | promised |", "|---|---|---|---|"]
    for result in results:
        ratio = "" if result.ratio is None else f"{result.ratio:.2f}x"
        unit = "x" if result.ratio is not None else f" {result.unit}"
        bound = "" if result.bound is None else f"<= {result.bound:g}{unit}{'' if result.kept else ' **missed**'}"
        lines.append(f"| {result.name} | {result.value:.1f} {result.unit} | {ratio} | {bound} |")
    return "\n".join(lines)
