"""The element types, under TensorFlow's names and numbers, made from the table of kernels/contracts/dtypes.py."""
from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import numpy as np

from graphc.errors import UnimplementedError
from graphc.ir.records import dataclass
from graphc.kernels.contracts import dtypes as table


@dataclass(frozen=True)
class DType:
    """An element type: `gc.float32`, `gc.int64`, `gc.string`, ...

    name is TensorFlow's, short is the one used in Plans and kernel names, number is the value in .pb files; kind and
    size as in the table. As `tf.DType`. min and max raise TypeError for bool, complex and string.

    >>> gc.float32.name, gc.float32.size, gc.float32.as_numpy_dtype.__name__, gc.float32.is_floating
    ('float32', 4, 'float32', True)
    >>> gc.int8.min, gc.int8.max
    (-128, 127)
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
        if self.is_quantized:
            return self.numpy
        return self.numpy.type if self.numpy is not None else object

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether NumPy has arrays of it."""
        return self.numpy is not None

    @property
    def is_floating(self) -> bool:
        """Whether it is a floating point number, 16-bit ones included."""
        return self.kind == "float"

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer, other than a quantized one."""
        return self.kind in ("int", "uint")

    @property
    def is_unsigned(self) -> bool:
        """Whether it is an integer without negative values."""
        return self.kind == "uint"

    @property
    def is_quantized(self) -> bool:
        """Whether it is an integer that stands for a number in a range: qint8 and its like."""
        return self.kind == "quantized"

    @property
    def is_half(self) -> bool:
        """Whether it is a floating point number of 16 bits, which is computed in float32."""
        return self.short in ("f16", "bf16")

    @property
    def real_dtype(self) -> DType:
        """The dtype of a complex number's parts; of any other dtype itself."""
        return {"c64": float32, "c128": float64}.get(self.short, self)

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients go through it: floating point and complex numbers, and lists of them."""
        return self.kind in ("float", "complex") or self.short == "handle"

    @property
    def is_bool(self) -> bool:
        """Whether it is bool."""
        return self.kind == "bool"

    @property
    def is_complex(self) -> bool:
        """Whether it is a complex number."""
        return self.kind == "complex"

    @property
    def unquantized(self) -> DType:
        """The integer that a quantized number is while it is computed with; of any other dtype itself."""
        return _BY_NAME[self.name.replace("q", "")] if self.kind == "quantized" else self

    @property
    def stored(self) -> DType:
        """What an element is in the memory of a Plan: of a string its number (docs/adr/0022), of a quantized number its
        integer, else the element."""
        return int64 if self.number == _STRING else self.unquantized

    @property
    def base_dtype(self) -> DType:
        """Itself: graphc's tensors hold values, no references."""
        return self

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a value of `other` may be used as one of this dtype: it is the same, whether of a variable or not."""
        return self.base_dtype == as_dtype(other).base_dtype

    @property
    def as_datatype_enum(self) -> int:
        """The number that .pb files have for it."""
        return self.number

    @property
    def limits(self) -> tuple[Any, Any]:
        """(smallest, largest value)."""
        return (self.min, self.max)

    @property
    def min(self) -> Any:
        """The smallest value."""
        return self._limits().min

    @property
    def max(self) -> Any:
        """The largest value."""
        return self._limits().max

    def _limits(self) -> Any:
        if self.numpy is None or self.numpy.kind not in "fiu":
            raise TypeError(f"{self.name} has no smallest and no largest value")
        return np.finfo(self.numpy) if self.is_floating else np.iinfo(self.numpy)

    def array(self, value: Any) -> np.ndarray[Any, Any]:
        """value, numbers or an array of them, as an array of this dtype."""
        return np.asarray(value).astype(self.numpy)

    def __repr__(self) -> str:
        return f"gc.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, DType):
            return self.number == other.number
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.number)


class _BFloat16(DType):
    """bfloat16: the upper half of a float32. NumPy has none; ml_dtypes (`pip install graphc[bfloat16]`) gives it one.

    Without it, arrays of this dtype are their bits under a name, which nothing can compute with: constants and saved
    files hold them, feeds and fetches refuse them.
    """

    def __init__(self, row: table.Row) -> None:
        for field, value in (("name", row.name), ("short", row.short), ("number", row.number), ("kind", row.kind),
                             ("size", row.size)):
            object.__setattr__(self, field, value)

    @property
    def numpy(self) -> np.dtype[Any]:
        return _bfloat16_of_numpy()

    @property
    def as_numpy_dtype(self) -> Any:
        """ml_dtypes.bfloat16. Raises UnimplementedError without ml_dtypes."""
        need_bfloat16()
        return self.numpy.type

    def _limits(self) -> Any:
        need_bfloat16()
        from ml_dtypes import finfo
        return finfo(self.numpy)  # type: ignore[no-untyped-call]

    def array(self, value: Any) -> np.ndarray[Any, Any]:
        return bfloat16_array(value)

    __hash__ = DType.__hash__


_BFLOAT16_BITS = np.dtype([("bfloat16", np.uint16)])
HAS_BFLOAT16 = find_spec("ml_dtypes") is not None
_found_bfloat16: list[np.dtype[Any]] = []


def _bfloat16_of_numpy() -> np.dtype[Any]:
    # ml_dtypes takes a tenth of a second to import: only who uses bfloat16 waits for it.
    if not _found_bfloat16:
        if HAS_BFLOAT16:
            from ml_dtypes import bfloat16 as from_ml_dtypes
            _found_bfloat16.append(np.dtype(from_ml_dtypes))
        else:
            _found_bfloat16.append(_BFLOAT16_BITS)
    return _found_bfloat16[0]


def need_bfloat16() -> None:
    """Raises UnimplementedError if NumPy arrays of bfloat16 cannot be made or read here."""
    if not HAS_BFLOAT16:
        raise UnimplementedError("NumPy has no bfloat16: install ml_dtypes (pip install graphc[bfloat16]), or cast to "
                                 "float32 inside the graph (gc.cast), which needs nothing")


def bfloat16_array(array: Any) -> np.ndarray[Any, Any]:
    """An array of numbers as bfloat16, rounded to the nearest, halves to even."""
    if HAS_BFLOAT16:
        with np.errstate(all="ignore"):
            return np.asarray(array).astype(_bfloat16_of_numpy())
    wide = np.asarray(array, np.float32)
    whole = np.ascontiguousarray(wide).view(np.uint32).astype(np.uint64)
    rounded = (whole + 0x7FFF + ((whole >> 16) & 1)) >> 16
    upper = np.where(np.isnan(wide), (whole >> 16) | 0x7FC0, rounded).astype(np.uint16)
    return upper.reshape(wide.shape).view(_BFLOAT16_BITS)


def from_bfloat16_array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of bfloat16 as float32."""
    if HAS_BFLOAT16:
        return array.astype(np.float32)
    return (np.ascontiguousarray(array).view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(array.shape)


def integers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of quantized numbers as the integers that they are; any other array as it is."""
    dtype = _BY_NUMPY.get(array.dtype) if array.dtype.names else None
    return array.view(dtype.unquantized.numpy) if dtype is not None and dtype.is_quantized else array


def _numpy_type(row: table.Row) -> np.dtype[Any] | None:
    """Quantized numbers are named integers, so that nothing takes them for integers."""
    if row.kind == "quantized":
        return np.dtype([(row.name, row.name.replace("q", ""))])
    return np.dtype(row.name) if row.kind else None


def _dtypes(shorts: Iterable[str]) -> tuple[DType, ...]:
    return tuple(_BY_SHORT[short] for short in shorts)


_STRING = table.DTYPES["str"].number
_BY_SHORT = {row.short: _BFloat16(row) if row.short == "bf16" else
             DType(row.name, row.short, row.number, _numpy_type(row), row.kind, row.size)
             for row in table.DTYPES.values()}
(float16, bfloat16, float32, float64) = FLOATING = _dtypes(("f16", "bf16", "f32", "f64"))
(int32, int64, uint8, int8, int16, uint16, uint32, uint64) = INTEGERS = _dtypes(
    ("i32", "i64", "u8", "i8", "i16", "u16", "u32", "u64"))
(complex64, complex128) = COMPLEX = _dtypes(("c64", "c128"))
(qint8, quint8, qint32, qint16, quint16) = QUANTIZED = _dtypes(("qi8", "qu8", "qi32", "qi16", "qu16"))
(bool_, string, resource, variant) = _dtypes(("bool", "str", "resource", "handle"))
half, double = float16, float64

ALL = tuple(sorted(_BY_SHORT.values(), key=lambda dtype: dtype.number))
HALVES = (float16, bfloat16)
WIDE = (*FLOATING, int32, int64)
NUMERIC = (*FLOATING, *INTEGERS, *COMPLEX)
# What maps compute: primitives have float32, float64, int32, int64 and bool, to which plan/scalar_program.py brings the
# others. Quantized numbers have a name of their own in files, Specs and constants; in a Plan they are integers.
COMPUTED = (*NUMERIC, bool_)
_BY_NAME = {d.name: d for d in ALL} | {d.short: d for d in ALL} | {"half": float16, "float": float32, "double": float64}
_BY_NUMBER = {d.number: d for d in ALL}
_BY_NUMPY = {d.numpy: d for d in ALL if d is not bfloat16 and d.numpy is not None} | {_BFLOAT16_BITS: bfloat16}
REF_OFFSET = 100   # DT_FLOAT_REF = DT_FLOAT + 100: TF 1 reference variables


def as_dtype(type_value: Any) -> DType:
    """The DType that `type_value` (a DType, TF name, TF number, NumPy dtype or Python type) stands for.

    As `tf.as_dtype`. Raises TypeError if there is none.

    >>> gc.as_dtype("int32"), gc.as_dtype(np.float64), gc.as_dtype(bool), gc.as_dtype(1)
    (gc.int32, gc.float64, gc.bool, gc.float32)
    """
    value: Any = type_value.removesuffix("_ref") if isinstance(type_value, str) else type_value
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
    if value is None:
        raise TypeError("cannot convert None to a dtype")      # NumPy takes it for float64
    try:
        as_numpy = np.dtype(value)
    except TypeError:
        raise TypeError(f"cannot convert {value!r} to a dtype") from None
    if as_numpy.kind in "SUO":
        return string
    if as_numpy in _BY_NUMPY:
        return _BY_NUMPY[as_numpy]
    if as_numpy.name == "bfloat16":
        return bfloat16
    raise TypeError(f"no dtype of graphc stands for NumPy's {as_numpy}")
