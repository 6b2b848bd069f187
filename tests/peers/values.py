"""The numbers of a case: plain, with ties, with NaNs and infinities, or from a wider range."""
from __future__ import annotations

from typing import Any

import numpy as np
from sparse_values import KEPT

from graphc.ir.dtypes import DType
from graphc.ir.op import Op, Sample

# Arrays of a sample that mean something together: labels in order, lists without repetition.
TOGETHER = ("CTCLoss",)
WORDS = np.array([b"", b"a", b"ab", b"word", "l\u00e4nger".encode(), b"\x00\xff", b"12.5"], object)
STYLES = ("plain", "plain", "ties", "special", "wide", "outside")


def filled(
    op: type[Op],
    sample: Sample,
    shapes: list[tuple[int, ...]],
    dtypes: list[DType],
    style: str,
    generator: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    """An array for each operand. outside: some integers of a sample's given arrays (indices) lie beyond theirs."""
    if op.type in TOGETHER and style != "outside":
        style = "plain" if style != "special" else style
    given = [*sample.inputs, *sample.inputs[-1:] * (len(shapes) - len(sample.inputs))][: len(shapes)]
    made = [
        _drawn(generator, shape, dtype, sample, style)
        if isinstance(x, tuple)
        else np.asarray(x)
        if op.type in KEPT
        else _like(generator, np.asarray(x), shape, dtype, style)
        for x, shape, dtype in zip(given, shapes, dtypes, strict=True)
    ]
    if "lr_power" in op.operands:  # TensorFlow's kernels want a negative one
        place = op.operands.index("lr_power")
        made[place] = -np.abs(made[place])
    return tuple(made)


def _like(
    generator: np.random.Generator, given: np.ndarray, shape: tuple[int, ...], dtype: DType, style: str
) -> np.ndarray:
    """An array that a sample gives: integers and truth values are drawn from it again, in order if they were."""
    kept = given.shape == tuple(shape) and (
        given.dtype.kind not in "biu" or (style == "plain" and generator.integers(2))
    )
    if kept or not given.size:
        array = given if given.shape == tuple(shape) else np.zeros(shape, given.dtype)
    else:
        array = np.asarray(generator.choice(given.reshape(-1), shape))
        if given.ndim == 1 == array.ndim and np.all(given[:-1] <= given[1:]):
            array = np.sort(array)
    if style != "special" and array.dtype.kind == "f":
        array = np.where(np.isfinite(array), array, array.dtype.type(0.25))
    if style == "outside" and array.size and array.dtype.kind in "iu":
        array = array.copy()
        array.flat[generator.integers(array.size)] = generator.choice([given.max() + 1, 100, -1, given.min() - 1])
    return _as(array, dtype)


def _drawn(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: DType, sample: Sample, style: str
) -> np.ndarray:
    low, high = sample.low, sample.high
    if dtype.numpy is None:
        return np.asarray(generator.choice(WORDS, shape), object)
    if dtype.is_bool:
        return np.asarray(generator.integers(0, 2, shape)).astype(np.bool_)
    if dtype.is_integer:
        return _integers(generator, shape, dtype, sample, style)
    if style == "wide":
        low, high = low * (20 if low < 0 else 0.5), high * (20 if high > 1 or low < 0 else 1)
    drawn = np.asarray(generator.uniform(low, high, shape))
    if dtype.is_complex:
        drawn = drawn + 1j * np.asarray(generator.uniform(low, high, shape))
    if style == "ties":
        drawn = np.asarray(generator.choice(np.linspace(low, high, 4), shape)) + 0 * drawn
    if style == "special" and drawn.size:
        odd = generator.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], drawn.shape)
        drawn = np.where(generator.random(drawn.shape) < 0.2, odd, drawn)
    return _as(drawn, dtype)


def _integers(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: DType, sample: Sample, style: str
) -> np.ndarray:
    """From the sample's range, or a few around 0 if that holds hardly any; "wide": from half of the dtype's range."""
    low, high = int(sample.low), int(sample.high)
    if high - low < 3:
        low, high = (1 if sample.low > 0 else -9 if sample.low < 0 else 0), 10
    if style == "wide" and sample.low <= 0:
        low, high = int(dtype.min) // 2, int(dtype.max) // 2
    if style == "ties":
        high = min(high, low + 3)
    low = max(low, int(dtype.min))
    return np.asarray(generator.integers(low, max(min(high, int(dtype.max)), low + 1), shape, dtype=np.int64)).astype(
        dtype.numpy
    )


def _as(array: np.ndarray, dtype: DType) -> Any:
    if dtype.numpy is None:
        return array
    with np.errstate(all="ignore"):
        if array.dtype.kind == "c" and not dtype.is_complex:
            array = array.real
        if dtype.is_integer and dtype.min == 0:
            array = np.abs(array)
        return array.astype(dtype.numpy)
