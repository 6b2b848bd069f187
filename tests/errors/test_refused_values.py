"""What is said of values that a kernel refuses: the numbers that it gives, and no others."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner


def _outside(rows: Any) -> Any:
    return gc.SparseTensor(rows, [1.0, 2.0], [2, 3])


CASES: dict[str, tuple[Callable[[Any], Any], Any, str]] = {
    "duplicated": (lambda x: gc.invert_permutation(x), [0, 2, 2], "2 is duplicated in the input.\n"),
    "negative": (lambda x: gc.bincount(x), [3, 1, -4], "Input arr must be non-negative! Element 2 is -4\n"),
    "descending": (lambda x: gc.segment_sum(gc.ones([3]), x), [0, 2, 1],
                   "segment ids are not increasing: 1 comes after 2\n"),
    "bounds": (lambda x: gc.random.stateless_uniform([2], [1, 2], x[0], x[1], gc.int32), [3, 3, 0],
               "Need minval < maxval, got 3 >= 3\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_numbers_of_the_kernel(name: str) -> None:
    make, given, said = CASES[name]
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.int32, [3])
        with pytest.raises(gc.errors.InvalidArgumentError) as error:
            session.run(make(x), {x: given})
        assert said in error.value.message


def test_no_numbers_where_there_are_none() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        labels = gc.SparseTensor([[0, 0], [0, 1]], gc.constant([1, 1]), [1, 2])
        inputs = gc.placeholder(gc.float32, [1, 1, 3])
        loss = gc.nn.ctc_loss(labels, inputs, [1])
        with pytest.raises(gc.errors.InvalidArgumentError, match="Not enough time") as error:
            session.run(loss, {inputs: np.zeros([1, 1, 3])})
        assert "leaves the first out\n" in error.value.message


@pytest.mark.parametrize("make", [
    lambda x: gc.sparse_split(sp_input=x, num_split=2, axis=1)[0].values,
    lambda x: gc.sparse_maximum(x, _outside([[0, 0], [1, 2]])).values,
    lambda x: gc.sparse_minimum(_outside([[0, 0], [1, 2]]), x).values])
def test_sparse_indices_outside_of_the_shape(make: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        rows = gc.placeholder(gc.int64, [None, 2])
        made = make(_outside(rows))
        session.run(made, {rows: [[0, 1], [1, 1]]})
        for wrong in ([0, 3], [2, 0], [-1, 1]):
            with pytest.raises(gc.errors.InvalidArgumentError) as error:
                session.run(made, {rows: [[0, 1], wrong]})
            assert f"indices {wrong} (tuple " in error.value.message
            assert "do not index into shape [2, 3]" in error.value.message


@pytest.mark.parametrize("mode", ["graphc", "tensorflow"])
@pytest.mark.parametrize("dtype", [gc.int32, gc.int64])
def test_bounds_that_only_a_run_knows(mode: str, dtype: gc.DType) -> None:
    """In order they bind nothing again; no numbers need no bounds."""
    gc.set_random_mode(mode)
    try:
        with gc.Graph().as_default(), gc.Session() as session:
            count, low, high = (gc.placeholder(t, s) for t, s in ((gc.int32, [1]), (dtype, []), (dtype, [])))
            drawn = gc.random_uniform(count, low, high, dtype, seed=3)
            for a, b in ((3, 7), (-9, -7), (-1, 2**31 - 1)):
                numbers = session.run(drawn, {count: [50], low: a, high: b})
                assert a <= numbers.min() and numbers.max() < b
            assert session.run(drawn, {count: [0], low: 5, high: 5}).shape == (0,)
            for a, b in ((7, 3), (3, 3), (-3, -5), (2**31 - 1, -2**31)):
                with pytest.raises(gc.errors.InvalidArgumentError) as error:
                    session.run(drawn, {count: [2], low: a, high: b})
                assert f"Need minval < maxval: {a} and {b}" in str(error.value) or f"got {a} >= {b}" in str(error.value)
                assert "test_refused_values.py" in str(error.value)
    finally:
        gc.set_random_mode("graphc")


def test_bounds_in_branches_and_in_cpp() -> None:
    """A branch that is not taken draws nothing, and so refuses nothing."""
    with gc.Graph().as_default(), gc.Session() as session:
        high, draws = gc.placeholder(gc.int32, []), gc.placeholder(gc.bool, [])
        y = gc.cond(draws, lambda: gc.random_uniform([3], 0, high, gc.int32), lambda: gc.zeros([3], gc.int32))
        assert session.run(y, {high: 0, draws: False}).tolist() == [0, 0, 0]
        with pytest.raises(gc.errors.InvalidArgumentError, match="Need minval < maxval: 0 and 0"):
            session.run(y, {high: 0, draws: True})
        saved = gc.freeze(session, [y]).SerializeToString()
    with n.Native(build_runner() / "libgraphc.so").load(saved) as model:
        assert model.run([np.array(5, np.int32), np.array(True)])[0].max() < 5
        with pytest.raises(n.NativeError, match="Need minval < maxval: 0 must be less than -2"):
            model.run([np.array(-2, np.int32), np.array(True)])
