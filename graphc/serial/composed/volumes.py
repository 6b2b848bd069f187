"""Batch normalisation of volumes [batch, depth, height, width, channels]: graphc's is of pictures."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef

_RESULTS = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2")


def _is_of_volumes(node: NodeDef, inputs: Sequence[Tensor]) -> bool:
    return text(node, "data_format") in ("NDHWC", "NCDHW")


def _norm(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """That of pictures, depth and height as one axis."""
    x, *rest = inputs
    first = text(node, "data_format") == "NCDHW"
    sizes, at = g.shape(x), 2 if first else 1
    flat = g.reshape(x, g.concat_v2([sizes[:at], g.reshape(sizes[at] * sizes[at + 1], [1]), sizes[at + 2:]], 0))
    attributes: dict[str, Any] = {}
    if "epsilon" in node.attr:
        attributes["epsilon"] = node.attr["epsilon"].f
    if "is_training" in node.attr:
        attributes["is_training"] = node.attr["is_training"].b
    y, *others = apply(OPS[node.op], flat, *rest, data_format="NCHW" if first else "NHWC", **attributes)
    return [g.reshape(y, sizes), *others]


VOLUMES = {
    "FusedBatchNorm": Composed(5, _RESULTS, _norm, _is_of_volumes),
    "FusedBatchNormV2": Composed(5, _RESULTS, _norm, _is_of_volumes),
    "FusedBatchNormV3": Composed(5, (*_RESULTS, "reserve_space_3"), _norm, _is_of_volumes)}
