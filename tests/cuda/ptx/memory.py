"""Memory of the PTX emulator: allocations with guards, and who touched what in a launch.

Refused (PtxError): addresses outside an allocation, or not aligned; memory that is read before anything was written
there; two threads that touch a byte without a barrier between them, one of them writing (atomic operations may meet);
memory that is read as constant and written in the same launch; shared memory to which cp.async has not come yet.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptx.text import PtxError
from ptx.threads import NOBODY, Threads

SHIFT = 36                 # allocation k begins at k << SHIFT
GENERIC = {"shared": 1 << 62, "local": 1 << 61}        # where these begin among generic addresses
WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
ONES = {1: 0x01, 2: 0x0101, 4: 0x01010101, 8: 0x0101010101010101}
UNIT = 4                   # bytes that are watched as one, until a smaller access comes


class Allocation:
    """Bytes, and which of them hold something."""

    def __init__(self, count: int, copies: int = 1) -> None:
        self.count = count                             # of one copy
        self.stride = -(-count // 16) * 16
        self.bytes = np.full(copies * self.stride, 0xAB, np.uint8)
        self.written = np.zeros(copies * self.stride, bool)


class Memory:
    """The device's memory. Addresses of freed allocations are never used again."""

    def __init__(self) -> None:
        self.allocations: dict[int, Allocation] = {}
        self._next = 1

    def allocate(self, count: int) -> int:
        self.allocations[self._next] = Allocation(count)
        self._next += 1
        return (self._next - 1) << SHIFT

    def free(self, address: int) -> None:
        del self.allocations[address >> SHIFT]

    def view(self, address: int, count: int, writes: bool) -> np.ndarray:
        """The bytes there, for a copy from or to the host."""
        found, offset = self.allocations.get(address >> SHIFT), address & ((1 << SHIFT) - 1)
        if found is None or offset + count > found.count:
            raise PtxError(f"a copy of {count} bytes at {address:#x} leaves its allocation")
        if writes:
            found.written[offset:offset + count] = True
        return found.bytes[offset:offset + count]


@dataclass(frozen=True)
class Manner:
    """How memory is touched."""

    writes: bool = False
    atomic: bool = False
    constant: bool = False     # ld.global.nc: the launch must not write there


class Touched:
    """Of each unit of an allocation, in this launch: who wrote and who read it last, and when."""

    def __init__(self, count: int) -> None:
        self.unit = UNIT
        units = count // UNIT
        self.writer, self.reader = np.full((2, units), NOBODY, np.int64)
        self.written_at, self.read_at = np.zeros((2, 2, units), np.int64)
        self.atomic, self.constant = np.zeros((2, units), bool)

    def _refine(self) -> None:
        for name in ("writer", "reader", "written_at", "read_at", "atomic", "constant"):
            setattr(self, name, np.repeat(getattr(self, name), self.unit, axis=-1))
        self.unit = 1

    def check(self, offsets: np.ndarray, threads: np.ndarray, of: Threads, width: int, how: Manner) -> str:
        """Notes an access of each thread at its offset; what is wrong with it, or ""."""
        if width % self.unit:
            self._refine()
        units = width // self.unit
        at = (offsets[:, None] // self.unit + np.arange(units)).ravel()
        who = np.repeat(threads, units)
        now = of.now(who)
        shared = not (at[1:] > at[:-1]).all()          # two threads may have the same place
        if shared:
            places, inverse, counts = np.unique(at, return_inverse=True, return_counts=True)
            shared = len(places) < len(at)
        if how.writes and not how.atomic and shared:
            return "threads store to one address in one instruction"
        clash = ~of.ordered(self.writer[at], self.written_at[:, at], who, now)
        if how.atomic:
            clash &= ~self.atomic[at]
        if clash.any():
            return "another thread wrote it, and there was no barrier"
        if how.writes and not of.ordered(self.reader[at], self.read_at[:, at], who, now).all():
            return "another thread read it, and there was no barrier"
        if how.writes and self.constant[at].any():
            return "it is read as constant in this launch"
        if how.constant:
            if (self.writer[at] != NOBODY).any():
                return "it is written in this launch, and read as constant"
            self.constant[at] = True
        if shared:
            who, now, at = _joined(of, who, now, inverse, counts), now[:, _firsts(inverse, counts)], places
        self._note(at, who, now, of, how)
        return ""

    def _note(self, at: np.ndarray, who: np.ndarray, now: np.ndarray, of: Threads, how: Manner) -> None:
        """at: each unit once."""
        if not how.writes:
            self.reader[at], self.read_at[:, at] = _noted(self.reader[at], self.read_at[:, at], who, now, of)
            return
        if how.atomic:
            who, now = _noted(np.where(self.atomic[at], self.writer[at], NOBODY), self.written_at[:, at], who, now, of)
        self.writer[at], self.written_at[:, at], self.atomic[at] = who, now, how.atomic


def _noted(before: np.ndarray, when: np.ndarray, who: np.ndarray, now: np.ndarray,
           of: Threads) -> tuple[np.ndarray, np.ndarray]:
    """Those before and these, where there was no barrier between them."""
    if (before == NOBODY).all():
        return who, now
    block = of.block_of(who)
    done = (before == NOBODY) | ((of.block_of(before) == block) & (block >= 0) & (when[0] < now[0]))
    return np.where(done, who, of.together(before, who)), np.where(done, now, np.maximum(when, now))


def _firsts(inverse: np.ndarray, counts: np.ndarray) -> np.ndarray:
    order = np.argsort(inverse, kind="stable")
    return order[np.cumsum(counts) - counts]


def _joined(of: Threads, who: np.ndarray, now: np.ndarray, inverse: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Who touches each place in one instruction."""
    order = np.argsort(inverse, kind="stable")
    begins = np.cumsum(counts) - counts
    lowest = np.minimum.reduceat(who[order], begins)
    highest = np.maximum.reduceat(who[order], begins)
    return of.together(lowest, highest)


class Access:
    """The accesses of one launch. Shared memory of block b lies at b * stride of one allocation, a thread's local
    memory likewise. pending: shared memory to which cp.async is on its way."""

    def __init__(self, memory: Memory, threads: Threads, shared_bytes: int, local_bytes: int) -> None:
        self.memory, self.threads = memory, threads
        self.own = {"shared": Allocation(shared_bytes, int(threads.block[-1]) + 1),
                    "local": Allocation(local_bytes, len(threads.block) if local_bytes else 0)}
        self.pending = np.zeros(len(self.own["shared"].bytes), bool)
        self.touched: dict[Any, Touched] = {}

    def load(self, space: str, addresses: np.ndarray, size: int, count: int, threads: np.ndarray,
             constant: bool = False) -> list[np.ndarray]:
        """`count` elements of `size` bytes from each thread's address."""
        loaded = [np.empty(len(addresses), WORDS[size]) for _ in range(count)]
        for where, allocation, chosen, offsets in self._checked(space, addresses, size * count, threads,
                                                                 Manner(constant=constant)):
            for i in range(count):
                place = (offsets + i * size) // size
                if (allocation.written.view(WORDS[size])[place] != ONES[size]).any():
                    raise PtxError(f"{where} memory is read before it was written")
                loaded[i][chosen] = allocation.bytes.view(WORDS[size])[place]
        return loaded

    def store(self, space: str, addresses: np.ndarray, size: int, threads: np.ndarray, data: list[Any]) -> None:
        """Stores data (of all threads, an element after the other) at each thread's address."""
        for _, allocation, chosen, offsets in self._checked(space, addresses, size * len(data), threads,
                                                            Manner(writes=True)):
            for i, values in enumerate(data):
                place = (offsets + i * size) // size
                stored = np.broadcast_to(np.asarray(values), len(addresses))[chosen]
                allocation.bytes.view(WORDS[size])[place] = np.ascontiguousarray(stored).view(WORDS[size])
                allocation.written.view(WORDS[size])[place] = ONES[size]

    def update(self, space: str, addresses: np.ndarray, size: int, threads: np.ndarray,
               change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """An atomic operation: change(bits that are there, which threads) gives the new bits. Threads that meet do it
        in their order. The bits that each of them found."""
        found = np.empty(len(addresses), WORDS[size])
        for where, allocation, chosen, offsets in self._checked(space, addresses, size, threads,
                                                                 Manner(writes=True, atomic=True)):
            place, values = offsets // size, allocation.bytes.view(WORDS[size])
            if (allocation.written.view(WORDS[size])[place] != ONES[size]).any():
                raise PtxError(f"{where} memory is read before it was written")
            for turn in _turns(place):
                found[chosen[turn]] = values[place[turn]]
                values[place[turn]] = change(values[place[turn]], chosen[turn])
        return found

    def copy_later(self, addresses: np.ndarray, sources: np.ndarray, size: int, counts: np.ndarray,
                   threads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """cp.async of `counts` bytes, the rest of `size` zeros: (where in shared memory, the bytes), not there yet."""
        if (sources % np.uint64(size)).any():
            raise PtxError(f"an address that is no multiple of {size}")
        data = np.zeros((len(addresses), size), np.uint8)
        for many in np.unique(counts[counts > 0]).tolist():
            some, unit = np.flatnonzero(counts == many), UNIT if many % UNIT == 0 else 1
            for at in range(0, many, unit):
                (word,) = self.load("global", sources[some] + np.uint64(at), unit, 1, threads[some])
                data[some, at:at + unit] = word.view(np.uint8).reshape(-1, unit)
        ((_, allocation, _, offsets),) = self._checked("shared", addresses, size, threads, Manner(writes=True))
        every = offsets[:, None] + np.arange(size)
        self.pending[every], allocation.written[every] = True, False
        return offsets, data

    def arrive(self, offsets: np.ndarray, data: np.ndarray, threads: np.ndarray) -> None:
        """What copy_later gave is there, written by these threads now."""
        allocation = self.own["shared"]
        every = offsets[:, None] + np.arange(data.shape[1])
        self.pending[every], allocation.written[every], allocation.bytes[every] = False, True, data
        self.touched["shared"].check(offsets, threads, self.threads, data.shape[1], Manner(writes=True))

    def _checked(self, space: str, addresses: np.ndarray, width: int, threads: np.ndarray,
                 how: Manner) -> Iterator[tuple[str, Allocation, np.ndarray, np.ndarray]]:
        """(memory's name, allocation, which of the addresses are in it, their offsets), looked at."""
        if (addresses % np.uint64(width)).any():
            raise PtxError(f"an address that is no multiple of {width}")
        for where, key, allocation, chosen, offsets in self._found(space, addresses.astype(np.int64), width, threads):
            if where == "shared" and self.pending[offsets[:, None] + np.arange(width)].any():
                raise PtxError("shared memory to which cp.async has not come: no wait for it")
            touched = self.touched.setdefault(key, Touched(len(allocation.bytes)))
            wrong = touched.check(offsets, threads[chosen], self.threads, width, how)
            if wrong:
                raise PtxError(f"race in {where} memory: {wrong}")
            yield where, allocation, chosen, offsets

    def _found(self, space: str, addresses: np.ndarray, width: int,
               threads: np.ndarray) -> Iterator[tuple[str, Any, Allocation, np.ndarray, np.ndarray]]:
        every = np.arange(len(addresses))
        if space == "generic":
            for name, begin in GENERIC.items():
                inside = (addresses & begin) != 0
                if inside.any():
                    chosen = every[inside]
                    yield from ((*head, chosen[some], offsets) for *head, some, offsets in self._found(
                        name, addresses[chosen] - begin, width, threads[chosen]))
                addresses, threads, every = addresses[~inside], threads[~inside], every[~inside]
            if len(every):
                yield from ((*head, every[some], offsets) for *head, some, offsets in self._found(
                    "global", addresses, width, threads))
            return
        if space in self.own:
            allocation = self.own[space]
            if ((addresses < 0) | (addresses + width > allocation.count)).any():
                raise PtxError(f"outside {space} memory, which has {allocation.count} bytes")
            copies = self.threads.block[threads] if space == "shared" else threads
            yield space, space, allocation, every, addresses + copies * allocation.stride
            return
        for key in np.unique(addresses >> SHIFT):
            found = self.memory.allocations.get(int(key))
            chosen = every[addresses >> SHIFT == key]
            offsets = addresses[chosen] - (int(key) << SHIFT)
            if found is None or (offsets + width > found.count).any():
                raise PtxError(f"outside global memory: address {addresses[chosen][0]:#x}, allocation of "
                               f"{found.count if found else 0} bytes")
            yield "global", int(key), found, chosen, offsets


def _turns(place: np.ndarray) -> Iterator[np.ndarray]:
    """Which come first at their place, which second, ..."""
    order = np.argsort(place, kind="stable")
    _, first, counts = np.unique(place[order], return_index=True, return_counts=True)
    rank = np.arange(len(place)) - np.repeat(first, counts)
    for turn in range(int(rank.max(initial=-1)) + 1):
        yield order[rank == turn]
