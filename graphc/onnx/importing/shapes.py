"""Constants, shapes, and other arrangements of the same elements."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.element_types import dtype_of
from graphc.onnx.importing.rules import Node, onnx_op, shape_vector, sizes_of, static_sizes


@onnx_op("Constant")
def constant(node: Node) -> Any:
    kinds = {"value": None, "sparse_value": None, "value_float": np.float32, "value_floats": np.float32,
             "value_int": np.int64, "value_ints": np.int64, "value_string": object, "value_strings": object}
    for kind, dtype in kinds.items():
        value = node.attr(kind)
        if value is not None:
            value = value.encode() if isinstance(value, str) else value
            made = node.build.constant(value if dtype is None else np.array(value, dtype), node.outputs[0])
            return node.build.marked(made, next((a.t.data_type for a in node.proto.attribute if a.name == kind), 0))
    raise node.invalid("it has no value")


@onnx_op("ConstantOfShape")
def constant_of_shape(node: Node, shape: Any) -> Any:
    value = node.attr("value", np.zeros(1, np.float32)).reshape(-1)
    return gc.fill(shape, gc.constant(value[0], value.dtype))


@onnx_op("Shape")
def shape(node: Node, x: Any) -> Any:
    sizes = gc.shape(x, out_type=gc.int64)
    if node.attr("start") is None and node.attr("end") is None:
        return sizes
    rank = node.rank(x)
    first, last = ((v + rank if v < 0 else v) for v in (node.attr("start", 0), node.attr("end", rank)))
    first = min(max(first, 0), rank)
    return sizes[first:min(max(last, first), rank)]


@onnx_op("Size")
def size(node: Node, x: Any) -> Any:
    return gc.size(x, out_type=gc.int64)


@onnx_op("Reshape")
def reshape(node: Node, x: Any, shape: Any = None) -> Any:
    """A size of 0 is that of x at the same place, unless allowzero."""
    shape = gc.constant(np.array(node.need("shape"), np.int64)) if shape is None else shape
    if node.attr("allowzero", 0):
        return gc.reshape(x, shape)
    given = node.maybe_known(shape)
    if given is not None:
        if 0 not in given:
            return gc.reshape(x, shape)
        if (np.flatnonzero(given == 0) >= node.rank(x)).any():
            raise node.invalid(f"the shape {given.tolist()} keeps an axis that an input of rank {node.rank(x)} has not")
        old = sizes_of(x)
        return gc.reshape(x, shape_vector([old[i] if s == 0 else int(s) for i, s in enumerate(given)]))
    count = static_sizes(shape)[0]
    if count is None:
        node.known(shape, "the number of axes of its result")
    parts = gc.get_static_value(shape, partial=True)
    if parts is not None and (0 not in parts or np.flatnonzero(parts == 0).max() < node.rank(x)):
        # What is not known is made of sizes: if one of those is 0, so is the number of elements.
        old = sizes_of(x)
        return gc.reshape(x, shape_vector([old[i] if n == 0 else shape[i] if n is None else n
                                           for i, n in enumerate(parts.tolist())]))
    old = (sizes_of(x) + [gc.constant(0, gc.int64)] * count)[:count]
    return gc.reshape(x, gc.where_v2(gc.equal(shape, gc.constant(0, gc.int64)), shape_vector(old), shape))


@onnx_op("Flatten")
def flatten(node: Node, x: Any) -> Any:
    axis = node.axis(x, node.attr("axis", 1), extra=1) if node.attr("axis", 1) >= 0 else node.axis(x, node.attr("axis"))
    sizes = sizes_of(x)
    rows: Any = 1
    columns: Any = 1
    for i, n in enumerate(sizes):
        rows, columns = (rows * n, columns) if i < axis else (rows, columns * n)
    return gc.reshape(x, shape_vector([rows, columns]))


@onnx_op("Transpose")
def transpose(node: Node, x: Any) -> Any:
    perm = node.attr("perm")
    return gc.transpose(x, perm) if perm else gc.transpose(x)


@onnx_op("Squeeze")
def squeeze(node: Node, x: Any, axes: Any = None) -> Any:
    wanted = node.axes(x, axes)
    if wanted == []:
        return gc.identity(x)
    return gc.squeeze(x, wanted)


@onnx_op("Unsqueeze")
def unsqueeze(node: Node, x: Any, axes: Any = None) -> Any:
    given = node.known_list(axes, "axes") if axes is not None else node.need("axes")
    for axis in sorted(node.axis(x, int(a), extra=len(given)) for a in given):
        x = gc.expand_dims(x, axis)
    return x


@onnx_op("Expand")
def expand(node: Node, x: Any, shape: Any) -> Any:
    """Both ways: sizes of x hold where the shape has 1, or is shorter."""
    given, old = node.maybe_known(shape), static_sizes(x)
    if given is not None and None not in old:
        try:
            return gc.broadcast_to(x, np.array(np.broadcast_shapes(tuple(old), tuple(given.tolist())), np.int64))
        except ValueError as error:
            raise node.invalid(f"{old} does not broadcast to {given.tolist()}: {error}") from None
    return gc.broadcast_to(x, gc.broadcast_dynamic_shape(gc.shape(x, out_type=gc.int64), shape))


@onnx_op("Tile")
def tile(node: Node, x: Any, repeats: Any) -> Any:
    return gc.tile(x, repeats)


@onnx_op("Concat")
def concat(node: Node, *inputs: Any) -> Any:
    axis = node.axis(inputs[0], node.attr("axis", 1))
    return gc.concat(list(inputs), axis) if len(inputs) > 1 else gc.identity(inputs[0])


@onnx_op("Split")
def split(node: Node, x: Any, sizes: Any = None) -> Any:
    """Parts of sizes that are given, or equal ones, of which the last one may be smaller."""
    axis = node.axis(x, node.attr("axis", 0))
    given = node.known_list(sizes, "split") if sizes is not None else node.attr("split")
    if given is not None:
        return tuple(gc.split(x, [int(n) for n in given], axis))
    count, size = node.attr("num_outputs") or len(node.outputs), sizes_of(x)[axis]
    part = -(-size // count)
    if isinstance(size, int):
        return tuple(gc.split(x, [max(min(part, size - i * part), 0) for i in range(count)], axis))
    before = [slice(None)] * axis
    return tuple(x[(*before, slice(part * i, part * (i + 1)))] for i in range(count))


@onnx_op("Range")
def value_range(node: Node, start: Any, limit: Any, delta: Any) -> Any:
    """Of floats: n times delta, as ONNX counts them."""
    if start.dtype in (gc.int32, gc.int64):
        return gc.range(start, limit, delta)
    start, limit, delta = (gc.reshape(v, []) for v in (start, limit, delta))
    wide = gc.float64 if start.dtype.is_floating else gc.int64
    a, b, step = (gc.cast(v, wide) for v in (start, limit, delta))
    if wide == gc.int64:
        return gc.cast(gc.range(a, b, step), start.dtype)
    count = gc.maximum(gc.cast(gc.ceil((b - a) / step), gc.int64), gc.constant(0, gc.int64))
    return start + gc.cast(gc.range(gc.constant(0, gc.int64), count, gc.constant(1, gc.int64)), start.dtype) * delta


@onnx_op("EyeLike")
def eye_like(node: Node, x: Any) -> Any:
    dtype = x.dtype if node.attr("dtype") is None else dtype_of(node.attr("dtype"), str(node))
    rows, columns = sizes_of(x)
    k = gc.constant(node.attr("k", 0), gc.int64)
    here = gc.expand_dims(gc.range(gc.cast(rows, gc.int64)), 1) + k
    return gc.cast(gc.equal(here, gc.expand_dims(gc.range(gc.cast(columns, gc.int64)), 0)), dtype)


@onnx_op("Trilu")
def triangle(node: Node, x: Any, k: Any = None) -> Any:
    """The part above (or below) a diagonal; 0 elsewhere."""
    offset = gc.constant(0, gc.int64) if k is None else gc.reshape(k, [])
    rows, columns = sizes_of(x)[-2:]
    across, down = (gc.range(gc.cast(n, gc.int64)) for n in (columns, rows))
    distance = gc.expand_dims(across, 0) - gc.expand_dims(down, 1)
    kept = gc.greater_equal(distance, offset) if node.attr("upper", 1) else gc.less_equal(distance, offset)
    return gc.where_v2(kept, x, gc.zeros_like(x))


@onnx_op("DepthToSpace")
def depth_to_space(node: Node, x: Any) -> Any:
    block = node.need("blocksize")
    n, c, h, w = sizes_of(x)
    depth = c // (block * block)
    if node.attr("mode", "DCR") == "DCR":
        x = gc.transpose(gc.reshape(x, shape_vector([n, block, block, depth, h, w])), [0, 3, 4, 1, 5, 2])
    else:
        x = gc.transpose(gc.reshape(x, shape_vector([n, depth, block, block, h, w])), [0, 1, 4, 2, 5, 3])
    return gc.reshape(x, shape_vector([n, depth, h * block, w * block]))


@onnx_op("SpaceToDepth")
def space_to_depth(node: Node, x: Any) -> Any:
    block = node.need("blocksize")
    n, c, h, w = sizes_of(x)
    x = gc.reshape(x, shape_vector([n, c, h // block, block, w // block, block]))
    order = [0, 3, 5, 1, 2, 4] if node.attr("mode", "DCR") == "DCR" else [0, 1, 3, 5, 2, 4]
    return gc.reshape(gc.transpose(x, order), shape_vector([n, c * block * block, h // block, w // block]))


@onnx_op("ReverseSequence")
def reverse_sequence(node: Node, x: Any, lengths: Any) -> Any:
    return gc.reverse_sequence(x, lengths, seq_axis=node.attr("time_axis", 0), batch_axis=node.attr("batch_axis", 1))
