"""PTX of compute capability 9.0 as calls of the stand-in's functions (standin/warpgroup.cpp): mbarriers, TMA, wgmma."""
from __future__ import annotations

import re
from collections.abc import Callable

from ptx.host_text import HostWriter, refuse, words_on_stack
from ptx.text import Instruction
from ptx.warpgroup import product_of

ELEMENTS = ("f16", "bf16", "tf32")     # as in standin/warpgroup.cpp


def _barrier(w: HostWriter, i: Instruction) -> None:
    opcode, operands = i.opcode.replace(".shared::cta.b64", ""), i.operands
    if opcode == "mbarrier.init":
        w.helper("phase_begin", "void", f"ptr {w.address(operands[0], 8)}", f"i32 {w.read(operands[1], 'u32')}")
    elif opcode in ("mbarrier.arrive", "mbarrier.arrive.expect_tx") and operands[0] == "_":
        count = w.read(operands[2], "u32") if len(operands) > 2 else "0"
        w.helper("phase_arrive", "void", f"ptr {w.address(operands[1], 8)}", f"i32 {count}")
    elif opcode == "mbarrier.try_wait.parity":
        ended = w.helper("phase_wait", "i32", f"ptr {w.address(operands[1], 8)}", f"i32 {w.read(operands[2], 'u32')}")
        w.write(operands[0], w.value(f"icmp ne i32 {ended}, 0"), "pred")
    else:
        raise refuse(i)


def box(w: HostWriter, i: Instruction) -> None:
    """cp.async.bulk.tensor: [to], [map, {along, line, matrix}], [mbarrier]; of pixels [to], [map, {channel, column,
    row, picture}], [mbarrier], {columns, rows}"""
    found, of_pixels = re.fullmatch(r"\[(%\w+), *\{(.*)\}\]", i.operands[1]), ".im2col." in i.opcode
    kind = "4d.shared::cluster.global.im2col" if of_pixels else "3d.shared::cluster.global"
    if i.opcode != f"cp.async.bulk.tensor.{kind}.mbarrier::complete_tx::bytes" or found is None:
        raise refuse(i)
    tensor = w.value(f"inttoptr i64 {w.read(found.group(1), 'u64')} to ptr")
    place = [f"i32 {w.read(name.strip(), 's32')}" for name in found.group(2).split(",")]
    if of_pixels:
        words = [w.read(name, "u16") for name in i.group(3)]
        place += [f"i32 {w.value(f'zext i16 {word} to i32')}" for word in words]
    w.helper("pixels" if of_pixels else "box", "void", f"ptr {w.address(i.operands[0], 128)}", f"ptr {tensor}", *place,
             f"ptr {w.address(i.operands[2], 8)}")


def _warpgroup(w: HostWriter, i: Instruction) -> None:
    """Products are there at once: fences, groups and waits are nothing."""
    if i.parts[1] in ("fence", "commit_group", "wait_group"):
        return
    p = product_of(i)
    sums = words_on_stack(w, [w.resized(w.read(name, "b32"), 32, 64) for name in p.registers])
    a, b = (w.read(operand, "u64") for operand in i.operands[1:3])
    w.helper("warpgroup", "void", f"i32 {ELEMENTS.index(p.element)}", f"i32 {p.columns}", f"i32 {int(p.along_a)}",
             f"i32 {int(p.along_b)}", f"i64 {a}", f"i64 {b}", f"ptr {sums}")
    for n, name in enumerate(p.registers):
        at = w.value(f"getelementptr i64, ptr {sums}, i64 {n}")
        w.write(name, w.resized(w.value(f"load i64, ptr {at}"), 64, 32), "b32")


WARPGROUP_INSTRUCTIONS: dict[str, Callable[[HostWriter, Instruction], None]] = {
    "mbarrier": _barrier, "wgmma": _warpgroup}
