"""PTX of compute capability 9.0 inside of LLVM text: mbarriers, TMA's copies of boxes of a tensor, and wgmma.

LLVM has no intrinsics for wgmma, and must not move the registers of one that runs. So a loop of them is one piece of
assembly (`Assembly`), whose sums go in and come out.

Matrices lie in shared memory in lines of 128 bytes, in groups of 8 lines. A line's pieces of 16 bytes are exchanged:
one stands where the exclusive or of its number and the line's says. TMA writes that (a swizzle of 128 bytes), and wgmma
reads it. After PTX ISA 9.0: 9.7.15.5.1 (layouts and descriptors of wgmma), and its sections on mbarrier,
cp.async.bulk.tensor and tensors (boxes, swizzling modes).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import KernelBuilder, Value, Variable

WARPGROUP = 128            # threads
ROWS = 64                  # of a warpgroup's wgmma
LINE = 128                 # bytes of a line in shared memory, one repetition of the swizzle's pattern along it
GROUP_BYTES = 8 * LINE     # 8 lines: the pattern repeats, and must begin at a multiple of that
SUSPENDED = 20_000         # nanoseconds for which a thread that asks a barrier may sleep
STEP_BYTES = 32            # of k in one wgmma: 16 elements of 2 bytes, 8 of 4
_SWIZZLE_128 = 1 << 30     # in the upper half of a descriptor
_KINDS = {"i64": ("i64", "l"), "i32": ("i32", "r"), "f32": ("float", "f")}     # LLVM's type, its constraint


@dataclass(frozen=True)
class Element:
    """What is multiplied. name: PTX's; bytes: of one; both_ways: whether a matrix whose k lies across the lines can be
    read."""

    name: str
    bytes: int
    both_ways: bool

    @property
    def line(self) -> int:
        """Elements of a line."""
        return LINE // self.bytes

    @property
    def step(self) -> int:
        """Elements along k of one wgmma."""
        return STEP_BYTES // self.bytes


ELEMENTS = {e.name: e for e in (Element("bf16", 2, True), Element("f16", 2, True), Element("tf32", 4, False))}


class Assembly:
    """Lines of PTX. changed: registers that go in and come out ($0, $1, ...), all of one type."""

    def __init__(self, changed: Sequence[Value] = ()) -> None:
        self._changed, self.lines = list(changed), []  # type: list[Value], list[str]
        self._given: list[tuple[str, str]] = []

    def given(self, register: Value | str) -> str:
        """How the lines call a register that goes in; a str: a pointer's."""
        kind, constraint = ("ptr", "l") if isinstance(register, str) else _KINDS[register.dtype]
        self._given.append((f"{kind} {register}", constraint))
        return f"${2 * len(self._changed) + len(self._given) - 1}"

    def add(self, *lines: str) -> None:
        self.lines += lines

    def label(self, name: str) -> str:
        """A name that no other piece of assembly has."""
        return f"{name}_${{:uid}}"

    def write(self, k: KernelBuilder) -> list[Value]:
        """Puts the lines into the kernel; what the changed registers hold then."""
        changed, count = self._changed, len(self._changed)
        text = "\\0A ".join(["{", *self.lines, "}"])
        given = [(f"{_KINDS[v.dtype][0]} {v}", str(number)) for number, v in enumerate(changed)] + self._given
        constraints = [*(f"={_KINDS[v.dtype][1]}" for v in changed), *(c for _, c in given), "~{memory}"]
        kinds = [_KINDS[v.dtype][0] for v in changed]
        kind = "void" if not kinds else kinds[0] if count == 1 else "{ " + ", ".join(kinds) + " }"
        call = (f'call {kind} asm sideeffect "{text}", "{",".join(constraints)}"({", ".join(g for g, _ in given)}) #0')
        if not changed:
            k.emit(call)
            return []
        made = k.made(call, changed[0].dtype)
        if count == 1:
            return [made]
        return [k.made(f"extractvalue {kind} {made}, {number}", v.dtype) for number, v in enumerate(changed)]


def started(k: KernelBuilder, barrier: Value, arrivals: int) -> None:
    """A barrier whose phase ends when so many threads have come, and all bytes that they announced."""
    piece = Assembly()
    piece.add(f"mbarrier.init.shared::cta.b64 [{piece.given(barrier)}], {arrivals};")
    piece.write(k)


def seen_by_copies(k: KernelBuilder) -> None:
    """What this thread wrote, barriers too, is there for TMA and wgmma."""
    piece = Assembly()
    piece.add("fence.mbarrier_init.release.cluster;", "fence.proxy.async.shared::cta;")
    piece.write(k)


def announced(k: KernelBuilder, barrier: Value, count: int) -> None:
    """This thread has come, and so many bytes will."""
    piece = Assembly()
    piece.add(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{piece.given(barrier)}], {count};")
    piece.write(k)


def waited(piece: Assembly, barrier: str, parity: str, tries: str) -> None:
    """Waits until the barrier's phase of that parity has ended, and goes on without if the thread has none of its
    `tries` left (an int64 that counts down): what a barrier that nobody comes to makes of a kernel is no hang."""
    ask, go_on = piece.label("ASK"), piece.label("GO_ON")
    piece.add(".reg .pred %pw_ended, %pw_again;", f"{ask}:",
              f"mbarrier.try_wait.parity.shared::cta.b64 %pw_ended, [{barrier}], {parity}, {SUSPENDED};",
              f"@%pw_ended bra {go_on};", f"add.s64 {tries}, {tries}, -1;", f"setp.gt.s64 %pw_again, {tries}, 0;",
              f"@%pw_again bra {ask};", f"{go_on}:")


def wait(k: KernelBuilder, barrier: Value, parity: Value, tries: Variable) -> None:
    """The same of a barrier in the kernel's text, whose tries are a variable."""
    piece = Assembly([tries.get()])
    waited(piece, piece.given(barrier), piece.given(parity.to("i32")), "$0")
    tries.set(piece.write(k)[0])


def box(k: KernelBuilder, to: Value, tensor: str, place: Sequence[Value], barrier: Value) -> None:
    """Starts the copy of the map's box at `place` (along a line, across lines, matrix) into shared memory, zeros where
    nothing is; its bytes come to the barrier."""
    piece = Assembly()
    target, source, told = piece.given(to), piece.given(tensor), piece.given(barrier)
    at = ", ".join(piece.given(number.to("i32")) for number in place)
    piece.add("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
              f"[{target}], [{source}, {{{at}}}], [{told}];")
    piece.write(k)


def pixels(k: KernelBuilder, to: Value, tensor: str, place: Sequence[Value], offsets: Sequence[Value],
           barrier: Value) -> None:
    """The same of pixels of windows that follow one another, from `place` (channel, column, row, picture) on, `offsets`
    (columns, rows) further each."""
    piece = Assembly()
    target, source, told = piece.given(to), piece.given(tensor), piece.given(barrier)
    at, (across, down) = (", ".join(piece.given(number.to("i32")) for number in place),
                          [piece.given(number.to("i32")) for number in offsets])
    piece.add(".reg .b16 %hw_across, %hw_down;", f"cvt.u16.u32 %hw_across, {across};",
              f"cvt.u16.u32 %hw_down, {down};",
              "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes "
              f"[{target}], [{source}, {{{at}}}], [{told}], {{%hw_across, %hw_down}};")
    piece.write(k)


# The upper half of a descriptor, which tells wgmma of a matrix: the distance between groups of 8 lines, the swizzle.
DESCRIPTOR_HIGH = _SWIZZLE_128 | GROUP_BYTES >> 4


def descriptor_low(address: Value, along_k: bool, next_block: int) -> Value:
    """The lower half, an int32, of a matrix that begins there. along_k: k lies along the lines; else next_block is the
    distance in bytes between blocks of a line's elements."""
    leading = 1 if along_k else next_block >> 4
    return ((address & 0x3FFFF) >> 4 | leading << 16).to("i32")


def next_step(along_k: bool, element: Element) -> int:
    """What is added to a descriptor for the next elements along k."""
    return (STEP_BYTES if along_k else element.step * LINE) >> 4


def multiplied(element: Element, columns: int, a: str, b: str, a_along_k: bool, b_along_k: bool) -> str:
    """Adds a's 64 rows times b to the sums $0, $1, ..., of which a lane has neighbours in two rows for each 8
    columns."""
    sums = ", ".join(f"${number}" for number in range(columns // 2))
    turned = f", {int(not a_along_k)}, {int(not b_along_k)}" if element.both_ways else ""
    return (f"wgmma.mma_async.sync.aligned.m64n{columns}k{element.step}.f32.{element.name}.{element.name} "
            f"{{{sums}}}, {a}, {b}, 1, 1, 1{turned};")
