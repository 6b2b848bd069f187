"""The conditional accumulators of a session: what the calls of plans (ops/control/accumulators.py) work on.

How the calls that take a gradient wait, session/resources/waiting.py says.
"""
from __future__ import annotations

import logging
from collections import deque
from typing import Any

import numpy as np

from graphc import errors
from graphc.ops.control.accumulators import declared
from graphc.session.resources.waiting import Waiting


class Accumulator(Waiting):
    """Adds up tensors. step: gradients of steps before it are stale. count: how many are in `total`. claimed: whether
    a run was told to take them."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        shape = declared(call.definition)
        self.shape = None if shape is None else list(shape)
        self.dtype = call.definition.dtype.numpy
        self.step = self.count = 0
        self.total: Any = None
        self.claimed = False
        self.taking: deque[object] = deque()

    def holds(self) -> str:
        return f"{self.count} gradients"

    # Calls

    def apply_gradient(self, local_step: np.ndarray, *gradient: Any) -> tuple[()]:
        with self.changed:
            if int(local_step) >= self.step:
                self.add(*gradient)
                self.count += 1
                self.changed.notify_all()
        return ()

    def take_gradient(self, num_required: np.ndarray) -> tuple[np.ndarray, ...]:
        wanted = int(num_required)
        if wanted < 1:
            raise errors.InvalidArgumentError(f"{self.name}: Argument num_required must be positive, but is {wanted}")
        with self.changed, self._turn(self.taking) as mine:
            while not (mine() and self.count >= wanted):
                self._wait("TakeGrad")
            taken = self.result()
            self.total, self.count, self.claimed = None, 0, False
            self.step += 1
        return taken

    def claim(self, num_required: np.ndarray) -> tuple[np.ndarray]:
        with self.changed:
            first = not self.claimed and self.count >= int(num_required)
            self.claimed |= first
        return (np.array(first),)

    def num_accumulated(self) -> tuple[np.ndarray]:
        return (np.array(self.count, np.int32),)

    def set_global_step(self, new_global_step: np.ndarray) -> tuple[()]:
        with self.changed:
            if int(new_global_step) < self.step:
                logging.getLogger("graphc").warning("%s: the step is set from %d to a smaller value: %d", self.name,
                                                    self.step, int(new_global_step))
            self.step = int(new_global_step)
        return ()

    # What is added and given

    def add(self, gradient: np.ndarray) -> None:
        expected = self.shape if self.total is None else list(self.total.shape)
        if expected is not None and not _fits(gradient.shape, expected):
            raise errors.InvalidArgumentError(f"{self.name}: Shape mismatch: expected {expected}, got "
                                              f"{list(gradient.shape)}")
        if self.total is None:
            self.total = np.array(gradient)
        else:
            self.total = np.asarray(self.total + gradient, self.dtype)

    def result(self) -> tuple[np.ndarray, ...]:
        return (self.mean(self.total, self.count),)

    def mean(self, total: np.ndarray, counts: Any) -> np.ndarray:
        """Of sums of `counts` numbers."""
        if self.definition.reduction_type == "SUM":
            return total
        return np.asarray(total / np.asarray(counts).astype(self.dtype), self.dtype)


class SparseAccumulator(Accumulator):
    """Adds up rows. total: their indices, values, and how many gradients have each of them."""

    def add(self, indices: np.ndarray, values: np.ndarray, shape: np.ndarray,  # type: ignore[override]
            has_known_shape: bool) -> None:
        self._check(indices, values, shape.tolist() if has_known_shape else None)
        new = (indices.astype(np.int64), np.array(values), np.ones(len(indices), np.int64))
        self.total = new if self.total is None else self._merged(self.total, new)

    def _check(self, indices: np.ndarray, values: np.ndarray, shape: list[int] | None) -> None:
        if indices.ndim != 1:
            raise errors.InvalidArgumentError(f"{self.name}: Input indices should be vector but received shape: "
                                              f"{list(indices.shape)}")
        if values.ndim == 0:
            raise errors.InvalidArgumentError(f"{self.name}: Values cannot be 0-dimensional.")
        if len(indices) != len(values):
            raise errors.InvalidArgumentError(f"{self.name}: Expected {len(indices)} non-empty input values, got "
                                              f"{len(values)}")
        expected = self.shape
        if expected is not None and shape is not None and not _fits(shape, expected):
            raise errors.InvalidArgumentError(f"{self.name}: Shape mismatch: expected shape {expected}, got {shape}")
        if shape is not None and not _fits(values.shape[1:], shape[1:]):
            raise errors.InvalidArgumentError(f"{self.name}: Shape mismatch: values of shape {list(values.shape)} are "
                                              f"no rows of shape {shape}")
        known: Any = expected if self.total is None else self.total[1].shape
        if known is not None and not _fits(values.shape[1:], known[1:]):
            raise errors.InvalidArgumentError(f"{self.name}: Shape mismatch: expected values of shape "
                                              f"{[None, *known[1:]]}, got {list(values.shape)}")

    def _merged(self, old: Any, new: Any) -> Any:
        """The rows of two gradients in the order of their indices, as TensorFlow merges two sorted lists: rows are
        added where both lists come to the same index."""
        (a, a_values, a_counts), (b, b_values, b_counts) = old, new
        i = j = 0
        rows: list[tuple[int, Any, int]] = []
        first, second = a.tolist(), b.tolist()
        while i < len(first) and j < len(second):
            if first[i] == second[j]:
                rows.append((first[i], a_values[i] + b_values[j], a_counts[i] + 1))
                i, j = i + 1, j + 1
            elif first[i] < second[j]:
                rows.append((first[i], a_values[i], a_counts[i]))
                i += 1
            else:
                rows.append((second[j], b_values[j], 1))
                j += 1
        rows += zip(first[i:], a_values[i:], a_counts[i:], strict=True)
        rows += zip(second[j:], b_values[j:], b_counts[j:], strict=True)
        values = np.empty((len(rows), *a_values.shape[1:]), self.dtype)
        for position, (_, value, _count) in enumerate(rows):
            values[position] = value
        return np.array([r[0] for r in rows], np.int64), values, np.array([r[2] for r in rows], np.int64)

    def result(self) -> tuple[np.ndarray, ...]:
        indices, values, counts = self.total
        rows = self.shape[0] if self.shape and self.shape[0] is not None else -1
        return (indices, self.mean(values, counts.reshape(-1, *[1] * (values.ndim - 1))),
                np.array([rows, *values.shape[1:]], np.int64))


def _fits(shape: Any, expected: Any) -> bool:
    return len(shape) == len(expected) and all(e in (None, n) for n, e in zip(shape, expected, strict=True))


KINDS: dict[str, type[Accumulator]] = {
    "ConditionalAccumulator": Accumulator, "ResourceConditionalAccumulator": Accumulator,
    "SparseConditionalAccumulator": SparseAccumulator}
