"""Runs PTX on the CPU, all threads of a grid at once as NumPy arrays, and refuses what a GPU would do wrong silently
(ptx/memory.py), barriers that not all threads of a block reach, instructions of a warp that has come apart, copies
that nobody waits for, and instructions that it does not know.

A thread is a lane of every array. Lanes with the lowest program counter run first, a basic block at a time, so that
they meet again where control flow joins.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ptx.accesses import Copies, access_operation
from ptx.instructions import operation
from ptx.memory import GENERIC, WORDS, Access, Memory
from ptx.phases import Phases, phase_operation
from ptx.text import DTYPES, TENSOR_MAP, Instruction, Kernel, PtxError
from ptx.threads import WARP, Threads
from ptx.warp import EVERY, Together, warp_operation
from ptx.warpgroup import Warpgroups, warpgroup_operation

Read = Callable[[], Any]
CONTROL = ("bra", "ret", "exit", "bar", "barrier")
ASKS = "mbarrier.try_wait.parity.shared::cta.b64"      # who is told no sleeps until something has changed
MAPS = 1 << 60             # where tensor maps begin among generic addresses


class Launch:
    """One launch of a kernel: grid blocks of `threads` threads, parameters as 64-bit words, tensor maps as bytes.
    dynamic: bytes of shared memory beside what the kernel declares."""

    def __init__(self, memory: Memory, kernel: Kernel, blocks: Sequence[int], threads: int,
                 words: Sequence[int | bytes], dynamic: int = 0, most_steps: int = 10 ** 6) -> None:
        if kernel.most_threads and threads > kernel.most_threads:
            raise PtxError(f"{threads} threads in a block of a kernel for {kernel.most_threads}")
        self.kernel, self.threads, self.most_steps = kernel, threads, most_steps
        x, y, z = (*blocks, 1, 1)[:3]
        self.blocks = x * y * z
        self.count = self.blocks * threads
        self.of = Threads(self.blocks, threads)
        lane, block = np.arange(self.count), self.of.block
        blocks_at = {"x": block % x, "y": block // x % y, "z": block // (x * y)}
        self.special = {"%tid.x": lane % threads, "%ntid.x": threads, "%nctaid.x": x, "%nctaid.y": y, "%nctaid.z": z,
                        "%laneid": self.of.lane, "%warpid": lane % threads // WARP,
                        **{f"%ctaid.{axis}": of for axis, of in blocks_at.items()}}
        self.parameters, self.maps = {}, {}  # type: dict[str, np.uint64], dict[int, bytes]
        for (name, kind), word in zip(kernel.parameters, words, strict=True):
            assert (kind == TENSOR_MAP) == isinstance(word, bytes)
            if isinstance(word, bytes):
                self.maps[place := MAPS + 256 * len(self.maps)] = word
                word = place
            self.parameters[name] = np.uint64(word % (1 << 64))
        self.access = Access(memory, self.of, kernel.shared_bytes + dynamic, kernel.local_bytes)
        self.copies = Copies(self.count)
        self.symbols = {**kernel.shared, **kernel.local,
                        **{name: int(self.parameters[name]) for name, kind in kernel.parameters if kind == TENSOR_MAP},
                        **{name: self._placed(memory, stored) for name, stored in kernel.constants.items()}}
        self.registers: dict[str, np.ndarray] = {}
        self.chosen: np.ndarray | None = None          # lanes that run now; None: all
        self.counter = np.zeros(self.count, np.int64)
        self.waits, self.alive = np.zeros(self.count, bool), np.ones(self.count, bool)
        self.phases, self.warpgroups = Phases(self), Warpgroups(self, kernel)
        self.joins = set(kernel.labels.values())
        self.steps = 0
        self.actions = [None if i.name in CONTROL or i.opcode == ASKS else self._action(i) for i in kernel.code]

    @staticmethod
    def _placed(memory: Memory, stored: bytes) -> int:
        address = memory.allocate(len(stored))
        memory.view(address, len(stored), True)[:] = np.frombuffer(stored, np.uint8)
        return address

    # Operands

    def reader(self, operand: str, kind: str) -> Read:
        """Gives the operand's values as DTYPES[kind]."""
        dtype = DTYPES[kind]
        if operand in self.special:
            value = np.broadcast_to(np.asarray(self.special[operand]), self.count).astype(dtype)
            return lambda: value if self.chosen is None else value[self.chosen]
        if operand.startswith("%"):
            return lambda: self._register(operand, dtype)
        constant = self._constant(operand, dtype)
        return lambda: constant

    def addresses(self, operand: str) -> Callable[[], np.ndarray]:
        """Of each chosen lane, of the operand [register or symbol + number]."""
        base, _, offset = operand[1:-1].partition("+")
        first, shift = self.reader(base.strip(), "u64"), np.int64(int(offset or 0)).astype(np.uint64)
        return lambda: np.broadcast_to(np.asarray(first()) + shift, len(self.lanes()))

    def _constant(self, operand: str, dtype: np.dtype) -> Any:
        if operand in self.symbols:
            return dtype.type(self.symbols[operand])
        if operand[:2].lower() in ("0f", "0d"):
            bits = WORDS[4 if operand[1].lower() == "f" else 8](int(operand[2:], 16))
            return np.asarray(bits).view("f4" if bits.itemsize == 4 else "f8").view(dtype)[()]
        if dtype.kind == "b":
            return bool(int(operand, 0))
        return np.asarray(int(operand, 0) % (256 ** dtype.itemsize), WORDS[dtype.itemsize]).view(dtype)[()]

    def _register(self, name: str, dtype: np.dtype) -> np.ndarray:
        found = self.registers.get(name)
        if found is None:
            raise PtxError(f"{name} is read and was never written")
        if name in self.warpgroups.watched:
            self.warpgroups.check(name, False)
        found = found if self.chosen is None else found[self.chosen]
        if found.dtype == dtype:
            return found
        if found.itemsize == dtype.itemsize:
            return found.view(dtype)
        return found.view(WORDS[found.itemsize]).astype(WORDS[dtype.itemsize]).view(dtype)

    def write(self, name: str, value: Any) -> None:
        """A register keeps bits; their number is in its name (%r: 32, %rd: 64, %rs: 16, %p: a bool)."""
        if name == "_":
            return
        if name in self.warpgroups.watched:
            self.warpgroups.check(name, True)
        lanes = self.count if self.chosen is None else len(self.chosen)
        value = np.broadcast_to(np.asarray(value), lanes)
        if value.dtype != bool:
            value = np.ascontiguousarray(value).view(WORDS[value.itemsize])
            size = {"%rs": 2, "%rd": 8, "%SP": 8}.get(name[:3], 4)
            value = value if value.itemsize == size else value.astype(WORDS[size])
        if self.chosen is None:
            self.registers[name] = value
            return
        whole = self.registers.get(name)
        whole = np.zeros(self.count, value.dtype) if whole is None else whole.copy()
        whole[self.chosen] = value
        self.registers[name] = whole

    def lanes(self) -> np.ndarray:
        return np.arange(self.count) if self.chosen is None else self.chosen

    # Instructions

    def _action(self, instruction: Instruction) -> Callable[[], None]:
        action = self._plain_action(instruction)
        if instruction.predicate is None:
            return action

        def predicated() -> None:
            lanes, before = self.lanes(), self.chosen
            self.chosen = lanes[self._taken(instruction)]
            if len(self.chosen):
                action()
            self.chosen = before

        return predicated

    def _plain_action(self, instruction: Instruction) -> Callable[[], None]:
        parts, operands = instruction.parts, instruction.operands
        if parts[:2] == ["ld", "param"]:
            dtype, word = DTYPES[parts[-1]], self.parameters[operands[1][1:-1]]
            value = np.asarray(word).reshape(1).view(dtype)[0]
            return lambda: self.write(operands[0], value)
        if parts[0] == "cvta":
            shift = np.uint64(next((begin for space, begin in GENERIC.items() if space in parts), 0))
            address = self.reader(operands[1], "u64")
            return lambda: self.write(operands[0], address() - shift if "to" in parts else address() + shift)
        if parts[0] == "mov" and "{" in operands[0] + operands[1]:
            return self._split_or_join(instruction)
        return (phase_operation(instruction, self) or warpgroup_operation(instruction, self)
                or access_operation(instruction, self) or warp_operation(instruction, self)
                or operation(instruction, self.reader, self.write))

    def _split_or_join(self, instruction: Instruction) -> Callable[[], None]:
        whole, joins = DTYPES[instruction.parts[-1].replace("b", "u")], instruction.operands[1].startswith("{")
        names = instruction.group(1 if joins else 0)
        bits = 8 * whole.itemsize // len(names)
        part = WORDS[bits // 8]
        if joins:
            sources = [self.reader(name, f"u{bits}") for name in names]

            def join() -> None:
                value = np.zeros(1, whole)
                for i, source in enumerate(sources):
                    value = value | np.asarray(source()).astype(whole) << whole.type(bits * i)
                self.write(instruction.operands[0], value)

            return join
        found = self.reader(instruction.operands[1], f"u{8 * whole.itemsize}")

        def split() -> None:
            value = np.asarray(found())
            for i, name in enumerate(names):
                self.write(name, (value >> whole.type(bits * i)).astype(part))

        return split

    # Scheduling

    def run(self) -> None:
        with np.errstate(all="ignore"):
            while True:
                ready = self.alive & ~self.waits
                if self.phases.blocks:
                    ready &= ~self.phases.asleep
                if not ready.any() and self.phases.deliver():
                    continue
                if not ready.any():
                    break
                lowest = self.counter[ready].min()
                group = ready & (self.counter == lowest)
                self.chosen = None if group.all() else np.flatnonzero(group)
                self._block(int(lowest))
        if (self.phases.asleep & self.alive).any():
            raise PtxError("a thread waits for an mbarrier's phase that never ends")
        if self.waits.any():
            raise PtxError("a barrier that not all threads of the block reach")
        if self.access.pending.any():
            raise PtxError("the kernel ended, and cp.async was not waited for")
        self.warpgroups.finish()
        self.phases.finish()
        for name in self.kernel.constants:
            self.access.memory.free(self.symbols[name])

    def _block(self, at: int) -> None:
        """Runs the chosen lanes up to where they part, wait, end or may meet others."""
        while True:
            instruction, action = self.kernel.code[at], self.actions[at]
            self.steps += 1
            if self.steps > self.most_steps:
                raise PtxError(f"no end after {self.most_steps} instructions")
            try:
                if action is None:
                    return self._control(instruction, at)
                action()
            except PtxError as error:
                raise PtxError(f"{error}, at: {instruction.line}") from None
            at += 1
            if at in self.joins:
                return self._go(at)

    def _taken(self, instruction: Instruction) -> np.ndarray:
        assert instruction.predicate is not None
        holds = np.broadcast_to(self._register(instruction.predicate, DTYPES["pred"]), len(self.lanes()))
        return holds ^ instruction.negated

    def _control(self, instruction: Instruction, at: int) -> None:
        if instruction.name == "bra":
            target = self.kernel.labels[instruction.operands[0]]
            return self._go(target if instruction.predicate is None
                            else np.where(self._taken(instruction), target, at + 1))
        if instruction.name in ("ret", "exit"):
            taken = slice(None) if instruction.predicate is None else self._taken(instruction)
            self._go(at + 1)
            self.alive[self.lanes()[taken]] = False
            return None
        if instruction.opcode == ASKS and instruction.predicate is None:
            return self._ask(instruction, at)
        if instruction.predicate is not None:
            raise PtxError("a barrier that some threads skip")
        if instruction.parts[1] == "warp":
            return self._warp_barrier(instruction, at)
        if instruction.opcode not in ("bar.sync", "barrier.sync") or instruction.operands not in (("0",),):
            raise PtxError("not emulated")
        self.waits[self.lanes()] = True
        self._go(at)
        there = np.bincount(self.of.block[self.waits & (self.counter == at)], minlength=self.blocks) == self.threads
        free = there[self.of.block]
        self.waits[free], self.counter[free] = False, at + 1
        self.of.blocks_passed[there] += 1
        for block in self.phases.blocks:
            if there[block]:
                self.phases.meet(block)
        return None

    def _ask(self, instruction: Instruction, at: int) -> None:
        """mbarrier.try_wait.parity p, [mbarrier], parity"""
        lanes, addresses = self.lanes(), self.addresses(instruction.operands[1])()
        parities = np.broadcast_to(np.asarray(self.reader(instruction.operands[2], "u32")()), len(lanes))
        ended = np.array([self.phases.has_ended(*one) for one in zip(
            lanes.tolist(), addresses.tolist(), parities.tolist(), strict=True)])
        self.write(instruction.operands[0], ended)
        self._go(at + 1)
        self.phases.asleep[lanes[~ended]] = True

    def _warp_barrier(self, instruction: Instruction, at: int) -> None:
        together = Together(self, self.reader(instruction.operands[0], "u32")())
        if (together.masks[together.there] != EVERY).any():
            raise PtxError("not emulated for a part of a warp")
        self.of.warps_passed[together.warps] += 1
        self._go(at + 1)

    def _go(self, to: Any) -> None:
        self.counter[self.lanes()] = to


