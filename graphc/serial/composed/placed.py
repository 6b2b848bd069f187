"""What depends on where TensorFlow runs a graph, and how its layout optimizer wrote it; and keys of random streams.
Here: on a CPU, with Philox."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.source import constant
from graphc.errors import UnimplementedError
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef

_PHILOX = 1


def _device(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """DeviceIndex: the place of "CPU" in device_names, after the last one if it is not there."""
    names = [s.decode(errors="replace") for s in node.attr["device_names"].list.s]
    return [constant(names.index("CPU") if "CPU" in names else len(names), int32)]


def _places(node: NodeDef) -> list[int]:
    """Of each axis of dst_format, its place in src_format."""
    source, target = text(node, "src_format", "NHWC"), text(node, "dst_format", "NCHW")
    if sorted(source) != sorted(target) or len(set(source)) != len(source):
        raise UnimplementedError(f"its src_format '{source}' and dst_format '{target}' do not have the same axes")
    return [source.index(axis) for axis in target]


def _axis(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """DataFormatDimMap: where an axis of src_format stands in dst_format."""
    numbers = np.argsort(_places(node))
    x = inputs[0]
    table = constant(numbers, x.dtype)
    return [g.gather_v2(table, g.select_v2(g.less(x, 0), x + len(numbers), x), 0)]


def _sizes(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """DataFormatVecPermute: a vector with a number, or a matrix with a row, for each axis; or for height and width."""
    x, places = inputs[0], _places(node)
    count = x.spec.shape[0] if x.spec.shape else None
    if count == 2 and len(places) == 4:
        source, target = text(node, "src_format", "NHWC"), text(node, "dst_format", "NCHW")
        two = [axis for axis in source if axis in "HW"]
        places = [two.index(axis) for axis in target if axis in "HW"]
    elif count != len(places):
        raise UnimplementedError(f"its input has the shape {x.shape}; one entry for each axis is supported")
    return [g.gather_v2(x, places, 0)]


def _algorithm(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    return [constant(_PHILOX, int32)]


def _key_and_algorithm(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    return [*g.stateless_random_get_key_counter(inputs[0]), constant(_PHILOX, int32)]


PLACED = {
    "DeviceIndex": Composed(0, ("index",), _device), "DataFormatDimMap": Composed(1, ("y",), _axis),
    "DataFormatVecPermute": Composed(1, ("y",), _sizes), "StatelessRandomGetAlg": Composed(0, ("alg",), _algorithm),
    "StatelessRandomGetKeyCounterAlg": Composed(1, ("key", "counter", "alg"), _key_and_algorithm)}
