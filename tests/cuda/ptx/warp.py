"""PTX instructions that a warp runs as one: shuffles, votes, matches, sums, ldmatrix and mma.

All threads that a mask names must be there, with the same mask, and none of them elsewhere: a warp that has come apart
is refused. Products of mma are exact and added in float64, a sum is rounded once: a GPU's differ in the last bits.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ptx.memory import WORDS
from ptx.text import DTYPES, Instruction, PtxError
from ptx.threads import WARP

if TYPE_CHECKING:
    from ptx.emulator import Launch

EVERY = (1 << WARP) - 1
GROUP, QUAD = np.arange(WARP) // 4, np.arange(WARP) % 4    # of a lane, in the fragments of mma


class Together:
    """The warps of the lanes that run now: matrices [warp, lane]. there: whether a lane runs; masks: of each lane."""

    def __init__(self, launch: Launch, mask: Any = EVERY) -> None:
        lanes = launch.lanes()
        self.warps, self._row = np.unique(launch.of.warp[lanes], return_inverse=True)
        self._column = launch.of.lane[lanes]
        self.there = self.spread(True, np.dtype(bool))
        self.masks = self.spread(mask, np.dtype(np.uint32))
        first = self.masks[np.arange(len(self.warps)), self.there.argmax(1)]
        named = (first[:, None] >> np.arange(WARP, dtype=np.uint32) & 1).astype(bool)
        exists = np.zeros((len(self.warps), WARP), bool)
        inside = np.arange(launch.count)[np.isin(launch.of.warp, self.warps)]
        exists[np.searchsorted(self.warps, launch.of.warp[inside]), launch.of.lane[inside]] = True
        same = self.masks[self.there] == np.repeat(first, self.there.sum(1))
        if (self.there != (named & exists)).any() or not same.all():
            raise PtxError("the threads that the mask names are not together here")

    def spread(self, values: Any, dtype: np.dtype) -> np.ndarray:
        made = np.zeros((len(self.warps), WARP), dtype)
        made[self._row, self._column] = values
        return made

    def back(self, values: np.ndarray) -> np.ndarray:
        """Values of the lanes that run, from a matrix."""
        return values[self._row, self._column]

    def require_full(self) -> None:
        if not self.there.all():
            raise PtxError("a warp of fewer than 32 threads")


def warp_operation(instruction: Instruction, launch: Launch) -> Callable[[], None] | None:
    """An action that runs the instruction; None if a thread runs it alone."""
    name, parts = instruction.name, instruction.parts
    if name == "shfl":
        return _shuffle(instruction, launch)
    if name == "activemask":
        raise PtxError("which threads are together is not known to a program: activemask is refused")
    if name in ("vote", "match", "redux"):
        return _across(instruction, launch)
    if name == "ldmatrix":
        return _load_matrix(instruction, launch)
    if name == "mma" and parts[1:3] == ["sync", "aligned"]:
        return _multiply(instruction, launch)
    return None


def _shuffle(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """shfl.sync.mode.b32 d|p, a, b, c, mask."""
    mode, names = instruction.parts[2], instruction.operands[0].split("|")
    kinds = zip(instruction.operands[1:], ("b32", "u32", "u32", "u32"), strict=True)
    value, by, limits, mask = (launch.reader(operand, kind) for operand, kind in kinds)

    def act() -> None:
        warps, lane = Together(launch, mask()), np.arange(WARP)
        values, shift = warps.spread(value(), np.dtype(np.uint32)), warps.spread(by(), np.dtype(np.int64))
        limit = warps.spread(limits(), np.dtype(np.int64))
        clamp, segment = limit & 31, limit >> 8 & 31
        last = (lane & segment) | (clamp & ~segment)
        source = {"up": lane - shift, "down": lane + shift, "bfly": lane ^ shift,
                  "idx": (lane & segment) | (shift & ~segment)}[mode]
        inside = source >= last if mode == "up" else source <= last
        source = np.where(inside, source, lane)
        if (warps.there & ~np.take_along_axis(warps.there, source, 1)).any():
            raise PtxError("a shuffle from a thread that is not there")
        launch.write(names[0], warps.back(np.take_along_axis(values, source, 1)))
        if len(names) > 1:
            launch.write(names[1], warps.back(inside))

    return act


def _across(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """vote.sync.how, match.how.sync, redux.sync.how: d{|p}, a, mask."""
    kind, names = instruction.parts[-1], instruction.operands[0].split("|")
    how = f"{instruction.name}.{instruction.opcode.split('.')[1 if instruction.name == 'match' else 2]}"
    source = "pred" if instruction.name == "vote" else kind
    value, mask = launch.reader(instruction.operands[1], source), launch.reader(instruction.operands[2], "u32")

    def act() -> None:
        warps = Together(launch, mask())
        values, there = warps.spread(value(), DTYPES[source]), warps.there
        bits = np.uint32(1) << np.arange(WARP, dtype=np.uint32)
        if how == "vote.ballot":
            found = _each((values * bits).sum(1).astype(np.uint32))
        elif how in ("vote.any", "vote.all", "vote.uni"):
            some, every = (values & there).any(1), (values | ~there).all(1)
            found = _each({"vote.any": some, "vote.all": every, "vote.uni": every | ~some}[how])
        elif how in ("match.any", "match.all"):
            same = (values[:, :, None] == values[:, None, :]) & there[:, None, :]
            found = (same * bits).sum(2).astype(np.uint32)
            if how == "match.all":
                every = _each((same | ~there[:, None, :]).all(2)[np.arange(len(values)), there.argmax(1)])
                found = np.where(every, found, np.uint32(0))
                if len(names) > 1:
                    launch.write(names[1], warps.back(every))
        elif how.removeprefix("redux.") in _SUMS:
            identity, sums = _SUMS[how.removeprefix("redux.")]
            least = identity(np.iinfo(values.dtype))
            found = _each(sums(np.where(there, values, least), 1).astype(values.dtype))
        else:
            raise PtxError("not emulated")
        launch.write(names[0], warps.back(np.broadcast_to(found, values.shape)))

    return act


_SUMS: dict[str, tuple[Callable[[Any], int], Callable[..., Any]]] = {
    "add": (lambda i: 0, np.add.reduce), "min": (lambda i: i.max, np.minimum.reduce),
    "max": (lambda i: i.min, np.maximum.reduce), "or": (lambda i: 0, np.bitwise_or.reduce),
    "xor": (lambda i: 0, np.bitwise_xor.reduce), "and": (lambda i: -1 if i.min else i.max, np.bitwise_and.reduce)}


def _each(value: np.ndarray) -> np.ndarray:
    """One value a warp, for all of its lanes."""
    return value[:, None]


def _load_matrix(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """ldmatrix.sync.aligned.m8n8.x1|x2|x4{.trans}.shared.b16 {d, ...}, [row]: lanes 8 i to 8 i + 7 give the addresses
    of matrix i's rows."""
    names, parts = instruction.group(0), instruction.parts
    addresses = launch.addresses(instruction.operands[1])
    if parts[3] != "m8n8" or parts[4] != f"x{len(names)}" or parts[-1] != "b16":
        raise PtxError(f"not emulated: {instruction.line}")

    def act() -> None:
        warps = Together(launch)
        warps.require_full()
        at = addresses().reshape(-1, WARP)[:, :8 * len(names)]
        lanes = launch.lanes().reshape(-1, WARP)
        for shift in (0, 1):           # other lanes than the one that gave it read a row, too
            who = np.roll(lanes, shift, 1)[:, :8 * len(names)]
            words = launch.access.load("shared", at.ravel(), 4, 4, who.ravel())
        rows = np.stack(words, 1).view(np.uint16).reshape(len(lanes), len(names), 8, 8)
        for i, name in enumerate(names):
            matrix = rows[:, i].transpose(0, 2, 1) if "trans" in parts else rows[:, i]
            launch.write(name, np.ascontiguousarray(matrix).view(np.uint32).reshape(-1))

    return act


# Shape and element -> (how many elements a register holds, rows and columns of a's registers, rows of b's).
_FRAGMENTS: dict[tuple[str, str], tuple[int, list[tuple[int, int]], list[int]]] = {
    ("m16n8k4", "tf32"): (1, [(0, 0), (8, 0)], [0]),
    ("m16n8k8", "tf32"): (1, [(0, 0), (8, 0), (0, 4), (8, 4)], [0, 4]),
    **{("m16n8k8", kind): (2, [(0, 0), (8, 0)], [0]) for kind in ("f16", "bf16")},
    **{("m16n8k16", kind): (2, [(0, 0), (8, 0), (0, 8), (8, 8)], [0, 8]) for kind in ("f16", "bf16")},
    ("m8n8k4", "f64"): (1, [(0, 0)], [0]),
}


def _multiply(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """mma.sync.aligned.shape.row.col.sum.element.element.sum d, a, b, c."""
    shape, *layout, sum_kind, element, other, given = instruction.parts[3:]
    if layout != ["row", "col"] or element != other or sum_kind != given or (shape, element) not in _FRAGMENTS or (
            sum_kind != ("f64" if element == "f64" else "f32")):
        raise PtxError(f"not emulated: {instruction.line}")
    width, of_a, of_b = _FRAGMENTS[shape, element]
    high, deep = of_a[-1][0] + 8, max(c for _, c in of_a) + 4 * width
    of_c = [(row, column) for row in range(0, high, 8) for column in (0, 1)]
    kind = "f64" if element == "f64" else "b32"
    a, b, c = ([launch.reader(name, k) for name in instruction.group(number)]
               for number, k in ((1, kind), (2, kind), (3, sum_kind)))
    if (len(a), len(b), len(c)) != (len(of_a), len(of_b), len(of_c)):
        raise PtxError(f"not as many registers as its matrices take: {instruction.line}")

    def act() -> None:
        warps = Together(launch)
        warps.require_full()
        count = len(warps.warps)
        left, right, sums = np.empty((count, high, deep)), np.empty((count, deep, 8)), np.empty((count, high, 8))
        for read, (row, column) in zip(a, of_a, strict=True):
            for i, part in enumerate(_elements(warps, read, element)):
                left[:, GROUP + row, width * QUAD + column + i] = part
        for read, row in zip(b, of_b, strict=True):
            for i, part in enumerate(_elements(warps, read, element)):
                right[:, width * QUAD + row + i, GROUP] = part
        for read, (row, column) in zip(c, of_c, strict=True):
            sums[:, GROUP + row, 2 * QUAD + column] = warps.spread(read(), DTYPES[sum_kind])
        made = (left @ right + sums).astype(DTYPES[sum_kind])
        for name, (row, column) in zip(instruction.group(0), of_c, strict=True):
            launch.write(name, warps.back(made[:, GROUP + row, 2 * QUAD + column]))

    return act


def _elements(warps: Together, read: Callable[[], Any], element: str) -> list[np.ndarray]:
    """What a register of each lane holds, as float64."""
    if element == "f64":
        return [warps.spread(read(), np.dtype("f8"))]
    bits = warps.spread(read(), np.dtype(np.uint32))
    if element == "tf32":
        return [(bits & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64)]
    halves = (bits & np.uint32(0xFFFF), bits >> np.uint32(16))
    return [half.astype(WORDS[2]).view(DTYPES[element]).astype(np.float64) for half in halves]
