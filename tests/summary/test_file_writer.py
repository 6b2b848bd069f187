"""FileWriter and summary_iterator: events files, written and read."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import graphc as gc

WRITES = """
import sys, graphc as gc
writer = gc.summary.FileWriter(sys.argv[1])
for step in range(3):
    writer.add_summary(gc.Summary(value=[gc.Summary.Value(tag="a", simple_value=step)]), step)
"""


def scalar(tag: str, value: float) -> gc.Summary:
    return gc.Summary(value=[gc.Summary.Value(tag=tag, simple_value=value)])


def events_in(folder: Path) -> list[gc.Event]:
    return [event for path in sorted(folder.iterdir()) for event in gc.train.summary_iterator(str(path))]


def test_summaries_of_a_training(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [], name="x")
        gc.summary.scalar("loss", x * 2)
        gc.summary.histogram("values", x)
        merged = gc.summary.merge_all()
        with gc.summary.FileWriter(str(tmp_path / "new" / "logs"), session.graph, filename_suffix=".s") as writer:
            for step in range(3):
                writer.add_summary(session.run(merged, {x: step}), global_step=session.run(gc.constant(step)))
            assert writer.get_logdir() == str(tmp_path / "new" / "logs")
        graph_def = session.graph.as_graph_def(add_shapes=True)
    (path,) = (tmp_path / "new" / "logs").iterdir()
    assert path.name.startswith("events.out.tfevents.") and path.name.endswith(".s")
    first, graph, meta, *rest = events_in(path.parent)
    assert first.file_version == "brain.Event:2"
    # `loss` and `values` have been run, and nothing was added since: constants of session.run are behind the graph
    assert graph_def.node[:2] == gc.GraphDef.FromString(graph.graph_def).node[:2]
    assert gc.MetaGraphDef.FromString(meta.meta_graph_def).graph_def == gc.GraphDef.FromString(graph.graph_def)
    assert [(e.step, e.summary.value[0].simple_value, e.summary.value[1].histo.sum) for e in rest] == [
        (0, 0, 0), (1, 2, 1), (2, 4, 2)]
    assert first.wall_time <= graph.wall_time <= rest[0].wall_time <= rest[2].wall_time


def test_everything_that_can_be_added(tmp_path: Path) -> None:
    writer = gc.summary.FileWriter(tmp_path)
    writer.add_session_log(gc.SessionLog(status=gc.SessionLog.START), 1)
    writer.add_graph(None, graph_def=gc.GraphDef(versions={"producer": 9}))
    writer.add_meta_graph(gc.MetaGraphDef(), 2)
    writer.add_run_metadata(gc.RunMetadata(kernels=["k"]), "step1", 3)
    writer.add_event(gc.Event(wall_time=1.5, log_message=gc.LogMessage(message="m")))
    with pytest.raises(ValueError, match="tag was already used"):
        writer.add_run_metadata(gc.RunMetadata(), "step1")
    writer.flush()
    kinds = [(e.WhichOneof("what"), e.step) for e in events_in(tmp_path)]
    assert kinds == [("file_version", 0), ("session_log", 1), ("graph_def", 0), ("meta_graph_def", 2),
                     ("tagged_run_metadata", 3), ("log_message", 0)]
    writer.close()


def test_metadata_is_written_once_a_tag(tmp_path: Path) -> None:
    made = gc.Summary(value=[gc.Summary.Value(tag="t", metadata=gc.SummaryMetadata(display_name="d"))])
    with gc.summary.FileWriter(str(tmp_path)) as writer:
        writer.add_summary(made)
        writer.add_summary(made.SerializeToString())
    assert [e.summary.value[0].HasField("metadata") for e in events_in(tmp_path)[1:]] == [True, False]
    assert made.value[0].HasField("metadata")


def test_closed_and_opened_again(tmp_path: Path) -> None:
    writer = gc.summary.FileWriter(str(tmp_path))
    writer.close()
    assert list(tmp_path.iterdir()) == []              # nothing to write, no file: as TensorFlow
    with pytest.warns(UserWarning, match="closed FileWriter"):
        writer.add_summary(scalar("lost", 1))
    writer.reopen()
    for value in (1, 2):
        writer.add_summary(scalar("a", value))
        writer.close()
        writer.close()
        writer.flush()
        writer.reopen()
    assert len(list(tmp_path.iterdir())) == 2          # in one second: the second one has another name
    assert [e.summary.value[0].simple_value for e in events_in(tmp_path) if e.HasField("summary")] == [1, 2]


def test_the_first_event_is_in_the_file_at_once_the_others_after_flush_secs(tmp_path: Path) -> None:
    slow, quick = (gc.summary.FileWriter(str(tmp_path / name), flush_secs=secs) for name, secs in (("s", 99), ("q", 0)))
    for writer in (slow, quick):
        for value in range(3):
            writer.add_summary(scalar("a", value))
    assert [len(events_in(tmp_path / name)) for name in "sq"] == [2, 4]
    slow.flush()
    assert len(events_in(tmp_path / "s")) == 4


def test_a_program_that_never_closes_its_writer(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITES, str(tmp_path)], check=True)
    assert len(events_in(tmp_path)) == 4


def test_one_writer_a_folder(tmp_path: Path) -> None:
    cache = gc.summary.FileWriterCache
    with gc.Graph().as_default():
        assert cache.get(str(tmp_path)) is cache.get(str(tmp_path))
        writer = cache.get(str(tmp_path))
        cache.clear()
        assert cache.get(str(tmp_path)) is not writer
        cache.clear()


def test_what_is_refused(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.summary.FileWriter(str(tmp_path)) as writer:
        with pytest.raises(TypeError, match=r"an op of gc\.summary is run first"):
            writer.add_summary(gc.summary.scalar("a", 1.0))
        with pytest.raises(TypeError, match="an instance of `Graph` or the"):
            writer.add_graph("graph")
        with pytest.raises(ValueError, match="pass only graph, or graph_def"):
            writer.add_graph(gc.get_default_graph(), graph_def=gc.GraphDef())
        with pytest.raises(TypeError, match="saw type"):
            writer.add_meta_graph(gc.GraphDef())
    (tmp_path / "file").write_text("")
    with pytest.raises(gc.errors.FailedPreconditionError, match="file"):
        gc.summary.FileWriter(str(tmp_path / "file"))
    with pytest.raises(gc.errors.UnimplementedError, match="'session'"):
        gc.summary.FileWriter(str(tmp_path), session=gc.Session())
    with pytest.raises(RuntimeError, match="No default"):
        gc.summary.initialize()


def test_projector(tmp_path: Path) -> None:
    projector = gc.contrib.tensorboard.plugins.projector
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name, embedding.metadata_path = "v:0", "labels.tsv"
    embedding.sprite.single_image_dim.extend([28, 28])
    projector.visualize_embeddings(gc.summary.FileWriter(str(tmp_path)), config)
    assert (tmp_path / "projector_config.pbtxt").read_text() == (
        'embeddings {\n  tensor_name: "v:0"\n  metadata_path: "labels.tsv"\n  sprite {\n    single_image_dim: 28\n'
        '    single_image_dim: 28\n  }\n}\n')
