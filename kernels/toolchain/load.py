"""Loads objects into this process and finds the addresses of their symbols.

LLVM is used by one thread at a time (llvmlite's own lock). A fork waits for the call that is under way, so that the
child can use LLVM; so does the end of the process, after which no thread gets into LLVM any more: its global objects
are destroyed while threads may still run.
"""
from __future__ import annotations

import atexit
import ctypes
import itertools
import os
from collections.abc import Mapping, Sequence

import llvmlite.binding as llvm

from .backend import TARGETS, Target

_keep: list[object] = []               # machine code lives as long as its tracker; this code for good
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
    """Links `objects` into this process for good; returns the addresses of `symbols`. imports: what they may refer
    to."""
    return _kept(load_code(objects, symbols, imports), symbols)


def load_ir(text: str, symbols: Sequence[str]) -> dict[str, int]:
    """Compiles LLVM text for this machine; returns the addresses of `symbols`."""
    return _kept(_link(llvm.JITLibraryBuilder().add_ir(text), symbols, None), symbols)


def load_code(objects: Sequence[bytes], symbols: Sequence[str],
              imports: Mapping[str, int] | None = None) -> llvm.ResourceTracker:
    """As load_objects, but the code is unloaded with the result: addresses by symbol."""
    builder = llvm.JITLibraryBuilder()
    for data in objects:
        builder.add_object_img(data)
    return _link(builder, symbols, imports)


def _kept(tracker: llvm.ResourceTracker, symbols: Sequence[str]) -> dict[str, int]:
    _keep.append(tracker)
    return {name: tracker[name] for name in symbols}


def _link(builder: llvm.JITLibraryBuilder, symbols: Sequence[str],
          imports: Mapping[str, int] | None) -> llvm.ResourceTracker:
    if not _jit:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True, opt=2)
        # JITLink keeps an object's sections together. Without it they lie wherever there is room, and where the CUDA
        # driver has taken most of the address space (also another package's) that is more than 2 GB apart: LLVM aborts.
        _jit.append(llvm.create_lljit_compiler(machine, use_jit_link=True))
    builder.add_current_process()
    for name, address in (imports or {}).items():
        builder.import_symbol(name, address)
    for name in symbols:
        builder.export_symbol(name)
    return builder.link(_jit[0], f"graphc{next(_numbers)}")


def words_at(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address))


_llvm_lock = llvm.ffi.lib._lock


def _take_llvm() -> None:
    _llvm_lock.__enter__()


def _give_llvm_back() -> None:
    _llvm_lock.__exit__(None, None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take_llvm, after_in_parent=_give_llvm_back, after_in_child=_give_llvm_back)
atexit.register(_take_llvm)
