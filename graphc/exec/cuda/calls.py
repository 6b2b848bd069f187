"""Kernels of a Plan on the device, by name: each becomes maps, products, copies or a kernel of row_code.py.

CALLS is the one list of what the device has. A kernel that looks at indices has them checked by a map of its own, which
leaves their smallest and largest value where the engine looks when the run is done (Check); with a bad one it only
promises not to touch memory that is not its own.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from graphc.exec.cuda.index_code import gather_text, scatter_text
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.product_code import THREADS as PRODUCT_THREADS
from graphc.exec.cuda.product_code import Product, product_text
from graphc.exec.cuda.ptx import make_ptx
from graphc.exec.cuda.work import Clear, Copy, Launch, Work
from graphc.exec.library import Library
from graphc.kernels.contracts.dtypes import DTYPES
from graphc.plan.plan import Instr, Program

BLOCKS_WANTED = 132        # smaller tiles are taken until there are so many, which fills the larger GPUs
THREADS = 256


@dataclass(frozen=True)
class Check:
    """Indices that must lie in [0, size): their smallest and largest one stand at `place`, as int64."""

    place: int
    size: int


@dataclass
class Call:
    """A kernel's call with its sizes. operands: addresses. facts: gives memory with these bytes in it, which stays;
    scratch: gives memory of this run, by bytes; checks: what the call adds to them is looked at behind the run."""

    types: tuple[str, ...]
    operands: tuple[int, ...]
    dims: tuple[int, ...]
    attrs: tuple[int, ...]
    library: Library
    scratch: Callable[[int], int]
    facts: Callable[[bytes], int]
    checks: list[Check] = field(default_factory=list)


def _size(dtype: str) -> int:
    return DTYPES[dtype].size


def _copy(call: Call) -> list[Work]:
    x, y = call.operands
    return [Copy(y, x, call.dims[0] * _size(call.types[0]))]


def _sizes(call: Call) -> list[Work]:
    start, count = call.attrs
    size = _size(call.types[0])
    stored = struct.pack(f"<{count}{'i' if size == 4 else 'q'}", *call.dims[:count])
    return [Copy(call.operands[0] + start * size, call.facts(stored), len(stored))] if count else []


def _matmul(call: Call) -> list[Work]:
    (batch, m, n, k, a_batch, b_batch), (dtype,) = call.dims, call.types
    if not batch * m * n:
        return []
    if not k:
        return [Clear(call.operands[2], batch * m * n * _size(dtype))]
    sides = (8, 4, 2) if dtype == "f32" else (4, 2)
    products = [Product(dtype, each, bool(call.attrs[0]), bool(call.attrs[1])) for each in sides]
    blocks = [batch * -(-m // p.tile) * -(-n // p.tile) for p in products]
    chosen = next((i for i, count in enumerate(blocks) if count >= BLOCKS_WANTED), len(blocks) - 1)
    words = (*call.operands, m, n, k, a_batch, b_batch, m * n)
    ptx = make_ptx(product_text(products[chosen]))
    return [Launch(ptx, "gc_product", (blocks[chosen],), (PRODUCT_THREADS,), words)]


# Kernels over rows, written as maps: x[rows, cols], and values that there is one of for each row

def _map(call: Call, program: Program, domain: Sequence[int], reduced: int,
         places: Sequence[tuple[int, Sequence[int]]]) -> list[Launch]:
    """places: address and strides in elements of each load and store; of an index value (0, its strides)."""
    accesses = {}
    for number, (address, strides) in enumerate(places):
        loads, stores = len(program.loads), len(program.stores)
        if number < loads:
            size = _size(program.loads[number])
        elif number < loads + stores:
            value = program.stores[number - loads]
            size = _size(program.loads[value] if value < loads else program.instrs[value - loads].dtype)
        else:
            size = 1
        accesses[number] = Place(address, tuple(s * size for s in strides))
    return launches(BoundMap(program, tuple(domain), reduced, accesses), call.library, call.scratch)


class _Builder:
    """Writes a Program: loads first, then instructions; a value is its number."""

    def __init__(self, *loads: str) -> None:
        self.loads, self.instrs = loads, []  # type: tuple[str, ...], list[Instr]

    def __call__(self, op: str, dtype: str, *args: int, value: float = 0) -> int:
        self.instrs.append(Instr(op, dtype, args, value))
        return len(self.loads) + len(self.instrs) - 1

    def program(self, *stores: int) -> Program:
        return Program(self.loads, tuple(self.instrs), stores)


def _row_maximum(call: Call, x: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the largest element of each row, where it stands)."""
    dtype = call.types[0]
    b = _Builder(dtype)
    greatest = call.scratch(rows * _size(dtype))
    return list(_map(call, b.program(b("reduce.max", dtype, 0)), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0))])), greatest


def _softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    scale = call.scratch(rows * _size(dtype))
    b = _Builder(dtype, dtype)
    e = b("exp", dtype, b("sub", dtype, 0, 1))
    total = b("div", dtype, b("const", dtype, value=1.0), b("reduce.add", dtype, e))
    work += _map(call, b.program(e, total), (rows, cols), 1,
                 [(x, (cols, 1)), (greatest, (1, 0)), (y, (cols, 1)), (scale, (1, 0))])
    b = _Builder(dtype, dtype)
    return work + _map(call, b.program(b("mul", dtype, 0, 1)), (rows, cols), 0,
                       [(y, (cols, 1)), (scale, (1, 0)), (y, (cols, 1))])


def _logarithm(call: Call, x: int, greatest: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the logarithm of the sum of exp(x - greatest) of each row, where it stands)."""
    dtype = call.types[0]
    found = call.scratch(rows * _size(dtype))
    b = _Builder(dtype, dtype)
    total = b("reduce.add", dtype, b("exp", dtype, b("sub", dtype, 0, 1)))
    return list(_map(call, b.program(b("log", dtype, total)), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0)), (found, (1, 0))])), found


def _log_softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    b = _Builder(dtype, dtype, dtype)
    return work + more + _map(call, b.program(b("sub", dtype, b("sub", dtype, 0, 1), 2)), (rows, cols), 0,
                              [(x, (cols, 1)), (greatest, (1, 0)), (logarithm, (1, 0)), (y, (cols, 1))])


def _losses(call: Call, sparse: bool) -> list[Work]:
    """loss = sum of p (log sum - (x - max)) over a row, gradient = softmax - p; sparse: p is 1 at the row's label."""
    (x, labels, loss, gradient), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    if not cols:
        return [Clear(loss, rows * _size(dtype))]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    label = call.types[1] if sparse else dtype
    b = _Builder(dtype, dtype, dtype, label)
    less = b("sub", dtype, b("sub", dtype, 0, 1), 2)               # the logarithm of the softmax
    zero = b("const", dtype, value=0.0)
    if sparse:
        hit = b("equal", "bool", b("index", label, value=1), 3)
        weight = b("select", dtype, hit, b("const", dtype, value=1.0), zero)
        part = b("select", dtype, hit, b("neg", dtype, less), zero)
    else:
        weight = 3
        part = b("select", dtype, b("not_equal", "bool", weight, zero), b("mul", dtype, weight, b("neg", dtype, less)),
                 zero)
    backward = b("sub", dtype, b("exp", dtype, less), weight)
    program = b.program(backward, b("reduce.add", dtype, part))
    places = [(x, (cols, 1)), (greatest, (1, 0)), (logarithm, (1, 0)), (labels, (1, 0) if sparse else (cols, 1)),
              (gradient, (cols, 1)), (loss, (1, 0)), *([(0, (0, 1))] if sparse else [])]
    return work + more + _map(call, program, (rows, cols), 1, places)


def _sparse_losses(call: Call) -> list[Work]:
    return [*_checked(call, call.operands[1], call.dims[0], call.types[1], call.dims[1]), *_losses(call, sparse=True)]


def _checked(call: Call, indices: int, count: int, dtype: str, size: int) -> list[Work]:
    """What notes the smallest and the largest index; none at all is no bad one."""
    if not count:
        return []
    place = call.scratch(16)
    call.checks.append(Check(place, size))
    b = _Builder(dtype)
    wide = 0 if dtype == "i64" else b("cast", "i64", 0)
    program = b.program(b("reduce.min", "i64", wide), b("reduce.max", "i64", wide))
    return list(_map(call, program, (count,), 1, [(indices, (1,)), (place, (0,)), (place + 8, (0,))]))


def _gather(call: Call) -> list[Work]:
    (params, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    elements = outer * count * inner
    if not elements or not axis:
        return _checked(call, indices, count, index, axis)
    ptx = make_ptx(gather_text(_size(element), index))
    words = (params, indices, out, elements, axis, inner, count)
    return [*_checked(call, indices, count, index, axis),
            Launch(ptx, "gc_gather", (-(-elements // THREADS),), (THREADS,), words)]


def _scatter_add(call: Call) -> list[Work]:
    (updates, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    work = [*_checked(call, indices, count, index, axis), Clear(out, outer * axis * inner * _size(element))]
    if outer * axis * inner * count:
        ptx = make_ptx(scatter_text(element, index))
        words = (updates, indices, out, outer * inner, axis, inner, count)
        work.append(Launch(ptx, "gc_scatter_add", (-(-outer * inner // THREADS),), (THREADS,), words))
    return work


CALLS: dict[str, Callable[[Call], Sequence[Work]]] = {
    "copy": _copy, "sizes": _sizes, "matmul": _matmul, "softmax": _softmax, "log_softmax": _log_softmax,
    "softmax_cross_entropy": lambda call: _losses(call, sparse=False), "sparse_softmax_cross_entropy": _sparse_losses,
    "gather": _gather, "scatter_add": _scatter_add,
}
STATE_CHECK, STATE_MARK = "state_check", "state_mark"          # on the host: what is known of variables stands there
CHECKING = frozenset({"sparse_softmax_cross_entropy", "gather", "scatter_add"})
