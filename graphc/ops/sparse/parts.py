"""What ops on sparse tensors share: checks of the three parts, and steps on index tuples.

A sparse tensor is indices (int64 [n, rank]), values ([n]) and shape (int64 [rank]). Where n or the rank is not known
while the graph is built, sizes of the op's own stand for them.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.dims import Size
from graphc.ir.dtypes import int64
from graphc.ir.elementwise import check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Op
from graphc.ir.spec import Spec, require_equal

UNSORTED = ("the indices are out of order or repeated; many sparse ops require sorted indices without repetition: "
            "gc.sparse.reorder makes an ordered copy")
BEHIND = f"{UNSORTED}; the row, and 1 if it is out of order, 0 if it is repeated: ({{0}}, {{1}})"


def check_int64(name: str, spec: Spec, rank: int) -> None:
    """Raises TypeError or ValueError unless it is of int64 and, as far as is known, of that rank."""
    if spec.dtype != int64:
        raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but must be int64; cast it (gc.cast)")
    check_rank(name, spec, rank)


def agreed(op: Op, sizes: Sequence[tuple[str, Size | None]], what: str) -> Size:
    """The one size that those all are (None: not known), or a size of the op's own."""
    known = [(name, size) for name, size in sizes if size is not None]
    if not known:
        return own_symbol(op, what)
    result = known[0][1]
    for name, size in known[1:]:
        result = require_equal(result, size, f"{what} of '{known[0][0]}' and of '{name}'")
    return result


def axis_of(spec: Spec, axis: int) -> Size | None:
    return None if spec.shape is None else spec.shape[axis]


def check_parts(op: Op, indices: Spec, values: Spec | None, shape: Spec, first: int = 0) -> tuple[Size, Size]:
    """(n, rank) of a sparse tensor, whose parts are the operands from number `first` on. values None: it has none."""
    names = [name.rstrip("*") for name in op.operands[first:first + (2 if values is None else 3)]]
    check_int64(names[0], indices, 2)
    check_int64(names[-1], shape, 1)
    counts = [(names[0], axis_of(indices, 0))]
    if values is not None:
        check_rank(names[1], values, 1)
        counts.append((names[1], axis_of(values, 0)))
    ranks = [(names[0], axis_of(indices, 1)), (names[-1], axis_of(shape, 0))]
    return agreed(op, counts, f"the number of elements (operand {first})"), agreed(op, ranks, "the number of axes")


def value_at(op: Op, shape: Spec, axis: int, what: str) -> Size:
    """An element of a shape operand, or a size of the op's own (`StepBuilder.bind_unknown` makes it known)."""
    if shape.value is None or not isinstance(axis, int) or not -len(shape.value) <= axis < len(shape.value):
        return own_symbol(op, what)
    return shape.value[axis]


# Steps

def row_order(b: Any, rows: Any) -> Any:
    """The order in which the rows of an int64 matrix ascend; equal ones stay in theirs."""
    order = b.temporary(int64, rows.shape[:1])
    b.call("row_order", [rows, order], rows.shape)
    return order


def row_groups(b: Any, rows: Any, order: Any, width: Size) -> tuple[Any, Any]:
    """(number of each row's group, count of groups): rows that agree in their first `width` columns."""
    group, count = b.temporary(int64, rows.shape[:1]), b.temporary(int64, (1,))
    b.call("row_groups", [rows, order, group, count], [*rows.shape, width])
    return group, count


def take(b: Any, x: Any, places: Any, y: Any | None = None) -> Any:
    """The rows of x at places, in y if it is given."""
    y = b.temporary(x.dtype, (places.shape[0], *x.shape[1:])) if y is None else y
    inner: Size = 1
    for size in x.shape[1:]:
        inner = inner * size
    b.call("gather", [x, places, y], [1, x.shape[0], inner, places.shape[0]])
    return y


def put(b: Any, updates: Any, places: Any, y: Any) -> None:
    """Writes rows into y, of which places are the numbers; of several for one the last."""
    inner: Size = 1
    for size in y.shape[1:]:
        inner = inner * size
    b.call("scatter_nd", [places, updates, y], [1, places.shape[0], inner, y.shape[0], *[1] * 6], [1, 0])


def numbered(b: Any, count: Size) -> Any:
    """0, 1, ..., count - 1."""
    made = b.temporary(int64, (count,))
    b.map(lambda s: s.index(0), [], [made])
    return made


def first_of_groups(b: Any, group: Any, count: Size) -> Any:
    """One row of each group: the first that stands in it."""
    first = b.temporary(int64, (count,))
    b.fill(first, 0)
    n = group.shape[0]
    backwards = numbered(b, n).reverse([0])
    put(b, b.contiguous(backwards), b.contiguous(group.reverse([0])), first)
    return first


def positions(b: Any, mask: Any, count: Size) -> Any:
    """Where a mask is true; `count`, a symbol, becomes known."""
    total, found = b.temporary(int64, ()), b.temporary(int64, (count,))
    b.reduce("add", mask, total, (0,), element=lambda s, flag: s.cast(flag, int64))
    b.bind(total, [count])
    b.call("nonzero", [mask, found], [mask.shape[0], count])
    return found


def joined(b: Any, parts: Sequence[Any]) -> Any:
    """The parts, one after the other along the first axis."""
    total: Size = 0
    for part in parts:
        total = total + part.shape[0]
    made, begin = b.temporary(parts[0].dtype, (total, *parts[0].shape[1:])), 0
    for part in parts:
        b.copy(part, made.part(0, begin, part.shape[0]))
        begin = begin + part.shape[0]
    return made


def part(b: Any, x: Any, begin: Size, size: Size) -> Any:
    """A copy of `size` elements of a vector: kernels take whole buffers."""
    made = b.temporary(x.dtype, (size,))
    b.copy(x.part(0, begin, size), made)
    return made


def checked(b: Any, indices: Any, shape: Any, ordered: bool = False) -> Any:
    """The indices, after a look whether all of them are inside `shape` (and ascend)."""
    made = b.temporary(int64, indices.shape)
    b.call("check_rows", [indices, shape, made], indices.shape, [int(ordered)])
    return made


def strides_of(b: Any, shape: Any) -> Any:
    """How far apart, row-major, neighbours along each axis of a tensor of that shape are."""
    strides = b.temporary(int64, shape.shape)
    b.call("cumprod", [shape, strides], [1, shape.shape[0], 1], [1, 1])
    return strides


def places_of(b: Any, indices: Any, shape: Any) -> Any:
    """The row-major number of each index tuple in a tensor of that shape."""
    steps, places = b.temporary(int64, indices.shape), b.temporary(int64, indices.shape[:1])
    b.map(lambda s, i, stride: s("mul", i, stride), [indices, strides_of(b, shape).broadcast(indices.shape)], [steps])
    b.reduce("add", steps, places, (1,))
    return places
