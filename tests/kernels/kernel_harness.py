"""Shared by the tests of kernels: loading once a session, and sizes and values to draw from."""
from __future__ import annotations

import functools
from typing import Any

import numpy as np
from guarded import GuardedKernel

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.toolchain.testing import load_kernels

NUMPY = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "bool": np.bool_, "u8": np.uint8,
         "i8": np.int8, "i16": np.int16, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64}
TOLERANCE = {"f32": 2e-5, "f64": 1e-12}


@functools.cache
def load(*names: str) -> dict[str, GuardedKernel]:
    """Kernels by full name; each call of one is made between guard pages, by the declaration that it has now."""
    return {full: GuardedKernel(KERNELS[full.split(".")[0]], loaded)
            for full, loaded in load_kernels(names).items()}


def backwards(tiles: int) -> range:
    """An order of tiles other than the usual one: results may not depend on it."""
    return range(tiles - 1, -1, -1)


def normal(shape: Any, dtype: str, seed: int = 0) -> np.ndarray:
    """Values around 0; integers between -9 and 9."""
    generator = np.random.default_rng(seed)
    if dtype in ("f32", "f64"):
        return generator.standard_normal(shape).astype(NUMPY[dtype])
    low = 0 if dtype.startswith("u") else -9
    return generator.integers(low, 10, shape).astype(NUMPY[dtype])


def filled(shape: Any, dtype: str) -> np.ndarray:
    """An output whose bytes are all 0x7F, so that what a kernel leaves out shows."""
    result = np.empty(shape, NUMPY[dtype])
    result.view(np.uint8).reshape(-1)[...] = 0x7F if result.ndim else 0
    return result


def close(found: np.ndarray, wanted: np.ndarray, dtype: str, scale: float = 1.0) -> None:
    """Equal within the dtype's tolerance, relative to `scale`, the size of the terms that were added up."""
    tolerance = TOLERANCE.get(dtype, 0) * scale
    np.testing.assert_allclose(found.astype(np.float64), np.asarray(wanted, np.float64), rtol=tolerance, atol=tolerance)
