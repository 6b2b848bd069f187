"""Records of several values, which kernels read: lines with commas (kernels/strings/csv.py), and tf.train.Example
(kernels/strings/example.py)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.exec.strings.calls import KINDS, Call, Native, Words, address_of_bytes, count_of, table_of
from graphc.exec.strings.table import TABLE, address_of
from graphc.ir.dtypes import DType, float32, int64, string
from graphc.kernels.strings import tables as t

_LISTS = {string: t.BYTES_LIST, float32: t.FLOAT_LIST, int64: t.INT64_LIST}
_ZERO = np.zeros(1, np.int64)
KEYS_KEPT = 64                             # sets of names of features that a function has been called with


def decode_csv(op: Any) -> Native:
    kinds = [t.TEXT if dtype == string else KINDS[dtype] for dtype in op.OUT_TYPE]
    fields = op.select_cols or range(len(kinds))
    comma, missing = op.field_delim.encode()[0], op.na_value.encode()

    def run(call: Call) -> bool:
        if len(call) != len(kinds) + 1:
            return False
        shape, lines = call.place(0)
        count = count_of(shape)
        columns = table_of([(field, kind, call.reserve(i, shape, dtype), *_default(kind, *call.place(i + 1, dtype)))
                            for i, (field, kind, dtype) in enumerate(zip(fields, kinds, op.OUT_TYPE, strict=True))])
        return call.making("read_lines", lines, count, columns.address, len(kinds), bool(op.select_cols), comma,
                           op.use_quote_delim, address_of_bytes(missing), len(missing)) == count

    return run


def _default(kind: int, shape: tuple[int, ...], address: int) -> tuple[int, int]:
    """Whether there is one, and its word."""
    if not count_of(shape):
        return 0, 0
    return 1, Words.int_at(address) if kind in (t.FLOAT, t.INT) else Words.from_address(address)


@dataclass(frozen=True)
class _Result:
    """How a feature is given: its key and dtype, and of a dense one the sizes of an example's values (the first is None
    if it varies); None: as a sparse tensor."""

    key: bytes
    dtype: DType
    sizes: tuple[int | None, ...] | None

    @property
    def kind(self) -> int:
        return _LISTS[self.dtype]


def parse_example(op: Any) -> Native | None:
    keyed = op.Nsparse + op.Ndense
    known: dict[tuple[int, ...], _Parse] = {}

    def run(call: Call) -> bool:
        (shape, examples), (names, _) = call.place(0), call.place(1)
        if len(shape) != 1 or len(call) != 2 + keyed + op.Ndense:
            return False
        keys = [call.scalar(2 + i) for i in range(keyed)]
        numbers = tuple(map(Words.from_address, keys))
        parse = known.get(numbers)
        if parse is None:
            if len(known) >= KEYS_KEPT:
                known.clear()
            texts = [TABLE.strings_at((), address).item() for address in keys]
            parse = known[numbers] = _Parse(op, texts, True)
        return count_of(names) in (0, shape[0]) and parse.run(call, shape[0], examples, 2 + keyed)

    return run


def parse_single_example(op: Any) -> Native:
    parse = _Parse(op, [key.encode() for key in (*op.sparse_keys, *op.dense_keys)], False)
    return lambda call: parse.run(call, 1, call.scalar(0), 1)


def _results(op: Any, keys: Sequence[bytes]) -> list[_Result]:
    sizes = [None] * len(op.sparse_types) + [_sizes(shape) for shape in op.dense_shapes]
    return [_Result(*each) for each in zip(keys, (*op.sparse_types, *op.Tdense), sizes, strict=True)]


def _sizes(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if size in (None, -1) else int(size) for size in shape or ())


class _Parse:
    """Reads examples as some results, the sparse ones first. batch: the results have an axis of examples."""

    def __init__(self, op: Any, keys: Sequence[bytes], batch: bool) -> None:
        self.results, self.sparse, self.batch = _results(op, keys), len(op.sparse_types), batch
        self.features = [(address_of_bytes(r.key), len(r.key), r.kind, 0, 0, 0, 0) for r in self.results]
        self.twice = len(set(keys)) < len(keys)

    def run(self, call: Call, count: int, examples: int, first_default: int) -> bool:
        """Whether all could be done. first_default: the operand with the first dense feature's default."""
        if self.twice:                     # the kernel looks for one feature by each name
            return False
        features = table_of(self.features)
        found = np.empty(t.FOUND_WORDS * len(self.results) * count, np.int64)
        where = features.address, len(self.results), address_of(found)
        if call.kernel("find_features", examples, count, *where) != count:
            return False
        stated = [features.words[i + t.FEATURE_TOTAL:i + t.FEATURE_WORDS] for i in range(
            0, t.FEATURE_WORDS * len(self.results), t.FEATURE_WORDS)]
        rows = [self._sparse(call, i, count, *words) for i, words in enumerate(stated[:self.sparse])]
        for i, words in enumerate(stated[self.sparse:]):
            default = call.place(first_default + i, self.results[self.sparse + i].dtype)
            row = self._dense(call, i, count, *default, *words)
            if row is None:
                return False
            rows.append(row)
        results = table_of(rows)
        return not call.making("put_features", count, *where, results.address)

    def _sparse(self, call: Call, i: int, count: int, total: int, most: int, fewest: int, lacking: int
                ) -> tuple[int, ...]:
        """The words of a RESULT; its shape is written."""
        rank = 2 if self.batch else 1
        indices = call.reserve(i, (total, rank), int64)
        target = call.reserve(self.sparse + i, (total,), self.results[i].dtype)
        Words.write(call.reserve(2 * self.sparse + i, (rank,), int64), *((count, most) if self.batch else (most,)))
        return target, indices, rank, 0, 0, 0

    def _dense(self, call: Call, i: int, count: int, shape: tuple[int, ...], default: int, total: int, most: int,
               fewest: int, lacking: int) -> tuple[int, ...] | None:
        """The words of a RESULT; None if some example has another number of values than it may."""
        result, given = self.results[self.sparse + i], count_of(shape)
        assert result.sizes is not None
        wide = 4 if result.kind == t.FLOAT_LIST else 8
        rows = (count,) if self.batch else ()
        if result.sizes and result.sizes[0] is None:
            stride = math.prod(s or 0 for s in result.sizes[1:])
            if given > 1 or not (stride == 1 or (stride and fewest == most and most % stride == 0)):
                return None
            target = call.reserve(3 * self.sparse + i, (*rows, most // stride, *self._inner(result)), result.dtype)
            return target, 0, 0, most, default if given else address_of(_ZERO), 0
        room = math.prod(s or 0 for s in result.sizes)
        if (lacking < count and not fewest == most == room) or (lacking and given != room) or not room:
            return None
        target = call.reserve(3 * self.sparse + i, (*rows, *self._inner(result, 0)), result.dtype)
        return target, 0, 0, room, default, wide

    @staticmethod
    def _inner(result: _Result, begin: int = 1) -> tuple[int, ...]:
        assert result.sizes is not None
        return tuple(size or 0 for size in result.sizes[begin:])
