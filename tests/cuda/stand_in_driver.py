"""The stand-in for libcuda.so.1 (standin/): builds it, gives it code for the modules it loads, and makes graphc use it.

The driver module finds it by GRAPHC_LIBCUDA, as it would any library. The device above it is graphc's own.
"""
from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from graphc.exec.cuda import driver
from graphc.kernels.toolchain.compiling import COMPILING
from graphc.kernels.toolchain.load import load_objects
from graphc.kernels.toolchain.targets import host_targets

from ptx.host_code import host_text
from ptx.host_text import HELPERS, parameter_bytes
from ptx.text import Kernel, PtxError, parse

IS_THERE = platform.machine() == "x86_64"      # fibers are switched in its assembler
SOURCES = Path(__file__).parent / "standin"
FLAGS = ["-std=c++20", "-O2", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-fno-strict-aliasing"]
TOGETHER = ("bar", "barrier", "shfl", "vote", "match", "redux", "ldmatrix", "mma", "cp", "mbarrier")
# What leaves a kernel that went wrong jumps over frames: none of them may have anything to clean up.
_Compile = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


def build() -> Path:
    """The library, built when its sources have changed."""
    sources = sorted(SOURCES.iterdir())
    key = hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()[:16]
    folder = Path(os.environ.get("GRAPHC_CACHE", tempfile.gettempdir())) / "standin"
    made = folder / f"libcuda-{key}.so"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f".{os.getpid()}.so"
        subprocess.run([os.environ.get("CXX", "g++"), *FLAGS, *(str(s) for s in sources if s.suffix == ".cpp"), "-o",
                        str(half)], check=True)
        half.replace(made)
    return made


class Work(Mapping[str, int]):
    """How often what was done since this was made; what was never done is not in it."""

    KINDS = ("launch", "graph", "upload", "download", "copy", "peer", "clear", "wait", "allocation", "module")

    def __init__(self, count: Callable[[bytes], int]) -> None:
        self._count = count
        self._before = {kind: count(kind.encode()) for kind in self.KINDS}

    def __getitem__(self, kind: str) -> int:
        return self._count(kind.encode()) - self._before[kind]

    def __iter__(self) -> Iterator[str]:
        return (kind for kind in self.KINDS if self[kind])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Library:
    """The library of this process."""

    def __init__(self) -> None:
        self.path = build()
        self.calls = ctypes.CDLL(str(self.path))
        self._helpers = {name: ctypes.cast(getattr(self.calls, f"standin_{name}"), ctypes.c_void_p).value or 0
                         for name in HELPERS}
        self._codes: dict[str, dict[str, int]] = {}
        self._callback = _Compile(self._compile)
        self.calls.standin_compile_with(self._callback)
        for count in (self.calls.standin_count, self.calls.standin_allocations, self.calls.standin_products,
                      self.calls.standin_convolutions):
            count.restype = ctypes.c_long
        self.calls.standin_complaint.restype = ctypes.c_char_p
        self.calls.standin_add_kernel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p,
                                                  ctypes.c_int, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int]

    def work(self) -> Work:
        return Work(self.calls.standin_count)

    def allocations(self) -> int:
        """How many there are now."""
        return int(self.calls.standin_allocations())

    def complaint(self) -> str:
        return bytes(self.calls.standin_complaint()).decode()

    def mend(self) -> None:
        """Forgets what went wrong: a context that is lost stays so on a GPU."""
        self.calls.standin_mend()

    def _compile(self, text: bytes, module: int) -> int:
        try:
            ptx = text.decode()
            kernels = parse(ptx)
            if ptx not in self._codes:
                self._codes[ptx] = {name: self._code(kernel) for name, kernel in kernels.items()}
                self._keep(text)
            for name, kernel in kernels.items():
                self._add(module, name, kernel, self._codes[ptx][name])
            return 0
        except Exception as error:                     # it must not pass through C++
            said = str(error) if isinstance(error, PtxError) else f"{type(error).__name__}: {error}"
            print(f"stand-in for libcuda: {said}", file=sys.stderr)
            self.calls.standin_refuse(ctypes.c_void_p(module), said.encode())
            return 1

    @staticmethod
    def _keep(text: bytes) -> None:
        """GRAPHC_KEEP_PTX names a folder for all that was loaded: ptx_budgets.py assembles it."""
        folder = os.environ.get("GRAPHC_KEEP_PTX")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{hashlib.sha256(text).hexdigest()[:16]}.ptx").write_bytes(text)

    def _add(self, module: int, name: str, kernel: Kernel, code: int) -> None:
        sizes = [parameter_bytes(kind) for _, kind in kernel.parameters]
        together = any(i.name in TOGETHER for i in kernel.code)
        self.calls.standin_add_kernel(module, name.encode(), code, (ctypes.c_uint * len(sizes))(*sizes), len(sizes),
                                      kernel.shared_bytes, kernel.most_threads, int(together))

    def _code(self, kernel: Kernel) -> int:
        return load_objects([_object(host_text("gc_on_host", kernel, self._helpers))], ["gc_on_host"])["gc_on_host"]


def _object(text: str) -> bytes:
    target = host_targets()[0]
    with COMPILING:
        machine = _machine(target)
        module = llvm.parse_assembly(text)
        module.triple, module.data_layout = target.triple, str(machine.target_data)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=1)
        passes = llvm.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(module, passes)
        return bytes(machine.emit_object(module))


@cache
def _machine(target: Any) -> Any:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=1, reloc=target.relocation, codemodel="default")


@cache
def library() -> Library:
    return Library()


@contextmanager
def driver_standing_in(mode: str = "late", cublas: bool = False, cudnn: bool = False,
                       **settings: int) -> Iterator[Library]:
    """Inside, sessions find a GPU that is this library. mode: "late" (asynchronous work waits as long as it may) or
    "now". cublas, cudnn: it is cuBLASLt, cuDNN, too. settings: devices, memory, compute."""
    made = library()
    changes = {"GRAPHC_LIBCUDA": str(made.path), "GRAPHC_STANDIN": mode,
               "GRAPHC_CUBLASLT": str(made.path) if cublas else "", "GRAPHC_CUDNN": str(made.path) if cudnn else "",
               **{f"GRAPHC_STANDIN_{name.upper()}": str(value) for name, value in settings.items()}}
    before, found = {name: os.environ.get(name) for name in changes}, list(driver._found)
    os.environ.update(changes)
    driver._found.clear()
    try:
        yield made
    finally:
        driver._found[:] = found
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
