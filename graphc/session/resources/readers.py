"""The readers of a session: what the calls of plans (ops/files/readers.py) work on.

One call at a time works on a reader; the others, and a call for which the queue has no name yet, wait as
session/resources/waiting.py says.
"""
from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from graphc import errors
from graphc.io.records import TFRecordOptions, open_packed, records_at
from graphc.io.wire import BYTES, VARINT, bytes_field, fields, varint_field
from graphc.session.resources.waiting import Waiting

Records = Iterator[tuple[bytes, bytes]]        # keys and values
STARTED, FINISHED, PRODUCED, WORK = 1, 2, 3, 4  # fields of the state: ReaderBaseState


class Reader(Waiting):
    """work: the file that is being read, or was the last one; `records`: what is left of it, None if nothing is.

    started, finished: how many files; produced: how many records. failed: what is wrong with the file, which ends
    every call from then on until the reader is reset.
    """

    has_state: ClassVar[bool] = False
    at_once: ClassVar[bool] = False        # a file is one record, and read to its end with it

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        self.line: deque[object] = deque()
        self._start_anew()

    def _start_anew(self) -> None:
        self.started = self.finished = self.produced = 0
        self.work = b""
        self.records: Records | None = None
        self.failed: errors.OpError | None = None

    def holds(self) -> str:
        return f"given {self.produced} records"

    def records_of(self, work: bytes) -> Records:
        """What is in the file, which is opened before the first record is asked for."""
        raise NotImplementedError

    # Calls

    def read(self, queue: Any) -> tuple[np.ndarray, np.ndarray]:
        with self._alone("Read"):
            while True:
                record = self._next(queue)
                if record is not None:
                    return np.array(record[0], object), np.array(record[1], object)

    def read_up_to(self, num_records: np.ndarray, queue: Any) -> tuple[np.ndarray, np.ndarray]:
        found: list[tuple[bytes, bytes]] = []
        with self._alone("ReadUpTo"):
            while len(found) < int(num_records):
                record = self._next(queue)
                if record is not None:
                    found.append(record)
                if self.records is None and found:
                    break
        keys, values = np.empty(len(found), object), np.empty(len(found), object)
        keys[:], values[:] = [key for key, _ in found], [value for _, value in found]
        return keys, values

    def num_records_produced(self) -> tuple[np.ndarray]:
        return (np.array(self.produced, np.int64),)

    def num_work_units_completed(self) -> tuple[np.ndarray]:
        return (np.array(self.finished, np.int64),)

    def reset(self) -> tuple[()]:
        with self._alone("Reset"):
            self._start_anew()
        return ()

    def serialize_state(self) -> tuple[np.ndarray]:
        self._needs_state("SerializeState")
        with self._alone("SerializeState"):
            data = b"".join((varint_field(STARTED, self.started), varint_field(FINISHED, self.finished),
                             varint_field(PRODUCED, self.produced), bytes_field(WORK, self.work) if self.work else b""))
        return (np.array(data, object),)

    def restore_state(self, state: np.ndarray) -> tuple[()]:
        self._needs_state("RestoreState")
        found: dict[int, Any] = {}
        try:
            found.update((number, value) for number, kind, value in fields(bytes(state.item()))
                         if kind == (BYTES if number == WORK else VARINT))
        except ValueError as error:
            raise errors.InvalidArgumentError(f"Could not parse state for {self.name}: {error}") from None
        started, finished, produced = (found.get(number, 0) for number in (STARTED, FINISHED, PRODUCED))
        if started < finished or max(started, finished, produced) >= 1 << 63:
            raise errors.InvalidArgumentError(f"Inconsistent work started vs. finished when restoring {self.name}: "
                                              f"{started} vs. {finished}")
        with self._alone("RestoreState"):
            self._start_anew()
            self.started, self.finished, self.produced, self.work = started, finished, produced, found.get(WORK, b"")
            if started > finished:
                self.records = self.records_of(self.work)
        return ()

    # How they work

    def _next(self, queue: Any) -> tuple[bytes, bytes] | None:
        """The next record; None at the end of a file. What goes wrong with a file that is opened leaves it out."""
        if self.failed is not None:
            raise self.failed
        if self.records is None:
            if [dtype.name for dtype in queue.types] != ["string"]:
                held = ", ".join(dtype.name for dtype in queue.types)
                raise errors.InvalidArgumentError(f"{self.name}: {queue.name} must hold one string an element, but "
                                                  f"holds {held}")
            (name,) = queue.dequeue()
            self.work = bytes(name.item())
            self.records = self.records_of(self.work)
            self.started += 1
        try:
            record = next(self.records, None)
        except errors.OpError as error:
            self.failed = error
            raise
        self.produced += record is not None
        if record is None or self.at_once:
            self.records = None
            self.work = b""
            self.finished += 1
        return record

    def _needs_state(self, what: str) -> None:
        if not self.has_state:
            raise errors.UnimplementedError(f"{self.name}: Reader {what} (only those of whole files have a state)")

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """Inside, no other call works on the reader."""
        me = object()
        with self.changed:
            self.line.append(me)
            try:
                while self.line[0] is not me:
                    self._wait(what)
            except BaseException:
                self.line.remove(me)
                raise
        try:
            yield
        finally:
            with self.changed:
                self.line.remove(me)
                self.changed.notify_all()


class WholeFiles(Reader):
    has_state = at_once = True

    def records_of(self, work: bytes) -> Records:
        name = os.fsdecode(work)
        try:
            with open(name, "rb") as file:
                return iter([(work, file.read())])
        except OSError as error:
            raise errors.of_file(name, error) from None


class Names(Reader):
    has_state = at_once = True

    def records_of(self, work: bytes) -> Records:
        return iter([(work, work)])


class TextLines(Reader):
    def records_of(self, work: bytes) -> Records:
        name = os.fsdecode(work)
        try:
            return self._lines(work, open(name, "rb"))
        except OSError as error:
            raise errors.of_file(name, error) from None

    def _lines(self, work: bytes, file: Any) -> Records:
        """Carriage returns are left out wherever they stand, as by TensorFlow."""
        with file:
            for number, line in enumerate(file, 1):
                text = line.removesuffix(b"\n").replace(b"\r", b"")
                if number > self.definition.skip_header_lines and (text or line.endswith(b"\n")):
                    yield b"%s:%d" % (work, number), text


class TFRecords(Reader):
    def records_of(self, work: bytes) -> Records:
        source = open_packed(work, TFRecordOptions(self.definition.compression_type))
        return ((b"%s:%d" % (work, at), record) for at, record in records_at(source))


class FixedLengthRecords(Reader):
    """The whole file is read at once: where its footer begins is known at its end only, if it is packed."""

    def records_of(self, work: bytes) -> Records:
        how, source = self.definition, open_packed(work, TFRecordOptions(self.definition.encoding))
        with source.file:
            data = source.read_all()
        places = range(how.header_bytes, len(data) - how.footer_bytes - how.record_bytes + 1,
                       how.hop_bytes or how.record_bytes)
        return ((b"%s:%d" % (work, i), data[at:at + how.record_bytes]) for i, at in enumerate(places))


KINDS = {"TextLineReaderV2": TextLines, "WholeFileReaderV2": WholeFiles, "TFRecordReaderV2": TFRecords,
         "FixedLengthRecordReaderV2": FixedLengthRecords, "IdentityReaderV2": Names}
