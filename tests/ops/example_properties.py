"""What must hold of the ops that parse Examples and SequenceExamples: the features of the samples, one by one."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import graphc as gc
from graphc.ops.files.example_wire import write_example
from graphc.ops.files.examples import FEATURES, OTHER

Equations = Iterator[tuple[Any, Any]]
BY_BYTES = {write_example(f): f for f in (FEATURES, OTHER, {})}


def listed(features: Any, key: str) -> list[Any]:
    values = features.get(key)
    return [] if values is None else list(values)


def same(found: np.ndarray, expected: list[Any]) -> None:
    assert found.ravel().tolist() == expected


def check_dense(found: np.ndarray, shape: Any, rows: list[list[Any]], default: np.ndarray) -> None:
    """found: a result for each example."""
    if shape and shape[0] is None:
        longest = max((len(r) for r in rows), default=0)
        rows = [r + [default.item()] * (longest - len(r)) for r in rows]
    else:
        rows = [r or default.ravel().tolist() for r in rows]
        assert found.shape[1:] == shape
    same(found, [v for r in rows for v in r])


def single(op: Any, serialized: np.ndarray, *more: np.ndarray) -> Equations:
    features = BY_BYTES[serialized.item()]
    defaults, results = more[:len(op.Tdense)], more[len(op.Tdense):]
    count = op.num_sparse
    for i, key in enumerate(op.sparse_keys):
        values = listed(features, key)
        same(results[i], list(range(len(values))))
        same(results[count + i], values)
        same(results[2 * count + i], [len(values)])
        assert results[i].shape == (len(values), 1)
    for key, found, shape, default in zip(op.dense_keys, results[3 * count:], op.dense_shapes, defaults, strict=True):
        check_dense(found[None], shape, [listed(features, key)], default)
    return iter(())


def batch(op: Any, serialized: np.ndarray, names: np.ndarray, *more: np.ndarray) -> Equations:
    examples = [BY_BYTES[data] for data in serialized]
    lists, results = more[:op.Nsparse + 2 * op.Ndense], more[op.Nsparse + 2 * op.Ndense:]
    keys = [key.item().decode() for key in lists[:op.Nsparse + op.Ndense]]
    for i, key in enumerate(keys[:op.Nsparse]):
        rows = [listed(e, key) for e in examples]
        same(results[i], [v for r, row in enumerate(rows) for c in range(len(row)) for v in (r, c)])
        same(results[op.Nsparse + i], [v for row in rows for v in row])
        same(results[2 * op.Nsparse + i], [len(rows), max(map(len, rows))])
    for key, found, shape, default in zip(keys[op.Nsparse:], results[3 * op.Nsparse:], op.dense_shapes,
                                          lists[op.Nsparse + op.Ndense:], strict=True):
        check_dense(found, shape, [listed(e, key) for e in examples], default)
    return iter(())


def steps(example: Any, key: str) -> list[list[Any]]:
    """The values of a feature list's steps, as protobuf reads them."""
    found = example.feature_lists.feature_list
    return [list(getattr(f, f.WhichOneof("kind") or "int64_list").value) for f in found[key].feature] if key in found \
        else []


def sequences(serialized: list[bytes], results: Any) -> Equations:
    """Of the samples: tags and words are sparse, label, frames and ids dense, of the context and of the lists; results:
    those of a batch, without the lengths."""
    examples = [gc.train.SequenceExample.FromString(data) for data in serialized]
    tags = [list(e.context.feature["tags"].bytes_list.value) if "tags" in e.context.feature else [] for e in examples]
    words, frames = ([steps(e, key) for e in examples] for key in ("words", "frames"))
    pairs = [(r, c) for r, row in enumerate(tags) for c in range(len(row))]
    triples = [(r, s, c) for r, row in enumerate(words) for s, step in enumerate(row) for c in range(len(step))]
    longest = max(map(len, frames), default=0)
    expected: list[Any] = [
        pairs, [v for row in tags for v in row], [len(tags), max(map(len, tags), default=0)],
        [e.context.feature["label"].int64_list.value[0] for e in examples],
        triples, [v for row in words for step in row for v in step],
        [len(words), max(map(len, words), default=0), max((len(s) for row in words for s in row), default=0)],
        [row + [[0.0, 0.0]] * (longest - len(row)) for row in frames], [[] for _ in examples]]
    for found, values in zip(results, expected, strict=True):
        same(found, np.array(values, found.dtype).ravel().tolist())
    return iter(())


def single_sequence(op: Any, serialized: np.ndarray, missing: np.ndarray, *more: np.ndarray) -> Equations:
    found = list(more[-9:])
    for place in (0, 4):                       # as those of a batch of one
        found[place] = np.insert(found[place], 0, 0, 1)
        found[place + 2] = np.insert(found[place + 2], 0, 1)
    return sequences([serialized.item()], found)


def batch_of_sequences(op: Any, serialized: np.ndarray, names: np.ndarray, default: np.ndarray,
                       *results: np.ndarray) -> Equations:
    rows = [gc.train.SequenceExample.FromString(data) for data in serialized]
    same(results[9], [len(steps(row, "frames")) for row in rows])
    same(results[10], [0 for _ in rows])
    return sequences(list(serialized), results[:9])


EXAMPLES: dict[str, Callable[..., Equations]] = {
    "ParseSingleExample": single, "ParseExample": batch, "ParseSingleSequenceExample": single_sequence,
    "ParseSequenceExample": batch_of_sequences}
