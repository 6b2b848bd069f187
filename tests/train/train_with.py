"""Five steps of an optimizer on a table with sparse gradients and a vector with dense ones, in graphc or TensorFlow."""
from __future__ import annotations

from typing import Any

from numpy_optimizers import INDICES, STEPS, problem


def train(tf: Any, make: Any, dtype: Any, **variable: Any) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """What the table and the vector, and their slots by name, are in the end; the names of the optimizer's variables.

    make(global_step): the optimizer.
    """
    table, vector, rows, slopes = problem(dtype)
    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        t, v = tf.Variable(table, name="table", **variable), tf.Variable(vector, name="vector", **variable)
        values, indices = tf.placeholder(t.dtype.base_dtype, [None, 3]), tf.placeholder(tf.int32, [None])
        slope = tf.placeholder(t.dtype.base_dtype, [4])
        optimizer = make(step)
        loss = tf.reduce_sum(tf.gather(t, indices) * values) + tf.reduce_sum(v * slope)
        op = optimizer.minimize(loss, global_step=step)
        slots = {n: [optimizer.get_slot(x, n) for x in (t, v)] for n in optimizer.get_slot_names()}
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for i in range(STEPS):
                session.run(op, {values: rows[i], indices: INDICES[i], slope: slopes[i]})
            found = [{"var": session.run(x), **{n: session.run(s[k]) for n, s in slots.items()}}
                     for k, x in enumerate((t, v))]
        return found[0], found[1], [x.name for x in optimizer.variables()]
