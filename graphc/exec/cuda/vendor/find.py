"""Where NVIDIA's libraries are on this machine, if they are: nothing of CUDA comes with graphc, and nothing is needed.

In this order: a path in the environment (GRAPHC_CUBLASLT, GRAPHC_CUDNN); what the loader finds (ldconfig,
LD_LIBRARY_PATH); NVIDIA's packages of this Python (nvidia-cublas, nvidia-cudnn-cu13 and their kin), of which nothing is
imported. A cuBLASLt for a newer CUDA than the driver's is passed over. GRAPHC_CUDA_LIBRARIES=0: none.
"""
from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

VERSIONS = (13, 12, 11)        # of CUDA, in whose names cuBLASLt has all that is called
CUDNN_VERSIONS = (9, 8)        # of cuDNN, in its names


def are_wanted() -> bool:
    return os.environ.get("GRAPHC_CUDA_LIBRARIES", "1") != "0"


def open_cublas(driver_version: int) -> tuple[ctypes.CDLL, str] | None:
    """The library and where it was found. driver_version: 13000 of a driver for CUDA 13.0.

    Raises OSError if GRAPHC_CUBLASLT names something else than a library.
    """
    newest = driver_version // 1000
    return _open("GRAPHC_CUBLASLT", "libcublasLt.so", [version for version in VERSIONS if version <= newest])


def open_cudnn() -> tuple[ctypes.CDLL, str] | None:
    """As open_cublas, of GRAPHC_CUDNN."""
    return _open("GRAPHC_CUDNN", "libcudnn.so", CUDNN_VERSIONS)


def _open(variable: str, name: str, versions: Sequence[int]) -> tuple[ctypes.CDLL, str] | None:
    named = os.environ.get(variable)
    if named:
        return ctypes.CDLL(named), named
    if os.environ.get("GRAPHC_LIBCUDA"):       # NVIDIA's libraries call NVIDIA's driver
        return None
    for place in _places(name, versions):
        try:
            return ctypes.CDLL(place), place
        except OSError:
            continue
    return None


def _places(name: str, versions: Sequence[int]) -> Iterator[str]:
    yield from (f"{name}.{version}" for version in versions)
    packages = importlib.util.find_spec("nvidia")
    for version in versions:
        for folder in (packages.submodule_search_locations or ()) if packages is not None else ():
            yield from sorted(map(str, Path(folder).glob(f"*/lib/{name}.{version}")))
