"""TensorArray.grad. The numbers are what TensorFlow's arrays of gradients give."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def _run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def _array() -> gc.TensorArray:
    return gc.TensorArray(gc.float32, 3, element_shape=[2]).unstack([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_writes_are_added_up() -> None:
    g = _array().grad("g")
    assert (g.dtype, g.element_shape.as_list(), g.dynamic_size) == (gc.float32, [2], False)
    w = g.write(0, [1.0, 1.0]).write(0, [2.0, 3.0]).write(2, [7.0, 7.0])
    found = _run([g.read(1), w.read(0), w.size(), w.stack()])
    assert [np.asarray(f).tolist() for f in found] == [[0, 0], [3, 4], 3, [[3, 4], [0, 0], [7, 7]]]


def test_rows_and_parts_are_added_up() -> None:
    u = _array().grad("h").unstack([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert _run(u.scatter([0, 2], [[10.0, 10.0], [20.0, 20.0]]).stack()).tolist() == [[11, 11], [2, 2], [23, 23]]
    twice = _array().grad("g").scatter([1, 1, 0], [[1.0, 2.0], [10.0, 20.0], [5.0, 5.0]])
    assert _run(twice.stack()).tolist() == [[5, 5], [11, 22], [0, 0]]
    with pytest.raises(errors.InvalidArgumentError):
        _run(twice.scatter([3], [[1.0, 2.0]]).stack())
    parts = gc.TensorArray(gc.float32, 2, infer_shape=False).split([1.0, 2.0, 3.0], [1, 2])
    g = parts.grad("g").split([1.0, 1.0, 1.0], [1, 2]).split([1.0, 1.0, 2.0], [1, 2])
    assert _run(g.concat()).tolist() == [2, 2, 3]


def test_elements_of_a_size_known_in_the_run() -> None:
    x, n = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [])
    g = gc.TensorArray(gc.float32, n).write(0, x).grad("g")
    w = g.write(1, x).write(1, 2 * x)
    assert [f.tolist() for f in _run([w.read(1), w.size()], {x: [1, 2, 3], n: 2})] == [[3, 6, 9], 2]


def test_the_size_is_that_of_the_array() -> None:
    d = gc.TensorArray(gc.float32, 0, dynamic_size=True, element_shape=[]).write(2, 1.0)
    g = d.grad("g")
    assert _run([g.size(), g.stack()])[1].tolist() == [0, 0, 0]
    with pytest.raises(errors.InvalidArgumentError):
        _run(g.write(3, 1.0).size())


def test_in_a_loop_and_differentiated() -> None:
    x = gc.constant([1.0, 2.0])
    g = _array().grad("g")
    _, last = gc.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a.write(i % 2, x * gc.cast(i, gc.float32))),
                            [0, g])
    total = last.stack()
    dx = gc.gradients(gc.reduce_sum(total * total), x)[0]
    found, slope = _run([total, dx])
    assert found.tolist() == [[2, 4], [4, 8], [0, 0]]
    assert slope.tolist() == [2 * (4 + 16), 2 * (4 + 16) * 2]


def test_in_branches() -> None:
    p, g = gc.placeholder(gc.bool, []), _array().grad("g").write(0, [1.0, 1.0])
    w = gc.cond(p, lambda: g.write(0, [1.0, 2.0]).stack(), lambda: g.write(1, [3.0, 4.0]).stack())
    assert _run(w, {p: True}).tolist() == [[2, 3], [0, 0], [0, 0]]
    assert _run(w, {p: False}).tolist() == [[1, 1], [3, 4], [0, 0]]


def test_an_array_goes_on_by_its_flow() -> None:
    a = _array()
    g = a.grad("g").write(0, [1.0, 2.0])
    again = a.write(1, [0.0, 0.0]).grad("g", flow=g.flow).write(0, [5.0, 5.0])
    assert _run(again.read(0)).tolist() == [6, 7]
    assert _run(a.grad("another", flow=a.flow).read(0)).tolist() == [0, 0]
    with pytest.raises(errors.UnimplementedError, match=r"source='g' has an array .* already: .* pass the flow"):
        a.grad("g")
    with pytest.raises(errors.UnimplementedError, match=r"already .*: write to the array that the write before gave"):
        again.write(0, [1.0, 1.0]), again.write(1, [1.0, 1.0])
    with pytest.raises(errors.UnimplementedError, match="already"):
        a.grad("g", flow=g.flow).write(0, [1.0, 1.0])
    with pytest.raises(errors.UnimplementedError, match="source='x': an array of gradients has no gradients"):
        g.grad("x")
    with pytest.raises(ValueError, match="Inconsistent shapes"):
        g.write(0, [1.0, 2.0, 3.0])
