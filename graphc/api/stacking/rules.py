"""How the operations of a stacked graph (graph.py) work on rows: by kind where a kind says it, else by type.

An op that adds up floating-point numbers has no rule: in which order it does depends on all sizes, and a row would not
have the bits that the element alone has.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.api.stacking.flat import counted
from graphc.api.stacking.state import EACH, NotStackable, Rule, Stacking, rank_of, sizes_of
from graphc.ir.axes import normalise_axes, normalise_axis
from graphc.ir.dtypes import string
from graphc.ir.op import Elementwise, Op, Reduction
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.strings.base import EachString

Results = Sequence[Tensor | None]


def rule_of(definition: Op) -> Rule:
    """The rule of an op. Raises NotStackable if it has none."""
    found = RULES.get(definition.type)
    if found is not None:
        return found
    if isinstance(definition, EachString):
        return _each(0)
    if isinstance(definition, Elementwise) and type(definition).permuted is Elementwise.permuted:
        return _elementwise
    if isinstance(definition, Reduction) and definition.combine in ("and", "or"):
        return _reduction
    raise NotStackable(f"{definition.type} has no rule")


def _elementwise(s: Stacking, op: Operation) -> Results:
    ranks = [rank_of(t) for t in op.inputs] if len(op.inputs) > 1 else [0]
    return s.copied(op, [s.aligned(t, max(ranks)) if len(op.inputs) > 1 else s.row(t) for t in op.inputs])


def _each(*rows: int) -> Rule:
    """The op does the same to each element of these operands; the others are the same for all."""
    def rule(s: Stacking, op: Operation) -> Results:
        return s.copied(op, [s.row(t) if i in rows else s.whole(t) for i, t in enumerate(op.inputs)])

    return rule


def _reduction(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    axes = normalise_axes(definition.axis, rank_of(op.inputs[0]))
    return [s.g.make(type(definition), s.row(op.inputs[0]), axis=[a + 1 for a in axes], keep_dims=definition.keep_dims)]


def _total(s: Stacking, op: Operation) -> Results:
    if not op.inputs[0].dtype.is_integer:
        raise NotStackable(f"{op.type} of {op.inputs[0].dtype.name} depends on the order")
    return _reduction(s, op)


# Shapes


def _reshape(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return [s.g.reshape(s.row(op.inputs[0]), [s.count(), *_known(definition.shape)])]


def _expand_dims(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return [s.g.expand_dims(s.row(op.inputs[0]), _behind_rows(definition.dim))]


def _squeeze(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    x, dropped = op.inputs[0], definition.squeeze_dims
    axes = normalise_axes(dropped, rank_of(x)) if dropped else [i for i, n in enumerate(sizes_of(x)) if n == 1]
    if not axes:
        return [s.g.identity(s.row(x))]
    return s.copied(op, [s.row(x)], squeeze_dims=tuple(a + 1 for a in axes))


def _transpose(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    perm = [p % max(1, rank_of(op.inputs[0])) for p in _known(definition.perm)]
    return [s.g.transpose(s.row(op.inputs[0]), [0, *(p + 1 for p in perm)])]


def _static(value: Callable[[list[int]], Any]) -> Rule:
    """What is known of an element's shape is the same for all."""
    def rule(s: Stacking, op: Operation) -> Results:
        definition: Any = op.definition
        s.same[op.outputs[0]] = s.g.constant(value(sizes_of(op.inputs[0])), getattr(definition, "out_type", None)
                                             or op.outputs[0].dtype)
        return [None]

    return rule


# Parts and wholes


def _pack(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return s.copied(op, [s.spread(t) for t in op.inputs], axis=_behind_rows(definition.axis))


def _unpack(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return s.copied(op, [s.row(op.inputs[0])], axis=_behind_rows(definition.axis))


def _concat(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return [s.g.concat_v2([s.spread(t) for t in op.inputs[:-1]], _behind_rows(definition.axis))]


def _split(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    made = s.g.split(_behind_rows(definition.split_dim), s.row(op.inputs[1]), num_split=definition.num_split)
    return made if isinstance(made, (tuple, list)) else [made]


def _strided_slice(s: Stacking, op: Operation) -> Results:
    d: Any = op.definition
    begin, end, strides = (_known(v) for v in (d.begin, d.end, d.strides))
    masks = {name: getattr(d, name) << 1 for name in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")}
    return [s.g.strided_slice(s.row(op.inputs[0]), [0, *begin], [0, *end], [1, *strides],
                              begin_mask=d.begin_mask << 1 | 1, end_mask=d.end_mask << 1 | 1, **masks)]


def _slice(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    begin, size = _known(definition.begin), _known(definition.size)
    return [s.g.slice(s.row(op.inputs[0]), [0, *begin], [-1, *size])]


def _pad(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    if definition.paddings is None:
        raise NotStackable("paddings are not known")
    pairs = [[0, 0], *([*_known(pair)] for pair in definition.paddings)]
    more = [s.whole(t) for t in op.inputs[2:]]
    fields = {"mode": definition.mode} if op.type == "MirrorPad" else {}
    return [s.g.make(type(definition), s.row(op.inputs[0]), pairs, *more, **fields)]


def _tile(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    return [s.g.tile(s.row(op.inputs[0]), [1, *_known(definition.multiples)])]


def _reverse(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    axes = normalise_axes(_known(definition.axis), rank_of(op.inputs[0]))
    return [s.g.reverse_v2(s.row(op.inputs[0]), [a + 1 for a in axes])]


def _one_hot(s: Stacking, op: Operation) -> Results:
    definition: Any = op.definition
    inputs = [s.row(op.inputs[0]), *(s.whole(t) for t in op.inputs[1:])]
    return s.copied(op, inputs, axis=_behind_rows(definition.axis))


def _gather(s: Stacking, op: Operation) -> Results:
    """Of a table that is the same for all, by rows of indices."""
    definition: Any = op.definition
    params = s.whole(op.inputs[0])
    if definition.batch_dims or normalise_axis(_known([definition.axis])[0], rank_of(op.inputs[0])):
        raise NotStackable("GatherV2 along another axis than the first")
    return s.copied(op, [params, s.row(op.inputs[1]), s.whole(op.inputs[2])])


def _select(s: Stacking, op: Operation) -> Results:
    """A vector of conditions chooses whole rows."""
    ranks = [rank_of(t) for t in op.inputs]
    if ranks[0] not in (0, ranks[1]):
        raise NotStackable("Select: the condition chooses rows of an element")
    return s.copied(op, [s.spread(t) for t in op.inputs])


# Strings


def _string_join(s: Stacking, op: Operation) -> Results:
    """Operands of one shape, or the same scalar for all."""
    ranks = {rank_of(t) for t in op.inputs if t in s.rows}
    if len(ranks) > 1 or any(rank_of(t) for t in op.inputs if t not in s.rows):
        raise NotStackable("StringJoin of scalars and vectors")
    return s.copied(op, [s.rows[t] if t in s.rows else s.whole(t) for t in op.inputs])


def _substr(s: Stacking, op: Operation) -> Results:
    """The same part of each string, or a part of its own."""
    if all(t in s.same and rank_of(t) == 0 for t in op.inputs[1:]):
        return s.copied(op, [s.row(op.inputs[0]), *(s.same[t] for t in op.inputs[1:])])
    if any(rank_of(t) != rank_of(op.inputs[0]) for t in op.inputs[1:]):
        raise NotStackable("Substr: several parts of a string")
    return s.copied(op, [s.spread(t) for t in op.inputs])


def _decode_csv(s: Stacking, op: Operation) -> Results:
    return s.copied(op, [s.row(op.inputs[0]), *(s.whole(t) for t in op.inputs[1:])])


def _parse_single_example(s: Stacking, op: Operation) -> Results:
    """As a batch of examples. Dense features whose number of values varies have rows of several lengths: none."""
    d: Any = op.definition
    if any(shape is None or any(not isinstance(n, int) or n < 0 for n in shape) for shape in d.dense_shapes):
        raise NotStackable("ParseSingleExample: a feature has no fixed shape")
    keys = [s.g.constant(key, string) for key in (*d.sparse_keys, *d.dense_keys)]
    defaults = [s.whole(t) for t in op.inputs[1:]]
    count, names = len(d.sparse_keys), s.g.constant([], string)
    made = s.g.parse_example(s.row(op.inputs[0]), names, [*keys, *defaults], Nsparse=count, Ndense=len(d.dense_keys),
                             sparse_types=d.sparse_types, Tdense=d.Tdense, dense_shapes=d.dense_shapes)
    made = made if isinstance(made, (tuple, list)) else [made]
    for i, (old, new) in enumerate(zip(op.outputs[:3 * count], made, strict=False)):
        s.sparse[old] = new, (op, i % count, i // count)
    for i in range(count):
        s.flat[op.outputs[count + i]] = made[count + i], counted(s, made[i][:, 0])
    return [*[None] * (3 * count), *made[3 * count:]]


def _split_string(s: Stacking, op: Operation) -> Results:
    """The parts of one string: of each element as many as it has."""
    if sizes_of(op.inputs[0]) != [1]:
        raise NotStackable(f"{op.type} of several strings")
    indices, values, _ = s.copied(op, [s.g.reshape(s.row(op.inputs[0]), [-1]), s.whole(op.inputs[1])])
    s.flat[op.outputs[1]] = values, counted(s, indices[:, 0])
    return [None, None, None]


def _known(values: Any) -> list[int]:
    """The numbers in a field, if all are known."""
    if values is None or any(not isinstance(v, int) for v in values):
        raise NotStackable("a field is not known")
    return list(values)


def _behind_rows(axis: Any) -> int:
    """An element's axis as one of the rows: counted from the end it is the same."""
    (known,) = _known([axis])
    return known + 1 if known >= 0 else known


RULES: Mapping[str, Rule] = {
    **{type_: _each(operand) for type_, operand in EACH.items()},
    "DecodeRaw": _each(0),
    **dict.fromkeys(("Sum", "Prod", "Max", "Min"), _total),
    "Reshape": _reshape,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Shape": _static(lambda sizes: sizes),
    "Size": _static(math.prod),
    "Rank": _static(len),
    "Pack": _pack,
    "Unpack": _unpack,
    "ConcatV2": _concat,
    "Split": _split,
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "Tile": _tile,
    "ReverseV2": _reverse,
    "OneHot": _one_hot,
    "GatherV2": _gather,
    "Select": _select,
    "StringJoin": _string_join,
    "Substr": _substr,
    "StringSplit": _split_string,
    "StringSplitV2": _split_string,
    "DecodeCSV": _decode_csv,
    "ParseSingleExample": _parse_single_example,
}
