"""Samples of an op in every element type that it accepts, made from those that its class gives.

A sample's arrays and type attributes of one dtype are a *slot* (a float32 input together with T = float32); a variant
is the sample with one slot in another dtype, its numbers in that dtype's range. Which dtypes an op accepts is what its
`infer` says; so an op that accepts one more dtype is tested in it without another line.
"""
from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from graphc.ir.dtypes import (
    DType,
    as_dtype,
    bool_,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from graphc.ir.op import Op, Sample

from samples import arrays

# Accepted for constants only, which are computed while compiling; refused when a run is compiled.
CONSTANTS_ONLY = {"Cast": ("uint64",)}
HELD = (float32, float64, int32, int64, bool_, uint8, int8, int16, uint16, uint32, uint64, string)


@dataclasses.dataclass(frozen=True)
class Variant:
    """sample: arrays only, `changed` from one dtype to another."""

    sample: Sample
    changed: tuple[DType, DType]

    def __str__(self) -> str:
        return f"{self.changed[0].name} as {self.changed[1].name}"


def variants(op: type[Op]) -> Iterator[Variant]:
    """Of each slot that any sample has, the first sample with elements, in every dtype."""
    seen: set[tuple[str, ...]] = set()
    for sample in op.samples:
        values = arrays(op, sample)
        if any(v.size == 0 for v in values):
            continue
        slots = {as_dtype(v.dtype) for v in values} | {a for a in sample.attributes.values() if isinstance(a, DType)}
        for slot in sorted(slots & set(HELD), key=lambda d: d.number):
            where = tuple(str(i) for i, v in enumerate(values) if as_dtype(v.dtype) == slot) + tuple(
                k for k, a in sample.attributes.items() if isinstance(a, DType) and a == slot)
            if where not in seen:
                seen.add(where)
                for dtype in HELD:
                    yield Variant(_changed(op, sample, values, slot, dtype), (slot, dtype))


def _changed(op: type[Op], sample: Sample, values: list[np.ndarray], slot: DType, dtype: DType) -> Sample:
    generator = np.random.default_rng(zlib.crc32(f"{op.type} {dtype.name}".encode()))
    made = []
    for given, value in zip(sample.inputs, values, strict=True):
        if as_dtype(value.dtype) == slot and slot != dtype:
            drawn = not isinstance(given, (np.ndarray, np.generic)) and not slot.is_integer
            value = _drawn(generator, value.shape, dtype, sample) if drawn else _moved(value, dtype)
        made.append(value)
    attributes = {k: _attribute(a, slot, dtype) for k, a in sample.attributes.items()}
    return Sample(attributes, tuple(made), tolerance=sample.tolerance)


def _attribute(value: Any, slot: DType, dtype: DType) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == slot.numpy:
        return _moved(value, dtype)
    return dtype if isinstance(value, DType) and value == slot else value


def _drawn(generator: np.random.Generator, shape: tuple[int, ...], dtype: DType, sample: Sample) -> np.ndarray:
    """Numbers within the sample's bounds; integers from a few more than those hold, but with the bounds' signs."""
    if dtype == string:
        return _texts(generator.integers(0, 10, shape))
    if dtype.is_floating:
        return np.asarray(generator.uniform(sample.low, sample.high, shape)).astype(dtype.numpy)
    if dtype.is_bool:
        return np.asarray(generator.integers(0, 2, shape)).astype(np.bool_)
    low = 1 if sample.low > 0 else max(-9, dtype.min) if sample.low < 0 else 0
    return np.asarray(generator.integers(low, 10, shape)).astype(dtype.numpy)


def _texts(numbers: np.ndarray) -> np.ndarray:
    made = np.empty(numbers.size, object)
    made[:] = [b"" if v == 0 else str(v).encode() for v in numbers.ravel().tolist()]
    return made.reshape(numbers.shape)


def _moved(value: np.ndarray, dtype: DType) -> np.ndarray:
    """The same numbers in another dtype; without their sign if it has none. Of strings: their places."""
    if value.dtype == object:
        value = np.arange(value.size).reshape(value.shape)
    if dtype == string:
        return _texts(value)
    unsigned = dtype.is_integer and dtype.min == 0 and value.dtype.kind != "b"
    with np.errstate(all="ignore"):
        loses = value.dtype.kind == "f" and not dtype.is_floating
        plain = np.nan_to_num(value, posinf=9, neginf=-9) if loses else value
        return (np.abs(plain) if unsigned else plain).astype(dtype.numpy)
