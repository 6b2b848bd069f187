"""How a kernel's functions are called.

    bind(dims..., attrs..., choice)                                      once for each set of sizes: fills choice
    run(operands..., dims..., attrs..., choice, work, scratch, phase, tile) -> int   status, 0 is success
    pack(source, dims..., attrs..., choice, target, tile) -> int         packs an operand into a format (optional)

operands are pointers to their element types (types.CPointer), dims int64, attrs int64 or what they are declared to be,
choice CPointer(int64), work and scratch int64 addresses (64-byte aligned; work is shared by the tiles of a step,
scratch belongs to a worker). A kernel never allocates, waits, prints or throws; tiles of one phase may run in any order
and on any thread and write disjoint memory; all tiles of phase 0 end before phase 1 begins. Tiles depend on sizes only,
never on the number of threads.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Choice(IntEnum):
    """Words of `choice`: what bind decides. All are zero before bind is called."""

    TILES = 0            # number of tiles of phase 0
    TILES_1 = 1          # number of tiles of phase 1 (0: no such phase)
    WORK_BYTES = 2       # shared workspace
    SCRATCH_BYTES = 3    # workspace of each worker
    TILE_ELEMENTS = 4    # elements of the last operand that each tile of the last phase writes, contiguous, in order of
    #                      tiles (the last may write fewer); 0: not so, and an epilogue runs after the whole kernel
    VARIANT = 5          # which of several ways
    FORMAT = 6           # format in which the packable operand is wanted; 0: plain
    PACKED_BYTES = 7     # size of the packed operand in that format
    PACK_TILES = 8       # number of tiles of pack
    PERSISTENT = 9       # IN: 1 if the packable operand is a constant or a state not yet written: packing it pays
    NO_WINOGRAD = 10     # IN: 1 if convolutions are to be computed by their definition's products alone
    WAY = 11             # IN: 1 + the way (VARIANT) that is wanted where the sizes allow it; 0: as bind decides
    USER = 12            # free for the kernel, up to MAY_ROUND
    MAY_ROUND = 23       # IN: what of float32 products may be rounded to bfloat16 (bfloat16.py)
    SIZE = 24


class Status(IntEnum):
    """What run may return. The runtime adds which step it was; the embedder makes the message."""

    OK = 0
    INDEX_OUT_OF_RANGE = 1      # choice-independent detail goes to scratch[0] (index) and scratch[1] (limit)
    INVALID_VALUE = 2
    UNINITIALISED = 3           # a variable is read before it was written
    DIVISION_BY_ZERO = 4        # of integers
    NEGATIVE_EXPONENT = 5       # of integers
    INDEX_TUPLE = 6             # scratch: which tuple, its length, then 7 words each for it and the sizes
    NOT_DEFINITE = 7            # scratch: which of the matrices, and the first row without a positive pivot
    NOT_INVERTIBLE = 8          # scratch: which of the matrices, and the first column without a pivot
    LEFT_OUT = -1               # of what stands in place of a part (cpu/memory.py) that a runner was linked without


@dataclass(frozen=True)
class Functions:
    """The functions of one kernel for one choice of dtypes; those for one ISA are keyed by it ("": all others)."""

    bind: Callable[..., Any] | dict[str, Callable[..., Any]]
    run: Callable[..., Any] | dict[str, Callable[..., Any]]
    pack: Callable[..., Any] | dict[str, Callable[..., Any]] | None = None
