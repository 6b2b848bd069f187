"""PTX instructions as LLVM text for this machine (ptx/host_text.py): what each of them is."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from ptx.host_bits import BIT_INSTRUCTIONS
from ptx.host_text import FLOATS, HostWriter, bits_of, refuse, type_of
from ptx.host_warp import WARP_INSTRUCTIONS
from ptx.host_warpgroup import WARPGROUP_INSTRUCTIONS, box
from ptx.text import DTYPES, Instruction, Kernel

Write = Callable[[HostWriter, Instruction], None]
SPACES = ("global", "shared", "local", "shared::cta")


def host_text(name: str, kernel: Kernel, helpers: Mapping[str, int]) -> str:
    """The kernel as a function of that name. helpers: addresses of the stand-in's functions (HELPERS)."""
    return HostWriter(name, kernel, helpers).text(write)


def write(w: HostWriter, instruction: Instruction) -> None:
    """Raises PtxError for an instruction that it does not know."""
    maker = box if instruction.opcode.startswith("cp.async.bulk") else _EVERY.get(instruction.name)
    if maker is None:
        raise refuse(instruction)
    maker(w, instruction)


# Memory

def _load(w: HostWriter, i: Instruction) -> None:
    kind, parts = i.parts[-1], i.parts
    bits, names = bits_of(kind), i.group(0)
    if parts[1] == "param":
        where = w.value(f"getelementptr i8, ptr %parameters, i64 {w.parameters[i.operands[1][1:-1]]}")
        w.write(names[0], w.value(f"load i{bits}, ptr {where}"), kind)
        return
    where = w.address(i.operands[1], bits // 8 * len(names))
    found = [w.value(f"getelementptr i{bits}, ptr {where}, i64 {n}") for n in range(len(names))]
    values = [w.value(f"load i{bits}, ptr {at}, align 1") for at in found]
    for name, value in zip(names, values, strict=True):
        w.write(name, value, kind.replace("f", "b"))


def _store(w: HostWriter, i: Instruction) -> None:
    kind, names = i.parts[-1].replace("f", "b"), i.group(1)
    bits = bits_of(kind)
    where = w.address(i.operands[0], bits // 8 * len(names))
    for n, value in enumerate([w.read(name, kind) for name in names]):
        at = w.value(f"getelementptr i{bits}, ptr {where}, i64 {n}")
        w.emit(f"store i{bits} {value}, ptr {at}, align 1")


_CHANGES = {"add": "add", "and": "and", "or": "or", "xor": "xor", "exch": "xchg", "inc": "uinc_wrap",
            "dec": "udec_wrap", "min": "min", "max": "max"}


def _atomic(w: HostWriter, i: Instruction) -> None:
    kind, returns = i.parts[-1], i.name == "atom"
    operands = i.operands[1:] if returns else i.operands
    where, values = w.address(operands[0], bits_of(kind) // 8), [w.read(o, kind) for o in operands[1:]]
    what, of = next(p for p in i.parts if p in _CHANGES or p == "cas"), type_of(kind)
    if what == "cas":
        made = w.value(f"cmpxchg ptr {where}, {of} {values[0]}, {of} {values[1]} monotonic monotonic")
        found = w.value(f"extractvalue {{ {of}, i1 }} {made}, 0")
    else:
        change = "fadd" if kind in FLOATS and what == "add" else _CHANGES[what]
        change = "u" * (kind[0] in "ub") + what if what in ("min", "max") else change
        found = w.value(f"atomicrmw {change} ptr {where}, {of} {values[0]} monotonic")
    if returns:
        w.write(i.operands[0], found, kind)


def _convert_address(w: HostWriter, i: Instruction) -> None:
    w.write(i.operands[0], w.read(i.operands[1], "u64"), "u64")


def _nothing(w: HostWriter, i: Instruction) -> None:
    """A fence: one thread runs at a time."""


# Arithmetic

def _move(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1].replace("f", "b")
    if "{" not in i.operands[0] + i.operands[1]:
        w.write(i.operands[0], w.read(i.operands[1], kind), kind)
        return
    joins = i.operands[1].startswith("{")
    whole, names = bits_of(kind), i.group(1 if joins else 0)
    part = whole // len(names)
    if joins:
        made = "0"
        for n, name in enumerate(names):
            wide = w.resized(w.read(name, f"u{part}"), part, whole)
            made = w.value(f"or i{whole} {made}, {w.value(f'shl i{whole} {wide}, {n * part}')}")
        w.write(i.operands[0], made, kind)
        return
    found = w.read(i.operands[1], kind)
    for n, name in enumerate(names):
        w.write(name, w.resized(w.value(f"lshr i{whole} {found}, {n * part}"), whole, part), f"u{part}")


_FLOAT_OPERATIONS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_INTEGER_OPERATIONS = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
_HARMLESS = ("rn", "lo")


def _binary(w: HostWriter, i: Instruction) -> None:
    kind, name = i.parts[-1], i.name
    if name == "mul" and i.parts[1] in ("wide", "hi"):
        _wide(w, i)
        return
    operation = (_FLOAT_OPERATIONS if kind in FLOATS else _INTEGER_OPERATIONS).get(name)
    if operation is None or [p for p in i.parts[1:-1] if p not in _HARMLESS] or kind not in DTYPES or kind == "bf16":
        raise refuse(i)
    a, b = (w.read(o, kind) for o in i.operands[1:])
    w.write(i.operands[0], w.value(f"{operation} {type_of(kind)} {a}, {b}"), kind)


def _wide(w: HostWriter, i: Instruction) -> None:
    name, how, kind = i.parts
    bits, extend = bits_of(kind), "sext" if kind[0] == "s" else "zext"
    a, b = (w.value(f"{extend} i{bits} {w.read(o, kind)} to i{2 * bits}") for o in i.operands[1:3])
    product = w.value(f"mul i{2 * bits} {a}, {b}")
    if how == "hi":
        high = w.value(f"lshr i{2 * bits} {product}, {bits}")
        w.write(i.operands[0], w.resized(high, 2 * bits, bits), kind)
        return
    wide = f"{kind[0]}{2 * bits}"
    if name == "mad":
        product = w.value(f"add i{2 * bits} {product}, {w.read(i.operands[3], wide)}")
    w.write(i.operands[0], product, wide)


def _multiply_add(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1]
    if i.parts[1] == "wide":
        _wide(w, i)
        return
    a, b, c = (w.read(o, kind) for o in i.operands[1:])
    product = w.value(f"mul {type_of(kind)} {a}, {b}")
    w.write(i.operands[0], w.value(f"add {type_of(kind)} {product}, {c}"), kind)


def _fused(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1]
    if kind not in ("f32", "f64") or i.parts[1:-1] != ["rn"]:
        raise refuse(i)
    made = w.intrinsic(f"llvm.fma.{kind}", type_of(kind), *(w.read(o, kind) for o in i.operands[1:]))
    w.write(i.operands[0], made, kind)


def _divide(w: HostWriter, i: Instruction) -> None:
    """A GPU does not trap: by 0 any number may come, and the smallest number by -1 is itself."""
    kind = i.parts[-1]
    if kind in FLOATS:
        _binary(w, i)
        return
    of, a, b = type_of(kind), w.read(i.operands[1], kind), w.read(i.operands[2], kind)
    sign, bad = "s" if kind[0] == "s" else "u", w.value(f"icmp eq {type_of(kind)} {b}, 0")
    minus = w.value(f"icmp eq {of} {b}, -1") if sign == "s" else "false"
    safe = w.value(f"select i1 {w.value(f'or i1 {bad}, {minus}')}, {of} 1, {of} {b}")
    made = w.value(f"{sign}{i.name} {of} {a}, {safe}")
    other = w.value(f"sub {of} 0, {a}") if i.name == "div" else "0"
    w.write(i.operands[0], w.value(f"select i1 {minus}, {of} {other}, {of} {made}"), kind)


def _least_or_most(w: HostWriter, i: Instruction) -> None:
    kind, of = i.parts[-1], type_of(i.parts[-1])
    a, b = (w.read(o, kind) for o in i.operands[1:])
    if kind in FLOATS:
        name = "imum" if "NaN" in i.parts else "imumnum"
        made = w.intrinsic(f"llvm.{i.name}{name}.{kind}", of, a, b)
    else:
        made = w.intrinsic(f"llvm.{'s' if kind[0] == 's' else 'u'}{i.name}.{of}", of, a, b)
    w.write(i.operands[0], made, kind)


def _unary(w: HostWriter, i: Instruction) -> None:
    kind, of, name = i.parts[-1], type_of(i.parts[-1]), i.name
    a = w.read(i.operands[1], kind)
    if name == "not":
        made = w.value(f"xor {of} {a}, -1")
    elif name == "neg":
        made = w.value(f"fneg {of} {a}" if kind in FLOATS else f"sub {of} 0, {a}")
    elif name == "abs" and kind not in FLOATS:
        made = w.intrinsic(f"llvm.abs.{of}", of, a, more="i1 false")
    elif name == "rcp" and i.parts[1:-1] == ["rn"]:
        made = w.value(f"fdiv {of} 1.0, {a}")
    elif name == "abs" or (name == "sqrt" and i.parts[1:-1] == ["rn"]):
        made = w.intrinsic(f"llvm.{'fabs' if name == 'abs' else 'sqrt'}.{kind}", of, a)
    else:
        raise refuse(i)
    w.write(i.operands[0], made, kind)


def _copy_sign(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1]
    sign, value = (w.read(o, kind) for o in i.operands[1:])
    w.write(i.operands[0], w.intrinsic(f"llvm.copysign.{kind}", type_of(kind), value, sign), kind)


_UNSIGNED = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}


def _compare(w: HostWriter, i: Instruction) -> None:
    if len(i.parts) != 3:
        raise refuse(i)
    _, relation, kind = i.parts
    relation = _UNSIGNED.get(relation, relation)
    a, b = (w.read(o, kind) for o in i.operands[1:])
    if kind in FLOATS:
        condition = {"nan": "uno", "num": "ord"}.get(relation) or (
            f"u{relation[:-1]}" if relation.endswith("u") else f"o{relation}")
        made = w.value(f"fcmp {condition} {type_of(kind)} {a}, {b}")
    else:
        sign = "" if relation in ("eq", "ne") else "s" if kind[0] == "s" else "u"
        made = w.value(f"icmp {sign}{relation} {type_of(kind)} {a}, {b}")
    w.write(i.operands[0], made, "pred")


def _select(w: HostWriter, i: Instruction) -> None:
    kind = i.parts[-1].replace("f", "b")
    a, b, chosen = w.read(i.operands[1], kind), w.read(i.operands[2], kind), w.read(i.operands[3], "pred")
    w.write(i.operands[0], w.value(f"select i1 {chosen}, {type_of(kind)} {a}, {type_of(kind)} {b}"), kind)


# Conversions

_ROUNDING = {"rmi": "floor", "rpi": "ceil", "rzi": "trunc", "rni": "rint"}


def _convert(w: HostWriter, i: Instruction) -> None:
    _, *modifiers, to, of = i.parts
    rounding = _ROUNDING.get("".join(modifiers))
    if _narrowed(w, i, modifiers, to, of):
        return
    if to not in DTYPES or "bf16" in (to, of) or (rounding is None and modifiers not in ([], ["rn"])):
        raise refuse(i)
    value, source, target = w.read(i.operands[1], of), type_of(of), type_of(to)
    if rounding and of in FLOATS:
        value = w.intrinsic(f"llvm.{rounding}.{of}", source, value)
    if of in FLOATS and to in FLOATS:
        narrows = bits_of(to) < bits_of(of)
        made = value if to == of else w.value(f"{'fptrunc' if narrows else 'fpext'} {source} {value} to {target}")
    elif of in FLOATS:
        name = f"llvm.fpto{'s' if to[0] == 's' else 'u'}i.sat.{target}.{of}"
        w.declarations.add(f"declare {target} @{name}({source})")
        made = w.value(f"call {target} @{name}({source} {value})")
    elif to in FLOATS:
        made = w.value(f"{'s' if of[0] == 's' else 'u'}itofp {source} {value} to {target}")
    else:
        made = w.resized(value, bits_of(of), bits_of(to), signed=of[0] == "s")
    w.write(i.operands[0], made, to)


def _narrowed(w: HostWriter, i: Instruction, modifiers: list[str], to: str, of: str) -> bool:
    """Conversions to and from bfloat16, pairs and tf32, on bits; False: another one."""
    if (to, of, modifiers) == ("f32", "bf16", []):
        wide = w.resized(w.read(i.operands[1], "b16"), 16, 32)
        w.write(i.operands[0], w.value(f"shl i32 {wide}, 16"), "b32")
    elif (to, of, modifiers) == ("tf32", "f32", ["rna"]):
        bits = w.read(i.operands[1], "b32")
        more = w.value(f"and i32 {w.value(f'add i32 {bits}, 4096')}, {0xFFFFE000}")
        finite = w.value(f"icmp ult i32 {w.value(f'and i32 {bits}, {0x7FFFFFFF}')}, {0x7F800000}")
        w.write(i.operands[0], w.value(f"select i1 {finite}, i32 {more}, i32 {bits}"), "b32")
    elif (to, of, modifiers) == ("bf16", "f32", ["rn"]):
        w.write(i.operands[0], _half_bits(w, i.operands[1], to), "b16")
    elif to in ("f16x2", "bf16x2") and of == "f32" and modifiers == ["rn"]:
        high, low = (w.resized(_half_bits(w, o, to.removesuffix("x2")), 16, 32) for o in i.operands[1:])
        w.write(i.operands[0], w.value(f"or i32 {w.value(f'shl i32 {high}, 16')}, {low}"), "b32")
    else:
        return False
    return True


def _half_bits(w: HostWriter, operand: str, kind: str) -> str:
    """A float32 rounded to 16 bits."""
    if kind == "f16":
        made = w.value(f"fptrunc float {w.read(operand, 'f32')} to half")
        return w.value(f"bitcast half {made} to i16")
    bits = w.read(operand, "b32")
    last = w.value(f"and i32 {w.value(f'lshr i32 {bits}, 16')}, 1")
    more = w.value(f"add i32 {w.value(f'add i32 {bits}, 32767')}, {last}")
    quiet = w.value(f"or i32 {bits}, {0x400000}")
    no_number = w.value(f"icmp ugt i32 {w.value(f'and i32 {bits}, {0x7FFFFFFF}')}, {0x7F800000}")
    chosen = w.value(f"select i1 {no_number}, i32 {quiet}, i32 {more}")
    return w.value(f"trunc i32 {w.value(f'lshr i32 {chosen}, 16')} to i16")


_INSTRUCTIONS: dict[str, Write] = {
    "ld": _load, "st": _store, "atom": _atomic, "red": _atomic, "cvta": _convert_address, "membar": _nothing,
    "fence": _nothing, "mov": _move, "mad": _multiply_add, "fma": _fused, "div": _divide, "rem": _divide,
    "min": _least_or_most, "max": _least_or_most, "copysign": _copy_sign, "setp": _compare, "selp": _select,
    "cvt": _convert,
    **dict.fromkeys(("add", "sub", "mul", "and", "or", "xor"), _binary),
    **dict.fromkeys(("not", "neg", "abs", "sqrt", "rcp"), _unary),
}
_EVERY = {**_INSTRUCTIONS, **BIT_INSTRUCTIONS, **WARP_INSTRUCTIONS, **WARPGROUP_INSTRUCTIONS}
