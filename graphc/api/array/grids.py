"""Tensors made of numbers and lengths: linspace, meshgrid, sequence_mask, repeat, unravel_index."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.broadcast import broadcast_to, tile
from graphc.api.array.cast import cast
from graphc.api.array.fill import range_
from graphc.api.array.gather import boolean_mask, gather
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, reshape
from graphc.api.array.shapes import shape as shape_of
from graphc.api.array.shapes import size as size_of
from graphc.api.math.binary import maximum
from graphc.api.math.comparison import less
from graphc.api.math.reduce import reduce_max
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, bool_, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ir.tensor import Tensor
from graphc.ops.array.linspace import LinSpace, UnravelIndex


@public("linspace", "lin_space")
def linspace(start: Any, stop: Any, num: Any, name: str | None = None) -> Tensor:
    """num numbers from start to stop at equal distances, both ends included.

    start, stop: floating point scalars of one dtype; num: an int32 or int64 scalar of at least 1. It has no gradient.
    Raises TypeError for other dtypes or if they differ, ValueError for other ranks and for num below 1
    (InvalidArgumentError when run). As `tf.linspace` of TensorFlow 1: no vectors of starts.

    >>> gc.linspace(0., 1., 5).eval()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    result: Tensor = apply(LinSpace, start, stop, num, name=name)
    return result


@public("unravel_index")
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Row-major positions in a tensor of shape dims as one index an axis: [n] gives [rank, n], one axis a row.

    indices: int32 or int64, a scalar or a vector; a position outside ends the run with InvalidArgumentError. dims: a
    vector. As `tf.unravel_index`.

    >>> gc.unravel_index([5, 0, 3], [2, 3]).eval()
    array([[1, 0, 1],
           [2, 0, 0]], dtype=int32)
    """
    result: Tensor = apply(UnravelIndex, convert_to_tensor(indices, name="indices"), dims, name=name)
    return result


@public("meshgrid")
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The vectors spread over the grid of all of their combinations: a list of tensors of one shape.

    args: of any dtypes, which stay; scalars count as vectors of one element. indexing: "xy" (of two vectors of n and m
    elements the shape is [m, n]: the first runs along the columns) or "ij" ([n, m]); ValueError for others. As
    `tf.meshgrid`.

    >>> x, y = gc.meshgrid([1, 2, 3], [10, 20])
    >>> x.eval()
    array([[1, 2, 3],
           [1, 2, 3]], dtype=int32)
    >>> y.eval()
    array([[10, 10, 10],
           [20, 20, 20]], dtype=int32)
    """
    indexing, name = kwargs.pop("indexing", "xy"), kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with get_default_graph().name_scope(name or "meshgrid"):
        vectors = [convert_to_tensor(x) for x in args]
        places = list(range(len(vectors)))
        if indexing == "xy" and len(vectors) > 1:
            places[:2] = [1, 0]
        sizes = [size_of(x) for x in vectors]
        whole = stack([sizes[places.index(i)] for i in range(len(sizes))]) if sizes else None
        return [broadcast_to(reshape(x, [-1 if i == place else 1 for i in range(len(vectors))]), whole)
                for x, place in zip(vectors, places, strict=True)]


@public("sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = bool_, name: str | None = None) -> Tensor:
    """Rows of lengths[i] times True, then False up to maxlen: [...] gives [..., maxlen].

    lengths: int32 or int64 of any shape. maxlen: a scalar, by default the largest of lengths. dtype: bool, or a number
    dtype for 1 and 0: a mask to multiply losses by. Raises ValueError for a maxlen that is no scalar, TypeError for
    strings. As `tf.sequence_mask`.

    >>> gc.sequence_mask([1, 3, 0]).eval()
    array([[ True, False, False],
           [ True,  True,  True],
           [False, False, False]])
    >>> gc.sequence_mask([1, 2], maxlen=4, dtype=gc.float32).eval()
    array([[1., 0., 0., 0.],
           [1., 1., 0., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SequenceMask"):
        lengths = convert_to_tensor(lengths, name="lengths")
        if maxlen is None:
            maxlen = maximum(reduce_max(lengths), 0)
        else:
            maxlen = convert_to_tensor(maxlen, name="maxlen")
        if maxlen.spec.rank not in (0, None):
            raise ValueError("maxlen must be scalar for sequence_mask")
        made = less(range_(0, maxlen), cast(expand_dims(lengths, -1), maxlen.dtype))
        return made if dtype is None else cast(made, as_dtype(dtype))


@public("repeat")
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each element of `input` along axis `repeats` times, or element i repeats[i] times.

    input: of any dtype and known rank. repeats: an integer scalar, or a vector of the size of that axis. axis: None: of
    the flattened input. Raises ValueError for another rank or length of repeats, an axis out of range, and, with an
    axis, an unknown rank. As `tf.repeat`.

    >>> gc.repeat([1, 2, 3], 2).eval()
    array([1, 1, 2, 2, 3, 3], dtype=int32)
    >>> gc.repeat([[1, 2], [3, 4]], [1, 2], axis=0).eval()
    array([[1, 2],
           [3, 4],
           [3, 4]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "Repeat"):
        data, times = convert_to_tensor(input, name="data"), convert_to_tensor(repeats, name="repeats")
        if axis is None:
            data, axis = reshape(data, [-1]), 0
        if not isinstance(axis, (int, np.integer)):
            raise TypeError(f"repeat: argument 'axis' must be an int, not {axis!r}")
        if data.spec.rank is None or times.spec.rank is None:
            raise ValueError("repeat: the ranks of input and repeats must be known; say them by set_shape")
        if times.spec.rank > 1:
            raise ValueError(f"repeat: argument 'repeats' must be a scalar or a vector, but is {times!r}")
        if not data.spec.rank:
            data = reshape(data, [-1])
        at, rank, sizes = normalise_axis(int(axis), len(data.spec.shape)), len(data.spec.shape), shape_of(data)
        if times.shape.num_elements() == 1:
            each = cast(reshape(times, [1]), int32)
            tiled = tile(expand_dims(data, at + 1), concat([np.ones(at + 1, np.int32), each, np.ones(rank - at - 1,
                                                                                                    np.int32)], 0))
            return reshape(tiled, concat([sizes[:at], sizes[at:at + 1] * each, sizes[at + 1:]], 0))
        count = sizes[at]
        mask = sequence_mask(broadcast_to(times, stack([count])))
        places = broadcast_to(expand_dims(range_(0, count), 1), shape_of(mask))
        made = gather(data, boolean_mask(places, mask), axis=at)
        if times.op.type == "Const" and None not in times.shape.as_list() and times.shape.as_list() != [1]:
            made.set_shape([int(times.op.definition.value.sum()) if i == at else s  # type: ignore[attr-defined]
                            for i, s in enumerate(data.shape.as_list())])
        return made
