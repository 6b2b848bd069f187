"""The ops that are made of others, and whether a node is of one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import DataLossError
from graphc.ir.tensor import Tensor
from graphc.serial.composed.convolutions import CONVOLUTIONS
from graphc.serial.composed.features import FEATURES, LISTED
from graphc.serial.composed.kind import Composed
from graphc.serial.composed.lists import LISTS
from graphc.serial.composed.numbers import NUMBERS
from graphc.serial.composed.pictures import PICTURES
from graphc.serial.composed.placed import PLACED
from graphc.serial.composed.ragged import RAGGED
from graphc.serial.composed.recurrent import RECURRENT
from graphc.serial.composed.versions import VERSIONS
from graphc.serial.composed.volumes import VOLUMES
from graphc.serial.graph_pb2 import NodeDef

COMPOSED: dict[str, Composed] = {**VERSIONS, **NUMBERS, **LISTS, **CONVOLUTIONS, **RECURRENT, **FEATURES, **PICTURES,
                                 **PLACED, **RAGGED, **VOLUMES}


def is_composed(node: NodeDef, inputs: Sequence[Tensor]) -> bool:
    """Whether composed() makes this node, and not the op of its name."""
    return node.op in COMPOSED and COMPOSED[node.op].when(node, inputs)


def composed(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """The results of a node, made of other ops. Raises DataLossError for too few inputs, UnimplementedError for what
    is not supported."""
    known = COMPOSED[node.op]
    if len(inputs) < known.inputs:
        raise DataLossError(f"it has {len(inputs)} inputs, but {node.op} takes {known.inputs}")
    return known.make(node, inputs)


def names_of_results(node: NodeDef) -> list[tuple[str, int]]:
    """How functions call the results of a node, where that is not what its op says; none if it is."""
    if node.op in LISTED:
        return LISTED[node.op](node)
    return COMPOSED[node.op].names(node) if node.op in COMPOSED else []
