"""rejection_resample and sliding_window_batch."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc

D, experimental = gc.data.Dataset, gc.data.experimental


@pytest.fixture(autouse=True)
def own_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


def run(dataset: gc.data.Dataset) -> list:
    following = dataset.make_one_shot_iterator().get_next()
    found = []
    with gc.Session() as session:
        while True:
            try:
                found.append(session.run(following))
            except gc.errors.OutOfRangeError:
                return found


@pytest.mark.parametrize("initial", [[0.8, 0.2, 0.0], None])
def test_classes_are_distributed_as_wanted(initial: list | None) -> None:
    drawn = np.random.default_rng(1).random(4000) < 0.2
    numbers = D.from_tensor_slices((drawn, np.arange(4000))).apply(experimental.rejection_resample(
        lambda kind, number: gc.cast(kind, gc.int64), [0.4, 0.6, 0.0], initial, seed=3))
    assert numbers.output_types == (gc.int32, (gc.bool, gc.int64))
    [(kinds, (same, order))] = run(numbers.batch(5000))
    assert kinds.tolist() == same.tolist() and (np.diff(order) > 0).all()
    assert abs(kinds.mean() - 0.6) < 0.05
    assert 1000 < len(kinds) < 1600                # all of the rarer one, about


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="target_dist has the shape"):
        experimental.rejection_resample(lambda n: n, [0.5, 0.5], [1.0])
    with pytest.raises(ValueError, match="both `window_shift` and `stride`"):
        gc.contrib.data.sliding_window_batch(2, stride=1, window_shift=1)


def test_windows_that_slide() -> None:
    sliding = gc.contrib.data.sliding_window_batch
    assert [w.tolist() for w in run(D.range(7).apply(sliding(3, window_shift=2)))] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert [w.tolist() for w in run(D.range(6).apply(sliding(2, 3, window_stride=2)))] == [[0, 2], [3, 5]]
    pairs = run(D.zip((D.range(4), {"x": D.range(10, 14)})).apply(sliding(3)))
    assert [(a.tolist(), b["x"].tolist()) for a, b in pairs] == [([0, 1, 2], [10, 11, 12]), ([1, 2, 3], [11, 12, 13])]
    assert run(D.range(2).apply(sliding(3))) == []
