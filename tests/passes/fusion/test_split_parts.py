"""split_parts: parts that are read are views where others are not, or where no cache holds all; values stay."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.fusion.split_parts import BEYOND_CACHES, split_parts

from checking import check_compiled, check_rewrite, flow_of, types

SPLITS: dict[str, Callable[[Any], Any]] = {
    "split": lambda x: gc.split(x, 3, 1),
    "sizes": lambda x: gc.split(x, [1, -1, 2], -2),
    "unstack": lambda x: gc.unstack(x, num=6, axis=1),
}


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("index", [0, 1, -1])
def test_a_part_alone_is_a_view(name: str, known: bool, index: int) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [5, 6, 4] if known else [None, None, None])
        part = SPLITS[name](x)[index]
        flow = flow_of([part * 2.0], [x])
        assert "_Part" in types(check_rewrite(flow, split_parts, [values(5, 6, 4)]))
        doubled = part * 2.0
        fetches = [doubled, gc.reduce_sum(part, 0), gc.matmul(doubled, doubled, transpose_b=True), part,
                   gc.gradients(gc.reduce_sum(gc.square(part)), x)[0]]
        for rows in (5, 0, 1) if not known else (5,):
            check_compiled(fetches, [x], [values(rows, 6, 4)], tolerance=1e-4)


def test_all_parts_stay_copies_unless_they_are_far() -> None:
    with gc.Graph().as_default():
        for columns, kinds in ((4, ["Split"]), (BEYOND_CACHES // 8, ["_Part", "_Part"])):
            x = gc.placeholder(gc.float32, [2, columns])
            flow = flow_of([gc.add_n(gc.split(x, 2, 1))], [x])
            found = types(split_parts(flow))
            assert [kind for kind in found if kind.startswith(("Split", "_Part"))] == kinds, found


def test_sizes_that_are_required_stay_so() -> None:
    """What the split asked of its operand is asked still, and named as the user's op."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        last = gc.split(x, 2, 1, name="halves")[1] * 2.0
        with gc.Session() as session:
            np.testing.assert_array_equal(session.run(last, {x: np.ones((2, 4), np.float32)}), np.full((2, 2), 2.0))
            with pytest.raises(gc.errors.InvalidArgumentError, match="num_split 2"):
                session.run(last, {x: np.ones((2, 5), np.float32)})


def test_strings_stay() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.string, [4])
        assert "Split" in types(split_parts(flow_of([gc.split(x, 2)[1]], [x])))


def test_parts_in_a_loop() -> None:
    """A variable is written after its old value's part was read."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [3, 6])
        state = gc.Variable(np.arange(18, dtype=np.float32).reshape(3, 6))
        old = gc.unstack(state.value(), axis=1)[2]
        with gc.control_dependencies([old]):
            step = state.assign(x)
        looped = gc.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, gc.concat([gc.split(a, 3, 1)[2]] * 3, 1) * 2.0),
                               [0, x])[1]
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            given = values(3, 6)
            found, after, _ = session.run([old, looped, step], {x: given})
            np.testing.assert_array_equal(found, [2, 8, 14])
            np.testing.assert_allclose(after, np.tile(given[:, 4:], 3) * 8)
