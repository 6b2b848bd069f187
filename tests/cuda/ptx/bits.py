"""PTX instructions on bits, in NumPy: shifts, fields, bytes, counts, and functions of three words."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ptx.text import DTYPES, Instruction, PtxError

Read = Callable[[], Any]


def bit_operation(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read | None:
    """What the instruction computes; None if it is none of these."""
    make = _MAKERS.get(instruction.name)
    return make(instruction, reader) if make else None


def _shift(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    name, kind = instruction.parts
    value, by, dtype = reader(instruction.operands[1], kind), reader(instruction.operands[2], "u32"), DTYPES[kind]
    bits = 8 * dtype.itemsize

    def compute() -> Any:
        count = np.asarray(by())
        least = np.minimum(count, bits - 1).astype(dtype)
        made = np.left_shift(value(), least) if name == "shl" else np.right_shift(value(), least)
        return made if dtype.kind == "i" else np.where(count >= bits, dtype.type(0), made)

    return compute


def _funnel(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """shf.l|r.wrap|clamp.b32 d, low, high, by: a word of the 64 bits, shifted."""
    _, way, mode, _ = instruction.parts
    low, high, by = (reader(o, "u32") for o in instruction.operands[1:])

    def compute() -> Any:
        whole = np.asarray(high()).astype(np.uint64) << np.uint64(32) | np.asarray(low()).astype(np.uint64)
        count = (np.asarray(by()) & 31 if mode == "wrap" else np.minimum(by(), 32)).astype(np.uint64)
        return (whole << count >> np.uint64(32) if way == "l" else whole >> count).astype(np.uint32)

    return compute


def _extract(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """bfe: `count` bits from `at` on; what lies behind the word is its sign."""
    kind = instruction.parts[-1]
    value, at, count = reader(instruction.operands[1], kind), *(reader(o, "u32") for o in instruction.operands[2:])
    dtype = DTYPES[kind]
    bits = 8 * dtype.itemsize

    def compute() -> Any:
        begin, width = np.asarray(at()) & 255, np.asarray(count()) & 255
        word = np.asarray(value())
        least = np.minimum(begin, bits - 1).astype(dtype)
        moved = np.where((begin >= bits) & (dtype.kind == "u"), dtype.type(0), word >> least)
        spare = np.clip(bits - width.astype(np.int64), 0, bits - 1).astype(dtype)
        return np.where(width == 0, dtype.type(0), moved << spare >> spare)

    return compute


def _insert(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """bfi d, a, b, at, count: b with the lowest bits of a from `at` on."""
    kind = instruction.parts[-1].replace("b", "u")
    a, b = (reader(o, kind) for o in instruction.operands[1:3])
    at, count = (reader(o, "u32") for o in instruction.operands[3:])
    dtype = DTYPES[kind]
    bits = 8 * dtype.itemsize

    def compute() -> Any:
        begin, width = (np.minimum(np.asarray(x()) & 255, bits).astype(np.uint64) for x in (at, count))
        ones = np.where(width >= bits, dtype.type(256 ** dtype.itemsize - 1),
                        (np.uint64(1) << np.minimum(width, np.uint64(bits - 1))).astype(dtype) - dtype.type(1))
        by = np.minimum(begin, np.uint64(bits - 1)).astype(dtype)
        mask = np.where(begin >= bits, dtype.type(0), ones << by)
        return np.asarray(a()) << by & mask | np.asarray(b()) & ~mask

    return compute


def _permute(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """prmt.b32 d, a, b, selector: each byte one of the eight of a and b, or its sign."""
    if instruction.opcode != "prmt.b32":
        raise PtxError(f"not emulated: {instruction.line}")
    a, b, selector = (reader(o, "u32") for o in instruction.operands[1:])

    def compute() -> Any:
        whole = np.asarray(b()).astype(np.uint64) << np.uint64(32) | np.asarray(a()).astype(np.uint64)
        made = np.zeros(1, np.uint32)
        for i in range(4):
            choice = np.asarray(selector()) >> np.uint32(4 * i) & np.uint32(15)
            byte = whole >> (np.uint64(8) * (choice & 7).astype(np.uint64)) & np.uint64(255)
            byte = np.where(choice & 8, np.where(byte & np.uint64(128), 255, 0), byte).astype(np.uint32)
            made = made | byte << np.uint32(8 * i)
        return made

    return compute


def _logic(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """lop3.b32 d, a, b, c, table: bit by bit, the table's bit of number abc."""
    a, b, c = (reader(o, "u32") for o in instruction.operands[1:4])
    table = int(instruction.operands[4], 0)

    def compute() -> Any:
        words = [np.asarray(x()) for x in (a, b, c)]
        made = np.zeros(1, np.uint32)
        for number in range(8):
            if table >> number & 1:
                x, y, z = (w if number >> (2 - i) & 1 else ~w for i, w in enumerate(words))
                made = made | x & y & z
        return made

    return compute


def _counted(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    """popc, clz: a number of 32 bits; brev: the bits in reverse."""
    name, kind = instruction.parts
    value = reader(instruction.operands[1], kind.replace("b", "u"))
    dtype = DTYPES[kind.replace("b", "u")]
    bits = 8 * dtype.itemsize
    if name == "popc":
        return lambda: np.bitwise_count(value()).astype(np.uint32)

    def reverse() -> Any:
        word, made = np.asarray(value()), np.zeros(1, dtype)
        for i in range(bits):
            made = made | (word >> dtype.type(i) & dtype.type(1)) << dtype.type(bits - 1 - i)
        return made

    def leading() -> Any:
        word = np.asarray(value())
        for by in (1, 2, 4, 8, 16, 32)[:bits.bit_length() - 1]:
            word = word | word >> dtype.type(by)
        return (bits - np.bitwise_count(word).astype(np.int64)).astype(np.uint32)

    return reverse if name == "brev" else leading


_MAKERS: dict[str, Callable[[Instruction, Callable[[str, str], Read]], Read]] = {
    "shl": _shift, "shr": _shift, "shf": _funnel, "bfe": _extract, "bfi": _insert, "prmt": _permute, "lop3": _logic,
    "popc": _counted, "clz": _counted, "brev": _counted}
