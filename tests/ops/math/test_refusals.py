"""Integers that end a run: division by 0 and negative exponents, wherever the division stands; and what does not: the
smallest integer by -1."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

DIVISIONS: dict[str, Callable[..., gc.Tensor]] = {
    "floordiv": gc.floordiv, "floormod": gc.floormod, "truncatediv": gc.truncatediv, "div": gc.div, "mod": gc.mod,
    "//": lambda x, y: x // y, "%": lambda x, y: x % y,
}
DTYPES = [gc.int32, gc.int64, gc.uint8, gc.int8, gc.int16, gc.uint16, gc.uint32]
ZERO = "Integer division by zero"


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def refused(fetch: gc.Tensor, feeds: dict, message: str = ZERO) -> None:
    """The evaluator and a Session both refuse; the Session names the op and this file's line."""
    with pytest.raises(gc.errors.InvalidArgumentError, match=message):
        run_reference(fetch, feeds)
    with gc.Session() as session:
        with pytest.raises(gc.errors.InvalidArgumentError, match=f"(Div|Mod) '.*{message}") as caught:
            session.run(fetch, feeds)
    assert "test_refusals.py" in str(caught.value)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.name)
@pytest.mark.parametrize("name", DIVISIONS)
def test_division_by_zero(name: str, dtype: gc.DType) -> None:
    x, y = gc.placeholder(dtype, [None]), gc.placeholder(dtype, [None])
    z = DIVISIONS[name](x, y)
    refused(z, {x: [7] * 70, y: [1] * 69 + [0]})
    refused(z * z + x, {x: [7], y: [0]})                     # fused
    refused(DIVISIONS[name](x, y * y), {x: [7], y: [0]})     # of a computed divisor
    with gc.Session() as session:
        expected = 1 if name in ("floormod", "mod", "%") else 3
        np.testing.assert_array_equal(session.run(DIVISIONS[name](x, 2), {x: [7]}), [expected])
        assert session.run(z, {x: [], y: []}).shape == (0,)
        assert session.run(z, {x: [], y: [0]}).shape == (0,)
        assert session.run(DIVISIONS[name](x, 0), {x: []}).shape == (0,)


@pytest.mark.parametrize("name", DIVISIONS)
def test_constant_zero_is_refused_when_run_only(name: str) -> None:
    for x in (gc.constant([7]), gc.placeholder_with_default(np.array([7], np.int32), [1])):
        refused(DIVISIONS[name](x, 0), {})
    p = gc.placeholder(gc.bool, [])
    z = gc.cond(p, lambda: DIVISIONS[name](gc.constant([7]), 0), lambda: gc.constant([1]))
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(z, {p: False}), [1])
        with pytest.raises(gc.errors.InvalidArgumentError, match=ZERO):
            session.run(z, {p: True})
        assert session.run(DIVISIONS[name](gc.zeros([0], gc.int32), 0)).shape == (0,)


def test_division_by_zero_in_a_loop() -> None:
    n = gc.placeholder(gc.int32, [])
    _, z = gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, a + 10 // (2 - k)], [0, 0])
    with gc.Session() as session:
        assert session.run(z, {n: 2}) == 15
        with pytest.raises(gc.errors.InvalidArgumentError, match=ZERO):
            session.run(z, {n: 3})


def _in_loop(x: gc.Tensor, z: gc.Tensor, of: Callable[..., gc.Tensor]) -> gc.Tensor:
    return gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, gc.concat([a, of(gc.boolean_mask(x, x > k), z)], 0)],
                         [0, x[:0]], [gc.TensorShape([]), gc.TensorShape([None])])[1]


# Quotients whose number comes out of the run: as many as elements of x are above 0, or none.
COUNTED: dict[str, Callable[..., gc.Tensor]] = {
    "mask": lambda x, z, of: of(gc.boolean_mask(x, x > 0), z),
    "mask by itself": lambda x, z, of: of(gc.boolean_mask(x, x > 0), gc.boolean_mask(x * z, x > 0)),
    "where": lambda x, z, of: of(gc.where(x > 0), gc.cast(z, gc.int64)),
    "size from data": lambda x, z, of: of(gc.ones([gc.reduce_sum(gc.cast(x > 0, gc.int32))], gc.int32), z),
    "slice": lambda x, z, of: of(x[:gc.reduce_max(x)], z),
    "two, one divisor": lambda x, z, of: gc.concat([of(gc.boolean_mask(y, x > 0), z) for y in (x, -x)], 0),
    "branch": lambda x, z, of: gc.cond(gc.size(x) > 0, lambda: of(gc.boolean_mask(x, x > 0), z), lambda: x),
    "loop": _in_loop,
    "behind a write": lambda x, z, of: of(gc.boolean_mask(x, x > gc.assign(gc.Variable(5, name="v"), 0)), z),
}


@pytest.mark.parametrize("fusion", ["0", "1"])
@pytest.mark.parametrize("name", ["floordiv", "floormod", "truncatediv"])
@pytest.mark.parametrize("counted", COUNTED)
def test_nothing_by_zero_is_nothing_when_the_run_says_how_much(counted: str, name: str, fusion: str,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    x, z = gc.placeholder(gc.int32, [None]), gc.placeholder(gc.int32, [])
    found = COUNTED[counted](x, z, DIVISIONS[name])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert len(session.run(found, {x: [0, 0, 0], z: 0})) == 0
        assert len(session.run(found, {x: [0, 2, 0], z: 3})) > 0
        for _ in range(2):                                   # with sizes that a run before has left, too
            with pytest.raises(gc.errors.InvalidArgumentError, match=ZERO):
                session.run(found, {x: [0, 2, 0], z: 0})
            assert len(session.run(found, {x: [0, 0, 0], z: 0})) == 0


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.min < 0], ids=lambda d: d.name)
def test_the_smallest_integer_by_minus_one_wraps(dtype: gc.DType) -> None:
    x, y = gc.placeholder(dtype, [None]), gc.placeholder(dtype, [None])
    with gc.Session() as session:
        for name, division in DIVISIONS.items():
            expected = [0] if name in ("floormod", "mod", "%") else [dtype.min]
            np.testing.assert_array_equal(session.run(division(x, y), {x: [dtype.min], y: [-1]}), expected)


def test_negative_integer_exponents() -> None:
    x, y = gc.placeholder(gc.int32, [None]), gc.placeholder(gc.int32, [None])
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(gc.pow(x, y), {x: [2, -3], y: [3, 0]}), [8, 1])
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"Pow.*negative integer powers"):
            session.run(gc.pow(x, y), {x: [2], y: [-1]})


def test_a_refused_run_changes_no_variable() -> None:
    v, d = gc.Variable([6, 8]), gc.placeholder(gc.int32, [None])
    changed = gc.group(gc.assign(v, v // d), gc.assign_add(gc.Variable(1, name="count"), 1))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        with pytest.raises(gc.errors.InvalidArgumentError, match=ZERO):
            session.run(changed, {d: [2, 0]})
        np.testing.assert_array_equal(session.run(v), [6, 8])
        assert session.run("count:0") == 1
        session.run(changed, {d: [2, 4]})
        np.testing.assert_array_equal(session.run(v), [3, 2])


def test_means_of_integers() -> None:
    """TensorFlow's: summed in 64 bits, rounded towards 0, 0 of nothing."""
    for dtype in DTYPES:
        x = gc.placeholder(dtype, [None])
        with gc.Session() as session:
            mean = gc.reduce_mean(x)
            large = min(dtype.max, 2**40)
            assert session.run(mean, {x: np.full(60_000, large)}) == large
            assert session.run(mean, {x: []}) == 0
            if dtype.min < 0:
                assert session.run(mean, {x: [-7, 2]}) == -2
