"""The worker threads of this process: one pool for each number of threads that someone asked for (normally one)."""
from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Mapping

from graphc.exec.host import Host
from graphc.ir.locks import new_lock
from graphc.kernels.runtime import tables as t

# How often a thread looks for what it waits for in a run before it sleeps: about 200 us; to wake one takes 50 on a
# virtual machine. Threads that share cores with each other sleep at once.
SPIN = 40_000
_pools: dict[int, WorkerPool] = {}
_lock = new_lock()


class WorkerPool:
    """`threads - 1` threads inside gc_worker; the caller of a run is the last one."""

    def __init__(self, threads: int, entry: Mapping[str, int]) -> None:
        one = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
        three = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)
        self._host = Host()
        self._workers = threads - 1
        self._run_worker = one(entry["gc_worker"])
        spin = SPIN if threads <= cores() else 0
        self.address = int(three(entry["gc_pool_open"])(self._host.address, self._workers, spin))
        if not self.address:
            raise MemoryError("no memory for the worker pool")
        self.start()

    def start(self) -> None:
        for i in range(self._workers):
            threading.Thread(
                target=self._run_worker, args=(self.address,), name=f"graphc-worker-{i}", daemon=True
            ).start()

    def restart_in_child(self) -> None:
        """After a fork: the threads and whatever job they ran are gone."""
        words = (ctypes.c_int64 * t.POOL_WORDS).from_address(self.address)
        for field in (
            t.POOL_LOCK,
            t.POOL_RUN,
            t.POOL_REMAINING,
            t.POOL_WAITING,
            t.POOL_SLEEPERS,
            t.POOL_ERROR_LOCK,
            t.POOL_NEXT_WORKER,
        ):
            words[field] = 0
        words[t.POOL_SCRATCH_BYTES] = 0        # a thread may have been making it larger
        shares = t.SHARE_WORDS * (self._workers + 1)
        (ctypes.c_int64 * shares).from_address(words[t.POOL_SHARES])[:] = [0] * shares
        self.start()


def worker_pool(threads: int, entry: Mapping[str, int]) -> int:
    """Address of the pool for `threads` threads in all; 0 for one thread."""
    if threads <= 1:
        return 0
    with _lock:
        if threads not in _pools:
            _pools[threads] = WorkerPool(threads, entry)
        return _pools[threads].address


def default_threads() -> int:
    """GRAPHC_THREADS, or the number of CPUs this process may use."""
    asked = os.environ.get("GRAPHC_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else cores()


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _after_fork() -> None:
    for pool in _pools.values():
        pool.restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
