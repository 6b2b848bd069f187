"""Functions that pass values on and say or check something of them: identity_n, ensure_shape, check_numerics;
bitcast."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.identity import group, with_dependencies
from graphc.api.array.source import symbolic_shape
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.bitcast import Bitcast
from graphc.ops.array.passing import CheckNumerics, EnsureShape, GuaranteeConst, IdentityN


@public("guarantee_const")
def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """input, of which the user says that it never changes, as `tf.guarantee_const`."""
    result: Tensor = apply(GuaranteeConst, input, name=name)
    return result


@public("identity_n")
def identity_n(input: Sequence[Any], name: str | None = None) -> list[Tensor]:
    """The values under names of their own, as `tf.identity_n`."""
    tensors = [convert_to_tensor(x, name=f"input_{i}") for i, x in enumerate(input)]
    return list(apply(IdentityN, tensors, name=name, T=tuple(t.dtype for t in tensors)))


@public("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """x, whose shape must be `shape` (None: any size), as `tf.ensure_shape`; known to be so from here on.

    Raises ValueError while building, or InvalidArgumentError when run, if it is not.
    """
    result: Tensor = apply(EnsureShape, x, name=name, shape=symbolic_shape(shape, name or "EnsureShape"))
    return result


@public("bitcast")
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bits of input as numbers of dtype `type`: of larger ones each is the last axis of the result, of smaller ones
    the last axis of input makes one, as `tf.bitcast`."""
    result: Tensor = apply(Bitcast, input, name=name, to=as_dtype(type))
    return result


@public("debugging.check_numerics", "check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """tensor; NaN or infinity in it is an InvalidArgumentError with `message` when run, as `tf.check_numerics`."""
    result: Tensor = apply(CheckNumerics, tensor, name=name, message=message)
    return result


@public("debugging.assert_all_finite", "verify_tensor_all_finite")
def verify_tensor_all_finite(t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None,
                             message: str | None = None) -> Tensor:
    """t, checked to hold no NaN and no infinity, as `tf.verify_tensor_all_finite` (x, message: other names of t,
    msg)."""
    for first, second, names in ((t, x, "x and t"), (msg, message, "message and msg")):
        if (first is None) == (second is None):
            raise ValueError(f"verify_tensor_all_finite takes one of {names}")
    with get_default_graph().name_scope(name or "VerifyFinite"):
        value = convert_to_tensor(x if t is None else t, name="t")
        checked = check_numerics(value, str(message if msg is None else msg))
        return with_dependencies([checked], value)


@public("add_check_numerics_ops")
def add_check_numerics_ops() -> Operation:
    """An Operation that checks every floating point tensor of the graph, as `tf.add_check_numerics_ops`.

    Raises ValueError if the graph has loops or branches, whose bodies it cannot reach.
    """
    checks = []
    for operation in get_default_graph().get_operations():
        if operation.type in ("While", "StatelessWhile", "If", "StatelessIf"):
            raise ValueError(f"`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow "
                             f"operations such "
                             f"as `tf.cond()` or `tf.while_loop()`: '{operation.name}'")
        for output in operation.outputs:
            if output.dtype.is_floating and not operation.definition.refs and operation.type != "VariableV2":
                with get_default_graph().control_dependencies(checks[-1:]):
                    checks.append(check_numerics(output, f"{operation.name}:{output.name.rpartition(':')[2]}").op)
    return group(*checks)
