"""How long the device takes for a product: memory like its own, and work recorded several times and replayed."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import Block
from graphc.exec.cuda.vendor.cublas import Problem
from graphc.exec.cuda.work import Work
from graphc.exec.map_code import SIZES

PATTERN = 262_139                              # random elements, which are repeated: a prime, so rows are not alike
UNIT = 1 / 16                                  # of which they are multiples, ...
LARGEST = 1                                    # ... from minus that on: their products' sums are exact in float32
ENOUGH, MOST_REPEATS, ROUNDS = 4e9, 16, 3      # operations that a round has at least; a long product has one round
LONG = 4e11                                    # operations


class Trial:
    """Two factors of numbers around 0 and room for their product, for as long as this lives. The numbers are such that
    sums are exact in any order (16-bit floats have them, too), so kernels can be compared bit by bit. The stream is the
    caller's. Raises ResourceExhaustedError."""

    def __init__(self, device: Device, problem: Problem) -> None:
        p, self.device, self._blocks = problem, device, []  # type: Problem, Device, list[Block]
        self._operations = 2.0 * p.batch * p.m * p.n * p.k
        size = SIZES[p.dtype]
        counts = [size * ((p.batch - 1) * p.a_batch + p.m * p.k), size * ((p.batch - 1) * p.b_batch + p.k * p.n)]
        self.a, self.b, self.c = (self.room(count) for count in (*counts, size * p.batch * p.m * p.n))
        most = int(LARGEST / UNIT)
        values = UNIT * np.random.default_rng(0).integers(-most, most + 1, PATTERN)
        values = values.astype(np.float64 if size == 8 else np.float32)
        for address, count in zip((self.a, self.b), counts, strict=True):
            self._fill(address, count, values)
        device.wait()                          # the host's numbers are read until then

    def room(self, count: int) -> int:
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
