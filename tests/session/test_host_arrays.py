"""What the Python functions of a graph get and give: arrays of their own, of every dtype and form; and when an
assertion and a first run do nothing more than they must."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec import host
from graphc.session import trials


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


DTYPES = (gc.bool, gc.int8, gc.uint8, gc.int16, gc.int32, gc.int64, gc.uint16, gc.float16, gc.float32, gc.float64,
          gc.complex64, gc.complex128)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4), (70, 50)])
def test_every_dtype_comes_and_goes_as_it_is(shape: tuple[int, ...]) -> None:
    arrays = [(np.arange(np.prod(shape)) % 100).reshape(shape).astype(d.as_numpy_dtype) for d in DTYPES]
    fed = [gc.placeholder(d, [None] * len(shape)) for d in DTYPES]
    got: list[Any] = []

    def keep(*found: np.ndarray) -> list[np.ndarray]:
        got.extend(found)
        return list(found)

    with gc.Session() as session:
        for _ in range(2):
            values = session.run(gc.py_func(keep, fed, DTYPES), dict(zip(fed, arrays, strict=True)))
            for value, array in zip(values, arrays, strict=True):
                assert value.dtype == array.dtype and value.shape == shape
                np.testing.assert_array_equal(value, array)
    assert all(a.flags.writeable and a.flags.owndata for a in got)


def test_what_a_function_keeps_and_changes_is_its_own() -> None:
    x, kept = gc.placeholder(gc.float32, [None]), []

    def double(a: np.ndarray) -> np.ndarray:
        kept.append(a)
        a *= 2
        return a

    y = gc.py_func(double, [x], gc.float32)
    with gc.Session() as session:
        first, second = np.float32([1, 2]), np.float32([3, 4, 5])
        np.testing.assert_array_equal(session.run(y + x, {x: first}), 3 * first)
        np.testing.assert_array_equal(session.run(y + x, {x: second}), 3 * second)
    np.testing.assert_array_equal(kept[0], [2, 4])
    np.testing.assert_array_equal(kept[1], [6, 8, 10])
    np.testing.assert_array_equal(first, [1, 2])


@pytest.mark.parametrize("size", [4, 400])
def test_results_that_are_not_contiguous(size: int) -> None:
    x = gc.placeholder(gc.float64, [None, None])
    y, z = gc.py_func(lambda a: (a.T, a[:, ::-2]), [x], [gc.float64, gc.float64])
    a = np.arange(size * 3.0).reshape(size, 3)
    with gc.Session() as session:
        turned, part = session.run([y, z], {x: a})
    np.testing.assert_array_equal(turned, a.T)
    np.testing.assert_array_equal(part, a[:, ::-2])


@pytest.mark.parametrize("made", [b"ab", "ab", np.array(b"ab", object), np.array("ab"), np.array(b"ab")])
def test_strings_of_all_kinds(made: Any) -> None:
    y = gc.py_func(lambda: made, [], gc.string)
    lists = gc.py_func(lambda a: [a, [a, b""], np.empty((0, 2), object)], [y], [gc.string] * 3)
    with gc.Session() as session:
        one, two, none = session.run(lists)
        assert one == b"ab" and two.tolist() == [b"ab", b""] and none.shape == (0, 2)


def test_an_assertion_that_holds_reads_its_condition_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def reading(slot: int) -> np.ndarray:
        read.append(slot)
        return original(slot)

    original = host.read_slot
    monkeypatch.setattr(host, "read_slot", reading)
    x, limit = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.float32, [])
    with gc.control_dependencies([gc.Assert(x < limit, ["x is", x, "not below", limit])]):
        y = x * 2.0
    with gc.Session() as session:
        for values in ([], [1.0], [1.0, 2.0, 2.5]):
            assert len(session.run(y, {x: values, limit: 3.0})) == len(values)
        assert not read
        with pytest.raises(gc.errors.InvalidArgumentError,
                           match=r"assertion failed: \[x is\] \[1 5\] \[not below\] \[3\]"):
            session.run(y, {x: [1.0, 5.0], limit: 3.0})
        assert len(read) == 3               # the condition and the two numbers: the texts are known


def test_assertions_in_a_loop_of_a_session_with_variables() -> None:
    n, v = gc.placeholder(gc.int32, []), gc.Variable(0, name="v")

    def step(i: gc.Tensor) -> list[gc.Tensor]:
        with gc.control_dependencies([gc.Assert(i < 5, [i, v])]):
            return [i + 1]

    end = gc.while_loop(lambda i: i < n, step, [0])
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(end, {n: 5}) == 5
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"assertion failed: \[5\] \[0\]"):
            session.run(end, {n: 6})
        assert session.run(end, {n: 4}) == 4


def copied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many variables each first run copies, from now on."""
    counts: list[int] = []

    def written(states: Any, engine: Any) -> Any:
        found = original(states, engine)
        counts.append(len(found))
        return found

    original = trials.written_states
    monkeypatch.setattr(trials, "written_states", written)
    return counts


def test_a_first_run_copies_variables_only_if_it_may_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = copied(monkeypatch)
    v, w = gc.Variable([1.0, 2.0]), gc.Variable(0.0)
    x = gc.placeholder(gc.float32, [2])
    checked = gc.Assert(gc.reduce_all(x > 0.0), [x])
    outer = gc.py_func(lambda a, text: np.outer(a, a), [v, "a text"], gc.float32)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run([checked, gc.summary.scalar("w", w), v.assign_add([1.0, 1.0])], {x: [1, 2]})
        assert counts == []
        found, _ = session.run([outer, w.assign_add(1.0)])        # its rank is taken for 1: the run is repeated
        np.testing.assert_array_equal(found, [[4, 6], [6, 9]])
        assert session.run(w) == 1 and counts == [1, 1]
        session.run([outer * 2.0, w.assign_add(1.0)])             # now it is known
        assert session.run(w) == 2 and counts == [1, 1]


def test_another_rank_than_set_shape_says() -> None:
    x, v = gc.placeholder(gc.float32, [None]), gc.Variable(0.0)
    y = gc.py_func(lambda a: a[None], [x], gc.float32)
    y.set_shape([3])
    with gc.Session() as session:
        session.run(v.initializer)
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"has shape \(1, 2\), but set_shape said \[3\]"):
            session.run([y, v.assign_add(1.0)], {x: [1, 2]})


def test_a_whole_number_is_a_complex_one() -> None:
    x = gc.placeholder(gc.complex64, [])
    with gc.Session() as session:
        assert session.run(x, {x: 2}) == 2 + 0j
