"""Keys of random ops: what tells one stream of random numbers from another.

The key is a field of the op, fixed when the snapshot is taken, made of the op's seeds and, where TF 1 would use the
number of ops in the graph, of the op's name: so adding ops elsewhere never changes the numbers. An op without any
seed has a key that differs in every process. Names are those of `full_name`: an op of a body is not another body's.
"""
from __future__ import annotations

import dataclasses
import hashlib
import os
from typing import Any

from graphc.ir.func_graph import full_name
from graphc.ir.op import Op

_PROCESS = os.urandom(8)


def with_key(op: Op, operation: Any) -> Op:
    """The op with its key, if it has that field and no key yet."""
    if getattr(op, "key", None) is None or op.key != 0:  # type: ignore[attr-defined]
        return op
    keyed: Any = op
    made: Op = dataclasses.replace(keyed, key=random_key(getattr(op, "seed", 0), getattr(op, "seed2", 0),
                                                         full_name(operation.graph, operation.name)))
    return made


def random_key(seed: int, seed2: int, name: str) -> int:
    """63 bits. (0, 0): unseeded."""
    parts = _PROCESS + name.encode() if (seed, seed2) == (0, 0) else f"{seed},{seed2}".encode()
    return int.from_bytes(hashlib.blake2b(parts, digest_size=8).digest(), "little") >> 1 or 1
