"""Sizes of axes: integers, or polynomials over symbols and a few functions of them.

A known size is a plain int; a `Dim` is a size that is not known yet. Arithmetic between the two gives an int whenever
the result is known, so the rest of the compiler writes `shape[0] * 2` and does not ask which one it holds.

A Dim is a sum of integer multiples of products of atoms, kept in one canonical form and hash-consed: two Dims that are
provably equal (by commutativity, distribution, cancellation) are the same object, so `is`, `==` and `hash` agree.
An atom is a Symbol or a Call: floordiv, mod, min, max, equal, less, select, broadcast (meanings: plan.DimKind).
"""
from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from graphc.ir.locks import new_reentrant_lock

Size = Union[int, "Dim"]


@dataclass(frozen=True, eq=False)
class Symbol:
    """A size with a name of its own. `source` tells lowering where it comes from (a feed's axis, a tensor's value)."""

    name: str
    source: Any = None


@dataclass(frozen=True)
class Call:
    """A function of sizes that is no polynomial."""

    function: str
    arguments: tuple[Size, ...]


Atom = Union[Symbol, Call]
Monomial = tuple[Atom, ...]
_interning = new_reentrant_lock()


class Dim:
    """A size that is not a known int. Make one with `symbol` or by arithmetic; never call this class yourself."""

    __slots__ = ("__weakref__", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    _interned: weakref.WeakValueDictionary[tuple[tuple[Monomial, int], ...], Dim] = weakref.WeakValueDictionary()

    def __add__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return _from_terms([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + other * -1

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        products = [(_merge(m, n), a * b) for m, a in self.terms for n, b in _terms(other)]
        return _from_terms(products)

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return floordiv(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return floordiv(other, self)

    def __mod__(self, other: Size) -> Size:
        return mod(self, other)

    def __rmod__(self, other: Size) -> Size:
        return mod(other, self)

    def __repr__(self) -> str:
        return " + ".join(_term_text(monomial, factor) for monomial, factor in self.terms)

    def __bool__(self) -> bool:
        raise TypeError(f"the size {self} is not known yet, so it cannot be tested")


def symbol(name: str, source: Any = None) -> Dim:
    """A new size, different from every other one, that prints as `name`."""
    made = _from_terms([((Symbol(name, source),), 1)])
    assert isinstance(made, Dim)
    return made


def floordiv(a: Size, b: Size) -> Size:
    """a // b, rounded down. Exact division of a polynomial by one of its factors is carried out."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    if isinstance(b, int) and b == 1:
        return a
    if a is b:
        return 1
    exact = _divide_exactly(a, b)
    return exact if exact is not None else _call("floordiv", a, b)


def mod(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    if _divide_exactly(a, b) is not None:
        return 0
    return _call("mod", a, b)


def minimum(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return a if a is b else _call("min", *_ordered(a, b))


def maximum(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return a if a is b else _call("max", *_ordered(a, b))


def equal(a: Size, b: Size) -> Size:
    difference = a - b
    if isinstance(difference, int):
        return int(difference == 0)
    return _call("equal", *_ordered(a, b))


def less(a: Size, b: Size) -> Size:
    difference = a - b
    return int(difference < 0) if isinstance(difference, int) else _call("less", a, b)


def select(condition: Size, then: Size, otherwise: Size) -> Size:
    """then if condition != 0 else otherwise."""
    if isinstance(condition, int):
        return then if condition else otherwise
    return then if then is otherwise else _call("select", condition, then, otherwise)


def broadcast(a: Size, b: Size) -> Size:
    """The size that an axis of size a and one of size b have together. Raises ValueError if they are known not to
    fit."""
    if a is b or same(a, b):
        return a
    if isinstance(a, int) and a == 1:
        return b
    if isinstance(b, int) and b == 1:
        return a
    if isinstance(a, int) and isinstance(b, int):
        raise ValueError(f"sizes {a} and {b} do not broadcast")
    # Nested ones are taken apart, so that what broadcasting gives again is the same size again.
    first, *others = sorted({*_broadcast_parts(a), *_broadcast_parts(b)}, key=repr)
    result = first
    for part in others:
        result = _call("broadcast", *_ordered(result, part))
    return result


def _broadcast_parts(size: Size) -> tuple[Size, ...]:
    if isinstance(size, Dim) and len(size.terms) == 1:
        (monomial, factor), = size.terms
        if factor == 1 and len(monomial) == 1:
            atom = monomial[0]
            if isinstance(atom, Call) and atom.function == "broadcast":
                return tuple(part for a in atom.arguments for part in _broadcast_parts(a))
    return (size,)


def same(a: Size, b: Size) -> bool:
    """Whether a and b are provably equal."""
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def different(a: Size, b: Size) -> bool:
    """Whether a and b are provably unequal."""
    difference = a - b
    return isinstance(difference, int) and difference != 0


def product(sizes: Iterable[Size]) -> Size:
    result: Size = 1
    for size in sizes:
        result = result * size
    return result


def atoms(size: Size) -> set[Atom]:
    """Every atom in `size`, also inside the arguments of calls."""
    found: set[Atom] = set()
    for monomial, _ in _terms(size):
        for atom in monomial:
            found.add(atom)
            if isinstance(atom, Call):
                for argument in atom.arguments:
                    found |= atoms(argument)
    return found


FUNCTIONS: Mapping[str, Callable[..., Size]] = {
    "floordiv": floordiv, "mod": mod, "min": minimum, "max": maximum, "equal": equal, "less": less,
    "select": select, "broadcast": broadcast,
}


def substitute(size: Size, values: Mapping[Symbol, Size]) -> Size:
    """`size` with symbols replaced; symbols that `values` does not name stay."""
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, factor in size.terms:
        term: Size = factor
        for atom in monomial:
            term = term * _substitute_atom(atom, values)
        total = total + term
    return total


def _substitute_atom(atom: Atom, values: Mapping[Symbol, Size]) -> Size:
    if isinstance(atom, Call):
        return FUNCTIONS[atom.function](*(substitute(a, values) for a in atom.arguments))
    return values[atom] if atom in values else _from_terms([((atom,), 1)])


def _terms(size: Size) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(size, Dim):
        return size.terms
    return (((), int(size)),) if size else ()


def _merge(m: Monomial, n: Monomial) -> Monomial:
    return tuple(sorted((*m, *n), key=_atom_key))


def _atom_key(atom: Atom) -> tuple[str, int]:
    # Names first, so that texts do not change from run to run; the id separates symbols of one name.
    if isinstance(atom, Symbol):
        return (atom.name, id(atom))
    return (f"~{atom.function}{atom.arguments}", 0)


def _from_terms(terms: Iterable[tuple[Monomial, int]]) -> Size:
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    kept = sorted(((m, f) for m, f in total.items() if f), key=lambda t: (-len(t[0]), [_atom_key(a) for a in t[0]]))
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ():
        return kept[0][1]
    key = tuple(kept)
    found = Dim._interned.get(key)
    if found is None:
        with _interning:
            found = Dim._interned.get(key)
            if found is None:
                found = Dim()
                found.terms = key
                Dim._interned[key] = found
    return found


def _call(function: str, *arguments: Size) -> Size:
    return _from_terms([((Call(function, arguments),), 1)])


def _ordered(a: Size, b: Size) -> tuple[Size, Size]:
    return (a, b) if repr(a) <= repr(b) else (b, a)


def _divide_exactly(a: Size, b: Size) -> Size | None:
    """a / b if b is a single term that divides every term of a."""
    divisor = _terms(b)
    if len(divisor) != 1:
        return None
    (by, by_factor), = divisor
    result = []
    for monomial, factor in _terms(a):
        rest = list(monomial)
        for atom in by:
            if atom not in rest:
                return None
            rest.remove(atom)
        if factor % by_factor:
            return None
        result.append((tuple(rest), factor // by_factor))
    return _from_terms(result)


def _term_text(monomial: Monomial, factor: int) -> str:
    names = [a.name if isinstance(a, Symbol) else f"{a.function}({', '.join(map(str, a.arguments))})" for a in monomial]
    if not names:
        return str(factor)
    return "*".join(names) if factor == 1 else "*".join([str(factor), *names])
