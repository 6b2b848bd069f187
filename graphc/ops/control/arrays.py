"""Lists that are read and written anywhere, as TensorArray needs them: one element at a time."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int32, variant
from graphc.ir.op import attr, operand_field, register
from graphc.ir.spec import OPEN, Elements, Spec
from graphc.ir.values import zeros
from graphc.kernels.layout import ListOperation
from graphc.ops.control.lists import HANDLE, ElementShape, check_handle, element_spec, reference_list

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor
from graphc.ops.control.list_op import (
    Gradients,
    ListOp,
    check_index,
    check_integers,
    list_step,
    shape_of,
    sizes_tensor,
    unwritten_shape,
    written,
)


@register
class TensorListReserve(ListOp):
    """The list of `num_elements` elements that were never written."""

    operands = ("element_shape", "num_elements")
    results = ("handle",)
    types = {"shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, count: Spec) -> Spec:  # type: ignore[override]
        check_integers("num_elements", count, int32, 0)
        if not isinstance(self.element_shape, tuple):
            return HANDLE
        sizes = tuple(s if isinstance(s, int) and s >= 0 else OPEN for s in self.element_shape)
        return replace(HANDLE, elements=(Elements(sizes),))

    def reference(self, count: Any) -> Any:  # type: ignore[override]
        return reference_list((None,) * int(count))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.RESERVE, inputs, outputs[0])


@register
class TensorListResize(ListOp):
    """The list with `size` elements: the first ones, or new ones that were never written."""

    operands = ("input_handle", "size")
    results = ("output_handle",)

    def infer(self, handle: Spec, size: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        check_integers("size", size, int32, 0)
        return handle

    def reference(self, handle: Any, size: Any) -> Any:  # type: ignore[override]
        found = handle.item()[:int(size)]
        return reference_list((*found, *(None,) * (int(size) - len(found))))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else g.tensor_list_resize(dys[0], node.inputs[1]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.RESIZE, inputs, outputs[0])


@register
class TensorListSetItem(ListOp):
    """The list with another element at `index`."""

    operands = ("input_handle", "index", "item")
    results = ("output_handle",)
    types = {"element_dtype": "item"}
    resize_if_index_out_of_bounds: bool = attr("bool", False)

    def infer(self, handle: Spec, index: Spec, item: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        check_integers("index", index, int32, 0)
        return written(handle, item)

    def reference(self, handle: Any, index: Any, item: Any) -> Any:  # type: ignore[override]
        found, index = list(handle.item()), int(index)
        check_index(index, len(found), self.resize_if_index_out_of_bounds)
        found += [None] * (index + 1 - len(found))
        found[index] = item
        return reference_list(tuple(found))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        _, index, item = node.inputs
        d_item = None
        if item.dtype.is_differentiable:
            d_item = g.tensor_list_get_item(dys[0], index, shape_of(g, item), element_dtype=item.dtype, or_zeros=True)
        return [g.tensor_list_erase(dys[0], index), None, d_item]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        growing = self.resize_if_index_out_of_bounds
        list_step(b, ListOperation.SET_GROWING if growing else ListOperation.SET, inputs, outputs[0])


@register
class TensorListGetItem(ListOp):
    """The element at `index`; zeros if it was never written and its shape is known."""

    operands = ("input_handle", "index", "element_shape")
    results = ("item",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    or_zeros: bool = attr("bool", False, name="_or_zeros")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec, index: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        check_integers("index", index, int32, 0)
        return element_spec(self.element_dtype, self.element_shape, handle)

    def reference(self, handle: Any, index: Any) -> Any:  # type: ignore[override]
        elements, index = handle.item(), int(index)
        check_index(index, len(elements), self.or_zeros)
        found = elements[index] if index < len(elements) else None
        if found is None:
            return _zeros(self.element_dtype, unwritten_shape(self.element_shape, elements, index))
        return found

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        nothing = g.list_like(node.outputs[0])
        return [g.tensor_list_set_item(nothing, node.inputs[1], dys[0], resize_if_index_out_of_bounds=True), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        operation = ListOperation.GET_OR_ZEROS if self.or_zeros else ListOperation.GET
        list_step(b, operation, [*inputs, sizes_tensor(b, self.element_shape, len(outputs[0].shape))], outputs[0])


def _zeros(dtype: DType, shape: Sequence[int]) -> Any:
    return reference_list(()) if dtype == variant else zeros(shape, dtype.numpy)
