"""Lists of any order to tensors and back: stacked, taken apart, gathered, scattered."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int32, variant
from graphc.ir.op import attr, operand_field, register
from graphc.ir.spec import Spec, elements_of, require_equal
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
    row_spec,
    shape_of,
    sizes_tensor,
    unwritten_shape,
    written,
)


def _rows_spec(count: dims.Size, row: Spec) -> Spec:
    return Spec(row.dtype, None if row.shape is None else (count, *row.shape))


@register
class TensorListStack(ListOp):
    """All elements, one below the other."""

    operands = ("input_handle", "element_shape")
    results = ("tensor",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    num_elements: int = attr("int", -1)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        count = self.num_elements if self.num_elements >= 0 else dims.symbol("length")
        return _rows_spec(count, element_spec(self.element_dtype, self.element_shape, handle))

    def reference(self, handle: Any) -> Any:  # type: ignore[override]
        return _stacked(handle.item(), self.element_shape, self.element_dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else _unstacked(g, dys[0]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        sizes = sizes_tensor(b, self.element_shape, len(outputs[0].shape) - 1)
        count = b.constant(np.int32(-1))
        list_step(b, ListOperation.STACK, [inputs[0], count, sizes], outputs[0])


def _unstacked(g: GradientBuilder, values: Tensor) -> Tensor:
    static = values.spec.static_shape
    sizes: Any = -1 if static is None else tuple(-1 if s is None else s for s in static[1:])
    made: Tensor = g.tensor_list_from_tensor(values, sizes)
    return made


def _stacked(elements: Sequence[Any], said: ElementShape, dtype: DType) -> Any:
    shape = unwritten_shape(said, elements, 0)
    found = [zeros(shape, dtype.numpy) if e is None else e for e in elements]
    if any(e.shape != shape for e in found):
        raise InvalidArgumentError("TensorArray has inconsistent shapes")
    return np.stack(found) if found else zeros((0, *shape), dtype.numpy)


@register
class _TensorListRows(ListOp):
    """The elements of a list of gradients as rows of a tensor of this shape; zeros where there are none."""

    operands = ("input_handle", "shape")
    results = ("tensor",)
    shape: tuple[dims.Size, ...] = operand_field("shape")
    dtype: DType = attr("type")

    def infer(self, handle: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        return Spec(self.dtype, self.shape)

    def reference(self, handle: Any) -> Any:  # type: ignore[override]
        elements = (*handle.item(), *(None,) * int(self.shape[0]))[:int(self.shape[0])]  # type: ignore[call-overload]
        return _stacked(elements, self.shape[1:], self.dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else _unstacked(g, dys[0]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        count = b.temporary(int32, ())
        b.store_sizes([self.shape[0]], count)
        list_step(b, ListOperation.STACK_OR_ZEROS, [inputs[0], count, sizes_tensor(b, self.shape[1:], 0)], outputs[0])


@register
class TensorListFromTensor(ListOp):
    """The list of the rows of a tensor."""

    operands = ("tensor", "element_shape")
    results = ("output_handle",)
    types = {"element_dtype": "tensor", "shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, tensor: Spec) -> Spec:  # type: ignore[override]
        return replace(HANDLE, elements=elements_of(row_spec(tensor)))

    def reference(self, tensor: Any) -> Any:  # type: ignore[override]
        return reference_list(tuple(np.asarray(row) for row in tensor))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        values = node.inputs[0]
        if dys[0] is None or not values.dtype.is_differentiable:
            return [None, None]
        return [g.tensor_list_rows(dys[0], shape_of(g, values), dtype=values.dtype), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.UNSTACK, inputs, outputs[0])


@register
class TensorListGather(ListOp):
    """The elements at `indices`, one below the other."""

    operands = ("input_handle", "indices", "element_shape")
    results = ("values",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    or_zeros: bool = attr("bool", False, name="_or_zeros")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec, indices: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        check_integers("indices", indices, int32, 1)
        if indices.shape is None:
            return Spec(self.element_dtype, None)
        return _rows_spec(indices.shape[0], element_spec(self.element_dtype, self.element_shape, handle))

    def reference(self, handle: Any, indices: Any) -> Any:  # type: ignore[override]
        elements = handle.item()
        for index in indices:
            check_index(int(index), len(elements), self.or_zeros)
        found = [elements[i] if i < len(elements) else None for i in indices]
        if any(e is None for e in found) or not found:
            shape = unwritten_shape(self.element_shape, elements, 0)
            return _stacked(found, shape, self.element_dtype)
        return _stacked(found, self.element_shape, self.element_dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        nothing = g.empty_tensor_list(-1, -1, element_dtype=dys[0].dtype)
        return [g.tensor_list_scatter_sum(nothing, node.inputs[1], dys[0]), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        operation = ListOperation.GATHER_OR_ZEROS if self.or_zeros else ListOperation.GATHER
        list_step(b, operation, [*inputs, sizes_tensor(b, self.element_shape, len(outputs[0].shape) - 1)], outputs[0])


class _Scatter(ListOp):
    """What the ops share that write rows of `tensor` at `indices`."""

    results = ("output_handle",)

    def _infer(self, handle: Spec, indices: Spec, tensor: Spec) -> Spec:
        check_handle(self, handle)
        check_integers("indices", indices, int32, 1)
        row = row_spec(tensor)
        if tensor.shape is not None and indices.shape is not None:
            require_equal(tensor.shape[0], indices.shape[0],
                          f"rows of 'tensor' and elements of 'indices' of {self.type}")
        return written(handle, row)

    def _reference(self, handle: Any, indices: Any, tensor: Any, growing: bool, adding: bool) -> Any:
        found = list(handle.item())
        for index, row in zip(indices, tensor, strict=True):
            check_index(int(index), len(found), growing)
            found += [None] * (int(index) + 1 - len(found))
            found[index] = row if found[index] is None or not adding else found[index] + row
        return reference_list(tuple(np.asarray(e) if e is not None else None for e in found))

    def _gradients(self, g: GradientBuilder, dy: Tensor | None, indices: Tensor, tensor: Tensor,
                   replaces: bool) -> tuple[Tensor | None, Tensor | None]:
        if dy is None:
            return None, None
        d_list = g.tensor_list_erase(dy, indices) if replaces else dy
        if not tensor.dtype.is_differentiable:
            return d_list, None
        static = tensor.spec.static_shape
        known = static is not None and None not in static[1:]
        sizes: Any = static[1:] if known else g.strided_slice(  # type: ignore[index]
            g.shape(tensor), [1], [0], [1], end_mask=1)
        return d_list, g.tensor_list_gather(dy, indices, sizes, element_dtype=tensor.dtype, or_zeros=True)


@register
class TensorListScatterIntoExistingList(_Scatter):
    """The list with the rows of `tensor` at `indices`."""

    operands = ("input_handle", "tensor", "indices")
    types = {"element_dtype": "tensor"}
    growing: bool = attr("bool", False, name="_growing")

    def infer(self, handle: Spec, tensor: Spec, indices: Spec) -> Spec:  # type: ignore[override]
        return self._infer(handle, indices, tensor)

    def reference(self, handle: Any, tensor: Any, indices: Any) -> Any:  # type: ignore[override]
        return self._reference(handle, indices, tensor, self.growing, False)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        _, tensor, indices = node.inputs
        d_list, d_tensor = self._gradients(g, dys[0], indices, tensor, True)
        return [d_list, d_tensor, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        handle, tensor, indices = inputs
        operation = ListOperation.SCATTER_GROWING if self.growing else ListOperation.SCATTER
        list_step(b, operation, [handle, indices, tensor], outputs[0])


@register
class _TensorListScatterSum(_Scatter):
    """The list with the rows of `tensor` added to what stands at `indices`, after its end, too."""

    operands = ("input_handle", "indices", "tensor")

    def infer(self, handle: Spec, indices: Spec, tensor: Spec) -> Spec:  # type: ignore[override]
        return self._infer(handle, indices, tensor)

    def reference(self, handle: Any, indices: Any, tensor: Any) -> Any:  # type: ignore[override]
        return self._reference(handle, indices, tensor, True, True)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        _, indices, tensor = node.inputs
        d_list, d_tensor = self._gradients(g, dys[0], indices, tensor, False)
        return [d_list, None, d_tensor]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.SCATTER_SUM, inputs, outputs[0])
