"""Queues of a session, and what is built of them: runners, coordinators, batches."""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from until import until_inside

import graphc as gc
from graphc import errors


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


class Waiting:
    """A run in a thread of its own: its result, or what it failed with."""

    def __init__(self, session: gc.Session, fetches: Any) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(session, fetches), daemon=True)
        self.thread.start()

    def _run(self, session: gc.Session, fetches: Any) -> None:
        try:
            self.result = session.run(fetches)
        except BaseException as error:
            self.error = error

    def until_it_waits(self) -> None:
        until_inside(self.thread, "_wait")

    def done(self) -> Any:
        self.thread.join(20)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


def test_first_in_first_out() -> None:
    q = gc.FIFOQueue(10, [gc.float32, gc.int32], [[2], []])
    x = gc.placeholder(gc.float32, [2])
    put = q.enqueue([x, 7])
    many = q.enqueue_many([[[1.0, 2.0], [3.0, 4.0]], [8, 9]])
    one, two = q.dequeue(), q.dequeue_many(2)
    assert one[0].shape.as_list() == [2] and two[0].shape.as_list() == [2, 2] and two[1].shape.as_list() == [2]
    with gc.Session() as session:
        session.run(put, {x: [5, 6]})
        session.run(many)
        assert session.run([q.size(), q.is_closed()]) == [3, False]
        a, b = session.run(one)
        np.testing.assert_array_equal(a, [5, 6])
        assert b == 7
        rows, numbers = session.run(two)
        np.testing.assert_array_equal(rows, [[1, 2], [3, 4]])
        np.testing.assert_array_equal(numbers, [8, 9])
    with gc.Session() as other:
        assert other.run(q.size()) == 0                       # state belongs to the session


def test_what_is_taken_out_is_computed_with() -> None:
    q = gc.FIFOQueue(10, gc.float32, shapes=[[3]])
    y = gc.reduce_sum(q.dequeue() * 2)
    with gc.Session() as session:
        session.run(q.enqueue_many([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]))
        assert [session.run(y), session.run(y)] == [12, 30]


def test_one_run_takes_one_element_for_each_op() -> None:
    q = gc.FIFOQueue(10, [gc.int32], [[]])
    x, y = q.dequeue(), q.dequeue()
    with gc.Session() as session:
        session.run(q.enqueue_many([[1, 2, 3, 4]]))
        assert session.run([x, x + 0, y]) == [1, 1, 2]
        assert session.run([x * 10, y]) == [30, 4]


def test_names() -> None:
    q = gc.FIFOQueue(4, [gc.float32, gc.int32], [[], []], names=["a", "b"])
    with gc.Session() as session:
        session.run(q.enqueue({"b": 3, "a": 1.5}))
        assert session.run(q.dequeue()) == {"a": 1.5, "b": 3}
    with pytest.raises(ValueError, match="non-dictionary"):
        q.enqueue([1.0, 2])
    with pytest.raises(ValueError, match="do not match names"):
        q.enqueue({"a": 1.0})


def test_shapes_that_are_not_declared_are_those_put_in() -> None:
    q = gc.FIFOQueue(4, [gc.float32])
    x = gc.placeholder(gc.float32, [None, 2])
    put, taken = q.enqueue(x), q.dequeue()
    with gc.Session() as session:
        for n in (3, 1):
            session.run(put, {x: np.ones((n, 2))})
        assert [session.run(taken).shape for _ in range(2)] == [(3, 2), (1, 2)]
    with gc.Session() as session, pytest.raises(errors.UnimplementedError, match="shapes"):
        session.run(gc.FIFOQueue(4, [gc.float32]).dequeue())


def test_waiting_and_closing() -> None:
    q = gc.FIFOQueue(2, [gc.int32], [[]])
    take, put, close = q.dequeue(), q.enqueue([5]), q.close()
    with gc.Session() as session:
        waiting = Waiting(session, take)
        waiting.until_it_waits()
        session.run(put)
        assert waiting.done() == 5
        full = Waiting(session, q.enqueue_many([[1, 2, 3]]))
        full.until_it_waits()
        assert session.run(take) == 1
        full.done()
        many = Waiting(session, q.dequeue_many(3))
        many.until_it_waits()
        session.run(close)
        with pytest.raises(errors.OutOfRangeError, match=r"insufficient elements .requested 3, current size 2"):
            many.done()
        assert session.run(q.is_closed())
        with pytest.raises(errors.CancelledError, match="is closed"):
            session.run(put)
        np.testing.assert_array_equal(session.run(q.dequeue_up_to(5)), [2, 3])
        with pytest.raises(errors.OutOfRangeError):
            session.run(take)
        with pytest.raises(errors.OutOfRangeError):
            session.run(q.dequeue_up_to(5))


def test_closing_cancels_what_waits_to_put_in_if_asked_to() -> None:
    q = gc.FIFOQueue(1, [gc.int32], [[]])
    with gc.Session() as session:
        session.run(q.enqueue([1]))
        waiting = Waiting(session, q.enqueue([2]))
        waiting.until_it_waits()
        session.run(q.close(cancel_pending_enqueues=True))
        with pytest.raises(errors.CancelledError):
            waiting.done()


def test_closing_the_session_cancels_what_waits() -> None:
    q = gc.FIFOQueue(1, [gc.int32], [[]])
    session = gc.Session()
    waiting = Waiting(session, q.dequeue())
    waiting.until_it_waits()
    session.close()
    with pytest.raises(errors.CancelledError):
        waiting.done()


def test_a_run_s_time_holds_while_it_waits() -> None:
    take = gc.FIFOQueue(1, [gc.int32], [[]]).dequeue()
    with gc.Session() as session:
        begin = time.monotonic()
        with pytest.raises(errors.DeadlineExceededError):
            session.run(take, options=gc.RunOptions(timeout_in_ms=200))
        assert time.monotonic() - begin < 10


def test_shuffling() -> None:
    q = gc.RandomShuffleQueue(200, 20, [gc.int32], [[]], seed=3)
    with gc.Session() as session:
        session.run(q.enqueue_many([list(range(100))]))
        first = session.run(q.dequeue_many(80))
        waiting = Waiting(session, q.dequeue())
        waiting.until_it_waits()                                # 20 stay
        session.run(q.close())
        rest = [waiting.done(), *session.run(q.dequeue_many(19))]
        assert sorted([*first, *rest]) == list(range(100)) and list(first) != sorted(first)
    with gc.Session() as session:
        session.run(q.enqueue_many([list(range(100))]))
        np.testing.assert_array_equal(session.run(q.dequeue_many(80)), first)      # seeded: again the same


def test_padding() -> None:
    q = gc.PaddingFIFOQueue(10, [gc.float32], [[None, 2]])
    x = gc.placeholder(gc.float32, [None, 2])
    put = q.enqueue(x)
    batch = q.dequeue_many(2)
    assert batch.shape.as_list() == [2, None, 2]
    with gc.Session() as session:
        for n in (1, 3):
            session.run(put, {x: np.full((n, 2), n)})
        found = session.run(batch)
        np.testing.assert_array_equal(found[:, :, 0], [[1, 0, 0], [3, 3, 3]])
    with pytest.raises(ValueError, match="Shapes must be provided"):
        gc.PaddingFIFOQueue(10, [gc.float32], None)


def test_priorities() -> None:
    q = gc.PriorityQueue(10, [gc.float32], [[]])
    with gc.Session() as session:
        session.run(q.enqueue_many([np.array([3, 1, 2, 1], np.int64), [30.0, 10.0, 20.0, 11.0]]))
        numbers, values = session.run(q.dequeue_many(4))
        assert numbers.tolist() == [1, 1, 2, 3] and values.tolist() == [10, 11, 20, 30]


def test_shapes_are_checked() -> None:
    q = gc.FIFOQueue(4, [gc.float32], [[2]])
    with pytest.raises(ValueError, match="incompatible"):
        q.enqueue([[1.0, 2.0, 3.0]])
    x = gc.placeholder(gc.float32)
    put = q.enqueue([x])
    with gc.Session() as session, pytest.raises(errors.InvalidArgumentError, match="Shape mismatch in"):
        session.run(put, {x: [1, 2, 3]})
    with pytest.raises(ValueError, match="values to enqueue"):
        q.enqueue([1.0, 2.0])
    assert gc.QueueBase.from_list(0, [q]) is q


def test_in_loops_and_branches() -> None:
    q = gc.FIFOQueue(100, [gc.int32], [[]])
    p = gc.placeholder(gc.bool, [])
    taken = gc.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * 10 + q.dequeue()), (0, 0))[1]
    either = gc.cond(p, q.dequeue, lambda: gc.constant(-1))
    with gc.Session() as session:
        session.run(q.enqueue_many([[1, 2, 3, 4]]))
        assert session.run(taken) == 123
        assert [session.run(either, {p: False}), session.run(either, {p: True}), session.run(q.size())] == [-1, 4, 0]


def test_runners_and_a_coordinator() -> None:
    numbers = gc.train.range_input_producer(6, num_epochs=2, shuffle=False).dequeue()
    x, y = gc.train.batch([numbers, gc.cast(numbers, gc.float32) * 2], batch_size=5, allow_smaller_final_batch=True)
    found = []
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        try:
            while not coordinator.should_stop():
                a, b = session.run([x, y])
                np.testing.assert_array_equal(a * 2, b)
                found += a.tolist()
        except errors.OutOfRangeError:
            pass
        finally:
            coordinator.request_stop()
        coordinator.join(threads)
    assert found == [*range(6), *range(6)]


def test_a_list_of_one_tensor_is_batched_as_a_tensor() -> None:
    x = gc.constant(1)
    made = [gc.train.batch([x], 4), gc.train.shuffle_batch([x], 4, 10, 2), gc.train.batch_join([[x], [x]], 4)]
    assert [tensor.shape.as_list() for tensor in made] == [[4]] * 3
    assert list(gc.train.batch({"x": x}, 4)) == ["x"]


@pytest.mark.parametrize(("capacity", "kept"), [(2, 2), (2, 3), (2, -1)])
def test_a_queue_that_would_give_nothing_is_refused(capacity: int, kept: int) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=f"min_after_dequeue.*{kept}"):
        gc.RandomShuffleQueue(capacity, kept, gc.int32, [])
    with pytest.raises((ValueError, errors.InvalidArgumentError), match=f"min_after_dequeue.*{kept}"):
        gc.train.shuffle_batch([gc.constant(1)], 2, capacity, kept)


def test_shuffled_batches_hold_every_element_once() -> None:
    data = np.arange(40, dtype=np.float32).reshape(20, 2)
    row, label = gc.train.slice_input_producer([data, np.arange(20)], num_epochs=1, seed=1)
    rows, labels = gc.train.shuffle_batch([row, label], batch_size=4, capacity=50, min_after_dequeue=5, num_threads=2,
                                          seed=2)
    seen = []
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        for _ in range(5):
            r, numbers = session.run([rows, labels])
            np.testing.assert_array_equal(r, data[numbers])
            seen += numbers.tolist()
        with pytest.raises(errors.OutOfRangeError):
            session.run(rows)
        coordinator.request_stop()
        coordinator.join(threads)
    assert sorted(seen) == list(range(20)) and seen != sorted(seen)


def test_a_coordinator_raises_what_a_thread_failed_with() -> None:
    q = gc.FIFOQueue(4, [gc.int32], [[]])
    bad = gc.py_func(lambda: 1 // 0, [], gc.int32)
    bad.set_shape([])
    gc.train.add_queue_runner(gc.train.QueueRunner(q, [q.enqueue(bad)]))
    with gc.Session() as session:
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        with pytest.raises(errors.UnknownError, match="ZeroDivisionError"):
            coordinator.join(threads)
    coordinator = gc.train.Coordinator()
    with coordinator.stop_on_exception():
        raise ValueError("mine")
    assert coordinator.should_stop()
    with pytest.raises(ValueError, match="mine"):
        coordinator.join([])


def test_kept_elements_only() -> None:
    number = gc.train.range_input_producer(8, num_epochs=1, shuffle=False).dequeue()
    batch = gc.train.maybe_batch([number], gc.equal(number % 2, 0), batch_size=4)
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        np.testing.assert_array_equal(session.run(batch), [0, 2, 4, 6])
        coordinator.request_stop()
        coordinator.join(threads)


def test_a_padding_queue_of_scalars_and_vectors() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        queue = gc.PaddingFIFOQueue(4, [gc.int32, gc.int32], [[], [None]])
        for row in ([1], [2, 3]):
            session.run(queue.enqueue([len(row), row]))
        sizes, rows = session.run(queue.dequeue_many(2))
        assert sizes.tolist() == [1, 2] and rows.tolist() == [[1, 0], [2, 3]]


def test_pool_inside_of_branches() -> None:
    """What is put in stands in branches only: the elements' shapes are found there."""
    queue = gc.RandomShuffleQueue(2, 0, [gc.float32], seed=1)
    x = gc.placeholder(gc.float32, [None, 2])

    def keep() -> list[gc.Tensor]:
        with gc.control_dependencies([queue.enqueue([x])]):
            return [gc.identity(x)]

    def swap() -> gc.Tensor:
        old = queue.dequeue()
        with gc.control_dependencies([old]), gc.control_dependencies([queue.enqueue([x])]):
            return gc.cond(gc.reduce_sum(x) > 0., lambda: [old], lambda: [x])

    pooled = gc.cond(queue.size() < 2, keep, swap)
    with gc.Session() as session:
        given = [np.full([1, 2], i, np.float32) for i in range(1, 5)]
        got = [session.run(pooled, {x: v}) for v in given]
        assert got[0].tolist() == [[1., 1.]] and got[1].tolist() == [[2., 2.]]
        assert got[2][0, 0] in (1., 2.) and got[3][0, 0] in {1., 2., 3.} - {got[2][0, 0]}
        assert session.run(queue.size()) == 2


def test_queue_filled_from_a_queue() -> None:
    first, second = gc.FIFOQueue(4, [gc.string]), gc.RandomShuffleQueue(4, 0, [gc.string])
    fill, move = first.enqueue_many([["a", "b", "c"]]), second.enqueue_many([first.dequeue_many(2)])
    single = second.enqueue(first.dequeue())
    with gc.Session() as session:
        for step in (fill, move, single):
            session.run(step)
        assert sorted(session.run(second.dequeue_many(3))) == [b"a", b"b", b"c"]
