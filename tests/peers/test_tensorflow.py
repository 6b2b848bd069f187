"""What graphc saves, TensorFlow opens, and computes the same: every op by its samples.

Each sample's graph is saved as a .pb, TensorFlow and a graphc Session load it, and both results are compared with the
op's NumPy meaning and with each other. `make peers` runs this in an environment of its own.

The packages share a process on purpose: graphc's messages must not clash with TensorFlow's.
"""
from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import pytest
import tensorflow as tf
from both import SIGN_IS_FREE
from cases import Case
from differences_known import NOT_IN_TENSORFLOW, known
from tensorflow_child import graph_def_of

import graphc as gc
from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS, Effect

from samples import ELSEWHERE, arrays, build, definition, registered

# Rounding integers gives 0 in TensorFlow 2.21's CPU kernel; graphc returns them as they are, as TensorFlow's GPU does.
WRONG_IN_TENSORFLOW = {"Round": ("int32", "int64")}
# FusedBatchNormV3's sixth result is cuDNN's workspace: empty in TensorFlow, a scalar here.
# A picture's bytes are its encoder's (tests/ops and tests/summary compare what they decode to).
NOT_COMPARED = {("FusedBatchNormV3", 5), ("EncodeJpeg", 0), ("EncodeJpegVariableQuality", 0), ("EncodePng", 0),
                ("ImageSummary", 0)}
# Range's dtype comes from operands that are fields here; lists of tensors have no values to compare.
TYPES = [t for t in registered() if t not in ELSEWHERE and OPS[t].effect == Effect.PURE and hasattr(tf.raw_ops, t)
         and "List" not in t and t not in ("NoOp", "PreventGradient", "Range")]
COUNTS = {"compared": 0, "refused by TensorFlow": 0, "wrong in TensorFlow": 0}


@pytest.fixture(scope="module", autouse=True)
def counts():
    yield
    print(f"\nTensorFlow {tf.__version__}: {len(TYPES)} ops; samples:", COUNTS)


@pytest.mark.parametrize("op_type", TYPES)
def test_tensorflow_agrees(op_type: str) -> None:
    op = OPS[op_type]
    for sample in op.samples:
        values = arrays(op, sample)
        if any(str(v.dtype) in WRONG_IN_TENSORFLOW.get(op_type, ()) for v in values):
            COUNTS["wrong in TensorFlow"] += 1
            continue
        odd = any(v.dtype.kind == "f" and not np.isfinite(v).all() for v in values)
        case = Case(op, dict(sample.attributes), tuple(values), "special" if odd else "plain")
        built = build(op, sample, values)
        expected = [np.asarray(e) for e in apply_reference(definition(op, sample), values)]
        saved = built.graph.as_graph_def().SerializeToString()
        try:
            theirs = run_in_tensorflow(saved, built, values)
        except (ValueError, tf.errors.OpError) as error:
            if not any(reason in str(error) for reason in NOT_IN_TENSORFLOW) and not known(
                    case, "accepts", None, str(error), np.inf):
                raise
            COUNTS["refused by TensorFlow"] += 1
            continue
        ours = run_in_graphc(saved, built, values)
        COUNTS["compared"] += 1
        theirs, ours = ([np.array(v, object) if isinstance(v, bytes) else v for v in vs] for vs in (theirs, ours))
        for i, (a, b, e) in enumerate(zip(theirs, ours, expected, strict=True)):
            if (op_type, i) in NOT_COMPARED or known(case, "value", i, "", np.inf) or known(
                    case, "not finite value", i, "", np.inf):
                continue
            a, b = (np.asarray(x, object) if isinstance(x, bytes) else x for x in (a, b))    # a scalar string
            if i in SIGN_IS_FREE.get(op_type, ()):
                a, b, e = map(np.abs, (a, b, e))
            for name, found, wanted in (("TensorFlow", a, e), ("graphc and TensorFlow", b, a)):
                assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype), (name, sample)
                if found.dtype == object:
                    np.testing.assert_array_equal(found, wanted, err_msg=f"{name}: {sample}")
                else:
                    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5, err_msg=f"{name}: {sample}")


def run_in_tensorflow(saved, built, values):
    with tf.Graph().as_default():
        tf.import_graph_def(graph_def_of(saved), name="")
        with tf.compat.v1.Session() as session:
            # Copies: TensorFlow's ops that work in place write into what is fed.
            return session.run([t.name for t in built.outputs],
                               {t.name: np.array(v) for t, v in zip(built.inputs, values, strict=True)})


def run_in_graphc(saved, built, values):
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(gc.GraphDef.FromString(saved), name="")
    with gc.Session(graph=graph) as session:
        return session.run([t.name for t in built.outputs],
                           {t.name: v for t, v in zip(built.inputs, values, strict=True)})


def test_plans_are_skipped() -> None:
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
