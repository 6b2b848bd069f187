"""Pictures on the device, the frames that windows see around them, and pooling, made of copies with strides and maps.

Gradients of pooling go through the places of a window one after the other: at one place, windows never share a pixel.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.work import Clear, Work


@dataclass(frozen=True)
class Pictures:
    """n pictures of h x w pixels with c channels at an address."""

    address: int
    n: int
    h: int
    w: int
    c: int

    @property
    def strides(self) -> tuple[int, int, int, int]:
        return self.h * self.w * self.c, self.w * self.c, self.c, 1

    @property
    def count(self) -> int:
        return self.n * self.h * self.w * self.c

    def at(self, picture: int, row: int, column: int, size: int) -> int:
        """Where a pixel is."""
        return self.address + size * ((picture * self.h + row) * self.w + column) * self.c


@dataclass(frozen=True)
class Windows:
    """oh x ow windows of kh x kw taps."""

    kh: int
    kw: int
    oh: int
    ow: int
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1

    @property
    def rows(self) -> int:
        """Rows of a picture that the windows reach over, from the first one's first on."""
        return (self.oh - 1) * self.stride_h + (self.kh - 1) * self.dilation_h + 1

    @property
    def columns(self) -> int:
        return (self.ow - 1) * self.stride_w + (self.kw - 1) * self.dilation_w + 1

    def strides(self, x: Pictures) -> tuple[tuple[int, ...], tuple[int, int]]:
        """(of picture, window's row and column, channel; of a tap's row and column) in elements of x."""
        picture, row, column, channel = x.strides
        return ((picture, row * self.stride_h, column * self.stride_w, channel),
                (row * self.dilation_h, column * self.dilation_w))


def copied(call: Call, domain: Sequence[int], source: tuple[int, Sequence[int]],
            target: tuple[int, Sequence[int]]) -> list[Work]:
    dtype = call.types[0]
    return list(map_work(call, ProgramBuilder(dtype).program(0), domain, 0, [source, target]))


def _filled(call: Call, address: int, count: int, value: float) -> list[Work]:
    if not value:
        return [Clear(address, count * size_of(call.types[0]))]
    b = ProgramBuilder()
    return list(map_work(call, b.program(b("const", call.types[0], value=value)), (count,), 0, [(address, (1,))]))


@dataclass(frozen=True)
class Line:
    """How `count` things along an axis are laid into `room` places: the first at `first`, `step` apart. What falls out
    is left out."""

    count: int
    room: int
    first: int
    step: int = 1

    @property
    def skipped(self) -> int:
        return max(-(self.first // self.step), 0)

    @property
    def taken(self) -> int:
        begin = self.first + self.skipped * self.step
        return max(min(self.count - self.skipped, -(-(self.room - begin) // self.step)), 0)

    @property
    def begin(self) -> int:
        return self.first + self.skipped * self.step


def padded(call: Call, x: Pictures, rows: Line, columns: Line, value: float = 0.0) -> tuple[list[Work], Pictures]:
    """The pictures in a frame of `value`, their pixels where the lines say."""
    if (rows, columns) == (Line(x.h, x.h, 0), Line(x.w, x.w, 0)):
        return [], x
    size = size_of(call.types[0])
    made = Pictures(0, x.n, rows.room, columns.room, x.c)
    made = Pictures(call.scratch(made.count * size), *(made.n, made.h, made.w, made.c))
    picture, row, column, channel = made.strides
    work = _filled(call, made.address, made.count, value)
    if rows.taken and columns.taken:
        work += copied(call, (x.n, rows.taken, columns.taken, x.c), (x.at(0, rows.skipped, columns.skipped, size),
                                                                      x.strides),
                        (made.at(0, rows.begin, columns.begin, size),
                         (picture, row * rows.step, column * columns.step, channel)))
    return work, made


def inside(call: Call, x: Pictures, windows: Windows, top: int, left: int,
            value: float = 0.0) -> tuple[list[Work], Pictures]:
    """The pictures with what their windows see around them."""
    return padded(call, x, Line(x.h, max(windows.rows, 1), top), Line(x.w, max(windows.columns, 1), left), value)


# Pooling

@dataclass(frozen=True)
class Pool:
    """A pooling call: pictures x, the windows, and y, one value a window and channel."""

    x: Pictures
    windows: Windows
    top: int
    left: int

    def domain(self) -> tuple[int, int, int, int]:
        return self.x.n, self.windows.oh, self.windows.ow, self.x.c

    def rows(self) -> tuple[int, int, int, int]:
        """Strides of y."""
        w = self.windows
        return w.oh * w.ow * self.x.c, w.ow * self.x.c, self.x.c, 1


def _pool(call: Call, x: int) -> Pool:
    n, h, w, c, kh, kw, oh, ow = call.dims
    stride_h, stride_w, top, left = call.attrs
    return Pool(Pictures(x, n, h, w, c), Windows(kh, kw, oh, ow, stride_h, stride_w), top, left)


def max_pool(call: Call) -> list[Work]:
    x, y = call.operands
    pool, dtype = _pool(call, x), call.types[0]
    work, framed = _framed(call, pool, float("-inf"))
    rows, taps = pool.windows.strides(framed)
    b = ProgramBuilder(call.stored_as(0))
    greatest = b("reduce.max", dtype, b.as_type(dtype, 0))
    program = b.program(b.as_type(call.stored_as(1), greatest))
    return work + map_work(call, program, (*pool.domain(), pool.windows.kh, pool.windows.kw), 2,
                           [(framed.address, (*rows, *taps)), (y, (*pool.rows(), 0, 0))])


def _framed(call: Call, pool: Pool, value: float = 0.0) -> tuple[list[Work], Pictures]:
    """The pictures that are pooled, the call's first operand, in a frame of that value."""
    return inside(call.of_type(call.stored_as(0)), pool.x, pool.windows, pool.top, pool.left, value)


def _size_of_window(b: ProgramBuilder, pool: Pool, dtype: str) -> int:
    """The number of a window's pixels that lie in the picture; the domain's second and third axes are windows."""
    counts = []
    for axis, stride, pad, taps, room in ((1, pool.windows.stride_h, pool.top, pool.windows.kh, pool.x.h),
                                          (2, pool.windows.stride_w, pool.left, pool.windows.kw, pool.x.w)):
        number = {v: b("const", "i64", value=v) for v in dict.fromkeys((stride, pad, taps, room, 0))}
        begin = b("sub", "i64", b("mul", "i64", b("index", "i64", value=axis), number[stride]), number[pad])
        end = b("min", "i64", b("add", "i64", begin, number[taps]), number[room])
        counts.append(b("sub", "i64", end, b("max", "i64", begin, number[0])))
    return b("cast", dtype, b("mul", "i64", *counts))


_OF_WINDOW = ((0, (0, 1, 0, 0)), (0, (0, 0, 1, 0)))            # the index values of _size_of_window


def mean_pool(call: Call) -> list[Work]:
    x, y = call.operands
    pool, dtype = _pool(call, x), call.types[0]
    work, framed = _framed(call, pool)
    rows, taps = pool.windows.strides(framed)
    total = call.scratch(pool.x.n * pool.windows.oh * pool.windows.ow * pool.x.c * size_of(dtype))
    b = ProgramBuilder(call.stored_as(0))
    program = b.program(b("reduce.add", dtype, b.as_type(dtype, 0)))
    work += map_work(call, program, (*pool.domain(), pool.windows.kh, pool.windows.kw), 2,
                     [(framed.address, (*rows, *taps)), (total, (*pool.rows(), 0, 0))])
    b = ProgramBuilder(dtype)
    mean = b("div", dtype, 0, _size_of_window(b, pool, dtype))
    program = b.program(b.as_type(call.stored_as(1), mean))
    return work + map_work(call, program, pool.domain(), 0, [(total, pool.rows()), (y, pool.rows()), *_OF_WINDOW])


def mean_pool_gradient(call: Call) -> list[Work]:
    dy, dx = call.operands
    pool, dtype = _pool(call, dx), call.types[0]
    share = call.scratch(pool.x.n * pool.windows.oh * pool.windows.ow * pool.x.c * size_of(dtype))
    b = ProgramBuilder(call.stored_as(0))
    program = b.program(b("div", dtype, b.as_type(dtype, 0), _size_of_window(b, pool, dtype)))
    work = map_work(call, program, pool.domain(), 0, [(dy, pool.rows()), (share, pool.rows()), *_OF_WINDOW])

    def added(tap: int) -> ProgramBuilder:
        b = ProgramBuilder(dtype, dtype)
        b("add", dtype, 0, 1)
        return b

    return work + _spread(call, pool, added, [(share, pool.rows())])


def max_pool_gradient(call: Call) -> list[Work]:
    """dy goes to the first of a window's greatest elements."""
    x, y, dy, dx = call.operands
    pool, dtype = _pool(call, x), call.types[0]
    work, framed = _framed(call, pool, float("-inf"))
    rows, taps = pool.windows.strides(framed)
    kh, kw = pool.windows.kh, pool.windows.kw
    first = call.scratch(pool.x.n * pool.windows.oh * pool.windows.ow * pool.x.c * 8)      # of its taps
    b = ProgramBuilder(call.stored_as(0), call.stored_as(1))
    tap = b("add", "i64", b("mul", "i64", b("index", "i64", value=4), b("const", "i64", value=kw)),
            b("index", "i64", value=5))
    none = b("const", "i64", value=kh * kw)
    is_greatest = b("equal", "bool", b.as_type(dtype, 0), b.as_type(dtype, 1))
    program = b.program(b("reduce.min", "i64", b("select", "i64", is_greatest, tap, none)))
    work += map_work(call, program, (*pool.domain(), kh, kw), 2, [
        (framed.address, (*rows, *taps)), (y, (*pool.rows(), 0, 0)), (first, (*pool.rows(), 0, 0)),
        (0, (0, 0, 0, 0, 1, 0)), (0, (0, 0, 0, 0, 0, 1))])

    def added(tap: int) -> ProgramBuilder:
        b = ProgramBuilder(dtype, call.stored_as(2), "i64")
        chosen = b("equal", "bool", 2, b("const", "i64", value=tap))
        b("add", dtype, 0, b("select", dtype, chosen, b.as_type(dtype, 1), b("const", dtype, value=0.0)))
        return b

    return work + _spread(call, Pool(Pictures(dx, *_shape(pool.x)), pool.windows, pool.top, pool.left), added,
                          [(dy, pool.rows()), (first, pool.rows())])


def _shape(x: Pictures) -> tuple[int, int, int, int]:
    return x.n, x.h, x.w, x.c


def _spread(call: Call, pool: Pool, added: Callable[[int], ProgramBuilder],
            values: Sequence[tuple[int, Sequence[int]]]) -> list[Work]:
    """x, the result, = what each tap of each window adds to its pixel. added(tap): writes the program of a pixel's
    value (load 0) and the window's values; its last instruction is what is stored."""
    windows, size = pool.windows, size_of(call.types[0])
    room = Pictures(0, pool.x.n, max(windows.rows, pool.top + pool.x.h), max(windows.columns, pool.left + pool.x.w),
                    pool.x.c)
    room = Pictures(call.scratch(room.count * size), *_shape(room))
    work: list[Work] = [Clear(room.address, room.count * size)]
    rows, _ = windows.strides(room)
    for tap in range(windows.kh * windows.kw):
        place = room.at(0, tap // windows.kw, tap % windows.kw, size), rows
        b = added(tap)
        program = b.program(len(b.loads) + len(b.instrs) - 1)
        work += map_work(call, program, pool.domain(), 0, [place, *values, place])
    b = ProgramBuilder(call.types[0])
    program = b.program(b.as_type(call.stored_as(-1), 0))
    return work + map_work(call, program, _shape(pool.x), 0, [
        (room.at(0, pool.top, pool.left, size), room.strides), (pool.x.address, pool.x.strides)])
