"""Sums of products along chosen axes, as one product of matrices."""
from __future__ import annotations

from itertools import pairwise

from graphc.api.array.fill import range_
from graphc.api.array.join import concat
from graphc.api.array.shapes import rank, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_prod
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis


@public("tensordot", "linalg.tensordot")
def tensordot(a, b, axes, name=None):
    """The sums of products of a and b along axes; the result has the other axes of a, then those of b.

    axes: an int N (the last N axes of a, the first N of b; 0: all products), or two lists of axes that belong together.
    a, b: of one dtype, as of `gc.matmul` (TypeError otherwise). Raises ValueError for axes that are not there, or known
    to differ in size, and for axes from both ends of a tensor whose rank only the run knows. As `tf.tensordot`.

    >>> a, b = gc.constant([[1., 2.], [3., 4.]]), gc.constant([[5., 6.], [7., 8.]])
    >>> gc.tensordot(a, b, axes=1).eval()
    array([[19., 22.],
           [43., 50.]], dtype=float32)
    >>> gc.tensordot(a, b, axes=[[0, 1], [0, 1]]).eval()
    np.float32(70.0)
    """
    with get_default_graph().name_scope(name or "Tensordot") as scope:
        if is_tensor_like(b) and not is_tensor_like(a):
            a = convert_to_tensor(a, dtype=b.dtype.base_dtype, name="a")
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, dtype=None if is_tensor_like(b) else a.dtype, name="b")
        if is_tensor_like(axes):
            axes = _known(axes)
        if isinstance(axes, int):
            return _last_by_first(a, b, axes, scope)
        of_a, of_b = _pair(axes)
        of_a, of_b = _checked_axes("a", a, of_a), _checked_axes("b", b, of_b)
        if a.spec.rank is not None and b.spec.rank is not None:
            _check_sizes(a, b, of_a, of_b)
        a = transpose(a, _joined([*_others(a, of_a), *_places(a, of_a)]))
        b = transpose(b, _joined([*_places(b, of_b), *_others(b, of_b)]))
        return _last_by_first(a, b, len(of_a), scope)


def _checked_axes(label, x, axes):
    """The axes counted from the front, where the rank is known; else all from the front, or all from the end."""
    if x.spec.rank is not None:
        axes = [normalise_axis(i, x.spec.rank) for i in axes]
    elif len({i < 0 for i in axes}) > 1:
        raise ValueError(f"tensordot: the rank of {label} is not known, so its axes must be counted from one end, but "
                         f"are {axes}; use set_shape")
    if len(set(axes)) != len(axes):
        raise ValueError(f"tensordot: the axes of {label}, {axes}, name one axis twice")
    return axes


def _places(x, axes):
    return [i if i >= 0 else rank(x) + i for i in axes]


def _others(x, axes):
    """The axes that are not named: numbers, or ranges of tensors where the rank is not known."""
    if x.spec.rank is not None:
        return [i for i in range(x.spec.rank) if i not in axes]
    edges = [-1, *_places(x, sorted(axes)), rank(x)]
    return [range_(before + 1, behind) for before, behind in pairwise(edges)]


def _joined(parts):
    if not any(is_tensor_like(part) for part in parts):
        return parts
    return concat([part if is_tensor_like(part) and part.spec.rank == 1 else [part] for part in parts], 0)


def _known(axes):
    """axes given as a tensor: its value must be known."""
    value = convert_to_tensor(axes).value_sizes()
    if value is None or not all(isinstance(v, int) for v in value):
        raise ValueError("tensordot: axes must be known while the graph is built; give them as Python numbers")
    return value[0] if len(value) == 1 else [value[: len(value) // 2], value[len(value) // 2 :]]


def _pair(axes):
    if len(axes) != 2:
        raise ValueError("'axes' must be an integer or have length 2.")
    of_a, of_b = (
        [int(x)] if not isinstance(x, (list, tuple)) and not hasattr(x, "__len__") else [int(i) for i in x]
        for x in axes
    )
    if len(of_a) != len(of_b):
        raise ValueError(f"Different number of contraction axes 'a' and 'b', {len(of_a)} != {len(of_b)}.")
    return of_a, of_b


def _check_sizes(a, b, of_a, of_b):
    """Raises ValueError where sizes along paired axes are known to differ; their product alone might be equal."""
    for i, j in zip(of_a, of_b, strict=True):
        x, y = a.shape[i].value, b.shape[j].value
        if x is not None and y is not None and x != y:
            raise ValueError(
                f"tensordot: axis {i} of a has size {x}, but axis {j} of b has size {y}: shapes {a.shape} and {b.shape}"
            )


def _last_by_first(a, b, count, name):
    """The sums along the last `count` axes of a and the first of b."""
    if count < 0:
        raise ValueError("'axes' must be at least 0.")
    for label, x in (("a", a), ("b", b)):
        if x.spec.rank is not None and count > x.spec.rank:
            raise ValueError(
                f"'axes' must not be larger than the number of dimensions of tensor {label}, which has shape "
                f"{x.shape}, but is {count}"
            )
    kept = rank(a) - count if a.spec.rank is None else a.spec.rank - count
    if a.spec.rank is not None and b.spec.rank is not None:
        _check_sizes(a, b, range(kept, a.spec.rank), range(count))
    left, inner = shape(a)[:kept], shape(a)[kept:]
    right = shape(b)[count:]
    product = matmul(reshape(a, _sizes(left, inner)), reshape(b, _sizes(shape(b)[:count], right)))
    return reshape(product, concat([left, right], 0), name=name)


def _sizes(rows, columns):
    return [reduce_prod(rows, 0), reduce_prod(columns, 0)]
