"""Steps that keep what was computed: cache in memory, cache in a file."""
from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from graphc.data.order import Ordered
from graphc.data.pipeline import Run, Step, tensors_among


class CacheInMemory(Ordered):
    """What was computed once, all of it, is given again by the later repetitions of one opening."""

    def open(self, run: Run) -> Any:
        if self in run.kept:
            return iter(run.kept[self])
        return Recorded(self.opened(run), lambda all_of_it: run.kept.update({self: all_of_it}))


class CacheInFile(Ordered):
    """The elements are kept in filename.index, for other programs too."""

    own_calm = False                        # the file is written when the last element has been asked for

    def __init__(self, before: Step, filename: Any) -> None:
        super().__init__(before)
        self.filename = filename
        self.tensors = tensors_among(filename)

    def open(self, run: Run) -> Any:
        name = run.value(self.filename)
        name = os.fsdecode(name if isinstance(name, (str, bytes)) else name.item()) + ".index"
        if os.path.exists(name):
            with open(name, "rb") as file:
                return iter(pickle.load(file))

        def keep(elements: list[Any]) -> None:
            with open(f"{name}.part", "wb") as file:
                pickle.dump(elements, file)
            os.replace(f"{name}.part", name)

        return Recorded(self.opened(run), keep)


class Recorded:
    """The items; at their end `keep` gets them all."""

    def __init__(self, items: Iterator[Any], keep: Callable[[list[Any]], None]) -> None:
        self.items, self.keep = items, keep
        self.seen: list[Any] = []
        self.kept = False

    def __iter__(self) -> Recorded:
        return self

    def __next__(self) -> Any:
        try:
            item = next(self.items)
        except StopIteration:
            if not self.kept:
                self.kept = True
                self.keep(self.seen)
            raise
        self.seen.append(item)
        return item
