"""Decoders of connectionist temporal classification: the labels of each sequence, as the parts of a sparse tensor whose
size only the run tells."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, float64, int32, int64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal


def _samples(*fields: dict[str, Any]) -> list[Sample]:
    cases = (((5, 2, 4), [5, 3], None), ((6, 1, 3), [6], float64), ((4, 3, 5), [4, 0, 1], None), ((1, 1, 2), [1], None))
    return [Sample(f, (shape, np.array(lengths, np.int32)), (dtype,), gradient=False, low=-2, high=2)
            for f in fields for shape, lengths, dtype in cases]


class _Decoder(Op):
    operands = ("inputs", "sequence_length")
    types = {"T": "inputs"}
    checks_data = True

    def check(self, inputs: tuple[Spec, ...]) -> Any:
        """The batch size."""
        x, lengths = inputs
        check_kind(self, inputs[:1], "floating")
        check_rank("inputs", x, 3)
        check_rank("sequence_length", lengths, 1)
        if lengths.dtype != int32:
            raise TypeError(f"argument 'sequence_length' has dtype {lengths.dtype.name}, but must be int32; cast it "
                            "(gc.cast)")
        known = [s for s in (x.shape and x.shape[1], lengths.shape and lengths.shape[0]) if s is not None]
        return require_equal(known[0], known[1], "batch size of inputs and of sequence_length") if len(
            known) == 2 else None

    def length(self, lengths: np.ndarray, batch: int, time: int) -> int:
        if not 0 <= lengths[batch] <= time:
            raise IndexError(f"sequence_length {lengths[batch]} is out of range")
        return int(lengths[batch])

    @staticmethod
    def packed(b: Any, paths: Any, counts: Any, outputs: Any) -> None:
        """(indices, values, shape) of the labels found."""
        indices, values, shape = outputs
        total = b.temporary(int64, ())
        b.reduce("add", counts, total, (0,))
        b.bind(total, [values.shape[0]])
        b.call("ctc_sparse", [paths, counts, indices, values, shape], dims=[*paths.shape, values.shape[0]])

    @staticmethod
    def sparse(found: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same, of the reference."""
        indices = np.array([(b, i) for b, row in enumerate(found) for i in range(len(row))], np.int64).reshape(-1, 2)
        return (indices, np.array([v for row in found for v in row], np.int64),
                np.array([len(found), max(map(len, found), default=0)], np.int64))

    def grad(self, g, node, *_):
        return [None, None]


@register
class CTCGreedyDecoder(_Decoder):
    """The greatest class of each time, without blanks (the last class); the probability is minus the sum of logits"""

    results = ("decoded_indices", "decoded_values", "decoded_shape", "log_probability")
    merge_repeated: bool = attr("bool", False)
    samples = _samples({}, {"merge_repeated": True})

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, int64, int64, inputs[0].dtype

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        batch, count = self.check(inputs), own_symbol(self, "count")
        score = Spec(inputs[0].dtype, None if batch is None else (batch, 1))
        return Spec(int64, (count, 2)), Spec(int64, (count,)), Spec(int64, (2,)), score

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, lengths = inputs
        found, score = [], np.zeros((x.shape[1], 1), x.dtype)
        for b in range(x.shape[1]):
            part = x[:self.length(lengths, b, x.shape[0]), b]
            best = [int(v) for v in part.argmax(axis=1)]
            score[b] = -part.max(axis=1).sum() if len(part) else 0
            found.append([v for i, v in enumerate(best) if v != x.shape[2] - 1
                          and not (self.merge_repeated and i and v == best[i - 1])])
        return *self.sparse(found), score

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        time, batch, _ = inputs[0].shape
        paths, counts = b.temporary(int64, (batch, time)), b.temporary(int64, (batch,))
        b.call("ctc_greedy", [*inputs, paths, counts, outputs[3]], dims=inputs[0].shape,
               attrs=[int(self.merge_repeated)])
        self.packed(b, paths, counts, outputs[:3])


class _Prefix:
    """A node of the tree of prefixes, of the reference. old: (total, by blank) of the time before."""

    def __init__(self, parent: _Prefix | None, label: int, total: float) -> None:
        self.parent, self.label = parent, label
        self.children: dict[int, _Prefix] = {}
        self.total, self.by_blank, self.by_label = total, total, -np.inf
        self.old = (-np.inf, -np.inf)

    def advance(self, row: np.ndarray) -> None:
        """One time on, for a prefix that is kept."""
        if self.parent is not None:
            if self.parent.total > -np.inf:
                self.by_label = np.logaddexp(self.by_label, self.parent.old[self.label == self.parent.label])
            self.by_label += row[self.label]
        self.by_blank = self.old[0] + row[-1]
        self.total = float(np.logaddexp(self.by_blank, self.by_label))

    def labels(self) -> list[int]:
        return [] if self.parent is None else [*self.parent.labels(), self.label]


@register
class CTCBeamSearchDecoder(_Decoder):
    """The most probable labels by a search over prefixes of which beam_width are kept; the last class is the blank"""

    results = ("decoded_indices*", "decoded_values*", "decoded_shape*", "log_probability")
    beam_width: int = attr("int")
    top_paths: int = attr("int")
    merge_repeated: bool = attr("bool", True)
    samples = _samples({"beam_width": 3, "top_paths": 1}, {"beam_width": 20, "top_paths": 1, "merge_repeated": False})

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (int64,) * (3 * self.top_paths) + (inputs[0].dtype,)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        batch = self.check(inputs)
        if not 1 <= self.top_paths <= self.beam_width:
            raise ValueError(f"top_paths {self.top_paths} must be from 1 to beam_width {self.beam_width}")
        counts = [own_symbol(self, f"count_{i}") for i in range(self.top_paths)]
        score = Spec(inputs[0].dtype, None if batch is None else (batch, self.top_paths))
        return (*(Spec(int64, (n, 2)) for n in counts), *(Spec(int64, (n,)) for n in counts),
                *(Spec(int64, (2,)) for _ in counts), score)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, lengths = inputs
        found: list[list[list[int]]] = [[] for _ in range(self.top_paths)]
        score = np.zeros((x.shape[1], self.top_paths), x.dtype)
        for b in range(x.shape[1]):
            for i, (prefix, chance) in enumerate(self.search(x[:self.length(lengths, b, x.shape[0]), b])):
                found[i].append([v for j, v in enumerate(prefix)
                                 if not (self.merge_repeated and j and v == prefix[j - 1])])
                score[b, i] = chance
        parts = [self.sparse(rows) for rows in found]
        return *(p[k] for k in range(3) for p in parts), score

    def search(self, x: np.ndarray) -> list[tuple[list[int], float]]:
        """The best prefixes and the logarithms of their probabilities. A kept prefix grows from what it and the prefix
        before it had; new ones come in as long as they are better than the worst that is kept."""
        logs = x.astype(np.float64)
        logs = logs - np.logaddexp.reduce(logs, axis=1, keepdims=True) if len(x) else logs
        kept = [_Prefix(None, -1, 0.0)]
        for row in logs:
            old = sorted(kept, key=lambda p: -p.total)
            for prefix in old:
                prefix.old = (prefix.total, prefix.by_blank)
            for prefix in old:
                prefix.advance(row)
            kept = list(old)
            for prefix in old:
                if prefix.old[0] <= self.limit(kept):
                    continue
                for label in range(x.shape[1] - 1):
                    self.grow(prefix, label, row[label], kept)
        if len(kept) < self.top_paths:
            raise ValueError("fewer prefixes than top_paths")
        best = sorted(kept, key=lambda p: -p.total)[:self.top_paths]
        return [(p.labels(), p.total) for p in best]

    def limit(self, kept: list[_Prefix]) -> float:
        """What the total of a new prefix must exceed."""
        return min(p.total for p in kept) if len(kept) == self.beam_width else -np.inf

    def grow(self, prefix: _Prefix, label: int, chance: float, kept: list[_Prefix]) -> None:
        """Takes the prefix with one more label in, if it is none of the kept and better than the worst of them."""
        longer = prefix.children.setdefault(label, _Prefix(prefix, label, -np.inf))
        if longer.total > -np.inf:
            return
        value = chance + prefix.old[label == prefix.label]
        if value <= self.limit(kept):
            longer.old = (-np.inf, -np.inf)     # as in TensorFlow: one that was kept before grows no more
            return
        if len(kept) == self.beam_width:
            worst = min(kept, key=lambda p: p.total)
            kept.remove(worst)
            worst.total = worst.by_blank = worst.by_label = -np.inf
        longer.total, longer.by_blank, longer.by_label = value, -np.inf, value
        kept.append(longer)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        time, batch, classes = inputs[0].shape
        top = self.top_paths
        paths, counts = b.temporary(int64, (top, batch, time)), b.temporary(int64, (top, batch))
        b.call("ctc_beam", [*inputs, paths, counts, outputs[-1]], dims=[time, batch, classes],
               attrs=[self.beam_width, top, int(self.merge_repeated)])
        for i in range(top):
            self.packed(b, b.contiguous(paths.select(0, i)), b.contiguous(counts.select(0, i)),
                        outputs[i:3 * top:top])
