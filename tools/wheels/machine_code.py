"""What a wheel has beside Python files: the kernels for sessions, and the C++ library with headers and graphc-run.

Built by the project's own commands, `python -m graphc.kernels build` and CMake, in build/wheel/<target>.
"""
from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = platform.machine()


@dataclass(frozen=True)
class Target:
    """isas: best first. compiler: of C++, for that machine. toolchain: CMake's file for it, from the root."""

    isas: tuple[str, ...]
    compiler: str
    toolchain: str = ""


TARGETS = {
    "x86_64": Target(("x86-64-v3", "x86-64-v4"), "g++" if HERE == "x86_64" else "x86_64-linux-gnu-g++"),
    "aarch64": Target(("aarch64",), "g++") if HERE == "aarch64" else
               Target(("aarch64",), "aarch64-linux-gnu-g++", "runner/cmake/aarch64.cmake"),
}


class BuildError(Exception):
    """A step that failed; what it said stands above, on stderr."""


def compile_for_sessions() -> None:
    """The kernel library of this machine's sessions, into the cache, if it is not there. Needs no compiler of C++."""
    _run([sys.executable, "-P", "-m", "graphc.kernels", "get"], PYTHONPATH=_with_checkout())


def build_kernels(target: str, package: Path | None = None) -> None:
    """The kernel library: for the C++ library, and for sessions into the folder `package`."""
    chosen = TARGETS[target]
    _need(chosen.compiler)
    sessions = ["--package", str(package)] if package is not None else []
    _run([sys.executable, "-P", "-m", "graphc.kernels", "build", "--isa", ",".join(chosen.isas),
          "--out", str(_scratch(target) / "kernels"), *sessions], PYTHONPATH=_with_checkout())


def build_runner(target: str, prefix: Path | None = None) -> Path:
    """The C++ library on what build_kernels has built, installed into `prefix`, which is returned."""
    chosen, scratch = TARGETS[target], _scratch(target)
    prefix = prefix or scratch / "prefix"
    _need(chosen.compiler)
    _need("cmake")
    tools = [f"-DCMAKE_TOOLCHAIN_FILE={ROOT / chosen.toolchain}"] if chosen.toolchain else []
    # --fresh: the compilers of an earlier environment are gone. No versioned names: wheels have no symbolic links.
    _run(["cmake", "--fresh", "-S", str(ROOT / "runner"), "-B", str(scratch / "runner"), "-G", "Ninja",
          "-DCMAKE_BUILD_TYPE=Release", f"-DGRAPHC_KERNELS={scratch / 'kernels'}", "-DCMAKE_INSTALL_LIBDIR=lib",
          "-DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON", *tools])
    _run(["cmake", "--build", str(scratch / "runner")])
    _run(["cmake", "--install", str(scratch / "runner"), "--prefix", str(prefix), "--strip"])
    return prefix


def manylinux_tag(target: str, files: Iterable[Path]) -> str:
    """The platform tag of a wheel with these shared objects and programs: the newest glibc that one of them needs."""
    needed = (2, 17)
    for path in files:
        text = subprocess.run(["readelf", "--version-info", "--wide", str(path)], capture_output=True, text=True,
                              check=True).stdout
        found = [(int(a), int(b)) for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", text)]
        needed = max([needed, *found])
    return f"manylinux_{needed[0]}_{needed[1]}_{target}"


def binaries(folder: Path) -> list[Path]:
    """Shared objects and programs below the folder."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.suffix == ".a"
            and path.open("rb").read(4) == b"\x7fELF"]


def _scratch(target: str) -> Path:
    return ROOT / "build" / "wheel" / target


def _with_checkout() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise BuildError(f"{program} is needed to build graphc's machine code. Install it, or build a wheel without "
                         "any: `pip install . -C machine-code=no` compiles the kernels when they are first used")


def _run(command: Sequence[str], **environment: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if done.returncode:
        raise BuildError(f"exit status {done.returncode} of: {' '.join(command)}")
