"""The map evaluator against NumPy: programs over domains of many ranks, sizes and strides, in place, with
reductions."""
from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from graphc.plan.plan import Instr, Program

from maps import BoundMap, Operand

SIZES = (0, 1, 3, 17, 31, 65)
RNG = np.random.default_rng(7)


def elements(view: np.ndarray, base: np.ndarray) -> Operand:
    """The operand that a view of base (by slicing, transposing, broadcasting) is."""
    item = base.itemsize
    offset = (view.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // item
    return Operand(base, tuple(s // item for s in view.strides), offset)


def random_view(shape: tuple[int, ...], dtype: Any, writable: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(view of the given shape, its base): transposed, sliced, reversed or, if not writable, broadcast."""
    rank = len(shape)
    order = RNG.permutation(rank)
    stored, index, broadcast = [], [], []
    for axis in order:
        n = shape[axis]
        kind = RNG.integers(0, 5 if not writable else 4)
        if kind == 4:
            stored.append(1)
            index.append(slice(None))
            broadcast.append(axis)
        elif kind == 3:
            stored.append(2 * n + 1)
            index.append(slice(1, 2 * n + 1, 2))
        elif kind == 2 and n > 0:
            stored.append(n + 2)
            index.append(slice(n, 0, -1))
        else:
            stored.append(n)
            index.append(slice(None))
    base = random_array(tuple(stored), dtype)
    view = base[tuple(index)].transpose(np.argsort(order)) if rank else base
    return (np.broadcast_to(view, shape) if broadcast else view), base


def random_array(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return RNG.standard_normal(shape).astype(kind)
    if kind.kind == "b":
        return RNG.integers(0, 2, shape).astype(kind)
    return RNG.integers(-100 if kind.kind == "i" else 0, 100, shape).astype(kind)


def random_shape(rank: int) -> tuple[int, ...]:
    limit = {0: 1, 1: 5000, 2: 5000, 3: 20000, 4: 40000, 5: 60000}[rank]
    while True:
        shape = tuple(int(RNG.choice(SIZES[1:] if RNG.random() < 0.95 else SIZES)) for _ in range(rank))
        if np.prod(shape, dtype=int) <= limit * 4:
            return shape


AXPY = Program(("f32", "f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (3, 2)),
                                       Instr("const", "f32", (), 0.5),
                                       Instr("max", "f32", (4, 5))), (6,))


@pytest.mark.parametrize("rank", range(6))
def test_random_strides(rank: int) -> None:
    for _ in range(25):
        shape = random_shape(rank)
        (x, bx), (w, bw), (b, bb) = (random_view(shape, np.float32) for _ in range(3))
        y, by = random_view(shape, np.float32, writable=True)
        untouched = by.copy()
        strides_of_y = elements(y, by)
        BoundMap(AXPY, shape, 0, [elements(x, bx), elements(w, bw), elements(b, bb)], [strides_of_y]).run()
        expected = np.maximum(x * w + b, np.float32(0.5))
        np.testing.assert_array_equal(y, expected)
        where = (y.__array_interface__["data"][0] - by.__array_interface__["data"][0]) // 4
        rebuilt = np.lib.stride_tricks.as_strided(untouched.reshape(-1)[where:] if y.size else untouched, shape,
                                                  y.strides) \
            if all(s >= 0 for s in y.strides) and y.size else None
        if rebuilt is not None:
            rebuilt[...] = expected
            np.testing.assert_array_equal(by, untouched, "elements outside the view changed")


@pytest.mark.parametrize("shape", [(5,), (3000,), (40, 70), (7, 600), (1, 1), ()])
def test_in_place(shape: tuple[int, ...]) -> None:
    """A store on a load's own memory, whatever reads the load later."""
    program = Program(("f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("exp", "f32", (1,)),
                                       Instr("add", "f32", (2, 3)),
                                       Instr("sub", "f32", (2, 0))), (4, 5))
    x, w = random_array(shape, np.float32), random_array(shape, np.float32)
    exp = np.empty_like(w)
    full = elements(x, x).strides
    BoundMap(Program(("f32",), (Instr("exp", "f32", (0,)),), (1,)), shape, 0, [Operand(w, full)],
             [Operand(exp, full)]).run()
    first, second = x * w + exp, x * w - x
    BoundMap(program, shape, 0, [Operand(x, full), Operand(w, full)], [Operand(x, full), Operand(w, full)]).run()
    np.testing.assert_array_equal(x, first)
    np.testing.assert_array_equal(w, second)


@pytest.mark.parametrize("shape", [(9,), (4, 300), (3, 5, 7), (2, 1, 400)])
def test_index_values(shape: tuple[int, ...]) -> None:
    instrs = [Instr("linear", "i64")] + [Instr("index", "i64", (), axis) for axis in range(len(shape))]
    instrs.append(Instr("index", "i32", (), len(shape) - 1))
    outs = [np.full(shape, -1, np.int64) for _ in instrs[:-1]] + [np.full(shape, -1, np.int32)]
    program = Program((), tuple(instrs), tuple(range(len(instrs))))
    BoundMap(program, shape, 0, [], [elements(o, o) for o in outs]).run()
    grid = np.indices(shape)
    for out, expected in zip(outs, [np.arange(np.prod(shape)).reshape(shape), *grid, grid[-1]], strict=True):
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", ["bool", "u8", "i8", "i16", "u16", "i32", "i64", "u32", "f64"])
def test_narrow_types(dtype: str) -> None:
    kind = np.dtype({"u8": "u1", "i8": "i1", "i16": "i2", "u16": "u2", "i32": "i4", "i64": "i8", "u32": "u4",
                     "f64": "f8",
                     "bool": "?"}[dtype])
    x, bx = random_view((13, 37), kind)
    y = np.empty((13, 37), kind)
    program = Program((dtype,), (Instr("cast", "f32", (0,)), Instr("const", "f32", (), 1.0),
                                 Instr("add", "f32", (1, 2)),
                                 Instr("cast", dtype, (3,))), (4,))
    BoundMap(program, x.shape, 0, [elements(x, bx)], [elements(y, y)]).run()
    np.testing.assert_array_equal(y, (x.astype(np.float32) + np.float32(1)).astype(kind))


REDUCES = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


def reduce_case(shape: tuple[int, ...], reduced: int, op: str, dtype: str = "f32", order: tuple[int, ...] | None = None,
                backwards: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """sum-like of x * x over the last axes, x stored with its axes in `order`; returns result and float64 reference."""
    kind = np.dtype({"f32": "f4", "f64": "f8", "i32": "i4", "i64": "i8"}[dtype])
    order = order or tuple(range(len(shape)))
    base = random_array(tuple(shape[a] for a in order), kind)
    if op == "mul":
        base = (1 + base / 1000).astype(kind)
    x = base.transpose(np.argsort(order))
    rows = shape[:len(shape) - reduced]
    y = np.full(rows, 77, kind)
    program = Program((dtype,), (Instr("mul", dtype, (0, 0)), Instr(f"reduce.{op}", dtype, (1,)),
                                 Instr("neg", dtype, (2,))), (3,))
    store = Operand(y, tuple(s // y.itemsize for s in y.strides) + (None,) * reduced)
    BoundMap(program, shape, reduced, [elements(x, base)], [store]).run(backwards=backwards)
    wide = np.float64 if kind.kind == "f" else kind
    axes = tuple(range(len(shape) - reduced, len(shape)))
    with np.errstate(over="ignore"):
        values = (x * x).astype(wide)
        return y, -REDUCES[op].reduce(values, axis=axes) if x.size or op in ("add", "mul") else y


@pytest.mark.parametrize("op", sorted(REDUCES))
@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_reduce_ops(op: str, dtype: str) -> None:
    for shape, reduced, order in [((1000,), 1, None), ((17, 31), 1, None), ((65, 31), 1, (1, 0)), ((3, 1), 1, None),
                                  ((2, 3, 70000), 1, None), ((5, 1500), 1, (1, 0)), ((1500, 300), 1, (1, 0)),
                                  ((), 0, None)]:
        if reduced == 0:
            continue
        got, expected = reduce_case(shape, reduced, op, dtype, order)
        tolerance = 2e-6 if dtype == "f32" and op != "mul" else (1e-4 if dtype == "f32" else 1e-12)
        np.testing.assert_allclose(got, expected, rtol=tolerance)


@pytest.mark.parametrize("op", sorted(REDUCES))
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_short_rows_are_combined_in_their_order(op: str, kind: type) -> None:
    """Rows that are turned in squares, and those that are left, have the bits of one element after the other."""
    dtype = "f32" if kind is np.float32 else "f64"
    program = Program((dtype,), (Instr(f"reduce.{op}", dtype, (0,)),), (1,))
    for n in range(1, 64 // np.dtype(kind).itemsize):
        for rows in (1, 15, 16, 17, 40, 700):
            x, y = random_array((rows, n), kind), np.empty(rows, kind)
            BoundMap(program, (rows, n), 1, [Operand(x, (n, 1))], [Operand(y, (1, None))]).run()
            wanted = functools.reduce(REDUCES[op], x.T)
            np.testing.assert_array_equal(y, wanted, f"{rows} rows of {n}")


@pytest.mark.parametrize("reduced", [1, 2, 3])
def test_reduce_random(reduced: int) -> None:
    for _ in range(30):
        rank = int(RNG.integers(reduced, 5))
        shape = random_shape(rank)
        order = tuple(RNG.permutation(rank))
        got, expected = reduce_case(shape, reduced, "add", "f32", order)
        np.testing.assert_allclose(got, expected, rtol=3e-6, err_msg=f"{shape} {reduced} {order}")


@pytest.mark.parametrize(("shape", "order"), [((1, 1000003), (0, 1)), ((64, 30011), (1, 0)), ((2, 64, 9999), (0, 2, 1)),
                                              ((3000, 4000), (1, 0)), ((3, 40000), (0, 1))])
def test_long_sums_are_accurate_and_do_not_depend_on_the_order_of_tiles(shape: tuple[int, ...],
                                                                        order: tuple[int, ...]) -> None:
    global RNG
    state = RNG.bit_generator.state
    got, expected = reduce_case(shape, 1, "add", "f32", order)
    RNG.bit_generator.state = state
    again, _ = reduce_case(shape, 1, "add", "f32", order, backwards=True)
    np.testing.assert_array_equal(got, again)
    assert np.abs(got / expected - 1).max() < 1e-6


def test_empty_reductions_give_the_identity() -> None:
    for op, expected in (("add", 0), ("mul", 1), ("max", -np.inf), ("min", np.inf)):
        for shape, order in (((4, 0), (0, 1)), ((4, 0), (1, 0))):
            x, y = np.empty(tuple(shape[a] for a in order), np.float32), np.empty(4, np.float32)
            program = Program(("f32",), (Instr(f"reduce.{op}", "f32", (0,)),), (1,))
            BoundMap(program, shape, 1, [elements(x.transpose(order), x)], [Operand(y, (1, None))]).run()
            np.testing.assert_array_equal(y, np.full(4, expected, np.float32))
    y = np.empty((3, 0), np.float32)
    BoundMap(Program((), (Instr("const", "f32", (), 1.0),), (0,)), (3, 0), 0, [], [Operand(y, (0, 1))]).run()


def test_nan_goes_through_maxima() -> None:
    for n in (3, 40, 3000):
        x, y = RNG.standard_normal((4, n)).astype(np.float32), np.empty(4, np.float32)
        x[1, n // 2] = x[3, n - 1] = np.nan
        program = Program(("f32",), (Instr("reduce.max", "f32", (0,)),), (1,))
        BoundMap(program, (4, n), 1, [Operand(x, (n, 1))], [Operand(y, (1, None))]).run()
        np.testing.assert_array_equal(y, x.max(axis=1))


@pytest.mark.parametrize("shape", [(5, 7), (300, 40), (3, 50000), (70, 1), (1, 9)])
def test_rows_finished_with_row_loads_and_element_stores(shape: tuple[int, ...]) -> None:
    """y = x + 1 is stored, rows get max(x) * scale + sum(x) with a scale for each row, and the row's number."""
    rows, cols = shape
    x, scale = random_array(shape, np.float32), random_array((rows,), np.float32)
    y, r, n = np.empty_like(x), np.empty(rows, np.float32), np.empty(rows, np.int64)
    instrs = (Instr("const", "f32", (), 1.0), Instr("add", "f32", (0, 2)), Instr("reduce.max", "f32", (0,)),
              Instr("reduce.add", "f32", (0,)), Instr("mul", "f32", (4, 1)), Instr("add", "f32", (6, 5)),
              Instr("index", "i64", (), 0),
              Instr("cast", "i64", (5,)), Instr("const", "i64", (), 0), Instr("mul", "i64", (9, 10)),
              Instr("add", "i64", (8, 11)))
    program = Program(("f32", "f32"), instrs, (3, 7, 12))
    BoundMap(program, shape, 1, [Operand(x, (cols, 1)), Operand(scale, (1, 0))],
             [Operand(y, (cols, 1)), Operand(r, (1, None)), Operand(n, (1, None))]).run()
    np.testing.assert_array_equal(y, x + np.float32(1))
    np.testing.assert_allclose(r, x.max(axis=1) * scale + x.astype(np.float64).sum(axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(n, np.arange(rows))


def test_ranges_of_an_epilogue() -> None:
    """map_run_range in pieces that begin and end anywhere, with a bias that is broadcast along rows."""
    rows, cols = 37, 513
    x, bias = random_array((rows, cols), np.float32), random_array((cols,), np.float32)
    expected = np.maximum(x + bias, np.float32(0))
    program = Program(("f32", "f32"), (Instr("add", "f32", (0, 1)), Instr("const", "f32", (), 0.0),
                                       Instr("max", "f32", (2, 3))), (4,))
    bound = BoundMap(program, (rows, cols), 0, [Operand(x, (cols, 1)), Operand(bias, (0, 1))], [Operand(x, (cols, 1))])
    for begin in range(0, rows * cols, 1000):
        bound.run_range(begin, min(begin + 1000, rows * cols))
    np.testing.assert_array_equal(x, expected)
