"""Factors of any matrix: QR, singular values, and LU with the rows' new order."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import UnimplementedError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.by_kernel import ByKernel, batch_of
from graphc.ops.linalg.matrices import (
    adjoint,
    adjoint_of,
    check_matrix,
    check_numbers,
    check_square,
    given_or_zeros,
    inverse_gaps,
    lower_part,
    product,
)
from graphc.ops.linalg.solve import SINGULAR, regular
from graphc.ops.linalg.svd_gradient import svd_gradient


@register
class Qr(ByKernel):
    """q with orthonormal columns and r, upper triangular, with q @ r = input."""

    operands = ("input",)
    results = ("q", "r")
    types: ClassVar = {"T": "input"}
    full_matrices: bool = attr("bool", False)
    samples: ClassVar = [Sample({"full_matrices": f}, (regular(*s).astype(d),), gradient=grad) for f, s, d, grad in (
        (False, (4, 4), np.float32, True), (False, (5, 3), np.float64, True), (False, (2, 4, 3), np.float32, True),
        (False, (3, 5), np.float32, True), (True, (5, 3), np.float32, False), (True, (3, 5), np.float64, True),
        (True, (3, 3), np.float64, True), (False, (1, 1), np.float32, True), (False, (0, 3), np.float32, False),
        (True, (3, 0), np.float32, False), (False, (0, 3, 2), np.float32, False))]

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        check_numbers(self, input=x)
        check_matrix("input", x)
        if x.shape is None:
            return Spec(x.dtype, None), Spec(x.dtype, None)
        *batch, m, n = x.shape
        inner: Size = m if self.full_matrices else dims.minimum(m, n)
        return Spec(x.dtype, (*batch, m, inner)), Spec(x.dtype, (*batch, inner, n))

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        q, r = np.linalg.qr(x, "complete" if self.full_matrices else "reduced")
        return q, r

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x, (q, r) = inputs[0], outputs
        b.call("qr", [x, q, r], dims=[batch_of(x), *x.shape[-2:], q.shape[-1]])

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        (q, r), x = node.outputs, node.inputs[0]
        dq, dr = (given_or_zeros(g, node, dys, i) for i in range(2))
        shape = r.spec.shape
        if shape is not None and dims.same(shape[-2], shape[-1]):
            return [_square_qr(g, q, r, dq, dr)]
        rows, columns = shape[-2:] if shape is not None else (None, None)
        if isinstance(rows, int) and isinstance(columns, int) and rows > columns:
            raise UnimplementedError(
                f"Qr '{node.name}' with full_matrices=True of matrices with more rows than columns has no gradient: "
                f"its input has shape {text(x.spec.shape)}; use full_matrices=False")
        # r = [u, v] with u square, input = [z, y]: what moves v moves y by q, and q by v = adjoint(q) @ y.
        sizes = g.shape(r)
        parts = g.pack([sizes[-2], g.sub(sizes[-1], sizes[-2])])
        (u, _), (du, dv), (_, y) = (g.split_v(t, parts, -1, num_split=2) for t in (r, dr, x))
        dz = _square_qr(g, q, u, g.add(dq, product(g, y, dv, adjoint_b=True)), du)
        return [g.concat_v2([dz, product(g, q, dv)], -1)]


def _square_qr(g: GradientBuilder, q: Any, r: Any, dq: Any, dr: Any) -> Any:
    """The gradient of Qr where r is square."""
    qdq, rdr = product(g, q, dq, adjoint_a=True), product(g, r, dr, adjoint_b=True)
    skew = lower_part(g, g.add(g.sub(qdq, adjoint(g, qdq)), g.sub(rdr, adjoint(g, rdr))))

    def over_r(x: Any) -> Any:
        """x times the inverse of adjoint(r)."""
        return adjoint(g, g.matrix_triangular_solve(r, adjoint(g, x), is_lower=False, adjoint=False))

    result = g.add(product(g, q, g.add(dr, over_r(skew))), over_r(g.sub(dq, product(g, q, qdq))))
    if not q.dtype.is_complex:
        return result
    # The diagonal of r stays real.
    real = q.dtype.real_dtype
    turning = g.imag(g.band(g.sub(rdr, adjoint(g, qdq)), below=0, above=0), Tout=real)
    back = g.complex(g.zeros_like(turning), g.neg(turning), Tout=q.dtype)
    return g.add(result, over_r(product(g, q, back)))


@register
class Lu(ByKernel):
    """L under the diagonal and U from it on in one matrix, and p: L @ U has the rows p of input."""

    operands = ("input",)
    results = ("lu", "p")
    types: ClassVar = {"T": "input"}
    extra = "linalg"
    output_idx_type: DType = attr("type", int32)
    samples: ClassVar = [Sample({"output_idx_type": i}, (np.roll(regular(*s), 1, -2).astype(d),), gradient=False)
                         for s, d, i in (((4, 4), np.float32, int32), ((2, 3, 3), np.float64, int64),
                                         ((1, 1), np.float32, int32), ((0, 3, 3), np.float32, int32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, self.output_idx_type

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        check_numbers(self, input=x)
        check_dtype(self, "output_idx_type", self.output_idx_type, "index")
        check_square("input", x)
        return Spec(x.dtype, x.shape), Spec(self.output_idx_type, None if x.shape is None else x.shape[:-1])

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.linalg import lapack

        factored, orders = np.empty_like(x), np.empty(x.shape[:-1], self.output_idx_type.numpy)
        factor = lapack.get_lapack_funcs("getrf", (x,))
        for index in np.ndindex(x.shape[:-2]):
            factored[index], swaps, failed = factor(x[index])
            if failed > 0:
                raise ValueError(SINGULAR)
            order = np.arange(x.shape[-1])
            for row, other in enumerate(swaps):
                order[[row, other]] = order[[other, row]]
            orders[index] = order
        return factored, orders

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x, (factors, rows) = inputs[0], outputs
        order = rows if self.output_idx_type == int32 else b.temporary(int32, rows.shape)
        facts = b.temporary(x.dtype, (*x.shape[:-2], 3))
        b.call("lu", [x, factors, order, facts], dims=[batch_of(x), x.shape[-1]], attrs=[1])
        if order is not rows:
            b.map(lambda s, row: s.cast(row, int64), [order], [rows])


@register
class Svd(Host):
    """Singular values s in descending order, u and v with input = u @ diag(s) @ adjoint(v).

    Without compute_uv u and v are empty.
    """

    operands = ("input",)
    results = ("s", "u", "v")
    types: ClassVar = {"T": "input"}
    compute_uv: bool = attr("bool", True)
    full_matrices: bool = attr("bool", False)
    samples: ClassVar = [
        Sample({"compute_uv": uv, "full_matrices": f}, (regular(*s).astype(d),), gradient=grad)
        for uv, f, s, d, grad in (
            (True, False, (4, 4), np.float32, True), (True, False, (4, 3), np.float64, True),
            (True, False, (2, 3, 5), np.float32, True), (False, False, (3, 3), np.float32, True),
            (False, False, (2, 5, 3), np.float64, True), (True, True, (5, 3), np.float32, False),
            (True, True, (2, 3, 4), np.float64, False), (False, True, (2, 3), np.float32, True),
            (True, False, (1, 1), np.float32, True), (True, False, (0, 3), np.float32, False),
            (True, True, (3, 0), np.float32, False), (True, False, (0, 3, 3), np.float32, False))]

    def infer(self, x: Spec) -> tuple[Spec, Spec, Spec]:
        check_numbers(self, input=x)
        check_matrix("input", x)
        if not self.compute_uv:
            values = None if x.shape is None else (*x.shape[:-2], dims.minimum(*x.shape[-2:]))
            return Spec(x.dtype, values), Spec(x.dtype, (0,)), Spec(x.dtype, (0,))
        if x.shape is None:
            return Spec(x.dtype, None), Spec(x.dtype, None), Spec(x.dtype, None)
        *batch, m, n = x.shape
        count = dims.minimum(m, n)
        u, v = (m, n) if self.full_matrices else (count, count)
        return Spec(x.dtype, (*batch, count)), Spec(x.dtype, (*batch, m, u)), Spec(x.dtype, (*batch, n, v))

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not self.compute_uv:
            none = np.empty((0,), x.dtype)
            return np.linalg.svd(x, compute_uv=False).astype(x.dtype, copy=False), none, none
        u, s, right = np.linalg.svd(x, full_matrices=self.full_matrices)
        return s.astype(x.dtype, copy=False), u, adjoint_of(right)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [svd_gradient(g, node, dys, self.compute_uv, self.full_matrices)]


@register
class SelfAdjointEigV2(Host):
    """Eigenvalues e in ascending order, and eigenvectors in the columns of v, of symmetric (Hermitian) matrices.

    Only the lower triangle is read. Without compute_v v is empty.
    """

    operands = ("input",)
    results = ("e", "v")
    types: ClassVar = {"T": "input"}
    compute_v: bool = attr("bool", True)
    samples: ClassVar = [Sample({"compute_v": v}, (regular(*s).astype(d),), gradient=grad) for v, s, d, grad in (
        (True, (4, 4), np.float32, True), (True, (2, 3, 3), np.float64, True), (False, (3, 3), np.float32, True),
        (False, (2, 2, 3, 3), np.float64, True), (True, (1, 1), np.float32, True), (True, (0, 0), np.float32, False),
        (True, (0, 3, 3), np.float32, False), (False, (0, 3, 3), np.float32, False))]

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        check_numbers(self, input=x)
        check_square("input", x)
        values = Spec(x.dtype, None if x.shape is None else x.shape[:-1])
        return values, Spec(x.dtype, x.shape if self.compute_v else (0,))

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.compute_v:
            return np.linalg.eigvalsh(x).astype(x.dtype, copy=False), np.empty((0,), x.dtype)
        values, vectors = np.linalg.eigh(x)
        return values.astype(x.dtype, copy=False), vectors

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        values, vectors = node.outputs if self.compute_v else g.self_adjoint_eig_v2(node.inputs[0], compute_v=True)
        middle = g.diagonal(given_or_zeros(g, node, dys, 0))
        if self.compute_v and dys[1] is not None:
            middle = g.add(middle, g.mul(inverse_gaps(g, values), product(g, vectors, dys[1], adjoint_a=True)))
        full = product(g, vectors, product(g, middle, vectors, adjoint_b=True))
        # Only the lower triangle was read: what belongs to the upper one is added to it.
        both = g.add(full, adjoint(g, full))
        return [g.sub(lower_part(g, both), g.scale(0.5, g.band(both, below=0, above=0)))]
