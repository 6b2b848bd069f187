"""matmul against NumPy in float64: every way in which it packs, blocks and batches."""
import itertools

import numpy as np
import pytest

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.toolchain.targets import host_targets
from graphc.kernels.toolchain.testing import load_kernels

from kernel_harness import backwards, close, filled, load, normal

SIZES = (1, 3, 17, 31, 65)
ALL = list(itertools.product(SIZES, SIZES, SIZES))
BIG = [(1, 1000, 300), (2, 129, 1025), (300, 70, 600), (14, 257, 2000), (700, 10, 129), (128, 128, 128), (257, 600, 33),
       (5, 300, 1), (64, 1, 64), (33, 1024, 700), (40, 600, 1300), (150, 272, 90), (300, 700, 4), (1000, 16, 9)]


def check(m, n, k, dtype, transpose_a=0, transpose_b=0, batch=1, share_a=False, share_b=False, persistent=False,
          order=range, way=-1):
    kernel = load("matmul")[f"matmul.{dtype}"]
    a = normal((1 if share_a else batch, *((k, m) if transpose_a else (m, k))), dtype, 1)
    b = normal((1 if share_b else batch, *((n, k) if transpose_b else (k, n))), dtype, 2)
    c = filled((batch, m, n), dtype)
    status = kernel(a, b, c, dims=[batch, m, n, k, 0 if share_a else m * k, 0 if share_b else k * n],
                    attrs=[transpose_a, transpose_b], persistent=persistent, order=order, way=way)
    assert status == 0
    wide = np.float64 if dtype in ("f32", "f64") else np.int64
    left, right = a.astype(wide), b.astype(wide)
    wanted = (left.swapaxes(1, 2) if transpose_a else left) @ (right.swapaxes(1, 2) if transpose_b else right)
    close(c, np.broadcast_to(wanted, c.shape), dtype, max(1.0, k ** 0.5))
    return c


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_small(dtype, transposes):
    for m, n, k in ALL:
        for persistent in (False, True):
            check(m, n, k, dtype, *transposes, persistent=persistent)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("size", BIG, ids=str)
def test_big(dtype, transposes, size):
    for persistent in (False, True):
        first = check(*size, dtype, *transposes, persistent=persistent)
        again = check(*size, dtype, *transposes, persistent=persistent, order=backwards)
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32"])
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_batches(dtype, transposes):
    sizes = [(1, 1, 1), (3, 65, 17), (31, 31, 65), (130, 40, 64), (200, 70, 20), (3, 3, 3), (9, 16, 12)]
    for (m, n, k), batch in itertools.product(sizes, (0, 1, 2, 7)):
        for share_a, share_b in itertools.product((False, True), (False, True)):
            check(m, n, k, dtype, *transposes, batch=batch, share_a=share_a, share_b=share_b, persistent=share_b)


@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_every_way_that_is_asked_for(transposes):
    for (m, n, k), batch in itertools.product([(1, 65, 33), (3, 17, 31), (16, 40, 64), (90, 33, 17), (90, 1, 40),
                                               (65, 3, 31)], (1, 3)):
        for way, share_b in itertools.product(range(len(KERNELS["matmul"].ways)), (False, True)):
            check(m, n, k, "f32", *transposes, batch=batch, share_b=share_b, persistent=share_b and way % 2 == 0,
                  way=way)


@pytest.mark.parametrize("isa", [target.name for target in host_targets()])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_lines_and_rows_that_collide(isa, dtype):
    """A multiple of 4 KB apart, transposed or not: tiles are copied, a transposed A's by fours, of which the last ones
    may be fewer and lower."""
    kernel = load_kernels(["matmul"], isa)[f"matmul.{dtype}"]
    for m, n, k, transpose_a in [(1024, 300, 601, 1), (2048, 140, 17, 1), (33, 300, 1024, 0), (1023, 300, 65, 1),
                                  (57, 129, 9, 1), (59, 260, 601, 1), (113, 257, 513, 1)]:
        a, b = normal((k, m) if transpose_a else (m, k), dtype, 1), normal((k, n), dtype, 2)
        c = filled((m, n), dtype)
        assert kernel(a, b, c, dims=[1, m, n, k, m * k, k * n], attrs=[transpose_a, 0], persistent=True) == 0
        left = (a.T if transpose_a else a).astype(np.float64)
        close(c, left @ b.astype(np.float64), dtype, k ** 0.5)


@pytest.mark.parametrize("isa", [target.name for target in host_targets()])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_tiles_that_overlap_give_what_the_micro_kernel_gives(isa, dtype, transposes):
    """Both add products in the order of k; sizes around those of the tiles of each ISA."""
    kernel, ways = load_kernels((f"matmul.{dtype}",), isa)[f"matmul.{dtype}"], KERNELS["matmul"].ways
    for m, n, k in itertools.product((5, 6, 7, 8, 9, 13, 17), (7, 8, 9, 15, 16, 17, 31, 32, 33, 47), (1, 5, 16)):
        a, b = (normal(shape[::-1] if turned else shape, dtype, 1) for shape, turned in
                zip(((m, k), (k, n)), transposes, strict=True))
        made = {way: filled((m, n), dtype) for way in ("short", "in work")}
        for way, c in made.items():
            assert kernel(a, b, c, dims=[1, m, n, k, m * k, k * n], attrs=transposes, way=ways.index(way)) == 0
        np.testing.assert_array_equal(made["short"], made["in work"], f"{m} x {n} x {k}")


def test_scratch_does_not_grow_with_a_transposed_b():
    kernel = load("matmul")["matmul.f32"]
    rooms = [kernel.choice([1, 40, n, 8, 320, 8 * n], [0, 1])[Choice.SCRATCH_BYTES] for n in (100_000, 1_000_000)]
    assert rooms[0] == rooms[1] < 1 << 20
    check(40, 5000, 8, "f32", 0, 1)


def test_a_b_beyond_the_second_cache_is_packed_for_fewer_rows():
    """One that it holds is read as it lies by as many."""
    bind, ways = load("matmul")["matmul.f32"].choice, KERNELS["matmul"].ways
    for m, n, k, way in [(96, 3072, 768, "in tile"), (64, 1000, 1000, "in tile"), (96, 512, 784, "in place"),
                         (14, 3072, 768, "in place")]:
        choice = bind((1, m, n, k, m * k, k * n), (0, 0))
        assert ways[int(choice[Choice.VARIANT])] == way, (m, n, k)


@pytest.mark.parametrize("size", [(0, 5, 5), (5, 0, 5), (5, 5, 0), (0, 0, 0)], ids=str)
def test_empty(size):
    for persistent in (False, True):
        check(*size, "f32", persistent=persistent)
        check(*size, "f32", transpose_b=1, batch=3, persistent=persistent)


# One row or one column, and few columns of many rows, which are computed turned: m, n, k.
SKINNY = [(1, 1030, 300), (1, 5000, 17), (1, 31, 9), (2000, 1, 300), (300, 1, 2000), (5, 1, 7), (600, 2, 130),
          (600, 3, 1), (900, 4, 257), (260, 5, 500), (1000, 8, 400), (129, 9, 65), (300, 12, 700), (100, 16, 33),
          (70, 16, 1000), (4, 600, 300), (16, 130, 500), (700, 24, 90)]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("size", SKINNY, ids=str)
def test_few_rows_or_columns(dtype, transposes, size):
    for persistent in (False, True):
        first = check(*size, dtype, *transposes, persistent=persistent)
        again = check(*size, dtype, *transposes, persistent=persistent, order=backwards)
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_batches_of_few_rows_or_columns(transposes):
    for (m, n, k), batch in itertools.product([(1, 130, 40), (130, 1, 40), (40, 3, 64), (17, 1, 1)], (0, 1, 3)):
        for share_a, share_b in itertools.product((False, True), (False, True)):
            check(m, n, k, "f32", *transposes, batch=batch, share_a=share_a, share_b=share_b, persistent=share_b)


@pytest.mark.parametrize("size", [(1, 70, 20), (70, 1, 20), (70, 3, 90), (70, 50, 4), (30, 70, 4)], ids=str)
@pytest.mark.parametrize("transpose_a", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_row_and_column(size, transpose_a, value):
    """An element of A reaches its row of C, and nothing beside it."""
    m, n, k = size
    kernel = load("matmul")["matmul.f32"]
    a, b, c = normal((k, m) if transpose_a else (m, k), "f32", 1), normal((k, n), "f32", 2), filled((m, n), "f32")
    a[(3, m - 1) if transpose_a else (m - 1, 3)] = value
    assert kernel(a, b, c, dims=[1, m, n, k, m * k, k * n], attrs=[transpose_a, 0]) == 0
    assert not np.isfinite(c[m - 1]).any() and np.isfinite(c[:m - 1]).all()
