"""PTX instructions that touch memory: loads, stores, atomic operations and cp.async.

Copies of cp.async come when their thread waits for them, and not before: what reads them earlier is refused.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ptx.memory import WORDS
from ptx.text import DTYPES, Instruction, PtxError

if TYPE_CHECKING:
    from ptx.emulator import Launch

SPACES = ("global", "shared", "local")
# How caches are used, and orders that only strengthen what a program may rely on.
HARMLESS = {"weak", "relaxed", "acquire", "release", "acq_rel", "volatile", "ca", "cg", "cs", "lu", "cv", "wb", "wt",
            "gpu", "cta", "sys", "noftz"}


def access_operation(instruction: Instruction, launch: Launch) -> Callable[[], None] | None:
    """An action that runs the instruction; None if it touches no memory."""
    name = instruction.name
    if name in ("ld", "st"):
        return _load_or_store(instruction, launch)
    if name in ("atom", "red"):
        return _atomic(instruction, launch)
    if name in ("membar", "fence"):
        return lambda: None
    if instruction.opcode.startswith("cp.async"):
        return _copy(instruction, launch)
    return None


def _space(instruction: Instruction, known: set[str]) -> str:
    """The memory that is meant. Raises PtxError for a part of the opcode that is not in `known` either."""
    parts = [part.removesuffix("::cta") for part in instruction.parts[1:-1]]
    strange = [part for part in parts if part not in known | HARMLESS and part not in SPACES and "::" not in part]
    if strange:
        raise PtxError(f"not emulated: {instruction.line}")
    return next((part for part in parts if part in SPACES), "generic")


def _load_or_store(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    space, parts = _space(instruction, {"v2", "v4", "nc"}), instruction.parts
    kind, loads = parts[-1], instruction.name == "ld"
    dtype, names = DTYPES[kind], instruction.group(0 if loads else 1)
    if len(names) != next((int(part[1:]) for part in parts if part in ("v2", "v4")), 1):
        raise PtxError(f"not as many registers as elements: {instruction.line}")
    addresses = launch.addresses(instruction.operands[1 if loads else 0])
    if loads:
        def load() -> None:
            found = launch.access.load(space, addresses(), dtype.itemsize, len(names), launch.lanes(), "nc" in parts)
            for name, bits in zip(names, found, strict=True):
                launch.write(name, _extended(bits.view(dtype), name))

        return load
    sources = [launch.reader(name, kind) for name in names]
    return lambda: launch.access.store(space, addresses(), dtype.itemsize, launch.lanes(), [s() for s in sources])


def _extended(value: np.ndarray, register: str) -> np.ndarray:
    """A signed value fills its register with its sign."""
    if value.dtype.kind != "i":
        return value
    return value.astype({"%rs": np.int16, "%rd": np.int64}.get(register[:3], np.int32))


_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "exch": lambda old, new: new,
    "inc": lambda old, most: np.where(old >= most, 0, old + 1).astype(old.dtype),
    "dec": lambda old, most: np.where((old == 0) | (old > most), most, old - 1).astype(old.dtype),
}


def _atomic(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """atom d, [a], b; red [a], b."""
    known = {*_CHANGES, "cas"}
    space, kind = _space(instruction, known), instruction.parts[-1]
    what = next(part for part in instruction.parts if part in known)
    dtype, returns = DTYPES[kind], instruction.name == "atom"
    operands = instruction.operands[1:] if returns else instruction.operands
    addresses, given = launch.addresses(operands[0]), [launch.reader(o, kind) for o in operands[1:]]

    def act() -> None:
        lanes = launch.lanes()
        values = [np.broadcast_to(np.asarray(g()), len(lanes)) for g in given]

        def change(old: np.ndarray, which: np.ndarray) -> np.ndarray:
            old = old.view(dtype)
            if what == "cas":
                return np.where(old == values[0][which], values[1][which], old).view(WORDS[dtype.itemsize])
            return np.ascontiguousarray(_CHANGES[what](old, values[0][which])).view(WORDS[dtype.itemsize])

        found = launch.access.update(space, addresses(), dtype.itemsize, lanes, change)
        if returns:
            launch.write(instruction.operands[0], found)

    return act


class Copies:
    """Copies of cp.async that are on their way: their threads and groups, where they go, and their bytes."""

    def __init__(self, threads: int) -> None:
        self.groups = np.zeros(threads, np.int64)      # that each thread has committed
        self.under_way: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []


def _copy(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """cp.async.ca|cg.shared.global [to], [from], size{, bytes taken}; .commit_group; .wait_group n; .wait_all."""
    parts = instruction.parts
    if parts[2] == "commit_group":
        def commit() -> None:
            launch.copies.groups[launch.lanes()] += 1

        return commit
    if parts[2] in ("wait_group", "wait_all"):
        all_but = int(instruction.operands[0]) if parts[2] == "wait_group" else -1
        return lambda: _wait(launch, all_but)
    if parts[2] not in ("ca", "cg") or parts[3].split("::")[0] != "shared" or parts[4] != "global":
        raise PtxError(f"not emulated: {instruction.line}")
    size = int(instruction.operands[2])
    if size not in ((16,) if parts[2] == "cg" else (4, 8, 16)):
        raise PtxError(f"cp.async of {size} bytes")
    to, source = launch.addresses(instruction.operands[0]), launch.addresses(instruction.operands[1])
    there = launch.reader(instruction.operands[3], "u32") if len(instruction.operands) > 3 else lambda: size

    def start() -> None:
        lanes = launch.lanes()
        counts = np.broadcast_to(np.asarray(there()), len(lanes)).astype(np.int64)
        if (counts > size).any():
            raise PtxError("cp.async of more bytes than its size")
        offsets, data = launch.access.copy_later(to(), source(), size, counts, lanes)
        launch.copies.under_way.append((lanes, launch.copies.groups[lanes], offsets, data))

    return start


def _wait(launch: Launch, all_but: int) -> None:
    """Lets those copies of the running threads arrive that are in all but the last groups; -1: those in none, too."""
    waits = np.zeros(launch.count, bool)
    waits[launch.lanes()] = True
    left = []
    for lanes, groups, offsets, data in launch.copies.under_way:
        comes = waits[lanes] & (groups < launch.copies.groups[lanes] - all_but)
        launch.access.arrive(offsets[comes], data[comes], lanes[comes])
        if not comes.all():
            left.append((lanes[~comes], groups[~comes], offsets[~comes], data[~comes]))
    launch.copies.under_way = left
