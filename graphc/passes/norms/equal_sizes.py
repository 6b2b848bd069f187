"""EqualSizes: which sizes of a flow are equal if its requirements hold.

Of sizes that a node requires to be equal each keeps its own symbol, and so do shapes that are made of them. Who makes
use of that they are equal requires it, too: the run ends with a message about the user's line where they are not.
"""
from __future__ import annotations

from graphc.ir import dims
from graphc.ir.dims import Call, Dim, Size
from graphc.ir.node import Flow
from graphc.ir.spec import Shape


class EqualSizes:
    """same(a, b): whether they are equal, if requirements hold."""

    def __init__(self, flow: Flow) -> None:
        self.known: dict[Size, Size] = {}          # a size to one that it equals, which is made of less
        self._found: dict[Size, Size] = {}         # what canonical gave: sizes share parts, whose tree may be huge
        for node in flow.nodes():
            for required in node.requirements:
                if required.relation == "equal":
                    self._join(self.canonical(required.a), self.canonical(required.b))

    def _join(self, a: Size, b: Size) -> None:
        """The one that is made of more gives way, so that no size leads back to itself."""
        if not dims.same(a, b):
            more, less = sorted((a, b), key=_order, reverse=True)
            self.known[more] = less
            self._found.clear()

    def canonical(self, size: Size) -> Size:
        """The one of all equal sizes that stands for them."""
        for part in dims.operands_first(size, self._found.__contains__):
            self._found[part] = self._simplest(part)
        return self._found.get(size, size)

    def _simplest(self, size: Size) -> Size:
        while isinstance(size, Dim):
            simpler = self.known.get(size)
            simpler = self._without_call(size) if simpler is None else simpler
            if simpler is None:
                return size
            size = simpler
        return size

    def _without_call(self, size: Dim) -> Size | None:
        """broadcast(a, a) = a; select(equal(1, a), a, 1) = 1"""
        ((monomial, factor), *more) = size.terms
        if more or factor != 1 or len(monomial) != 1 or not isinstance(monomial[0], Call):
            return None
        function, arguments = monomial[0].function, monomial[0].arguments
        if function == "broadcast":
            found = {self.canonical(a) for a in arguments}
            return found.pop() if len(found) == 1 else None
        if function == "select":
            condition, then, otherwise = arguments
            asked = [self.canonical(a) for a in _arguments_of(condition, "equal")]
            if 1 in asked and dims.same(otherwise, 1) and self.canonical(then) in asked:
                return 1
        return None

    def same(self, a: Size, b: Size) -> bool:
        return dims.same(a, b) or dims.same(self.canonical(a), self.canonical(b))

    def same_shape(self, a: Shape | None, b: Shape) -> bool:
        return a is not None and len(a) == len(b) and all(map(self.same, a, b))


def _order(size: Size) -> tuple[int, int, str]:
    return (len(dims.atoms(size)), len(size.key), size.key) if isinstance(size, Dim) else (0, 0, "")


def _arguments_of(size: Size, function: str) -> tuple[Size, ...]:
    if isinstance(size, Dim) and len(size.terms) == 1 and size.terms[0][1] == 1:
        atoms = size.terms[0][0]
        if len(atoms) == 1 and isinstance(atoms[0], Call) and atoms[0].function == function:
            return atoms[0].arguments
    return ()
