"""From a call of a public function to an Operation: values to Tensors, Tensors to fields, names and scopes.

`apply` is what every public op function calls. `convert_to_tensor` follows TensorFlow 1: a Python or NumPy
operand takes the dtype of the tensor beside it, two tensors never promote, and a Python 1.5 does not become an int.
"""
from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import built_at
from graphc.ir.dtypes import DType, as_dtype, int32
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.node import Origin
from graphc.ir.op import OPS, Elementwise, Op
from graphc.ir.tensor import Operation, Tensor, split_operands
from graphc.ir.tensor_shape import Dimension, TensorShape
from graphc.ir.user_frame import user_line
from graphc.ir.values import to_array

Conversion = Callable[[Any, DType | None, str | None], Any]
_conversions: list[tuple[int, type, Conversion]] = []       # in the order in which they are asked


def register_conversion(kind: type, function: Conversion, priority: int = 100) -> None:
    """Values of class `kind` become tensors by function(value, dtype, name): that of the least priority, of equal ones
    the first; if it gives NotImplemented, the next."""
    bisect.insort(_conversions, (priority, kind, function), key=lambda entry: entry[0])


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None,
                      dtype_hint: Any = None) -> Tensor:
    """`value` (a tensor, variable, number, array, string, or lists of them) as a Tensor.

    Python floats become float32, ints int32, arrays keep their dtype; dtype: what it must be. preferred_dtype
    (dtype_hint) is taken if the value converts to it. Lists that hold tensors are stacked. As `tf.convert_to_tensor`.
    Raises TypeError if the value does not convert to dtype, ValueError if a tensor has another one.

    >>> gc.convert_to_tensor([1, 2]).dtype, gc.convert_to_tensor(np.ones(2)).dtype
    (gc.int32, gc.float64)
    >>> gc.convert_to_tensor([gc.constant(1.), 2]).eval()
    array([1., 2.], dtype=float32)
    """
    wanted = None if dtype is None else as_dtype(dtype)
    preferred = preferred_dtype if preferred_dtype is not None else dtype_hint
    if isinstance(value, Tensor):
        return _checked(value, wanted)
    for _, kind, function in _conversions:
        if isinstance(value, kind):
            made = function(value, wanted, name)
            if made is not NotImplemented:
                return _checked(made, wanted)
    if wanted is None and preferred is not None:
        try:
            return convert_to_tensor(value, preferred, name)
        except (TypeError, ValueError):
            pass
    if isinstance(value, (list, tuple)) and holds_tensors(value):
        return _stacked(value, wanted, name)
    return const_of(to_array(value, wanted), name or "Const")


def _checked(tensor: Tensor, wanted: DType | None) -> Tensor:
    if wanted is not None and tensor.dtype != wanted:
        raise ValueError(f"Tensor conversion requested dtype {wanted.name} for Tensor with dtype {tensor.dtype.name}: "
                         f"{tensor!r}; cast it with gc.cast")
    return tensor


def holds_tensors(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(holds_tensors(v) for v in value)
    return is_tensor_like(value)


def is_tensor_like(value: Any) -> bool:
    """Whether `value` is a Tensor or of a class that converts to one (a Variable)."""
    return isinstance(value, (Tensor, *(kind for _, kind, _ in _conversions)))


def _stacked(value: Sequence[Any], wanted: DType | None, name: str | None) -> Tensor:
    """Lists that hold tensors are stacked; the numbers among them take the tensors' dtype."""
    dtype = wanted or first_dtype(value)
    with get_default_graph().name_scope(name or "packed") as scope:
        parts = [convert_to_tensor(v, dtype, str(i)) for i, v in enumerate(value)]
        result: Tensor = apply(OPS["Pack"], parts, name=scope, axis=0)
    return result


def first_dtype(value: Any) -> DType | None:
    if isinstance(value, (list, tuple)):
        return next((d for d in map(first_dtype, value) if d is not None), None)
    return as_dtype(value.dtype) if _has_dtype(value) else None


def _has_dtype(value: Any) -> bool:
    """Whether it converts to a tensor of its own dtype; of a user's class it may be any."""
    return is_tensor_like(value) and hasattr(value, "dtype")


def apply(op: type[Op], *values: Any, name: str | None = None, **fields: Any) -> Any:
    """Adds one op to the graph: a Tensor, a tuple of Tensors, or the Operation if it has no results.

    values are TF's inputs in TF's order, a list for a variadic operand; operands that are fields may instead be given
    in `fields` by name. Non-tensors take the dtype of the first tensor that must have the same one (`types`), and if
    there is none, of elementwise ops and those that say `same`, that of the first one.
    Constants made on the way are named "name/operand", as in TensorFlow.
    """
    graph = graph_of(values)
    with graph.as_default(), graph.name_scope(name or op.type.lstrip("_")) as scope:
        operands = _operand_values(op, values, fields)
        tensors = _convert_operands(op, operands, scope)
        resolved = {**fields, **resolve_fields(op, tensors)}
        flat = [t for value in tensors.values() for t in (value if isinstance(value, tuple) else (value,))]
        operation = graph.create(op(**resolved), flat, name=scope)
    return results_of(operation)


def results_of(operation: Operation) -> Any:
    if not operation.outputs:
        return operation
    return operation.outputs[0] if len(operation.outputs) == 1 and not _many(operation) else tuple(operation.outputs)


def _many(operation: Operation) -> bool:
    return any(name.endswith("*") for name in operation.definition.results)


def graph_of(values: Sequence[Any]) -> Graph:
    """The graph in which what is made of these values goes: the default one inside a body, else that of the first
    tensor or operation. Raises ValueError for one of a body, outside of it."""
    default = get_default_graph()
    if default.building_function:
        return default
    for value in values:
        for element in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(element, (Tensor, Operation)):
                return _checked_graph(element)
    return default


def _checked_graph(element: Tensor | Operation) -> Graph:
    graph = element.graph
    if isinstance(graph, FuncGraph):
        origin = element.op if isinstance(element, Tensor) else element
        raise ValueError(f"{element!r} was made inside the body '{graph.name}' of a loop or branch and cannot be used "
                         "outside of it: return it from the body, and use what the loop or branch gives"
                         f"{built_at(origin)}")
    return graph


def _operand_values(op: type[Op], values: Sequence[Any], fields: dict[str, Any]) -> dict[str, Any]:
    names = iter(values)
    found: dict[str, Any] = {}
    for operand in op.operands:
        if operand in fields and operand in op.field_operands():
            found[operand] = fields.pop(operand)
            continue
        try:
            found[operand] = next(names)
        except StopIteration:
            raise TypeError(f"{op.type}: argument '{operand.rstrip('*')}' is missing") from None
    if next(names, op) is not op:
        raise TypeError(f"{op.type} takes {len(op.operands)} arguments ({', '.join(op.operands)})")
    return found


def _convert_operands(op: type[Op], operands: dict[str, Any], scope: str) -> dict[str, Any]:
    groups = _dtype_groups(op)
    fields = op.field_operands()
    dtypes = {operand: first_dtype(_listed(value)) for operand, value in operands.items()}
    result: dict[str, Any] = {}
    for operand, value in operands.items():
        label = operand.rstrip("*")
        named = op.constant_names.get(label, label)
        shared = next((dtypes[o] for o in groups.get(operand, ()) if dtypes.get(o) is not None), None)
        if shared is None and (op.same is not None or issubclass(op, Elementwise)):
            shared = next((result[o].dtype for o in groups.get(operand, ()) if o in result), None)
        try:
            if operand in fields:
                known = op.__dataclass_fields__[operand].metadata["dtype"]
                dtype = result[known].dtype if known in result else as_dtype(known)
                result[operand] = index_tensor(_rows(op, operand, value), named, dtype)
            elif operand.endswith("*"):
                dtype = first_dtype(_listed(value)) if operand in groups else None
                result[operand] = tuple(convert_to_tensor(v, None if _has_dtype(v) else dtype, f"{label}_{i}")
                                        for i, v in enumerate(value))
            else:
                result[operand] = convert_to_tensor(value, None if _has_dtype(value) else shared, label)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            origin = Origin(scope, op.type, *user_line())
            raise kind(f"{op.type} '{scope.rstrip('/')}', argument '{label}': {error}{built_at(origin)}") from None
    return result


def _listed(value: Any) -> Any:
    return value if not isinstance(value, np.ndarray) else None


def _dtype_groups(op: type[Op]) -> dict[str, tuple[str, ...]]:
    """For each operand, the operands of the same dtype. `same` on the op class says which; by default all operands
    that are no fields and hold no dtype of their own in `types` are of one dtype."""
    if op.same is not None:
        return dict.fromkeys(op.same, op.same)
    fields = op.field_operands()
    own = set(op.types.values())
    first = next((o for o in op.operands if o not in fields), None)
    group = tuple(o for o in op.operands if o not in fields and (o == first or o not in own))
    return dict.fromkeys(group, group)


def _rows(op: type[Op], operand: str, value: Any) -> Any:
    """No pairs at all are a matrix without rows, as TF wants it."""
    kind = op.__dataclass_fields__[operand].metadata["kind"]
    if kind == "pairs" and isinstance(value, (list, tuple)) and not value:
        return np.zeros((0, 2), np.int32)
    return value


def index_tensor(value: Any, name: str, dtype: DType = int32) -> Tensor:
    """An operand that is a field (an axis, a shape): of dtype, unless it is a tensor or an array of another integer
    dtype. Raises TypeError for what is no integer."""
    if isinstance(value, Operation):
        raise TypeError(f"{value!r} has no value")
    if is_tensor_like(value) or (isinstance(value, (list, tuple)) and holds_tensors(value)):
        made = convert_to_tensor(value, name=name)
        if not made.dtype.base_dtype.is_integer:
            raise TypeError(f"integers are needed, not {made!r}")
        return made
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"a partially known shape cannot be used here: {value}; use gc.shape(x) for what is known "
                             "only at run time")
        value = value.as_list()
    array = np.asarray(_plain(value))
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"integers are needed, not {value!r}")
    keep = isinstance(value, np.ndarray) or np.any(np.abs(array.astype(object)) > 2**31 - 1)
    return convert_to_tensor(array if keep else array.astype(dtype.numpy), name=name)


def _plain(value: Any) -> Any:
    if isinstance(value, Dimension):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def resolve_fields(op: type[Op], tensors: dict[str, Any]) -> dict[str, Any]:
    """The fields that TF passes as input tensors, made of what is known of those tensors' values.

    A value known only at run time gives symbols with the source ("value", tensor, position); one of unknown length
    gives None.
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(op):
        if field.metadata.get("operand"):
            tensor = tensors[field.name]
            found[field.name] = field_value(field.metadata["kind"], tensor.value_sizes(), tensor.spec.shape)
    return found


def field_value(kind: str, sizes: Any, shape: Any) -> Any:
    """The elements of an integer tensor in the form that a field of this kind has. None if they are not known."""
    if sizes is None:
        return None
    if kind == "int" or (kind == "shape" and shape == ()):
        return sizes[0]
    if kind == "pairs":
        return tuple((sizes[i], sizes[i + 1]) for i in range(0, len(sizes), 2))
    return tuple(sizes)


__all__ = ["apply", "convert_to_tensor", "register_conversion", "resolve_fields", "split_operands"]


def const_of(array: np.ndarray, name: str = "Const") -> Tensor:
    """A Const operation of a copy of `array` in the default graph."""
    own = np.array(array, order="C", copy=True)
    own.setflags(write=False)
    return get_default_graph().create(OPS.make("Const", value=own, dtype=as_dtype(own.dtype)), [], name=name).outputs[0]
