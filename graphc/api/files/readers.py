"""Readers, as `tf.TextLineReader` and its kin: records of the files whose names come out of a queue."""
from __future__ import annotations

from typing import Any, NamedTuple

from graphc.api.control.queues import QueueBase
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64, string
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor


class Record(NamedTuple):
    """Where it stands, and what it is."""

    key: Tensor
    value: Tensor


class Records(NamedTuple):
    """Vectors of them."""

    keys: Tensor
    values: Tensor


@public("ReaderBase")
class ReaderBase:
    """What all readers have in common: `read(queue)` gives records of the files whose names a queue of strings holds.

    `gc.data` is the newer way. Keys and values are string scalars. When run, a closed and empty queue is an
    OutOfRangeError, one of another dtype an InvalidArgumentError. As `tf.ReaderBase`.

    >>> isinstance(gc.TextLineReader(), gc.ReaderBase)
    True
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        self._reader_ref, self._supports_serialize = reader_ref, supports_serialize

    reader_ref = property(lambda self: self._reader_ref, doc="The reader's handle.")
    supports_serialize = property(lambda self: self._supports_serialize, doc="Whether its state can be saved.")

    def read(self, queue: QueueBase | Tensor, name: str | None = None) -> Record:
        """The next record: a key, which says where it stands, and the value."""
        return Record(*apply(OPS["ReaderReadV2"], self._reader_ref, _handle(queue), name=name))

    def read_up_to(self, queue: QueueBase | Tensor, num_records: Any, name: str | None = None) -> Records:
        """Up to num_records records of one file, as vectors of keys and values."""
        with get_default_graph().name_scope(name or "ReaderReadUpToV2") as scope:
            count = convert_to_tensor(num_records, int64, name="num_records")
            return Records(*apply(OPS["ReaderReadUpToV2"], self._reader_ref, _handle(queue), count, name=scope))

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records it has given."""
        return self._used("ReaderNumRecordsProducedV2", name)  # type: ignore[no-any-return]

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many files it has read to their end."""
        return self._used("ReaderNumWorkUnitsCompletedV2", name)  # type: ignore[no-any-return]

    def serialize_state(self, name: str | None = None) -> Tensor:
        """How far it is, as a string; UnimplementedError at the run unless supports_serialize."""
        return self._used("ReaderSerializeStateV2", name)  # type: ignore[no-any-return]

    def restore_state(self, state: Any, name: str | None = None) -> Operation:
        """Makes it go on where serialize_state was run; UnimplementedError at the run unless supports_serialize."""
        with get_default_graph().name_scope(name or "ReaderRestoreStateV2") as scope:
            made: Operation = apply(OPS["ReaderRestoreStateV2"], self._reader_ref,
                                    convert_to_tensor(state, string, name="state"), name=scope)
            return made

    def reset(self, name: str | None = None) -> Operation:
        """Makes it as if it were new."""
        return self._used("ReaderResetV2", name)  # type: ignore[no-any-return]

    def _used(self, op: str, name: str | None) -> Any:
        return apply(OPS[op], self._reader_ref, name=name)


def _handle(queue: QueueBase | Tensor) -> Tensor:
    return queue if isinstance(queue, Tensor) else queue.queue_ref


@public("WholeFileReader")
class WholeFileReader(ReaderBase):
    """A reader that gives whole files; the key is the file's name. As `tf.WholeFileReader`.

    Key and value are string scalars. A file that is not there is a NotFoundError when run.

    >>> gc.write_file("a.txt", "hello").run()
    >>> names = gc.FIFOQueue(9, gc.string, shapes=[[]])
    >>> names.enqueue("a.txt").run()
    >>> key, value = gc.WholeFileReader().read(names)
    >>> gc.get_default_session().run([key, value])
    [b'a.txt', b'hello']
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply(OPS["WholeFileReaderV2"], name=name), supports_serialize=True)


@public("TextLineReader")
class TextLineReader(ReaderBase):
    r"""A reader that gives lines without their ends; the key is "file:line". As `tf.TextLineReader`.

    skip_header_lines: of each file. Key and value are string scalars. A file that is not there is a NotFoundError when
    run.

    >>> gc.write_file("a.csv", "name\nann\nbob\n").run()
    >>> names = gc.FIFOQueue(9, gc.string, shapes=[[]])
    >>> names.enqueue("a.csv").run()
    >>> key, value = gc.TextLineReader(skip_header_lines=1).read(names)
    >>> gc.get_default_session().run([key, value])
    [b'a.csv:2', b'ann']
    >>> gc.get_default_session().run([key, value])
    [b'a.csv:3', b'bob']
    """

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(apply(OPS["TextLineReaderV2"], name=name, skip_header_lines=int(skip_header_lines or 0)))


@public("FixedLengthRecordReader")
class FixedLengthRecordReader(ReaderBase):
    """A reader that gives pieces of record_bytes bytes; the key is "file:number".

    header_bytes and footer_bytes of each file are left out; a piece begins hop_bytes after the one before (default:
    record_bytes). encoding: "", "ZLIB" or "GZIP". Key and value are string scalars; a file that is not there is a
    NotFoundError when run. As `tf.FixedLengthRecordReader`. Raises ValueError for record_bytes that are not positive,
    other numbers below 0, and another encoding.

    >>> gc.write_file("a.bin", b"..abcd").run()
    >>> names = gc.FIFOQueue(9, gc.string, shapes=[[]])
    >>> names.enqueue("a.bin").run()
    >>> key, value = gc.FixedLengthRecordReader(record_bytes=2, header_bytes=2).read(names)
    >>> gc.get_default_session().run([key, value])
    [b'a.bin:0', b'ab']
    """

    def __init__(self, record_bytes: int, header_bytes: int | None = None, footer_bytes: int | None = None,
                 hop_bytes: int | None = None, name: str | None = None, encoding: str | None = None) -> None:
        super().__init__(apply(OPS["FixedLengthRecordReaderV2"], name=name, record_bytes=int(record_bytes),
                               header_bytes=int(header_bytes or 0), footer_bytes=int(footer_bytes or 0),
                               hop_bytes=int(hop_bytes or 0), encoding=encoding or ""))


@public("TFRecordReader")
class TFRecordReader(ReaderBase):
    """A reader that gives the records of TFRecord files; the key is "file:place". options: TFRecordOptions.

    Key and value are string scalars. When run, a file that is not there is a NotFoundError, a damaged one a
    DataLossError. As `tf.TFRecordReader`.

    >>> with gc.python_io.TFRecordWriter("a.tfrecord") as writer:
    ...     writer.write(b"first")
    >>> names = gc.FIFOQueue(9, gc.string, shapes=[[]])
    >>> names.enqueue("a.tfrecord").run()
    >>> key, value = gc.TFRecordReader().read(names)
    >>> gc.get_default_session().run([key, value])
    [b'a.tfrecord:0', b'first']
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        kind = "" if options is None else options.get_compression_type_string(options)
        super().__init__(apply(OPS["TFRecordReaderV2"], name=name, compression_type=kind))


@public("IdentityReader")
class IdentityReader(ReaderBase):
    """A reader that gives the strings of the queue themselves, as key and value. As `tf.IdentityReader`.

    Key and value are string scalars. A closed and empty queue ends the run with OutOfRangeError.

    >>> names = gc.FIFOQueue(9, gc.string, shapes=[[]])
    >>> names.enqueue("a").run()
    >>> key, value = gc.IdentityReader().read(names)
    >>> gc.get_default_session().run([key, value])
    [b'a', b'a']
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply(OPS["IdentityReaderV2"], name=name), supports_serialize=True)
