"""Max and average pooling and their gradients.

NCHW is turned to NHWC by the layout pass through `permuted`; lowering knows NHWC only. Padding takes no part: it never
is the largest and is not counted in the mean. The gradient of a maximum goes to the first largest element of a window, in
row-major order. Where the padding depends on symbolic sizes, lowering pads a copy.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.op import Op, Permuted, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.build import apply
from graphc.ops.convolution import spatial_list
from graphc.ops.elementwise import check_kind, check_rank
from graphc.ops.reduce import deprecated
from graphc.ops.window import (
    TO_NCHW,
    TO_NHWC,
    Axis,
    axes,
    check_format,
    check_list,
    pad_array,
    padded,
    require_nhwc,
    spatial_axes,
    static_padding,
    swapped,
    swapped_list,
    window_slice,
)

# picture (NHWC), window, strides, padding
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 6, 8, 3), (2, 2), (2, 2), "VALID"), ((2, 5, 7, 3), (2, 2), (2, 2), "SAME"), ((1, 7, 6, 17), (3, 3), (1, 1), "SAME"),
    ((3, 9, 5, 1), (3, 2), (2, 1), "SAME"), ((1, 9, 8, 2), (2, 3), (3, 2), "VALID"), ((0, 4, 4, 2), (2, 2), (2, 2), "SAME"),
    ((2, 4, 4, 65), (4, 4), (1, 1), "VALID"),
)


def _shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape]:
    """The shapes of picture and result of a case."""
    x, window, strides, padding = case
    height, width = axes(x, window, (1, *strides, 1), (), padding, (), "NHWC")
    y = (x[0], height.output, width.output, x[3])
    return (swapped_list(x, TO_NCHW), swapped_list(y, TO_NCHW)) if data_format == "NCHW" else (x, y)


def _attributes(case: tuple[Any, ...], data_format: str) -> dict[str, Any]:
    _, window, strides, padding = case
    ksize, steps = (1, *window, 1), (1, *strides, 1)
    if data_format == "NCHW":
        ksize, steps = swapped_list(ksize, TO_NCHW), swapped_list(steps, TO_NCHW)
    return {"ksize": ksize, "strides": steps, "padding": padding, "data_format": data_format}


def _distinct(shape: Shape, seed: int = 0) -> np.ndarray:
    """Different values a step of 0.1 apart, so that finite differences never cross a tie."""
    count = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(count).astype(np.float32) * np.float32(0.1)).reshape(shape)


_ALL = [(case, f) for case in _CASES for f in ("NHWC", "NCHW")]


class _Pooling(Op):
    """What the five ops share. Their attributes are the same."""

    def spatial(self, picture: Shape) -> tuple[Axis, Axis]:
        check_format(self.data_format)
        check_list("ksize", self.ksize, self.data_format)
        check_list("strides", self.strides, self.data_format)
        window = [self.ksize[a] for a in spatial_axes(self.data_format)]
        return axes(picture, window, self.strides, (), self.padding, (), self.data_format)

    def result_shape(self, picture: Shape) -> Shape:
        height, width = self.spatial(picture)
        if self.data_format == "NHWC":
            return picture[0], height.output, width.output, picture[3]
        return picture[0], picture[1], height.output, width.output

    def check_result(self, picture: Shape, name: str, given: Spec) -> None:
        """Raises ValueError unless `given` has the shape of the pooling's result."""
        expected = self.result_shape(picture)
        if given.shape is None:
            return
        try:
            for a, b in zip(given.shape, expected, strict=True):
                require_equal(a, b, f"shape of {name}")
        except ValueError:
            raise ValueError(f"{name} has shape {text(given.shape)}, but the pooling's result has {text(expected)}") from None

    def attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("ksize", "strides", "padding", "data_format")}

    def swapped(self, perm: tuple[int, ...], **fields: Any) -> Any:
        """The op in the other data format, or None if perm is no change between the two."""
        data_format = swapped(self.data_format, perm)
        if data_format is None:
            return None
        return dataclasses.replace(self, data_format=data_format, ksize=swapped_list(self.ksize, perm),
                                   strides=swapped_list(self.strides, perm), **fields)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm,) * len(ranks), (perm,))

    def kernel_arguments(self, picture: Shape, result: Shape, height: Axis, width: Axis,
                         pads: tuple[int, int]) -> dict[str, list[Size]]:
        return {"dims": [*picture, height.window, width.window, result[1], result[2]],
                "attrs": [height.stride, width.stride, *pads]}

    def nhwc(self, *arrays: np.ndarray) -> list[np.ndarray]:
        return [a.transpose(TO_NHWC) if self.data_format == "NCHW" else a for a in arrays]

    def back(self, array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.transpose(TO_NCHW)) if self.data_format == "NCHW" else array


class _MaxPooling(_Pooling):
    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        for name, spec in zip(self.operands, inputs, strict=True):
            check_rank(name, spec, 4)
        x = inputs[0]
        return Spec(x.dtype, None if x.shape is None else self.shape_of(x.shape, inputs))

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        raise NotImplementedError

    def windows(self, x: np.ndarray) -> tuple[Axis, Axis, np.ndarray, np.ndarray]:
        """The axes, the padded NHWC picture, and the number (row-major) of the first largest element of each window."""
        height, width = self.spatial(x.shape)
        padded_x = pad_array(self.nhwc(x)[0], height, width, -np.inf)
        best = padded_x[window_slice(height, width, 0, 0)].copy()
        where = np.zeros(best.shape, np.int64)
        for i, j in np.ndindex(height.window, width.window):
            value = padded_x[window_slice(height, width, i, j)]
            larger = (value > best) | np.isnan(value) & ~np.isnan(best)
            best[larger], where[larger] = value[larger], i * width.window + j
        return height, width, best, where


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
    samples = [Sample(_attributes(c, f), (_distinct(_shapes(c, f)[0]),)) for c, f in _ALL] + [
        Sample(_attributes(_CASES[0], "NHWC"), (_CASES[0][0],), (float64,))]

    def shape_of(self, picture: Shape, inputs: tuple[Spec, ...]) -> Shape:
        return self.result_shape(picture)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return self.back(self.windows(inputs[0])[2])

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        x, y = inputs[0], outputs[0]
        height, width = self.spatial(x.shape)
        pads = static_padding(height, width)
        if pads is None:
            x, pads = padded(b, x, height, width, -np.inf), (0, 0)
        b.call("max_pool", [x, y], **self.kernel_arguments(x.shape, y.shape, height, width, pads))

    def grad(self, node, dy):
        return [apply(MaxPoolGrad, node.inputs[0], node.outputs[0], dy, **self.attributes())]


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
        height, width, _, where = self.windows(x)
        picture = self.nhwc(x)[0]
        dx = pad_array(np.zeros_like(picture), height, width, 0)
        for i, j in np.ndindex(height.window, width.window):
            dx[window_slice(height, width, i, j)] += np.where(where == i * width.window + j, dy, 0)
        return self.back(_inside(dx, height, width))

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

    def grad(self, node, g):
        x, y, _ = node.inputs
        return [_zeros_like(x), _zeros_like(y), apply(MaxPoolGradGrad, x, y, g, **self.attributes())]


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
        return self.result_shape(picture)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        height, width, best, where = self.windows(inputs[0])
        ddx = pad_array(self.nhwc(inputs[2])[0], height, width, 0)
        result = np.zeros_like(best)
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

    def grad(self, node, g):
        x, y, _ = node.inputs
        return [_zeros_like(x), _zeros_like(y), apply(MaxPoolGrad, x, y, g, **self.attributes())]


def _gradient_samples(of_input: bool) -> list[Sample]:
    """Samples whose orig_output is what MaxPool makes of orig_input. The gradient is tested by second order: by finite
    differences orig_output would move alone."""
    made = []
    for case, data_format in _ALL:
        picture, result = _shapes(case, data_format)
        x = _distinct(picture)
        y = MaxPool(**_attributes(case, data_format)).reference(x)
        made.append(Sample(_attributes(case, data_format), (x, y, picture if of_input else result), gradient=False))
    ties = np.array([0, 1, 1, 0, 2, 2, 2, 2, 0, 0, 0, 0, 3, 1, 3, 1], np.float32).reshape(1, 4, 4, 1)
    attributes = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID", "data_format": "NHWC"}
    y = MaxPool(**attributes).reference(ties)
    made.append(Sample(attributes, (ties, y, ties.shape if of_input else y.shape), gradient=False))
    return made


MaxPoolGrad.samples = _gradient_samples(of_input=False)
MaxPoolGradGrad.samples = _gradient_samples(of_input=True)


class _AveragePooling(_Pooling):
    def counts(self, b: Any, x: Any, height: Axis, width: Axis, result: Shape) -> Any:
        """For padding of symbolic size: the share of each window of the padded picture that lies in the picture."""
        ones = b.temporary(x.dtype, (1, *x.shape[1:3], 1))
        b.fill(ones, 1)
        around = padded(b, ones, height, width, 0)
        share = b.temporary(x.dtype, (1, *result[1:3], 1))
        b.call("avg_pool", [around, share], **self.kernel_arguments(around.shape, share.shape, height, width, (0, 0)))
        return share

    @staticmethod
    def inside_counts(height: Axis, width: Axis) -> np.ndarray:
        """How many elements of each window lie in the picture, as [1, rows, columns, 1]."""
        ones = pad_array(np.ones((1, height.size, width.size, 1)), height, width, 0)
        return sum(ones[window_slice(height, width, i, j)] for i, j in np.ndindex(height.window, width.window))


@register
class AvgPool(_AveragePooling):
    """The mean of each window"""

    operands = ("value",)
    results = ("output",)
    types = {"T": "value"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NHWC")
    samples = [Sample(_attributes(c, f), (_shapes(c, f)[0],)) for c, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        check_rank("value", inputs[0], 4)
        shape = inputs[0].shape
        return Spec(inputs[0].dtype, None if shape is None else self.result_shape(shape))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        height, width = self.spatial(inputs[0].shape)
        x = pad_array(self.nhwc(inputs[0])[0].astype(np.float64), height, width, 0)
        total = sum(x[window_slice(height, width, i, j)] for i, j in np.ndindex(height.window, width.window))
        return self.back((total / self.inside_counts(height, width)).astype(inputs[0].dtype))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        x, y = inputs[0], outputs[0]
        height, width = self.spatial(x.shape)
        pads = static_padding(height, width)
        if pads is not None:
            b.call("avg_pool", [x, y], **self.kernel_arguments(x.shape, y.shape, height, width, pads))
            return
        around, whole = padded(b, x, height, width, 0), b.temporary(y.dtype, y.shape)
        b.call("avg_pool", [around, whole], **self.kernel_arguments(around.shape, y.shape, height, width, (0, 0)))
        share = self.counts(b, x, height, width, y.shape)
        b.elementwise(lambda s, total, part: s("div", total, part), [whole, share], [y])

    def grad(self, node, dy):
        return [apply(AvgPoolGrad, _shape(node.inputs[0]), dy, **self.attributes())]


@register
class AvgPoolGrad(_AveragePooling):
    """Each window's gradient, spread evenly over its elements"""

    operands = ("orig_input_shape", "grad")
    results = ("output",)
    types = {"T": "grad"}
    orig_input_shape: tuple[Size, ...] = operand_field("ints")
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NHWC")
    samples = [Sample({**_attributes(c, f), "orig_input_shape": _shapes(c, f)[0]}, (_shapes(c, f)[1],)) for c, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        check_rank("grad", inputs[0], 4)
        if self.orig_input_shape is None:
            return Spec(inputs[0].dtype, None)
        if len(self.orig_input_shape) != 4:
            raise ValueError(f"orig_input_shape must have 4 elements, but is {self.orig_input_shape}")
        self.check_result(self.orig_input_shape, "grad", inputs[0])
        return Spec(inputs[0].dtype, self.orig_input_shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        height, width = self.spatial(self.orig_input_shape)
        dy = self.nhwc(inputs[0])[0] / self.inside_counts(height, width)
        dx = pad_array(np.zeros((dy.shape[0], height.size, width.size, dy.shape[3])), height, width, 0)
        for i, j in np.ndindex(height.window, width.window):
            dx[window_slice(height, width, i, j)] += dy
        return self.back(_inside(dx, height, width).astype(inputs[0].dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm, orig_input_shape=tuple(self.orig_input_shape[p] for p in perm))
        return made and Permuted(made, (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        dy, dx = inputs[0], outputs[0]
        height, width = self.spatial(dx.shape)
        pads = static_padding(height, width)
        if pads is not None:
            b.call("avg_pool_grad", [dy, dx], **self.kernel_arguments(dx.shape, dy.shape, height, width, pads))
            return
        share, whole = self.counts(b, dx, height, width, dy.shape), b.temporary(dy.dtype, dy.shape)
        b.elementwise(lambda s, value, part: s("div", value, part), [dy, share], [whole])
        around = (height.size + height.before + height.behind, width.size + width.before + width.behind)
        target = b.temporary(dx.dtype, (dx.shape[0], *around, dx.shape[3]))
        b.call("avg_pool_grad", [whole, target], **self.kernel_arguments(target.shape, dy.shape, height, width, (0, 0)))
        b.copy(target.slice((0, height.before, width.before, 0), dx.shape), dx)

    def grad(self, node, g):
        return [None, apply(AvgPool, g, **self.attributes())]


def _inside(padded_array: np.ndarray, height: Axis, width: Axis) -> np.ndarray:
    """A padded NHWC array without its padding."""
    return padded_array[:, height.before:height.before + height.size, width.before:width.before + width.size]


def _shape(x):
    from graphc.ops.shapes import shape

    return shape(x)


def _zeros_like(x):
    from graphc.ops.fill import zeros_like

    return zeros_like(x)


def _pool_attributes(ksize: Any, strides: Any, padding: str, data_format: str | None) -> dict[str, Any]:
    data_format = data_format or "NHWC"
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ValueError(f"padding must be \"SAME\" or \"VALID\", but is {padding!r}")
    return {"ksize": spatial_list(ksize, data_format, "ksize"), "strides": spatial_list(strides, data_format, "strides"),
            "padding": padding.upper(), "data_format": data_format}


def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The largest element of each window. As `tf.nn.max_pool`; ksize, strides: an int or 1, 2 or 4 numbers."""
    value = deprecated(value, input, "value", "input")
    return apply(MaxPool, value, name=name, **_pool_attributes(ksize, strides, padding, data_format))


def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of each window; padding is not counted. As `tf.nn.avg_pool`."""
    value = deprecated(value, input, "value", "input")
    return apply(AvgPool, value, name=name, **_pool_attributes(ksize, strides, padding, data_format))


