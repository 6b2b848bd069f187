"""What of float32 products may be rounded to bfloat16 in this process: what was asked for, and what the machine has.

AMX's registers are 8 KB more that the system keeps for a thread, so Linux gives them to a process that asks, once. A
system, container or emulator that refuses is a machine without: graphc then does what it does there. Processors that
have AMX are not made to multiply bfloat16 otherwise (AVX512-BF16 takes three times as long as float32 there), so where
AMX is refused only weights are rounded.
"""
from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

from graphc import errors
from graphc.kernels.contracts.bfloat16 import DOTS, NOTHING, TILES, WEIGHTS
from graphc.kernels.toolchain.targets import host_features

ARCH_PRCTL = 158           # the system call's number on x86-64
ASK_FOR, TILE_DATA = 0x1023, 18        # ARCH_REQ_XCOMP_PERM, and the state that is asked for


def wanted_bfloat16(asked: bool, isa: str) -> int:
    """A number of contracts/bfloat16.py, for code of this instruction set. asked: by the session; GRAPHC_WEIGHTS may
    ask, too. Raises InvalidArgumentError if that is none of its words."""
    word = os.environ.get("GRAPHC_WEIGHTS", "")
    if word not in ("", "float32", "bfloat16"):
        raise errors.InvalidArgumentError(f"GRAPHC_WEIGHTS must be \"float32\" or \"bfloat16\", but is {word!r}")
    if not asked and word != "bfloat16":
        return NOTHING
    return machine_bfloat16() if isa == "x86-64-v4" else WEIGHTS


@cache
def machine_bfloat16() -> int:
    """What the machine's processor multiplies, and its system lets this process and its children multiply."""
    found = host_features()
    if {"amx-tile", "amx-bf16", "avx512bf16"} <= found:
        return TILES if allowed_tiles() else WEIGHTS
    return DOTS if "avx512bf16" in found else WEIGHTS


def allowed_tiles() -> bool:
    """Asks Linux for the tile registers."""
    if platform.system() != "Linux":
        return False
    return bool(ctypes.CDLL(None).syscall(ARCH_PRCTL, ASK_FOR, TILE_DATA) == 0)
