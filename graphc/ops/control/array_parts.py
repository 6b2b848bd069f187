"""Lists of any order as a whole: erased, added, joined to one tensor, split from one."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int64, variant
from graphc.ir.op import attr, operand_field, register
from graphc.ir.spec import Elements, Spec, joined_elements
from graphc.ir.values import zeros
from graphc.kernels.layout import ListOperation
from graphc.ops.control.lists import HANDLE, ElementShape, check_handle, element_spec, reference_list

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor
from graphc.ops.control.list_op import Gradients, ListOp, check_integers, list_step, row_spec, shape_of, sizes_tensor


@register
class _TensorListErase(ListOp):
    """The list in which the elements at `indices` (one, or a vector of them) were never written."""

    operands = ("input_handle", "indices")
    results = ("output_handle",)

    def infer(self, handle: Spec, indices: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, handle)
        return handle

    def reference(self, handle: Any, indices: Any) -> Any:  # type: ignore[override]
        gone = set(np.ravel(indices).tolist())
        return reference_list(tuple(None if i in gone else e for i, e in enumerate(handle.item())))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [None if dys[0] is None else g.tensor_list_erase(dys[0], node.inputs[1]), None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.ERASE, inputs, outputs[0])


@register
class _TensorListAdd(ListOp):
    """The list of the sums of the elements of two; what only one of them has stays as it is."""

    operands = ("a", "b")
    results = ("sum",)

    def infer(self, a: Spec, b: Spec) -> Spec:  # type: ignore[override]
        check_handle(self, a)
        check_handle(self, b)
        return replace(HANDLE, elements=joined_elements(a, b))

    def reference(self, a: Any, b: Any) -> Any:  # type: ignore[override]
        x, y = a.item(), b.item()
        count = max(len(x), len(y))
        x, y = ((*e, *(None,) * (count - len(e))) for e in (x, y))
        return reference_list(tuple(q if p is None else p if q is None else p + q for p, q in zip(x, y, strict=True)))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        return [dys[0], dys[0]]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.ADD, inputs, outputs[0])


@register
class TensorListConcatV2(ListOp):
    """The elements, one after the other along their first axes, and how long those are. leading_dims: where an element
    was never written, unless it is empty."""

    operands = ("input_handle", "element_shape", "leading_dims")
    results = ("tensor", "lengths")
    types = {"shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")
    element_dtype: DType = attr("type")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.element_dtype, int64

    def infer(self, handle: Spec, leading: Spec) -> tuple[Spec, Spec]:  # type: ignore[override]
        check_handle(self, handle)
        check_integers("leading_dims", leading, int64, 1)
        element = element_spec(self.element_dtype, self.element_shape, handle)
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
        found = [zeros((int(leading[i]), *known[1:]), self.element_dtype.numpy) if e is None else e  # type: ignore[arg-type]
                 for i, e in enumerate(elements)]
        empty = zeros((0, *known[1:]), self.element_dtype.numpy)  # type: ignore[arg-type]
        return np.concatenate([empty, *found]), np.array([len(e) for e in found], np.int64)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        if dys[0] is None:
            return [None, None, None]
        return [g.tensor_list_split(dys[0], -1, node.outputs[1]), None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        handle, leading = inputs
        tensor, lengths = outputs
        sizes = sizes_tensor(b, self.element_shape, len(tensor.shape))
        if leading.shape[0] == 0:
            list_step(b, ListOperation.CONCAT, [handle, sizes], tensor)
            list_step(b, ListOperation.LENGTHS, [handle], lengths)
        else:
            list_step(b, ListOperation.CONCAT_OR_ZEROS, [handle, leading, sizes], tensor)
            b.copy(leading, lengths)


@register
class TensorListSplit(ListOp):
    """The list of parts of a tensor along its first axis, of these lengths."""

    operands = ("tensor", "element_shape", "lengths")
    results = ("output_handle",)
    types = {"element_dtype": "tensor", "shape_type": "element_shape"}
    element_shape: ElementShape = operand_field("shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (variant,)

    def infer(self, tensor: Spec, lengths: Spec) -> Spec:  # type: ignore[override]
        check_integers("lengths", lengths, int64, 1)
        row = row_spec(tensor)
        if row.shape is None:
            return HANDLE
        values = lengths.value
        first = values[0] if values and len(set(values)) == 1 else None
        return replace(HANDLE, elements=(Elements((first, *row.shape)),))

    def reference(self, tensor: Any, lengths: Any) -> Any:  # type: ignore[override]
        if np.any(lengths < 0) or np.sum(lengths) != len(tensor):
            raise InvalidArgumentError(f"lengths {lengths} do not fit {len(tensor)} rows")
        return reference_list(tuple(np.split(tensor, np.cumsum(lengths)[:-1])) if len(lengths) else ())

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Gradients:
        tensor, _, lengths = node.inputs
        if dys[0] is None or not tensor.dtype.is_differentiable:
            return [None, None, None]
        d_tensor, _ = g.tensor_list_concat_v2(dys[0], shape_of(g, tensor), lengths, element_dtype=tensor.dtype)
        return [d_tensor, None, None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        list_step(b, ListOperation.SPLIT, inputs, outputs[0])
