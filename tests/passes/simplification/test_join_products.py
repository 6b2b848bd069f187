"""join_products: sums of products of few rows; what another reads, or what has many rows, stays."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.simplification.join_products import join_products
from graphc.passes.simplification.simplify import simplify

from checking import check_compiled, check_rewrite, flow_of, types

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(5)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def factors(*rows: int) -> list[tuple[Any, Any]]:
    return [(gc.placeholder("float32", (r, 30)), gc.placeholder("float32", (r, 40))) for r in rows]


def product(a: Any, b: Any) -> Any:
    return gc.matmul(a, b, transpose_a=True)


def check(fetches: Sequence[Any], pairs: Sequence[tuple[Any, Any]], expected: Sequence[str], rows: int = 2) -> None:
    feeds = [x for pair in pairs for x in pair]
    arrays = [array(*(rows if s is None else s for s in x.shape.as_list())) for x in feeds]
    check_rewrite(simplify(flow_of(fetches, feeds)), join_products, arrays, expected)
    check_compiled(fetches, feeds, arrays)


JOINED = ["ConcatV2", "ConcatV2", "MatMul"]


@pytest.mark.parametrize("rows", [(1, 2, 3), (0, 2)], ids=str)
def test_products_of_few_rows(rows: tuple[int, ...]) -> None:
    pairs = factors(*rows)
    check([gc.add_n([product(a, b) for a, b in pairs])], pairs, JOINED)


def test_rows_that_are_not_known() -> None:
    a, w = gc.placeholder("float32", (None, 30)), gc.placeholder("float32", (30, 40))
    h = gc.matmul(a, w)
    made = gc.add_n([product(a, gc.sin(h)), product(a, gc.cos(h))])
    for rows in (0, 1, 5):
        check([made], [(a, w)], [*JOINED, "Cos", "MatMul", "Sin"], rows)


def test_the_rest_of_the_sum_is_added() -> None:
    pairs, other = factors(1, 2), factors(30)
    check([gc.add_n([product(*other[0]), *(product(a, b) for a, b in pairs)])], [*pairs, *other],
          [*JOINED, "AddN", "MatMul"])


def test_what_another_reads_stays() -> None:
    pairs = factors(1, 2)
    made = [product(a, b) for a, b in pairs]
    check([gc.add_n(made), gc.tanh(made[0])], pairs, ["AddN", "MatMul", "MatMul", "Tanh"])


def test_products_behind_a_joined_one() -> None:
    """Which the pass has rebuilt when it comes to their sum."""
    pairs = factors(1, 2)
    total = gc.add_n([product(a, b) for a, b in pairs])
    behind = gc.add_n([product(a, gc.sin(b + total[:1])) for a, b in pairs])
    check([behind], pairs, [*JOINED, *JOINED, *["AddV2", "Sin", "StridedSlice"] * 2])


def test_many_rows_and_other_sides_stay() -> None:
    many = factors(30, 30)
    check([gc.add_n([product(a, b) for a, b in many])], many, ["AddN", "MatMul", "MatMul"])
    plain = [(gc.placeholder("float32", (30, 2)), gc.placeholder("float32", (2, 40))) for _ in range(2)]
    check([gc.add_n([gc.matmul(a, b) for a, b in plain])], plain, ["AddN", "MatMul", "MatMul"])


def test_an_unrolled_network_s_gradient() -> None:
    x, w = gc.placeholder("float32", (4, 2, 30)), gc.placeholder("float32", (30, 30))
    h = gc.zeros([2, 30])
    for t in range(4):
        h = gc.tanh(gc.matmul(h + x[t], w))
    found, = gc.gradients(gc.reduce_sum(h), [w])
    flow = join_products(simplify(flow_of([found], [x, w])))
    assert types(flow).count("ConcatV2") == 2
    check_compiled([found], [x, w], [array(4, 2, 30), array(30, 30) * 0.1])
