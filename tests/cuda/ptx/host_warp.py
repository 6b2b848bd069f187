"""PTX instructions that threads run together, as calls of the stand-in's functions (ptx/host_text.py).

A warp's instruction is a number (standin/warp.cpp), its arguments and its results are 64-bit words.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from ptx.host_text import HostWriter, bits_of, refuse, words_on_stack
from ptx.text import Instruction

# As in standin/warp.cpp.
OPERATIONS = ("barrier", "shfl.up", "shfl.down", "shfl.bfly", "shfl.idx", "vote.ballot", "vote.any", "vote.all",
              "vote.uni", "match.any", "match.all", "redux.add", "redux.min.s32", "redux.min.u32", "redux.max.s32",
              "redux.max.u32", "redux.and", "redux.or", "redux.xor", "ldmatrix", "ldmatrix.trans", "mma.m16n8k4.tf32",
              "mma.m16n8k8.tf32", "mma.m16n8k8.f16", "mma.m16n8k8.bf16", "mma.m16n8k16.f16", "mma.m16n8k16.bf16")


def _together(w: HostWriter, i: Instruction, name: str, mask: str, arguments: Sequence[str],
              results: Sequence[tuple[str, str]]) -> None:
    """results: registers and their kinds."""
    if name not in OPERATIONS:
        raise refuse(i)
    given, found = words_on_stack(w, arguments), words_on_stack(w, ["0"] * len(results))
    w.helper("warp", "void", f"i32 {OPERATIONS.index(name)}", f"i32 {mask}", f"ptr {given}", f"ptr {found}")
    for n, (register, kind) in enumerate(results):
        at = w.value(f"getelementptr i64, ptr {found}, i64 {n}")
        w.write(register, w.resized(w.value(f"load i64, ptr {at}"), 64, bits_of(kind)), kind)


def _wide(w: HostWriter, operand: str, kind: str) -> str:
    return w.resized(w.read(operand, kind), bits_of(kind), 64)


def _barrier(w: HostWriter, i: Instruction) -> None:
    if i.parts[1] == "warp":
        _together(w, i, "barrier", w.read(i.operands[0], "b32"), [], [])
    elif i.opcode in ("bar.sync", "barrier.sync") and i.operands == ("0",):
        w.helper("barrier", "void")
    else:
        raise refuse(i)


def _shuffle(w: HostWriter, i: Instruction) -> None:
    names = i.operands[0].split("|")
    arguments = [_wide(w, operand, "b32") for operand in i.operands[1:4]]
    results = [(names[0], "b32"), *((name, "pred") for name in names[1:])]
    _together(w, i, f"shfl.{i.parts[2]}", w.read(i.operands[4], "b32"), arguments, results)


def _across(w: HostWriter, i: Instruction) -> None:
    kind, names, parts = i.parts[-1], i.operands[0].split("|"), i.parts
    how = parts[1] if i.name == "match" else parts[2]
    name = f"{i.name}.{how}" + (f".{kind}" if how in ("min", "max") else "")
    source = "pred" if i.name == "vote" else kind
    results = [(names[0], "b32" if i.name == "match" else kind), *((name, "pred") for name in names[1:])]
    _together(w, i, name, w.read(i.operands[2], "b32"), [_wide(w, i.operands[1], source)], results)


def _load_matrix(w: HostWriter, i: Instruction) -> None:
    names = i.group(0)
    if i.parts[3] != "m8n8" or i.parts[-1] != "b16":
        raise refuse(i)
    at = w.value(f"ptrtoint ptr {w.address(i.operands[1], 16)} to i64")
    _together(w, i, "ldmatrix.trans" if "trans" in i.parts else "ldmatrix", "-1", [at, str(len(names))],
              [(name, "b32") for name in names])


def _multiply(w: HostWriter, i: Instruction) -> None:
    shape, *layout, total, element, other, given = i.parts[3:]
    if layout != ["row", "col"] or element != other or (total, given) != ("f32", "f32"):
        raise refuse(i)
    arguments = [_wide(w, name, "b32") for number in (1, 2, 3) for name in i.group(number)]
    _together(w, i, f"mma.{shape}.{element}", "-1", arguments, [(name, "b32") for name in i.group(0)])


def _copy(w: HostWriter, i: Instruction) -> None:
    parts = i.parts
    if parts[1] != "async":
        raise refuse(i)
    if parts[2] == "commit_group":
        w.helper("copies_commit", "void")
    elif parts[2] in ("wait_group", "wait_all"):
        w.helper("copies_wait", "void", f"i32 {int(i.operands[0]) if parts[2] == 'wait_group' else -1}")
    elif parts[2] in ("ca", "cg") and parts[4] == "global":
        size = int(i.operands[2])
        count = w.read(i.operands[3], "u32") if len(i.operands) > 3 else str(size)
        to, source = w.address(i.operands[0], size), w.address(i.operands[1], size)
        w.helper("copy", "void", f"ptr {to}", f"ptr {source}", f"i32 {size}", f"i32 {count}")
    else:
        raise refuse(i)


WARP_INSTRUCTIONS: dict[str, Callable[[HostWriter, Instruction], None]] = {
    "bar": _barrier, "barrier": _barrier, "shfl": _shuffle, "vote": _across, "match": _across, "redux": _across,
    "ldmatrix": _load_matrix, "mma": _multiply, "cp": _copy}
