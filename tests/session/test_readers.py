"""Readers: records of files whose names come out of a queue. What the tables say was recorded from TensorFlow 2.21."""
from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import graphc as gc

TEXT = {"a": b"h\nline1\r\nline2\n\nlast", "b": b"h2\nx\n"}
FIXED = {"c": b"HABCDEFGHIJKLMNOFF"}


def reading(make: Callable[[], Any], files: dict[str, bytes], folder: Path, at_once: int | None = None) -> list[Any]:
    """What a run gives at a time, up to the end, and how many records and files there were behind each."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    found: list[Any] = []
    with gc.Graph().as_default(), gc.Session() as session:
        reader, queue = make(), gc.FIFOQueue(10, gc.string, shapes=[[]])
        taken = reader.read(queue) if at_once is None else reader.read_up_to(queue, at_once)
        counts = [reader.num_records_produced(), reader.num_work_units_completed()]
        session.run(queue.enqueue_many([[str(folder / name) for name in files]]))
        session.run(queue.close())
        while True:
            try:
                keys, values = session.run(taken)
            except gc.errors.OutOfRangeError:
                break
            short = [key.removeprefix(f"{folder}/".encode()) for key in ([keys] if at_once is None else keys)]
            found.append((short if at_once else short[0], values if at_once is None else list(values),
                          *session.run(counts)))
        found.append(session.run(counts))
        session.run(reader.reset())
        assert session.run(counts) == [0, 0]
    return found


def test_lines(tmp_path: Path) -> None:
    assert reading(gc.TextLineReader, TEXT, tmp_path) == [
        (b"a:1", b"h", 1, 0), (b"a:2", b"line1", 2, 0), (b"a:3", b"line2", 3, 0), (b"a:4", b"", 4, 0),
        (b"a:5", b"last", 5, 0), (b"b:1", b"h2", 6, 1), (b"b:2", b"x", 7, 1), [7, 2]]
    assert reading(lambda: gc.TextLineReader(skip_header_lines=1), TEXT, tmp_path) == [
        (b"a:2", b"line1", 1, 0), (b"a:3", b"line2", 2, 0), (b"a:4", b"", 3, 0), (b"a:5", b"last", 4, 0),
        (b"b:2", b"x", 5, 1), [5, 2]]
    assert reading(lambda: gc.TextLineReader(9), TEXT, tmp_path) == [[0, 2]]


def test_several_at_once_are_of_one_file(tmp_path: Path) -> None:
    assert reading(gc.TextLineReader, TEXT, tmp_path, 3) == [
        ([b"a:1", b"a:2", b"a:3"], [b"h", b"line1", b"line2"], 3, 0), ([b"a:4", b"a:5"], [b"", b"last"], 5, 1),
        ([b"b:1", b"b:2"], [b"h2", b"x"], 7, 2), [7, 2]]
    assert reading(gc.WholeFileReader, {"b": TEXT["b"], "d": b""}, tmp_path, 3) == [
        ([b"b"], [TEXT["b"]], 1, 1), ([b"d"], [b""], 2, 2), [2, 2]]
    assert reading(lambda: gc.FixedLengthRecordReader(4, 1, 2), FIXED, tmp_path, 2) == [
        ([b"c:0", b"c:1"], [b"ABCD", b"EFGH"], 2, 0), ([b"c:2"], [b"IJKL"], 3, 1), [3, 1]]


@pytest.mark.parametrize(("arguments", "expected"), [
    ({"footer_bytes": 2}, [(b"c:0", b"ABCD", 1, 0), (b"c:1", b"EFGH", 2, 0), (b"c:2", b"IJKL", 3, 0), [3, 1]]),
    ({"footer_bytes": 2, "hop_bytes": 3}, [(b"c:0", b"ABCD", 1, 0), (b"c:1", b"DEFG", 2, 0), (b"c:2", b"GHIJ", 3, 0),
                                          (b"c:3", b"JKLM", 4, 0), [4, 1]]),
    ({"footer_bytes": 30}, [[0, 1]]),
])
@pytest.mark.parametrize("encoding", ["", "ZLIB"])
def test_pieces_of_one_length(arguments: Any, expected: Any, encoding: str, tmp_path: Path) -> None:
    files = {"c": zlib.compress(FIXED["c"]) if encoding else FIXED["c"]}
    assert reading(lambda: gc.FixedLengthRecordReader(4, header_bytes=1, encoding=encoding, **arguments), files,
                   tmp_path) == expected


@pytest.mark.parametrize("kind", ["", "GZIP"])
def test_records(kind: str, tmp_path: Path) -> None:
    with gc.python_io.TFRecordWriter(str(tmp_path / "r"), kind) as writer:
        writer.write(b"x")
        writer.write(b"")
    options = gc.python_io.TFRecordOptions(kind) if kind else None
    assert reading(lambda: gc.TFRecordReader(options=options), {"r": (tmp_path / "r").read_bytes()}, tmp_path) == [
        (b"r:0", b"x", 1, 0), (b"r:17", b"", 2, 0), [2, 1]]


def test_whole_files_and_names_have_a_state(tmp_path: Path) -> None:
    assert reading(gc.WholeFileReader, TEXT, tmp_path) == [(b"a", TEXT["a"], 1, 1), (b"b", TEXT["b"], 2, 2), [2, 2]]
    with gc.Graph().as_default(), gc.Session() as session:
        reader, queue = gc.IdentityReader(), gc.FIFOQueue(10, gc.string)
        key, value = reader.read(queue)
        session.run(queue.enqueue_many([["m", "n"]]))
        assert session.run([key, value]) == [b"m", b"m"]
        state = session.run(reader.serialize_state())
        assert state == b"\x08\x01\x10\x01\x18\x01"
        session.run(reader.restore_state(b"\x08\x06\x10\x05\x18\x07\x22\x01w"))
        assert session.run([reader.num_records_produced(), reader.num_work_units_completed()]) == [7, 5]
        assert session.run(key) == b"w" and session.run(reader.serialize_state()) == b"\x08\x06\x10\x06\x18\x08"
        for wrong, message in ((b"\x08", "Could not parse state"), (b"\x10\x01", "Inconsistent work started")):
            with pytest.raises(gc.errors.InvalidArgumentError, match=message):
                session.run(reader.restore_state(wrong))
        lines = gc.TextLineReader()
        assert not lines.supports_serialize and reader.supports_serialize
        with pytest.raises(gc.errors.UnimplementedError, match="Reader SerializeState"):
            session.run(lines.serialize_state())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\n")
    with gc.Graph().as_default(), gc.Session() as session:
        reader, queue = gc.TextLineReader(), gc.FIFOQueue(10, gc.string, shapes=[[]])
        read = reader.read(queue)
        session.run(queue.enqueue_many([[str(tmp_path / "none"), str(tmp_path / "a")]]))
        with pytest.raises(gc.errors.NotFoundError, match="none; No such file"):
            session.run(read)
        assert session.run(read.value) == b"one"               # a missing file is left out, after its error
        with gc.python_io.TFRecordWriter(str(tmp_path / "r")) as writer:
            writer.write(b"x")
            writer.write(b"y")
        (tmp_path / "r").write_bytes((tmp_path / "r").read_bytes()[:-1])
        records = gc.TFRecordReader().read(queue)
        session.run(queue.enqueue([str(tmp_path / "r")]))
        assert session.run(records.value) == b"x"
        for _ in range(2):
            with pytest.raises(gc.errors.DataLossError, match="truncated record at 17"):
                session.run(records)


def test_wrong_queues() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        reader, queue = gc.TextLineReader(), gc.FIFOQueue(10, gc.int32, shapes=[[]])
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"FIFOQueue 'fifo_queue' must hold one string.*int32"):
            session.run(reader.read(queue))
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"needs the handle of a queue, but 'WholeFile"):
            session.run(reader.read(gc.WholeFileReader().reader_ref))
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"needs the handle of a reader, but 'fifo_queue"):
            session.run(gc.ReaderBase(queue.queue_ref).reset())
        with pytest.raises(ValueError, match="'record_bytes' must be"):
            gc.FixedLengthRecordReader(0)


def test_in_a_loop(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1\n2\n3\n")
    with gc.Graph().as_default(), gc.Session() as session:
        reader, queue = gc.TextLineReader(), gc.FIFOQueue(10, gc.string, shapes=[[]])
        session.run(queue.enqueue([str(tmp_path / "a")]))
        total = gc.while_loop(lambda i, s: i < 3, lambda i, s: (
            i + 1, s * 10.0 + gc.string_to_number(reader.read(queue).value)), [0, 0.0])[1]
        assert session.run(total) == 123.0


def test_waiting_ends_with_the_time_and_with_the_session() -> None:
    with gc.Graph().as_default():
        session, reader, queue = gc.Session(), gc.TextLineReader(), gc.FIFOQueue(10, gc.string, shapes=[[]])
        read, reset = reader.read(queue), reader.reset()
        with pytest.raises(gc.errors.DeadlineExceededError, match="longer than 100 ms"):
            session.run(read, options=gc.RunOptions(timeout_in_ms=100))
        raised: list[Exception] = []

        def run() -> None:
            try:
                session.run(read)
            except Exception as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        with pytest.raises(gc.errors.DeadlineExceededError):      # the other one has the reader, and waits for a name
            while True:
                session.run(reset, options=gc.RunOptions(timeout_in_ms=50))
        session.close()
        thread.join(10)
        assert not thread.is_alive() and isinstance(raised[0], gc.errors.CancelledError)


def test_the_usual_pipeline(tmp_path: Path) -> None:
    names = [str(tmp_path / f"{i}.csv") for i in range(3)]
    for i, name in enumerate(names):
        Path(name).write_text("".join(f"{i},{j}.5\n" for j in range(4)))
    with gc.Graph().as_default(), gc.Session() as session:
        queue = gc.train.string_input_producer(names, num_epochs=1)
        _, line = gc.TextLineReader().read(queue)
        label, value = gc.decode_csv(line, [[0], [0.0]])
        labels, values = gc.train.batch([label, value], 5, allow_smaller_final_batch=True)
        session.run([gc.global_variables_initializer(), gc.local_variables_initializer()])
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        found = []
        with pytest.raises(gc.errors.OutOfRangeError):
            while not coordinator.should_stop():
                found += zip(*(x.tolist() for x in session.run([labels, values])), strict=True)
        coordinator.request_stop()
        coordinator.join(threads)
    assert sorted(found) == [(i, j + 0.5) for i in range(3) for j in range(4)]


def test_a_reader_in_a_saved_graph(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"xyz")
    with gc.Graph().as_default() as graph:
        reader, queue = gc.FixedLengthRecordReader(1, name="pieces"), gc.FIFOQueue(10, gc.string, shapes=[[]])
        reader.read_up_to(queue, 2, name="read")
        queue.enqueue([str(tmp_path / "a")], name="put")
        saved = graph.as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        values, put = gc.import_graph_def(saved, return_elements=["read:1", "put"], name="")
        session.run(put)
        assert session.run(values).tolist() == [b"x", b"y"] and session.run(values).tolist() == [b"z"]
