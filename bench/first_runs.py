"""The first runs of a kind: whether any of them waits for machine code. `python bench/first_runs.py`.

For each case, in a process of its own whose cache holds the kernel library but no fused program: the time of the first
run, the median of the following ones, the slowest of those up to number 20 and which it was, and how often slower than
the median. "again": the same with the programs in the cache, as when a program is started a second time. "evaluator":
without code, so without anything beside the runs: what other work on the machine does to single runs. Medians over the
rounds, and the best round. Modules have bytecode, as installed ones do.

    mlp, lenet     training steps (bench/cases)
    lstm           a training step of a 2 x 200 LSTM, 20 rows, 35 steps, as a loop
    chain          100 fused programs, one after the other
    alternating    mlp and 25 of those in turns, in two Sessions
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
CASES = ("mlp", "lenet", "lstm", "chain", "alternating")
RUNS, FOLLOWING, SECONDS = 20, 200, 3.0       # the median is of those that follow, too: so many, or so long


def chain(length: int) -> Callable[[], object]:
    """`length` fused programs, with a product between each two."""
    import numpy as np

    import graphc as gc
    with gc.Graph().as_default() as graph:
        x = y = gc.placeholder(gc.float32, [32, 32])
        eye = gc.constant(np.eye(32, dtype=np.float32))
        for i in range(length):
            for k in range(2 + i % 7):
                y = y * (1.0 + i * 1e-3) - gc.square(y) * (k * 1e-4)
            y = gc.reduce_max(gc.matmul(y, eye), 1, keepdims=True) * 1e-3 + y
        session = gc.Session(graph=graph)
    value = np.ones((32, 32), np.float32)
    return lambda: session.run(y, {x: value})


def lstm() -> Callable[[], object]:
    import numpy as np
    from rnn import Network

    import graphc as gc
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [20, 35, 200])
        loss = gc.reduce_mean(gc.square(Network(2, 200, 20, 35).outputs(x)))
        step = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
        session = gc.Session(graph=graph)
        session.run(gc.global_variables_initializer())
    value = np.random.default_rng(0).standard_normal((20, 35, 200)).astype(np.float32)
    return lambda: session.run([step, loss], {x: value})


def make(case: str) -> Callable[[], object]:
    if case == "lstm":
        return lstm()
    if case == "chain":
        return chain(100)
    if case == "alternating":
        parts = make("mlp"), chain(25)
        return lambda: [part() for part in parts]
    sys.path.insert(0, str(HERE / "cases"))
    import graphc_cases
    return graphc_cases.make(2, False)[f"{case}-train"]()


def run_case(case: str, real_time: bool) -> None:
    """In the child: prints the times of the runs."""
    run, times = make(case), []
    if real_time:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    end = time.perf_counter() + SECONDS
    while len(times) < RUNS or (len(times) < RUNS + FOLLOWING and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(json.dumps(times))


def cache_without_programs(folder: Path) -> None:
    from graphc.kernels.toolchain import cache
    for path in cache.directory().iterdir():
        if path.is_file() and not path.name.startswith(("map-", ".new-")):
            shutil.copy2(path, folder / path.name)


def summary(rounds: list[list[float]]) -> str:
    def of(times: list[float]) -> tuple[float, float, float, int, float]:
        middle, slowest = statistics.median(times[1:]), max(times[1:RUNS + 1])
        return times[0], middle, slowest, times.index(slowest, 1) + 1, slowest / middle

    found = [of(times) for times in rounds]
    first, middle, slowest = (statistics.median(f[i] for f in found) for i in range(3))
    ratios = sorted(f[4] for f in found)
    return (f"{first * 1e3:9.1f} {middle * 1e3:9.2f} {slowest * 1e3:9.2f} {statistics.median(ratios):8.1f}x "
            f"{ratios[0]:8.1f}x   run {statistics.mode(f[3] for f in found)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--real-time", action="store_true", help="other work on the machine waits; needs the right to")
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return run_case(options.child, options.real_time)
    print(f"{'milliseconds':22} {'first':>9} {'median':>9} {'slowest':>9} {'ratio':>9} {'best':>9}   which")
    with tempfile.TemporaryDirectory() as bytecode:
        show_cases(options, {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode})


def show_cases(options: argparse.Namespace, environment: dict[str, str]) -> None:
    more = ["--real-time"] if options.real_time else []
    for case in options.case or CASES:
        command = [sys.executable, __file__, "--child", case, *more]
        subprocess.run(command, check=True, capture_output=True, env=environment)        # makes the bytecode
        fresh, again, evaluator = [], [], []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                cache_without_programs(Path(folder))
                for times, jit in ((fresh, "1"), (again, "1"), (evaluator, "0")):
                    done = subprocess.run(command, check=True, capture_output=True, text=True,
                                          env={**environment, "GRAPHC_CACHE": folder, "GRAPHC_JIT": jit})
                    times.append(json.loads(done.stdout.splitlines()[-1]))
        for name, times in ((case, fresh), ("  again", again), ("  evaluator", evaluator)):
            print(f"{name:22} {summary(times)}", flush=True)


if __name__ == "__main__":
    main()
