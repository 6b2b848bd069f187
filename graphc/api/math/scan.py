"""Running sums and products along one axis."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.scan import Cumprod, Cumsum


@public("cumsum", "math.cumsum")
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running sum along `axis`, a single one.

    x: floating point, complex, int32 or int64; the result has its shape and dtype. exclusive: each element is left out
    of its own sum, which starts with 0. reverse: from the end on. Raises TypeError for other dtypes, ValueError for an
    axis that is not there or that only a run knows. As `tf.cumsum`.

    >>> x = gc.constant([1., 2., 3.])
    >>> gc.cumsum(x).eval()
    array([1., 3., 6.], dtype=float32)
    >>> gc.cumsum(x, exclusive=True).eval()
    array([0., 1., 3.], dtype=float32)
    >>> gc.cumsum(x, reverse=True).eval()
    array([6., 5., 3.], dtype=float32)
    """
    return apply(Cumsum, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)


@public("cumprod", "math.cumprod")
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running product along `axis`, a single one; arguments as of `gc.cumsum`, exclusive ones start with 1.

    The gradient is right where factors are 0. Dtypes, shape and errors as of `gc.cumsum`. As `tf.cumprod`.

    >>> gc.cumprod([1., 2., 3., 4.]).eval()
    array([ 1.,  2.,  6., 24.], dtype=float32)
    >>> gc.cumprod([1., 2., 3., 4.], exclusive=True).eval()
    array([1., 1., 2., 6.], dtype=float32)
    """
    return apply(Cumprod, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)
