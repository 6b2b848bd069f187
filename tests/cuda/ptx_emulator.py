"""Runs PTX on the CPU, all threads of a grid at once as NumPy arrays, and refuses what a GPU would do wrong silently
(ptx_memory.py), barriers that not all threads of a block reach, and instructions that it does not know.

A thread is a lane of every array. Lanes with the lowest program counter run first, a basic block at a time, so that
they meet again where control flow joins.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ptx_instructions import operation
from ptx_memory import WORDS, Access, Memory
from ptx_text import DTYPES, Instruction, Kernel, PtxError

Read = Callable[[], Any]
CONTROL = ("bra", "ret", "exit", "bar", "barrier")


class Launch:
    """One launch of a kernel: grid blocks of `threads` threads, parameters as 64-bit words."""

    def __init__(self, memory: Memory, kernel: Kernel, blocks: Sequence[int], threads: int, words: Sequence[int],
                 most_steps: int = 10 ** 6) -> None:
        self.kernel, self.threads, self.most_steps = kernel, threads, most_steps
        x, y, z = (*blocks, 1, 1)[:3]
        self.blocks = x * y * z
        self.count = self.blocks * threads
        lane = np.arange(self.count)
        self.block = lane // threads
        block = {"x": self.block % x, "y": self.block // x % y, "z": self.block // (x * y)}
        self.special = {"%tid.x": lane % threads, "%ntid.x": threads, "%nctaid.x": x, "%nctaid.y": y, "%nctaid.z": z,
                        **{f"%ctaid.{axis}": of for axis, of in block.items()}}
        self.parameters = {name: np.uint64(word % (1 << 64))
                           for (name, _), word in zip(kernel.parameters, words, strict=True)}
        self.access = Access(memory, kernel.shared_bytes, self.block)
        self.registers: dict[str, np.ndarray] = {}
        self.chosen: np.ndarray | None = None          # lanes that run now; None: all
        self.counter = np.zeros(self.count, np.int64)
        self.waits, self.alive = np.zeros(self.count, bool), np.ones(self.count, bool)
        self.joins = set(kernel.labels.values())
        self.steps = 0
        self.actions = [None if i.name in CONTROL else self._action(i) for i in kernel.code]

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

    def _constant(self, operand: str, dtype: np.dtype) -> Any:
        if operand in self.kernel.shared:
            return dtype.type(self.kernel.shared[operand])
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
        found = found if self.chosen is None else found[self.chosen]
        if found.dtype == dtype:
            return found
        if found.itemsize == dtype.itemsize:
            return found.view(dtype)
        return found.view(WORDS[found.itemsize]).astype(WORDS[dtype.itemsize]).view(dtype)

    def write(self, name: str, value: Any) -> None:
        """A register keeps bits; their number is in its name (%r: 32, %rd: 64, %rs: 16, %p: a bool)."""
        lanes = self.count if self.chosen is None else len(self.chosen)
        value = np.broadcast_to(np.asarray(value), lanes)
        if value.dtype != bool:
            value = np.ascontiguousarray(value).view(WORDS[value.itemsize])
            size = {"%rs": 2, "%rd": 8}.get(name[:3], 4)
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
        if instruction.predicate is not None:
            raise PtxError(f"predicated: {instruction.line}")
        parts, operands = instruction.opcode.split("."), instruction.operands
        if parts[:2] == ["ld", "param"]:
            dtype, word = DTYPES[parts[-1]], self.parameters[operands[1][1:-1]]
            value = np.asarray(word).reshape(1).view(dtype)[0]
            return lambda: self.write(operands[0], value)
        if parts[0] in ("ld", "st"):
            return self._memory(parts, operands)
        if parts[0] == "mov" and "{" in operands[0] + operands[1]:
            return self._split_or_join(operands)
        return operation(instruction, self.reader, self.write)

    def _split_or_join(self, operands: Sequence[str]) -> Callable[[], None]:
        if operands[1].startswith("{"):
            low, high = (self.reader(o.strip(), "u32") for o in operands[1].strip("{}").split(","))
            return lambda: self.write(operands[0], np.asarray(low()).astype(np.uint64)
                                      | np.asarray(high()).astype(np.uint64) << np.uint64(32))
        first, second = (o.strip() for o in operands[0].strip("{}").split(","))
        whole = self.reader(operands[1], "u64")

        def split() -> None:
            value = np.asarray(whole())
            self.write(first, value.astype(np.uint32))
            self.write(second, (value >> np.uint64(32)).astype(np.uint32))

        return split

    def _memory(self, parts: Sequence[str], operands: Sequence[str]) -> Callable[[], None]:
        space, kind = parts[1], parts[-1]
        if space not in ("global", "shared"):
            raise PtxError(f"memory of the kind {space} is not emulated")
        dtype, count = DTYPES[kind], next((int(p[1:]) for p in parts if p in ("v2", "v4")), 1)
        loads = parts[0] == "ld"
        address, registers = (operands[1], operands[0]) if loads else (operands[0], operands[1])
        base, _, offset = address[1:-1].partition("+")
        first, shift = self.reader(base.strip(), "u64"), np.int64(int(offset or 0)).astype(np.uint64)
        names = [name.strip() for name in registers.strip("{}").split(",")]

        def addresses() -> np.ndarray:
            return np.broadcast_to(np.asarray(first()) + shift, len(self.lanes()))

        if loads:
            def load() -> None:
                for name, bits in zip(names, self.access(space, addresses(), dtype.itemsize, count, self.lanes()),
                                      strict=True):
                    self.write(name, _extended(bits.view(dtype), name))

            return load
        sources = [self.reader(name, kind) for name in names]
        return lambda: [None for _ in self.access(  # type: ignore[return-value]
            space, addresses(), dtype.itemsize, count, self.lanes(), [s() for s in sources])][:0]

    # Scheduling

    def run(self) -> None:
        with np.errstate(all="ignore"):
            while True:
                ready = self.alive & ~self.waits
                if not ready.any():
                    if self.waits.any():
                        raise PtxError("a barrier that not all threads of the block reach")
                    return
                lowest = self.counter[ready].min()
                group = ready & (self.counter == lowest)
                self.chosen = None if group.all() else np.flatnonzero(group)
                self._block(int(lowest))

    def _block(self, at: int) -> None:
        """Runs the chosen lanes up to where they part, wait, end or may meet others."""
        while True:
            instruction, action = self.kernel.code[at], self.actions[at]
            self.steps += 1
            if self.steps > self.most_steps:
                raise PtxError(f"no end after {self.most_steps} instructions")
            if action is None:
                return self._control(instruction, at)
            try:
                action()
            except PtxError as error:
                raise PtxError(f"{error}, at: {instruction.line}") from None
            at += 1
            if at in self.joins:
                return self._go(at)

    def _control(self, instruction: Instruction, at: int) -> None:
        if instruction.name == "bra":
            target = self.kernel.labels[instruction.operands[0]]
            if instruction.predicate is None:
                return self._go(target)
            taken = np.broadcast_to(self._register(instruction.predicate, DTYPES["pred"]), len(self.lanes()))
            return self._go(np.where(taken ^ instruction.negated, target, at + 1))
        if instruction.name in ("ret", "exit"):
            if instruction.predicate is not None:
                raise PtxError(f"predicated: {instruction.line}")
            self.alive[self.lanes()] = False
            return None
        self.waits[self.lanes()] = True
        self._go(at)
        there = np.bincount(self.block[self.waits & (self.counter == at)], minlength=self.blocks) == self.threads
        free = there[self.block]
        self.waits[free], self.counter[free] = False, at + 1
        self.access.epochs[there] += 1
        return None

    def _go(self, to: Any) -> None:
        self.counter[self.lanes()] = to


def _extended(value: np.ndarray, register: str) -> np.ndarray:
    """A signed value fills its register with its sign."""
    if value.dtype.kind != "i":
        return value
    return value.astype({"%rs": np.int16, "%rd": np.int64}.get(register[:3], np.int32))
