"""When fused programs become machine code, and that neither that nor fusion changes a result."""
from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue, jit
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Instr, Program
from graphc.session.prepared_run import RUNS_BEFORE_CODE

from child import run_child


def build() -> tuple[gc.Tensor, gc.Tensor]:
    x = gc.placeholder(gc.float32, [None, 5])
    return x, gc.tanh(x * 0.5 + 1.0) * x - gc.square(x)


def test_code_follows_the_first_runs_and_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[int] = []
    real = jit.install
    monkeypatch.setattr(jit, "install", lambda engine: installed.append(real(engine)))
    with gc.Graph().as_default():
        x, y = build()
        with gc.Session() as session:
            values = np.random.default_rng(0).standard_normal((37, 5)).astype(np.float32)
            results = []
            for run in range(RUNS_BEFORE_CODE + 3):
                code_queue.settle()
                assert len(installed) == (run >= RUNS_BEFORE_CODE), run
                results.append(session.run(y, {x: values}))
    assert installed == [1]
    assert all(np.array_equal(r, results[0]) for r in results)


def test_runs_go_on_while_code_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()
    real = jit.install

    def install(engine: Any) -> int:
        begun.set()
        assert go.wait(60)
        return real(engine)

    monkeypatch.setattr(jit, "install", install)
    with gc.Graph().as_default(), gc.Session() as session:
        x, y = build()
        values = np.random.default_rng(1).standard_normal((9, 5)).astype(np.float32)
        first = session.run(y, {x: values})
        for _ in range(RUNS_BEFORE_CODE + 20):
            assert np.array_equal(session.run(y, {x: values}), first)
        assert begun.wait(60) and not any("compiled" in line for line in kernels(session, y, {x: values}))
        stop = threading.Event()
        wrong: list[Any] = []

        def repeat() -> None:
            while not stop.is_set():
                if not np.array_equal(session.run(y, {x: values}), first):
                    wrong.append(1)

        threads = [threading.Thread(target=repeat) for _ in range(2)]
        for thread in threads:
            thread.start()
        go.set()                           # code is installed between the runs of two threads
        code_queue.settle()
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong and np.array_equal(session.run(y, {x: values}), first)
        assert any("compiled" in line for line in kernels(session, y, {x: values}))


def kernels(session: gc.Session, fetch: Any, feeds: Any) -> list[str]:
    told = gc.RunMetadata()
    session.run(fetch, feeds, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), run_metadata=told)
    return told.kernels


@pytest.mark.parametrize("ending", ["", "os._exit(0)", "raise SystemExit(0)", "del session"])
def test_a_program_may_end_while_code_is_made(ending: str) -> None:
    for _ in range(3):
        run_child(f"""
            from graphc.kernels.toolchain import cache
            cache.read_used = lambda key: None           # every program is compiled
            x = gc.placeholder(gc.float32, [None])
            fetches = []
            for i in range(4):
                y = x
                for k in range(20 + i):
                    y = gc.square(y * 1.5) - y / (k + 2.0)
                fetches.append(y)
            session = gc.Session()
            for fetch in fetches:
                for _ in range(4):
                    session.run(fetch, {{x: [1, 2]}})
            from graphc.exec import code_queue
            assert code_queue._thread is not None
            {ending}
        """, 60)


def test_fusion_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        x, y = build()
        fused = compile_graph([y], feeds=[x]).plan
        monkeypatch.setenv("GRAPHC_FUSION", "0")
        single = compile_graph([y], feeds=[x]).plan
        assert sum(len(b.steps) for b in single.bodies) > sum(len(b.steps) for b in fused.bodies)
        values = np.ones((2, 5), np.float32)
        with gc.Session() as session:
            np.testing.assert_allclose(session.run(y, {x: values}), np.tanh(1.5) - np.ones((2, 5)), rtol=1e-6)


def test_what_pays() -> None:
    def program(*ops: str) -> Program:
        return Program(loads=("f32",), instrs=tuple(Instr(op, "f32", (k,)) for k, op in enumerate(ops)),
                       stores=(len(ops),))

    assert jit.pays(program("square", "neg")) and jit.pays(program("square", "tanh"))
    assert jit.pays(program("square", "neg", "reduce.add")) and jit.pays(program("tanh", "neg", "exp", "neg"))
    assert not jit.pays(program("square")) and not jit.pays(program("square", "reduce.add"))
    assert not jit.pays(program("tanh", "exp", "neg"))
    assert not jit.pays(program(*["neg"] * (jit.LONGEST + 1)))
