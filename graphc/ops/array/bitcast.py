"""The same bits under another dtype: Bitcast."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Op, Permuted, Sample, attr, register
from graphc.ir.spec import Spec


@register
class Bitcast(Op):
    """The bits of input as numbers of dtype `type`, which are of the same size."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    to: DType = attr("type", name="type")
    samples: ClassVar = [Sample({"to": t}, (s,), (d,), gradient=False) for t, s, d in (
        (int32, (2, 3), float32), (float64, (3,), int64), (uint32, (), float32), (uint8, (0, 3), int8),
        (int16, (5,), uint16), (float32, (65,), int32), (int64, (2, 2), float64))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "input", x.dtype, "number")
        check_dtype(self, "type", self.to, "number")
        if x.dtype.size != self.to.size:
            raise TypeError(f"Bitcast from {x.dtype.name} to {self.to.name} is not supported: only dtypes "
                                     f"of one "
                                     "size are; gc.py_func with NumPy's view does the others")
        return Spec(self.to, x.shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.to,)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x).view(self.to.numpy).reshape(x.shape)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.copy(b.bitcast(inputs[0], self.to), outputs[0])
