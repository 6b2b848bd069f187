"""The domain of a map and the strides of its accesses, made as simple as it can be.

Axes of size 1 disappear; two neighbouring axes (both outer, or both reduced) become one where every access steps
through them evenly: stride of the first = stride of the second times the second's size. A reduction keeps at least one
reduced axis and every map one axis. Strides of row values stand for the outer axes only.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.ir import dims
from graphc.ir.dims import Size


class MapShape:
    """domain and strides are lists that `merge` shortens; `reduced` counts the trailing reduced axes."""

    def __init__(self, domain: Sequence[Size], reduced: int, strides: Sequence[Sequence[Size]]) -> None:
        self.domain = list(domain)
        self.reduced = reduced
        self.strides = [list(s) for s in strides]
        if not self.domain:
            self._insert(0)

    def merge(self) -> None:
        """Both simplifications."""
        for axis in reversed(range(len(self.domain))):
            if dims.same(self.domain[axis], 1) and self._droppable(axis):
                self._remove(axis)
        for axis in reversed(range(len(self.domain) - 1)):
            if axis + 1 != len(self.domain) - self.reduced and self._even(axis):
                self.domain[axis + 1] = self.domain[axis] * self.domain[axis + 1]
                self._remove(axis)

    def _droppable(self, axis: int) -> bool:
        if len(self.domain) == 1:
            return False
        return axis < len(self.domain) - self.reduced or self.reduced > 1

    def _even(self, axis: int) -> bool:
        size = self.domain[axis + 1]
        return all(len(s) <= axis or dims.same(s[axis], s[axis + 1] * size) for s in self.strides)

    def _remove(self, axis: int) -> None:
        # Merged axes keep the inner one's stride, so the outer stride goes; a dropped axis has size 1.
        if axis >= len(self.domain) - self.reduced:
            self.reduced -= 1
        del self.domain[axis]
        for strides in self.strides:
            if axis < len(strides):
                del strides[axis]

    def _insert(self, axis: int) -> None:
        self.domain.insert(axis, 1)
        for strides in self.strides:
            strides.insert(axis, 0)
