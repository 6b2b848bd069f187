"""FileWriter: writes summaries, graphs and what runs tell of themselves for TensorBoard."""
from __future__ import annotations

import os
import threading
import time
from typing import Any, ClassVar

import graphc as gc
from graphc.api.public import public
from graphc.summary.events import EventsFile
from graphc.wording import warn


@public("summary.FileWriter", "compat.v1.train.SummaryWriter")
class FileWriter:
    """Writes events into a new file in `logdir`, as `tf.summary.FileWriter`.

    graph: a Graph, which is added. graph_def: the old way to say so. flush_secs: see EventsFile. max_queue changes no
    result: events do not wait in a queue. filename_suffix stands after the file's name. session is refused: it is for
    the writer ops of tf.contrib.summary, which graphc does not have. Raises TypeError for a graph that is none, and
    UnimplementedError for a session; NotFoundError and the like for a folder that cannot be made.

    >>> loss = gc.placeholder(gc.float32, [])
    >>> summary, session = gc.summary.scalar("loss", loss), gc.get_default_session()
    >>> with gc.summary.FileWriter("logs", session.graph) as writer:
    ...     for step in range(3):
    ...         writer.add_summary(session.run(summary, {loss: 1. / (step + 1)}), global_step=step)
    >>> [file] = gc.io.gfile.glob("logs/events*")
    >>> [(event.step, value.simple_value) for event in gc.train.summary_iterator(file) for value in event.summary.value]
    [(0, 1.0), (1, 0.5), (2, 0.3333333432674408)]
    """

    def __init__(self, logdir: str, graph: Any = None, max_queue: int = 10, flush_secs: float = 120,
                 graph_def: Any = None, filename_suffix: str | None = None, session: Any = None) -> None:
        if session is not None:
            raise gc.errors.UnimplementedError(
                "FileWriter: argument 'session' is for the ops of tf.contrib.summary, which graphc does not have; "
                "leave it out, and add what session.run gives for gc.summary.merge_all()")
        self._logdir, self._closed = os.fspath(logdir), False
        self._tags_with_metadata: set[str] = set()
        self._run_tags: set[str] = set()
        self._file = EventsFile(self._logdir, flush_secs, filename_suffix or "")
        if graph is not None or graph_def is not None:
            self.add_graph(graph, graph_def=graph_def)
            self.add_meta_graph(gc.MetaGraphDef(graph_def=_as_graph_def(graph if graph is not None else graph_def)))

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The folder that it writes into."""
        return self._logdir

    def add_summary(self, summary: bytes | gc.Summary, global_step: Any = None) -> None:
        """A Summary, or the bytes of one: what session.run gives for an op of gc.summary."""
        made = gc.Summary()
        if isinstance(summary, bytes):
            made.ParseFromString(summary)
        elif isinstance(summary, gc.Summary):
            made.CopyFrom(summary)
        else:
            raise TypeError(f"FileWriter.add_summary: argument 'summary' must be bytes or a gc.Summary, but is "
                            f"{type(summary).__name__}; an op of gc.summary is run first: session.run(op)")
        for value in made.value:             # what a plugin wants to know is written once
            if value.HasField("metadata") and value.tag in self._tags_with_metadata:
                value.ClearField("metadata")
            elif value.HasField("metadata"):
                self._tags_with_metadata.add(value.tag)
        self._add(gc.Event(summary=made), global_step)

    def add_session_log(self, session_log: gc.SessionLog, global_step: Any = None) -> None:
        self._add(gc.Event(session_log=session_log), global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """A Graph, or a GraphDef. Raises ValueError if both arguments are given."""
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        made = _as_graph_def(graph if graph is not None else graph_def)
        self._add(gc.Event(graph_def=made.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def: gc.MetaGraphDef, global_step: Any = None) -> None:
        if not isinstance(meta_graph_def, gc.MetaGraphDef):
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._add(gc.Event(meta_graph_def=meta_graph_def.SerializeToString()), global_step)

    def add_run_metadata(self, run_metadata: gc.RunMetadata, tag: str, global_step: Any = None) -> None:
        """What a run told of itself. Raises ValueError if the tag was used before."""
        if tag in self._run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._run_tags.add(tag)
        told = gc.summary.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add(gc.Event(tagged_run_metadata=told), global_step)

    def add_event(self, event: gc.Event) -> None:
        """An Event as it is."""
        if not isinstance(event, gc.Event):
            raise TypeError(f"Expected an event_pb2.Event proto, but got {type(event)}")
        if self._closed:
            warn("Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter "
                 "is explicitly reopened.")
            return
        self._file.write(event)

    def flush(self) -> None:
        """What was added is in the file."""
        self._file.flush()

    def close(self) -> None:
        """Writes what is left and closes the file; events after that are dropped until reopen()."""
        self._file.close()
        self._closed = True

    def reopen(self) -> None:
        """What is added after `close` goes into a new file. Does nothing for a writer that is open."""
        self._closed = False

    def _add(self, event: gc.Event, step: Any) -> None:
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.add_event(event)


def _as_graph_def(graph: Any) -> gc.GraphDef:
    if isinstance(graph, gc.Graph):
        return graph.as_graph_def(add_shapes=True)  # type: ignore[attr-defined]
    if isinstance(graph, gc.GraphDef):
        return graph
    raise TypeError(f"The passed graph must be an instance of `Graph` or the deprecated `GraphDef`, but is a "
                    f"{type(graph).__name__}")


@public("summary.FileWriterCache", "compat.v1.train.SummaryWriterCache")
class FileWriterCache:
    """One FileWriter a folder, as `tf.summary.FileWriterCache`.

    get(logdir) gives the folder's writer, made if there is none; clear() closes all of them. A new writer's errors are
    those of `gc.summary.FileWriter`.

    >>> gc.summary.FileWriterCache.get("cached") is gc.summary.FileWriterCache.get("cached")
    True
    >>> gc.summary.FileWriterCache.clear()
    """

    _writers: ClassVar[dict[str, FileWriter]] = {}
    _lock: ClassVar = threading.RLock()

    @staticmethod
    def get(logdir: str) -> FileWriter:
        """The writer of the folder, made if there is none."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._writers:
                FileWriterCache._writers[logdir] = FileWriter(logdir, graph=gc.get_default_graph())
            return FileWriterCache._writers[logdir]

    @staticmethod
    def clear() -> None:
        """Closes and forgets all of them."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._writers.values():
                writer.close()
            FileWriterCache._writers.clear()


@public("summary.initialize")
def initialize(graph: Any = None, session: Any = None) -> None:
    """As `tf.summary.initialize`, which is for a default writer of tf.contrib.summary: graphc never has one.

    Raises RuntimeError therefore; gc.summary.FileWriter writes summaries.

    >>> gc.summary.initialize()
    Traceback (most recent call last):
        ...
    RuntimeError: No default tf.contrib.summary.SummaryWriter found; FileWriter needs no initialize
    """
    raise RuntimeError("No default tf.contrib.summary.SummaryWriter found; FileWriter needs no initialize")
