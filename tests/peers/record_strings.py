"""Writes tests/ops/strings/string_answers.json: what TensorFlow gives for each sample of the ops on strings.

    PYTHONPATH=.:tests/ops build/peers/bin/python tests/peers/record_strings.py
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from graphc.ir.op import OPS
from graphc.ops.manifest import TYPES

from samples import arrays, build

FILE = Path(__file__).parent.parent / "ops" / "strings" / "string_answers.json"


def written(value: Any) -> dict[str, Any]:
    array = np.asarray(value, object if isinstance(value, bytes) else None)
    flat = [v.decode("latin-1") if isinstance(v, bytes) else repr(v) for v in array.ravel().tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": flat}


def answers(op_type: str) -> list[Any]:
    found = []
    for sample in OPS[op_type].samples:
        values = arrays(OPS[op_type], sample)
        built = build(OPS[op_type], sample, values)
        graph_def = tf.compat.v1.GraphDef.FromString(built.graph.as_graph_def().SerializeToString())
        with tf.Graph().as_default():
            tf.import_graph_def(graph_def, name="")
            with tf.compat.v1.Session() as session:
                results = session.run([t.name for t in built.outputs],
                                      {t.name: v for t, v in zip(built.inputs, values, strict=True)})
        found.append([written(r) for r in results])
    return found


if __name__ == "__main__":
    types = [t for module, listed in TYPES.items() if module.startswith("strings.") for t in listed.split()]
    every = {t: answers(t) for t in types if not t.startswith("_")}
    lines = [f"{json.dumps(t)}: [\n" + ",\n".join("  " + json.dumps(a) for a in every[t]) + "\n]" for t in every]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
