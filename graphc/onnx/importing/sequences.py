"""Sequences and optionals, as far as their lengths are known while the graph is built: lists of tensors, and None."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op


@onnx_op("SequenceEmpty")
def empty(node: Node) -> Any:
    return ([],)


@onnx_op("SequenceConstruct")
def construct(node: Node, *inputs: Any) -> Any:
    return (list(inputs),)


@onnx_op("SequenceAt")
def at(node: Node, sequence: Any, position: Any) -> Any:
    return sequence[_position(node, sequence, position, 0)]


@onnx_op("SequenceErase")
def erase(node: Node, sequence: Any, position: Any = None) -> Any:
    gone = _position(node, sequence, position, 0) if position is not None else len(sequence) - 1
    return ([x for i, x in enumerate(sequence) if i != gone],)


@onnx_op("SequenceInsert")
def insert(node: Node, sequence: Any, x: Any, position: Any = None) -> Any:
    place = _position(node, sequence, position, 1) if position is not None else len(sequence)
    return ([*sequence[:place], x, *sequence[place:]],)


def _position(node: Node, sequence: list[Any], position: Any, extra: int) -> int:
    given, length = int(node.known(position, "the position").reshape(())), len(sequence)
    if not -length <= given < length + extra:
        raise node.invalid(f"position {given} is none of a sequence of {length}")
    return given + length if given < 0 else given


@onnx_op("SequenceLength")
def length(node: Node, sequence: Any) -> Any:
    return gc.constant(len(sequence), gc.int64)


@onnx_op("SplitToSequence")
def split(node: Node, x: Any, sizes: Any = None) -> Any:
    axis = node.axis(x, node.attr("axis", 0))
    if sizes is None:
        size = x.shape.as_list()[axis]
        if size is None:
            raise node.refuse("the size of the axis that is split must be known while the graph is built")
        parts = gc.split(x, [1] * size, axis)
        return (parts if node.attr("keepdims", 1) else [gc.squeeze(part, [axis]) for part in parts],)
    given = node.known(sizes, "split")
    if given.ndim == 0:
        size, part = x.shape.as_list()[axis], int(given)
        if size is None or part < 1:
            raise node.refuse(f"an axis of size {size} cannot be split in parts of {part}")
        return (gc.split(x, [min(part, size - i) for i in range(0, size, part)], axis),)
    return (gc.split(x, [int(n) for n in given], axis),)


@onnx_op("ConcatFromSequence")
def concat(node: Node, sequence: Any) -> Any:
    if not sequence:
        raise node.invalid("the sequence is empty")
    new = node.attr("new_axis", 0)
    axis = node.axis(sequence[0], node.need("axis"), extra=int(bool(new)))
    return gc.stack(sequence, axis) if new else gc.concat(sequence, axis)


@onnx_op("Optional")
def optional(node: Node, x: Any = None) -> Any:
    return (x,)


@onnx_op("OptionalHasElement")
def has_element(node: Node, x: Any = None) -> Any:
    return gc.constant(x is not None, gc.bool)


@onnx_op("OptionalGetElement")
def get_element(node: Node, x: Any) -> Any:
    return (x,) if isinstance(x, list) else gc.identity(x)
