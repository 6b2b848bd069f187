"""One peer of bench/run.py: reads [case, seconds] lines, answers with the median seconds of one iteration."""
from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "cases"))


def measure(run: Callable[[], object], seconds: float) -> float:
    """Median over batches of iterations, each batch long enough for the clock."""
    start = time.perf_counter()
    run()
    once = max(time.perf_counter() - start, 1e-7)
    batch = max(1, int(0.005 / once))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        for _ in range(batch):
            run()
        times.append((time.perf_counter() - start) / batch)
    return statistics.median(times)


def main() -> None:
    peer, threads = sys.argv[1], int(sys.argv[2])
    cases = importlib.import_module(f"{peer}_cases").make(threads)
    ready: dict[str, Callable[[], object]] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        case, seconds = json.loads(line)
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
