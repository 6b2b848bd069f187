"""The variables' lock: readers together, writers alone and first (tests/session/test_signals.py interrupts it)."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from until import until

import graphc as gc
from graphc.exec import shared_lock
from graphc.exec.shared_lock import SharedLock, _Waiting


def thread(work: Callable[[], Any]) -> threading.Thread:
    made = threading.Thread(target=work, daemon=True)
    made.start()
    return made


def test_readers_share_and_writers_do_not() -> None:
    lock, inside, most, wrong = SharedLock(), [0, 0], [0, 0], []

    def work(exclusive: bool) -> None:
        for _ in range(300):
            with lock.holding(exclusive):
                inside[exclusive] += 1
                most[exclusive] = max(most[exclusive], inside[exclusive])
                if inside[1] > 1 or (inside[1] and inside[0]):
                    wrong.append(list(inside))
                time.sleep(0)
                inside[exclusive] -= 1

    for made in [thread(lambda e=e: work(e)) for e in (False, False, False, True, True)]:
        made.join(60)
        assert not made.is_alive()
    assert not wrong and most[1] == 1 and most[0] > 1
    assert not lock.readers and not lock.writers and not lock.gates


def test_a_writer_that_waits_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "FORGOTTEN", 60.0)       # whatever else the machine does
    lock, order = SharedLock(), []
    lock.acquire("reader", False)

    def take(exclusive: bool) -> None:
        with lock.holding(exclusive):
            order.append(exclusive)

    writer = thread(lambda: take(True))
    until(lambda: bool(lock._line))
    reader = thread(lambda: take(False))
    until(lambda: len(lock._line) == 2)
    assert not order
    lock.readers.discard("reader")
    lock.wake()
    writer.join(20)
    reader.join(20)
    assert order == [True, False]


def test_threads_in_loops_take_turns() -> None:
    """The lock is free for no time between two runs of a thread; without turns one of the four stands still."""
    counts, stop = [0] * 4, []
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(np.zeros(4, np.float32))
        steps = [gc.assign_add(v, np.ones(4, np.float32))] * 3 + [v * 2.0]
        session.run(gc.global_variables_initializer())

        def repeat(i: int) -> None:
            while not stop:
                session.run(steps[i])
                counts[i] += 1

        threads = [thread(lambda i=i: repeat(i)) for i in range(4)]      # type: ignore[misc]
        try:
            until(lambda: min(counts) > 10)
        finally:
            stop.append(1)
        for made in threads:
            made.join(60)


def test_who_was_ended_while_it_waited_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "FORGOTTEN", 30.0)
    lock = SharedLock()
    now = time.monotonic()
    lock._line["gone"] = _Waiting(True, now - 40, now - 40)
    assert lock._try("reader", False)
    lock.readers.clear()
    lock._line["there"] = _Waiting(True, now - 1, time.monotonic())
    assert not lock._try("reader", False) and not lock._try("writer", True)
    assert lock._try("there", True)


def test_a_wake_that_is_lost_only_delays() -> None:
    lock, done = SharedLock(), []
    lock.acquire("writer", True)
    waiting = thread(lambda: (lock.acquire("reader", False), done.append(1)))
    until(lambda: bool(lock.gates))
    lock.writers.discard("writer")           # and nobody calls wake
    waiting.join(20)
    assert done


def test_a_fork_waits_for_writers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "FORK_WAITS", 0.1)
    lock = SharedLock()
    lock.acquire("reader", False)
    assert lock.before_fork()
    lock.readers.clear()
    lock.acquire("writer", True)
    assert not lock.before_fork()
    lock.after_fork_in_child()
    lock.acquire("next", True)


def test_a_fork_goes_before_writers_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "FORK_WAITS", 60.0)
    lock, written, stop = SharedLock(), [0], []

    def repeat() -> None:
        while not stop:
            with lock.holding(True):
                time.sleep(0.001)
                written[0] += 1

    writers = [thread(repeat) for _ in range(3)]
    try:
        for _ in range(10):
            before = written[0]
            until(lambda before=before: written[0] > before + 2)          # type: ignore[misc]
            assert lock.before_fork()
            lock.readers.discard(threading.get_ident())
            lock.wake()
    finally:
        stop.append(1)
    for writer in writers:
        writer.join(20)
    assert not lock.readers and not lock.writers and not lock._forking
