"""Matrix products: MatMul of two matrices, BatchMatMul of many, BatchMatMulV2 with broadcast leading axes."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float64, int32, int64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Op, Sample, attr, register, same_dtypes
from graphc.ir.spec import Spec, broadcast_shapes, require_equal, text


def _inner(op: Op, a: Spec, b: Spec, transpose_a: bool, transpose_b: bool) -> tuple[Size, Size]:
    """(rows, columns) of the product of the last two axes. Raises ValueError if the inner sizes differ."""
    rows, left = (a.shape[-1], a.shape[-2]) if transpose_a else (a.shape[-2], a.shape[-1])
    right, columns = (b.shape[-1], b.shape[-2]) if transpose_b else (b.shape[-2], b.shape[-1])
    try:
        require_equal(left, right, "inner dimensions of " + op.type)
    except ValueError:
        raise ValueError(
            f"the inner dimensions {left} and {right} differ: shapes {text(a.shape)}"
            f"{' transposed' if transpose_a else ''} and {text(b.shape)}{' transposed' if transpose_b else ''}"
        ) from None
    return rows, columns


def pays_to_join(a: int, b: int, product: int) -> bool:
    """Whether it costs less to copy the factors of transposed(a) @ b, to be multiplied with others at once, than to add
    up the products one by one: the matrix has three times as many elements as its factors (measured). Counts of
    elements."""
    return 3 * (a + b) <= product


def _with_other(op: Op, flag: str) -> Op:
    changed: dict[str, Any] = {flag: not getattr(op, flag)}
    return dataclasses.replace(op, **changed)


@register
class MatMul(Op):
    """The product of two matrices, either of them transposed first"""

    operands = ("a", "b")
    results = ("product",)
    types = {"T": "a"}
    of_complex = "bilinear"
    transpose_a: bool = attr("bool", False)
    transpose_b: bool = attr("bool", False)
    samples = [
        *(Sample({"transpose_a": ta, "transpose_b": tb}, (((k, m) if ta else (m, k)), ((n, k) if tb else (k, n))))
          for ta in (False, True) for tb in (False, True) for m, k, n in ((3, 17, 5), (31, 7, 65), (1, 65, 1))),
        Sample({}, ((0, 3), (3, 5))), Sample({}, ((3, 0), (0, 5))), Sample({}, ((65, 130), (130, 33))),
        *(Sample({}, ((3, 5), (5, 7)), (d, d), gradient=d is float64, low=-9, high=9) for d in (float64, int32, int64)),
    ]

    def infer(self, *inputs: Spec) -> Spec:
        a, b = inputs
        check_kind(self, inputs, "product")
        same_dtypes(self, inputs)
        check_rank("a", a, 2)
        check_rank("b", b, 2)
        if a.shape is None or b.shape is None:
            return Spec(a.dtype, None)
        return Spec(a.dtype, _inner(self, a, b, self.transpose_a, self.transpose_b))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        a, b = inputs
        return (a.T if self.transpose_a else a) @ (b.T if self.transpose_b else b)

    def with_transposed(self, operand: int, dtype: DType) -> Op:
        return _with_other(self, ("transpose_a", "transpose_b")[operand])

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs
        m, n = outputs[0].shape
        k = x.shape[0] if self.transpose_a else x.shape[1]
        b.call("matmul", [x, y, outputs[0]], dims=[1, m, n, k, 0, 0], attrs=[self.transpose_a, self.transpose_b])

    def grad(self, g, node, dy):
        a, b = (g.conj(v) for v in node.inputs)
        return list(_gradients(g.mat_mul, "transpose", a, b, dy, self.transpose_a, self.transpose_b))


def _gradients(product: Any, word: str, a: Any, b: Any, dy: Any, ta: bool, tb: bool) -> tuple[Any, Any]:
    """The gradients of product(a, b) by both, themselves products: without moving any matrix."""

    def times(x: Any, y: Any, tx: bool, ty: bool) -> Any:
        return product(x, y, **{f"{word}_a" if word == "transpose" else "adj_x": tx,
                                f"{word}_b" if word == "transpose" else "adj_y": ty})

    if not ta and not tb:
        return times(dy, b, False, True), times(a, dy, True, False)
    if not ta and tb:
        return times(dy, b, False, False), times(dy, a, True, False)
    if ta and not tb:
        return times(b, dy, False, True), times(a, dy, False, False)
    return times(b, dy, True, True), times(dy, a, True, True)


_BATCHES = [
    Sample({"adj_x": ax, "adj_y": ay}, ((*lead, *((5, 3) if ax else (3, 5))), (*lead, *((7, 5) if ay else (5, 7)))))
    for ax in (False, True)
    for ay in (False, True)
    for lead in ((2,), (2, 3))
] + [
    Sample({}, ((3, 1, 17), (3, 17, 1))),
    Sample({}, ((0, 2, 3), (0, 3, 4))),
    Sample({}, ((3, 5), (5, 7))),
    *(
        Sample({}, ((2, 3, 5), (2, 5, 7)), (d, d), gradient=d is float64, low=-9, high=9)
        for d in (float64, int32, int64)
    ),
]


@register
class BatchMatMul(Op):
    """The products of corresponding matrices in the last two axes"""

    operands = ("x", "y")
    results = ("output",)
    types = {"T": "x"}
    of_complex = "bilinear"
    adj_x: bool = attr("bool", False)
    adj_y: bool = attr("bool", False)
    samples = _BATCHES

    def infer(self, *inputs: Spec) -> Spec:
        x, y = inputs
        check_kind(self, inputs, "product")
        same_dtypes(self, inputs)
        if x.shape is None or y.shape is None:
            return Spec(x.dtype, None)
        for name, spec in (("x", x), ("y", y)):
            if len(spec.shape) < 2:
                raise ValueError(f"argument '{name}' must have rank 2 or more, but its shape is {text(spec.shape)}")
        inner = _inner(self, x, y, self.adj_x, self.adj_y)
        return Spec(x.dtype, (*self.batch(x.shape[:-2], y.shape[:-2]), *inner))

    def batch(self, x: tuple[Size, ...], y: tuple[Size, ...]) -> tuple[Size, ...]:
        """The leading axes of the result, of those of the operands."""
        if len(x) != len(y):
            raise ValueError(f"the leading axes {text(x)} and {text(y)} differ in number")
        return tuple(require_equal(a, b, f"leading axes of {self.type}") for a, b in zip(x, y, strict=True))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, y = inputs
        return np.matmul(np.conj(np.swapaxes(x, -1, -2)) if self.adj_x else x,
                         np.conj(np.swapaxes(y, -1, -2)) if self.adj_y else y)

    def with_transposed(self, operand: int, dtype: DType) -> Op | None:
        # Not x: as it is, the matrices of a batch may be stacked to one (see lower). An adjoint one is conjugated, too.
        return _with_other(self, "adj_y") if operand == 1 and not dtype.is_complex else None

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs
        *lead, m, n = outputs[0].shape
        k = x.shape[-2] if self.adj_x else x.shape[-1]
        x, of_x = _batched(x, lead)
        y, of_y = _batched(y, lead)
        batch = dims.product(lead)
        # One matrix on the right for all on the left, stacked: a single, larger product.
        if not of_y and of_x and not self.adj_x:
            batch, m, of_x = 1, batch * m, False
        b.call("matmul", [x, y, outputs[0]],
               dims=[batch, m, n, k, m * k if of_x else 0, k * n if of_y else 0], attrs=[self.adj_x, self.adj_y])

    def grad(self, g, node, dy):
        x, y = node.inputs
        dx, dy = _gradients(
            lambda a, b, **adjoint: g.make(type(self), a, b, **adjoint), "adj", x, y, dy, self.adj_x, self.adj_y
        )
        return [g.sum_like(dx, x), g.sum_like(dy, y)]


def _batched(x: Any, lead: list[Size]) -> tuple[Any, bool]:
    """The operand for the kernel, and whether it has one matrix for each index of `lead` (else one for all)."""
    own = x.shape[:-2]
    if all(dims.same(s, 1) for s in own):
        return x, False
    if len(own) == len(lead) and all(dims.same(a, b) for a, b in zip(own, lead, strict=True)):
        return x, True
    return x.broadcast((*lead, *x.shape[-2:])), True


@register
class BatchMatMulV2(BatchMatMul):
    """The products of matrices in the last two axes; the leading axes broadcast"""

    samples = [
        *_BATCHES,
        Sample({}, ((2, 3, 5), (5, 7))),
        Sample({}, ((3, 5), (4, 5, 7))),
        Sample({}, ((1, 3, 5), (4, 5, 7))),
        Sample({}, ((2, 1, 3, 5), (3, 5, 2))),
        Sample({"adj_x": True}, ((2, 5, 3), (5, 7))),
    ]

    def batch(self, x: tuple[Size, ...], y: tuple[Size, ...]) -> tuple[Size, ...]:
        return broadcast_shapes(x, y)
