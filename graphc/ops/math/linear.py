"""Small linear algebra: the vector product and the Euclidean norm; the product of matrices said to be sparse."""
from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.dtypes import float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind, conjugate
from graphc.ir.op import OPS, Composite, Op, Sample, Scalars, attr, normalise_axes, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.reduction import Sum


@register
class Cross(Op):
    """The vector product of the three-element vectors in the last axis"""

    operands = ("a", "b")
    results = ("product",)
    types = {"T": "a"}
    samples = [
        Sample({}, (shape, shape), (d, d), gradient=d.is_floating, low=-9, high=9)
        for shape, d in (
            ((3,), float32),
            ((2, 5, 3), float32),
            ((0, 3), float32),
            ((7, 3), float64),
            ((7, 3), int32),
            ((3,), int64),
        )
    ]

    def infer(self, *inputs: Spec) -> Spec:
        a, b = inputs
        check_kind(self, inputs, "number")
        same_dtypes(self, inputs)
        if a.shape is None or b.shape is None:
            return Spec(a.dtype, a.shape or b.shape)
        if len(a.shape) != len(b.shape) or not a.shape:
            raise ValueError(f"a and b must have the same shape, but have {text(a.shape)} and {text(b.shape)}")
        shape = tuple(
            require_equal(x, y, "a and b must have the same shape") for x, y in zip(a.shape, b.shape, strict=True)
        )
        last = require_equal(shape[-1], 3, f"the last axis of a, of shape {text(shape)}, must have 3 elements")
        return Spec(a.dtype, (*shape[:-1], last))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        (a, b, c), (x, y, z) = (np.moveaxis(v, -1, 0) for v in inputs)
        return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], -1)

    def grad(self, g, node, dy):
        a, b = node.inputs
        return [g.cross(b, dy), g.cross(dy, a)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs
        last = x.rank - 1

        def difference(s: Scalars, x1: Any, y2: Any, x2: Any, y1: Any) -> Any:
            return s("sub", s("mul", x1, y2), s("mul", x2, y1))

        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            parts = [x.select(last, j), y.select(last, k), x.select(last, k), y.select(last, j)]
            b.map(difference, parts, [outputs[0].select(last, i)])


@register
class EuclideanNorm(Sum):
    """The root of the sum of squares along axes; of integers rounded towards 0"""

    sizes_function = None
    samples = [
        Sample({"axis": axis, "keep_dims": keep}, (shape,), (d,), gradient=d.is_floating, low=0.3, high=3)
        for shape, axis, keep, d in (
            ((17,), (0,), False, float32),
            ((2, 3, 5), (1,), True, float32),
            ((2, 3, 5), (0, -1), False, float32),
            ((2, 3), (0, 1), False, float64),
            ((2, 3), (), False, float32),
            ((3, 7), (1,), False, int32),
            ((3, 7), (1,), False, int64),
        )
    ] + [Sample({"axis": (1,)}, ((3, 0),), gradient=False)]

    def map_element(self, s: Scalars, x: Any) -> Any:
        return s("mul", x, conjugate(s, x))

    def finish(self, s: Scalars, total: Any, count: Any) -> Any:
        dtype = s.dtype(total)
        return s.cast(s("sqrt", s.cast(total, float64)), dtype) if dtype.is_integer else s("sqrt", total)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        axes = normalise_axes(self.axis, x.ndim)
        total = np.sum((x * np.conj(x)).real, axis=axes, keepdims=self.keep_dims, dtype=x.real.dtype)
        with np.errstate(all="ignore"):
            root = np.sqrt(total.astype(np.float64) if x.dtype.kind in "iu" else total)
        return np.asarray(np.nan_to_num(root) if x.dtype.kind in "iu" else root).astype(x.dtype)

    def grad(self, g, node, dy):
        x, y = node.inputs[0], node.outputs[0]
        if x.dtype.is_complex:         # y is real: so is what of dy counts
            real = x.dtype.real_dtype
            along = self.spread(g, node, g.real_div(g.cast(dy, real), g.cast(y, real)))
            return [g.mul(x, g.cast(along, x.dtype)), None]
        return [g.real_div(node.inputs[0], self.spread(g, node, g.real_div(y, dy))), None]


@register
class SparseMatMul(Composite):
    """The product of two float32 matrices; that they are sparse is a hint that changes no result"""

    operands = ("a", "b")
    results = ("product",)
    types = {"Ta": "a", "Tb": "b"}
    transpose_a: bool = attr("bool", False)
    transpose_b: bool = attr("bool", False)
    a_is_sparse: bool = attr("bool", False)
    b_is_sparse: bool = attr("bool", False)
    samples = [
        Sample(
            {"transpose_a": ta, "transpose_b": tb, "a_is_sparse": tb},
            ((5, 3) if ta else (3, 5), (7, 5) if tb else (5, 7)),
            gradient=False,  # float32 only: tests/ops/linalg/test_einsum.py
        )
        for ta in (False, True)
        for tb in (False, True)
    ] + [Sample({}, ((0, 3), (3, 5)), gradient=False)]

    def product(self) -> Op:
        return OPS.make("MatMul", transpose_a=self.transpose_a, transpose_b=self.transpose_b)

    def infer(self, *inputs: Spec) -> Spec:
        for name, x in zip(self.operands, inputs, strict=True):
            check_dtype(self, name, x.dtype, "floating")
            if x.dtype != float32:
                raise TypeError(
                    f"argument '{name}' has dtype {x.dtype.name}, but SparseMatMul takes float32 only; use gc.matmul"
                )
        spec = self.product().infer(*inputs)
        assert isinstance(spec, Spec)
        return spec

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        a, b = inputs
        return (a.T if self.transpose_a else a) @ (b.T if self.transpose_b else b)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return emit(self.product(), *inputs)

    def grad(self, g, node, dy):
        made: typing.Sequence[Any] = self.product().grad(g, node, dy)
        return made
