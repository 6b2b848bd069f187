"""How an op's lowering ends the run because of values that it finds: they are counted, and a guard wants none."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_, int64
from graphc.ir.known import regrouped


def count_of(b: Any, wrong: Callable[..., Any], inputs: Sequence[Any], shape: Sequence[Size]) -> Size:
    """A size: at how many places of `shape` the scalar function wrong(s, *inputs) is true. Known behind this step."""
    found, total = b.temporary(bool_, shape), b.temporary(int64, ())
    b.map(wrong, [x.broadcast(shape) for x in inputs], [found])
    flat = regrouped(found, (dims.product(shape),))
    b.reduce("add", flat, total, (0,), element=lambda s, flag: s.cast(flag, int64))
    count = dims.symbol("refused", ("runtime", "refused"))
    b.bind(total, [count])
    return count


def require_none(b: Any, wrong: Callable[..., Any], inputs: Sequence[Any], shape: Sequence[Size], message: str) -> None:
    """Ends the run with `message` if wrong(s, *inputs) is true anywhere."""
    b.require("equal", count_of(b, wrong, inputs, shape), 0, f"{message}; such values and how many there may be")
