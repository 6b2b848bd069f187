"""Rows that lie apart in memory: reduced piece by piece, copied past the caches, gathered, turned; every other element.
Against NumPy, to the bit."""
from __future__ import annotations

import numpy as np
import pytest
from guarded import Memory
from test_map import elements, random_array
from test_map_layouts import words_of

from graphc.kernels.cpu.stream import BEYOND_CACHES
from graphc.kernels.runtime import map_words as m
from graphc.plan.plan import Instr, Program

from kernel_harness import load
from maps import BoundMap, Operand

# Pieces, rows and columns of memory, and whether many rows are reduced at once.
PIECES = [(3, 17, 31, True), (128, 64, 65, True), (1, 40, 3, False), (5, 7, 31, False), (2, 100, 9000, False),
          (1025, 16, 2, False), (40, 3000, 2, True), (1000, 33, 40, True)]


def counted(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


@pytest.mark.parametrize("sizes", PIECES, ids=str)
@pytest.mark.parametrize("dtype", ["f32", "i32", "f64"])
def test_rows_in_pieces(sizes: tuple[int, int, int, bool], dtype: str) -> None:
    """Small whole numbers, so that sums are exact: a maximum, and the negative of a sum."""
    *shape, together = sizes
    x = np.random.default_rng(1).integers(-9, 10, shape).astype({"f32": "f4", "i32": "i4", "f64": "f8"}[dtype])
    rows, view = shape[1], x.transpose(1, 0, 2)
    program = Program((dtype,), (Instr("reduce.add", dtype, (0,)), Instr("reduce.max", dtype, (0,)),
                                 Instr("neg", dtype, (1,))), (3, 2))
    negative, most = np.empty(rows, x.dtype), np.empty(rows, x.dtype)
    bound = BoundMap(program, view.shape, 2, [elements(view, x)],
                     [Operand(negative, (1, None, None)), Operand(most, (1, None, None))])
    assert bool(bound.out[m.PIECES]) == together
    bound.run(backwards=True)
    np.testing.assert_array_equal(negative, -x.sum((0, 2)))
    np.testing.assert_array_equal(most, x.max((0, 2)))


def test_nan_stays_in_its_row() -> None:
    x = random_array((9, 20, 33), np.float32)
    x[4, 7, 5], x[0, 9, 0] = np.nan, np.inf
    y = np.empty(20, np.float32)
    BoundMap(Program(("f32",), (Instr("reduce.max", "f32", (0,)),), (1,)), (20, 9, 33), 2,
             [elements(x.transpose(1, 0, 2), x)], [Operand(y, (1, None, None))]).run()
    np.testing.assert_array_equal(y, x.max((0, 2)))


@pytest.mark.parametrize(("dtype", "short"), [("i2", "i16"), ("i4", "i32"), ("i8", "i64")])
def test_every_other_element(dtype: str, short: str) -> None:
    """The last one may be the last of its memory."""
    memory = Memory(at_end=True)
    for count in (1, 7, 8, 9, 15, 16, 17, 18, 31, 33, 65, 1500):
        values, y = words_of((2 * count - 1,), dtype), np.empty(count, dtype)
        x = memory.block(values.nbytes).view(dtype)
        x[:] = values
        BoundMap(Program((short,), (), (0,)), (count,), 0, [elements(x[::2], x)], [elements(y, y)]).run()
        np.testing.assert_array_equal(y, values[::2])
    memory.free()


@pytest.mark.parametrize("columns", [63, 64, 101, 3000])
def test_rows_apart_are_copied_past_the_caches(columns: int) -> None:
    rows = BEYOND_CACHES // (4 * columns * 17) + 1
    base, target = counted(rows, 17, columns), np.zeros((17, rows, columns + 1), "i4")
    view = base.transpose(1, 0, 2)
    bound = BoundMap(Program(("i32",), (), (0,)), view.shape, 0, [elements(view, base)],
                     [elements(target[..., 1:], target)])
    assert bound.out[m.STREAMS] == (4 * columns >= 256)
    bound.run(backwards=True)
    np.testing.assert_array_equal(target[..., 1:], view)
    assert not target[..., 0].any()


def test_what_no_cache_holds_is_turned() -> None:
    for rows, columns in ((257, 65), (70, 1000)):
        batch = BEYOND_CACHES // (4 * rows * columns) + 1
        x, y = counted(batch, columns, rows), np.empty((batch, rows, columns), "i4")
        bound = BoundMap(Program(("i32",), (), (0,)), y.shape, 0, [elements(x.transpose(0, 2, 1), x)], [elements(y, y)])
        assert bound.out[m.TURNED] and bound.out[m.FAR]
        bound.run(backwards=True)
        np.testing.assert_array_equal(y, x.transpose(0, 2, 1))


def test_gathered_rows_go_past_the_caches() -> None:
    kernel, columns = load("gather")["gather.f32.i32"], 101
    count = BEYOND_CACHES // (4 * columns) + 1
    params = random_array((300, columns), np.float32)
    indices = np.random.default_rng(2).integers(0, 300, count).astype(np.int32)
    out = np.zeros((count, columns), np.float32)
    assert kernel(params, indices, out, dims=[1, 300, columns, count]) == 0
    np.testing.assert_array_equal(out, params[indices])
    indices[-3] = 300
    assert kernel(params, indices, out, dims=[1, 300, columns, count]) != 0
