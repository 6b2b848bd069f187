"""slim.parallel_reader and slim.prefetch_queue: records and tensors read ahead into queues."""
from __future__ import annotations

import glob
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.slim.parallel_reader.ParallelReader")
class ParallelReader:
    r"""Several readers that fill one queue of (key, record), as `tf.contrib.slim.parallel_reader.ParallelReader`.

    reader_class: as gc.TFRecordReader, made num_readers times with reader_kwargs. common_queue: a queue of two strings;
    TypeError for another one. Its queue runner is added to the graph's.

    >>> gc.write_file("parallel.txt", "one\ntwo\n").run()
    >>> names = gc.train.string_input_producer(["parallel.txt"])
    >>> queue = gc.FIFOQueue(16, [gc.string, gc.string])
    >>> reader = gc.contrib.slim.parallel_reader.ParallelReader(gc.TextLineReader, queue, num_readers=1)
    >>> key, line = reader.read(names)
    >>> with gc.contrib.slim.queues.QueueRunners(gc.get_default_session()):
    ...     [line.eval() for _ in range(3)]
    [b'one', b'two', b'one']
    """

    def __init__(self, reader_class: Any, common_queue: Any, num_readers: int = 4,
                 reader_kwargs: dict[str, Any] | None = None) -> None:
        if list(common_queue.dtypes) != [gc.string, gc.string]:
            raise TypeError(f"common_queue.dtypes must be [string, string], but are {common_queue.dtypes}")
        self._readers = [_reader(reader_class, reader_kwargs) for _ in range(num_readers)]
        self._common_queue = common_queue

    @property
    def num_readers(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    @property
    def common_queue(self) -> Any:
        """The queue of (key, record)."""
        return self._common_queue

    def read(self, queue: Any, name: str | None = None) -> Any:
        """(key, record), two string scalars: the next of the files in `queue`, a queue of names."""
        self._fill_from(queue)
        return self._common_queue.dequeue(name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """(keys, records), two vectors of strings: the next num_records, fewer at the end."""
        self._fill_from(queue)
        return self._common_queue.dequeue_up_to(num_records, name)

    def _fill_from(self, queue: Any) -> None:
        enqueues = [self._common_queue.enqueue(reader.read(queue)) for reader in self._readers]
        gc.train.add_queue_runner(gc.train.QueueRunner(self._common_queue, enqueues))

    def num_records_produced(self, name: str | None = None) -> Any:
        """How many records all readers have read: an int64 scalar."""
        return gc.add_n([reader.num_records_produced() for reader in self._readers], name=name)

    def num_work_units_completed(self, name: str | None = None) -> Any:
        """How many files all readers have finished: an int64 scalar."""
        return gc.add_n([reader.num_work_units_completed() for reader in self._readers], name=name)


@public("contrib.slim.parallel_reader.parallel_read")
def parallel_read(data_sources: Any, reader_class: Any, num_epochs: int | None = None, num_readers: int = 4,
                  reader_kwargs: dict[str, Any] | None = None, shuffle: bool = True, dtypes: Any = None,
                  capacity: int = 256, min_after_dequeue: int = 128, seed: int | None = None,
                  scope: str | None = None) -> Any:
    r"""(key, record), two string scalars, of files that several readers read into one queue.

    data_sources: names and patterns, as `get_data_files`. num_epochs: how often each file is read (needs
    `gc.local_variables_initializer`), without end by default. shuffle: files and records in random order, for which
    min_after_dequeue records are kept back. Raises ValueError if there are no files, TypeError for other dtypes than
    two strings. As `tf.contrib.slim.parallel_reader.parallel_read`.

    >>> gc.write_file("read.txt", "one\ntwo\n").run()
    >>> read = gc.contrib.slim.parallel_reader.parallel_read
    >>> key, line = read("read.txt", gc.TextLineReader, num_epochs=1, num_readers=1, shuffle=False)
    >>> gc.local_variables_initializer().run()
    >>> with gc.contrib.slim.queues.QueueRunners(gc.get_default_session()):
    ...     gc.get_default_session().run([key, line])
    [b'read.txt:1', b'one']
    """
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
    r"""(key, record), two string scalars, of files read once, in order; then OutOfRangeError.

    `gc.local_variables_initializer` has to run before. data_sources: names and patterns, as `get_data_files`. Raises
    ValueError if there are no files. As `tf.contrib.slim.parallel_reader.single_pass_read`.

    >>> gc.write_file("single.txt", "one\ntwo\n").run()
    >>> key, line = gc.contrib.slim.parallel_reader.single_pass_read("single.txt", gc.TextLineReader)
    >>> gc.local_variables_initializer().run()
    >>> with gc.contrib.slim.queues.QueueRunners(gc.get_default_session()):
    ...     [line.eval() for _ in range(2)]
    [b'one', b'two']
    """
    files = get_data_files(data_sources)
    with gc.name_scope(scope, "single_pass_read"):
        names = gc.train.string_input_producer(files, num_epochs=1, shuffle=False, capacity=1, name="filenames")
        return _reader(reader_class, reader_kwargs).read(names)


def _reader(reader_class: Any, reader_kwargs: dict[str, Any] | None) -> Any:
    made = reader_class(**(reader_kwargs or {}))
    if not hasattr(made, "read"):
        raise TypeError("argument 'reader_class' must be a class of readers, as gc.TFRecordReader, not "
                        f"{reader_class!r}")
    return made


@public("contrib.slim.parallel_reader.get_data_files")
def get_data_files(data_sources: Any) -> list[str]:
    """The files that a name, a pattern (*, ?, [...]) or a list of them stands for. Raises ValueError if there are none.

    A name without a pattern is given as it is, there or not. A list of strings; the files of a pattern are sorted. As
    `tf.contrib.slim.parallel_reader.get_data_files`.

    >>> for name in ["part-1", "part-0"]:
    ...     gc.write_file(f"parts/{name}", "").run()
    >>> gc.contrib.slim.parallel_reader.get_data_files(["parts/part-*", "more"])
    ['parts/part-0', 'parts/part-1', 'more']
    """
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
    """A queue of the tensors (a list, or a dict) that queue runners fill ahead, num_threads at a time.

    dynamic_pad: sizes may differ, and are padded where several are taken out. `dequeue` gives what was given: a list,
    one tensor, or a dict. Tensors are of any shape and dtype; dynamic_pad needs their ranks: ValueError if one is not
    known. Raises TypeError for a single tensor outside of a list. As `tf.contrib.slim.prefetch_queue.prefetch_queue`.

    >>> tensors = {"x": gc.constant([1., 2.]), "y": gc.constant(3)}
    >>> queue = gc.contrib.slim.prefetch_queue.prefetch_queue(tensors, capacity=2)
    >>> taken = queue.dequeue()
    >>> with gc.contrib.slim.queues.QueueRunners(gc.get_default_session()):
    ...     gc.get_default_session().run(taken)
    {'x': array([1., 2.], dtype=float32), 'y': np.int32(3)}
    """
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
