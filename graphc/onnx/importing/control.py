"""Branches and loops: If, Loop, Scan."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op, sizes_of


@onnx_op("If")
def branch(node: Node, condition: Any) -> Any:
    """The branch that is known to be taken is built alone."""
    outer = node.build.scope_values
    known = node.maybe_known(condition)
    if known is not None:
        taken = node.need("then_branch" if bool(known.reshape(())) else "else_branch")
        return tuple(node.build.nested(taken, [], outer, in_body=False))

    squeezed = _squeezed(node, condition, outer)
    if squeezed is not None:
        return tuple(node.build.nested(squeezed, [], outer, in_body=False))

    def of(attribute: str) -> Any:
        def build() -> list[Any]:
            made = node.build.nested(node.need(attribute), [], outer)
            if any(not isinstance(x, gc.Tensor) for x in made):
                node.known(condition, "the condition of branches with sequences or optionals")
            return [gc.identity(x) for x in made]
        return build

    made = gc.cond(gc.reshape(condition, []), of("then_branch"), of("else_branch"), strict=True)
    return tuple(made)


def _squeezed(node: Node, condition: Any, outer: dict[str, Any]) -> Any | None:
    """The branch that drops an axis if its size is 1, the other one keeping it; None if the branches are none such.

    So torch.onnx writes `squeeze` of an axis whose size it does not know. The rank must be known while the graph is
    built: the axis is dropped, and a run whose size is another one is an error of Squeeze.
    """
    made: dict[str, Any] = {o: n for graph in (node.need("then_branch"), node.need("else_branch"))
                            for n in graph.node for o in n.output}
    for name, other in (("then_branch", "else_branch"), ("else_branch", "then_branch")):
        taken, left = node.need(name), node.need(other)
        if len(taken.output) != 1 or len(left.output) != 1:
            continue
        squeeze, kept = made.get(taken.output[0].name), made.get(left.output[0].name)
        if squeeze is not None and squeeze.op_type == "Squeeze" and (kept is None or kept.op_type == "Identity"):
            x, same = squeeze.input[0], left.output[0].name if kept is None else kept.input[0]
            if x == same and x in outer and _measured(condition) is outer[x]:
                return taken
    return None


def _measured(condition: Any) -> Any | None:
    """x of a condition `size of an axis of x == 1`."""
    if condition.op.type in ("Identity", "Reshape", "Squeeze"):
        return _measured(condition.op.inputs[0])
    if condition.op.type != "Equal":
        return None
    values = [gc.get_static_value(x) for x in condition.op.inputs]
    for x, other in zip(condition.op.inputs, reversed(values), strict=True):
        if other is not None and other.size == 1 and other.item() == 1:
            while x.op.type in ("Identity", "Reshape", "Squeeze", "Cast", "GatherV2", "StridedSlice"):
                x = x.op.inputs[0]
            return x.op.inputs[0] if x.op.type == "Shape" else None
    return None


@onnx_op("Loop")
def loop(node: Node, limit: Any = None, condition: Any = None, *initial: Any) -> Any:
    """Carried values, then what each iteration gives, stacked."""
    body, outer = node.need("body"), node.build.scope_values
    carried = len(initial)
    scans = len(body.output) - 1 - carried
    if any(not isinstance(x, gc.Tensor) for x in initial):
        return _unrolled(node, limit, condition, list(initial))
    start = gc.constant(True) if condition is None else gc.reshape(condition, [])
    most = None if limit is None else gc.cast(gc.reshape(limit, []), gc.int64)

    def goes_on(i: Any, go: Any, *_: Any) -> Any:
        return go if most is None else gc.logical_and(go, gc.less(i, most))

    types = _row_types(node, body, [start, start, *initial], 1 + carried, outer, first=gc.int64) if scans else []

    def step(i: Any, _: Any, values: Any, arrays: Any) -> Any:
        outputs = node.build.nested(body, [i, gc.constant(True), *values], outer)
        go, new, rows = outputs[0], outputs[1:1 + carried], outputs[1 + carried:]
        return (i + gc.constant(1, gc.int64), gc.reshape(go, []), list(map(gc.identity, new)),
                [array.write(gc.cast(i, gc.int32), row) for array, row in zip(arrays, rows, strict=True)])

    arrays = [gc.TensorArray(dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=shape)
              for dtype, shape in types]
    shapes = [gc.TensorShape([]), gc.TensorShape([]), [_wide(x) for x in initial], [gc.TensorShape(None)] * scans]
    *_, values, made = gc.while_loop(goes_on, step, [gc.constant(0, gc.int64), start, list(initial), arrays],
                                     shape_invariants=shapes)
    return (*values, *(array.stack() for array in made))


def _wide(x: Any) -> Any:
    """The shape of a carried value: its sizes may change."""
    return gc.TensorShape([None] * x.shape.ndims) if x.shape.ndims is not None else gc.TensorShape(None)


def _row_types(node: Node, body: Any, inputs: list[Any], carried: int, outer: Any, first: Any = None) -> list[Any]:
    """(dtype, shape) of what an iteration gives, after the `carried` values: by building the body for its own sake.

    first: the dtype of the first input, if it is not that of inputs[0]. Carried values may have other sizes each time.
    """
    with gc.python.framework.func_graph.FuncGraph(f"{node.op}_types").as_default():
        given = [gc.placeholder(first if first and i == 0 else x.dtype, _wide(x)) for i, x in enumerate(inputs)]
        outputs = node.build.nested(body, given, outer)
    return [(x.dtype, x.shape) for x in outputs[carried:]]


def _unrolled(node: Node, limit: Any, condition: Any, values: list[Any]) -> Any:
    """A loop over sequences or optionals: as many copies of the body as it has iterations, which must be known."""
    body, outer = node.need("body"), node.build.scope_values
    count = int(node.known(limit, "the number of iterations").reshape(())) if limit is not None else None
    go = condition is None or bool(node.known(condition, "the condition").reshape(()))
    carried = len(values)
    rows: list[list[Any]] = [[] for _ in body.output[1 + carried:]]
    i = 0
    while go and (count is None or i < count):
        given = [node.build.constant(np.array(i, np.int64), "i"), node.build.constant(np.array(True), "go"), *values]
        outputs = node.build.nested(body, given, outer)
        go = bool(node.known(outputs[0], "whether the loop goes on").reshape(()))
        values = outputs[1:1 + carried]
        for row, x in zip(rows, outputs[1 + carried:], strict=True):
            row.append(x)
        i += 1
    return (*values, *(gc.stack(row) for row in rows))


@onnx_op("Scan")
def scan_of_batches(node: Node, lengths: Any, *inputs: Any) -> Any:
    """Before version 9: each example of a batch, which is axis 0 of everything, is scanned by itself."""
    if lengths is not None:
        raise node.refuse("before version 9, Scan of sequences with lengths of their own is not supported")
    body, count = node.need("body"), len(inputs) - node.need("num_scan_inputs")
    backwards = node.attr("directions") or [0] * (len(inputs) - count)
    types = [x.dtype for x in inputs[:count]]
    types += [dtype for dtype, _ in _row_types(node, body, [*(x[0] for x in inputs[:count]), *(x[0, 0] for x in
              inputs[count:])], count, node.build.scope_values)] if len(body.output) > count else []

    def example(given: Any) -> Any:
        rows = [_first(x, 0, back) for x, back in zip(given[count:], backwards, strict=True)]
        values, stacked = _scanned(node, list(given[:count]), rows)
        return (*values, *stacked)

    return tuple(gc.map_fn(example, tuple(inputs), dtype=tuple(types)))


@onnx_op("Scan", since=9)
def scan(node: Node, *inputs: Any) -> Any:
    """States, then what each step gives, stacked along axes of their own."""
    count = node.need("num_scan_inputs")
    states, rows = list(inputs[:len(inputs) - count]), list(inputs[len(inputs) - count:])
    n_out = len(node.need("body").output) - len(states)
    axes, backwards = node.attr("scan_input_axes") or [0] * count, node.attr("scan_input_directions") or [0] * count
    out_axes = node.attr("scan_output_axes") or [0] * n_out
    out_backwards = node.attr("scan_output_directions") or [0] * n_out
    rows = [_first(x, node.axis(x, axis), back) for x, axis, back in zip(rows, axes, backwards, strict=True)]
    values, stacked = _scanned(node, states, rows)
    return (*values, *(_last(x, node.axis(x, axis), back)
                       for x, axis, back in zip(stacked, out_axes, out_backwards, strict=True)))


def _scanned(node: Node, states: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
    """The last states, and what the steps along axis 0 of the rows gave, stacked along axis 0."""
    body, outer = node.need("body"), node.build.scope_values
    n_out = len(body.output) - len(states)
    length = gc.cast(sizes_of(rows[0])[0], gc.int32)

    def step(i: Any, values: Any, arrays: Any) -> Any:
        outputs = node.build.nested(body, [*values, *(x[i] for x in rows)], outer)
        new, made = outputs[:len(states)], outputs[len(states):]
        return (i + 1, list(map(gc.identity, new)),
                [array.write(i, row) for array, row in zip(arrays, made, strict=True)])

    types = _row_types(node, body, [*states, *(x[0] for x in rows)], len(states), outer) if n_out else []
    arrays = [gc.TensorArray(dtype, size=length, infer_shape=False, element_shape=shape) for dtype, shape in types]
    shapes = [gc.TensorShape([]), [_wide(x) for x in states], [gc.TensorShape(None)] * n_out]
    _, values, made = gc.while_loop(lambda i, *_: gc.less(i, length), step, [gc.constant(0), states, arrays],
                                    shape_invariants=shapes)
    return list(values), [array.stack() for array in made]


def _first(x: Any, axis: int, backwards: int) -> Any:
    """x with the axis in front, turned round if it runs backwards."""
    order = [axis, *(i for i in range(x.shape.ndims) if i != axis)]
    x = gc.transpose(x, order) if axis else x
    return gc.reverse(x, [0]) if backwards else x


def _last(x: Any, axis: int, backwards: int) -> Any:
    x = gc.reverse(x, [0]) if backwards else x
    if not axis:
        return x
    order = [*range(1, axis + 1), 0, *range(axis + 1, x.shape.ndims)]
    return gc.transpose(x, order)
