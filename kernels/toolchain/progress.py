"""Says on stderr how far a build is: on a terminal in one line that is written again, elsewhere in one now and then."""
from __future__ import annotations

import sys
import time
from collections.abc import Iterable

EVERY = 10.0               # seconds between two lines where there is no terminal


def report(done: int, total: int, work_done: float, work: float, seconds: float) -> str:
    """The builder's line for a finished unit. work: of all units, in any measure; seconds: since the build began."""
    return f"{done} {total} {seconds * (work - work_done) / work_done:.0f}"


def show(lines: Iterable[str]) -> None:
    """Shows the lines of `report` as they come, until they end."""
    terminal = sys.stderr.isatty()
    shown = time.monotonic()
    for line in lines:
        done, total, left = map(int, line.split())
        text = f"graphc: {done} of {total} parts of the kernel library are compiled, about {left} s left"
        if terminal:
            print(f"\r{text}\033[K", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            print(text, file=sys.stderr, flush=True)
