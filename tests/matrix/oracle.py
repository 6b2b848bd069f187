"""What a cell's program must give: NumPy's `reference` of the op between NumPy's twins of its neighbours.

Nothing of the graph under test is used: no shape inference, no gradient function, no pass.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS
from graphc.ir.values import as_array

from matrix.cells import Cell
from matrix.contexts import CONTEXTS, is_taken
from matrix.neighbours import BEHINDS, FRONTS
from matrix.subjects import all_samples
from samples import definition

STEP = 1e-5


@dataclass(frozen=True)
class Derivative:
    """The loss of a run, its derivative in a direction, and the size that errors are measured by."""

    loss: float
    slope: float
    size: float


def results(cell: Cell, operands: Sequence[np.ndarray], number: int) -> list[np.ndarray]:
    """The results behind the op. number: of the run in its session."""
    op, sample = OPS[cell.op], all_samples(cell.op)[cell.sample]
    with np.errstate(all="ignore"):
        found = apply_reference(definition(op, sample), operands, number, CONTEXTS[cell.context].iteration)
        return [as_array(BEHINDS[cell.behind].array(as_array(y))) for y in found]


def executions(cell: Cell, run: int) -> int:
    return CONTEXTS[cell.context].executions if is_taken(cell.context, run) else 0


def derivative(cell: Cell, fed: Sequence[np.ndarray], weights: Sequence[np.ndarray | None],
               directions: Sequence[np.ndarray | None], run: int) -> Derivative:
    """By central differences in float64. weights: of the results; None: that one does not count."""
    loss = _loss(cell, weights, run)
    doubles = [_double(x) for x in fed]

    def moved(step: float) -> list[np.ndarray]:
        return [x if d is None else x + step * d for x, d in zip(doubles, directions, strict=True)]

    here, size = loss(doubles)
    ahead, behind = loss(moved(STEP))[0], loss(moved(-STEP))[0]
    return Derivative(here, (ahead - behind) / (2 * STEP), size)


def _loss(cell: Cell, weights: Sequence[np.ndarray | None],
          run: int) -> Callable[[Sequence[np.ndarray]], tuple[float, float]]:
    """A function of what is fed: the sum of the weighted results, and that of their absolute values."""
    op, sample = OPS[cell.op], all_samples(cell.op)[cell.sample]
    instance, times = definition(op, sample, double=True), executions(cell, run)

    def loss(fed: Sequence[np.ndarray]) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            found = apply_reference(instance, [FRONTS[cell.front].array(x) for x in fed])
            parts = [BEHINDS[cell.behind].array(np.asarray(y)) * w for y, w in zip(found, weights, strict=True)
                     if w is not None]
        return times * sum(float(p.sum()) for p in parts), times * sum(float(np.abs(p).sum()) for p in parts)

    return loss


def _double(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if x.dtype.kind == "f" else x
