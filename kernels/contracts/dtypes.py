"""The element types, each written once: every other table of them is made from DTYPES.

name and number are TensorFlow's (DataType in types.proto), name is NumPy's as well where NumPy has the type; short is
the one in Plans and in names of kernels. The order is that in which messages list them.
"""
from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """size: bytes of an element in a buffer.

    kind: "float", "int", "uint", "bool", "complex", "quantized" or, of what is no number, "". use: "computed" (by maps
    and kernels), "converted" (by maps, to what they compute), "parts" (two numbers), "moved" (by kernels that only
    copy), "held" (as a constant, no more). widened: the type in which a narrower number is computed. moved_as: the type
    as which kernels that look at bits only take it.
    """

    name: str
    short: str
    number: int
    size: int
    kind: str
    use: str
    widened: str = ""
    moved_as: str = ""

    @property
    def llvm(self) -> str:
        """LLVM's name of the type of a value."""
        if self.kind == "float" and self.size > 2:          # a 16-bit float is its bits
            return {4: "float", 8: "double"}[self.size]
        return "i1" if self.kind == "bool" else f"i{8 * self.size}"


_ROWS = (
    Row("float32", "f32", 1, 4, "float", "computed"),
    Row("float64", "f64", 2, 8, "float", "computed"),
    Row("int32", "i32", 3, 4, "int", "computed"),
    Row("int64", "i64", 9, 8, "int", "computed"),
    Row("uint8", "u8", 4, 1, "uint", "computed", "i32"),
    Row("int8", "i8", 6, 1, "int", "computed", "i32"),
    Row("int16", "i16", 5, 2, "int", "computed", "i32"),
    Row("uint16", "u16", 17, 2, "uint", "computed", "i32"),
    Row("uint32", "u32", 22, 4, "uint", "computed", "i64"),
    Row("bool", "bool", 10, 1, "bool", "computed"),
    Row("uint64", "u64", 23, 8, "uint", "converted", moved_as="i64"),
    Row("float16", "f16", 19, 2, "float", "converted", "f32", "u16"),
    Row("bfloat16", "bf16", 14, 2, "float", "converted", "f32", "u16"),
    Row("complex64", "c64", 8, 8, "complex", "parts", moved_as="i64"),
    Row("complex128", "c128", 18, 16, "complex", "parts", moved_as="f64"),
    Row("qint8", "qi8", 11, 1, "quantized", "held"),
    Row("quint8", "qu8", 12, 1, "quantized", "held"),
    Row("qint16", "qi16", 15, 2, "quantized", "held"),
    Row("quint16", "qu16", 16, 2, "quantized", "held"),
    Row("qint32", "qi32", 13, 4, "quantized", "held"),
    Row("string", "str", 7, 8, "", "held"),
    Row("resource", "resource", 20, 8, "", "held"),
    Row("variant", "handle", 21, 8, "", "moved"),       # a list
)
DTYPES: dict[str, Row] = {row.short: row for row in _ROWS}


def _all(kinds: str, use: str, widened: bool | None = None) -> tuple[str, ...]:
    return tuple(r.short for r in _ROWS if r.kind in kinds.split() and r.use in use.split()
                 and widened in (None, bool(r.widened)))


# What kernels are declared over.
FLOATS = _all("float", "computed")
INDICES = _all("int", "computed", widened=False)
INTEGERS = _all("int uint", "computed")
NUMBERS = (*FLOATS, *INDICES)                     # in which scalar primitives compute, bool aside
COMPUTED = _all("float int uint bool", "computed")
CONVERTED = _all("float uint", "converted")
HELD = (*COMPUTED, *CONVERTED)                    # what programs of maps load and store
PLAIN = (*COMPUTED, *_all("uint", "converted"))   # what kernels may copy, lists aside
WIDENED: dict[str, str] = {r.short: r.widened for r in _ROWS if r.widened}
NUMBERS_BY_SIZE: dict[int, tuple[int, ...]] = {
    size: tuple(r.number for r in _ROWS if r.size == size) for size in sorted({r.size for r in _ROWS})}
