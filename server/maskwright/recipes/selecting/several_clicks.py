"""What several clicks mean together: one thing, several things, or a thing without a part of it.

A segmenter takes all clicks to be about one thing. On two cars it answers with one of them, or with all that lies
between; and a click that excludes changes the mask everywhere. So each click is also asked about by itself: clicks that
no good answer to one of them brings together are about things of their own, whose union is meant; and what a click
excludes is the part that it lies on, never anything elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from maskwright.masks.logits import LogitMap
from maskwright.masks.objectmap import stability
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Hypothesis

Click = tuple[float, float, bool]  # x and y in overview pixels, and whether it includes
count = cv2.countNonZero
Ask = Callable[[Sequence[Click]], list[Hypothesis]]  # a segmenter's answer to clicks on one thing, best first

INCLUDES = itemgetter(2)
_GOOD = 0.9  # of the best score, from which on a single click's answer is believed
_SCENE, _LARGE = 5, 0.2  # what is so many times larger, and shows so much of the picture, is no thing but a scene
_HELD = 0.85  # share of each single thing that an answer to all clicks has to hold ...
_LITTLE = 0.1  # ... and how much else it may show, in their areas, ...
_SURE = 0.83  # score times stability of what one click shows, from which on further ones take nothing away ...
_MOST = 0.4  # ... unless it is so much of the picture, and so the background


@dataclass
class Clicked:
    """One thing that is meant: the clicks that are about it, and what they show, best first."""

    clicks: list[Click]
    hypotheses: list[Hypothesis]


def missed(clicks: Sequence[Click], logits: LogitMap) -> list[Click]:
    """Clicks that are on the wrong side of a mask."""
    out = []
    for click in clicks:
        if (logits.at(click[0], click[1]) > 0) != click[2]:
            out.append(click)
    return out


def obeying(clicks: Sequence[Click], hypotheses: list[Hypothesis]) -> list[Hypothesis]:
    """In the model's order, but those first that miss fewest of the clicks."""
    if not hypotheses or not missed(clicks, hypotheses[0].logits):
        return hypotheses
    wrong = [len(missed(clicks, h.logits)) for h in hypotheses]
    return [hypotheses[i] for i in sorted(range(len(hypotheses)), key=wrong.__getitem__)]


def things(clicks: Sequence[Click], ask: Ask, known: Hypothesis | None = None, one: bool = False) -> list[Clicked]:
    """The things that clicks are about, each with what it shows; empty where nothing is seen.

    ``known``: the answer that is gone on from, which ``ask`` goes on from, too. ``one``: it is a single thing, as a box
    says.
    """
    if all(map(INCLUDES, clicks)):
        return _groups(list(clicks), ask, known, one)
    wanted, unwanted = [c for c in clicks if c[2]], [c for c in clicks if not c[2]]
    if known is not None and not missed(wanted, known.logits):
        groups = [Clicked(wanted, [known])]
    else:
        groups = _groups(wanted, ask, known, one)
    return [_without(group, unwanted, ask) for group in groups]


def _groups(wanted: list[Click], ask: Ask, known: Hypothesis | None, one: bool) -> list[Clicked]:
    if one or (len(wanted) < 2 and known is None):
        answer = ask(wanted)
        return [Clicked(wanted, obeying(wanted, answer) if wanted else answer)] if answer else []
    first = Clicked(wanted[:1], ask(wanted[:1]) if known is None else [known])
    if not first.hypotheses:
        return []
    rest = missed(wanted, first.hypotheses[0].logits)
    groups = [first, *_others(rest, first, ask)] if rest else [first]
    together = Clicked(wanted, obeying(wanted, ask(wanted)))
    if len(groups) == 1:
        return [_grown(first, together)]
    if _is_scene(groups):
        return [together]
    elsewhere = [c for g in groups[1:] for c in g.clicks]
    first.clicks = [c for c in wanted if c not in elsewhere]
    if not _loses(together, groups) and _more(together, groups) <= _LITTLE:
        return [together]
    return [g if len(g.clicks) < 2 or g.hypotheses[0] is known else _regrown(g, ask) for g in groups]


def _is_scene(groups: Sequence[Clicked]) -> bool:
    """Whether one click shows the scene that another one's thing is in: then both are about that thing."""
    shown = [group.hypotheses[0].logits.values for group in groups]
    areas = [count((values > 0).view(np.uint8)) for values in shown]
    return max(areas) > max(_SCENE * min(areas), _LARGE * shown[0].size)


def _others(rest: list[Click], first: Clicked, ask: Ask) -> list[Clicked]:
    """The things beside the first one that clicks outside of it are about."""
    groups: list[Clicked] = []
    for click in rest:
        if _brings(first, [click]):
            continue
        home = next((g for g in groups if _brings(g, [click])), None)
        if home is None:
            single = Clicked([click], ask([click]))
            if _brings(single, first.clicks):
                continue
            home = next((g for g in groups if _brings(single, g.clicks)), None)
            if home is None and single.hypotheses:
                groups.append(single)
                continue
        if home is not None:
            home.clicks.append(click)
    return groups


def _regrown(group: Clicked, ask: Ask) -> Clicked:
    return _grown(group, Clicked(group.clicks, obeying(group.clicks, ask(group.clicks))))


def _grown(first: Clicked, together: Clicked) -> Clicked:
    """What several clicks on one thing show, of which ``first`` knows what the first showed alone.

    Where that was sure, further clicks take nothing away from it.
    """
    single = first.hypotheses[0]
    values = single.logits.values
    if not _loses(together, [first]) or single.score * stability(values) < _SURE:
        return together
    own = obeying(together.clicks, first.hypotheses)
    scene = count((values > 0).view(np.uint8)) > _MOST * values.size
    return together if scene or missed(together.clicks, own[0].logits) else Clicked(together.clicks, own)


def _brings(one: Clicked, clicks: Sequence[Click]) -> bool:
    """Whether a good answer for one thing shows one of these clicks too, and is not the scene that it is part of."""
    if not one.hypotheses:
        return False
    least = _GOOD * max([h.score for h in one.hypotheses])
    own = _SCENE * count((one.hypotheses[0].logits.values > 0).view(np.uint8))
    for hypothesis in one.hypotheses:
        logits = hypothesis.logits
        if hypothesis.score >= least and len(missed(clicks, logits)) < len(clicks):
            area = count((logits.values > 0).view(np.uint8))
            if area <= own or area <= _LARGE * logits.values.size:
                return True
    return False


def _loses(together: Clicked, groups: Sequence[Clicked]) -> bool:
    """Whether the answer to all clicks misses one of them, or much of what they show one by one."""
    answer = together.hypotheses[0].logits
    if missed(together.clicks, answer):
        return True
    shown = answer.values > 0
    for group in groups:
        mask = group.hypotheses[0].logits.values > 0
        if count((mask & shown).view(np.uint8)) < _HELD * count(mask.view(np.uint8)):
            return True
    return False


def _more(together: Clicked, groups: Sequence[Clicked]) -> float:
    """How much the answer to all clicks shows beside what they show one by one, in areas of that."""
    own = groups[0].hypotheses[0].logits.values > 0
    for group in groups[1:]:
        own = own | (group.hypotheses[0].logits.values > 0)
    beside = (together.hypotheses[0].logits.values > 0) & ~own
    return count(beside.view(np.uint8)) / max(1, count(own.view(np.uint8)))


def _without(group: Clicked, unwanted: list[Click], ask: Ask) -> Clicked:
    """The thing less what lies at excluding clicks on it; others change nothing."""
    touched = [c for c in unwanted if group.hypotheses[0].logits.at(c[0], c[1]) > 0]
    if not touched:
        return group
    clicks = [*group.clicks, *touched]
    answers = obeying(clicks, ask(clicks))
    own = group.hypotheses[0]
    if answers:
        left = carved(own.logits, answers[0].logits, touched, group.clicks)
        if len(missed(group.clicks, left)) == len(missed(group.clicks, own.logits)):  # nothing goes that a click wants
            own = Hypothesis(left, own.score, answers[0].low_res)
    return Clicked(clicks, [own, *group.hypotheses[1:]])


def carved(thing: LogitMap, less: LogitMap, clicks: Sequence[Click], kept: Sequence[Click] = ()) -> LogitMap:
    """``thing`` without the connected parts in which ``less``, on the same grid, shows nothing and a click lies.

    Half the way from clicks that are ``kept`` to those stays.
    """
    gone = (thing.values > 0) & (less.values <= 0)
    count, labels = cv2.connectedComponents(gone.view(np.uint8), connectivity=8)
    if count < 2:
        return thing
    parts = {int(labels[thing.cell_at(x, y)]) for x, y, _ in clicks} - {0}
    if not parts:
        return thing
    where = np.isin(labels, list(parts)).view(np.uint8)
    # One cell further, so that the edge between the two runs where the answer has it.
    near = cv2.dilate(where, np.ones((3, 3), np.uint8)).view(bool)
    rows, columns = np.indices(near.shape)
    gone = [thing.cell_at(x, y) for x, y, _ in clicks]
    for row, column in (thing.cell_at(x, y) for x, y, _ in kept):
        half = min(np.hypot(row - a, column - b) for a, b in gone) / 2
        near &= np.hypot(rows - row, columns - column) > half
    return thing.like(np.where(near, np.minimum(thing.values, less.values), thing.values))
