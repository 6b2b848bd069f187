"""Events files, records and messages that graphc wrote, read by TensorFlow, and the other way round."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import graphc as gc

v1 = tf.compat.v1


def ours(folder: Path) -> list[Any]:
    """A training, written by graphc: a loop, a branch, a variable and a summary in its graph."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 2], name="x")
        w = gc.get_variable("w", [2, 1])
        y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y @ (w @ gc.transpose(w))), [0, x])[1]
        loss = gc.cond(gc.reduce_sum(y) > 0, lambda: gc.reduce_sum(y), lambda: -gc.reduce_sum(y))
        step = gc.train.GradientDescentOptimizer(0.01).minimize(loss)
        gc.summary.scalar("loss", loss)
        gc.summary.histogram("w", w)
        gc.summary.text("t", gc.constant(["a", "b"]))
        merged = gc.summary.merge_all()
        writer = gc.summary.FileWriter(str(folder), session.graph)
        session.run(gc.global_variables_initializer())
        for i in range(3):
            metadata = gc.RunMetadata()
            options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
            _, summary = session.run([step, merged], {x: np.ones((4, 2))}, options, metadata)
            writer.add_summary(summary, i)
            writer.add_run_metadata(metadata, f"step{i}", i)
        writer.close()
    return [event for path in folder.iterdir() for event in v1.train.summary_iterator(str(path))]


def test_tensorflow_reads_events(tmp_path: Path) -> None:
    first, graph, meta, *rest = ours(tmp_path)
    assert first.file_version == "brain.Event:2" and len(rest) == 6
    graph_def = v1.GraphDef.FromString(graph.graph_def)
    assert {"x", "w", "while", "loss", "Merge/MergeSummary"} <= {node.name for node in graph_def.node}
    with tf.Graph().as_default() as imported:
        v1.import_graph_def(graph_def, name="")
    assert imported.get_tensor_by_name("loss:0").dtype == tf.string
    assert v1.MetaGraphDef.FromString(meta.meta_graph_def).graph_def == graph_def
    for event in rest[::2]:
        assert [value.tag for value in event.summary.value] == ["loss", "w_1", "t"]
        np.testing.assert_array_equal(tf.make_ndarray(event.summary.value[2].tensor), [b"a", b"b"])
    stats = v1.RunMetadata.FromString(rest[1].tagged_run_metadata.run_metadata).step_stats
    assert len(stats.dev_stats[0].node_stats) > 3


def test_graphc_reads_events(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, v1.Session() as session:
        v1.summary.image("i", tf.zeros([1, 2, 2, 1]))
        v1.summary.scalar("s", 2.0)
        with v1.summary.FileWriter(str(tmp_path), graph) as writer:
            writer.add_summary(session.run(v1.summary.merge_all()), 7)
    first, made, _, last = [e for path in tmp_path.iterdir() for e in gc.train.summary_iterator(str(path))]
    assert first.file_version == "brain.Event:2" and last.step == 7
    with gc.Graph().as_default(), gc.Session() as session:
        saved = gc.GraphDef.FromString(made.graph_def)
        image, scalar = gc.import_graph_def(saved, return_elements=["i:0", "s:0"], name="")
        found = [gc.Summary.FromString(value).value[0] for value in session.run([image, scalar])]
    assert found[1] == last.summary.value[1]
    pixels = [tf.io.decode_png(v.image.encoded_image_string).numpy() for v in (found[0], last.summary.value[0])]
    np.testing.assert_array_equal(*pixels)


def test_records(tmp_path: Path) -> None:
    records = [b"", b"abc", bytes(300_000)]
    for kind in ("", "ZLIB", "GZIP"):
        for writer in (gc.io.TFRecordWriter, tf.io.TFRecordWriter):
            path = str(tmp_path / f"{kind}{writer.__module__.partition('.')[0]}")
            with writer(path, kind) as file:
                for record in records:
                    file.write(record)
            assert list(gc.python_io.tf_record_iterator(path, kind)) == records
            assert [r.numpy() for r in tf.data.TFRecordDataset(path, kind)] == records


def test_messages() -> None:
    config = gc.ConfigProto(gpu_options=gc.GPUOptions(allow_growth=True), device_count={"GPU": 0, "CPU": 2})
    theirs = v1.ConfigProto.FromString(config.SerializeToString())
    assert theirs.gpu_options.allow_growth and dict(theirs.device_count) == {"GPU": 0, "CPU": 2}
    features = gc.train.Features(feature={"x": gc.train.Feature(float_list=gc.train.FloatList(value=[1, 2]))})
    data = gc.train.Example(features=features).SerializeToString()
    parsed = tf.io.parse_single_example(data, {"x": tf.io.FixedLenFeature([2], tf.float32)})
    np.testing.assert_array_equal(parsed["x"], [1, 2])
