"""wgmma in the PTX emulator: products of a warpgroup of matrices in shared memory, which run while the warps go on.

A product is computed when it is issued; until its warps have waited for its group, its registers belong to nobody else,
and what it reads is being read (ptx/phases.py). Refused: a warpgroup that has come apart, registers that were written
and not fenced, or that are used while a product runs, descriptors that its warps do not share, layouts that are not
known.

After PTX ISA 9.0, 9.7.15.5.1 (fragments, canonical layouts, descriptors; include/cute/atom/mma_traits_sm90_gmma.hpp of
CUTLASS says the same of layouts), and its sections on wgmma.mma_async, fence, commit_group and wait_group.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ptx.phases import GRAIN
from ptx.text import DTYPES, Instruction, Kernel, PtxError
from ptx.threads import WARP

if TYPE_CHECKING:
    from ptx.emulator import Launch

WARPS, ROWS = 4, 64                                    # of a warpgroup
_SHAPE = re.compile(r"m64n(\d+)k(\d+)")
_SIZES = {"f16": 2, "bf16": 2, "tf32": 4}
_CHUNKS = {0: 1, 1: 8, 2: 4, 3: 2}                     # of 16 bytes in a line, by a descriptor's swizzling mode


@dataclass(frozen=True)
class Descriptor:
    """Of a matrix in shared memory. chunks: of 16 bytes that are exchanged, 1: none."""

    start: int
    leading: int
    stride: int
    chunks: int

    @classmethod
    def of(cls, word: int) -> Descriptor:
        if word >> 49 & 7:
            raise PtxError("a descriptor with a base offset is not emulated")
        start, leading, stride = ((word >> shift & 0x3FFF) << 4 for shift in (0, 16, 32))
        return cls(start, leading, stride, _CHUNKS[word >> 62])

    def places(self, side: int, deep: int, size: int, along_k: bool) -> np.ndarray:
        """Where in shared memory the bytes of each row (or column) and each of k are: [side, deep, size]."""
        places = self.start + self.offsets(side, deep, size, along_k)
        return places ^ (places >> 7 & self.chunks - 1) << 4

    def offsets(self, side: int, deep: int, size: int, along_k: bool) -> np.ndarray:
        """The same from the start on, before anything is exchanged."""
        line = 16 * self.chunks
        row, k, byte = np.ogrid[:side, :deep, :size]
        if along_k:
            bytes_along, lines = k * size + byte, row
            along = bytes_along if self.chunks > 1 else bytes_along % 16 + bytes_along // 16 * self.leading
            return along + lines % 8 * line + lines // 8 * self.stride
        bytes_along, lines = row * size + byte, k
        next_line, next_block = (self.stride, self.leading) if self.chunks > 1 else (self.leading, self.stride)
        return bytes_along % line + bytes_along // line * next_block + lines % 8 * line + lines // 8 * next_line


@dataclass
class Running:
    """A product. warps: those of the block that have not waited for it; group: which of each warp's."""

    block: int
    warps: dict[int, int]
    registers: tuple[str, ...]
    grains: np.ndarray


class Warpgroups:
    """Of one launch. watched: registers in which products add up."""

    def __init__(self, launch: Launch, kernel: Kernel) -> None:
        self.launch, self.running = launch, []  # type: Launch, list[Running]
        self.watched = {name for i in kernel.code if i.opcode.startswith("wgmma.mma_async") for name in i.group(0)}
        self._written = {name: np.full(launch.count, -1, np.int64) for name in self.watched}
        warps = launch.blocks * launch.of.warps_of_block
        self._fenced, self._committed = np.full(warps, -1, np.int64), np.zeros(warps, np.int64)

    def check(self, name: str, writes: bool) -> None:
        """An instruction that is no wgmma takes the register."""
        lanes = self.launch.lanes()
        for one in self.running:
            if name in one.registers and np.isin(self.launch.of.warp[lanes], [*one.warps]).any():
                raise PtxError(f"{name} is used while wgmma adds to it: no wait")
        if writes:
            self._written[name][lanes] = self.launch.steps

    def fence(self) -> None:
        self._fenced[self._here()] = self.launch.steps

    def commit(self) -> None:
        self._committed[self._here()] += 1

    def wait(self, all_but: int) -> None:
        per_block = self.launch.of.warps_of_block
        for warp in self._here().tolist():
            for one in self.running:
                if warp in one.warps and one.warps[warp] < self._committed[warp] - all_but:
                    del one.warps[warp]
                    self.launch.phases.have_read(one.block, warp % per_block, one.grains)
        self.running = [one for one in self.running if one.warps]

    def _here(self) -> np.ndarray:
        """The warps that run now, whole warpgroups."""
        warps, counts = np.unique(self.launch.of.warp[self.launch.lanes()], return_counts=True)
        groups, members = np.unique(warps % self.launch.of.warps_of_block // WARPS + (
            warps // self.launch.of.warps_of_block << 16), return_counts=True)
        if (counts != WARP).any() or (members != WARPS).any() or not len(groups):
            raise PtxError("a warpgroup that is not together here")
        return warps

    def multiply(self, p: Product, words: tuple[np.ndarray, np.ndarray]) -> None:
        """words: the descriptors of each running thread."""
        warps, lanes = self._here(), self.launch.lanes().reshape(-1, WARPS * WARP)
        for name in p.registers:
            if (self._written[name][lanes.ravel()] >= self._fenced[self.launch.of.warp[lanes.ravel()]]).any():
                raise PtxError(f"{name} was written, and there was no wgmma.fence")
        a, b = (word.reshape(lanes.shape) for word in words)
        for number, group in enumerate(lanes):
            if len(np.unique(a[number])) > 1 or len(np.unique(b[number])) > 1:
                raise PtxError("the warps of a warpgroup have different descriptors")
            own = warps[number * WARPS:(number + 1) * WARPS]
            self._one(p, group, own, Descriptor.of(int(a[number, 0])), Descriptor.of(int(b[number, 0])))

    def _one(self, p: Product, lanes: np.ndarray, warps: np.ndarray, a: Descriptor, b: Descriptor) -> None:
        block = int(self.launch.of.block[lanes[0]])
        left, of_a = self._matrix(block, p, a.places(ROWS, p.deep, p.size, p.along_a))
        right, of_b = self._matrix(block, p, b.places(p.columns, p.deep, p.size, p.along_b))
        grains = np.union1d(of_a, of_b)
        self.launch.phases.read(block, warps % self.launch.of.warps_of_block, grains)
        self.running.append(Running(block, {int(w): int(self._committed[w]) for w in warps}, p.registers, grains))
        self._add(p, lanes, left @ right.T)

    def _matrix(self, block: int, p: Product, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(its elements, the grains of shared memory that they lie in)"""
        access = self.launch.access
        shared = access.own["shared"]
        if places.min() < 0 or places.max() >= shared.count:
            raise PtxError(f"wgmma reads outside shared memory, which has {shared.count} bytes")
        every = block * shared.stride + places
        if access.pending[every].any():
            raise PtxError("wgmma reads shared memory to which TMA has not come: no wait for it")
        if not shared.written[every].all():
            raise PtxError("wgmma reads shared memory that was never written")
        bits = np.ascontiguousarray(shared.bytes[every]).view(f"u{p.size}")[..., 0]
        found = (bits & np.uint32(0xFFFFE000)).view(np.float32) if p.element == "tf32" else bits.view(DTYPES[p.element])
        return found.astype(np.float64), np.unique(places // GRAIN)

    def _add(self, p: Product, lanes: np.ndarray, product: np.ndarray) -> None:
        """Register 4 j + 2 h + i of a lane: row lane / 4 + 8 h of its warp's 16, column 8 j + 2 (lane % 4) + i."""
        parts = product.reshape(WARPS, 2, 8, p.columns // 8, 4, 2)     # warp, h, lane / 4, j, lane % 4, i
        for number, name in enumerate(p.registers):
            j, h, i = number // 4, number // 2 % 2, number % 2
            found = self.launch.registers[name].copy()
            before = found[lanes].view(np.float32).astype(np.float64)
            found[lanes] = (before + parts[:, h, :, j, :, i].ravel()).astype(np.float32).view(np.uint32)
            self.launch.registers[name] = found

    def finish(self) -> None:
        if self.running:
            raise PtxError("the kernel ended, and wgmma was not waited for")


@dataclass(frozen=True)
class Product:
    element: str
    columns: int
    deep: int
    registers: tuple[str, ...]
    along_a: bool
    along_b: bool

    @property
    def size(self) -> int:
        return _SIZES[self.element]


def warpgroup_operation(instruction: Instruction, launch: Launch) -> Callable[[], None] | None:
    """An action that runs the instruction; None if it is no wgmma."""
    if instruction.name != "wgmma":
        return None
    what = instruction.parts[1]
    if instruction.parts[2:4] != ["sync", "aligned"]:
        raise PtxError(f"not emulated: {instruction.line}")
    if what == "fence":
        return launch.warpgroups.fence
    if what == "commit_group":
        return launch.warpgroups.commit
    if what == "wait_group":
        all_but = int(instruction.operands[0])
        return lambda: launch.warpgroups.wait(all_but)
    product = product_of(instruction)
    words = [launch.reader(operand, "u64") for operand in instruction.operands[1:3]]

    def multiply() -> None:
        lanes = launch.lanes()
        given = tuple(np.broadcast_to(np.asarray(word()), len(lanes)) for word in words)
        launch.warpgroups.multiply(product, given)  # type: ignore[arg-type]

    return multiply


def product_of(instruction: Instruction) -> Product:
    """mma_async.sync.aligned.shape.f32.element.element d, a, b, 1, 1, 1{, a turned, b turned}"""
    shape, total, element, other = instruction.parts[4:]
    found = _SHAPE.fullmatch(shape)
    registers, more = tuple(instruction.group(0)), list(map(int, instruction.operands[3:]))
    turned = more[3:] if element != "tf32" else [0, 0]
    if (found is None or total != "f32" or element != other or element not in _SIZES or more[:3] != [1, 1, 1]
            or len(more) != (3 if element == "tf32" else 5) or len(registers) != int(found.group(1)) // 2
            or int(found.group(2)) * _SIZES[element] != 32 or not set(turned) <= {0, 1}):
        raise PtxError(f"not emulated: {instruction.line}")
    return Product(element, int(found.group(1)), int(found.group(2)), registers, not turned[0], not turned[1])

