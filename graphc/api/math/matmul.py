"""Matrix products."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ops.math.complex_numbers import Conj
from graphc.ops.math.matmul import BatchMatMulV2, MatMul


@public("matmul", "math.matmul", "linalg.matmul")
def matmul(
    a,
    b,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    name=None,
):
    """The product of matrices, or of those in the last two axes of tensors of higher rank. As `tf.matmul`.

    a_is_sparse and b_is_sparse are hints of TF's that change no result. Raises ValueError if the inner sizes differ.
    """
    if transpose_a and adjoint_a:
        raise ValueError("Only one of transpose_a and adjoint_a can be True.")
    if transpose_b and adjoint_b:
        raise ValueError("Only one of transpose_b and adjoint_b can be True.")
    if is_tensor_like(b) and not is_tensor_like(a):
        a = convert_to_tensor(a, dtype=b.dtype.base_dtype)
    a = convert_to_tensor(a)
    b = convert_to_tensor(b, dtype=None if is_tensor_like(b) else a.dtype)
    ta, tb = bool(transpose_a or adjoint_a), bool(transpose_b or adjoint_b)
    ranks = [None if t.spec.shape is None else len(t.spec.shape) for t in (a, b)]
    batch = any(rank is None or rank > 2 for rank in ranks)
    # MatMul transposes and BatchMatMul conjugates, too: what is not asked for is undone.
    a, b = (apply(Conj, x) if x.dtype.is_complex and (transposed if batch else adjoint) else x
            for x, transposed, adjoint in ((a, transpose_a, adjoint_a), (b, transpose_b, adjoint_b)))
    if batch:
        return apply(BatchMatMulV2, a, b, adj_x=ta, adj_y=tb, name=name or "MatMul")
    return apply(MatMul, a, b, transpose_a=ta, transpose_b=tb, name=name)


@public("batch_matmul", "math.batch_matmul")
def batch_matmul(x, y, adj_x=False, adj_y=False, name=None):
    """The products of the matrices in the last two axes. As `tf.batch_matmul` of TF before 1.0."""
    return apply(BatchMatMulV2, x, y, adj_x=bool(adj_x), adj_y=bool(adj_y), name=name or "BatchMatMul")
