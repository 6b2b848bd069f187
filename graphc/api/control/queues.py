"""Queues, as `tf.FIFOQueue` and its kin: what is put in by one thread's run is taken out by another's.

The queue itself belongs to the session. Within one run the ops of queues run one after the other, in the order in which
they were made; they wait where TensorFlow's wait.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.public import public
from graphc.api.random.random import seeds
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int32, int64
from graphc.ir.func_graph import full_name
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS, Op
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("queue.QueueBase", "QueueBase", "io.QueueBase", "python.ops.data_flow_ops.QueueBase")
class QueueBase:
    """What all queues have: elements, each a tuple of tensors, go in and come out in different runs, often of other
    threads.

    A run that finds no room, or no element, waits. A queue is the session's. As `tf.QueueBase`. Raises ValueError if
    there is not one shape and name for each dtype, or if what is put in has another number of components, other names,
    shapes or dtypes; TypeError for Python values of another kind.

    >>> queue = gc.FIFOQueue(capacity=3, dtypes=[gc.int32, gc.string], shapes=[[], []], names=["number", "word"])
    >>> queue.enqueue({"number": 1, "word": "one"}).run()
    >>> queue.size().eval(), gc.get_default_session().run(queue.dequeue())
    (np.int32(1), {'number': np.int32(1), 'word': b'one'})
    """

    def __init__(self, dtypes: Sequence[Any], shapes: Any, names: Sequence[str] | None, queue_ref: Tensor) -> None:
        self._dtypes = [as_dtype(d) for d in dtypes]
        if shapes is not None and len(shapes) != len(self._dtypes):
            raise ValueError("Queue shapes must have the same length as dtypes, "
                             f"received {len(self._dtypes)} dtypes, {len(shapes)} shapes")
        if names is not None and len(names) != len(self._dtypes):
            raise ValueError("Queue names must have the same length as dtypes, "
                             f"received {len(self._dtypes)} dtypes, {len(names)} names")
        self._shapes = [TensorShape(None)] * len(self._dtypes) if shapes is None else [as_shape(s) for s in shapes]
        self._names = list(names) if names is not None else None
        self._queue_ref = queue_ref

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """queues[index]; the index must be known while the graph is built."""
        if not queues or not isinstance(queues, list) or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        if any(q.dtypes != queues[0].dtypes for q in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        if any(q.names != queues[0].names for q in queues):
            raise TypeError("Queues do not have matching component names.")
        value = convert_to_tensor(index).spec.value
        if value is None or not isinstance(value[0], int):
            raise UnimplementedError("QueueBase.from_list: argument 'index' must be known while the graph is built, "
                                     f"but is {index!r}; use gc.case to choose one of the queues")
        return queues[value[0]]

    queue_ref = property(lambda self: self._queue_ref, doc="The queue's handle.")
    name = property(lambda self: self._queue_ref.op.name, doc="The name of the op that makes the queue.")
    dtypes = property(lambda self: self._dtypes, doc="The dtypes of the components.")
    shapes = property(lambda self: self._shapes, doc="The shapes of the components.")
    names = property(lambda self: self._names, doc="The names of the components, or None.")

    def _components(self, vals: Any, rows: bool) -> list[Tensor]:
        if self._names is not None:
            if not isinstance(vals, dict):
                raise ValueError("Cannot enqueue a non-dictionary to a queue with names")
            if sorted(self._names) != sorted(vals):
                raise ValueError("Keys in dictionary to enqueue do not match names of Queue. Dictionary: "
                                 f"{sorted(vals)}, Queue: {sorted(self._names)}")
            given = [vals[key] for key in self._names]
        elif isinstance(vals, dict):
            raise ValueError("Cannot enqueue a dictionary to a queue without names")
        else:
            given = list(vals) if isinstance(vals, (list, tuple)) else [vals]
        if len(given) != len(self._dtypes):
            raise ValueError(f"{self.name}: {len(given)} values to enqueue for {len(self._dtypes)} components")
        found = []
        for i, (value, dtype, shape) in enumerate(zip(given, self._dtypes, self._shapes, strict=True)):
            tensor = convert_to_tensor(value, dtype, name=f"component_{i}")
            static = tensor.shape
            if rows and static.ndims == 0:
                raise ValueError(f"{self.name}: component {i} must have at least one axis to be enqueued row by row")
            (static[1:] if rows and static.ndims is not None else static).assert_is_compatible_with(shape)
            found.append(tensor)
        return found

    def _put(self, op: str, vals: Any, rows: bool, name: str) -> Operation:
        with get_default_graph().name_scope(name) as scope:
            components = self._components(vals, rows)
            made: Operation = apply(OPS[op], self._queue_ref, components, name=scope,
                                    Tcomponents=tuple(self._dtypes))
            return made

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """Puts one element in (a tensor; a list of one for each component; a dict if they have names)."""
        return self._put("QueueEnqueueV2", vals, False, name or f"{_last(self.name)}_enqueue")

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """Puts in each row of the tensors."""
        return self._put("QueueEnqueueManyV2", vals, True, name or f"{_last(self.name)}_EnqueueMany")

    def _taken(self, op: str, name: str, rows: Sequence[int | None], *n: Tensor) -> Any:
        made = apply(OPS[op], self._queue_ref, *n, name=name, component_types=tuple(self._dtypes))
        tensors = list(made) if isinstance(made, tuple) else [made]
        for tensor, shape in zip(tensors, self._shapes, strict=True):
            if shape.ndims is not None:
                tensor.set_shape([*rows, *shape.as_list()])
        if self._names is not None:
            return dict(zip(self._names, tensors, strict=True))
        return tensors[0] if len(tensors) == 1 else tensors

    def dequeue(self, name: str | None = None) -> Any:
        """One element: a tensor, a list of one for each component, or a dict if they have names."""
        return self._taken("QueueDequeueV2", name or f"{_last(self.name)}_Dequeue", ())

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """n elements, one below the other.

        The result is [n, ...]. Raises ValueError for a negative n.
        """
        with get_default_graph().name_scope(name or f"{_last(self.name)}_DequeueMany") as scope:
            count, known = self._count(n)
            return self._taken("QueueDequeueManyV2", scope, [known], count)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """n elements, or those that are left once the queue is closed."""
        with get_default_graph().name_scope(name or f"{_last(self.name)}_DequeueUpTo") as scope:
            count, _ = self._count(n)
            return self._taken("QueueDequeueUpToV2", scope, [None], count)

    def _count(self, n: Any) -> tuple[Tensor, int | None]:
        count = cast(convert_to_tensor(n, name="n"), int32)
        value = count.spec.value
        return count, value[0] if value is not None and isinstance(value[0], int) else None

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Nothing goes in any more; what is in can be taken out. cancel_pending_enqueues: those that wait fail, too."""
        made: Operation = apply(OPS["QueueCloseV2"], self._queue_ref, name=name or f"{_last(self.name)}_Close",
                                cancel_pending_enqueues=cancel_pending_enqueues)
        return made

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether the queue is closed."""
        return apply(OPS["QueueIsClosedV2"], self._queue_ref,  # type: ignore[no-any-return]
                     name=name or f"{_last(self.name)}_Is_Closed")

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements."""
        found: Tensor = apply(OPS["QueueSizeV2"], self._queue_ref, name=name or f"{_last(self.name)}_Size")
        return found


def _last(name: str) -> str:
    return str(name).rpartition("/")[2]


def _make(op: type[Op], name: str, dtypes: Any, shapes: Any, capacity: int, shared_name: str | None,
          **more: Any) -> Tensor:
    known = None if shapes is None else [as_shape(s) for s in shapes]
    handle: Tensor = apply(op, name=name, component_types=tuple(dtypes), capacity=-1 if capacity is None else capacity,
                           shapes=() if known is None or any(s.ndims is None for s in known) else tuple(
                               s.sizes for s in known),
                           shared_name=shared_name or "", **more)
    return handle


def _listed(dtypes: Any, shapes: Any, names: Any) -> tuple[list[Any], Any, Any]:
    """The arguments for several components, where one may be given for a queue of one."""
    if not isinstance(dtypes, (list, tuple)):
        dtypes = [dtypes]
    found = [as_dtype(d) for d in dtypes]
    if shapes is not None:
        if isinstance(shapes, TensorShape) or not isinstance(shapes, (list, tuple)) or (
                len(found) == 1 and not (len(shapes) == 1 and isinstance(shapes[0], (list, tuple, TensorShape)))):
            shapes = [shapes]
        shapes = [as_shape(s) for s in shapes]
    return found, shapes, [names] if isinstance(names, str) else names


@public("queue.FIFOQueue", "FIFOQueue", "python.ops.data_flow_ops.FIFOQueue")
class FIFOQueue(QueueBase):
    """A queue: first in, first out. As `tf.FIFOQueue`.

    capacity: how many elements it holds; dtypes: one, or one a component; shapes: of the components, needed for
    dequeue_many, and known in rank for any use. names: of the components, which are dicts then. shared_name: queues
    with one name are one. Taking from an empty queue that is closed raises OutOfRangeError, putting into a closed one
    CancelledError.

    >>> queue = gc.FIFOQueue(10, gc.int32, shapes=[[]])
    >>> queue.enqueue_many([[1, 2, 3]]).run()
    >>> queue.dequeue().eval(), queue.dequeue_many(2).eval()
    (np.int32(1), array([2, 3], dtype=int32))
    >>> queue.close().run()
    >>> queue.dequeue().eval()
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: QueueDequeueV2 'fifo_queue_Dequeue_1': FIFOQueue 'fifo_queue' is ...
    """

    def __init__(self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None,
                 shared_name: str | None = None, name: str = "fifo_queue") -> None:
        dtypes, shapes, names = _listed(dtypes, shapes, names)
        super().__init__(dtypes, shapes, names, _make(OPS["FIFOQueueV2"], name, dtypes, shapes, capacity, shared_name))


@public("queue.PaddingFIFOQueue", "PaddingFIFOQueue", "io.PaddingFIFOQueue",
        "python.ops.data_flow_ops.PaddingFIFOQueue")
class PaddingFIFOQueue(QueueBase):
    """A queue, first in, first out; where sizes of elements differ batches are filled up with zeros.

    shapes: None where sizes differ. As `tf.PaddingFIFOQueue`; other arguments as of `gc.FIFOQueue`. Raises ValueError
    unless there is a shape of known rank for each dtype.

    >>> queue = gc.PaddingFIFOQueue(10, gc.int32, shapes=[[None]])
    >>> for row in ([[1, 2, 3]], [[4]]):
    ...     queue.enqueue(row).run()
    >>> queue.dequeue_many(2).eval()
    array([[1, 2, 3],
           [4, 0, 0]], dtype=int32)
    """

    def __init__(self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None,
                 name: str = "padding_fifo_queue") -> None:
        dtypes, shapes, names = _listed(dtypes, shapes, names)
        if shapes is None or any(s.ndims is None for s in shapes) or len(shapes) != len(dtypes):
            raise ValueError("Shapes must be provided for all components, with a known rank, but received "
                             f"{len(dtypes)} dtypes and shapes {shapes}")
        super().__init__(dtypes, shapes, names,
                         _make(OPS["PaddingFIFOQueueV2"], name, dtypes, shapes, capacity, shared_name))


@public("queue.RandomShuffleQueue", "RandomShuffleQueue", "io.RandomShuffleQueue",
        "python.ops.data_flow_ops.RandomShuffleQueue")
class RandomShuffleQueue(QueueBase):
    """A queue whose elements come out in any order; min_after_dequeue of them stay until it is closed, for good mixing.

    min_after_dequeue: an int of 0 or more. As `tf.RandomShuffleQueue`; other arguments as of `gc.FIFOQueue`. Raises
    InvalidArgumentError unless min_after_dequeue is below the capacity: nothing would ever come out.

    >>> queue = gc.RandomShuffleQueue(10, min_after_dequeue=0, dtypes=gc.int32, shapes=[[]], seed=1)
    >>> queue.enqueue_many([[1, 2, 3]]).run()
    >>> np.sort(queue.dequeue_many(3).eval())
    array([1, 2, 3], dtype=int32)
    """

    def __init__(self, capacity: int, min_after_dequeue: int, dtypes: Any, shapes: Any = None, names: Any = None,
                 seed: int | None = None, shared_name: str | None = None, name: str = "random_shuffle_queue") -> None:
        dtypes, shapes, names = _listed(dtypes, shapes, names)
        graph = get_default_graph()
        with graph.name_scope(name) as scope:
            first, second = seeds(seed, full_name(graph, scope.rstrip("/")))
        handle = _make(OPS["RandomShuffleQueueV2"], scope, dtypes, shapes, capacity, shared_name,
                       min_after_dequeue=min_after_dequeue, seed=first, seed2=second)
        super().__init__(dtypes, shapes, names, handle)


@public("queue.PriorityQueue", "PriorityQueue", "io.PriorityQueue")
class PriorityQueue(QueueBase):
    """A queue whose element of the least priority comes first: a priority of int64 before the components of `types`.

    What goes in is a list with the priority, an int64 scalar, in front (TypeError for floats, ValueError without). As
    `tf.PriorityQueue`; other arguments as of `gc.FIFOQueue`.

    >>> queue = gc.PriorityQueue(10, [gc.string], shapes=[[]])
    >>> queue.enqueue_many([[5, 1], ["later", "first"]]).run()
    >>> gc.get_default_session().run(queue.dequeue())
    [np.int64(1), b'first']
    """

    def __init__(self, capacity: int, types: Any, shapes: Any = None, names: Any = None,
                 shared_name: str | None = None, name: str = "priority_queue") -> None:
        types, shapes, names = _listed(types if types is not None else [], shapes, names)
        handle = _make(OPS["PriorityQueueV2"], name, types, shapes, capacity, shared_name)
        super().__init__([int64, *types], None if shapes is None else [as_shape([]), *shapes], names, handle)
        self._shapes[0] = as_shape([])
