"""SparseCross: for each row every combination of one element of each feature, as text or as a hash, to the bit that of
TensorFlow."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, int64, string
from graphc.ir.elementwise import check_rank
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import strings_of, texts
from graphc.ops.strings.hashes import fingerprint64

DEFAULT_KEY = 0xDECAFCAFFE
_MUL = np.uint64(0xC6A4A7935BD1E995)
_LARGEST = np.uint64((1 << 63) - 1)


def _both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two fingerprints as one, element by element: the mixing of MurmurHash 2, 64A."""
    mixed = (a ^ _MUL ^ _shifted(b * _MUL) * _MUL) * _MUL
    return _shifted(_shifted(mixed) * _MUL)


def _shifted(x: np.ndarray) -> np.ndarray:
    return x ^ x >> np.uint64(47)


_WORDS = (np.array([[0, 0], [1, 0], [1, 1]]), texts("a", "b", "c"), np.array([2, 2]))
_NUMBERS = (np.array([[0, 0], [1, 0], [1, 1], [1, 2]]), np.array([7, -3, 1 << 40, 0]), np.array([2, 3]))
_MISSING = (np.array([[1, 0]]), texts("d"), np.array([2, 1]))
_DENSE_WORDS, _DENSE_NUMBERS = texts("f", "gg", "", "hello world").reshape(2, 2), np.array([[5], [-1]])


def _sample(sparse: Sequence[Any], dense: Sequence[Any], **fields: Any) -> Sample:
    """sparse: (indices, values, shape)s."""
    def types(values: Sequence[np.ndarray]) -> tuple[DType, ...]:
        return tuple(string if v.dtype == object else int64 for v in values)
    given = [part for parts in zip(*sparse, strict=True) for part in parts]
    kinds = {"sparse_types": types([s[1] for s in sparse]), "dense_types": types(dense)}
    hashed = {"hashed_output": True, "num_buckets": 100, "hash_key": DEFAULT_KEY, "out_type": int64}
    inner = int64 if int64 in kinds["sparse_types"] + kinds["dense_types"] else string
    return Sample({"N": len(sparse), **kinds, **hashed, "internal_type": inner, **fields}, (*given, *dense),
                  gradient=False)


@register
class SparseCross(Host):
    """The crosses of N sparse matrices and of dense ones, after them in that order, row by row; of the last feature
    the element changes first. hashed_output: hashes (of num_buckets, if that is not 0), else texts joined by "_X_".
    features: the indices, the values, the shapes, and the dense matrices."""

    operands = ("features*",)
    results = ("output_indices", "output_values", "output_shape")
    N: int = attr("int")
    hashed_output: bool = attr("bool")
    num_buckets: int = attr("int")
    hash_key: int = attr("int")
    sparse_types: tuple[DType, ...] = attr("list(type)")
    dense_types: tuple[DType, ...] = attr("list(type)")
    out_type: DType = attr("type")
    internal_type: DType = attr("type")
    samples: ClassVar = [
        _sample([_WORDS, _MISSING], []), _sample([_WORDS, _NUMBERS], [_DENSE_WORDS]), _sample([], [_DENSE_NUMBERS]),
        _sample([_NUMBERS], [_DENSE_WORDS, _DENSE_NUMBERS], num_buckets=0),
        _sample([_WORDS, _WORDS, _WORDS], [], hash_key=3, num_buckets=1 << 62),
        _sample([_WORDS, _NUMBERS], [_DENSE_WORDS, _DENSE_NUMBERS], hashed_output=False, out_type=string),
        _sample([(_WORDS[0][:0], texts(), np.array([0, 0]))], [texts().reshape(0, 1)])]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, self.out_type, int64

    def infer(self, *features: Spec) -> tuple[Spec, ...]:
        count = self.N
        if len(features) != 3 * count + len(self.dense_types) or len(self.sparse_types) != count:
            raise ValueError(f"{len(features)} tensors for {count} sparse and {len(self.dense_types)} dense features")
        if self.num_buckets < 0:
            raise ValueError(f"attribute 'num_buckets' must be at least 0, but is {self.num_buckets}")
        if self.out_type != (int64 if self.hashed_output else string):
            raise TypeError(f"attribute 'out_type' must be {'int64' if self.hashed_output else 'string'}, but is "
                            f"{self.out_type.name}")
        ranks = [2] * count + [1] * count + [1] * count + [2] * len(self.dense_types)
        wanted = [*[int64] * count, *self.sparse_types, *[int64] * count, *self.dense_types]
        for i, (spec, rank, dtype) in enumerate(zip(features, ranks, wanted, strict=True)):
            if spec.dtype != dtype or dtype not in (int64, string):
                raise TypeError(f"feature tensor {i} has dtype {spec.dtype.name}, but must be int64 or string; cast it "
                                "(gc.cast)")
            check_rank(f"features[{i}]", spec, rank)
        crosses = own_symbol(self, "crosses")
        return Spec(int64, (crosses, 2)), Spec(self.out_type, (crosses,)), Spec(int64, (2,))

    def compute(self, *features: np.ndarray) -> tuple[np.ndarray, ...]:
        columns = list(self._columns(features))
        if not columns:
            raise ValueError("there must be at least one feature")
        rows = {len(counts) for _, counts in columns}
        if len(rows) > 1:
            raise ValueError(f"the features must have one number of rows, but have {sorted(rows)}")
        totals = np.prod([counts for _, counts in columns], axis=0, dtype=np.int64)
        row = np.repeat(np.arange(len(totals)), totals)
        place = np.arange(len(row)) - np.repeat(np.cumsum(totals) - totals, totals)
        indices = np.stack([row, place], 1)
        found = []
        for values, counts in reversed(columns):             # the last feature's elements change first
            starts = np.cumsum(counts) - counts
            found.append(values[starts[row] + place % counts[row]])
            place = place // counts[row]
        crossed = self._hashed(found[::-1]) if self.hashed_output else _joined(found[::-1])
        return indices, crossed, np.array([len(totals), totals.max(initial=0)], np.int64)

    def _columns(self, features: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(the values, how many each row has) of each feature."""
        count = self.N
        for indices, values, shape in zip(features[:count], features[count:2 * count], features[2 * count:3 * count],
                                          strict=True):
            if indices.shape != (len(values), 2) or shape.shape != (2,):
                raise ValueError(f"a sparse feature has indices of shape {indices.shape}, {len(values)} values and a "
                                 f"shape of {shape.size} elements; it must be a matrix")
            rows = indices[:, 0]
            if not 0 <= shape[0] <= np.iinfo(np.int32).max or np.any((rows < 0) | (rows >= shape[0])):
                raise ValueError(f"indices of a sparse feature do not index into its shape {shape.tolist()}")
            if np.any(np.diff(rows) < 0):
                raise ValueError("the indices of a sparse feature are not in the order of their rows; bring them in "
                                 "order (gc.sparse_reorder)")
            yield values, np.bincount(rows, minlength=int(shape[0]))
        for values in features[3 * count:]:
            yield values.ravel(), np.full(values.shape[0], values.shape[1], np.int64)

    def _hashed(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        hashes = np.full(columns[0].shape, self.hash_key, np.int64).view(np.uint64)
        for values in columns:
            hashes = _both(hashes, _fingerprints(values))
        return (hashes % (np.uint64(self.num_buckets) if self.num_buckets else _LARGEST)).astype(np.int64)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def _fingerprints(values: np.ndarray) -> np.ndarray:
    """Of strings FarmHash's; a number is its own."""
    if values.dtype != object:
        return np.ascontiguousarray(values).view(np.uint64)
    return np.array([fingerprint64(value) for value in values], np.uint64)


def _joined(columns: Sequence[np.ndarray]) -> np.ndarray:
    texts_of = [[v if isinstance(v, bytes) else str(v).encode() for v in values.tolist()] for values in columns]
    return strings_of(map(b"_X_".join, zip(*texts_of, strict=True)), columns[0].shape)
