"""Pictures decoded in other threads before they are asked for: `map` where the user gave num_parallel_calls.

A function that decodes pictures is run in two parts. The first is what depends on the element alone: files that are
read and decoded, and what is computed of them until something draws a number, changes a state or calls Python. It runs
some elements ahead, on as many threads as the process has cores; the rest runs when the element is asked for, on the
thread that asks. So elements, their order, their random numbers and their errors are those of running the whole
function on each, and Python functions are called as before. How many are ahead grows from one, so that whoever takes
few elements causes few to be read.
"""
from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from graphc.data.functions import Function
from graphc.data.pipeline import Run
from graphc.data.structure import Element

MOST_ELEMENTS = 64
MOST_BYTES = 1 << 25          # of the results of first parts that wait


class Ahead:
    """The results of a function for the elements of a stream, in order."""

    def __init__(self, stream: Iterator[Element], function: Function, run: Run) -> None:
        self.stream, self.count = iter(stream), run.threads
        self.first, self.rest = function.in_two_parts(run)
        self.waiting: deque[tuple[Element, Future[Any]]] = deque()
        self.ended: Exception | None = None            # what the stream gave after the last of those that wait
        self.ahead, self.most = 1, MOST_ELEMENTS
        self.threads: ThreadPoolExecutor | None = None
        self.process = 0

    def __iter__(self) -> Ahead:
        return self

    def __next__(self) -> Element:
        self._start_threads()
        while len(self.waiting) < self.ahead and self.ended is None:
            self._read()
        if not self.waiting:
            ended, self.ended = self.ended, None
            assert ended is not None
            raise ended
        element, future = self.waiting[0]
        future.exception()                             # waits: an interrupt here loses nothing
        self.waiting.popleft()
        made = future.result()
        self._grow(made)
        return self.rest(element, made)

    def _start_threads(self) -> None:
        """In a forked child the parent's threads are not there, and what they were doing is done again."""
        if self.threads is None or self.process != os.getpid():
            self.threads, self.process = ThreadPoolExecutor(self.count, "graphc-pictures"), os.getpid()
            self.waiting = deque((element, self.threads.submit(self.first, element)) for element, _ in self.waiting)

    def _read(self) -> None:
        assert self.threads is not None
        try:
            element = next(self.stream)
        except Exception as error:
            self.ended = error
        else:
            self.waiting.append((element, self.threads.submit(self.first, element)))

    def _grow(self, made: Any) -> None:
        size = sum(getattr(value, "nbytes", 0) for value in made)
        self.most = max(self.count, min(self.most, MOST_BYTES // max(1, size)))
        self.ahead = min(self.ahead * 2, self.most)
