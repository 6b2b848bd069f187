"""One element of sorted rows, NthElement; numbers of intervals, Bucketize."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32, int64, uint8
from graphc.ir.elementwise import check_kind
from graphc.ir.known import require_nonnegative
from graphc.ir.op import OPS, Composite, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_less

_ROWS = (((17,), 5, float32), ((2, 3, 5), 0, float32), ((3, 31), 30, float32), ((0, 3), 2, float32),
         ((2, 65), 20, float64), ((2, 7), 3, int32), ((2, 7), 6, int64), ((4, 1), 0, uint8))


@register
class NthElement(Composite):
    """Element number n of each row of the last axis in ascending order, in descending order with `reverse`."""

    operands = ("input", "n")
    results = ("values",)
    types: ClassVar = {"T": "input"}
    n: Size = operand_field("int")
    reverse: bool = attr("bool", False)
    samples: ClassVar = [Sample({"n": n, "reverse": r}, (s,), (d,), gradient=d.is_floating, low=-9 * (d != uint8),
                                high=9) for s, n, d in _ROWS for r in (False, True)]

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        check_kind(self, (x,), "number")
        if isinstance(self.n, int) and self.n < 0:
            raise ValueError(f"n must be non-negative, but is {self.n}")
        require_nonnegative([self.n], "n must be non-negative")
        if x.shape is None:
            return Spec(x.dtype, None)
        if not x.shape:
            raise ValueError("Input must be >= 1-D, but is a scalar")
        last = x.shape[-1]
        if isinstance(self.n, int) and isinstance(last, int) and self.n >= last:
            raise ValueError(f"Input must have at least n+1 = {self.n + 1} columns but got {last}")
        require_less(self.n, last, f"input must have at least n+1 = {self.n + 1} columns")
        return Spec(x.dtype, x.shape[:-1])

    def reference(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        rows = np.sort(x, axis=-1)
        return rows[..., ::-1][..., self.n] if self.reverse else rows[..., self.n]

    def expand(self, emit: Any, x: Any) -> Any:  # type: ignore[override]
        outer = x.spec.shape[:-1]
        count = self.n + 1 if self.reverse else x.spec.shape[-1] - self.n
        values, _ = emit(OPS.make("TopKV2", k=count), x)
        last = emit(OPS.make("Slice", begin=(*(0 for _ in outer), count - 1), size=(*outer, 1)), values)
        return emit(OPS.make("Reshape", shape=outer), last)

    def grad(self, g, node, dy):
        """In even parts to all elements that are equal to the chosen one."""
        x, y = node.inputs[0], node.outputs[0]
        chosen = g.cast(g.equal(g.expand_dims(y, -1), x), dy.dtype)
        count = g.sum(chosen, -1, keep_dims=True)
        return [g.mul(g.real_div(chosen, count), g.expand_dims(dy, -1)), None]


@register
class Bucketize(Op):
    """How many of the sorted boundaries are not above each element; NaN is above all."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    boundaries: tuple[float, ...] = attr("list(float)")
    samples: ClassVar = [Sample({"boundaries": (-1.5, 0.0, 0.1, 0.1, 3.0)}, (s,), (d,), gradient=False, low=-4, high=5)
                         for s, d in (((3, 5), float32), ((17,), float64), ((31,), int32), ((2, 9), int64),
                                      ((0, 3), float32), ((), float32))] + [
        Sample({"boundaries": ()}, ((4,),), gradient=False),
        *(Sample({"boundaries": (0.1, 2.0)}, (np.array([np.nan, np.inf, -np.inf, 2, 0.1], t),), gradient=False)
          for t in (np.float32, np.float64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (int32,)

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        if x.dtype not in (float32, float64, int32, int64):
            raise TypeError(f"argument 'input' has dtype {x.dtype.name}, but Bucketize takes float32, float64, int32 "
                            "and int64 only; cast it (gc.cast)")
        if list(self.boundaries) != sorted(self.boundaries):
            raise ValueError(f"Expected sorted boundaries, but they are {list(self.boundaries)}")
        return Spec(int32, x.shape)

    def _compared(self, dtype: DType) -> DType:
        """In which dtype elements and boundaries are compared, as in C++: float32 but for float64."""
        return float64 if dtype == float64 else float32

    def reference(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        wide = x.astype(np.float64 if x.dtype == np.float64 else np.float32)
        bounds = np.array(self.boundaries, np.float32)
        counts = (bounds <= wide[..., None]).sum(-1)
        return np.where(np.isnan(wide), len(bounds), counts).astype(np.int32)

    def grad(self, g, node, dy):
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        wanted = self._compared(x.dtype)
        values = b.temporary(wanted, x.shape)
        b.map(lambda s, v: s.cast(v, wanted), [x], [values])
        row = b.constant(np.array(self.boundaries, np.float32).astype(wanted.numpy))
        b.call("search_sorted", [row, values, y], dims=[1, len(self.boundaries), values.elements], attrs=[1])
