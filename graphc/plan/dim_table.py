"""The dims of a body: Sizes (ir/dims.py) become rows of plan.Dim, each once, operands before users.

A symbol is an INPUT dim if it was registered as the size of an input's axis (`define_input`), else RUNTIME; a RUNTIME
dim must be bound by exactly one step, which asks for its id by `runtime`.
"""
from __future__ import annotations

from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.plan import plan
from graphc.plan.plan import DimKind

CALLS = {"floordiv": DimKind.FLOORDIV, "mod": DimKind.MOD, "min": DimKind.MIN, "max": DimKind.MAX,
         "equal": DimKind.EQUAL, "less": DimKind.LESS, "select": DimKind.SELECT, "broadcast": DimKind.BROADCAST}


class DimTable:
    """See the header."""

    def __init__(self) -> None:
        self._rows: list[plan.Dim] = []
        self._ids: dict[plan.Dim, int] = {}
        self._sizes: dict[Size, int] = {}
        self._symbols: dict[dims.Symbol, int] = {}
        self._runtime: dict[dims.Symbol, bool] = {}

    def rows(self) -> tuple[plan.Dim, ...]:
        return tuple(self._rows)

    def id(self, size: Size) -> int:
        found = self._sizes.get(size)
        if found is not None:
            return found
        if isinstance(size, int):
            self._sizes[size] = self._row(plan.Dim(DimKind.CONST, (), int(size)))
        for part in dims.operands_first(size, self._sizes.__contains__):
            self._sizes[part] = self._make(part)
        return self._sizes[size]

    def define_input(self, size: Size, index: int, axis: int) -> bool:
        """Says that symbol `size` is the size of an axis of an input of the body; False if it is defined already."""
        symbol = symbol_of(size)
        if symbol is None or symbol in self._symbols:
            return False
        self._symbols[symbol] = self._row(plan.Dim(DimKind.INPUT, (index, axis)))
        return True

    def input(self, index: int, axis: int) -> int:
        """The size of an input's axis, as a dim of its own."""
        return self._row(plan.Dim(DimKind.INPUT, (index, axis)))

    def is_unbound(self, size: Size) -> bool:
        """Whether `size` is a symbol that no input and no step before has made known."""
        symbol = symbol_of(size)
        return symbol is not None and (symbol not in self._symbols or self._runtime.get(symbol, False))

    def is_known(self, symbol: dims.Symbol) -> bool:
        return symbol in self._symbols and not self._runtime.get(symbol, False)

    def runtime(self, size: Size) -> int:
        """The RUNTIME dim that symbol `size` is, for the one step that binds it."""
        symbol = symbol_of(size)
        if symbol is None or not self.is_unbound(size):
            raise InternalError(f"the size {size} cannot be bound: it is no symbol, or bound already")
        number = self.id(size)
        self._runtime[symbol] = False
        return number

    def check_bound(self, body: str) -> None:
        unbound = [s.name for s, missing in self._runtime.items() if missing]
        if unbound:
            raise InternalError(f"no step of body {body} makes these sizes known: {', '.join(unbound)}")

    def _make(self, size: dims.Dim) -> int:
        """The row of a size whose calls' arguments have theirs."""
        total: int | None = None
        for monomial, factor in size.terms:
            term = self._monomial(monomial, abs(factor))
            if total is None:
                total = term if factor > 0 else self._row(plan.Dim(DimKind.SUB, (self.id(0), term)))
            else:
                total = self._row(plan.Dim(DimKind.ADD if factor > 0 else DimKind.SUB, (total, term)))
        assert total is not None
        return total

    def _monomial(self, monomial: dims.Monomial, factor: int) -> int:
        ids = [self._atom(a) for a in monomial]
        if factor != 1 or not ids:
            ids.append(self.id(factor))
        product = ids[0]
        for other in ids[1:]:
            product = self._row(plan.Dim(DimKind.MUL, (product, other)))
        return product

    def _atom(self, atom: dims.Atom) -> int:
        if isinstance(atom, dims.Call):
            return self._row(plan.Dim(CALLS[atom.function], tuple(self.id(a) for a in atom.arguments)))
        found = self._symbols.get(atom)
        if found is None:
            found = len(self._rows)
            self._rows.append(plan.Dim(DimKind.RUNTIME))   # never shared: every symbol has a row of its own
            self._symbols[atom] = found
            self._runtime[atom] = True
        return found

    def _row(self, row: plan.Dim) -> int:
        found = self._ids.get(row)
        if found is None:
            found = len(self._rows)
            self._rows.append(row)
            self._ids[row] = found
        return found


def symbol_of(size: Size) -> dims.Symbol | None:
    """The symbol, if `size` is just one."""
    if isinstance(size, dims.Dim) and len(size.terms) == 1:
        monomial, factor = size.terms[0]
        if factor == 1 and len(monomial) == 1 and isinstance(monomial[0], dims.Symbol):
            return monomial[0]
    return None
