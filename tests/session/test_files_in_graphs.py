"""Files that a graph reads, writes and lists; lines with commas between."""
from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def test_read_and_written(tmp_path: Path) -> None:
    name, text = gc.placeholder(gc.string, []), gc.placeholder(gc.string, [])
    write, read = gc.write_file(name, text), gc.read_file(name)
    path = str(tmp_path / "new" / "folder" / "ü.bin")
    with gc.Session() as session:
        with pytest.raises(errors.NotFoundError, match=r"ü.bin; No such file or directory"):
            session.run(read, {name: path})
        for contents in (b"a\0b\xff", b"", b"x" * 100_000):
            assert session.run(write, {name: path, text: contents}) is None
            assert session.run(read, {name: path}) == contents
    assert os.listdir(tmp_path / "new" / "folder") == ["ü.bin"]


def test_what_is_in_a_file_is_no_constant(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    first, second = gc.read_file(str(path)), gc.io.read_file(str(path))
    with gc.control_dependencies([first]):
        write = gc.io.write_file(str(path), "2")
    with gc.control_dependencies([write]):
        third = gc.read_file(str(path))
    with gc.Session() as session:
        assert session.run(first) == b"1"
        path.write_text("new")
        assert session.run([first, second]) == [b"new"] * 2
        assert session.run([third, first]) == [b"2", b"new"]
        assert session.run([third, first]) == [b"2", b"2"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "script", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o750)
    link.symlink_to(path)
    with gc.Session() as session:
        session.run(gc.write_file(str(link), "new"))
        session.run(gc.write_file(str(tmp_path / "fresh"), ""))
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o750 and link.is_symlink()
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o666 & ~mask


def test_others_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 300_000)
    text = gc.placeholder(gc.string, [])
    write = gc.write_file(str(path), text)
    done = threading.Event()
    seen = set()

    def look() -> None:
        while not done.is_set():
            seen.add(len(path.read_bytes()))

    thread = threading.Thread(target=look)
    thread.start()
    with gc.Session() as session:
        for i in range(20):
            session.run(write, {text: b"b" * (300_000 + i)})
    done.set()
    thread.join()
    assert min(seen) >= 300_000


def test_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    folder, file = str(tmp_path), str(tmp_path / "file")
    Path(file).write_text("x")
    with gc.Session() as session:
        with pytest.raises(errors.FailedPreconditionError, match="Is a directory"):
            session.run(gc.read_file(folder))
        with pytest.raises(errors.FailedPreconditionError, match="Is a directory"):
            session.run(gc.write_file(folder, "x"))
        with pytest.raises(errors.FailedPreconditionError, match="file/x"):
            session.run(gc.write_file(f"{file}/x", "x"))
        with pytest.raises(errors.NotFoundError):
            session.run(gc.read_file(""))
    with pytest.raises(ValueError, match=r"must be one string, but has shape \(2,\); gc.map_fn"):
        gc.read_file(["a", "b"])
    assert Path(file).read_text() == "x" and os.listdir(folder) == ["file"]


def test_in_loops_and_branches(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}").write_text(str(i * i))
    names = gc.matching_files(str(tmp_path / "*"))
    texts = gc.map_fn(gc.read_file, names, gc.string)
    wanted = gc.placeholder(gc.bool, [])
    path = str(tmp_path / "made")
    written = gc.cond(wanted, lambda: _then(gc.write_file(path, "yes"), gc.constant(1)), lambda: gc.constant(0))
    with gc.Session() as session:
        assert session.run(texts).tolist() == [b"0", b"1", b"4"]
        assert session.run(written, {wanted: False}) == 0 and not os.path.exists(path)
        assert session.run(written, {wanted: True}) == 1 and Path(path).read_text() == "yes"


def _then(first: Any, value: Any) -> Any:
    with gc.control_dependencies([first]):
        return gc.identity(value)


@pytest.mark.parametrize("patterns, expected", [
    ("*.txt", [".hidden.txt", "a.txt", "b.txt", "c[1].txt", "star*.txt"]), ("?.txt", ["a.txt", "b.txt"]),
    ("[^a].txt", ["b.txt"]), ("[!a].txt", ["b.txt"]), ("*/d.txt", ["sub/d.txt"]), ("none", []), ("nodir/*", []),
    (["b*", "a*", "a.txt"], ["a.txt", "a.txt", "b.txt"]), ("star\\*.txt", ["star*.txt"]), ("sub", ["sub"]),
    ("c\\[1\\].txt", ["c[1].txt"]), ([], [])])
def test_names_that_match(tmp_path: Path, patterns: Any, expected: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "b.txt", "c[1].txt", ".hidden.txt", "sub/d.txt", "star*.txt"):
        (tmp_path / name).write_text("")
    given = gc.placeholder(gc.string, None)
    found = gc.matching_files(given)
    whole = [f"{tmp_path}/{p}" for p in patterns] if isinstance(patterns, list) else f"{tmp_path}/{patterns}"
    with gc.Session() as session:
        names = session.run(found, {given: whole}).tolist()
    assert names == [f"{tmp_path}/{name}".encode() for name in expected]


def test_saved_and_loaded(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("found")
    gc.read_file(gc.placeholder(gc.string, [], name="name"), name="contents")
    saved = gc.get_default_graph().as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        loaded, = gc.import_graph_def(saved, return_elements=["contents:0"])
        assert session.run(loaded, {"import/name:0": str(tmp_path / "a")}) == b"found"


# Columns


def columns(records: Any, defaults: Any, **more: Any) -> list[Any]:
    with gc.Session() as session:
        return [v.tolist() for v in session.run(gc.decode_csv(gc.constant(records), defaults, **more))]


@pytest.mark.parametrize("records, defaults, more, expected", [
    (["1,x", "3,"], [[0], ["q"]], {}, [[1, 3], [b"x", b"q"]]),
    ([",", "5,"], [[1], ["z"]], {}, [[1, 5], [b"z", b"z"]]),
    (['"a,b",c', '"a""b",""'], [["x"], ["x"]], {}, [[b"a,b", b'a"b'], [b"c", b"x"]]),
    (['a"b,c'], [["x"], ["x"]], {"use_quote_delim": False}, [[b'a"b'], [b"c"]]),
    ([" 1 ;+2"], [[0], [0]], {"field_delim": ";"}, [[1], [2]]),
    (["NA,2"], [[9], [0]], {"na_value": "NA"}, [[9], [2]]),
    (['a,b,c,d"'], [["x"], ["x"]], {"select_cols": [0, 2]}, [[b"a"], [b"c"]]),
    (["\n1,2"], [[0], [0]], {}, [[1], [2]]),
    ([[["1,2"], ["3,4"]]], [[0], [0.0]], {}, [[[[1], [3]]], [[[2], [4]]]]),
    (["1e3,inf"], [[0.0], np.zeros([1], np.float64)], {}, [[1000], [np.inf]]),
    (["99999999999"], [np.zeros([0], np.int64)], {}, [[99999999999]]),
    ("1,2", [0, 0], {}, [1, 2]),
])
def test_columns(records: Any, defaults: Any, more: dict[str, Any], expected: list[Any]) -> None:
    assert columns(records, defaults, **more) == expected


@pytest.mark.parametrize("records, defaults, message", [
    (["1,2,3"], [[0], [0]], "Expect 2 fields but have 3 in record 0"),
    (["1,2", "1"], [[0], [0]], "Expect 2 fields but have 1 in record 1"),
    ([""], [[0]], "Expect 1 fields but have 0 in record 0"),
    (["1,"], [[0], np.zeros([0], np.int32)], "Field 1 is required but missing in record 0"),
    (["x"], [[0]], "Field 0 in record 0 is not a valid int32: x"),
    (["1.5"], [[0]], "not a valid int32"),
    (["99999999999"], [[0]], "not a valid int32"), (["1_0"], [[0]], "not a valid"),
    (['a"b'], [["x"]], "Unquoted fields cannot have quotes/CRLFs inside"),
    (['"a"b'], [["x"]], "Quote inside a string has to be escaped"),
    (['"a'], [["x"]], "Quoted field has to end with quote"), (["1\n"], [[0]], "Unquoted fields cannot have"),
])
def test_what_are_no_columns(records: Any, defaults: Any, message: str) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=message):
        columns(records, defaults)


def test_arguments_of_columns() -> None:
    with pytest.raises(ValueError, match="select_cols is not strictly increasing"):
        gc.decode_csv("a", [[0], [0]], select_cols=[1, 1])
    with pytest.raises(ValueError, match="select_cols contains negative values"):
        gc.decode_csv("a", [[0]], select_cols=[-1])
    with pytest.raises(ValueError, match="Length of select_cols and record_defaults do not match"):
        gc.io.decode_csv("a", [[0], [0]], select_cols=[1])
    with pytest.raises(ValueError, match="should be only 1 char, but is 'ab'"):
        gc.decode_csv("a", [[0]], field_delim="ab")
    with pytest.raises(ValueError, match="only be 1 default per field but field 0 has shape"):
        gc.decode_csv("a", [[0, 1]])
    with pytest.raises(TypeError, match="bool at position 0"):
        gc.decode_csv("a", [[True]])
    x = gc.placeholder(gc.string, [None, 2])
    assert [t.shape.as_list() for t in gc.decode_csv(x, [[0], [""]])] == [[None, 2]] * 2
