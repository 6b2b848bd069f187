"""Networks of tf.layers with fixed weights: outputs, gradients, variables and names, for graphc and TensorFlow alike.

    TF_USE_LEGACY_KERAS=1 python tests/layers/layer_cases.py      with TensorFlow 2 and tf_keras: writes the JSON file
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).parent / "data" / "layers_of_tensorflow.json"
_SHOWN = ("Conv2D", "Conv3D", "BiasAdd", "MatMul", "Relu", "Tanh", "MaxPool", "AvgPool", "Conv2DBackpropInput",
          "DepthwiseConv2dNative", "VariableV2")


def values(shape: list[int], shift: int, dtype: Any = np.float32) -> np.ndarray:
    return (np.sin(np.arange(np.prod(shape)) * 0.7 + shift) * 0.5).reshape(shape).astype(dtype)


def cases(tf: Any) -> Iterator[tuple[str, Callable[[], Any], int]]:
    """(name, what builds the output, how many steps to run)."""
    layers, relu = tf.layers, tf.nn.relu
    x2, x3, x4 = values([3, 4], 1), values([2, 7, 3], 2), values([2, 6, 5, 3], 3)
    inputs = {1: x3, 2: x4, 3: values([2, 4, 5, 4, 2], 4)}

    def penalty(w: Any) -> Any:
        return 0.1 * tf.reduce_sum(tf.square(w))

    yield "dense", lambda: layers.dense(layers.dense(x2, 5, activation=relu), 2, activation=tf.tanh,
                                        kernel_regularizer=penalty, name="out"), 1
    yield "dense of rank 3", lambda: layers.dense(x3, 2, use_bias=False), 1
    yield "dense of float64", lambda: layers.dense(x2.astype(np.float64), 2), 1
    yield "activity", lambda: layers.dense(x2, 2, activity_regularizer=penalty), 1
    yield "scopes", lambda: _scopes(tf, x2), 1
    for rank, x in inputs.items():
        convolution = getattr(layers, f"conv{rank}d")
        yield f"conv{rank}d", lambda f=convolution, x=x: f(f(x, 4, 3, padding="same", activation=relu), 3, 2,
                                                           strides=2), 1
        yield f"conv{rank}d dilated", lambda f=convolution, x=x: f(x, 4, 2, dilation_rate=2, padding="same"), 1
        for kind in ("max", "average"):
            pool = getattr(layers, f"{kind}_pooling{rank}d")
            yield f"{kind} pool {rank}d", lambda f=pool, x=x: f(layers.dense(x, 2), 2, 2), 1
            yield f"{kind} pool {rank}d same", lambda f=pool, x=x: f(layers.dense(x, 2), 3, 2, padding="same"), 1
    yield "causal", lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(x3), 1
    yield "separable 1d", lambda: layers.separable_conv1d(x3, 4, 3, padding="same", depth_multiplier=2), 1
    yield "separable 2d", lambda: layers.separable_conv2d(x4, 4, 3, strides=2, activation=relu), 1
    yield "transposed 2d", lambda: layers.conv2d_transpose(x4, 4, 3, strides=2, padding="same"), 1
    yield "transposed 2d valid", lambda: layers.conv2d_transpose(x4, 4, 3, strides=2), 1
    yield "transposed 3d", lambda: layers.conv3d_transpose(inputs[3], 3, 3, strides=2, padding="same"), 1
    yield "flatten", lambda: layers.flatten(layers.conv2d(x4, 4, 3)), 1
    yield from _batch_norms(layers, x2, x3, x4)


def _batch_norms(layers: Any, x2: Any, x3: Any, x4: Any) -> Iterator[tuple[str, Callable[[], Any], int]]:
    clipping = {"rmax": 1.5, "rmin": 0.5, "dmax": 0.5}
    kinds: dict[str, dict[str, Any]] = {
        "plain": {}, "unfused": {"fused": False}, "axis 1": {"axis": 1}, "axes 1 and 3": {"axis": [1, 3]},
        "without parameters": {"scale": False, "center": False}, "unfused axis 1": {"axis": 1, "fused": False},
        "renorm": {"renorm": True, "renorm_clipping": clipping, "momentum": 0.7, "renorm_momentum": 0.6},
    }
    for name, given in kinds.items():
        for training in (True, False):
            yield (f"batch norm {name} {training}",
                   lambda g=given, t=training: layers.batch_normalization(x4, training=t, **g), 3)
    yield "batch norm 2", lambda: layers.batch_normalization(x2, training=True, momentum=0.9), 2
    yield "batch norm 3", lambda: layers.batch_normalization(x3, training=True, momentum=0.9), 2
    yield "virtual batches", lambda: layers.batch_normalization(values([4, 3, 3, 2], 1), training=True,
                                                                virtual_batch_size=2), 2


def _scopes(tf: Any, x: Any) -> Any:
    dense = tf.layers.dense
    with tf.variable_scope("a"):
        y = dense(dense(x, 4), 4)
    with tf.variable_scope("a", reuse=True):
        y = dense(dense(y, 4), 4)
    y = dense(dense(dense(y, 4), 4, name="n"), 4, name="n", reuse=True)
    with tf.name_scope("ns"):
        y = dense(y, 4)
    layer = tf.layers.Dense(4)
    return layer(layer(y))


def run(tf: Any, build: Callable[[], Any], steps: int) -> tuple[dict[str, np.ndarray], list[str]]:
    """(arrays by name, names of ops) of one case."""
    graph, found = tf.Graph(), {}
    with graph.as_default(), tf.Session() as session:
        y = build()
        penalties = tf.get_collection("regularization_losses")
        loss = tf.reduce_sum(tf.square(y) * 1.5) + (tf.cast(tf.add_n(penalties), y.dtype) if penalties else 0)
        trained, everything = tf.trainable_variables(), tf.global_variables()
        gradients = tf.gradients(loss, trained)
        session.run(tf.global_variables_initializer())
        for i, v in enumerate(everything):
            if "moving" not in v.name and "renorm" not in v.name:
                start = 0.8 if "gamma" in v.name or "temperature" in v.name else 0
                v.load(values(v.shape.as_list(), i, v.dtype.as_numpy_dtype) + start, session)
        for step in range(steps):
            output, *slopes = session.run([y, *gradients])
            session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
            found[f"output {step}"] = output
            found |= {f"gradient {step} {v.name}": g for v, g in zip(trained, slopes, strict=True)}
        found |= {v.name: session.run(v) for v in everything}
    return found, sorted(o.name for o in graph.get_operations() if o.type in _SHOWN and "grad" not in o.name)


def print_of(array: np.ndarray) -> float:
    """One number that stands for the array: a sum with a weight for each element."""
    return float(np.sum(array.astype(np.float64).ravel() * np.cos(1.0 + np.arange(array.size))))


def record(tf: Any, given: Iterator[tuple[str, Callable[[], Any], int]], path: Path) -> None:
    recorded = {}
    for name, build, steps in given:
        arrays, names = run(tf, build, steps)
        prints = {key: [list(a.shape), a.dtype.name, round(print_of(a), 6)] for key, a in arrays.items()}
        recorded[name] = {"arrays": prints, "names": names}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(recorded, indent=0) + "\n")


def check(arrays: dict[str, np.ndarray], wanted: dict[str, Any]) -> None:
    """Asserts that the arrays are the recorded ones."""
    assert arrays.keys() == wanted.keys()
    for key, (shape, dtype, number) in wanted.items():
        found = arrays[key]
        assert (list(found.shape), found.dtype.name) == (shape, dtype), key
        assert abs(print_of(found) - number) < 1e-5 + 1e-5 * np.linalg.norm(found) * found.size ** 0.5, key


if __name__ == "__main__":
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.disable_resource_variables()
    record(tf, cases(tf), RECORDED)
