"""What calls name their results and their helper nodes, as in TensorFlow.

names_in_tensorflow.json, recorded from TensorFlow 2.21 (compat.v1, variables that are no resources): call -> names of
what it gives, and all names that it takes at the level where it stands ("a" of "a/b"). Counters of later nodes depend
on those. IN_1_15: where 2.21 gives other names than 1.15 did.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

RECORDED = json.loads((Path(__file__).parent / "names_in_tensorflow.json").read_text())
IN_1_15 = {
    "tf.nn.dropout(x, 0.5)": [["dropout/mul_1:0"], ["dropout"]],
    "tf.nn.dropout(x, keep_prob=sc)": [["dropout/mul_1:0"], ["dropout", "sub"]],
    "tf.random_uniform([2, 3])": [["random_uniform:0"], ["random_uniform"]],
    "tf.linspace(0.0, 1.0, 5)": [["LinSpace:0"], ["LinSpace"]],
    "tf.accumulate_n([x, y])": [["AccumulateNV2:0"], ["AccumulateNV2"]],
    "tf.tensordot(x, m, 1)": [["Tensordot:0"], ["Tensordot"]],
    "tf.bincount(i)": [["bincount/Bincount:0"], ["bincount"]],
    "tf.nn.batch_normalization(x, sc, sc, sc, sc, 1e-3)": [["batchnorm/add_1:0"], ["batchnorm"]],
}
CALLS = {**RECORDED, **IN_1_15}


def placeholders(tf: Any) -> dict[str, Any]:
    f, n = tf.float32, tf.int32
    kinds = {"x": (f, [2, 3]), "y": (f, [2, 3]), "m": (f, [3, 4]), "u": (f, [None, 3]), "i": (n, [4]),
             "b": (tf.bool, [2, 3]), "s": (tf.string, [4]), "p": (f, [2, 8, 8, 3]), "sc": (f, [])}
    return {name: tf.placeholder(dtype, shape, name=name) for name, (dtype, shape) in kinds.items()}


def names(made: Any) -> list[str]:
    if isinstance(made, (list, tuple)):
        return [name for part in made for name in names(part)]
    return [made.name] if hasattr(made, "name") else []


@pytest.mark.parametrize("call", CALLS)
def test_names(call: str) -> None:
    gc.reset_default_graph()
    scope = {"tf": gc, "np": np, **placeholders(gc)}
    graph = gc.get_default_graph()
    before = len(graph.get_operations())
    if call.startswith("with"):
        exec(call, scope)
        results = []
    else:
        results = names(eval(call, scope))
    heads = sorted({operation.name.split("/")[0] for operation in graph.get_operations()[before:]})
    assert [results, heads] == CALLS[call]
