"""Branches and loops.

A list that a loop writes one row of an iteration (TensorArray of dynamic_rnn, scan, map_fn) is a scan output of ONNX's
Loop; a list that is only read is the tensor of its rows. Other uses of lists have no equivalent.
"""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.element_types import number_of
from graphc.onnx.exporting.rules import NoEquivalent, exports
from graphc.onnx.exporting.walk import write_operations
from graphc.onnx.exporting.writer import Writer
from graphc.onnx.package import onnx_package


@exports("If", "StatelessIf")
def branch(w: Writer, op: Any, condition: str, *inputs: str) -> Any:
    graphs = {}
    for attribute in ("then_branch", "else_branch"):
        body = op.get_attr(attribute)
        inner = w.nested()
        inner.values.update(zip(body.inputs, inputs, strict=True))
        write_operations(inner, body.outputs)
        graphs[attribute] = _graph(inner, attribute, [], [_own(inner, t) for t in body.outputs], body.outputs)
    count = len(op.outputs)
    made = w.node("If", condition, outputs=count, **graphs)
    return made if count > 1 else (made,)


def _own(w: Writer, tensor: Any) -> str:
    """The value under a name of this graph: outputs must be made inside."""
    return w.node("Identity", w.value(tensor))  # type: ignore[no-any-return]


def _graph(w: Writer, name: str, inputs: list[Any], outputs: list[str], tensors: Any) -> Any:
    helper = onnx_package().helper
    infos = [helper.make_tensor_value_info(output, number_of(t.dtype), _shape(t))
             for output, t in zip(outputs, tensors, strict=True)]
    return helper.make_graph(w.used_nodes(outputs), w.names.new(name), inputs, infos)


def _shape(tensor: Any) -> list[int | None] | None:
    return None if tensor.shape.ndims is None else tensor.shape.as_list()


@exports("While", "StatelessWhile")
def loop(w: Writer, op: Any, *inputs: str) -> Any:
    cond, body = op.get_attr("cond"), op.get_attr("body")
    kinds = [_kind_of(op, body, k) for k in range(len(body.outputs))]
    carried = [k for k, kind in enumerate(kinds) if kind == "value"]
    written = [k for k, kind in enumerate(kinds) if kind == "rows"]
    first = _condition(w.nested(), cond, dict(zip(cond.inputs, inputs, strict=True)), w)
    graph = _loop_body(w, op, cond, body, inputs, carried, written)
    made = w.node("Loop", "", first, *(inputs[k] for k in carried), outputs=len(carried) + len(written), body=graph)
    made = made if isinstance(made, tuple) else (made,)
    results = dict(zip([*carried, *written], made, strict=True))
    for k in written:
        results[k] = _filled_up(w, op, k, results[k], body.outputs[k].op.inputs[2])
    return tuple(results.get(k, inputs[k]) for k in range(len(kinds)))


def _condition(inner: Writer, cond: Any, values: dict[Any, str], into: Writer) -> str:
    """The loop's condition on these values, its nodes put into a graph."""
    inner.values.update(values)
    write_operations(inner, cond.outputs)
    name = inner.value(cond.outputs[0])
    into.nodes.extend(inner.nodes)
    return name


def _loop_body(w: Writer, op: Any, cond: Any, body: Any, inputs: tuple[str, ...], carried: list[int],
               written: list[int]) -> Any:
    helper = onnx_package().helper
    inner = w.nested()
    names = {k: inner.names.new(f"{op.name}/carried_{k}") for k in carried}
    places = [names.get(k, inputs[k]) for k in range(len(inputs))]
    inner.values.update(zip(body.inputs, places, strict=True))
    rows = [body.outputs[k].op.inputs[2] for k in written]
    tensors = [body.outputs[k] for k in carried]
    write_operations(inner, [*tensors, *rows])
    new = [_own(inner, t) for t in tensors]
    again = list(inputs)
    for k, name in zip(carried, new, strict=True):
        again[k] = name
    condition = _condition(inner.nested(), cond, dict(zip(cond.inputs, again, strict=True)), inner)
    goes_on = inner.node("Identity", condition)
    outputs = [goes_on, *new, *(_own(inner, t) for t in rows)]
    infos = [helper.make_tensor_value_info(inner.names.new(f"{op.name}/iteration"), 7, []),
             helper.make_tensor_value_info(inner.names.new(f"{op.name}/goes_on"), 9, [])]
    infos += [helper.make_tensor_value_info(names[k], number_of(op.inputs[k].dtype), _shape(body.inputs[k]))
              for k in carried]
    return _graph(inner, "body", infos, outputs, [cond.outputs[0], *tensors, *rows])


def _kind_of(op: Any, body: Any, k: int) -> str:
    """What a carried value is: "value", a list that gets "rows" in order, or one that stays the "same"."""
    output, place = body.outputs[k], body.inputs[k]
    if output.dtype != gc.variant:
        return "value"
    if _behind_identity(output) is place:
        return "same"
    item = output.op
    if item.type == "TensorListSetItem" and _behind_identity(item.inputs[0]) is place \
            and op.inputs[k].op.type in ("TensorListReserve", "EmptyTensorList") \
            and _counts_from_zero(op, body, item.inputs[1]):
        return "rows"
    raise NoEquivalent(f"a list (TensorArray) that a loop does not write row after row from 0 on: {output.name}")


def _behind_identity(tensor: Any) -> Any:
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _counts_from_zero(op: Any, body: Any, index: Any) -> bool:
    """Whether an index of the body is 0, 1, 2, ..."""
    index = _behind_identity(index)
    if index not in body.inputs:
        return False
    j = body.inputs.index(index)
    start = gc.get_static_value(op.inputs[j])
    if j >= len(body.outputs) or start is None or int(start) != 0:
        return False
    step = _behind_identity(body.outputs[j]).op
    if step.type not in ("Add", "AddV2"):
        return False
    sides = [_behind_identity(t) for t in step.inputs]
    others = [t for t in sides if t is not index]
    return len(others) == 1 and (one := gc.get_static_value(others[0])) is not None and int(one) == 1


def _filled_up(w: Writer, op: Any, k: int, rows: str, row: Any) -> str:
    """The rows that the loop made, and zeros up to the length that the list was made with."""
    reserve = op.inputs[k].op
    if reserve.type != "TensorListReserve" or row.shape.ndims is None or row.dtype == gc.string:
        return rows
    count = w.node("Gather", w.node("Shape", rows), w.constant([0], gc.int64))
    missing = w.node("Sub", w.int64_vector(reserve.inputs[1]), count)
    missing = w.node("Max", missing, w.constant([0], gc.int64))
    zeros = w.constant([0] * row.shape.ndims, gc.int64)
    front = w.constant([0] * (row.shape.ndims + 1), gc.int64)
    return w.node("Pad", rows, w.node("Concat", front, missing, zeros, axis=0))  # type: ignore[no-any-return]


@exports("TensorListReserve", "EmptyTensorList")
def reserve(w: Writer, op: Any, *_: str) -> str:
    """A list that a loop fills: the loop's rule looks at the op itself."""
    return ""


@exports("TensorListFromTensor")
def from_tensor(w: Writer, op: Any, x: str, _: str) -> str:
    return x


@exports("TensorListGetItem")
def get_item(w: Writer, op: Any, rows: str, index: str, _: str) -> str:
    if not rows:
        raise NoEquivalent("a read of a list (TensorArray) that is being written")
    return w.node("Gather", rows, index, axis=0)  # type: ignore[no-any-return]


@exports("TensorListStack")
def stack(w: Writer, op: Any, rows: str, _: str) -> str:
    if not rows:
        raise NoEquivalent("a stack of a list (TensorArray) that no loop has written")
    return rows


@exports("TensorListLength")
def length(w: Writer, op: Any, rows: str) -> str:
    if not rows:
        raise NoEquivalent("the length of a list (TensorArray) that no loop has written")
    return w.cast(w.node("Gather", w.node("Shape", rows), w.constant(0, gc.int64)), gc.int32)
