"""Windows of pictures as a factor of a product by warpgroups: which pixels the thread that copies has TMA bring, panel
by panel. Channels come in lines of 128 bytes (`line` elements), with zeros behind the last one."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from graphc.exec.cuda.code import warpgroups as w
from graphc.exec.cuda.code.builder import KernelBuilder, Value

BLOCKS = 2                 # lines of a tile's 128 rows


class Windowed(Enum):
    """ROWS: a row of the factor is a window, k runs through its taps and their lines of channels, and b has a matrix
    for each tap: convolutions, and gradients for their input. DEPTHS: k runs through windows, and rows are taps and
    their lines of channels: gradients for filters."""

    NOT = 0
    ROWS = 1
    DEPTHS = 2


WINDOWS = ("channels", "kw", "oh", "ow", "stride.h", "stride.w", "top", "left", "rate.h", "rate.w", "last")


@dataclass(frozen=True)
class Windows:
    """channels: of a pixel; kw: taps in a row; oh, ow: rows and columns of windows; top, left: what lies outside of the
    picture before the first one; last: the last tap. Of ROWS: the tap of b's first matrix, if its taps lie from the
    last to the first, else -1."""

    channels: Value
    kw: Value
    oh: Value
    ow: Value
    stride_h: Value
    stride_w: Value
    top: Value
    left: Value
    rate_h: Value
    rate_w: Value
    last: Value

    def lines(self, line: int) -> Value:
        """Of a tap."""
        return (self.channels + (line - 1)) // line

    def window(self, k: KernelBuilder, number: Value) -> tuple[Value, ...]:
        """Where the window of that number begins: column, row, picture."""
        picture, i, j = k.parts(number, self.oh, self.ow)
        return j * self.stride_w - self.left, i * self.stride_h - self.top, picture

    def offsets(self, u: Value, v: Value) -> tuple[Value, Value]:
        """Columns and rows from a window's first pixel to a tap's."""
        return v * self.rate_w, u * self.rate_h


class WindowRows:
    """See Windowed. row: the first window of the tile; first: the panel to begin with."""

    def __init__(self, k: KernelBuilder, of: Windows, line: int, row: Value, first: Value) -> None:
        self.k, self.of, self.line, self._window = k, of, line, of.window(k, row)
        u, v, at = k.parts(first, of.kw, of.lines(line))
        self._channel, self._u, self._v = k.variable(at * line), k.variable(u), k.variable(v)

    def start(self, to: Value, tensor: str, full: Value) -> None:
        offsets = self.of.offsets(self._u.get(), self._v.get())
        w.pixels(self.k, to, tensor, (self._channel.get(), *self._window), offsets, full)

    @property
    def deep(self) -> Value:
        """Along k in b's matrix."""
        return self._channel.get()

    @property
    def matrix(self) -> Value:
        tap = self._u.get() * self.of.kw + self._v.get()
        return self.k.choose(self.of.last < 0, tap, self.of.last - tap)

    def go_on(self) -> None:
        k, channel, v = self.k, self._channel.get() + self.line, self._v.get()
        ends = channel >= self.of.channels
        next_v = k.choose(ends, v + 1, v)
        wraps = next_v.equals(self.of.kw)
        self._channel.set(k.choose(ends, 0, channel))
        self._v.set(k.choose(wraps, 0, next_v))
        self._u.set(k.choose(wraps, self._u.get() + 1, self._u.get()))


class WindowDepths:
    """See Windowed. row: the tile's first, of lines of channels of taps; first: the panel to begin with."""

    def __init__(self, k: KernelBuilder, of: Windows, line: int, row: Value, first: Value) -> None:
        self.k, self.of, self.line, self._pixel = k, of, line, k.variable(first * line)
        lines, self._blocks = of.lines(line), []  # type: Value, list[tuple[Value, tuple[Value, Value]]]
        for block in range(BLOCKS):
            number = k.least(row // line + block, (of.last + 1) * lines - 1)       # behind the last one: nobody's rows
            u, v, at = k.parts(number, of.kw, lines)
            self._blocks.append((at * line, of.offsets(u, v)))

    def start(self, to: Value, tensor: str, full: Value) -> None:
        window = self.of.window(self.k, self._pixel.get())
        for block, (channel, offsets) in enumerate(self._blocks):
            w.pixels(self.k, to + block * self.line * w.LINE, tensor, (channel, *window), offsets, full)

    @property
    def deep(self) -> Value:
        """Along k in b."""
        return self._pixel.get()

    @property
    def matrix(self) -> Value:
        return self.k.constant(0, "i64")

    def go_on(self) -> None:
        self._pixel.set(self._pixel.get() + self.line)


def row_of_tap(k: KernelBuilder, of: Windows, line: int, row: Value) -> tuple[Value, Value]:
    """(the row of the filter's gradient, whether it is one) of a row of lines of channels."""
    tap, channel = k.parts(row, of.lines(line) * line)
    return tap * of.channels + channel, channel < of.channels
