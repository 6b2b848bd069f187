"""The instruction sets that code can be made for, and which of them this machine has. Does not import llvmlite."""
from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache


@dataclass(frozen=True)
class Target:
    """An instruction set that code can be made for. name: command line; symbol: suffix of symbols.

    cpu, features: LLVM's. needs: the features, in LLVM's names, that the machine it runs on must have.
    tsan: the code tells ThreadSanitizer what it does (tsan.py).
    """

    name: str
    symbol: str
    triple: str
    cpu: str
    features: str = ""
    machine: str = "x86_64"           # platform.machine()
    needs: tuple[str, ...] = ()
    relocation: str = "pic"
    abi: str = ""
    tsan: bool = False


_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
# Best first, a machine takes the first one whose needs it has.
# Without -prefer-256-bit LLVM vectorises for 256 bits on x86-64-v4, which costs a third of the speed of exp and tanh.
TARGETS: dict[str, Target] = {t.name: t for t in (
    Target("x86-64-v4", "x86_64_v4", "x86_64-unknown-linux-gnu", "x86-64-v4", "-prefer-256-bit", "x86_64",
           (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")),
    Target("x86-64-v3", "x86_64_v3", "x86_64-unknown-linux-gnu", "x86-64-v3", "", "x86_64", _V3),
    Target("aarch64", "aarch64", "aarch64-unknown-linux-gnu", "generic", "", "aarch64"),      # of which Neon is part
)}


TSAN = "+tsan"            # after the name of a target


def find_target(name: str) -> Target:
    """The target of that name; of "NAME+tsan" the one whose code tells ThreadSanitizer what it does."""
    target = TARGETS[name.removesuffix(TSAN)]
    return replace(target, name=name, tsan=True) if name.endswith(TSAN) else target


@cache
def host_targets() -> list[Target]:
    """Targets that this machine can run, best first."""
    return [t for t in TARGETS.values() if t.machine == platform.machine() and host_features().issuperset(t.needs)]


@cache
def host_features() -> frozenset[str]:
    """What this machine's processor and system have, in LLVM's names."""
    return frozenset(_host_features())


# Features whose name in /proc/cpuinfo is not LLVM's.
_IN_LINUX = {"bmi1": "bmi", "abm": "lzcnt", "avx512_bf16": "avx512bf16", "amx_tile": "amx-tile", "amx_bf16": "amx-bf16"}


def _host_features() -> Iterator[str]:
    try:
        with open("/proc/cpuinfo", "rb") as file:          # not all of it: there is one part for each of many cores
            lines = file.read(8192).decode(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, features = line.partition(":")
        if name.strip() in ("flags", "Features"):
            yield from (_IN_LINUX.get(feature, feature) for feature in features.split())
            return
    import llvmlite.binding as llvm  # no /proc here, or one without them
    yield from (name for name, present in llvm.get_host_cpu_features().items() if present)
