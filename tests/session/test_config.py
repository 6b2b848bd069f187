"""ConfigProto, RunOptions and RunMetadata as scripts use them: they are protobuf messages."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc


def test_the_ways_of_scripts() -> None:
    config = gc.ConfigProto(gpu_options=gc.GPUOptions(per_process_gpu_memory_fraction=0.5), device_count={"GPU": 0},
                            allow_soft_placement=True, intra_op_parallelism_threads=2)
    config.gpu_options.allow_growth = True
    config.gpu_options.visible_device_list = "0"
    config.graph_options.optimizer_options.global_jit_level = gc.OptimizerOptions.ON_1
    config.graph_options.optimizer_options.opt_level = gc.OptimizerOptions.L0
    config.graph_options.rewrite_options.constant_folding = (
        gc.compat.v1.core.protobuf.rewriter_config_pb2.RewriterConfig.OFF)
    config.device_filters.append("/job:ps")
    config.device_count["CPU"] = 4
    config.session_inter_op_thread_pool.add(num_threads=3)
    with gc.Graph().as_default(), gc.Session(config=config) as session:
        assert session.run(gc.constant(1)) == 1
    again = gc.ConfigProto()
    again.CopyFrom(config)
    assert again == config and "allow_growth: true" in str(config) and not gc.ConfigProto().HasField("gpu_options")


def test_wrong_fields_and_types() -> None:
    config = gc.ConfigProto()
    with pytest.raises(AttributeError):
        config.alow_soft_placement = True  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match='no "threads" field'):
        gc.ConfigProto(threads=1)  # type: ignore[call-arg]
    for wrong in ("two", 2.5, None):
        with pytest.raises(TypeError):
            config.intra_op_parallelism_threads = wrong  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"[Oo]ut of range"):
        config.intra_op_parallelism_threads = 2**40
    with pytest.raises(TypeError, match=r"must be a gc\.ConfigProto, but is GPUOptions"):
        gc.Session(config=gc.GPUOptions())
    with pytest.raises(TypeError, match=r"'run_metadata' must be a gc\.RunMetadata, but is RunOptions"):
        gc.Session(graph=graph_of_one()).run("one:0", None, None, gc.RunOptions())


def graph_of_one() -> gc.Graph:
    graph = gc.Graph()
    with graph.as_default():
        gc.constant(1.0, name="one")
    return graph


def test_settings_that_have_an_effect(capfd: pytest.CaptureFixture[str]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None], name="x")
        y = gc.add(x, 1.0, name="y")
        endless = gc.while_loop(lambda i: i >= 0.0, lambda i: i + 1.0, [0.0])
        with gc.Session(config=gc.ConfigProto(operation_timeout_in_ms=100, log_device_placement=True)) as session:
            session.run(y, {x: [1]})
            assert "y: (AddV2)" in capfd.readouterr().err.replace("(Add)", "(AddV2)")
            with pytest.raises(gc.errors.DeadlineExceededError, match="longer than 100 ms"):
                session.run(endless)
        with gc.Session() as session:
            options = gc.RunOptions()
            watch = options.debug_options.debug_tensor_watch_opts.add()
            watch.node_name = "y"
            with pytest.raises(gc.errors.UnimplementedError, match="debug_options watches tensors"):
                session.run(y, {x: [1]}, options=options)
            metadata = gc.RunMetadata()
            call = session.make_callable(y, [x], accept_options=True)
            traced = gc.RunOptions(trace_level=gc.RunOptions.SOFTWARE_TRACE)
            np.testing.assert_array_equal(call([1.0], options=traced, run_metadata=metadata), [2])
            assert metadata.step_stats.dev_stats[0].node_stats[0].node_name == "y"


def test_a_session_without_messages_imports_no_protobuf() -> None:
    code = ("import sys, graphc as gc\n"
            "print(gc.Session().run(gc.constant(1.0) + 1.0), 'google.protobuf' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2.0", "False"]


def test_devices() -> None:
    (device,) = gc.compat.v1.python.client.device_lib.list_local_devices()
    assert (device.name, device.device_type) == ("/device:CPU:0", "CPU") and device.memory_limit > 0
    assert gc.Session(graph=graph_of_one()).list_devices()[0].device_type == "CPU"


def test_a_device_that_is_not_there_is_no_error() -> None:
    with gc.device("/gpu:0"), gc.Session() as session:
        assert session.run(gc.constant(2.0) * 3.0) == 6


def test_statistics_of_a_long_loop_name_each_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop has thousands of events, and a name that no op of the graph has is costly to look up."""
    asked = []
    look_up = gc.Graph.get_operation_by_name
    monkeypatch.setattr(gc.Graph, "get_operation_by_name",
                        lambda graph, name: asked.append(name) or look_up(graph, name))
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [2, 3])
        w = gc.constant(np.full((3, 3), 0.3, np.float32))
        y = gc.while_loop(lambda i, v: i < 200, lambda i, v: (i + 1, gc.tanh(gc.matmul(v, w))), [gc.constant(0), x])[1]
        metadata = gc.RunMetadata()
        options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
        session.run(y, {x: np.ones((2, 3), np.float32)}, options=options, run_metadata=metadata)
    stats = metadata.step_stats.dev_stats[0].node_stats
    assert sum("matmul" in node.timeline_label.lower() for node in stats) == 200
    assert len(asked) < 20 < len(stats)
