"""The library as installed wheels carry it: one shared object an instruction set, linked when the wheel is built.

The loader of the operating system maps it in a millisecond, and all processes share its pages; neither llvmlite nor the
cache is needed. Beside the shared objects stand the signatures and the scalars' LLVM text, the same for all of them.
"""
from __future__ import annotations

import ctypes
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .archive import ENTRIES, SCALARS, read_archive

FOLDER = Path(__file__).parent.parent / "prebuilt"
TABLES = ("gc_registry", "gc_registry_words", "gc_names", "gc_names_bytes")
_open: list[ctypes.CDLL] = []          # machine code lives as long as the process


class LinkError(Exception):
    """The objects of a library cannot be linked; the message holds what the compiler said."""


def packaged(isa: str) -> Path | None:
    """The shared object for `isa` that is installed with this package, None if the package has none."""
    path = FOLDER / f"{isa}.so"
    return path if path.is_file() else None


def read_parts() -> dict[str, bytes]:
    """The installed members of the archive that are no objects, by name."""
    return {name: (FOLDER / name).read_bytes() for name in (ENTRIES, SCALARS)}


def load_shared(path: Path, symbols: Sequence[str]) -> dict[str, int]:
    """Loads a shared object for good; returns the addresses of `symbols`. Raises OSError if it is none."""
    library = ctypes.CDLL(str(path), mode=os.RTLD_LOCAL | os.RTLD_NOW)
    _open.append(library)
    return {name: ctypes.addressof(ctypes.c_char.in_dll(library, name)) for name in symbols}


def write_package(archives: Mapping[str, bytes], folder: Path, compiler: str) -> None:
    """Writes what `packaged` and `read_parts` find into `folder`. compiler: a C++ compiler for the libraries' machine.

    Raises LinkError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for isa, archive in archives.items():
        members = dict(read_archive(archive))
        for name in (ENTRIES, SCALARS):
            (folder / name).write_bytes(members.pop(name))
        exports = exported_symbols(isa, json.loads((folder / ENTRIES).read_bytes()))
        _link(members, exports, compiler, folder / f"{isa}.so")


def exported_symbols(isa: str, entries: Mapping[str, Sequence[str]]) -> list[str]:
    """What a process looks up in the library: its tables, and the entry points of the runtime."""
    suffix = isa.replace("-", "_")
    return [*TABLES, f"gc_functions_{suffix}", *(f"{name}_{suffix}" for name in entries)]


def _link(objects: Mapping[str, bytes], exports: Sequence[str], compiler: str, out: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="graphc-") as scratch:
        paths = [Path(scratch) / name for name in objects]
        for path, data in zip(paths, objects.values(), strict=True):
            path.write_bytes(data)
        script = Path(scratch) / "exports"
        script.write_text(f"{{ global: {'; '.join(exports)}; local: *; }};")
        command = [compiler, "-shared", "-nostdlib", "-o", str(out), *map(str, paths), "-lc",
                   *(f"-Wl,{option}" for option in (f"-soname,{out.name}", f"--version-script={script}", "-s",
                                                    "--build-id=none", "--no-undefined", "-z,noexecstack", "-z,now"))]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise LinkError(f"{compiler} does not start: {error}") from None
        if done.returncode:
            raise LinkError(f"{compiler} does not link {out.name}:\n{done.stderr.strip()}")
