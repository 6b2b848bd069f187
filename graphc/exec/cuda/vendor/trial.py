"""How long the device takes for something, and whether two ways give the same: memory like its own, and work recorded
several times and replayed."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import Block, Scratch
from graphc.exec.cuda.work import Work
from graphc.exec.map_code import SIZES

PATTERN = 262139                               # random elements, which are repeated; a prime: no row is like another
STEPS = 16                                     # from 0 to 1 of what they are multiples of, -1 to 1
ENOUGH, MOST_REPEATS, ROUNDS = 4e9, 16, 3      # operations that a round has at least; what is long has one round
LONG = 4e11                                    # operations


class Trial:
    """Factors of numbers around 0, and room for two results, for as long as this lives: `result` is the own kernel's,
    `other` that of another way. The numbers are such that 16-bit floats have them, and float32 the sums of their
    products: ways that only add products give the same to the bit, in any order. The stream is the caller's. factors,
    result: how many elements they have.

    Raises ResourceExhaustedError.
    """

    def __init__(self, device: Device, dtype: str, factors: tuple[int, int], result: int, operations: float) -> None:
        self.device, self.dtype, self.count, self._blocks = device, dtype, result, []  # type: Device, str, int, list[Block]
        self._operations, size = operations, SIZES[dtype]
        self.scratch = Scratch(device)
        self.factors = self._room(factors[0] * size), self._room(factors[1] * size)
        self.result, self.other = self._room(result * size), self._room(result * size)
        kept = []                              # the host's numbers are read until the device has waited
        for number, (address, count) in enumerate(zip(self.factors, factors, strict=True)):
            values = np.random.default_rng(number).integers(-STEPS, STEPS + 1, min(count, PATTERN)) / STEPS
            kept.append(values.astype(np.float64 if size == 8 else np.float32))
            self._fill(address, count * size, kept[-1])
        device.wait()

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
        self.device.clear(self.other, self.count * SIZES[self.dtype])

    def differing(self, call: Call, most: float) -> int:
        """How many elements of `other` are further than `most` from those of `result`; NaN is from everything."""
        place, near = self._room(8), np.zeros(1, np.int64)
        b = ProgramBuilder(self.dtype, self.dtype)
        distance = b("abs", self.dtype, b("sub", self.dtype, 0, 1))
        is_near = b("less_equal", "bool", distance, b("const", self.dtype, value=most))
        program = b.program(b("reduce.add", "i64", b("cast", "i64", is_near)))
        self.once(map_work(call, program, (self.count,), 1, [(self.result, (1,)), (self.other, (1,)), (place, (0,))]))
        self.device.download(int(near.ctypes.data), place, 8)
        self.device.wait()
        return self.count - int(near[0])
