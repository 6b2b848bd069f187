"""Sizes that are what they are because someone says so: the user (set_shape), an update of a variable.

What inference does not know, but has a name for, is required: a guard of the Plan. A size that the op itself makes
known (of a mask's result) cannot be replaced in the op: it is required after it.
"""
from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Container, Mapping, Sequence

from graphc.errors import UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.node import Node, Value, make_node
from graphc.ir.spec import Requirement, Shape
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.identity import Identity
from graphc.ops.state.state import Assign

_SYMBOLS: weakref.WeakKeyDictionary[dims.Dim, tuple[dims.Symbol, ...]] = weakref.WeakKeyDictionary()


def symbols(size: Size) -> tuple[dims.Symbol, ...]:
    """The symbols in a size."""
    if isinstance(size, int):
        return ()
    found = _SYMBOLS.get(size)
    if found is None:
        found = tuple(a for a in dims.atoms(size) if isinstance(a, dims.Symbol))
        _SYMBOLS[size] = found
    return found


def with_user_shapes(operation: Operation, node: Node, known: Container[dims.Symbol],
                     results: Container[int] | None = None) -> Node:
    """The node under what the user said by set_shape. known: the symbols that something before makes known; results:
    the numbers of those that it has."""
    specs, requirements = list(node.specs), list(node.requirements)
    for i, (tensor, spec) in enumerate(zip(operation.outputs, node.specs, strict=False)):
        if (results is not None and i not in results) or not _says_more(tensor.spec.shape, spec.shape):
            continue
        said = tensor.spec.static_shape or ()
        if spec.shape is None:
            shape: Shape = tuple(dims.symbol(f"{operation.name}.{k}") if s is None else s for k, s in enumerate(said))
        else:
            if len(said) != len(spec.shape):
                raise UnimplementedError(
                    f"{operation.type} '{operation.name}': set_shape gave '{tensor.name}' the shape {tensor.shape}, "
                    f"which holds in every run; but it has rank {len(spec.shape)}{built_at(operation)}", operation)
            shape = tuple(b if a is None or isinstance(b, int) or any(s not in known for s in symbols(b)) else a
                          for a, b in zip(said, spec.shape, strict=True))
            requirements += _required(tensor, shape, spec.shape)
        specs[i] = dataclasses.replace(spec, shape=shape)
    if tuple(specs) == node.specs:
        return node
    return dataclasses.replace(node, specs=tuple(specs), requirements=tuple(requirements))


def with_usual_rank(operation: Operation, node: Node, fed: Mapping[Tensor, Value]) -> Node:
    """The node under the ranks of what is fed in place of its results, of the variables that they are assigned to, else
    the rank that they usually have, if nothing tells another one."""
    if all(spec.shape is not None for spec in node.specs):
        return node
    specs = list(node.specs)
    for i, tensor in enumerate(operation.outputs):
        rank = None
        if specs[i].shape is None:
            rank = len(fed[tensor].spec.shape or ()) if tensor in fed else _rank_of_variable(tensor)
        rank = node.op.usual_rank if rank is None else rank
        if specs[i].shape is None and rank is not None:
            shape = tuple(dims.symbol(f"{tensor.name}.{k}") for k in range(rank))
            specs[i] = dataclasses.replace(specs[i], shape=shape)
    return dataclasses.replace(node, specs=tuple(specs))


def _rank_of_variable(tensor: Tensor) -> int | None:
    """Of the variable that the tensor, or an Identity of it, is assigned to."""
    for user in tensor.consumers():
        if isinstance(user.definition, Assign) and user.inputs[1] is tensor and user.inputs[0].spec.shape is not None:
            return len(user.inputs[0].spec.shape)
        if type(user.definition) is Identity and (found := _rank_of_variable(user.outputs[0])) is not None:
            return found
    return None


def as_said(operation: Operation, tensor: Tensor, value: Value) -> Value:
    """The value with the sizes that the user said of `tensor`, which only its node makes known."""
    spec = value.spec
    if spec.shape is None or not _says_more(tensor.spec.shape, spec.shape):
        return value
    said = tensor.spec.static_shape or ()
    shape = tuple(b if a is None or isinstance(b, int) else a for a, b in zip(said, spec.shape, strict=True))
    required = _required(tensor, shape, spec.shape)
    return requiring(value, required, operation, shape) if required else value


def requiring(value: Value, requirements: Sequence[Requirement], operation: Operation,
              shape: Shape | None = None) -> Value:
    """The value, which exists only if what is required of sizes holds; shape: as it is then."""
    if not requirements:
        return value
    node = make_node(Identity(), (value,), (operation.origin,))
    specs = node.specs if shape is None else (dataclasses.replace(node.specs[0], shape=shape),)
    return dataclasses.replace(node, specs=specs, requirements=(*node.requirements, *requirements)).value()


def _says_more(said: Shape | None, found: Shape | None) -> bool:
    """Whether a shape that the user gave says anything that the one which was found does not, or something else."""
    if said is None or found is None:
        return said is not None
    if len(said) != len(found):
        return True
    for a, b in zip(said, found, strict=True):
        if isinstance(a, int) and not isinstance(b, int):
            return True
    return False


def _required(tensor: Tensor, said: Shape, found: Shape) -> list[Requirement]:
    message = f"shape of '{tensor.name}' (set_shape)"
    return [Requirement("equal", b, a, message) for a, b in zip(said, found, strict=True)
            if isinstance(a, int) and isinstance(b, dims.Dim)]
