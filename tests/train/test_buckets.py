"""contrib.training.bucket and bucket_by_sequence_length; the summaries that tell how full input queues are."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

training = gc.contrib.training


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()


def all_of(fetches: Any) -> list[Any]:
    found = []
    with gc.train.MonitoredSession() as session:
        while not session.should_stop():
            found.append(session.run(fetches))
    return found


def test_elements_meet_in_their_buckets() -> None:
    number = gc.train.range_input_producer(10, num_epochs=1, shuffle=False).dequeue()
    bucket, batch = training.bucket({"n": number, "half": gc.cast(number, gc.float32) / 2}, number % 2, 2, 2)
    found = all_of([bucket, batch])
    assert sorted((int(b), v["n"].tolist()) for b, v in found) == [
        (0, [0, 2]), (0, [4, 6]), (1, [1, 3]), (1, [5, 7])]
    assert all((v["half"] * 2 == v["n"]).all() for _, v in found)


def test_what_is_left_may_be_a_batch() -> None:
    number = gc.train.range_input_producer(10, num_epochs=1, shuffle=False).dequeue()
    _, (batch,) = training.bucket([number], number % 3, [2, 3, 5], 3, allow_smaller_final_batch=True,
                                  keep_input=number > 1)
    assert sorted(b.tolist() for b in all_of(batch)) == [[2, 5, 8], [3, 6], [4, 7], [9]]


def test_buckets_by_length_pad() -> None:
    length = gc.train.range_input_producer(7, num_epochs=1, shuffle=False).dequeue()
    row = gc.fill([length], length)
    lengths, (rows,) = training.bucket_by_sequence_length(length, [row], 2, [3, 5], dynamic_pad=True,
                                                          shapes=[[None]], num_threads=2)
    for sizes, batch in all_of([lengths, rows]):
        assert {int(n >= 3) + int(n >= 5) for n in sizes} == {int(sizes[0] >= 3) + int(sizes[0] >= 5)}
        assert batch.shape == (2, max(sizes))
        np.testing.assert_array_equal(batch, [[n] * n + [0] * (max(sizes) - n) for n in sizes])


def test_what_is_refused() -> None:
    x = gc.constant(1)
    for message, call in (
            ("must not be empty", lambda: training.bucket_by_sequence_length(x, [x], 2, [])),
            ("sequential increasing", lambda: training.bucket_by_sequence_length(x, [x], 2, [3, 3])),
            ("at least one tensor", lambda: training.bucket([], x, 2, 2)),
            ("batch_size has 3 entries, but num_buckets is 2", lambda: training.bucket([x], x, [1, 2, 3], 2)),
            ("fully defined", lambda: training.bucket([gc.placeholder(gc.int32, [None])], x, 2, 2))):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="must be integers"):
        training.bucket_by_sequence_length(x, [x], 2, [1.5])


def test_queues_tell_how_full_they_are() -> None:
    """Names and tags as TensorFlow 2.21's."""
    x = gc.train.slice_input_producer([gc.range(10)], shuffle=False)
    gc.train.batch(x, 2)
    gc.train.shuffle_batch(x, 2, 10, 3)
    assert [t.op.name for t in gc.get_collection(gc.GraphKeys.SUMMARIES)] == [
        "input_producer/input_producer/fraction_of_32_full", "batch/fraction_of_32_full",
        "shuffle_batch/fraction_over_3_of_7_full"]
    with gc.Session() as session:
        empty = gc.Summary.FromString(session.run(gc.summary.merge_all()))
    assert {v.simple_value for v in empty.value} == {0}
    producers = [gc.train.string_input_producer(["a"]), gc.train.string_input_producer(["a"], name="files"),
                 gc.train.input_producer([1, 2]), gc.train.input_producer([1, 2], name="own")]
    assert [q.name for q in producers] == ["input_producer_1", "files", "input_producer_2/FIFOQueueV2", "own/own"]
    assert producers[2].dequeue_many(2).op.name == "FIFOQueueV2_DequeueMany"
