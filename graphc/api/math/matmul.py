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
    """The product of matrices [..., n, k] and [..., k, m], or the products of all those in the front axes, which
    broadcast.

    Args:
        a, b: floating point, complex, int32 or int64, of one dtype and of rank 2 at least; for vectors see
            `gc.linalg.matvec`. The operator @ of tensors is this function.
        transpose_a, transpose_b: the last two axes of that operand are exchanged before.
        adjoint_a, adjoint_b: exchanged and conjugated; not together with transpose (ValueError).
        a_is_sparse, b_is_sparse: hints of TensorFlow's that change no result.

    Raises TypeError for other or different dtypes, ValueError for lower ranks and inner sizes that are known to differ;
    sizes that only a run knows end it with InvalidArgumentError. As `tf.matmul`; front axes broadcast as in TensorFlow
    1.14 and later.

    >>> a, b = gc.constant([[1., 2.], [3., 4.]]), gc.constant([[5.], [6.]])
    >>> gc.matmul(a, b).eval()
    array([[17.],
           [39.]], dtype=float32)
    >>> gc.matmul(a, b, transpose_a=True).eval()
    array([[23.],
           [34.]], dtype=float32)
    >>> batch = gc.placeholder(gc.float32, [None, 2, 2])
    >>> gc.matmul(batch, b)[:, :, 0].eval({batch: [[[1., 0.], [0., 1.]], [[0., 2.], [0., 0.]]]})
    array([[ 5.,  6.],
           [12.,  0.]], dtype=float32)
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
    """The products of the matrices in the last two axes: `gc.matmul` as it was before TensorFlow 1.0.

    adj_x, adj_y: of the transposed and conjugated ones. x, y: [..., n, k] and [..., k, m], their front axes broadcast.
    Dtypes and errors as of `gc.matmul`. As `tf.batch_matmul`.

    >>> gc.batch_matmul([[[1., 2.]], [[3., 4.]]], [[[1.], [1.]], [[1.], [0.]]])[:, 0, 0].eval()
    array([3., 3.], dtype=float32)
    """
    return apply(BatchMatMulV2, x, y, adj_x=bool(adj_x), adj_y=bool(adj_y), name=name or "BatchMatMul")
