"""The tile primitives that the library exports: PRIMITIVES, from the scalars and the row reductions.

A primitive works on contiguous tiles of n elements: (dst, a, ..., n), where dst may be any of the inputs; or (acc,
src, b, c, d, n) for "reduce.<op>", which combines each row of src into an element of acc, or four lines into the line
acc.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .contracts.dtypes import NUMBERS
from .scalars import SCALARS
from .scalars.tiles import reduce_loop, tile_loop


class Primitive(NamedTuple):
    name: str
    result: str
    arguments: tuple[str, ...]
    function: Callable[..., Any]

    @property
    def is_reduce(self) -> bool:
        return self.name.startswith("reduce.")


def _reduces() -> list[Primitive]:
    rows = []
    for op in ("add", "mul", "max", "min", "and", "or"):
        for dtype in ("bool",) if op in ("and", "or") else NUMBERS:
            rows.append(Primitive(f"reduce.{op}.{dtype}.{dtype}", dtype, (dtype,), reduce_loop(op)))
    return rows


PRIMITIVES: tuple[Primitive, ...] = (
    *(Primitive(s.name, s.result, s.arguments, tile_loop(s.name, s.function, len(s.arguments))) for s in SCALARS),
    *_reduces(),
)
