"""The demo's network in both picture formats, and with a batch norm: built from the public functions."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def picture_net(data_format: str, labels: bool = False, batch_norm: bool = False) -> tuple[Any, ...]:
    """x (NHWC) -> logits; with labels also the loss and an Adam step. The user's code differs in data_format only."""
    first = data_format == "NCHW"
    x = gc.placeholder("float32", (None, 8, 8, 1), name="x")
    h = gc.transpose(x, [0, 3, 1, 2]) if first else x
    window, steps = ([1, 1, 2, 2], [1, 1, 2, 2]) if first else ([1, 2, 2, 1], [1, 2, 2, 1])
    channels = 1
    for i, wide in enumerate((8, 16)):
        kernel = gc.Variable(_numbers(3, 3, channels, wide), name=f"kernel{i}")
        bias = gc.Variable(_numbers(wide), name=f"bias{i}")
        h = gc.nn.conv2d(h, kernel, strides=[1, 1, 1, 1], padding="SAME", data_format=data_format)
        if batch_norm:
            h = gc.nn.fused_batch_norm(h, gc.constant(_numbers(wide) + 2), bias, gc.constant(_numbers(wide)),
                                       gc.constant(_numbers(wide) + 2), is_training=False, data_format=data_format)[0]
        else:
            h = gc.nn.bias_add(h, bias, data_format=data_format)
        h = gc.nn.relu(h)
        h = gc.nn.max_pool(h, window, steps, "SAME", data_format=data_format)
        channels = wide
    if first:
        h = gc.transpose(h, [0, 2, 3, 1])
    h = gc.reshape(h, [-1, 2 * 2 * 16])
    logits = gc.matmul(h, gc.Variable(_numbers(64, 10), name="dense"))
    if not labels:
        return x, logits
    y = gc.placeholder("int64", (None,), name="y")
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    return x, y, logits, loss, gc.train.AdamOptimizer(0.01).minimize(loss)


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32) * np.float32(0.3)


def states_of(graph: Any) -> dict[str, np.ndarray]:
    """Random values, positive for what must be, of all variables of a graph."""
    rng = np.random.default_rng(5)
    return {op.name: rng.uniform(0.1, 0.5, [int(s) for s in op.outputs[0].spec.shape]).astype(np.float32)
            for op in graph.get_operations() if op.type == "VariableV2"}
