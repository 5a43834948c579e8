"""Tables of the documentation come from the catalogue and the families."""

from __future__ import annotations

from pathlib import Path

from maskwright.models import families
from maskwright.models.catalogue import page

DOCS = Path(__file__).parents[4] / "docs"


def test_the_table_of_detectors_is_what_the_families_say() -> None:
    table = page.detectors()
    assert table in (DOCS / "detectors.md").read_text(encoding="utf-8"), f"put this table there:\n{table}"
    for family in families.known().values():
        if family.roles[0] == "detector":
            assert family.covers in table
            assert family.gives
            assert family.licence


def test_each_family_stands_in_the_page_of_models() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    assert all(f"| `{family.name}` |" in text for family in families.known().values())
