"""Input functions over arrays that are in memory: numpy_input_fn and pandas_input_fn."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public

_INDEX = "index"


@public("estimator.inputs.numpy_input_fn", "contrib.learn.io.numpy_input_fn")
def numpy_input_fn(x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1,
                   shuffle: bool | None = None, queue_capacity: int = 1000,
                   num_threads: int = 1) -> Callable[[], Any]:
    """An input function that gives batches of rows of x (an array, or a dict of them) and of y, as
    `tf.estimator.inputs.numpy_input_fn`.

    num_epochs=None: for ever. Rows of one epoch follow those of the last, so that only the very last batch may be
    smaller. shuffle: the rows of each epoch are mixed, none coming queue_capacity rows too early; with the graph's
    seed, in the same order each time. num_threads: as often every epoch's rows are given, since TensorFlow's threads
    each read all of them. Raises ValueError unless shuffle is a bool, and, when it is called, for arrays of different
    lengths. A batch is [batch_size, ...] of the array's dtype; arrays have at least one axis (ValueError), x is an
    array or a dict (TypeError).

    >>> read = gc.estimator.inputs.numpy_input_fn(
    ...     {"x": np.arange(5.)}, np.arange(5), batch_size=3, num_epochs=2, shuffle=False)
    >>> features, labels = read()
    >>> with gc.train.MonitoredSession() as session:
    ...     while not session.should_stop():
    ...         print(session.run([features["x"], labels]))
    [array([0., 1., 2.]), array([0, 1, 2])]
    [array([3., 4., 0.]), array([3, 4, 0])]
    [array([1., 2., 3.]), array([1, 2, 3])]
    [array([4.]), array([4])]
    """
    if not isinstance(shuffle, bool):
        raise ValueError("shuffle must be provided and explicitly set as boolean (it is recommended to set it as True "
                         f"for training); got {shuffle}")
    rounds = None if num_epochs is None else num_epochs * num_threads

    def input_fn() -> Any:
        data = _Rows(x, y)
        return data.split(_batches(data.arrays, batch_size, rounds, queue_capacity if shuffle else 0))

    return input_fn


@public("estimator.inputs.pandas_input_fn", "contrib.learn.io.pandas_input_fn")
def pandas_input_fn(x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1,
                    shuffle: bool | None = None, queue_capacity: int = 1000, num_threads: int = 1,
                    target_column: str = "target") -> Callable[[], Any]:
    """numpy_input_fn of the columns of a DataFrame, as `tf.estimator.inputs.pandas_input_fn`. y: a Series, or a
    DataFrame whose columns are targets by name. Raises TypeError if x is no DataFrame, ValueError if the two have
    different indices, or x has a column named target_column.

    >>> import pandas                                                        # doctest: +SKIP
    >>> table = pandas.DataFrame({"age": [36, 41], "name": ["Ada", "Alan"]})  # doctest: +SKIP
    >>> read = gc.estimator.inputs.pandas_input_fn(table, pandas.Series([1., 0.]), shuffle=False)    # doctest: +SKIP
    >>> features, labels = read()                                            # doctest: +SKIP
    >>> with gc.train.MonitoredSession() as session:                         # doctest: +SKIP
    ...     print(session.run([features["age"], features["name"], labels]))
    [array([36, 41]), array([b'Ada', b'Alan'], dtype=object), array([1., 0.])]
    """
    if not (hasattr(x, "columns") and hasattr(x, "index")):
        raise TypeError(f"pandas_input_fn: argument 'x' must be a pandas DataFrame, but is {x!r}")
    targets = None
    if y is not None:
        if not x.index.equals(y.index):
            raise ValueError(f"Index for x and y are mismatched.\nIndex for x: {x.index}\nIndex for y: {y.index}\n")
        if target_column in x:
            raise ValueError(f"Cannot use name {target_column} for target column: DataFrame already has a column with "
                             "that name; pass another target_column")
        targets = {name: y[name].to_numpy() for name in y} if hasattr(y, "columns") else y.to_numpy()
    features = {_INDEX: x.index.to_numpy(), **{name: x[name].to_numpy() for name in x}}
    read = numpy_input_fn(features, targets, batch_size, num_epochs, shuffle, queue_capacity, num_threads)

    def input_fn() -> Any:
        given = read()
        (given if targets is None else given[0]).pop(_INDEX)
        return given

    return input_fn


class _Rows:
    """Arrays of as many rows, and what they are to users: features and targets, alone or by name."""

    def __init__(self, x: Any, y: Any) -> None:
        self.features, self.alone = _by_name(x, "x", ""), not isinstance(x, Mapping)
        self.targets = {} if y is None else _by_name(y, "y", "__target_key__")
        self.has_targets, self.target_alone = y is not None, not isinstance(y, Mapping)
        both = self.features.keys() & self.targets.keys()
        if both:
            raise ValueError(f"{len(both)} duplicate keys are found in both x and y: {sorted(both)}")
        self.arrays = {**self.features, **self.targets}
        if len({len(array) for array in self.arrays.values()}) > 1:
            raise ValueError("Length of tensors in x and y is mismatched. All elements in x and y must have the same "
                             f"length.\nShapes in x: { {k: v.shape for k, v in self.features.items()} }\n"
                             f"Shapes in y: { {k: v.shape for k, v in self.targets.items()} }\n")

    def split(self, batch: dict[str, Any]) -> Any:
        features = {name: batch[name] for name in self.features}
        given = features[""] if self.alone else features
        if not self.has_targets:
            return given
        targets = {name: batch[name] for name in self.targets}
        return given, next(iter(targets.values())) if self.target_alone else targets


def _by_name(value: Any, what: str, name: str) -> dict[str, np.ndarray]:
    """Sorted by their names, as TensorFlow keeps them."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError(f"{what} cannot be an empty dict" + (", use None instead." if what == "y" else "."))
        return {key: _array(value[key], f"{what}[{key!r}]") for key in sorted(value)}
    if what == "x" and not isinstance(value, np.ndarray):
        raise TypeError(f"x must be a dict or array; got {type(value).__name__}")
    return {name: _array(value, what)}


def _array(value: Any, what: str) -> np.ndarray:
    array = np.asarray(value)
    if array.ndim == 0:
        raise ValueError(f"{what} must have at least one axis, the rows, but is a scalar")
    return array


def _batches(arrays: Mapping[str, np.ndarray], batch_size: int, rounds: int | None, window: int) -> dict[str, Any]:
    """The tensors of the next batch."""
    seed = gc.get_default_graph().seed

    def generate() -> Iterator[dict[str, np.ndarray]]:
        for rows in _row_numbers(len(next(iter(arrays.values()))), batch_size, rounds, window, seed):
            yield {name: array[rows] for name, array in arrays.items()}

    types = {name: _dtype(array) for name, array in arrays.items()}
    sizes = {name: [batch_size if rounds is None else None, *array.shape[1:]] for name, array in arrays.items()}
    batch: dict[str, Any] = gc.data.Dataset.from_generator(generate, types, sizes).make_one_shot_iterator().get_next()
    return batch


def _dtype(array: np.ndarray) -> Any:
    return gc.string if array.dtype.kind in "OSU" else gc.as_dtype(array.dtype)


def _row_numbers(count: int, batch_size: int, rounds: int | None, window: int,
                 seed: int | None) -> Iterator[np.ndarray]:
    """Numbers of rows, a batch at a time; only the last one may be smaller."""
    waiting = np.zeros(0, np.int64)
    random, done = np.random.RandomState(seed), 0
    while count and (rounds is None or done < rounds):
        waiting = np.concatenate([waiting, _order(count, window, random)])
        done += 1
        while len(waiting) >= batch_size:
            yield waiting[:batch_size]
            waiting = waiting[batch_size:]
    if len(waiting):
        yield waiting


def _order(count: int, window: int, random: np.random.RandomState) -> np.ndarray:
    """0 to count - 1: in their order, or shuffled, so that none comes `window` places or more too early."""
    if not window:
        return np.arange(count)
    if window >= count:
        return random.permutation(count)
    return np.argsort(np.arange(count) + random.random_sample(count) * window, kind="stable")
