"""Conversion between dtypes."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, bfloat16, complex64, complex128, float32, float64, int32, int64
from graphc.ir.tensor import Tensor
from graphc.ops.array.cast import Cast


@public("cast")
@takes_sparse
def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """x converted to `dtype`; x itself if it has that dtype already.

    x: numbers or bools, also a SparseTensor. Fractions are cut off towards 0; integers that do not fit wrap, and what
    becomes of floating point numbers that do not depends on the dtype: `gc.saturate_cast` stops at its bounds. Bools
    become 0 and 1, what is not 0 becomes True, and of complex numbers the real part is taken. The gradient passes
    between floating point dtypes. Of any shape, which stays. Raises TypeError for and to strings, and for what is no
    dtype. As `tf.cast`; numbers and strings: `gc.as_string`, `gc.strings.to_number`.

    >>> gc.cast([1.8, -1.8, 300.], gc.int32).eval()
    array([  1,  -1, 300], dtype=int32)
    >>> gc.cast([True, False], gc.float32).eval()
    array([1., 0.], dtype=float32)
    >>> gc.cast([0., 0.5], gc.bool).eval()
    array([False,  True])
    """
    wanted = as_dtype(dtype)
    x = convert_to_tensor(x, name="x")
    if x.dtype == wanted:
        return x
    result: Tensor = apply(Cast, x, name=name, DstT=wanted)
    return result


@public("to_float")
@takes_sparse
def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """x as float32: `gc.cast(x, gc.float32)`. As `tf.to_float`.

    x: numbers or bools, of any shape, also a SparseTensor; TypeError for strings.

    >>> gc.to_float([1, 2]).eval()
    array([1., 2.], dtype=float32)
    """
    return cast(x, float32, name)


@public("to_double")
@takes_sparse
def to_double(x: Any, name: str = "ToDouble") -> Tensor:
    """x as float64: `gc.cast(x, gc.float64)`. As `tf.to_double`.

    x: numbers or bools, of any shape, also a SparseTensor; TypeError for strings.

    >>> gc.to_double([1, 2]).eval()
    array([1., 2.])
    """
    return cast(x, float64, name)


@public("to_int32")
@takes_sparse
def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """x as int32, without its fraction: `gc.cast(x, gc.int32)`. As `tf.to_int32`.

    x: numbers or bools, of any shape, also a SparseTensor; TypeError for strings.

    >>> gc.to_int32([1.8, -1.8]).eval()
    array([ 1, -1], dtype=int32)
    """
    return cast(x, int32, name)


@public("to_int64")
@takes_sparse
def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """x as int64, without its fraction: `gc.cast(x, gc.int64)`. As `tf.to_int64`.

    x: numbers or bools, of any shape, also a SparseTensor; TypeError for strings.

    >>> gc.to_int64([1.8, -1.8]).eval()
    array([ 1, -1])
    """
    return cast(x, int64, name)


@public("to_bfloat16")
def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Tensor:
    """x as bfloat16, which keeps 8 bits of each number: `gc.cast(x, gc.bfloat16)`. As `tf.to_bfloat16`.

    x: numbers or bools, of any shape; TypeError for strings.

    >>> gc.to_float(gc.to_bfloat16([1., 3.14159])).eval()
    array([1.    , 3.1406], dtype=float32)
    """
    return cast(x, bfloat16, name)


@public("to_complex64")
def to_complex64(x: Any, name: str = "ToComplex64") -> Tensor:
    """x as complex64: `gc.cast(x, gc.complex64)`. As `tf.to_complex64`.

    x: numbers or bools, of any shape; TypeError for strings.

    >>> gc.to_complex64([1., 2.]).eval()
    array([1.+0.j, 2.+0.j], dtype=complex64)
    """
    return cast(x, complex64, name)


@public("to_complex128")
def to_complex128(x: Any, name: str = "ToComplex128") -> Tensor:
    """x as complex128: `gc.cast(x, gc.complex128)`. As `tf.to_complex128`.

    x: numbers or bools, of any shape; TypeError for strings.

    >>> gc.to_complex128([1., 2.]).eval()
    array([1.+0.j, 2.+0.j])
    """
    return cast(x, complex128, name)
