"""contrib.staging: a place where values wait for the next run, which is a queue here."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

_UNBOUNDED = 2**31 - 1


@public("contrib.staging.StagingArea", "compat.v1.python.ops.data_flow_ops.StagingArea")
class StagingArea:
    """Values that one run puts in and a later one gets out, in their order: so a run computes with what the run before
    has loaded.

    dtypes, shapes, names: of the components of an element, as of `gc.FIFOQueue`. capacity: how many elements fit; `put`
    waits while there is no room, `get` while there is nothing. 0: any number. As `tf.contrib.staging.StagingArea`,
    without peek and clear; memory_limit must be 0 (ValueError).

    >>> area = gc.contrib.staging.StagingArea([gc.float32, gc.int32], [[2], []])
    >>> put, got = area.put([gc.constant([1., 2.]), gc.constant(3)]), area.get()
    >>> with gc.Session() as session:
    ...     session.run(put)
    ...     session.run(got)
    [array([1., 2.], dtype=float32), np.int32(3)]
    """

    def __init__(self, dtypes: Sequence[Any], shapes: Sequence[Any] | None = None, names: Sequence[str] | None = None,
                 shared_name: str | None = None, capacity: int = 0, memory_limit: int = 0) -> None:
        if memory_limit:
            raise ValueError(f"StagingArea: argument 'memory_limit' must be 0, but is {memory_limit}; give a capacity")
        if capacity < 0:
            raise ValueError(f"StagingArea: argument 'capacity' must be 0 or more, but is {capacity}")
        self._queue = gc.FIFOQueue(capacity or _UNBOUNDED, dtypes, shapes, names, shared_name, name="StagingArea")

    name = property(lambda self: self._queue.name, doc="The name of the op that makes it.")
    dtypes = property(lambda self: self._queue.dtypes, doc="The dtypes of the components.")
    shapes = property(lambda self: self._queue.shapes, doc="The shapes of the components.")
    names = property(lambda self: self._queue.names, doc="The names of the components, or None.")

    def put(self, values: Any, name: str | None = None) -> gc.Operation:
        """Puts one element in: a list of one tensor for each component, or a dict if they have names."""
        return self._queue.enqueue(values, name)

    def get(self, name: str | None = None) -> Any:
        """The oldest element, taken out: a list of one tensor for each component, or a dict if they have names."""
        made = self._queue.dequeue(name)
        return made if isinstance(made, (list, dict)) else [made]

    def size(self, name: str | None = None) -> gc.Tensor:
        """How many elements wait."""
        return self._queue.size(name)
