"""A map of a Plan with the sizes of one run -> launches of the kernels that code/maps.py writes.

Axes of size 1 are dropped and neighbours merged where every access allows it, which makes most maps one-dimensional:
then a kernel needs no divisions. How rows are spread over threads depends on sizes and strides only.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from graphc import errors
from graphc.exec.cuda.code.elements import TILE
from graphc.exec.cuda.code.maps import kernel_text
from graphc.exec.cuda.code.programs import THREADS, UNROLLED, Parts, Shape, parts_of, unrolled
from graphc.exec.cuda.code.ptx import make_ptx
from graphc.exec.cuda.work import Launch
from graphc.exec.image import constant_bits
from graphc.exec.jit import scalar_functions, without_constants
from graphc.exec.library import Library
from graphc.exec.map_code import SIZES, value_dtype
from graphc.plan.plan import Program

LARGEST_PARAMETERS = 4096  # bytes, what every driver allows
NARROW = 1 << 31
BLOCKS = 1024              # as many a reduction is cut into, if it is large enough


@dataclass(frozen=True)
class Place:
    """One access: where element (0, ...) of the domain is (an address; of an index value its first number), and the
    strides of the axes, in bytes (units)."""

    first: int
    strides: tuple[int, ...]


@dataclass(frozen=True)
class BoundMap:
    """A map with its sizes. places: of loads, stores and index values, by number (exec/map_code.py); of what is stored
    once a row, strides along the reduced axes are 0."""

    program: Program
    domain: tuple[int, ...]
    reduced: int
    places: dict[int, Place]


def launches(bound: BoundMap, library: Library, scratch: Callable[[int], int]) -> list[Launch]:
    """What computes the map. scratch: gives memory of the device for partial results, by bytes."""
    outer_rank = len(bound.domain) - bound.reduced
    outer, inner = _merged(bound, range(outer_rank)), _merged(bound, range(outer_rank, len(bound.domain)))
    if not bound.reduced:
        return _elements(bound, outer, library)
    return _rows(bound, outer, inner, library, scratch)


@dataclass(frozen=True)
class Axis:
    size: int
    strides: dict[int, int]            # by access


def _merged(bound: BoundMap, axes: Sequence[int]) -> list[Axis]:
    found: list[Axis] = []
    for axis in axes:
        size = bound.domain[axis]
        if size == 1:
            continue
        here = Axis(size, {n: place.strides[axis] for n, place in bound.places.items()})
        last = found[-1] if found else None
        if last is not None and all(last.strides[n] == stride * size for n, stride in here.strides.items()):
            found[-1] = Axis(last.size * size, here.strides)
        else:
            found.append(here)
    return found


def _product(axes: Sequence[Axis]) -> int:
    count = 1
    for axis in axes:
        count *= axis.size
    return count


def _elements(bound: BoundMap, axes: list[Axis], library: Library) -> list[Launch]:
    count = _product(axes)
    if not count:
        return []
    axes = axes or [Axis(1, dict.fromkeys(bound.places, 0))]
    parts, width = parts_of(bound.program), unrolled(bound.program)
    across = _turned(bound, axes, parts) if width == UNROLLED else None
    if across is None:
        blocks = -(-count // (THREADS * width))
    else:
        axes = [*(axis for axis in axes[:-1] if axis is not across), across, axes[-1]]
        blocks = _product(axes[:-2]) * -(-across.size // TILE) * -(-axes[-1].size // TILE)
    words = [axis.size for axis in axes] + [count]
    words += _access_words(bound, axes, (*parts.element_loads, *(n for n, _ in parts.element_stores)), parts)
    shape = Shape(len(axes), narrow=count < NARROW, tiled=across is not None)
    return [_launch(bound.program, _kernel(library, without_constants(bound.program), shape), (blocks,), words)]


def _turned(bound: BoundMap, axes: list[Axis], parts: Parts) -> Axis | None:
    """The axis along which a load lies in memory, if it is another than the last one, along which others lie."""
    last, sizes = axes[-1], {n: SIZES[bound.program.loads[n]] for n in parts.element_loads}
    for n, size in sizes.items():
        for axis in axes[:-1]:
            if axis.strides[n] == size and abs(last.strides[n]) > size and min(axis.size, last.size) >= TILE // 2:
                return axis
    return None


def _launch(program: Program, ptx: str, grid: tuple[int, ...], words: list[int]) -> Launch:
    if 8 * len(words) > LARGEST_PARAMETERS:
        raise errors.UnimplementedError(
            f"a fused step of {len(program.loads)} inputs and {len(program.stores)} results has more parameters than a "
            "GPU kernel may have; set GRAPHC_FUSION=0, or run it on the CPU")
    return Launch(ptx, "gc_map", grid, (THREADS,), tuple(words))


def _access_words(bound: BoundMap, axes: Sequence[Axis], numbers: Sequence[int], parts: Parts) -> list[int]:
    words = []
    for n in (*numbers, *(n for n, _ in parts.counts)):
        words += [bound.places[n].first, *(axis.strides[n] for axis in axes)]
    loads, used = len(bound.program.loads), parts.element_values | parts.row_values
    words += [constant_bits(instr.value, instr.dtype) for k, instr in enumerate(bound.program.instrs)
              if instr.op == "const" and loads + k in used]
    return words


@dataclass(frozen=True)
class Spread:
    """How rows and their elements are spread over threads: a block has `rows` rows with `lanes` threads each, and takes
    `segment` elements of them. lanes_first: neighbouring threads work on one row."""

    rows: int
    lanes: int
    segments: int
    segment: int
    lanes_first: bool


def _spread(rows: int, cols: int, lanes_first: bool, width: int) -> Spread:
    lanes = min(THREADS, max(_power_of_two(cols) // width, 1))
    if not lanes_first:
        lanes = min(lanes, max(THREADS // min(32, _power_of_two(rows)), 1))
    block_rows = THREADS // lanes
    blocks = -(-rows // block_rows)
    segments = max(min(-(-BLOCKS // blocks), cols // (2 * lanes * width)), 1)
    segment = -(-cols // segments)
    return Spread(block_rows, lanes, -(-cols // segment) if cols else 1, max(segment, 1), lanes_first)


def _whole_rows(cols: int) -> Spread:
    lanes = min(THREADS, _power_of_two(cols))
    return Spread(THREADS // lanes, lanes, 1, max(cols, 1), True)


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 0).bit_length()


def _rows(bound: BoundMap, outer: list[Axis], inner: list[Axis], library: Library,
          scratch: Callable[[int], int]) -> list[Launch]:
    rows, cols = _product(outer), _product(inner)
    if not rows:
        return []
    parts, program = parts_of(bound.program), without_constants(bound.program)
    narrow = max(rows, cols) < NARROW
    spread = _spread(rows, cols, _along_rows(bound, outer, inner, parts),
                     unrolled(program, len(inner)))
    grid = (-(-rows // spread.rows), spread.segments)
    if spread.segments == 1:
        ptx = _kernel(library, program, Shape(len(outer), len(inner), narrow))
        return [_launch(program, ptx, grid, _row_words(bound, outer, inner, spread, rows, cols, (), parts))]
    partial = [scratch(SIZES[value_dtype(program, r)] * rows * spread.segments) for r in parts.reduces]
    ptx = _kernel(library, program, Shape(len(outer), len(inner), narrow, target="partial"))
    words = _row_words(bound, outer, inner, spread, rows, cols, partial, parts, to_rows=False)
    first = _launch(program, ptx, grid, words)
    joined = _whole_rows(spread.segments)
    ptx = _kernel(library, program, Shape(len(outer), 0, narrow, source="partial"))
    words = _row_words(bound, outer, [], joined, rows, spread.segments, partial, parts, from_elements=False)
    return [first, _launch(program, ptx, (-(-rows // joined.rows), 1), words)]


def _row_words(bound: BoundMap, outer: list[Axis], inner: list[Axis], spread: Spread, rows: int, cols: int,
               partial: Sequence[int], parts: Parts, from_elements: bool = True, to_rows: bool = True) -> list[int]:
    words = [axis.size for axis in (*outer, *inner)]
    words += [rows, cols, spread.segment, spread.lanes, spread.rows, int(spread.lanes_first), *partial]
    loads = {*(parts.element_loads if from_elements else ()), *(parts.row_loads if to_rows else ())}
    stores = [n for n, _ in (*(parts.element_stores if from_elements else ()), *(parts.row_stores if to_rows else ()))]
    return words + _access_words(bound, [*outer, *inner], (*sorted(loads), *stores), parts)


def _along_rows(bound: BoundMap, outer: list[Axis], inner: list[Axis], parts: Parts) -> bool:
    """Whether neighbours in memory are mostly elements of one row."""
    if not outer or not inner:
        return True
    sizes = {n: SIZES[bound.program.loads[n]] for n in parts.element_loads}
    along = sum(inner[-1].strides[n] == size for n, size in sizes.items())
    return along >= sum(outer[-1].strides[n] == size for n, size in sizes.items())


@lru_cache(1024)
def _kernel_of(isa: str, program: Program, shape: Shape) -> str:
    from graphc.exec.library import load_library
    text, primitives = kernel_text(program, shape)
    return make_ptx("".join([*scalar_functions(load_library(isa), primitives), text]))


def _kernel(library: Library, program: Program, shape: Shape) -> str:
    return _kernel_of(library.isa, program, shape)
