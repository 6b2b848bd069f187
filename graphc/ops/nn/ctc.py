"""Connectionist temporal classification: the loss of sequences of classes against labels without times, with its
gradient."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal


def _case(time: int, classes: int, labels: list[list[int]], lengths: list[int], **fields: Any) -> Sample:
    indices = np.array([(b, i) for b, row in enumerate(labels) for i in range(len(row))], np.int64).reshape(-1, 2)
    values = np.array([v for row in labels for v in row], np.int32)
    return Sample(fields, ((time, len(labels), classes), indices, values, np.array(lengths, np.int32)),
                  fields.pop("dtypes", ()), gradient=False, low=-2, high=2)


@register
class CTCLoss(Op):
    """-log of the probability of all paths that give the labels; the last class is the blank. gradient: by inputs"""

    operands = ("inputs", "labels_indices", "labels_values", "sequence_length")
    results = ("loss", "gradient")
    types = {"T": "inputs"}
    checks_data = True
    refusal = ("Not enough time for target transition sequence, or a label after a null label (num_classes - 1 or "
               "more); ignore_longer_outputs_than_inputs=True leaves the first out")
    preprocess_collapse_repeated: bool = attr("bool", False)
    ctc_merge_repeated: bool = attr("bool", True)
    ignore_longer_outputs_than_inputs: bool = attr("bool", False)
    samples = [
        _case(5, 4, [[0, 1, 1], [2]], [5, 3]),
        _case(6, 3, [[0, 0], [], [1, 0, 1]], [6, 4, 6]),
        _case(6, 3, [[0, 0], [1, 1, 1]], [6, 5], preprocess_collapse_repeated=True),
        _case(6, 4, [[0, 0, 2], [1, 1]], [6, 5], ctc_merge_repeated=False),
        _case(3, 3, [[0, 1, 0, 1], [0, 0]], [3, 2], ignore_longer_outputs_than_inputs=True),
        _case(4, 3, [[1, 2], [0]], [4, 0], ignore_longer_outputs_than_inputs=True),
        _case(1, 2, [[0]], [1]),
        _case(9, 33, [[31, 2, 2, 7], [0, 1]], [9, 8], dtypes=(float64,)),
    ]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x, indices, values, lengths = inputs
        check_kind(self, inputs[:1], "floating")
        for name, spec, dtype, rank in (("inputs", x, x.dtype, 3), ("labels_indices", indices, int64, 2),
                                        ("labels_values", values, int32, 1), ("sequence_length", lengths, int32, 1)):
            check_rank(name, spec, rank)
            if spec.dtype != dtype:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but must be {dtype.name}; cast it "
                                "(gc.cast)")
        if indices.shape is not None:
            require_equal(indices.shape[1], 2, "columns of labels_indices")
            if values.shape is not None:
                require_equal(indices.shape[0], values.shape[0], "rows of labels_indices and labels_values")
        if x.shape is None:
            return Spec(x.dtype, lengths.shape), Spec(x.dtype, None)
        batch = x.shape[1]
        if lengths.shape is not None:
            batch = require_equal(batch, lengths.shape[0], "batch size of inputs and of sequence_length")
        return Spec(x.dtype, (batch,)), Spec(x.dtype, (x.shape[0], batch, x.shape[2]))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, indices, values, lengths = inputs
        time, batch, classes = x.shape
        loss, gradient = np.zeros(batch, x.dtype), np.zeros(x.shape, x.dtype)
        if len(indices) and (indices[:, 0].min() < 0 or indices[:, 0].max() >= batch):
            raise IndexError(f"labels_indices out of range: the batch is {batch}")
        for b, length in enumerate(lengths):
            given = values[indices[:, 0] == b]
            if not 0 <= length <= time or (given < 0).any():
                raise IndexError(f"sequence_length {length} or a label of {given} is out of range")
            if len(given) > length and not self.ignore_longer_outputs_than_inputs:
                raise ValueError(f"Not enough time for {len(given)} labels: {length}")
            labels = self.labels(given, classes)
            if len(given) > length or length == 0:
                continue
            logits = x[:length, b].astype(np.float64)
            y = np.exp(logits - logits.max(axis=1, keepdims=True))
            y /= y.sum(axis=1, keepdims=True)
            loss[b], counts = self.paths(y, labels)
            gradient[:length, b] = y - counts
        return loss, gradient

    def labels(self, given: np.ndarray, classes: int) -> list[int]:
        """Without repetitions, if asked for, and without what is no label at the end."""
        kept = [int(v) for i, v in enumerate(given)
                if not (self.preprocess_collapse_repeated and i and v == given[i - 1])]
        real = [v for v in kept if v < classes - 1]
        if kept[:len(real)] != real:
            raise ValueError("a label follows one that is none")
        return real

    def paths(self, y: np.ndarray, labels: list[int]) -> tuple[float, np.ndarray]:
        """The loss, and the expected count of each class at each time, from probabilities."""
        blank = y.shape[1] - 1
        around = [blank, *(v for label in labels for v in (label, blank))]
        count = len(around)
        step = np.zeros((count, count))
        for u, v in np.ndindex(count, count):
            if u == v:
                step[u, v] = self.ctc_merge_repeated or around[v] == blank
            elif v - u == 2:
                step[u, v] = around[v] != blank and not (self.ctc_merge_repeated and around[u] == around[v])
            else:
                step[u, v] = v - u == 1
        seen = y[:, around]
        start, end = np.arange(count) < 2, np.arange(count) >= count - 2
        ahead, total = [seen[0] * start], 0.0
        for t in range(1, len(y)):
            total += np.log(ahead[-1].sum())
            ahead.append((ahead[-1] / ahead[-1].sum()) @ step * seen[t])
        whole = (ahead[-1] * end).sum()
        counts = np.zeros(y.shape)
        if whole == 0:
            return np.inf, counts
        behind = end.astype(np.float64)
        for t in reversed(range(len(y))):
            share = ahead[t] * behind
            np.add.at(counts[t], around, share / share.sum())
            behind = step @ (seen[t] * behind)
            behind /= behind.max() or 1.0
        return -total - np.log(whole), counts

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call("ctc_loss", [*inputs, *outputs], dims=[*inputs[0].shape, inputs[2].shape[0]],
               attrs=[int(self.preprocess_collapse_repeated), int(self.ctc_merge_repeated),
                      int(self.ignore_longer_outputs_than_inputs)])

    def grad(self, g, node, d_loss, _=None):
        # As in TensorFlow, there is no second derivative.
        if d_loss is None:
            return [None] * 4
        return [g.expand_dims(g.expand_dims(d_loss, -1), 0) * g.prevent_gradient(node.outputs[1]), None, None, None]
