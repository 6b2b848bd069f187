"""FunctionDef -> FuncGraph: the bodies of imported loops and branches."""
from __future__ import annotations

from typing import Any

from graphc.errors import DataLossError
from graphc.ir import dims
from graphc.ir.dtypes import as_dtype
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph
from graphc.ir.op import OPS, Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control import StatelessWhile, outermost
from graphc.serial.attributes import CARRIED, known_names, read_fields
from graphc.serial.graph_pb2 import FunctionDef, FunctionDefLibrary, NodeDef
from graphc.serial.tensors import shape_from_proto

_DEPTH_LIMIT = 64


class FunctionReader:
    """Makes each function of a library a FuncGraph when it is first asked for."""

    def __init__(self, library: FunctionDefLibrary, outer: Graph) -> None:
        self.definitions = {f.signature.name: f for f in library.function}
        self.outer = outer
        self.made: dict[str, FuncGraph] = {}
        self.carried: dict[str, int | None] = {}      # of bodies of loops: the loop's CARRIED
        self.depth = 0

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
        if self.carried.setdefault(body.name, carried) != carried:
            raise DataLossError(f"'{node.name}' shares the body '{body.name}' with a loop that carries other values")
        if carried is None:
            return
        if not 0 <= carried <= len(body.outputs) or any(
                o is not i for o, i in zip(body.outputs[carried:], body.inputs[carried:], strict=False)):
            raise DataLossError(f"'{node.name}' says that it carries {carried} values, but its body '{body.name}' "
                                f"changes others of its {len(body.outputs)} results")
        del body.outputs[carried:]
        fields["output_shapes"] = fields.get("output_shapes", ())[:carried]

    def get(self, name: str) -> FuncGraph:
        """Raises DataLossError if the library has no such function, or functions nest without end."""
        if name in self.made:
            return self.made[name]
        if name not in self.definitions:
            raise DataLossError(f"function '{name}' is missing in the file's library")
        if self.depth >= _DEPTH_LIMIT:
            raise DataLossError(f"functions nest more than {_DEPTH_LIMIT} deep, or call themselves")
        self.depth += 1
        try:
            self.made[name] = self._read(self.definitions[name])
        finally:
            self.depth -= 1
        return self.made[name]

    def _read(self, definition: FunctionDef) -> FuncGraph:
        unique, count = definition.signature.name, 0
        functions = outermost(self.outer).functions
        while unique in functions:
            count += 1
            unique = f"{definition.signature.name}_{count}"
        graph = FuncGraph(unique, self.outer)
        functions[unique] = graph
        values: dict[str, Tensor] = {}
        with graph.as_default():
            for i, argument in enumerate(definition.signature.input_arg):
                spec = Spec(as_dtype(int(argument.type)), self._argument_shape(definition, i, unique))
                values[argument.name] = graph.add_input(spec, argument.name)
            self._nodes(definition, graph, values)
        for result in definition.signature.output_arg:
            graph.outputs.append(_value(definition.ret[result.name], values))
        return graph

    def _argument_shape(self, definition: FunctionDef, index: int, name: str) -> Any:
        attribute = definition.attr.get(f"_shape_{index}") if f"_shape_{index}" in definition.attr else None
        if attribute is None:
            return None
        shape = shape_from_proto(attribute.shape)
        return None if shape is None else tuple(
            dims.symbol(f"{name}.{index}.{axis}") if s is None else s for axis, s in enumerate(shape))

    def _nodes(self, definition: FunctionDef, graph: FuncGraph, values: dict[str, Tensor]) -> None:
        from graphc.serial.importer import make_definition, sorted_nodes

        operations: dict[str, Operation] = {}
        for node in sorted_nodes({n.name: n for n in definition.node_def}):
            inputs = [_value(text, values) for text in node.input if not text.startswith("^")]
            controls = [operations[t[1:]] for t in node.input if t.startswith("^") and t[1:] in operations]
            op = OPS[node.op]
            made = make_definition(op, self.fields(op, node), inputs)
            graph.mark_name(node.name)
            operation = graph.create(made, inputs, name=f"{node.name}/", control_inputs=controls, device=node.device)
            operation.extra_attributes.update((k, v) for k, v in node.attr.items() if k not in known_names(op))
            operations[node.name] = operation
            _name_results(node, operation, values)


def _name_results(node: NodeDef, operation: Operation, values: dict[str, Tensor]) -> None:
    results = operation.definition.results
    for i, tensor in enumerate(operation.outputs):
        if len(results) == 1 and results[0].endswith("*"):
            values[f"{node.name}:{results[0][:-1]}:{i}"] = tensor
        else:
            values[f"{node.name}:{results[i]}:0"] = tensor
        values[f"{node.name}:{i}"] = tensor
    if operation.outputs:
        values.setdefault(node.name, operation.outputs[0])


def _value(text: str, values: dict[str, Tensor]) -> Tensor:
    if text not in values:
        raise DataLossError(f"'{text}' is used in a function, but nothing of that name is in it; the file is damaged")
    return values[text]
