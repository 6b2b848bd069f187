"""slim.parallel_reader and slim.prefetch_queue: records and tensors read ahead into queues."""
from __future__ import annotations

import glob
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.slim.parallel_reader.ParallelReader")
class ParallelReader:
    """Several readers that fill one queue of (key, record), as `tf.contrib.slim.parallel_reader.ParallelReader`."""

    def __init__(self, reader_class: Any, common_queue: Any, num_readers: int = 4,
                 reader_kwargs: dict[str, Any] | None = None) -> None:
        if list(common_queue.dtypes) != [gc.string, gc.string]:
            raise TypeError(f"common_queue.dtypes must be [string, string], but are {common_queue.dtypes}")
        self._readers = [reader_class(**(reader_kwargs or {})) for _ in range(num_readers)]
        self._common_queue = common_queue

    @property
    def num_readers(self) -> int:
        return len(self._readers)

    @property
    def common_queue(self) -> Any:
        return self._common_queue

    def read(self, queue: Any, name: str | None = None) -> Any:
        """(key, record): the next of the files in `queue`."""
        self._fill_from(queue)
        return self._common_queue.dequeue(name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        self._fill_from(queue)
        return self._common_queue.dequeue_up_to(num_records, name)

    def _fill_from(self, queue: Any) -> None:
        enqueues = [self._common_queue.enqueue(reader.read(queue)) for reader in self._readers]
        gc.train.add_queue_runner(gc.train.QueueRunner(self._common_queue, enqueues))

    def num_records_produced(self, name: str | None = None) -> Any:
        return gc.add_n([reader.num_records_produced() for reader in self._readers], name=name)

    def num_work_units_completed(self, name: str | None = None) -> Any:
        return gc.add_n([reader.num_work_units_completed() for reader in self._readers], name=name)


@public("contrib.slim.parallel_reader.parallel_read")
def parallel_read(data_sources: Any, reader_class: Any, num_epochs: int | None = None, num_readers: int = 4,
                  reader_kwargs: dict[str, Any] | None = None, shuffle: bool = True, dtypes: Any = None,
                  capacity: int = 256, min_after_dequeue: int = 128, seed: int | None = None,
                  scope: str | None = None) -> Any:
    """(key, record) of files read by several readers, shuffled or not. As
    `tf.contrib.slim.parallel_reader.parallel_read`."""
    files = get_data_files(data_sources)
    with gc.name_scope(scope, "parallel_read"):
        names = gc.train.string_input_producer(files, num_epochs=num_epochs, shuffle=shuffle, seed=seed,
                                               name="filenames")
        kinds = dtypes or [gc.string, gc.string]
        queue = gc.RandomShuffleQueue(capacity, min_after_dequeue, kinds, seed=seed, name="common_queue") \
            if shuffle else gc.FIFOQueue(capacity, kinds, name="common_queue")
        _summarize_fullness(queue, capacity)
        return ParallelReader(reader_class, queue, num_readers, reader_kwargs).read(names)


@public("contrib.slim.parallel_reader.single_pass_read")
def single_pass_read(data_sources: Any, reader_class: Any, reader_kwargs: dict[str, Any] | None = None,
                     scope: str | None = None) -> Any:
    """(key, record) of files read once, in order."""
    files = get_data_files(data_sources)
    with gc.name_scope(scope, "single_pass_read"):
        names = gc.train.string_input_producer(files, num_epochs=1, shuffle=False, capacity=1, name="filenames")
        return reader_class(**(reader_kwargs or {})).read(names)


@public("contrib.slim.parallel_reader.get_data_files")
def get_data_files(data_sources: Any) -> list[str]:
    """The files that names and patterns (*, ?, [...]) stand for. Raises ValueError if there are none."""
    if isinstance(data_sources, (list, tuple)):
        found = [file for source in data_sources for file in get_data_files(source)]
    else:
        found = sorted(glob.glob(data_sources)) if set("*?[") & set(data_sources) else [data_sources]
    if not found:
        raise ValueError(f"No data files found in {data_sources}")
    return found


@public("contrib.slim.prefetch_queue.prefetch_queue")
def prefetch_queue(tensors: Sequence[Any] | dict[str, Any], capacity: int = 8, num_threads: int = 1,
                   dynamic_pad: bool = False, shared_name: str | None = None, name: str | None = None) -> Any:
    """A queue of the tensors (a list, or a dict) that queue runners fill ahead. As
    `tf.contrib.slim.prefetch_queue.prefetch_queue`. dynamic_pad: sizes may differ, and are padded."""
    names = sorted(tensors) if isinstance(tensors, dict) else None
    listed = [tensors[n] for n in names] if isinstance(tensors, dict) and names is not None else list(tensors)
    with gc.name_scope(name, "prefetch_queue", listed) as scope:
        kind = gc.PaddingFIFOQueue if dynamic_pad else gc.FIFOQueue
        queue = kind(capacity, [t.dtype for t in listed], [t.get_shape() for t in listed], names=names,
                     shared_name=shared_name, name=scope)
        enqueue = queue.enqueue(tensors)
        gc.train.add_queue_runner(gc.train.QueueRunner(queue, [enqueue] * num_threads))
        _summarize_fullness(queue, capacity)
        return queue


def _summarize_fullness(queue: Any, capacity: int) -> None:
    gc.summary.scalar(f"fraction_of_{capacity}_full", gc.to_float(queue.size()) * (1.0 / capacity))
