"""Products, convolutions, poolings, normalisations, reductions."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.exporting.rules import NoEquivalent, exports, known, rank_of
from graphc.onnx.exporting.writer import Writer

_REDUCTIONS = {"Sum": "ReduceSum", "Mean": "ReduceMean", "Max": "ReduceMax", "Min": "ReduceMin", "Prod": "ReduceProd"}


@exports(*_REDUCTIONS)
def reduction(w: Writer, op: Any, x: str, _: str) -> str:
    axes = [int(a) for a in known(op.inputs[1], "the axes").reshape(-1)]
    return _reduced(w, _REDUCTIONS[op.type], x, axes, bool(op.get_attr("keep_dims")))


def _reduced(w: Writer, kind: str, x: str, axes: list[int], keepdims: bool) -> str:
    if not axes:
        return x
    if kind == "ReduceSum":
        return w.node(kind, x, w.constant(axes, gc.int64), keepdims=int(keepdims))  # type: ignore[no-any-return]
    return w.node(kind, x, axes=axes, keepdims=int(keepdims))  # type: ignore[no-any-return]


@exports("All", "Any")
def logical_reduction(w: Writer, op: Any, x: str, _: str) -> str:
    """Any: at least one; all: not any that is not."""
    axes = [int(a) for a in known(op.inputs[1], "the axes").reshape(-1)]
    counted = w.cast(w.node("Not", x) if op.type == "All" else x, gc.int32)
    found = w.cast(_reduced(w, "ReduceSum", counted, axes, bool(op.get_attr("keep_dims"))), gc.bool)
    return w.node("Not", found) if op.type == "All" else found


@exports("ArgMax", "ArgMin")
def position(w: Writer, op: Any, x: str, _: str) -> str:
    made: str = w.node(op.type, x, axis=int(known(op.inputs[1], "the axis")), keepdims=0)
    return made if op.outputs[0].dtype == gc.int64 else w.cast(made, op.outputs[0].dtype)


@exports("TopKV2")
def top_k(w: Writer, op: Any, x: str, _: str) -> tuple[str, str]:
    values, places = w.node("TopK", x, w.int64_vector(op.inputs[1]), outputs=2, axis=-1)
    return values, w.cast(places, gc.int32)


@exports("MatMul")
def matmul(w: Writer, op: Any, a: str, b: str) -> str:
    """Gemm has the flags, MatMul is what others know best."""
    flags = {"transA": op.get_attr("transpose_a"), "transB": op.get_attr("transpose_b")}
    if any(flags.values()) and op.inputs[0].dtype.is_floating:
        return w.node("Gemm", a, b, **{name: int(flag) for name, flag in flags.items()})  # type: ignore[no-any-return]
    a, b = (w.transpose(x, [1, 0]) if flag else x for x, flag in zip((a, b), flags.values(), strict=True))
    return w.node("MatMul", a, b)  # type: ignore[no-any-return]


@exports("BatchMatMul", "BatchMatMulV2")
def batch_matmul(w: Writer, op: Any, a: str, b: str) -> str:
    sides = []
    for name, tensor, flag in ((a, op.inputs[0], "adj_x"), (b, op.inputs[1], "adj_y")):
        order = list(range(rank_of(tensor)))
        order[-2:] = order[-1], order[-2]
        sides.append(w.transpose(name, order) if op.get_attr(flag) else name)
    return w.node("MatMul", *sides)  # type: ignore[no-any-return]


@exports("BiasAdd")
def bias_add(w: Writer, op: Any, x: str, bias: str) -> str:
    rank = rank_of(op.inputs[0])
    return w.row("Add", x, bias, 1 if op.get_attr("data_format") == "NCHW" else rank - 1, rank)


@exports("Softmax", "LogSoftmax")
def softmax(w: Writer, op: Any, x: str) -> str:
    return w.node(op.type, x, axis=-1)  # type: ignore[no-any-return]


class _Picture:
    """How an op on pictures or volumes sees its axes: `first` turns a value to channels first, `back` turns it back."""

    def __init__(self, op: Any, rank: int) -> None:
        data_format = op.get_attr("data_format")
        self.rank = rank
        self.is_first = data_format.startswith("NC")
        self.spatial = slice(2, rank) if self.is_first else slice(1, rank - 1)

    def first(self, w: Writer, x: str) -> str:
        return x if self.is_first else w.transpose(x, [0, self.rank - 1, *range(1, self.rank - 1)])

    def back(self, w: Writer, x: str) -> str:
        return x if self.is_first else w.transpose(x, [0, *range(2, self.rank), 1])

    def groups(self, picture: Any, filters: Any) -> dict[str, Any]:
        """The number of groups, where the filters of a convolution are known to be less deep than its picture."""
        channels, depth = picture.shape.as_list()[1 if self.is_first else -1], filters.shape.as_list()[-2]
        return {"group": channels // depth} if channels and depth and channels != depth else {}

    def window(self, op: Any, kernel: list[int]) -> dict[str, Any]:
        """strides, dilations, and pads as ONNX has them; auto_pad where they follow from sizes that are not known."""
        strides = list(op.get_attr("strides"))[self.spatial]
        made: dict[str, Any] = {"kernel_shape": kernel, "strides": strides}
        dilations = [1] * len(kernel)
        if op.type.startswith(("Conv", "Depthwise")):
            made["dilations"] = dilations = list(op.get_attr("dilations"))[self.spatial]
        padding = op.get_attr("padding")
        if padding == "SAME":
            sizes = op.inputs[0].shape.as_list()[self.spatial]
            pairs = [_same(*parts) for parts in zip(sizes, kernel, strides, dilations, strict=True)]
            if None not in pairs:
                made["pads"] = [a for a, _ in pairs] + [b for _, b in pairs]
            elif max(dilations) > 1:
                raise NoEquivalent("SAME padding with strides and dilations for sizes that are not known")
            else:
                made["auto_pad"] = "SAME_UPPER"
        elif padding == "EXPLICIT":
            pairs = _pairs(op)[self.spatial]
            made["pads"] = [a for a, _ in pairs] + [b for _, b in pairs]
        return made


def _pairs(op: Any) -> list[Any]:
    """explicit_paddings, (before, after) of each axis."""
    flat = list(op.get_attr("explicit_paddings"))
    return [tuple(flat[i:i + 2]) for i in range(0, len(flat), 2)]


def _same(size: int | None, kernel: int, stride: int, dilation: int) -> Any:
    """The pads by which there are size / stride windows, rounded up; None if they are not known."""
    span = (kernel - 1) * dilation + 1
    if stride > 1 and size is None:
        return None
    total = span - 1 if stride == 1 or size is None else max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def _filters(w: Writer, name: str, rank: int) -> str:
    """[spatial..., in, out] as [out, in, spatial...]; a constant at once."""
    order = [rank - 1, rank - 2, *range(rank - 2)]
    if name in w.initializers:
        return w.constant(np.ascontiguousarray(w.initializers[name].transpose(order)), name=f"{name}/first")
    return w.transpose(name, order)


@exports("Conv2D", "Conv3D")
def conv(w: Writer, op: Any, x: str, filters: str) -> str:
    rank = rank_of(op.inputs[0])
    picture = _Picture(op, rank)
    kernel = op.inputs[1].shape.as_list()[:-2]
    if None in kernel:
        raise NoEquivalent("a convolution whose kernel size is not known")
    y = w.node("Conv", picture.first(w, x), _filters(w, filters, rank), **picture.groups(op.inputs[0], op.inputs[1]),
               **picture.window(op, kernel))
    return picture.back(w, y)


@exports("DepthwiseConv2dNative")
def depthwise(w: Writer, op: Any, x: str, filters: str) -> str:
    """Filters [height, width, in, times] are groups of one channel each."""
    picture = _Picture(op, 4)
    height, width, channels, times = op.inputs[1].shape.as_list()
    if None in (height, width, channels, times):
        raise NoEquivalent("a depthwise convolution whose filters have sizes that are not known")
    shaped = w.node("Reshape", w.transpose(filters, [2, 3, 0, 1]),
                    w.constant([channels * times, 1, height, width], gc.int64))
    y = w.node("Conv", picture.first(w, x), shaped, group=channels, **picture.window(op, [height, width]))
    return picture.back(w, y)


@exports("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def conv_transpose(w: Writer, op: Any, _: str, filters: str, dy: str) -> str:
    """The pads are those of the convolution whose input has the size that is asked for."""
    rank = rank_of(op.inputs[2])
    picture = _Picture(op, rank)
    kernel, wanted = op.inputs[1].shape.as_list()[:-2], gc.get_static_value(op.inputs[0], partial=True)
    sizes = None if wanted is None else list(wanted)[picture.spatial]
    if None in kernel or sizes is None or any(n is None for n in sizes):
        raise NoEquivalent("a transposed convolution whose result has sizes that are not known")
    steps, dilations = (list(op.get_attr(name))[picture.spatial] for name in ("strides", "dilations"))
    given = op.inputs[2].shape.as_list()[picture.spatial]
    explicit = _pairs(op)[picture.spatial] if op.get_attr("padding") == "EXPLICIT" else None
    pads, behind = [], []
    for i, (size, k, step, d) in enumerate(zip(sizes, kernel, steps, dilations, strict=True)):
        span = (k - 1) * d + 1
        count = given[i] if given[i] is not None else -(-int(size) // step)
        if explicit is not None:
            before, after = explicit[i]
        else:
            total = max((count - 1) * step + span - int(size), 0) if op.get_attr("padding") == "SAME" else 0
            before, after = total // 2, total - total // 2
        pads.append((before, after))
        behind.append(int(size) - ((count - 1) * step + span - before - after))
    y = w.node("ConvTranspose", picture.first(w, dy), _filters(w, filters, rank), kernel_shape=kernel, strides=steps,
               dilations=dilations, pads=[a for a, _ in pads] + [b for _, b in pads],
               output_padding=behind if any(behind) else None, **picture.groups(op.outputs[0], op.inputs[1]))
    return picture.back(w, y)


@exports("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D")
def pool(w: Writer, op: Any, x: str) -> str:
    picture = _Picture(op, rank_of(op.inputs[0]))
    kernel = list(op.get_attr("ksize"))
    if kernel[0] != 1 or np.prod(kernel) != np.prod(kernel[picture.spatial]):
        raise NoEquivalent(f"a window {kernel} over batch or channels")
    kind = "MaxPool" if op.type.startswith("Max") else "AveragePool"
    y = w.node(kind, picture.first(w, x), **picture.window(op, kernel[picture.spatial]))
    return picture.back(w, y)


@exports("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_norm(w: Writer, op: Any, x: str, scale: str, offset: str, mean: str, variance: str) -> Any:
    if op.get_attr("is_training"):
        raise NoEquivalent("a batch norm of training; build the graph for inference (training=False)")
    picture = _Picture(op, rank_of(op.inputs[0]))
    y = w.node("BatchNormalization", picture.first(w, x), scale, offset, mean, variance,
               epsilon=float(op.get_attr("epsilon")))
    return (picture.back(w, y), mean, variance, *([""] * (len(op.outputs) - 3)))


@exports("LRN")
def local_response(w: Writer, op: Any, x: str) -> str:
    """ONNX divides alpha by the size."""
    radius = op.get_attr("depth_radius")
    y = w.node("LRN", w.transpose(x, [0, 3, 1, 2]), size=2 * radius + 1, bias=float(op.get_attr("bias")),
               alpha=float(op.get_attr("alpha")) * (2 * radius + 1), beta=float(op.get_attr("beta")))
    return w.transpose(y, [0, 2, 3, 1])


@exports("ResizeBilinear", "ResizeNearestNeighbor")
def resize(w: Writer, op: Any, x: str, _: str) -> str:
    """Channels are last in TensorFlow's pictures."""
    is_linear = op.type == "ResizeBilinear"
    centers, corners = op.get_attr("half_pixel_centers"), op.get_attr("align_corners")
    if corners and not is_linear:
        raise NoEquivalent("nearest neighbours with align_corners")
    mode = "align_corners" if corners else "half_pixel" if centers else "asymmetric"
    if op.inputs[0].dtype != op.outputs[0].dtype:
        x = w.cast(x, op.outputs[0].dtype)
    first = w.transpose(x, [0, 3, 1, 2])
    head = w.node("Slice", w.node("Shape", first), w.constant([0], gc.int64), w.constant([2], gc.int64))
    sizes = w.node("Concat", head, w.int64(op.inputs[1]), axis=0)
    y = w.node("Resize", first, "", "", sizes, mode="linear" if is_linear else "nearest",
               coordinate_transformation_mode=mode, nearest_mode=None if is_linear else
               ("round_prefer_ceil" if centers else "floor"))
    return w.transpose(y, [0, 2, 3, 1])
