"""A Session beside a process that keeps one core busy: how many steps it still makes, and what idle workers cost.

    python bench/beside.py [--case transformer-train] [--threads 2] [--seconds 4]

Prints steps a second alone and beside the other process, the part of the cores' time that the other process got, and
the CPU time that this process takes while nothing runs. The Session should lose no more than the other process gets.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "cases")]

import graphc_cases

BUSY = "while True: pass"


def steps_a_second(run: Callable[[], Any], seconds: float) -> float:
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() < begin + seconds:
        run()
        steps += 1
    return steps / (time.perf_counter() - begin)


def cpu_seconds(process: int) -> float:
    """CPU time that a process has used, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def beside(run: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """Steps a second, and CPU seconds a second of the other process."""
    other = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        time.sleep(0.2)
        begin, used = time.perf_counter(), cpu_seconds(other.pid)
        rate = steps_a_second(run, seconds)
        return rate, (cpu_seconds(other.pid) - used) / (time.perf_counter() - begin)
    finally:
        other.kill()
        other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default="transformer-train")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    run = graphc_cases.make(options.threads, False)[options.case]()
    for _ in range(25):
        run()
    cores = len(os.sched_getaffinity(0))
    alone = steps_a_second(run, options.seconds)
    rate, got = beside(run, options.seconds)
    time.sleep(0.1)
    idle = time.process_time()
    time.sleep(1)
    idle = time.process_time() - idle
    print(f"{options.case}, {options.threads} threads on {cores} cores: {alone:.2f} steps a second alone, {rate:.2f} "
          f"beside ({rate / alone:.2f}); the other process got {got / cores:.2f} of the cores; idle "
          f"{1000 * idle:.1f} ms of CPU time a second")


if __name__ == "__main__":
    main()
