"""Fields of ops <-> AttrValue, by the kind that the field declares (ir/op.py: attr)."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import DataLossError
from graphc.ir import dims
from graphc.ir.dtypes import as_dtype
from graphc.ir.op import Op
from graphc.serial.graph_pb2 import AttrValue, NameAttrList
from graphc.serial.tensors import read_array, shape_from_proto, shape_to_proto, tensor_to_proto

Functions = Callable[[str], Any]     # a function's name to its FuncGraph
CARRIED = "_carried"                 # of a loop, see graphdef.py; TF ignores attributes that begin with an underscore


def wire_name(field: dataclasses.Field[Any]) -> str:
    return field.metadata.get("wire") or field.name


def attribute_fields(op: type[Op]) -> list[dataclasses.Field[Any]]:
    """The fields that travel as attributes."""
    return [f for f in dataclasses.fields(op) if f.metadata.get("kind") and not f.metadata.get("operand")]


def to_attribute(kind: str, value: Any) -> AttrValue:
    """Raises TypeError for a value that is none of that kind."""
    if kind.startswith("list("):
        return _list(kind[5:-1], value)
    match kind:
        case "bool":
            return AttrValue(b=bool(value))
        case "int":
            return AttrValue(i=int(value))
        case "float":
            return AttrValue(f=float(value))
        case "string":
            return AttrValue(s=_bytes(value))
        case "type":
            return AttrValue(type=as_dtype(value).number)  # type: ignore[arg-type]
        case "shape":
            return AttrValue(shape=shape_to_proto(value))
        case "tensor":
            return AttrValue(tensor=tensor_to_proto(value, aside=True))
        case "func":
            return AttrValue(func=NameAttrList(name=value.name))
    raise TypeError(f"no attribute of a .pb holds a field of kind {kind}")


def _list(kind: str, values: Any) -> AttrValue:
    made = AttrValue()
    made.list.SetInParent()
    for value in values:
        match kind:
            case "int":
                made.list.i.append(int(value))
            case "float":
                made.list.f.append(float(value))
            case "string":
                made.list.s.append(_bytes(value))
            case "bool":
                made.list.b.append(bool(value))
            case "type":
                made.list.type.append(as_dtype(value).number)  # type: ignore[arg-type]
            case "shape":
                made.list.shape.append(shape_to_proto(value))
            case _:
                raise TypeError(f"no attribute of a .pb holds a list of kind {kind}")
    return made


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def from_attribute(kind: str, value: AttrValue, functions: Functions) -> Any:
    """Raises DataLossError if the attribute is of another kind."""
    present = value.WhichOneof("value")
    if kind.startswith("list("):
        if present != "list":
            raise DataLossError(f"an attribute of kind {kind} was expected, but the file has {present}")
        return _from_list(kind[5:-1], value.list)
    expected = {"bool": "b", "int": "i", "float": "f", "string": "s"}.get(kind, kind)
    if present != expected:
        raise DataLossError(f"an attribute of kind {kind} was expected, but the file has {present}")
    match kind:
        case "bool" | "int":
            return getattr(value, expected)
        case "float":
            return _shortest(value.f)
        case "string":
            return value.s.decode()
        case "type":
            return as_dtype(int(value.type))
        case "shape":
            return _symbolic(shape_from_proto(value.shape))
        case "tensor":
            array = read_array(value.tensor)
            array.setflags(write=False)
            return array
        case "func":
            return functions(value.func.name)
    raise DataLossError(f"attributes of kind {kind} cannot be read")


def _from_list(kind: str, value: AttrValue.ListValue) -> tuple[Any, ...]:
    match kind:
        case "int":
            return tuple(value.i)
        case "float":
            return tuple(_shortest(f) for f in value.f)
        case "string":
            return tuple(s.decode() for s in value.s)
        case "bool":
            return tuple(value.b)
        case "type":
            return tuple(as_dtype(int(t)) for t in value.type)
        case "shape":
            return tuple(shape_from_proto(s) for s in value.shape)
    raise DataLossError(f"attributes of kind list({kind}) cannot be read")


def _shortest(value: float) -> float:
    """The shortest decimal number that is this float32: 0.001 comes back as 0.001."""
    return float(str(np.float32(value)))


def _symbolic(shape: tuple[int | None, ...] | None) -> tuple[dims.Size, ...] | None:
    """Unknown sizes become symbols, each its own."""
    if shape is None:
        return None
    return tuple(dims.symbol(f"imported.{i}", ("size", i)) if s is None else s for i, s in enumerate(shape))


def read_fields(op: type[Op], attributes: Mapping[str, AttrValue], functions: Functions) -> dict[str, Any]:
    """The fields of `op` in a node's attributes; what is missing takes its default. Raises DataLossError if it has
    none."""
    found: dict[str, Any] = {}
    for field in attribute_fields(op):
        name = wire_name(field)
        if name in attributes:
            found[field.name] = from_attribute(field.metadata["kind"], attributes[name], functions)
        elif field.default is dataclasses.MISSING:
            raise DataLossError(f"the attribute '{name}' is missing")
    return found


def known_names(op: type[Op]) -> set[str]:
    """Names of attributes that a node of this type says itself, so that they need not be kept apart."""
    derived = {"N", CARRIED} if op.is_variadic() else set()
    return {wire_name(f) for f in attribute_fields(op)} | set(op.types) | derived
