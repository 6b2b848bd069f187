"""PTX instructions on bits as LLVM text for this machine (ptx/host_text.py)."""
from __future__ import annotations

from collections.abc import Callable

from ptx.host_text import HostWriter, bits_of, type_of
from ptx.text import Instruction


def _shift(w: HostWriter, i: Instruction) -> None:
    kind, of = i.parts[-1], type_of(i.parts[-1])
    bits, value, by = bits_of(kind), w.read(i.operands[1], kind), w.read(i.operands[2], "u32")
    far = w.value(f"icmp uge i32 {by}, {bits}")
    least = w.resized(w.value(f"select i1 {far}, i32 {bits - 1}, i32 {by}"), 32, bits)
    operation = "shl" if i.name == "shl" else "ashr" if kind[0] == "s" else "lshr"
    made = w.value(f"{operation} {of} {value}, {least}")
    w.write(i.operands[0], made if operation == "ashr" else w.value(f"select i1 {far}, {of} 0, {of} {made}"), kind)


def _extract(w: HostWriter, i: Instruction) -> None:
    """bfe: `count` bits from `at` on; what lies behind the word is its sign."""
    kind, of, bits = i.parts[-1], type_of(i.parts[-1]), bits_of(i.parts[-1])
    value, signed = w.read(i.operands[1], kind), kind[0] == "s"
    at, count = (w.value(f"and i32 {w.read(o, 'u32')}, 255") for o in i.operands[2:])
    far = w.value(f"icmp uge i32 {at}, {bits}")
    by = w.resized(w.value(f"select i1 {far}, i32 {bits - 1}, i32 {at}"), 32, bits)
    moved = w.value(f"{'ashr' if signed else 'lshr'} {of} {value}, {by}")
    moved = moved if signed else w.value(f"select i1 {far}, {of} 0, {of} {moved}")
    spare = w.intrinsic("llvm.smax.i32", "i32", w.value(f"sub i32 {bits}, {count}"), "0")
    none = w.value(f"icmp eq i32 {count}, 0")
    spare = w.resized(w.value(f"select i1 {none}, i32 0, i32 {spare}"), 32, bits)
    cut = w.value(f"{'ashr' if signed else 'lshr'} {of} {w.value(f'shl {of} {moved}, {spare}')}, {spare}")
    w.write(i.operands[0], w.value(f"select i1 {none}, {of} 0, {of} {cut}"), kind)


def _insert(w: HostWriter, i: Instruction) -> None:
    """bfi d, a, b, at, count: b with the lowest bits of a from `at` on; in 512 bits, where no shift is too far."""
    kind, bits = i.parts[-1], bits_of(i.parts[-1])
    a, b = (w.resized(w.read(o, kind), bits, 512) for o in i.operands[1:3])
    at, count = (w.resized(w.value(f"and i32 {w.read(o, 'u32')}, 255"), 32, 512) for o in i.operands[3:])
    ones = w.value(f"sub i512 {w.value(f'shl i512 1, {count}')}, 1")
    mask = w.value(f"shl i512 {ones}, {at}")
    moved = w.value(f"and i512 {w.value(f'shl i512 {a}, {at}')}, {mask}")
    rest = w.value(f"and i512 {b}, {w.value(f'xor i512 {mask}, -1')}")
    w.write(i.operands[0], w.resized(w.value(f"or i512 {moved}, {rest}"), 512, bits), kind)


def _logic(w: HostWriter, i: Instruction) -> None:
    """lop3.b32 d, a, b, c, table: bit by bit, the table's bit of number abc."""
    words, table, made = [w.read(o, "b32") for o in i.operands[1:4]], int(i.operands[4], 0), "0"
    for number in range(8):
        if table >> number & 1:
            x, y, z = (v if number >> (2 - n) & 1 else w.value(f"xor i32 {v}, -1") for n, v in enumerate(words))
            both = w.value(f"and i32 {x}, {y}")
            made = w.value(f"or i32 {made}, {w.value(f'and i32 {both}, {z}')}")
    w.write(i.operands[0], made, "b32")


def _funnel(w: HostWriter, i: Instruction) -> None:
    """shf.l|r.wrap|clamp.b32 d, low, high, by: a word of the 64 bits, shifted."""
    _, way, mode, _ = i.parts
    low, high = (w.resized(w.read(o, "b32"), 32, 64) for o in i.operands[1:3])
    by = w.read(i.operands[3], "u32")
    by = w.value(f"and i32 {by}, 31") if mode == "wrap" else w.intrinsic("llvm.umin.i32", "i32", by, "32")
    by = w.resized(by, 32, 64)
    whole = w.value(f"or i64 {w.value(f'shl i64 {high}, 32')}, {low}")
    made = w.value(f"lshr i64 {w.value(f'shl i64 {whole}, {by}')}, 32" if way == "l" else f"lshr i64 {whole}, {by}")
    w.write(i.operands[0], w.resized(made, 64, 32), "b32")


def _permute(w: HostWriter, i: Instruction) -> None:
    low, high, selector = (w.read(o, "b32") for o in i.operands[1:])
    whole = w.value(f"or i64 {w.value(f'shl i64 {w.resized(high, 32, 64)}, 32')}, {w.resized(low, 32, 64)}")
    made = "0"
    for n in range(4):
        choice = w.value(f"lshr i32 {selector}, {4 * n}")
        by = w.value(f"shl i32 {w.value(f'and i32 {choice}, 7')}, 3")
        byte = w.value(f"trunc i64 {w.value(f'lshr i64 {whole}, {w.resized(by, 32, 64)}')} to i8")
        sign = w.value(f"trunc i32 {w.value(f'lshr i32 {choice}, 3')} to i1")
        byte = w.value(f"select i1 {sign}, i8 {w.value(f'ashr i8 {byte}, 7')}, i8 {byte}")
        made = w.value(f"or i32 {made}, {w.value(f'shl i32 {w.resized(byte, 8, 32)}, {8 * n}')}")
    w.write(i.operands[0], made, "b32")


def _counted(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1]
    bits, value = bits_of(kind), w.read(i.operands[1], kind)
    if i.name == "brev":
        w.write(i.operands[0], w.intrinsic(f"llvm.bitreverse.i{bits}", f"i{bits}", value), kind)
        return
    made = (w.intrinsic(f"llvm.ctpop.i{bits}", f"i{bits}", value) if i.name == "popc"
            else w.intrinsic(f"llvm.ctlz.i{bits}", f"i{bits}", value, more="i1 false"))
    w.write(i.operands[0], w.resized(made, bits, 32), "u32")


BIT_INSTRUCTIONS: dict[str, Callable[[HostWriter, Instruction], None]] = {
    "shl": _shift, "shr": _shift, "bfe": _extract, "bfi": _insert, "lop3": _logic, "shf": _funnel, "prmt": _permute,
    **dict.fromkeys(("popc", "clz", "brev"), _counted)}
