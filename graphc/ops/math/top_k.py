"""The greatest elements of rows, TopKV2; and whether a target is among them, InTopK and InTopKV2."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int8, int32, int64, uint8, uint32
from graphc.ir.elementwise import check_dtype, check_kind, check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, require_less_equal, text
from graphc.ops.math.widened import from_order, in_order, target

_TIES = np.array([[1, 3, 3, -2, 3, 0], [2, 2, 2, 2, 2, 2]], np.float32)
_CASES = [
    Sample({"k": k}, (shape,), (d,), gradient=d.is_floating, low=-9, high=9)
    for shape, k, d in (
        ((17,), 5, float32),
        ((2, 3, 5), 1, float32),
        ((3, 31), 31, float32),
        ((2, 7), 0, float32),
        ((0, 3), 2, float32),
        ((3, 0), 0, float32),
        ((2, 65), 20, float64),
        ((2, 7), 3, int32),
        ((2, 7), 3, int64),
        ((2, 7), 3, uint8),
        ((2, 7), 3, int8),
        ((2, 7), 3, uint32),
    )
] + [Sample({"k": k, "sorted": k > 1}, (_TIES,), gradient=False) for k in (1, 4)]


@register
class TopKV2(Op):
    """The k greatest elements of each row of the last axis, greatest first, and their indices. Of equal elements the
    first one comes first; NaN is greater than any number. sorted False: in any order, here the same one."""

    operands = ("input", "k")
    results = ("values", "indices")
    types: ClassVar = {"T": "input"}
    k: Size = operand_field("int")
    sorted: bool = attr("bool", True)
    samples: ClassVar = _CASES

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, int32

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x = inputs[0]
        check_kind(self, inputs, "number")
        if isinstance(self.k, int) and self.k < 0:
            raise ValueError(f"k must not be negative, but is {self.k}")
        require_nonnegative([self.k], "k must not be negative")
        if x.shape is None:
            return Spec(x.dtype, None), Spec(int32, None)
        if not x.shape:
            raise ValueError("input must have at least one axis, but is a scalar")
        message = f"input must have last dimension >= k = {self.k} but is {x.shape[-1]}"
        if isinstance(self.k, int) and isinstance(x.shape[-1], int) and self.k > x.shape[-1]:
            raise ValueError(message)
        require_less_equal(self.k, x.shape[-1], message)
        shape = (*x.shape[:-1], self.k)
        return Spec(x.dtype, shape), Spec(int32, shape)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sorted from the end of the row, so that of equal elements the first one comes out first."""
        x = inputs[0]
        order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., : self.k]
        return np.take_along_axis(x, order, -1), order.astype(np.int32)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        values = target(b, outputs[0])
        sizes = [dims.product(x.shape[:-1]), x.shape[-1], self.k]
        b.call("top_k", [in_order(b, x), values, outputs[1]], dims=sizes)
        from_order(b, values, outputs[0])

    def grad(self, g: Any, node: Any, dy: Any, _: Any = None) -> list[Any]:
        """dy goes back to where the values stand, by their positions among all elements."""
        x, indices = node.inputs[0], node.outputs[1]
        shape, count = g.shape(x), g.shape(indices)
        last = g.reshape(g.sub(g.rank(x), 1), [1])
        n, k = g.gather_v2(shape, last, 0), g.gather_v2(count, last, 0)
        rows = g.floor_div(g.reshape(g.size(indices), [1]), g.maximum(k, 1))
        start = g.mul(g.range(0, g.reshape(rows, [])), g.reshape(n, []))
        flat = g.add_v2(g.reshape(indices, g.concat_v2([rows, k], 0)), g.expand_dims(start, 1))
        everything = g.scatter_sum(g.reshape(dy, [-1]), g.reshape(flat, [-1]), g.reshape(g.size(x), [1]))
        return [g.reshape(everything, shape), None]


_PREDICTIONS = np.array(
    [
        [0.1, 0.3, 0.2, 0.4],
        [0.1, 0.3, 0.3, 0.2],
        [0.5, np.nan, 0, 0.1],
        [np.inf, 0, 1, 2],
        [0.1, 0.2, 0.3, 0.4],
        [0.1, 0.2, 0.3, 0.4],
    ],
    np.float32,
)
_TARGETS = np.array([1, 1, 0, 2, -1, 4])


class _Among(Op):
    operands: ClassVar[tuple[str, ...]] = ("predictions", "targets")
    results = ("precision",)
    types: ClassVar[dict[str, str]] = {"T": "targets"}
    k: Any

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (bool_,)

    def infer(self, *inputs: Spec) -> Spec:
        predictions, targets = inputs
        check_dtype(self, "predictions", predictions.dtype, "floating")
        check_dtype(self, "targets", targets.dtype, "index")
        if predictions.dtype != float32:
            raise TypeError(
                f"argument 'predictions' must be float32, but is {predictions.dtype.name}; cast it (gc.cast)"
            )
        check_rank("predictions", predictions, 2)
        check_rank("targets", targets, 1)
        if predictions.shape is None or targets.shape is None:
            return Spec(bool_, (dims.symbol("rows"),) if targets.shape is None else targets.shape)
        return Spec(
            bool_,
            (
                require_equal(
                    predictions.shape[0],
                    targets.shape[0],
                    f"predictions of shape {text(predictions.shape)} and targets of shape "
                    f"{text(targets.shape)} must have the same number of rows",
                ),
            ),
        )

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        """As TensorFlow looks at a row: up to where more than k predictions are greater."""
        found = []
        for row, index in zip(*inputs, strict=True):
            inside = 0 <= index < len(row) and bool(np.isfinite(row[index]))
            greater = 0
            for value in row if inside else ():
                if greater > self.k:
                    break
                if not np.isfinite(value):
                    inside = False
                    break
                greater += int(value > row[index])
            found.append(inside and greater < self.k)
        return np.array(found, np.bool_)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows, classes = inputs[0].shape
        b.call("in_top_k", [*inputs, outputs[0]], dims=[rows, classes, dims.maximum(self.k, 0)])


_AMONG = [
    Sample({"k": k}, (_PREDICTIONS, _TARGETS.astype(t)), gradient=False)
    for k in (0, 1, 2, 9)
    for t in (np.int32, np.int64)
] + [Sample({"k": 2}, ((n, 7), np.arange(n, dtype=np.int32) % 7), gradient=False) for n in (0, 1, 31)]


@register
class InTopK(_Among):
    """Whether the target of each row is among its k greatest predictions; ties with the k-th one are"""

    k: int = attr("int")
    samples = _AMONG


@register
class InTopKV2(_Among):
    """Whether the target of each row is among its k greatest predictions; ties with the k-th one are"""

    operands = ("predictions", "targets", "k")
    k: Size = operand_field("int", dtype="targets")
    samples = _AMONG
