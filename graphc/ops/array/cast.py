"""Conversion between dtypes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import COMPUTED, DType, bool_, float32, float64, int32, int64, qint8, quint16, uint8
from graphc.ir.op import Elementwise, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation

_PAIRS = [(a, b) for a in (float32, float64, int32, int64) for b in (float32, float64, int32, int64, bool_) if a != b]


@register
class Cast(Elementwise):
    """x as DstT: floats lose their fraction on the way to integers, numbers other than 0 are True."""

    operands = ("x",)
    types: ClassVar = {"SrcT": "x"}
    DstT: DType = attr("type")
    Truncate: bool = attr("bool", False)
    samples: ClassVar = [
        Sample({"DstT": b}, ((2, 3, 5),), (a,), gradient=a.is_floating and b == float64, low=-9, high=9)
        for a, b in _PAIRS
    ] + [
        Sample({"DstT": float32}, (np.array([True, False]),), (bool_,), gradient=False),
        Sample({"DstT": float32}, (np.array([[0, 1, 200]], np.uint8),), (uint8,), gradient=False),
        Sample({"DstT": int32}, ((0, 3),), gradient=False),
        Sample({"DstT": qint8}, (np.array([-300, -1.5, 0, 1.7, 127]),), (float64,), gradient=False),
        Sample({"DstT": float32}, (quint16.array([0, 1, 65535]),), (quint16,), gradient=False),
    ]

    def infer(self, x: Spec) -> Spec:
        for dtype in (x.dtype, self.DstT):
            if dtype not in COMPUTED and not dtype.is_quantized:
                raise TypeError(f"Cast to {self.DstT.name} from {x.dtype.name} is not supported")
        made = Spec(self.DstT, x.shape)
        if x.dtype.is_integer and self.DstT.is_integer and self.DstT.size >= 4 and x.value is not None:
            return made.with_value(x.value)
        return made

    def scalar(self, s: Any, x: Any) -> Any:
        return s.cast(x, self.DstT.unquantized)

    def reference(self, x: np.ndarray) -> np.ndarray:
        wanted = self.DstT.unquantized.numpy
        assert wanted is not None
        if self.DstT.is_half:                   # by way of float32, as TensorFlow
            with np.errstate(all="ignore"):
                return self.DstT.array((x.real if x.dtype.kind == "c" else x).astype(np.float32))
        if x.dtype.kind == "c" and wanted.kind != "c":
            x = x.real                          # alone, also for bool
        if x.dtype.kind != "f" or wanted.kind not in "iu":
            with np.errstate(all="ignore"):
                return x.astype(wanted)
        # Beyond the integers' range C++, TensorFlow and NumPy leave the result to the machine; it is the nearest
        # integer here, 0 for NaN, of 32 bits (64 for uint32 and int64), the upper ones of which shorter types drop.
        wide = np.iinfo(np.int64 if wanted in (np.uint32, np.int64, np.uint64) else np.int32)
        below, above = x < float(wide.min), x >= float(wide.max) + (wide.bits == 32)
        inside = np.where(np.isnan(x) | below | above, 0, x).astype(wide.dtype)
        made = np.where(below, wide.min, np.where(above, wide.max, inside)).astype(wide.dtype).astype(wanted)
        if wanted == np.uint64:                # which has as many numbers above those
            high = np.where(above & (x < 2.0**64), x, 2.0**63).astype(np.uint64)
            made = np.where(above, np.where(x < 2.0**64, high, np.iinfo(np.uint64).max), made)
        return made.astype(wanted)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x = node.inputs[0]
        smooth = all(d.is_floating or d.is_complex for d in (x.dtype, self.DstT))
        return [g.cast(dy, x.dtype) if smooth else None]
