"""Values of a flow as polynomials over the elements of one of them, whose rows are summed: what two spellings of a
formula have in common.

Around a value x, whose last axes are its rows, a value is known as a sum of products of these atoms:

    "x", "dy"      an element of x, and of a second value of its shape
    ("c", v)       an element of a value v that is the same for all rows
    ("z", v)       an element of another value of x's shape, as an addend only
    ("mean", m)    the mean over a row of the product m of the above
    "inverse"      1 / sqrt(variance + epsilon), once it is known what variance is
    "n"            the number of elements of a row, if that is not known

Two values with the same polynomial are the same number but for rounding, however they were computed. A monomial is a
frozenset of (atom, power), a polynomial maps monomials to factors.

A value is known in one of four forms: ALIGNED, that broadcasts against x by its shape; ROWS, one element a row without
the axes of rows; TOTAL, the sum over all rows of what the polynomial says; SPREAD, x's shape and more axes of size 1.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.node import Node, Value
from graphc.ir.op import Alias, Op, normalise_axes
from graphc.ir.spec import Shape
from graphc.ops.array.broadcast import BroadcastTo
from graphc.ops.array.cast import Cast
from graphc.ops.array.source import Const
from graphc.ops.math.binary import AccumulateNV2, Add, AddN, AddV2, Mul, Pow, SquaredDifference, Sub
from graphc.ops.math.division import Div, RealDiv
from graphc.ops.math.reduction import Mean, Sum
from graphc.ops.math.unary import Neg, Reciprocal, Rsqrt, RsqrtGrad, Sqrt, SqrtGrad, Square
from graphc.passes.norms.equal_sizes import EqualSizes

Monomial = frozenset[tuple[Any, int]]
Polynomial = dict[Monomial, float]
ALIGNED, ROWS, TOTAL, SPREAD = "aligned", "rows", "total", "spread"
MOST_TERMS = 100
SMALL = 1e-6                 # what is left of terms that cancel, where factors are numbers of float32
ONE: Monomial = frozenset()


def atom(name: Any, power: int = 1) -> Polynomial:
    return {frozenset({(name, power)}): 1.0}


def number(value: float) -> Polynomial:
    return {ONE: value}


def plus(*terms: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for term in terms:
        for monomial, factor in term.items():
            before = total.get(monomial, 0.0)
            total[monomial] = before + factor
            if abs(before + factor) <= SMALL * abs(factor):
                del total[monomial]
    return total


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    return plus(*({_joined(m, n): f * g} for m, f in a.items() for n, g in b.items()))


def negated(a: Polynomial) -> Polynomial:
    return {m: -f for m, f in a.items()}


def same(a: Polynomial, b: Polynomial) -> bool:
    return a.keys() == b.keys() and all(abs(f - b[m]) <= SMALL * abs(f) for m, f in a.items())


def mean(a: Polynomial) -> Polynomial:
    """Over a row."""
    return plus(*({_meant(m): f} for m, f in a.items()))


def varies(name: Any) -> bool:
    """Whether an atom differs within a row."""
    return name in ("x", "dy") or (isinstance(name, tuple) and name[0] in ("c", "z"))


def is_of_rows(a: Polynomial) -> bool:
    return not any(varies(name) for m in a for name, _ in m)


def mentions(a: Polynomial, kind: str) -> bool:
    """Whether it has atoms "x" and so on, or of the kind "c" or "z", by themselves or in means."""
    return any(_is(name, kind) or (isinstance(name, tuple) and name[0] == "mean" and any(
        _is(inner, kind) for inner, _ in name[1])) for m in a for name, _ in m)


def _is(name: Any, kind: str) -> bool:
    return name == kind or (isinstance(name, tuple) and name[0] == kind)


def _joined(m: Monomial, n: Monomial) -> Monomial:
    powers = dict(m)
    for name, power in n:
        powers[name] = powers.get(name, 0) + power
    return frozenset((name, power) for name, power in powers.items() if power)


def _meant(m: Monomial) -> Monomial:
    inside = frozenset(item for item in m if varies(item[0]))
    return _joined(m - inside, frozenset({(("mean", inside), 1)})) if inside else m


@dataclass(frozen=True)
class Known:
    polynomial: Polynomial
    form: str = ALIGNED


class RowAlgebra:
    """What is known of values around x, whose last `axes` axes are rows: `known`. With `variance`, the polynomial of
    variance + epsilon, it also knows its roots."""

    def __init__(self, x: Value, axes: int, sizes: EqualSizes, variance: Polynomial | None = None) -> None:
        self.x, self.axes, self.sizes, self.variance = x, axes, sizes, variance
        assert x.spec.shape is not None
        self.shape: Shape = x.spec.shape
        self.lead, self.row = self.shape[:-axes], self.shape[-axes:]
        count = dims.product(self.row)
        self.count = atom("n") if not isinstance(count, int) else number(float(count))
        self.elements = count
        self.known: dict[Value, Known] = {x: Known(atom("x"))}

    def visit(self, node: Node) -> Known | None:
        """What is found out about the node's one result, which is kept; None: nothing."""
        rule = _RULES.get(type(node.op))
        if rule is None or len(node.specs) != 1 or node.specs[0].dtype != self.x.spec.dtype:
            rule = RowAlgebra._alias if isinstance(node.op, Alias) and len(node.specs) == 1 else None
        found = rule(self, node) if rule is not None else None
        if found is None or len(found.polynomial) > MOST_TERMS:
            return None
        if found.form == ALIGNED and not self._fits(node.specs[0].shape):
            return None
        self.known[node.value()] = found
        return found

    def _fits(self, shape: Shape | None) -> bool:
        """Whether it broadcasts against x, axis by axis, and no axis is longer."""
        if shape is None or len(shape) > len(self.shape):
            return False
        own = self.shape[len(self.shape) - len(shape):]
        return all(self.sizes.same(a, b) or self.sizes.same(a, 1) for a, b in zip(shape, own, strict=True))

    def is_whole(self, value: Value) -> bool:
        """Whether it has x's shape."""
        return self.sizes.same_shape(value.spec.shape, self.shape)

    def params(self, value: Value) -> int | None:
        """How many of the last axes a value has that is the same for all rows; None if it is none such."""
        shape = list(value.spec.shape or ())
        while shape and self.sizes.same(shape[0], 1):
            shape.pop(0)
        own = self.row[len(self.row) - len(shape):]
        fits = 0 < len(shape) <= len(self.row) and self.sizes.same_shape(tuple(shape), own)
        return len(shape) if fits and value.spec.dtype == self.x.spec.dtype else None

    # -- operands

    def _operand(self, value: Value) -> Known | None:
        found = self.known.get(value)
        if found is not None:
            return found
        constant = number_of(value)
        if constant is not None:
            return Known(number(constant), ALIGNED)
        if isinstance(value.node.op, Cast) and value.node.inputs[0].spec.value == (self.elements,):
            return Known(atom("n"), ALIGNED) if not isinstance(self.elements, int) else Known(self.count)
        return Known(atom(("c", value))) if self.params(value) is not None else None

    def _operands(self, node: Node) -> tuple[list[Polynomial], str] | None:
        """Of all inputs, of one form; numbers are of any but TOTAL."""
        found = [self._operand(value) for value in node.inputs]
        forms, polynomials = set(), []
        for value, operand in zip(node.inputs, found, strict=True):
            if operand is None:
                return None
            polynomials.append(operand.polynomial)
            if value in self.known or number_of(value) is None:
                forms.add(operand.form)
        if len(forms) != 1 or not any(value in self.known for value in node.inputs):
            return None
        return (polynomials, forms.pop()) if forms != {TOTAL} or self._are_alike(node.inputs) else None

    def _are_alike(self, totals: Sequence[Value]) -> bool:
        """Whether all are totals over the same axes."""
        kept = {self.params(value) for value in totals}
        return all(value in self.known for value in totals) and len(kept) == 1 and None not in kept

    # -- rules: a node's result

    def _sum_of(self, node: Node) -> Known | None:
        known = self._operands(node)
        if known is not None:
            return Known(plus(*known[0]), known[1]) if known[1] != SPREAD else None
        # What has come to dy may have more added to it.
        parts, others = [], []
        for value in node.inputs:
            operand = self._operand(value)
            if operand is None and self.is_whole(value):
                others.append(atom(("z", value)))
            elif operand is None or operand.form != ALIGNED:
                return None
            else:
                parts.append(operand.polynomial)
        return Known(plus(*parts, *others)) if any(mentions(p, "dy") for p in parts) else None

    def _of(self, node: Node, function: Callable[..., Polynomial | None], total: bool = False) -> Known | None:
        known = self._operands(node)
        if known is None or known[1] == SPREAD or (known[1] == TOTAL and not total):
            return None
        made = function(*known[0])
        return None if made is None else Known(made, known[1])

    def _product(self, node: Node) -> Known | None:
        return self._of(node, times)

    def _quotient(self, node: Node) -> Known | None:
        return self._of(node, lambda a, b: self._over(a, b))

    def _over(self, a: Polynomial, b: Polynomial) -> Polynomial | None:
        if self.variance is not None and same(b, self.variance):
            return times(a, atom("inverse", 2))
        if len(b) != 1:
            return None
        (monomial, factor), = b.items()
        if not factor or any(varies(name) or isinstance(name, tuple) for name, _ in monomial):
            return None
        return times(a, {frozenset((name, -power) for name, power in monomial): 1 / factor})

    def _power(self, node: Node) -> Known | None:
        """Of a root's gradient; others are products and roots already (simplify.py)."""
        exponent = number_of(node.inputs[1])
        base = self.known.get(node.inputs[0])
        return None if exponent is None or base is None else self._root(base, exponent)

    def _root(self, base: Known, exponent: float) -> Known | None:
        """(variance + epsilon) ** exponent"""
        whole = self.variance is not None and same(base.polynomial, self.variance) and (2 * exponent).is_integer()
        return Known(atom("inverse", int(-2 * exponent)), base.form) if whole else None

    def _root_of(self, node: Node) -> Known | None:
        base = self.known.get(node.inputs[0])
        return None if base is None else self._root(base, -0.5 if isinstance(node.op, Rsqrt) else 0.5)

    def _reduced(self, node: Node) -> Known | None:
        op, value = node.op, node.inputs[0]
        given = self.known.get(value)
        if given is not None and given.form == SPREAD:
            return Known(given.polynomial) if self._drops_units(node) else None
        if given is None or given.form != ALIGNED or not self.is_whole(value):
            return None
        rank, lead = len(self.shape), len(self.lead)
        along: set[int] = set(normalise_axes(op.axis, rank))  # type: ignore[attr-defined]

        def all_but(first: int, last: int) -> bool:
            """Whether it sums over the axes from first to last and no others, but those of size 1."""
            return all((axis in along) == (first <= axis < last) or self.sizes.same(size, 1)
                       for axis, size in enumerate(self.shape))

        if all_but(lead, rank):
            made = mean(given.polynomial)
            made = made if isinstance(op, Mean) else times(made, self.count)
            return Known(made, ALIGNED if op.keep_dims else ROWS)  # type: ignore[attr-defined]
        ends = isinstance(op, Sum) and any(all_but(0, end) for end in range(lead, rank))
        return Known(given.polynomial, TOTAL) if ends else None

    def _broadcast(self, node: Node) -> Known | None:
        given = self.known.get(node.inputs[0])
        return given if given is not None and given.form == ALIGNED and self.is_whole(node.value()) else None

    def _alias(self, node: Node) -> Known | None:
        given, shape = self.known.get(node.inputs[0]) if node.inputs else None, node.specs[0].shape
        if given is None or shape is None or node.specs[0].dtype != self.x.spec.dtype:
            return None
        if given.form == TOTAL:
            return given
        kept = (*self.lead, *(1,) * self.axes)
        a_row_each = given.form == ROWS or self.sizes.same_shape(node.inputs[0].spec.shape, kept)
        if is_of_rows(given.polynomial) and a_row_each:
            if self.sizes.same_shape(shape, kept):
                return Known(given.polynomial, ALIGNED)
            return Known(given.polynomial, ROWS) if self.sizes.same_shape(shape, self.lead) else None
        if given.form != ALIGNED or not self.is_whole(node.inputs[0]):
            return None
        if self.is_whole(node.value()):
            return given
        wide = self.sizes.same_shape(self._without_units(shape), self._without_units(self.shape))
        return Known(given.polynomial, SPREAD) if wide else None

    def _drops_units(self, node: Node) -> bool:
        """Whether a reduction only takes axes of size 1 away, which leaves x's shape."""
        shape = node.inputs[0].spec.shape or ()
        along = normalise_axes(node.op.axis, len(shape))  # type: ignore[attr-defined]
        return all(self.sizes.same(shape[axis], 1) for axis in along) and self.is_whole(node.value())

    def _without_units(self, shape: Shape) -> Shape:
        return tuple(size for size in shape if not self.sizes.same(size, 1))


def number_of(value: Value) -> float | None:
    op = value.node.op
    return float(op.value.reshape(-1)[0]) if isinstance(op, Const) and np.size(op.value) == 1 else None


_Rule = Callable[[RowAlgebra, Node], "Known | None"]
_RULES: dict[type[Op], _Rule] = {
    **dict.fromkeys((Add, AddV2, AddN, AccumulateNV2), RowAlgebra._sum_of),
    Sub: lambda rows, node: rows._of(node, lambda a, b: plus(a, negated(b)), total=True),
    Neg: lambda rows, node: rows._of(node, negated, total=True),
    Mul: RowAlgebra._product,
    Square: lambda rows, node: rows._of(node, lambda a: times(a, a)),
    SquaredDifference: lambda rows, node: rows._of(node, lambda a, b: times(*[plus(a, negated(b))] * 2)),
    RealDiv: RowAlgebra._quotient,
    Div: RowAlgebra._quotient,
    Reciprocal: lambda rows, node: rows._of(node, lambda a: rows._over(number(1.0), a)),
    Pow: RowAlgebra._power,
    Sqrt: RowAlgebra._root_of,
    Rsqrt: RowAlgebra._root_of,
    SqrtGrad: lambda rows, node: rows._of(node, lambda y, dy: rows._over(times(number(0.5), dy), y)),
    RsqrtGrad: lambda rows, node: rows._of(node, lambda y, dy: times(number(-0.5), times(dy, times(y, times(y, y))))),
    Sum: RowAlgebra._reduced,
    Mean: RowAlgebra._reduced,
    BroadcastTo: RowAlgebra._broadcast,
}
