"""Integer tensors without elements, other sizes unknown: all of their elements are known, but not their shape."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc

FUNCTIONS = {
    "add": lambda z: z + 1, "concat": lambda z: gc.concat([z, z + 1], 2), "cast": lambda z: gc.cast(z, gc.int64),
    "transpose": lambda z: gc.transpose(z, [1, 0, 2]), "sum": lambda z: gc.reduce_sum(z, 2), "slice": lambda z: z[:1],
    "reshape": lambda z: gc.reshape(z, [3, 0]), "stack": lambda z: gc.stack([z, z]),
    "gather_nd": lambda z: gc.gather_nd(z, gc.zeros([gc.shape(z)[0], 3, 2], gc.int32)),
    "tile": lambda z: gc.tile(z, [2, 1, 1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_unknown_sizes(name: str) -> None:
    rows = gc.placeholder(gc.float32, [None])
    made = FUNCTIONS[name](gc.zeros([gc.shape(rows)[0], 3, 0], gc.int32))
    with gc.Session() as session:
        for count in (2, 0, 5):
            got = session.run(made, {rows: np.zeros(count, np.float32)})
            expected = session.run(FUNCTIONS[name](gc.constant(np.zeros((count, 3, 0), np.int32))))
            np.testing.assert_array_equal(got, expected, strict=True)


def test_a_result_that_a_loop_makes_longer_from_nothing() -> None:
    start = gc.placeholder(gc.int32, [None])
    begun = gc.zeros([gc.shape(start)[0], 0], gc.int32)
    loop = gc.while_loop(
        lambda i, last, all_: i < 4,
        lambda i, last, all_: (i + 1, last * 2, gc.concat([all_, gc.expand_dims(last, 1)], 1)),
        [0, start, begun], shape_invariants=[gc.TensorShape([]), gc.TensorShape([None]), gc.TensorShape([None, None])])
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(loop[2], {start: [1, 3]}), [[1, 2, 4, 8], [3, 6, 12, 24]])
        assert session.run(loop[2], {start: []}).shape == (0, 4)
