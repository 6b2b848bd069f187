"""The element types, under TensorFlow's names and numbers (DataType in types.proto)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class DType:
    """An element type.

    name is TensorFlow's, short is the one used in Plans and kernel names, number is the value in .pb files.
    """

    name: str
    short: str
    number: int
    numpy: np.dtype[Any] | None

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type, as `tf.DType.as_numpy_dtype`."""
        return self.numpy.type if self.numpy is not None else object

    @property
    def is_floating(self) -> bool:
        return self.short in ("f16", "bf16", "f32", "f64")

    @property
    def is_integer(self) -> bool:
        return self.numpy is not None and self.numpy.kind in "iu"

    @property
    def is_bool(self) -> bool:
        return self.short == "bool"

    @property
    def is_complex(self) -> bool:
        return self.short in ("c64", "c128")

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def size(self) -> int:
        return self.numpy.itemsize if self.numpy is not None else 8

    @property
    def min(self) -> Any:
        return np.finfo(self.numpy).min if self.is_floating else np.iinfo(self.numpy).min

    @property
    def max(self) -> Any:
        return np.finfo(self.numpy).max if self.is_floating else np.iinfo(self.numpy).max

    def __repr__(self) -> str:
        return f"gc.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.number == other.number
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.number)


float32 = DType("float32", "f32", 1, np.dtype(np.float32))
float64 = DType("float64", "f64", 2, np.dtype(np.float64))
int32 = DType("int32", "i32", 3, np.dtype(np.int32))
uint8 = DType("uint8", "u8", 4, np.dtype(np.uint8))
int16 = DType("int16", "i16", 5, np.dtype(np.int16))
int8 = DType("int8", "i8", 6, np.dtype(np.int8))
string = DType("string", "str", 7, None)
complex64 = DType("complex64", "c64", 8, np.dtype(np.complex64))
int64 = DType("int64", "i64", 9, np.dtype(np.int64))
bool_ = DType("bool", "bool", 10, np.dtype(np.bool_))
uint16 = DType("uint16", "u16", 17, np.dtype(np.uint16))
complex128 = DType("complex128", "c128", 18, np.dtype(np.complex128))
float16 = DType("float16", "f16", 19, np.dtype(np.float16))
resource = DType("resource", "resource", 20, None)
variant = DType("variant", "handle", 21, None)
uint32 = DType("uint32", "u32", 22, np.dtype(np.uint32))
uint64 = DType("uint64", "u64", 23, np.dtype(np.uint64))

ALL = (float32, float64, int32, uint8, int16, int8, string, complex64, int64, bool_, uint16, complex128, float16,
       resource, variant, uint32, uint64)
FLOATING = (float32, float64)
WIDE = (*FLOATING, int32, int64)          # what kernels compute in; primitives widen the shorter integers
INTEGERS = (int32, int64, uint8, int8, int16, uint16, uint32)
COMPUTED = (*FLOATING, *INTEGERS, bool_)  # what maps compute; the others are held as constants, uint64 moved as well
_BY_NAME = {d.name: d for d in ALL} | {d.short: d for d in ALL} | {"half": float16, "float": float32, "double": float64}
_BY_NUMBER = {d.number: d for d in ALL}
_BY_NUMPY = {d.numpy: d for d in ALL if d.numpy is not None}
REF_OFFSET = 100   # DT_FLOAT_REF = DT_FLOAT + 100: TF 1 reference variables


def as_dtype(value: Any) -> DType:
    """The DType that `value` (a DType, TF name, TF number, NumPy dtype or Python type) stands for.

    Raises TypeError if there is none, as `tf.as_dtype`.
    """
    if isinstance(value, DType):
        return value
    if isinstance(value, str) and value in _BY_NAME:
        return _BY_NAME[value]
    if isinstance(value, int) and not isinstance(value, bool):
        number = value - REF_OFFSET if value > REF_OFFSET else value
        if number in _BY_NUMBER:
            return _BY_NUMBER[number]
        raise TypeError(f"no dtype has the number {value}")
    if value in (str, bytes):
        return string
    try:
        as_numpy = np.dtype(value)
    except TypeError:
        raise TypeError(f"cannot convert {value!r} to a dtype") from None
    if as_numpy.kind in "SUO":
        return string
    if as_numpy in _BY_NUMPY:
        return _BY_NUMPY[as_numpy]
    raise TypeError(f"no dtype of graphc stands for NumPy's {as_numpy}")
