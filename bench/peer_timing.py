"""Medians of functions that take turns; needs nothing but Python, for processes of peers import it too."""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def medians(functions: dict[str, Callable[[], Any]], seconds: float = 0.3) -> dict[str, float]:
    """Median seconds of each function; in CPU time, for the machine may be shared; they take turns."""
    once = {}
    for name, function in functions.items():
        function()
        start = time.thread_time()
        function()
        once[name] = time.thread_time() - start
    repeats = {name: max(int(0.002 / max(t, 1e-7)), 1) for name, t in once.items()}
    rounds = max(int(seconds / max(sum(once[n] * repeats[n] for n in once), 1e-6)), 5)
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.thread_time()
            for _ in range(repeats[name]):
                function()
            samples[name].append((time.thread_time() - start) / repeats[name])
    return {name: statistics.median(values) for name, values in samples.items()}
