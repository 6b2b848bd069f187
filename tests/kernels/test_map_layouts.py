"""Maps whose operands lie in memory otherwise than their domain: turned, backwards, rows read again and again, reduced
where they lie. Against NumPy, to the bit but for sums."""
from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_map import elements, random_array

from graphc.commands.needs import may_turn
from graphc.exec.jit import compile_form
from graphc.exec.pass_code import Form
from graphc.kernels.runtime import map_words as m
from graphc.kernels.toolchain.intervals import Some
from graphc.plan.plan import Instr, Program

from maps import BoundMap, Operand

RNG = np.random.default_rng(5)
MOVE = Program(("f32",), (), (0,))
SCALED = Program(("f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (2, 1))), (3,))
# Both sides of a square of registers, of a block, and of what is too small to turn.
TURNED = [(16, 16), (17, 31), (31, 17), (65, 64), (100, 130), (257, 40), (3, 70), (70, 3), (15, 15), (8, 9), (1, 40)]


def words_of(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return RNG.integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8).view(dtype)[..., 0]


@pytest.mark.parametrize(("dtype", "short"), [("u1", "u8"), ("i2", "i16"), ("i4", "i32"), ("i8", "i64")])
def test_what_is_turned_moves_as_it_is(dtype: str, short: str) -> None:
    move = Program((short,), (), (0,))
    for rows, columns in TURNED:
        x = words_of((2, columns, rows), dtype)
        view, y = x.transpose(0, 2, 1), np.empty((2, rows, columns), dtype)
        bound = BoundMap(move, y.shape, 0, [elements(view, x)], [elements(y, y)])
        assert bool(bound.out[m.TURNED]) == (min(rows, columns) >= (8 if dtype == "i8" else 16))
        bound.run()
        np.testing.assert_array_equal(y, view)


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (2, 1, 0, 3), (1, 0, 3, 2)])
def test_orders_of_four_axes(order: tuple[int, ...]) -> None:
    for shape in ((2, 19, 33, 5), (3, 17, 4, 40), (16, 2, 3, 16), (1, 64, 65, 20)):
        x = words_of(shape, "i4")
        view = x.transpose(order)
        y = np.empty(view.shape, "i4")
        BoundMap(Program(("i32",), (), (0,)), y.shape, 0, [elements(view, x)], [elements(y, y)]).run(backwards=True)
        np.testing.assert_array_equal(y, view)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_programs_on_what_is_turned(dtype: str) -> None:
    """y = x' w + w in w's memory, n = its place, z' = y: turned on the way in and on the way out."""
    short = {"f4": "f32", "f8": "f64"}[dtype]
    program = Program((short, short), (Instr("mul", short, (0, 1)), Instr("add", short, (2, 1)),
                                       Instr("linear", "i64"), Instr("index", "i64", (), 1)), (3, 4, 5, 3))
    for rows, columns in TURNED:
        x, w = random_array((columns, rows), dtype), random_array((rows, columns), dtype)
        n, k = np.empty(w.shape, np.int64), np.empty(w.shape, np.int64)
        z = np.empty((columns, rows), dtype)
        expected = x.T * w + w
        stores = [elements(w, w), elements(n, n), elements(k, k), elements(z.T, z)]
        BoundMap(program, w.shape, 0, [elements(x.T, x), elements(w, w)], stores).run()
        np.testing.assert_array_equal(w, expected)
        np.testing.assert_array_equal(z, expected.T)
        np.testing.assert_array_equal(n, np.arange(w.size).reshape(w.shape))
        np.testing.assert_array_equal(k, np.indices(w.shape)[1])


def test_what_turns_is_foreseen() -> None:
    """By whoever links small runners without what turns: from sizes and strides, or bounds of them."""
    turned = 0
    for _ in range(300):
        shape = tuple(int(n) for n in RNG.choice((1, 2, 17, 20, 33), 4))
        order, axes = RNG.permutation(4), sorted(RNG.choice(4, 3, replace=False))
        x = np.empty(shape, np.float32)
        view = x.transpose(order)
        strides = [stride // 4 if axis in axes else 0 for axis, stride in enumerate(view.strides)]      # others repeat
        y = np.empty(view.shape, np.float32)
        bound = BoundMap(MOVE, y.shape, 0, [Operand(x, tuple(strides))], [elements(y, y)])
        if bound.out[m.TURNED]:
            turned += 1
            unknown = [Some(0, 2 * size) for size in view.shape]
            assert may_turn(view.shape, strides) and may_turn(unknown, [Some(0, 2 * stride) for stride in strides])
    assert turned > 10
    assert not may_turn((Some(0, 9), 17, 20), (340, 20, 1)) and not may_turn((20, 20), (1, 0))
    assert not may_turn((20, 1), (1, 5)) and may_turn((20, Some(0, 9)), (1, 5))


def test_a_number_for_each_row_turns_nothing() -> None:
    """It has its neighbours along the first axis, and none along the last."""
    x, column, y = random_array((70, 300), np.float32), random_array((70,), np.float32), np.empty((70, 300), np.float32)
    loads = [Operand(x, (300, 1)), Operand(column, (1, 0))]
    bound = BoundMap(SCALED, x.shape, 0, loads, [Operand(y, (300, 1))])
    assert bound.out[m.TURNED] == 0
    bound.run()
    np.testing.assert_array_equal(y, x * column[:, None] + column[:, None])


@pytest.mark.parametrize(("dtype", "short"), [("u1", "u8"), ("i2", "i16"), ("i4", "i32"), ("i8", "i64")])
def test_rows_backwards(dtype: str, short: str) -> None:
    for size in (1, 7, 8, 15, 16, 17, 33, 300, 1025):
        x, y = words_of((3, size), dtype), np.empty((3, size), dtype)
        BoundMap(Program((short,), (), (0,)), y.shape, 0, [elements(x[:, ::-1], x)], [elements(y, y)]).run()
        np.testing.assert_array_equal(y, x[:, ::-1])


@pytest.mark.parametrize("size", [1, 3, 8, 64, 65, 300, 512, 1000, 1024, 1025])
def test_rows_that_repeat(size: int) -> None:
    """By the evaluator and by code, as tiles and as ranges that begin and end anywhere."""
    for rows in (1, 2, 37, 300):
        x, row = random_array((rows, size), np.float32), random_array((size,), np.float32)
        expected, y = x * row + row, np.empty_like(x)
        for code in (None, compile_form(Form(SCALED))):
            bound = BoundMap(SCALED, x.shape, 0, [Operand(x, (size, 1)), Operand(row, (0, 1))],
                             [Operand(y, (size, 1))], code=code)
            assert (bound.out[m.HEADER + m.ACCESS_WORDS + m.A_PERIOD] > 0) == (1 < size <= 1024 and rows > 1)
            y[...] = 0
            bound.run()
            np.testing.assert_array_equal(y, expected)
            for begin in range(0, x.size, 777):
                bound.run_range(begin, min(begin + 777, x.size))
            np.testing.assert_array_equal(y, expected)


def test_rows_of_several_lengths_repeat() -> None:
    """Periods of 5, of 4 x 5 and of 3 x 4 x 5 elements; an operand with gaps keeps its axes."""
    program = Program(("f32",) * 4, tuple(Instr("sub", "f32", pair) for pair in ((0, 1), (4, 2), (5, 3))), (6,))
    base = random_array((7, 3, 4, 11), np.float32)
    for x in (base[..., :5].copy(), base[..., 2:7]):
        rows = [random_array(shape, np.float32) for shape in ((5,), (4, 5), (3, 4, 5))]
        y = np.empty((7, 3, 4, 5), np.float32)
        loads = [elements(np.broadcast_to(row, y.shape), row) for row in rows]
        given = elements(x, base if x.base is base else x)
        for code in (None, compile_form(Form(program))):
            BoundMap(program, y.shape, 0, [given, *loads], [elements(y, y)], code=code).run()
            np.testing.assert_array_equal(y, x - rows[0] - rows[1] - rows[2])


@pytest.mark.parametrize("shape", [(5, 3), (70, 8), (9, 64), (300, 40), (41, 700), (3, 1500)])
def test_reductions_of_what_repeats(shape: tuple[int, ...]) -> None:
    """Sums over rows and over columns of x - row."""
    rows, size = shape
    program = Program(("f32", "f32"), (Instr("sub", "f32", (0, 1)), Instr("reduce.add", "f32", (2,))), (3,))
    x, row = random_array(shape, np.float32), random_array((size,), np.float32)
    down, along = np.empty(size, np.float32), np.empty(rows, np.float32)
    BoundMap(program, (size, rows), 1, [Operand(x, (1, size)), Operand(row, (1, 0))], [Operand(down, (1, None))]).run()
    BoundMap(program, shape, 1, [Operand(x, (size, 1)), Operand(row, (0, 1))], [Operand(along, (1, None))]).run()
    wide = x.astype(np.float64) - row
    np.testing.assert_allclose(down, wide.sum(0), rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(along, wide.sum(1), rtol=2e-5, atol=2e-5)


REDUCES = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
@pytest.mark.parametrize("op", sorted(REDUCES))
def test_reductions_in_place(op: str, dtype: str) -> None:
    """Nothing is computed before: of whole arrays and of slices, along every axis, in either order of tiles."""
    program = Program((dtype,), (Instr(f"reduce.{op}", dtype, (0,)),), (1,))
    kind = {"f32": "f4", "f64": "f8", "i32": "i4", "i64": "i8"}[dtype]
    for shape, kept, gap in itertools.product([(4, 7, 3), (9, 33, 8), (5, 6, 600), (3, 90, 1100), (700, 2, 2)],
                                              [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1)], (0, 7)):
        base = RNG.integers(1, 3, (*shape[:-1], shape[-1] + gap)).astype(kind)
        x = base[..., :shape[-1]] / 2 if op == "mul" and kind[0] == "f" else base[..., :shape[-1]]
        base = base / 2 if op == "mul" and kind[0] == "f" else base
        base, x = base.astype(kind), x.astype(kind)
        reduced = tuple(a for a in range(3) if a not in kept)
        view = base[..., :shape[-1]].transpose(*kept, *reduced)
        y = np.empty([shape[a] for a in kept], kind)
        store = Operand(y, (*(s // y.itemsize for s in y.strides), *[None] * len(reduced)))
        results = []
        for backwards in (False, True):
            BoundMap(program, view.shape, len(reduced), [elements(view, base)], [store]).run(backwards=backwards)
            results.append(y.copy())
        np.testing.assert_array_equal(*results)
        with np.errstate(over="ignore"):
            expected = REDUCES[op].reduce(x, axis=reduced, dtype=x.dtype)
        np.testing.assert_allclose(y, expected, rtol=1e-6 if kind[0] == "f" else 0)
