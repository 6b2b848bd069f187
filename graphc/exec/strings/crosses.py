"""SparseCross by kernels (kernels/strings/crosses.py): of hashes; texts are Python's to join."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graphc.exec.strings.calls import Call, Native, Words, count_of, signed, table_of
from graphc.exec.strings.table import address_of
from graphc.ir.dtypes import DType, int64, string
from graphc.kernels.strings import tables as t

MOST_ROWS = 1 << 31
Place = tuple[tuple[int, ...], int]


def sparse_cross(op: Any) -> Native | None:
    return (lambda call: _crossed(op, call)) if op.hashed_output else None


def _crossed(op: Any, call: Call) -> bool:
    dtypes = (*[int64] * op.N, *op.sparse_types, *[int64] * op.N, *op.dense_types)
    if len(call) != len(dtypes):
        return False
    places, count = [call.place(i, dtype) for i, dtype in enumerate(dtypes)], op.N + len(op.dense_types)
    rows = _rows(op.N, places)
    if rows is None:
        return False
    kept: list[Any] = []
    features = table_of(list(_features(op, call, places, kept)))
    if len(kept) != count:
        return False
    starts, sizes = np.empty(count * (rows + 1), np.int64), Words(0, 0)
    given = features.address, count, rows, address_of(starts)
    if call.alone("row_starts", *given, sizes.address):
        return False
    total, longest = sizes.words
    indices, target = call.reserve(0, (total, 2), int64), call.reserve(1, (total,), int64)
    call.alone("cross", *given, signed(op.hash_key), op.num_buckets, indices, target)
    Words.write(call.reserve(2, (2,), int64), rows, longest)
    return True


def _rows(sparse: int, places: Sequence[Place]) -> int | None:
    """The number of rows of all features; None if they are no matrices of one number of rows."""
    if any(len(shape) != 2 for shape, _ in places[3 * sparse:]):
        return None
    found = {shape[0] for shape, _ in places[3 * sparse:]}
    for (shape, _), (values, _), (sizes, address) in zip(places[:sparse], places[sparse:2 * sparse],
                                                         places[2 * sparse:3 * sparse], strict=True):
        if sizes != (2,) or len(values) != 1 or shape != (*values, 2):
            return None
        found.add(Words.from_address(address))
    rows = found.pop() if len(found) == 1 else -1
    return rows if 0 <= rows < MOST_ROWS else None


def _features(op: Any, call: Call, places: Sequence[Place], kept: list[Any]) -> Iterator[tuple[int, ...]]:
    """The words of each feature. kept: for each what has to live as long as they are used."""
    sparse = op.N
    for i, dtype in enumerate(op.sparse_types):
        elements = count_of(places[sparse + i][0])
        yield _elements(call, dtype, places[sparse + i], kept), elements, places[i][1], 0
    for place, dtype in zip(places[3 * sparse:], op.dense_types, strict=True):
        yield _elements(call, dtype, place, kept), count_of(place[0]), 0, place[0][1]


def _elements(call: Call, dtype: DType, place: Place, kept: list[Any]) -> int:
    """Where the fingerprints of a feature's elements are: a number is its own."""
    shape, address = place
    if dtype != string:
        kept.append(None)
        return address
    made = np.empty(count_of(shape), np.int64)
    if call.kernel("buckets", address, made.size, t.FINGERPRINT, 0, 0, 0, address_of(made)) == made.size:
        kept.append(made)
    return address_of(made)
