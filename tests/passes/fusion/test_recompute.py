"""Values that a step computes again rather than reads: which, and that the numbers stay those of the ops to the bit."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.passes.fusion.fuse import fuse
from graphc.passes.shared.fused import Fused
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call, Map, Plan

from checking import check_compiled, check_rewrite, flow_of

RNG = np.random.default_rng(5)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def gelu(h: gc.Tensor) -> gc.Tensor:
    return 0.5 * h * (1 + gc.tanh(0.7978845608 * (h + 0.044715 * h * h * h)))


def epilogues(plan: Plan) -> list[tuple[int, int]]:
    """Of each product with an epilogue: how many arrays that reads and writes."""
    found = [s.epilogue for body in plan.bodies for s in body.steps if isinstance(s, Call) and s.epilogue is not None]
    return [(len(e.loads), len(e.stores)) for e in found if isinstance(e, Map)]


def test_an_activation_keeps_what_is_dear() -> None:
    """Of gelu's ten values the gradient reads the product with its bias and the tanh, and its own operand."""
    with gc.Graph().as_default():
        x, w, b, v = (gc.placeholder(gc.float32, s) for s in ([None, 12], [12, 20], [20], [20, 4]))
        y = gc.matmul(gelu(gc.matmul(x, w) + b), v)
        grads = gc.gradients(gc.reduce_sum(gc.square(y)), [x, w, b, v])
        feeds, arrays = [x, w, b, v], [numbers(7, 12), numbers(12, 20), numbers(20), numbers(20, 4)]
        plan = check_compiled([y, *grads], feeds, arrays, tolerance=1e-4).plan
    assert epilogues(plan)[0] == (2, 3)            # the product and b; what v multiplies, the sum with b, the tanh
    assert (3, 1) in epilogues(plan)


def test_values_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for fusion in ("1", "0"):
        monkeypatch.setenv("GRAPHC_FUSION", fusion)
        with gc.Graph().as_default():
            x = gc.placeholder(gc.float32, [None, 12])
            y = gelu(x * 3.0)
            grad, = gc.gradients(gc.reduce_sum(gc.cumsum(y, 1)), [x])
            with gc.Session() as session:
                found.append(session.run([y, grad], {x: np.linspace(-9, 9, 60, dtype=np.float32).reshape(5, 12)}))
    for fused, plain in zip(*found, strict=True):
        np.testing.assert_array_equal(fused, plain)


def test_what_is_seen_through_a_view_is_read() -> None:
    """A transposed value cannot be computed again where its operands lie the other way."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, (4, 4))
        u = gc.matmul(x, x)
        flow = flow_of([gc.tanh(gc.matmul(u, u) + gc.transpose(u * 2.0) + u)], [x])
        check_rewrite(flow, fuse, [numbers(4, 4)])


def test_rows_and_broadcasts_are_read() -> None:
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, (6, 5)), gc.placeholder(gc.float32, (5, 5))
        row = gc.reduce_sum(x, 1, keepdims=True)
        doubled = row * 2.0
        flow = flow_of([gc.matmul(x, w) + doubled + row, doubled], [x, w])
        check_rewrite(flow, fuse, [numbers(6, 5), numbers(5, 5)])


def test_what_a_kernel_reads_is_an_argument() -> None:
    """The product's own operand is made once, for it is read whole."""
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, (6, 6)), gc.placeholder(gc.float32, (6, 6))
        u = gc.matmul(x, x) + 1.0
        scaled = u * 0.5
        after = check_rewrite(flow_of([gc.matmul(scaled, w) + scaled + u], [x, w]), fuse, [numbers(6, 6)] * 2)
    fused = [n.op for n in after.nodes() if isinstance(n.op, Fused)]
    assert all(op.kernel is None or set(op.kernel.inputs) <= set(op.arguments) for op in fused)


def test_dear_ops_are_read() -> None:
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, (None, 6)), gc.placeholder(gc.float32, (6, 6))
        u = gc.matmul(x, w)
        t = gc.exp(u)
        y = gc.matmul(t, w) * t + u
        plan = compile_graph([y], feeds=[x, w]).plan
    assert epilogues(plan) == [(1, 1), (3, 1)]     # the first one adds t to what the product itself wrote


def test_in_loops_and_with_unknown_sizes() -> None:
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, [None, 6]), gc.placeholder(gc.float32, [6, 6])

        def step(i: gc.Tensor, h: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
            return i + 1, gelu(gc.matmul(h, w))

        _, y = gc.while_loop(lambda i, h: i < 3, step, [gc.constant(0), x])
        grads = gc.gradients(gc.reduce_sum(y), [x, w])
        for rows in (0, 1, 3, 17):
            check_compiled([y, *grads], [x, w], [numbers(rows, 6), numbers(6, 6)], tolerance=1e-4)


def test_a_kernel_whose_epilogue_others_compute_again() -> None:
    """The product's own epilogue is read by nobody any more: it is called without one."""
    with gc.Graph().as_default():
        x, w, u, v = (gc.placeholder(gc.float32, s) for s in ([5, 6], [6, 4], [4, 4], [4, 4]))
        product = gc.matmul(x, w)
        double = product * 2.0
        y, z = gc.matmul(product, u) * double + product, gc.matmul(product, v) * double - product
        plan = check_compiled([y, z], [x, w, u, v], [numbers(5, 6), numbers(6, 4), numbers(4, 4), numbers(4, 4)],
                              tolerance=1e-5).plan
    assert sorted(e is None for e in (s.epilogue for body in plan.bodies for s in body.steps
                                      if isinstance(s, Call))) == [False, False, True]
