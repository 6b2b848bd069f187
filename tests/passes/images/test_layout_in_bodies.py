"""Channels-first ops in loops and branches, and in the bodies of their gradients: each reaches its channels-last
kernel."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

Op = Callable[[gc.Tensor], gc.Tensor]
SHAPE = [2, 3, 4, 4]
OPS: dict[str, Op] = {
    "max_pool": lambda x: gc.nn.max_pool(x, [1, 1, 2, 2], [1, 1, 1, 1], "SAME", data_format="NCHW"),
    "avg_pool": lambda x: gc.nn.avg_pool(x, [1, 1, 3, 3], [1, 1, 1, 1], "SAME", data_format="NCHW"),
    "conv2d": lambda x: gc.nn.conv2d(x, gc.ones([2, 2, 3, 3]) * 0.1, [1, 1, 1, 1], "SAME", data_format="NCHW"),
    "bias_add": lambda x: gc.nn.bias_add(gc.tanh(x), gc.constant([1.0, 2.0, 3.0]), data_format="NCHW"),
    "batch_norm": lambda x: gc.nn.fused_batch_norm(x, gc.ones([3]), gc.zeros([3]), data_format="NCHW")[0],
}


def top(x: gc.Tensor, op: Op) -> gc.Tensor:
    return op(x)


def loop(x: gc.Tensor, op: Op) -> gc.Tensor:
    invariants = [gc.TensorShape([]), x.shape]
    return gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, op(a) + a], [0, x], invariants)[1]


def branch(x: gc.Tensor, op: Op) -> gc.Tensor:
    return gc.cond(gc.placeholder_with_default(True, []), lambda: op(x), lambda: x)


def branch_in_loop(x: gc.Tensor, op: Op) -> gc.Tensor:
    return loop(x, lambda a: gc.cond(gc.reduce_sum(x) > 0, lambda: op(a), lambda: a))


def two_branches(x: gc.Tensor, op: Op) -> gc.Tensor:
    return branch(x, op) * branch(x, lambda a: gc.nn.max_pool(a, [1, 1, 3, 3], [1, 1, 1, 1], "SAME",
                                                              data_format="NCHW"))


@pytest.mark.parametrize("place", [top, loop, branch, branch_in_loop, two_branches], ids=lambda f: f.__name__)
@pytest.mark.parametrize("op", OPS)
def test_values_and_gradients(op: str, place: Callable[[gc.Tensor, Op], gc.Tensor]) -> None:
    for shape in (SHAPE, [None] * 4):
        with gc.Graph().as_default(), gc.Session() as session:
            x = gc.placeholder(gc.float32, shape)
            y = place(x, OPS[op])
            first = gc.gradients(y * y, x)[0]
            fetches = [y, first, *gc.gradients(first * first, x)]
            feeds = {x: np.random.default_rng(0).uniform(0.5, 1.5, SHAPE).astype(np.float32)}
            found = session.run(fetches, feeds)
            for a, b in zip(found, run_reference(fetches, feeds), strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-3 * np.abs(b).max())
