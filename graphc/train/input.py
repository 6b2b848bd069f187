"""Pipelines of queues: producers of elements, and batches of them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.train.runners import QueueRunner, add_queue_runner

__all__ = ["batch", "input_producer", "limit_epochs", "range_input_producer", "shuffle_batch",
           "slice_input_producer", "string_input_producer"]


@public("train.limit_epochs")
def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> gc.Tensor:
    """`tensor`, which may be computed num_epochs times: then comes OutOfRangeError. As `tf.train.limit_epochs`; the
    count is a local variable, so run gc.local_variables_initializer().

    tensor: of any shape and dtype. Raises ValueError unless num_epochs is above 0, or None: as often as one likes.

    >>> twice = gc.train.limit_epochs(gc.constant(7), num_epochs=2)
    >>> gc.local_variables_initializer().run()
    >>> twice.eval(), twice.eval()
    (np.int32(7), np.int32(7))
    >>> twice.eval()
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: _EndOfData 'limit_epochs/CountUpTo/EndOfData': Reached limit of 2 ...
    """
    tensor = gc.convert_to_tensor(tensor)
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    graph = gc.get_default_graph()
    with graph.name_scope(name or "limit_epochs") as scope:
        epochs = gc.Variable(0, dtype=gc.int64, name="epochs", trainable=False,
                             collections=[gc.GraphKeys.LOCAL_VARIABLES])
        with graph.control_dependencies([epochs.count_up_to(num_epochs)]):
            return gc.identity(tensor, name=scope)


@public("train.match_filenames_once", "io.match_filenames_once")
def match_filenames_once(pattern: str | Sequence[str], name: str | None = None) -> gc.Variable:
    """The names of the files that match, as a local variable. As `tf.train.match_filenames_once`, but that the files
    are looked for when the graph is built, not when the variable is initialised: its size must be known.

    >>> for name in ("a.txt", "b.txt", "c.csv"):
    ...     gc.io.write_file(name, "").run()
    >>> names = gc.io.match_filenames_once("*.txt")
    >>> gc.local_variables_initializer().run()
    >>> names.eval()
    array([b'a.txt', b'b.txt'], dtype=object)
    """
    name = name or "matching_filenames"
    with gc.get_default_graph().name_scope(name):
        return gc.Variable(np.array(sorted(gc.io.gfile.glob(pattern)), object), trainable=False, name=name,
                           dtype=gc.string, collections=[gc.GraphKeys.LOCAL_VARIABLES])


@public("train.input_producer")
def input_producer(input_tensor: Any, element_shape: Any = None, num_epochs: int | None = None, shuffle: bool = True,
                   seed: int | None = None, capacity: int = 32, shared_name: str | None = None,
                   summary_name: str | None = None, name: str | None = None,
                   cancel_op: Any = None) -> gc.FIFOQueue:
    """A queue of the rows of input_tensor, again and again (num_epochs times), as `tf.train.input_producer`.
    summary_name: of a summary of how full it is.
    element_shape: of a row, where it is not known. shuffle: the rows of each epoch in another order, by `seed`.
    With num_epochs run gc.local_variables_initializer(): the count is a local variable.

    Raises ValueError for a scalar, if the shape of a row is not known or not element_shape, or if num_epochs is not
    above 0.

    >>> queue = gc.train.input_producer([[1, 2], [3, 4]], num_epochs=2, shuffle=False)
    >>> row = queue.dequeue()
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> [session.run(row).tolist() for _ in range(4)]
    [[1, 2], [3, 4], [1, 2], [3, 4]]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    with gc.get_default_graph().name_scope(name or "input_producer"):
        tensor = gc.convert_to_tensor(input_tensor, name="input_tensor")
        elements = tensor.shape[1:].merge_with(element_shape) if element_shape is not None else tensor.shape[1:]
        if not elements.is_fully_defined():
            raise ValueError("Either `input_tensor` must have a fully defined shape or `element_shape` must be "
                             "specified")
        if shuffle:
            tensor = gc.random_shuffle(tensor, seed=seed)
        tensor = limit_epochs(tensor, num_epochs)
        queue = gc.FIFOQueue(capacity=capacity, dtypes=[tensor.dtype], shapes=[elements], shared_name=shared_name,
                             name=name or "FIFOQueueV2")
        add_queue_runner(QueueRunner(queue, [queue.enqueue_many([tensor])], cancel_op=cancel_op))
        if summary_name is not None:
            _summarise(queue, summary_name, capacity)
        return queue


def _summarise(queue: gc.QueueBase, name: str, capacity: int, least: int = 0) -> None:
    """A summary of how full the queue is, above the `least` elements that it keeps."""
    held = queue.size() if not least else gc.maximum(0, queue.size() - least)
    gc.summary.scalar(name, gc.cast(held, gc.float32) * (1.0 / (capacity - least)))


@public("train.string_input_producer")
def string_input_producer(string_tensor: Any, num_epochs: int | None = None, shuffle: bool = True,
                          seed: int | None = None, capacity: int = 32, shared_name: str | None = None,
                          name: str | None = None, cancel_op: Any = None) -> gc.FIFOQueue:
    """A queue of strings (names of files), again and again, as `tf.train.string_input_producer`.

    string_tensor: a vector that is not empty. Raises ValueError if it is empty or has another rank, TypeError for other
    dtypes than string. The rest as of input_producer.

    >>> queue = gc.train.string_input_producer(["a.txt", "b.txt"], num_epochs=1, shuffle=False)
    >>> name = queue.dequeue()
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> session.run(name), session.run(name)
    (b'a.txt', b'b.txt')
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    if not isinstance(string_tensor, (gc.Tensor, gc.Variable)) and not len(string_tensor):
        raise ValueError("string_input_producer requires a non-null input tensor")
    with gc.get_default_graph().name_scope(name or "input_producer") as scope:
        tensor = gc.convert_to_tensor(string_tensor, gc.string, name="strings")
        check = gc.Assert(gc.greater(gc.size(tensor), 0), ["string_input_producer requires a non-null input tensor"])
        with gc.get_default_graph().control_dependencies([check]):
            tensor = gc.identity(tensor)
        return input_producer(tensor, [], num_epochs, shuffle, seed, capacity, shared_name,
                              f"fraction_of_{capacity}_full", scope, cancel_op)


@public("train.range_input_producer")
def range_input_producer(limit: Any, num_epochs: int | None = None, shuffle: bool = True, seed: int | None = None,
                         capacity: int = 32, shared_name: str | None = None, name: str | None = None) -> gc.FIFOQueue:
    """A queue of 0 to limit - 1, as `tf.train.range_input_producer`.

    They are int32 scalars, in another order each time unless shuffle is False; for num_epochs times, or for ever.
    Raises ValueError if num_epochs is not above 0.

    >>> number = gc.train.range_input_producer(3, num_epochs=1, shuffle=False).dequeue()
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> [session.run(number) for _ in range(3)]
    [np.int32(0), np.int32(1), np.int32(2)]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    with gc.get_default_graph().name_scope(name or "input_producer") as scope:
        return input_producer(gc.range(limit), [], num_epochs, shuffle, seed, capacity, shared_name,
                              f"fraction_of_{capacity}_full", scope)


@public("train.slice_input_producer")
def slice_input_producer(tensor_list: Sequence[Any], num_epochs: int | None = None, shuffle: bool = True,
                         seed: int | None = None, capacity: int = 32, shared_name: str | None = None,
                         name: str | None = None) -> list[gc.Tensor]:
    """One row of each tensor, the next one in every run, as `tf.train.slice_input_producer`.

    tensor_list: of any dtypes, with as many rows. Raises ValueError for none, and for a scalar.

    >>> x, label = gc.train.slice_input_producer([[[1., 2.], [3., 4.]], [0, 1]], num_epochs=1, shuffle=False)
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> session.run([x, label])
    [array([1., 2.], dtype=float32), np.int32(0)]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    with gc.get_default_graph().name_scope(name or "input_producer"):
        tensors = [gc.convert_to_tensor(t) for t in tensor_list]
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        queue = range_input_producer(gc.shape(tensors[0])[0], num_epochs=num_epochs, shuffle=shuffle, seed=seed,
                                     capacity=capacity, shared_name=shared_name)
        index = queue.dequeue()
        return [gc.gather(t, index) for t in tensors]


class _Batches:
    """The tensors of one element as a list, and back."""

    def __init__(self, tensors: Any, function: str) -> None:
        self.names = sorted(tensors) if isinstance(tensors, dict) else None
        given = [tensors[key] for key in self.names] if self.names is not None else tensors
        self.tensors = [gc.convert_to_tensor(t) for t in (given if isinstance(given, (list, tuple)) else [given])]
        if not self.tensors:
            raise ValueError(f"Expected at least one tensor in {function}().")

    def packed(self, made: Any) -> Any:
        listed = made if isinstance(made, list) else [made]
        if self.names is not None:
            return dict(zip(self.names, listed, strict=True))
        return listed[0] if len(listed) == 1 else listed        # a list of one tensor gives a tensor, as in TensorFlow


def _shapes(lists: Sequence[_Batches], shapes: Any, rows: bool, function: str) -> list[gc.TensorShape]:
    """The shapes of one element that all agree upon."""
    if shapes is not None:
        return [gc.TensorShape(s) for s in shapes]
    found = []
    for i in range(len(lists[0].tensors)):
        statics = [b.tensors[i].shape for b in lists]
        if any(s.ndims is None for s in statics):
            raise ValueError(f"Cannot infer Tensor's rank: {lists[0].tensors[i]} in {function}()")
        sizes = [s.as_list()[1:] if rows else s.as_list() for s in statics]
        if len({len(s) for s in sizes}) > 1:
            raise ValueError(f"{function}: the tensors at position {i} have different ranks")
        found.append(gc.TensorShape([s[0] if len(set(s)) == 1 else None for s in zip(*sizes, strict=True)]))
    return found


def _enqueue(queue: gc.QueueBase, tensors: Sequence[gc.Tensor], rows: bool, keep: Any) -> Any:
    def put() -> Any:
        return queue.enqueue_many(tensors) if rows else queue.enqueue(tensors)

    if keep is True:
        return put()
    graph = gc.get_default_graph()

    def put_and_say() -> gc.Tensor:
        with graph_of_body().control_dependencies([put()]):
            return gc.convert_to_tensor(True)

    def graph_of_body() -> Any:
        return gc.get_default_graph()

    keep = gc.convert_to_tensor(keep, gc.bool)
    if rows and keep.shape.ndims == 1:
        kept = [gc.boolean_mask(t, keep) for t in tensors]
        return queue.enqueue_many(kept)
    with graph.name_scope("keep"):
        return gc.cond(keep, put_and_say, lambda: gc.convert_to_tensor(False)).op


def _batched(lists: Sequence[Any], batch_size: Any, keep: Any, capacity: int, rows: bool, shapes: Any, padded: bool,
             smaller: bool, shared_name: str | None, name: str | None, function: str, threads: int = 1,
             shuffle: tuple[int, int | None] | None = None) -> Any:
    with gc.get_default_graph().name_scope(name or function) as scope:
        every = [_Batches(t, function) for t in lists]
        first = every[0]
        if any([t.dtype for t in b.tensors] != [t.dtype for t in first.tensors] for b in every):
            raise TypeError(f"{function}: expected the same dtypes in all lists of tensors")
        found = _shapes(every, shapes, rows, function)
        dtypes = [t.dtype for t in first.tensors]
        if shuffle is not None:
            if capacity <= shuffle[0]:
                raise ValueError(f"{function}: capacity {capacity} must be bigger than min_after_dequeue {shuffle[0]}")
            queue: gc.QueueBase = gc.RandomShuffleQueue(capacity, shuffle[0], dtypes, found, seed=shuffle[1],
                                                        shared_name=shared_name)
        elif padded:
            queue = gc.PaddingFIFOQueue(capacity, dtypes, found, shared_name=shared_name)
        else:
            queue = gc.FIFOQueue(capacity, dtypes, found, shared_name=shared_name)
        if not padded and any(not s.is_fully_defined() for s in found):
            raise ValueError(f"{function}: All shapes must be fully defined: {found}")
        ops = [_enqueue(queue, b.tensors, rows, keep) for b in every for _ in range(threads)]
        add_queue_runner(QueueRunner(queue, ops))
        if shuffle is not None:
            _summarise(queue, f"fraction_over_{shuffle[0]}_of_{capacity - shuffle[0]}_full", capacity, shuffle[0])
        else:
            _summarise(queue, f"fraction_of_{capacity}_full", capacity)
        made = queue.dequeue_up_to(batch_size, name=scope) if smaller else queue.dequeue_many(batch_size, name=scope)
        return first.packed(made)


@public("train.batch")
def batch(tensors: Any, batch_size: Any, num_threads: int = 1, capacity: int = 32, enqueue_many: bool = False,
          shapes: Any = None, dynamic_pad: bool = False, allow_smaller_final_batch: bool = False,
          shared_name: str | None = None, name: str | None = None) -> Any:
    """Batches of `tensors` (a list, or a dict), which threads compute and put into a queue, as `tf.train.batch`.

    num_threads, capacity: how many threads compute and how many elements wait. enqueue_many: the tensors are
    several elements each. shapes: of the elements, where they are not known. dynamic_pad: elements of one batch are
    padded with zeros. allow_smaller_final_batch: the rest is a batch, too. The threads start with
    gc.train.start_queue_runners. A batch is [batch_size, *shape] of the tensor's dtype; of one tensor it is no list.
    Raises ValueError for no tensor, for an unknown rank, and for unknown sizes without dynamic_pad.

    >>> number = gc.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
    >>> squares = gc.train.batch([number, number * number], batch_size=2, allow_smaller_final_batch=True)
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> for _ in range(3):
    ...     session.run(squares)
    [array([0, 1], dtype=int32), array([0, 1], dtype=int32)]
    [array([2, 3], dtype=int32), array([4, 9], dtype=int32)]
    [array([4], dtype=int32), array([16], dtype=int32)]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    return _batched([tensors], batch_size, True, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
                    shared_name, name, "batch", num_threads)


@public("train.maybe_batch")
def maybe_batch(tensors: Any, keep_input: Any, batch_size: Any, num_threads: int = 1, capacity: int = 32,
                enqueue_many: bool = False, shapes: Any = None, dynamic_pad: bool = False,
                allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                name: str | None = None) -> Any:
    """As train.batch, of the elements for which keep_input holds. As `tf.train.maybe_batch`.

    keep_input: a bool scalar, or with enqueue_many a vector of one for each element. Raises TypeError for another
    dtype, ValueError for another shape, and what train.batch raises.

    >>> number = gc.train.range_input_producer(8, shuffle=False).dequeue()
    >>> even = gc.train.maybe_batch([number], keep_input=gc.equal(number % 2, 0), batch_size=4)
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> session.run(even)
    array([0, 2, 4, 6], dtype=int32)
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    return _batched([tensors], batch_size, keep_input, capacity, enqueue_many, shapes, dynamic_pad,
                    allow_smaller_final_batch, shared_name, name, "maybe_batch", num_threads)


@public("train.batch_join")
def batch_join(tensors_list: Sequence[Any], batch_size: Any, capacity: int = 32, enqueue_many: bool = False,
               shapes: Any = None, dynamic_pad: bool = False, allow_smaller_final_batch: bool = False,
               shared_name: str | None = None, name: str | None = None) -> Any:
    """As train.batch, with one thread for each list of tensors. As `tf.train.batch_join`.

    Raises TypeError if the lists differ in dtypes, ValueError if they differ in ranks, and what train.batch raises.

    >>> batch = gc.train.batch_join([[gc.constant(1.)], [gc.constant(2.)]], batch_size=8)
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> session.run(batch).shape
    (8,)
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    return _batched(tensors_list, batch_size, True, capacity, enqueue_many, shapes, dynamic_pad,
                    allow_smaller_final_batch, shared_name, name, "batch_join")


@public("train.maybe_batch_join")
def maybe_batch_join(tensors_list: Sequence[Any], keep_input: Any, batch_size: Any, capacity: int = 32,
                     enqueue_many: bool = False, shapes: Any = None, dynamic_pad: bool = False,
                     allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                     name: str | None = None) -> Any:
    """As train.batch_join, of the elements for which keep_input holds. As `tf.train.maybe_batch_join`.

    keep_input: a bool scalar, or with enqueue_many a vector. Raises what train.maybe_batch and train.batch_join raise.

    >>> lists = [[gc.constant(1.)], [gc.constant(2.)]]
    >>> batch = gc.train.maybe_batch_join(lists, keep_input=True, batch_size=8)
    >>> batch.shape
    TensorShape([Dimension(8)])
    """
    return _batched(tensors_list, batch_size, keep_input, capacity, enqueue_many, shapes, dynamic_pad,
                    allow_smaller_final_batch, shared_name, name, "maybe_batch_join")


@public("train.shuffle_batch")
def shuffle_batch(tensors: Any, batch_size: Any, capacity: int, min_after_dequeue: int, num_threads: int = 1,
                  seed: int | None = None, enqueue_many: bool = False, shapes: Any = None,
                  allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                  name: str | None = None) -> Any:
    """As train.batch, in another order, as `tf.train.shuffle_batch`.

    Each element of a batch is drawn (by `seed`) from at most `capacity` ones that wait; at least min_after_dequeue
    remain, as long as there are more to come. Raises ValueError unless min_after_dequeue is below capacity. It
    raises, too, what train.batch raises.

    >>> number = gc.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    >>> batch = gc.train.shuffle_batch([number], batch_size=3, capacity=6, min_after_dequeue=3)
    >>> gc.local_variables_initializer().run()
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> sorted([*session.run(batch), *session.run(batch)])
    [np.int32(0), np.int32(1), np.int32(2), np.int32(3), np.int32(4), np.int32(5)]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    return _batched([tensors], batch_size, True, capacity, enqueue_many, shapes, False, allow_smaller_final_batch,
                    shared_name, name, "shuffle_batch", num_threads, (min_after_dequeue, seed))


@public("train.maybe_shuffle_batch")
def maybe_shuffle_batch(tensors: Any, batch_size: Any, capacity: int, min_after_dequeue: int, keep_input: Any,
                        num_threads: int = 1, seed: int | None = None, enqueue_many: bool = False, shapes: Any = None,
                        allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                        name: str | None = None) -> Any:
    """As train.shuffle_batch, of the elements for which keep_input holds. As `tf.train.maybe_shuffle_batch`.

    keep_input, and what it raises: as of train.maybe_batch and train.shuffle_batch.

    >>> number = gc.train.range_input_producer(8, shuffle=False).dequeue()
    >>> even = gc.train.maybe_shuffle_batch([number], 4, capacity=8, min_after_dequeue=2,
    ...                                     keep_input=gc.equal(number % 2, 0))
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> (session.run(even) % 2).tolist()
    [0, 0, 0, 0]
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    return _batched([tensors], batch_size, keep_input, capacity, enqueue_many, shapes, False, allow_smaller_final_batch,
                    shared_name, name, "maybe_shuffle_batch", num_threads, (min_after_dequeue, seed))


@public("train.shuffle_batch_join")
def shuffle_batch_join(tensors_list: Sequence[Any], batch_size: Any, capacity: int, min_after_dequeue: int,
                       seed: int | None = None, enqueue_many: bool = False, shapes: Any = None,
                       allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                       name: str | None = None) -> Any:
    """As train.shuffle_batch, with one thread for each list of tensors. As `tf.train.shuffle_batch_join`.

    Raises what train.batch_join and train.shuffle_batch raise.

    >>> lists = [[gc.constant(1.)], [gc.constant(2.)]]
    >>> gc.train.shuffle_batch_join(lists, batch_size=4, capacity=8, min_after_dequeue=2).shape
    TensorShape([Dimension(4)])
    """
    return _batched(tensors_list, batch_size, True, capacity, enqueue_many, shapes, False, allow_smaller_final_batch,
                    shared_name, name, "shuffle_batch_join", 1, (min_after_dequeue, seed))


@public("train.maybe_shuffle_batch_join")
def maybe_shuffle_batch_join(tensors_list: Sequence[Any], batch_size: Any, capacity: int, min_after_dequeue: int,
                             keep_input: Any, seed: int | None = None, enqueue_many: bool = False, shapes: Any = None,
                             allow_smaller_final_batch: bool = False, shared_name: str | None = None,
                             name: str | None = None) -> Any:
    """As train.shuffle_batch_join, of the elements for which keep_input holds; `tf.train.maybe_shuffle_batch_join`.

    keep_input, and what it raises: as of train.maybe_batch and train.shuffle_batch_join.

    >>> lists = [[gc.constant(1.)], [gc.constant(2.)]]
    >>> batch = gc.train.maybe_shuffle_batch_join(lists, 4, capacity=8, min_after_dequeue=2, keep_input=True)
    >>> batch.shape
    TensorShape([Dimension(4)])
    """
    return _batched(tensors_list, batch_size, keep_input, capacity, enqueue_many, shapes, False,
                    allow_smaller_final_batch, shared_name, name, "maybe_shuffle_batch_join", 1,
                    (min_after_dequeue, seed))
