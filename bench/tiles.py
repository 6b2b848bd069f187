"""How evenly the tiles of each step of the benchmarks' programs fall to threads.

A step's tiles are counted, not timed: of N tiles on T threads one thread runs ceil(N / T), so N / T / ceil(N / T) of
their time is work. Listed are steps of at least --least microseconds on one thread where --idle percent or more would
be idle in the phase that computes: of reductions the first, whose parts the second only adds up; of others the last,
before which operands are packed. That the last tile may be a shorter one is not counted.

    python bench/tiles.py [--case resnet-train] [--least 100] [--idle 5] [--threads 2,3,4,8,16]
"""
from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "cases")]

import graphc as gc

import graphc_cases

CASES = ("mlp-train", "lenet-train", "resnet-train", "transformer-train", "gpt2-small")
LARGE = ("resnet-train", "gpt2-small")
SUMS = ("channel_", "layer_norm_grad", "map ")     # reductions


def report_of(case: str) -> Any:
    """`session.explain` of one of the cases, on one thread."""
    with mock.patch.object(gc.Session, "run", autospec=True, side_effect=gc.Session.run) as runs:
        run = graphc_cases.make(1, False)[case]()
        run()
    session, *arguments = runs.call_args.args
    for _ in range(2 if case in LARGE else 20):
        run()
    return session.explain(*arguments, **runs.call_args.kwargs, runs=3 if case in LARGE else 9)


def idle(tiles: int, threads: int) -> float:
    """The part of the threads' time in which they have no tile."""
    return 1 - tiles / threads / -(-tiles // threads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--least", type=float, default=100)
    parser.add_argument("--idle", type=float, default=5)
    parser.add_argument("--threads", default="2,3,4,8,16")
    options = parser.parse_args()
    counts = [int(count) for count in options.threads.split(",")]
    for case in options.case or CASES:
        print(f"{case}: % idle on {options.threads} threads")
        found: dict[str, tuple[int, float, str]] = {}
        for step in report_of(case).steps:
            tiles = re.search(r"tiles (\d+)(?:\+(\d+))?", step.call)
            if tiles is None or step.microseconds < options.least:
                continue
            phases = [int(number) for number in tiles.groups() if number]
            tiles_of_phase = phases[0 if step.call.startswith(SUMS) else -1]
            shares = [100 * idle(tiles_of_phase, count) for count in counts]
            if max(shares) >= options.idle:
                text = " ".join(f"{share:5.0f}" for share in shares)
                name = step.call.split(", threads")[0].replace(", format 0", "")
                times, total, _ = found.get(name, (0, 0.0, ""))
                found[name] = times + 1, total + step.microseconds, text
        for name, (times, total, text) in sorted(found.items(), key=lambda item: -item[1][1]):
            print(f"{total:11,.0f} us {times:3} x {text}  {name}")


if __name__ == "__main__":
    main()
