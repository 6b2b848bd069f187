"""Parts of many elements that are of several sizes: sparse tensors, and arrays of different first sizes."""
from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import graphc as gc


def sparse_rows(value: Any) -> Iterator[Any]:
    """The rows of a SparseTensorValue."""
    starts = np.searchsorted(value.indices[:, 0], np.arange(int(value.dense_shape[0]) + 1))
    for start, end in itertools.pairwise(starts):
        yield gc.SparseTensorValue(value.indices[start:end, 1:], value.values[start:end], value.dense_shape[1:])


def stacked_sparse(values: Sequence[Any]) -> Any:
    """The values, one below the other: as wide as the widest."""
    shapes = np.array([v.dense_shape for v in values])
    rows = np.repeat(np.arange(len(values)), [len(v.values) for v in values])
    indices = np.concatenate([np.asarray(v.indices).reshape(-1, shapes.shape[1]) for v in values])
    return gc.SparseTensorValue(np.column_stack([rows, indices]).astype(np.int64),
                                np.concatenate([v.values for v in values]),
                                np.array([len(values), *shapes.max(axis=0)], np.int64))


class SparseVectors:
    """Sparse vectors without gaps, each as long as it has values, by number: what `parse_example` makes of features
    whose number of values varies. indices: [values, 2], in order; count: of the vectors."""

    def __init__(self, indices: np.ndarray, values: np.ndarray, count: int) -> None:
        self.columns, self.values = indices[:, 1:], values
        self.starts = np.searchsorted(indices[:, 0], np.arange(count + 1)).tolist()

    @property
    def nbytes(self) -> int:
        return int(self.columns.nbytes + self.values.nbytes)

    def __getitem__(self, number: int) -> Any:
        start, end = self.starts[number], self.starts[number + 1]
        return gc.SparseTensorValue(self.columns[start:end], self.values[start:end], np.array([end - start], np.int64))


class UnevenArrays:
    """Arrays of different first sizes by number: one after another in `values`, of which each begins at its `starts`
    and ends at the next one's."""

    def __init__(self, values: np.ndarray, lengths: np.ndarray) -> None:
        self.values, self.lengths = values, lengths
        self.starts = [0, *np.cumsum(lengths).tolist()]

    @staticmethod
    def of(arrays: Sequence[np.ndarray]) -> UnevenArrays:
        return UnevenArrays(np.concatenate(arrays), np.array([len(a) for a in arrays], np.int64))

    @property
    def nbytes(self) -> int:
        is_text = self.values.dtype == object
        return sum(map(len, self.values.ravel().tolist())) if is_text else int(self.values.nbytes)

    def __getitem__(self, number: int) -> np.ndarray:
        return self.values[self.starts[number]:self.starts[number + 1]]

    def some(self, first: int, end: int) -> UnevenArrays:
        """Those from the first number on."""
        return UnevenArrays(self.values[self.starts[first]:self.starts[end]], self.lengths[first:end])
