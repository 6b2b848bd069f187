"""Elements of datasets, in their order. The expected values are TensorFlow's."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

D = gc.data.Dataset
E = gc.data.experimental


def elements(dataset: Any, most: int = 40) -> list[Any]:
    """What a one-shot iterator gives."""
    following = gc.data.make_one_shot_iterator(dataset).get_next()
    found = []
    with gc.Session() as session:
        try:
            while len(found) < most:
                found.append(session.run(following))
        except gc.errors.OutOfRangeError:
            pass
    return found


def plain(value: Any) -> Any:
    return tuple(plain(v) for v in value) if isinstance(value, tuple) else np.asarray(value).tolist()


def twice(x: gc.Tensor) -> gc.Tensor:
    return x * 2


def repeated(x: gc.Tensor) -> Any:
    return D.from_tensors(x).repeat(x)


def filled(x: gc.Tensor) -> gc.Tensor:
    return gc.fill([x], x)


CASES: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "shuffle": (lambda: D.range(10).shuffle(4,seed=7),
        [0, 4, 2, 3, 5, 6, 1, 8, 7, 9]),
    "shuffle full": (lambda: D.range(10).shuffle(100,seed=7),
        [2, 8, 6, 5, 9, 1, 0, 3, 7, 4]),
    "shuffle repeat": (lambda: D.range(5).shuffle(3,seed=1).repeat(3),
        [1, 3, 0, 4, 2, 1, 3, 0, 4, 2, 0, 3, 1, 4, 2]),
    "shuffle repeat fixed": (lambda: D.range(5).shuffle(3,seed=1,reshuffle_each_iteration=False).repeat(3),
        [0, 3, 2, 1, 4, 0, 3, 2, 1, 4, 0, 3, 2, 1, 4]),
    "repeat shuffle": (lambda: D.range(5).repeat(2).shuffle(7,seed=2),
        [3, 2, 3, 4, 1, 4, 1, 0, 0, 2]),
    "zip": (lambda: D.zip((D.range(3), D.range(10,20))),
        [(0, 10), (1, 11), (2, 12)]),
    "interleave": (lambda: D.range(1,6).interleave(repeated, cycle_length=2, block_length=2),
        [1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 4, 4, 5, 5, 5]),
    "window": (lambda: D.range(10).window(3,shift=2,stride=2).flat_map(lambda w: w.batch(3)),
        [[0, 2, 4], [2, 4, 6], [4, 6, 8], [6, 8], [8]]),
    "window4": (lambda: D.range(10).window(2,shift=4).flat_map(lambda w: w.batch(3)),
        [[0, 1], [4, 5], [8, 9]]),
    "gbw": (lambda: D.range(10).apply(E.group_by_window(lambda x: x%3, lambda k,d: d.batch(2), 2)),
        [[0, 3], [1, 4], [2, 5], [6, 9], [7], [8]]),
    "padded": (lambda: D.range(1,5).map(filled).padded_batch(3,[None],np.int64(-1)),
        [[[1, -1, -1], [2, 2, -1], [3, 3, 3]], [[4, 4, 4, 4]]]),
    "scan": (lambda: D.range(5).apply(E.scan(np.int64(0), lambda s,x: (s+x, s*x))),
        [0, 0, 2, 9, 24]),
    "bucket": (lambda: D.range(1,11).map(filled).apply(E.bucket_by_sequence_length(lambda x: gc.size(x),[4,7],[2,2,2])),
        [[[1, 0], [2, 2]], [[4, 4, 4, 4, 0], [5, 5, 5, 5, 5]], [[7, 7, 7, 7, 7, 7, 7, 0], [8, 8, 8, 8, 8, 8, 8, 8]],
         [[9, 9, 9, 9, 9, 9, 9, 9, 9, 0], [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]], [[3, 3, 3]], [[6, 6, 6, 6, 6,
         6]]]),
    "choose": (lambda: E.choose_from_datasets([D.range(3),D.range(10,20)], D.range(2).repeat(5)),
        [0, 10, 1, 11, 2, 12, 13, 14]),
    "parallel": (lambda: D.range(1,6).apply(E.parallel_interleave(repeated, cycle_length=2)),
        [1, 2, 2, 3, 3, 4, 3, 4, 4, 5, 4, 5, 5, 5, 5]),
    "unbatch": (lambda: D.range(7).batch(3).apply(E.unbatch()),
        [0, 1, 2, 3, 4, 5, 6]),
    "ignore": (lambda: D.from_tensor_slices([1.,2.,0.,4.]).map(lambda x: gc.check_numerics(1./x,"bad"))
               .apply(E.ignore_errors()),
        [1.0, 0.5, 0.25]),
    "snr": (lambda: D.range(4).apply(E.shuffle_and_repeat(3,2,seed=3)),
        [0, 1, 2, 3, 0, 3, 2, 1]),
    "mab": (lambda: D.range(7).apply(E.map_and_batch(twice, 3, drop_remainder=True)),
        [[0, 2, 4], [6, 8, 10]]),
    "counter": (lambda: E.Counter(3,2).take(3),
        [3, 5, 7]),
    "take -1": (lambda: D.range(3).take(-1),
        [0, 1, 2]),
    "skip -1": (lambda: D.range(3).skip(-1),
        []),
    "shard": (lambda: D.range(7).shard(3,1),
        [1, 4]),
    "enum": (lambda: D.range(3).enumerate(5),
        [(5, 0), (6, 1), (7, 2)]),
    "concat": (lambda: D.range(2).concatenate(D.range(3)),
        [0, 1, 0, 1, 2]),
    "unique": (lambda: D.from_tensor_slices([1,2,1,3,2]).apply(E.unique()),
        [1, 2, 3]),
    "takewhile": (lambda: D.range(9).apply(E.take_while(lambda x: x<4)),
        [0, 1, 2, 3]),
    "random": (lambda: E.RandomDataset(3).take(4),
        [3534849767, 279844183, 888998500, 1099633400]),
    "dense_to_sparse": (lambda: D.range(1,4).map(filled).apply(E.dense_to_sparse_batch(2,[4]))
               .map(lambda s: gc.sparse_tensor_to_dense(s)),
        [[[1, 0, 0, 0], [2, 2, 0, 0]], [[3, 3, 3, 0]]]),
}


@pytest.mark.parametrize("name", CASES)
def test_as_in_tensorflow(name: str) -> None:
    make, expected = CASES[name]
    with gc.Graph().as_default():
        assert [plain(v) for v in elements(make())] == expected


def test_seeds_of_graph_and_step() -> None:
    with gc.Graph().as_default():
        gc.set_random_seed(5)
        assert plain(tuple(elements(D.range(8).shuffle(8, seed=2)))) == (1, 3, 6, 0, 4, 5, 2, 7)


def test_without_seed_every_epoch_has_another_order() -> None:
    found = [int(v) for v in elements(D.range(30).shuffle(30).repeat(3), 90)]
    epochs = [found[:30], found[30:60], found[60:]]
    assert all(sorted(e) == list(range(30)) for e in epochs) and len({tuple(e) for e in epochs}) == 3
