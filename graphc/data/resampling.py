"""Transformations that choose among elements, or take them together again: rejection_resample, sliding_window_batch."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data.dataset import Dataset
from graphc.data.structure import flatten, pack

Transformation = Callable[[Dataset], Dataset]


@public("data.experimental.rejection_resample", "contrib.data.rejection_resample")
def rejection_resample(class_func: Callable[..., Any], target_dist: Any, initial_dist: Any = None,
                       seed: Any = None) -> Transformation:
    """(class, element) of elements that are chosen so that their classes are distributed as target_dist says, as
    `tf.data.experimental.rejection_resample`; not the elements that TensorFlow draws.

    class_func: from an element to its class, an int scalar. target_dist: a vector of floats, for each class.
    initial_dist: how the classes are distributed now; None: as the elements so far tell, of each class one more. Raises
    ValueError if the two have different lengths.

    >>> numbers = gc.data.Dataset.range(1000).apply(gc.data.experimental.rejection_resample(
    ...     lambda n: gc.cast(n < 900, gc.int32), target_dist=[0.5, 0.5], initial_dist=[0.1, 0.9], seed=1))
    >>> classes = numbers.map(lambda kind, n: kind).batch(1000).make_one_shot_iterator().get_next()
    >>> bool(0.35 < classes.eval().mean() < 0.65)
    True
    """
    target = gc.convert_to_tensor(target_dist, gc.float32)
    initial = None if initial_dist is None else gc.convert_to_tensor(initial_dist, gc.float32)
    if initial is not None and not initial.shape.is_compatible_with(target.shape):
        raise ValueError(f"target_dist has the shape {target.shape}, but initial_dist {initial.shape}")

    def chosen(counts: Any, element: Any) -> Any:
        kind = gc.cast(class_func(*element) if type(element) is tuple else class_func(element), gc.int32)
        counts = counts + gc.one_hot(kind, gc.size(target))
        ratio = target / (gc.maximum(initial, 1e-30) if initial is not None else counts)
        accepted = gc.random_uniform([], seed=seed) * gc.reduce_max(ratio) < gc.gather(ratio, kind)
        return counts, (accepted, (kind, element))

    def transform(dataset: Dataset) -> Dataset:
        drawn = dataset.apply(gc.data.experimental.scan(gc.ones_like(target), chosen))
        return drawn.filter(lambda accepted, _: accepted).map(lambda _, pair: pair)

    return transform


@public("contrib.data.sliding_window_batch")
def sliding_window_batch(window_size: Any, stride: Any = None, window_shift: Any = None,
                         window_stride: Any = 1) -> Transformation:
    """Batches of window_size elements, window_shift (1) apart, of every window_stride-th element, as
    `tf.contrib.data.sliding_window_batch`. stride: the older name of window_shift; ValueError for both.

    The sizes are integers (TypeError), or tensors; one below 1 ends a run with InvalidArgumentError.

    >>> windows = gc.data.Dataset.range(4).apply(gc.contrib.data.sliding_window_batch(2))
    >>> window = windows.make_one_shot_iterator().get_next()
    >>> window.eval(), window.eval(), window.eval()
    (array([0, 1]), array([1, 2]), array([2, 3]))
    """
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `window_shift` and `stride`")
    shift = 1 if stride is None and window_shift is None else window_shift if stride is None else stride

    def batched(*windows: Any) -> Dataset:
        window = windows[0] if len(windows) == 1 else windows
        parts = flatten(window)
        made = [part.batch(window_size) for part in parts]
        return made[0] if window is parts[0] else Dataset.zip(pack(window, made))

    return lambda dataset: dataset.window(window_size, shift, window_stride, drop_remainder=True).flat_map(batched)
