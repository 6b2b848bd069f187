"""transpose_weights: matrices that many products read transposed get one transpose, the rows that are read alone; a few
products, and those of very few or of many rows, stay."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.simplification.simplify import simplify
from graphc.passes.weights.transpose_weights import MANY, transpose_weights

from checking import check_compiled, check_rewrite, flow_of, types

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(5)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def chain(rows: int | None, count: int, parts: Any = lambda y: [y]) -> tuple[list[Any], list[Any]]:
    """(fetches, feeds) of `count` products of as many operands with one matrix, transposed. parts: what is read."""
    w = gc.placeholder("float32", (12, 7), name="w")
    given = [gc.placeholder("float32", (rows, 7)) for _ in range(count)]
    return [part for x in given for part in parts(gc.matmul(x, w, transpose_b=True))], [w, *given]


def check(fetches: Sequence[Any], feeds: Sequence[Any], expected: Sequence[str], rows: int) -> None:
    arrays = [array(*(rows if s is None else s for s in x.shape.as_list())) for x in feeds]
    check_rewrite(simplify(flow_of(fetches, feeds)), transpose_weights, arrays, expected)
    check_compiled(fetches, feeds, arrays)


@pytest.mark.parametrize("rows", [9, 64, None], ids=str)
def test_many_products_share_one_transposed_matrix(rows: int | None) -> None:
    check(*chain(rows, MANY), ["_Transposed", *["MatMul"] * MANY], 31 if rows is None else rows)


def test_rows_that_are_not_known_may_be_none() -> None:
    check(*chain(None, MANY), ["_Transposed", *["MatMul"] * MANY], 0)


@pytest.mark.parametrize(("rows", "count"), [(8, MANY), (65, MANY), (20, MANY - 1)], ids=str)
def test_what_does_not_pay_stays(rows: int, count: int) -> None:
    flow = simplify(flow_of(*chain(rows, count)))
    assert transpose_weights(flow) is flow


@pytest.mark.parametrize(("sizes", "read", "splits"), [((5, 7), (1,), 0), ((3, 5, 4), (0,), 0), ((3, 5, 4), (0, 1), 1)],
                         ids=str)
def test_only_columns_that_are_read_are_computed(sizes: tuple[int, ...], read: tuple[int, ...], splits: int) -> None:
    def parts(y: Any) -> list[Any]:
        made = gc.split(y, list(sizes), axis=1)
        return [made[i] for i in read]

    check(*chain(20, MANY, parts), ["Slice", "_Transposed", *["MatMul"] * MANY, *["SplitV"] * (splits * MANY)], 20)


def test_parts_that_lie_apart_are_columns_of_whole_products() -> None:
    def ends(y: Any) -> list[Any]:
        first, _, last = gc.split(y, 3, axis=1)
        return [first, last]

    check(*chain(20, MANY, ends), ["_Transposed", *["MatMul"] * MANY, *["Split"] * MANY], 20)


def test_an_unrolled_network_learns_what_a_loop_learns() -> None:
    x = gc.placeholder("float32", (20, 12, 6))
    cell = gc.nn.rnn_cell.BasicLSTMCell(6)
    listed, _ = gc.nn.static_rnn(cell, gc.unstack(x, axis=1), dtype=gc.float32)
    looped, _ = gc.nn.dynamic_rnn(cell, x, dtype=gc.float32)
    weights = gc.trainable_variables()
    losses = [gc.reduce_mean(gc.square(y)) for y in (gc.stack(listed, 1), looped)]
    unrolled, loop = (gc.gradients(loss, weights) for loss in losses)
    assert "_Transposed" in types(transpose_weights(simplify(flow_of(unrolled, [x]))))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for _ in range(2):
            for found, expected in zip(*session.run([unrolled, loop], {x: array(20, 12, 6)}), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
