"""Elementwise arithmetic of two arguments, with broadcasting; and the sum of many (AddN).

Gradients of ties: Maximum and Minimum give x all of it.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Elementwise, Sample, Scalars, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.build import apply, convert_to_tensor
from graphc.ops.elementwise import Binary, binary_samples, check_kind, sum_like
from graphc.ops.unary import log, negative


@register
class Add(Binary):
    """x + y"""

    primitive = "add"
    sizes_function = staticmethod(lambda x, y: x + y)
    function = np.add
    samples = binary_samples()

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [sum_like(dy, x, z), sum_like(dy, y, z)]


@register
class AddV2(Add):
    """x + y: what the operator + makes since TF 1.15"""

    samples = binary_samples()


@register
class Sub(Binary):
    """x - y"""

    primitive = "sub"
    sizes_function = staticmethod(lambda x, y: x - y)
    function = np.subtract
    samples = binary_samples()

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [sum_like(dy, x, z), sum_like(negative(dy), y, z)]


@register
class Mul(Binary):
    """x * y"""

    primitive = "mul"
    sizes_function = staticmethod(lambda x, y: x * y)
    function = np.multiply
    samples = binary_samples()

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [sum_like(multiply(dy, y), x, z), sum_like(multiply(x, dy), y, z)]


@register
class Pow(Binary):
    """x ** y"""

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

    def grad(self, node, dy):
        from graphc.ops.comparison import greater
        from graphc.ops.fill import zeros_like
        from graphc.ops.gather import where

        x, y = node.inputs
        z = node.outputs[0]
        # log is taken of 1 where x <= 0: there the derivative by y is 0 or does not exist.
        positive = greater(x, 0)
        log_x = where(positive, log(where(positive, x, zeros_like(x) + 1)), zeros_like(x))
        return [sum_like(dy * y * pow(x, y - 1), x, z), sum_like(dy * z * log_x, y, z)]


class _Selecting(Binary):
    """The larger or smaller argument: the gradient goes to x in a tie."""

    samples = [
        *binary_samples(),
        Sample({}, (np.array([1, 2, 3], np.float32), np.array([1, 3, 3], np.float32)), gradient=False),
    ]

    @staticmethod
    def chosen(x, y):
        raise NotImplementedError

    def grad(self, node, dy):
        from graphc.ops.fill import zeros_like
        from graphc.ops.gather import where

        x, y = node.inputs
        z = node.outputs[0]
        of_x, zeros = self.chosen(x, y), zeros_like(dy)
        return [sum_like(where(of_x, dy, zeros), x, z), sum_like(where(of_x, zeros, dy), y, z)]


@register
class Maximum(_Selecting):
    """The larger one; NaN if either is NaN"""

    primitive = "max"
    sizes_function = staticmethod(dims.maximum)
    function = np.maximum

    @staticmethod
    def chosen(x, y):
        from graphc.ops.comparison import greater_equal

        return greater_equal(x, y)


@register
class Minimum(_Selecting):
    """The smaller one; NaN if either is NaN"""

    primitive = "min"
    sizes_function = staticmethod(dims.minimum)
    function = np.minimum

    @staticmethod
    def chosen(x, y):
        from graphc.ops.comparison import less_equal

        return less_equal(x, y)


@register
class SquaredDifference(Binary):
    """(x - y) ** 2"""

    function = staticmethod(lambda x, y: (x - y) * (x - y))
    samples = binary_samples()

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("square", s("sub", *x))

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        d = multiply(multiply(dy, 2), subtract(x, y))
        return [sum_like(d, x, z), sum_like(negative(d), y, z)]


@register
class AddN(Elementwise):
    """The sum of tensors of one shape, added from the first to the last"""

    operands = ("inputs*",)
    results = ("sum",)
    types = {"T": "inputs"}
    samples = [Sample({}, ((17,),)), Sample({}, ((2, 3, 5), (2, 3, 5))), Sample({}, ((31,),) * 4),
               Sample({}, ((5,),) * 3, (int32,) * 3, gradient=False, low=-9, high=9)]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs[:1], "number")
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

    def grad(self, node, dy):
        return [dy] * len(node.inputs)


def add(x, y, name=None):
    """x + y, broadcast. As `tf.add`."""
    return apply(Add, x, y, name=name)


def add_v2(x, y, name=None):
    """x + y, broadcast; the op behind the operator +."""
    return apply(AddV2, x, y, name=name)


def subtract(x, y, name=None):
    """x - y, broadcast. As `tf.subtract`."""
    return apply(Sub, x, y, name=name)


sub = subtract


def multiply(x, y, name=None):
    """x * y, broadcast. As `tf.multiply`."""
    return apply(Mul, x, y, name=name)


mul = multiply


def pow(x, y, name=None):
    """x ** y. As `tf.pow`."""
    return apply(Pow, x, y, name=name)


def maximum(x, y, name=None):
    """The larger of x and y; in a tie the gradient goes to x. As `tf.maximum`."""
    return apply(Maximum, x, y, name=name)


def minimum(x, y, name=None):
    """The smaller of x and y; in a tie the gradient goes to x. As `tf.minimum`."""
    return apply(Minimum, x, y, name=name)


def squared_difference(x, y, name=None):
    """(x - y) ** 2. As `tf.squared_difference`."""
    return apply(SquaredDifference, x, y, name=name)


def add_n(inputs, name=None):
    """The sum of tensors of one shape and dtype. As `tf.add_n`.

    Raises ValueError if `inputs` is no non-empty list.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("add_n: inputs must be a list of at least one tensor with the same dtype and shape")
    if len(inputs) == 1 and name is None:
        return convert_to_tensor(inputs[0])
    return apply(AddN, list(inputs), name=name)


def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """The sum of tensors of one shape and dtype. As `tf.accumulate_n`."""
    return add_n(inputs, name=name or "AccumulateNV2")


def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """min(max(t, clip_value_min), clip_value_max) in TF's order of ops. As `tf.clip_by_value`."""
    with get_default_graph().name_scope(name or "clip_by_value") as scope:
        t = convert_to_tensor(t)
        return maximum(minimum(t, clip_value_max), clip_value_min, name=scope)
