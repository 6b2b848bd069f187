"""A forked process: the worker threads of the parent are not there, the pool starts new ones."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import os, signal, sys, time
import numpy as np
from five import CASES
from graphc.exec.engine import Engine

THREADS = 3

def tasks():
    return len(os.listdir("/proc/self/task"))

cases = {name: CASES[name]() for name in ("conv_norm_dense", "growing_loop")}
engines = {name: Engine(c.plan, c.constants, dict(c.states), c.hosts, threads=THREADS) for name, c in cases.items()}

def results():
    return [x.tobytes() for name, c in cases.items() for feeds in c.feeds(np.random.default_rng(0))
            for x in engines[name].run([np.array(f, order="C") for f in feeds])]

before = results()
at_start = tasks()
assert at_start >= THREADS
for generation in range(3):                     # a child, its child, and its child's
    child = os.fork()
    if child:
        break
    signal.alarm(60)
    deadline = time.monotonic() + 20            # threads appear one after the other
    while tasks() < THREADS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tasks() == THREADS, tasks()
    for _ in range(5):
        assert results() == before
if child:
    assert results() == before
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status))
os._exit(0)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_workers_start_again_in_a_child() -> None:
    plans = Path(__file__).parents[1] / "plan"
    script = f"import sys; sys.path.insert(0, {str(plans)!r})\n{CHILD}"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
