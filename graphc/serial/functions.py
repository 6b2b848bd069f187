"""FunctionDef -> FuncGraph: the bodies of imported loops and branches; and calls of functions, which are put where the
call stands.

Operations of a file may share a function, but not a FuncGraph: a gradient extends the bodies of its loop or branch, and
random ops in bodies are told apart by the bodies' names. So each use makes a FuncGraph of its own.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.identity import identity, no_op
from graphc.api.control.cond import cond
from graphc.errors import DataLossError
from graphc.ir import dims
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype
from graphc.ir.func_graph import FuncGraph, outermost
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS, Effect, Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor, result_names
from graphc.ops.control.control import StatelessWhile
from graphc.serial.attributes import CARRIED, known_names, read_fields
from graphc.serial.graph_pb2 import FunctionDef, FunctionDefLibrary, NodeDef
from graphc.serial.nodes import make_definition, sorted_nodes
from graphc.serial.tensors import shape_from_proto

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
CASES = ("Case", "StatelessCase")
_DEPTH_LIMIT = 64
_COPIES_LIMIT = 20_000      # operations in second and later bodies made of a function: small files must not grow huge


class FunctionReader:
    """Makes FuncGraphs of a library's functions."""

    def __init__(self, library: FunctionDefLibrary) -> None:
        self.definitions = {f.signature.name: f for f in library.function}
        self.made: dict[str, int] = {}      # by name: how many names were tried for its bodies
        self.copies = 0
        self.depth = 0
        self.results: dict[Operation, list[Tensor]] = {}     # of calls with more or fewer results than one

    def op_types(self) -> set[str]:
        return {node.op for f in self.definitions.values() for node in f.node_def}

    def fields(self, op: type[Op], node: NodeDef) -> dict[str, Any]:
        """The fields of a node; of a loop of graphc's without the results that graphdef.py added."""
        found = read_fields(op, node.attr, self.get)
        if issubclass(op, StatelessWhile):
            self._drop_captured(node, found)
        return found

    def _drop_captured(self, node: NodeDef, fields: dict[str, Any]) -> None:
        body: FuncGraph = fields["body"]
        carried = node.attr[CARRIED].i if CARRIED in node.attr else None
        if carried is None:
            return
        if not 0 <= carried <= len(body.outputs) or any(
                o is not i for o, i in zip(body.outputs[carried:], body.inputs[carried:], strict=False)):
            raise DataLossError(f"'{node.name}' says that it carries {carried} values, but its body '{body.name}' "
                                f"changes others of its {len(body.outputs)} results")
        del body.outputs[carried:]
        fields["output_shapes"] = fields.get("output_shapes", ())[:carried]

    def get(self, name: str) -> FuncGraph:
        """A new FuncGraph in the default graph. Raises DataLossError if the library has no such function, functions
        nest without end, or they use each other so often that the graph would be far larger than the file."""
        if name not in self.definitions:
            raise DataLossError(f"function '{name}' is missing in the file's library")
        if self.depth >= _DEPTH_LIMIT:
            raise DataLossError(f"functions nest more than {_DEPTH_LIMIT} deep, or call themselves")
        if name in self.made:
            self.copies += 1 + len(self.definitions[name].node_def)
            if self.copies > _COPIES_LIMIT:
                raise DataLossError(f"loops and branches share functions (the last one is '{name}') so often that "
                                    f"their bodies would have more than {_COPIES_LIMIT} operations")
        self.depth += 1
        try:
            return self._read(self.definitions[name])
        finally:
            self.depth -= 1

    def _read(self, definition: FunctionDef) -> FuncGraph:
        name, outer = definition.signature.name, get_default_graph()
        functions = outermost(outer).functions
        tried = self.made.get(name, 0)
        while (unique := f"{name}_{tried}" if tried else name) in functions:
            tried += 1
        self.made[name] = tried + 1
        graph = FuncGraph(unique, outer)
        functions[unique] = graph
        values: dict[str, Tensor] = {}
        with graph.as_default():
            for i, argument in enumerate(definition.signature.input_arg):
                spec = Spec(as_dtype(int(argument.type)), self._argument_shape(definition, i, unique))
                values[argument.name] = graph.add_input(spec, argument.name)
            self._nodes(definition, values, "")
        for result in definition.signature.output_arg:
            graph.outputs.append(_value(definition.ret[result.name], values))
        return graph

    def called(self, node: NodeDef, inputs: Sequence[Tensor], scope: str, controls: Sequence[Operation]) -> Operation:
        """The operation that stands for a call of a function, or for a Case, whose functions' operations are made in
        the default graph under `scope`. What it waits for, they wait for."""
        graph = get_default_graph()
        before = len(graph.get_operations())
        with graph.control_dependencies(controls):
            if node.op in CASES:
                outputs = self._case(node, inputs, scope)
            else:
                outputs = self._inlined(node.attr["f"].func.name, inputs, scope)
        graph.mark_name(scope.rstrip("/"))
        if len(outputs) == 1:
            kept: Operation = identity(outputs[0], name=scope).op
            return kept
        effects = [op for op in graph.get_operations()[before:] if _has_effect(op)]
        with graph.control_dependencies([*controls, *effects]):
            made = no_op(name=scope)
        self.results[made] = outputs
        return made

    def outputs_of(self, operation: Operation) -> list[Tensor]:
        """The results of an operation of the file: of a call, those of its function."""
        return self.results.get(operation, operation.outputs)

    def _case(self, node: NodeDef, inputs: Sequence[Tensor], scope: str) -> list[Tensor]:
        """The function whose number is the first input, the last one for any other number: a chain of branches."""
        branches = [f.name for f in node.attr["branches"].list.func]
        if not branches:
            raise DataLossError(f"'{node.name}' has no branches")

        def chosen(number: int) -> list[Tensor]:
            def run() -> list[Tensor]:
                return self._inlined(branches[number], inputs[1:], f"{scope}branch_{number}/")

            if number == len(branches) - 1:
                return run()
            is_it = apply(OPS["Equal"], inputs[0], number)
            made: list[Tensor] = cond(is_it, run, lambda: chosen(number + 1), strict=True)
            return made

        with get_default_graph().name_scope(scope):
            return chosen(0)

    def _inlined(self, name: str, inputs: Sequence[Tensor], scope: str) -> list[Tensor]:
        """The results of function `name` of these inputs; its operations stand in the default graph under `scope`."""
        if name not in self.definitions:
            raise DataLossError(f"function '{name}' is missing in the file's library")
        definition = self.definitions[name]
        self.copies += 1 + len(definition.node_def)
        if self.depth >= _DEPTH_LIMIT or self.copies > _COPIES_LIMIT:
            raise DataLossError(f"functions call each other (the last one is '{name}') more than {_DEPTH_LIMIT} deep, "
                                f"or make more than {_COPIES_LIMIT} operations")
        arguments = [a.name for a in definition.signature.input_arg]
        if len(arguments) != len(inputs):
            raise DataLossError(f"function '{name}' takes {len(arguments)} inputs, but {len(inputs)} are given")
        self.depth += 1
        try:
            values = dict(zip(arguments, inputs, strict=True))
            made = self._nodes(definition, values, scope)
        finally:
            self.depth -= 1
        effects = [op for op in made if _has_effect(op)]
        with get_default_graph().control_dependencies(effects):
            results = [_value(definition.ret[r.name], values) for r in definition.signature.output_arg]
            return [identity(t) for t in results] if effects else results

    def _argument_shape(self, definition: FunctionDef, index: int, name: str) -> Any:
        attribute = definition.attr.get(f"_shape_{index}") if f"_shape_{index}" in definition.attr else None
        if attribute is None:
            return None
        shape = shape_from_proto(attribute.shape)
        return None if shape is None else tuple(
            dims.symbol(f"{name}.{index}.{axis}") if s is None else s for axis, s in enumerate(shape))

    def _nodes(self, definition: FunctionDef, values: dict[str, Tensor], scope: str) -> list[Operation]:
        """Makes the operations of a function in the default graph, under `scope`."""
        graph = get_default_graph()
        operations: dict[str, Operation] = {}
        for node in sorted_nodes({n.name: n for n in definition.node_def}):
            inputs = [_value(text, values) for text in node.input if not text.startswith("^")]
            controls = [operations[t[1:]] for t in node.input if t.startswith("^") and t[1:] in operations]
            if node.op in (*CALLS, *CASES):
                operations[node.name] = called = self.called(node, inputs, f"{scope}{node.name}/", controls)
                for i, tensor in enumerate(self.outputs_of(called)):
                    values[f"{node.name}:output:{i}"] = values[f"{node.name}:{i}"] = tensor
                    values.setdefault(node.name, tensor)
                continue
            op = OPS[node.op]
            made = make_definition(op, self.fields(op, node), inputs)
            graph.mark_name(f"{scope}{node.name}")
            operation = graph.create(made, inputs, name=f"{scope}{node.name}/", control_inputs=controls,
                                     device=node.device)
            operation.extra_attributes.update((k, v) for k, v in node.attr.items() if k not in known_names(op))
            operations[node.name] = operation
            _name_results(node, operation, values)
        return list(operations.values())


def _has_effect(operation: Operation) -> bool:
    return operation.definition.effect in (Effect.WRITE, Effect.HOST)


def _name_results(node: NodeDef, operation: Operation, values: dict[str, Tensor]) -> None:
    names = result_names(type(operation.definition), len(operation.outputs))
    for i, ((name, position), tensor) in enumerate(zip(names, operation.outputs, strict=True)):
        values[f"{node.name}:{name}:{position}"] = values[f"{node.name}:{i}"] = tensor
    if operation.outputs:
        values.setdefault(node.name, operation.outputs[0])


def _value(text: str, values: dict[str, Tensor]) -> Tensor:
    if text not in values:
        raise DataLossError(f"'{text}' is used in a function, but nothing of that name is in it; the file is damaged")
    return values[text]
