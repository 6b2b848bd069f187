"""gc.onnx.export: a session's graph as an ONNX model."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.errors import InvalidArgumentError
from graphc.io.whole_files import written
from graphc.onnx.element_types import number_of
from graphc.onnx.exporting import manifest as manifest
from graphc.onnx.exporting.walk import failures_of
from graphc.onnx.exporting.writer import Names, Writer
from graphc.onnx.package import onnx_package

OPSET, IR_VERSION = 17, 8
SIDE_FILE_FROM = 1 << 31           # bytes of weights: a protobuf message ends there
_SMALL = 1024                      # bytes of a tensor that stays in the model's file


@public("onnx.export")
def export(session: Any, outputs: Any, path: Any = None, inputs: Any = None, side_file: bool | None = None) -> Any:
    """The ONNX model (operator set 17) that computes `outputs`, with the session's variables as constants; written to
    `path`, if there is one, and returned as a ModelProto otherwise.

    outputs, inputs: a tensor, a list, or a mapping from the names in ONNX; inputs: by default the placeholders that the
    outputs need. side_file: weights go to path + ".data"; by default those over 2 GB. Raises UnimplementedError, which
    lists them all, for ops without an equivalent, InvalidArgumentError for a placeholder that is needed but no input.
    (graphc's own) TypeError for what is no tensor.

    >>> x = gc.placeholder(gc.float32, [None, 2], "x")
    >>> y = gc.nn.relu(gc.matmul(x, gc.Variable([[1.], [2.]])), name="y")
    >>> gc.global_variables_initializer().run()
    >>> model = gc.onnx.export(gc.get_default_session(), {"y": y})
    >>> [node.op_type for node in model.graph.node]
    ['MatMul', 'Relu', 'Identity']
    """
    fetched, given = _named(session.graph, outputs), None if inputs is None else _named(session.graph, inputs)
    fed = _placeholders(list(fetched.values())) if given is None else given
    writer = Writer(Names(), {})
    _start(writer, session, fetched, fed)
    failures = failures_of(writer, fetched.values())
    failures.check()
    model = _model(writer, fetched, fed)
    arrays = {name: array for name, array in writer.initializers.items() if name in _used(model)}
    large = sum(array.nbytes for array in arrays.values()) >= SIDE_FILE_FROM
    if path is None:
        if large:
            raise InvalidArgumentError("gc.onnx.export: the weights are over 2 GB, which one message does not hold: "
                                       "give a path")
        _add_arrays(model, arrays, None)
        return model
    _write_files(model, arrays, os.fspath(path), large if side_file is None else side_file)
    return None


def _named(graph: Any, tensors: Any) -> dict[str, Any]:
    """Tensors by their names in ONNX: the op's name, with the number of the output if that is not the first."""
    if isinstance(tensors, Mapping):
        return {name: _tensor(graph, t) for name, t in tensors.items()}
    listed = tensors if isinstance(tensors, Sequence) and not isinstance(tensors, str) else [tensors]
    found = [_tensor(graph, t) for t in listed]
    return {t.op.name if t.value_index == 0 else t.name: t for t in found}


def _tensor(graph: Any, value: Any) -> Any:
    element = graph.as_graph_element(value)
    if isinstance(element, gc.Operation):
        if not element.outputs:
            raise InvalidArgumentError(f"gc.onnx.export: '{element.name}' ({element.type}) has no value", element)
        return element.outputs[0]
    return element


def _placeholders(tensors: list[Any]) -> dict[str, Any]:
    """The placeholders that tensors come from, in the order in which they were made."""
    found, seen, waiting = [], set(), [t.op for t in tensors]
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type == "Placeholder":
            found.append(op.outputs[0])
        waiting.extend(t.op for t in op.inputs)
    return {t.op.name: t for t in sorted(found, key=lambda t: t.op.number)}


def _start(writer: Writer, session: Any, fetched: dict[str, Any], fed: dict[str, Any]) -> None:
    """Names for the inputs, and the values of variables."""
    for name, tensor in fed.items():
        writer.values[tensor] = writer.names.new(name)
    for name in fetched:
        if name not in fed:
            writer.names.new(name)                         # kept for the output
    needed, seen, waiting = [], set(), [t for t in fetched.values() if t not in writer.values]
    while waiting:
        tensor = waiting.pop()
        if tensor in seen or tensor in writer.values:
            continue
        seen.add(tensor)
        if tensor.op.type in ("VariableV2", "Variable"):
            needed.append(tensor)
        elif tensor.op.type == "Placeholder":
            raise InvalidArgumentError(f"gc.onnx.export: the outputs need the placeholder '{tensor.op.name}', which "
                                       "is not among the inputs", tensor.op)
        waiting.extend(tensor.op.inputs)
    for tensor, value in zip(needed, session.run(needed) if needed else [], strict=True):
        writer.values[tensor] = writer.constant(value, name=tensor.op.name)


def _model(writer: Writer, fetched: dict[str, Any], fed: dict[str, Any]) -> Any:
    helper = onnx_package().helper
    names = list(fetched)
    for name, tensor in fetched.items():
        if name not in fed:
            writer.nodes.append(helper.make_node("Identity", [writer.value(tensor)], [name]))
    infos = [[helper.make_tensor_value_info(name, number_of(t.dtype), _sizes(name, t, is_input))
              for name, t in tensors.items()] for tensors, is_input in ((fed, True), (fetched, False))]
    graph = helper.make_graph(writer.used_nodes(names), "graphc", *infos)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                             producer_name="graphc", producer_version=gc.__version__)


def _sizes(name: str, tensor: Any, is_input: bool) -> list[Any] | None:
    """Sizes that are not known have names of their own in inputs; the first one is the batch."""
    if tensor.shape.ndims is None:
        if is_input:
            raise InvalidArgumentError(f"gc.onnx.export: the rank of the input '{name}' is not known; give its "
                                       "placeholder a shape (unknown sizes are None)", tensor.op)
        return None
    return [f"{name}_size_{i}" if n is None and is_input else n for i, n in enumerate(tensor.shape.as_list())]


def _used(model: Any) -> set[str]:
    """The names that any node takes."""
    found: set[str] = set()
    graphs = [model.graph]
    while graphs:
        for node in graphs.pop().node:
            found.update(node.input)
            graphs.extend(a.g for a in node.attribute if a.type == 5)
    return found


def _add_arrays(model: Any, arrays: dict[str, np.ndarray], side: tuple[str, dict[str, int]] | None) -> None:
    """The initializers; side: (file name, offsets) of those that stand in another file."""
    onnx = onnx_package()
    for name, array in arrays.items():
        if side is None or name not in side[1]:
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
            continue
        proto = model.graph.initializer.add(name=name, dims=array.shape, data_type=number_of(gc.as_dtype(array.dtype)),
                                            data_location=onnx.TensorProto.EXTERNAL)
        for key, value in (("location", side[0]), ("offset", side[1][name]), ("length", array.nbytes)):
            proto.external_data.add(key=key, value=str(value))


def _write_files(model: Any, arrays: dict[str, np.ndarray], path: str, apart: bool) -> None:
    """The side file first: a model that is there has its weights."""
    if not apart:
        _add_arrays(model, arrays, None)
        with written(path) as file:
            file.write(model.SerializeToString())
        return
    offsets: dict[str, int] = {}
    with written(f"{path}.data") as file:
        for name, array in arrays.items():
            if array.nbytes > _SMALL and array.dtype != object:
                file.write(b"\0" * (-file.tell() % 64))
                offsets[name] = file.tell()
                file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    _add_arrays(model, arrays, (f"{os.path.basename(path)}.data", offsets))
    with written(path) as file:
        file.write(model.SerializeToString())
