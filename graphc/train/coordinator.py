"""Coordinator: stops a group of threads together, and raises in join what one of them failed with."""
from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from graphc import errors
from graphc.api.public import public

Failure = tuple[type[BaseException], BaseException, TracebackType | None]


@public("train.Coordinator")
class Coordinator:
    """Lets threads stop together, as `tf.train.Coordinator`: each asks should_stop(), any may call request_stop(), and
    join() waits for all and raises what one of them reported.

    clean_stop_exception_types: what only means the end, by default OutOfRangeError. join raises RuntimeError if a
    thread runs on for stop_grace_period_secs after the stop.

    >>> import threading
    >>> coordinator = gc.train.Coordinator()
    >>> def work():
    ...     with coordinator.stop_on_exception():
    ...         while not coordinator.should_stop():
    ...             raise ValueError("bad record")
    >>> threads = [threading.Thread(target=work) for _ in range(2)]
    >>> for thread in threads:
    ...     thread.start()
    >>> coordinator.join(threads)
    Traceback (most recent call last):
        ...
    ValueError: bad record
    """

    def __init__(self, clean_stop_exception_types: Any = None) -> None:
        kinds = (errors.OutOfRangeError,) if clean_stop_exception_types is None else clean_stop_exception_types
        self._clean_stop_exception_types: tuple[type[BaseException], ...] = tuple(kinds)
        self._lock = threading.Lock()
        self._stop_event = threading.Event()
        self._failure: Failure | None = None
        self._joined = False
        self._registered_threads: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """From now on should_stop() is True. ex: an exception, or sys.exc_info(), that join() is to raise."""
        with self._lock:
            failure = self._failure_of(ex)
            if self._joined:
                if failure is not None:
                    raise failure[1]
                return
            if not self._stop_event.is_set():
                if failure is not None and not isinstance(failure[1], self._clean_stop_exception_types):
                    self._failure = failure
                self._stop_event.set()

    def _failure_of(self, ex: Any) -> Failure | None:
        if ex is None:
            return None
        if isinstance(ex, tuple):
            return ex  # type: ignore[return-value]
        return type(ex), ex, ex.__traceback__

    def clear_stop(self) -> None:
        """The coordinator may be used again."""
        with self._lock:
            self._joined, self._failure = False, None
            self._stop_event.clear()

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop_event.is_set()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """What is raised inside requests a stop."""
        try:
            yield
        except Exception:
            self.request_stop(sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until a stop is requested; whether one was."""
        return self._stop_event.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """join() is to wait for the thread."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(self, threads: Sequence[threading.Thread] | None = None, stop_grace_period_secs: float = 120,
             ignore_live_threads: bool = False) -> None:
        """Waits for the threads, and raises what one of them reported. Raises RuntimeError if some still run
        stop_grace_period_secs after the stop."""
        with self._lock:
            waiting = self._registered_threads | set(threads or ())
        while any(t.is_alive() for t in waiting) and not self.wait_for_stop(1.0):
            pass
        end = time.monotonic() + stop_grace_period_secs
        while any(t.is_alive() for t in waiting) and time.monotonic() < end:
            time.sleep(0.01)
        alive = [t.name for t in waiting if t.is_alive()]
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            failure = self._failure
        if failure is not None:
            raise failure[1].with_traceback(failure[2])
        if alive and not ignore_live_threads:
            raise RuntimeError(f"Coordinator stopped with threads still running: {' '.join(alive)}")

    @property
    def joined(self) -> bool:
        """Whether join() has ended since the last clear_stop()."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raises what a thread reported, if one did."""
        with self._lock:
            failure = self._failure
        if failure is not None:
            raise failure[1].with_traceback(failure[2])


@public("train.LooperThread")
class LooperThread(threading.Thread):
    """A thread that calls target(*args, **kwargs) every timer_interval_secs (None: all the time) until the coordinator
    stops, as `tf.train.LooperThread`.

    Raises ValueError if coord is no Coordinator.

    >>> coordinator, calls = gc.train.Coordinator(), []
    >>> def count():
    ...     calls.append(len(calls))
    ...     if len(calls) == 3:
    ...         coordinator.request_stop()
    >>> looper = gc.train.LooperThread.loop(coordinator, 0.001, count)
    >>> coordinator.join()
    >>> calls
    [0, 1, 2]
    """

    def __init__(self, coord: Coordinator, timer_interval_secs: float | None, target: Callable[..., Any] | None = None,
                 args: Sequence[Any] | None = None, kwargs: dict[str, Any] | None = None) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        self._coord = coord
        self._timer_interval_secs = timer_interval_secs
        self._calls = (target, tuple(args or ()), dict(kwargs or {}))
        coord.register_thread(self)

    @staticmethod
    def loop(coord: Coordinator, timer_interval_secs: float | None, target: Callable[..., Any],
             args: Sequence[Any] | None = None, kwargs: dict[str, Any] | None = None) -> LooperThread:
        """A started LooperThread."""
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        with self._coord.stop_on_exception():
            self.start_loop()
            following = time.time()                      # the first call comes at once
            while not self._coord.wait_for_stop(max(following - time.time(), 0)):
                self.run_loop()
                following = following + self._timer_interval_secs if self._timer_interval_secs is not None else 0.0
            self.stop_loop()

    def start_loop(self) -> None:
        """Called when the thread starts."""

    def stop_loop(self) -> None:
        """Called when the thread stops."""

    def run_loop(self) -> None:
        """Called every time."""
        target, arguments, named = self._calls
        if target is not None:
            target(*arguments, **named)
