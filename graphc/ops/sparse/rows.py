"""Index tuples as rows of a matrix: their order, their groups, where they stand in others, what they name in a dense
tensor. graphc's own ops, of which TF's ops on sparse tensors and their gradients are made."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import int64
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.refuse import require_none
from graphc.ops.sparse.cases import SPARSE, check_inside, int64s
from graphc.ops.sparse.parts import axis_of, check_int64, check_parts, checked, row_groups, row_order

_ROWS = [int64s([[2, 1], [0, 5], [2, 0], [0, 5], [1, 9]]), int64s([[3], [-1], [3]]), np.zeros((0, 3), np.int64),
         int64s([[1, 2, 3]])]


class _OfRows(Op):
    """An int64 for each row of a matrix of int64."""

    operands: ClassVar[tuple[str, ...]] = ("rows",)
    samples: ClassVar[Sequence[Sample]] = [Sample({}, (rows,), gradient=False) for rows in _ROWS]

    def infer(self, *inputs: Spec) -> Spec:
        check_int64("rows", inputs[0], 2)
        count = axis_of(inputs[0], 0)
        return Spec(int64, (own_symbol(self, "rows") if count is None else count,))

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


@register
class _RowOrder(_OfRows):
    """The order in which the rows ascend lexicographically; equal ones stay in theirs."""

    def reference(self, rows: np.ndarray) -> np.ndarray:
        return np.array(sorted(range(len(rows)), key=lambda i: tuple(rows[i])), np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call("row_order", [inputs[0], outputs[0]], inputs[0].shape)


@register
class _RowGroups(_OfRows):
    """The number of each row's group, in ascending order: rows that agree, but for their last `dropped` columns."""

    checks_data = True
    dropped: int = attr("int", 0)
    samples: ClassVar = [Sample({"dropped": n}, (rows,), gradient=False) for rows in _ROWS for n in (0, 1)]

    def reference(self, rows: np.ndarray) -> np.ndarray:
        if self.dropped > rows.shape[1]:
            raise InvalidArgumentError(f"there are {rows.shape[1]} columns, fewer than {self.dropped}")
        kept = [tuple(row[:len(row) - self.dropped]) for row in rows.tolist()]
        known = sorted(set(kept))
        return np.array([known.index(row) for row in kept], np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows = inputs[0]
        b.require("less_equal", self.dropped, rows.shape[1], "there are not so many columns")
        group, _ = row_groups(b, rows, row_order(b, rows), rows.shape[1] - self.dropped)
        b.copy(group, outputs[0])


@register
class _FindRows(_OfRows):
    """For each row the number of an equal row of the table, of several the first; -1 if there is none."""

    checks_data = True
    operands = ("rows", "table")
    samples: ClassVar = [Sample({}, (a, b), gradient=False) for a, b in (
        (_ROWS[0], _ROWS[0][::-1].copy()), (_ROWS[0], int64s([[0, 5], [2, 2], [1, 9], [0, 5]])),
        (_ROWS[1], np.zeros((0, 1), np.int64)), (_ROWS[2], _ROWS[3]))]

    def infer(self, *inputs: Spec) -> Spec:
        check_int64("table", inputs[1], 2)
        if inputs[0].shape is not None and inputs[1].shape is not None:
            require_equal(inputs[0].shape[1], inputs[1].shape[1], "the number of columns of rows and of table")
        return super().infer(*inputs)

    def reference(self, rows: np.ndarray, table: np.ndarray) -> np.ndarray:
        listed = table.tolist()
        return np.array([listed.index(row) if row in listed else -1 for row in rows.tolist()], np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows, table = inputs
        b.call("find_rows", [rows, table, row_order(b, table), outputs[0]],
               [rows.shape[0], table.shape[0], rows.shape[1]])


@register
class _DenseTuples(Op):
    """The index tuples [n, rank of dense] of what stands, for each index tuple, in `dense` broadcast to `shape`."""

    checks_data = True
    moves = True
    operands = ("indices", "shape", "dense")
    samples: ClassVar = [Sample({}, (int64s(rows).reshape(-1, len(shape)), int64s(shape), dense), gradient=False)
                         for rows, shape, dense in (
        (*SPARSE[0], (3, 4)), (*SPARSE[0], (4,)), (*SPARSE[0], (3, 1)), (*SPARSE[0], ()), (*SPARSE[2], (3, 1)),
        (*SPARSE[2], (2, 3, 2)), (*SPARSE[1], (1,)), (*SPARSE[4], (2, 3)), (*SPARSE[3], (1,)))]

    def infer(self, indices: Spec, shape: Spec, dense: Spec) -> Spec:
        count, rank = check_parts(self, indices, None, shape)
        if dense.shape is None:
            return Spec(int64, None)
        missing = rank - len(dense.shape)
        message = ("SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: the dense "
                   f"operand of shape {text(dense.shape)} against a sparse one")
        if isinstance(missing, int) and missing < 0:
            raise ValueError(f"{message} of rank {rank}")
        if shape.value is not None:
            for size, n in zip(dense.shape[::-1], shape.value[::-1], strict=False):
                if isinstance(size, int) and isinstance(n, int) and size not in (1, n):
                    raise ValueError(f"{message} of shape {text(shape.value)}")
        return Spec(int64, (count, len(dense.shape)))

    def reference(self, indices: np.ndarray, shape: np.ndarray, dense: np.ndarray) -> np.ndarray:
        check_inside(indices, shape)
        numbers = np.broadcast_to(np.arange(dense.size).reshape(dense.shape), tuple(shape))
        found = numbers[tuple(indices.T)] if len(indices) else np.zeros(0, np.int64)
        rows = np.unravel_index(found, dense.shape) if dense.ndim else ()
        return np.array(rows, np.int64).T.reshape(len(indices), dense.ndim)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, shape, dense = inputs
        y, rank = outputs[0], dense.rank
        indices, missing = checked(b, indices, shape), shape.shape[0] - rank
        b.require("less_equal", rank, shape.shape[0], "SparseDenseBinaryOpShared broadcasts dense to sparse only: the "
                  "ranks of the dense and of the sparse operand")
        if not rank:
            b.fill(y, 0)
            return
        sizes = b.temporary(int64, (rank,))
        b.store_sizes(dense.shape, sizes)

        def wrong(s: Any, size: Any, n: Any) -> Any:
            return s("and", s("not_equal", size, s.constant(1, int64)), s("not_equal", size, n))

        require_none(b, wrong, [sizes, shape.part(0, missing, rank)], (rank,), "SparseDenseBinaryOpShared broadcasts "
                     "dense to sparse only; got incompatible shapes: sizes of the dense operand that are neither 1 nor "
                     "that of the sparse one")
        b.map(lambda s, i, size: s("select", s("equal", size, s.constant(1, int64)), s.constant(0, int64), i),
              [indices.part(1, missing, rank), sizes.broadcast(y.shape)], [y])

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        return [None, None, None]
