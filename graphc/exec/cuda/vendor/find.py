"""Where cuBLASLt is on this machine, if it is: nothing of CUDA comes with graphc, and nothing is needed.

In this order: GRAPHC_CUBLASLT (a path); what the loader finds (ldconfig, LD_LIBRARY_PATH); NVIDIA's packages of this
Python (nvidia-cublas, nvidia-cublas-cu12), of which nothing is imported. A library for a newer CUDA than the driver's
is passed over. GRAPHC_CUDA_LIBRARIES=0: none.
"""
from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "libcublasLt.so"
VERSIONS = (13, 12, 11)        # of CUDA, in whose names the library has all that is called


def are_wanted() -> bool:
    return os.environ.get("GRAPHC_CUDA_LIBRARIES", "1") != "0"


def open_cublas(driver_version: int) -> tuple[ctypes.CDLL, str] | None:
    """The library and where it was found. driver_version: 13000 of a driver for CUDA 13.0.

    Raises OSError if GRAPHC_CUBLASLT names something else than a library.
    """
    named = os.environ.get("GRAPHC_CUBLASLT")
    if named:
        return ctypes.CDLL(named), named
    if os.environ.get("GRAPHC_LIBCUDA"):       # NVIDIA's libraries call NVIDIA's driver
        return None
    for place in _places(driver_version // 1000):
        try:
            return ctypes.CDLL(place), place
        except OSError:
            continue
    return None


def _places(newest: int) -> Iterator[str]:
    versions = [version for version in VERSIONS if version <= newest]
    yield from (f"{NAME}.{version}" for version in versions)
    packages = importlib.util.find_spec("nvidia")
    for version in versions:
        for folder in (packages.submodule_search_locations or ()) if packages is not None else ():
            yield from sorted(map(str, Path(folder).glob(f"*/lib/{NAME}.{version}")))
