"""Ops that pass a value on: Identity, StopGradient; and NoOp, which has none."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import bool_, float64, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Alias, Op, Permuted, Sample, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.build import apply, is_tensor_like

_SAMPLES = [Sample({}, ((2, 3, 5),)), Sample({}, ((),), (float64,)), Sample({}, ((0, 3),)),
            Sample({}, ((17,),), (int64,)), Sample({}, (np.array([True, False]),), (bool_,))]


@register
class Identity(Alias):
    """y = input"""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = _SAMPLES

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def grad(self, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,))


@register
class StopGradient(Identity):
    """y = input, whose gradient is cut off"""

    samples: ClassVar = [Sample(s.attributes, s.inputs, s.dtypes, gradient=False) for s in _SAMPLES]

    def grad(self, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


@register
class PreventGradient(Identity):
    """y = input, whose gradient is refused"""

    samples: ClassVar = [Sample(s.attributes, s.inputs, s.dtypes, gradient=False) for s in _SAMPLES]

    def grad(self, node: Operation, dy: Any) -> Sequence[Any]:
        raise LookupError(f"the gradient of {node.name!r} was explicitly forbidden")


@register
class NoOp(Op):
    """Nothing; other ops wait for its control inputs."""

    results = ()
    samples: ClassVar = [Sample()]

    def infer(self) -> tuple[Spec, ...]:
        return ()

    def reference(self) -> tuple[()]:
        return ()

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        pass


def identity(input: Any, name: str | None = None) -> Tensor:
    """The same value under a name of its own, as `tf.identity`."""
    result: Tensor = apply(Identity, input, name=name)
    return result


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same value, constant to `gradients`, as `tf.stop_gradient`."""
    result: Tensor = apply(StopGradient, input, name=name)
    return result


def no_op(name: str | None = None) -> Operation:
    """An Operation that does nothing, as `tf.no_op`."""
    result: Operation = apply(NoOp, name=name)
    return result


def group(*inputs: Any, name: str | None = None) -> Operation:
    """An Operation that runs all of `inputs` (operations, tensors, lists of them), as `tf.group`."""
    graph = get_default_graph()
    elements = [e for e in _flattened(inputs) if e is not None]
    with graph.control_dependencies(elements):
        return no_op(name=name or "group_deps")


def tuple_of(tensors: Sequence[Any], name: str | None = None, control_inputs: Sequence[Any] = ()) -> list[Any]:
    """The tensors, none of which is ready before all are, as `tf.tuple`."""
    graph = get_default_graph()
    with graph.name_scope(name or "tuple"):
        gate = group(*(t for t in tensors if t is not None), *(control_inputs or ()))
        with graph.control_dependencies([gate]):
            return [None if t is None else identity(t, name="control_dependency") for t in tensors]


def _flattened(values: Any) -> list[Any]:
    if isinstance(values, (list, tuple)):
        return [e for v in values for e in _flattened(v)]
    if isinstance(values, dict):
        return [e for v in values.values() for e in _flattened(v)]
    if values is not None and not isinstance(values, Operation) and not is_tensor_like(values):
        raise TypeError(f"group takes operations and tensors, not {values!r} of type {type(values).__name__}")
    return [values]


