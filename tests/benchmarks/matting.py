"""BiRefNet against the straightforward way (``tests.parity.plain``): time and memory of one picture on the CPU.

Weights are random: time does not depend on them. Every measurement is a process of its own with one thread, the two
ways taking turns; processor time is compared, which other programs disturb less than the clock.

``python -m tests.benchmarks.matting [SIZE SIDE]...`` measures what is named, such as ``large 1024``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.report import Result, table

CASES = (("lite", 512), ("lite", 1024))  # the large network takes minutes: by name only


def run(cases: tuple[tuple[str, int], ...] = CASES, repetitions: int = 2) -> list[Result]:
    if find_spec("torch") is None:
        print("Without torch: the benchmarks of BiRefNet are left out.", file=sys.stderr)
        return []
    results = []
    for size, side in cases:
        best: dict[str, dict[str, float]] = {}
        for _ in range(repetitions):
            for way in ("plain", "ours"):
                one = _measured(size, side, way)
                if way not in best or one["cpu"] < best[way]["cpu"]:
                    best[way] = one
        name = f"BiRefNet {size}, {side} x {side}"
        plain, ours = best["plain"], best["ours"]
        results += [
            Result(f"{name}: straightforward, processor time", plain["cpu"], "s", 1.0),
            Result(f"{name}: ours, processor time", ours["cpu"], "s", ours["cpu"] / plain["cpu"], 1.0),
            Result(f"{name}: straightforward, peak memory", plain["peak"], "MB", 1.0),
            Result(f"{name}: ours, peak memory", ours["peak"], "MB", ours["peak"] / plain["peak"], 1.0),
        ]
    return results


def _measured(size: str, side: int, way: str) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name, "--one", size, str(side), way]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _one(size: str, side: int, way: str) -> dict[str, float]:
    import torch

    from maskwright.models.catalogue import built_in
    from maskwright.models.families.birefnet.inference.network import Network, build
    from maskwright.models.families.birefnet.inference.swin import Shape
    from maskwright.models.runtime.setup import Setup
    from tests.parity import plain

    torch.set_num_threads(1)
    shapes = {
        "lite": Shape(96, (2, 2, 6, 2), (3, 6, 12, 24), 7),
        "large": Shape(192, (2, 2, 18, 2), (6, 12, 24, 48), 12),
    }
    torch.manual_seed(1)
    network = Network(shapes[size]).eval()
    if way == "ours":
        network = build(network.state_dict(), "c_hg_wg", built_in().get("birefnet"), Setup("cpu", 1))
    image = torch.randn(1, 3, side, side)
    status = Path("/proc/self/clear_refs")
    if status.exists():
        status.write_text("5", encoding="ascii")  # the peak counts from here
    with torch.inference_mode():
        wall, cpu = time.perf_counter(), time.process_time()
        network(image) if way == "ours" else plain.forward(network, image)
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": _peak()}


def _peak() -> float:
    """MB, with the weights and Python."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) / 1e3
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        print(json.dumps(_one(arguments[1], int(arguments[2]), arguments[3])))
        return 0
    named = tuple((size, int(side)) for size, side in zip(arguments[::2], arguments[1::2], strict=True))
    results = run(named or CASES)
    print(table(results))
    return 0 if all(result.kept for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
