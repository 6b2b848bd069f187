"""Where a flow holds norms of rows, and their gradients: what the layer_norm pass replaces.

 1. A root of (the mean of squares, or the variance, of the rows of some x) + a number above 0.
 2. Around that x, every value that is made of x, roots, numbers and values that are the same for all rows is known as a
    polynomial (row_algebra.py). The result of the norm is a value whose polynomial is (x - mean) inverse scale + shift.
 3. Its gradient is looked for with each value of x's shape that known ones are multiplied by in the place of dy: values
    whose polynomials are the gradient by x, maybe with more added to it, and sums over all rows of dy, of
    dy (x - mean) inverse and of the gradient by x. So no spelling is missed that is the same number.
 4. What is found replaces its values only if all matrices that lie between become superfluous.
"""
from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias, Op, normalise_axes
from graphc.ir.spec import Requirement
from graphc.ops.math.binary import AccumulateNV2, Add, AddN, AddV2, Mul, SquaredDifference, Sub
from graphc.ops.math.division import Div, RealDiv
from graphc.ops.math.reduction import Mean, Sum
from graphc.ops.math.unary import Rsqrt, Sqrt, Square
from graphc.passes.norms.equal_sizes import EqualSizes
from graphc.passes.norms.row_algebra import (
    ALIGNED,
    ONE,
    TOTAL,
    Known,
    Polynomial,
    RowAlgebra,
    atom,
    mean,
    mentions,
    negated,
    plus,
    same,
    times,
)

MOST_WALKED = 16             # nodes between a root and x
MOST_EXPLORED = 200          # nodes around x
MOST_TRIED = 8               # values in the place of dy
ROOTS = (Rsqrt, Sqrt)
_WALKED: tuple[type[Op], ...] = (Add, AddV2, AddN, AccumulateNV2, Mul, Square, SquaredDifference, Sub, RealDiv, Div,
                                 Mean, Sum, Alias)
_MULTIPLY = (Mul, RealDiv, Div)


@dataclass(frozen=True)
class Norm:
    """x, how many of its last axes are a row, whether the mean is subtracted, and the number added to the variance."""

    x: Value
    axes: int
    centred: bool
    epsilon: float

    def variance(self) -> Polynomial:
        """That, and epsilon."""
        squares, centre = mean(atom("x", 2)), mean(atom("x"))
        spread = plus(squares, negated(times(centre, centre))) if self.centred else squares
        return plus(spread, {ONE: self.epsilon})

    def deviation(self) -> Polynomial:
        return plus(atom("x"), negated(mean(atom("x")))) if self.centred else atom("x")

    def normal(self) -> Polynomial:
        return times(self.deviation(), atom("inverse"))

    def gradient(self, scale: Value | None) -> Polynomial:
        """By x."""
        weighted = times(atom("dy"), atom(("c", scale))) if scale is not None else atom("dy")
        slope = mean(times(weighted, self.normal()))
        centre = negated(mean(weighted)) if self.centred else {}
        return times(atom("inverse"), plus(weighted, centre, negated(times(self.normal(), slope))))


@dataclass(frozen=True)
class Forward:
    """y = LayerNorm(x, scale, shift); params: how many axes these have. required: of sizes, by the nodes that it
    replaces."""

    norm: Norm
    y: Value
    scale: Value | None
    shift: Value | None
    params: int
    required: tuple[Requirement, ...] = ()

    def inputs(self) -> tuple[Value, ...]:
        return (self.norm.x, *(v for v in (self.scale, self.shift) if v is not None))

    def results(self) -> tuple[Value, ...]:
        return (self.y,)


@dataclass(frozen=True)
class Backward:
    """dx and sums: the values of LayerNormGrad's results that there are, by the results' names. addends: what dx has
    added to it."""

    norm: Norm
    dy: Value
    scale: Value | None
    params: int
    found: dict[str, Value]
    addends: tuple[Value, ...]
    required: tuple[Requirement, ...] = ()

    def inputs(self) -> tuple[Value, ...]:
        return (self.dy, self.norm.x, *((self.scale,) if self.scale is not None else ()), *self.addends)

    def results(self) -> tuple[Value, ...]:
        return tuple(self.found.values())


Found = tuple["Forward | Backward", ...]


class Matcher:
    """Called with a root: what it is part of; nothing if that is no norm."""

    def __init__(self, flow: Flow) -> None:
        self.sizes = EqualSizes(flow)
        self.readers: dict[Value, list[Node]] = defaultdict(list)
        self.place: dict[Node, int] = {}
        self.awaited = {*flow.effects, *(value.node for value in flow.outputs)}
        for place, node in enumerate(flow.nodes()):
            self.place[node] = place
            self.awaited.update(node.after)
            for value in dict.fromkeys(node.inputs):
                self.readers[value].append(node)

    def __call__(self, root: Node) -> Found:
        norm = self._norm(root)
        if norm is None:
            return ()
        algebra = RowAlgebra(norm.x, norm.axes, self.sizes, norm.variance())
        self._explore(algebra, norm.x)
        ahead = list(self._forward(norm, algebra))
        for dy in self._gradients_of_result(algebra):
            whole = RowAlgebra(norm.x, norm.axes, self.sizes, norm.variance())
            whole.known = {**algebra.known, dy: Known(atom("dy"))}
            self._explore(whole, dy)
            for backward in self._backward(norm, dy, whole):
                for found in (*((forward, backward) for forward in ahead), (backward,)):
                    if self._holds(found, whole):
                        return self._requiring(found, whole)
        return next((self._requiring((f,), algebra) for f in ahead if self._holds((f,), algebra)), ())

    # -- the norm

    def _norm(self, root: Node) -> Norm | None:
        value = root.inputs[0]
        if value.spec.dtype not in (float32, float64) or value.spec.shape is None:
            return None
        walked = self._behind(value.node)
        candidates = {v for node in walked for v in node.inputs}
        ends = {end for node in walked if isinstance(node.op, (Mean, Sum)) for end in self._last_axes(node)}
        for x in sorted(candidates, key=lambda v: (self.place[v.node], v.index)):
            for axes in sorted(ends):
                found = self._norm_of(x, axes, walked, value)
                if found is not None:
                    return found
        return None

    def _behind(self, node: Node) -> list[Node]:
        """The nodes between a root and x, in topological order, and some more."""
        found, waiting = {node}, [node]
        while waiting and len(found) < MOST_WALKED:
            top = waiting.pop(0)
            if isinstance(top.op, _WALKED):
                more = [v.node for v in top.inputs if v.node not in found and isinstance(v.node.op, _WALKED)]
                found.update(more)
                waiting += more
        return sorted(found, key=self.place.__getitem__)

    @staticmethod
    def _last_axes(node: Node) -> Iterator[int]:
        shape = node.inputs[0].spec.shape
        if shape:
            along = normalise_axes(node.op.axis, len(shape))  # type: ignore[attr-defined]
            if along and sorted(along) == list(range(len(shape) - len(along), len(shape))):
                yield len(along)

    def _norm_of(self, x: Value, axes: int, walked: Sequence[Node], value: Value) -> Norm | None:
        shape = x.spec.shape
        if shape is None or len(shape) < axes or x.spec.dtype != value.spec.dtype:
            return None
        algebra = RowAlgebra(x, axes, self.sizes)
        for node in walked:
            algebra.visit(node)
        known = algebra.known.get(value)
        epsilon = known.polynomial.get(ONE, 0.0) if known is not None else 0.0
        if known is None or epsilon <= 0:
            return None
        norms = (Norm(x, axes, centred, epsilon) for centred in (True, False))
        return next((norm for norm in norms if same(known.polynomial, norm.variance())), None)

    # -- values around x

    def _explore(self, algebra: RowAlgebra, start: Value) -> None:
        waiting = [(self.place[node], node) for node in self.readers[start]]
        heapq.heapify(waiting)
        seen, count = {place for place, _ in waiting}, 0
        while waiting and count < MOST_EXPLORED:
            _, node = heapq.heappop(waiting)
            count += 1
            if len(node.specs) != 1 or node.value() in algebra.known or algebra.visit(node) is None:
                continue
            for reader in self.readers[node.value()]:
                if self.place[reader] not in seen:
                    seen.add(self.place[reader])
                    heapq.heappush(waiting, (self.place[reader], reader))

    def _gradients_of_result(self, algebra: RowAlgebra) -> list[Value]:
        """The values of x's shape that known ones are multiplied by, the first ones first."""
        found = {other for value, known in algebra.known.items() if known.form == ALIGNED
                 for node in self.readers[value] if isinstance(node.op, _MULTIPLY)
                 for other in node.inputs if other not in algebra.known and algebra.is_whole(other)
                 and other.spec.dtype == algebra.x.spec.dtype}
        return sorted(found, key=lambda v: (self.place[v.node], v.index))[:MOST_TRIED]

    def _latest_first(self, algebra: RowAlgebra) -> list[tuple[Value, Known]]:
        return sorted(algebra.known.items(), key=lambda item: -self.place[item[0].node])

    def _forward(self, norm: Norm, algebra: RowAlgebra) -> Iterator[Forward]:
        for value, known in self._latest_first(algebra):
            if known.form != ALIGNED or not algebra.is_whole(value) or not mentions(known.polynomial, "inverse"):
                continue
            scales = _columns(known.polynomial, "inverse")
            scale = scales[0] if scales else None
            normal = times(norm.normal(), atom(("c", scale))) if scale is not None else norm.normal()
            shifts = _columns(plus(known.polynomial, negated(normal)))
            shift = shifts[0] if shifts else None
            params = _params(algebra, (v for v in (scale, shift) if v is not None))
            wanted = plus(normal, atom(("c", shift))) if shift is not None else normal
            if params is not None and same(known.polynomial, wanted):
                yield Forward(norm, value, scale, shift, params)

    def _backward(self, norm: Norm, dy: Value, algebra: RowAlgebra) -> Iterator[Backward]:
        known = self._latest_first(algebra)
        totals = [(value, k.polynomial) for value, k in reversed(known) if k.form == TOTAL]
        for value, found in known:
            if found.form != ALIGNED or not algebra.is_whole(value) or not mentions(found.polynomial, "dy"):
                continue
            addends = [name[1] for m, f in found.polynomial.items() if len(m) == 1 and f == 1.0
                       for name, power in m if isinstance(name, tuple) and name[0] == "z" and power == 1]
            rest = plus(found.polynomial, *(negated(atom(("z", v))) for v in addends))
            scales = _columns(rest, "dy")
            scale = scales[0] if scales else None
            if same(rest, norm.gradient(scale)):
                yield from self._with_totals(norm, dy, algebra, scale, totals, {"dx": value}, tuple(addends))
        yield from self._with_totals(norm, dy, algebra, None, totals, {}, ())

    def _with_totals(self, norm: Norm, dy: Value, algebra: RowAlgebra, scale: Value | None,
                     totals: Sequence[tuple[Value, Polynomial]], found: dict[str, Value],
                     addends: tuple[Value, ...]) -> Iterator[Backward]:
        wanted = {"by_scale": times(atom("dy"), norm.normal()), "by_shift": atom("dy")}
        if "dx" in found:
            wanted["total"] = algebra.known[found["dx"]].polynomial
        found, params = dict(found), _params(algebra, () if scale is None else (scale,))
        if scale is None:
            params = next((algebra.params(v) for v, p in totals if any(same(p, w) for w in wanted.values())), params)
        for name, polynomial in wanted.items():
            for value, known in totals:
                if name not in found and algebra.params(value) == params and same(known, polynomial):
                    found[name] = value
        if params is not None and not found.keys().isdisjoint(("dx", "by_scale")):
            yield Backward(norm, dy, scale, params, found, addends)

    # -- whether it may be replaced

    def _holds(self, found: Found, algebra: RowAlgebra) -> bool:
        results = {value for part in found for value in part.results()}
        for part in found:
            first = min(self.place[v.node] for v in part.results())
            if any(self.place[v.node] >= first for v in part.inputs()):
                return False
        between = self._between(results, algebra)
        return all(self._may_go(node, between, results, algebra) for node in between)

    def _requiring(self, found: Found, algebra: RowAlgebra) -> Found:
        return tuple(replace(part, required=tuple(dict.fromkeys(
            r for node in self._between(set(part.results()), algebra) for r in node.requirements))) for part in found)

    def _between(self, results: set[Value], algebra: RowAlgebra) -> set[Node]:
        """The nodes that make the results of what is known, and these."""
        found: set[Node] = set()
        waiting = [value.node for value in results]
        while waiting:
            node = waiting.pop()
            if node in found:
                continue
            found.add(node)
            waiting += [v.node for v in node.inputs if v in algebra.known and v != algebra.x
                        and algebra.known[v].polynomial != atom("dy")]
        return found

    def _may_go(self, node: Node, between: set[Node], results: set[Value], algebra: RowAlgebra) -> bool:
        """Whether nothing is lost with the node, and it is no matrix that others need."""
        value = node.value()
        if node.after:
            return False
        if value in results or not algebra.is_whole(value) or not _is_matrix(value):
            return True
        return node not in self.awaited and all(reader in between for reader in self.readers[value])


def _is_matrix(value: Value) -> bool:
    return not all(dims.same(size, 1) for size in value.spec.shape or ())


def _names(polynomial: Polynomial, kind: str) -> Iterable[tuple[str, Value]]:
    return [name for m in polynomial for name, _ in m if isinstance(name, tuple) and name[0] == kind]


def _columns(polynomial: Polynomial, beside: str = "") -> list[Value]:
    """Values that are the same for all rows, as they stand in the polynomial: beside an atom, or by themselves."""
    found: list[Value] = []
    for monomial in polynomial:
        names = dict(monomial)
        if (beside in names) if beside else len(names) == 1:
            found += [name[1] for name, power in monomial if isinstance(name, tuple) and name[0] == "c" and power == 1]
    return list(dict.fromkeys(found))


def _params(algebra: RowAlgebra, columns: Iterable[Value]) -> int | None:
    """How many axes all of these have; all that a row has if there are none; None if they differ."""
    found = {algebra.params(value) for value in columns} or {algebra.axes}
    return found.pop() if len(found) == 1 else None
