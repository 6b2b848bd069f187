"""A cell as a part of a graph: what it fetches, what is fed for it in each run, and whether what came back is right."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import numpy as np

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype
from graphc.ir.op import OPS
from graphc.ir.values import as_array

from matrix import oracle
from matrix.cells import Cell
from matrix.contexts import is_taken, place
from matrix.excluded import FIELDS_KNOWN, FIRST_RESULT_ONLY, SIZES_BY_VALUE
from matrix.neighbours import BEHINDS, FRONTS, declared, ones
from matrix.subjects import all_samples, subject
from samples import definition, difference, grouped

Value = Callable[[int], np.ndarray]     # run -> what is fed


@dataclass
class Pool:
    """The placeholders of a graph. What is declared alike and fed alike is one placeholder for all programs of the
    graph: equal ops with other attributes then have the same operands, and must not be merged."""

    runs: int
    made: dict[Any, Any] = field(default_factory=dict)
    feeds: dict[Any, list[np.ndarray]] = field(default_factory=dict)     # by placeholder: one array a run

    graph: Any = field(default_factory=gc.get_default_graph)

    def placeholder(self, of: Value, shape: Any, kind: str) -> Any:
        """kind: values that are equal by chance are told apart by it."""
        values = [as_array(of(run)) for run in range(self.runs)]
        key = (kind, str(shape), *((v.dtype.str, v.shape, repr(v.tolist()) if v.dtype.kind == "O" else v.tobytes())
                                   for v in values))
        if key not in self.made:
            with self.graph.as_default(), self.graph.name_scope(None):
                made = gc.placeholder(as_dtype(values[0].dtype), shape)
            self.made[key], self.feeds[made] = made, values
        return self.made[key]

    def extra(self, name: str, value: np.ndarray) -> Any:
        return self.placeholder(lambda run: value, value.shape, name)


def ones_like(y: np.ndarray) -> np.ndarray:
    return ones(y.shape, y.dtype)


@dataclass
class Program:
    """check(what was fetched, run, number of the run in its session): what is wrong, or None."""

    cell: Cell
    fetches: list[Any]
    check: Callable[[Sequence[np.ndarray], int, int], str | None]


def dense(gradients: Sequence[Any]) -> list[Any]:
    """That of GatherV2 is IndexedSlices."""
    return [None if g is None else gc.convert_to_tensor(g) for g in gradients]


def operands_of(cell: Cell, run: int) -> tuple[np.ndarray, ...]:
    """The op's operands in a run. What a graph or a variable holds stays the same."""
    found = subject(cell.op, cell.sample, cell.sizes, 0 if cell.front in ("constant", "variable") else run)
    assert found is not None
    return found


def make(cell: Cell, pool: Pool) -> Program:
    """Adds the cell's program to the default graph."""
    return _Maker(cell, pool).gradients() if cell.asked == "gradients" else _Maker(cell, pool).values()


class _Maker:
    def __init__(self, cell: Cell, pool: Pool) -> None:
        self.cell, self.pool = cell, pool
        self.op, self.sample = OPS[cell.op], all_samples(cell.op)[cell.sample]
        self.front, self.behind = FRONTS[cell.front], BEHINDS[cell.behind]
        self.fed = [self._operand(i) for i in range(len(operands_of(cell, 0)))]

    def _operand(self, i: int) -> Any:
        if self.cell.front == "constant":
            return gc.constant(operands_of(self.cell, 0)[i])
        if self.cell.front == "variable":
            return gc.convert_to_tensor(gc.Variable(operands_of(self.cell, 0)[i]))
        shape = declared(self.front.feed(operands_of(self.cell, 0)[i]), self.cell.declared)
        return self.pool.placeholder(lambda run: self.front.feed(operands_of(self.cell, run)[i]), shape, f"operand {i}")

    def core(self, fed: list[Any]) -> list[Any]:
        """Front, op and what is behind it, on what was fed."""
        operands = [self.front.tensor(x, self.pool.extra) for x in fed]
        found = apply(self.op, *grouped(self.op, operands), **self._attributes())
        first = found[0] if isinstance(found, (tuple, list)) else found
        return [self.behind.tensor(_integers(y), rank, self.pool.extra)
                for y, rank in zip(first.op.outputs, self._ranks(), strict=True)]

    def _ranks(self) -> list[int]:
        """Of the op's own results."""
        plain = replace(self.cell, behind="direct")
        return [y.ndim for y in oracle.results(plain, operands_of(self.cell, 0), 0)]

    def _attributes(self) -> dict[str, Any]:
        instance = definition(self.op, self.sample)
        found = {f.name: getattr(instance, f.name) for f in fields(self.op)}
        if self.cell.fields == "fed":
            for name in [n for n in self.op.field_operands() if n not in FIELDS_KNOWN]:
                found[name] = self.pool.extra(name, np.array(found[name], np.int32))
        return found

    def _limit(self, name: str, of: Callable[[bool], np.ndarray]) -> Any:
        return self.pool.placeholder(lambda run: of(is_taken(self.cell.context, run)), (), name)

    def _placed(self, core: Any, starts: list[Any], merge: Any) -> list[Any]:
        return place(self.cell.context, core, self.fed, starts, merge, self.pool.extra, self._limit)

    # What the op gives.

    def values(self) -> Program:
        starts = []
        if self.cell.context != "top":
            starts = [self._start(i, shape) for i, shape in enumerate(self._static_shapes())]
        found = self._placed(self.core, starts, lambda old, new: new)
        return Program(self.cell, found, self._check_values)

    def _static_shapes(self) -> list[Any]:
        """What is known of the results' shapes while building: loops carry the results with these shapes."""
        with gc.Graph().as_default():
            alone = _Maker(self.cell, Pool(1))
            return [t.shape for t in alone.core(alone.fed)]

    def _start(self, position: int, shape: Any) -> Any:
        """Ones (of strings: some text) of a result's shape, fed."""
        def ones(run: int) -> np.ndarray:
            return ones_like(oracle.results(self.cell, operands_of(self.cell, run), run)[position])

        if shape.ndims is not None:
            shape = [None] * shape.ndims if self.cell.op in SIZES_BY_VALUE else shape.as_list()
        return self.pool.placeholder(ones, None if isinstance(shape, gc.TensorShape) else shape, "start")

    def _check_values(self, found: Sequence[np.ndarray], run: int, number: int) -> str | None:
        expected = oracle.results(self.cell, operands_of(self.cell, run), number)
        if not is_taken(self.cell.context, run):
            expected = [ones_like(y) for y in expected]
        terms = 1.0
        if self.cell.behind == "reduction":     # errors are measured by what was added up, not by the sum
            plain = oracle.results(replace(self.cell, behind="direct"), operands_of(self.cell, run), number)
            terms = max([1.0, *(_cancellation(y, z) for y, z in zip(plain, expected, strict=True))])
        return _first_problem(found, expected, self.sample.tolerance * terms)

    # Its gradients.

    def gradients(self) -> Program:
        weights = [self._weight(y) for y in oracle.results(self.cell, operands_of(self.cell, 0), 0)]
        counted = weights[:1] if self.cell.op in FIRST_RESULT_ONLY else weights
        kind = next(w.dtype for w in counted if w is not None)
        self.weights = [w if w is not None and w.dtype == kind else None for w in counted]
        self.weights += [None] * (len(weights) - len(counted))

        def loss(fed: list[Any]) -> list[Any]:
            parts = [gc.reshape(gc.reduce_sum(y * self._fed_weight(w)), [])      # of unknown rank it is no scalar yet
                     for y, w in zip(self.core(fed), self.weights, strict=True) if w is not None]
            return [gc.add_n(parts)]

        zero = [gc.constant(np.zeros((), kind))]
        total = self._placed(loss, zero, lambda old, new: [a + b for a, b in zip(old, new, strict=True)])[0]
        self.slopes = dense(gc.gradients(total, self.fed))
        plain = differentiable(self.cell.op, self.cell.sample)
        lost = [i for i, (g, has) in enumerate(zip(self.slopes, plain, strict=True)) if has and g is None]
        if lost:
            raise AssertionError(f"no gradient of operand {lost[0]}, which has one outside of loops and branches")
        return Program(self.cell, [total, *(g for g in self.slopes if g is not None)], self._check_gradients)

    def _fed_weight(self, weight: np.ndarray) -> Any:
        return self.pool.placeholder(lambda run: weight, [None] * weight.ndim, "weight")

    def _weight(self, y: np.ndarray) -> np.ndarray | None:
        if y.dtype.kind != "f":
            return None
        return np.random.default_rng(7).normal(size=y.shape).astype(y.dtype)

    def _check_gradients(self, found: Sequence[np.ndarray], run: int, number: int) -> str | None:
        fed = [self.front.feed(x) for x in operands_of(self.cell, run)]
        slopes = iter(found[1:])
        slopes = [None if g is None else next(slopes) for g in self.slopes]
        for i, (x, g) in enumerate(zip(fed, slopes, strict=True)):
            if g is not None and (g.shape != x.shape or g.dtype != x.dtype):
                return f"gradient {g.dtype}{g.shape} of operand {i}, which is {x.dtype}{x.shape}"
        # What has no gradient in the plainest program stands still; loops and branches may give zeros for it.
        has = differentiable(self.cell.op, self.cell.sample)
        if any(g is not None and not h and g.any() for g, h in zip(slopes, has, strict=True)):
            return "a gradient of what has none outside of loops and branches"
        slopes = [g if h else None for g, h in zip(slopes, has, strict=True)]
        generator = np.random.default_rng(run)
        directions = [None if g is None else generator.normal(size=x.shape) for x, g in zip(fed, slopes, strict=True)]
        right = oracle.derivative(self.cell, fed, self.weights, directions, run)
        if not np.isfinite(right.loss):      # nothing that has a derivative
            return None
        parts = [g.astype(np.float64) * d for g, d in zip(slopes, directions, strict=True) if g is not None]
        slope = sum(float(p.sum()) for p in parts)
        size = max(1e-3, right.size, abs(right.slope), sum(float(np.abs(p).sum()) for p in parts))
        tolerance = max(self.sample.tolerance, 1e-4)
        if not abs(slope - right.slope) <= tolerance * size:
            return f"derivative {slope} by gradients, {right.slope} by finite differences"
        if not abs(float(found[0]) - right.loss) <= tolerance * size:
            return f"the sum of the weighted results is {float(found[0])} instead of {right.loss}"
        return None


@cache
def differentiable(op: str, sample: int) -> tuple[bool, ...]:
    """Which operands have a gradient, in the plainest program. If that cannot be built: all that could have one."""
    with gc.Graph().as_default():
        maker = _Maker(Cell(op, sample), Pool(1))
        try:
            results = [y for y in maker.core(maker.fed) if y.dtype.is_floating]
            chosen = results[:1] if op in FIRST_RESULT_ONLY else results
            found = dense(gc.gradients(chosen, maker.fed)) if chosen else []
        except Exception:
            return tuple(x.dtype.is_floating for x in maker.fed)
    return tuple(g is not None for g in found)


def _first_problem(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], tolerance: float) -> str | None:
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        problem = difference(a, b, tolerance)
        if problem is not None:
            return f"result {i}: {problem}"
    return None


def _cancellation(terms: np.ndarray, total: np.ndarray) -> float:
    """How much larger the sum of absolute values is than the largest sum."""
    if terms.dtype.kind != "f" or not terms.size:
        return 1.0
    with np.errstate(all="ignore"):
        absolute = float(np.max(np.sum(np.abs(np.atleast_1d(terms)), -1), initial=0.0, where=True))
        largest = max(float(np.max(np.abs(total), initial=0.0)), 1e-3)
    return max(1.0, absolute / largest) if np.isfinite(absolute) else 1.0


def _integers(y: Any) -> Any:
    """Quantized numbers as the oracle has them."""
    return gc.bitcast(y, y.dtype.unquantized) if y.dtype.is_quantized else y
