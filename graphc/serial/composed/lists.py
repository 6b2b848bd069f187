"""Optionals, and what is done with lists of tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, int32, int64, variant
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.tensors import shape_from_proto


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


def _scattered(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """TensorListScatter: a list as long as its largest index needs, or in version 2 as said."""
    tensor, indices, element_shape, *count = inputs
    count = [apply(OPS["Maximum"], given, 0) for given in count] or [constant(0, int32)]
    empty = apply(OPS["TensorListReserve"], element_shape, *count, element_dtype=tensor.dtype)
    return [apply(OPS["TensorListScatterIntoExistingList"], empty, tensor, indices, growing=True)]


def _joined(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """TensorListConcat: the shape of the elements is an attribute."""
    none = constant([], int64, shape=[0])
    return list(apply(OPS["TensorListConcatV2"], inputs[0], _element_sizes(node), none,
                      element_dtype=as_dtype(int(node.attr["element_dtype"].type))))


def _element_sizes(node: NodeDef) -> Any:
    """-1: unknown, as shapes in front of the elements say."""
    shape = shape_from_proto(node.attr["element_shape"].shape) if "element_shape" in node.attr else None
    return -1 if shape is None else [-1 if s is None else s for s in shape]


def _both_lists(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """TensorListConcatLists: the elements of the first list, then those of the second."""
    from graphc.api.control.while_loop import while_loop

    first, second = inputs[:2]
    dtype = as_dtype(int(node.attr["element_dtype"].type))
    if first.spec.rank != 0 or second.spec.rank != 0:
        raise UnimplementedError("its inputs are vectors of lists; single lists are supported")
    count, start = apply(OPS["TensorListLength"], second), apply(OPS["TensorListLength"], first)
    longer = apply(OPS["TensorListResize"], first, start + count)

    def step(i: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        element = apply(OPS["TensorListGetItem"], second, i, -1, element_dtype=dtype)
        return i + 1, apply(OPS["TensorListSetItem"], made, start + i, element)

    return [while_loop(lambda i, made: i < count, step, [constant(0, int32), longer])[1]]


def _nothing(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """FakeParam: what a branch that was not taken gives in place of a value of the other one."""
    dtype, shape = as_dtype(int(node.attr["dtype"].type)), shape_from_proto(node.attr["shape"].shape)
    if dtype == variant:
        return [lists.empty(variant, -1)]
    if shape is None:
        raise UnimplementedError("the rank of its shape is unknown")
    return [apply(OPS["Fill"], [0 if s is None else s for s in shape], constant(0, dtype))]


LISTS = {
    "TensorListScatter": Composed(3, ("output_handle",), _scattered),
    "TensorListScatterV2": Composed(4, ("output_handle",), _scattered),
    "TensorListConcat": Composed(1, ("tensor", "lengths"), _joined),
    "TensorListConcatLists": Composed(2, ("output",), _both_lists),
    "FakeParam": Composed(0, ("output",), _nothing),
    "OptionalFromValue": Composed(1, ("optional",), _optional),
    "OptionalNone": Composed(0, ("optional",), _no_optional),
    "OptionalGetValue": Composed(1, ("components",), _value_of_optional),
    "OptionalHasValue": Composed(1, ("has_value",), _is_optional_there)}
