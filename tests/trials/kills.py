"""The worker is killed at random moments of every recipe. Every job gets an answer, and the next one works."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psutil

from tests.server.conftest import Server

from .house import available, come_of, jobs_of, picture, serving, usage, worker_of


def run(count: int, seconds: float, seed: int) -> dict[str, Any]:
    """Kill ``count`` workers, or as many as there is time for."""
    chance, ended, stages = random.Random(seed), Counter[str](), Counter[str]()
    with serving() as (server, folder), server.client() as client, ThreadPoolExecutor(1) as other:
        source = picture(folder, 0)
        known = jobs_of(available(client), source)
        lasted = dict.fromkeys([name for name, _ in known], 1.0)
        ended[f"before: {come_of(client, known[-1][1], source)}"] += 1
        start, deadline, killed, recipes = usage(server), time.monotonic() + seconds, 0, set[str]()
        while killed < count and time.monotonic() < deadline:
            name, job = known[killed % len(known)]
            answer = other.submit(come_of, client, job, source)
            if chance.random() < 0.75:  # in its job; else at any moment, also while it starts
                _until_busy(server, answer)
            time.sleep(chance.uniform(0, lasted[name]))
            worker = worker_of(server)
            if worker is not None:
                state = server.status().workers[0].state
                try:
                    worker.kill()
                except psutil.NoSuchProcess:
                    continue
                stages[state] += 1
                killed += 1
                recipes.add(name)
            came = answer.result()
            ended[came] += 1
            # The next kill of this job comes sooner when this one was too late.
            lasted[name] *= 1.2 if came == "worker_died" else 0.7
        after = [come_of(client, job, source) for _, job in known]
        return {
            "kills": killed, "recipes": len(recipes), "worker_was": dict(stages), "answers": dict(ended),
            "afterwards_every_recipe": dict(Counter(after)), "restarts": server.status().workers[0].restarts,
            "start": start, "end": usage(server), "server_lives": server.process.poll() is None,
        }  # fmt: skip


def _until_busy(server: Server, answer: Future[str]) -> None:
    while not answer.done() and server.status().workers[0].state != "busy":
        time.sleep(0.02)
