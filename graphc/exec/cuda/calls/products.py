"""Matrix products on the device: which tile, and whether the products along k are cut into parts."""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.code.products import SIDE, THREADS, Product, product_text
from graphc.exec.cuda.code.ptx import make_ptx
from graphc.exec.cuda.work import Clear, Launch, Work

# Elements a side of a thread: how fast its tiles are, where there are enough of them (measured on an H200).
SPEEDS = {"f32": {8: 1.0, 4: 0.73, 2: 0.37}}
OTHER_SPEEDS = {4: 1.0, 2: 0.4}
BLOCKS_WANTED = 132        # that many fill the larger GPUs
SHORTEST = 128             # products along k of one part


@dataclass(frozen=True)
class Factors:
    """A product of a batch of matrices, as the kernel matmul takes it."""

    dtype: str
    batch: int
    m: int
    n: int
    k: int
    a_batch: int = 0
    b_batch: int = 0
    transpose_a: bool = False
    transpose_b: bool = False


def product(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """c = a b. If there are few tiles, products along k are cut into parts, whose sums are added in their order."""
    if not f.batch * f.m * f.n:
        return []
    if not f.k:
        return [Clear(c, f.batch * f.m * f.n * size_of(f.dtype))]

    def blocks(each: int) -> int:
        tile = SIDE * each
        return f.batch * -(-f.m // tile) * -(-f.n // tile)

    def parts(each: int) -> int:
        return max(min(-(-BLOCKS_WANTED // blocks(each)), f.k // SHORTEST), 1) if f.batch == 1 else 1

    def cost(each: int) -> float:
        """About, in what a multiprocessor takes for one product of the fastest tiles (1.7 ns): alone on it, a block
        waits for memory; parts are written, and read again by one more kernel."""
        rounds = -(-blocks(each) * parts(each) // BLOCKS_WANTED)
        alone = rounds * each * each / speeds[each] * -(-f.k // parts(each)) * (1.3 if rounds == 1 else 1.0)
        return alone + ((1800 + parts(each) * f.m * f.n * 1.2e-3) if parts(each) > 1 else 0)

    speeds = SPEEDS.get(f.dtype, OTHER_SPEEDS)
    each = min(speeds, key=cost)
    part = -(-f.k // parts(each))
    count = -(-f.k // part)
    a_row, b_row = f.m if f.transpose_a else f.k, f.k if f.transpose_b else f.n
    a_next, b_next = f.a_batch, f.b_batch
    if count > 1:
        a_next, b_next = part * (a_row if f.transpose_a else 1), part * (1 if f.transpose_b else b_row)
    target = call.scratch(count * f.m * f.n * size_of(f.dtype)) if count > 1 else c
    words = (a, b, target, f.m, f.n, part, a_next, b_next, f.m * f.n, *((a_row, b_row, f.k) if count > 1 else ()))
    ptx = make_ptx(product_text(Product(f.dtype, each, f.transpose_a, f.transpose_b, parts=count > 1)))
    work: list[Work] = [Launch(ptx, "gc_product", (blocks(each) * count,), (THREADS,), words)]
    if count > 1:
        p = ProgramBuilder(f.dtype)
        work += map_work(call, p.program(p("reduce.add", f.dtype, 0)), (f.m * f.n, count), 1,
                     [(target, (1, f.m * f.n)), (c, (1, 0))])
    return work
