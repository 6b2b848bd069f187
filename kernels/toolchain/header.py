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

namespace graphc::layout {
"""


def layout_header(modules: Iterable[ModuleType], targets: Sequence[Target], entries: Mapping[str, Sequence[str]],
                  version: str) -> str:
    """Text of the header. entries: name -> C types of the result and the parameters of the runtime's entry points."""
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
    lines += ["}  // namespace graphc::layout", "", *_dtypes(), "", f'#define GRAPHC_KERNELS_VERSION "{version}"', ""]
    lines += _symbols(targets, entries)
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


def _symbols(targets: Sequence[Target], entries: Mapping[str, Sequence[str]]) -> list[str]:
    rows = [", ".join([f'"{t.name}"', f"gc_functions_{t.symbol}", *(f"{name}_{t.symbol}" for name in entries)])
            for t in targets]
    lines = ["// X(name, table of functions, entry points as in GRAPHC_ENTRIES): the instruction sets, best first",
             "#define GRAPHC_LIBRARIES(X) " + " ".join(f"X({row})" for row in rows),
             "// X(result, name, parameters): the entry points of the runtime",
             "#define GRAPHC_ENTRIES(X) " + " ".join(f"X({types[0]}, {name}, ({', '.join(types[1:])}))"
                                                     for name, types in entries.items()),
             'extern "C" {',
             "extern const std::int64_t gc_registry[], gc_registry_words, gc_names_bytes;",
             "extern const char gc_names[];"]
    for target in targets:
        lines.append(f"extern const std::int64_t gc_functions_{target.symbol}[];")
        for name, types in entries.items():
            lines.append(f"{types[0]} {name}_{target.symbol}({', '.join(types[1:])});")
    return [*lines, "}"]
