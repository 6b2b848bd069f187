"""contrib.staging: what one run puts in, the next gets out."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf


def test_a_run_computes_with_what_the_one_before_loaded() -> None:
    from graphc.compat.v1.python.ops import data_flow_ops

    assert data_flow_ops.StagingArea is tf.contrib.staging.StagingArea
    x = tf.placeholder(tf.float32, [None, 2])
    area = data_flow_ops.StagingArea([tf.float32], [[None, 2]])
    put = area.put([x])
    (got,) = area.get()
    assert got.shape.as_list() == [None, 2]
    total = tf.reduce_sum(got)
    with tf.Session() as session:
        session.run(put, {x: np.ones((3, 2))})
        found = [session.run([total, put], {x: np.full((n, 2), n)})[0] for n in (1, 0, 5)]
        assert found == [6, 2, 0] and session.run(area.size()) == 1


def test_elements_with_names_and_room_for_one() -> None:
    area = tf.contrib.staging.StagingArea([tf.int32, tf.int64], names=["a", "b"], capacity=1)
    put, got = area.put({"a": 1, "b": tf.constant(2, tf.int64)}), area.get()
    with tf.Session() as session:
        session.run(put)
        with pytest.raises(gc.errors.DeadlineExceededError):
            session.run(put, options=tf.RunOptions(timeout_in_ms=20))
        assert session.run(got) == {"a": 1, "b": 2}


@pytest.mark.parametrize("named, said", [({"memory_limit": 5}, "'memory_limit' must be 0, but is 5"),
                                         ({"capacity": -1}, "'capacity' must be 0 or more, but is -1")])
def test_what_it_does_not_take(named: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tf.contrib.staging.StagingArea([tf.int32], **named)
