"""Fusion, layout, prepare: what the whole pipeline makes of nets."""
from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.op import OPS
from graphc.passes.fuse import fuse
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call, Map, Plan

from checking import check_compiled, check_rewrite, flow_of, types
from nets import picture_net, states_of

RNG = np.random.default_rng(3)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def kinds(plan: Plan, body: int = 0) -> list[str]:
    """Steps, without the bookkeeping of variables."""
    names = [(s.kernel.split(".")[0] + ("+" if s.epilogue else "")) if isinstance(s, Call) else type(s).__name__
             for s in plan.bodies[body].steps]
    return [n for n in names if not n.startswith("state_")]


def test_a_chain_becomes_few_maps() -> None:
    with gc.Graph().as_default():
        y = x = gc.placeholder("float32", (None, 8))
        w = gc.placeholder("float32", (8,))
        for _ in range(500):
            y = gc.tanh(y * w)
        made = check_compiled([y], [x, w], [numbers(3, 8), numbers(8)])
    assert len(made.plan.bodies[0].steps) <= 8
    assert all(len(p.instrs) <= 256 for p in made.plan.programs)


def test_broadcasts_views_and_scalars_fuse() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 4))
        b = gc.placeholder("float32", (4,))
        y = gc.tanh(gc.transpose(x)[1:3] * 2.0 + gc.reshape(b, [4, 1])[:2]) - 1.0
        made = check_compiled([y], [x, b], [numbers(5, 4), numbers(4)])
    assert kinds(made.plan) == ["Map"]


def test_reduction_with_what_stands_before_and_behind() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 4))
        y = gc.sqrt(gc.reduce_sum(gc.square(x) * 3.0, 1)) + 1.0
        made = check_compiled([y], [x], [numbers(5, 4)])
    assert kinds(made.plan) == ["Map"]


@pytest.mark.parametrize("axis", [(0,), (1,), (0, 1), (0, 2)])
def test_two_reductions_of_one_value_are_one_map(axis: tuple[int, ...]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (2, 3, 4))
        h = gc.exp(x)
        made = check_compiled([gc.reduce_sum(h, axis), gc.reduce_max(h, axis), h], [x], [numbers(2, 3, 4)])
    assert kinds(made.plan) == ["Map"]


def test_kernels_take_epilogues() -> None:
    with gc.Graph().as_default():
        x, w = gc.placeholder("float32", (None, 4)), gc.placeholder("float32", (4, 5))
        y = gc.nn.relu(gc.matmul(x, w) + np.ones(5, np.float32)) * gc.placeholder("float32", (), name="s")
        s = gc.get_default_graph().get_tensor_by_name("s:0")
        made = check_compiled([y], [x, w, s], [numbers(3, 4), numbers(4, 5), np.float32(2)])
    assert kinds(made.plan) == ["matmul+"]


def test_a_kernel_whose_result_is_transposed_keeps_it() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (4, 4))
        p = gc.matmul(x, x)
        made = check_compiled([p + gc.transpose(p)], [x], [numbers(4, 4)])
    assert kinds(made.plan) == ["matmul", "Map"]


def test_no_cycle_through_a_kernel() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (4, 4))
        a = gc.tanh(x)
        made = check_compiled([a * 2.0 + gc.matmul(a, a) + a], [x], [numbers(4, 4)])
    assert kinds(made.plan) == ["Map", "matmul+"]


def test_adam_is_one_map_with_three_stores() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder("float32", (7,))
        w = gc.Variable(numbers(7), name="w")
        step = gc.train.AdamOptimizer(0.01).minimize(gc.reduce_sum(w * x))
        made = check_compiled([], [x], [numbers(7)], states_of(graph), [step])
    body = made.plan.bodies[0]
    maps = [s for s in body.steps if isinstance(s, Map) and len(s.stores) == 3]
    assert len(maps) == 1
    assert {body.buffers[a.buffer].kind.name for a in maps[0].stores} == {"STATE"}


def test_fuse_keeps_values_and_is_a_fixpoint() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 4))
        flow = flow_of([gc.tanh(x * 2.0) + gc.reduce_mean(gc.square(x), 1, keepdims=True)], [x])
        after = check_rewrite(flow, fuse, [numbers(3, 4)])
    assert types(after) == ["_Fused", "_Fused"]


def bare(plan: Plan) -> Any:
    """The Plan without names and origins."""
    def step(s: Any) -> Any:
        changes: dict[str, Any] = {"origins": ()}
        if isinstance(s, Call) and s.epilogue is not None:
            changes["epilogue"] = step(s.epilogue)
        return dataclasses.replace(s, **changes)

    bodies = [dataclasses.replace(b, steps=tuple(map(step, b.steps)),
                                  guards=tuple(dataclasses.replace(g, origin=0) for g in b.guards))
              for b in plan.bodies]
    return bodies, plan.programs, [(c.dtype, c.shape) for c in plan.constants], plan.states


@pytest.mark.parametrize("what", ["logits", "batch norm", "training"])
def test_both_picture_formats_give_one_plan(what: str) -> None:
    plans = []
    for data_format in ("NHWC", "NCHW"):
        with gc.Graph().as_default() as graph:
            net = picture_net(data_format, what == "training", what == "batch norm")
            feeds, fetches, targets = ([net[0]], [net[1]], []) if len(net) == 2 else (list(net[:2]), [net[3]], [net[4]])
            arrays = [numbers(3, 8, 8, 1), np.array([1, 2, 3])][:len(feeds)]
            made = check_compiled(fetches, feeds, arrays, states_of(graph), targets, 1e-4)
            assert made.report[-1].transposes_after == 0
            plans.append(bare(made.plan))
    assert plans[0] == plans[1]


def test_batch_norm_goes_into_the_weights() -> None:
    with gc.Graph().as_default() as graph:
        x, logits = picture_net("NHWC", batch_norm=True)
        made = check_compiled([logits], [x], [numbers(3, 8, 8, 1)], states_of(graph), tolerance=1e-4)
    assert kinds(made.plan) == ["conv2d+", "max_pool", "conv2d+", "max_pool", "matmul"]
    assert kinds(made.plan, made.plan.prepare) == ["Map"] * 4


def test_variables_that_the_plan_writes_are_not_prepared() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (3,))
        v = gc.Variable(numbers(3), name="v")
        y = gc.tanh(v) * x
        assert compile_graph([y], (), [x]).plan.prepare == 1
        assert compile_graph([y], [gc.assign(v, v * 2.0).op], [x]).plan.prepare == -1


def test_ten_thousand_nodes_compile_in_time() -> None:
    with gc.Graph().as_default():
        y = x = gc.placeholder("float32", (None, 8))
        w = gc.placeholder("float32", (8, 8))
        for _ in range(2000):
            y = gc.tanh(gc.matmul(y, w) * 0.5 + x) + y
        start = time.process_time()
        compile_graph([y], (), [x, w])
        # About 1.2 s of CPU time; the limit leaves room for a busy machine.
        assert time.process_time() - start < 4


def test_every_fused_op_type_is_known() -> None:
    assert "_Fused" not in OPS, "a Fused node is no part of a user's graph"
