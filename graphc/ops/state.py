"""Variables' ops: TF 1's reference variables and what writes them.

A `ref` operand is a variable: the op's new value for it is what `expand` returns. Which reads see which writes is
decided when
the snapshot is taken (docs/adr/0006-variables-and-effects.md).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.ir.dtypes import DType, bool_
from graphc.ir.op import OPS, Composite, Effect, Op, Sample, attr, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.build import apply
from graphc.ops.elementwise import check_kind

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor

_UPDATES = [Sample({}, (shape, shape), gradient=False) for shape in ((), (17,), (2, 3, 5), (0, 3))]


@register
class VariableV2(Op):
    """A variable: its value lives in the session, under the op's name. Reading it before it is assigned is an error."""

    results = ("ref",)
    effect = Effect.READ
    shape: Shape | None = attr("shape")
    dtype: DType = attr("type")
    container: str = attr("string", "")
    shared_name: str = attr("string", "")

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape)


@register
class IsVariableInitialized(Op):
    """Whether the variable has been assigned in this session."""

    operands = ("ref",)
    results = ("is_initialized",)
    types = {"dtype": "ref"}
    effect = Effect.READ

    def infer(self, ref: Spec) -> Spec:
        return Spec(bool_, ())

    def grad(self, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None]


def _check_update(op: Op, ref: Spec, value: Spec) -> Spec:
    """The ref's spec. Raises TypeError or ValueError if `value` cannot be written to it."""
    if ref.dtype != value.dtype:
        raise TypeError(f"the variable has dtype {ref.dtype.name}, but the value {value.dtype.name}; "
                        "cast the value (gc.cast)")
    if ref.shape is None or value.shape is None:
        return ref
    if len(ref.shape) != len(value.shape):
        raise ValueError(f"the variable has shape {text(ref.shape)}, but the value {text(value.shape)}")
    for a, b in zip(ref.shape, value.shape, strict=True):
        try:
            require_equal(a, b, "shapes of a variable and its new value")
        except ValueError:
            raise ValueError(f"the variable has shape {text(ref.shape)}, but the value {text(value.shape)}") from None
    return ref


@register
class Assign(Composite):
    """ref = value."""

    operands = ("ref", "value")
    results = ("output_ref",)
    types = {"T": "ref"}
    refs = ("ref",)
    effect = Effect.WRITE
    validate_shape: bool = attr("bool", True)
    use_locking: bool = attr("bool", True)
    samples = _UPDATES

    def infer(self, ref: Spec, value: Spec) -> Spec:
        return _check_update(self, ref, value)

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (value,)


@register
class AssignAdd(Composite):
    """ref += value."""

    operands = ("ref", "value")
    results = ("output_ref",)
    types = {"T": "ref"}
    refs = ("ref",)
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)
    samples = _UPDATES

    def infer(self, ref: Spec, value: Spec) -> Spec:
        check_kind(self, (ref,), "number")
        return _check_update(self, ref, value)

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return ref + value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (emit(OPS["Add"](), ref, value),)


@register
class AssignSub(Composite):
    """ref -= value."""

    operands = ("ref", "value")
    results = ("output_ref",)
    types = {"T": "ref"}
    refs = ("ref",)
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)
    samples = _UPDATES

    def infer(self, ref: Spec, value: Spec) -> Spec:
        check_kind(self, (ref,), "number")
        return _check_update(self, ref, value)

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return ref - value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (emit(OPS["Sub"](), ref, value),)


def ref_of(variable: Any, op_type: str) -> Tensor:
    """The ref tensor of a Variable (or the tensor itself). Raises ValueError if there is no variable behind it."""
    tensor = variable._ref() if hasattr(variable, "_ref") else variable
    source = tensor
    while hasattr(source, "op") and source.op.definition.refs:   # the output of an Assign stands for its variable
        source = source.op.inputs[0]
    if not hasattr(source, "op") or source.op.type not in ("VariableV2", "Variable", "Placeholder"):
        raise ValueError(f"{op_type}: argument 'ref' must be a variable, but is {variable!r}; only variables "
                         "(gc.Variable, gc.get_variable) can be assigned")
    return tensor


def assign(ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None,
           name: str | None = None) -> Tensor:
    """Writes `value` to the variable; the result is the new value, as `tf.assign`."""
    fields = {"validate_shape": validate_shape is None or validate_shape,
              "use_locking": use_locking is None or use_locking}
    return apply(Assign, ref_of(ref, "Assign"), value, name=name, **fields)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
    """Adds `value` to the variable; the result is the new value, as `tf.assign_add`."""
    return apply(AssignAdd, ref_of(ref, "AssignAdd"), value, name=name, use_locking=bool(use_locking))


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
    """Subtracts `value` from the variable; the result is the new value, as `tf.assign_sub`."""
    return apply(AssignSub, ref_of(ref, "AssignSub"), value, name=name, use_locking=bool(use_locking))


def is_variable_initialized(ref: Any, name: str | None = None) -> Tensor:
    """A bool scalar: whether the variable has been assigned in the session, as `tf.is_variable_initialized`."""
    return apply(IsVariableInitialized, ref_of(ref, "IsVariableInitialized"), name=name)
