"""GRAPHC_GUARD=1: what goes beyond a buffer of the arena is a fault; results stay what they are. In child processes."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphc.exec.engine import Engine
from graphc.kernels.runtime import tables as t
from graphc.plan.plan import Call, Plan, Port

from five import CASES
from hand import Writer
from runtime_plans import placed_buffers


def copying_plan(n: int) -> Plan:
    """y = x, by way of two buffers of the arena."""
    b = Writer("main")
    size = b.const(n)
    x, first, second, y = b.input("f32", size), b.arena("f32", size), b.arena("f32", size), b.output("f32", size)
    for source, target in ((x, first), (first, second), (second, y)):
        b.step(Call("copy.f32", (source, target), (size,)))
    return Plan((Port("x", "f32", (n,)),), (Port("y", "f32", (n,)),), (b.body(),), ())


def overrun(n: int) -> None:
    """A bound call of the second step is told that there is one element more: what an error of ours would do."""
    engine, x = Engine(copying_plan(n), threads=1), np.arange(n, dtype=np.float32)
    np.testing.assert_array_equal(engine.run([x])[0], x)
    frame = (ctypes.c_int64 * t.FRAME_WORDS).from_address(engine._frames[0])
    row = (ctypes.c_int64 * t.ROW_WORDS).from_address(frame[t.FRAME_ROWS] + 8 * t.ROW_WORDS)
    bound = (ctypes.c_int64 * 3).from_address(row[t.ROW_BOUND])
    assert bound[2] == n
    bound[2] = n + 1
    engine.run([x])


def results() -> None:
    """The hand-written Plans, and that no two buffers are at one place."""
    for name, make in CASES.items():
        case = make()
        hosts = {key: (lambda r: r + r.dtype.type(1)) for key in case.hosts}
        engine = Engine(case.plan, case.constants, dict(case.states), hosts, threads=2)
        for inputs in case.feeds(np.random.default_rng(0)):
            found = engine.run([np.array(x) for x in inputs])
            print(name, *(np.asarray(f).tobytes().hex() for f in found))
        placed = [p for p in placed_buffers(engine) if p.end > p.begin]
        if os.environ.get("GRAPHC_GUARD") == "1":
            assert len({p.begin // 4096 for p in placed}) == len(placed)


def child(guard: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = Path(__file__).parent
    paths = os.pathsep.join([str(folder), str(folder.parent / "plan"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False,
                          env=dict(os.environ, GRAPHC_GUARD=guard, PYTHONPATH=paths))


@pytest.mark.parametrize("n", [1, 5, 16, 1000, 1024])
def test_an_overrun_inside_the_arena_is_a_fault(n: int) -> None:
    guarded, plain = child("1", "overrun", str(n)), child("0", "overrun", str(n))
    assert guarded.returncode == -signal.SIGSEGV, guarded.stderr
    assert plain.returncode == 0, plain.stderr


def test_results_are_the_same() -> None:
    guarded, plain = child("1", "results"), child("0", "results")
    assert guarded.returncode == plain.returncode == 0, guarded.stderr + plain.stderr
    assert guarded.stdout == plain.stdout
    assert plain.stdout.count("\n") >= len(CASES)


if __name__ == "__main__":
    overrun(int(sys.argv[2])) if sys.argv[1] == "overrun" else results()
