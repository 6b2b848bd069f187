"""ClipByValue, in one op."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import float64, int32
from graphc.ir.elementwise import check_kind
from graphc.ir.op import Elementwise, Sample, Scalars, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text

_LOW, _HIGH = np.float32(-0.4), np.float32(0.5)


@register
class ClipByValue(Elementwise):
    """t, at least clip_value_min and at most clip_value_max, which are scalars or of t's shape; NaN stays NaN"""

    operands = ("t", "clip_value_min", "clip_value_max")
    results = ("output",)
    types: ClassVar = {"T": "t"}
    samples = [Sample({}, ((2, 3, 5), _LOW, _HIGH)), Sample({}, ((0, 3), _LOW, _HIGH)),
               Sample({}, ((17,), np.full(17, -0.3), np.linspace(0.2, 0.9, 17)), (float64,)),
               Sample({}, ((9,), np.int32(-3), np.int32(4)), (int32,), gradient=False, low=-9, high=9),
               Sample({}, (np.array([np.nan, np.inf, -np.inf, 0], np.float32), _LOW, _HIGH), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "number")
        same_dtypes(self, inputs)
        t = inputs[0]
        for name, spec in zip(self.operands[1:], inputs[1:], strict=True):
            if spec.shape is None or not spec.shape or t.shape is None:
                continue
            if len(spec.shape) != len(t.shape):
                raise ValueError(f"argument '{name}' must be a scalar or have the shape {text(t.shape)} of t, but has "
                                 f"{text(spec.shape)}")
            for a, b in zip(spec.shape, t.shape, strict=True):
                require_equal(a, b, f"argument '{name}' must be a scalar or have the shape of t")
        return Spec(t.dtype, t.shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        t, low, high = inputs
        return np.where(t < low, low, np.where(t > high, high, t)).astype(t.dtype)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        t, low, high = x
        return s("select", s("less", t, low), low, s("select", s("greater", t, high), high, t))

    def grad(self, g, node, dy):
        t, low, high = node.inputs
        z = node.outputs[0]
        below, above, none = g.less(t, low), g.greater(t, high), g.zeros_like(dy)
        return [g.select_v2(g.logical_or(below, above), none, dy), g.sum_like(g.select_v2(below, dy, none), low, z),
                g.sum_like(g.select_v2(above, dy, none), high, z)]
