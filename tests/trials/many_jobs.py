"""Many jobs of every recipe on ever new pictures, one after the other."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

from .house import available, come_of, jobs_of, picture, serving, usage

WARM = 100  # jobs before the first look at what is held
PICTURES = 5  # jobs on each picture


def run(count: int, seconds: float, seed: int) -> dict[str, Any]:
    chance, ended = random.Random(seed), Counter[str]()
    with serving() as (server, folder), server.client() as client:
        source = picture(folder, 0)
        recipes = available(client)
        known = jobs_of(recipes, source)
        held, deadline, number = [], time.monotonic() + seconds, 0
        every = max(WARM, count // 5)
        while number < count and time.monotonic() < deadline:
            if number % PICTURES == 0:
                assert source.path is not None
                source.path.unlink()
                source = picture(folder, number + 1, 60 + chance.randrange(120), 60 + chance.randrange(120))
                known = jobs_of(recipes, source)
            _, job = known[chance.randrange(len(known))]
            ended[come_of(client, job, source)] += 1
            number += 1
            if number == WARM or number % every == 0:
                held.append({"after": number, **usage(server)})
        if not held or held[-1]["after"] != number:
            held.append({"after": number, **usage(server)})
        return {"jobs": number, "recipes": len(recipes) + 1, "answers": dict(ended), "held": held}
