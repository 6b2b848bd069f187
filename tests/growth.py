"""How the time of something grows with its size: growth is compared, not seconds.

A busy machine and caches that no longer hold everything change a ratio by half, so sizes stand far apart: what takes
time in proportion is three times within the limit, what takes its square is three times beyond.
"""
from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

MORE, LIMIT, TRIES = 8, 24, 5      # a square would be 64


def assert_proportional(job: Callable[[int], Callable[[], object]], size: int) -> None:
    """t(8 n) < 24 t(n) for job(n)(), in the thread's own time, by the median of several tries."""
    # Both times of a pair are taken on an equally busy machine.
    tries = [(_seconds(job(size)), _seconds(job(MORE * size))) for _ in range(TRIES)]
    growth = statistics.median(many / few for few, many in tries)
    assert growth < LIMIT, f"seconds for {size} and {MORE * size}: {tries}"


def _seconds(run: Callable[[], object]) -> float:
    gc.disable()                   # a collection takes as long as all that lives, not as this job
    try:
        start = time.thread_time()
        run()
        return time.thread_time() - start
    finally:
        gc.enable()
