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
    """What all readers have, as `tf.ReaderBase`."""

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
    """Gives whole files, as `tf.WholeFileReader`; the key is the file's name."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply(OPS["WholeFileReaderV2"], name=name), supports_serialize=True)


@public("TextLineReader")
class TextLineReader(ReaderBase):
    """Gives lines without their ends, as `tf.TextLineReader`; the key is "file:line"."""

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(apply(OPS["TextLineReaderV2"], name=name, skip_header_lines=int(skip_header_lines or 0)))


@public("FixedLengthRecordReader")
class FixedLengthRecordReader(ReaderBase):
    """Gives pieces of record_bytes bytes, as `tf.FixedLengthRecordReader`; the key is "file:number".

    header_bytes and footer_bytes of each file are left out; a piece begins hop_bytes behind the one before (default:
    record_bytes). encoding: "", "ZLIB" or "GZIP".
    """

    def __init__(self, record_bytes: int, header_bytes: int | None = None, footer_bytes: int | None = None,
                 hop_bytes: int | None = None, name: str | None = None, encoding: str | None = None) -> None:
        super().__init__(apply(OPS["FixedLengthRecordReaderV2"], name=name, record_bytes=int(record_bytes),
                               header_bytes=int(header_bytes or 0), footer_bytes=int(footer_bytes or 0),
                               hop_bytes=int(hop_bytes or 0), encoding=encoding or ""))


@public("TFRecordReader")
class TFRecordReader(ReaderBase):
    """Gives the records of TFRecord files, as `tf.TFRecordReader`; the key is "file:place". options: TFRecordOptions.
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        kind = "" if options is None else options.get_compression_type_string(options)
        super().__init__(apply(OPS["TFRecordReaderV2"], name=name, compression_type=kind))


@public("IdentityReader")
class IdentityReader(ReaderBase):
    """Gives the strings of the queue themselves, as key and value, as `tf.IdentityReader`."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(apply(OPS["IdentityReaderV2"], name=name), supports_serialize=True)
