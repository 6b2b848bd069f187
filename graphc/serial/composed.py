"""Nodes of files whose ops graphc has no class for, because it makes them of others: Einsum, Optionals, newer versions
of ops. Each is a function from the node and its inputs to its results."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, zeros_like
from graphc.api.array.join import concat, split
from graphc.api.array.shapes import reshape
from graphc.api.array.source import constant
from graphc.api.array.transpose import transpose
from graphc.api.control import lists
from graphc.api.math.einsum import einsum
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed_arrays import (
    dense_bincount,
    filled_rows,
    is_of_volumes,
    norm_of_volumes,
    parse_example,
)
from graphc.serial.composed_cells import block_lstm, gru_block_cell, lstm_block_cell
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.tensors import shape_from_proto


def _einsum(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [einsum(node.attr["equation"].s.decode(), *inputs)]  # type: ignore[no-untyped-call]


def _matrix_product(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """BatchMatMulV3: of two dtypes, the result of a third."""
    dtype = as_dtype(int(node.attr["Tout"].type))
    return [apply(OPS["BatchMatMulV2"], *(x if x.dtype == dtype else cast(x, dtype) for x in inputs),
                  adj_x=node.attr["adj_x"].b, adj_y=node.attr["adj_y"].b)]


def _conjugate_transpose(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    x, perm = inputs
    turned = transpose(x, perm)
    return [apply(OPS["Conj"], turned) if x.dtype.is_complex else turned]


def _x_log1p_y(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    x, y = inputs
    both = x * ones_like(y), y * ones_like(x)
    without = apply(OPS["SelectV2"], apply(OPS["Equal"], both[0], 0), zeros_like(both[1]), both[1])
    return [x * apply(OPS["Log1p"], without)]


def _checked(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [apply(OPS["CheckNumerics"], inputs[0], message=node.attr["message"].s.decode())]


def _banded(op: str) -> Callable[[NodeDef, Sequence[Tensor]], list[Tensor]]:
    """Version 3 of an op on bands of diagonals: version 2, whose diagonals all begin at the left."""
    def make(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
        k = inputs[2 if op == "MatrixSetDiagV2" else 1].spec.value
        align = node.attr["align"].s.decode() or "RIGHT_LEFT"
        if align != "LEFT_LEFT" and (k is None or k[0] != k[-1]):
            raise UnimplementedError(f"its attribute align is '{align}', but several diagonals are supported from the "
                                     "left only ('LEFT_LEFT')")
        return [apply(OPS[op], *inputs)]

    return make


def _optional(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A list of the value, as the gradient of tf.cond keeps it."""
    if len(inputs) != 1:
        raise UnimplementedError(f"an optional of {len(inputs)} values; one is supported")
    return [lists.push(lists.like(inputs[0]), inputs[0])]


def _no_optional(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [lists.empty(as_dtype("variant"), -1)]


def _value_of_optional(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    dtypes, shapes = node.attr["output_types"].list.type, node.attr["output_shapes"].list.shape
    if len(dtypes) != 1 or len(shapes) != 1:
        raise UnimplementedError(f"an optional of {len(dtypes)} values; one is supported")
    shape = shape_from_proto(shapes[0])
    sizes: Any = -1 if shape is None else [-1 if s is None else s for s in shape]
    return [apply(OPS["TensorListPopBack"], inputs[0], sizes, element_dtype=as_dtype(int(dtypes[0])))[1]]


def _is_optional_there(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [apply(OPS["Greater"], apply(OPS["TensorListLength"], inputs[0]), 0)]


def _first_of_each(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """UniqueV2: along an axis, which must be the only one."""
    if inputs[0].spec.rank != 1:
        raise UnimplementedError(f"x has the shape {inputs[0].shape}; vectors are supported")
    return list(apply(OPS["Unique"], inputs[0], out_idx=as_dtype(int(node.attr["out_idx"].type) or 3)))


def _scattered(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """TensorListScatter: a list as long as its largest index needs, or in version 2 as said."""
    tensor, indices, element_shape, *count = inputs
    count = [apply(OPS["Maximum"], given, 0) for given in count] or [constant(0, int32)]
    empty = apply(OPS["TensorListReserve"], element_shape, *count, element_dtype=tensor.dtype)
    return [apply(OPS["TensorListScatterIntoExistingList"], empty, tensor, indices, growing=True)]


def _groups(node: NodeDef, inputs: Sequence[Tensor]) -> int:
    """How many groups of channels a Conv2D has: each has as many as its filter is deep."""
    if len(inputs) < 2 or any(x.spec.shape is None or len(x.spec.shape) != 4 for x in inputs[:2]):
        return 1
    channels = inputs[0].spec.shape[_channel_axis(node)]    # type: ignore[index]
    depth = inputs[1].spec.shape[2]                         # type: ignore[index]
    known = isinstance(channels, int) and isinstance(depth, int) and depth > 0 and channels % depth == 0
    return channels // depth if known else 1                # type: ignore[return-value]


def _channel_axis(node: NodeDef) -> int:
    return 1 if node.attr["data_format"].s == b"NCHW" else 3


def _grouped_convolution(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A depthwise one where each group is a channel, else one of each group."""
    x, filters = inputs
    groups, axis = _groups(node, inputs), _channel_axis(node)
    attributes: dict[str, Any] = {
        "strides": tuple(node.attr["strides"].list.i), "padding": node.attr["padding"].s.decode(),
        "explicit_paddings": tuple(node.attr["explicit_paddings"].list.i),
        "data_format": node.attr["data_format"].s.decode() or "NHWC",
        "dilations": tuple(node.attr["dilations"].list.i) or (1, 1, 1, 1)}
    height, width, depth, made = filters.spec.shape or ()
    if not isinstance(made, int) or made % groups:
        raise UnimplementedError(f"its {groups} groups of channels give {made} channels, which is no multiple of them")
    strides = [s for i, s in enumerate(attributes["strides"]) if i not in (0, axis)]
    fits = len(set(strides)) == 1 and (max(strides) == 1 or max(attributes["dilations"]) == 1)
    if depth == 1 and fits and isinstance(height, int) and isinstance(width, int):
        own = reshape(filters, [height, width, groups, made // groups])
        return [apply(OPS["DepthwiseConv2dNative"], x, own, **attributes)]
    parts = zip(split(x, groups, axis), split(filters, groups, 3), strict=True)
    return [concat([apply(OPS["Conv2D"], part, own, **attributes) for part, own in parts], axis)]


@dataclass(frozen=True)
class Composed:
    """inputs: how many there are at least; results: their names, by which functions know them."""

    inputs: int
    results: tuple[str, ...]
    make: Callable[[NodeDef, Sequence[Tensor]], list[Tensor]]


COMPOSED = {
    "Conv2D": Composed(2, ("output",), _grouped_convolution),       # graphc's has one group
    "Einsum": Composed(1, ("output",), _einsum), "BatchMatMulV3": Composed(2, ("output",), _matrix_product),
    "ConjugateTranspose": Composed(2, ("y",), _conjugate_transpose), "Xlog1py": Composed(2, ("z",), _x_log1p_y),
    "CheckNumericsV2": Composed(1, ("output",), _checked), "UniqueV2": Composed(2, ("y", "idx"), _first_of_each),
    "MatrixDiagV3": Composed(5, ("output",), _banded("MatrixDiagV2")),
    "MatrixDiagPartV3": Composed(3, ("diagonal",), _banded("MatrixDiagPartV2")),
    "MatrixSetDiagV3": Composed(3, ("output",), _banded("MatrixSetDiagV2")),
    "TensorListScatter": Composed(3, ("output_handle",), _scattered),
    "TensorListScatterV2": Composed(4, ("output_handle",), _scattered),
    "OptionalFromValue": Composed(1, ("optional",), _optional),
    "OptionalNone": Composed(0, ("optional",), _no_optional),
    "OptionalGetValue": Composed(1, ("components",), _value_of_optional),
    "OptionalHasValue": Composed(1, ("has_value",), _is_optional_there),
    "DenseBincount": Composed(3, ("output",), dense_bincount),
    "RaggedTensorToTensor": Composed(3, ("result",), filled_rows),
    "ParseExampleV2": Composed(5, ("sparse_indices", "sparse_values", "sparse_shapes", "dense_values"), parse_example),
    "LSTMBlockCell": Composed(8, ("i", "cs", "f", "o", "ci", "co", "h"), lstm_block_cell),
    "BlockLSTM": Composed(9, ("i", "cs", "f", "o", "ci", "co", "h"), block_lstm),
    "BlockLSTMV2": Composed(9, ("i", "cs", "f", "o", "ci", "co", "h"), block_lstm),
    "GRUBlockCell": Composed(6, ("r", "u", "c", "h"), gru_block_cell),
    **{name: Composed(5, ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2",
                          *(["reserve_space_3"] if name == "FusedBatchNormV3" else [])), norm_of_volumes)
       for name in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")}}


def is_composed(node: NodeDef, inputs: Sequence[Tensor]) -> bool:
    """Whether composed() makes this node, and not the op of its name."""
    if node.op == "Conv2D":
        return _groups(node, inputs) > 1
    return node.op in COMPOSED and (not node.op.startswith("FusedBatchNorm") or is_of_volumes(node))


def composed(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results of a node, made of other ops. Raises DataLossError for too few inputs, UnimplementedError for what
    is not supported."""
    known = COMPOSED[node.op]
    if len(inputs) < known.inputs:
        raise DataLossError(f"it has {len(inputs)} inputs, but {node.op} takes {known.inputs}")
    return known.make(node, inputs)
