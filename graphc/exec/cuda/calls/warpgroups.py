"""A product by warpgroups (code/warpgroup_products.py): which variants take it, and its factors where TMA can read
them.

Factors that are 16-bit floats in memory are read where they are. Those of float32 that were 16-bit floats are made that
again, which loses nothing, takes half of the memory and runs twice as fast; the others are cut to tf32 by what
multiplies them, which reads them along k only. A float32 factor that does not lie so, or at no multiple of 16 bytes, is
copied first.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, Products, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.calls.products import MULTIPROCESSORS, SHORTEST, SMALLEST, Factors, parts_added
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE, make_ptx
from graphc.exec.cuda.code.warpgroup_products import HEIGHT, STAGES, THREADS, WarpgroupProduct, warpgroup_product
from graphc.exec.cuda.code.warpgroups import ELEMENTS, Element
from graphc.exec.cuda.tensor_map import STRIDE, AnyMap, TensorMap
from graphc.exec.cuda.work import Launch, Work

# How often a thread asks barriers in vain: of a kernel that was tried before; of one that is tried, and for each panel
# more. An ask takes 20 us at most, so a kernel that would hang ends after a second or two.
ENDLESS, TRIES, TRIES_OF_A_PANEL = 1 << 62, 1 << 16, 128
_NARROW = {Products.EXACT_F16: "f16", Products.EXACT_BF16: "bf16"}


@dataclass(frozen=True)
class Variant:
    """element: what is multiplied; columns: of a tile; parts: into how many a product is cut along k at most."""

    element: str
    columns: int
    parts: int = 1

    @property
    def name(self) -> str:
        return f"a product by warpgroups ({self.element}, tiles of {self.columns} columns, {self.parts} parts)"


@dataclass(frozen=True)
class Factor:
    """One of them in memory: `lines` lines of `length` elements, `row` apart, and matrices `next` elements apart, 0 for
    one that all share. along_k: whether k lies along the lines."""

    address: int
    lines: int
    length: int
    row: int
    next: int
    along_k: bool


def variants(call: Call, f: Factors) -> list[Variant]:
    """What may take the product; none if it must be multiplied otherwise."""
    if f.dtype != "f32" or call.products == Products.FUSED or f.windows is not None or f.spaced is not None or (
            min(f.m, f.n, f.k) < SMALLEST):
        return []
    elements = [f.element or _NARROW.get(call.products, "tf32")]
    if not f.element and elements != ["tf32"] and all(_is_read_there(factor) for factor in _factors(f, 0, 0)):
        elements.append("tf32")                # nothing is copied
    narrow = min(STAGES)
    return [Variant(element, columns, parts) for element in elements for columns in STAGES
            if columns == narrow or f.n > narrow for parts in sorted({1, parts_that_fill(f, columns)})]


def parts_that_fill(f: Factors, columns: int) -> int:
    """Into how many parts a product with few tiles is cut so that it fills the device."""
    return max(min(MULTIPROCESSORS // tiles_of(f, columns), f.k // SHORTEST), 1) if f.batch == 1 else 1


def tiles_of(f: Factors, columns: int) -> int:
    return -(-f.m // HEIGHT) * -(-f.n // columns)


def work(call: Call, f: Factors, variant: Variant, a: int, b: int, c: int, is_trial: bool = False) -> list[Work]:
    """c = a b. is_trial: a thread that has waited for long gives up, and has no result."""
    element = ELEMENTS[variant.element]
    copies: list[Work] = []
    left, right = (_ready(call, f, element, factor, copies) for factor in _factors(f, a, b))
    all_panels = -(-f.k // element.line)
    panels = -(-all_panels // variant.parts)
    parts = -(-all_panels // panels)
    patience = TRIES + TRIES_OF_A_PANEL * panels if is_trial else ENDLESS
    target = call.scratch(4 * parts * f.m * f.n) if parts > 1 else c
    c_row, c_batch = f.c_steps if parts == 1 else (f.n, f.m * f.n)
    result = f.made if parts == 1 else f.dtype
    wide = not (f.n % 2 or c_row % 2 or c_batch % 2 or target % (2 * size_of(result)))
    made = WarpgroupProduct(element, variant.columns, left.along_k, right.along_k, wide, parts > 1, result)
    words: tuple[int | AnyMap, ...] = (
        _tensor(f, element, left, HEIGHT), _tensor(f, element, right, made.columns), target, f.m, f.n, f.k, c_batch,
        c_row, int(bool(left.next)), int(bool(right.next)), patience, *[panels] * made.parts)
    kernel, blocks = warpgroup_product(made), f.batch * parts * tiles_of(f, made.columns)
    return [*copies, Launch(make_ptx(kernel.text(), WARPGROUP_COMPUTE), kernel.name, (blocks,), (THREADS,), words,
                            made.shared), *parts_added(call, f, parts, target, c)]


def _factors(f: Factors, a: int, b: int) -> tuple[Factor, Factor]:
    left = (f.k, f.m) if f.transpose_a else (f.m, f.k)
    right = (f.n, f.k) if f.transpose_b else (f.k, f.n)
    apart = (f.a_batch, f.b_batch) if f.batch > 1 else (0, 0)
    return (Factor(a, *left, left[1], apart[0], not f.transpose_a),
            Factor(b, *right, right[1], apart[1], f.transpose_b))


def _is_read_there(factor: Factor) -> bool:
    """Whether TMA can read it as float32 along k."""
    return factor.along_k and not (factor.address % STRIDE or 4 * factor.row % STRIDE or 4 * factor.next % STRIDE)


def _ready(call: Call, f: Factors, element: Element, factor: Factor, copies: list[Work]) -> Factor:
    """The factor where it can be read, in elements of its type; a copy is added to `copies` if it takes one."""
    if f.element or (element.bytes == 4 and _is_read_there(factor)):
        return factor
    turned = not (factor.along_k or element.both_ways)
    lines, length = (factor.length, factor.lines) if turned else (factor.lines, factor.length)
    width = STRIDE // element.bytes
    row, count = -(-length // width) * width, f.batch if factor.next else 1
    made = Factor(call.scratch(count * lines * row * element.bytes), lines, length, row,
                  lines * row if factor.next else 0, factor.along_k or turned)
    p = ProgramBuilder("f32")
    program = p.program(0 if element.bytes == 4 else p("cast", element.name, 0))
    steps = (1, factor.row) if turned else (factor.row, 1)
    copies += map_work(call, program, (count, lines, length), 0,
                       [(factor.address, (factor.next, *steps)), (made.address, (lines * row, row, 1))])
    return made


def _tensor(f: Factors, element: Element, factor: Factor, side: int) -> TensorMap:
    """side: rows or columns of a tile. A line ends where the matrix does: behind that TMA writes zeros."""
    line = element.bytes * factor.row
    return TensorMap(element.name, factor.address, factor.length, factor.lines, f.batch if factor.next else 1, line,
                     element.bytes * factor.next or line * factor.lines, side if factor.along_k else element.line)
