"""Average pooling and its gradient. Padding takes no part: it is not counted in the mean.

Where the padding depends on symbolic sizes, lowering pads a copy and corrects the means for what lies in the padding.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.nn.pooling import ALL_CASES, Pooling, inside, sample_attributes, sample_shapes
from graphc.ops.nn.window import Axis, pad_array, padded, require_nhwc, static_padding, window_slice


class _AveragePooling(Pooling):
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
    samples = [Sample(sample_attributes(c, f), (sample_shapes(c, f)[0],)) for c, f in ALL_CASES]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        check_rank("value", inputs[0], 4)
        picture = inputs[0].shape
        return Spec(inputs[0].dtype, None if picture is None else self.result_shape(picture))

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

    def grad(self, g, node, dy):
        return [g.avg_pool_grad(g.shape(node.inputs[0]), dy, **self.attributes())]


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
    samples = [
        Sample({**sample_attributes(c, f), "orig_input_shape": sample_shapes(c, f)[0]}, (sample_shapes(c, f)[1],))
        for c, f in ALL_CASES
    ]

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
        return self.back(inside(dx, height, width).astype(inputs[0].dtype))

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

    def grad(self, g, node, ddx):
        return [None, g.avg_pool(ddx, **self.attributes())]
