"""Makes the small GraphDefs of tests/serial/data/flow, with the numbers that TensorFlow gives for them.

    build/peers/bin/python tests/peers/flow_files.py
"""
from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf
import tf_keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

FOLDER = Path(__file__).parents[1] / "serial" / "data" / "flow"
DRAWN = np.random.default_rng(5)


def drawn(*shape: int) -> np.ndarray:
    return DRAWN.normal(size=shape).astype(np.float32)


def write(name: str, graph_def: Any, feeds: dict[str, Any], fetches: Sequence[str], values: Sequence[Any]) -> None:
    """The graph, and beside it an .npz of "feed <tensor>" and "fetch <tensor>"; slashes are written as "|"."""
    data = gzip.compress(graph_def.SerializeToString(deterministic=True), mtime=0)
    (FOLDER / f"{name}.pb.gz").write_bytes(data)
    arrays = {**{f"feed {k}".replace("/", "|"): v for k, v in feeds.items()},
              **{f"fetch {k}".replace("/", "|"): v for k, v in zip(fetches, values, strict=True)}}
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
    print(f"{name}: {len(graph_def.node)} nodes, {len(data)} bytes")


def first_version(name: str, build: Callable[[], tuple[dict[Any, Any], list[Any]]]) -> None:
    """A graph of TensorFlow 1, without variables."""
    with tf.Graph().as_default() as graph:
        feeds, fetches = build()
        named = [tf.identity(t, name=f"out_{i}") for i, t in enumerate(fetches)]
        with tf.Session() as session:
            values = session.run(named, feeds)
        write(name, graph.as_graph_def(), {t.name: v for t, v in feeds.items()}, [t.name for t in named], values)


def loops() -> tuple[dict[Any, Any], list[Any]]:
    x = tf.placeholder(tf.float32, [None, 2], name="x")

    def body(i: Any, y: Any) -> list[Any]:
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: [j + 1, tf.tanh(z + tf.cast(i * j, tf.float32))],
                             [tf.constant(0), y])
        return [i + 1, tf.cond(tf.reduce_sum(z) > 0.5, lambda: z * 0.5 + x, lambda: z + 1.0)]

    i, y = tf.while_loop(lambda i, y: i < 5, body, [tf.constant(0), x])
    return {x: drawn(3, 2)}, [y, i, *tf.gradients(y, x)]


def branches() -> tuple[dict[Any, Any], list[Any]]:
    x = tf.placeholder(tf.float32, [2], name="x")
    p, n = tf.placeholder(tf.bool, [], name="p"), tf.placeholder(tf.int32, [], name="n")
    a = tf.cond(p, lambda: tf.cond(n > 1, lambda: x + 1.0, lambda: x * 3.0),
                lambda: tf.while_loop(lambda v: tf.reduce_sum(v) < 100.0, lambda v: v * 2.0 + 1.0, [x]))
    b = tf.case([(tf.equal(n, 0), lambda: tf.sin(a)), (tf.equal(n, 2), lambda: a * a)], default=lambda: -a)
    return {x: drawn(2), p: True, n: np.int32(2)}, [a, b, *tf.gradients(b, x)]


def arrays() -> tuple[dict[Any, Any], list[Any]]:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    results = [tf.map_fn(lambda v: v * v + 1.0, x), tf.scan(lambda a, v: tf.tanh(a * 0.5 + v), x),
               tf.foldl(lambda a, v: a + v * v, x)]
    return {x: drawn(4, 2)}, [*results, *tf.gradients(results[1], x)]


def training() -> tuple[dict[Any, Any], list[Any]]:
    x, t = tf.placeholder(tf.float32, [None, 4, 4, 2], name="x"), tf.placeholder(tf.bool, [], name="is_training")
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    kept = tf.constant([0.5, 1.0])
    y = tf.cond(t, lambda: tf.nn.batch_normalization(x, mean, variance, None, None, 1e-3),
                lambda: tf.nn.batch_normalization(x, kept, kept * 2.0, None, None, 1e-3))
    y = tf.cond(t, lambda: tf.nn.dropout(y, rate=0.5), lambda: tf.identity(y))
    return {x: drawn(2, 4, 4, 2), t: False}, [y]


def frozen(name: str, function: Any, *given: np.ndarray) -> None:
    """A function of TensorFlow 2, frozen with its control flow as functions, and lowered."""
    specs = [tf2.TensorSpec([None, *a.shape[1:]] if a.ndim else [], a.dtype) for a in given]
    traced = tf2.function(function).get_concrete_function(*specs)
    for lowered in (True, False):
        made = convert_variables_to_constants_v2(traced, lower_control_flow=lowered)
        values = tf2.nest.flatten(made(*[tf2.constant(a) for a in given]))
        write(f"{name}_{'lowered' if lowered else 'functions'}", made.graph.as_graph_def(),
              {t.name: a for t, a in zip(made.inputs, given, strict=True)}, [t.name for t in made.outputs],
              [np.asarray(v) for v in values])


def halving(x: Any) -> Any:
    y = x
    for _ in tf2.range(4):
        y = y * 0.5 if tf2.reduce_sum(y) > 1.0 else tf2.sin(y) + 1.0
    return y


def growing(x: Any) -> Any:
    array, i = tf2.TensorArray(tf2.float32, 0, dynamic_size=True), 0
    while tf2.less(i, 5):
        if tf2.equal(i, 3):
            i += 2
            continue
        array = array.write(array.size(), x * tf2.cast(i, tf2.float32))
        i += 1
    return array.stack(), array.concat()


def slope(x: Any) -> Any:
    with tf2.GradientTape() as tape:
        tape.watch(x)
        y = halving(x)
    return tape.gradient(y, x)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    tf.disable_control_flow_v2()
    for build in (loops, branches, arrays, training):
        first_version(build.__name__, build)
    tf.enable_control_flow_v2()
    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(3)
    for kind in (layers.LSTM, layers.GRU):
        model = tf_keras.Sequential([layers.Input((5, 3)), kind(2)])
        frozen(kind.__name__.lower(), lambda x, model=model: model(x), drawn(2, 5, 3))
    attention = layers.MultiHeadAttention(2, 2)
    frozen("attention", lambda x: attention(x, x), drawn(2, 3, 3))
    frozen("case", lambda x, i: tf2.switch_case(i, [lambda: x + 1.0, lambda: x * 2.0, lambda: tf2.sin(x)]),
           drawn(2, 3), np.int32(1))
    for function in (halving, growing, slope):
        frozen(function.__name__, function, drawn(2, 3))


if __name__ == "__main__":
    main()
