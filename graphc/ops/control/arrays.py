"""Lists that are read and written anywhere, as TensorArray needs them: the step List does each of these ops.

All are linear, so their gradients are lists again, and need indices, lengths and shapes, never the elements. In a list
of gradients an element that was never written is zeros, and so is one behind its end: `_or_zeros`, `_growing`.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int32, int64, variant
from graphc.ir.op import Op, attr, operand_field, register
from graphc.ir.spec import Elements, Spec, elements_of, joined_elements, require_equal
from graphc.kernels.layout import ListOperation
from graphc.ops.control.lists import HANDLE, ElementShape, _check_handle, _element, _handle, element_sizes

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor

Gradients = Sequence["Tensor | None"]


def _written(handle: Spec, element: Spec) -> Spec:
    return replace(HANDLE, elements=joined_elements(handle, replace(HANDLE, elements=elements_of(element))))


def _row(values: Spec) -> Spec:
    """The spec of a row of `values`."""
    if values.shape is not None and not values.shape:
        raise ValueError("argument 'tensor' must have at least one axis, but is a scalar")
    return Spec(values.dtype, None if values.shape is None else values.shape[1:])


def _rows_spec(count: dims.Size, row: Spec) -> Spec:
    return Spec(row.dtype, None if row.shape is None else (count, *row.shape))


def _check_integers(name: str, spec: Spec, dtype: DType, rank: int) -> None:
    if spec.dtype != dtype or (spec.rank is not None and spec.rank != rank):
        form = "a scalar" if rank == 0 else "a vector"
        raise TypeError(f"argument '{name}' must be {form} of {dtype.name}, but is {spec.shown()}")


def _step(b: Any, operation: ListOperation, operands: Sequence[Any], output: Any) -> None:
    from graphc.plan import plan  # not needed to build a graph

    buffers = tuple(b.contiguous(x).buffer for x in operands)
    b.into_slots([output], lambda slots, binds: plan.List(int(operation), buffers, slots, binds, origins=b.origins))


def _sizes(b: Any, said: ElementShape, rank: int) -> Any:
    """What is said of an element's sizes, as a tensor."""
    sizes = said if isinstance(said, tuple) else (-1,) * rank
    if all(isinstance(s, int) for s in sizes):
        return b.constant(np.array(sizes, np.int64))
    made = b.temporary(int64, (len(sizes),))
    b.store_sizes(sizes, made)
    return made


def shape_of(g: GradientBuilder, x: Tensor) -> Any:
    """The shape of x for an op that asks for an element's: known, or as a tensor."""
    sizes = element_sizes(x)
    return g.shape(x) if x.dtype != variant and (sizes == -1 or -1 in sizes) else sizes  # type: ignore[operator]


def _unwritten(said: ElementShape, elements: Sequence[Any], index: int) -> tuple[int, ...]:
    """The reference's shape of an element that was never written."""
    known = next((e.shape for e in elements if e is not None), None)
    sizes = said if isinstance(said, tuple) else (-1,) * len(known or ())
    if (any(s < 0 for s in sizes) and known is None) or (not isinstance(said, tuple) and known is None):
        raise InvalidArgumentError(f"Could not read from TensorArray index {index}")
    return tuple(s if s >= 0 else k for s, k in zip(sizes, known or sizes, strict=True))  # type: ignore[misc]


def _in_range(index: int, length: int, lenient: bool) -> None:
    if index < 0 or (index >= length and not lenient):
        raise InvalidArgumentError(f"index {index} of a TensorArray of size {length}")


class _ListOp(Op):
    checks_data = True


@register
class TensorListReserve(_ListOp):
    """The list of `num_elements` elements that were never written."""

    operands = ("element_shape", "num_elements")
    results = ("handle",)
    types = {"shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, count: Spec) -> Spec:  # type: ignore[override]
        _check_integers("num_elements", count, int32, 0)
        if not isinstance(self.element_shape, tuple):
            return HANDLE
        sizes = tuple(s if isinstance(s, int) and s >= 0 else None for s in self.element_shape)
        return replace(HANDLE, elements=(Elements(sizes),))

    def reference(self, count: Any) -> Any:  # type: ignore[override]
        return _handle((None,) * int(count))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.RESERVE, inputs, outputs[0])


@register
class TensorListResize(_ListOp):
    """The list with `size` elements: the first ones, or new ones that were never written."""

    operands = ("input_handle", "size")
    results = ("output_handle",)

    def infer(self, handle: Spec, size: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        _check_integers("size", size, int32, 0)
        return handle

    def reference(self, handle: Any, size: Any) -> Any:  # type: ignore[override]
        found = handle.item()[:int(size)]
        return _handle((*found, *(None,) * (int(size) - len(found))))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else g.tensor_list_resize(dys[0], node.inputs[1]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.RESIZE, inputs, outputs[0])


@register
class TensorListSetItem(_ListOp):
    """The list with another element at `index`."""

    operands = ("input_handle", "index", "item")
    results = ("output_handle",)
    types = {"element_dtype": "item"}
    resize_if_index_out_of_bounds: bool = attr("bool", False)

    def infer(self, handle: Spec, index: Spec, item: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        _check_integers("index", index, int32, 0)
        return _written(handle, item)

    def reference(self, handle: Any, index: Any, item: Any) -> Any:  # type: ignore[override]
        found, index = list(handle.item()), int(index)
        _in_range(index, len(found), self.resize_if_index_out_of_bounds)
        found += [None] * (index + 1 - len(found))
        found[index] = item
        return _handle(tuple(found))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        _, index, item = node.inputs
        d_item = None
        if item.dtype.is_floating or item.dtype == variant:
            d_item = g.tensor_list_get_item(dys[0], index, shape_of(g, item), element_dtype=item.dtype, or_zeros=True)
        return [g.tensor_list_erase(dys[0], index), None, d_item]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        growing = self.resize_if_index_out_of_bounds
        _step(b, ListOperation.SET_GROWING if growing else ListOperation.SET, inputs, outputs[0])


@register
class TensorListGetItem(_ListOp):
    """The element at `index`; zeros if it was never written and its shape is known."""

    operands = ("input_handle", "index", "element_shape")
    results = ("item",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    or_zeros: bool = attr("bool", False, name="_or_zeros")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec, index: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        _check_integers("index", index, int32, 0)
        return _element(self.element_dtype, self.element_shape, handle)

    def reference(self, handle: Any, index: Any) -> Any:  # type: ignore[override]
        elements, index = handle.item(), int(index)
        _in_range(index, len(elements), self.or_zeros)
        found = elements[index] if index < len(elements) else None
        if found is None:
            return _zeros(self.element_dtype, _unwritten(self.element_shape, elements, index))
        return found

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        nothing = g.list_like(node.outputs[0])
        return [g.tensor_list_set_item(nothing, node.inputs[1], dys[0], resize_if_index_out_of_bounds=True), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        operation = ListOperation.GET_OR_ZEROS if self.or_zeros else ListOperation.GET
        _step(b, operation, [*inputs, _sizes(b, self.element_shape, len(outputs[0].shape))], outputs[0])


@register
class TensorListStack(_ListOp):
    """All elements, one below the other."""

    operands = ("input_handle", "element_shape")
    results = ("tensor",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    num_elements: int = attr("int", -1)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        count = self.num_elements if self.num_elements >= 0 else dims.symbol("length")
        return _rows_spec(count, _element(self.element_dtype, self.element_shape, handle))

    def reference(self, handle: Any) -> Any:  # type: ignore[override]
        return _stacked(handle.item(), self.element_shape, self.element_dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else _unstacked(g, dys[0]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        sizes = _sizes(b, self.element_shape, len(outputs[0].shape) - 1)
        count = b.constant(np.int32(-1))
        _step(b, ListOperation.STACK, [inputs[0], count, sizes], outputs[0])


def _unstacked(g: GradientBuilder, values: Tensor) -> Tensor:
    static = values.spec.static_shape
    sizes: Any = -1 if static is None else tuple(-1 if s is None else s for s in static[1:])
    made: Tensor = g.tensor_list_from_tensor(values, sizes)
    return made


def _zeros(dtype: DType, shape: Sequence[int]) -> Any:
    return _handle(()) if dtype == variant else np.zeros(shape, dtype.numpy)


def _stacked(elements: Sequence[Any], said: ElementShape, dtype: DType) -> Any:
    shape = _unwritten(said, elements, 0)
    found = [np.zeros(shape, dtype.numpy) if e is None else e for e in elements]
    if any(e.shape != shape for e in found):
        raise InvalidArgumentError("TensorArray has inconsistent shapes")
    return np.stack(found) if found else np.zeros((0, *shape), dtype.numpy)


@register
class _TensorListRows(_ListOp):
    """The elements of a list of gradients as rows of a tensor of this shape; zeros where there are none."""

    operands = ("input_handle", "shape")
    results = ("tensor",)
    shape: tuple[dims.Size, ...] = operand_field("shape")
    dtype: DType = attr("type")

    def infer(self, handle: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        return Spec(self.dtype, self.shape)

    def reference(self, handle: Any) -> Any:  # type: ignore[override]
        elements = (*handle.item(), *(None,) * int(self.shape[0]))[:int(self.shape[0])]  # type: ignore[call-overload]
        return _stacked(elements, self.shape[1:], self.dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else _unstacked(g, dys[0]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        count = b.temporary(int32, ())
        b.store_sizes([self.shape[0]], count)
        _step(b, ListOperation.STACK_OR_ZEROS, [inputs[0], count, _sizes(b, self.shape[1:], 0)], outputs[0])


@register
class TensorListFromTensor(_ListOp):
    """The list of the rows of a tensor."""

    operands = ("tensor", "element_shape")
    results = ("output_handle",)
    types = {"element_dtype": "tensor", "shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, tensor: Spec) -> Spec:  # type: ignore[override]
        return replace(HANDLE, elements=elements_of(_row(tensor)))

    def reference(self, tensor: Any) -> Any:  # type: ignore[override]
        return _handle(tuple(np.asarray(row) for row in tensor))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        values = node.inputs[0]
        if dys[0] is None or not values.dtype.is_floating:
            return [None, None]
        return [g.tensor_list_rows(dys[0], shape_of(g, values), dtype=values.dtype), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.UNSTACK, inputs, outputs[0])


@register
class TensorListGather(_ListOp):
    """The elements at `indices`, one below the other."""

    operands = ("input_handle", "indices", "element_shape")
    results = ("values",)
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")
    or_zeros: bool = attr("bool", False, name="_or_zeros")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.element_dtype,)

    def infer(self, handle: Spec, indices: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        _check_integers("indices", indices, int32, 1)
        if indices.shape is None:
            return Spec(self.element_dtype, None)
        return _rows_spec(indices.shape[0], _element(self.element_dtype, self.element_shape, handle))

    def reference(self, handle: Any, indices: Any) -> Any:  # type: ignore[override]
        elements = handle.item()
        for index in indices:
            _in_range(int(index), len(elements), self.or_zeros)
        found = [elements[i] if i < len(elements) else None for i in indices]
        if any(e is None for e in found) or not found:
            shape = _unwritten(self.element_shape, elements, 0)
            return _stacked(found, shape, self.element_dtype)
        return _stacked(found, self.element_shape, self.element_dtype)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        nothing = g.empty_tensor_list(-1, -1, element_dtype=dys[0].dtype)
        return [g.tensor_list_scatter_sum(nothing, node.inputs[1], dys[0]), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        operation = ListOperation.GATHER_OR_ZEROS if self.or_zeros else ListOperation.GATHER
        _step(b, operation, [*inputs, _sizes(b, self.element_shape, len(outputs[0].shape) - 1)], outputs[0])


class _Scatter(_ListOp):
    """What the ops share that write rows of `tensor` at `indices`."""

    results = ("output_handle",)

    def _infer(self, handle: Spec, indices: Spec, tensor: Spec) -> Spec:
        _check_handle(self, handle)
        _check_integers("indices", indices, int32, 1)
        row = _row(tensor)
        if tensor.shape is not None and indices.shape is not None:
            require_equal(tensor.shape[0], indices.shape[0],
                          f"rows of 'tensor' and elements of 'indices' of {self.type}")
        return _written(handle, row)

    def _reference(self, handle: Any, indices: Any, tensor: Any, growing: bool, adding: bool) -> Any:
        found = list(handle.item())
        for index, row in zip(indices, tensor, strict=True):
            _in_range(int(index), len(found), growing)
            found += [None] * (int(index) + 1 - len(found))
            found[index] = row if found[index] is None or not adding else found[index] + row
        return _handle(tuple(np.asarray(e) if e is not None else None for e in found))

    def _gradients(self, g: GradientBuilder, dy: Tensor | None, indices: Tensor, tensor: Tensor,
                   replaces: bool) -> tuple[Tensor | None, Tensor | None]:
        if dy is None:
            return None, None
        d_list = g.tensor_list_erase(dy, indices) if replaces else dy
        if not tensor.dtype.is_floating:
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
        _step(b, operation, [handle, indices, tensor], outputs[0])


@register
class _TensorListScatterSum(_Scatter):
    """The list with the rows of `tensor` added to what stands at `indices`, behind its end, too."""

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
        _step(b, ListOperation.SCATTER_SUM, inputs, outputs[0])


@register
class _TensorListErase(_ListOp):
    """The list in which the elements at `indices` (one, or a vector of them) were never written."""

    operands = ("input_handle", "indices")
    results = ("output_handle",)

    def infer(self, handle: Spec, indices: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, handle)
        return handle

    def reference(self, handle: Any, indices: Any) -> Any:  # type: ignore[override]
        gone = set(np.ravel(indices).tolist())
        return _handle(tuple(None if i in gone else e for i, e in enumerate(handle.item())))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else g.tensor_list_erase(dys[0], node.inputs[1]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.ERASE, inputs, outputs[0])


@register
class _TensorListAdd(_ListOp):
    """The list of the sums of the elements of two; what only one of them has stays as it is."""

    operands = ("a", "b")
    results = ("sum",)

    def infer(self, a: Spec, b: Spec) -> Spec:  # type: ignore[override]
        _check_handle(self, a)
        _check_handle(self, b)
        return replace(HANDLE, elements=joined_elements(a, b))

    def reference(self, a: Any, b: Any) -> Any:  # type: ignore[override]
        x, y = a.item(), b.item()
        count = max(len(x), len(y))
        x, y = ((*e, *(None,) * (count - len(e))) for e in (x, y))
        return _handle(tuple(q if p is None else p if q is None else p + q for p, q in zip(x, y, strict=True)))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [dys[0], dys[0]]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.ADD, inputs, outputs[0])


@register
class TensorListConcatV2(_ListOp):
    """The elements, one behind the other along their first axes, and how long those are. leading_dims: where an element
    was never written, unless it is empty."""

    operands = ("input_handle", "element_shape", "leading_dims")
    results = ("tensor", "lengths")
    types = {"shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.element_dtype, int64

    def infer(self, handle: Spec, leading: Spec) -> tuple[Spec, Spec]:  # type: ignore[override]
        _check_handle(self, handle)
        _check_integers("leading_dims", leading, int64, 1)
        element = _element(self.element_dtype, self.element_shape, handle)
        if element.shape is not None and not element.shape:
            raise ValueError("Concat requires elements to be at least vectors, found scalars instead")
        count = leading.shape[0] if leading.shape and leading.shape[0] != 0 else dims.symbol("length")
        shape = None if element.shape is None else (dims.symbol("rows"), *element.shape[1:])
        return Spec(self.element_dtype, shape), Spec(int64, (count,))

    def reference(self, handle: Any, leading: Any) -> Any:  # type: ignore[override]
        elements = handle.item()
        elements = (*elements, *(None,) * (len(leading) - len(elements)))
        known = next((e.shape for e in elements if e is not None), self.element_shape)
        if not isinstance(known, tuple):
            raise InvalidArgumentError("nothing tells the elements' shape")
        found = [np.zeros((int(leading[i]), *known[1:]), self.element_dtype.numpy) if e is None else e  # type: ignore[arg-type]
                 for i, e in enumerate(elements)]
        empty = np.zeros((0, *known[1:]), self.element_dtype.numpy)  # type: ignore[arg-type]
        return np.concatenate([empty, *found]), np.array([len(e) for e in found], np.int64)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        return [g.tensor_list_split(dys[0], -1, node.outputs[1]), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        handle, leading = inputs
        tensor, lengths = outputs
        sizes = _sizes(b, self.element_shape, len(tensor.shape))
        if leading.shape[0] == 0:
            _step(b, ListOperation.CONCAT, [handle, sizes], tensor)
            _step(b, ListOperation.LENGTHS, [handle], lengths)
        else:
            _step(b, ListOperation.CONCAT_OR_ZEROS, [handle, leading, sizes], tensor)
            b.copy(leading, lengths)


@register
class TensorListSplit(_ListOp):
    """The list of parts of a tensor along its first axis, of these lengths."""

    operands = ("tensor", "element_shape", "lengths")
    results = ("output_handle",)
    types = {"element_dtype": "tensor", "shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, tensor: Spec, lengths: Spec) -> Spec:  # type: ignore[override]
        _check_integers("lengths", lengths, int64, 1)
        row = _row(tensor)
        if row.shape is None:
            return HANDLE
        values = lengths.value
        same = values is not None and len(values) > 0 and len(set(values)) == 1 and isinstance(values[0], int)
        first = values[0] if same and values is not None else dims.symbol("rows")
        return replace(HANDLE, elements=elements_of(Spec(tensor.dtype, (first, *row.shape))))

    def reference(self, tensor: Any, lengths: Any) -> Any:  # type: ignore[override]
        if np.any(lengths < 0) or np.sum(lengths) != len(tensor):
            raise InvalidArgumentError(f"lengths {lengths} do not fit {len(tensor)} rows")
        return _handle(tuple(np.split(tensor, np.cumsum(lengths)[:-1])) if len(lengths) else ())

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        tensor, _, lengths = node.inputs
        if dys[0] is None or not tensor.dtype.is_floating:
            return [None, None, None]
        d_tensor, _ = g.tensor_list_concat_v2(dys[0], shape_of(g, tensor), lengths, element_dtype=tensor.dtype)
        return [d_tensor, None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _step(b, ListOperation.SPLIT, inputs, outputs[0])
