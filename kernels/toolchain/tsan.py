"""Makes LLVM text tell ThreadSanitizer what it reads and writes, for `make tsan`.

LLVM's own pass cannot be reached through llvmlite, so this does the same to the text of an optimised, not vectorised
module: a call before every load, store and block operation whose address is computed, and calls in place of atomics.
Not told: reads of constants, entries of functions (a report shows the innermost function only), and code that the map
JIT makes.
"""
from __future__ import annotations

import re

SEQ_CST = "i32 5"            # the only order that the runtime uses

_NAME = r'%(?:"[^"]*"|[-\w.$]+)'
_WHERE = rf"ptr (?P<address>{_NAME})(?:, align (?P<align>\d+))?"
_LOAD = re.compile(rf"load (?:volatile )?(?P<type>[^,]+(?:, [^,]+)*?), {_WHERE}")
_STORE = re.compile(rf"store (?:volatile )?(?P<value>.+), {_WHERE}(?:, !.*)?$")
_ATOMIC_LOAD = re.compile(rf"load atomic (?:volatile )?i64, ptr (?P<address>{_NAME}) seq_cst")
_ATOMIC_STORE = re.compile(rf"store atomic (?:volatile )?i64 (?P<value>\S+), ptr (?P<address>{_NAME}) seq_cst")
_ATOMIC_ADD = re.compile(rf"atomicrmw (?:volatile )?add ptr (?P<address>{_NAME}), i64 (?P<value>\S+) seq_cst")
_ATOMIC_SWAP = re.compile(
    rf"cmpxchg (?:weak )?(?:volatile )?ptr (?P<address>{_NAME}), i64 (?P<old>\S+), i64 (?P<new>\S+) seq_cst seq_cst")
_BLOCK = re.compile(r"call void @llvm\.mem(?P<kind>cpy|move|set)\S*?\((?P<arguments>.*)\)")
_RESULT = re.compile(rf"^\s*(?P<result>{_NAME}) = ")
_DECLARATIONS = {
    **{f"__tsan_{what}{size}": "void (ptr)" for what in ("read", "write") for size in (1, 2, 4, 8, 16)},
    "__tsan_read_range": "void (ptr, i64)",
    "__tsan_write_range": "void (ptr, i64)",
    "__tsan_atomic64_load": "i64 (ptr, i32)",
    "__tsan_atomic64_store": "void (ptr, i64, i32)",
    "__tsan_atomic64_fetch_add": "i64 (ptr, i64, i32)",
    "__tsan_atomic64_compare_exchange_val": "i64 (ptr, i64, i64, i32, i32)",
}
IMPORTS = tuple(_DECLARATIONS)


class InstrumentationError(Exception):
    """IR that this file does not know."""


def instrument(text: str) -> str:
    """The text of a module, with calls to ThreadSanitizer's run-time library."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines()):
        lines += _instrumented(line, number) if line.startswith(" ") else [line]
    made = "\n".join(lines)
    for name, signature in _DECLARATIONS.items():
        if f"@{name}(" in made:
            result, _, arguments = signature.partition(" ")
            made += f"\ndeclare {result} @{name}{arguments}"
    return made + "\n"


def _instrumented(line: str, number: int) -> list[str]:
    atomic = _atomic(line, number)
    if atomic is not None:
        return atomic
    body = _RESULT.sub("", line).strip().removeprefix("tail ").removeprefix("musttail ")
    if re.match(r"(atomicrmw|cmpxchg|load atomic|store atomic) ", body):
        raise InstrumentationError(f"an atomic of an unknown kind: {line.strip()}")
    found = _BLOCK.match(body)
    if found is not None:
        return [*_block(found), line]
    found = _LOAD.match(body)
    if found is not None:
        return [_access("read", found["type"], found["address"], found["align"]), line]
    found = _STORE.match(body)
    if found is not None:
        return [_access("write", _value_type(found["value"]), found["address"], found["align"]), line]
    return [line]


def _atomic(line: str, number: int) -> list[str] | None:
    """What stands in place of an atomic; None for anything else."""
    head = _RESULT.match(line)
    result = head["result"] if head else ""
    body = _RESULT.sub("", line).strip()
    if found := _ATOMIC_LOAD.match(body):
        return [f"  {result} = call i64 @__tsan_atomic64_load(ptr {found['address']}, {SEQ_CST})"]
    if found := _ATOMIC_STORE.match(body):
        return [f"  call void @__tsan_atomic64_store(ptr {found['address']}, i64 {found['value']}, {SEQ_CST})"]
    if found := _ATOMIC_ADD.match(body):
        operands = f"ptr {found['address']}, i64 {found['value']}, {SEQ_CST}"
        return [f"  {result} = call i64 @__tsan_atomic64_fetch_add({operands})"]
    if found := _ATOMIC_SWAP.match(body):
        seen, same, pair = (f"%tsan.{name}.{number}" for name in ("seen", "same", "pair"))
        return [
            f"  {seen} = call i64 @__tsan_atomic64_compare_exchange_val(ptr {found['address']}, i64 {found['old']}, "
            f"i64 {found['new']}, {SEQ_CST}, {SEQ_CST})",
            f"  {same} = icmp eq i64 {seen}, {found['old']}",
            f"  {pair} = insertvalue {{ i64, i1 }} poison, i64 {seen}, 0",
            f"  {result} = insertvalue {{ i64, i1 }} {pair}, i1 {same}, 1",
        ]
    return None


def _block(found: re.Match[str]) -> list[str]:
    arguments = [argument.split(" ")[-1] for argument in found["arguments"].split(", ")]
    calls = [("write", arguments[0])] + ([("read", arguments[1])] if found["kind"] != "set" else [])
    return [f"  call void @__tsan_{what}_range(ptr {address}, i64 {arguments[2]})" for what, address in calls
            if address.startswith("%")]


def _access(what: str, type_: str, address: str, align: str | None) -> str:
    size = _size(type_)
    if size in (1, 2, 4, 8, 16) and int(align or size) >= size:
        return f"  call void @__tsan_{what}{size}(ptr {address})"
    return f"  call void @__tsan_{what}_range(ptr {address}, i64 {size})"


def _value_type(value: str) -> str:
    """The type that a typed value begins with."""
    closing = {"<": ">", "[": "]", "{": "}"}.get(value[0])
    return value[:value.index(closing) + 1] if closing else value.split(" ")[0]


def _size(type_: str) -> int:
    """Bytes of a type in memory, none of them padding."""
    if found := re.fullmatch(r"i(\d+)", type_):
        return (int(found[1]) + 7) // 8
    if found := re.fullmatch(r"[<\[](\d+) x (.+)[>\]]", type_):
        return int(found[1]) * _size(found[2])
    sizes = {"half": 2, "float": 4, "double": 8, "ptr": 8}
    if type_ not in sizes:
        raise InstrumentationError(f"the size of {type_} in memory is not known here")
    return sizes[type_]
