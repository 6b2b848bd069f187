"""Lookup tables in frozen graphs: constants, which Python and the C++ library look up alike."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main

from files import build_runner
from native import Native


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(build_runner() / "libgraphc.so")


def texts(*values: Any) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = [v.encode() if isinstance(v, str) else v for v in values]
    return made


def table(keys: Any, values: Any, default: Any) -> Any:
    filled = gc.lookup.KeyValueTensorInitializer(gc.constant(keys), gc.constant(values))
    return gc.lookup.StaticHashTable(filled, default)


def same_everywhere(native: Native, x: gc.Tensor, fetches: list[Any], *feeds: np.ndarray) -> None:
    """In the session, of the frozen graph in Python without an initialiser, and in C++."""
    named = [gc.identity(t, name=f"y{i}") for i, t in enumerate(fetches)]
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        wanted = [session.run(named, {x: given}) for given in feeds]
        frozen = gc.freeze(session, named)
    assert not [n.name for n in frozen.node if "Table" in n.op]
    with gc.Graph().as_default() as graph:
        again = gc.import_graph_def(frozen, return_elements=[t.name for t in named], name="")
        with gc.Session(graph=graph) as session:
            for given, values in zip(feeds, wanted, strict=True):
                assert_same(session.run(again, {x.name: given}), values)
    with native.load(frozen.SerializeToString()) as model:
        for given, values in zip(feeds, wanted, strict=True):
            assert_same(model.run([given]), values)


def assert_same(found: Any, wanted: Any) -> None:
    for a, b in zip(found, wanted, strict=True):
        a, b = (np.array(v, object) if isinstance(v, bytes) else np.asarray(v) for v in (a, b))
        assert a.shape == b.shape and a.dtype == b.dtype and a.tolist() == b.tolist()


def test_words_to_ids_and_back(native: Native, tmp_path: Path) -> None:
    draw = np.random.RandomState(0)
    words = [bytes(draw.randint(0, 256, draw.randint(1, 12)).tolist()).replace(b"\n", b"") or b"-" for _ in range(3000)]
    words = list(dict.fromkeys(w for w in words if w.strip() == w))
    path = tmp_path / "words.txt"
    path.write_bytes(b"\n".join(words))
    x = gc.placeholder(gc.string, [None], name="x")
    ids = gc.contrib.lookup.index_table_from_file(str(path), num_oov_buckets=7)
    back = gc.contrib.lookup.index_to_string_table_from_file(str(path), default_value="?")
    found = ids.lookup(x)
    given = texts(*(words[i] for i in draw.randint(0, len(words), 300)), "", "unknown", b"\xff", *words[:5])
    same_everywhere(native, x, [found, back.lookup(found), ids.size()], given, given[:1], given[:0])


def test_kinds_of_keys_and_values(native: Native) -> None:
    x = gc.placeholder(gc.int64, [None, 2], name="x")
    numbers = table(np.int64([7, -3, 2**62, 0]), np.float32([1.5, 2.5, np.inf, -1]), np.float32(np.nan))
    names = table(np.int64([1, 7]), texts("one", "seven"), "none")
    whole = table(np.int64([0]), np.int64([-5]), np.int64(3))
    row = names.lookup(x)
    score = gc.where(gc.is_nan(numbers.lookup(x)), gc.zeros_like(x, gc.float32), numbers.lookup(x))
    same_everywhere(native, x, [score, row, whole.lookup(x[0, 0]), gc.strings.length(row)],
                    np.int64([[7, 8], [-3, 2**62]]), np.int64([[0, 1]]))


def test_a_table_without_keys(native: Native) -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    same_everywhere(native, x, [table(texts(), np.int64([]), np.int64(4)).lookup(x)], texts("", "a"))


def test_a_table_that_has_not_been_filled() -> None:
    x = gc.placeholder(gc.string, [None], name="x")
    found = table(["a"], np.int64([1]), np.int64(4)).lookup(x)
    with gc.Session() as session, pytest.raises(gc.errors.FailedPreconditionError, match="tables_initializer"):
        gc.freeze(session, [found])


def test_a_saved_model_with_a_file_of_words(native: Native, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_text("a\nb\nc")
    x = gc.placeholder(gc.string, [None], name="x")
    ids = gc.contrib.lookup.index_table_from_file("words.txt", num_oov_buckets=2).lookup(x)
    y = gc.nn.embedding_lookup(gc.Variable(np.arange(10, dtype=np.float32).reshape(5, 2)), ids)
    given = texts("c", "a", "other", "")
    with gc.Session() as session:
        session.run([gc.global_variables_initializer(), gc.tables_initializer()])
        gc.saved_model.simple_save(session, "saved", {"x": x}, {"y": y}, legacy_init_op=gc.tables_initializer())
        wanted = session.run([y], {x: given})
    Path("words.txt").unlink()
    assert main(["convert", "saved", "-o", "model.pb"]) == 0
    with native.load(Path("model.pb").read_bytes()) as model:
        assert_same(model.run([given]), wanted)
