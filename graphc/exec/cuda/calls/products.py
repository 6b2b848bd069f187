"""Matrix products on the device: which tile, and whether the products along k are cut into parts."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc import errors
from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.code.products import SIDE, THREADS, Product, product_text
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE, make_ptx
from graphc.exec.cuda.code.tensor_products import DEPTHS, TensorProduct, tensor_product
from graphc.exec.cuda.code.tensor_products import SIDE as TENSOR_SIDE
from graphc.exec.cuda.code.windows import reciprocal
from graphc.exec.cuda.work import Clear, Launch, Work

# How fast tiles are where there are enough of them (measured on an H200): nanoseconds of a multiprocessor for one step
# along k, by elements a side of a thread; on tensor cores by fragments a side of a warp.
FUSED_STEPS = {"f32": {8: 97.0, 4: 35.0, 2: 17.0}}
OTHER_STEPS = {4: 64.0, 2: 40.0}
TENSOR_STEPS = {4: 33.0, 2: 13.0}
HALF_STEPS = {each: step / 2 for each, step in TENSOR_STEPS.items()}       # not measured: two products for one
ALONE = 1.35               # times that, if a multiprocessor has one block only: it waits for memory
MULTIPROCESSORS = 132      # that many fill the larger GPUs
ADDING, ADDED = 3000.0, 2e-3   # nanoseconds of a kernel that adds parts up, and for an element of a part
NARROW = 1 << 31
SHORTEST = 128             # products along k of one part
PANEL = max(DEPTHS.values())   # a part is a multiple of it long, of 16-bit floats of twice that
SMALLEST = 16              # along m, n and k, for tensor cores
HALVES = ("f16", "bf16")   # what factors and results may be in memory beside `dtype`, on tensor cores


@dataclass(frozen=True)
class Windowed:
    """a is the matrix [windows, taps and channels] of pictures. The numbers are code/windows.py's PARAMETERS.
    elements: of all pictures."""

    elements: int
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
        divisors = (self.c, self.kw, self.oh, self.ow)
        return (*divisors, self.picture, self.line, self.window, self.tap_line, self.tap, *map(reciprocal, divisors))

    def are_wide(self, width: int) -> bool:
        """Whether that many channels lie side by side at a multiple of them, everywhere."""
        return not any(n % width for n in (self.c, self.picture, self.line, self.window, self.tap_line, self.tap))


@dataclass(frozen=True)
class Spaced:
    """Rows in memory that are longer than those of the matrices: elements from one to the next of a, b and c, and from
    one matrix of the batch to the next of c."""

    a_row: int
    b_row: int
    c_row: int
    c_batch: int


@dataclass(frozen=True)
class Factors:
    """A product of a batch of matrices, as the kernel matmul takes it. windows: of a; without `spaced` the batch is one
    product then. dtype: of the sums. element: of both factors in memory, result: of c; "": as the sums, else 16-bit
    floats (fits_halves)."""

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
    spaced: Spaced | None = None
    element: str = ""
    result: str = ""

    @property
    def stored(self) -> str:
        """What the factors are in memory."""
        return self.element or self.dtype

    @property
    def made(self) -> str:
        """What c is in memory."""
        return self.result or self.dtype

    @property
    def fits_halves(self) -> bool:
        """Whether factors that are 16-bit floats in memory can be multiplied: on tensor cores, 16 bytes at a time."""
        beside = (self.m if self.transpose_a else self.k, self.k if self.transpose_b else self.n)
        return min(self.m, self.n, self.k) >= SMALLEST and not any(
            count % 8 for count in (*beside, self.a_batch, self.b_batch))

    @property
    def narrow(self) -> bool:
        return max(self.m, self.k, self.windows.elements if self.windows else 0) < NARROW

    @property
    def windows_words(self) -> tuple[int, ...]:
        return () if self.windows is None else self.windows.words

    @property
    def rows(self) -> tuple[int, int]:
        """Elements from one row in memory to the next, of a and b."""
        if self.spaced is not None:
            return self.spaced.a_row, self.spaced.b_row
        return self.m if self.transpose_a else self.k, self.k if self.transpose_b else self.n

    @property
    def c_steps(self) -> tuple[int, int]:
        """The same from one row to the next of c, and from one matrix to the next."""
        return (self.n, self.m * self.n) if self.spaced is None else (self.spaced.c_row, self.spaced.c_batch)


def product(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """c = a b, by warpgroups or NVIDIA's library where those are faster. Spaced matrices lie between one another, so
    that nothing lies between all of them; they are multiplied one by one if only that, cut along k, fills the
    device."""
    if not f.batch * f.m * f.n:
        return []
    if not f.k:
        return [Clear(c, f.batch * f.m * f.n * size_of(f.made))]

    def own(there: Call, *at: int) -> Sequence[Work]:
        return _own(there, f, *at)

    one = replace(f, batch=1)
    if f.spaced is not None and f.batch * cost(call, one) < cost(call, f):
        steps = [step * size_of(dtype) for step, dtype in zip((f.a_batch, f.b_batch, f.c_steps[1]),
                                                              (f.stored, f.stored, f.made), strict=True)]
        return [work for i in range(f.batch) for work in _own(call, one, *(
            at + i * step for at, step in zip((a, b, c), steps, strict=True)))]
    best = call.warpgroups.best(call, f, own) if call.warpgroups is not None else own
    library = call.libraries.products if call.libraries is not None else None
    if library is not None:
        found = library.work(call, f, (a, b, c), best)
        if found is not None:
            return found
    return list(best(call, a, b, c))


def _own(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """If there are few tiles, products along k are cut into parts, whose sums are added in their order."""
    if _on_tensors(call, f):
        return _on_tensor_cores(call, f, a, b, c)
    if f.element or f.result:
        raise errors.InternalError(f"factors of 16 bits that tensor cores do not multiply: {f}")
    return _fused(call, f, a, b, c)


@dataclass(frozen=True)
class Cut:
    """Tiles with `each` elements (fragments) a side, and k in so many parts; cost: nanoseconds, about."""

    each: int
    parts: int
    cost: float


def _best_cut(f: Factors, steps: dict[int, float], side: int) -> Cut:
    """side: of a tile, by `each`. A product with few tiles is cut along k until blocks fill the device; parts are
    written, and read again by one more kernel."""
    most = f.k // SHORTEST if f.batch == 1 else 1

    def cut(each: int, parts: int) -> Cut:
        blocks = _blocks(f, side * each) * parts
        rounds = -(-blocks // MULTIPROCESSORS)
        cost = rounds * steps[each] * -(-f.k // parts) * (ALONE if rounds == 1 else 1.0)
        return Cut(each, parts, cost + (ADDING + ADDED * parts * f.m * f.n if parts > 1 else 0.0))

    return min((cut(each, parts) for each in steps
                for parts in range(1, max(min(most, 2 * MULTIPROCESSORS // _blocks(f, side * each)), 1) + 1)),
               key=lambda c: c.cost)


def _blocks(f: Factors, tile: int) -> int:
    return f.batch * -(-f.m // tile) * -(-f.n // tile)


def _on_tensors(call: Call, f: Factors) -> bool:
    return call.products != Products.FUSED and f.dtype == "f32" and min(f.m, f.n, f.k) >= SMALLEST


def _cut(call: Call, f: Factors, wide: bool) -> Cut:
    """wide: 16 bytes may be copied at a time: copies of 4 take registers that a large tile of tensor cores lacks."""
    if not _on_tensors(call, f):
        return _best_cut(f, FUSED_STEPS.get(f.dtype, OTHER_STEPS), SIDE)
    steps = HALF_STEPS if f.element else TENSOR_STEPS
    return _best_cut(f, steps if wide else {2: steps[2]}, TENSOR_SIDE)


def cost(call: Call, f: Factors) -> float:
    """Nanoseconds that the product takes, about, if its factors lie well."""
    return _cut(call, f, True).cost if f.batch * f.m * f.n * f.k else 0.0


def _fused(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    """By fused multiply-adds, each exact."""
    cut = _cut(call, f, False)
    wide_a, wide_b = _are_wide(f, a, b)
    part, count, target, rows = _divided(call, f, cut, c)
    spaced = f.spaced is not None and count == 1
    c_row, c_batch = _steps_of_target(f, count)
    further = (*f.rows, f.k) if count > 1 else (*f.rows, c_row) if spaced else ()
    words = (a, b, target, f.m, f.n, part, *rows, c_batch, *further, *f.windows_words)
    made = Product(f.dtype, cut.each, f.transpose_a, f.transpose_b, count > 1, wide_a, wide_b,
                   windows=f.windows is not None, narrow=f.narrow, spaced=spaced)
    made = replace(made, wide_c=not (f.n % made.group or c_row % made.group or c_batch % made.group or target % 16))
    ptx = make_ptx(product_text(made))
    grid = (_blocks(f, SIDE * cut.each) * count,)
    return [Launch(ptx, "gc_product", grid, (THREADS,), words), *parts_added(call, f, count, target, c)]


def _divided(call: Call, f: Factors, cut: Cut, c: int) -> tuple[int, int, int, tuple[int, int]]:
    """(length of a part along k, how many there are, where they go, elements from one part, or one matrix of the
    batch, to the next of a and b)."""
    panel = 2 * PANEL if f.element else PANEL
    part = -(-f.k // (cut.parts * panel)) * panel if cut.parts > 1 else f.k
    count, (a_row, b_row), a_next, b_next = -(-f.k // part), f.rows, f.a_batch, f.b_batch
    if count > 1:
        a_next, b_next = part * (a_row if f.transpose_a else 1), part * (1 if f.transpose_b else b_row)
        a_next = 0 if f.windows is not None else a_next
    target = call.scratch(count * f.m * f.n * size_of(f.dtype)) if count > 1 else c
    return part, count, target, (a_next, b_next)


def _steps_of_target(f: Factors, count: int) -> tuple[int, int]:
    """Elements from one row to the next, and from one part or matrix to the next, of what the kernel writes."""
    return (f.n, f.m * f.n) if count > 1 else f.c_steps


def parts_added(call: Call, f: Factors, count: int, target: int, c: int) -> list[Launch]:
    """The sum of the parts of a product, which lie one after another, in their order."""
    if count == 1:
        return []
    p = ProgramBuilder(f.dtype)
    total = p("reduce.add", f.dtype, 0)
    return map_work(call, p.program(p("cast", f.result, total) if f.result else total), (f.m, f.n, count), 1,
                    [(target, (f.n, 1, f.m * f.n)), (c, (f.c_steps[0], 1, 0))])


def _are_wide(f: Factors, a: int, b: int) -> tuple[bool, bool]:
    """Whether each of the factors can be taken 16 bytes at a time: what lies side by side ends with such a piece."""
    width, (a_row, b_row) = 16 // size_of(f.stored), f.rows
    beside_a, beside_b = f.m if f.transpose_a else f.k, f.k if f.transpose_b else f.n
    if f.windows is None:
        wide_a = not (a_row % width or beside_a % width)
    else:
        wide_a = f.windows.are_wide(width)
    return (wide_a and not (a % 16 or f.a_batch % width),
            not (b % 16 or b_row % width or f.b_batch % width or beside_b % width))


def _on_tensor_cores(call: Call, f: Factors, a: int, b: int, c: int) -> list[Work]:
    wide_a, wide_b = _are_wide(f, a, b)
    cut = _cut(call, f, wide_a and wide_b)
    part, count, target, rows = _divided(call, f, cut, c)
    c_row, c_batch = _steps_of_target(f, count)
    if f.element and not (wide_a and wide_b):
        raise errors.InternalError(f"factors of 16 bits that do not lie at multiples of 16 bytes: {f}")
    result = f.dtype if count > 1 else f.made
    wide_c = not (f.n % 2 or c_row % 2 or c_batch % 2 or target % (2 * size_of(result)))
    made = TensorProduct(cut.each, not f.transpose_a, f.transpose_b, wide_a, wide_b, wide_c,
                         call.products == Products.ROUNDED, f.windows is not None, f.narrow, count > 1, f.stored,
                         result)
    words = (a, b, target, f.m, f.n, part, *rows, c_batch, *f.rows, c_row, f.k, *f.windows_words)
    ptx = make_ptx(tensor_product(made).text(), TENSOR_COMPUTE)
    launch = Launch(ptx, "gc_tensor_product", (_blocks(f, made.tile) * count,), (THREADS,), words)
    return [launch, *parts_added(call, f, count, target, c)]
