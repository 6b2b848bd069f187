"""What ScatterNd does with strings: those for one place stand there one after the other, as TensorFlow adds them."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.elementwise import check_dtype
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ir.values import zeros
from graphc.ops.strings.base import WORDS, check_string


@register
class _StringsAt(Host):
    """Empty strings of shape `shape`, with the updates joined at the index tuples in the last axis of indices."""

    operands = ("indices", "updates")
    types: ClassVar = {"T": "updates"}
    shape: tuple[Size, ...] = attr("list(int)")
    samples: ClassVar = [Sample({"shape": s}, (np.array(i, np.int32), u), gradient=False) for s, i, u in (
        ((4,), [[1], [1], [3]], WORDS[:3]), ((2, 3), [[1], [1]], WORDS.reshape(2, 3)), ((2, 2), [[0, 1]], WORDS[:1]))]

    def infer(self, indices: Spec, updates: Spec) -> Spec:
        check_string(self, updates=updates)
        check_dtype(self, "indices", indices.dtype, "index")
        return Spec(updates.dtype, self.shape)

    def compute(self, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        made, depth = zeros(self.shape, None), indices.shape[-1]
        rows = updates.reshape(-1, *made.shape[depth:])
        for place, row in zip(indices.reshape(-1, depth).tolist(), rows, strict=True):
            if any(not 0 <= i < n for i, n in zip(place, made.shape, strict=False)):
                raise InvalidArgumentError(f"indices {place} do not index into shape {list(made.shape)}")
            made[tuple(place)] = made[tuple(place)] + row
        return made

    def reference(self, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        made = zeros(self.shape, None)
        np.add.at(made, tuple(np.moveaxis(indices, -1, 0)), updates)
        return made

    def grad(self, g: Any, node: Any, *dys: Any) -> Any:
        return [None, None]
