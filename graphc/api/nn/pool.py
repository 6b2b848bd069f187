"""The public poolings of one and three spatial axes, those of any number, and the one that says where its maxima
are."""
from __future__ import annotations

from typing import Any

from graphc.api.math.reduce import deprecated
from graphc.api.nn.average_pooling import avg_pool
from graphc.api.nn.max_pooling import max_pool
from graphc.api.nn.ranks import (
    CHANNELS_FIRST,
    CHANNELS_LAST,
    check_format,
    full_list,
    is_channels_first,
    padding_word,
    with_height,
    without_height,
)
from graphc.api.nn.space_to_batch import with_space_to_batch
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Op
from graphc.ir.values import whole
from graphc.ops.nn.argmax_pooling import MaxPoolWithArgmax
from graphc.ops.nn.pooling import public_attributes
from graphc.ops.nn.pooling3d import AvgPool3D, MaxPool3D


def _of_rows(pool: Any, input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None,
             name: str | None) -> Any:
    first = is_channels_first(check_format(data_format, 1, "NHWC", "NCHW"))
    with get_default_graph().name_scope(name or f"{pool.__name__}1d") as scope:
        window, steps = (list(full_list(v, n, 1, first)) for v, n in ((ksize, "ksize"), (strides, "strides")))
        at = 2 if first else 1
        y = pool(with_height(convert_to_tensor(input), first), [*window[:at], 1, *window[at:]],
                 [*steps[:at], 1, *steps[at:]], padding, "NCHW" if first else "NHWC")
        return without_height(y, first, name=scope)


def _of_volumes(op: type[Op], input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None,
                name: str | None) -> Any:
    data_format = check_format(data_format, 3)
    first = is_channels_first(data_format)
    return apply(op, input, ksize=full_list(ksize, "ksize", 3, first), strides=full_list(strides, "strides", 3, first),
                 padding=padding_word(padding), data_format=data_format, name=name)


@public("nn.max_pool1d")
def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The largest element of each window of rows [batch, width, channels].

    ksize, strides: an int, or 1 or 3 numbers; data_format: "NWC", or "NCW" for [batch, channels, width]. Of floats.
    Raises TypeError for other dtypes, ValueError for another rank, padding or data_format, and if a window does not
    fit. As `tf.nn.max_pool1d`.

    >>> x = gc.reshape([1., 5., 2., 0., 3.], [1, 5, 1])
    >>> gc.nn.max_pool1d(x, ksize=2, strides=2, padding="SAME")[0, :, 0].eval()
    array([5., 2., 3.], dtype=float32)
    """
    return _of_rows(max_pool, input, ksize, strides, padding, data_format, name)


@public("nn.avg_pool1d")
def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The mean of each window of rows [batch, width, channels]; padding is not counted.

    ksize, strides: an int, or 1 or 3 numbers; data_format: "NWC" or "NCW". Of floats. Raises TypeError for other
    dtypes, ValueError for another rank, padding or data_format, and if a window does not fit. As `tf.nn.avg_pool1d`.

    >>> x = gc.reshape([1., 5., 2., 0., 3.], [1, 5, 1])
    >>> gc.nn.avg_pool1d(x, ksize=2, strides=2, padding="SAME")[0, :, 0].eval()
    array([3., 1., 3.], dtype=float32)
    """
    return _of_rows(avg_pool, input, ksize, strides, padding, data_format, name)


@public("nn.max_pool3d")
def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The largest element of each box of volumes [batch, depth, height, width, channels].

    ksize, strides: an int, or 1, 3 or 5 numbers; data_format: "NDHWC" or "NCDHW". Of floats. Raises TypeError for other
    dtypes, ValueError for another rank, padding or data_format, and if a window does not fit. As `tf.nn.max_pool3d`.

    >>> x = gc.reshape(gc.range(8.), [1, 2, 2, 2, 1])
    >>> gc.nn.max_pool3d(x, ksize=[1, 2, 2, 1, 1], strides=[1, 2, 2, 1, 1], padding="VALID").eval().ravel()
    array([6., 7.], dtype=float32)
    """
    return _of_volumes(MaxPool3D, input, ksize, strides, padding, data_format, name)


@public("nn.avg_pool3d")
def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The mean of each box of volumes [batch, depth, height, width, channels]; padding is not counted.

    ksize, strides: an int, or 1, 3 or 5 numbers; data_format: "NDHWC" or "NCDHW". Of floats. Raises TypeError for other
    dtypes, ValueError for another rank, padding or data_format, and if a window does not fit. As `tf.nn.avg_pool3d`.

    >>> x = gc.reshape(gc.range(8.), [1, 2, 2, 2, 1])
    >>> gc.nn.avg_pool3d(x, ksize=[1, 2, 2, 1, 1], strides=[1, 2, 2, 1, 1], padding="VALID").eval().ravel()
    array([3., 4.], dtype=float32)
    """
    return _of_volumes(AvgPool3D, input, ksize, strides, padding, data_format, name)


@public("nn.max_pool_v2")
def max_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The largest element of each window, of one to three spatial axes: by the input's rank `max_pool1d`, `max_pool` or
    `max_pool3d`.

    As `tf.nn.max_pool_v2`. Raises ValueError for other ranks, else as those.

    >>> gc.nn.max_pool_v2(gc.reshape([1., 5., 2., 0.], [1, 4, 1]), 2, 2, "VALID").eval().ravel()
    array([5., 2.], dtype=float32)
    """
    return _of_any(max_pool, max_pool1d, max_pool3d, input, ksize, strides, padding, data_format, name)


@public("nn.avg_pool_v2")
def avg_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of each window, of one to three spatial axes: by the input's rank `avg_pool1d`, `avg_pool` or
    `avg_pool3d`.

    As `tf.nn.avg_pool_v2`. Raises ValueError for other ranks, else as those.

    >>> gc.nn.avg_pool_v2(gc.reshape([1., 5., 2., 0.], [1, 4, 1]), 2, 2, "VALID").eval().ravel()
    array([3., 1.], dtype=float32)
    """
    return _of_any(avg_pool, avg_pool1d, avg_pool3d, input, ksize, strides, padding, data_format, name)


def _of_any(of_pictures: Any, of_rows: Any, of_volumes: Any, input: Any, ksize: Any, strides: Any, padding: Any,
            data_format: str | None, name: str | None) -> Any:
    input = convert_to_tensor(input)
    rank = None if input.spec.shape is None else len(input.spec.shape) - 2
    rank = len(data_format) - 2 if rank is None and data_format else rank
    function = {1: of_rows, 2: of_pictures, 3: of_volumes}.get(rank or 0)
    if function is None:
        raise ValueError(f"the input must have 1, 2 or 3 spatial axes, but its rank is {input.spec.rank}")
    return function(input, ksize, strides, padding, data_format or CHANNELS_LAST[rank], name=name)


@public("nn.max_pool_with_argmax")
def max_pool_with_argmax(input, ksize, strides, padding, data_format="NHWC", Targmax=None, name=None,
                         output_dtype=None, include_batch_in_index=False):
    """(the largest element of each window, its place: (row * width + column) * channels + channel).

    input: real numbers (TypeError) [batch, height, width, channels]; "NHWC" only (ValueError). Places are int64, or
    output_dtype (Targmax), int32; with include_batch_in_index they count through the batch. As
    `tf.nn.max_pool_with_argmax`.

    >>> x = gc.reshape([1., 5., 2., 0., 3., 4.], [1, 2, 3, 1])
    >>> y, places = gc.nn.max_pool_with_argmax(x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME")
    >>> places[0, :, :, 0].eval()
    array([[1, 1, 5],
           [4, 5, 5]])
    """
    if data_format != "NHWC":
        raise ValueError(f"Data formats other than 'NHWC' are not yet supported, but it is {data_format!r}")
    dtype = deprecated(output_dtype, Targmax, "output_dtype", "Targmax")
    fields = public_attributes(ksize, strides, padding, "NHWC")
    del fields["data_format"]
    return apply(MaxPoolWithArgmax, input, dtype=int64 if dtype is None else as_dtype(dtype),
                 include_batch_in_index=bool(include_batch_in_index), name=name, **fields)


@public("nn.pool")
def pool(input, window_shape, pooling_type, padding, dilation_rate=None, strides=None, name=None, data_format=None,
         dilations=None):
    """Pooling of one to three spatial axes, "MAX" or "AVG", with holes in the window.

    window_shape, dilation_rate, strides: one number a spatial axis; data_format: channels are axis 1 if it starts with
    "NC". As `tf.nn.pool`. Raises ValueError for another pooling_type or rank, for windows that do not fit, and for
    strides and holes together.

    >>> x = gc.reshape([1., 5., 2., 0., 3.], [1, 5, 1])
    >>> gc.nn.pool(x, [2], "MAX", "VALID", dilation_rate=[2])[0, :, 0].eval()
    array([2., 5., 3.], dtype=float32)
    """
    dilation_rate = deprecated(dilation_rate, dilations, "dilation_rate", "dilations")
    with get_default_graph().name_scope(name or f"{pooling_type.lower()}_pool") as scope:
        input = convert_to_tensor(input, name="input")
        rank, first = len(list(window_shape)), is_channels_first(data_format)
        if pooling_type not in ("MAX", "AVG") or not 1 <= rank <= 3:
            raise ValueError(f"pooling_type must be MAX or AVG, with 1 to 3 spatial axes, but is {pooling_type!r} with "
                             f"{rank}")
        rates = [1] * rank if dilation_rate is None else [whole(r) for r in dilation_rate]
        steps = [1] * rank if strides is None else [whole(s) for s in strides]
        if any(r > 1 for r in rates) and any(s > 1 for s in steps):
            raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
        functions: Any = {"MAX": (max_pool1d, max_pool, max_pool3d), "AVG": (avg_pool1d, avg_pool, avg_pool3d)}
        layout = (CHANNELS_FIRST if first else CHANNELS_LAST)[rank]

        def op(x: Any, _: Any, word: str) -> Any:
            return functions[pooling_type][rank - 1](x, full_list(window_shape, "window_shape", rank, first),
                                                     full_list(steps, "strides", rank, first), word,
                                                     data_format=layout, name=scope)

        return with_space_to_batch(input, rates, padding, op, filter_shape=list(window_shape),
                                   data_format=data_format)
