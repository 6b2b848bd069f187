"""GraphDefs that nobody's program wrote: they nest or call without end, claim sizes that nothing has, or hold a loop
where there is none. Each is an error that says so, soon and in little memory; tests/fuzz/file_child.py finds more."""
from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from lowered_files import const, enter, graph_def, node, placeholder

import graphc as gc
from graphc import errors
from graphc.serial.freeze import add_plan
from graphc.serial.graph_pb2 import FunctionDef, GraphDef, NodeDef

SECONDS, MEMORY = 60, 2 << 30


def function(name: str, nodes: list[NodeDef], result: str) -> FunctionDef:
    made = FunctionDef(node_def=nodes)
    made.signature.name = name
    made.signature.input_arg.add(name="x", type=1)
    made.signature.output_arg.add(name="y", type=1)
    made.ret["y"] = result
    return made


def using(name: str, op: str, inputs: list[str], **functions: str) -> NodeDef:
    made = NodeDef(name=name, op=op, input=inputs)
    made.attr["Tin"].list.type.append(1)
    made.attr["Tout"].list.type.append(1)
    for key, value in functions.items():
        made.attr[key].func.name = value
    return made


def calling_itself() -> GraphDef:
    graph = graph_def(placeholder("x"), using("y", "PartitionedCall", ["x"], f="f"))
    graph.library.function.append(function("f", [using("c", "PartitionedCall", ["x"], f="f")], "c:output:0"))
    return graph


def calling_thrice(depth: int = 40) -> GraphDef:
    graph = graph_def(placeholder("x"), using("y", "PartitionedCall", ["x"], f="f0"))
    for i in range(depth):
        calls = [using(f"c{k}", "PartitionedCall", ["x"], f=f"f{i + 1}") for k in range(3)] if i + 1 < depth else []
        graph.library.function.append(function(f"f{i}", calls, "c0:output:0" if calls else "x"))
    return graph


def branches_in_branches(depth: int) -> GraphDef:
    graph = graph_def(placeholder("p", gc.bool), placeholder("x"),
                      using("y", "If", ["p", "x"], then_branch="f0", else_branch="leaf"))
    graph.library.function.append(function("leaf", [], "x"))
    for i in range(depth):
        inner = [const("b", True, gc.bool),
                 using("i", "If", ["b:output:0", "x"], then_branch=f"f{i + 1}", else_branch="leaf")]
        last = i + 1 == depth
        graph.library.function.append(function(f"f{i}", [] if last else inner, "x" if last else "i:output:0"))
    for n in (*graph.node, *(m for f in graph.library.function for m in f.node_def)):
        if n.op == "If":
            n.attr["Tcond"].type = 10
    return graph


def case_of_many(count: int) -> GraphDef:
    graph = graph_def(placeholder("i", gc.int32), placeholder("x"), using("y", "Case", ["i", "x"]))
    for _ in range(count):
        graph.node[-1].attr["branches"].list.func.add(name="f")
    graph.library.function.append(function("f", [], "x"))
    return graph


def repeated(size: int, dtype: gc.DType = gc.float32) -> GraphDef:
    """One number, or string, that stands for many."""
    made = NodeDef(name="c", op="Const")
    made.attr["dtype"].type = dtype.number
    tensor = made.attr["value"].tensor
    tensor.dtype = dtype.number
    tensor.tensor_shape.dim.add(size=size)
    if dtype == gc.string:
        tensor.string_val.append(b"a")
    else:
        tensor.float_val.append(1.0)
    return graph_def(made, node("y", "Identity", "c", dtype=dtype))


def frames(depth: int) -> GraphDef:
    return graph_def(placeholder("x"), *(enter(f"e{i}", f"e{i - 1}" if i else "x", f"f{i}") for i in range(depth)),
                     node("y", "Identity", f"e{depth - 1}"))


def cycle() -> GraphDef:
    return graph_def(node("y", "Neg", "z"), node("z", "Neg", "y"))


def fill(size: int) -> GraphDef:
    return graph_def(const("s", [size], gc.int64), const("v", 1.0), node("f", "Fill", "s", "v"), node("y", "Neg", "f"))


def splitting(count: int) -> GraphDef:
    return graph_def(const("axis", 0, gc.int32), placeholder("x", shape=(4,)),
                     node("s", "Split", "axis", "x", num_split=count), node("y", "Identity", "s"))


REFUSED = [
    (calling_itself, "functions call each other"), (calling_thrice, "or make more than 20000 operations"),
    (lambda: branches_in_branches(80), "nest more than 64 deep"), (lambda: frames(200), "loops nest more than 64 deep"),
    (lambda: repeated(2**38), "so many can only be in a side file"),
    (lambda: repeated(2**42), "claims 4398046511104 elements"),
    (lambda: repeated(2**30, gc.string), "a string tensor of 1073741824 elements has 1 values"),
    (cycle, "depend on each other; the file is damaged"),
    (lambda: splitting(2**40), "it is said to have 1099511627776 results")]
TAKEN = [lambda: branches_in_branches(60), lambda: case_of_many(150), lambda: fill(2**40), lambda: repeated(2**20)]


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def in_a_fork(function: Callable[[], None]) -> None:
    """Fails if it raises, takes too long, or too much memory."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        most = _address_space() + MEMORY            # the tests' own process may have many GB of addresses
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message[:30] for _, message in REFUSED])
def test_is_refused(make: Callable[[], GraphDef], message: str) -> None:
    graph = make()

    def check() -> None:
        with gc.Graph().as_default() as here:
            with pytest.raises(errors.DataLossError, match=message):
                gc.import_graph_def(graph, name="")
            assert not here.get_operations()

    in_a_fork(check)


def if_of(more_inputs: bool, more_outputs: bool) -> GraphDef:
    """The else branch takes, or gives, one value more than the other."""
    graph = graph_def(placeholder("p", gc.bool), placeholder("x"),
                      using("y", "StatelessIf", ["p", "x"], then_branch="f", else_branch="g"))
    graph.node[-1].attr["Tcond"].type = 10
    other = function("g", [], "x")
    if more_inputs:
        other.signature.input_arg.add(name="z", type=1)
    if more_outputs:
        other.signature.output_arg.add(name="w", type=1)
        other.ret["w"] = "x"
    graph.library.function.extend([function("f", [], "x"), other])
    return graph


def text_as_number() -> GraphDef:
    made = repeated(1, gc.string)
    made.node[0].attr["dtype"].type = gc.int64.number
    return made


@pytest.mark.parametrize(("make", "message"), [
    (lambda: if_of(True, False), "takes 2"), (lambda: if_of(False, True), "but give 1 and 2"),
    (text_as_number, "'value' holds strings, but argument 'dtype' is int64")], ids=["inputs", "outputs", "text"])
def test_what_does_not_fit_together(make: Callable[[], GraphDef], message: str) -> None:
    with gc.Graph().as_default(), pytest.raises((ValueError, TypeError, errors.DataLossError), match=message):
        gc.import_graph_def(make(), name="")


@pytest.mark.parametrize("make", TAKEN, ids=["60 branches", "case of 150", "fill", "repeated"])
def test_is_taken_and_compiled(make: Callable[[], GraphDef]) -> None:
    """What is only large is read and compiled; that a machine has no room for it, a run finds."""
    graph = make()
    in_a_fork(lambda: add_plan(graph, ["y:0"]))


def test_many_branches_give_the_right_one() -> None:
    graph = case_of_many(0)
    for i in range(9):
        graph.node[-1].attr["branches"].list.func.add(name=f"f{i}")
        graph.library.function.append(function(f"f{i}", [const("k", float(i))], "k:output:0"))
    with gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(graph, name="")
        found = [session.run("y:0", {"i:0": i, "x:0": 0.0}) for i in (*range(9), -1, 9, 100)]
    assert found == [*range(9), 8, 8, 8]


@pytest.mark.parametrize(("op", "count"), [("Exit", 0), ("Enter", 0), ("Merge", 0), ("Switch", 1), ("Identity", 0)])
def test_control_flow_without_inputs(op: str, count: int) -> None:
    graph = graph_def(placeholder("p", gc.bool), node("s", "Switch", "p", "p", dtype=gc.bool),
                      node("y", op, *["s"] * count))
    with gc.Graph().as_default(), pytest.raises(errors.DataLossError, match=f"{op} 'y' has the inputs .*; the file is"):
        gc.import_graph_def(graph, name="")
