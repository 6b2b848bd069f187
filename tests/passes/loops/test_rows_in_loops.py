"""rows_in_loops: x[t] is gathered, on any axis; an index may count from the back, one out of range is an error."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference
from graphc.ir.verify import verify
from graphc.passes.loops.rows_in_loops import LARGEST, rows_in_loops
from graphc.passes.simplification.simplify import simplify

from checking import check_compiled, close, flow_of, types

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(7)


def body_types(fetches: list[Any], feeds: list[Any]) -> list[str]:
    after = rows_in_loops(simplify(flow_of(fetches, feeds)))
    verify(after, "rows_in_loops")
    assert rows_in_loops(after) is after
    return types(after.nested[0].op.body)  # type: ignore[attr-defined]


def check(fetches: list[Any], fed: dict[Any, np.ndarray], gathers: int) -> None:
    found = body_types(fetches, list(fed))
    assert found.count("GatherV2") == gathers
    assert ("_BindSizes" in found) == ("StridedSlice" in found)
    check_compiled(fetches, list(fed), list(fed.values()))
    with gc.Session() as session:
        for _ in range(2):
            close(run_reference(fetches, fed), session.run(fetches, fed))


@pytest.mark.parametrize("steps", [0, 1, 3, 17])
@pytest.mark.parametrize("known", [True, False])
def test_rows(steps: int, known: bool) -> None:
    x = gc.placeholder("float32", (steps, 5) if known else (None, 5))
    _, y = gc.while_loop(lambda t, _: t < steps, lambda t, y: (t + 1, gc.tanh(y + x[t])), (0, gc.zeros([5])))
    check([y], {x: RNG.normal(size=(steps, 5)).astype(np.float32)}, 1)


def test_other_axes_and_two_indices() -> None:
    x = gc.placeholder("float32", (4, 3, None))

    def body(t: Any, y: Any) -> Any:
        return t + 1, y + x[:, t] * x[..., t][:, :1] - x[t, 1]

    _, y = gc.while_loop(lambda t, _: t < 3, body, (0, gc.zeros([4, 4])))
    value = RNG.normal(size=(4, 3, 4)).astype(np.float32)
    check([y], {x: value}, 2)                       # one with two indices stays a slice


def test_an_index_that_counts_from_the_back() -> None:
    x = gc.placeholder("float64", (None, 2))
    _, y = gc.while_loop(lambda t, _: t < 3, lambda t, y: (t + 1, 2. * y + x[t]), (-3, gc.zeros([2], gc.float64)))
    check([y], {x: RNG.normal(size=(3, 2))}, 1)


@pytest.mark.parametrize("start", [-4, 3])
def test_an_index_out_of_range_names_the_line(start: int) -> None:
    x = gc.placeholder("float32", (None, 2))
    _, y = gc.while_loop(lambda t, _: t < 4, lambda t, y: (t + 1, y + x[t]), (start, gc.zeros([2])))
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=r"test_rows_in_loops\.py"):
        session.run(y, {x: np.ones((3, 2), np.float32)})


def test_large_rows_stay_slices() -> None:
    x = gc.placeholder("float32", (3, LARGEST + 1))
    _, y = gc.while_loop(lambda t, _: t < 3, lambda t, y: (t + 1, y + gc.reduce_sum(x[t])), (0, 0.))
    assert "StridedSlice" in body_types([y], [x])


def test_gradients() -> None:
    x = gc.placeholder("float32", (None, 3))
    _, y = gc.while_loop(lambda t, _: t < gc.shape(x)[0], lambda t, y: (t + 1, gc.sin(y * x[t])), (0, gc.ones([3])))
    check([y, *gc.gradients(y, [x])], {x: RNG.normal(size=(5, 3)).astype(np.float32)}, 1)
