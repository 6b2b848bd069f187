"""A kernel that plans call, run on the device by itself: arrays in, arrays out, and what it refuses."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.exec.cuda.calls.all import CALLS
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.checks import RECORD_WORDS, Failure
from graphc.exec.cuda.memory import Block
from graphc.exec.library import load_library

from on_both import TYPES


@dataclass(frozen=True)
class Outcome:
    """outputs: what was written; checked: the words that each check looks at; failures: of the checks that refuse
    something, in their order."""

    outputs: list[np.ndarray]
    checked: list[np.ndarray]
    failures: list[Failure]


def run_call(device: Any, name: str, given: Sequence[np.ndarray], outputs: Sequence[np.ndarray], dims: Sequence[int],
             attrs: Sequence[int] = (), products: Products = Products.FUSED, stored: Sequence[str] = ()) -> Outcome:
    """name: with dtypes, as a plan has it; outputs: what stands there before, as large as they are. products: how it
    multiplies; stored: what operands are in memory, if some are 16-bit floats."""
    device.enter()
    kept: list[Block] = []

    def room(count: int) -> int:
        kept.append(Block(device, count))
        return kept[-1].address

    def placed(array: np.ndarray) -> int:
        array = np.ascontiguousarray(array)
        address = room(array.nbytes)
        device.upload(address, array.ctypes.data, array.nbytes)
        device.wait()
        return address

    def fetched(address: int, array: np.ndarray) -> np.ndarray:
        device.download(array.ctypes.data, address, array.nbytes)
        device.wait()
        return array

    kernel, *types = name.split(".")
    operands = [placed(array) for array in (*given, *outputs)]
    call = Call(tuple(types), tuple(operands), tuple(dims), tuple(attrs), load_library(), room,
                lambda facts: placed(np.frombuffer(facts, np.uint8)), products=products, stored=tuple(stored))
    for work in list(CALLS[kernel](call)):
        work.prepare(device)
        work.submit(device)
    made = [fetched(at, np.empty_like(array)) for at, array in zip(operands[len(given):], outputs, strict=True)]
    checked = [np.zeros(RECORD_WORDS, np.int64) for _ in call.checks]
    for check, words in zip(call.checks, checked, strict=True):
        fetched(check.place, words[:check.words])
    failures = [check.failure(words.tolist()) for check, words in zip(call.checks, checked, strict=True)]
    return Outcome(made, checked, [f for f in failures if f is not None])


def unset(shape: Any, dtype: str) -> np.ndarray:
    """Room for a result, with bytes in it that are nobody's result."""
    return np.frombuffer(b"\x7f" * (int(np.prod(shape)) * np.dtype(TYPES[dtype]).itemsize),
                         TYPES[dtype]).reshape(shape)


def numbers(generator: np.random.Generator, shape: Any, dtype: str, some_nan: bool = True) -> np.ndarray:
    """Values around 0, many of them equal; of floats NaNs and infinities among them."""
    made = generator.integers(0 if dtype.startswith("u") else -9, 10, shape).astype(TYPES[dtype])
    if made.dtype.kind == "f" and some_nan and made.size:
        strange = generator.random(shape)
        made[strange < 0.06] = np.nan
        made[strange > 0.97] = np.inf
        made[(strange > 0.94) & (strange < 0.97)] = -np.inf
    return made
