"""Each invariant of ir/verify.py, broken once."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc
from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.flow_ops import FlowInput, WriteState
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.spec import Spec
from graphc.ir.verify import verify
from graphc.passes.shared.internal_ops import BindSizes

from checking import flow_of


def sound() -> Flow:
    with gc.Graph().as_default():
        x = gc.placeholder("float32", (None, 3), name="x")
        return flow_of([gc.tanh(x)], [x])


def bad_output(flow: Flow) -> Flow:
    return dataclasses.replace(flow, outputs=(Value(flow.outputs[0].node, 1),))


def foreign_input(flow: Flow) -> Flow:
    return dataclasses.replace(flow, inputs=())


def wrong_index(flow: Flow) -> Flow:
    node = flow.inputs[0]
    return dataclasses.replace(flow, inputs=(dataclasses.replace(node, op=dataclasses.replace(node.op, index=3)),))


def cycle(flow: Flow) -> Flow:
    node = flow.outputs[0].node
    object.__setattr__(node, "after", (node,))
    return dataclasses.replace(flow)


def wrong_spec(flow: Flow) -> Flow:
    node = dataclasses.replace(flow.outputs[0].node, specs=(Spec(gc.float64, flow.outputs[0].spec.shape),))
    return dataclasses.replace(flow, outputs=(node.value(),))


def unknown_rank(flow: Flow) -> Flow:
    node = dataclasses.replace(flow.outputs[0].node, specs=(Spec(gc.float32, None),))
    return dataclasses.replace(flow, outputs=(node.value(),))


def lost_effect(flow: Flow) -> Flow:
    write = make_node(WriteState("v"), (flow.outputs[0],))
    return dataclasses.replace(flow, outputs=(dataclasses.replace(flow.outputs[0].node, after=(write,)).value(),))


def written_twice(flow: Flow) -> Flow:
    writes = tuple(make_node(WriteState("v"), (flow.outputs[0],)) for _ in range(2))
    return dataclasses.replace(flow, effects=writes, states={"v": Spec(gc.float32, (2, 3))})


def undeclared_state(flow: Flow) -> Flow:
    return dataclasses.replace(flow, effects=(make_node(WriteState("v"), (flow.outputs[0],)),))


def wrong_state(flow: Flow) -> Flow:
    return dataclasses.replace(flow, effects=(make_node(WriteState("v"), (flow.outputs[0],)),),
                               states={"v": Spec(gc.float32, (2, 4))})


def early_symbol(flow: Flow) -> Flow:
    n = dims.symbol("n")
    count = make_node(FlowInput("n", 1, gc.int32, ()), ())
    bind = make_node(BindSizes((n,)), (count.value(),))  # type: ignore[arg-type]
    fill = make_node(OPS["Fill"](dims=(n,)), (_scalar(),))  # type: ignore[call-arg]
    late = dataclasses.replace(flow.outputs[0].node, after=(bind,))
    return dataclasses.replace(flow, inputs=(*flow.inputs, count), outputs=(fill.value(), late.value()))


def unknown_field(flow: Flow) -> Flow:
    node = Node(OPS["Reshape"](shape=None), (flow.outputs[0],), flow.outputs[0].node.specs)  # type: ignore[call-arg]
    return dataclasses.replace(flow, outputs=(node.value(),))


def _scalar() -> Value:
    import numpy as np

    return make_node(OPS["Const"](value=np.float32(1).reshape(()), dtype=gc.float32), ()).value()  # type: ignore[call-arg]


CASES: dict[str, tuple[Callable[[Flow], Flow], str]] = {
    "1 output index": (bad_output, "has no result 1"),
    "2 foreign input": (foreign_input, "is no input of the flow"),
    "2 wrong index": (wrong_index, "input 0 of the flow is"),
    "3 cycle": (cycle, "needs itself"),
    "4 spec": (wrong_spec, "its op infers"),
    "5 rank": (unknown_rank, "rank"),
    "6 lost effect": (lost_effect, "none of the flow's effects"),
    "7 written twice": (written_twice, "written twice"),
    "7 undeclared": (undeclared_state, "not declared"),
    "7 other shape": (wrong_state, "gets float32"),
    "8 symbol": (early_symbol, "makes it known"),
    "9 field": (unknown_field, "field shape of"),
}


def test_a_sound_flow_passes() -> None:
    verify(sound(), "nothing")


@pytest.mark.parametrize("name", CASES)
def test_broken(name: str) -> None:
    breaking, message = CASES[name]
    broken: Any = breaking(sound())
    with pytest.raises(InternalError, match="after pass 'breaking'") as error:
        verify(broken, "breaking")
    assert message in str(error.value)
