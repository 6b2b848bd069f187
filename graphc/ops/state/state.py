"""Variables' ops: TF 1's reference variables and what writes them.

A `ref` operand is a variable: the op's new value for it is what `expand` returns. Which reads see which writes is
decided when
the snapshot is taken (docs/adr/0006-variables-and-effects.md).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, bool_
from graphc.ir.elementwise import check_kind
from graphc.ir.op import OPS, Composite, Effect, Op, Sample, attr, register
from graphc.ir.spec import Shape, Spec, require_equal, text

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

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
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


class Update(Composite):
    """An op that writes a variable and gives its new value: what all of them share. No gradient goes through it,
    neither to the value nor to what the variable was, as in TensorFlow: moving averages in a loss are constants."""

    operands: ClassVar[tuple[str, ...]] = ("ref", "value")
    results = ("output_ref",)
    types: ClassVar = {"T": "ref"}
    refs = ("ref",)
    effect = Effect.WRITE
    samples: ClassVar[Sequence[Sample]] = _UPDATES

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None] * len(node.inputs)


@register
class Assign(Update):
    """ref = value."""

    moves = True
    validate_shape: bool = attr("bool", True)
    use_locking: bool = attr("bool", True)

    def infer(self, ref: Spec, value: Spec) -> Spec:
        if self.validate_shape:
            return _check_update(self, ref, value)
        if ref.shape is None or not all(isinstance(s, int) for s in ref.shape):
            return Spec(_check_update(self, Spec(ref.dtype, None), value).dtype, value.shape)
        try:
            return _check_update(self, ref, value)
        except ValueError as error:
            raise ValueError(f"{error}; make the variable, too, with validate_shape=False to let it change") from None

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (value,)


@register
class AssignAdd(Update):
    """ref += value."""

    use_locking: bool = attr("bool", False)

    def infer(self, ref: Spec, value: Spec) -> Spec:
        check_kind(self, (ref,), "numeric")
        return _check_update(self, ref, value)

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return ref + value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (emit(OPS.make("Add"), ref, value),)


@register
class AssignSub(Update):
    """ref -= value."""

    use_locking: bool = attr("bool", False)

    def infer(self, ref: Spec, value: Spec) -> Spec:
        check_kind(self, (ref,), "numeric")
        return _check_update(self, ref, value)

    def reference(self, ref: np.ndarray, value: np.ndarray) -> np.ndarray:
        return ref - value

    def expand(self, emit: Callable[..., Any], ref: Any, value: Any) -> Any:
        return (emit(OPS.make("Sub"), ref, value),)
