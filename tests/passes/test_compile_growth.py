"""What compiling costs, in calls of functions: that does not depend on the machine, nor on what else it does."""
from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.plan.compile import compile_graph

Job = tuple[list[Any], list[Any], list[Any]]


def elementwise(nodes: int) -> Job:
    x = y = gc.placeholder(gc.float32, [None])
    while len(gc.get_default_graph().get_operations()) < nodes:
        y = gc.tanh(y * 0.5)
    return [y], [], [x]


def mixed(nodes: int) -> Job:
    """Rows, products and some dozens of different fused programs."""
    x = h = gc.placeholder(gc.float32, [None, 16])
    functions, count = [gc.tanh, gc.sigmoid, gc.exp, gc.square, gc.abs, gc.nn.relu, gc.sin, gc.sqrt], 0
    while len(gc.get_default_graph().get_operations()) < nodes:
        h = functions[count // 8 % 8](functions[count % 8](h) * 0.5) + h
        h = h - gc.reduce_max(h, 1, keepdims=True)
        if count % 3 == 0:
            h = gc.matmul(h, gc.constant(np.eye(16, dtype=np.float32)))
        count += 1
    return [h], [], [x]


def training(nodes: int) -> Job:
    x = h = gc.placeholder(gc.float32, [None, 8])
    while len(gc.get_default_graph().get_operations()) < 0.6 * nodes:
        w, b = gc.Variable(np.eye(8, dtype=np.float32)), gc.Variable(np.zeros(8, np.float32))
        h = gc.nn.relu(gc.matmul(h, w) + b)
    return [], [gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_mean(gc.square(h)))], [x]


def branch_of_many_results(nodes: int) -> Job:
    """Each result is asked for by an op of its own."""
    x, p = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.bool, [])
    values = gc.cond(p, lambda: [gc.tanh(x * float(i)) for i in range(nodes // 8)],
                     lambda: [gc.exp(x * float(i)) for i in range(nodes // 8)])
    return [gc.square(value) for value in values], [], [x, p]


def calls(build: Callable[[int], Job], nodes: int) -> tuple[int, int]:
    """Calls while compiling, and the number of the user's ops."""
    with gc.Graph().as_default() as graph:
        job = build(nodes)
    found = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    old = sys.getprofile()
    sys.setprofile(count)
    try:
        compile_graph(*job)
    finally:
        sys.setprofile(old)
    return found, len(graph.get_operations())


# Calls for an op of the user's: a tenth above what it was when 10,000 ops took less than a second of CPU.
# The ops in the branch are not counted.
@pytest.mark.parametrize("build, limit", [(elementwise, 700), (mixed, 940), (training, 1010),
                                          (branch_of_many_results, 7300)])
def test_calls_grow_with_the_number_of_ops(build: Callable[[int], Job], limit: int) -> None:
    calls(build, 100)                                             # what is computed once and kept
    (once, few), (twice, many) = calls(build, 600), calls(build, 1200)
    assert twice / once <= 1.15 * many / few
    assert twice / many < limit, f"{twice / many:.0f} calls for an op"
