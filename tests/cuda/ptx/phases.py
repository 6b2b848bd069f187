"""mbarriers and TMA in the PTX emulator: barriers with phases, the copies whose bytes they count, and who knows of
what.

What a warp did comes before what another one does only by a barrier: each warp has a clock, an arrival leaves all
clocks that the warp knows of at the barrier, and who sees the phase end takes them. Copies come as late as they can:
when nobody can go on without. Refused: tiles that are read before their phase was seen to end, places that are copied
to while they are read, or whose readers the copying thread has not heard of, bytes that nobody announced, more arrivals
than a barrier counts, barriers that TMA or another warp cannot see yet, and waits for what never comes.

After PTX ISA 9.0, its sections on mbarrier (phases, expect-tx, arrive-on, try_wait), cp.async.bulk.tensor, tensors
(boxes, zeros outside of them, swizzling modes), and fence (fence.proxy.async, fence.mbarrier_init).
"""
from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ptx.memory import SHIFT
from ptx.tensor_map import AnyMap, PictureMap, unpacked
from ptx.text import Instruction, PtxError

if TYPE_CHECKING:
    from ptx.emulator import Launch

GRAIN = 128                # bytes of shared memory that are watched as one
LARGEST_COUNT = (1 << 20) - 1          # bytes that a phase may announce, and arrivals that it may count


@dataclass
class Barrier:
    """arrivals: that end a phase; left, bytes: what is missing of this one; ended: how many have. clock: what those who
    arrived in this phase know, released: in all that have ended. seen: phases that each warp saw end. maker: the warp
    that began it, at its clock; visible: to TMA."""

    arrivals: int
    left: int
    maker: int
    made_at: int
    clock: np.ndarray
    released: np.ndarray
    seen: np.ndarray
    bytes: int = 0
    ended: int = 0
    visible: bool = False


@dataclass(frozen=True)
class Copy:
    """On its way: bytes and the places (in the block's shared memory) where they go."""

    barrier: Barrier
    places: np.ndarray
    data: np.ndarray


@dataclass
class Filled:
    """Of each grain of a block's shared memory: the barrier whose phase brought it; how many reads each warp has not
    waited for, and its clock when it had waited for the last."""

    by: list[Barrier | None]
    phase: np.ndarray
    reading: np.ndarray
    read_at: np.ndarray


@dataclass
class Block:
    clock: np.ndarray                                  # [warp, other warp]: how much of the other's work it knows of
    filled: Filled
    barriers: dict[int, Barrier] = field(default_factory=dict)
    copies: deque[Copy] = field(default_factory=deque)


class Phases:
    """Of one launch. asleep: threads that wait for a phase. blocks: those that have mbarriers."""

    def __init__(self, launch: Launch) -> None:
        self.launch, self.blocks = launch, {}  # type: Launch, dict[int, Block]
        self.asleep = np.zeros(launch.count, bool)

    def _made(self) -> Block:
        warps = self.launch.of.warps_of_block
        grains = -(-self.launch.access.own["shared"].stride // GRAIN)
        return Block(np.eye(warps, dtype=np.int64), Filled(
            [None] * grains, np.zeros(grains, np.int64), *np.zeros((2, grains, warps), np.int64)))

    def who(self, lane: int) -> tuple[Block, int, int]:
        """(the thread's block, its number, the warp's number in it)"""
        of = self.launch.of
        number = int(of.block[lane])
        if number not in self.blocks:
            self.blocks[number] = self._made()
        return self.blocks[number], number, int(of.warp[lane]) - number * of.warps_of_block

    def _barrier(self, block: Block, warp: int, address: int) -> Barrier:
        found = block.barriers.get(address)
        if found is None:
            raise PtxError(f"there is no mbarrier at {address}")
        if block.clock[warp, found.maker] < found.made_at:
            raise PtxError("an mbarrier that this thread cannot see yet: no barrier behind mbarrier.init")
        return found

    def begin(self, lane: int, address: int, arrivals: int) -> None:
        block, _, warp = self.who(lane)
        if address % 8 or not 0 < arrivals <= LARGEST_COUNT or address in block.barriers:
            raise PtxError("mbarrier.init at no multiple of 8, of no or too many arrivals, or once more")
        warps = len(block.clock)
        clocks = np.zeros((3, warps), np.int64)
        block.barriers[address] = Barrier(arrivals, arrivals, warp, int(block.clock[warp, warp]), *clocks)
        block.clock[warp, warp] += 1

    def make_visible(self, lanes: np.ndarray) -> None:
        """fence.proxy.async of these threads."""
        for lane in lanes.tolist():
            block, _, warp = self.who(lane)
            for barrier in block.barriers.values():
                barrier.visible |= barrier.maker == warp

    def arrive(self, lane: int, address: int, count: int) -> None:
        """count: of bytes that are announced."""
        block, number, warp = self.who(lane)
        barrier = self._barrier(block, warp, address)
        if barrier.left == 0:
            raise PtxError("more threads arrive at an mbarrier than it counts")
        barrier.left, barrier.bytes = barrier.left - 1, barrier.bytes + count
        if barrier.bytes > LARGEST_COUNT:
            raise PtxError(f"an mbarrier that waits for {barrier.bytes} bytes")
        barrier.clock = np.maximum(barrier.clock, block.clock[warp])
        block.clock[warp, warp] += 1
        self._end(number, barrier)

    def _end(self, number: int, barrier: Barrier) -> None:
        """Ends the phase, if nothing is missing."""
        if barrier.left or barrier.bytes:
            return
        barrier.ended, barrier.left = barrier.ended + 1, barrier.arrivals
        barrier.released = np.maximum(barrier.released, barrier.clock)
        self.asleep[self.launch.of.block == number] = False

    def has_ended(self, lane: int, address: int, parity: int) -> bool:
        """Whether the last phase of that parity has; who is told so knows what those who arrived knew."""
        block, _, warp = self.who(lane)
        barrier = self._barrier(block, warp, address)
        if barrier.ended % 2 == parity:
            return False
        block.clock[warp] = np.maximum(block.clock[warp], barrier.released)
        barrier.seen[warp] = barrier.ended
        return True

    def meet(self, number: int) -> None:
        """All threads of the block have come to bar.sync."""
        clock = self.blocks[number].clock
        clock[:] = clock.max(0)
        clock[np.diag_indices(len(clock))] += 1

    # Copies

    def copy(self, lane: int, to: int, tensor: bytes, place: list[int], address: int) -> None:
        block, number, warp = self.who(lane)
        barrier = self._barrier(block, warp, address)
        if not barrier.visible:
            raise PtxError("TMA cannot see the mbarrier: no fence.proxy.async behind mbarrier.init")
        data = _box(self.launch, tensor, place)
        access = self.launch.access
        if to % GRAIN or to < 0 or to + data.size > access.own["shared"].count:
            raise PtxError(f"TMA to {to} of {access.own['shared'].count} bytes: a multiple of 128 inside is wanted")
        grains = slice(to // GRAIN, (to + data.size) // GRAIN)
        filled = block.filled
        if filled.reading[grains].any():
            raise PtxError("TMA writes where wgmma still reads")
        if (filled.read_at[grains] > block.clock[warp]).any():
            raise PtxError("TMA writes where the copying thread does not know that all have read")
        linear = to + np.arange(data.size)
        places = linear ^ (linear >> 7 & 7) << 4
        every = number * access.own["shared"].stride + places
        if access.pending[every].any():
            raise PtxError("two copies of TMA to one place")
        access.pending[every], access.own["shared"].written[every] = True, False
        block.copies.append(Copy(barrier, places, data))

    def deliver(self) -> bool:
        """Lets the oldest copy of a block come; False: there is none."""
        for number, block in self.blocks.items():
            if block.copies:
                self._deliver(number, block, block.copies.popleft())
                return True
        return False

    def _deliver(self, number: int, block: Block, copy: Copy) -> None:
        access, barrier = self.launch.access, copy.barrier
        shared, every = access.own["shared"], number * access.own["shared"].stride + copy.places
        shared.bytes[every], shared.written[every], access.pending[every] = copy.data, True, False
        for grain in range(int(copy.places.min()) // GRAIN, int(copy.places.max()) // GRAIN + 1):
            block.filled.by[grain], block.filled.phase[grain] = barrier, barrier.ended
        barrier.bytes -= copy.data.size
        if barrier.bytes < 0:
            raise PtxError(f"{-barrier.bytes} bytes come to an mbarrier that nobody announced")
        self._end(number, barrier)

    # What wgmma reads

    def read(self, number: int, warps: np.ndarray, grains: np.ndarray) -> None:
        """These warps of the block begin to read there."""
        filled = self.blocks[number].filled
        for grain in grains.tolist():
            barrier = filled.by[grain]
            if barrier is None:
                raise PtxError("wgmma reads what TMA did not bring")
            if (barrier.seen[warps] <= filled.phase[grain]).any():
                raise PtxError("wgmma reads a tile whose mbarrier was not waited for")
        filled.reading[np.ix_(grains, warps)] += 1

    def have_read(self, number: int, warp: int, grains: np.ndarray) -> None:
        """The warp has waited for that."""
        block = self.blocks[number]
        block.filled.reading[grains, warp] -= 1
        block.filled.read_at[grains, warp] = block.clock[warp, warp]

    def finish(self) -> None:
        if any(block.copies for block in self.blocks.values()):
            raise PtxError("the kernel ended, and nobody waited for copies of TMA")


def _box(launch: Launch, tensor: bytes, place: list[int]) -> np.ndarray:
    """The bytes of a box, line by line; zeros outside of the tensor."""
    t = unpacked(tensor)
    if isinstance(t, PictureMap) or len(place) != 3:
        return _pixels(launch, t, place)
    found = np.zeros((t.across, GRAIN), np.uint8)
    first, line, matrix = place
    inside = min(t.along, t.length - first) * (GRAIN // t.along)
    if inside <= 0 or first < 0 or line < 0 or not 0 <= matrix < t.batch:
        return found.ravel()
    count = max(min(t.across, t.lines - line), 0)
    begin = t.address + matrix * t.matrix + first * (GRAIN // t.along)
    for number in range(count):
        found[number, :inside] = _global(launch, begin + (line + number) * t.line, inside)
    return found.ravel()


def _global(launch: Launch, address: int, count: int) -> np.ndarray:
    allocation, offset = launch.access.memory.allocations.get(address >> SHIFT), address & ((1 << SHIFT) - 1)
    if allocation is None or offset + count > allocation.count:
        raise PtxError(f"TMA reads outside global memory: {count} bytes at {address:#x}")
    if not allocation.written[offset:offset + count].all():
        raise PtxError("TMA reads global memory before it was written")
    return allocation.bytes[offset:offset + count]


def _pixels(launch: Launch, t: AnyMap, place: list[int]) -> np.ndarray:
    """The bytes of pixels of windows that follow one another, a line each; zeros outside of the pictures. place:
    channel, column, row and picture of the first window, then columns and rows from a window to its pixel."""
    if not isinstance(t, PictureMap) or len(place) != 6:
        raise PtxError("a copy of pixels by a map of matrices, or the other way round")
    found, size = np.zeros((t.pixels, GRAIN), np.uint8), GRAIN // t.channels
    channel, column, row, picture, across, down = place
    (left, top), (right, bottom) = t.lower, (t.w - 1 + t.upper[0], t.h - 1 + t.upper[1])
    if not (left <= column <= right and top <= row <= bottom) or min(channel, picture, across, down) < 0:
        raise PtxError(f"TMA begins at {place}, where no window is: columns {left} to {right}, rows {top} to {bottom}")
    inside = min(t.channels, t.c - channel) * size
    for number in range(t.pixels):
        x, y = column + across, row + down
        if picture < t.n and 0 <= x < t.w and 0 <= y < t.h and inside > 0:
            pixel = (picture * t.h + y) * t.w + x
            found[number, :inside] = _global(launch, t.address + (pixel * t.c + channel) * size, inside)
        column += t.strides[0]
        if column > right:
            column, row = left, row + t.strides[1]
        if row > bottom:
            row, picture = top, picture + 1
    return found.ravel()


def phase_operation(instruction: Instruction, launch: Launch) -> Callable[[], None] | None:
    """An action that runs the instruction; None if it is none of these."""
    opcode = instruction.opcode
    if opcode == "fence.proxy.async.shared::cta":
        return lambda: launch.phases.make_visible(launch.lanes())
    if opcode == "mbarrier.init.shared::cta.b64":
        at, count = launch.addresses(instruction.operands[0]), launch.reader(instruction.operands[1], "u32")
        return lambda: _each(launch, launch.phases.begin, at, count)
    if opcode in ("mbarrier.arrive.shared::cta.b64", "mbarrier.arrive.expect_tx.shared::cta.b64"):
        if instruction.operands[0] != "_":
            raise PtxError(f"not emulated: {instruction.line}")
        at = launch.addresses(instruction.operands[1])
        count = launch.reader(instruction.operands[2] if "expect_tx" in opcode else "0", "u32")
        return lambda: _each(launch, launch.phases.arrive, at, count)
    if opcode in ("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes",
                  "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"):
        return _copy(instruction, launch)
    return None


def _each(launch: Launch, act: Callable[[int, int, int], None], at: Callable[[], Any],
          number: Callable[[], Any]) -> None:
    """For each running thread: act(thread, its address, its number)."""
    lanes = launch.lanes()
    numbers = np.broadcast_to(np.asarray(number()), len(lanes))
    for lane, address, count in zip(lanes.tolist(), at().tolist(), numbers.tolist(), strict=True):
        act(lane, address, count)


def _copy(instruction: Instruction, launch: Launch) -> Callable[[], None]:
    """[to], [map, {along, line, matrix}], [mbarrier]; [to], [map, {channel, column, row, picture}], [mbarrier],
    {columns, rows}"""
    found = re.fullmatch(r"\[(%\w+), *\{(.*)\}\]", instruction.operands[1])
    if found is None:
        raise PtxError(f"not emulated: {instruction.line}")
    to, told = launch.addresses(instruction.operands[0]), launch.addresses(instruction.operands[2])
    tensor = launch.reader(found.group(1), "u64")
    places = [launch.reader(name.strip(), "s32") for name in found.group(2).split(",")]
    if ".im2col." in instruction.opcode:
        places += [launch.reader(name, "u16") for name in instruction.group(3)]

    def start() -> None:
        lanes = launch.lanes()
        where = [np.broadcast_to(np.asarray(read()), len(lanes)).tolist() for read in (tensor, *places)]
        given = zip(lanes.tolist(), to().tolist(), told().tolist(), *where, strict=True)
        for lane, target, address, source, *at in given:
            launch.phases.copy(lane, target, launch.maps[source], at, address)

    return start
