"""Fusion, layout, prepare: what the whole pipeline makes of nets."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from growth import assert_proportional

import graphc as gc
from graphc.errors import InternalError
from graphc.ir.dtypes import float32
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, make_node
from graphc.ir.op import OPS
from graphc.ir.verify import verify
from graphc.passes.fusion.fuse import fuse
from graphc.passes.shared.fused import Fused
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call, Map, Plan

from checking import check_compiled, check_rewrite, close, flow_of, types
from nets import picture_net, states_of

RNG = np.random.default_rng(3)
Job = tuple[list[Any], list[Any], list[Any]]     # fetches, targets, feeds


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


def test_reductions_of_a_value_that_nothing_is_computed_for_are_one_map() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 5))
        low, high, mean = gc.reduce_min(x, 1), gc.reduce_max(x, [1]), gc.reduce_mean(x, -1)
        made = check_compiled([high - low, mean], [x], [numbers(7, 5)])
        assert kinds(made.plan) == ["Map"]
        made = check_compiled([low, gc.reduce_max(x, 0), gc.reduce_max(x - gc.expand_dims(low, 1), 1)], [x],
                              [numbers(7, 5)])
        assert kinds(made.plan) == ["Map"] * 3


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


def test_a_factor_with_axes_goes_over_a_bias_vector() -> None:
    """The bias stays a vector, although the factor is [1, channels, 1, 1] in the user's layout."""
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 2, 6, 6))
        h = gc.nn.conv2d(x, gc.constant(numbers(3, 3, 2, 4)), 1, "SAME", data_format="NCHW")
        h = gc.nn.bias_add(h, gc.constant(numbers(4)), data_format="NCHW")
        y = gc.nn.relu(h * gc.constant(numbers(1, 4, 1, 1)))
        made = check_compiled([y], [x], [numbers(3, 2, 6, 6)], tolerance=1e-4)
    assert kinds(made.plan).count("conv2d+") == 1


def test_variables_that_the_plan_writes_are_not_prepared() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (3,))
        v = gc.Variable(numbers(3), name="v")
        y = gc.tanh(v) * x
        assert compile_graph([y], (), [x]).plan.prepare == 1
        assert compile_graph([y], [gc.assign(v, v * 2.0).op], [x]).plan.prepare == -1


def test_work_on_constants_is_prepared_without_feeds() -> None:
    """A step of training may be fed nothing (the picture is the variable, a data set gives the batch); what initialises
    is run once, and prepares nothing."""
    with gc.Graph().as_default(), gc.Session() as session:
        a, start = numbers(80, 80), numbers(80, 80)
        fixed = gc.matmul(gc.constant(a), gc.constant(a))
        v = gc.Variable(fixed * gc.random_uniform([80, 80], 1, 2), name="v")
        loss = gc.reduce_sum(gc.square(gc.matmul(v, gc.constant(a)) - fixed))
        step = v.assign(v - 1e-4 * gc.gradients(loss, v)[0])
        assert compile_graph([loss], [step.op], []).plan.prepare == 1
        assert compile_graph([], [v.initializer], []).plan.prepare == -1
        v.load(start, session)
        for _ in range(2):
            wide = np.float64(start) @ a - np.float64(a) @ a
            close(session.run([loss, step])[:1], [np.float32(np.square(wide).sum())], 1e-4)
            start = np.float32(start - 2e-4 * wide @ a.T)


def chain(n: int) -> Job:
    y = x = gc.placeholder("float32", (None, 8))
    w = gc.placeholder("float32", (8, 8))
    for _ in range(n):
        y = gc.tanh(gc.matmul(y, w) * 0.5 + x) + y
    return [y], [], [x, w]


def fan(n: int) -> Job:
    x = gc.placeholder("float32", (None, 8))
    return [gc.add_n([gc.reduce_sum(x * float(i), 1) for i in range(n)])], [], [x]


def training(layers: int) -> Job:
    h = x = gc.placeholder("float32", (None, 8))
    for _ in range(layers):
        w, b = gc.Variable(np.eye(8, dtype=np.float32)), gc.Variable(np.zeros(8, np.float32))
        h = gc.nn.relu(gc.matmul(h, w) + b)
    return [], [gc.train.AdamOptimizer(0.01).minimize(gc.reduce_mean(gc.square(h)))], [x]


@pytest.mark.parametrize("build, size", [(chain, 60), (fan, 100), (training, 6)])
def test_compiling_takes_time_in_proportion(build: Callable[[int], Job], size: int) -> None:
    def job(n: int) -> Callable[[], Any]:
        with gc.Graph().as_default():
            made = build(n)
        return lambda: compile_graph(*made)

    job(2)()                                         # what is imported and made once
    assert_proportional(job, size)


@pytest.mark.parametrize("inner", ["Sum", "Tanh", "both"])
def test_fusing_many_operands_takes_time_in_proportion(inner: str) -> None:
    """One node of n operands, which are row sums, maps, or maps whose sums are wanted too."""
    x = make_node(FlowInput("x", 0, float32, (4, 3)), ())

    def job(n: int) -> Callable[[], Any]:
        values, sums = [x.value() for _ in range(n)], []
        if inner != "Sum":
            values = [make_node(OPS["Tanh"](), [v]).value() for v in values]
        if inner != "Tanh":
            sums = [make_node(OPS["Sum"](axis=(1,)), [v]).value() for v in values]
        last = make_node(OPS["AddN"](), sums if inner == "Sum" else values)
        flow = Flow((x,), (last.value(), *(sums if inner == "both" else ())))
        return lambda: fuse(flow)

    assert_proportional(job, 500)


# Views behind a reduction, sizes that only running tells, domains that differ in unit axes

VIEWS: dict[str, Callable[[Any, Any], Any]] = {
    "reverse": lambda x, row: gc.reverse(row, [0]),
    "transpose": lambda x, row: gc.transpose(gc.reshape(row, [1, -1])[:, :], [1, 0])[:, 0],
    "broadcast": lambda x, row: gc.broadcast_to(row[1], gc.shape(row)),
    "slice": lambda x, row: gc.concat([row[1:], row[:1]], 0),
    "strided": lambda x, row: row[::-1],
    "fill": lambda x, row: gc.fill(gc.shape(row), 2.0),
    "column": lambda x, row: x[:, 1],
    "row of the transposed": lambda x, row: gc.transpose(x)[2],
    "ones": lambda x, row: gc.ones_like(row),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("rows", [4, None])
def test_views_behind_a_reduction(view: str, rows: int | None) -> None:
    with gc.Graph().as_default():
        x, row = gc.placeholder("float32", (rows, 3)), gc.placeholder("float32", (rows,))
        total = gc.reduce_sum(gc.square(x), 1)
        seen = VIEWS[view](x, row)
        fetches = [total * seen + 1.0, gc.ones_like(total), gc.reduce_mean(x * 2.0, 1, keepdims=True) * seen[:, None]]
        check_compiled(fetches, [x, row], [numbers(4, 3), numbers(4)])


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("axis", [0, 1, [0, 1]])
@pytest.mark.parametrize("shape", [(4, 3), (None, 3), (None, None)])
def test_gradients_of_reductions_of_rows(name: str, axis: Any, shape: tuple[int | None, ...]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", shape)
        reduce = getattr(gc, f"reduce_{name}")
        check_compiled(gc.gradients(gc.reduce_sum(gc.square(reduce(x, axis))), x), [x], [numbers(4, 3)], tolerance=1e-4)


def test_groups_that_differ_in_unit_axes_merge() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (4, 3))
        y = gc.tanh(x)
        both = gc.exp(gc.expand_dims(x, 1)) * gc.expand_dims(y, 1)
        check_compiled([gc.reduce_sum(y, 1), both, gc.reduce_max(y, 1)], [x], [numbers(4, 3)])


def test_groups_of_which_one_reads_rows_of_the_other_stay_apart() -> None:
    with gc.Graph().as_default():
        x, z = (gc.placeholder("float32", [2, 3]) for _ in range(2))
        value = gc.tanh(x)
        y = gc.exp(z) * gc.reduce_sum(value, 0) + value
        check_compiled([y], [x, z], [numbers(2, 3), numbers(2, 3)])


@pytest.mark.parametrize("seed", range(60))
def test_maps_and_rows_in_any_order(seed: int) -> None:
    """Random graphs of element values, reductions over one axis and values of rows."""
    random = np.random.default_rng(seed)
    shape = [(2, 3), (1, 3), (2, 1), (3, 3)][seed % 4]
    with gc.Graph().as_default():
        x, z = (gc.placeholder("float32", [None if random.integers(2) else n for n in shape]) for _ in range(2))
        made: list[Any] = [x, z]
        for _ in range(10):
            a, b = (made[i] for i in random.integers(len(made), size=2))
            match int(random.integers(5)):
                case 0:
                    made.append(gc.tanh(a))
                case 1 if a.shape.ndims == 2:
                    made.append(gc.reduce_sum(a, 0, keepdims=bool(random.integers(2))))
                case 2 if a.shape.ndims == 1:
                    made.append(gc.expand_dims(a, 0))
                case _:
                    made.append(a + b * 0.5)
        check_compiled(made[2:], [x, z], [numbers(*shape), numbers(*shape)], tolerance=1e-4)


def test_a_member_that_cannot_be_evaluated_is_found_behind_the_pass() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (4, 3))
        flow = flow_of([gc.transpose(gc.reduce_sum(gc.square(x), 0, keepdims=True) + 1.0)], [x])
    transposed, = [n for n in flow.nodes() if n.op.type == "Transpose"]
    members = tuple(n for n in flow.nodes() if n.op.type != "_FlowInput")
    op = Fused(members, (flow.inputs[0].value(),), (transposed.value(),), (4, 3), (0,))
    with pytest.raises(InternalError, match="cannot be a member"):
        op.infer(flow.inputs[0].specs[0])


def test_sizes_used_by_members_must_be_known_before() -> None:
    """The verifier looks into fused steps: without the edge to BindSizes it refuses them."""
    with gc.Graph().as_default():
        x, i = gc.placeholder("float32", (4, 3)), gc.placeholder("int32", ())
        flow = fuse(flow_of([gc.square(x[i]) * 2.0], [x, i]))
    node = flow.outputs[0].node
    assert isinstance(node.op, Fused) and {n.op.type for n in node.after} == {"_BindSizes"}
    verify(flow, "fuse")
    cut = dataclasses.replace(flow, outputs=(dataclasses.replace(node, after=()).value(),), effects=tuple(node.after))
    with pytest.raises(InternalError, match=r"before .* makes it known"):
        verify(cut, "fuse")


def test_every_fused_op_type_is_known() -> None:
    assert "_Fused" not in OPS, "a Fused node is no part of a user's graph"
