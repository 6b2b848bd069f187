"""Other orders of axes and elements: transpose, reverse, invert_permutation."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.fill import range_
from graphc.api.array.join import concat
from graphc.api.array.shapes import rank
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.transpose import InvertPermutation, ReverseV2, Transpose
from graphc.ops.math.complex_numbers import Conj


@public("transpose")
def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Tensor:
    """The axes in the order perm; without it in reverse order.

    a: of any dtype. perm: a permutation of the axes, ints or a constant int32 vector, known while the graph is built:
    ValueError for anything else, TypeError for broken numbers. conjugate: complex numbers are conjugated, too. For
    batches of matrices see `gc.matrix_transpose`. As `tf.transpose`.

    >>> gc.transpose([[1, 2, 3], [4, 5, 6]]).eval()
    array([[1, 4],
           [2, 5],
           [3, 6]], dtype=int32)
    >>> images = gc.placeholder(gc.float32, [None, 3, 224, 224])
    >>> gc.transpose(images, [0, 2, 3, 1]).shape.as_list()          # NCHW to NHWC
    [None, 224, 224, 3]
    """
    a = convert_to_tensor(a, name="a")
    if conjugate and a.dtype.is_complex:
        a = apply(Conj, a)
    if perm is None:
        perm = _reversed_axes(a) if a.spec.shape is None else np.arange(len(a.spec.shape))[::-1].astype(np.int32)
    result: Tensor = apply(Transpose, a, perm, name=name)
    return result


def _reversed_axes(a: Tensor) -> Tensor:
    """The axes in reverse order, of a tensor whose rank is known when a run is compiled."""
    with get_default_graph().name_scope("transpose"):
        return reverse(range_(0, rank(a)), [0])


@public("invert_permutation", "math.invert_permutation")
def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """y with y[x[i]] = i: the order that undoes the order x.

    x: int32 or int64, a permutation of the numbers below its length; what is none is a ValueError, or
    InvalidArgumentError when run. As `tf.invert_permutation`.

    >>> gc.invert_permutation([2, 0, 1]).eval()
    array([1, 2, 0], dtype=int32)
    """
    result: Tensor = apply(InvertPermutation, x, name=name)
    return result


@public("matrix_transpose", "linalg.transpose", "linalg.matrix_transpose")
def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """The last two axes exchanged: [..., n, m] gives [..., m, n].

    a: of any dtype and a rank of at least 2 (ValueError otherwise), which may be known only when run. conjugate:
    complex numbers are conjugated, too. As `tf.matrix_transpose`.

    >>> gc.matrix_transpose(gc.zeros([5, 2, 3])).shape.as_list()
    [5, 3, 2]
    """
    with get_default_graph().name_scope(name):
        a = convert_to_tensor(a, name="a")
        axes = a.spec.rank
        if axes is None:
            count = rank(a)
            return transpose(a, concat([range_(count - 2), [count - 1, count - 2]], 0), conjugate=conjugate)
        if axes < 2:
            raise ValueError(f"matrix_transpose needs a tensor of rank 2 at least, not {a!r}")
        return transpose(a, [*range(axes - 2), axes - 1, axes - 2], conjugate=conjugate)


@public("reverse", "reverse_v2", "manip.reverse")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The elements in reverse order along the axes `axis`.

    tensor: of any dtype. axis: a list of ints (or a constant int32 vector), negative ones from the end; ValueError for
    one that is out of range, named twice or not known while the graph is built. x[::-1] does the same along one. As
    `tf.reverse` of TensorFlow 1.0 and later.

    >>> gc.reverse([[1, 2, 3], [4, 5, 6]], axis=[1]).eval()
    array([[3, 2, 1],
           [6, 5, 4]], dtype=int32)
    """
    if not isinstance(axis, (list, tuple, np.ndarray, Tensor)):
        axis = [axis]
    result: Tensor = apply(ReverseV2, tensor, axis, name=name)
    return result
