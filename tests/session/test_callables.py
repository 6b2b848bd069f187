"""Callables of CallableOptions, as Keras asks for them."""
from __future__ import annotations

import pytest

import graphc.compat.v1 as tf
from graphc.compat.v1.core.protobuf.config_pb2 import CallableOptions


def test_fed_and_connected() -> None:
    x, y = tf.placeholder(tf.float32, [None], name="x_in"), tf.placeholder(tf.float32, [], name="y_in")
    count = tf.Variable(0., name="count")
    step = tf.group(tf.assign_add(count, 1.), name="step")
    total = tf.identity(tf.reduce_sum(x) * y, name="total")
    source = tf.identity(count + 10., name="source")
    options = CallableOptions(feed=[x.name], fetch=[total.name, x.name], target=[step.name])
    options.tensor_connection.add(from_tensor=source.name, to_tensor=y.name)
    with tf.Session() as session:
        session.run(count.initializer)
        call = session._make_callable_from_options(options)
        assert [call([1., 2.])[0] for _ in range(3)] == [30., 33., 36.]
        assert call([5.])[1].tolist() == [5.]
        with pytest.raises(KeyError, match="unheard"):
            session._make_callable_from_options(CallableOptions(fetch=["unheard:0"]))


def test_nothing_is_connected() -> None:
    a = tf.constant(2., name="two")
    with tf.Session() as session:
        metadata = tf.RunMetadata()
        call = session._make_callable_from_options(CallableOptions(fetch=[a.name], run_options=tf.RunOptions(
            trace_level=tf.RunOptions.FULL_TRACE)))
        assert call(run_metadata=metadata) == [2.] and metadata.step_stats.dev_stats
