"""Two-dimensional convolution and its gradients by the input and by the filter.

Filters are HWIO in both data formats. A filter that is less deep than the picture sees its channels in groups, each of
which has an equal part of the filters; both depths must be known for that. NCHW is turned to NHWC by the layout pass
through `permuted`; lowering knows NHWC only. Where the padding depends on symbolic sizes (SAME with strides), lowering
pads a copy. There infinity in a filter meets the copy's zeros, and gives NaN as in TensorFlow; padding that is known is
not met at all.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.op import Op, Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.values import whole
from graphc.ops.nn.window import (
    TO_NCHW,
    TO_NHWC,
    Axis,
    axes,
    channel_axis,
    check_format,
    check_list,
    convolution_spec,
    gradient_spec,
    met_slices,
    padded,
    require_nhwc,
    spatial_axes,
    static_padding,
    swapped,
    swapped_list,
    swapped_pads,
)

NO_DILATION = (1, 1, 1, 1)

# picture (NHWC), filter (HWIO), strides, padding, dilations, explicit paddings
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 5, 7, 3), (3, 3, 3, 4), (1, 1), "SAME", (1, 1), ()),
    ((2, 5, 7, 3), (3, 2, 3, 1), (1, 1), "VALID", (1, 1), ()),
    ((1, 9, 6, 1), (3, 3, 1, 17), (2, 1), "SAME", (1, 1), ()),
    ((3, 8, 9, 2), (2, 3, 2, 5), (2, 3), "VALID", (1, 1), ()),
    ((1, 9, 11, 2), (3, 3, 2, 3), (1, 1), "SAME", (2, 3), ()),
    ((2, 6, 5, 3), (1, 1, 3, 31), (1, 1), "VALID", (1, 1), ()),
    ((2, 6, 5, 3), (3, 3, 3, 2), (2, 2), "EXPLICIT", (1, 1), (0, 0, 1, 2, 2, 0, 0, 0)),
    ((0, 5, 5, 2), (3, 3, 2, 2), (1, 1), "SAME", (1, 1), ()),
    ((2, 9, 1, 3), (3, 1, 3, 4), (1, 1), "SAME", (2, 1), ()),
)


def case_attributes(case: tuple[Any, ...], data_format: str) -> dict[str, Any]:
    _, _, strides, padding, dilations, pads = case
    made = {"strides": (1, *strides, 1), "padding": padding, "dilations": (1, *dilations, 1), "explicit_paddings": pads}
    if data_format == "NCHW":
        made = {"strides": swapped_list(made["strides"], TO_NCHW), "padding": padding,
                "dilations": swapped_list(made["dilations"], TO_NCHW), "explicit_paddings": swapped_pads(pads, TO_NCHW)}
    return {**made, "data_format": data_format}


def _shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape, Shape]:
    """The shapes of picture, filter and result of a case."""
    x, w, strides, padding, dilations, pads = case
    height, width = axes(x, w[:2], (1, *strides, 1), (1, *dilations, 1), padding, pads, "NHWC")
    y = (x[0], height.output, width.output, w[3])
    if data_format == "NCHW":
        return swapped_list(x, TO_NCHW), w, swapped_list(y, TO_NCHW)
    return x, w, y


class Convolution(Op):
    """What the three ops share. Their attributes are the same."""

    types = {"T": "filter"}

    def check_attributes(self) -> None:
        check_format(self.data_format)
        check_list("strides", self.strides, self.data_format)
        check_list("dilations", self.dilations, self.data_format)
        if (self.padding == "EXPLICIT") != (len(self.explicit_paddings) == 8):
            raise ValueError(
                f"padding {self.padding} does not go with explicit_paddings {list(self.explicit_paddings)}"
            )

    def spatial(self, picture: Shape, filter: Shape) -> tuple[Axis, Axis]:
        return axes(picture, filter[:2], self.strides, self.dilations, self.padding, self.explicit_paddings,
                    self.data_format)

    def groups(self, picture: Shape, filter: Shape) -> int:
        """How many groups the channels fall into: more than 1 only where it is known that a filter is less deep."""
        channels, depth = picture[channel_axis(self.data_format)], filter[2]
        known = isinstance(channels, int) and isinstance(depth, int) and 0 < depth < channels
        return channels // depth if known and channels % depth == 0 else 1      # type: ignore[operator]

    def result_shape(self, picture: Shape, filter: Shape) -> Shape:
        """The shape of the convolution of a picture with a filter. Raises ValueError if they do not fit."""
        self.check_attributes()
        groups = self.groups(picture, filter)
        if groups == 1:
            require_equal(picture[channel_axis(self.data_format)], filter[2],
                          "input depth of the picture and of the filter")
        elif isinstance(filter[3], int) and filter[3] % groups:
            raise ValueError(f"its {groups} groups of channels give {filter[3]} channels, which is no multiple of them")
        else:
            require_equal(dims.mod(filter[3], groups), 0, "filters that groups of channels do not get evenly")
        height, width = self.spatial(picture, filter)
        if self.data_format == "NHWC":
            return picture[0], height.output, width.output, filter[3]
        return picture[0], filter[3], height.output, width.output

    def check_result(self, picture: Shape, filter: Shape, given: Spec) -> None:
        """Raises ValueError unless `given` has the shape of the convolution's result."""
        if given.shape is None:
            return
        expected = self.result_shape(picture, filter)
        for a, b in zip(given.shape, expected, strict=True):
            try:
                require_equal(a, b, "shape of out_backprop")
            except ValueError:
                raise ValueError(f"out_backprop has shape {text(given.shape)}, but the convolution's result has "
                                 f"{text(expected)}") from None

    def attributes(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in ("strides", "padding", "explicit_paddings", "data_format", "dilations")
        }

    def swapped(self, perm: tuple[int, ...], **fields: Any) -> Any:
        """The op in the other data format, or None if perm is no change between the two."""
        data_format = swapped(self.data_format, perm)
        if data_format is None:
            return None
        return dataclasses.replace(
            self,
            data_format=data_format,
            strides=swapped_list(self.strides, perm),
            dilations=swapped_list(self.dilations, perm),
            explicit_paddings=swapped_pads(self.explicit_paddings, perm),
            **fields,
        )

    def call(self, b: Any, kernel: str, operands: list[Any], picture: Shape, filter: Shape, result: Shape,
             axes: tuple[Axis, Axis], pads: tuple[int, int]) -> None:
        """The kernel, conv2d or a gradient, or its like for groups, or for a channel a group, of these sizes."""
        window, outputs, groups = filter[:2], result[1:3], self.groups(picture, filter)
        if all(dims.same(size, 1) for size in (picture[2], window[1], outputs[1])):
            # Pictures of one column are rows: the same memory, and kernels go along lines.
            picture, window, outputs = (picture[0], 1, picture[1], picture[3]), window[::-1], outputs[::-1]
            axes, pads = axes[::-1], pads[::-1]
        steps = [*(axis.stride for axis in axes), *(axis.dilation for axis in axes)]
        if groups == 1:
            b.call(kernel, operands, dims=[*picture, *window, filter[3], *outputs], attrs=[*steps, *pads])
        elif filter[2] == 1 and dims.same(filter[3], groups):
            b.call(f"depthwise_{kernel}", operands, dims=[*picture, *window, *outputs, *pads],
                   attrs=[*steps, 0] if kernel == "conv2d" else steps)
        else:
            each = [groups, filter[2], *window, dims.floordiv(filter[3], groups)]
            b.call(f"grouped_{kernel}", operands, dims=[*picture[:3], *each, *outputs], attrs=[*steps, *pads])

    def of_known_depths(self, g: Any, picture: Any, filter: Any,
                        shapes: tuple[Shape | None, Shape | None]) -> list[Any]:
        """Both, saying how deep they are if `shapes`, theirs, show groups: after a loop a gradient's operands do not
        show it."""
        if None in shapes or self.groups(*shapes) == 1:     # type: ignore[arg-type]
            return [picture, filter]
        made, axis = [], channel_axis(self.data_format)
        for tensor, shape, place in ((picture, shapes[0], axis), (filter, shapes[1], 2)):
            known = tuple(shape[i] if i == place else dims.symbol("?") for i in range(4))   # type: ignore[index]
            made.append(g.ensure_shape(tensor, shape=known))
        return made

    def nhwc(self, *arrays: np.ndarray) -> list[np.ndarray]:
        return [a.transpose(TO_NHWC) if self.data_format == "NCHW" else a for a in arrays]

    def back(self, array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.transpose(TO_NCHW)) if self.data_format == "NCHW" else array

    def nhwc_axes(self, picture: Sequence[int], filter: Sequence[int]) -> tuple[Axis, Axis]:
        """The spatial axes of a known shape in this op's format."""
        return self.spatial(tuple(picture), tuple(filter))


@register
class Conv2D(Convolution):
    """y[p, i, j, o] = sum of x[p, i s + u d - pad, j s + v d - pad, c] w[u, v, c, o] over u, v, c"""

    operands = ("input", "filter")
    results = ("output",)
    types = {"T": "input"}
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    use_cudnn_on_gpu: bool = attr("bool", True)
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample(case_attributes(case, f), _shapes(case, f)[:2]) for case in _CASES for f in ("NHWC", "NCHW")] + [
        Sample(case_attributes(_CASES[0], "NHWC"), _shapes(_CASES[0], "NHWC")[:2], (float64, float64))]

    def infer(self, *inputs: Spec) -> Spec:
        return convolution_spec(self, inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, w = inputs
        height, width = self.nhwc_axes(picture.shape, w.shape)
        image = self.nhwc(picture)[0]
        groups = groups_of(image.shape[3], w.shape[2])
        x, filters = grouped(image, groups), grouped(w, groups)
        y = np.zeros((x.shape[0], height.output, width.output, groups, w.shape[3] // groups))
        for i, j in np.ndindex(*w.shape[:2]):
            pixels, windows = met_slices(height, width, i, j)
            y[windows] += np.einsum("nhwgc,cgo->nhwgo", x[pixels], filters[i, j])
        return self.back(y.reshape(*y.shape[:3], w.shape[3]).astype(picture.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, None), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        x, w = inputs
        height, width = self.spatial(x.shape, w.shape)
        pads = static_padding(height, width)
        if pads is None:
            x, pads = padded(b, x, height, width, 0), (0, 0)
        self.call(b, "conv2d", [x, w, outputs[0]], x.shape, w.shape, outputs[0].shape, (height, width), pads)

    def grad(self, g, node, dy):
        x, w = self.of_known_depths(g, *node.inputs, tuple(t.spec.shape for t in node.inputs))
        return [g.conv2d_backprop_input(g.shape(x), w, dy, **self.attributes()),
                g.conv2d_backprop_filter(x, g.shape(w), dy, **self.attributes())]


@register
class Conv2DBackpropInput(Convolution):
    """The gradient of Conv2D by its input; also the transposed convolution"""

    operands = ("input_sizes", "filter", "out_backprop")
    results = ("output",)
    input_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    use_cudnn_on_gpu: bool = attr("bool", True)
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**case_attributes(case, f), "input_sizes": _shapes(case, f)[0]}, _shapes(case, f)[1:])
               for case in _CASES for f in ("NHWC", "NCHW")]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "input_sizes", inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        w, (dy,) = inputs[0], self.nhwc(inputs[1])
        height, width = self.nhwc_axes(self.input_sizes, w.shape)
        groups = groups_of(self.input_sizes[3 if self.data_format == "NHWC" else 1], w.shape[2])
        gradient, filters = grouped(dy, groups), grouped(w, groups)
        dx = np.zeros((self.input_sizes[0], height.size, width.size, groups, w.shape[2]))
        for i, j in np.ndindex(*w.shape[:2]):
            pixels, windows = met_slices(height, width, i, j)
            dx[pixels] += np.einsum("nhwgo,cgo->nhwgc", gradient[windows], filters[i, j])
        return self.back(dx.reshape(*dx.shape[:3], groups * w.shape[2]).astype(w.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm, input_sizes=tuple(self.input_sizes[p] for p in perm))
        return made and Permuted(made, (None, perm), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        w, dy = inputs
        dx = outputs[0]
        height, width = self.spatial(dx.shape, w.shape)
        pads = static_padding(height, width)
        target = dx
        if pads is None:
            around = (height.size + height.before + height.behind, width.size + width.before + width.behind)
            target, pads = b.temporary(dx.dtype, (dx.shape[0], *around, dx.shape[3])), (0, 0)
        self.call(b, "conv2d_input_grad", [dy, w, target], target.shape, w.shape, dy.shape, (height, width), pads)
        if target is not dx:
            b.copy(target.slice((0, height.before, width.before, 0), dx.shape), dx)

    def grad(self, g, node, ddx):
        _, w, dy = node.inputs
        ddx, w = self.of_known_depths(g, ddx, w, (node.outputs[0].spec.shape, w.spec.shape))
        return [None, g.conv2d_backprop_filter(ddx, g.shape(w), dy, **self.attributes()),
                g.conv2d(ddx, w, **self.attributes())]


@register
class Conv2DBackpropFilter(Convolution):
    """The gradient of Conv2D by its filter"""

    operands = ("input", "filter_sizes", "out_backprop")
    results = ("output",)
    types = {"T": "input"}
    filter_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    use_cudnn_on_gpu: bool = attr("bool", True)
    explicit_paddings: tuple[int, ...] = attr("list(int)", ())
    data_format: str = attr("string", "NHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**case_attributes(case, f), "filter_sizes": case[1]}, (_shapes(case, f)[0], _shapes(case, f)[2]))
               for case in _CASES for f in ("NHWC", "NCHW")]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "filter_sizes", inputs, 4)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, dy = self.nhwc(*inputs)
        height, width = self.nhwc_axes(inputs[0].shape, self.filter_sizes)
        groups = groups_of(picture.shape[3], self.filter_sizes[2])
        x, gradient, dw = grouped(picture, groups), grouped(dy, groups), np.zeros(self.filter_sizes)
        for i, j in np.ndindex(*self.filter_sizes[:2]):
            pixels, windows = met_slices(height, width, i, j)
            dw[i, j] = np.einsum("nhwgc,nhwgo->cgo", x[pixels], gradient[windows]).reshape(dw.shape[2:])
        return dw.astype(picture.dtype)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, perm), (None,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_nhwc(self)
        x, dy = inputs
        filter = outputs[0].shape
        height, width = self.spatial(x.shape, filter)
        pads = static_padding(height, width)
        if pads is None:
            x, pads = padded(b, x, height, width, 0), (0, 0)
        self.call(b, "conv2d_filter_grad", [x, dy, outputs[0]], x.shape, filter, dy.shape, (height, width), pads)

    def grad(self, g, node, ddx):
        x, _, dy = node.inputs
        x, ddx = self.of_known_depths(g, x, ddx, (x.spec.shape, node.outputs[0].spec.shape))
        return [g.conv2d_backprop_input(g.shape(x), ddx, dy, **self.attributes()), None,
                g.conv2d(x, ddx, **self.attributes())]


def groups_of(channels: int, depth: int) -> int:
    """For references: how often the filter's depth goes into the picture's channels."""
    return channels // max(depth, 1) or 1


def grouped(array: np.ndarray, groups: int) -> np.ndarray:
    """In float64, the last axis as [groups, elements of a group]."""
    return array.astype(np.float64).reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def spatial_list(values: Any, data_format: str, name: str) -> tuple[int, ...]:
    """Four values, one an axis, from an int, one, two or four of them. Raises ValueError for another number."""
    if values is None:
        return (1, 1, 1, 1)
    listed = [int(values)] if isinstance(values, (int, np.integer)) else [whole(v) for v in values]
    if len(listed) == 4:
        return tuple(listed)
    if len(listed) not in (1, 2):
        raise ValueError(f"{name} should be of length 1, 2 or 4 but was {len(listed)}")
    height, width = listed * 2 if len(listed) == 1 else listed
    made = [1, 1, 1, 1]
    for position, value in zip(spatial_axes(data_format), (height, width), strict=True):
        made[position] = value
    return tuple(made)


def padding_attributes(padding: Any) -> tuple[str, tuple[int, ...]]:
    """TF's padding argument, a word or a list of four pairs, as (padding, explicit_paddings)."""
    if isinstance(padding, (list, tuple)):
        if len(padding) != 4 or any(len(pair) != 2 for pair in padding):
            raise ValueError(f"explicit padding must be a list of 4 pairs, but is {padding}")
        flat = tuple(whole(v) for pair in padding for v in pair)
        return ("EXPLICIT", flat) if any(flat) else ("VALID", ())
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ValueError(f"padding must be \"SAME\", \"VALID\" or a list of 4 pairs, but is {padding!r}")
    return padding.upper(), ()
