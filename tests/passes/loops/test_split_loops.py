"""split_loops: loops are cut at products whose factors the rest of an iteration does not need.

Cells are larger than what it pays for (cuts.py); Everything is compared
with the graph's meaning in NumPy.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference
from graphc.ir.node import Flow
from graphc.ir.verify import verify
from graphc.passes.loops.cuts import SMALLEST
from graphc.passes.loops.split_loops import split_loops
from graphc.passes.loops.unused_results import unused_results
from graphc.passes.pipeline import PIPELINE
from graphc.passes.shared.control_flow import Loop
from graphc.passes.simplification.simplify import simplify

from checking import check_compiled, close, flow_of, types

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(11)
WIDE = 96                    # columns: WIDE * WIDE elements are enough
assert WIDE * WIDE > SMALLEST


def array(*shape: int) -> np.ndarray:
    return (0.05 * RNG.normal(size=shape)).astype(np.float32)


def matrix(rows: int = WIDE, columns: int = WIDE) -> tuple[Any, np.ndarray]:
    return gc.placeholder("float32", (rows, columns)), array(rows, columns)


def loops(flow: Flow) -> list[list[str]]:
    """The types of the ops of each loop's body, in order."""
    return [types(n.op.body) for n in flow.nodes() if isinstance(n.op, Loop)]  # type: ignore[attr-defined]


def check(fetches: Sequence[Any], fed: Sequence[tuple[Any, np.ndarray]], products: Sequence[int]) -> Flow:
    """Runs the pass alone, then everything: in NumPy, and in a Session. products: how many each loop has left."""
    feeds, arrays = zip(*fed, strict=True)
    after = split_loops(simplify(unused_results(flow_of(fetches, feeds))))
    verify(after, "split_loops")
    assert split_loops(after) is after
    assert [body.count("MatMul") for body in loops(after)] == list(products)
    check_compiled(fetches, feeds, list(arrays))
    expected = run_reference(fetches, dict(fed))
    with gc.Session() as session:
        for _ in range(2):
            close(expected, session.run(list(fetches), dict(fed)))
    return after


def sequence(steps: int, batch: int = 2, known: bool = True) -> tuple[Any, np.ndarray]:
    sizes = (steps, batch, WIDE) if known else (None, None, WIDE)
    return gc.placeholder("float32", sizes), array(steps, batch, WIDE)


def recurrent(x: Any, step: Callable[[Any, Any], Any], batch: Any = 2) -> Any:
    """h = step(x[t], h) over the rows of x, read of a TensorArray."""
    steps = gc.shape(x)[0]
    rows = gc.TensorArray(gc.float32, steps, element_shape=x.shape[1:]).unstack(x)
    start = gc.fill([batch, WIDE], 0.1)
    return gc.while_loop(lambda t, _: t < steps, lambda t, h: (t + 1, step(rows.read(t), h)), (0, start))[1]


@pytest.mark.parametrize("steps", [0, 1, 3, 17])
@pytest.mark.parametrize("known", [True, False])
def test_rows_of_a_tensor_are_multiplied_in_front(steps: int, known: bool) -> None:
    x, w = sequence(steps, known=known), matrix(2 * WIDE)
    h = recurrent(x[0], lambda row, h: gc.tanh(gc.matmul(gc.concat([row, h], 1), w[0])),
                  2 if known else gc.shape(x[0])[1])
    after = check([h], [x, w], [1])
    assert types(after).count("MatMul") == 1
    assert "TensorListGetItem" not in loops(after)[0]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_free_part_of_what_stands_side_by_side(swapped: bool) -> None:
    x, w = sequence(5), matrix(2 * WIDE)
    h = recurrent(x[0], lambda row, h: gc.tanh(gc.matmul(gc.concat([h, row] if swapped else [row, h], 1), w[0])))
    check([h], [x, w], [1])


def test_products_that_are_added() -> None:
    x, u, w = sequence(5), matrix(), matrix()
    h = recurrent(x[0], lambda row, h: gc.tanh(gc.matmul(row, w[0]) + gc.matmul(h, u[0])))
    check([h], [x, u, w], [1])


def test_a_part_in_the_middle() -> None:
    x, w = sequence(5), matrix(3 * WIDE)
    h = recurrent(x[0], lambda row, h: gc.tanh(gc.matmul(gc.concat([h, row, gc.cos(h)], 1), w[0])))
    check([h], [x, w], [1])


def test_a_transposed_matrix() -> None:
    x, w = sequence(4), matrix(WIDE, 2 * WIDE)
    h = recurrent(x[0], lambda row, h: gc.tanh(gc.matmul(gc.concat([row, h], 1), w[0], transpose_b=True)))
    check([h], [x, w], [1])


def test_gathered_rows() -> None:
    x, u, w = sequence(4), matrix(), matrix()
    _, h = gc.while_loop(lambda t, _: t < 4, lambda t, h: (
        t + 1, gc.tanh(gc.matmul(gc.gather(x[0], t), w[0]) + gc.matmul(h, u[0]))), (0, gc.zeros([2, WIDE])))
    assert len(loops(check([h], [x, u, w], [1]))) == 1


def test_rows_that_are_not_all_read_are_collected_first() -> None:
    x, u, w = sequence(9), matrix(), matrix()
    end = (gc.placeholder("int32", ()), np.array(3, np.int32))
    _, h = gc.while_loop(lambda t, _: t < end[0], lambda t, h: (
        t + 1, gc.tanh(gc.matmul(gc.gather(x[0], t), w[0]) + gc.matmul(h, u[0]))), (0, gc.zeros([2, WIDE])))
    check([h], [x, u, w, end], [0, 1])


def test_layers_get_loops_of_their_own() -> None:
    """The second layer reads what the first one gave, and the first one's value of the step before."""
    x, u, w, v = sequence(5), matrix(), matrix(), matrix()

    def body(t: Any, a: Any, b: Any) -> Any:
        new = gc.tanh(gc.gather(x[0], t) + gc.matmul(a, u[0]))
        return t + 1, new, gc.sin(gc.matmul(new, w[0]) + gc.matmul(b, v[0]) + a)

    _, a, b = gc.while_loop(lambda t, *_: t < 5, body, (0, gc.zeros([2, WIDE]), gc.ones([2, WIDE])))
    check([a, b], [x, u, w, v], [1, 1])


def test_columns_that_leave() -> None:
    """y feeds the recurrence, z what is only added up: half of the product is of all iterations."""
    x, w = sequence(5), matrix(WIDE, 2 * WIDE)

    def body(t: Any, h: Any, total: Any) -> Any:
        y, z = gc.split(gc.matmul(h, w[0]), 2, axis=1)
        return t + 1, gc.tanh(y + gc.gather(x[0], t)), total + gc.sin(z)

    _, h, total = gc.while_loop(lambda t, *_: t < 5, body, (0, gc.ones([2, WIDE]), gc.zeros([2, WIDE])))
    check([h, total], [x, w], [1, 0])


def test_columns_that_nobody_reads() -> None:
    w = matrix(WIDE, 3 * WIDE)

    def body(t: Any, h: Any) -> Any:
        parts = gc.split(gc.matmul(h, w[0]), 3, axis=1)
        return t + 1, gc.tanh(parts[1])

    _, h = gc.while_loop(lambda t, _: t < 5, body, (0, gc.ones([2, WIDE])))
    after = check([h], [w], [1])
    assert "Split" not in loops(after)[0]


def test_what_stays_whole() -> None:
    """The factor needs the product; the test needs it; a matrix that changes; small ones; many rows."""
    x, u, w = sequence(4), matrix(), matrix()
    _, h = gc.while_loop(lambda t, _: t < 4, lambda t, h: (t + 1, gc.tanh(gc.matmul(h, w[0]))), (0, gc.ones([2, WIDE])))
    check([h], [w], [1])
    _, s = gc.while_loop(lambda t, s: s < 3., lambda t, s: (
        t + 1, s + gc.reduce_mean(gc.abs(gc.matmul(gc.gather(x[0], t), w[0]))) + 1.), (0, 0.))
    check([s], [x, w], [1])
    _, _, h = gc.while_loop(lambda t, *_: t < 4, lambda t, m, h: (
        t + 1, m * 0.9, h + gc.matmul(gc.gather(x[0], t), m)), (0, u[0], gc.ones([2, WIDE])))
    check([h], [x, u], [1])
    many = (gc.placeholder("float32", (4, 64, WIDE)), array(4, 64, WIDE))
    _, h = gc.while_loop(lambda t, _: t < 4, lambda t, h: (t + 1, h + gc.matmul(gc.gather(many[0], t), w[0])),
                         (0, gc.ones([64, WIDE])))
    check([h], [many, w], [1])


def test_random_numbers_stay_what_they_are(monkeypatch: Any) -> None:
    gc.set_random_seed(3)
    x, w, u = sequence(4), matrix(), matrix()

    def step(row: Any, h: Any) -> Any:
        return gc.tanh(gc.matmul(row, w[0]) + gc.matmul(h, u[0]) + gc.random_normal([2, WIDE]))

    h = recurrent(x[0], step)
    found = []
    for pipeline in (PIPELINE, tuple(named for named in PIPELINE if named[0] != "split_loops")):
        monkeypatch.setattr("graphc.plan.compile.PIPELINE", pipeline)
        with gc.Session() as session:
            found.append([session.run(h, dict([x, w, u])) for _ in range(2)])
    close(found[0], found[1])
    assert np.abs(found[0][0] - found[0][1]).max() > 0.1


def test_an_index_out_of_range_is_an_error_with_its_line() -> None:
    x, u, w = sequence(4), matrix(), matrix()
    _, h = gc.while_loop(lambda t, _: t < 5, lambda t, h: (
        t + 1, gc.tanh(gc.matmul(gc.gather(x[0], t), w[0]) + gc.matmul(h, u[0]))), (0, gc.zeros([2, WIDE])))
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=r"test_split_loops\.py"):
        session.run(h, dict([x, u, w]))
