"""RunMetadata.step_stats and Timeline: when what ran."""
from __future__ import annotations

import json
import time

import numpy as np

import graphc as gc

FULL = {"trace_level": gc.RunOptions.FULL_TRACE}


def nodes(metadata: gc.RunMetadata) -> dict[str, object]:
    (device,) = metadata.step_stats.dev_stats
    assert device.device.endswith("CPU:0")
    return {node.node_name: node for node in reversed(device.node_stats)}      # the first one of each op


def sleeping(seconds: float) -> object:
    def function(x: np.ndarray) -> np.ndarray:
        time.sleep(seconds)
        return x
    return function


def test_times_are_those_of_the_run() -> None:
    metadata = gc.RunMetadata()
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 8], name="x")
        slow = gc.py_func(sleeping(0.2), [x], gc.float32, name="slow")
        slow.set_shape([None, 8])
        quick = gc.py_func(sleeping(0.1), [slow], gc.float32, name="quick")
        for _ in range(2):
            before = time.time_ns()
            session.run(quick, {x: np.ones((3, 8))}, gc.RunOptions(**FULL), metadata)
            after = time.time_ns()
        found = nodes(metadata)
    first, second = found["slow"], found["quick"]
    assert first.timeline_label == "slow = PyFunc(x)" and second.timeline_label == "quick = PyFunc(slow)"
    assert before <= first.all_start_nanos < second.all_start_nanos < after
    assert 200_000 <= first.all_end_rel_micros and 100_000 <= second.all_end_rel_micros
    assert second.all_start_nanos + second.all_end_rel_nanos <= after
    assert first.all_start_nanos + first.all_end_rel_nanos <= second.all_start_nanos
    assert first.all_start_micros == first.all_start_nanos // 1000


def test_each_run_starts_anew_and_says_what_ran() -> None:
    metadata = gc.RunMetadata()
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [], name="x")
        total = gc.while_loop(lambda i: i < 3.0, lambda i: i + 1.0, [x], name="loop")
        y = gc.add(x, 1.0, name="y")
        session.run(total, {x: 0.0}, gc.RunOptions(**FULL), metadata)
        many = len(metadata.step_stats.dev_stats[0].node_stats)
        session.run(y, {x: 0.0}, gc.RunOptions(output_partition_graphs=True, **FULL), metadata)
        assert many > len(metadata.step_stats.dev_stats[0].node_stats) == len(metadata.kernels) == 1
        assert [n.name for n in metadata.partition_graphs[0].node] == ["y/y", "y"]
        session.run(y, {x: 0.0}, run_metadata=metadata)
        assert not metadata.kernels and not metadata.HasField("step_stats")
        assert gc.RunMetadata.FromString(metadata.SerializeToString()) == metadata


def stats() -> object:
    """Two ops at a time on one device, a third on another one."""
    made = gc.compat.v1.core.framework.step_stats_pb2.StepStats()
    cpu, gpu = made.dev_stats.add(device="/cpu:0"), made.dev_stats.add(device="/gpu:0")
    a = cpu.node_stats.add(node_name="a", all_start_micros=100, all_end_rel_micros=50, timeline_label="a = Const()")
    a.output.add(slot=1).tensor_description.dtype = 1
    cpu.node_stats.add(node_name="b", all_start_micros=120, all_end_rel_micros=0, timeline_label="b = NoOp(^a)")
    gpu.node_stats.add(node_name="c", all_start_micros=200, all_end_rel_micros=7, timeline_label="c = Add(a:1, b)")
    gpu.node_stats.add(node_name="copy", all_start_micros=210, all_end_rel_micros=7, timeline_label="MEMCPY")
    return made


def test_chrome_trace() -> None:
    timeline = gc.compat.v1.python.client.timeline.Timeline(stats())
    events = json.loads(timeline.generate_chrome_trace_format(show_memory=True))["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M"}
    assert names == {0: "/cpu:0 Compute", 1: "/gpu:0 Compute", 2: "/cpu:0 Tensors", 3: "/gpu:0 Tensors"}
    drawn = [(e["name"], e["pid"], e["tid"], e["ts"], e["dur"]) for e in events if e["ph"] == "X"]
    assert drawn == [("Const", 0, 0, 100, 50), ("NoOp", 0, 1, 120, 1), ("Add", 1, 0, 200, 7), ("copy", 1, 0, 210, 7)]
    assert next(e["args"] for e in events if e["name"] == "Add") == {
        "name": "c", "op": "Add", "input0": "a", "input1": "b"}
    arrows = [(e["ph"], e["id"], e["pid"], e["tid"], e["ts"]) for e in events if e.get("cat") == "DataFlow"]
    assert arrows == [("s", 0, 0, 0, 150), ("t", 0, 0, 1, 120), ("s", 1, 0, 0, 150), ("t", 1, 1, 0, 200),
                      ("s", 2, 0, 1, 121), ("t", 2, 1, 0, 200)]
    assert [(e["ph"], e["ts"]) for e in events if e.get("cat") == "Tensor"] == [("N", 100), ("O", 100), ("D", 207)]
    plain = json.loads(timeline.generate_chrome_trace_format(show_dataflow=False))["traceEvents"]
    assert {e["ph"] for e in plain} == {"M", "X"}
