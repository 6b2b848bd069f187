"""When fused programs become machine code, and that neither that nor fusion changes a result."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec import jit
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Instr, Program
from graphc.session import RUNS_BEFORE_CODE


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
                assert len(installed) == (run >= RUNS_BEFORE_CODE), run
                results.append(session.run(y, {x: values}))
    assert installed == [1]
    assert all(np.array_equal(r, results[0]) for r in results)


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
        return Program(loads=("f32",), instrs=tuple(Instr(op, "f32", (0,)) for op in ops), stores=(1,))

    assert jit.pays(program("square", "neg")) and jit.pays(program("square", "tanh"))
    assert not jit.pays(program("square"))
    assert not jit.pays(program("tanh", "exp", "neg"))
    assert not jit.pays(program(*["neg"] * (jit.LONGEST + 1)))
