"""What a traced run tells of the GPU: lines, step_stats, the timeline, and Session.explain."""
from __future__ import annotations

import itertools
import json
import time
from typing import Any

import numpy as np
import pytest

import graphc as gc

FULL = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


def traced(session: gc.Session, fetches: Any, feeds: Any = None) -> tuple[Any, gc.RunMetadata]:
    told = gc.RunMetadata()
    return session.run(fetches, feeds, FULL, told), told


def on_gpu(told: gc.RunMetadata) -> list[Any]:
    return [stats for device in told.step_stats.dev_stats if device.device == GPU for stats in device.node_stats]


def layer() -> tuple[Any, Any]:
    """A product and a map, on a GPU that does all."""
    with gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [None, 20])
        return x, gc.exp(gc.matmul(x, gc.constant(np.full((20, 8), 0.1, np.float32)), name="product"), name="power")


def test_a_run_of_the_gpu_alone(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, y = layer()
        given = np.ones((5, 20), np.float32)
        begin = time.time_ns()
        found, told = traced(session, y, {x: given})
        end = time.time_ns()
        assert (found == session.run(y, {x: given})).all()
    (line,) = [line for line in told.kernels if "matmul" in line]
    assert line.startswith("[0:main] GPU 0: matmul.f32(1, 5, 8, 20, ") and "gc_product" in line and "product" in line
    assert line.endswith("<- product, power") and " us" in line
    assert any("GPU 0: upload" in line for line in told.kernels)
    stats = on_gpu(told)
    assert [s.node_name for s in stats if s.node_name not in ("upload", "download", "copy")] == ["power"]
    assert all(begin <= s.all_start_nanos <= end + 10 ** 6 and s.all_end_rel_nanos >= 0 for s in stats)
    assert sum(s.all_end_rel_nanos for s in stats) <= end - begin
    assert all(a.all_start_nanos + a.all_end_rel_nanos <= b.all_start_nanos + 1
               for a, b in itertools.pairwise(stats)), "one behind the other"


def test_the_timeline_has_a_row_for_the_gpu(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, y = layer()
        _, told = traced(session, y, {x: np.ones((3, 20))})
    text = gc.compat.v1.python.client.timeline.Timeline(told.step_stats).generate_chrome_trace_format()
    events = json.loads(text)["traceEvents"]
    rows = {event["args"]["name"]: event["pid"] for event in events if event["ph"] == "M"}
    drawn = {event["name"] for event in events if event["ph"] == "X" and event["pid"] == rows[f"{GPU} Compute"]}
    assert "Exp" in drawn


def test_parts_in_a_loop(device: Any, without_top_k: None) -> None:
    """Each iteration's part is told, beside what the CPU did; results are those of a run without a trace."""
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.tanh(y) * 2.0), [0, gc.exp(x)])[1]
            z = gc.nn.top_k(y, 1).values
        given = np.array([0.5, 2.0, -1.0], np.float32)
        found, told = traced(session, z, {x: given})
        assert found.tolist() == session.run(z, {x: given}).tolist()
    assert sum("gpu_part" in line for line in told.kernels) >= 4
    assert any("top_k" in line and "GPU" not in line for line in told.kernels)
    assert sum("GPU 0: map(tanh mul)" in line for line in told.kernels) == 3
    assert len([s for s in on_gpu(told) if "Tanh" in s.timeline_label or s.node_name.endswith("mul")]) == 3


def test_a_run_that_writes_variables_behind_checks(device: Any) -> None:
    """Two graphs: the second one is only begun if the indices of the first are good."""
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        v, i = gc.Variable(np.zeros(4, np.float32)), gc.placeholder(gc.int32, [None])
        with gc.control_dependencies([gc.gather(np.arange(100, dtype=np.float32), i)]):
            more = gc.assign_add(v, gc.gather(np.arange(400, dtype=np.float32).reshape(100, 4), i)[0])
        session.run(v.initializer)
        _, told = traced(session, more, {i: np.arange(1, 30)})
        assert any("GPU 0: gather" in line for line in told.kernels)
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(more, {i: np.arange(90, 120)}, FULL, told)
        assert session.run(v).tolist() == [4, 5, 6, 7]
        assert any("GPU 0: gather" in line for line in told.kernels), "a run that fails tells what it did"


def test_the_environment_variable(device: Any, monkeypatch: Any, capfd: Any) -> None:
    monkeypatch.setenv("GRAPHC_TRACE", "1")
    with gc.Graph().as_default(), gc.Session() as session:
        x, y = layer()
        session.run(y, {x: np.ones((3, 20))})
    assert "graphc: [0:main] GPU 0: matmul.f32" in capfd.readouterr().err


def test_explain(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, y = layer()
        report = session.explain(y, {x: np.ones((50, 20))}, runs=2)
    (product,) = [step for step in report.steps if step.call.startswith("matmul")]
    assert product.on_gpu and product.calls == 1 and product.microseconds >= 0 and "product" in product.ops
    assert product.flops == 2 * 50 * 20 * 8 + 50 * 8 and product.bytes == 4 * (50 * 20 + 20 * 8 + 50 * 8)
    assert report.gpu is not None and report.gpu.f32 > report.gpu.f64 > 0
    assert product.least_microseconds == pytest.approx(
        1e6 * max(product.flops / report.gpu.f32, product.bytes / report.gpu.bandwidth))
    text = str(report)
    assert "the GPU on paper: peak" in text and "GPU: matmul.f32" in text


def test_explain_of_both(device: Any, without_top_k: None) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.nn.top_k(gc.exp(x) + 1.0, 2).values
        report = session.explain(y, {x: np.arange(100.0)}, runs=1)
    assert {step.on_gpu for step in report.steps} == {True, False}
    assert any("gpu_part" in step.call and not step.on_gpu for step in report.steps)
