"""The measured figures as the tables of ``docs/quality.md``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.shared_data import REPOSITORY

from .routes import REMBG, ROUTES
from .scores import HIGHER_IS_BETTER, MEASURES

PAGE = REPOSITORY / "docs" / "quality.md"
FIRST, LAST = "<!-- made by: python -m tests.quality -->", "<!-- end -->"
_TITLES = ("SAD", "MSE", "gradient", "connectivity", "outline F")

Scores = dict[str, dict[str, dict[str, float]]]  # by case, route and measure
Row = tuple[str, str]  # group and route


def rows(found: Scores, groups: dict[str, str]) -> dict[Row, dict[str, float]]:
    """The means of each group's cases by route; ``groups``: which one a case is of."""
    values: dict[Row, list[dict[str, float]]] = {}
    for case, routes in found.items():
        for route, measured in routes.items():
            if case in groups:
                values.setdefault((groups[case], route), []).append(measured)
    return {
        row: {name: float(np.mean([one[name] for one in some])) for name in MEASURES} for row, some in values.items()
    }


def worse(before: dict[Row, dict[str, float]], after: dict[Row, dict[str, float]], slack: float) -> list[str]:
    """Which measures of which rows fell by more than the share ``slack``."""
    found = []
    for row, old in before.items():
        for name in MEASURES:
            new = after[row][name]
            fell = old[name] - new if name in HIGHER_IS_BETTER else new - old[name]
            if fell > slack * max(abs(old[name]), 0.01):
                found.append(f"{row[0]}, {row[1]}: {name} {old[name]:.3f} -> {new:.3f}")
    return found


def tables(before: Scores, after: Scores, groups: dict[str, str]) -> str:
    """Groups of which version 0.1.0 was not measured as a whole show what is now."""
    partly = {group for case, group in groups.items() if case not in before}
    whole = {case: group for case, group in groups.items() if group not in partly}
    return "\n".join(_lines(rows(before, whole), rows(after, groups), groups))


def _lines(
    before: dict[Row, dict[str, float]], after: dict[Row, dict[str, float]], groups: dict[str, str]
) -> Iterator[str]:
    for group in dict.fromkeys(groups.values()):
        count = sum(1 for name in groups.values() if name == group)
        yield f"### {group[0].upper()}{group[1:]}\n"
        yield f"{count} picture{'s' if count > 1 else ''}.\n"
        yield f"| | {' | '.join(_TITLES)} |"
        yield f"|---|{'---|' * len(_TITLES)}"
        for route in (*ROUTES, *REMBG):
            new = after.get((group, route))
            if new is not None:
                old = before.get((group, route))
                yield f"| {route} | {' | '.join(_cell(old, new, name) for name in MEASURES)} |"
        yield ""


def _cell(old: dict[str, float] | None, new: dict[str, float], name: str) -> str:
    if old is None:
        return _figure(new[name])
    first, second = _figure(old[name]), _figure(new[name])
    better = float(second) > float(first) if name in HIGHER_IS_BETTER else float(second) < float(first)
    return f"{first} → {f'**{second}**' if better else second}"


def _figure(value: float) -> str:
    return f"{value:.2f}"


def write(text: str, page: Path = PAGE) -> None:
    """Put the tables between the page's marks."""
    whole = page.read_text(encoding="utf-8")
    head, rest = whole.split(FIRST, 1)
    tail = rest.split(LAST, 1)[1]
    page.write_text(f"{head}{FIRST}\n\n{text}\n{LAST}{tail}", encoding="utf-8")
