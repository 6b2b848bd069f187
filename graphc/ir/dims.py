"""Sizes of axes: integers, or polynomials over symbols and a few functions of them.

A known size is a plain int; a `Dim` is a size that is not known yet. Arithmetic between the two gives an int whenever
the result is known, so the rest of the compiler writes `shape[0] * 2` and does not ask which one it holds.

A Dim is a sum of integer multiples of products of atoms, kept in one canonical form and hash-consed: two Dims that are
provably equal (by commutativity, distribution, cancellation) are the same object, so `is`, `==` and `hash` agree.
An atom is a Symbol or a Call: floordiv, mod, min, max, equal, less, select, broadcast (meanings: plan.DimKind).

Calls share arguments, so a size is a graph whose tree may be exponentially larger: everything here walks it as a graph,
and orders by keys of bounded length.
"""
from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, TypeVar, Union

from graphc.ir.locks import new_reentrant_lock
from graphc.ir.records import dataclass

Size = Union[int, "Dim"]
SizeT = TypeVar("SizeT", int, Size)
KEY_LENGTH = 120
TEXT_LENGTH = 80       # of an argument, in the text of a size


@dataclass(frozen=True, eq=False)
class Symbol:
    """A size with a name of its own. `source` tells lowering where it comes from (a feed's axis, a tensor's value)."""

    name: str
    source: Any = None


@dataclass(frozen=True)
class Call:
    """A function of sizes that is no polynomial. key: see `_bounded`."""

    function: str
    arguments: tuple[Size, ...]
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _bounded(f"~{self.function}({', '.join(map(_key, self.arguments))})"))


Atom = Union[Symbol, Call]
Monomial = tuple[Atom, ...]
_interning = new_reentrant_lock()


class Dim:
    """A size that is not a known int. Make one with `symbol` or by arithmetic; never call this class yourself."""

    __slots__ = ("__weakref__", "_is_nonnegative", "_text", "key", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    key: str                        # of the terms, see `_bounded`
    _text: str | None
    _is_nonnegative: bool | None
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
        for part in operands_first(self, lambda size: size._text is not None):
            part._text = " + ".join(_term_text(monomial, factor) for monomial, factor in part.terms)
        assert self._text is not None
        return self._text

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


def truncdiv(a: Size, b: Size) -> Size:
    """a / b, rounded towards 0."""
    if nonnegative(a) and nonnegative(b):
        return floordiv(a, b)
    toward_zero = select(less(a, 0), -floordiv(-a, b), floordiv(a, b))
    if nonnegative(b):
        return toward_zero
    return select(less(b, 0), select(less(a, 0), floordiv(-a, -b), -floordiv(a, -b)), toward_zero)


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
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if isinstance(a, int) and isinstance(b, int):
        raise ValueError(f"sizes {a} and {b} do not broadcast")
    # Nested ones are taken apart, so that what broadcasting gives again is the same size again.
    first, *others = sorted({*_broadcast_parts(a), *_broadcast_parts(b)}, key=_key)
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
    return a == b      # a Dim is equal to itself alone


def different(a: Size, b: Size) -> bool:
    """Whether a and b are provably unequal."""
    if a is b:
        return False
    if isinstance(a, int) and isinstance(b, int):
        return a != b
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
    waiting = [size]
    while waiting:
        for monomial, _ in _terms(waiting.pop()):
            for atom in monomial:
                if atom not in found:
                    found.add(atom)
                    if isinstance(atom, Call):
                        waiting += atom.arguments
    return found


def operands_first(size: Size, is_done: Callable[[Dim], bool]) -> Iterator[Dim]:
    """The Dims in `size`, each behind those in the arguments of its calls, `size` last. Left out are those that are
    done, with what is in them; what was given is to be done before the next one is asked for. So no function of sizes
    calls itself deeper for a size that a long program has nested deeply."""
    waiting = [size]
    while waiting:
        top = waiting[-1]
        if isinstance(top, int) or is_done(top):
            waiting.pop()
            continue
        before = [a for monomial, _ in top.terms for atom in monomial if isinstance(atom, Call) for a in atom.arguments
                  if isinstance(a, Dim) and not is_done(a)]
        if before:
            waiting += reversed(before)
        else:
            waiting.pop()
            yield top


def nonnegative(size: Size) -> bool:
    """Whether `size` is provably >= 0: sums of products of sizes of axes are, elements of fed tensors may not be."""
    if isinstance(size, int):
        return size >= 0
    for part in operands_first(size, lambda dim: dim._is_nonnegative is not None):
        part._is_nonnegative = all(factor >= 0 and all(_nonnegative_atom(atom) for atom in monomial)
                                   for monomial, factor in part.terms)
    return bool(size._is_nonnegative)


def _nonnegative_atom(atom: Atom) -> bool:
    if isinstance(atom, Symbol):
        return not (isinstance(atom.source, tuple) and atom.source[0] == "value")
    if atom.function == "max":
        return any(nonnegative(a) for a in atom.arguments)
    if atom.function in ("less", "equal"):
        return True
    return all(nonnegative(a) for a in atom.arguments)


FUNCTIONS: Mapping[str, Callable[..., Size]] = {
    "floordiv": floordiv, "mod": mod, "min": minimum, "max": maximum, "equal": equal, "less": less,
    "select": select, "broadcast": broadcast,
}


def substitute(size: Size, values: Mapping[Symbol, Size]) -> Size:
    """`size` with symbols replaced; symbols that `values` does not name stay."""
    done: dict[Dim, Size] = {}
    for part in operands_first(size, done.__contains__):
        found: Size = 0
        for monomial, factor in part.terms:
            term: Size = factor
            for atom in monomial:
                term = term * _substitute_atom(atom, values, done)
            found = found + term
        done[part] = found
    return _found(size, done)


def _found(size: Size, done: Mapping[Dim, SizeT]) -> SizeT | int:
    return size if isinstance(size, int) else done[size]


def _substitute_atom(atom: Atom, values: Mapping[Symbol, Size], done: dict[Dim, Size]) -> Size:
    if isinstance(atom, Call):
        return FUNCTIONS[atom.function](*(_found(a, done) for a in atom.arguments))
    return values[atom] if atom in values else _from_terms([((atom,), 1)])


def estimate(size: Size, each: int) -> int:
    """About what `size` is if every symbol is `each`; for costs, so that numbers that do not fit raise nothing."""
    done: dict[Dim, int] = {}
    for part in operands_first(size, done.__contains__):
        done[part] = 0
        for monomial, factor in part.terms:
            for atom in monomial:
                factor *= each if isinstance(atom, Symbol) else _estimated_call(atom, done)
            done[part] += factor
    return _found(size, done)


def _estimated_call(call: Call, done: Mapping[Dim, int]) -> int:
    values = [_found(a, done) for a in call.arguments]
    if call.function == "broadcast":
        return max(values)
    if call.function in ("floordiv", "mod") and values[1] == 0:
        return 0
    known = FUNCTIONS[call.function](*values)
    assert isinstance(known, int)
    return known


def _terms(size: Size) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(size, Dim):
        return size.terms
    return (((), int(size)),) if size else ()


def _merge(m: Monomial, n: Monomial) -> Monomial:
    return tuple(sorted((*m, *n), key=_atom_key))


def _atom_key(atom: Atom) -> tuple[str, int]:
    # Names first, so that texts do not change from run to run; the id separates symbols of one name.
    return (atom.name, id(atom)) if isinstance(atom, Symbol) else (atom.key, 0)


def _key(size: Size) -> str:
    return str(size) if isinstance(size, int) else size.key


def _bounded(key: str) -> str:
    """The key itself, or something short in its place: what orders sizes, the same in every process."""
    return key if len(key) <= KEY_LENGTH else f"~{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"


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
                found.key = _bounded(" + ".join(_term_key(monomial, factor) for monomial, factor in key))
                found._text = found._is_nonnegative = None
                Dim._interned[key] = found
    return found


def _call(function: str, *arguments: Size) -> Size:
    return _from_terms([((Call(function, arguments),), 1)])


def _ordered(a: Size, b: Size) -> tuple[Size, Size]:
    return (a, b) if _key(a) <= _key(b) else (b, a)


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


def _term_key(monomial: Monomial, factor: int) -> str:
    return "*".join([str(factor), *(_atom_key(a)[0] for a in monomial)])


def _term_text(monomial: Monomial, factor: int) -> str:
    names = [a.name if isinstance(a, Symbol) else f"{a.function}({', '.join(map(_shortened, a.arguments))})"
             for a in monomial]
    if not names:
        return str(factor)
    return "*".join(names) if factor == 1 else "*".join([str(factor), *names])


def _shortened(size: Size) -> str:
    text = str(size)
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH - 3] + "..."
