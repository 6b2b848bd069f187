"""Shapes, slices, gathers and other arrangements."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.exporting.rules import NoEquivalent, axis_of, exports, known, rank_of
from graphc.onnx.exporting.writer import Writer

_END = np.iinfo(np.int64).max


def _as(w: Writer, name: str, dtype: Any) -> str:
    """An int64 value in the dtype that graphc's op has."""
    return name if dtype == gc.int64 else w.cast(name, dtype)


@exports("Reshape")
def reshape(w: Writer, op: Any, x: str, _: str) -> str:
    return w.node("Reshape", x, w.int64(op.inputs[1]), allowzero=1)  # type: ignore[no-any-return]


@exports("Shape")
def shape(w: Writer, op: Any, x: str) -> str:
    return _as(w, w.node("Shape", x), op.outputs[0].dtype)


@exports("Size")
def size(w: Writer, op: Any, x: str) -> str:
    return _as(w, w.node("Size", x), op.outputs[0].dtype)


@exports("Rank")
def rank(w: Writer, op: Any, x: str) -> str:
    return w.constant(rank_of(op.inputs[0]), op.outputs[0].dtype)


@exports("ExpandDims")
def expand_dims(w: Writer, op: Any, x: str, _: str) -> str:
    return w.node("Unsqueeze", x, w.constant([int(known(op.inputs[1], "the axis"))], gc.int64))  # type: ignore[no-any-return]


@exports("Squeeze")
def squeeze(w: Writer, op: Any, x: str) -> str:
    axes = list(op.get_attr("squeeze_dims"))
    if not axes:
        sizes = op.inputs[0].shape
        if sizes.ndims is None or None in sizes.as_list():
            raise NoEquivalent("squeeze of all axes of size 1, which are not known")
        axes = [i for i, n in enumerate(sizes.as_list()) if n == 1]
    return w.node("Squeeze", x, w.constant(axes, gc.int64)) if axes else x


@exports("Transpose")
def transpose(w: Writer, op: Any, x: str, _: str) -> str:
    return w.transpose(x, [int(i) for i in known(op.inputs[1], "perm")])


@exports("ConcatV2")
def concat(w: Writer, op: Any, *inputs: str) -> str:
    axis = int(known(op.inputs[-1], "the axis"))
    return w.node("Concat", *inputs[:-1], axis=axis)  # type: ignore[no-any-return]


@exports("Pack")
def pack(w: Writer, op: Any, *inputs: str) -> str:
    axis = op.get_attr("axis")
    at = w.constant([axis], gc.int64)
    return w.node("Concat", *(w.node("Unsqueeze", x, at) for x in inputs), axis=axis)  # type: ignore[no-any-return]


@exports("Unpack")
def unpack(w: Writer, op: Any, x: str) -> Any:
    axis, count = axis_of(op.get_attr("axis"), op.inputs[0]), len(op.outputs)
    return tuple(w.node("Gather", x, w.constant(i, gc.int64), axis=axis) for i in range(count))


@exports("Split", "SplitV")
def split(w: Writer, op: Any, *inputs: str) -> Any:
    is_even = op.type == "Split"
    x, axis = (inputs[1], op.inputs[0]) if is_even else (inputs[0], op.inputs[2])
    tensor = op.inputs[1] if is_even else op.inputs[0]
    at, count = axis_of(int(known(axis, "the axis")), tensor), len(op.outputs)
    if is_even:
        made = w.node("Split", x, outputs=count, axis=at)
    else:
        sizes, whole = known(op.inputs[1], "size_splits").astype(np.int64), tensor.shape.as_list()[at]
        if (sizes < 0).any():
            if whole is None:
                raise NoEquivalent("a split with a size of -1 along an axis whose size is not known")
            sizes = np.where(sizes < 0, whole - sizes[sizes >= 0].sum(), sizes)
        made = w.node("Split", x, w.constant(sizes), outputs=count, axis=at)
    return made if count > 1 else (made,)


@exports("Slice")
def slice_(w: Writer, op: Any, x: str, *_: str) -> str:
    count = rank_of(op.inputs[0])
    if count == 0:
        return x
    starts = w.int64(op.inputs[1])
    lengths, whole = gc.get_static_value(op.inputs[2]), w.int64(op.inputs[2])
    ends = w.node("Add", starts, whole)
    if lengths is None or (np.asarray(lengths) < 0).any():
        ends = w.node("Where", w.node("Less", whole, w.constant(0, gc.int64)), w.constant(_END, gc.int64), ends)
    return w.node("Slice", x, starts, ends, w.constant(np.arange(count), gc.int64))  # type: ignore[no-any-return]


@exports("StridedSlice")
def strided_slice(w: Writer, op: Any, x: str, *_: str) -> str:
    """An entry is a new axis, the ellipsis, an index, or a range."""
    masks = {name: op.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    count = op.inputs[1].shape.as_list()[0]
    steps = known(op.inputs[3], "strides")
    begin, end = (_entries(w, op.inputs[i]) for i in (1, 2))
    rank = rank_of(op.inputs[0])
    used = sum(not (masks["new_axis"] >> i & 1 or masks["ellipsis"] >> i & 1) for i in range(count))
    axis, out_axis = 0, 0
    parts: list[tuple[str, str, int, int]] = []        # starts, ends, axis, step
    dropped, added = [], []
    for i in range(count):
        bit = 1 << i
        if masks["ellipsis"] & bit:
            axis += rank - used
            out_axis += rank - used
        elif masks["new_axis"] & bit:
            added.append(out_axis)
            out_axis += 1
        else:
            parts.append(_range(w, begin[i], end[i], int(steps[i]), axis, {k: bool(m & bit) for k, m in masks.items()}))
            if masks["shrink_axis"] & bit:
                dropped.append(axis)
            else:
                out_axis += 1
            axis += 1
    return _cut(w, x, parts, dropped, added)


def _entries(w: Writer, vector: Any) -> list[Any]:
    """The numbers of a vector: ints, or names of int64 vectors of one element."""
    value = gc.get_static_value(vector, partial=True)
    count = vector.shape.as_list()[0]
    if value is not None and all(v is not None for v in value):
        return [int(v) for v in value]
    name = w.int64(vector)
    return [int(value[i]) if value is not None and value[i] is not None else
            w.node("Slice", name, w.constant([i], gc.int64), w.constant([i + 1], gc.int64)) for i in range(count)]


def _range(w: Writer, begin: Any, end: Any, step: int, axis: int, masks: dict[str, bool]) -> tuple[str, str, int, int]:
    def vector(value: Any) -> str:
        return value if isinstance(value, str) else w.constant([value], gc.int64)
    if masks["shrink_axis"]:
        if isinstance(begin, str):
            behind = w.node("Add", begin, w.constant([1], gc.int64))
            is_last = w.node("Equal", behind, w.constant([0], gc.int64))
            return begin, w.node("Where", is_last, w.constant([_END], gc.int64), behind), axis, 1
        return vector(begin), vector(_END if begin == -1 else begin + 1), axis, 1
    first = (0 if step > 0 else _END) if masks["begin"] else begin
    last = (_END if step > 0 else -_END) if masks["end"] else end
    return vector(first), vector(last), axis, step


def _cut(w: Writer, x: str, parts: list[tuple[str, str, int, int]], dropped: list[int], added: list[int]) -> str:
    def joined(names: list[str]) -> str:
        return names[0] if len(names) == 1 else w.node("Concat", *names, axis=0)
    if parts:
        x = w.node("Slice", x, joined([p[0] for p in parts]), joined([p[1] for p in parts]),
                   w.constant([p[2] for p in parts], gc.int64), w.constant([p[3] for p in parts], gc.int64))
    if dropped:
        x = w.node("Squeeze", x, w.constant(dropped, gc.int64))
    return w.node("Unsqueeze", x, w.constant(added, gc.int64)) if added else x


@exports("GatherV2", "Gather")
def gather(w: Writer, op: Any, x: str, indices: str, *_: str) -> str:
    if op.type == "GatherV2" and op.get_attr("batch_dims"):
        raise NoEquivalent("gather with batch_dims")
    axis = int(known(op.inputs[2], "the axis")) if op.type == "GatherV2" else 0
    return w.node("Gather", x, indices, axis=axis)  # type: ignore[no-any-return]


@exports("GatherNd")
def gather_nd(w: Writer, op: Any, x: str, _: str) -> str:
    return w.node("GatherND", x, w.int64(op.inputs[1]))  # type: ignore[no-any-return]


@exports("TensorScatterUpdate")
def scatter_update(w: Writer, op: Any, x: str, _: str, updates: str) -> str:
    return w.node("ScatterND", x, w.int64(op.inputs[1]), updates)  # type: ignore[no-any-return]


@exports("TensorScatterAdd")
def scatter_add(w: Writer, op: Any, x: str, _: str, updates: str) -> str:
    return w.node("ScatterND", x, w.int64(op.inputs[1]), updates, reduction="add")  # type: ignore[no-any-return]


@exports("ScatterNd")
def scatter_nd(w: Writer, op: Any, _: str, updates: str, __: str) -> str:
    empty = w.node("Expand", w.constant(0, op.outputs[0].dtype), w.int64(op.inputs[2]))
    return w.node("ScatterND", empty, w.int64(op.inputs[0]), updates, reduction="add")  # type: ignore[no-any-return]


@exports("Tile")
def tile(w: Writer, op: Any, x: str, _: str) -> str:
    return w.node("Tile", x, w.int64(op.inputs[1]))  # type: ignore[no-any-return]


@exports("BroadcastTo")
def broadcast_to(w: Writer, op: Any, x: str, _: str) -> str:
    return w.node("Expand", x, w.int64(op.inputs[1]))  # type: ignore[no-any-return]


@exports("Pad", "PadV2", "MirrorPad")
def pad(w: Writer, op: Any, x: str, _: str, value: str = "") -> str:
    mode = "constant"
    if op.type == "MirrorPad":
        if op.get_attr("mode") != "REFLECT":
            raise NoEquivalent("symmetric pads")
        mode = "reflect"
    if rank_of(op.inputs[0]) == 0:
        return x
    pairs = w.int64(op.inputs[1])
    flat = w.node("Reshape", w.node("Transpose", pairs, perm=[1, 0]), w.constant([-1], gc.int64))
    return w.node("Pad", x, flat, *([value] if value else []), mode=mode)  # type: ignore[no-any-return]


@exports("OneHot")
def one_hot(w: Writer, op: Any, indices: str, _: str, on: str, off: str) -> str:
    """Indices outside are no index at all in graphc; in ONNX negative ones count from the end."""
    depth, axis = w.int64(op.inputs[1]), op.get_attr("axis")
    number = w.int64(op.inputs[0])
    outside = w.node("Less", number, w.constant(0, gc.int64))
    inside = w.node("Where", outside, depth, number)
    values = w.node("Concat", w.node("Unsqueeze", off, w.constant([0], gc.int64)),
                    w.node("Unsqueeze", on, w.constant([0], gc.int64)), axis=0)
    if rank_of(op.inputs[0]):
        return w.node("OneHot", inside, depth, values, axis=axis)  # type: ignore[no-any-return]
    row = w.node("OneHot", w.node("Unsqueeze", inside, w.constant([0], gc.int64)), depth, values)
    return w.node("Squeeze", row, w.constant([0], gc.int64))  # type: ignore[no-any-return]


@exports("ReverseV2")
def reverse(w: Writer, op: Any, x: str, _: str) -> str:
    axes = [axis_of(int(a), op.inputs[0]) for a in known(op.inputs[1], "the axes").reshape(-1)]
    if not axes:
        return x
    ones = [-1] * len(axes)
    return w.node("Slice", x, w.constant(ones, gc.int64), w.constant([-_END] * len(axes), gc.int64),  # type: ignore[no-any-return]
                  w.constant(axes, gc.int64), w.constant(ones, gc.int64))


@exports("ReverseSequence")
def reverse_sequence(w: Writer, op: Any, x: str, _: str) -> str:
    rank, time, batch = rank_of(op.inputs[0]), op.get_attr("seq_dim"), op.get_attr("batch_dim")
    if {time, batch} != {0, 1}:
        raise NoEquivalent(f"reverse_sequence with seq_dim {time} and batch_dim {batch} of rank {rank}")
    return w.node("ReverseSequence", x, w.int64(op.inputs[1]), time_axis=time,  # type: ignore[no-any-return]
                  batch_axis=batch)


@exports("MatrixBandPart")
def band_part(w: Writer, op: Any, x: str, *_: str) -> str:
    """A triangle from below, and one from above; negative numbers of diagonals are all of them."""
    lower, upper = (int(known(t, "the number of diagonals")) for t in op.inputs[1:])
    x = w.node("Trilu", x, w.constant(-lower, gc.int64), upper=1) if lower >= 0 else x
    return w.node("Trilu", x, w.constant(upper, gc.int64), upper=0) if upper >= 0 else x


@exports("Where")
def where(w: Writer, op: Any, x: str) -> str:
    return w.node("Transpose", w.node("NonZero", x), perm=[1, 0])  # type: ignore[no-any-return]


@exports("DepthToSpace", "SpaceToDepth")
def depth_space(w: Writer, op: Any, x: str) -> str:
    last = op.get_attr("data_format") == "NHWC"
    x = w.transpose(x, [0, 3, 1, 2]) if last else x
    y = w.node(op.type, x, blocksize=op.get_attr("block_size"))
    return w.transpose(y, [0, 2, 3, 1]) if last else y
