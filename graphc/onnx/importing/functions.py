"""Ops that are functions: those of the model itself, and those that the package onnx defines by other ops.

A function's attributes are put into its nodes, also into those of nested graphs, before it is built.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.errors import DataLossError
from graphc.onnx.element_types import number_of
from graphc.onnx.package import onnx_package


class FunctionBodies:
    """The FunctionProtos of nodes."""

    def __init__(self, model: Any) -> None:
        self._own = {(f.domain, f.name): f for f in model.functions}
        self._onnx = onnx_package()

    def of_model(self, node: Any) -> Any | None:
        """The function of the model that the node calls, None if its op is none."""
        return self._own.get((node.domain, node.op_type))

    def _schema(self, node: Any, version: int) -> Any | None:
        defs = self._onnx.defs
        domain = "" if node.domain == "ai.onnx" else node.domain
        return defs.get_schema(node.op_type, version, domain) if defs.has(node.op_type, version, domain) else None

    def check(self, node: Any, version: int) -> None:
        """Raises DataLossError if the node has other attributes than its op has, or another number of inputs."""
        schema = self._schema(node, version)
        if schema is None or schema.since_version > version:
            return
        unknown = sorted({a.name for a in node.attribute} - set(schema.attributes))
        if unknown:
            raise DataLossError(f"node {node.name!r} ({node.op_type}): its op has no attribute "
                                f"{', '.join(unknown)} in version {version}")
        count = len(node.input)
        if not schema.min_input <= count <= schema.max_input:
            raise DataLossError(f"node {node.name!r} ({node.op_type}): it has {count} inputs, but its op takes "
                                f"{schema.min_input} to {schema.max_input} in version {version}")

    def has_one(self, node: Any, version: int) -> bool:
        """Whether the package onnx defines the node's op by other ops."""
        schema = self._schema(node, version)
        return schema is not None and (schema.has_function or schema.has_context_dependent_function)

    def of_package(self, node: Any, version: int, inputs: Sequence[Any]) -> Any | None:
        """The function by which the package onnx defines the op for inputs of these dtypes; None if there is none."""
        schema = self._schema(node, version)
        if schema is None:
            return None
        if schema.has_function:
            fitting = [v for v in schema.function_opset_versions if v <= version]
            body = schema.get_function_with_opset_version(max(fitting)) if fitting else b""
        elif schema.has_context_dependent_function:
            fitting = [v for v in schema.context_dependent_function_opset_versions if v <= version]
            types = [_type_of(x, self._onnx) for x in inputs]
            body = schema.get_context_dependent_function_with_opset_version(
                max(fitting), node.SerializeToString(), types) if fitting else b""
        else:
            return None
        return self._with_defaults(self._onnx.FunctionProto.FromString(body), schema) if body else None

    def _with_defaults(self, body: Any, schema: Any) -> Any:
        """The body knows the defaults of attributes that its op's schema has."""
        known = {a.name for a in body.attribute_proto}
        for name, attribute in schema.attributes.items():
            if name not in known and attribute.default_value.type:
                body.attribute_proto.append(attribute.default_value)
        return body

    def with_attributes(self, body: Any, call: Any) -> list[Any]:
        """The nodes of a function with the values that the call gives its attributes."""
        given = {a.name: a for a in body.attribute_proto} | {a.name: a for a in call.attribute}
        for name in body.attribute:
            if name not in given and self._own.get((call.domain, call.op_type)) is body:
                raise DataLossError(f"node {call.name!r} ({call.op_type}): the attribute {name!r} is missing")
        return [_filled(node, given, self._onnx) for node in body.node]


def _filled(node: Any, given: dict[str, Any], onnx: Any) -> Any:
    made = onnx.NodeProto()
    made.CopyFrom(node)
    del made.attribute[:]
    for attribute in node.attribute:
        new = made.attribute.add()
        if attribute.ref_attr_name:
            if attribute.ref_attr_name not in given:
                del made.attribute[-1]
                continue
            new.CopyFrom(given[attribute.ref_attr_name])
            new.name = attribute.name
            continue
        new.CopyFrom(attribute)
        for graph in (*([new.g] if new.type == 5 else ()), *new.graphs):
            filled = [_filled(inner, given, onnx) for inner in graph.node]
            del graph.node[:]
            graph.node.extend(filled)
    return made


def _type_of(x: Any, onnx: Any) -> bytes:
    """The serialized TypeProto of a value; of what is left out an empty one."""
    if isinstance(x, list):
        inner = onnx.helper.make_tensor_type_proto(number_of(x[0].dtype) if x else 1, None)
        return onnx.helper.make_sequence_type_proto(inner).SerializeToString()  # type: ignore[no-any-return]
    if not isinstance(x, gc.Tensor):
        return onnx.TypeProto().SerializeToString()  # type: ignore[no-any-return]
    shape = None if x.shape.ndims is None else x.shape.as_list()
    return onnx.helper.make_tensor_type_proto(number_of(x.dtype), shape).SerializeToString()  # type: ignore[no-any-return]
