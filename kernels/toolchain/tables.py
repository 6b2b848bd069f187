"""The tables of a library, read back from its objects and written as C++: of all its functions, or of some of them.

What makes a runner of few kernels small is here: a linker takes only what the tables name (graphc/commands/runner.py).
In C++ a table of functions holds how far each lies from its place in the table, 32 bits: of addresses a program or
library that may be loaded anywhere has 32 bytes for each, 24 of which tell the loader where it is.
Imports neither numba nor llvmlite.
"""
from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..layout import PRIMITIVE_WORDS, REGISTRY_MAGIC
from .elf_data import Data, read_data
from .gate import GateError

PREFIX = "gc_functions_"
HEAD = 5                               # words of the registry in front of everything: see registry.py
PACKED = "gc_packed_registry"           # the registry in C++, as `packed` makes it
ROLES = 3                              # bind, run, pack: functions of a kernel
# What of the C++ library a runner of few kernels may do without (runner/src/parts.hpp).
CHECKPOINTS = ("gc_save_checkpoint", "gc_restore_checkpoint", "gc_check_part")
OTHER_STEPS = "gc_run_other_step"
GPU = "gc_open_gpu"
STRINGS, STRING_OPS = "gc_open_strings", "gc_open_string_op"
PARTS = (*CHECKPOINTS, "gc_print_trace", OTHER_STEPS, GPU, "gc_read_ways", STRINGS, STRING_OPS)


@dataclass(frozen=True)
class Tables:
    """words: the registry (registry.py). kernels, primitives: names, by number. functions: by instruction set, best
    first, the symbols of bind, run and pack of each kernel, then of each primitive; "": there is none."""

    words: list[int]
    kernels: list[str]
    primitives: list[str]
    functions: dict[str, list[str]]


def read_tables(objects: Iterable[bytes], isas: Iterable[str]) -> Tables:
    """The tables that some of `objects` define. Raises GateError if there are none, or damaged ones."""
    objects = list(objects)
    words = _registry(objects)
    if len(words) < HEAD or words[0] != REGISTRY_MAGIC:
        raise GateError("the library's registry is damaged, or another version's")
    length, = struct.unpack("<q", _find(objects, "gc_names_bytes").contents)
    names = _find(objects, "gc_names").contents[:length].decode().split("\0")[:-1]
    kernels, primitives = words[1], words[2]
    if len(names) != kernels + primitives:
        raise GateError("the library's names are not those of its registry")
    functions = {}
    for isa in isas:
        found = _find(objects, PREFIX + isa.replace("-", "_"))
        functions[isa] = [found.references.get(found.width * i, "") for i in range(ROLES * kernels + primitives)]
    return Tables(words, names[:kernels], names[kernels:], functions)


def _registry(objects: Iterable[bytes]) -> list[int]:
    """As it stands in libraries of sessions, or in C++."""
    for data in objects:
        found = read_data(data, PACKED)
        if found is not None:
            return unpacked(found.contents)
    registry = _find(objects, "gc_registry").contents
    return list(struct.unpack(f"<{len(registry) // 8}q", registry[:len(registry) // 8 * 8]))


def packed(words: Iterable[int]) -> bytes:
    """Words that are mostly small in a few bytes each: 7 bits a byte, the lowest first, the 8th bit set if more follow;
    of 2 w, or of -2 w - 1 for w < 0 (runner/src/library.cpp unpacks it)."""
    made = bytearray()
    for word in words:
        rest = 2 * word if word >= 0 else -2 * word - 1
        while rest > 127:
            made.append(rest & 127 | 128)
            rest >>= 7
        made.append(rest)
    return bytes(made)


def unpacked(data: bytes) -> list[int]:
    words, shift, value = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            words.append(-(value + 1 >> 1) if value & 1 else value >> 1)
            shift, value = 0, 0
    return words


def _find(objects: Iterable[bytes], symbol: str) -> Data:
    for data in objects:
        found = read_data(data, symbol)
        if found is not None:
            return found
    raise GateError(f"the library has no {symbol}")


def part_of(tables: Tables, kernels: Collection[str], primitives: Collection[str]) -> Tables:
    """The tables of these kernels and primitives alone, and of what a reduction repeats. Raises KeyError with the names
    that there are not."""
    unknown = [name for name in kernels if name not in tables.kernels]
    unknown += [name for name in primitives if name not in tables.primitives]
    if unknown:
        raise KeyError(", ".join(unknown))
    wanted = {i for i, name in enumerate(tables.primitives) if name in primitives}
    wanted |= {_row(tables, i)[-1] // 8 for i in wanted if _row(tables, i)[-2]}
    chosen, others = [i for i, name in enumerate(tables.kernels) if name in kernels], sorted(wanted)
    first = ROLES * len(tables.kernels)
    functions = {isa: [*(symbols[ROLES * i + role] for i in chosen for role in range(ROLES)),
                       *(symbols[first + i] for i in others)] for isa, symbols in tables.functions.items()}
    return Tables(_words(tables, chosen, others), [tables.kernels[i] for i in chosen],
                  [tables.primitives[i] for i in others], functions)


def _row(tables: Tables, primitive: int) -> list[int]:
    start = tables.words[4] + primitive * PRIMITIVE_WORDS
    return tables.words[start:start + PRIMITIVE_WORDS]


def _words(tables: Tables, kernels: list[int], primitives: list[int]) -> list[int]:
    """The registry of some kernels and primitives: records and the formulas that they refer to, at other places."""
    old = tables.words
    words = [REGISTRY_MAGIC, len(kernels), len(primitives), 0, 0]
    moved: dict[int, int] = {}

    def formula(at: int) -> int:
        if at not in moved:
            moved[at] = len(words)
            words.extend(old[at:at + 1 + 2 * old[at]])
        return moved[at]

    records = []
    for number in kernels:
        at = old[old[3] + number]
        operands, relations = old[at], old[at + 3]
        end = at + 4 + 4 * operands
        record = old[at:end + relations + 1]
        for place in [*range(7, 4 + 4 * operands, 4), *range(end - at, len(record))]:       # extents, relations, flops
            record[place] = formula(record[place])
        records.append(len(words))
        words += record
    words[3] = len(words)
    words += records
    words[4] = len(words)
    numbers = {old_number: number for number, old_number in enumerate(primitives)}
    for number in primitives:
        *row, reduces, what = _row(tables, number)
        words += [*row, reduces, numbers[what // 8] * 8 + what % 8 if reduces else what]
    return words


def tables_source(tables: Tables, made_for: str = "", parts: Collection[str] = PARTS,
                  left_out: Collection[str] = (), same_parts: Mapping[str, str] | None = None) -> str:
    """C++ that defines what graphc_layout.h declares. made_for: what a runner of few kernels was made for, "": it has
    all. parts: those of PARTS that it has. left_out: symbols of parts of kernels, in whose place a function stands that
    fails as numba's functions do; the kernel then returns Status.LEFT_OUT. same_parts: parts of kernels that are to
    lead to others, which are the same machine code (folding.py)."""
    names = [*tables.kernels, *tables.primitives]
    lines = ["// Written by graphc; do not edit.", "#include <cstdint>", 'extern "C" {',
             "#pragma GCC visibility push(hidden)", *(f"void {part}();" for part in PARTS if part in parts),
             "struct gc_isa { const char* name; const std::int32_t* functions; };",
             f"extern const unsigned char {PACKED}[];",
             "extern const std::int64_t gc_packed_registry_bytes, gc_names_bytes;",
             "extern const char gc_names[], gc_made_for[];", "extern const gc_isa gc_isas[];",
             "extern void (*const gc_parts[])();"]
    lines += [f"extern const std::int32_t {_table(isa)}[];" for isa in tables.functions]
    lines += ["#pragma GCC visibility pop",
              f"const unsigned char {PACKED}[] = {{{_wrapped(map(str, packed(tables.words)))}}};",
              f"const std::int64_t gc_packed_registry_bytes = {len(packed(tables.words))};",
              f"const std::int64_t gc_names_bytes = {sum(len(name) + 1 for name in names)};",
              'const char gc_names[] = ""', *(f'    "{name}\\0"' for name in names), "    ;",
              f"const char gc_made_for[] = {_quoted(made_for)};",
              f"void (*const gc_parts[])() = {{{_wrapped(p if p in parts else 'nullptr' for p in PARTS)}}};"]
    if left_out:
        lines.append("std::int32_t gc_left_out() { return 1; }")
        lines += [f'__attribute__((alias("gc_left_out"))) std::int32_t {symbol}();' for symbol in left_out]
    lines += _leading(same_parts or {})
    for isa, functions in tables.functions.items():
        lines += _distances(_table(isa), functions)
    rows = ", ".join(f'{{"{isa}", {_table(isa)}}}' for isa in tables.functions)
    return "\n".join([*lines, f"const gc_isa gc_isas[] = {{{rows}, {{nullptr, nullptr}}}};", "}", ""])


def _distances(table: str, functions: Iterable[str]) -> list[str]:
    """Assembly that defines a table of functions; 0 stands for none. C++ has no constant for how far a function is."""
    functions = list(functions)
    hidden = [f'".hidden {symbol}\\n"' for symbol in sorted({table, *functions} - {""})]
    rows = [f'".long {symbol} - .\\n"' if symbol else '".long 0\\n"' for symbol in functions]
    return [f'asm(".pushsection .rodata.{table},\\"a\\",%progbits\\n.balign 4\\n"', *hidden,
            f'".globl {table}\\n.type {table},%object\\n{table}:\\n"', *rows,
            f'".size {table},.-{table}\\n.popsection\\n");']


def _leading(parts: Mapping[str, str]) -> list[str]:
    """Assembly that defines each part as a jump to another one, in a section of its own: like `left_out`, it stands
    before the archive's weak one."""
    jumps = [f'GC_LEAD({part}, {other})' for part, other in parts.items()]
    return ["#ifdef __aarch64__", '#define GC_JUMP "b"', "#else", '#define GC_JUMP "jmp"', "#endif",
            '#define GC_LEAD(part, other) asm(".pushsection .text." #part ",\\"ax\\",%progbits\\n.globl " #part '
            '"\\n.hidden " #part "\\n.type " #part ",%function\\n" #part ":\\n" GC_JUMP " " #other '
            '"\\n.popsection\\n");', *jumps] if jumps else []


def _table(isa: str) -> str:
    return PREFIX + isa.replace("-", "_")


def _wrapped(words: Iterable[str]) -> str:
    """Eight in a line."""
    rows = list(words)
    return "".join(f"\n    {', '.join(rows[i:i + 8])}," for i in range(0, len(rows), 8))


def _quoted(text: str) -> str:
    """As a string of C++, whatever is in it."""
    plain = [chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()]
    return f'"{"".join(plain)}"'
