"""What an input function gives: features and labels, or a Dataset of them."""
from __future__ import annotations

from typing import Any

import graphc as gc


class DatasetInitializerHook(gc.train.SessionRunHook):
    """Starts the iterator of a session."""

    def __init__(self, initializer: Any) -> None:
        self._initializer = initializer

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(self._initializer)


def features_and_labels(result: Any) -> tuple[Any, Any, list[Any]]:
    """(features, labels or None, hooks). Raises ValueError for a tuple of another length than 2."""
    result, hooks = _tensors(result)
    if isinstance(result, (list, tuple)):
        if len(result) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return result[0], result[1], hooks
    return result, None, hooks


def features_alone(result: Any) -> tuple[Any, list[Any]]:
    """(features, hooks): of a tuple the first."""
    result, hooks = _tensors(result)
    return (result[0] if isinstance(result, (list, tuple)) else result), hooks


def _tensors(result: Any) -> tuple[Any, list[Any]]:
    if not isinstance(result, gc.data.Dataset):
        return result, []
    iterator = result.make_initializable_iterator()
    return iterator.get_next(), [DatasetInitializerHook(iterator.initializer)]


def ends(features: Any) -> bool:
    """Whether the features come from what can end: a Dataset or a queue."""
    tensors = [t for t in gc.nest.flatten(features) if isinstance(t, gc.Tensor)]
    return (any(t.op.type in ("IteratorGetNext", "OneShotIterator") for t in tensors)
            or bool(gc.get_collection(gc.GraphKeys.QUEUE_RUNNERS)))
