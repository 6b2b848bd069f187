"""gc.onnx.load: an ONNX model as a graph for sessions."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.errors import DataLossError, InvalidArgumentError, UnimplementedError
from graphc.onnx.element_types import held_dtype_of
from graphc.onnx.importing import manifest as manifest
from graphc.onnx.importing.builder import GraphBuilder, scope_name
from graphc.onnx.importing.rules import ValueNeeded
from graphc.onnx.reading import TensorReader, parsed, read_model

NEWEST_IR = 14                    # of the format's versions, those that are known here


@dataclass(frozen=True)
class ImportedModel:
    """What gc.onnx.load returns: graph; inputs and outputs by the model's own names, in its order.

    Numbers of 8 bits and fewer that graphc has no dtype for (FLOAT8..., INT4) are held in float32, int8 or uint8.

        with gc.Session(graph=model.graph) as session:
            session.run(model.outputs, {model.inputs["x"]: x})      # {"y": array}
    """

    graph: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@public("onnx.load")
def load(model: Any, values: Mapping[str, Any] | None = None,
         shapes: Mapping[str, Sequence[int | None]] | None = None) -> ImportedModel:
    """An ONNX model (its path, its bytes or a ModelProto) as an object with `graph`, and with `inputs` and `outputs`,
    the tensors by their names in the model.

    Inputs become placeholders, sizes that have names are unknown. values: inputs that are constants from now on,
    for those that decide axes and other things that must be known while a graph is built; shapes: of inputs of
    which the model says less. Raises DataLossError for a damaged file, UnimplementedError, which lists them all,
    for operators that graphc does not have. (graphc's own)

    >>> x = gc.placeholder(gc.float32, [None, 2], "x")
    >>> y = gc.nn.relu(gc.matmul(x, [[1.], [2.]]))
    >>> gc.onnx.export(gc.get_default_session(), {"y": y}, "model.onnx", {"x": x})
    >>> model = gc.onnx.load("model.onnx")
    >>> with gc.Session(graph=model.graph) as session:
    ...     print(session.run(model.outputs, {model.inputs["x"]: [[3., 4.]]}))
    {'y': array([[11.]], dtype=float32)}
    """
    folder = None
    if isinstance(model, (str, os.PathLike)):
        folder = os.path.dirname(os.path.abspath(os.fspath(model)))
        model = read_model(os.fspath(model))
    elif isinstance(model, bytes):
        model = parsed(model, "the model")
    if model.ir_version > NEWEST_IR:
        raise UnimplementedError(f"the model has version {model.ir_version} of the format, the newest known here is "
                                 f"{NEWEST_IR}: export it for an older one")
    graph = gc.Graph()
    with graph.as_default():
        builder = GraphBuilder(model, TensorReader(folder))
        builder.check_supported()
        inputs, known = _inputs(model.graph, builder, dict(values or {}), dict(shapes or {}))
        made = builder.build_graph(model.graph, {**inputs, **known})
        outputs = _outputs(model.graph, builder, made)
    return ImportedModel(graph, inputs, outputs)


def _inputs(graph: Any, builder: GraphBuilder, values: dict[str, Any],
            shapes: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(placeholders, constants) by the names of the model's inputs."""
    initialised = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    names = [info.name for info in graph.input]
    for argument, given in (("values", values), ("shapes", shapes)):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise InvalidArgumentError(f"gc.onnx.load: argument {argument!r} has {unknown}, but the model's inputs are "
                                       f"{names}")
    placeholders, constants = {}, {}
    for info in graph.input:
        if info.name in placeholders:
            raise DataLossError(f"the model has two inputs {info.name!r}")
        if info.name in initialised and info.name not in values:
            continue                       # before version 4 of the format every initializer is an input, too
        if info.name in values and values[info.name] is None:
            constants[info.name] = None                     # an optional that is empty
            continue
        dtype, shape = _declared(info, info.name in values)
        if info.name in values:
            constants[info.name] = _constant(values[info.name], dtype, info, builder)
            builder.marked(constants[info.name], info.type.tensor_type.elem_type)
        else:
            placeholder = gc.placeholder(dtype, shapes.get(info.name, shape), name=scope_name(info.name))
            placeholders[info.name] = placeholder
            builder.placeholders[placeholder] = info.name
            builder.marked(placeholder, info.type.tensor_type.elem_type)
    return placeholders, constants


def _constant(value: Any, dtype: Any, info: Any, builder: GraphBuilder) -> Any:
    """A value, or a list of them for a sequence, as constants."""
    kind, name = info.type, info.name
    if kind.HasField("optional_type"):
        kind = kind.optional_type.elem_type
    if kind.HasField("sequence_type"):
        return [builder.constant(dtype.array(v) if dtype != gc.string else np.asarray(v, object), name) for v in value]
    return builder.constant(dtype.array(value) if dtype != gc.string else np.asarray(value, object), name)


def _declared(info: Any, is_constant: bool) -> tuple[Any, list[int | None] | None]:
    """(dtype, shape) of an input: None for sizes that are not numbers, None for a rank that is not said.

    A sequence or an optional must be a constant, as its length and whether it is there shape the graph.
    """
    kind, what = info.type, f"the model's input {info.name!r}"
    while kind.WhichOneof("value") in ("sequence_type", "optional_type"):
        if not is_constant:
            raise ValueNeeded(f"{what} is a sequence or an optional, which must be known while the graph is built: "
                              f"give it to gc.onnx.load, values={{{info.name!r}: ...}}", [info.name])
        kind = getattr(kind, kind.WhichOneof("value")).elem_type
    if kind.WhichOneof("value") != "tensor_type":
        raise UnimplementedError(f"{what} is a {(kind.WhichOneof('value') or 'value').replace('_type', '')}: graphc "
                                 "has tensors, sequences and optionals of them only")
    tensor = kind.tensor_type
    dtype = held_dtype_of(tensor.elem_type, what)
    if not tensor.HasField("shape"):
        return dtype, None
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    if any(size is not None and size < -1 for size in sizes):
        raise DataLossError(f"{what} has the shape {sizes}, with a negative size")
    return dtype, [None if size == -1 else size for size in sizes]     # -1: what exporters write for a size not known


def _outputs(graph: Any, builder: GraphBuilder, made: dict[str, Any]) -> dict[str, Any]:
    """The outputs as tensors that have the model's names."""
    names = [info.name for info in graph.output]
    found = builder.take(made, names, "the model")
    for name, value in zip(names, found, strict=True):
        if value is None:
            raise UnimplementedError(f"the model's output {name!r} is an optional without a value")
    return {name: [gc.identity(x) for x in value] if isinstance(value, list) else _named(value, name)
            for name, value in zip(names, found, strict=True)}


def _named(x: Any, name: str) -> Any:
    own = scope_name(name)
    return x if x.op.name == own else gc.identity(x, name=own)
