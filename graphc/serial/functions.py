"""FunctionDef -> FuncGraph: the bodies of imported loops and branches; and calls of functions, which are put where the
call stands.

Operations of a file may share a function, but not a FuncGraph: a gradient extends the bodies of its loop or branch, and
random ops in bodies are told apart by the bodies' names. So each use makes a FuncGraph of its own.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from graphc.api.array.identity import identity, no_op
from graphc.api.array.passing import identity_n
from graphc.api.control.cond import cond
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir import dims
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, resource, variant
from graphc.ir.func_graph import FuncGraph, outermost
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS, Effect, Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor, result_names
from graphc.ops.control.control import StatelessWhile
from graphc.serial.attributes import CARRIED, known_names, read_fields
from graphc.serial.composed.table import composed, is_composed, names_of_results
from graphc.serial.graph_pb2 import FunctionDef, FunctionDefLibrary, NodeDef
from graphc.serial.lowered.branches import ordered
from graphc.serial.lowered.building import Builder
from graphc.serial.lowered.datasets import DataSet
from graphc.serial.lowered.frames import region_of
from graphc.serial.lowered.parts import CALLS, CASES, port, source
from graphc.serial.lowered.values import Value, Values
from graphc.serial.nodes import make_definition
from graphc.serial.tensors import shape_from_proto

_SCALAR_MEANS_UNKNOWN = 24      # producers older than this wrote an unknown shape of a Placeholder as a scalar's
_DEPTH_LIMIT = 64
_COPIES_LIMIT = 20_000      # operations in second and later bodies made of a function: small files must not grow huge


class FunctionReader:
    """Makes FuncGraphs of a library's functions."""

    def __init__(self, library: FunctionDefLibrary, producer: int = 0) -> None:
        self.producer = producer
        self.definitions = {f.signature.name: f for f in library.function}
        self.made: dict[str, int] = {}      # by name: how many names were tried for its bodies
        self.copies = 0
        self.depth = 0
        self.results: dict[Operation, list[Tensor]] = {}     # of calls with more or fewer results than one

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
        values = Values(function=name)
        with graph.as_default():
            for i, argument in enumerate(definition.signature.input_arg):
                spec = Spec(as_dtype(int(argument.type)), self._argument_shape(definition, i, unique))
                values.tensors[f"{argument.name}:0"] = graph.add_input(spec, argument.name)
            builder = self._nodes(definition, values, "")
            for result in definition.signature.output_arg:
                tensor = builder.tensor(definition.ret[result.name], values)
                graph.outputs.append(tensor if tensor.graph is graph else graph.capture(tensor))
        return graph

    def called(self, node: NodeDef, inputs: Sequence[Tensor], scope: str, controls: Sequence[Operation]) -> Operation:
        """The operation that stands for a call of a function, a Case, or what is made of other ops. What those make
        stands in the default graph under `scope`, and waits for what the node waits for."""
        graph = get_default_graph()
        before = len(graph.get_operations())
        with graph.control_dependencies(controls):
            if is_composed(node, inputs):
                with graph.name_scope(scope):
                    outputs = composed(node, inputs)
            elif node.op in CASES:
                outputs = self._case(node, inputs, scope)
            else:
                outputs = self._of_tensors(node.attr["f"].func.name, inputs, scope)
        graph.mark_name(scope.rstrip("/"))
        if len(outputs) == 1:
            kept: Operation = identity(outputs[0], name=scope).op
            return kept
        if outputs and not any(t.dtype in (resource, variant) for t in outputs):      # handles stay with who made them
            several: list[Tensor] = identity_n(outputs, name=scope)
            return several[0].op
        effects = [op for op in graph.get_operations()[before:] if _has_effect(op)]
        with graph.control_dependencies([*controls, *effects]):
            made = no_op(name=scope)
        self.results[made] = outputs
        return made

    def outputs_of(self, operation: Operation) -> list[Tensor]:
        """The results of an operation of the file: of a call, those of its function."""
        return self.results.get(operation, operation.outputs)

    def _case(self, node: NodeDef, inputs: Sequence[Tensor], scope: str) -> list[Tensor]:
        """The function whose number is the first input, the last one for any other number: a tree of branches, each on
        whether the number is in the first half of those that are left."""
        branches = [f.name for f in node.attr["branches"].list.func]
        if not branches:
            raise DataLossError(f"'{node.name}' has no branches")

        def chosen(first: int, end: int) -> list[Tensor]:
            if end - first == 1:
                return self._of_tensors(branches[first], inputs[1:], f"{scope}branch_{first}/")
            middle = (first + end) // 2
            made: list[Tensor] = cond(apply(OPS["Less"], number, middle), lambda: chosen(first, middle),
                                      lambda: chosen(middle, end), strict=True)
            return made

        with get_default_graph().name_scope(scope):
            last = len(branches) - 1
            known = apply(OPS["GreaterEqual"], inputs[0], 0)
            number = apply(OPS["SelectV2"], known, inputs[0], last)         # any above the last one is, too
            return chosen(0, len(branches))

    def _of_tensors(self, name: str, inputs: Sequence[Tensor], scope: str) -> list[Tensor]:
        """`inlined`, of a function that is called by an op."""
        made = self.inlined(name, inputs, scope)
        if not all(isinstance(value, Tensor) for value in made):
            raise UnimplementedError(f"the function '{name}' gives a data set; only functions of data sets can")
        return made  # type: ignore[return-value]

    def inlined(self, name: str, inputs: Sequence[Value], scope: str) -> list[Value]:
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
            values = Values(function=name)
            values.tensors.update((f"{a}:0", t) for a, t in zip(arguments, inputs, strict=True))
            builder = self._nodes(definition, values, scope)
        finally:
            self.depth -= 1
        effects = [op for op in values.operations.values() if _has_effect(op)]
        with get_default_graph().control_dependencies(effects):
            results = [_result(builder, definition, r.name, values) for r in definition.signature.output_arg]
            return [identity(t) if isinstance(t, Tensor) else t for t in results] if effects else results

    def _argument_shape(self, definition: FunctionDef, index: int, name: str) -> Any:
        attribute = definition.attr.get(f"_shape_{index}") if f"_shape_{index}" in definition.attr else None
        if attribute is None:
            return None
        shape = shape_from_proto(attribute.shape)
        return None if shape is None else tuple(
            dims.symbol(f"{name}.{index}.{axis}") if s is None else s for axis, s in enumerate(shape))

    def _nodes(self, definition: FunctionDef, values: Values, scope: str) -> Builder:
        """Makes the operations of a function in the default graph, under `scope`."""
        nodes = {n.name: n for n in definition.node_def}
        builder = Builder(self.make, self.inlined, {f"{scope}{name}" for name in nodes},
                          numbered_merges(nodes.values()))
        builder.build(ordered(region_of(nodes)), values, lambda name: f"{scope}{name}")
        return builder

    def make(self, node: NodeDef, inputs: list[Tensor], name: str, controls: list[Operation], values: Values) -> None:
        """Adds the operation of a node to the default graph."""
        graph = get_default_graph()
        further = [c for c in controls if c.graph is not graph]
        with graph.control_dependencies(further) if further else nullcontext():
            if node.op in (*CALLS, *CASES) or is_composed(node, inputs):
                made = self.called(node, inputs, f"{name}/", controls)
                results = names_of_results(node) or [("output", i) for i in range(len(self.outputs_of(made)))]
            else:
                if node.op not in OPS:
                    raise UnimplementedError("graphc does not know this op")
                op = OPS[node.op]
                fields = self.fields(op, node)
                if node.op == "Placeholder" and fields.get("shape") == () and 0 < self.producer < _SCALAR_MEANS_UNKNOWN:
                    fields["shape"] = None
                definition = make_definition(op, fields, inputs)
                graph.mark_name(name)
                made = graph.create(definition, inputs, name=f"{name}/", control_inputs=controls, device=node.device)
                made.extra_attributes.update((k, v) for k, v in node.attr.items() if k not in known_names(op))
                results = names_of_results(node) or result_names(op, len(made.outputs))
        values.operations[node.name] = made
        for i, (tensor, (result, position)) in enumerate(zip(self.outputs_of(made), results, strict=True)):
            values.tensors[f"{node.name}:{i}"] = values.tensors[f"{node.name}:{result}:{position}"] = tensor


def _has_effect(operation: Operation) -> bool:
    return operation.definition.effect in (Effect.WRITE, Effect.HOST)


def numbered_merges(nodes: Iterable[NodeDef]) -> set[str]:
    """The nodes whose second output is used, Merges among them."""
    return {source(text) for node in nodes for text in node.input if ":" in text and port(text) == 1}


def _result(builder: Builder, definition: FunctionDef, name: str, values: Values) -> Value:
    found = builder.raw(definition.ret[name], values)
    return found if isinstance(found, DataSet) else builder.tensor(definition.ret[name], values)
