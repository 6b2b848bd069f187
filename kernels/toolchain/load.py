"""Loads objects into this process and finds the addresses of their symbols. Loaded code is never unloaded."""
from __future__ import annotations

import ctypes
import itertools
from collections.abc import Mapping, Sequence

import llvmlite.binding as llvm

from .backend import TARGETS, Target

_keep: list[object] = []               # machine code lives as long as its tracker
_jit: list[llvm.LLJIT] = []
_numbers = itertools.count()


def host_targets() -> list[Target]:
    """Targets that this machine can run, best first."""
    import platform
    features = llvm.get_host_cpu_features()
    return [t for t in TARGETS.values()
            if t.machine == platform.machine() and all(features.get(name, False) for name in t.needs)]


def load_objects(objects: Sequence[bytes], symbols: Sequence[str],
                 imports: Mapping[str, int] | None = None) -> dict[str, int]:
    """Links `objects` into this process; returns the addresses of `symbols`. imports: what they may refer to."""
    builder = llvm.JITLibraryBuilder()
    for data in objects:
        builder.add_object_img(data)
    return _link(builder, symbols, imports)


def load_ir(text: str, symbols: Sequence[str]) -> dict[str, int]:
    """Compiles LLVM text for this machine; returns the addresses of `symbols`."""
    return _link(llvm.JITLibraryBuilder().add_ir(text), symbols, None)


def _link(builder: llvm.JITLibraryBuilder, symbols: Sequence[str], imports: Mapping[str, int] | None) -> dict[str, int]:
    if not _jit:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True, opt=2)
        _jit.append(llvm.create_lljit_compiler(machine))
    builder.add_current_process()
    for name, address in (imports or {}).items():
        builder.import_symbol(name, address)
    for name in symbols:
        builder.export_symbol(name)
    tracker = builder.link(_jit[0], f"graphc{next(_numbers)}")
    _keep.append(tracker)
    return {name: tracker[name] for name in symbols}


def words_at(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address))
