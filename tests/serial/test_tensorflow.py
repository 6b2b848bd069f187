"""What graphc saves, TensorFlow opens, and computes the same: every op by its samples.

Skipped where TensorFlow is missing.

The packages share a process on purpose: graphc's messages must not clash with TensorFlow's.
"""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))
tf = pytest.importorskip("tensorflow")

from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS, Effect

from samples import ELSEWHERE, arrays, build, definition, registered

# What TensorFlow's CPU kernels cannot do, and samples that only graphc takes.
NOT_IN_TENSORFLOW = ("only supports NHWC", "must be at least rank 3", "must be at least minimum 2", "reserve_space_3")
# Rounding integers gives 0 in TensorFlow 2.21's CPU kernel.
WRONG_IN_TENSORFLOW = {"Round": ("int32", "int64")}
TYPES = [t for t in registered() if t not in ELSEWHERE and OPS[t].effect == Effect.PURE and hasattr(tf.raw_ops, t)
         and "List" not in t and t not in ("NoOp", "PreventGradient", "Range")]


@pytest.mark.parametrize("op_type", TYPES)
def test_tensorflow_agrees(op_type: str) -> None:
    op = OPS[op_type]
    for sample in op.samples:
        values = arrays(op, sample)
        if any(str(v.dtype) in WRONG_IN_TENSORFLOW.get(op_type, ()) for v in values):
            continue
        built = build(op, sample, values)
        expected = apply_reference(definition(op, sample), values)
        try:
            found = run_in_tensorflow(built, values)
        except (ValueError, tf.errors.OpError) as error:
            if any(reason in str(error) for reason in NOT_IN_TENSORFLOW):
                continue
            raise
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            if op_type == "FusedBatchNormV3" and i == 5:
                continue    # cuDNN's workspace: empty in TensorFlow, a scalar here
            b = np.asarray(b)
            assert (a.shape, a.dtype) == (b.shape, b.dtype), sample
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=str(sample))


def run_in_tensorflow(built, values):
    graph_def = tf.compat.v1.GraphDef.FromString(built.graph.as_graph_def().SerializeToString())
    with tf.Graph().as_default():
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session() as session:
            return session.run([t.name for t in built.outputs],
                               {t.name: v for t, v in zip(built.inputs, values, strict=True)})


def test_plans_are_skipped() -> None:
    import graphc as gc
    from graphc.serial.freeze import add_plan

    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        gc.nn.relu(x * 2.0 + gc.constant([1.0, 2.0, 3.0]) * 2.0, name="y")
        graph_def = graph.as_graph_def()
    add_plan(graph_def, ["y:0"])
    theirs = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
    with tf.Graph().as_default():
        tf.import_graph_def(theirs, name="")
        with tf.compat.v1.Session() as session:
            np.testing.assert_allclose(session.run("y:0", {"x:0": [[1, -9, 3]]}), [[4, 0, 12]])
    again = gc.GraphDef.FromString(theirs.SerializeToString())
    assert again.plans == graph_def.plans, "TensorFlow keeps what it does not know"
