"""Graph -> GraphDef.

Nodes stand in the order in which they were made. Bodies of loops and branches become functions of the library, in
TF's form: arguments by name, results of nodes as "node:result:index".

A loop of TF's has an output for every input. One of ours gives out what it carries only, so that what its bodies
capture is written as carried unchanged, and the attribute CARRIED says how many outputs are the loop's own.
"""
from __future__ import annotations

from typing import Any

from graphc.errors import InvalidArgumentError
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, Operation
from graphc.ir.op import Op
from graphc.ir.tensor import Tensor, result_names
from graphc.ops.control.control import StatelessWhile
from graphc.serial.attributes import CARRIED, attribute_fields, to_attribute, wire_name
from graphc.serial.graph_pb2 import AttrValue, FunctionDef, GraphDef, NodeDef, OpDef
from graphc.serial.side_files import CONSUMER
from graphc.serial.tensors import shape_to_proto

PRODUCER = 134      # TF 1.15's version of the format


def as_graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> GraphDef:
    """The graph as a message, as `tf.Graph.as_graph_def`. from_version: only what was added since that `graph.version`.

    add_shapes: the static shapes as attributes "_output_shapes".
    """
    made = GraphDef()
    made.versions.producer = PRODUCER
    functions: dict[str, FuncGraph] = {}
    for operation in graph.get_operations()[from_version or 0:]:
        node = made.node.add()
        _fill_node(node, operation, functions)
        if add_shapes:
            _add_shapes(node, operation)
    written: set[str] = set()
    while len(written) < len(functions):
        for name in [n for n in functions if n not in written]:
            made.library.function.append(_function(functions[name], functions))
            written.add(name)
    note_constants_aside(made)
    definitions = {f.signature.name: f for f in made.library.function}
    for node in (*made.node, *(n for f in made.library.function for n in f.node_def)):
        if CARRIED in node.attr:
            _return_captures(definitions[node.attr["body"].func.name])
    return made


def note_constants_aside(made: GraphDef) -> None:
    """Says of a graph with constants of 2 GB and more that they are elsewhere (side_files.py)."""
    for function in made.library.function:
        for node in function.node_def:
            if "value" in node.attr and node.attr["value"].tensor.HasField("side"):
                raise InvalidArgumentError(f"constant '{node.name}' of the loop or branch '{function.signature.name}' "
                                           "has 2 GB or more, which no file can hold there: make it outside")
    if any("value" in node.attr and node.attr["value"].tensor.HasField("side") for node in made.node):
        made.side_file.SetInParent()
        made.versions.min_consumer = CONSUMER
    elif made.versions.min_consumer == CONSUMER:
        made.versions.min_consumer = 0


def node_def(operation: Operation) -> NodeDef:
    """One operation as a message, as `tf.Operation.node_def`."""
    made = NodeDef()
    _fill_node(made, operation, {})
    return made


def op_def(operation: Operation) -> OpDef:
    """The names of what the operation's type takes, gives and is set by, as `tf.Operation.op_def` has them. Of an
    operand that is a list there is one, as there; which dtypes each may have is not said."""
    op = operation.definition
    made = OpDef(name=operation.type)
    made.input_arg.extend(OpDef.ArgDef(name=key.rstrip("*")) for key in operation.operand_tensors())
    made.output_arg.extend(OpDef.ArgDef(name=key.rstrip("*")) for key in op.results)
    made.attr.extend(OpDef.AttrDef(name=wire_name(field), type=field.metadata["kind"])
                     for field in attribute_fields(type(op)))
    made.attr.extend(OpDef.AttrDef(name=name, type="type") for name in op.types)
    return made


def _fill_node(node: NodeDef, operation: Operation, functions: dict[str, FuncGraph]) -> None:
    node.name, node.op, node.device = operation.name, operation.type, operation.device
    node.input.extend(_tensor_name(t) for t in operation.inputs)
    node.input.extend(f"^{c.name}" for c in operation.control_inputs)
    _fill_attributes(node.attr, operation, functions)


def _tensor_name(tensor: Tensor) -> str:
    return tensor.op.name if tensor.value_index == 0 else tensor.name


def _fill_attributes(target: Any, operation: Operation, functions: dict[str, FuncGraph]) -> None:
    op = operation.definition
    for field in attribute_fields(type(op)):
        value = getattr(op, field.name)
        if isinstance(value, FuncGraph):
            functions.setdefault(value.name, value)
        if value is not None or field.metadata["kind"] == "shape":
            target[wire_name(field)].CopyFrom(to_attribute(field.metadata["kind"], value))
    captured = _captured(op)
    if captured and isinstance(op, StatelessWhile):
        if op.output_shapes:
            target["output_shapes"].list.shape.extend(shape_to_proto(t.spec.static_shape) for t in captured)
        target[CARRIED].i = len(op.body.outputs)
    for name, source in op.types.items():
        tensor = _typed_by(operation, source)
        if tensor is not None and name not in target:
            target[name].type = tensor.dtype.number
    if op.is_variadic() and not has_type_list(type(op)) and "N" not in target:
        target["N"].i = max(len(v) for v in operation.operand_tensors().values() if isinstance(v, tuple))
    if operation.gradient_name is not None:
        target["_gradient_op_type"].s = operation.gradient_name.encode()
    for name, value in operation.extra_attributes.items():
        if name not in target:
            target[name].CopyFrom(value)


def _captured(op: Op) -> list[Tensor]:
    """Of a loop, the arguments of its body that it carries unchanged in a file, and gives out there."""
    return list(op.body.inputs[len(op.body.outputs):]) if isinstance(op, StatelessWhile) else []


def has_type_list(op: type[Op]) -> bool:
    """Whether the variadic operand may hold tensors of several dtypes: then it is counted by a list of types, not
    by N."""
    return any(f.metadata["kind"] == "list(type)" for f in attribute_fields(op))


def _typed_by(operation: Operation, source: str) -> Tensor | None:
    operands = operation.operand_tensors()
    found = operands.get(source, operands.get(f"{source}*", operands.get(source.rstrip("*"))))
    if found is None and source in operation.definition.results:
        return operation.outputs[operation.definition.results.index(source)]
    if isinstance(found, tuple):
        return found[0] if found else None
    return found


def _add_shapes(node: NodeDef, operation: Operation) -> None:
    value = AttrValue()
    tensors = [*operation.outputs, *_captured(operation.definition)]
    value.list.shape.extend(shape_to_proto(t.spec.static_shape) for t in tensors)
    node.attr["_output_shapes"].CopyFrom(value)


def _function(graph: FuncGraph, functions: dict[str, FuncGraph]) -> FunctionDef:
    made = FunctionDef(signature=OpDef(name=graph.name))
    names = {tensor: _argument_name(tensor) for tensor in graph.inputs}
    made.signature.input_arg.extend(OpDef.ArgDef(name=names[t], type=t.dtype.number) for t in graph.inputs)  # type: ignore
    arguments = {tensor.op for tensor in graph.inputs}
    for operation in graph.get_operations():
        if operation in arguments:
            continue
        node = made.node_def.add(name=operation.name, op=operation.type, device=operation.device)
        node.input.extend(names.get(t) or _result_name(t) for t in operation.inputs)
        node.input.extend(f"^{c.name}" for c in operation.control_inputs if c not in arguments)
        _fill_attributes(node.attr, operation, functions)
    for i, tensor in enumerate(graph.outputs):
        made.signature.output_arg.add(name=f"output_{i}", type=tensor.dtype.number)
        made.ret[f"output_{i}"] = names.get(tensor) or _result_name(tensor)
    # The static shapes of the arguments, as TF's _Arg nodes would say them.
    for i, tensor in enumerate(graph.inputs):
        made.attr[f"_shape_{i}"].shape.CopyFrom(shape_to_proto(tensor.spec.static_shape))
    return made


def _return_captures(body: FunctionDef) -> None:
    """Makes the body of a loop return its last arguments as they came, so that there is a result for every argument."""
    for i, argument in enumerate(body.signature.input_arg):
        if i >= len(body.signature.output_arg):
            body.signature.output_arg.add(name=f"output_{i}", type=argument.type)
            body.ret[f"output_{i}"] = argument.name


def _argument_name(tensor: Tensor) -> str:
    return tensor.op.name.replace("/", "_")


def _result_name(tensor: Tensor) -> str:
    """"node:result:index" of an output."""
    name, index = result_names(type(tensor.op.definition), len(tensor.op.outputs))[tensor.value_index]
    return f"{tensor.op.name}:{name}:{index}"
