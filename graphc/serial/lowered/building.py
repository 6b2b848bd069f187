"""Steps of a region -> operations of the default graph.

Nodes become operations under the names of the file, loops While and branches If, whose bodies are built in the same
way. Enter, Switch, NextIteration and their like are other names of values; Exit and Merge are Identities.

A value of a branch that another branch on the same predicate uses is handed over: the first one gives out a list that
holds it if the side was taken, the other one pops it, as gradients do (api/gradients/bodies.py).
"""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from graphc.api.array.identity import identity
from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.api.gradients.bodies import keep
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.dtypes import int32
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Effect
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.identity import Identity, NoOp
from graphc.ops.array.passing import IdentityN
from graphc.ops.array.source import Const, Placeholder
from graphc.ops.control.control import bodies
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.lowered import datasets
from graphc.serial.lowered.building_branches import build_branch, name_merge
from graphc.serial.lowered.building_loops import LoopSpecs, build_loop
from graphc.serial.lowered.datasets import ITERATORS, is_dataset, is_of_data
from graphc.serial.lowered.graphs import graphs_around
from graphc.serial.lowered.handles import HANDLE_OPS, Handle, Handles
from graphc.serial.lowered.parts import (
    CONTROL_FLOW,
    ENTERS,
    EXITS,
    MERGES,
    PASSING,
    SWITCHES,
    Branch,
    Loop,
    Part,
    Step,
    source,
)
from graphc.serial.lowered.values import NO_TENSORS, Value, Values

# Makes the operation of a plain node: make(node, inputs, full name, control inputs, values).
Make = Callable[[NodeDef, list[Tensor], str, list[Operation], Values], None]
# The results of a function of the file's library: call(its name, arguments, scope).
Call = Callable[[str, Sequence[Value], str], list[Value]]


class Builder:
    """Builds regions of one file. taken: the names of its nodes, which helpers must not have; numbered: the
    Merges of which it is asked which input came."""

    def __init__(self, make: Make, call: Call, taken: set[str], numbered: set[str]) -> None:
        self.make, self.call, self.taken, self.numbered = make, call, taken, numbered
        self.handles = Handles(self.visible)
        self.branch_of: dict[Graph, Operation] = {}                     # side -> the If
        self.handed: dict[tuple[Tensor, Graph], Tensor] = {}
        self.tokens: dict[Operation, Tensor] = {}
        self.after_effects: set[Operation] = set()
        self.loops: dict[Loop, LoopSpecs] = {}

    def build(self, steps: Sequence[Step], values: Values, full_name: Callable[[str], str]) -> None:
        """Builds steps in the default graph. full_name: what a node's operation is called."""
        for step in steps:
            if isinstance(step, Branch):
                build_branch(self, step, values, full_name)
            elif step.loop is not None:
                build_loop(self, step.loop, values, full_name)
            else:
                assert step.node is not None
                try:
                    self._part(step, step.node, values, full_name)
                    if step.after_effects and step.name in values.operations:
                        self.after_effects.add(values.operations[step.name])
                except (DataLossError, UnimplementedError) as error:
                    if error.args and str(error).startswith(step.node.op):
                        raise
                    raise type(error)(f"{step.node.op} '{step.name}' of the GraphDef: {error}") from error

    # Nodes

    def _part(self, part: Part, node: NodeDef, values: Values, full_name: Callable[[str], str]) -> None:
        if node.op in SWITCHES:
            self._switch(part, values)
        elif node.op in EXITS:
            return                                       # the loop named it
        elif node.op in ENTERS:
            values.tensors[f"{part.name}:0"] = values.tensors[f"{part.name}:output:0"] = self.raw(part.texts[0], values)
        elif node.op in MERGES and part.only >= 0:
            made = [self.tensor(part.texts[0], values), constant(part.only, int32)]
            name_merge(self, part, made[:1 + (part.name in self.numbered)], values, full_name)
        elif node.op in HANDLE_OPS:
            self.handles.make(part, node, values, self, full_name(part.name))
        elif (is_dataset(node.op) or node.op in ITERATORS) and is_of_data(
                node, self.raw(part.texts[0], values) if part.texts else None):
            datasets.make(part, node, values, self, full_name(part.name))
        elif node.op in PASSING and part.texts and (
                node.op == "RefIdentity" or isinstance(self.raw(part.texts[0], values), NO_TENSORS)):
            values.name(part.name, self.raw(part.texts[0], values))     # a reference is what it refers to
        elif node.op in CONTROL_FLOW:
            raise UnimplementedError("it stands outside of a loop" if node.op != "LoopCond" else "it is in no frame")
        else:
            inputs = [self.tensor(t, values) for t in part.texts]
            self.make(node, inputs, full_name(part.name), self.waits(part, values), values)

    def _switch(self, part: Part, values: Values) -> None:
        value = self.raw(part.texts[0], values)
        count = part.node.attr["num_outs"].i if part.op == "_SwitchN" and part.node is not None else 2
        for i in range(count):
            values.tensors[f"{part.name}:{i}"] = value
            values.tensors[f"{part.name}:outputs:{i}"] = value
        for name in ("output_false", "output_true"):
            values.tensors[f"{part.name}:{name}:0"] = value

    def raw(self, text: str, values: Values) -> Value:
        """What an input names, wherever it stands."""
        found = values.find(text)
        if found is not None:
            return found
        if values.function:
            raise DataLossError(f"'{text}' is used in the function '{values.function}', but nothing of that name is in "
                                "it; the file is damaged")
        if values.operation(source(text)) is not None:
            count = next(i for i in itertools.count() if values.find(f"{source(text)}:{i}") is None)
            raise ValueError(f"its input '{text}' does not exist, as '{source(text)}' has {count} outputs")
        raise ValueError(f"Unknown input node '{source(text)}'; the file is incomplete or damaged")

    def tensor(self, text: str, values: Values) -> Tensor:
        """What an input names, in the default graph or one around it."""
        found = self.raw(text, values)
        if isinstance(found, Handle):
            raise UnimplementedError(f"its input '{text}' is the handle of {found}, which no op but those on "
                                     "TensorArrays and stacks can take")
        if not isinstance(found, Tensor):
            raise UnimplementedError(f"its input '{text}' is a data set or an iterator, which only their own ops can "
                                     "take")
        return self.visible(found)

    def waits(self, part: Part, values: Values) -> list[Operation]:
        """The operations that a part comes after by control."""
        found = []
        for name in part.waits:
            operation = values.operation(name)
            if operation is None:
                continue                                 # another name of a value
            if operation.graph in graphs_around():
                found.append(operation)
            elif operation in self.after_effects:
                found.append(self.visible(self._token(operation)).op)
        return found

    def _token(self, operation: Operation) -> Tensor:
        """A tensor of the operation's graph that comes after it."""
        if operation not in self.tokens:
            with operation.graph.as_default(), operation.graph.control_dependencies([operation]):
                self.tokens[operation] = identity(constant(True))
        return self.tokens[operation]

    def visible(self, tensor: Tensor) -> Tensor:
        """The tensor as one of the default graph or of one around it: handed over if it stands in a branch."""
        here = get_default_graph()
        if tensor.graph in graphs_around():
            return tensor
        if (tensor, here) not in self.handed:
            operation = tensor.op
            if _is_cheap(operation) and tensor not in getattr(operation.graph, "inputs", ()):
                inputs = [self.visible(t) for t in operation.inputs]
                with here.control_dependencies(None):
                    copied = here.create(operation.definition, inputs, name=f"handed_over/{operation.type}")
                self.handed.update(((t, here), c) for t, c in zip(operation.outputs, copied.outputs, strict=True))
            else:
                self.handed[tensor, here] = self.handed_over(tensor)
        return self.handed[tensor, here]

    def bring_out(self, operation: Operation, name: str) -> None:
        """Makes an operation of the default graph, called `name`, that stands for one of a branch: it has its results,
        or comes after it. To run it is an error if that side is not taken."""
        graph = get_default_graph()
        found = [self.handed_over(t) for t in operation.outputs]
        waits = [] if found else [self.handed_over(self._token(operation)).op]
        op = IdentityN(T=tuple(t.dtype for t in found)) if len(found) > 1 else Identity() if found else NoOp()
        graph.mark_name(name)
        graph.create(op, found, name=f"{name}/", control_inputs=waits)

    def handed_over(self, tensor: Tensor) -> Tensor:
        """A tensor of a branch, as one of the default graph, by lists."""
        around = graphs_around()
        kept, out = [], tensor
        while out.graph not in around:
            branch = self.branch_of.get(out.graph)
            if branch is None:
                raise UnimplementedError(f"'{tensor.name}' is used outside of the loop whose body it stands in")
            assert isinstance(out.graph, FuncGraph)
            given = next((outer for outer, inner in out.graph.captures.items() if inner is out), None)
            if given is None:
                kept.append(out)
                out = keep(branch, out.graph, out)
            else:
                out = given
        for inner in reversed(kept):
            out = lists.pop(out, inner)[1]
        return out

    def fresh(self, name: str) -> str:
        """A name with a slash after it for an operation that is no node of the file."""
        graph, free, count = get_default_graph(), name, 0
        while free in self.taken or not graph.is_free(free):
            count += 1
            free = f"{name}_{count}"
        graph.mark_name(free)
        return f"{free}/"


def _is_cheap(operation: Operation) -> bool:
    """Whether an operation of a branch is computed again where another branch uses it, so that what is known of its
    value stays known: constants, and integers (shapes, axes)."""
    definition = operation.definition
    return isinstance(definition, Const) or (
        definition.effect is Effect.PURE and not bodies(definition) and not isinstance(definition, Placeholder)
        and all(t.dtype.is_integer for t in operation.outputs))
