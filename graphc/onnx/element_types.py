"""ONNX's element types and graphc's dtypes."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.errors import UnimplementedError
from graphc.onnx.narrow import FORMATS

# TensorProto.DataType. What is missing here has 8 bits or fewer: narrow.py.
_DTYPES = {1: gc.float32, 2: gc.uint8, 3: gc.int8, 4: gc.uint16, 5: gc.int16, 6: gc.int32, 7: gc.int64, 8: gc.string,
           9: gc.bool, 10: gc.float16, 11: gc.float64, 12: gc.uint32, 13: gc.uint64, 14: gc.complex64,
           15: gc.complex128, 16: gc.bfloat16}
_NUMBERS = {dtype: number for number, dtype in _DTYPES.items()}
_NAMES = {24: "FLOAT8E8M0", 27: "FLOAT6E2M3", 28: "FLOAT6E3M2"}


def dtype_of(number: int, what: str) -> Any:
    """The DType of TensorProto.DataType `number`. Raises UnimplementedError, which names `what`, if graphc has none."""
    if number not in _DTYPES:
        name = FORMATS[number].name if number in FORMATS else _NAMES.get(number, number)
        raise UnimplementedError(f"{what} has the element type {name}, which graphc does not have")
    return _DTYPES[number]


def held_dtype_of(number: int, what: str) -> Any:
    """As `dtype_of`; of narrow numbers the dtype that holds them."""
    return FORMATS[number].held if number in FORMATS else dtype_of(number, what)


def number_of(dtype: Any) -> int:
    """The TensorProto.DataType of a DType. Raises UnimplementedError if ONNX has none."""
    if dtype not in _NUMBERS:
        raise UnimplementedError(f"ONNX has no element type for {dtype.name}")
    return _NUMBERS[dtype]
