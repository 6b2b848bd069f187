"""The element types, under TensorFlow's names and numbers, made from the table of kernels/contracts/dtypes.py."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.kernels.contracts import dtypes as table


@dataclass(frozen=True)
class DType:
    """An element type.

    name is TensorFlow's, short is the one used in Plans and kernel names, number is the value in .pb files; kind and
    size as in the table.
    """

    name: str
    short: str
    number: int
    numpy: np.dtype[Any] | None
    kind: str
    size: int

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type, as `tf.DType.as_numpy_dtype`."""
        return self.numpy.type if self.numpy is not None else object

    @property
    def is_floating(self) -> bool:
        return self.kind == "float"

    @property
    def is_integer(self) -> bool:
        return self.kind in ("int", "uint")

    @property
    def is_bool(self) -> bool:
        return self.kind == "bool"

    @property
    def is_complex(self) -> bool:
        return self.kind == "complex"

    @property
    def stored(self) -> DType:
        """What an element is in the memory of a Plan: of a string its number (docs/adr/0022), else the element."""
        return int64 if self.number == _STRING else self

    @property
    def base_dtype(self) -> DType:
        return self

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


def _dtypes(shorts: Iterable[str]) -> tuple[DType, ...]:
    return tuple(_BY_SHORT[short] for short in shorts)


_STRING = table.DTYPES["str"].number
_BY_SHORT = {row.short: DType(row.name, row.short, row.number, np.dtype(row.name) if row.kind else None,
                              row.kind, row.size)
             for row in table.DTYPES.values()}
(float32, float64, int32, int64, bool_) = _dtypes(("f32", "f64", "i32", "i64", "bool"))
(uint8, int8, int16, uint16, uint32, uint64) = _dtypes(("u8", "i8", "i16", "u16", "u32", "u64"))
(float16, complex64, complex128, string, resource, variant) = _dtypes(
    ("f16", "c64", "c128", "str", "resource", "handle"))

ALL = tuple(sorted(_BY_SHORT.values(), key=lambda dtype: dtype.number))
FLOATING = _dtypes(table.FLOATS)
WIDE = _dtypes(table.NUMBERS)             # what kernels compute in; primitives widen the shorter integers
INTEGERS = _dtypes(table.INTEGERS)
COMPUTED = _dtypes(table.COMPUTED)        # what maps compute; the others are held as constants, uint64 moved as well
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
