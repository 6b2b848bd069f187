"""The same value behind an order, a barrier for gradients, or nothing: identity, group, no_op, stop_gradient,
tuple, with_dependencies."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ir.nest import is_composite
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.identity import Identity, NoOp, StopGradient


@public("identity")
def identity(input: Any, name: str | None = None) -> Any:
    """The same value under a name of its own, as `tf.identity`; of a sparse tensor, its three parts."""
    if is_composite(input):
        with get_default_graph().name_scope(name or "identity"):
            return input._with_parts([identity(part) for part in input._fetch_parts()[0]])
    result: Tensor = apply(Identity, input, name=name)
    return result


@public("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same value, constant to `gradients`, as `tf.stop_gradient`."""
    result: Tensor = apply(StopGradient, input, name=name)
    return result


@public("no_op")
def no_op(name: str | None = None) -> Operation:
    """An Operation that does nothing, as `tf.no_op`."""
    result: Operation = apply(NoOp, name=name)
    return result


@public("group")
def group(*inputs: Any, name: str | None = None) -> Operation:
    """An Operation that runs all of `inputs` (operations, tensors, lists of them), as `tf.group`."""
    graph = get_default_graph()
    elements = [e for e in _flattened(inputs) if e is not None]
    with graph.control_dependencies(elements):
        return no_op(name=name or "group_deps")


@public("tuple")
def tuple_of(tensors: Sequence[Any], name: str | None = None, control_inputs: Sequence[Any] = ()) -> list[Any]:
    """The tensors, none of which is ready before all are, as `tf.tuple`."""
    graph = get_default_graph()
    with graph.name_scope(name or "tuple"):
        gate = group(*(t for t in tensors if t is not None), *(control_inputs or ()))
        return [None if t is None else with_dependencies([gate], t) for t in tensors]


@public("python.ops.control_flow_ops.with_dependencies")
def with_dependencies(dependencies: Sequence[Any], output_tensor: Any, name: str | None = None) -> Any:
    """The tensor or IndexedSlices, when all of `dependencies` have run, as TensorFlow's
    `control_flow_ops.with_dependencies`."""
    graph = get_default_graph()
    with graph.name_scope(name or "control_dependency") as scope, graph.control_dependencies(dependencies):
        if hasattr(output_tensor, "indices") and not is_composite(output_tensor):        # IndexedSlices
            return type(output_tensor)(identity(output_tensor.values, name=scope), output_tensor.indices,
                                       output_tensor.dense_shape)
        return identity(output_tensor, name=scope)


def _flattened(values: Any) -> list[Any]:
    if isinstance(values, (list, tuple)):
        return [e for v in values for e in _flattened(v)]
    if isinstance(values, dict):
        return [e for v in values.values() for e in _flattened(v)]
    if values is not None and not isinstance(values, Operation) and not is_tensor_like(values):
        raise TypeError(f"group takes operations and tensors, not {values!r} of type {type(values).__name__}")
    return [values]
