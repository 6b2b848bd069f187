"""The same value after an order, a barrier for gradients, or nothing: identity, group, no_op, stop_gradient,
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
    """The same value under a name of its own, and where it stands: under the control dependencies in force there.

    input: of any dtype; a SparseTensor or another composite is one again. As `tf.identity`.

    >>> x = gc.constant([1., 2.])
    >>> gc.identity(x * 2., name="logits").name
    'logits:0'
    >>> gc.get_default_graph().get_tensor_by_name("logits:0").eval()
    array([2., 4.], dtype=float32)
    """
    if is_composite(input):
        with get_default_graph().name_scope(name or "identity"):
            return input._with_parts([identity(part) for part in input._fetch_parts()[0]])
    result: Tensor = apply(Identity, input, name=name)
    return result


@public("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same value, a constant to `gc.gradients`: nothing flows back through it.

    input: of any dtype and shape. As `tf.stop_gradient`.

    >>> x = gc.constant(3.)
    >>> gc.gradients(x * gc.stop_gradient(x), x)[0].eval()       # not 2 x, but x
    np.float32(3.0)
    """
    result: Tensor = apply(StopGradient, input, name=name)
    return result


@public("no_op")
def no_op(name: str | None = None) -> Operation:
    """An Operation that does nothing: what control dependencies can be gathered on, or an empty branch. As `tf.no_op`.

    >>> v = gc.Variable(1.)
    >>> gc.global_variables_initializer().run()
    >>> with gc.control_dependencies([v.assign(5.)]):
    ...     step = gc.no_op()
    >>> step.run()
    >>> v.eval()
    np.float32(5.0)
    """
    result: Operation = apply(NoOp, name=name)
    return result


@public("group")
def group(*inputs: Any, name: str | None = None) -> Operation:
    """An Operation that runs all of `inputs`: operations, tensors, None, and lists and dicts of them.

    It gives nothing when fetched. Raises TypeError for anything else. As `tf.group`.

    >>> a, b = gc.Variable(1.), gc.Variable(2.)
    >>> gc.global_variables_initializer().run()
    >>> swap = gc.group(a.assign(b), b.assign(a))             # reads come before writes
    >>> swap.run()
    >>> gc.get_default_session().run([a, b])
    [np.float32(2.0), np.float32(1.0)]
    """
    graph = get_default_graph()
    elements = [e for e in _flattened(inputs) if e is not None]
    with graph.control_dependencies(elements):
        return no_op(name=name or "group_deps")


@public("tuple")
def tuple_of(tensors: Sequence[Any], name: str | None = None, control_inputs: Sequence[Any] = ()) -> list[Any]:
    """The tensors, none of which is ready before all of them, and all of control_inputs, are.

    tensors: tensors, IndexedSlices or None, which stays None. Raises ValueError if there is no tensor, TypeError for
    anything else among them. As `tf.tuple`.

    >>> a, b = gc.tuple([gc.constant(1.), gc.constant([2., 3.])])
    >>> b.eval()
    array([2., 3.], dtype=float32)
    """
    graph = get_default_graph()
    if all(t is None for t in tensors):
        raise ValueError("tuple: argument 'tensors' must hold at least one tensor")
    with graph.name_scope(name or "tuple"):
        gate = group(*(t for t in tensors if t is not None), *(control_inputs or ()))
        return [None if t is None else with_dependencies([gate], t) for t in tensors]


@public("python.ops.control_flow_ops.with_dependencies")
def with_dependencies(dependencies: Sequence[Any], output_tensor: Any, name: str | None = None) -> Any:
    """output_tensor (a tensor or IndexedSlices), when all of `dependencies` have run.

    Raises TypeError for a dependency that is neither operation nor tensor. As TensorFlow's
    `control_flow_ops.with_dependencies`; `gc.control_dependencies` does the same for all that is built in it.

    >>> counter = gc.Variable(0)
    >>> gc.global_variables_initializer().run()
    >>> counted = gc.python.ops.control_flow_ops.with_dependencies([counter.assign_add(1)], gc.constant([7.]))
    >>> counted.eval()
    array([7.], dtype=float32)
    >>> counter.eval()
    np.int32(1)
    """
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
