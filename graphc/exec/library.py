"""The kernel library in this process: machine code for the best instruction set that this machine has.

Taken from the installed package or the disk cache, else built (graphc.kernels.toolchain.build); mapped once, never
unmapped. Imports neither llvmlite nor numba.
"""
from __future__ import annotations

import ctypes
import os
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.locks import new_lock


@dataclass(frozen=True)
class Library:
    """registry, functions: views of the library's own tables (kernels/layout.py). names: of kernels, then primitives.

    entry: addresses of the runtime's entry points, by name. signatures: their C types, result first.
    """

    isa: str
    registry: np.ndarray
    names: list[str]
    functions: np.ndarray
    entry: dict[str, int]
    signatures: dict[str, list[str]]
    hash: str                          # of all its code, and of the scalars' text
    code: Any                          # keeps it in memory
    packed_scalars: bytes

    def scalars(self) -> str:
        """The scalar functions' LLVM text (graphc.kernels.toolchain.scalar_library)."""
        return zlib.decompress(self.packed_scalars).decode()


_loaded: dict[str, Library] = {}
_lock = new_lock()


def load_library(isa: str | None = None) -> Library:
    """The library for `isa`, by default the environment's GRAPHC_ISA or the best one of this machine.

    Raises UnimplementedError if this machine has none of them, or not the one asked for; InternalError if the library
    does not build.
    """
    wanted = (isa or os.environ.get("GRAPHC_ISA") or "").replace("_", "-")
    library = _loaded.get(wanted)
    if library is None:
        with _lock:
            library = _loaded.get(wanted)
            if library is None:
                library = _load(_choose(wanted))
                _loaded[wanted] = _loaded[library.isa] = library
    return library


def _choose(wanted: str) -> str:
    from graphc.kernels.toolchain.targets import TARGETS, host_targets
    possible = [target.name for target in host_targets()]
    if wanted and wanted not in TARGETS:
        raise errors.UnimplementedError(f"GRAPHC_ISA={wanted} names no instruction set; there are {', '.join(TARGETS)}")
    if wanted and wanted not in possible:
        raise errors.UnimplementedError(f"this machine cannot run {wanted} (it can: {', '.join(possible) or 'none'});"
                                        " unset GRAPHC_ISA to let graphc choose")
    if not possible:
        import platform
        needs = "; ".join(f"{t.name}: {t.machine}" + (f" with {', '.join(t.needs)}" if t.needs else "")
                          for t in TARGETS.values())
        raise errors.UnimplementedError(f"graphc has no machine code for this machine ({platform.machine()}). It needs "
                                        f"one of: {needs}")
    return wanted or possible[0]


def _load(isa: str) -> Library:
    from graphc.kernels.toolchain.build import BuildError, library_image
    from graphc.kernels.toolchain.load import Code
    try:
        image = library_image(isa)
    except BuildError as error:
        raise errors.InternalError(str(error)) from None
    suffix = isa.replace("-", "_")
    signatures: Any = image.notes["entries"]
    found = Code(image)
    registry = _words(found["gc_registry"], int(_words(found["gc_registry_words"], 1)[0]))
    text = ctypes.string_at(found["gc_names"], int(_words(found["gc_names_bytes"], 1)[0]))
    functions = _words(found[f"gc_functions_{suffix}"], int(3 * registry[1] + registry[2]))
    entry = {name: found[f"{name}_{suffix}"] for name in signatures}
    return Library(isa, registry, text.decode().split("\0")[:-1], functions, entry, signatures,
                   str(image.notes["hash"]), found, image.attachment)


def _words(address: int, count: int) -> np.ndarray:
    view: np.ndarray = np.frombuffer(memoryview((ctypes.c_int64 * count).from_address(address)), np.int64)
    view.flags.writeable = False
    return view
