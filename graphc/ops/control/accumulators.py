"""Conditional accumulators: they add up gradients, drop those that are stale, and give the mean.

An accumulator belongs to the session (session/resources/accumulators.py; ops/control/session_objects.py says how).
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_, float16, float32, float64, int32, int64
from graphc.ir.op import attr, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.graph import Operation

REDUCTIONS = ("MEAN", "SUM")
DTYPES = (float16, float32, float64)           # those of TensorFlow's kernels


class AccumulatorOp(SessionObject):
    """Makes an accumulator."""

    kind = "conditional accumulator"
    dtype: DType
    shape: Shape | None
    reduction_type: str

    def infer(self, *inputs: Spec) -> Spec:
        if self.dtype not in DTYPES:
            raise ValueError(f"argument 'dtype' of {self.type} must be one of {', '.join(d.name for d in DTYPES)}, but "
                             f"is {self.dtype.name}")
        if self.reduction_type not in REDUCTIONS:
            raise ValueError(f"argument 'reduction_type' of {self.type} must be one of {', '.join(REDUCTIONS)}, but is "
                             f"'{self.reduction_type}'")
        return super().infer(*inputs)


@register
class ConditionalAccumulator(AccumulatorOp):
    """Adds up tensors."""

    dtype: DType = attr("type")
    shape: Shape | None = attr("shape", None)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    reduction_type: str = attr("string", "MEAN")


@register
class ResourceConditionalAccumulator(ConditionalAccumulator):
    """ConditionalAccumulator."""


@register
class SparseConditionalAccumulator(AccumulatorOp):
    """Adds up the rows of IndexedSlices."""

    dtype: DType = attr("type")
    shape: Shape | None = attr("shape", None)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    reduction_type: str = attr("string", "MEAN")


class _Use(ObjectUse):
    operands: ClassVar[tuple[str, ...]] = ("handle",)
    uses = AccumulatorOp


class _Silent(_Use):
    """Has no result."""

    results = ()

    def infer(self, handle: Spec, *inputs: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()


@register
class AccumulatorApplyGradient(_Silent):
    """Adds a gradient, unless its local_step is before the accumulator's step."""

    operands = ("handle", "local_step", "gradient")
    uses = ConditionalAccumulator
    call = "apply_gradient"
    dtype: DType = attr("type")


@register
class ResourceAccumulatorApplyGradient(AccumulatorApplyGradient):
    """AccumulatorApplyGradient."""


@register
class SparseAccumulatorApplyGradient(_Silent):
    """Adds the rows of a gradient, unless its local_step is before the accumulator's step."""

    operands = ("handle", "local_step", "gradient_indices", "gradient_values", "gradient_shape")
    uses = SparseConditionalAccumulator
    call = "apply_gradient"
    dtype: DType = attr("type")
    has_known_shape: bool = attr("bool")

    def call_options(self) -> tuple[Any, ...]:
        return (self.has_known_shape,)


@register
class AccumulatorTakeGradient(_Use):
    """Waits for num_required gradients and gives their mean; the next step begins."""

    operands = ("handle", "num_required")
    results = ("average",)
    uses = ConditionalAccumulator
    call = "take_gradient"
    dtype: DType = attr("type")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return (Spec(self.dtype, None),)

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        return (Spec(self.dtype, _sizes(maker, "gradient")),)


@register
class ResourceAccumulatorTakeGradient(AccumulatorTakeGradient):
    """AccumulatorTakeGradient."""


@register
class SparseAccumulatorTakeGradient(_Use):
    """Waits for num_required gradients and gives the means of their rows; the next step begins."""

    operands = ("handle", "num_required")
    results = ("indices", "values", "shape")
    uses = SparseConditionalAccumulator
    call = "take_gradient"
    dtype: DType = attr("type")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return Spec(int64, (dims.symbol("rows"),)), Spec(self.dtype, None), Spec(int64, (dims.symbol("rank"),))

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        row = _sizes(maker, "gradient_values")[1:]
        count = dims.symbol("rows")
        return Spec(int64, (count,)), Spec(self.dtype, (count, *row)), Spec(int64, (1 + len(row),))


@register
class AccumulatorNumAccumulated(_Use):
    """The number of gradients in it."""

    results = ("num_accumulated",)
    call = "num_accumulated"

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(int32, ()),)


@register
class ResourceAccumulatorNumAccumulated(AccumulatorNumAccumulated):
    """AccumulatorNumAccumulated."""


@register
class AccumulatorSetGlobalStep(_Silent):
    """Sets the accumulator's step: gradients of steps before it are stale."""

    operands = ("handle", "new_global_step")
    call = "set_global_step"


@register
class ResourceAccumulatorSetGlobalStep(AccumulatorSetGlobalStep):
    """AccumulatorSetGlobalStep."""


@register
class _AccumulatorClaim(_Use):
    """Whether the caller is to take the gradients: num_required are there, and nobody has been told so before."""

    operands = ("handle", "num_required")
    results = ("claimed",)
    call = "claim"

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return (Spec(bool_, ()),)


def declared(definition: AccumulatorOp) -> tuple[int | None, ...] | None:
    """The shape that an accumulator says, None for what is not known. One of rank 0 that takes rows says nothing, as
    TensorFlow reads it."""
    if definition.shape is None or (not definition.shape and isinstance(definition, SparseConditionalAccumulator)):
        return None
    return tuple(s if isinstance(s, int) and s >= 0 else None for s in definition.shape)


def _applied(maker: Operation, operand: str) -> Sequence[int | None] | None:
    """The shape that all gradients put in agree upon."""
    shapes = set(_shapes_put_in(maker, operand))
    if None in shapes or len({len(s) for s in shapes if s is not None}) != 1:
        return None
    return tuple(sizes[0] if len(set(sizes)) == 1 else None
                 for sizes in zip(*(s for s in shapes if s is not None), strict=True))


def _shapes_put_in(maker: Operation, operand: str) -> Iterator[tuple[int | None, ...] | None]:
    for op in maker.outputs[0].consumers():
        if operand in op.definition.operands:
            shape = op.inputs[op.definition.operands.index(operand)].spec.static_shape
            yield None if shape is None else tuple(shape)


def _sizes(maker: Operation, operand: str) -> tuple[dims.Size, ...]:
    """The gradients' shape: as declared, else that of what is put in as `operand`."""
    shape: Sequence[int | None] | None = declared(maker.definition)  # type: ignore[arg-type]
    if shape is None:
        shape = _applied(maker, operand)
    if shape is None:
        raise UnimplementedError(f"{maker.type} '{maker.name}': the rank of the gradients is not known: give it "
                                 f"`shape`{built_at(maker)}", maker)
    return tuple(dims.symbol(f"{maker.name}.{i}") if s is None else s for i, s in enumerate(shape))
