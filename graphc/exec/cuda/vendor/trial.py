"""How long the device takes for something, and whether two ways give the same: memory like its own, and work recorded
several times and replayed.

Factors are small multiples of a power of two, which float16, bfloat16 and tf32 have. Their products and all sums of
these are exact, in any order: so two right results are equal, and one wrong element shows. Whether a way repeats to the
bit shows only where sums are rounded: for that, factors are other numbers.
"""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import Block, Scratch
from graphc.exec.cuda.work import Work
from graphc.exec.map_code import SIZES
from graphc.plan.plan import Program

PATTERN = 262139                               # random elements, which are repeated; a prime: no row is like another
ENOUGH, MOST_REPEATS, ROUNDS = 4e9, 16, 3      # operations that a round has at least; what is long has one round
LONG = 4e11                                    # operations
MOST_BITS = 4                                  # of a factor, beside its sign
TIMES = 4                                      # that something must repeat


@cache
def _drawn(factor: int, most: int, dtype: str) -> np.ndarray:
    """Numbers of a factor: multiples of 1 / most from -1 to 1, or, if that is 0, of a normal distribution."""
    random = np.random.default_rng(factor)
    values = random.integers(-most, most + 1, PATTERN) / most if most else random.standard_normal(PATTERN)
    if dtype == "bf16":                        # of float32 the upper half: NumPy may have no bfloat16
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return values.astype({"f64": np.float64, "f16": np.float16}.get(dtype, np.float32))


class Trial:
    """Two factors, and room for two results, for as long as this lives: `result` is the own kernel's, `other` that of
    another way. The stream is the caller's. dtypes: of the factors and the result in memory; factors, result: how many
    elements they have; terms: of a sum.

    Raises ResourceExhaustedError.
    """

    def __init__(self, device: Device, dtypes: tuple[str, str], factors: tuple[int, int], result: int,
                 operations: float, terms: int) -> None:
        self.device, self.count, self._blocks = device, result, []  # type: Device, int, list[Block]
        self._operations, (self._dtype, self._made) = operations, dtypes
        self._bytes, size = result * SIZES[self._made], SIZES[self._dtype]
        self.scratch = Scratch(device)
        self.factors = self._room(factors[0] * size), self._room(factors[1] * size)
        self.result, self.other = self._room(self._bytes), self._room(self._bytes)
        self._number = self._room(8)
        self._counts = factors
        # Multiples of 1 / most: most squared times the terms has at most 24 bits, as float32.
        self._most = 1 << min(max((24 - terms.bit_length()) // 2, 0), MOST_BITS)
        self._fill_all(self._most)

    def _fill_all(self, most: int) -> None:
        """most: as _drawn has it."""
        for number, (address, count) in enumerate(zip(self.factors, self._counts, strict=True)):
            self._fill(address, count * SIZES[self._dtype], _drawn(number, most, self._dtype))
        self.device.wait()

    def _room(self, count: int) -> int:
        self._blocks.append(Block(self.device, count))
        return self._blocks[-1].address

    def _fill(self, address: int, count: int, values: np.ndarray) -> None:
        done = min(count, values.nbytes)
        self.device.upload(address, values.ctypes.data, done)
        while done < count:
            more = min(done, count - done)
            self.device.copy(address + done, address, more)
            done += more

    def once(self, work: Sequence[Work]) -> None:
        """Has the device do it, which loads all code that it needs."""
        for step in work:
            step.prepare(self.device)
        for step in work:
            step.submit(self.device)
        self.device.wait()

    def seconds(self, work: Sequence[Work]) -> float:
        """The shortest of some rounds."""
        repeats = int(min(max(ENOUGH / max(self._operations, 1), 1), MOST_REPEATS))
        self.once(work)

        def repeated() -> None:
            for _ in range(repeats):
                for step in work:
                    step.submit(self.device)

        graph = self.device.record(repeated)
        try:
            rounds = 1 if self._operations > LONG else ROUNDS
            return min(self.device.seconds(lambda: self.device.replay(graph)) for _ in range(rounds)) / repeats
        finally:
            self.device.forget(graph)

    def forget_other(self) -> None:
        """So that nobody's result is taken for another one's."""
        self.device.clear(self.other, self._bytes)

    def differing(self, call: Call) -> int:
        """How many elements of `other` are not those of `result`."""
        b = ProgramBuilder(self._made, self._made)
        pair = (0, 1) if SIZES[self._made] > 2 else (b("cast", "f32", 0), b("cast", "f32", 1))
        program = b.program(b("reduce.add", "i64", b("cast", "i64", b("equal", "bool", *pair))))
        return self.count - self._total(call, program, self.count, self.result, self.other)

    def repeats(self, call: Call, work: Sequence[Work]) -> bool:
        """Whether the work, which writes `other`, does so with the same bits each time where its sums are rounded."""
        self._fill_all(0)
        found = set()
        for _ in range(TIMES):
            self.once(work)
            found.add(self._bits(call))
        self._fill_all(self._most)
        return len(found) == 1

    def _bits(self, call: Call) -> int:
        """The sum of the words of `other`: another one if any bit of it is."""
        word = "u16" if SIZES[self._made] == 2 else "i32"
        b = ProgramBuilder(word)
        wide = b("cast", "i32", 0) if word == "u16" else 0
        program = b.program(b("reduce.add", "i64", b("cast", "i64", wide)))
        return self._total(call, program, self._bytes // SIZES[word], self.other)

    def _total(self, call: Call, program: Program, count: int, *loads: int) -> int:
        """The one number that a program makes of arrays."""
        total = np.zeros(1, np.int64)
        self.once(map_work(call, program, (count,), 1, [*((at, (1,)) for at in loads), (self._number, (0,))]))
        self.device.download(int(total.ctypes.data), self._number, 8)
        self.device.wait()
        return int(total[0])
