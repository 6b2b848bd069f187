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
    """input, of which the user says that it never changes. Here it is `gc.identity`. As `tf.guarantee_const`.

    >>> gc.guarantee_const([1., 2.]).eval()
    array([1., 2.], dtype=float32)
    """
    result: Tensor = apply(GuaranteeConst, input, name=name)
    return result


@public("identity_n")
def identity_n(input: Sequence[Any], name: str | None = None) -> list[Tensor]:
    """A list of the same values under names of their own, of one op: a gradient override can see all of them.

    input: a list of tensors of any dtypes. Raises ValueError for an empty list. As `tf.identity_n`.

    >>> [x.eval() for x in gc.identity_n([gc.constant(1.), gc.constant([2, 3])])]
    [np.float32(1.0), array([2, 3], dtype=int32)]
    """
    if not input:
        raise ValueError("identity_n: argument 'input' must hold at least one tensor")
    tensors = [convert_to_tensor(x, name=f"input_{i}") for i, x in enumerate(input)]
    return list(apply(IdentityN, tensors, name=name, T=tuple(t.dtype for t in tensors)))


@public("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """x, whose shape must be `shape` (None: any size): checked when run, and known from here on.

    x: of any dtype. Raises ValueError while the graph is built if the shapes are known to differ, InvalidArgumentError
    when run. `set_shape` of a tensor says the same. As `tf.ensure_shape`.

    >>> x = gc.placeholder(gc.float32)
    >>> gc.ensure_shape(x, [None, 3]).shape
    TensorShape([Dimension(None), Dimension(3)])
    >>> gc.ensure_shape(x, [None, 3]).eval({x: np.ones((2, 4))})
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: ...
    """
    result: Tensor = apply(EnsureShape, x, name=name, shape=symbolic_shape(shape, name or "EnsureShape"))
    return result


@public("bitcast")
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bits of input as numbers of dtype `type`.

    input: numbers, of any shape. If type is smaller by a factor n, the result has a last axis of size n more; if it is
    larger, the last axis of input must have size n, and is gone. The order of bytes is that of the machine: the lowest
    first. Raises TypeError for strings and booleans, ValueError for a last axis of another size (InvalidArgumentError
    when run). As `tf.bitcast`.

    >>> gc.bitcast(gc.constant([1., -2.]), gc.int32).eval()
    array([ 1065353216, -1073741824], dtype=int32)
    >>> gc.bitcast(gc.constant([258], gc.int32), gc.uint8).eval()
    array([[2, 1, 0, 0]], dtype=uint8)
    """
    result: Tensor = apply(Bitcast, input, name=name, to=as_dtype(type))
    return result


@public("debugging.check_numerics", "check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """tensor; NaN or infinity in it ends the run with InvalidArgumentError and `message`.

    tensor: floating point, of any shape; TypeError for other dtypes. As `tf.check_numerics`.

    >>> x = gc.placeholder(gc.float32, [None])
    >>> checked = gc.check_numerics(gc.log(x), "log of the scores")
    >>> checked.eval({x: [1., np.e]})
    array([0., 1.], dtype=float32)
    >>> checked.eval({x: [0.]})
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: ...log of the scores...
    """
    result: Tensor = apply(CheckNumerics, tensor, name=name, message=message)
    return result


@public("debugging.assert_all_finite", "verify_tensor_all_finite")
def verify_tensor_all_finite(t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None,
                             message: str | None = None) -> Tensor:
    """t, checked to hold no NaN and no infinity: `gc.check_numerics` with the message msg.

    x, message: other names of t and msg; ValueError unless exactly one of each is given, TypeError unless it is
    floating point. As `tf.verify_tensor_all_finite`.

    >>> gc.verify_tensor_all_finite([1., 2.], "weights").eval()
    array([1., 2.], dtype=float32)
    """
    for first, second, names in ((t, x, "x and t"), (msg, message, "message and msg")):
        if (first is None) == (second is None):
            raise ValueError(f"verify_tensor_all_finite takes one of {names}")
    with get_default_graph().name_scope(name or "VerifyFinite"):
        value = convert_to_tensor(x if t is None else t, name="t")
        checked = check_numerics(value, str(message if msg is None else msg))
        return with_dependencies([checked], value)


@public("add_check_numerics_ops")
def add_check_numerics_ops() -> Operation:
    """An Operation that checks every floating point tensor of the default graph for NaN and infinity.

    Run it beside a training step that fails: the message names the first tensor. Raises ValueError if the graph has
    loops or branches, whose bodies it cannot reach. As `tf.add_check_numerics_ops`.

    >>> x = gc.placeholder(gc.float32)
    >>> y = gc.log(x, name="entropy")
    >>> check = gc.add_check_numerics_ops()
    >>> gc.get_default_session().run(check, {x: 0.})
    Traceback (most recent call last):
        ...
    graphc.errors.InvalidArgumentError: ...entropy...
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
