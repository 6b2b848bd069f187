"""`with lock` frees the lock whenever a signal handler raises (in sessions: tests/session/test_signals.py)."""
from __future__ import annotations

import ctypes
import functools
import gc
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from graphc.kernels import locks


class Strike(BaseException):
    pass


@pytest.fixture(autouse=True)
def strikes() -> Iterator[None]:
    def handler(number: int, frame: Any) -> None:
        raise Strike

    before = [signal.signal(number, handler) for number in (signal.SIGUSR1, signal.SIGALRM)]
    yield
    for number, was in zip((signal.SIGUSR1, signal.SIGALRM), before, strict=True):
        signal.signal(number, was)


class StruckLock:
    """A lock that is struck while C code takes it: the interpreter sees the signal at its next look."""

    def __init__(self) -> None:
        self.freed = 0
        self.acquire = functools.partial(ctypes.CDLL(None)["raise"], int(signal.SIGUSR1))
        self.release = self._at_fork_reinit = int

    def __exit__(self, *exception: object) -> None:
        self.freed += 1


def test_a_strike_right_behind_taking_it_comes_out_of_the_block() -> None:
    for _ in range(100):            # specialised instructions look elsewhere than general ones
        struck = StruckLock()
        with pytest.raises(Strike), locks._Lock(struck):
            abs(0)
            raise AssertionError("no signal was seen")
        assert struck.freed == 1


def is_free(lock: Any) -> bool:
    """Whether another thread gets it."""
    found: list[bool] = []

    def look() -> None:
        if lock.acquire(timeout=1):
            lock.release()
            found.append(True)

    other = threading.Thread(target=look)
    other.start()
    other.join()
    return bool(found)


@pytest.mark.parametrize("made", [locks.lock, locks.reentrant_lock])
def test_strikes_at_any_point(made: Any) -> None:
    lock = made()
    struck, end = 0, time.monotonic() + 60
    while struck < 3000 and time.monotonic() < end:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5, 5e-3)
                while True:
                    with lock:
                        abs(0)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Strike:
            struck += 1
        assert is_free(lock), f"held behind strike {struck}"
    assert struck > 50


def test_they_are_what_they_are_called() -> None:
    lock, again = locks.lock(), locks.reentrant_lock()
    with lock:
        assert not lock.acquire(blocking=False)
    with again, again:
        assert again.acquire(blocking=False)
        again.release()
    with pytest.raises(ValueError, match="inside"), lock:
        raise ValueError("inside")
    assert lock.acquire(blocking=False)
    lock._at_fork_reinit()
    assert lock.acquire(blocking=False)


def test_a_lock_goes_when_nobody_has_it() -> None:
    gc.disable()
    try:
        kept = weakref.ref(locks._Lock(threading.Lock()))
        assert kept() is None
    finally:
        gc.enable()
