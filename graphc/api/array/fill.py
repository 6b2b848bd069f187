"""Tensors of one value or of a row of numbers: fill, zeros, ones, range."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.source import constant
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, as_dtype, float32, int32, int64, string
from graphc.ir.elementwise import KINDS
from graphc.ir.graph import get_default_graph
from graphc.ir.known import known_shape
from graphc.ir.op import Op
from graphc.ir.registry import OPS
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape
from graphc.ops.array.cast import Cast
from graphc.ops.array.fill import Fill, OnesLike, Range, ZerosLike

CONSTANT_LIMIT = 1000    # zeros and ones of fewer elements are constants, as in TF


@public("fill")
def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` with `value` everywhere, and of its dtype.

    dims: a list or an int32 or int64 vector, also of sizes that only a run knows. value: a scalar of any dtype. Raises
    ValueError if value is no scalar or a size is negative (InvalidArgumentError when run), TypeError for Python sizes
    that are no integers. As `tf.fill`.

    >>> gc.fill([2, 3], 7).eval()
    array([[7, 7, 7],
           [7, 7, 7]], dtype=int32)
    """
    result: Tensor = apply(Fill, dims, value, name=name)
    return result


@public("zeros")
def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Zeros of `shape` and `dtype` (False of bool, empty strings of string).

    shape: a list, a TensorShape or an int32 or int64 vector, also of sizes that only a run knows: initial states of any
    batch. A whole number such as 4 / 2 counts as a size. Raises ValueError for negative sizes (InvalidArgumentError
    when run), TypeError for None and for what is no dtype. As `tf.zeros`.

    >>> gc.zeros([2, 3], gc.int32).eval()
    array([[0, 0, 0],
           [0, 0, 0]], dtype=int32)
    >>> batch = gc.placeholder(gc.float32, [None, 4])
    >>> gc.zeros([gc.shape(batch)[0], 2]).eval({batch: np.ones((3, 4))})
    array([[0., 0.],
           [0., 0.],
           [0., 0.]], dtype=float32)
    """
    return _filled(shape, dtype, name or "zeros", 0)


@public("ones")
def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Ones of `shape` and `dtype` (True of bool).

    shape: a list, a TensorShape or an int32 or int64 vector, also of sizes that only a run knows. Raises TypeError for
    strings, else as `gc.zeros`. As `tf.ones`.

    >>> gc.ones([3], gc.bool).eval()
    array([ True,  True,  True])
    """
    return _filled(shape, dtype, name or "ones", 1)


def _filled(shape: Any, dtype: Any, name: str, number: int) -> Tensor:
    wanted = as_dtype(dtype)
    if wanted == string and number:
        raise TypeError("there is no string that is 1; argument 'dtype' must be a number or bool")
    value: Any = b"" if wanted == string else wanted.unquantized.as_numpy_dtype(number)
    with get_default_graph().name_scope(name) as scope:
        if not is_tensor_like(shape):
            if isinstance(shape, (list, tuple)):
                shape = [int(size) if isinstance(size, float) and size.is_integer() else size for size in shape]
            try:
                sizes = TensorShape(shape)
            except (TypeError, ValueError):
                sizes = TensorShape(None)
            count = sizes.num_elements()
            if count is not None and count < CONSTANT_LIMIT:
                return constant(value, wanted, sizes.as_list(), name=scope)
            if count is None and isinstance(shape, (list, tuple)):
                shape = convert_to_tensor(shape)
        else:
            shape = convert_to_tensor(shape)
            if shape.spec.rank == 0:
                from graphc.api.array.shapes import reshape

                shape = reshape(shape, [-1])
        return fill(shape, constant(value, wanted), name=scope)


@public("zeros_like")
def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Zeros of the shape of `tensor`, and of its dtype unless another is given.

    The shape is that of a run; one that is known already becomes a constant unless optimize is False. Raises ValueError
    for None, TypeError for what is no dtype. As `tf.zeros_like`.

    >>> x = gc.placeholder(gc.float32, [None])
    >>> gc.zeros_like(x, gc.int32).eval({x: [1., 2., 3.]})
    array([0, 0, 0], dtype=int32)
    """
    return _like(tensor, dtype, name or "zeros_like", optimize, ZerosLike, zeros)


@public("ones_like")
def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Ones of the shape of `tensor`, and of its dtype unless another is given; else as `gc.zeros_like`. As
    `tf.ones_like`.

    Raises TypeError for strings.

    >>> gc.ones_like([[1., 2.], [3., 4.]]).eval()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    return _like(tensor, dtype, name or "ones_like", optimize, OnesLike, ones)


def _like(tensor: Any, dtype: Any, name: str, optimize: bool, op: type[Op], full: Any) -> Tensor:
    with get_default_graph().name_scope(name) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        wanted = tensor.dtype if dtype is None else as_dtype(dtype)
        shape = known_shape(tensor)
        if optimize and shape is not None:
            made: Tensor = full(list(shape), wanted, name=scope)
            return made
        if wanted != tensor.dtype:
            from graphc.api.array.shapes import shape as shape_of

            made = full(shape_of(tensor), wanted, name=scope)
            return made
        result: Tensor = apply(op, tensor, name=scope)
        return result


@public("range")
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """start, start + delta, ... up to limit, which is left out; range(n) starts at 0.

    start, limit, delta: Python numbers or scalar tensors of any real dtype (also known only when run). The dtype is the
    largest of those given, floats going before integers; Python floats give float32. Raises ValueError if delta is 0.
    As `tf.range`, but that number i of floats is start + i * delta, where TensorFlow adds delta i times.

    >>> gc.range(3, 10, 3).eval()
    array([3, 6, 9], dtype=int32)
    >>> gc.range(0., 1., 0.25).eval()
    array([0.  , 0.25, 0.5 , 0.75], dtype=float32)
    >>> batch = gc.placeholder(gc.float32, [None, 4])
    >>> gc.range(gc.shape(batch)[0]).eval({batch: np.ones((3, 4))})
    array([0, 1, 2], dtype=int32)
    >>> gc.range(gc.reduce_max(batch), delta=0.5).eval({batch: [[1.1, 0., 0., 0.]]})
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if limit is None:
        start, limit = 0, start
    if not any(is_tensor_like(v) for v in (start, limit, delta)):
        arrays = [np.asarray(int(v) if hasattr(v, "value") and not isinstance(v, np.generic) else v)
                  for v in (start, limit, delta)]
        wanted = as_dtype(dtype) if dtype is not None else _range_dtype(arrays)
        if wanted not in KINDS["index"]:
            return constant(np.arange(*(a.item() for a in arrays), dtype=wanted.numpy), name=name)
        start, limit, delta = (int(a) for a in arrays)
    else:
        given = [v.dtype if is_tensor_like(v) else _range_dtype([np.asarray(v)]) for v in (start, limit, delta)]
        wanted = as_dtype(dtype) if dtype is not None else max(given, key=lambda d: (d.is_floating, d.size))
        if wanted.is_floating:
            return _range_of_floats(start, limit, delta, wanted, name)
    with get_default_graph().name_scope(name) as scope:
        operands = [cast(v, wanted) if is_tensor_like(v) else constant(v, wanted, name=label)
                    for v, label in ((start, "start"), (limit, "limit"), (delta, "delta"))]
        result: Tensor = apply(Range, *operands, name=scope, dtype=wanted)
    return result


def _range_of_floats(start: Any, limit: Any, delta: Any, wanted: DType, name: str) -> Tensor:
    """The count is computed in float32 for 16-bit floats, as TensorFlow does."""
    wide = wanted if wanted.size >= float32.size else float32
    with get_default_graph().name_scope(name) as scope:
        one: Any = 1
        if is_tensor_like(delta):                         # 0 then is the error that a range of integers has
            one = apply(Cast, apply(OPS["NotEqual"], delta, 0), DstT=int32)
        elif delta == 0:
            raise ValueError("range: argument 'delta' must not be 0")
        start, limit, delta = (cast(cast(v, wanted), wide) for v in (start, limit, delta))
        steps = apply(OPS["Ceil"], (limit - start) / delta)
        count = apply(OPS["Maximum"], cast(steps, int32), 0)
        numbers = cast(apply(Range, 0, count, one, dtype=int32), wide)
        made = apply(OPS["StopGradient"], start + numbers * delta)           # as TensorFlow's ranges have none
        result: Tensor = apply(Cast, made, name=scope, DstT=wanted)
    return result


def _range_dtype(arrays: Sequence[np.ndarray]) -> DType:
    if any(a.dtype.kind == "f" for a in arrays):
        return float32
    return int64 if any(abs(int(a)) > 2**31 - 1 for a in arrays) else int32
