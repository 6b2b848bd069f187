"""Events files: what TensorBoard reads. An events file is a file of records, each an Event (proto/summary.proto)."""
from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator

import graphc as gc
from graphc.api.public import public
from graphc.io.records import framed, tf_record_iterator

FILE_VERSION = "brain.Event:2"


class EventsFile:
    """A new events file in a folder, which is made; the file is, once there is an event to write, also after `close`.

    Events are written at once, into memory; what is there goes into the file at the first event, at the first one
    after flush_secs, and when the file is flushed or closed, at the latest with the process.
    """

    def __init__(self, folder: str, flush_secs: float, suffix: str) -> None:
        self.folder, self._flush_secs, self._suffix = folder, flush_secs, suffix
        self._next_flush = 0.0
        self._lock = threading.Lock()
        self._file: _Closed | None = None
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise gc.errors.of_file(folder, error) from None

    def write(self, event: gc.Event) -> None:
        with self._lock:
            try:
                if self._file is None:
                    self._file = _Closed(self._new_path())
                    version = gc.Event(wall_time=int(time.time()), file_version=FILE_VERSION)
                    self._file.write(framed(version.SerializeToString()))
                self._file.write(framed(event.SerializeToString()))
                if time.monotonic() > self._next_flush:
                    self._file.flush()
                    self._next_flush = time.monotonic() + self._flush_secs
            except OSError as error:
                raise gc.errors.of_file(self.folder, error) from None

    def flush(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _new_path(self) -> str:
        """events.out.tfevents.<second>.<host><suffix>, with a number if that second has one already."""
        start = os.path.join(self.folder, f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}")
        path, number = f"{start}{self._suffix}", 0
        while os.path.exists(path):
            number += 1
            path = f"{start}.{number}{self._suffix}"
        return path


class _Closed:
    """A file that is closed when nobody needs it any more, and when the process ends."""

    def __init__(self, path: str) -> None:
        file = open(path, "xb")
        self.write, self.flush = file.write, file.flush
        self.close = weakref.finalize(self, file.close)


@public("train.summary_iterator")
def summary_iterator(path: str) -> Iterator[gc.Event]:
    """The events of an events file, as `tf.train.summary_iterator`."""
    return map(gc.Event.FromString, tf_record_iterator(path))
