"""Max pooling, its gradient and the gradient's gradient.

Padding never is the largest. The gradient goes to the first largest element of a window, in row-major order. Where the
padding depends on symbolic sizes, lowering pads a copy.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import float64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Sample, attr, register, same_dtypes
from graphc.ir.spec import Shape, Spec
from graphc.ops.nn.pooling import (
    ALL_CASES,
    CASES,
    Pooling,
    distinct,
    inside,
    sample_attributes,
    sample_shapes,
)
from graphc.ops.nn.window import Axis, pad_array, padded, require_nhwc, static_padding, window_slice


class _MaxPooling(Pooling):
    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        names = [name for name in self.operands if name not in self.field_operands()]
        for name, spec in zip(names, inputs, strict=True):
            check_rank(name, spec, 4)
        x = inputs[0]
        return Spec(x.dtype, None if x.shape is None else self.shape_of(x.shape, inputs))

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        raise NotImplementedError

    def largest(self, x: np.ndarray) -> np.ndarray:
        """The largest element of each window, NHWC."""
        height, width = self.spatial(x.shape)
        padded_x = pad_array(self.nhwc(x)[0], height, width, -np.inf)
        best = padded_x[window_slice(height, width, 0, 0)]
        for i, j in np.ndindex(height.window, width.window):
            best = np.maximum(best, padded_x[window_slice(height, width, i, j)])
        return best

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[Axis, Axis, np.ndarray]:
        """The axes and the number of each window's first element that is the one in the MaxPool's result, or NaN; -1
        where there is none, as y is of another picture."""
        height, width = self.spatial(x.shape)
        picture, largest = self.nhwc(x, y)
        padded_x = pad_array(picture, height, width, -np.inf)
        real = pad_array(np.ones(picture.shape, bool), height, width, False)
        where = np.full(largest.shape, -1)
        for i, j in reversed(list(np.ndindex(height.window, width.window))):
            place = window_slice(height, width, i, j)
            hit = real[place] & ((padded_x[place] == largest) | np.isnan(padded_x[place]))
            where[hit] = i * width.window + j
        return height, width, where


@register
class MaxPool(_MaxPooling):
    """The largest element of each window"""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NHWC")
    samples = [Sample(sample_attributes(c, f), (distinct(sample_shapes(c, f)[0]),)) for c, f in ALL_CASES] + [
        Sample(sample_attributes(CASES[0], "NHWC"), (CASES[0][0],), (float64,))]

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        return self.result_shape(picture)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return self.back(self.largest(inputs[0]))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        x, y = inputs[0], outputs[0]
        height, width = self.spatial(x.shape)
        pads = static_padding(height, width)
        if pads is None:
            x, pads = padded(b, x, height, width, -np.inf), (0, 0)
        b.call("max_pool", [x, y], **self.kernel_arguments(x.shape, y.shape, height, width, pads))

    def grad(self, g, node, dy):
        return [g.max_pool_grad(node.inputs[0], node.outputs[0], dy, **self.attributes())]


@register
class MaxPoolGrad(_MaxPooling):
    """Each window's gradient goes to its first largest element"""

    operands = ("orig_input", "orig_output", "grad")
    results = ("output",)
    types = {"T": "orig_input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NHWC")
    samples = []

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        self.check_result(picture, "orig_output", inputs[1])
        self.check_result(picture, "grad", inputs[2])
        return picture

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, dy = inputs[0], self.nhwc(inputs[2])[0]
        height, width, where = self.places(x, inputs[1])
        picture = self.nhwc(x)[0]
        dx = pad_array(np.zeros_like(picture), height, width, 0)
        for i, j in np.ndindex(height.window, width.window):
            dx[window_slice(height, width, i, j)] += np.where(where == i * width.window + j, dy, 0)
        return self.back(inside(dx, height, width))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        (x, y, dy), dx = inputs, outputs[0]
        height, width = self.spatial(x.shape)
        pads = static_padding(height, width)
        target = dx
        if pads is None:
            x, pads = padded(b, x, height, width, -np.inf), (0, 0)
            target = b.temporary(dx.dtype, x.shape)
        b.call("max_pool_grad", [x, y, dy, target], **self.kernel_arguments(x.shape, y.shape, height, width, pads))
        if target is not dx:
            b.copy(target.slice((0, height.before, width.before, 0), dx.shape), dx)

    def grad(self, g, node, ddx):
        x, y, _ = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool_grad_grad(x, y, ddx, **self.attributes())]


@register
class MaxPoolGradGrad(_MaxPooling):
    """For each window, the element of `grad` at the place of the picture's first largest element"""

    operands = ("orig_input", "orig_output", "grad")
    results = ("output",)
    types = {"T": "orig_input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NHWC")
    samples = []

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        self.check_result(picture, "orig_output", inputs[1])
        self.check_shape("grad", inputs[2], picture, "the picture")
        return self.result_shape(picture)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        height, width, where = self.places(inputs[0], inputs[1])
        ddx = pad_array(self.nhwc(inputs[2])[0], height, width, 0)
        result = np.zeros(where.shape, ddx.dtype)
        for i, j in np.ndindex(height.window, width.window):
            result = np.where(where == i * width.window + j, ddx[window_slice(height, width, i, j)], result)
        return self.back(result)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        (x, y, ddx), ddy = inputs, outputs[0]
        height, width = self.spatial(x.shape)
        pads = static_padding(height, width)
        if pads is None:
            x, ddx, pads = padded(b, x, height, width, -np.inf), padded(b, ddx, height, width, 0), (0, 0)
        b.call("max_pool_grad_grad", [x, y, ddx, ddy], **self.kernel_arguments(x.shape, y.shape, height, width, pads))

    def grad(self, g, node, ddx):
        x, y, _ = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool_grad(x, y, ddx, **self.attributes())]


def _gradient_samples(of_input: bool) -> list[Sample]:
    """Samples whose orig_output is what MaxPool makes of orig_input. The gradient is tested by second order: by finite
    differences orig_output would move alone."""
    made = []
    for case, data_format in ALL_CASES:
        picture, result = sample_shapes(case, data_format)
        x = distinct(picture)
        y = MaxPool(**sample_attributes(case, data_format)).reference(x)
        made.append(
            Sample(sample_attributes(case, data_format), (x, y, picture if of_input else result), gradient=False)
        )
    ties = np.array([0, 1, 1, 0, 2, 2, 2, 2, 0, 0, 0, 0, 3, 1, 3, 1], np.float32).reshape(1, 4, 4, 1)
    attributes = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID", "data_format": "NHWC"}
    y = MaxPool(**attributes).reference(ties)
    made.append(Sample(attributes, (ties, y, ties.shape if of_input else y.shape), gradient=False))
    return made

MaxPoolGrad.samples = _gradient_samples(of_input=False)

MaxPoolGradGrad.samples = _gradient_samples(of_input=True)
