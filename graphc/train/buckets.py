"""bucket and bucket_by_sequence_length: batches of elements that are alike, through a queue for each kind.

An element goes into the queue of its bucket; what fills a batch there goes on into one queue of batches.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.training.bucket")
def bucket(tensors: Any, which_bucket: Any, batch_size: Any, num_buckets: int, num_threads: int = 1,
           capacity: int = 32, bucket_capacities: Sequence[int] | None = None, shapes: Sequence[Any] | None = None,
           dynamic_pad: bool = False, allow_smaller_final_batch: bool = False, keep_input: Any = True,
           shared_name: str | None = None, name: str | None = None) -> tuple[Any, Any]:
    """(bucket, batch of `tensors`), the next batch that fills up, as `tf.contrib.training.bucket`.

    tensors: a list or dict of one element. which_bucket: its number, an int32 scalar. batch_size: a number, or one a
    bucket. dynamic_pad: elements of one batch are padded with zeros. keep_input: a bool, whether to keep the element.
    Raises ValueError for shapes that are not known (without dynamic_pad), no tensors, wrong numbers of sizes.

    >>> number = gc.data.Dataset.range(6).make_one_shot_iterator().get_next()
    >>> kind, batch = gc.contrib.training.bucket([number], gc.cast(number % 2, gc.int32), batch_size=3, num_buckets=2)
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> even, odd = sorted((session.run((kind, batch)) for _ in range(2)), key=lambda pair: pair[0])
    >>> even, odd
    ((np.int32(0), [array([0, 2, 4])]), (np.int32(1), [array([1, 3, 5])]))
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    names = sorted(tensors) if isinstance(tensors, Mapping) else None
    given = [tensors[key] for key in names] if names is not None else list(tensors)
    sizes = list(batch_size) if isinstance(batch_size, (list, tuple)) else [batch_size] * num_buckets
    capacities = [capacity] * num_buckets if bucket_capacities is None else list(bucket_capacities)
    if not given:
        raise ValueError("Expected at least one tensor in bucket().")
    for label, values in (("batch_size", sizes), ("bucket_capacities", capacities)):
        if len(values) != num_buckets:
            raise ValueError(f"bucket: {label} has {len(values)} entries, but num_buckets is {num_buckets}")
    with gc.name_scope(name, "bucket", given):
        parts = [gc.convert_to_tensor(t) for t in given]
        known = [gc.TensorShape(s) for s in shapes] if shapes is not None else [t.shape for t in parts]
        if not dynamic_pad and not all(s.is_fully_defined() for s in known):
            raise ValueError(f"bucket: all shapes must be fully defined, or dynamic_pad be set: {known}")
        dtypes = [t.dtype for t in parts]
        queue_kind = gc.PaddingFIFOQueue if dynamic_pad else gc.FIFOQueue
        queues = [queue_kind(room, dtypes, known, shared_name=shared_name and f"{shared_name}_{i}",
                             name=f"bucket_queue_{i}") for i, room in enumerate(capacities)]
        rows = sizes[0] if len(set(sizes)) == 1 and not allow_smaller_final_batch else None
        batches = gc.PaddingFIFOQueue(
            capacity, [gc.int32, *dtypes], [[], *([rows, *s.as_list()] for s in known)],
            shared_name=shared_name and f"{shared_name}_top", name="top_queue")
        _fill(queues, parts, which_bucket, keep_input, num_threads)
        moves = [batches.enqueue([gc.constant(i, gc.int32), *_listed(
            queue.dequeue_up_to(size) if allow_smaller_final_batch else queue.dequeue_many(size))])
            for i, (queue, size) in enumerate(zip(queues, sizes, strict=True))]
        gc.train.add_queue_runner(gc.train.QueueRunner(batches, moves))
        gc.summary.scalar(f"bucket/fraction_of_{capacity}_full",
                          gc.cast(batches.size(), gc.float32) * (1.0 / capacity))
        number, *made = batches.dequeue(name="dequeue_top")
        return number, dict(zip(names, made, strict=True)) if names is not None else made


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _fill(queues: Sequence[Any], parts: Sequence[Any], which_bucket: Any, keep_input: Any, threads: int) -> None:
    """Adds the threads that put elements into the queue of their bucket."""
    which = gc.convert_to_tensor(which_bucket, gc.int32)
    keep = gc.convert_to_tensor(keep_input, gc.bool)

    def put(queue: Any) -> Any:
        def enqueue() -> Any:
            with gc.control_dependencies([queue.enqueue(parts)]):
                return gc.constant(True)
        return enqueue

    puts = [gc.cond(gc.logical_and(keep, gc.equal(which, i)), put(queue), lambda: gc.constant(False))
            for i, queue in enumerate(queues)]
    gc.train.add_queue_runner(gc.train.QueueRunner(
        queues[0], [gc.group(*puts)] * threads, close_op=gc.group(*(queue.close() for queue in queues)),
        cancel_op=gc.group(*(queue.close(cancel_pending_enqueues=True) for queue in queues)),
        queue_closed_exception_types=(gc.errors.OutOfRangeError, gc.errors.CancelledError)))


@public("contrib.training.bucket_by_sequence_length")
def bucket_by_sequence_length(input_length: Any, tensors: Any, batch_size: Any, bucket_boundaries: Sequence[int],
                              num_threads: int = 1, capacity: int = 32,
                              bucket_capacities: Sequence[int] | None = None, shapes: Sequence[Any] | None = None,
                              dynamic_pad: bool = False, allow_smaller_final_batch: bool = False,
                              keep_input: Any = True, shared_name: str | None = None,
                              name: str | None = None) -> tuple[Any, Any]:
    """(lengths, batch): bucket() by length, below bucket_boundaries[0], below [1], ... and above the last, as
    `tf.contrib.training.bucket_by_sequence_length`.

    input_length: an int32 scalar. Raises ValueError or TypeError for boundaries that are not ascending integers.
    The other arguments are bucket's; there is one more bucket than there are boundaries.

    >>> length = gc.data.Dataset.range(1, 5).make_one_shot_iterator().get_next()
    >>> words = gc.fill(gc.expand_dims(length, 0), length)
    >>> lengths, (batch,) = gc.contrib.training.bucket_by_sequence_length(
    ...     gc.cast(length, gc.int32), [words], batch_size=2, bucket_boundaries=[3], shapes=[[None]], dynamic_pad=True)
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> short, long = sorted((session.run((lengths, batch)) for _ in range(2)), key=lambda pair: max(pair[0]))
    >>> short
    (array([1, 2], dtype=int32), array([[1, 0],
           [2, 2]]))
    >>> long
    (array([3, 4], dtype=int32), array([[3, 3, 3, 0],
           [4, 4, 4, 4]]))
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    bounds = list(bucket_boundaries)
    if not bounds:
        raise ValueError("bucket_boundaries must not be empty")
    if not all(isinstance(b, int) for b in bounds):
        raise TypeError(f"bucket boundaries must be integers, but are {bounds}")
    if any(a >= b for a, b in pairwise(bounds)):
        raise ValueError(f"Buckets must contain sequential increasing lengths: {bounds}")
    names = sorted(tensors) if isinstance(tensors, Mapping) else None
    given = [tensors[key] for key in names] if names is not None else list(tensors)
    with gc.name_scope(name, "bucket_by_sequence_length", [*given, input_length]):
        length = gc.convert_to_tensor(input_length, gc.int32)
        which = gc.reduce_sum(gc.cast(gc.greater_equal(length, bounds), gc.int32))
        _, (lengths, *made) = bucket(
            [length, *given], which, batch_size, len(bounds) + 1, num_threads, capacity, bucket_capacities,
            None if shapes is None else [[], *shapes], dynamic_pad, allow_smaller_final_batch, keep_input, shared_name)
        return lengths, dict(zip(names, made, strict=True)) if names is not None else made
