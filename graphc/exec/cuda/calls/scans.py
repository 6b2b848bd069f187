"""Running sums and products on the device, and what numbers things by them."""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, blocks, launch, map_work, size_of
from graphc.exec.cuda.code import scans
from graphc.exec.cuda.work import Work

NARROW = 1 << 31
MANY = 4096                # columns that are enough threads, if they lie side by side
SHORT = 64                 # of so few elements a thread makes a column
SEGMENTS = 264             # blocks wanted: two a multiprocessor of the larger GPUs


@dataclass(frozen=True)
class Lines:
    """x[outer, n, inner], to be scanned along n."""

    outer: int
    n: int
    inner: int
    exclusive: int = 0
    reverse: int = 0


def scanned(call: Call, dtype: str, lines: Lines, x: int, y: int, product: bool = False) -> list[Work]:
    """y = the running sums, or products; y may be x."""
    columns, n, inner = lines.outer * lines.inner, lines.n, lines.inner
    if not columns * n:
        return []
    if n <= SHORT or (columns >= MANY and lines.inner > 1):
        kernel = scans.scan_columns(dtype, product, columns * n < NARROW)
        return launch(call, kernel, columns, x, y, columns, n, inner, lines.exclusive, lines.reverse)
    segments = max(min(SEGMENTS // columns, n // (2 * scans.CHUNK)), 1)
    segment = -(-n // segments)
    segments = -(-n // segment)
    words = (n, inner, lines.exclusive, lines.reverse, segment)
    if segments == 1:
        return blocks(call, scans.scan_blocks(dtype, product, False, False), (columns, 1), x, y, 0, *words)
    starts = call.scratch(columns * segments * size_of(dtype))
    grid = (columns, segments)
    work = blocks(call, scans.scan_blocks(dtype, product, True, False), grid, x, 0, starts, *words)
    work += scanned(call, dtype, Lines(columns, segments, 1, exclusive=1), starts, starts, product)
    return work + blocks(call, scans.scan_blocks(dtype, product, False, True), grid, x, y, starts, *words)


def _scan(call: Call, product: bool) -> list[Work]:
    x, y = call.operands
    return scanned(call, call.types[0], Lines(*call.dims, *call.attrs), x, y, product)


def cumsum(call: Call) -> list[Work]:
    return _scan(call, False)


def cumprod(call: Call) -> list[Work]:
    return _scan(call, True)


def counted(call: Call, mask: int, n: int) -> tuple[list[Work], int]:
    """(what counts, for each element of a mask, the true ones before it; where the numbers stand)."""
    places = call.scratch(8 * n)
    b = ProgramBuilder("bool")
    work: list[Work] = list(map_work(call, b.program(b("cast", "i64", 0)), (n,), 0, [(mask, (1,)), (places, (1,))]))
    return work + scanned(call, "i64", Lines(1, n, 1, exclusive=1), places, places), places


def nonzero(call: Call) -> list[Work]:
    """The mask has `count` true elements: the plan has counted them."""
    (mask, out), (n, count) = call.operands, call.dims
    work, places = counted(call, mask, n)
    return work + launch(call, scans.nonzero(n < NARROW), n, mask, places, out, n, count)
