"""What x86 alone has, out of IR for other machines: the mode of floating-point numbers (runtime/float_mode.py), which
is not set there."""
from __future__ import annotations

import llvmlite.binding as llvm

# How the functions that are called in their place are named, and what they do.
_IN_PLACE = {
    "llvm.x86.sse.ldmxcsr": ("gc_no_mode_set", "define internal void @gc_no_mode_set(ptr %place) { ret void }"),
    "llvm.x86.sse.stmxcsr": ("gc_no_mode", "define internal void @gc_no_mode(ptr %place) { ret void }"),
}


def without_x86(bitcode: bytes) -> bytes:
    """The same module, which calls functions that do nothing."""
    module = llvm.parse_bitcode(bitcode)
    text = str(module)
    found = [name for name in _IN_PLACE if f"@{name}(" in text]
    if not found:
        return bitcode
    for name in found:
        ours, body = _IN_PLACE[name]
        lines = [line for line in text.splitlines() if not line.startswith(f"declare void @{name}(")]
        text = "\n".join(lines).replace(f"@{name}(", f"@{ours}(") + f"\n{body}\n"
    return bytes(llvm.parse_assembly(text).as_bitcode())
