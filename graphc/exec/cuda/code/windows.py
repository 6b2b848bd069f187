"""Factors of a product that are windows of pictures: the matrix [windows, taps and channels] is read where the pictures
are, and never stands in memory.

An element's offset is that of its window (`pixel`) and that of its tap and channel in it (`tap`); one of them stays the
same for a thread all along. Both take divisions: if the matrix and the pictures are narrow (their elements have 31-bit
numbers), a division is a multiplication with a reciprocal that the host has computed,

    x / size = x * reciprocal >> places,   places = 31 + log2(size),   reciprocal = 2^places / size,   both rounded up,

for all 0 <= x < 2^31 (Granlund and Montgomery, Division by invariant integers using multiplication, 1994).
"""
from __future__ import annotations

from graphc.exec.cuda.code.text_writer import TextWriter

# c: channels; kw: taps in a row; oh, ow: rows and columns of windows; then strides in elements: from one picture,
# window's row and window to the next, from one tap's row and tap to the next; then how to divide by the first four.
DIVISORS = ("a.c", "a.kw", "a.oh", "a.ow")
PARAMETERS = (*DIVISORS, "a.picture", "a.line", "a.window", "a.tap.line", "a.tap", *(f"{d}.by" for d in DIVISORS))


def reciprocal(size: int) -> int:
    """places << 32 | reciprocal, as above."""
    places = 31 + max(size - 1, 0).bit_length()
    return places << 32 | -(-(1 << places) // max(size, 1))


class WindowOffsets:
    """Writes what computes offsets, of parameters with the names of PARAMETERS."""

    def __init__(self, writer: TextWriter, narrow: bool) -> None:
        self.writer, self.kind = writer, "i32" if narrow else "i64"

    def pixel(self, position: str) -> str:
        """Where the window begins that has that number."""
        rest, j = self._parts(self._narrowed(position), "%a.ow")
        picture, i = self._parts(rest, "%a.oh")
        return self._sum((picture, "%a.picture"), (i, "%a.line"), (j, "%a.window"))

    def tap(self, position: str) -> str:
        """How far a tap's channel is from there."""
        rest, channel = self._parts(self._narrowed(position), "%a.c")
        u, v = self._parts(rest, "%a.kw")
        return self._sum((u, "%a.tap.line"), (v, "%a.tap"), (channel, ""))

    def _narrowed(self, value: str) -> str:
        return self.writer.value(f"trunc i64 {value} to i32") if self.kind == "i32" else value

    def _parts(self, position: str, size: str) -> tuple[str, str]:
        """(position / size, what is left)."""
        w, kind = self.writer, self.kind
        if kind == "i32":
            factor = w.value(f"zext i32 {w.value(f'trunc i64 {size}.by to i32')} to i64")
            product = w.i64("mul", w.value(f"zext i32 {position} to i64"), factor)
            shifted = w.i64("lshr", product, w.i64("lshr", f"{size}.by", 32))
            quotient = w.value(f"trunc i64 {shifted} to i32")
        else:
            quotient = w.value(f"udiv i64 {position}, {size}")
        back = w.value(f"mul {kind} {quotient}, {self._narrowed(size)}")
        return quotient, w.value(f"sub {kind} {position}, {back}")

    def _sum(self, *terms: tuple[str, str]) -> str:
        """As int64. A term without a stride is itself."""
        w, kind, total = self.writer, self.kind, "0"
        for factor, stride in terms:
            term = w.value(f"mul {kind} {factor}, {self._narrowed(stride)}") if stride else factor
            total = w.value(f"add {kind} {total}, {term}")
        return w.value(f"zext i32 {total} to i64") if kind == "i32" else total
