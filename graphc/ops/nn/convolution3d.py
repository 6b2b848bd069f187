"""Three-dimensional convolution and its gradients by the input and by the filter.

Filters are [depth, height, width, in, out] in both data formats. The frames that a window meets along the depth are put
side by side in the channels (depth_taps.py): then it is a convolution over pictures, with all its speed. NCDHW is
turned to NDHWC by the layout pass through `permuted`; expansion knows NDHWC only.

Where values are not finite: a frame of padding is multiplied as zeros are (infinity times zero is NaN, as in
TensorFlow), a pixel of padding beside a frame is not met at all, as in Conv2D.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.op import Composite, Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.array.shapes import Reshape
from graphc.ops.array.transpose import Transpose
from graphc.ops.nn import volume
from graphc.ops.nn.convolution import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput
from graphc.ops.nn.depth_taps import _DepthTaps, _SumDepthTaps
from graphc.ops.nn.volume import TO_FIRST, channel_axis, swapped_list
from graphc.ops.nn.window import Axis, convolution_spec, gradient_spec, met_slices

NO_DILATION = (1, 1, 1, 1, 1)
DEPTH_INWARDS, DEPTH_OUTWARDS = (1, 2, 0, 3, 4), (2, 0, 1, 3, 4)     # of a filter: after height and width, and back

# volume (NDHWC), filter, strides, padding, dilations
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 4, 5, 6, 3), (3, 3, 3, 3, 4), (1, 1, 1), "SAME", (1, 1, 1)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 2, 1), (1, 1, 1), "VALID", (1, 1, 1)),
    ((1, 5, 6, 4, 1), (3, 2, 3, 1, 17), (2, 1, 2), "SAME", (1, 1, 1)),
    ((1, 6, 5, 7, 2), (2, 3, 2, 2, 3), (2, 2, 3), "VALID", (1, 1, 1)),
    ((1, 7, 5, 6, 2), (3, 3, 2, 2, 3), (1, 1, 1), "SAME", (2, 1, 3)),
    ((2, 3, 4, 2, 3), (1, 1, 1, 3, 5), (1, 1, 1), "VALID", (1, 1, 1)),
    ((0, 3, 3, 3, 2), (2, 2, 2, 2, 2), (1, 1, 1), "SAME", (1, 1, 1)),
)
_ALL = [(case, f) for case in _CASES for f in volume.FORMATS]


def _attributes(case: tuple[Any, ...], data_format: str) -> dict[str, Any]:
    _, _, strides, padding, dilations = case
    made = {"strides": (1, *strides, 1), "dilations": (1, *dilations, 1)}
    if data_format == "NCDHW":
        made = {name: swapped_list(values, TO_FIRST) for name, values in made.items()}
    return {**made, "padding": padding, "data_format": data_format}


def _shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape, Shape]:
    """The shapes of volume, filter and result of a case."""
    x, w, strides, padding, dilations = case
    spatial = volume.axes(x, w[:3], (1, *strides, 1), (1, *dilations, 1), padding, "NDHWC")
    y = volume.result_shape(x, spatial, w[4], "NDHWC")
    return (swapped_list(x, TO_FIRST), w, swapped_list(y, TO_FIRST)) if data_format == "NCDHW" else (x, w, y)


def _with_frames_around(x: np.ndarray, depth: Axis) -> np.ndarray:
    """For references: the volumes in float64 with the frames of padding, which are multiplied as zeros."""
    return np.pad(x.astype(np.float64), ((0, 0), (depth.before, depth.behind), (0, 0), (0, 0), (0, 0)))


def _met_slices(spatial: Sequence[Axis], place: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """For references: which voxels of such volumes an element of a window meets, and in which windows."""
    depth, height, width = spatial
    start = place[0] * depth.dilation
    pixels, windows = met_slices(height, width, *place[1:])
    frames = slice(start, start + (depth.output - 1) * depth.stride + 1, depth.stride)
    return (pixels[0], frames, *pixels[1:]), (windows[0], slice(None), *windows[1:])


class _Convolution3D(Composite):
    """What the three ops share. Their attributes are the same."""

    types = {"T": "filter"}

    def spatial(self, picture: Shape, filter: Shape) -> tuple[Axis, Axis, Axis]:
        return volume.axes(picture, filter[:3], self.strides, self.dilations, self.padding, self.data_format)

    def result_shape(self, picture: Shape, filter: Shape) -> Shape:
        """The shape of the convolution of volumes with a filter. Raises ValueError if they do not fit."""
        volume.check_format(self.data_format)
        volume.check_list("strides", self.strides, self.data_format)
        volume.check_list("dilations", self.dilations, self.data_format)
        channels = picture[channel_axis(self.data_format)]
        require_equal(channels, filter[3], "input depth of the volumes and of the filter")
        return volume.result_shape(picture, self.spatial(picture, filter), filter[4], self.data_format)

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
        return {name: getattr(self, name) for name in ("strides", "padding", "data_format", "dilations")}

    def swapped(self, perm: tuple[int, ...], **fields: Any) -> Any:
        """The op in the other data format, or None if perm is no change between the two."""
        data_format = volume.swapped(self.data_format, perm)
        return data_format and dataclasses.replace(
            self, data_format=data_format, strides=swapped_list(self.strides, perm),
            dilations=swapped_list(self.dilations, perm), **fields)

    # Parts of expansions

    def taps(self, depth: Axis, channels: Size) -> dict[str, Any]:
        """The fields of the ops that unfold the depth."""
        return {"window": (depth.window, depth.output, depth.before, depth.size, channels), "stride": depth.stride,
                "dilation": depth.dilation}

    def flat(self) -> dict[str, Any]:
        """The attributes of the convolution over pictures."""
        return {"strides": (1, *self.strides[2:4], 1), "padding": self.padding,
                "dilations": (1, *self.dilations[2:4], 1)}

    def unfolded(self, emit: Callable[..., Any], x: Any, depth: Axis) -> Any:
        """Volumes as pictures [batch * outputs, height, width, taps * in]."""
        y = x
        if not (depth.stride == 1 and isinstance(depth.window, int) and depth.window == 1):
            y = emit(_DepthTaps(**self.taps(depth, x.spec.shape[4])), x)
        return self.frames(emit, y)

    @staticmethod
    def frames(emit: Callable[..., Any], x: Any) -> Any:
        """[batch, depth, ...] as [batch * depth, ...]."""
        shape = x.spec.shape
        return emit(Reshape(shape=(shape[0] * shape[1], *shape[2:])), x)

    @staticmethod
    def flat_filter(emit: Callable[..., Any], w: Any) -> Any:
        """[depth, height, width, in, out] as [height, width, depth * in, out]."""
        depth, height, width, channels, out = w.spec.shape
        return emit(Reshape(shape=(height, width, depth * channels, out)), emit(Transpose(perm=DEPTH_INWARDS), w))


@register
class Conv3D(_Convolution3D):
    """y[p, t, i, j, o] = sum of x[p, t s + a d - pad, i s + u d - pad, j s + v d - pad, c] w[a, u, v, c, o]"""

    operands = ("input", "filter")
    results = ("output",)
    types = {"T": "input"}
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample(_attributes(case, f), _shapes(case, f)[:2]) for case, f in _ALL] + [
        Sample(_attributes(_CASES[0], "NDHWC"), _shapes(_CASES[0], "NDHWC")[:2], (float64, float64))]

    def infer(self, *inputs: Spec) -> Spec:
        return convolution_spec(self, inputs, 5)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, w = inputs
        spatial = self.spatial(picture.shape, w.shape)
        x = _with_frames_around(volume.channels_last(self, picture)[0], spatial[0])
        y = np.zeros((x.shape[0], *(a.output for a in spatial), w.shape[4]))
        for place in np.ndindex(*w.shape[:3]):
            voxels, windows = _met_slices(spatial, place)
            y[windows] += x[voxels] @ w[place]
        return volume.back(self, y.astype(picture.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, None), (perm,))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        volume.require_last(self)
        x, w = inputs
        depth, height, width = self.spatial(x.spec.shape, w.spec.shape)
        y = emit(Conv2D(**self.flat()), self.unfolded(emit, x, depth), self.flat_filter(emit, w))
        return emit(Reshape(shape=(x.spec.shape[0], depth.output, height.output, width.output, w.spec.shape[4])), y)

    def grad(self, g, node, dy):
        x, w = node.inputs
        return [g.conv3d_backprop_input_v2(g.shape(x), w, dy, **self.attributes()),
                g.conv3d_backprop_filter_v2(x, g.shape(w), dy, **self.attributes())]


@register
class Conv3DBackpropInputV2(_Convolution3D):
    """The gradient of Conv3D by its input; also the transposed convolution"""

    operands = ("input_sizes", "filter", "out_backprop")
    results = ("output",)
    types = {"T": "filter", "Tshape": "input_sizes"}
    input_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**_attributes(case, f), "input_sizes": _shapes(case, f)[0]}, _shapes(case, f)[1:])
               for case, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "input_sizes", inputs, 5)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        w, (dy,) = inputs[0], volume.channels_last(self, inputs[1])
        spatial = self.spatial(self.input_sizes, w.shape)
        depth = spatial[0]
        dx = _with_frames_around(np.zeros((dy.shape[0], *(a.size for a in spatial), w.shape[3])), depth)
        for place in np.ndindex(*w.shape[:3]):
            voxels, windows = _met_slices(spatial, place)
            dx[voxels] += dy[windows].astype(np.float64) @ w[place].T
        return volume.back(self, dx[:, depth.before:depth.before + depth.size].astype(w.dtype))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm, input_sizes=tuple(self.input_sizes[p] for p in perm))
        return made and Permuted(made, (None, perm), (perm,))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        volume.require_last(self)
        w, dy = inputs
        n, _, h, wide, c = self.input_sizes
        depth, _, _ = self.spatial(self.input_sizes, w.spec.shape)
        flat = Conv2DBackpropInput(input_sizes=(n * depth.output, h, wide, depth.window * c), **self.flat())
        frames = emit(flat, self.flat_filter(emit, w), self.frames(emit, dy))
        unfolded = emit(Reshape(shape=(n, depth.output, h, wide, depth.window * c)), frames)
        if depth.stride == 1 and isinstance(depth.window, int) and depth.window == 1:
            return unfolded
        return emit(_SumDepthTaps(**self.taps(depth, c)), unfolded)

    def grad(self, g, node, ddx):
        _, w, dy = node.inputs
        return [None, g.conv3d_backprop_filter_v2(ddx, g.shape(w), dy, **self.attributes()),
                g.conv3d(ddx, w, **self.attributes())]


@register
class Conv3DBackpropFilterV2(_Convolution3D):
    """The gradient of Conv3D by its filter"""

    operands = ("input", "filter_sizes", "out_backprop")
    results = ("output",)
    types = {"T": "input"}
    filter_sizes: tuple[Size, ...] = operand_field("ints")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    data_format: str = attr("string", "NDHWC")
    dilations: tuple[int, ...] = attr("list(int)", NO_DILATION)
    samples = [Sample({**_attributes(case, f), "filter_sizes": case[1]}, (_shapes(case, f)[0], _shapes(case, f)[2]))
               for case, f in _ALL]

    def infer(self, *inputs: Spec) -> Spec:
        return gradient_spec(self, "filter_sizes", inputs, 5)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        picture, dy = volume.channels_last(self, *inputs)
        spatial = self.spatial(inputs[0].shape, self.filter_sizes)
        x = _with_frames_around(picture, spatial[0])
        dw = np.zeros(self.filter_sizes)
        for place in np.ndindex(*self.filter_sizes[:3]):
            voxels, windows = _met_slices(spatial, place)
            dw[place] = np.einsum("ndhwc,ndhwo->co", x[voxels], dy[windows])
        return dw.astype(picture.dtype)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm, perm), (None,))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        volume.require_last(self)
        x, dy = inputs
        taps, height, width, c, out = self.filter_sizes
        depth, _, _ = self.spatial(x.spec.shape, self.filter_sizes)
        flat = Conv2DBackpropFilter(filter_sizes=(height, width, taps * c, out), **self.flat())
        dw = emit(flat, self.unfolded(emit, x, depth), self.frames(emit, dy))
        return emit(Transpose(perm=DEPTH_OUTWARDS), emit(Reshape(shape=(height, width, taps, c, out)), dw))

    def grad(self, g, node, ddw):
        x, _, dy = node.inputs
        return [g.conv3d_backprop_input_v2(g.shape(x), ddw, dy, **self.attributes()), None,
                g.conv3d(x, ddw, **self.attributes())]
