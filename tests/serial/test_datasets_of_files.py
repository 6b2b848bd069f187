"""Data sets and iterators in GraphDefs that TensorFlow wrote (tests/peers/dataset_files.py): they give its elements;
what graphc cannot make is an error of a run, and cut off by feeding."""
from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.files.example_wire import write_example

FOLDER = Path(__file__).parent / "data" / "datasets"
ELEMENTS = json.loads((FOLDER / "elements.json").read_text())


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("a,1\nb,2\nc,3\nd,4\ne,5\n")
    Path("fixed.bin").write_bytes(bytes(range(16)))
    with gc.io.TFRecordWriter("some.tfrecord") as writer:
        for i in range(6):
            writer.write(write_example({"x": [i], "t": [b"w" * i]}))


def read(name: str) -> gc.GraphDef:
    return gc.GraphDef.FromString(gzip.decompress((FOLDER / f"{name}.pb.gz").read_bytes()))


@pytest.fixture
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        gc.import_graph_def(read("iterators"), name="")
        yield made


NAMES = json.loads((FOLDER / "iterators.json").read_text())


def start(session: Any, name: str, feeds: Any = None) -> None:
    session.run(session.graph.get_operation_by_name(NAMES[name]), feeds)


@pytest.fixture(scope="module")
def all_of_them() -> gc.Graph:
    with gc.Graph().as_default() as made:
        gc.import_graph_def(read("elements"), name="all")
    return made


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements(name: str, all_of_them: gc.Graph) -> None:
    wanted = ELEMENTS[name]
    parts = [f"all/{name}/part_{i}:0" for i in range(wanted["parts"])]
    with gc.Session(graph=all_of_them) as session:
        if wanted["initializer"]:
            session.run(all_of_them.get_operation_by_name(f"all/{wanted['initializer']}"))
        for element in wanted["elements"]:
            for found, part in zip(session.run(parts), element, strict=True):
                expected = np.vectorize(str.encode, otypes=[object])(part["value"]) if part["dtype"] == "object" else (
                    np.array(part["value"], part["dtype"]))
                assert np.array_equal(np.asarray(found, expected.dtype), expected), (name, found, expected)
                assert part["dtype"] == "object" or np.asarray(found).dtype == part["dtype"]
        if len(wanted["elements"]) < 30:
            with pytest.raises(gc.errors.OutOfRangeError):
                session.run(parts)


def test_handles_and_iterators_for_several_data_sets(graph: gc.Graph) -> None:
    with gc.Session() as session:
        start(session, "first")
        handles = session.run(["handle_0:0", "handle_1:0"])
        assert [session.run("of_handle:0", {"handle:0": handles[i]}) for i in (0, 1, 0, 1)] == [0, 10, 1, 11]
        assert session.run("handle_again:0", {"handle:0": handles[1]}) == handles[1]
        for name, first in (("use_first", 0), ("use_second", 10), ("use_first", 0)):
            session.run(graph.get_operation_by_name(name))
            assert [session.run("of_several:0") for _ in range(3)] == [first, first + 1, first + 2]


def test_what_they_take_from_the_graph(graph: gc.Graph) -> None:
    with gc.Session() as session:
        start(session, "scaled", {"x:0": [1, 2, 3], "size:0": 2})
        assert session.run("scaled:0").tolist() == [3, 6] and session.run("scaled:0").tolist() == [9]
        start(session, "scaled", {"x:0": [1], "size:0": 5, "factor:0": -1})
        assert session.run("scaled:0").tolist() == [-1]
        session.run(graph.get_operation_by_name(NAMES["table"]))
        start(session, "looked_up")
        assert session.run("looked_up:0").tolist() == [7, -1, 8]
        assert session.run(["single:0", "total:0"]) == [10, 10]


def test_what_no_file_holds_is_named_when_it_starts_and_may_be_fed(graph: gc.Graph) -> None:
    with gc.Session() as session:
        for name, reason in (("generated", "GeneratorDataset.* Python generator"),
                             ("called", "MapDataset.* Python function"),
                             ("rare", "DenseToSparseBatchDataset.* none of this kind")):
            with pytest.raises(gc.errors.UnimplementedError, match=rf"(?s){reason}.*feed what the iterator's"):
                start(session, name)
                session.run(f"{name}:0")
        assert session.run("generated:0", {"next_generated:0": [1, 2]}).tolist() == [2, 4]
    for cut in (gc.placeholder(gc.float32, [None]), gc.constant([3.0])):
        found, = gc.import_graph_def(read("iterators"), {"next_generated:0": cut}, ["generated:0"])
        assert gc.Session().run(found, {cut: [3.0]}).tolist() == [6]


def test_in_a_meta_graph_and_a_second_time(tmp_path: Path) -> None:
    with gc.Graph().as_default():
        meta = gc.train.export_meta_graph()
        meta.graph_def.CopyFrom(read("iterators"))
        gc.train.import_meta_graph(meta)
        gc.train.import_meta_graph(meta, import_scope="again")
        with gc.Session() as session:
            assert session.run(["single:0", "again/total:0"]) == [10, 10]


def test_only_tensors_can_be_returned(all_of_them: gc.Graph) -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match="'slices/TensorSliceDataset:0' not found"):
        gc.import_graph_def(read("elements"), return_elements=["slices/TensorSliceDataset:0"])


def test_a_file_with_too_few_inputs(tmp_path: Path) -> None:
    graph_def = read("elements")
    node = next(n for n in graph_def.node if n.op == "RepeatDataset")
    del node.input[1:]
    message = f"RepeatDataset '{node.name}'.*1 inputs"
    with gc.Graph().as_default(), pytest.raises(gc.errors.DataLossError, match=message):
        gc.import_graph_def(graph_def)


def test_a_function_that_gives_a_data_set_of_itself() -> None:
    graph_def = read("elements")
    nodes = [node for node in graph_def.node if node.name.startswith("interleave/")]
    del graph_def.node[:]
    graph_def.node.extend(nodes)
    name = next(node.attr["f"].func.name for node in nodes if "f" in node.attr)
    function = next(f for f in graph_def.library.function if f.signature.name == name)
    again = function.node_def.add(name="again", op="FlatMapDataset", input=["RangeDataset:handle:0"])
    again.attr["f"].func.name = name
    function.ret["identity"] = "again:handle:0"
    with gc.Graph().as_default(), pytest.raises(gc.errors.OpError, match=r"nest deeper|nest more|cannot be made"):
        gc.import_graph_def(graph_def, name="")
        gc.Session().run(gc.get_default_graph().get_operation_by_name("interleave/MakeIterator"))
        gc.Session().run("interleave/part_0:0")
