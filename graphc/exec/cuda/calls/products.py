"""Matrix products on the device: which tile, and whether the products along k are cut into parts."""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.code.products import SIDE, THREADS, Product, product_text
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE, make_ptx
from graphc.exec.cuda.code.tensor_products import DEPTH, TensorProduct, tensor_product
from graphc.exec.cuda.work import Clear, Launch, Work

# Elements a side of a thread: how fast its tiles are, where there are enough of them (measured on an H200).
SPEEDS = {"f32": {8: 1.0, 4: 0.73, 2: 0.37}}
OTHER_SPEEDS = {4: 1.0, 2: 0.4}
BLOCKS_WANTED = 132        # that many fill the larger GPUs
FAR, NARROW = 1 << 62, 1 << 31
SHORTEST = 128             # products along k of one part


@dataclass(frozen=True)
class Windowed:
    """a is the matrix [windows, taps and channels] of pictures. The numbers are code/windows.py's PARAMETERS."""

    c: int
    kw: int
    oh: int
    ow: int
    picture: int
    line: int
    window: int
    tap_line: int
    tap: int

    @property
    def words(self) -> tuple[int, ...]:
        return (self.c, self.kw, self.oh, self.ow, self.picture, self.line, self.window, self.tap_line, self.tap)

    def are_wide(self, width: int) -> bool:
        """Whether that many channels lie side by side at a multiple of them, everywhere."""
        return not any(n % width for n in (self.c, self.picture, self.line, self.window, self.tap_line, self.tap))


@dataclass(frozen=True)
class Factors:
    """A product of a batch of matrices, as the kernel matmul takes it. windows: of a; the batch is one product then."""

    dtype: str
    batch: int
    m: int
    n: int
    k: int
    a_batch: int = 0
    b_batch: int = 0
    transpose_a: bool = False
    transpose_b: bool = False
    windows: Windowed | None = None

    @property
    def narrow(self) -> bool:
        return max(self.m, self.k) < NARROW

    @property
    def windows_words(self) -> tuple[int, ...]:
        return () if self.windows is None else self.windows.words

    @property
    def rows(self) -> tuple[int, int]:
        """Elements from one row in memory to the next, of a and b."""
        return self.m if self.transpose_a else self.k, self.k if self.transpose_b else self.n


def product(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """c = a b, by NVIDIA's library where that is faster."""
    if not f.batch * f.m * f.n:
        return []
    if not f.k:
        return [Clear(c, f.batch * f.m * f.n * size_of(f.dtype))]
    if call.library_products is not None:
        found = call.library_products.work(call, f, (a, b, c), lambda there, *at: _own(there, f, *at))
        if found is not None:
            return found
    return _own(call, f, a, b, c)


def _own(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """If there are few tiles, products along k are cut into parts, whose sums are added in their order."""
    if call.products != Products.FUSED and f.dtype == "f32" and min(f.m, f.n, f.k) >= DEPTH:
        return _on_tensor_cores(call, f, a, b, c)
    return _fused(call, f, a, b, c)


def _fused(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """By fused multiply-adds, each exact."""

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
    part = -(-f.k // (parts(each) * DEPTH)) * DEPTH if parts(each) > 1 else f.k
    count = -(-f.k // part)
    a_row, b_row = f.rows
    a_next, b_next = f.a_batch, f.b_batch
    if count > 1:
        a_next, b_next = part * (a_row if f.transpose_a else 1), part * (1 if f.transpose_b else b_row)
    if f.windows is not None:
        a_next = 0
    target = call.scratch(count * f.m * f.n * size_of(f.dtype)) if count > 1 else c
    words = (a, b, target, f.m, f.n, part, a_next, b_next, f.m * f.n, *((a_row, b_row, f.k) if count > 1 else ()),
             *f.windows_words)
    wide_a, wide_b = _are_wide(f, a, b)
    ptx = make_ptx(product_text(Product(f.dtype, each, f.transpose_a, f.transpose_b, count > 1, wide_a, wide_b,
                                        f.windows is not None, f.narrow)))
    return [Launch(ptx, "gc_product", (blocks(each) * count,), (THREADS,), words), *_parts(call, f, count, target, c)]


def _parts(call: Call, f: Factors, count: int, target: int, c: int) -> list[Launch]:
    """Parts added up."""
    if count == 1:
        return []
    p = ProgramBuilder(f.dtype)
    return map_work(call, p.program(p("reduce.add", f.dtype, 0)), (f.m * f.n, count), 1,
                    [(target, (1, f.m * f.n)), (c, (1, 0))])


def _are_wide(f: Factors, a: int, b: int) -> tuple[bool, bool]:
    """Whether each of the factors can be taken 16 bytes at a time. (Where k lies side by side it is a row's length.)"""
    width, (a_row, b_row) = 16 // size_of(f.dtype), f.rows
    wide_a = not (a_row % width or f.a_batch % width) if f.windows is None else f.windows.are_wide(width)
    return (wide_a and not a % 16, not (b % 16 or b_row % width or f.b_batch % width))


def _on_tensor_cores(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    a_row, b_row = f.rows
    wide_a, wide_b = _are_wide(f, a, b)

    def product_of(fragments: int) -> TensorProduct:
        return TensorProduct(fragments, not f.transpose_a, f.transpose_b, wide_a, wide_b,
                             call.products == Products.ROUNDED, f.windows is not None, f.narrow)

    def blocks(fragments: int) -> int:
        tile = product_of(fragments).tile
        return f.batch * -(-f.m // tile) * -(-f.n // tile)

    # Copies of 4 bytes take registers that a large tile does not have.
    fragments = 4 if wide_a and wide_b and blocks(4) >= BLOCKS_WANTED else 2
    parts = max(min(BLOCKS_WANTED // blocks(fragments), f.k // SHORTEST), 1) if f.batch == 1 else 1
    part = -(-f.k // (parts * DEPTH)) * DEPTH if parts > 1 else f.k
    count = -(-f.k // part)
    a_next, b_next = f.a_batch, f.b_batch
    if count > 1:
        a_next, b_next = part * (a_row if f.transpose_a else 1), part * (1 if f.transpose_b else b_row)
    if f.windows is not None:
        a_next = 0
    target = call.scratch(4 * count * f.m * f.n) if count > 1 else c
    words = (a, b, target, f.m, f.n, part, a_next, b_next, f.m * f.n, a_row, b_row, f.k if count > 1 else FAR,
             *f.windows_words)
    ptx = make_ptx(tensor_product(product_of(fragments)).text(), TENSOR_COMPUTE)
    launch = Launch(ptx, "gc_tensor_product", (blocks(fragments) * count,), (THREADS,), words)
    return [launch, *_parts(call, f, count, target, c)]
