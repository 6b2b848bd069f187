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
        self._file: gc.python_io.TFRecordWriter | None = None
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise gc.errors.of_file(folder, error) from None

    def write(self, event: gc.Event) -> None:
        with self._lock:
            if self._file is None:
                self._file = gc.python_io.TFRecordWriter(self._new_path())
                self._at_exit = weakref.finalize(self, self._file.close)
                version = gc.Event(wall_time=int(time.time()), file_version=FILE_VERSION)
                self._file.write(version.SerializeToString())
            self._file.write(event.SerializeToString())
            if time.monotonic() > self._next_flush:
                self._file.flush()
                self._next_flush = time.monotonic() + self._flush_secs

    def flush(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._at_exit()
                self._file = None

    def _new_path(self) -> str:
        """events.out.tfevents.<second>.<host><suffix>, with a number if that second has one already."""
        start = os.path.join(self.folder, f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}")
        path, number = f"{start}{self._suffix}", 0
        while os.path.exists(path):
            number += 1
            path = f"{start}.{number}{self._suffix}"
        return path


@public("train.summary_iterator")
def summary_iterator(path: str) -> Iterator[gc.Event]:
    """The events of an events file, as `tf.train.summary_iterator`.

    Raises NotFoundError if there is no such file, DataLossError if it is damaged.

    >>> with gc.summary.FileWriter("events") as writer:
    ...     writer.add_summary(gc.Summary(value=[gc.Summary.Value(tag="loss", simple_value=0.5)]), global_step=3)
    >>> [file] = gc.io.gfile.glob("events/*")
    >>> for event in gc.train.summary_iterator(file):
    ...     print(event.step, [value.tag for value in event.summary.value])
    0 []
    3 ['loss']
    """
    return map(gc.Event.FromString, gc.python_io.tf_record_iterator(path))
