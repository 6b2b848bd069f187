"""Large outputs: the memory of arrays that are gone is used again, and never that of one that somebody still sees."""
from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

import graphc as gc
from graphc.exec.output_memory import LARGE, OutputMemory

ROWS = LARGE // 1024                   # of 1,024 float32: four times what is large
FLOAT = np.dtype(np.float32)


@pytest.fixture
def run():
    """The function (number) -> an array of ROWS x 1,024 elements, all this number."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [])
        y = gc.fill([ROWS, 1024], x) + 0.0
        with gc.Session() as session:
            yield lambda number: session.run(y, {x: number})


def test_memory_comes_back(run):
    first = run(1.0)
    at = first.ctypes.data
    del first
    second = run(2.0)
    assert second.ctypes.data == at and second.flags.carray and second.flags.writeable and (second == 2).all()


def test_an_array_that_is_kept_stays_as_it_is(run):
    kept = [run(float(i)) for i in range(4)]
    assert len({a.ctypes.data for a in kept}) == 4
    assert all((a == i).all() for i, a in enumerate(kept))


@pytest.mark.parametrize("view", [lambda a: a[3], lambda a: a.reshape(-1)[5:9], lambda a: a.view(np.int32).T,
                                  memoryview, lambda a: np.lib.stride_tricks.as_strided(a, (2, 2), (4, 4))],
                         ids=["row", "flat", "bits", "memoryview", "strided"])
def test_a_view_keeps_it(run, view):
    seen = view(run(7.0))
    before = np.array(seen)
    run(8.0)
    run(9.0)
    np.testing.assert_array_equal(np.asarray(seen), before)


def test_fed_back_into_the_run_that_makes_it():
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 1024])
        y = x + 1.0
        with gc.Session() as session:
            value = np.zeros((ROWS, 1024), np.float32)
            for _ in range(5):
                value = session.run(y, {x: value})
    assert (value == 5).all()


def test_arrays_outlive_their_session(run):
    with gc.Graph().as_default(), gc.Session() as session:
        found = session.run(gc.fill([ROWS, 1024], 3.0) + 0.0)
    assert (found == 3).all()


def test_no_more_is_kept_than_a_run_returns():
    memory = OutputMemory()
    memory.expect([4 * LARGE])
    arrays = [memory.empty((LARGE,), FLOAT) for _ in range(3)]
    blocks = [weakref.ref(a.base) for a in arrays]
    assert all(blocks)
    arrays.clear()
    assert sum(len(spare) for spare in memory._spare.values()) == 1
    memory.expect([8 * LARGE, 16])
    assert memory._spare == {8 * LARGE: []}


def test_sizes_that_are_not_expected_are_not_kept():
    memory = OutputMemory()
    array = memory.empty((3,), FLOAT)
    del array
    assert memory._spare == {}


def test_threads_share_no_array(run):
    wrong = []

    def work(number: float) -> None:
        for _ in range(20):
            found = run(number)
            if not (found == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
