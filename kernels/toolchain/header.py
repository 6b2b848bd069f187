"""The C++ header graphc_layout.h: every constant that Python and C++ share, and the library's symbols.

Made from kernels/layout.py, kernels/contracts/ and the runtime's tables, so that no number is written twice.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from types import ModuleType

from ..contracts.dtypes import DTYPES, Row
from .targets import Target

_HEAD = """// Written by `python -m graphc.kernels build`; do not edit.
#pragma once
#include <cstdint>

namespace graphc_core::layout {
"""


# Entry points for embedders that are Python, and for code of the map JIT: runners have neither.
NOT_OF_RUNNERS = ("gc_poll_python", "gc_call_python", "gc_quick_run", "gc_map_")
# Named by parts of the library alone (runner/src/other_steps.cpp, runner/src/strings).
PARTS_OF_RUNNERS = ("gc_run_other", "gc_strings_")


def layout_header(modules: Iterable[ModuleType], strings: ModuleType, runtime: Target,
                  entries: Mapping[str, Sequence[str]], version: str) -> str:
    """Text of the header. strings: the tables of string kernels, in a namespace of their own. runtime: the instruction
    set that the runtime is compiled for. entries: name -> C types of
    the result and the parameters of the runtime's entry points."""
    lines = [_HEAD]
    seen: set[str] = set()
    for module in modules:
        for name, value in sorted(vars(module).items()):
            if name in seen or name.startswith("_"):
                continue
            if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum:
                lines.append(_enumeration(value))
            elif type(value) is int and name.isupper():
                lines.append(f"constexpr std::int64_t {name} = {value}LL;")
            else:
                continue
            seen.add(name)
    lines += ["}  // namespace graphc_core::layout", "", "namespace graphc_core::strings_layout {",
              *(f"constexpr std::int64_t {name} = {value}LL;" for name, value in sorted(vars(strings).items())
                if type(value) is int and name.isupper()),
              "}  // namespace graphc_core::strings_layout", "", *_dtypes(), "",
              f'#define GRAPHC_KERNELS_VERSION "{version}"', ""]
    lines += _symbols(runtime, entries)
    return "\n".join(lines) + "\n"


def _enumeration(enumeration: type[IntEnum]) -> str:
    """A struct of constants: scoped like an enum class, yet usable as an index."""
    members = " ".join(f"{member.name} = {int(member)}," for member in enumeration)
    return f"struct {enumeration.__name__} {{ enum : std::int64_t {{ {members} }}; }};"


def _dtypes() -> list[str]:
    return ["// X(TensorFlow's number, bytes of an element that can be fed, fetched or stored (else 0), short name,",
            "// TensorFlow's name, NumPy's in .npy files): the element types", "#define GRAPHC_DTYPES(X) " + " ".join(
                f'X({row.number}, {_held(row)}, "{row.short}", "{row.name}", "{_numpy(row)}")'
                for row in sorted(DTYPES.values(), key=lambda row: row.number))]


def _held(row: Row) -> int:
    return 0 if row.kind in ("", "quantized") else row.size


def _numpy(row: Row) -> str:
    if row.name == "bfloat16":
        return "<V2"                       # as ml_dtypes writes it: NumPy has none
    letter = {"float": "f", "int": "i", "uint": "u", "bool": "b", "complex": "c"}.get(row.kind)
    return f"{'|' if row.size == 1 else '<'}{letter}{row.size}" if letter else ""


def _symbols(runtime: Target, entries: Mapping[str, Sequence[str]]) -> list[str]:
    entries = {name: types for name, types in entries.items() if not name.startswith(NOT_OF_RUNNERS)}
    rows = [f"X({types[0]}, {name}, ({', '.join(types[1:])}))" for name, types in entries.items()
            if not name.startswith(PARTS_OF_RUNNERS)]
    lines = ["// X(result, name, parameters): the entry points of the runtime, one for all instruction sets",
             "#define GRAPHC_ENTRIES(X) " + " ".join(rows), f"#define GRAPHC_SYMBOL(name) name##_{runtime.symbol}",
             'extern "C" {', *(f"{types[0]} {name}_{runtime.symbol}({', '.join(types[1:])});"
                               for name, types in entries.items()),
             "// graphc_tables.cpp: the registry, the names of kernels and then primitives, and by instruction set,",
             "// best first, how far each function is from its place in the table, 0: there is none. In order: bind,",
             "// run, pack of each kernel, then the primitives. A row without a name ends them.",
             '// gc_made_for: the models that a runner of few kernels was made for; "": it has them all.',
             "// gc_parts: what such a one may do without (parts.hpp); nullptr: it is left out.",
             "struct gc_isa { const char* name; const std::int32_t* functions; };",
             "// The registry is packed (kernels/toolchain/tables.py).",
             "extern const unsigned char gc_packed_registry[];",
             "extern const std::int64_t gc_packed_registry_bytes, gc_names_bytes;",
             "extern const char gc_names[], gc_made_for[];",
             "extern const gc_isa gc_isas[];",
             "extern void (*const gc_parts[])();"]
    return [*lines, "}"]
