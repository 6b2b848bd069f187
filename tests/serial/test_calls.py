"""Calls of functions, and Case, of imported graphs: their functions stand where the call stood."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.serial.graph_pb2 import FunctionDef, GraphDef

F32, I32 = gc.float32.number, gc.int32.number


def function(graph: GraphDef, name: str, inputs: list[str], nodes: list[tuple[str, str, list[str]]],
             results: dict[str, str]) -> None:
    made: FunctionDef = graph.library.function.add()
    made.signature.name = name
    for argument in inputs:
        made.signature.input_arg.add(name=argument, type=F32)
    for node_name, op, operands in nodes:
        fill(made.node_def.add(name=node_name, op=op, input=operands))
    for result, source in results.items():
        made.signature.output_arg.add(name=result, type=F32)
        made.ret[result] = source


def fill(node: Any, called: str = "", branches: tuple[str, ...] = ()) -> Any:
    node.attr["T"].type = F32
    if called:
        node.attr["f"].func.name = called
    for branch in branches:
        node.attr["branches"].list.func.add(name=branch)
    return node


def graph() -> GraphDef:
    made = GraphDef()
    function(made, "sine", ["a"], [("s", "Sin", ["a"])], {"r": "s:y:0"})
    function(made, "square", ["a"], [("s", "Square", ["a"])], {"r": "s:y:0"})
    function(made, "two", ["a", "b"], [("t", "StatefulPartitionedCall", ["a"]), ("m", "Mul", ["t:output:0", "b"])],
             {"first": "m:z:0", "second": "b"})
    fill(made.library.function[2].node_def[0], "sine")
    for name, dtype in (("x", F32), ("i", I32)):
        node = made.node.add(name=name, op="Placeholder")
        node.attr["dtype"].type = dtype
        node.attr["shape"].shape.SetInParent()
    fill(made.node.add(name="call", op="PartitionedCall", input=["x", "one"]), "two")
    fill(made.node.add(name="one", op="PartitionedCall", input=["x"]), "square")
    fill(made.node.add(name="y", op="AddV2", input=["call:0", "call:1"]))
    fill(made.node.add(name="z", op="StatelessCase", input=["i", "x"]), branches=("sine", "square", "sine"))
    fill(made.node.add(name="behind", op="Identity", input=["x", "^call"]))
    made.versions.producer = 1087
    return made


def test_calls_and_cases() -> None:
    with gc.Graph().as_default() as made:
        y, second, behind = gc.import_graph_def(graph(), name="", return_elements=["y:0", "call:1", "behind:0"])
        x = made.get_tensor_by_name("x:0")
        slopes = gc.gradients([y, made.get_tensor_by_name("z:0")], x)[0]
        with gc.Session() as session:
            for i, expected in ((0, np.sin(3)), (1, 9), (2, np.sin(3)), (7, np.sin(3)), (-1, np.sin(3))):
                feeds = {"x:0": 3.0, "i:0": i}
                found = session.run(["y:0", "z:0", "one:0", second, behind], feeds)
                np.testing.assert_allclose(found, [np.sin(3) * 9 + 9, expected, 9, 9, 3], rtol=1e-5)
                slope = np.cos(3) * 9 + np.sin(3) * 6 + 6 + (6 if i == 1 else np.cos(3))
                np.testing.assert_allclose(session.run(slopes, feeds), slope, rtol=1e-5)
    with gc.Graph().as_default() as made:
        gc.import_graph_def(graph())
        assert "import/call/t/s" in [op.name for op in made.get_operations()]


def test_refused() -> None:
    damaged = graph()
    damaged.node[2].attr["f"].func.name = "nothing"
    with pytest.raises(errors.DataLossError, match="'nothing' is missing"):
        gc.import_graph_def(damaged)
    endless = graph()
    fill(endless.library.function[2].node_def[0], "two")
    endless.library.function[2].node_def[0].input.append("b")
    with pytest.raises(errors.DataLossError, match="call each other"):
        gc.import_graph_def(endless)
    short = graph()
    del short.node[2].input[1]
    with pytest.raises(errors.DataLossError, match="takes 2 inputs, but 1 are given"):
        gc.import_graph_def(short)
