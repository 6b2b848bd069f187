"""What looks at whole rows on the device: softmax and the losses on it, in one pass over rows that fit into registers;
and, as maps over x[rows, cols] and over values of rows, of longer ones; where the greatest element stands (of a few
long rows by maps), and whether a class is among the best."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, blocks, checked, map_work, size_of
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import extremes, softmaxes
from graphc.exec.cuda.code.builder import THREADS
from graphc.exec.cuda.code.warps import WARP
from graphc.exec.cuda.work import Clear, Work
from graphc.kernels.contracts.dtypes import FLOATS, WIDENED

SHORTEST_SHARE, LARGEST_SHARE = 4, 128         # elements, bytes of a row that a thread has
LONG_LINE = 256                                # elements of a thread; longer lines are cut, unless there are
MANY_THREADS = 1 << 16


def _row_maximum(call: Call, x: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the largest element of each row of the first operand, where it stands)."""
    dtype = call.types[0]
    b = ProgramBuilder(call.stored_as(0))
    greatest = call.scratch(rows * size_of(dtype))
    return list(map_work(call, b.program(b("reduce.max", dtype, b.as_type(dtype, 0))), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0))])), greatest


def _one_pass(call: Call, label: str | None = None, logarithm: bool = False) -> list[Work] | None:
    """The kernel that has rows in registers; None if they are too long. label: as in code/softmaxes.py, of losses."""
    (rows, cols), dtype = call.dims, call.types[0]
    if not rows * cols:
        return []
    lanes = min(max(_power_of_two(cols) // SHORTEST_SHARE, 1), THREADS)
    each = _power_of_two(-(-cols // lanes))
    if each * size_of(dtype) > LARGEST_SHARE:
        return None
    shape = softmaxes.Rows(dtype, lanes, each, call.stored_as(0), call.stored_as(1) if label is None else dtype)
    kernel = softmaxes.softmax(shape, logarithm) if label is None else softmaxes.losses(shape, label)
    return blocks(call, kernel, (-(-rows * lanes // THREADS),), *call.operands, rows, cols)


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 0).bit_length()


def softmax(call: Call) -> list[Work]:
    return _passes_of_softmax(call) if (work := _one_pass(call)) is None else work


def log_softmax(call: Call) -> list[Work]:
    return _passes_of_log_softmax(call) if (work := _one_pass(call, logarithm=True)) is None else work


def losses(call: Call) -> list[Work]:
    return _losses(call, sparse=False)


def sparse_losses(call: Call) -> list[Work]:
    return [*checked(call, call.operands[1], call.dims[0], call.types[1], call.dims[1]), *_losses(call, sparse=True)]


def _losses(call: Call, sparse: bool) -> list[Work]:
    rows, cols = call.dims
    if not cols:
        return [Clear(call.operands[2], rows * size_of(call.types[0]))]
    work = _one_pass(call, label=call.types[1] if sparse else "")
    return _passes_of_losses(call, sparse) if work is None else work


# Of long rows: maps

def _passes_of_softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    scale, result = call.scratch(rows * size_of(dtype)), call.stored_as(1)
    powers = y if result == dtype else call.scratch(rows * cols * size_of(dtype))
    b = ProgramBuilder(call.stored_as(0), dtype)
    e = b("exp", dtype, b("sub", dtype, b.as_type(dtype, 0), 1))
    total = b("div", dtype, b("const", dtype, value=1.0), b("reduce.add", dtype, e))
    work += map_work(call, b.program(e, total), (rows, cols), 1,
                 [(x, (cols, 1)), (greatest, (1, 0)), (powers, (cols, 1)), (scale, (1, 0))])
    b = ProgramBuilder(dtype, dtype)
    return work + map_work(call, b.program(b.as_type(result, b("mul", dtype, 0, 1))), (rows, cols), 0,
                       [(powers, (cols, 1)), (scale, (1, 0)), (y, (cols, 1))])


def _logarithm(call: Call, x: int, greatest: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the logarithm of the sum of exp(x - greatest) of each row, where it stands)."""
    dtype = call.types[0]
    found = call.scratch(rows * size_of(dtype))
    b = ProgramBuilder(call.stored_as(0), dtype)
    total = b("reduce.add", dtype, b("exp", dtype, b("sub", dtype, b.as_type(dtype, 0), 1)))
    return list(map_work(call, b.program(b("log", dtype, total)), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0)), (found, (1, 0))])), found


def _passes_of_log_softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    b = ProgramBuilder(call.stored_as(0), dtype, dtype)
    made = b("sub", dtype, b("sub", dtype, b.as_type(dtype, 0), 1), 2)
    return work + more + map_work(call, b.program(b.as_type(call.stored_as(1), made)), (rows, cols), 0,
                              [(x, (cols, 1)), (greatest, (1, 0)), (logarithm, (1, 0)), (y, (cols, 1))])


def _passes_of_losses(call: Call, sparse: bool) -> list[Work]:
    """loss = sum of p (log sum - (x - max)) over a row, gradient = softmax - p; sparse: p is 1 at the row's label."""
    (x, labels, loss, gradient), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    label = call.types[1] if sparse else dtype
    b = ProgramBuilder(dtype, dtype, dtype, label)
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
    return work + more + map_work(call, program, (rows, cols), 1, places)


def _extreme(call: Call, greatest: bool) -> list[Work]:
    """Where the best element stands, the first of equals. NaNs are passed over; 0 where there is nothing but them and
    the worst infinity."""
    (x, out), (outer, n, inner), (dtype, index) = call.operands, call.dims, call.types
    if not outer * n * inner:
        return []
    kind, lines = WIDENED.get(dtype, dtype), outer * inner
    lanes = min(_power_of_two(-(-n // SHORTEST_SHARE)), WARP) if inner == 1 else 1
    if kind == dtype and (n <= LONG_LINE * lanes or lines * lanes >= MANY_THREADS):
        kernel = extremes.extreme(dtype, index, greatest, lanes, lines < NARROW)
        return blocks(call, kernel, (-(-lines * lanes // THREADS),), x, out, lines, n, inner)
    domain, of_x, of_rows = (outer, inner, n), (n * inner, 1, inner), (inner, 1, 0)
    best = call.scratch(outer * inner * size_of(kind))

    def element(b: ProgramBuilder) -> int:
        return 0 if kind == dtype else b("cast", kind, 0)

    b = ProgramBuilder(dtype)
    value = element(b)
    worst = b("const", kind, value=float("-inf") if greatest else float("inf")) if dtype in FLOATS else value
    known = b("select", kind, b("equal", "bool", value, value), value, worst)
    program = b.program(b("reduce.max" if greatest else "reduce.min", kind, known))
    work = list(map_work(call, program, domain, 1, [(x, of_x), (best, of_rows)]))
    b = ProgramBuilder(dtype, kind)
    found = b("equal", "bool", element(b), 1)
    place = b("select", "i64", found, b("index", "i64", value=2), b("const", "i64", value=n))
    first = b("reduce.min", "i64", place)
    none = b("const", "i64", value=0)
    nothing = b("equal", "bool", first, b("const", "i64", value=n))
    if dtype in FLOATS:
        worst = b("const", kind, value=float("-inf") if greatest else float("inf"))
        nothing = b("or", "bool", nothing, b("equal", "bool", 1, worst))
    made = b("select", "i64", nothing, none, first)
    program = b.program(made if index == "i64" else b("cast", index, made))
    return [*work, *map_work(call, program, domain, 1, [(x, of_x), (best, of_rows), (out, of_rows), (0, (0, 0, 1))])]


def argmax(call: Call) -> list[Work]:
    return _extreme(call, True)


def argmin(call: Call) -> list[Work]:
    return _extreme(call, False)


def in_top_k(call: Call) -> list[Work]:
    """Whether the target is a class, all predictions of the row are finite and fewer than k greater than its."""
    (predictions, targets, out), (rows, classes, k), index = call.operands, call.dims, call.types[0]
    if not rows * classes:
        return [Clear(out, rows)]
    wanted = call.scratch(4 * rows)
    b = ProgramBuilder("f32", index)
    hit = b("equal", "bool", b("index", index, value=1), 1)
    program = b.program(b("reduce.max", "f32", b("select", "f32", hit, 0, b("const", "f32", value=float("-inf")))))
    of_rows = (1, 0)
    work = list(map_work(call, program, (rows, classes), 1, [
        (predictions, (classes, 1)), (targets, of_rows), (wanted, of_rows), (0, (0, 1))]))
    b = ProgramBuilder("f32", "f32", index)
    zero = b("const", "f32", value=0.0)
    finite = b("reduce.and", "bool", b("equal", "bool", b("sub", "f32", 0, 0), zero))
    greater = b("reduce.add", "i64", b("cast", "i64", b("less", "bool", 1, 0)))
    few = b("less", "bool", greater, b("const", "i64", value=k))
    there = b("less", "bool", 2, b("const", index, value=classes))
    there = b("and", "bool", there, b("less_equal", "bool", b("const", index, value=0), 2))
    program = b.program(b("and", "bool", b("and", "bool", finite, few), there))
    return [*work, *map_work(call, program, (rows, classes), 1, [
        (predictions, (classes, 1)), (wanted, of_rows), (targets, of_rows), (out, of_rows)])]
