"""The worker pool: shares of tiles, threads that come late or not at all, threads that sleep."""
from __future__ import annotations

import os
import time

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue, pool
from graphc.kernels.runtime import tables as t


def program(rows: int = 300) -> tuple[gc.Tensor, gc.Tensor, np.ndarray]:
    """Products, maps, reductions, a loop: steps of one tile and of many."""
    generator = np.random.default_rng(0)
    x = gc.placeholder(gc.float32, [None, 200])
    w = gc.constant(generator.standard_normal((200, 200)).astype(np.float32) / 14)
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.tanh(gc.matmul(y, w)) + 0.5 * y),
                         [gc.constant(0), x])
    y = gc.nn.softmax(gc.matmul(y, y, transpose_b=True)) * gc.reduce_sum(y, axis=1, keepdims=True)
    return x, y, generator.standard_normal((rows, 200)).astype(np.float32)


def session(threads: int) -> gc.Session:
    return gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads))


@pytest.fixture
def own_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that no other test has made."""
    monkeypatch.setattr(pool, "_pools", {})


def test_results_are_equal_for_any_number_of_threads() -> None:
    with gc.Graph().as_default():
        for rows in (1, 17, 300):
            x, y, value = program(rows)
            found = []
            for threads in (1, 2, 3, 5, 16):
                with session(threads) as s:
                    found += [s.run(y, {x: value}).tobytes() for _ in range(3)]
            assert len(set(found)) == 1, rows


def test_shares_of_threads_that_never_come_are_taken_over(own_pools: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        x, y, value = program()
        with session(1) as s:
            wanted = s.run(y, {x: value})
        monkeypatch.setattr(pool.WorkerPool, "start", lambda self: None)
        with session(4) as s:
            np.testing.assert_array_equal(s.run(y, {x: value}), wanted)
        words = (t.POOL_JOBS, t.POOL_REMAINING, t.POOL_LOCK, t.POOL_RUN)
        jobs, remaining, lock, run = (word_of(pool._pools[4], word) for word in words)
    assert jobs > 5 and (remaining, lock, run) == (0, 0, 0)


def word_of(made: pool.WorkerPool, word: int) -> int:
    return int(np.ctypeslib.as_array((pool.ctypes.c_int64 * t.POOL_WORDS).from_address(made.address))[word])


def test_threads_look_for_work_only_where_each_has_a_core(own_pools: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "cores", lambda: 2)
    with gc.Graph().as_default():
        x, y, value = program(1)
        for threads in (2, 3):
            with session(threads) as s:
                s.run(y, {x: value})
        assert [word_of(pool._pools[threads], t.POOL_SPIN) > 0 for threads in (2, 3)] == [True, False]


def test_threads_sleep_behind_a_run() -> None:
    with gc.Graph().as_default():
        x, y, value = program()
        with session(max(2, min(4, os.cpu_count() or 1))) as s:
            s.run(y, {x: value})
            code_queue.settle()                     # what is compiled beside it takes time of its own
            time.sleep(0.05)
            before = time.process_time()
            time.sleep(0.3)
            assert time.process_time() - before < 0.1
