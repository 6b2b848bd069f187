"""How an op's lowering ends the run because of values that it finds: they are counted, and a guard wants none."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_, int64
from graphc.ir.known import regrouped


def counts_of(b: Any, wrongs: Sequence[Callable[..., Any]], inputs: Sequence[Any], shape: Sequence[Size]) -> list[Size]:
    """For each scalar function, a size: at how many places of `shape` wrong(s, *inputs) is true. Known behind here."""
    totals = b.temporary(int64, (len(wrongs),))
    for i, wrong in enumerate(wrongs):
        found = b.temporary(bool_, shape)
        b.map(wrong, [x.broadcast(shape) for x in inputs], [found])
        flat = regrouped(found, (dims.product(shape),))
        b.reduce("add", flat, totals.select(0, i), (0,), element=lambda s, flag: s.cast(flag, int64))
    made: list[Size] = [dims.symbol("refused", ("runtime", "refused")) for _ in wrongs]
    b.bind(totals, made)
    return made


def require_none(b: Any, wrong: Callable[..., Any], inputs: Sequence[Any], shape: Sequence[Size], message: str) -> None:
    """Ends the run with `message` if wrong(s, *inputs) is true anywhere."""
    (count,) = counts_of(b, [wrong], inputs, shape)
    b.require("equal", count, 0, f"{message}; such values and how many there may be")


def require_order(b: Any, low: Any, high: Any, count: Size, message: str) -> None:
    """Ends the run with `message` and both numbers unless low < high or count is 0. low, high: scalars of integers.

    What the guard compares is 0 and 1 as long as they are in order, so that other bounds bind nothing again."""
    bounds = b.temporary(int64, (2,))
    for place in range(2):
        def shown(s: Any, x: Any, y: Any, place: int = place) -> Any:
            wide = [s.cast(v, int64) for v in (x, y)]
            return s("select", s("less", *wide), s.constant(place, int64), wide[place])

        b.map(shown, [low, high], [bounds.select(0, place)])
    first, second = (dims.symbol(name, ("runtime", name)) for name in ("minval", "maxval"))
    b.bind(bounds, [first, second])
    none = dims.equal(count, 0)
    b.require("less", dims.select(none, 0, first), dims.select(none, 1, second), message)
