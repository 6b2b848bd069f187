"""Makes tests/train/data/tracked, a checkpoint of TensorFlow's tf.train.Checkpoint, and prints what is in it.

    build/peers/bin/python tests/peers/record_objects.py
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

START = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def main() -> None:
    with tf.Graph().as_default():
        w = tf.Variable(START, name="some/weights", use_resource=True)
        b = tf.Variable(np.float32(0.5), name="some/offset", use_resource=True)
        optimizer = tf.train.AdamOptimizer(0.1)
        step = optimizer.minimize(tf.reduce_sum(w * w) + b * b)
        made = tf.train.Checkpoint(parts=[b, {"a/b.c": w}], inner=tf.train.Checkpoint(w=w), optimizer=optimizer)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(step)
            path = made.write(str(Path(__file__).parents[1] / "train" / "data" / "tracked"), session)
            print(session.run([w, b, optimizer.get_slot(w, "m"), optimizer.get_slot(b, "v")]))
    print(tf.train.list_variables(path))


if __name__ == "__main__":
    main()
