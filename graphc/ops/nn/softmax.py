"""Softmax and log-softmax along the last axis, and the two cross entropies made with them."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Op, Permuted, Sample, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, text

_ROWS = (
    ((3, 17), None),
    ((31, 65), None),
    ((1, 1), None),
    ((2, 3, 5), None),
    ((17,), None),
    ((0, 3), None),
    ((2, 3, 4, 7), None),
    ((3, 7), float64),
)


def _log_softmax(x: np.ndarray) -> np.ndarray:
    if x.shape[-1] == 0:
        return x
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class _AlongRows(Op):
    """A function of each row, the last axis."""

    operands = ("logits",)
    types = {"T": "logits"}
    kernel: ClassVar[str]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        if inputs[0].shape == ():
            raise ValueError("a tensor of rank 1 or more is needed, not a scalar")
        return Spec(inputs[0].dtype, inputs[0].shape)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,)) if perm[-1] == len(perm) - 1 else None

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        shape = inputs[0].shape
        b.call(self.kernel, [inputs[0], outputs[0]], dims=[dims.product(shape[:-1]), shape[-1]])


@register
class Softmax(_AlongRows):
    """exp(x) / sum(exp(x)) along the last axis"""

    results = ("softmax",)
    kernel = "softmax"
    samples = [Sample({}, (shape,), (dtype,), low=-4, high=4) for shape, dtype in _ROWS] + [
        Sample({}, (np.array([[1000, 1001, 1002], [-1000, -1000, 0]], np.float32),), gradient=False)]

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return np.exp(_log_softmax(inputs[0].astype(np.float64))).astype(inputs[0].dtype)

    def grad(self, g, node, dy):
        y = node.outputs[0]
        return [(dy - g.sum(dy * y, -1, keep_dims=True)) * y]


@register
class LogSoftmax(_AlongRows):
    """x - log(sum(exp(x))) along the last axis"""

    results = ("logsoftmax",)
    kernel = "log_softmax"
    samples = [Sample({}, (shape,), (dtype,), low=-4, high=4) for shape, dtype in _ROWS] + [
        Sample({}, (np.array([[1000, 1001, 1002], [-1000, -1000, 0]], np.float32),), gradient=False)]

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return _log_softmax(inputs[0].astype(np.float64)).astype(inputs[0].dtype)

    def grad(self, g, node, dy):
        return [dy - g.sum(dy, -1, keep_dims=True) * g.exp(node.outputs[0])]


class _CrossEntropy(Op):
    """Results: the loss of each row, and its gradient by the logits."""

    operands = ("features", "labels")
    results = ("loss", "backprop")
    kernel: ClassVar[str]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call(self.kernel, [*inputs, *outputs], dims=list(inputs[0].shape))

    def by_logits(self, g, node, d_loss, d_backprop):
        """The gradient by the logits of both results."""

        logits, (_, backprop) = node.inputs[0], node.outputs
        total = None if d_loss is None else g.expand_dims(d_loss, -1) * backprop
        if d_backprop is None:
            return total
        y = g.softmax(logits)
        second = (d_backprop - g.sum(d_backprop * y, -1, keep_dims=True)) * y
        return second if total is None else total + second


def _distributions(rows: int, columns: int) -> np.ndarray:
    drawn = np.random.default_rng(rows).random((rows, columns)).astype(np.float32) + np.float32(0.1)
    return drawn / drawn.sum(axis=-1, keepdims=True)


@register
class SoftmaxCrossEntropyWithLogits(_CrossEntropy):
    """-sum(labels log_softmax(features)) of each row; labels are distributions of the same shape"""

    types = {"T": "features"}
    kernel = "softmax_cross_entropy"
    samples = [Sample({}, ((rows, columns), _distributions(rows, columns)), low=-3, high=3)
               for rows, columns in ((3, 17), (31, 5), (1, 65), (65, 2), (0, 3))] + [
        Sample({}, ((3, 7), _distributions(3, 7).astype(np.float64)), (float64,))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x, labels = inputs
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        check_rank("features", x, 2)
        check_rank("labels", labels, 2)
        shape = x.shape if x.shape is not None else labels.shape
        if x.shape is not None and labels.shape is not None:
            shape = self.common(x.shape, labels.shape)
        rows: Shape | None = None if shape is None else shape[:1]
        return Spec(x.dtype, rows), Spec(x.dtype, shape)

    @staticmethod
    def common(logits: Shape, labels: Shape) -> Shape:
        try:
            return tuple(
                require_equal(a, b, "shapes of logits and labels") for a, b in zip(logits, labels, strict=True)
            )
        except ValueError:
            raise ValueError(
                f"logits and labels must have one shape, but have {text(logits)} and {text(labels)}"
            ) from None

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, labels = inputs
        logs = _log_softmax(x.astype(np.float64))
        # A label of 0 counts 0 even where the logarithm is infinite.
        loss = -np.where(labels == 0, 0, labels * logs).sum(axis=-1)
        return loss.astype(x.dtype), (np.exp(logs) - labels).astype(x.dtype)

    def grad(self, g, node, d_loss, d_backprop=None):
        x = node.inputs[0]
        by_labels = None if d_loss is None else g.expand_dims(d_loss, -1) * g.neg(g.log_softmax(x))
        if d_backprop is not None:
            by_labels = g.neg(d_backprop) if by_labels is None else by_labels - d_backprop
        return [self.by_logits(g, node, d_loss, d_backprop), by_labels]


def _labels(rows: int, columns: int, dtype: Any) -> np.ndarray:
    return np.random.default_rng(rows).integers(0, columns, rows).astype(dtype.numpy)


@register
class SparseSoftmaxCrossEntropyWithLogits(_CrossEntropy):
    """-log_softmax(features)[label] of each row; a label out of range is an error of the run"""

    types = {"T": "features", "Tlabels": "labels"}
    checks_data = True
    kernel = "sparse_softmax_cross_entropy"
    samples = [Sample({}, ((rows, columns), _labels(rows, columns, dtype)), low=-3, high=3)
               for dtype in (int32, int64) for rows, columns in ((3, 17), (31, 5), (1, 65), (65, 2), (0, 3))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x, labels = inputs
        check_kind(self, inputs[:1], "floating")
        if labels.dtype not in (int32, int64):
            raise TypeError(f"argument 'labels' has dtype {labels.dtype.name}, but must be int32 or int64")
        check_rank("features", x, 2)
        check_rank("labels", labels, 1)
        if x.shape is None:
            return Spec(x.dtype, labels.shape), Spec(x.dtype, None)
        rows = (
            x.shape[0]
            if labels.shape is None
            else require_equal(x.shape[0], labels.shape[0], "rows of logits and labels")
        )
        return Spec(x.dtype, (rows,)), Spec(x.dtype, (rows, x.shape[1]))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, labels = inputs
        if labels.size and (labels.min() < 0 or labels.max() >= x.shape[1]):
            raise IndexError(f"label out of range: there are {x.shape[1]} classes")
        rows = np.arange(len(labels))
        logs = _log_softmax(x.astype(np.float64))
        backprop = np.exp(logs)
        backprop[rows, labels] -= 1
        return (-logs[rows, labels]).astype(x.dtype), backprop.astype(x.dtype)

    def grad(self, g, node, d_loss, d_backprop=None):
        return [self.by_logits(g, node, d_loss, d_backprop), None]
