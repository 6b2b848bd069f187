"""Elements of small integer tensors that only running tells, in terms of those of other tensors.

A shape such as [n, 3] with a fed n is a Pack of n and 3: its elements are n's one element and 3. Seen so, equal sizes
stay provably equal wherever they are used, and what is known stays known.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import int32, int64
from graphc.ir.op import Composite, Effect, Op
from graphc.ir.spec import Spec

ELEMENTS = 16     # of an operand, at most
DEPTH = 40        # of operands' operands

Elements = tuple[Size, ...]


def from_operands(op: Op, operands: Sequence[Spec], elements: Callable[[int], Elements | None]) -> Elements | None:
    """The elements of op's one result as its `infer` gives them, once elements(i) says those of each operand.

    None if it gives none.
    """
    if op.effect != Effect.PURE or isinstance(op, Composite) or not operands or not all(map(_is_small, operands)):
        return None
    given = [spec.with_value(elements(i)) for i, spec in enumerate(operands)]
    if any(spec.value is None for spec in given):
        return None
    try:
        made = op.infer(*given)
    except (ValueError, TypeError):
        return None               # the values do not fit: whoever uses them says so
    if not isinstance(made, Spec) or not _is_small(made) or made.value is None:
        return None
    return None if any(map(_may_divide_by_zero, made.value)) else made.value


def _may_divide_by_zero(size: Size) -> bool:
    """Whether only running tells; then the op itself computes it, and its error names it."""
    return any(isinstance(atom, dims.Call) and atom.function in ("floordiv", "mod")
               and not isinstance(atom.arguments[1], int) for atom in dims.atoms(size))


def _is_small(spec: Spec) -> bool:
    count = None if spec.shape is None else dims.product(spec.shape)
    return spec.dtype in (int32, int64) and isinstance(count, int) and 0 < count <= ELEMENTS
