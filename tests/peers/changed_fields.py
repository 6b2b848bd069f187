"""Other values for an op's fields: all that its attributes may have, axes of the operands, shapes that fit."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from graphc.ir.dtypes import COMPUTED
from graphc.ir.op import Op

from samples import registered

AXES = {"axis", "dim", "dimension", "concat_dim", "split_dim", "batch_dims", "batch_dim", "seq_dim"}
KEPT = {
    "seed",
    "seed2",
    "key",
    "message",
    "vocab_file",
    "unigrams",
    "use_cudnn_on_gpu",
    "explicit_paddings",
    "num_shards",
    "shard",
}
STRINGS = {
    "padding": ("SAME", "VALID"),
    "mode": ("REFLECT", "SYMMETRIC"),
    "method": ("bilinear", "nearest"),
    "dct_method": ("INTEGER_FAST", "INTEGER_ACCURATE"),
    "round_mode": ("HALF_UP", "HALF_TO_EVEN"),
}
TYPES = tuple(COMPUTED)


@st.composite
def changed_fields(
    draw: st.DrawFn, op: type[Op], given: dict[str, Any], shapes: list[tuple[int, ...]]
) -> dict[str, Any]:
    """The fields, each with another value or not; what does not fit the shapes is for the caller to find."""
    shape = max(shapes, key=len, default=())
    whole = {f.name: given.get(f.name, f.default) for f in dataclasses.fields(op)}
    special = SPECIAL.get(op.type)
    if special is not None:
        return {**given, **draw(special(whole, shapes))}
    found = dict(given)
    for f in dataclasses.fields(op):
        value = whole[f.name]
        if f.name in KEPT or value is dataclasses.MISSING:
            continue
        if f.metadata.get("operand"):
            changed = draw(_operand(op, f.name, f.metadata["kind"], value, shape))
        else:
            changed = draw(_attribute(op, f.name, f.metadata["kind"], value, len(shape)))
        if f.name in given or changed != value:
            found[f.name] = changed
    return found


def _pool(op: type[Op], name: str, value: Any) -> list[Any]:
    """The values of a field in all samples."""
    return [value, *(s.attributes[name] for s in op.samples if name in s.attributes)]


def _attribute(op: type[Op], name: str, kind: str, value: Any, rank: int) -> st.SearchStrategy[Any]:
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.sampled_from((value, *STRINGS[name])) if name in STRINGS else st.just(value)
    if kind == "int" and name in AXES:
        return st.one_of(st.just(value), st.integers(-rank - 1, rank))
    if kind == "type":
        return st.sampled_from((value, value, *TYPES))
    if kind == "int":
        return st.sampled_from(
            [v for v in (*_pool(op, name, value), value + 1, value - 1) if v >= 0 or v in _pool(op, name, value)]
        )
    if kind == "float":
        pool = _pool(op, name, value)
        return st.sampled_from([*pool, *[v / 2 for v in pool]])
    if kind == "list(int)" and isinstance(value, tuple):
        alike = [v for v in _pool(op, name, value) if len(v) == len(value)]
        free = [len({v[i] for v in alike}) > 1 for i in range(len(value))]
        return st.tuples(*[st.integers(1, 3) if f else st.just(v) for v, f in zip(value, free, strict=True)])
    return st.just(value)


def _operand(op: type[Op], name: str, kind: str, value: Any, shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    rank = len(shape)
    if name == "perm":
        return st.permutations(range(rank)).map(tuple)
    if name == "axis" and kind in ("int_or_ints", "ints"):
        return st.lists(
            st.integers(-rank, max(rank - 1, 0)), unique_by=lambda a: a % max(rank, 1), max_size=rank
        ).map(tuple)
    if name in AXES:
        return st.integers(-rank - (name == "dim"), max(rank - 1, 0))
    if kind == "pairs":
        return (
            st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=rank, max_size=rank).map(tuple)
            if (len(value) == rank or op.type in ("Pad", "PadV2", "MirrorPad"))
            else st.just(value)
        )
    if name in ("block_shape", "crop_size") or (name == "size" and op.type.startswith("Resize")):
        return st.tuples(*[st.integers(1, 4) for _ in value])
    if kind == "int":
        return st.sampled_from([*_pool(op, name, value), value + 1])
    return st.just(value)


@st.composite
def _slice(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    begin = [draw(st.integers(0, n)) for n in shapes[0]]
    size = [draw(st.sampled_from([-1, *range(n - b + 1)])) for n, b in zip(shapes[0], begin, strict=True)]
    return {"begin": tuple(begin), "size": tuple(size)}


@st.composite
def _strided(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    count = draw(st.integers(0, len(shapes[0]) + 1))
    sizes = [*shapes[0], 3, 3][:count]
    found = {name: tuple(draw(st.integers(-n - 2, n + 2)) for n in sizes) for name in ("begin", "end")}
    found["strides"] = tuple(draw(st.sampled_from((1, 1, 1, 2, 3, -1, -2))) for _ in sizes)
    for name in ("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask"):
        found[name] = draw(st.one_of(st.just(0), st.integers(0, 2**count - 1)))
    found["ellipsis_mask"] = draw(st.sampled_from([0, 0, *[1 << i for i in range(count)]]))
    return found


@st.composite
def _reshape(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    """The elements under another shape: factors of their number, one maybe as -1."""
    left, sizes = int(np.prod(shapes[0])), []
    for _ in range(draw(st.integers(0, 3))):
        factor = draw(st.sampled_from([n for n in (1, 2, 3, 5, 7, 17) if left % n == 0]))
        sizes.append(factor)
        left //= factor
    sizes.insert(draw(st.integers(0, len(sizes))), left)
    if 0 not in sizes and draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return {"shape": tuple(sizes)}


@st.composite
def _broadcast_to(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    front = tuple(draw(st.lists(st.integers(0, 4), max_size=4 - min(4, len(shapes[0])))))
    return {"shape": front + tuple(draw(st.integers(0, 4)) if n == 1 else n for n in shapes[0])}


@st.composite
def _tile(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    return {"multiples": tuple(draw(st.integers(0, 3)) for _ in shapes[0])}


@st.composite
def _fill(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    return {"dims": tuple(draw(st.lists(st.integers(0, 5), max_size=4)))}


@st.composite
def _range(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    delta = draw(st.integers(-4, 4).filter(bool))
    return {"start": draw(st.integers(-9, 9)), "limit": draw(st.integers(-9, 40)), "delta": delta}


@st.composite
def _squeeze(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    rank = len(shapes[0])
    ones = [i for i, n in enumerate(shapes[0]) if n == 1]
    chosen = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
    return {"squeeze_dims": tuple(draw(st.sampled_from((i, i - rank))) for i in chosen)}


@st.composite
def _split(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    rank = len(shapes[0])
    axis = draw(st.integers(-rank, rank - 1)) if rank else 0
    size = shapes[0][axis] if rank else 1
    return {"split_dim": axis, "num_split": draw(st.sampled_from([n for n in range(1, 8) if size % n == 0]))}


@st.composite
def _split_sizes(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    rank = len(shapes[0])
    axis = draw(st.integers(-rank, rank - 1)) if rank else 0
    left, sizes = shapes[0][axis] if rank else 1, []
    for _ in range(draw(st.integers(0, 3))):
        sizes.append(draw(st.integers(0, left)))
        left -= sizes[-1]
    sizes.append(left)
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return {"split_dim": axis, "size_splits": tuple(sizes), "num_split": len(sizes)}


@st.composite
def _roll(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    rank = len(shapes[0])
    axes = draw(st.lists(st.integers(-rank, rank - 1), max_size=3)) if rank else []
    return {"axis": tuple(axes), "shift": tuple(draw(st.integers(-40, 40)) for _ in axes)}


def _shape_of_terms(given: dict[str, Any], shapes: list[tuple[int, ...]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(({"shape": None}, {"shape": shapes[0]}))


@st.composite
def _diagonal(draw: st.DrawFn, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    low = draw(st.integers(-3, 3))
    return {"k": draw(st.sampled_from(((low,), (low, low), (low, draw(st.integers(low, low + 3))))))}


def _as_they_are(given: dict[str, Any], shapes: list[tuple[int, ...]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.just({})


SPECIAL = {
    "Const": _as_they_are,
    "Slice": _slice,
    "StridedSlice": _strided,
    "Reshape": _reshape,
    "BroadcastTo": _broadcast_to,
    "Tile": _tile,
    "Fill": _fill,
    "Range": _range,
    "Squeeze": _squeeze,
    "Split": _split,
    "SplitV": _split_sizes,
    "Roll": _roll,
    "MatrixDiagPartV2": _diagonal,
    "AccumulateNV2": _shape_of_terms,
}
assert set(SPECIAL) <= set(registered())
