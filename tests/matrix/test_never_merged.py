"""Equal ops on equal operands are one; ops with another field, or loops and branches with another body, never are.

For every op, all its samples with the same operands, and with a field changed, run in one graph on the same
placeholders: plainly, in loops, in branches, saved.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.host import Host
from graphc.ir.op import OPS
from graphc.ops.linalg.by_kernel import ByKernel

from matrix import check
from matrix.cells import Cell
from matrix.excluded import EXCLUDED
from matrix.subjects import all_samples, subject
from samples import registered

LARGEST = 12       # variants of one use that share a graph
PLACES: tuple[dict[str, str], ...] = (
    {"context": "top"}, {"context": "branch", "passes": "unfused"}, {"context": "loop", "machine": "runner"},
    {"context": "branch in loop", "declared": "unknown"},
)


def alike(op: str) -> list[list[int]]:
    """Numbers of samples with equal operands and unequal fields."""
    groups: dict[Any, dict[str, int]] = {}
    for number, sample in enumerate(all_samples(op)):
        operands = subject(op, number, "given", 0)
        assert operands is not None
        key = tuple((x.dtype.str, x.shape, x.tobytes()) for x in operands if x.dtype != object)
        groups.setdefault(key, {}).setdefault(repr(sorted(sample.attributes.items())), number)
    return [list(group.values())[:LARGEST] for group in groups.values() if len(group) > 1]


VARIED = [name for name in registered() if name not in EXCLUDED and not OPS[name].refs and any(
    len(s.attributes) for s in OPS[name].samples)]


@pytest.mark.parametrize("op", VARIED)
def test_fields_are_told_apart(op: str) -> None:
    found, count = [], 0
    for i, group in enumerate(alike(op)):
        for place in (PLACES[i % len(PLACES)], PLACES[(i + 1) % len(PLACES)]):
            if place.get("machine") == "runner" and issubclass(OPS[op], Host) and not issubclass(OPS[op], ByKernel):
                continue            # the runner has no Python
            found += check.together([Cell(op, number, **place) for number in group])
            count += len(group)
    assert not found, check.report(found, count)


BODIES = {
    "factor": (lambda x: x * 2, lambda x: x * 3), "op": (gc.sin, gc.cos),
    "axis": (lambda x: x + gc.reduce_sum(x, 0), lambda x: x + gc.reduce_sum(x, 1)),
    "constant": (lambda x: x + np.eye(2, dtype=np.float32), lambda x: x - np.eye(2, dtype=np.float32)),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_told_apart(name: str) -> None:
    """Two loops, two branches and their gradients, equal but for their bodies, against each one alone."""
    def makers(body: Any, x: Any, p: Any) -> list[Any]:
        loop = gc.while_loop(lambda k, a: k < 3, lambda k, a: [k + 1, body(a)], [0, x])[1]
        branch = gc.cond(p, lambda: body(x), lambda: x)
        return [loop, branch, gc.gradients(loop, x)[0], gc.gradients(branch, x)[0]]

    def run(bodies: Any) -> list[np.ndarray]:
        with gc.Graph().as_default() as graph:
            x, p = gc.placeholder(gc.float32, [2, 2]), gc.placeholder(gc.bool, [])
            results = [t for body in bodies for t in makers(body, x, p)]
        with gc.Session(graph=graph) as session:
            return session.run(results, {x: [[1, 2], [3, 4]], p: True})

    first, second = BODIES[name]
    for a, b in zip(run([first, second]), run([first]) + run([second]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bounds_are_told_apart() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [])
        results = [gc.while_loop(lambda k, a, n=n: k < n, lambda k, a: [k + 1, a * 2], [0, x])[1] for n in (1, 2, 5)]
    with gc.Session(graph=graph) as session:
        assert session.run(results, {x: 1.0}) == [2, 4, 32]


def test_random_numbers_in_bodies_are_told_apart() -> None:
    with gc.Graph().as_default() as graph:
        p = gc.placeholder(gc.bool, [])
        branches = [gc.cond(p, lambda: gc.random_uniform([8]), lambda: gc.zeros([8])) for _ in range(2)]
        loops = [gc.while_loop(lambda k, a: k < 1, lambda k, a: [k + 1, gc.random_uniform([8])],
                               [0, gc.zeros([8])])[1] for _ in range(2)]
    with gc.Session(graph=graph) as session:
        drawn = session.run([*branches, *loops], {p: True})
    assert all(not np.array_equal(a, b) for i, a in enumerate(drawn) for b in drawn[:i])
