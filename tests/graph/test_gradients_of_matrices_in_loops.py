"""Gradients of matrices with which every iteration of a loop multiplies: one product behind it (products.py)."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

SIZES = [(1, 3, 4), (3, 17, 31), (2, 1, 65), (17, 31, 1), (0, 4, 4)]


def looped(step: Any, x: Any, start: Any, times: Any) -> Any:
    """The last state of `times` steps, of a loop."""
    return gc.while_loop(lambda i, _: i < times, lambda i, h: (i + 1, step(x[i], h)), [gc.constant(0), start],
                         shape_invariants=[gc.TensorShape([]), start.shape])[1]


def unrolled(step: Any, x: Any, start: Any, times: int) -> Any:
    h = start
    for i in range(times):
        h = step(x[i], h)
    return h


def arrays(times: int, batch: int, width: int, units: int) -> list[np.ndarray]:
    generator = np.random.default_rng(times + batch + width + units)
    return [generator.normal(size=s) for s in ((times, batch, width), (batch, units), (width, units), (units, units))]


def kept_factors(tensor: Any) -> int:
    """Lists on which the gradient loops of the graph collect factors."""
    return sum(op.type == "TensorListSetItem" for name, function in tensor.graph.functions.items()
               if name.endswith("_grad") for op in function.get_operations())


def slopes(make: Any, times: Any, values: list[np.ndarray], open_sizes: bool, order: int = 1) -> tuple[list[Any], int]:
    """Gradients of a cell with two matrices, for both; and how many lists of factors there are."""
    with gc.Graph().as_default(), gc.Session() as session:
        x, start, w, r = (gc.placeholder(gc.float64, [None] * v.ndim if open_sizes and i < 2 else v.shape)
                          for i, v in enumerate(values))
        last = make(lambda row, h: gc.tanh(gc.matmul(row, w) + gc.matmul(h, r)), x, start, times)
        target = gc.reduce_sum(gc.sin(last))
        found = gc.gradients(target, [w, r])
        for _ in range(order - 1):
            found = gc.gradients(gc.add_n([gc.reduce_sum(gc.square(g)) for g in found]), [w, r])
        return session.run(found, dict(zip((x, start, w, r), values, strict=True))), kept_factors(target)


@pytest.mark.parametrize("open_sizes", [False, True])
@pytest.mark.parametrize("batch, width, units", SIZES)
def test_equal_to_the_unrolled_program(batch: int, width: int, units: int, open_sizes: bool) -> None:
    values = arrays(4, batch, width, units)
    expected, _ = slopes(unrolled, 4, values, open_sizes)
    for found, wanted in zip(slopes(looped, 4, values, open_sizes)[0], expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_second_order() -> None:
    values = arrays(3, 2, 5, 7)
    expected, _ = slopes(unrolled, 3, values, False, order=2)
    for found, wanted in zip(slopes(looped, 3, values, False, order=2)[0], expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("open_sizes", [False, True])
def test_no_iteration(open_sizes: bool) -> None:
    found, _ = slopes(looped, 0, arrays(2, 3, 4, 5), open_sizes)
    assert [g.shape for g in found] == [(4, 5), (5, 5)] and not any(g.any() for g in found)


def test_few_rows_are_kept_once_many_are_multiplied_in_the_loop() -> None:
    """Both matrices have one factor in common; the other one is kept by the forward loop."""
    few, many = arrays(3, 1, 30, 30), arrays(3, 30, 30, 30)
    assert slopes(looped, 3, few, False)[1] == 1
    assert slopes(looped, 3, few, True)[1] > 0
    assert slopes(looped, 3, many, False)[1] == 0


def test_a_factor_that_no_iteration_changes() -> None:
    """Of rows that are the same in all iterations there is nothing to keep."""
    _, start, w, r = arrays(1, 2, 40, 40)
    same = np.ones((2, 40))

    def run(make: Any) -> list[Any]:
        with gc.Graph().as_default(), gc.Session() as session:
            row, h, a, b = (gc.placeholder(gc.float64, v.shape) for v in (same, start, w, r))
            last = make(lambda _, h: gc.tanh(gc.matmul(row, a) * gc.matmul(h, b, transpose_b=True)), gc.zeros([3]), h,
                        3)
            return session.run(gc.gradients(gc.reduce_sum(last), [a, b]), {row: same, h: start, a: w, b: r})

    for x, y in zip(run(looped), run(unrolled), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


def test_loops_in_loops() -> None:
    values = arrays(3, 2, 30, 30)

    def program(make: Any) -> Any:
        def step(row: Any, h: Any) -> Any:
            return make(lambda inner, g: gc.tanh(gc.matmul(inner, w) + gc.matmul(g, r)), gc.stack([row, h * 0.5]), h, 2)
        return make(step, x, start, 3)

    with gc.Graph().as_default(), gc.Session() as session:
        x, start, w, r = (gc.placeholder(gc.float64, v.shape) for v in values)
        found = [session.run(gc.gradients(gc.reduce_sum(program(make)), [w, r]),
                             dict(zip((x, start, w, r), values, strict=True))) for make in (looped, unrolled)]
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_bits_for_any_number_of_threads() -> None:
    values = [v.astype(np.float32) for v in arrays(9, 3, 65, 130)]
    with gc.Graph().as_default():
        x, start, w, r = (gc.placeholder(gc.float32, [None] * (v.ndim - 1) + [v.shape[-1]]) for v in values)
        last = looped(lambda row, h: gc.tanh(gc.matmul(row, w) + gc.matmul(h, r)), x, start, 9)
        found = gc.gradients(gc.reduce_sum(last), [w, r])
        made = []
        for threads in (1, 2, 3):
            with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
                made.append(session.run(found, dict(zip((x, start, w, r), values, strict=True))))
    for other in made[1:]:
        for a, b in zip(made[0], other, strict=True):
            np.testing.assert_array_equal(a, b)

