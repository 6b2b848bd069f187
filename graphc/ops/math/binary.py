"""Elementwise arithmetic of two arguments, with broadcasting; and the sum of many (AddN, AccumulateNV2).

Gradients of ties: Maximum and Minimum give x all of it.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64, int32
from graphc.ir.elementwise import Binary, binary_samples, check_kind
from graphc.ir.op import Elementwise, Permuted, Sample, Scalars, attr, register
from graphc.ir.spec import Shape, Spec, require_equal


@register
class Add(Binary):
    """x + y"""

    kind = "numeric"
    primitive = "add"
    cheap = True
    neutral_operand = 0, (0, 1)
    homogeneous = True
    sizes_function = staticmethod(lambda x, y: x + y)
    function = np.add
    samples = binary_samples()

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy, x, z), g.sum_like(dy, y, z)]


@register
class AddV2(Add):
    """x + y: what the operator + makes since TF 1.15"""

    samples = binary_samples()


@register
class Sub(Binary):
    """x - y"""

    kind = "numeric"
    primitive = "sub"
    cheap = True
    neutral_operand = 0, (1,)
    homogeneous = True
    sizes_function = staticmethod(lambda x, y: x - y)
    function = np.subtract
    samples = binary_samples()

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy, x, z), g.sum_like(g.neg(dy), y, z)]


@register
class Mul(Binary):
    """x * y"""

    kind = "numeric"
    primitive = "mul"
    cheap = True
    neutral_operand = 1, (0, 1)
    sizes_function = staticmethod(lambda x, y: x * y)
    function = np.multiply
    samples = binary_samples()

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(g.mul(dy, g.conj(y)), x, z), g.sum_like(g.mul(g.conj(x), dy), y, z)]


@register
class Pow(Binary):
    """x ** y"""

    kind = "numeric"
    refused = "negative"
    primitive = "pow"
    function = staticmethod(lambda x, y: np.power(x, y))
    samples = [
        Sample({}, pair, (d, d), low=0.3, high=2)
        for d in (float32, float64)
        for pair in (((17,), (17,)), ((2, 3, 5), (5,)), ((31,), ()), ((0,), ()))
    ] + [
        Sample({}, (np.array([-2.0, -1.5, 0.0, 3.0], np.float32), np.array([2, 3, 2, -1], np.float32)), gradient=False),
        Sample({}, (np.array([-2, 3, 0, 7], np.int32), np.array([3, 4, 0, 1], np.int32)), gradient=False),
    ]

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        of_x, of_y = x, y
        x, y, of_z = g.conj(x), g.conj(y), g.conj(z)
        # log is taken of 1 where x <= 0: there the derivative by y is 0 or does not exist.
        positive = g.not_equal(x, 0) if x.dtype.is_complex else g.greater(x, 0)
        log_x = g.select(positive, g.log(g.select(positive, x, g.zeros_like(x) + 1)), g.zeros_like(x))
        return [g.sum_like(dy * y * g.pow(x, y - 1), of_x, z), g.sum_like(dy * of_z * log_x, of_y, z)]


class _Selecting(Binary):
    """The larger or smaller argument: the gradient goes to x in a tie."""

    samples = [
        *binary_samples(),
        Sample({}, (np.array([1, 2, 3], np.float32), np.array([1, 3, 3], np.float32)), gradient=False),
    ]

    @staticmethod
    def chosen(g, x, y):
        raise NotImplementedError

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        of_x, zeros = self.chosen(g, x, y), g.zeros_like(dy)
        return [g.sum_like(g.select(of_x, dy, zeros), x, z), g.sum_like(g.select(of_x, zeros, dy), y, z)]


@register
class Maximum(_Selecting):
    """The larger one; NaN if either is NaN"""

    primitive = "max"
    sizes_function = staticmethod(dims.maximum)
    function = np.maximum

    @staticmethod
    def chosen(g, x, y):
        return g.greater_equal(x, y)


@register
class Minimum(_Selecting):
    """The smaller one; NaN if either is NaN"""

    primitive = "min"
    sizes_function = staticmethod(dims.minimum)
    function = np.minimum

    @staticmethod
    def chosen(g, x, y):
        return g.less_equal(x, y)


@register
class SquaredDifference(Binary):
    """(x - y) ** 2; of complex numbers the square of their distance, as TensorFlow's kernel has it"""

    kind = "numeric"
    function = staticmethod(lambda x, y: (x - y) * np.conj(x - y))
    samples = binary_samples()

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s("sub", *x)
        return s("mul", d, s("conj", d)) if s.dtype(d).is_complex else s("square", d)

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        if x.dtype.is_complex:         # z is real: so is what of dy counts
            dy = g.div(g.add(dy, g.conj(dy)), 2)
        d = g.mul(g.mul(dy, 2), g.sub(x, y))
        return [g.sum_like(d, x, z), g.sum_like(g.neg(d), y, z)]


@register
class AddN(Elementwise):
    """The sum of tensors of one shape, added from the first to the last"""

    operands = ("inputs*",)
    results = ("sum",)
    of_one = True
    types = {"T": "inputs"}
    samples = [Sample({}, ((17,),)), Sample({}, ((2, 3, 5), (2, 3, 5))), Sample({}, ((31,),) * 4),
               Sample({}, ((5,),) * 3, (int32,) * 3, gradient=False, low=-9, high=9)]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs[:1], "numeric")
        super().infer(*inputs)
        shape = inputs[0].shape
        for other in inputs[1:]:
            if shape is None or other.shape is None:
                shape = other.shape if shape is None else shape
            elif len(shape) != len(other.shape):
                raise ValueError("all tensors of AddN must have one shape")
            else:
                shape = tuple(require_equal(a, b, "shapes of AddN") for a, b in zip(shape, other.shape, strict=True))
        return Spec(inputs[0].dtype, shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        total = inputs[0].copy()
        for x in inputs[1:]:
            total = total + x
        return total

    def scalar(self, s: Scalars, *x: Any) -> Any:
        total = x[0]
        for value in x[1:]:
            total = s("add", total, value)
        return total

    def grad(self, g, node, dy):
        return [dy] * len(node.inputs)


@register
class AccumulateNV2(AddN):
    """AddN whose tensors have the shape `shape`, as far as that says"""

    shape: Shape | None = attr("shape", None)
    samples = [Sample({"shape": None}, ((17,),)), Sample({"shape": (2, 3, 5)}, ((2, 3, 5), (2, 3, 5))),
               Sample({"shape": None}, ((31,),) * 4),
               Sample({"shape": None}, ((5,),) * 3, (int32,) * 3, gradient=False, low=-9, high=9)]

    def infer(self, *inputs: Spec) -> Spec:
        found = super().infer(*inputs)
        known, shape = self.shape, found.shape
        if known is None or shape is None or len(known) != len(shape) or any(
                isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(known, shape, strict=True)):
            return found               # what the tensors say holds, as in TensorFlow's runs
        return Spec(found.dtype, tuple(require_equal(a, b, "shapes of AccumulateNV2") if isinstance(a, int) else b
                                       for a, b in zip(known, shape, strict=True)))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        shape = None if self.shape is None else tuple(self.shape[a] for a in perm)
        found = super().permuted(perm, ranks)
        return found and dataclasses.replace(found, op=AccumulateNV2(shape))
