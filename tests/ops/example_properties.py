"""What must hold of ParseExample and ParseSingleExample: the features of the samples, taken out one by one."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

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


EXAMPLES: dict[str, Callable[..., Equations]] = {"ParseSingleExample": single, "ParseExample": batch}
