"""Maps over many rows of a few elements: moved several at once, filled, repeated and reduced; copies past the caches.
Against NumPy, to the bit. What lies between rows stays as it is."""
from __future__ import annotations

import numpy as np
import pytest
from test_map import elements, random_array
from test_map_layouts import words_of

import graphc as gc
from graphc.exec.jit import compile_form
from graphc.exec.pass_code import Form
from graphc.kernels.cpu.stream import BEYOND_CACHES
from graphc.kernels.runtime import map_words as m
from graphc.plan.plan import Instr, Program

from maps import BoundMap, Operand

DTYPES = [("u1", "u8"), ("i2", "i16"), ("i4", "i32"), ("i8", "i64")]
LENGTHS = (2, 3, 5, 7, 8, 9, 16, 17, 33, 65)


def check_moves(short: str, view: np.ndarray, base: np.ndarray, gap: int) -> None:
    """view, of base, to rows `gap` elements apart: straight to memory, and by registers to two places at once."""
    for stores in (1, 2):
        targets = [np.zeros((*view.shape[:-1], view.shape[-1] + gap), view.dtype) for _ in range(stores)]
        places = [elements(target[..., :view.shape[-1]], target) for target in targets]
        BoundMap(Program((short,), (), (0,) * stores), view.shape, 0, [elements(view, base)], places).run()
        for target in targets:
            np.testing.assert_array_equal(target[..., :view.shape[-1]], view)
            assert not target[..., view.shape[-1]:].any()


@pytest.mark.parametrize(("dtype", "short"), DTYPES)
def test_short_rows_move(dtype: str, short: str) -> None:
    for columns in LENGTHS:
        base = words_of((3, 41, columns + 1), dtype)
        for gap in (0, 3):
            check_moves(short, base[..., :columns], base, gap)
            check_moves(short, base[:, ::-1, 1:], base, gap)


@pytest.mark.parametrize(("dtype", "short"), DTYPES)
def test_few_columns_of_what_lies_apart(dtype: str, short: str) -> None:
    for columns in (2, 3, 5, 8, 9):
        base = words_of((2, columns, 37), dtype)
        check_moves(short, base.transpose(0, 2, 1), base, 0)
        check_moves(short, base.transpose(0, 2, 1)[:, ::2], base, 2)


@pytest.mark.parametrize(("dtype", "short"), DTYPES)
def test_rows_of_one_element_each(dtype: str, short: str) -> None:
    for columns in LENGTHS:
        base = words_of((3, 41, 2), dtype)
        for gap in (0, 1):
            check_moves(short, np.broadcast_to(base[..., 1:], (3, 41, columns)), base, gap)
            check_moves(short, np.broadcast_to(base[:, :1, 1:], (3, 41, columns)), base, gap)


def test_a_row_again_and_again_changes_with_an_outer_axis() -> None:
    """A mean of each channel of each picture."""
    program = Program(("f32", "f32"), (Instr("sub", "f32", (0, 1)),), (2,))
    for columns in (2, 3, 17):
        x, mean = random_array((3, 700, columns), np.float32), random_array((3, columns), np.float32)
        y = np.empty_like(x)
        BoundMap(program, x.shape, 0, [elements(x, x), Operand(mean, (columns, 0, 1))], [elements(y, y)]).run()
        np.testing.assert_array_equal(y, x - mean[:, None])


@pytest.mark.parametrize("strides", [(1, 0), (3, 1), (1, 11), (0, 2)])
def test_what_repeats_need_not_be_a_row(strides: tuple[int, int]) -> None:
    """A weight of each column, rows with gaps, a small matrix turned; by the evaluator and by code, begun anywhere."""
    program = Program(("f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (2, 1))), (3,))
    shape, again = (29, 11, 3), random_array((64,), np.float32)
    x = random_array(shape, np.float32)
    view = np.lib.stride_tricks.as_strided(again, shape, (0, 4 * strides[0], 4 * strides[1]))
    for code in (None, compile_form(Form(program))):
        y = np.zeros_like(x)
        loads = [elements(x, x), Operand(again, (0, *strides))]
        bound = BoundMap(program, shape, 0, loads, [elements(y, y)], code=code)
        assert bound.out[m.HEADER + m.ACCESS_WORDS + m.A_PERIOD] == (3 if strides[0] == 0 else 33)
        bound.run(backwards=True)
        np.testing.assert_array_equal(y, x * view + view)
        y[...] = 0
        for begin in range(0, x.size, 100):
            bound.run_range(begin, min(begin + 100, x.size))
        np.testing.assert_array_equal(y, x * view + view)


@pytest.mark.parametrize("op", ["add", "max", "min"])
def test_short_rows_are_combined_in_order(op: str) -> None:
    """Fewer elements than a vector has: one after the other, whether a row is alone or among others; NaNs stay."""
    square = Program(("f32",), (Instr("square", "f32", (0,)), Instr(f"reduce.{op}", "f32", (1,))), (2,))
    plain = Program(("f32",), (Instr(f"reduce.{op}", "f32", (0,)),), (1,))
    function = {"add": np.add, "max": np.maximum, "min": np.minimum}[op]
    for columns in (2, 3, 8, 15):
        x = random_array((700, columns), np.float32)
        x[5, 1] = x[9, 0] = np.nan
        x[11] = -np.inf
        for program, of in ((plain, x), (square, x * x)):
            expected = of[:, 0].copy()
            for k in range(1, columns):
                expected = function(expected, of[:, k])
            y = np.empty(700, np.float32)
            BoundMap(program, x.shape, 1, [elements(x, x)], [Operand(y, (1, None))]).run()
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("size", [1, 17, 31, 64, 65, 1000])
def test_extremes_and_nans(size: int) -> None:
    """NaN where there is one, along rows and down columns."""
    x = random_array((37, size), np.float32)
    x[3, size // 2], x[4], x[5] = np.nan, np.inf, -np.inf
    for op, function in (("max", np.maximum), ("min", np.minimum)):
        program = Program(("f32",), (Instr(f"reduce.{op}", "f32", (0,)),), (1,))
        rows, columns = np.empty(37, np.float32), np.empty(size, np.float32)
        BoundMap(program, x.shape, 1, [elements(x, x)], [Operand(rows, (1, None))]).run()
        BoundMap(program, (size, 37), 1, [elements(x.T, x)], [Operand(columns, (1, None))]).run()
        np.testing.assert_array_equal(rows, function.reduce(x, 1))
        np.testing.assert_array_equal(columns, function.reduce(x, 0))


def test_copies_past_the_caches() -> None:
    """Rows without gaps to rows with gaps, which stay as they are, and a whole copy."""
    rows, columns = BEYOND_CACHES // 404 + 1, 101
    base, target = random_array((rows, columns), np.float32), np.zeros((rows, columns + 1), np.float32)
    bound = BoundMap(Program(("f32",), (), (0,)), (rows, columns), 0, [elements(base, base)],
                     [elements(target[:, 1:], target)])
    assert bound.out[m.STREAMS] == 1
    bound.run(backwards=True)
    np.testing.assert_array_equal(target[:, 1:], base)
    assert not target[:, 0].any()
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, columns])
        kept = gc.Variable(np.zeros((1, columns), np.float32), validate_shape=False)
        session.run(gc.assign(kept, x, validate_shape=False).op, {x: base})
        np.testing.assert_array_equal(session.run(kept), base)
