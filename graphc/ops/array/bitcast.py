"""The same bits under another dtype: Bitcast."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import (
    DType,
    complex64,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    quint8,
    uint8,
    uint16,
    uint32,
)
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text


@register
class Bitcast(Op):
    """The bits of input as numbers of dtype `type`: of larger numbers each is the last axis of the result; of smaller
    ones the last axis makes a number of the result."""

    moves = True
    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    to: DType = attr("type", name="type")
    samples: ClassVar = [Sample({"to": t}, (s,), (d,), gradient=False) for t, s, d in (
        (int32, (2, 3), float32), (float64, (3,), int64), (uint32, (), float32), (uint8, (0, 3), int8),
        (int16, (5,), uint16), (float32, (65,), int32), (int64, (2, 2), float64), (uint8, (2, 3), int32),
        (int64, (3, 2), int32), (int32, (2, 0, 2), float64), (float32, (3,), complex64), (quint8, (3,), uint8))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "input", x.dtype, "bits")
        check_dtype(self, "type", self.to, "bits")
        if x.shape is None or x.dtype.size == self.to.size:
            return Spec(self.to, x.shape)
        if x.dtype.size > self.to.size:
            return Spec(self.to, (*x.shape, x.dtype.size // self.to.size))
        each = self.to.size // x.dtype.size
        message = (f"the last axis of argument 'input' of shape {text(x.shape)} and dtype {x.dtype.name} must have the "
                   f"size {each}: so many make a number of dtype {self.to.name}")
        if not x.shape:
            raise ValueError(message)
        require_equal(x.shape[-1], each, message)
        return Spec(self.to, x.shape[:-1])

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.to,)

    def reference(self, x: np.ndarray) -> np.ndarray:
        given, wanted = x.dtype.itemsize, self.to.size
        shape = x.shape if given == wanted else (*x.shape, given // wanted) if given > wanted else x.shape[:-1]
        return np.ascontiguousarray(x).reshape(-1).view(self.to.unquantized.numpy).reshape(shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.copy(b.bitcast(inputs[0], self.to.unquantized, outputs[0].shape), outputs[0])
