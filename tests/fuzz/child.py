"""Python's side of the fuzzing: `child.py PLAN SEED COUNT` tries COUNT mutations of one hand-written Plan.

Every mutation runs in a fork, with limits on memory and time. Any outcome but a crash is right: an answer, or an error
of graphc.errors. Prints one line of counts; status 1, with the seeds, if anything crashed or raised something else.
"""
from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "plan")]

from graphc import errors
from graphc.exec.engine import Engine
from graphc.exec.library import load_library
from graphc.serial.plan_proto import parse_plan, save_plan

from five import CASES, Case
from mutate import mutate

SECONDS = 3
MEMORY = 1 << 26
ANSWER, REFUSED, FAILED, UNEXPECTED = range(4)
STOPPED = (signal.SIGALRM, signal.SIGXCPU)      # a changed constant can make a loop long: no fault


def attempt(case: Case, data: bytes) -> int:
    try:
        plan = parse_plan(data)
        constants = {c.name: case.constants[c.name] for c in plan.constants if c.name in case.constants}
        hosts = {name: lambda r: r + r.dtype.type(1) for name in plan.hosts}
        engine = Engine(plan, constants, dict(case.states), hosts, threads=1, memory_limit=MEMORY)
    except errors.OpError:
        return REFUSED
    try:
        for inputs in case.feeds(np.random.default_rng(0))[:3]:
            engine.run([np.array(x) for x in inputs])
    except errors.OpError:
        return FAILED
    return ANSWER


def in_a_fork(case: Case, data: bytes) -> int:
    """The outcome, or the negative number of the signal that ended the fork."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        try:
            os._exit(attempt(case, data))
        except BaseException:
            traceback.print_exc()
            os._exit(UNEXPECTED)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main(name: str, seed: int, count: int) -> int:
    load_library()
    case = CASES[name]()
    original = save_plan(case.plan).SerializeToString()
    outcomes: Counter[str] = Counter()
    bad = []
    for number in range(seed, seed + count):
        code = in_a_fork(case, mutate(original, random.Random(f"{name}{number}")))
        if code >= 0 and code != UNEXPECTED:
            outcomes[("answer", "refused", "failed")[code]] += 1
        elif -code in STOPPED:
            outcomes["stopped"] += 1
        else:
            bad.append((number, code))
    print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    if bad:
        print(f"{name}: CRASHED for (seed, status) {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
