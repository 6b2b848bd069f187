"""EditDistance: by how many insertions, deletions and substitutions sequences of a sparse tensor differ from others."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int32, int64, uint8
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import regrouped
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.widened import widened
from graphc.ops.sparse.cases import check_inside, int64s
from graphc.ops.sparse.parts import check_parts, checked, joined, part, places_of, row_order, take

_FOUND, _TRUTH = ([[0, 0], [0, 1], [1, 0]], (2, 2)), ([[0, 0], [0, 1], [0, 2], [2, 0]], (3, 3))
_CASES = [(_FOUND, [1, 2, 5], _TRUTH, [2, 2, 1, 7]), (_FOUND, [1, 2, 5], ([], (1, 1)), []), (([], (2, 2)), [], _TRUTH,
                                                                                        [1, 1, 2, 3]),
          (([[0, 0, 0], [1, 0, 0], [1, 0, 1]], (2, 1, 2)), [4, 4, 5], ([[1, 0, 0], [1, 1, 0]], (2, 2, 1)), [5, 4])]


def _sample(number: int, normalize: bool, dtype: DType = int32) -> Sample:
    (rows, shape), values, (true_rows, true_shape), truth = _CASES[number]
    return Sample({"normalize": normalize, "hypothesis_shape": shape, "truth_shape": true_shape}, (
        int64s(rows).reshape(-1, len(shape)), np.array(values, dtype.numpy),
        int64s(true_rows).reshape(-1, len(shape)), np.array(truth, dtype.numpy)), gradient=False)


@register
class EditDistance(Op):
    """For each sequence along the last axis of a sparse tensor its distance from that of `truth`, if `normalize` over
    the length of the latter: infinite where that is 0 and there is a difference."""

    checks_data = True
    operands = ("hypothesis_indices", "hypothesis_values", "hypothesis_shape", "truth_indices", "truth_values",
                "truth_shape")
    results = ("output",)
    types: ClassVar = {"T": "hypothesis_values"}
    hypothesis_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    truth_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    normalize: bool = attr("bool", True)
    samples: ClassVar = [_sample(i, n) for i in range(len(_CASES)) for n in (True, False)] + [
        _sample(0, False, d) for d in (float32, float64, int64, uint8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (float32,)

    def infer(self, *inputs: Spec) -> Spec:
        found, values, truth, true_values = inputs
        for name, spec in (("hypothesis_values", values), ("truth_values", true_values)):
            check_dtype(self, name, spec.dtype, "comparable")
        if values.dtype != true_values.dtype:
            raise TypeError(f"argument 'truth_values' has dtype {true_values.dtype.name}, but 'hypothesis_values' has "
                            f"{values.dtype.name}; cast one of them (gc.cast)")
        rank = len(self.hypothesis_shape)
        message = (f"hypothesis of shape {text(self.hypothesis_shape)} and truth of shape {text(self.truth_shape)} "
                   "must have one rank, of at least 2")
        require_equal(rank, len(self.truth_shape), message)
        if rank < 2:
            raise ValueError(message)
        check_parts(self, found, values, Spec(int64, (rank,)))
        check_parts(self, truth, true_values, Spec(int64, (rank,)), first=3)
        return Spec(float32, tuple(dims.maximum(m, n) for m, n in zip(
            self.hypothesis_shape[:-1], self.truth_shape[:-1], strict=True)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        found, values, truth, true_values = inputs
        shape = np.maximum(self.hypothesis_shape[:-1], self.truth_shape[:-1])
        made = np.zeros(shape.astype(int), np.float32)
        for rows in (found, truth):        # the last size, of sequences, is not asked for
            check_inside(rows[:, :-1], made.shape)
        for place in np.ndindex(made.shape):
            one, two = ([v for row, v in zip(rows.tolist(), given, strict=True) if tuple(row[:-1]) == place]
                        for rows, given in ((found, values), (truth, true_values)))
            steps = _steps(one, two)
            made[place] = steps if not self.normalize or not steps else steps / len(two) if two else np.inf
        return made

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        shape = [dims.maximum(m, n) for m, n in zip(self.hypothesis_shape[:-1], self.truth_shape[:-1], strict=True)]
        codes = self._codes(b, inputs[1], inputs[3])
        lists, begin = [], 0
        for rows in (inputs[0], inputs[2]):
            groups = self._groups(b, rows, shape)
            order = row_order(b, b.reshape(groups, (groups.shape[0], 1)))
            lists += [take(b, part(b, codes, begin, rows.shape[0]), order), take(b, groups, order)]
            begin = begin + rows.shape[0]
        y = regrouped(outputs[0], (dims.product(shape),))
        sizes = [inputs[0].shape[0], inputs[2].shape[0], y.shape[0]]
        b.call("edit_distance", [*lists, y], sizes, [int(self.normalize)])

    def _codes(self, b: Any, found: Any, truth: Any) -> Any:
        """The same number for equal elements of both."""
        every = joined(b, [found, truth])
        if every.dtype == bool_:
            numbers = b.temporary(int32, every.shape)
            b.map(lambda s, v: s.cast(v, int32), [every], [numbers])
            every = numbers
        places, first, count = (b.temporary(int64, shape) for shape in (every.shape, every.shape, (1,)))
        b.call("unique", [widened(b, every), places, first, count], [every.shape[0]])
        return places

    def _groups(self, b: Any, rows: Any, shape: Sequence[Size]) -> Any:
        """The row-major number, in a tensor of `shape`, of the sequence that each element belongs to."""
        rank = len(shape)
        groups, sizes = b.temporary(int64, rows.shape[:1]), b.temporary(int64, (rank,))
        lead = b.temporary(int64, (rows.shape[0], rank))
        b.copy(rows.part(1, 0, rank), lead)
        b.store_sizes(shape, sizes)
        b.copy(places_of(b, checked(b, lead, sizes), sizes), groups)
        return groups

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        return [None] * 6


def _steps(a: list[Any], b: list[Any]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(_steps(a[1:], b) + 1, _steps(a, b[1:]) + 1, _steps(a[1:], b[1:]) + int(a[0] != b[0]))
