"""Lists of tensors of varying shapes: where loops and branches keep what their gradients need.

A list is a persistent stack behind a variant scalar: pushing makes a new list and leaves the old one as it was. Push
and pop are each other's gradients, so gradients of any order need no more than these four ops.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int32, variant
from graphc.ir.op import Op, attr, operand_field, register
from graphc.ir.spec import OPEN, Spec, elements_of, joined_elements

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor


HANDLE = Spec(variant, ())

ElementShape = tuple[dims.Size, ...] | dims.Size     # -1: a size that may differ; instead of the tuple: any rank


def element_spec(dtype: DType, said: ElementShape | None, handle: Spec) -> Spec:
    """The spec of an element: what the op says of it, and what is known of those that were pushed."""
    pushed = handle.elements[0] if handle.elements else None
    if not isinstance(said, tuple) and pushed is None:
        return Spec(dtype, None)
    rank = len(said) if isinstance(said, tuple) else len(pushed.shape)  # type: ignore[union-attr]
    declared = said if isinstance(said, tuple) else (-1,) * rank
    known = pushed.shape if pushed is not None else (None,) * rank
    sizes = [d if isinstance(d, int) and d >= 0 else k for d, k in zip(declared, known, strict=True)]
    shape = tuple(dims.symbol(f"element.{i}") if size is None or size == OPEN else size for i, size in enumerate(sizes))
    return Spec(dtype, shape, None if pushed is None else pushed.value, handle.elements[1:])


def check_handle(op: Op, handle: Spec) -> None:
    if handle.dtype != variant:
        raise TypeError(f"argument 'input_handle' must be a list (variant), but has dtype {handle.dtype.name}")


@register
class EmptyTensorList(Op):
    """The list without elements."""

    operands = ("element_shape", "max_num_elements")
    moves = True
    results = ("handle",)
    types = {"shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")
    max_num_elements: dims.Size = operand_field("int")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self) -> Spec:
        return HANDLE

    def reference(self) -> Any:
        return reference_list(())

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        # A handle that is never written is the empty list; the copy is there because results must be written.
        b.copy(b.temporary(variant, ()), outputs[0])


@register
class TensorListPushBack(Op):
    """The list with one more element on top."""

    operands = ("input_handle", "tensor")
    moves = True
    results = ("output_handle",)
    types = {"element_dtype": "tensor"}

    def infer(self, handle: Spec, tensor: Spec) -> Spec:
        check_handle(self, handle)
        return replace(HANDLE, elements=joined_elements(handle, replace(HANDLE, elements=elements_of(tensor))))

    def reference(self, handle: Any, tensor: Any) -> Any:
        return reference_list((*handle.item(), tensor))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        if dys[0] is None or not node.inputs[1].dtype.is_differentiable:
            return [None, None]
        return _pop_or_zeros(g, dys[0], node.inputs[1])

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        from graphc.plan import plan  # not needed to build a graph

        source, value = (b.contiguous(x) for x in inputs)
        b.step(plan.Push(source.buffer, value.buffer, outputs[0].buffer, origins=b.origins))


@register
class TensorListPopBack(Op):
    """The list without its top, and the top. Popping the empty list is an error."""

    checks_data = True
    operands = ("input_handle", "element_shape")
    moves = True
    results = ("output_handle", "tensor")
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return variant, self.element_dtype

    def infer(self, handle: Spec) -> tuple[Spec, Spec]:
        check_handle(self, handle)
        return handle, element_spec(self.element_dtype, self.element_shape, handle)

    def reference(self, handle: Any) -> Any:
        elements = handle.item()
        return reference_list(elements[:-1]), elements[-1]

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        d_list, d_top = dys
        top = node.outputs[1]
        if (d_list is None and d_top is None) or not top.dtype.is_differentiable:
            return [None, None]
        if d_list is None:
            d_list = g.list_like(top)
        if d_top is None:
            d_top = g.zeros_like(top)
        return [g.tensor_list_push_back(d_list, d_top), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        from graphc.plan import plan  # not needed to build a graph

        source, (rest, top) = b.contiguous(inputs[0]), outputs
        b.into_slots([top], lambda slots, binds: plan.Pop(source.buffer, rest.buffer, slots[0], binds,
                                                          origins=b.origins))


@register
class TensorListLength(Op):
    """The number of elements."""

    operands = ("input_handle",)
    moves = True
    results = ("length",)

    def infer(self, handle: Spec) -> Spec:
        check_handle(self, handle)
        return Spec(int32, ())

    def reference(self, handle: Any) -> Any:
        return np.int32(len(handle.item()))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        return [None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        from graphc.plan import plan  # not needed to build a graph

        b.step(plan.Length(b.contiguous(inputs[0]).buffer, outputs[0].buffer, origins=b.origins))


def reference_list(elements: tuple[Any, ...]) -> Any:
    """The reference's form of a list: an object scalar that holds a tuple."""
    made = np.empty((), object)
    made[()] = elements
    return made


def element_sizes(tensor: Tensor) -> tuple[int, ...] | int:
    """The element shape that a list declares for `tensor`: -1 where the size may vary, and for an unknown rank."""
    static = tensor.spec.static_shape
    return -1 if static is None else tuple(-1 if s is None else s for s in static)


def _pop_or_zeros(g: GradientBuilder, handle: Tensor, pushed: Tensor) -> list[Tensor]:
    """Pops the gradient of `pushed`. The gradient of a list that nothing depends on is the empty list, and one may lack
    the elements at the bottom: their gradients are zeros."""

    sizes = element_sizes(pushed)
    known: Any = g.shape(pushed) if pushed.dtype != variant and (sizes == -1 or -1 in sizes) else sizes

    def nothing() -> list[Tensor]:
        zeros = g.zeros_like(pushed) if pushed.dtype == variant else g.fill(known, g.constant(0, pushed.dtype))
        return [handle, zeros]

    def top() -> list[Tensor]:
        # Nothing may ever have been pushed that would tell an unknown rank.
        return list(g.tensor_list_pop_back(handle, known if sizes == -1 else sizes, element_dtype=pushed.dtype))

    return list(g.cond(g.greater(g.tensor_list_length(handle), 0), top, nothing))
