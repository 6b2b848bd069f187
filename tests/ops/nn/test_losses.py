"""tf.losses, sampled losses, CTC and moments: against their formulas in NumPy; collections, reductions, errors."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InvalidArgumentError

RNG = np.random.default_rng(2)
LABELS, PREDICTIONS = RNG.uniform(0, 1, (3, 4)).astype(np.float32), RNG.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
LOGITS = RNG.standard_normal((3, 4)).astype(np.float32)
BITS = (LABELS > 0.5).astype(np.float32)
ROWS = np.array([[2.0], [0.0], [1.0]], np.float32)


def run(y: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(y, feeds or {})


def _log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def _huber(e: np.ndarray, delta: float) -> np.ndarray:
    return np.where(np.abs(e) <= delta, 0.5 * e * e, delta * np.abs(e) - 0.5 * delta * delta)


def _sigmoid_xent(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


E = PREDICTIONS - LABELS
CASES: dict[str, tuple[Any, np.ndarray]] = {
    "absolute_difference": (lambda **a: gc.losses.absolute_difference(LABELS, PREDICTIONS, **a), np.abs(E)),
    "cosine_distance": (lambda **a: gc.losses.cosine_distance(LABELS, PREDICTIONS, axis=1, **a),
                        1 - (LABELS * PREDICTIONS).sum(1, keepdims=True)),
    "hinge_loss": (lambda **a: gc.losses.hinge_loss(BITS, LOGITS, **a), np.maximum(0, 1 - (2 * BITS - 1) * LOGITS)),
    "huber_loss": (lambda **a: gc.losses.huber_loss(LABELS, PREDICTIONS, delta=0.3, **a), _huber(E, 0.3)),
    "log_loss": (lambda **a: gc.losses.log_loss(LABELS, PREDICTIONS, **a),
                 -LABELS * np.log(PREDICTIONS + 1e-7) - (1 - LABELS) * np.log(1 - PREDICTIONS + 1e-7)),
    "mean_squared_error": (lambda **a: gc.losses.mean_squared_error(LABELS, PREDICTIONS, **a), E * E),
    "sigmoid_cross_entropy": (lambda **a: gc.losses.sigmoid_cross_entropy(BITS, LOGITS, label_smoothing=0.2, **a),
                              _sigmoid_xent(BITS * 0.8 + 0.1, LOGITS)),
}


@pytest.mark.parametrize("name", CASES)
def test_reductions(name: str) -> None:
    make, values = CASES[name]
    with gc.Graph().as_default() as graph:
        kinds = [gc.losses.Reduction.NONE, gc.losses.Reduction.SUM, gc.losses.Reduction.MEAN,
                 gc.losses.Reduction.SUM_OVER_BATCH_SIZE, gc.losses.Reduction.SUM_BY_NONZERO_WEIGHTS]
        found = run([make(weights=ROWS, reduction=kind) for kind in kinds] + [make(), make(weights=0.0)])
        assert len(graph.get_collection(gc.GraphKeys.LOSSES)) == 7
    weighted = values * ROWS
    present = np.broadcast_to(ROWS, values.shape)
    wanted = [weighted, weighted.sum(), weighted.sum() / present.sum(), weighted.mean(),
              weighted.sum() / (present != 0).sum(), values.mean(), 0.0]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_softmax_losses() -> None:
    classes = np.array([1, 3, 0])
    smooth = np.eye(4)[classes] * 0.9 + 0.1 / 4
    with gc.Graph().as_default():
        dense = gc.losses.softmax_cross_entropy(np.eye(4)[classes], LOGITS, label_smoothing=0.1)
        sparse = gc.losses.sparse_softmax_cross_entropy(classes, LOGITS, weights=ROWS)
        column = gc.losses.sparse_softmax_cross_entropy(classes[:, None], LOGITS, weights=ROWS[:, 0])
        assert sparse.op.name.startswith("sparse_softmax_cross_entropy_loss/")
        found = run([dense, sparse, column])
    rows = -_log_softmax(LOGITS)[np.arange(3), classes]
    np.testing.assert_allclose(found[0], -(smooth * _log_softmax(LOGITS)).sum(1).mean(), rtol=1e-5)
    np.testing.assert_allclose(found[1], (rows * ROWS[:, 0]).sum() / 2, rtol=1e-5)
    np.testing.assert_allclose(found[2], found[1])


def test_mean_pairwise_squared_error() -> None:
    pairs = [((E[:, i] - E[:, j]) ** 2) for i in range(4) for j in range(4) if i != j]
    with gc.Graph().as_default():
        loss = gc.losses.mean_pairwise_squared_error(LABELS, PREDICTIONS, weights=ROWS)
        none = gc.losses.mean_pairwise_squared_error(LABELS, PREDICTIONS, weights=0.0)
        found = run([loss, none])
    np.testing.assert_allclose(found[0], (np.mean(pairs, 0) * [2, 0, 1]).sum(), rtol=1e-4)
    assert found[1] == 0


def test_collections() -> None:
    with gc.Graph().as_default() as graph:
        with gc.name_scope("a"):
            first = gc.losses.mean_squared_error(LABELS, PREDICTIONS)
        gc.losses.add_loss(gc.constant(2.0))
        gc.losses.absolute_difference(LABELS, PREDICTIONS, loss_collection=None)
        assert gc.losses.get_losses("a/") == [first] and len(gc.losses.get_losses()) == 2
        assert run(gc.losses.get_regularization_loss()) == 0
        graph.add_to_collection(gc.GraphKeys.REGULARIZATION_LOSSES, gc.constant(3.0))
        total, without = gc.losses.get_total_loss(), gc.losses.get_total_loss(add_regularization_losses=False)
        assert total.op.name == "total_loss"
        found = run([total, without, first])
        assert found[0] == pytest.approx(found[2] + 5) and found[1] == pytest.approx(found[2] + 2)


def test_gradient_of_no_weights_is_zero() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [3, 4])
        loss = gc.losses.mean_squared_error(LABELS, x, weights=np.zeros((3, 1), np.float32))
        np.testing.assert_array_equal(run(gc.gradients(loss, x)[0], {x: PREDICTIONS}), np.zeros((3, 4)))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: gc.losses.mean_squared_error(None, LABELS), "labels must not be None"),
    (lambda: gc.losses.mean_squared_error(LABELS, PREDICTIONS[:2]), r"Shapes \(2, 4\) and \(3, 4\) are incompatible"),
    (lambda: gc.losses.mean_squared_error(LABELS, PREDICTIONS, weights=[1.0, 2.0]), "weights can not be broadcast"),
    (lambda: gc.losses.mean_squared_error(LABELS, PREDICTIONS, weights=[[1.0], [2.0]]), "weights can not be broadcast"),
    (lambda: gc.losses.mean_squared_error(LABELS, PREDICTIONS, reduction="most"), "Invalid Reduction Key most"),
    (lambda: gc.losses.cosine_distance(LABELS, PREDICTIONS), "You must specify 'axis'"),
])
def test_what_does_not_fit(make: Any, message: str) -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match=message):
        make()


def test_weights_of_sizes_of_the_run() -> None:
    with gc.Graph().as_default():
        labels, weights = gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.float32, [None, 1])
        loss = gc.losses.mean_squared_error(labels, gc.zeros_like(labels), weights=weights)
        assert run(loss, {labels: LABELS, weights: ROWS}) == pytest.approx((LABELS ** 2 * ROWS).sum() / 8, rel=1e-5)
        with pytest.raises(InvalidArgumentError):
            run(loss, {labels: LABELS[:1], weights: ROWS})


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("strategy", ["mod", "div"])
def test_sampled_losses(strategy: str, parts: int) -> None:
    classes, dim, batch = 7, 3, 4
    w, b = RNG.standard_normal((classes, dim)).astype(np.float32), RNG.standard_normal(classes).astype(np.float32)
    x, labels = RNG.standard_normal((batch, dim)).astype(np.float32), np.array([[1, 2], [0, 6], [3, 3], [5, 4]])
    sampled = np.array([2, 0, 5])
    of_true, of_sampled = np.full((batch, 2), 0.5, np.float32), np.array([0.9, 0.8, 0.3], np.float32)
    pieces = [[p] if parts == 1 else [p[::2], p[1::2]] if strategy == "mod" else [p[:4], p[4:]] for p in (w, b)]
    with gc.Graph().as_default():
        given = (gc.constant(sampled), gc.constant(of_true), gc.constant(of_sampled))
        arguments = (*[[gc.constant(a) for a in p] for p in pieces], labels, x, 3, classes, 2, given)
        found = run([gc.nn.nce_loss(*arguments, partition_strategy=strategy),
                     gc.nn.sampled_softmax_loss(*arguments, partition_strategy=strategy),
                     *gc.nn.compute_accidental_hits(labels, sampled, 2)])
    true = np.einsum("bd,btd->bt", x, w[labels]) + b[labels] - np.log(0.5)
    drawn = x @ w[sampled].T + b[sampled] - np.log(of_sampled)
    logits = np.concatenate([true, drawn], 1)
    targets = np.concatenate([np.full((batch, 2), 0.5), np.zeros((batch, 3))], 1)
    np.testing.assert_allclose(found[0], _sigmoid_xent(targets, logits).sum(1), rtol=1e-4)
    hits = (labels[:, :, None] == sampled).any(1)
    logits[:, 2:] = np.where(hits, -np.inf, logits[:, 2:])
    np.testing.assert_allclose(found[1], -(0.5 * _log_softmax(logits)[:, :2]).sum(1), rtol=1e-4)
    np.testing.assert_array_equal(np.stack(found[2:4], 1), np.argwhere(hits))
    assert found[2].dtype == np.int32 and found[3].dtype == np.int64 and (found[4] == np.finfo(np.float32).min).all()


def test_samplers_have_their_distribution() -> None:
    with gc.Graph().as_default():
        true = gc.constant(np.array([[0], [4]]))
        log_uniform = gc.nn.log_uniform_candidate_sampler(true, 1, 20_000, False, 5, seed=3)
        even = gc.nn.uniform_candidate_sampler(true, 1, 20_000, False, 5, seed=3)
        given = gc.nn.fixed_unigram_candidate_sampler(true, 1, 20_000, False, 5, unigrams=[1, 0, 4, 4, 1], seed=3)
        unique = gc.nn.log_uniform_candidate_sampler(true, 1, 5, True, 5)
        every = gc.nn.all_candidate_sampler(true, 1, 5, True)
        found = run([log_uniform, even, given, unique, every])
    c = np.arange(5)
    for (sampled, of_true, _), p in zip(found[:3], (np.log((c + 2) / (c + 1)) / np.log(6), np.full(5, 0.2),
                                                    np.array([1, 0, 4, 4, 1]) / 10), strict=True):
        np.testing.assert_allclose(np.bincount(sampled, minlength=5) / 20_000, p, atol=0.015)
        np.testing.assert_allclose(of_true[:, 0], 20_000 * p[[0, 4]], rtol=1e-5)
    assert sorted(found[3][0]) == [0, 1, 2, 3, 4] and list(found[4][0]) == [0, 1, 2, 3, 4]
    with gc.Graph().as_default(), pytest.raises(ValueError, match="must not be more than the 5 classes"):
        gc.nn.uniform_candidate_sampler(np.array([[0]]), 1, 6, True, 5)


class Sparse(NamedTuple):
    indices: Any
    values: Any
    dense_shape: Any


def test_ctc_loss_is_the_sum_over_paths() -> None:
    x = RNG.standard_normal((4, 1, 3)).astype(np.float32)
    paths = np.stack(np.meshgrid(*[range(3)] * 4, indexing="ij"), -1).reshape(-1, 4)

    def collapsed(path: np.ndarray, blank: int) -> list[int]:
        return [int(v) for i, v in enumerate(path) if v != blank and (i == 0 or v != path[i - 1])]

    logs = _log_softmax(x[:, 0].astype(np.float64))
    of_paths = np.exp(logs[np.arange(4), paths].sum(1))

    def loss(labels: list[int], blank: int) -> float:
        return -np.log(sum(p for path, p in zip(paths, of_paths, strict=True) if collapsed(path, blank) == labels))

    with gc.Graph().as_default():
        sparse = Sparse(np.array([[0, 0], [0, 1]]), np.array([1, 1], np.int32), [1, 2])
        dense = np.array([[1, 1, 0]], np.int32)
        found = run([gc.nn.ctc_loss(sparse, x, np.array([4], np.int32)),
                     gc.nn.ctc_loss_v2(dense, x, [2], [4]),
                     gc.nn.ctc_loss_v2(dense, np.transpose(x, (1, 0, 2)), [2], [4], logits_time_major=False,
                                       blank_index=-1),
                     gc.nn.ctc_loss_v2(sparse, x, None, [4], blank_index=2)])
        with pytest.raises(TypeError, match="ctc_loss_v2"):
            gc.nn.ctc_loss(dense, x, [4])
    for value, wanted in zip(found, (loss([1, 1], 2), loss([1, 1], 0), loss([1, 1], 2), loss([1, 1], 2)), strict=True):
        np.testing.assert_allclose(value, [wanted], rtol=1e-5)


def test_ctc_gradient() -> None:
    x = RNG.standard_normal((5, 2, 4)).astype(np.float64)
    labels = np.array([[1, 1, 3], [2, 0, 0]], np.int32)
    with gc.Graph().as_default():
        given = gc.placeholder(gc.float64, x.shape)
        loss = gc.nn.ctc_loss_v2(labels, given, [3, 1], [5, 4])
        slope = gc.gradients(loss * [1.0, 2.0], given)[0]
        with pytest.raises(LookupError, match="PreventGradient"):
            gc.gradients(slope, given)
        direction = RNG.standard_normal(x.shape)
        with gc.Session() as session:
            ahead, behind = (session.run(loss, {given: x + s * 1e-5 * direction}) for s in (1, -1))
            found = (session.run(slope, {given: x}) * direction).sum()
    np.testing.assert_allclose(found, ((ahead - behind) * [1, 2]).sum() / 2e-5, rtol=1e-6)


def test_ctc_of_long_labels_and_classes_without_a_chance() -> None:
    """Labels of several vectors' length, none, and as many as there is time for; a logit of -inf as a very low one."""
    x = RNG.standard_normal((50, 4, 9)).astype(np.float32)
    x[:, :, 5] = -1e9
    lengths, counts = [50, 50, 21, 7], [23, 0, 20, 7]
    labels = RNG.permuted(np.arange(4 * 23).reshape(4, 23) % 5, axis=1).astype(np.int32)
    labels[3, :7] = [0, 1, 2, 3, 4, 0, 1]
    labels[2, :20] = np.arange(20) % 4
    where = np.array([(row, i) for row, count in enumerate(counts) for i in range(count)])
    sparse = Sparse(where, labels[tuple(where.T)], [4, 23])
    with gc.Graph().as_default(), gc.Session() as session:
        given = gc.placeholder(gc.float32, x.shape)
        loss = gc.nn.ctc_loss(sparse, given, np.array(lengths, np.int32))
        slope = gc.gradients(loss, given)[0]
        low = session.run([loss, slope], {given: x})
        x[:, :, 5] = -np.inf
        none = session.run([loss, slope], {given: x})
    for a, b in zip(low, none, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    logs = _log_softmax(x.astype(np.float64))
    np.testing.assert_allclose(low[0][1], -logs[:, 1, 8].sum(), rtol=1e-5)
    assert np.isfinite(low[0]).all()
    np.testing.assert_allclose(none[1].sum(2), 0, atol=1e-5)
    np.testing.assert_array_equal(none[1][21:, 2], 0)


@pytest.mark.parametrize(("labels", "length"), [([[0, 1, 0]], 2), ([[-1, 0, 0]], 3), ([[0, 1, 1]], 9)])
def test_ctc_refuses(labels: list[list[int]], length: int) -> None:
    with gc.Graph().as_default():
        loss = gc.nn.ctc_loss_v2(np.array(labels, np.int32), np.zeros((4, 1, 3), np.float32), [3], [length],
                                 blank_index=2)
        with pytest.raises(InvalidArgumentError):
            run(loss)


@pytest.mark.parametrize("unknown", [False, True])
def test_moments(unknown: bool) -> None:
    x, weights = RNG.standard_normal((3, 4, 2)).astype(np.float32), RNG.uniform(0, 2, (3, 4, 1)).astype(np.float32)
    with gc.Graph().as_default():
        given = gc.placeholder(gc.float32, [None] * 3 if unknown else x.shape)
        plain = gc.nn.moments(given, [0, 1])
        statistics = gc.nn.sufficient_statistics(given, [0, 1], shift=0.5)
        found = run([plain, gc.nn.normalize_moments(*statistics), gc.nn.weighted_moments(given, [0, 1], weights),
                     gc.nn.weighted_moments(given, [0, 1], 3, keep_dims=True)], {given: x})
    mean = (x * weights).sum((0, 1)) / weights.sum()
    for pair, wanted in ((found[0], (x.mean((0, 1)), x.var((0, 1)))), (found[1], (x.mean((0, 1)), x.var((0, 1)))),
                         (found[2], (mean, (weights * (x - mean) ** 2).sum((0, 1)) / weights.sum()))):
        np.testing.assert_allclose(pair, wanted, rtol=1e-4, atol=1e-6)
    assert found[3][0].shape == (1, 1, 2)


def test_small_functions() -> None:
    x = np.array([[1.0, -2.0], [0.0, 3.0]], np.float32)
    with gc.Graph().as_default():
        poisson = gc.nn.log_poisson_loss([[0.5, 2.0]], [[1.0, -1.0]], compute_full_loss=True)
        m, v, ones = (gc.constant(a) for a in ([0.0, 1.0], [1.0, 3.0], [1.0, 1.0]))
        normal = gc.nn.batch_norm_with_global_normalization(np.ones((1, 1, 1, 2), np.float32), m, v, ones, ones, 0.0,
                                                            False)
        found = run([gc.nn.crelu(x), gc.nn.zero_fraction(x), poisson, normal, gc.nn.lrn(np.ones((1, 1, 1, 3)), 1)])
        with pytest.raises(ValueError, match="must have the same shape"):
            gc.nn.log_poisson_loss([1.0], [1.0, 2.0])
    np.testing.assert_array_equal(found[0], [[1, 0, 0, 2], [0, 3, 0, 0]])
    assert found[1] == 0.25
    stirling = 2 * np.log(2) - 2 + 0.5 * np.log(4 * np.pi)
    np.testing.assert_allclose(found[2], [[np.e - 0.5, np.exp(-1) + 2 + stirling]], rtol=1e-5)
    np.testing.assert_allclose(found[3].ravel(), [2, 1])
    np.testing.assert_allclose(found[4].ravel(), [3 ** -0.5, 0.5, 3 ** -0.5], rtol=1e-6)


def test_ctc_decoders() -> None:
    x = RNG.standard_normal((5, 2, 3)).astype(np.float32) * 2
    with gc.Graph().as_default():
        given = gc.placeholder(gc.float32, [None, None, 3])
        (greedy,), score = gc.nn.ctc_greedy_decoder(given, [5, 3])
        best, chances = gc.nn.ctc_beam_search_decoder(given, [5, 3], beam_width=60, top_paths=3, merge_repeated=False)
        found = run([greedy, score, best[0], best[2], chances], {given: x})
    np.testing.assert_allclose(found[1][:, 0], [-x[:5, 0].max(1).sum(), -x[:3, 1].max(1).sum()], rtol=1e-5)
    for b, length in enumerate((5, 3)):
        classes = x[:length, b].argmax(1)
        wanted = [v for i, v in enumerate(classes) if v != 2 and (i == 0 or v != classes[i - 1])]
        assert list(found[0][1][found[0][0][:, 0] == b]) == wanted
        # All paths: a beam of 60 keeps every prefix of 2 labels that 5 times have room for.
        logs, chance = _log_softmax(x[:length, b].astype(np.float64)), {}
        for path in np.stack(np.meshgrid(*[range(3)] * length, indexing="ij"), -1).reshape(-1, length):
            labels = tuple(v for i, v in enumerate(path) if v != 2 and (i == 0 or v != path[i - 1]))
            chance[labels] = chance.get(labels, 0) + np.exp(logs[np.arange(length), path].sum())
        order = sorted(chance, key=lambda labels: -chance[labels])
        np.testing.assert_allclose(found[4][b], np.log([chance[labels] for labels in order[:3]]), rtol=1e-4)
        for part, labels in ((found[2], order[0]), (found[3], order[2])):
            assert tuple(part[1][part[0][:, 0] == b]) == labels
    assert list(found[0][2]) == [2, max(np.bincount(found[0][0][:, 0], minlength=2))]


@pytest.mark.parametrize("labels", [[[1, 0], [0, 1]], np.eye(2, dtype=np.int64), np.eye(2, dtype=bool),
                                    np.eye(2)])
def test_labels_of_another_dtype_are_cast(labels: Any) -> None:
    """The numbers are TensorFlow 2.21's (compat.v1)."""
    logits, labels = gc.constant([[1.0, 2.0], [0.5, -1.0]]), gc.constant(labels)
    losses = gc.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    assert losses.dtype == gc.float32
    by_column = gc.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=0)
    found = run([losses, by_column, gc.gradients(losses, logits)[0]])
    expected = [1.3132616, 1.7014134], [0.474077, 3.0485873], [[-0.7310586, 0.7310586], [0.81757444, -0.8175745]]
    for value, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-6)
