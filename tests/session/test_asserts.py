"""assert_*: what is known while building is refused there, the rest when run; and predicates."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

INVALID = gc.errors.InvalidArgumentError
BINARY = {"equal": ([1, 2], [1, 2], [1, 3]), "none_equal": ([1, 2], [2, 1], [1, 1]), "less": ([1, 2], [2, 3], [2, 2]),
          "less_equal": ([1, 2], [1, 3], [0, 3]), "greater": ([1, 2], [0, 1], [1, 1]),
          "greater_equal": ([1, 2], [1, 1], [2, 1])}
UNARY = {"negative": (-1, 0), "positive": (1, 0), "non_negative": (0, -1), "non_positive": (0, 1)}


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def run(check: Any, feeds: dict) -> Any:
    with gc.control_dependencies([check]):
        result = gc.constant(1.0) * 2.0
    with gc.Session() as session:
        return session.run(result, feeds)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    function, (x, good, bad) = getattr(gc, f"assert_{name}"), BINARY[name]
    fed = gc.placeholder(gc.int32, [2])
    check = function(x, fed, message="message of mine")
    assert isinstance(check, gc.Operation)
    assert run(check, {fed: good}) == 2
    with pytest.raises(INVALID, match="message of mine"):
        run(check, {fed: bad})
    assert isinstance(function(x, good), gc.Operation)
    with pytest.raises(INVALID, match="did not hold element-wise"):
        function(x, bad)


@pytest.mark.parametrize("name", UNARY)
def test_sign(name: str) -> None:
    function, (good, bad) = getattr(gc, f"assert_{name}"), UNARY[name]
    fed = gc.placeholder(gc.float32, [1])
    assert run(function(fed), {fed: [good]}) == 2
    with pytest.raises(INVALID, match="did not hold element-wise"):
        run(function(fed), {fed: [bad]})
    with pytest.raises(INVALID, match="did not hold"):
        function([bad])


def test_near() -> None:
    x = gc.placeholder(gc.float32, [])
    assert run(gc.assert_near(x, 1.0), {x: 1 + 1e-7}) == 2
    with pytest.raises(INVALID, match="tolerance"):
        run(gc.assert_near(x, 1.0), {x: 1.01})
    assert run(gc.assert_near(x, 1.0, atol=0.1), {x: 1.01}) == 2


def test_ranks() -> None:
    known, unknown = gc.zeros([2, 3]), gc.placeholder(gc.float32)
    for check in (gc.assert_rank(known, 2), gc.assert_rank_at_least(known, 1), gc.assert_rank_in(known, [1, 2])):
        assert run(check, {}) == 2
    for function, wanted in ((gc.assert_rank, 1), (gc.assert_rank_at_least, 3), (gc.assert_rank_in, [0, 1])):
        with pytest.raises(ValueError, match="Received rank 2"):
            function(known, wanted)
        with pytest.raises(INVALID):
            run(function(unknown, wanted), {unknown: np.zeros((2, 3))})
    assert run(gc.assert_rank(unknown, 2), {unknown: np.zeros((2, 3))}) == 2
    assert gc.assert_scalar(gc.constant(1)).shape.as_list() == []
    with pytest.raises(ValueError, match="Expected scalar shape"):
        gc.assert_scalar(known)


def test_dtypes() -> None:
    x = gc.constant([1.0])
    gc.assert_type(x, gc.float32)
    gc.assert_integer(gc.constant(1))
    assert gc.debugging.assert_same_float_dtype([x, None]) == gc.float32
    assert gc.is_numeric_tensor(x) and not gc.is_numeric_tensor(3)
    with pytest.raises(TypeError, match="must be of type"):
        gc.assert_type(x, gc.int32)
    with pytest.raises(TypeError, match="integer type"):
        gc.assert_integer(x)
    with pytest.raises(ValueError, match="floating point"):
        gc.debugging.assert_same_float_dtype([gc.constant(1)])


def test_iterables() -> None:
    gc.assert_proper_iterable([1])
    for wrong in ("text", np.zeros(2), gc.constant([1]), 3):
        with pytest.raises(TypeError, match="iterable"):
            gc.assert_proper_iterable(wrong)


def test_order() -> None:
    with gc.Session() as session:
        assert session.run(gc.is_non_decreasing([1, 1, 2])) and not session.run(gc.is_strictly_increasing([1, 1, 2]))
        assert session.run(gc.is_strictly_increasing([3])) and not session.run(gc.is_non_decreasing([[2], [1]]))


def test_shapes() -> None:
    x, y = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.float32)
    check = gc.debugging.assert_shapes({x: ("n", 3), y: (..., "n"), gc.zeros([2, 2]): "mm", gc.zeros([5]): None})
    assert run(check, {x: np.zeros((2, 3)), y: np.zeros((4, 2))}) == 2
    with pytest.raises(INVALID, match="must have the size"):
        run(check, {x: np.zeros((2, 3)), y: np.zeros((4, 3))})
    for wrong, message in ((("n", 4), "must have size 4"), (("n",), "must have rank 1"), ((3, "*"), "only allowed as"),
                           (3, "must be an iterable")):
        with pytest.raises(ValueError, match=message):
            gc.debugging.assert_shapes({x: wrong})
    with pytest.raises(ValueError, match="Received size 2"):
        gc.debugging.assert_shapes([(gc.zeros([3]), "n"), (gc.zeros([2]), "n")])
