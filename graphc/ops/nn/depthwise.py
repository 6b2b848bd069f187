"""Depthwise convolution, each channel with filters of its own, and its gradients by the input and by the filter.

Filters are [height, width, in, multiplier] in both data formats; output channel c * multiplier + q is filter q of
channel c. The kernels know one filter a channel: with more, the picture's channels are repeated. NCHW is turned to NHWC
by the layout pass through `permuted`.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.op import Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal
from graphc.ops.nn.convolution import NO_DILATION, Convolution, case_attributes
from graphc.ops.nn.window import (
    TO_NCHW,
    Axis,
    axes,
    channel_axis,
    convolution_spec,
    gradient_spec,
    met_slices,
    require_nhwc,
    swapped_list,
)

# picture (NHWC), filter, strides, padding, dilations, explicit paddings
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 5, 7, 3), (3, 3, 3, 1), (1, 1), "SAME", (1, 1), ()),
    ((2, 6, 7, 17), (3, 2, 17, 1), (1, 1), "VALID", (1, 1), ()),
    ((1, 9, 6, 2), (3, 3, 2, 3), (2, 1), "SAME", (1, 1), ()),
    ((1, 8, 9, 1), (2, 3, 1, 5), (2, 3), "VALID", (1, 1), ()),
    ((1, 9, 11, 2), (3, 3, 2, 1), (1, 1), "SAME", (2, 3), ()),
    ((2, 6, 5, 3), (3, 3, 3, 2), (2, 2), "EXPLICIT", (1, 1), (0, 0, 1, 2, 2, 0, 0, 0)),
    ((1, 6, 5, 2), (3, 3, 2, 1), (1, 1), "EXPLICIT", (1, 1), (0, 0, 3, 0, 1, 3, 0, 0)),
    ((0, 5, 5, 2), (3, 3, 2, 2), (1, 1), "SAME", (1, 1), ()),
    ((2, 7, 9, 18), (3, 3, 18, 1), (2, 2), "SAME", (2, 2), ()),
)


def _shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape, Shape]:
    """The shapes of picture, filter and result of a case."""
    x, w, strides, padding, dilations, pads = case
    height, width = axes(x, w[:2], (1, *strides, 1), (1, *dilations, 1), padding, pads, "NHWC")
    y = (x[0], height.output, width.output, w[2] * w[3])
    if data_format == "NCHW":
        return swapped_list(x, TO_NCHW), w, swapped_list(y, TO_NCHW)
    return x, w, y


_ALL = [(case, f) for case in _CASES for f in ("NHWC", "NCHW")]


class _Depthwise(Convolution):
    """What the three ops share. Their attributes are the same."""

    def result_shape(self, picture: Shape, filter: Shape) -> Shape:
        self.check_attributes()
        channels = picture[channel_axis(self.data_format)]
        require_equal(channels, filter[2], "input depth of the picture and of the filter")
        height, width = self.spatial(picture, filter)
        depth = filter[2] * filter[3]
        if self.data_format == "NHWC":
            return picture[0], height.output, width.output, depth
        return picture[0], depth, height.output, width.output

    def call(self, b: Any, kernel: str, operands: list[Any], picture: Shape, filter: Shape, result: Shape,
             height: Axis, width: Axis, *flip: int, pads: tuple[Size, Size] | None = None) -> None:
        """The kernel on a picture whose channels are those of the result."""
        sizes = [picture[0], height.size, width.size, result[3], filter[0], filter[1], result[1], result[2]]
        b.call(kernel, operands, dims=[*sizes, *(pads or (height.before, width.before))],
               attrs=[height.stride, width.stride, height.dilation, width.dilation, *flip])

    @staticmethod
    def repeated(b: Any, x: Any, filter: Shape) -> Any:
        """The picture with each channel as often as it has filters."""
        if dims.same(filter[3], 1):
            return x
        made = b.temporary(x.dtype, (*x.shape, filter[3]))
        b.copy(b.reshape(x, (*x.shape, 1)).broadcast(made.shape), made)
        return made


@register
class DepthwiseConv2dNative(_Depthwise):
    """y[p, i, j, c m + q] = sum of x[p, i s + u d - pad, j s + v d - pad, c] w[u, v, c, q] over u, v"""

    operands = ("input", "filter")
    results = ("output",)
    types = {"T": "input"}
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample(case_attributes(case, f), _shapes(case, f)[:2]) for case, f in _ALL] + [
        Sample(case_attributes(_CASES[0], "NHWC"), _shapes(_CASES[0], "NHWC")[:2], (float64, float64))]

    def infer(self, *inputs: Spec) -> Spec:
        return convolution_spec(self, inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, w = inputs
        height, width = self.nhwc_axes(picture.shape, w.shape)
        x = self.nhwc(picture)[0].astype(np.float64)
        y = np.zeros((x.shape[0], height.output, width.output, *w.shape[2:]))
        for i, j in np.ndindex(*w.shape[:2]):
            pixels, windows = met_slices(height, width, i, j)
            y[windows] += x[pixels][..., None] * w[i, j]
        return self.back(y.reshape(*y.shape[:3], w.shape[2] * w.shape[3]).astype(picture.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, None), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        (x, w), y = inputs, outputs[0]
        height, width = self.spatial(x.shape, w.shape)
        self.call(b, "depthwise_conv2d", [self.repeated(b, x, w.shape), w, y], x.shape, w.shape, y.shape, height, width,
                  0)

    def grad(self, g, node, dy):
        x, w = node.inputs
        return [g.depthwise_conv2d_native_backprop_input(g.shape(x), w, dy, **self.attributes()),
                g.depthwise_conv2d_native_backprop_filter(x, g.shape(w), dy, **self.attributes())]


@register
class DepthwiseConv2dNativeBackpropInput(_Depthwise):
    """The gradient of DepthwiseConv2dNative by its input"""

    operands = ("input_sizes", "filter", "out_backprop")
    results = ("output",)
    input_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**case_attributes(case, f), "input_sizes": _shapes(case, f)[0]}, _shapes(case, f)[1:])
               for case, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "input_sizes", inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        w, (dy,) = inputs[0], self.nhwc(inputs[1])
        height, width = self.nhwc_axes(self.input_sizes, w.shape)
        by_filter = dy.astype(np.float64).reshape(*dy.shape[:3], *w.shape[2:])
        dx = np.zeros((dy.shape[0], height.size, width.size, w.shape[2]))
        for i, j in np.ndindex(*w.shape[:2]):
            pixels, windows = met_slices(height, width, i, j)
            dx[pixels] += (by_filter[windows] * w[i, j]).sum(axis=-1)
        return self.back(dx.astype(w.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm, input_sizes=tuple(self.input_sizes[p] for p in perm))
        return made and Permuted(made, (None, perm), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        (w, dy), dx = inputs, outputs[0]
        height, width = self.spatial(dx.shape, w.shape)
        several = not dims.same(w.shape[3], 1)
        target = b.temporary(dx.dtype, (*dx.shape, w.shape[3])) if several else dx
        operands = [dy, w, target]
        if height.stride == width.stride == 1 and self.padding != "EXPLICIT":
            # The picture and the result change places. Explicit paddings may be larger than what the window reaches.
            pads = [dims.maximum((a.window - 1) * a.dilation - a.before, 0) for a in (height, width)]
            turned = [Axis(a.output, a.window, 1, a.dilation, a.size, 0, 0) for a in (height, width)]
            self.call(b, "depthwise_conv2d", operands, dy.shape, w.shape, (*dx.shape[:3], dy.shape[3]), *turned, 1,
                      pads=(pads[0], pads[1]))
        else:
            self.call(b, "depthwise_conv2d_input_grad", operands, dx.shape, w.shape, dy.shape, height, width)
        if several:
            b.reduce("add", target, dx, (4,))

    def grad(self, g, node, ddx):
        _, w, dy = node.inputs
        return [None, g.depthwise_conv2d_native_backprop_filter(ddx, g.shape(w), dy, **self.attributes()),
                g.depthwise_conv2d_native(ddx, w, **self.attributes())]


@register
class DepthwiseConv2dNativeBackpropFilter(_Depthwise):
    """The gradient of DepthwiseConv2dNative by its filter"""

    operands = ("input", "filter_sizes", "out_backprop")
    results = ("output",)
    types = {"T": "input"}
    filter_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**case_attributes(case, f), "filter_sizes": case[1]}, (_shapes(case, f)[0], _shapes(case, f)[2]))
               for case, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "filter_sizes", inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, dy = self.nhwc(*inputs)
        height, width = self.nhwc_axes(inputs[0].shape, self.filter_sizes)
        x = picture.astype(np.float64)
        by_filter = dy.reshape(*dy.shape[:3], *self.filter_sizes[2:])
        dw = np.zeros(self.filter_sizes)
        for i, j in np.ndindex(*self.filter_sizes[:2]):
            pixels, windows = met_slices(height, width, i, j)
            dw[i, j] = np.einsum("nhwc,nhwcq->cq", x[pixels], by_filter[windows])
        return dw.astype(picture.dtype)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, perm), (None,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        (x, dy), dw = inputs, outputs[0]
        height, width = self.spatial(x.shape, dw.shape)
        self.call(b, "depthwise_conv2d_filter_grad", [self.repeated(b, x, dw.shape), dy, dw], x.shape, dw.shape,
                  dy.shape, height, width)

    def grad(self, g, node, ddw):
        x, _, dy = node.inputs
        return [g.depthwise_conv2d_native_backprop_input(g.shape(x), ddw, dy, **self.attributes()), None,
                g.depthwise_conv2d_native(x, ddw, **self.attributes())]
