"""Factors of a product that are windows of pictures: the matrix [windows, taps and channels] is read where the pictures
are, and never stands in memory.

An element's offset is that of its window (`pixel`) and that of its tap and channel in it (`tap`). Both take divisions,
of 32 bits if the matrix is narrow; one of them stays the same for a thread all along.
"""
from __future__ import annotations

from graphc.exec.cuda.code.text_writer import TextWriter

# c: channels; kw: taps in a row; oh, ow: rows and columns of windows; then strides in elements: from one picture,
# window's row and window to the next, from one tap's row and tap to the next.
PARAMETERS = ("a.c", "a.kw", "a.oh", "a.ow", "a.picture", "a.line", "a.window", "a.tap.line", "a.tap")


class WindowOffsets:
    """Writes what computes offsets, of parameters with the names of PARAMETERS."""

    def __init__(self, writer: TextWriter, narrow: bool) -> None:
        self.writer, self.kind = writer, "i32" if narrow else "i64"

    def pixel(self, position: str) -> str:
        """Where the window begins that has that number."""
        rest, j = self._parts(position, "%a.ow")
        picture, i = self._parts(rest, "%a.oh")
        return self._sum((picture, "%a.picture"), (i, "%a.line"), (j, "%a.window"))

    def tap(self, position: str) -> str:
        """How far a tap's channel is from there."""
        rest, channel = self._parts(position, "%a.c")
        u, v = self._parts(rest, "%a.kw")
        return self._sum((u, "%a.tap.line"), (v, "%a.tap"), (channel, "1"))

    def _parts(self, position: str, size: str) -> tuple[str, str]:
        """(position / size, what is left), as int64."""
        w, kind = self.writer, self.kind
        a, b = (w.value(f"trunc i64 {x} to i32") if kind == "i32" else x for x in (position, size))
        quotient = w.value(f"udiv {kind} {a}, {b}")
        left = w.value(f"sub {kind} {a}, {w.value(f'mul {kind} {quotient}, {b}')}")
        if kind == "i64":
            return quotient, left
        return w.value(f"zext i32 {quotient} to i64"), w.value(f"zext i32 {left} to i64")

    def _sum(self, *terms: tuple[str, str]) -> str:
        total = "0"
        for factor, stride in terms:
            total = self.writer.i64("add", total, self.writer.i64("mul", factor, stride))
        return total
