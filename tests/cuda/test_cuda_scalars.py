"""Every scalar function as PTX gives the CPU's bits (a NaN for a NaN), on bits of every kind."""
from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

from graphc.kernels.scalars import SCALARS, Scalar
from graphc.kernels.toolchain.testing import load_primitives
from graphc.plan.plan import Instr, Program

from on_both import DEVICES, EVERYTHING, ON_GPU, TYPES, assert_same_bits, run_map

COUNT = 200_000 if ON_GPU else 96
SLOW = ("igamma", "igammac", "igamma_grad_a", "betainc", "zeta", "polygamma")       # loops: few elements do
_primitives: dict[str, Any] = {}


def values(kind: str, random: np.random.Generator, count: int) -> np.ndarray:
    """Half of them bits of any kind, half of ordinary size, and all that is special."""
    dtype = np.dtype(TYPES[kind])
    if kind == "bool":
        return random.integers(0, 2, count).astype(np.bool_)
    made = np.frombuffer(random.bytes(count * dtype.itemsize), dtype).copy()
    if dtype.kind == "f":
        made[::2] = random.standard_normal(len(made[::2])) * random.choice([0.1, 1, 30, 1e4], len(made[::2]))
        least = np.finfo(dtype)
        special = [0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, least.tiny / 4, -least.tiny / 8, least.max, -least.max]
    else:
        made[::3] = random.integers(0, 10, len(made[::3]))
        special = [0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min]
    made[:len(special)] = special
    return made


def arguments(scalar: Scalar) -> list[np.ndarray]:
    random = np.random.default_rng(zlib.crc32(scalar.name.encode()))
    count = min(COUNT, 2000 if ON_GPU else 24) if scalar.op in SLOW else COUNT
    made = [values(kind, random, count) for kind in scalar.arguments]
    if scalar.op in SLOW and not ON_GPU:               # far from ordinary numbers they take many thousand steps
        made = [np.abs(random.standard_normal(count)) * 3 for _ in made]
    if scalar.op.startswith("shift"):
        made[1] = np.abs(made[1] % (8 * made[1].itemsize))
    return made


def on_cpu(scalar: Scalar, given: list[np.ndarray]) -> np.ndarray:
    if not _primitives:
        _primitives.update(load_primitives())
    out = np.empty(len(given[0]), TYPES[scalar.result])
    addresses = [a.ctypes.data for a in given] + [0] * (4 - len(given))
    _primitives[scalar.name](out.ctypes.data, *addresses, len(out))
    return out


@pytest.mark.parametrize("device", DEVICES if EVERYTHING else DEVICES[:1], indirect=True)
@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: s.name)
def test_scalar_gives_the_cpus_bits(device: Any, scalar: Scalar) -> None:
    given = arguments(scalar)
    program = Program(scalar.arguments, (Instr(scalar.op, scalar.result, tuple(range(len(given)))),), (len(given),))
    assert_same_bits(run_map(device, program, given)[0], on_cpu(scalar, given))
