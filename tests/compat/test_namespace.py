"""graphc.compat.v1 is TensorFlow 1's namespace: graphc's names, old ones, and modules inside TensorFlow."""
from __future__ import annotations

import importlib
import sys

import pytest

import graphc as gc
import graphc.compat.v1 as tf


def test_graphc_names_stand_at_their_paths() -> None:
    assert tf.matmul is gc.matmul and tf.nn.relu is gc.nn.relu and tf.train.AdamOptimizer is gc.train.AdamOptimizer
    assert tf.contrib.opt.NadamOptimizer is gc.contrib.opt.NadamOptimizer
    assert tf.errors.InvalidArgumentError is gc.errors.InvalidArgumentError and tf.float32 is gc.float32
    assert tf.dtypes.as_dtype is gc.as_dtype


def test_version_is_tensorflows() -> None:
    assert tf.__version__ == tf.VERSION and tf.__version__.startswith("1.15.")


def test_names_of_before_1_0() -> None:
    assert tf.mul is gc.multiply and tf.pack is gc.stack and tf.select is gc.where
    assert tf.image.per_image_whitening is gc.image.per_image_standardization


def test_modules_inside_tensorflow() -> None:
    from graphc.compat.v1.python.framework import dtypes, ops
    from graphc.compat.v1.python.ops import array_ops, math_ops

    assert ops.convert_to_tensor is gc.convert_to_tensor and ops.GraphKeys is gc.GraphKeys
    assert dtypes.int32 is gc.int32 and array_ops.concat is gc.concat and math_ops.div is gc.div
    assert tf.python.framework.errors.OpError is gc.errors.OpError


def test_modules_inside_tensorflow_hold_each_other() -> None:
    from graphc.compat.v1.python.ops.rnn import rnn_cell_impl
    from graphc.compat.v1.python.training.optimizer import math_ops, ops

    assert rnn_cell_impl.LSTMCell is tf.nn.rnn_cell.LSTMCell and math_ops.add is gc.add
    assert ops.Graph is gc.Graph and not hasattr(tf.python.ops.rnn, "no_module_of_any_kind")


def test_modules_of_messages() -> None:
    from graphc.compat.v1.core.framework import step_stats_pb2, summary_pb2, types_pb2
    from graphc.compat.v1.core.protobuf.config_pb2 import ConfigProto, RunMetadata, SessionMetadata

    assert (summary_pb2.Summary, ConfigProto, RunMetadata) == (gc.Summary, gc.ConfigProto, gc.RunMetadata)
    assert types_pb2.DT_FLOAT_REF == 101 and SessionMetadata(version=2).version == 2
    assert isinstance(RunMetadata().step_stats, step_stats_pb2.StepStats)
    assert "HistogramProto" in dir(summary_pb2) and not hasattr(summary_pb2, "NodeDef")
    assert tf.contrib.tensorboard.plugins.projector.projector_config_pb2.ProjectorConfig is (
        tf.contrib.tensorboard.plugins.projector.ProjectorConfig)
    assert tf.contrib.training.python.training.hparam_pb2.HParamDef is tf.contrib.training.HParamDef


def test_compat_v1_is_the_namespace_itself() -> None:
    assert tf.compat.v1 is tf and tf.compat.v1.compat.v1.nn is tf.nn and tf.compat.as_text is gc.compat.as_text
    assert importlib.import_module("graphc.compat.v1.compat.v1.train") is tf.train


def test_submodules_import() -> None:
    assert importlib.import_module("graphc.compat.v1.nn").relu is gc.nn.relu
    assert sys.modules["graphc.compat.v1.nn"] is tf.nn
    assert "relu" in dir(tf.nn) and "nn" in dir(tf)


def test_a_name_keeps_the_value_it_was_set_to() -> None:
    tf.nn.own = 3
    try:
        assert tf.nn.own == 3 and not hasattr(gc.nn, "own")
    finally:
        del tf.nn.own


@pytest.mark.parametrize("path, said", [
    ("nn.reluu", "did you mean 'relu'"), ("contrib.tpu.rewrite", "out of reach: graphc does not run on TPUs"),
    ("keras.layers.Dense", "pip install keras==2.2.4"), ("profiler.profile", "planned"),
    ("no_such_thing", "graphc does not have tf.no_such_thing yet"),
])
def test_unknown_names(path: str, said: str) -> None:
    *around, last = path.split(".")
    with pytest.raises(AttributeError, match=said):
        found = tf
        for part in (*around, last):
            found = getattr(found, part)


def test_unknown_modules() -> None:
    with pytest.raises(ImportError, match="out of reach: graphc reads local files"):
        importlib.import_module("graphc.compat.v1.contrib.bigtable")
    with pytest.raises(ImportError):
        from graphc.compat.v1.nn import no_such_thing  # noqa: F401


def test_old_names_are_those_that_graphc_has_not() -> None:
    from graphc.compat.v1.modules import _ABSENT, find
    from graphc.compat.v1.old_names import OLD_NAMES

    for old in OLD_NAMES:
        around, _, last = old.rpartition(".")
        where = getattr(gc, around) if around else gc
        assert not hasattr(where, last) and find(around, last) is not _ABSENT


def test_all_names_of_a_module() -> None:
    """`from x import *` and `vars` see names that nobody has asked for yet."""
    given: dict[str, object] = {}
    exec("from graphc.compat.v1.python.ops.rnn_cell import *", given)
    cell = given["BasicLSTMCell"]
    assert cell is tf.nn.rnn_cell.BasicLSTMCell and cell in vars(tf.contrib.rnn).values()
    assert {n for n in dir(tf.nn.rnn_cell) if not n.startswith("_")} <= set(vars(tf.nn.rnn_cell))


def test_tensorrt_is_imported_and_refused_when_it_is_used() -> None:
    """Programs import it at their top and use it behind a switch."""
    trt = importlib.import_module("graphc.compat.v1.contrib.tensorrt")
    with pytest.raises(tf.errors.UnimplementedError, match="leave the call out and run the graph"):
        trt.create_inference_graph(input_graph_def=None, outputs=["logits"])
    with pytest.raises(AttributeError, match=r"tf\.contrib\.tensorrt\.convert is out of reach"):
        trt.convert  # noqa: B018


def test_who_tries_names_learns_that_a_module_is_not_there() -> None:
    """Texar and others look for classes by pydoc.locate in one module after the other."""
    import pydoc

    assert pydoc.locate("graphc.compat.v1.no_such_thing") is None
    assert pydoc.locate("graphc.compat.v1.nn.relu") is tf.nn.relu
    with pytest.raises(ImportError, match=r"graphc does not have tf\.nn\.reluu yet; did you mean 'relu'"):
        from graphc.compat.v1.nn import reluu  # noqa: F401
