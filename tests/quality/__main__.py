"""``python -m tests.quality``: all routes on all cases; ``measured.json`` and the tables of ``docs/quality.md``.

``--rembg PATH`` also runs that command. ``--before CODE`` measures version 0.1.0 instead, whose repository lies there
(it wants PyMatting, and takes ten minutes): ``version_0_1_0.json``. ``--only GROUP`` measures a part and writes no
page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from maskwright_client.client import Client
from tests.shared_data import MODELS, REPOSITORY

from . import page
from .cases import Case, cases
from .page import Scores
from .routes import REMBG, answer, fitting, rembg_masks, server
from .scores import scores

HERE = Path(__file__).parent
NOW, BEFORE = HERE / "measured.json", HERE / "version_0_1_0.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rembg", type=Path, help="rembg's command")
    parser.add_argument("--before", type=Path, help="the repository of version 0.1.0")
    parser.add_argument("--only", default="", help="a group of cases, or several with commas between")
    given = parser.parse_args()
    all_cases = list(cases())
    groups = {case.name: case.group for case in all_cases}
    some = [case for case in all_cases if not given.only or case.group in given.only.split(",")]
    with server(given.before or REPOSITORY, MODELS if given.before else None) as client:
        found = _measured(some, client)
    if given.before:
        _store(BEFORE, {**_stored(BEFORE), **found})
        return
    if given.rembg:
        _measure_rembg(given.rembg, some, found)
    else:
        _keep_rembg(found)
    before = {name: routes for name, routes in _stored(BEFORE).items() if name in found}
    print(page.tables(before, found, groups))
    print("Worse than version 0.1.0:", *page.worse(page.rows(before, groups), page.rows(found, groups), 0.01), sep="\n")
    _store(NOW, {**_stored(NOW), **found})
    if not given.only:
        page.write(page.tables(before, found, groups))


def _measured(some: list[Case], client: Client) -> Scores:
    found: Scores = {}
    for case in some:
        found[case.name] = {}
        for route in fitting(case):
            found[case.name][route] = scores(answer(case, route, client), case.truth)
        print(case.name, {route: round(one["sad"], 2) for route, one in found[case.name].items()}, flush=True)
    return found


def _measure_rembg(command: Path, some: list[Case], found: Scores) -> None:
    main = [case for case in some if case.main]
    for name, flags in REMBG.items():
        masks = rembg_masks(command, {case.name: case.pixels for case in main}, flags)
        for case in main:
            found[case.name][name] = scores(masks[case.name], case.truth)


def _keep_rembg(found: Scores) -> None:
    """What rembg's command gave when it was measured last."""
    for name, routes in _stored(NOW).items():
        if name in found:
            found[name].update({route: one for route, one in routes.items() if route in REMBG})


def _stored(path: Path) -> Scores:
    return json.loads(path.read_text()) if path.exists() else {}


def _store(path: Path, found: Scores) -> None:
    rounded = {
        case: {route: {name: round(value, 4) for name, value in one.items()} for route, one in routes.items()}
        for case, routes in found.items()
    }
    lines = ",\n".join(f" {json.dumps(case)}: {json.dumps(routes)}" for case, routes in rounded.items())
    path.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
