"""embedding_lookup_sparse and its safe form, against loops in NumPy; CTC; functions that take sparse tensors."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

TABLE = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
IDS = gc.SparseTensorValue(np.array([[0, 0], [0, 1], [1, 0], [3, 2]]), np.array([3, 1, 3, 6]), np.array([5, 4]))
WEIGHTS = IDS._replace(values=np.array([2.0, -1.0, 0.5, 4.0], np.float32))


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def run(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(fetch, feeds)


def combined(ids: Any, weights: Any, combiner: str, rows: int, max_norm: float | None = None) -> np.ndarray:
    made = np.zeros((rows, 3))
    for row in range(rows):
        mine = [i for i in range(len(ids.values)) if ids.indices[i, 0] == row]
        if not mine:
            continue
        picked = TABLE[ids.values[mine]].astype(np.float64)
        if max_norm is not None:
            picked *= np.minimum(1, max_norm / np.linalg.norm(picked, axis=1, keepdims=True))
        w = np.ones(len(mine)) if weights is None else weights.values[mine].astype(np.float64)
        divisor = {"sum": 1, "mean": w.sum(), "sqrtn": np.sqrt((w**2).sum())}[combiner]
        made[row] = (picked * w[:, None]).sum(0) / divisor
    return made


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_lookup(combiner: str, weighted: bool) -> None:
    ids, weights = gc.sparse_placeholder(gc.int64), gc.sparse_placeholder(gc.float32) if weighted else None
    feeds = {ids: IDS, **({weights: WEIGHTS} if weighted else {})}
    table = gc.Variable(TABLE)
    mod, div = [gc.Variable(TABLE[i::2]) for i in (0, 1)], [gc.Variable(t) for t in (TABLE[:4], TABLE[4:])]
    found = run([gc.nn.embedding_lookup_sparse(table, ids, weights, combiner=combiner),
                 gc.nn.embedding_lookup_sparse(mod, ids, weights, combiner=combiner),
                 gc.nn.embedding_lookup_sparse(div, ids, weights, "div", combiner=combiner),
                 gc.nn.embedding_lookup_sparse(table, ids, weights, combiner=combiner, max_norm=1.0)], feeds)
    given = WEIGHTS if weighted else None
    for value in found[:3]:
        np.testing.assert_allclose(value, combined(IDS, given, combiner, 4), rtol=1e-5)
    np.testing.assert_allclose(found[3], combined(IDS, given, combiner, 4, 1.0), rtol=1e-5)


def test_lookup_without_combiner_is_the_mean() -> None:
    ids = gc.SparseTensor(*IDS)
    found = run(gc.nn.embedding_lookup_sparse(gc.constant(TABLE), ids, None, name="look"))
    np.testing.assert_allclose(found, combined(IDS, None, "mean", 4), rtol=1e-5)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_gradients_are_of_the_rows_that_were_looked_up(combiner: str) -> None:
    ids, weights = gc.SparseTensor(*IDS), gc.SparseTensor(*WEIGHTS)
    table = gc.Variable(TABLE.astype(np.float64))
    for given in (None, weights):
        found = gc.nn.embedding_lookup_sparse(table, ids, given, combiner=combiner)
        total = gc.reduce_sum(gc.square(found))
        slope = gc.gradients(total, table)[0]
        assert isinstance(slope, gc.IndexedSlices)
        rows = run(slope)
        assert sorted(rows.indices.tolist()) == [1, 3, 6]
        direction = np.random.default_rng(1).normal(size=TABLE.shape)
        ends = []
        for step in (1e-6, -1e-6):
            with gc.Session() as session:
                table.load(TABLE + step * direction, session)
                ends.append(session.run(total))
        np.testing.assert_allclose((rows.values * direction[rows.indices]).sum(), (ends[0] - ends[1]) / 2e-6, rtol=1e-5)
    assert gc.gradients(total, weights.values)[0] is not None


@pytest.mark.parametrize("default", [None, 2])
@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_safe_lookup(combiner: str, default: int | None) -> None:
    """Ids below 0 do not count, nor (but for sums) weights that are not above 0; of higher rank, the last axis is
    combined."""
    ids = gc.SparseTensorValue(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 1, 1]]),
                               np.array([1, 5, -2, 6, 4]), np.array([2, 2, 3]))
    weights = ids._replace(values=np.array([2.0, -1.0, 1.0, 0.5, 3.0], np.float32))
    fed, given = gc.sparse_placeholder(gc.int64), gc.sparse_placeholder(gc.float32)
    tables = [gc.Variable(TABLE[:4]), gc.Variable(TABLE[4:])]
    found = run([gc.nn.safe_embedding_lookup_sparse(tables, fed, combiner=combiner, default_id=default),
                 gc.nn.safe_embedding_lookup_sparse(tables, fed, given, combiner=combiner, default_id=default)],
                {fed: ids, given: weights})
    for value, w in zip(found, (None, weights), strict=True):
        kept = (ids.values >= 0) & (True if w is None or combiner == "sum" else w.values > 0)
        flat = gc.SparseTensorValue((ids.indices[:, :1] * 2 + ids.indices[:, 1:2])[kept], ids.values[kept], None)
        used = None if w is None else w._replace(values=w.values[kept])
        wanted = combined(flat, used, combiner, 4)
        for row in set(range(4)) - set(flat.indices[:, 0].tolist()):
            wanted[row] = 0 if default is None else TABLE[default]
        np.testing.assert_allclose(value, wanted.reshape(2, 2, 3), rtol=1e-5)


def test_refused() -> None:
    ids, other = gc.SparseTensor(*IDS), gc.SparseTensor([[0, 0]], [1.0], [5, 4])
    for wrong, error, text in (
            (lambda: gc.nn.embedding_lookup_sparse(TABLE, ids, None, combiner="max"), ValueError, "combiner"),
            (lambda: gc.nn.embedding_lookup_sparse(TABLE, [1], None), TypeError, "sp_ids"),
            (lambda: gc.nn.embedding_lookup_sparse(TABLE, ids, [1.0]), TypeError, "sp_weights"),
            (lambda: gc.nn.embedding_lookup_sparse(TABLE, ids, other), ValueError, "sp_weights"),
            (lambda: gc.nn.safe_embedding_lookup_sparse([], ids), ValueError, "Missing embedding_weights")):
        with pytest.raises(error, match=text):
            wrong()


def test_ctc_takes_and_gives_sparse_tensors() -> None:
    """A labelling error rate, as scripts compute it."""
    x = gc.placeholder(gc.float32, [None, None, 4])
    labels = gc.sparse_placeholder(gc.int32)
    decoded, _ = gc.nn.ctc_greedy_decoder(x, [6, 4])
    beams, _ = gc.nn.ctc_beam_search_decoder(x, [6, 4], top_paths=2)
    assert all(isinstance(d, gc.SparseTensor) for d in (*decoded, *beams)) and len(beams) == 2
    error = gc.reduce_mean(gc.edit_distance(gc.cast(decoded[0], gc.int32), labels))
    loss = gc.reduce_mean(gc.nn.ctc_loss(labels, x, [6, 4]))
    logits = np.full((6, 2, 4), -5, np.float32)
    for time, classes in enumerate([(1, 0), (3, 3), (1, 2), (2, 2), (3, 0), (3, 0)]):
        logits[time, [0, 1], list(classes)] = 5
    right = gc.SparseTensorValue([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]], [1, 1, 2, 0, 2], [2, 3])
    wrong = right._replace(values=[1, 0, 2, 0, 2])
    dense = gc.sparse_tensor_to_dense(decoded[0], default_value=-1)
    with gc.Session() as session:
        assert session.run(dense, {x: logits}).tolist() == [[1, 1, 2], [0, 2, -1]]
        assert session.run(error, {x: logits, labels: right}) == 0
        np.testing.assert_allclose(session.run(error, {x: logits, labels: wrong}), 1 / 6, rtol=1e-6)
        assert session.run(loss, {x: logits, labels: right}) < session.run(loss, {x: logits, labels: wrong})


def test_labels_of_ctc() -> None:
    labels, lengths = run(gc.nn.collapse_repeated([[1, 1, 2, 2, 1], [0, 0, 0, 3, 3], [1, 2, 3, 4, 5]], [5, 4, 3]))
    assert labels.tolist() == [[1, 2, 1], [0, 3, 0], [1, 2, 3]] and lengths.tolist() == [3, 2, 3]
    found, places = run(gc.nn.ctc_unique_labels([[3, 4, 4, 3], [0, 1, 2, 0]]))
    assert found.tolist() == [[3, 4, 0, 0], [0, 1, 2, 0]] and places.tolist() == [[0, 1, 1, 0], [0, 1, 2, 0]]


def test_functions_of_values() -> None:
    x = gc.SparseTensor([[0, 1], [2, 0]], [4.0, -0.25], [3, 2])
    values = np.array([4, -0.25], np.float32)
    for function, wanted in ((gc.abs, np.abs(values)), (gc.negative, -values), (gc.sign, np.sign(values)),
                             (gc.square, values**2), (gc.tanh, np.tanh(values)), (gc.to_int32, [4, 0]),
                             (lambda x: gc.sqrt(gc.abs(x=x, name="a")), np.sqrt(np.abs(values))),
                             (lambda x: gc.cast(x, gc.float64), values)):
        made = function(x)
        found = run(made)
        assert isinstance(found, gc.SparseTensorValue)
        np.testing.assert_allclose(found.values, wanted, rtol=1e-6)
        assert found.dense_shape.tolist() == [3, 2]
    assert run(gc.cast(x, gc.float64)).values.dtype == np.float64
    assert [np.asarray(v).tolist() for v in run([gc.shape(x), gc.size(x), gc.rank(x)])] == [[3, 2], 6, 2]
    assert gc.shape(x).dtype == gc.int32 and gc.shape(x, out_type=gc.int64).dtype == gc.int64
    with pytest.raises(TypeError, match=r"gc\.sparse\.to_dense"):
        gc.exp(x)
