"""graphc_cancel ends the runs that are going on when it is called, and no other."""
from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from until import until

import graphc as gc
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

import native as n
from files import build_runner, case_file
from five import CASES
from threads import in_threads

FOREVER, CANCELLED = 1 << 30, 1


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


def _counting(variable: bool) -> bytes:
    """Counts to the number it is fed. variable: adds it to one, so that runs take turns."""
    with gc.Graph().as_default() as graph:
        turns = gc.placeholder(gc.int32, [])
        made = gc.while_loop(lambda i: i < turns, lambda i: i + 1, [gc.constant(0)])
        if variable:
            made = gc.assign_add(gc.Variable(gc.constant(0)), made)
        graph_def = as_graph_def(graph)
        add_plan(graph_def, [made.name], [turns.name])
    return graph_def.SerializeToString(deterministic=True)


def _load(native: n.Native, variable: bool) -> n.Model:
    model = native.load(_counting(variable))
    if variable:
        model.set_state(0, np.array(0, np.int32))
    return model


def _run(model: n.Model, turns: int) -> bool:
    """Whether the run came to its end; it was cancelled otherwise."""
    try:
        assert model.run([np.array(turns, np.int32)])[0] >= turns
    except n.NativeError as error:
        assert error.status == CANCELLED and "cancelled" in str(error)
        return False
    return True


@pytest.mark.parametrize("variable", [False, True])
def test_ends_what_runs_and_what_waits_for_its_turn(native: n.Native, variable: bool) -> None:
    with _load(native, variable) as model:
        assert any(_all_end(native, model, 0.3 * 2**attempt) for attempt in range(5))
        assert _run(model, 3)


def _until(native: n.Native, model: n.Model, ended: list[bool], runs: int) -> None:
    """Cancels again and again, for runs that had not begun."""
    until(lambda: (native.library.graphc_cancel(model.handle), len(ended) == runs)[1])


def _all_end(native: n.Native, model: n.Model, seconds: float) -> bool:
    """Whether one call ends four runs told to begin so many seconds ago: on a busy machine one may not have begun."""
    ended: list[bool] = []
    threads = [threading.Thread(target=lambda: ended.append(_run(model, FOREVER))) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    assert not ended
    native.library.graphc_cancel(model.handle)
    for thread in threads:
        thread.join(timeout=5)
    at_once = len(ended) == 4
    _until(native, model, ended, 4)
    assert not any(ended)
    return at_once


def test_what_begins_later_is_not_touched(native: n.Native) -> None:
    """Runs of several threads overlap all the time, so that there is never a moment at which none is going on."""
    called, returned, cancelled = 0, 0, [0] * 4
    over = threading.Event()
    with _load(native, False) as model:
        def work(number: int) -> None:
            while not over.is_set():
                before = returned
                if not _run(model, 2000 * (number + 1)):
                    assert called > before, "cancelled by a call that had returned before the run began"
                    cancelled[number] += 1

        def cancel() -> None:
            nonlocal called, returned
            for _ in range(150):
                called += 1
                native.library.graphc_cancel(model.handle)
                returned = called
                time.sleep(0.004)
            over.set()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        try:
            in_threads(4, work)
        finally:
            over.set()
            canceller.join()
        assert sum(cancelled) > 20, "the runs are too short for this test"


def test_between_runs_it_does_nothing(native: n.Native) -> None:
    with _load(native, False) as model:
        for _ in range(5):
            native.library.graphc_cancel(model.handle)
            assert _run(model, 10)


def test_one_model_at_a_time(native: n.Native) -> None:
    with _load(native, False) as model, _load(native, False) as other:
        ended: list[bool] = []
        thread = threading.Thread(target=lambda: ended.append(_run(other, FOREVER)))
        thread.start()
        native.library.graphc_cancel(model.handle)
        time.sleep(0.3)
        assert not ended
        _until(native, other, ended, 1)
        assert ended == [False]


def test_from_a_host_function(native: n.Native) -> None:
    with native.load(case_file(CASES["loop_with_host"]())) as model:
        def cancel(r: np.ndarray) -> np.ndarray:
            native.library.graphc_cancel(model.handle)
            return r + 1

        model.set_host("plus_one", cancel)
        with pytest.raises(n.NativeError, match="cancelled") as caught:
            model.run([np.ones((3, 5), np.float32)])
        assert caught.value.status == CANCELLED
        model.set_host("plus_one", lambda r: r + 1)
        assert model.run([np.ones((3, 5), np.float32)])[0].shape == (3, 5)
        assert ctypes.c_int64(native.library.graphc_memory_used(model.handle)).value > 0
