"""Maps images of machine code (image.py) into this process and finds the addresses of their symbols."""
from __future__ import annotations

import ctypes
import mmap
import platform
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .compiling import COMPILING
from .image import Image

_keep: list[Mapping[str, int]] = []     # this code stays for good


class Code(Mapping[str, int]):
    """Addresses by symbol. The code is unloaded with this object."""

    def __init__(self, image: Image, imports: Mapping[str, int] | None = None) -> None:
        libc = _libc()
        self._memory = mmap.mmap(-1, len(image.memory), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._memory.write(image.memory)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        tables = np.frombuffer(self._memory, np.int64)
        tables[image.relative >> 3] += address
        for name, place in image.imports.items():
            tables[place >> 3] = (imports or {}).get(name) or _in_process(name)
        del tables
        _protect(libc, address, image.constants, mmap.PROT_READ | mmap.PROT_EXEC)
        _protect(libc, address + image.constants, len(image.memory) - image.constants, mmap.PROT_READ)
        if platform.machine() == "aarch64":    # its caches of data and of instructions do not know of each other
            clear = getattr(ctypes.CDLL("libgcc_s.so.1"), "__clear_cache")
            clear(ctypes.c_void_p(address), ctypes.c_void_p(address + image.constants))
        self._addresses = {name: address + place for name, place in image.symbols.items()}

    def __getitem__(self, name: str) -> int:
        return self._addresses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)


def load_objects(objects: Sequence[bytes], symbols: Sequence[str],
                 imports: Mapping[str, int] | None = None) -> dict[str, int]:
    """Links `objects` into this process for good; returns the addresses of `symbols`. imports: what they may refer
    to."""
    from .link import link
    _keep.append(Code(link(objects, symbols), imports))
    return dict(_keep[-1])


def load_ir(text: str, symbols: Sequence[str]) -> dict[str, int]:
    """Compiles LLVM text for this machine; returns the addresses of `symbols`."""
    from .targets import host_targets
    with COMPILING:
        from .backend import compile_text
        return load_objects([compile_text(host_targets()[0], text)], symbols)


def words_at(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _in_process(name: str) -> int:
    try:
        return ctypes.cast(getattr(_libc(), name), ctypes.c_void_p).value or 0
    except AttributeError:
        raise OSError(f"machine code needs {name}, which is not in this process") from None


def _protect(libc: ctypes.CDLL, address: int, size: int, allowed: int) -> None:
    if size and libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), allowed):
        raise OSError(ctypes.get_errno(), "the system does not allow memory to become machine code")
