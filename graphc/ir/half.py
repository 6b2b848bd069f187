"""The reference of an op on 16-bit floats: that on float32, its results rounded. So it is what maps and kernels
compute, and NumPy's own half precision, which rounds inside of functions, does not get in the way. That on quantized
numbers is that on their integers, and quantized results are integers.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, as_dtype, bfloat16, float32, from_bfloat16_array, integers
from graphc.ir.op import Op
from graphc.ir.spec import Spec


def reference(op: Op, arrays: Sequence[Any], **more: Any) -> Any:
    """op.reference(*arrays)."""
    arrays = [integers(a) if isinstance(a, np.ndarray) else a for a in arrays]
    halves = [isinstance(a, np.ndarray) and a.dtype.kind in "fV" and as_dtype(a.dtype).is_half for a in arrays]
    if not any(halves) or op.takes_halves:
        return op.reference(*arrays, **more)
    wide = [as_float32(a) if half else a for a, half in zip(arrays, halves, strict=True)]
    made = widened(op).reference(*wide, **more)
    results = made if isinstance(made, tuple) else (made,)
    if op.refs:                # new values of variables, which are of one dtype
        wanted = [as_dtype(arrays[halves.index(True)].dtype)] * len(results)
    else:
        wanted = _result_dtypes(op, arrays)
    narrow = tuple(d.array(r) if d.is_half else r for r, d in zip(results, wanted, strict=True))
    return narrow if isinstance(made, tuple) else narrow[0]


def _result_dtypes(op: Op, arrays: Sequence[Any]) -> list[DType]:
    specs = op.infer(*(Spec(as_dtype(np.asarray(a).dtype), np.shape(a)) for a in arrays))
    return [s.dtype for s in (specs if isinstance(specs, tuple) else (specs,))]


def as_float32(array: np.ndarray) -> np.ndarray:
    """An array of float16 or bfloat16 as float32."""
    return from_bfloat16_array(array) if as_dtype(array.dtype) == bfloat16 else array.astype(np.float32)


def widened(op: Op) -> Op:
    """The op with its attributes that name a 16-bit float, alone or in a list, naming float32."""
    fields = {f.name: getattr(op, f.name) for f in dataclasses.fields(op)}
    changed = {name: wide for name, value in fields.items() if (wide := _widened(value)) != value}
    return dataclasses.replace(op, **changed) if changed else op


def _widened(value: Any) -> Any:
    if isinstance(value, tuple) and any(isinstance(v, DType) for v in value):
        return tuple(map(_widened, value))
    return float32 if isinstance(value, DType) and value.is_half else value
