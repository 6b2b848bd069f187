"""Freezes TensorFlow's and Keras' models: as TensorFlow 2 does (control flow lowered, or kept), and as 1 did."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from kinds import Description
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

Cases = Sequence[Sequence[np.ndarray]]


def of_keras(model: Any, folder: Path, cases: Cases, *, lowered: bool = True, unknown: int = 1) -> None:
    """lowered: loops are Enter, Switch, Merge; else While with functions. unknown: how many first sizes are."""
    randomize(model)
    call = tf.function(lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0], training=False))
    shapes = [tf.TensorSpec([*[None] * unknown, *x.shape[unknown:]], x.dtype) for x in cases[0]]
    function = convert_variables_to_constants_v2(call.get_concrete_function(*shapes), lower_control_flow=lowered)
    write(folder, function.graph.as_graph_def(), [t.name for t in function.inputs],
          [t.name for t in function.outputs], cases)


def of_first_version(build: Callable[[], tuple[list[Any], list[Any]]], folder: Path, cases: Cases) -> None:
    """build: makes (inputs, outputs) in the default graph; a Keras model's batch normalisation is that of a Session."""
    v1 = tf.compat.v1
    v1.disable_v2_behavior()
    v1.disable_control_flow_v2()
    with v1.Graph().as_default() as graph, v1.Session() as session:
        v1.set_random_seed(7)
        inputs, outputs = build()
        session.run(v1.global_variables_initializer())
        _draw(v1.global_variables(), lambda v, value: v.load(value, session))
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(),
                                                              [t.op.name for t in outputs])
    write(folder, frozen, [t.name for t in inputs], [t.name for t in outputs], cases)


def randomize(model: Any) -> None:
    _draw(model.weights, lambda v, value: v.assign(value))


def _draw(variables: Sequence[Any], assign: Callable[[Any, np.ndarray], Any]) -> None:
    """Biases, offsets, scales and moving statistics that are not the 0 and 1 with which they begin; kernels stay."""
    draws = np.random.default_rng(3)
    for variable in variables:
        name, shape = getattr(variable, "path", variable.name).split(":")[0], tuple(variable.shape)
        if name.endswith(("moving_variance", "gamma")):
            assign(variable, draws.uniform(0.6, 1.4, shape).astype(np.float32))
        elif name.endswith(("moving_mean", "beta", "bias")):
            assign(variable, draws.normal(0.0, 0.1, shape).astype(np.float32))


def write(folder: Path, graph_def: Any, inputs: list[str], outputs: list[str], cases: Cases) -> None:
    (folder / "model.pb").write_bytes(graph_def.SerializeToString(deterministic=True))
    Description("model.pb", inputs, outputs).write(folder, cases)
