"""QueueRunner: threads that keep a queue filled."""
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc import errors
from graphc.api.public import public
from graphc.train.coordinator import Coordinator

_CODES: dict[type[Exception], int] = {        # of TensorFlow's messages
    errors.CancelledError: 1, errors.UnknownError: 2, errors.InvalidArgumentError: 3, errors.DeadlineExceededError: 4,
    errors.NotFoundError: 5, errors.ResourceExhaustedError: 8, errors.FailedPreconditionError: 9,
    errors.AbortedError: 10, errors.OutOfRangeError: 11, errors.UnimplementedError: 12, errors.InternalError: 13,
    errors.DataLossError: 15}
_BY_CODE = {code: kind for kind, code in _CODES.items()}


@public("train.QueueRunner", "train.queue_runner.QueueRunner")
class QueueRunner:
    """Runs each of enqueue_ops in a thread of its own, again and again, as `tf.train.QueueRunner`.

    A thread ends with one of queue_closed_exception_types (the end of the data, a closed queue); the last one closes
    the queue. Raises ValueError without a queue and enqueue_ops, or if there is a queue_runner_def as well.

    >>> queue = gc.FIFOQueue(10, gc.float32, [])
    >>> runner = gc.train.QueueRunner(queue, [queue.enqueue(gc.constant(1.))])
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = runner.create_threads(session, coordinator, start=True)
    >>> queue.dequeue_many(20).eval().sum()
    np.float32(20.0)
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """

    def __init__(self, queue: gc.QueueBase | None = None, enqueue_ops: Sequence[Any] | None = None,
                 close_op: Any = None, cancel_op: Any = None, queue_closed_exception_types: Any = None,
                 queue_runner_def: Any = None, import_scope: str | None = None) -> None:
        if queue_runner_def is not None:
            if queue is not None or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._from_def(queue_runner_def, import_scope)
        else:
            if queue is None or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            self._queue, self._enqueue_ops = queue, list(enqueue_ops)
            self._close_op = close_op if close_op is not None else queue.close()
            self._cancel_op = cancel_op if cancel_op is not None else queue.close(cancel_pending_enqueues=True)
            self._ends = tuple(queue_closed_exception_types or (errors.OutOfRangeError,))
        self._lock = threading.Lock()
        self._runs_per_session: dict[int, int] = {}
        self._exceptions_raised: list[Exception] = []

    def _from_def(self, given: Any, scope: str | None) -> None:
        """Of nodes that are in the default graph already, under the scope. The queue is its operation."""
        def element(name: str) -> Any:
            return gc.get_default_graph().as_graph_element(f"{scope.rstrip('/')}/{name}" if scope else name)

        self._queue, self._enqueue_ops = element(given.queue_name), [element(n) for n in given.enqueue_op_name]
        self._close_op, self._cancel_op = element(given.close_op_name), element(given.cancel_op_name)
        self._ends = tuple(_BY_CODE[code] for code in given.queue_closed_exception_types) or (errors.OutOfRangeError,)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """As a QueueRunnerDef; None if it is not in export_scope, which is taken off the names."""
        from graphc.serial.collections_pb2 import QueueRunnerDef

        scope = f"{export_scope.rstrip('/')}/" if export_scope else ""
        if not self.name.startswith(scope):
            return None
        made = QueueRunnerDef(queue_name=self.name.removeprefix(scope),
                              close_op_name=self._close_op.name.removeprefix(scope),
                              cancel_op_name=self._cancel_op.name.removeprefix(scope))
        made.enqueue_op_name.extend(op.name.removeprefix(scope) for op in self._enqueue_ops)
        made.queue_closed_exception_types.extend(_CODES[kind] for kind in self._ends)
        return made

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """Of a QueueRunnerDef whose nodes are in the default graph, under import_scope if given."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)

    queue = property(lambda self: self._queue, doc="The queue.")
    enqueue_ops = property(lambda self: self._enqueue_ops, doc="What fills it.")
    close_op = property(lambda self: self._close_op, doc="What closes it.")
    cancel_op = property(lambda self: self._cancel_op, doc="What closes it at once.")
    queue_closed_exception_types = property(lambda self: self._ends, doc="What ends a thread.")
    exceptions_raised = property(lambda self: self._exceptions_raised,
                                 doc="What ended threads that have no coordinator to tell.")
    name = property(lambda self: self._queue.name, doc="The queue's name.")

    def _run(self, sess: Any, enqueue_op: Any, coord: Coordinator | None) -> None:
        counted = True
        try:
            enqueue = sess.make_callable(enqueue_op)
            while not (coord is not None and coord.should_stop()):
                try:
                    enqueue()
                except self._ends:
                    counted = False
                    if self._one_less(sess):
                        try:
                            sess.run(self._close_op)
                        except Exception:
                            pass
                    return
        except Exception as error:
            if coord is not None:
                coord.request_stop(error)
            else:
                with self._lock:
                    self._exceptions_raised.append(error)
                raise
        finally:
            if counted:
                self._one_less(sess)

    def _one_less(self, sess: Any) -> bool:
        """Whether no thread of the session is left."""
        with self._lock:
            self._runs_per_session[id(sess)] -= 1
            return self._runs_per_session[id(sess)] == 0

    def _close_on_stop(self, sess: Any, cancel_op: Any, coord: Coordinator) -> None:
        coord.wait_for_stop()
        try:
            sess.run(cancel_op)
        except Exception:                 # the session may be closed already
            pass

    def create_threads(self, sess: Any, coord: Coordinator | None = None, daemon: bool = False,
                       start: bool = False) -> list[threading.Thread]:
        """The threads; with a coordinator one more, which closes the queue when that stops."""
        with self._lock:
            if self._runs_per_session.get(id(sess), 0) > 0:
                return []
            self._runs_per_session[id(sess)] = len(self._enqueue_ops)
            self._exceptions_raised = []
        made = [self._thread(self._run, f"-{getattr(op, 'name', op)}", sess, op, coord) for op in self._enqueue_ops]
        if coord is not None:
            made.append(self._thread(self._close_on_stop, "-close_on_stop", sess, self._cancel_op, coord))
        for thread in made:
            if coord is not None:
                coord.register_thread(thread)
            thread.daemon = thread.daemon or daemon
            if start:
                thread.start()
        return made

    def _thread(self, function: Callable[..., None], suffix: str, *arguments: Any) -> threading.Thread:
        return threading.Thread(target=function, args=arguments, name=f"QueueRunnerThread-{self.name}{suffix}")


@public("train.add_queue_runner", "train.queue_runner.add_queue_runner")
def add_queue_runner(qr: QueueRunner, collection: str = gc.GraphKeys.QUEUE_RUNNERS) -> None:
    """Adds a QueueRunner to the graph's collection, as `tf.train.add_queue_runner`.

    >>> queue = gc.FIFOQueue(10, gc.float32, [])
    >>> gc.train.add_queue_runner(gc.train.QueueRunner(queue, [queue.enqueue(gc.constant(1.))]))
    >>> len(gc.get_collection(gc.GraphKeys.QUEUE_RUNNERS))
    1
    """
    gc.get_default_graph().add_to_collection(collection, qr)


@public("train.start_queue_runners", "train.queue_runner.start_queue_runners")
def start_queue_runners(sess: Any = None, coord: Coordinator | None = None, daemon: bool = True, start: bool = True,
                        collection: str = gc.GraphKeys.QUEUE_RUNNERS) -> list[threading.Thread]:
    """Starts the threads of all QueueRunners of the graph, as `tf.train.start_queue_runners`.

    coord: is told of what a thread raises; join(threads) then raises it. start: False for threads that have not
    begun. Raises ValueError without a session, TypeError if sess is none.

    >>> queue = gc.train.input_producer([10, 20], shuffle=False)
    >>> two = queue.dequeue_many(2)
    >>> coordinator, session = gc.train.Coordinator(), gc.get_default_session()
    >>> threads = gc.train.start_queue_runners(session, coordinator)
    >>> session.run(two)
    array([10, 20], dtype=int32)
    >>> coordinator.request_stop()
    >>> coordinator.join(threads)
    """
    if sess is None:
        sess = gc.get_default_session()
        if sess is None:
            raise ValueError("Cannot start queue runners: No default session is registered. Use `with "
                             "sess.as_default()` or pass an explicit session: "
                             "gc.train.start_queue_runners(sess=sess)")
    if not hasattr(sess, "make_callable"):
        raise TypeError(f"sess must be a gc.Session object. Given class: {type(sess)}")
    return [thread for runner in sess.graph.get_collection(collection)
            for thread in runner.create_threads(sess, coord=coord, daemon=daemon, start=start)]
