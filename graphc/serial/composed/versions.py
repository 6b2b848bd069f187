"""Newer and older versions of ops."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, zeros_like
from graphc.api.array.transpose import transpose
from graphc.api.math.einsum import einsum
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, bool_, string
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef


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


def _first_of_each(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """UniqueV2: along an axis, which must be the only one."""
    _need_vector(inputs[0])
    return list(apply(OPS["Unique"], inputs[0], out_idx=as_dtype(int(node.attr["out_idx"].type) or 3)))


def _counted_of_each(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """UniqueWithCountsV2."""
    _need_vector(inputs[0])
    return list(apply(OPS["UniqueWithCounts"], inputs[0], out_idx=as_dtype(int(node.attr["out_idx"].type) or 3)))


def _need_vector(x: Tensor) -> None:
    if x.spec.rank != 1:
        raise UnimplementedError(f"x has the shape {x.shape}; vectors are supported")


def _largest(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """TopK: k is an attribute."""
    in_order = node.attr["sorted"].b or "sorted" not in node.attr
    return list(g.make(OPS["TopKV2"], inputs[0], node.attr["k"].i, sorted=in_order))


def _reversed(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Reverse: a bool for each axis."""
    value = inputs[1].op.definition
    flags = getattr(value, "value", None)
    if flags is None:
        raise UnimplementedError("its input 'dims' must be a constant")
    return [g.reverse_v2(inputs[0], [i for i, flag in enumerate(flags) if flag])]


def _as_bool(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """ToBool: of a scalar whether it is not 0 or empty, of others whether there is an element."""
    x = inputs[0]
    if x.spec.rank is None:
        raise UnimplementedError("the rank of its input is unknown")
    if x.spec.rank:
        return [g.greater(g.size(x), 0)]
    if x.dtype == bool_:
        return [x]
    return [g.greater(g.string_length(x), 0) if x.dtype == string else g.not_equal(x, zeros_like(x))]


def _quantized(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """QuantizeAndDequantizeV4: version 2 with another gradient."""
    if "axis" in node.attr and node.attr["axis"].i != -1:
        raise UnimplementedError(f"its attribute axis is {node.attr['axis'].i}; one range for the whole tensor is "
                                 "supported (-1)")
    given: dict[str, Any] = {n: node.attr[n].b for n in ("signed_input", "range_given", "narrow_range")
                             if n in node.attr}
    if "num_bits" in node.attr:
        given["num_bits"] = node.attr["num_bits"].i
    given["round_mode"] = text(node, "round_mode", "HALF_TO_EVEN")
    return [g.make(OPS["QuantizeAndDequantizeV2"], *inputs[:3], **given)]


VERSIONS = {
    "Einsum": Composed(1, ("output",), _einsum), "BatchMatMulV3": Composed(2, ("output",), _matrix_product),
    "ConjugateTranspose": Composed(2, ("y",), _conjugate_transpose), "Xlog1py": Composed(2, ("z",), _x_log1p_y),
    "CheckNumericsV2": Composed(1, ("output",), _checked), "UniqueV2": Composed(2, ("y", "idx"), _first_of_each),
    "UniqueWithCountsV2": Composed(2, ("y", "idx", "count"), _counted_of_each),
    "TopK": Composed(1, ("values", "indices"), _largest), "Reverse": Composed(2, ("output",), _reversed),
    "ToBool": Composed(1, ("output",), _as_bool), "QuantizeAndDequantizeV4": Composed(3, ("output",), _quantized)}
