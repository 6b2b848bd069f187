"""Sets along the last axis of dense and sparse tensors: DenseToDenseSetOperation, DenseToSparseSetOperation,
SparseToSparseSetOperation, SetSize. A set is what differs in a row; results hold its elements in ascending order."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, int8, int16, int32, int64, uint8, uint16
from graphc.ir.known import own_symbol, regrouped
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.refuse import require_none
from graphc.ops.sparse.cases import check_inside, int64s
from graphc.ops.sparse.parts import (
    BEHIND,
    check_parts,
    checked,
    first_of_groups,
    joined,
    numbered,
    part,
    places_of,
    positions,
    row_groups,
    row_order,
    take,
)

TYPES = (int8, int16, int32, int64, uint8, uint16)
OPERATIONS = ("a-b", "b-a", "intersection", "union")


def check_set_dtype(op: Op, name: str, dtype: DType) -> None:
    if dtype not in TYPES:
        raise TypeError(f"argument '{name}' has dtype {dtype.name}, but {op.type} takes "
                        f"{', '.join(d.name for d in TYPES)}; cast it (gc.cast)")


# Steps: the elements of all sets as rows of int64, the indices of the set and then the element.

def dense_rows(b: Any, x: Any) -> Any:
    rows, rank = b.temporary(int64, (*x.shape, x.rank)), x.rank
    for axis in range(rank - 1):
        b.map(lambda s, axis=axis: s.index(axis), [], [rows.select(rank, axis)])
    b.map(lambda s, v: s.cast(v, int64), [x], [rows.select(rank, rank - 1)])
    return b.reshape(rows, (dims.product(x.shape), rank))


def sparse_rows(b: Any, indices: Any, values: Any, shape: Any, ordered: bool) -> Any:
    rows, last = b.temporary(int64, indices.shape), indices.shape[1] - 1
    b.copy(checked(b, indices, shape, ordered), rows)
    b.map(lambda s, v: s.cast(v, int64), [values], [rows.select(1, last)])
    return rows


def distinct(b: Any, rows: Any, count: Size) -> Any:
    """The rows that differ, in ascending order; `count`, a symbol, becomes known."""
    group, found = row_groups(b, rows, row_order(b, rows), rows.shape[1])
    b.bind(found, [count])
    return take(b, rows, first_of_groups(b, group, count))


def without(b: Any, rows: Any, table: Any, kept: bool, count: Size) -> Any:
    """The rows that the table has (kept), or has not, those that differ in ascending order; `count`, a symbol, becomes
    known. In that order they are found the quickest."""
    rows = distinct(b, rows, dims.symbol("distinct", ("runtime", "distinct")))
    place, mask = b.temporary(int64, rows.shape[:1]), b.temporary(bool_, rows.shape[:1])
    b.call("find_rows", [rows, table, row_order(b, table), place], [rows.shape[0], table.shape[0], rows.shape[1]])
    b.map(lambda s, i: s("less", s.constant(-1, int64), i) if kept else s("less", i, s.constant(0, int64)), [place],
          [mask])
    return take(b, rows, positions(b, mask, count))


class _SetOperation(Op):
    """One of a-b, b-a, intersection and union of the sets of two tensors, as a sparse tensor."""

    checks_data = True
    refusal = BEHIND
    results: ClassVar[tuple[str, ...]] = ("result_indices", "result_values", "result_shape")
    set_operation: str
    validate_indices: bool
    dense: ClassVar[int]              # how many of the two are dense tensors, the first ones

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[0 if self.dense else 1].dtype, int64

    def pair(self, inputs: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The operands of both tensors."""
        if self.dense == 2:
            return [(inputs[0],), (inputs[1],)]
        return [tuple(inputs[:1]), tuple(inputs[1:])] if self.dense else [tuple(inputs[:3]), tuple(inputs[3:])]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        if self.set_operation not in OPERATIONS:
            raise ValueError(f"set_operation must be one of {', '.join(OPERATIONS)}, but is {self.set_operation!r}")
        ranks: list[Size] = []
        kinds: list[tuple[str, DType]] = []
        position = 0
        for parts in self.pair(inputs):
            values = parts[0 if len(parts) == 1 else 1]
            kinds.append((self.operands[position + (0 if len(parts) == 1 else 1)], values.dtype))
            check_set_dtype(self, *kinds[-1])
            if len(parts) == 3:
                ranks.append(check_parts(self, *parts, first=position)[1])
            elif values.shape is not None:
                ranks.append(len(values.shape))
            position += len(parts)
        if kinds[0][1] != kinds[1][1]:
            raise TypeError(f"argument '{kinds[1][0]}' has dtype {kinds[1][1].name}, but '{kinds[0][0]}' has "
                            f"{kinds[0][1].name}; cast one of them (gc.cast)")
        rank: Size = own_symbol(self, "rank")
        for found in ranks:
            rank = require_equal(ranks[0], found, "both must have one number of axes: that of set1 and of set2")
        if isinstance(rank, int) and rank < 2:
            raise ValueError(f"sets stand along the last axis, so a rank of at least 2 is needed, not {rank}")
        if self.dense == 2 and inputs[0].shape is not None and inputs[1].shape is not None:
            for m, n in zip(inputs[0].shape[:-1], inputs[1].shape[:-1], strict=True):
                require_equal(m, n, f"set1 of shape {text(inputs[0].shape)} and set2 of shape {text(inputs[1].shape)} "
                              "must have one shape but for their last axes")
        count = own_symbol(self, "count")
        return Spec(int64, (count, rank)), Spec(kinds[0][1], (count,)), Spec(int64, (rank,))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        half = {2: 1, 1: 1, 0: 3}[self.dense]
        both = inputs[:half], inputs[half:]
        one, two = (_sets(parts, self.validate_indices) for parts in both)
        shape, other = ((parts[0].shape if len(parts) == 1 else tuple(parts[2].tolist())) for parts in both)
        if shape[:-1] != other[:-1]:
            raise InvalidArgumentError("shapes differ")
        rows, values, longest = [], [], 0
        for place in sorted({*one, *two}):
            a, b = one.get(place, set()), two.get(place, set())
            found = sorted({"a-b": a - b, "b-a": b - a, "intersection": a & b, "union": a | b}[self.set_operation])
            rows += [(*place, i) for i in range(len(found))]
            values += found
            longest = max(longest, len(found))
        dtype = inputs[0 if self.dense else 1].dtype
        return int64s(rows).reshape(-1, len(shape)), np.array(values, dtype), int64s([*shape[:-1], longest])

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        pair = self.pair(inputs)
        one, two = (dense_rows(b, *p) if len(p) == 1 else sparse_rows(b, *p, self.validate_indices) for p in pair)
        sizes = self._lead(b, pair, outputs[2])
        count = outputs[1].shape[0]
        if self.set_operation == "union":
            rows = distinct(b, joined(b, [one, two]), count)
        elif self.set_operation == "b-a":
            rows = without(b, two, one, False, count)
        else:
            rows = without(b, one, two, self.set_operation == "intersection", count)
        self._number(b, rows, outputs, sizes)

    def _lead(self, b: Any, pair: Sequence[Any], y: Any) -> Size:
        """The shape of the results but for its last size goes to y; its length but for that."""
        shapes = []
        for parts in pair:
            if len(parts) == 3:
                shapes.append(parts[2])
            else:
                shapes.append(b.temporary(int64, (parts[0].rank,)))
                b.store_sizes(parts[0].shape, shapes[-1])
        lead = y.shape[0] - 1
        require_none(b, lambda s, m, n: s("not_equal", m, n), [x.part(0, 0, lead) for x in shapes], (lead,),
                     "set1 and set2 must have one shape but for their last axes: sizes that differ")
        b.copy(shapes[0], y)
        return lead

    def _number(self, b: Any, rows: Any, outputs: Any, lead: Size) -> None:
        """Elements of one set get the numbers 0, 1, ... in place of themselves."""
        indices, values, shape = outputs
        count = values.shape[0]
        order, sets = numbered(b, count), dims.symbol("sets", ("runtime", "sets"))
        group, found = row_groups(b, rows, order, lead)
        b.bind(found, [sets])
        begin = take(b, first_of_groups(b, group, sets), group)
        b.copy(rows, indices)
        b.map(lambda s, at, first: s("sub", at, first), [order, begin], [indices.select(1, lead)])
        b.map(lambda s, v: s.cast(v, values.dtype), [rows.select(1, lead)], [values])
        longest = b.temporary(int64, ())
        b.reduce("max", indices.select(1, lead), longest, (0,))
        b.map(lambda s, n: s("add", s("max", n, s.constant(-1, int64)), s.constant(1, int64)), [longest.expand(0)],
              [shape.part(0, lead, 1)])

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def _sets(parts: Sequence[np.ndarray], ordered: bool) -> dict[tuple[int, ...], set[int]]:
    """For the reference: by the indices of each set its elements."""
    found: dict[tuple[int, ...], set[int]] = {}
    if len(parts) == 1:
        for place in np.ndindex(parts[0].shape):
            found.setdefault(place[:-1], set()).add(int(parts[0][place]))
        return found
    check_inside(parts[0], parts[2], ordered)
    for row, value in zip(parts[0].tolist(), parts[1].tolist(), strict=True):
        found.setdefault(tuple(row[:-1]), set()).add(value)
    return found


_A, _B = np.array([[3, 1, 3], [9, 7, 0]], np.int32), np.array([[1, 4], [0, 0]], np.int32)
_SPARSE_A = (int64s([[0, 0], [0, 2], [1, 0], [1, 3]]), np.array([3, 3, 9, 1], np.int32), int64s([2, 4]))
_SPARSE_B = (int64s([[0, 1], [1, 0], [1, 2]]), np.array([1, 9, 2], np.int32), int64s([2, 3]))
_NONE = (np.zeros((0, 2), np.int64), np.zeros(0, np.int32), int64s([2, 3]))


def _samples(pairs: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> list[Sample]:
    made = [Sample({"set_operation": o}, (*a, *b), gradient=False) for a, b in pairs for o in OPERATIONS]
    a, b = pairs[0]
    return made + [Sample({"set_operation": "union"}, tuple(x.astype(d.numpy) if x.dtype == np.int32 else x
                                                            for x in (*a, *b)), gradient=False) for d in TYPES]


@register
class DenseToDenseSetOperation(_SetOperation):
    """a-b, b-a, intersection or union of the rows of two dense tensors, as a sparse one"""

    operands = ("set1", "set2")
    types: ClassVar = {"T": "set1"}
    dense = 2
    set_operation: str = attr("string")
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = _samples([((_A,), (_B,)), ((_A[:, :0],), (_B,)), ((_A[:0],), (_B[:0],)),
                                  ((_A.reshape(2, 1, 3),), (_B.reshape(2, 1, 2),))])


@register
class DenseToSparseSetOperation(_SetOperation):
    """a-b, b-a, intersection or union of the rows of a dense and of a sparse tensor, as a sparse one"""

    operands = ("set1", "set2_indices", "set2_values", "set2_shape")
    types: ClassVar = {"T": "set1"}
    dense = 1
    set_operation: str = attr("string")
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = _samples([((_A,), _SPARSE_B), ((_A,), _NONE)])


@register
class SparseToSparseSetOperation(_SetOperation):
    """a-b, b-a, intersection or union of the rows of two sparse tensors, as a sparse one"""

    operands = ("set1_indices", "set1_values", "set1_shape", "set2_indices", "set2_values", "set2_shape")
    types: ClassVar = {"T": "set1_values"}
    dense = 0
    set_operation: str = attr("string")
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = _samples([(_SPARSE_A, _SPARSE_B), (_NONE, _SPARSE_B), (_NONE, _NONE)])


@register
class SetSize(Op):
    """How many elements each set of a sparse tensor has."""

    checks_data = True
    refusal = BEHIND
    operands = ("set_indices", "set_values", "set_shape")
    results = ("size",)
    types: ClassVar = {"T": "set_values"}
    set_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = [Sample({"set_shape": tuple(int(n) for n in p[2])}, p[:2])
                         for p in (_SPARSE_A, _SPARSE_B, _NONE)] + [
        Sample({"set_shape": (2, 2, 3)}, (int64s([[0, 1, 0], [0, 1, 2], [1, 0, 1]]), np.array([5, 5, 6], d.numpy)))
        for d in TYPES]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (int32,)

    def infer(self, indices: Spec, values: Spec) -> Spec:
        check_set_dtype(self, "set_values", values.dtype)
        check_parts(self, indices, values, Spec(int64, (len(self.set_shape),)))
        if len(self.set_shape) < 2:
            raise ValueError(f"sets stand along the last axis, so a rank of at least 2 is needed, not "
                             f"{len(self.set_shape)}")
        return Spec(int32, self.set_shape[:-1])

    def reference(self, indices: np.ndarray, values: np.ndarray) -> np.ndarray:
        made = np.zeros(self.set_shape[:-1], np.int32)  # type: ignore[arg-type]
        shape = int64s(self.set_shape)
        for place, found in _sets((indices, values, shape), self.validate_indices).items():
            made[place] = len(found)
        return made

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rank = len(self.set_shape)
        sizes, y = b.temporary(int64, (rank,)), regrouped(outputs[0], (dims.product(self.set_shape[:-1]),))
        b.store_sizes(self.set_shape, sizes)
        elements = dims.symbol("elements", ("runtime", "elements"))
        rows = distinct(b, sparse_rows(b, *inputs, sizes, self.validate_indices), elements)
        lead, ones = b.temporary(int64, (rows.shape[0], rank - 1)), b.temporary(int32, rows.shape[:1])
        b.copy(rows.part(1, 0, rank - 1), lead)
        b.fill(ones, 1)
        places = places_of(b, lead, part(b, sizes, 0, rank - 1))
        b.call("scatter_add", [ones, places, y], [1, y.shape[0], 1, rows.shape[0]])

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        return [None] * 3
