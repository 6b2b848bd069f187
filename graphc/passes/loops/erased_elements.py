"""erased_elements: an element that a loop erases from a list, and that nothing could read any more, stays in it.

The gradient of an array's element that is written at an index is the element of the array's gradient there, which is
erased after that: what the array held there before had no part in the result. In the gradient of a loop that writes
at another index in every iteration, nothing reads the place again; and nothing reads the list after the loop if the
array began empty. Erasing copies a part of the list in every iteration.
"""
from __future__ import annotations

import dataclasses

from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value
from graphc.ops.array.source import Const
from graphc.ops.control.array_parts import _TensorListErase
from graphc.ops.control.arrays import TensorListGetItem
from graphc.ops.math.binary import Add, Sub
from graphc.passes.shared.control_flow import Loop
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite


def erased_elements(flow: Flow) -> Flow:
    if not flow.nested:
        return flow
    read = (*flow.outputs, *(v for node in flow.nodes() for v in node.inputs))
    used = {(v.node.op, v.index) for v in read if isinstance(v.node.op, Loop)}

    @asked_of(Loop)
    def keep(node: Node) -> Replacement:
        """while: erase(list, i) -> while: list"""
        loop = node.op
        assert isinstance(loop, Loop)
        left = {i for i in range(loop.carried) if (loop, i) not in used and _only_erases(loop, i)}
        if not left:
            return None
        outputs = tuple(loop.body.inputs[i].value() if i in left else v for i, v in enumerate(loop.body.outputs))
        return dataclasses.replace(node, op=dataclasses.replace(
            loop, body=dataclasses.replace(loop.body, outputs=outputs)))

    return rewrite(flow, [keep])


def _only_erases(loop: Loop, number: int) -> bool:
    """Whether all that the body does with a carried list is to read the element at an index, which is another one in
    every iteration, and to erase it."""
    body, given = loop.body, loop.body.inputs[number].value()
    result = body.outputs[number]
    if not isinstance(result.node.op, _TensorListErase) or result.node.inputs[0] != given:
        return False
    index = result.node.inputs[1]
    if body.outputs.count(result) > 1 or given in body.outputs or not _step(loop, index):
        return False
    for node in body.nodes():
        if result in node.inputs:
            return False
        if given in node.inputs and node is not result.node and not (
                isinstance(node.op, TensorListGetItem) and node.inputs == (given, index)):
            return False
    return not any(loop.cond.inputs[number].value() in node.inputs for node in loop.cond.nodes())


def _step(loop: Loop, value: Value) -> int | None:
    """By what an integer differs from one iteration to the next one, if that is known."""
    node = value.node
    if isinstance(node.op, Const):
        return 0
    if isinstance(node.op, FlowInput):
        if node.op.index >= loop.carried:
            return 0
        return _difference(loop.body.outputs[node.op.index], value)
    if isinstance(node.op, (Add, Sub)):
        a, b = (_step(loop, v) for v in node.inputs)
        return None if a is None or b is None else a + b if isinstance(node.op, Add) else a - b
    return None


def _difference(after: Value, before: Value) -> int | None:
    """What is added to a carried value in an iteration."""
    if after == before:
        return 0
    node = after.node
    if not isinstance(node.op, (Add, Sub)) or node.inputs[0] != before or not isinstance(node.inputs[1].node.op, Const):
        return None
    constant = node.inputs[1].node.op.value
    step = int(constant) if constant.shape == () and constant.dtype.kind == "i" else None
    return step if step is None or isinstance(node.op, Add) else -step
