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
    """x converted to dtype, as `tf.cast`. x itself if it has that dtype already."""
    wanted = as_dtype(dtype)
    x = convert_to_tensor(x, name="x")
    if x.dtype == wanted:
        return x
    result: Tensor = apply(Cast, x, name=name, DstT=wanted)
    return result


@public("to_float")
@takes_sparse
def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """x as float32, as `tf.to_float`."""
    return cast(x, float32, name)


@public("to_double")
@takes_sparse
def to_double(x: Any, name: str = "ToDouble") -> Tensor:
    """x as float64, as `tf.to_double`."""
    return cast(x, float64, name)


@public("to_int32")
@takes_sparse
def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """x as int32, as `tf.to_int32`."""
    return cast(x, int32, name)


@public("to_int64")
@takes_sparse
def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """x as int64, as `tf.to_int64`."""
    return cast(x, int64, name)


@public("to_bfloat16")
def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Tensor:
    """x as bfloat16, as `tf.to_bfloat16`."""
    return cast(x, bfloat16, name)


@public("to_complex64")
def to_complex64(x: Any, name: str = "ToComplex64") -> Tensor:
    """x as complex64, as `tf.to_complex64`."""
    return cast(x, complex64, name)


@public("to_complex128")
def to_complex128(x: Any, name: str = "ToComplex128") -> Tensor:
    """x as complex128, as `tf.to_complex128`."""
    return cast(x, complex128, name)
