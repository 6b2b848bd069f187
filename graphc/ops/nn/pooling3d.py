"""Pooling over volumes: MaxPool3D and AvgPool3D, their gradients, and the gradient's gradient.

Maxima and means of a box are those along the depth of those of its frames, so both poolings are two over pictures. As
in TensorFlow, the gradient of MaxPool3D goes to every element that is the greatest, its gradient takes the first one.
NCDHW is turned to NDHWC by the layout pass through `permuted`; lowering and expansion know NDHWC only.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Composite, Op, Permuted, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.array.shapes import Reshape
from graphc.ops.nn import volume
from graphc.ops.nn.average_pooling import AvgPool, AvgPoolGrad
from graphc.ops.nn.max_pooling import MaxPool
from graphc.ops.nn.pooling import distinct
from graphc.ops.nn.volume import TO_FIRST, channel_axis, pad_array, spatial_axes, swapped_list, window_slice
from graphc.ops.nn.window import Axis

# volume (NDHWC), window, strides, padding
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 4, 6, 2, 3), (2, 2, 2), (2, 2, 2), "VALID"),
    ((1, 5, 4, 7, 2), (2, 3, 2), (2, 2, 3), "SAME"),
    ((1, 4, 5, 3, 17), (3, 2, 3), (1, 1, 1), "SAME"),
    ((1, 6, 5, 4, 1), (3, 2, 1), (1, 2, 1), "VALID"),
    ((0, 4, 4, 4, 2), (2, 2, 2), (2, 2, 2), "SAME"),
)
_ALL = [(case, f) for case in _CASES for f in volume.FORMATS]


def _attributes(case: tuple[Any, ...], data_format: str) -> dict[str, Any]:
    _, window, strides, padding = case
    made = {"ksize": (1, *window, 1), "strides": (1, *strides, 1)}
    if data_format == "NCDHW":
        made = {name: swapped_list(values, TO_FIRST) for name, values in made.items()}
    return {**made, "padding": padding, "data_format": data_format}


def _shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape]:
    x, window, strides, padding = case
    spatial = volume.axes(x, window, (1, *strides, 1), (), padding, "NDHWC")
    y = volume.result_shape(x, spatial, x[4], "NDHWC")
    return (swapped_list(x, TO_FIRST), swapped_list(y, TO_FIRST)) if data_format == "NCDHW" else (x, y)


class _Pooling3D(Op):
    """What the five ops share. Their attributes are the same."""

    def spatial(self, picture: Shape) -> tuple[Axis, Axis, Axis]:
        volume.check_format(self.data_format)
        volume.check_list("ksize", self.ksize, self.data_format)
        volume.check_list("strides", self.strides, self.data_format)
        window = [self.ksize[a] for a in spatial_axes(self.data_format)]
        return volume.axes(picture, window, self.strides, (), self.padding, self.data_format)

    def result_shape(self, picture: Shape) -> Shape:
        return volume.result_shape(picture, self.spatial(picture), picture[channel_axis(self.data_format)],
                                   self.data_format)

    def check_shape(self, name: str, given: Spec, expected: Shape, of: str) -> None:
        """Raises ValueError unless `given` has the expected shape, that of what `of` says."""
        if given.shape is None:
            return
        try:
            for a, b in zip(given.shape, expected, strict=True):
                require_equal(a, b, f"shape of {name}")
        except ValueError:
            raise ValueError(f"{name} has shape {text(given.shape)}, but {of} has {text(expected)}") from None

    def check_inputs(self, inputs: tuple[Spec, ...]) -> None:
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        names = [name for name in self.operands if name not in self.field_operands()]
        for name, spec in zip(names, inputs, strict=True):
            check_rank(name, spec, 5)

    def attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("ksize", "strides", "padding", "data_format")}

    def swapped(self, perm: tuple[int, ...], **fields: Any) -> Any:
        """The op in the other data format, or None if perm is no change between the two."""
        data_format = volume.swapped(self.data_format, perm)
        return data_format and dataclasses.replace(self, data_format=data_format, **fields, ksize=swapped_list(
            self.ksize, perm), strides=swapped_list(self.strides, perm))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm,) * len(ranks), (perm,))

    def places(self) -> Any:
        """Every place in a window, in row-major order."""
        return np.ndindex(*(self.ksize[a] for a in spatial_axes(self.data_format)))

    # The two poolings over pictures

    def of_frames(self) -> dict[str, Any]:
        return {"ksize": (1, *self.ksize[2:4], 1), "strides": (1, *self.strides[2:4], 1), "padding": self.padding}

    def of_depth(self) -> dict[str, Any]:
        return {"ksize": (1, self.ksize[1], 1, 1), "strides": (1, self.strides[1], 1, 1), "padding": self.padding}

    def pool(self, emit: Callable[..., Any], pooling: type[Op], x: Any) -> Any:
        volume.require_last(self)
        n, d, h, w, c = x.spec.shape
        depth, height, width = self.spatial(x.spec.shape)
        make: Any = pooling
        frames = emit(make(**self.of_frames()), emit(Reshape(shape=(n * d, h, w, c)), x))
        columns = emit(Reshape(shape=(n, d, height.output * width.output, c)), frames)
        y = emit(make(**self.of_depth()), columns)
        return emit(Reshape(shape=(n, depth.output, height.output, width.output, c)), y)


class _Composite3D(_Pooling3D, Composite):
    pass


@register
class AvgPool3D(_Composite3D):
    """The mean of each box; padding is not counted"""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    samples = [Sample(_attributes(c, f), (_shapes(c, f)[0],)) for c, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        self.check_inputs(inputs)
        x = inputs[0]
        return Spec(x.dtype, None if x.shape is None else self.result_shape(x.shape))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, = volume.channels_last(self, inputs[0].astype(np.float64))
        spatial = self.spatial(inputs[0].shape)
        counted = pad_array(np.ones_like(x), spatial, 0)
        x = pad_array(x, spatial, 0)
        total = sum(x[window_slice(spatial, p)] for p in self.places())
        count = sum(counted[window_slice(spatial, p)] for p in self.places())
        return volume.back(self, (total / count).astype(inputs[0].dtype))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return self.pool(emit, AvgPool, inputs[0])

    def grad(self, g, node, dy):
        return [g.avg_pool3d_grad(g.shape(node.inputs[0]), dy, **self.attributes())]


@register
class AvgPool3DGrad(_Composite3D):
    """Each box's gradient, spread evenly over its elements"""

    operands = ("orig_input_shape", "grad")
    results = ("output",)
    types = {"T": "grad"}
    orig_input_shape: tuple[Size, ...] = operand_field("ints")
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    samples = [Sample({**_attributes(c, f), "orig_input_shape": _shapes(c, f)[0]}, (_shapes(c, f)[1],))
               for c, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        self.check_inputs(inputs)
        if self.orig_input_shape is None:
            return Spec(inputs[0].dtype, None)
        if len(self.orig_input_shape) != 5:
            raise ValueError(f"orig_input_shape must have 5 elements, but is {self.orig_input_shape}")
        self.check_shape("grad", inputs[0], self.result_shape(self.orig_input_shape), "the pooling's result")
        return Spec(inputs[0].dtype, self.orig_input_shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, = volume.channels_last(self, inputs[0].astype(np.float64))
        spatial = self.spatial(self.orig_input_shape)
        counted = pad_array(np.ones((dy.shape[0], *(a.size for a in spatial), dy.shape[4])), spatial, 0)
        dy = dy / sum(counted[window_slice(spatial, p)] for p in self.places())
        dx = np.zeros_like(counted)
        for place in self.places():
            dx[window_slice(spatial, place)] += dy
        return volume.back(self, volume.inside(dx, spatial).astype(inputs[0].dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm, orig_input_shape=tuple(self.orig_input_shape[p] for p in perm))
        return made and Permuted(made, (perm,), (perm,))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        volume.require_last(self)
        n, d, h, w, c = self.orig_input_shape
        depth, height, width = self.spatial(self.orig_input_shape)
        flat = height.output * width.output
        dy = emit(Reshape(shape=(n, depth.output, flat, c)), inputs[0])
        columns = emit(AvgPoolGrad(orig_input_shape=(n, d, flat, c), **self.of_depth()), dy)
        frames = emit(Reshape(shape=(n * d, height.output, width.output, c)), columns)
        dx = emit(AvgPoolGrad(orig_input_shape=(n * d, h, w, c), **self.of_frames()), frames)
        return emit(Reshape(shape=(n, d, h, w, c)), dx)

    def grad(self, g, node, ddx):
        return [None, g.avg_pool3d(ddx, **self.attributes())]


@register
class MaxPool3D(_Composite3D):
    """The greatest element of each box"""

    operands = ("input",)
    results = ("output",)
    types = {"T": "input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    samples = [Sample(_attributes(c, f), (distinct(_shapes(c, f)[0]),)) for c, f in _ALL] + [
        Sample(_attributes(_CASES[0], "NDHWC"), (_CASES[0][0],), (float64,))]

    def infer(self, *inputs: Spec) -> Spec:
        self.check_inputs(inputs)
        x = inputs[0]
        return Spec(x.dtype, None if x.shape is None else self.result_shape(x.shape))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        spatial = self.spatial(inputs[0].shape)
        x = pad_array(volume.channels_last(self, inputs[0])[0], spatial, -np.inf)
        parts = [x[window_slice(spatial, place)] for place in self.places()]
        return volume.back(self, np.maximum.reduce(parts))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return self.pool(emit, MaxPool, inputs[0])

    def grad(self, g, node, dy):
        return [g.max_pool3d_grad(node.inputs[0], node.outputs[0], dy, **self.attributes())]


class _MaxGrad(_Pooling3D):
    """The two gradients: of three operands."""

    def infer(self, *inputs: Spec) -> Spec:
        self.check_inputs(inputs)
        x = inputs[0]
        if x.shape is None:
            return Spec(x.dtype, None)
        result = self.result_shape(x.shape)
        self.check_shape("orig_output", inputs[1], result, "the pooling's result")
        given, made, of = (result, x.shape, "the pooling's result") if self.type == "MaxPool3DGrad" else (
            x.shape, result, "the volume")
        self.check_shape("grad", inputs[2], given, of)
        return Spec(x.dtype, made)

    def call(self, b: Any, kernel: str, inputs: Any, outputs: Any, picture: Shape) -> None:
        volume.require_last(self)
        spatial = self.spatial(picture)
        b.call(kernel, [*inputs, outputs[0]],
               dims=[*picture, *(a.window for a in spatial), *(a.output for a in spatial),
                     *(a.before for a in spatial)], attrs=[a.stride for a in spatial])


@register
class MaxPool3DGrad(_MaxGrad):
    """Each box's gradient goes to all its greatest elements"""

    operands = ("orig_input", "orig_output", "grad")
    results = ("output",)
    types = {"T": "grad", "TInput": "orig_input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    samples = []

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, y, dy = volume.channels_last(self, *inputs)
        spatial = self.spatial(inputs[0].shape)
        x = pad_array(x, spatial, np.nan)
        dx = np.zeros_like(x)
        for place in self.places():
            at = window_slice(spatial, place)
            dx[at] += np.where(x[at] == y, dy, 0)
        return volume.back(self, volume.inside(dx, spatial))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, "max_pool3d_grad", inputs, outputs, inputs[0].shape)

    def grad(self, g, node, ddx):
        x, y, _ = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool3d_grad_grad(x, y, ddx, **self.attributes())]


@register
class MaxPool3DGradGrad(_MaxGrad):
    """For each box, the element of `grad` at the place of the volume's first greatest element"""

    operands = ("orig_input", "orig_output", "grad")
    results = ("output",)
    types = {"T": "orig_input"}
    ksize: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    samples = []

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, y, ddx = volume.channels_last(self, *inputs)
        spatial = self.spatial(inputs[0].shape)
        x, ddx = pad_array(x, spatial, np.nan), pad_array(ddx, spatial, 0)
        result = np.zeros_like(y)
        for place in reversed(list(self.places())):
            at = window_slice(spatial, place)
            result = np.where(x[at] == y, ddx[at], result)
        return volume.back(self, result)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, "max_pool3d_grad_grad", inputs, outputs, inputs[0].shape)

    def grad(self, g, node, ddx):
        x, y, _ = node.inputs
        return [g.zeros_like(x), g.zeros_like(y), g.max_pool3d_grad(x, y, ddx, **self.attributes())]


def _gradient_samples(of_input: bool) -> list[Sample]:
    """Samples whose orig_output is what MaxPool3D makes of orig_input, and one with ties."""
    made = []
    for case, data_format in _ALL:
        picture, result = _shapes(case, data_format)
        x = distinct(picture)
        y = MaxPool3D(**_attributes(case, data_format)).reference(x)
        made.append(Sample(_attributes(case, data_format), (x, y, picture if of_input else result), gradient=False))
    attributes = _attributes(_CASES[0], "NDHWC")
    ties = np.random.default_rng(3).integers(0, 2, _CASES[0][0]).astype(np.float32)
    y = MaxPool3D(**attributes).reference(ties)
    return [*made, Sample(attributes, (ties, y, ties.shape if of_input else y.shape), gradient=False)]


MaxPool3DGrad.samples = _gradient_samples(of_input=False)
MaxPool3DGradGrad.samples = _gradient_samples(of_input=True)
