"""One peer of bench/run.py: reads [case, seconds] lines, answers with the median seconds of one iteration, and to 0
seconds with the losses of the first steps of a case that trains."""
from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "cases"))

STEPS_COMPARED = 5


def measure(run: Callable[[], object], seconds: float) -> float:
    """Median over batches of iterations, each batch long enough for the clock."""
    start = time.perf_counter()
    run()
    once = max(time.perf_counter() - start, 1e-7)
    clock = time.process_time if "--cpu" in sys.argv else time.perf_counter
    batch = max(1, int(0.005 / once))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = clock()
        for _ in range(batch):
            run()
        times.append((clock() - start) / batch)
    return statistics.median(times)


def losses(run: Callable[[], object]) -> list[float]:
    """The losses of the first steps of a new model: the last value of what an iteration returns."""
    found = [run() for _ in range(STEPS_COMPARED)]
    return [float(f[-1] if isinstance(f, list) else f) for f in found]  # type: ignore[arg-type]


def main() -> None:
    peer, threads = sys.argv[1], int(sys.argv[2])
    cases = importlib.import_module(f"{peer}_cases").make(threads, "--gpu" in sys.argv)
    ready: dict[str, Callable[[], object]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        case, seconds = json.loads(line)
        if not seconds:
            print(json.dumps(losses(cases[case]()) if case in cases else None), flush=True)
            continue
        if case not in cases:
            print("none", flush=True)
            continue
        if case not in ready:
            ready[case] = cases[case]()
            for _ in range(3):
                ready[case]()
        print(measure(ready[case], seconds), flush=True)


if __name__ == "__main__":
    main()
