"""GatherTree: the sequences that the last beams of a search came along.

Which beam a final one came from, level by level, is a product of the maps "parent of" of the levels after. All these
products are made at once, in as many rounds as the number of levels has bits: round k knows the products of 2**k levels
and makes those of twice as many. Beam number `width` stands for a parent that is none; it stays what it is, and the
last gather refuses it.
"""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import int32, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.op import Op, Sample, register
from graphc.ir.spec import Spec, require_equal, text

_ROUNDS = 20              # if the number of levels is not known when compiling
_CASES = [
    ([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]], [[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]],
     [3], 10),
    ([[[1, 2], [3, 4]], [[5, 6], [7, 0]], [[0, 9], [1, 2]]], [[[0, 0], [0, 0]], [[1, 0], [1, 1]], [[1, 1], [0, 1]]],
     [3, 7], 0),
    ([[[1, 2], [3, 4]], [[5, 6], [7, 0]]], [[[9, 9], [9, 9]], [[1, 0], [9, -1]]], [2, 0], 5),
    ([[[5]], [[2]], [[5]], [[3]], [[5]]], [[[0]]] * 5, [4], 2),
]


def _samples() -> list[Sample]:
    made = [tuple(np.array(part, np.int32) for part in case) for case in _CASES]
    empty = np.zeros((0, 2, 3), np.int32), np.zeros((0, 2, 3), np.int32), np.zeros(2, np.int32), np.array(1, np.int32)
    return [Sample({}, inputs, gradient=False) for inputs in (*made, empty)]


@register
class GatherTree(Op):
    """beams[:, batch, beam]: the step_ids met on the way from that beam at level max_sequence_lengths[batch] - 1 back
    to level 0 along parent_ids; end_token after the length, and after the first end_token."""

    checks_data = True
    operands = ("step_ids", "parent_ids", "max_sequence_lengths", "end_token")
    results = ("beams",)
    types: ClassVar = {"T": "step_ids"}
    refusal = "a parent id is no beam"
    samples: ClassVar = _samples()

    def infer(self, *inputs: Spec) -> Spec:
        for name, spec, rank in zip(self.operands, inputs, (3, 3, 1, 0), strict=True):
            if spec.dtype != int32:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but must be int32; cast it (gc.cast)")
            check_rank(name, spec, rank)
        steps, parents, lengths, _ = (x.shape for x in inputs)
        if steps is None:
            steps = parents
        elif parents is not None:
            message = f"step_ids of shape {text(steps)} and parent_ids of shape {text(parents)} must have one shape"
            steps = tuple(require_equal(a, b, message) for a, b in zip(steps, parents, strict=True))
        if steps is not None and lengths is not None:
            require_equal(steps[1], lengths[0], "batch size of step_ids and of max_sequence_lengths")
        return Spec(int32, steps)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        steps, parents, lengths, end = inputs
        found = np.full_like(steps, end)
        for batch, beam in np.ndindex(steps.shape[1:]):
            place = beam
            for level in reversed(range(min(len(steps), int(lengths[batch])))):
                if not 0 <= place < steps.shape[2]:
                    raise InvalidArgumentError(f"{self.refusal}: {place}")
                found[level, batch, beam] = steps[level, batch, place]
                place = parents[level, batch, place]
            ends = np.flatnonzero(found[:, batch, beam] == end)
            found[ends[0] if len(ends) else len(steps):, batch, beam] = end
        return found

    def grad(self, g, node, dy):
        return [None] * 4

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        steps, parents, lengths, end = inputs
        time, batch, width = shape = steps.shape
        rows, before = (time, batch), b.temporary(int64, (time + 1, batch, width + 1))
        until = lengths.expand(0).expand(2)
        self._first_round(b, parents, until.broadcast(shape), before)
        for k in range(max(time - 1, 0).bit_length() if isinstance(time, int) else _ROUNDS):
            before = _doubled(b, before, 1 << k)
        if not isinstance(time, int):
            b.require("less_equal", time, 1 << _ROUNDS, "the number of levels of a GatherTree")
        places, found = b.temporary(int64, shape), b.temporary(int32, shape)
        b.copy(before.part(0, 1, time).part(2, 0, width), places)
        b.call("gather_nd", [steps, places, found], [dims.product(rows), width, 1, width, 1, 1, 1, 1, 1, 1], [1])
        self._ended(b, found, until.broadcast(shape), end.broadcast(shape), outputs[0])

    @staticmethod
    def _first_round(b: Any, parents: Any, until: Any, before: Any) -> None:
        """before[level, batch, beam]: its parent; after the length, and for what is no beam, the beam itself."""
        time, _, width = parents.shape
        beams = b.temporary(int64, (1,))
        b.store_sizes([width], beams)

        def parent(s: Any, place: Any, length: Any, count: Any) -> Any:
            wide = s.cast(place, int64)
            none = s("or", s("less", wide, s.constant(0, int64)), s("less_equal", count, wide))
            return s("select", s("less", s.index(0), s.cast(length, int64)), s("select", none, count, wide), s.index(2))

        b.map(parent, [parents, until, beams.select(0, 0).broadcast(parents.shape)],
              [before.part(0, 0, time).part(2, 0, width)])
        b.elementwise(lambda s, count: count, [beams.select(0, 0)], [before.part(2, width, 1).part(0, 0, time)])
        b.map(lambda s: s.index(2), [], [before.part(0, time, 1)])

    @staticmethod
    def _ended(b: Any, found: Any, until: Any, end: Any, y: Any) -> None:
        """y = found up to the length and the first end, behind which it is end."""
        time, batch, width = found.shape
        flags, ended = b.temporary(int32, found.shape), b.temporary(int32, found.shape)
        b.map(lambda s, v, length, last: s.cast(
            s("or", s("equal", v, last), s("less_equal", s.cast(length, int64), s.index(0))), int32),
            [found, until, end], [flags])
        b.call("cumsum", [flags, ended], [1, time, batch * width], [0, 0])
        b.map(lambda s, v, count, last: s("select", s("less", s.constant(0, int32), count), last, v),
              [found, ended, end], [y])


def _doubled(b: Any, before: Any, known: int) -> Any:
    """The products of twice as many levels, of those of `known` levels: the last level is its own product."""
    levels, batch, beams = before.shape
    later = b.temporary(int64, (levels,))
    last, step = b.temporary(int64, (1,)), b.constant(np.array([known], np.int64))
    b.store_sizes([levels - 1], last)
    b.map(lambda s, jump, limit: s("min", s("add", s.index(0), jump), limit),
          [step.broadcast((levels,)), last.broadcast((levels,))], [later])
    ahead, made = b.temporary(int64, before.shape), b.temporary(int64, before.shape)
    b.call("gather", [before, later, ahead], [1, levels, batch * beams, levels])
    b.call("gather_nd", [before, ahead, made], [levels * batch, beams, 1, beams, 1, 1, 1, 1, 1, 1], [1])
    return made
