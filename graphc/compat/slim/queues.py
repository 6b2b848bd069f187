"""slim.queues: the queue runners of a graph, for the length of a block."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import graphc as gc
from graphc.api.public import public

_running = threading.Lock()


@public("contrib.slim.queues.NestedQueueRunnerError")
class NestedQueueRunnerError(Exception):
    """QueueRunners inside QueueRunners: one block at a time may run them in a process.

    As `tf.contrib.slim.queues.NestedQueueRunnerError`.

    >>> QueueRunners = gc.contrib.slim.queues.QueueRunners
    >>> try:
    ...     with QueueRunners(gc.get_default_session()), QueueRunners(gc.get_default_session()):
    ...         pass
    ... except gc.contrib.slim.queues.NestedQueueRunnerError as error:
    ...     print(error)
    QueueRunners cannot be nested
    """


@public("contrib.slim.queues.QueueRunners")
@contextmanager
def QueueRunners(session: Any) -> Iterator[None]:
    """Runs the queue runners of the graph's collection while the block runs, then stops them.

    Raises NestedQueueRunnerError inside another such block. As `tf.contrib.slim.queues.QueueRunners`.

    >>> count = gc.get_variable("count", initializer=0)
    >>> queue = gc.FIFOQueue(4, gc.int32)
    >>> gc.train.add_queue_runner(gc.train.QueueRunner(queue, [queue.enqueue(gc.assign_add(count, 1))]))
    >>> number = queue.dequeue()
    >>> gc.global_variables_initializer().run()
    >>> with gc.contrib.slim.queues.QueueRunners(gc.get_default_session()):
    ...     [number.eval() for _ in range(3)]
    [np.int32(1), np.int32(2), np.int32(3)]
    """
    if not _running.acquire(blocking=False):
        raise NestedQueueRunnerError("QueueRunners cannot be nested")
    try:
        coordinator = gc.train.Coordinator()
        threads = [thread for runner in gc.get_collection(gc.GraphKeys.QUEUE_RUNNERS)
                   for thread in runner.create_threads(session, coord=coordinator, daemon=True, start=True)]
        try:
            yield
        finally:
            coordinator.request_stop()
            try:
                coordinator.join(threads, stop_grace_period_secs=120)
            except RuntimeError:            # a thread hangs: a closed session ends its runs
                session.close()
    finally:
        _running.release()
