"""Other shapes for a sample's operands, which still go together."""
from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from sparse_values import KEPT

from graphc.ir.op import Elementwise, Op, Sample

SIZES = (1, 2, 3, 5, 7, 17, 31)
Shapes = list[tuple[int, ...]]


def moved(value: Any, sizes: dict[int, int]) -> Any:
    """value, a size or a tuple, with its sizes exchanged."""
    if isinstance(value, tuple):
        return tuple(moved(v, sizes) for v in value)
    return sizes.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def has_structure(given: Any) -> bool:
    """Whether an operand of a sample is an array that has one size only: numbers that mean something together."""
    return not isinstance(given, tuple) and np.asarray(given).dtype.kind not in "biu"


@st.composite
def changed_shapes(draw: st.DrawFn, op: type[Op], sample: Sample) -> tuple[dict[int, int], Shapes]:
    """(what each size of the sample becomes, the shapes, maybe of other ranks too). One case of four has zeros."""
    least = draw(st.sampled_from((0, 1, 1, 1)))
    pool = (0, 0, *SIZES) if least == 0 else SIZES
    given = [tuple(x) if isinstance(x, tuple) else np.shape(x) for x in sample.inputs]
    if op.type in KEPT:
        return {}, given
    fixed = {n for x in sample.inputs if has_structure(x) for n in np.shape(x)}
    found = sorted({n for shape in given for n in shape if n > 1} - fixed)
    sizes = draw(st.fixed_dictionaries({n: st.sampled_from((n, n, n, *pool)) for n in found}))
    shapes = [moved(shape, sizes) for shape in given]
    if any(has_structure(x) for x in sample.inputs) or not shapes:
        return sizes, shapes
    free = issubclass(op, Elementwise) and not op.operands[0].endswith("*")
    if free and draw(st.integers(0, 3)):
        return sizes, draw(_broadcasting(len(shapes), least, pool))
    how = draw(st.sampled_from(("same", "same", "rank", "count")))
    if how == "count" and op.is_variadic() and len(set(given)) == 1:
        return sizes, [shapes[0]] * draw(st.integers(1, 5))
    if how == "rank":
        return sizes, draw(_other_rank(shapes, pool))
    return sizes, shapes


def _broadcasting(count: int, least: int, pool: tuple[int, ...]) -> st.SearchStrategy[Shapes]:
    drawn = mutually_broadcastable_shapes(num_shapes=count, max_dims=4, max_side=5, min_side=least)
    single = st.lists(st.sampled_from(pool), max_size=4).map(tuple)
    equal = single.filter(lambda shape: np.prod(shape) <= 5000).map(lambda shape: [shape] * count)
    return st.one_of(equal, drawn.map(lambda found: [tuple(shape) for shape in found.input_shapes]))


@st.composite
def _other_rank(draw: st.DrawFn, shapes: Shapes, pool: tuple[int, ...]) -> Shapes:
    """More axes in front of the operands of the highest rank, or fewer; a wholly other shape if all have the same."""
    highest = max(map(len, shapes))
    if len(set(shapes)) == 1 and draw(st.booleans()):
        return [tuple(draw(st.lists(st.sampled_from(pool[:-1]), max_size=4)))] * len(shapes)
    front = tuple(draw(st.lists(st.sampled_from(pool[:5]), max_size=max(1, 4 - highest))))
    cut = 0 if front else draw(st.integers(0, highest))
    return [front + shape[cut:] if len(shape) == highest else shape for shape in shapes]
