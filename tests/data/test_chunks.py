"""map and filter on many elements at once: elements, order and errors are those of one at a time."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.data import chunks, functions

D = gc.data.Dataset
E = gc.data.experimental
ALONE = 1 << 40


def elements(dataset: Any, most: int = 300) -> list[Any]:
    """What an iterator gives, errors among it."""
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    found: list[Any] = []
    with gc.Session() as session:
        session.run([gc.tables_initializer(), iterator.initializer])
        while len(found) < most:
            try:
                found.append(session.run(following))
            except gc.errors.OutOfRangeError:
                break
            except gc.errors.OpError as error:
                found.append(error)
    return found


def plain(value: Any) -> Any:
    """A value that compares with ==, its bits included."""
    if isinstance(value, gc.errors.OpError):
        return type(value), value.message
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, bytes):
        return value
    array = np.asarray(value)
    return array.shape, array.dtype, array.tolist() if array.dtype == object else array.tobytes()


def lines(n: int) -> Any:
    return D.from_tensor_slices(np.array([b"%d,%.3f,name%d" % (i, i / 7, i % 5) for i in range(n)], object))


def columns(line: Any) -> Any:
    return gc.decode_csv(line, [[0], [0.], [""]])


def scaled(n: Any) -> Any:
    return gc.exp(gc.cast(n, gc.float32) / 17.)


def table() -> Any:
    return gc.contrib.lookup.index_table_from_tensor(gc.constant(["name1", "name3"]), num_oov_buckets=2)


def example(n: int) -> bytes:
    made = gc.train.Example()
    made.features.feature["x"].float_list.value.extend([n, -n])
    return made.SerializeToString()


def varying(n: int) -> bytes:
    made = gc.train.Example()
    if n % 4:
        made.features.feature["n"].int64_list.value.extend(range(n % 4))
    made.features.feature["s"].bytes_list.value.extend([b"a"] * (n % 3))
    return made.SerializeToString()


def sentences() -> Any:
    made = [b" ".join(b"name%d" % k for k in range(i * 7 % 5)) for i in range(90)]
    return D.from_tensor_slices(np.array(made, object))


def words(sentence: Any) -> Any:
    return gc.string_split([sentence]).values


def examples(count: int) -> Any:
    return D.from_tensor_slices(np.array([varying(i) for i in range(count)], object))


def sparse(record: Any) -> Any:
    return gc.parse_single_example(record, {"n": gc.VarLenFeature(gc.int64), "s": gc.VarLenFeature(gc.string),
                                            "k": gc.FixedLenFeature([], gc.float32, 1.5)})


def parsed(record: Any) -> Any:
    return gc.parse_single_example(record, {"x": gc.FixedLenFeature([2], gc.float32)})


def broken(n: int, wrong: int) -> Any:
    """Lines, every `wrong`-th of which is no number."""
    return D.from_tensor_slices(np.array([b"x" if i % wrong == wrong - 1 else b"%d" % i for i in range(n)], object))


CASES: dict[str, Callable[[], Any]] = {
    "map": lambda: D.range(200).map(scaled),
    "columns": lambda: lines(150).map(columns),
    "batches": lambda: lines(150).map(columns).batch(25),
    "map behind map": lambda: D.range(100).map(scaled).map(lambda x: (x, x * 2.)).map(lambda x, y: x / y),
    "filtered": lambda: lines(100).map(columns).filter(lambda n, x, s: n % 3 > 0).map(
        lambda n, x, s: gc.string_join([s, s])),
    "filter first": lambda: D.range(100).filter(lambda n: n % 7 < 3).batch(10),
    "shuffled": lambda: lines(100).map(columns).shuffle(30, seed=3).repeat(2).batch(16),
    "repeated": lambda: lines(30).map(columns).repeat(4).batch(25).map(lambda n, x, s: gc.reduce_sum(n)),
    "padded": lambda: D.range(80).map(lambda n: gc.stack([n, 1])).padded_batch(9, [3]),
    "looked up": lambda: (lambda t: lines(100).map(lambda line: t.lookup(columns(line)[2])))(table()),
    "parsed": lambda: D.from_tensor_slices(np.array([example(i) for i in range(90)], object)).map(parsed),
    "sparse": lambda: examples(90).map(sparse),
    "sparse batches": lambda: examples(90).map(sparse).shuffle(20, seed=2).batch(8).map(
        lambda x: (gc.sparse_tensor_to_dense(x["n"]), x["s"], x["k"])),
    "parts of sparse": lambda: examples(40).map(lambda r: sparse(r)["n"].values),
    "words": lambda: sentences().map(words).map(lambda w: (w, gc.strings.length(w), gc.size(w))),
    "words looked up": lambda: (lambda t: sentences().map(words).filter(lambda w: gc.size(w) > 0).map(
        lambda w: (gc.cast(t.lookup(w), gc.float32) * 2., gc.shape(w))).padded_batch(7, ([None], [1])))(table()),
    "words shuffled": lambda: sentences().map(words).shuffle(10, seed=1).repeat(2).map(
        lambda w: (gc.strings.upper(w), gc.gather([1., 2.], gc.string_to_hash_bucket_fast(w, 2)))),
    "batches of words": lambda: sentences().map(words).filter(lambda w: gc.equal(gc.size(w), 3)).batch(2),
    "wrong words": lambda: sentences().map(words).map(gc.string_to_number).apply(E.ignore_errors()),
    "two of several sizes": lambda: sentences().map(words).map(lambda w: (w, w)).map(
        lambda a, b: (gc.string_join([a, b]), gc.size(a) + gc.size(b))),
    "values of features": lambda: examples(60).map(lambda r: sparse(r)["n"]).map(
        lambda n: gc.sparse_tensor_to_dense(n)).map(lambda n: n * n + 1),
    "filled": lambda: D.range(50).map(lambda n: gc.fill([n % 4], n)).map(lambda x: gc.cast(x, gc.float32) / 3.),
    "a shuffled one twice": lambda: (lambda d: D.zip((d.repeat(5).map(scaled), d.repeat(5))))(D.range(9).shuffle(4, 1)),
    "records of raw numbers": lambda: D.from_tensor_slices(np.array([bytes(range(i, i + 8)) for i in range(99)], object)
                                                           ).map(lambda s: gc.decode_raw(s, gc.int16)),
    "changing sizes": lambda: D.from_tensor_slices(np.array([bytes(i % 40 // 10 + 1) for i in range(120)], object)
                                                   ).map(lambda s: gc.decode_raw(s, gc.uint8)).map(lambda x: x + 1),
    "interleaved": lambda: D.range(6).interleave(lambda n: D.range(n, n + 40).map(scaled), 3, 4),
    "flat": lambda: D.range(5).map(lambda n: n * 2).flat_map(lambda n: D.range(n).map(scaled)).batch(4),
    "same for all": lambda: D.range(50).map(lambda n: (n, gc.constant([b"a", b"b"]))).batch(7),
    "take and skip": lambda: D.range(100).map(scaled).skip(3).take(50).shard(3, 1),
    "cached": lambda: D.range(20).map(scaled).cache().repeat(3).batch(6),
    "two names": lambda: D.range(60).map(lambda n: {"b": n + 1, "a": scaled(n)}).batch(8, drop_remainder=True),
    "captured": lambda: (lambda c: D.range(70).map(lambda n: gc.cast(n, gc.float32) * c))(gc.fill([2], 3.) + 1.),
    "enumerated": lambda: D.zip((D.range(70).map(scaled), D.range(70).filter(lambda n: n > 3))).enumerate(),
    "windows": lambda: D.range(40).map(scaled).window(5).flat_map(lambda w: w.map(lambda x: x + 1.).batch(5)),
    "one wrong": lambda: broken(50, 29).map(gc.string_to_number),
    "many wrong": lambda: broken(100, 3).map(gc.string_to_number).batch(4),
    "wrong ones left out": lambda: broken(100, 7).map(gc.string_to_number).apply(E.ignore_errors()).batch(5),
    "wrong in front": lambda: broken(60, 11).map(gc.string_to_number).map(lambda x: x * 2.),
    "wrong in a predicate": lambda: broken(60, 11).filter(lambda s: gc.string_to_number(s) > 5.),
}


@pytest.fixture(autouse=True)
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stacked form is used from the second element on."""
    monkeypatch.setattr(functions, "RUNS_ALONE", 1)


@pytest.mark.parametrize("name", CASES)
def test_as_one_at_a_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        found = elements(CASES[name]())
    monkeypatch.setattr(functions, "RUNS_ALONE", ALONE)
    with gc.Graph().as_default():
        expected = elements(CASES[name]())
    assert len(found) > 4
    assert plain(found) == plain(expected)


def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the chunks that are run from now on."""
    sizes: list[int] = []
    before = chunks.Chunks.next

    def next_chunk(self: chunks.Chunks) -> Any:
        items, found = before(self)
        sizes.append(len(items) if found is not None else -len(items))
        return items, found

    monkeypatch.setattr(chunks.Chunks, "next", next_chunk)
    return sizes


def test_chunks_grow_and_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = runs(monkeypatch)
    elements(broken(200, 130).map(gc.string_to_number))
    assert sizes == [-1, 2, 4, 8, 16, 32, 64, -64, -1, 2, 4, 2]      # the wrong one is the 130th


def test_large_elements_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = runs(monkeypatch)
    elements(D.from_tensor_slices(np.zeros([9, 20000], np.float32)).map(lambda x: x + 1.))
    assert max(sizes) < 4
    sizes.clear()
    elements(D.from_tensor_slices(np.array([bytes(9000)] * 60, object)).map(lambda s: gc.substr(s, 0, 9000)))
    assert 4 < max(sizes) < 32


def test_few_elements_are_not_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "RUNS_ALONE", 20)
    sizes = runs(monkeypatch)
    assert len(elements(D.range(30).map(scaled).take(10))) == 10
    assert sizes == [-1] * 10


def test_files_that_change_sizes_between_epochs(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{i},{i}.5,n\n" for i in range(70)))
    data = gc.data.TextLineDataset(str(path)).map(columns).repeat(2).batch(50)
    assert [len(n) for n, _, _ in elements(data)] == [50, 50, 40]


class Source:
    """Counts how many elements it was asked for."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> Iterator[int]:
        for i in range(1000):
            self.given += 1
            yield i


def test_nothing_is_asked_of_python_ahead() -> None:
    source = Source()
    data = D.from_generator(source, gc.int32, [])
    following = data.map(lambda n: n + 1).filter(lambda n: n > 0).batch(2).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        for _ in range(5):
            session.run(following)
    assert source.given == 10
    calls: list[int] = []

    def seen(n: Any) -> Any:
        calls.append(int(n))
        return n

    mapped = D.range(100).map(lambda n: gc.py_func(seen, [n], gc.int64)).map(lambda n: n + 1)
    following = mapped.make_one_shot_iterator().get_next()
    with gc.Session() as session:
        assert [session.run(following) for _ in range(4)] == [1, 2, 3, 4]
    assert calls == [0, 1, 2, 3]


def test_a_table_that_changes_is_looked_at_late() -> None:
    changing = gc.contrib.lookup.MutableHashTable(gc.int64, gc.int64, -1)
    data = D.range(10).map(changing.lookup)
    iterator = data.make_initializable_iterator()
    following = iterator.get_next()
    with gc.Session() as session:
        session.run(iterator.initializer)
        assert [session.run(following) for _ in range(3)] == [-1, -1, -1]
        session.run(changing.insert(np.arange(10), np.arange(10) * 5))
        assert [session.run(following) for _ in range(3)] == [15, 20, 25]


def test_an_error_behind_what_is_taken_is_none() -> None:
    assert elements(broken(40, 20).map(gc.string_to_number).take(19)) == list(range(19))


def test_vectors_of_words_are_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = runs(monkeypatch)
    assert len(elements(sentences().map(words).map(lambda w: (gc.strings.length(w), gc.size(w))))) == 90
    assert [size for size in sizes if size < 0] == [-1, -1] and max(sizes) > 16


def test_words_are_looked_up_together_beside_buckets_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = gc.lookup.KeyValueTensorInitializer(["a", "b"], gc.constant([0, 1], gc.int64))
    known = gc.lookup.StaticVocabularyTable(keys, num_oov_buckets=3)
    sizes = runs(monkeypatch)
    assert len(elements(sentences().map(words).map(known.lookup))) == 90
    assert [size for size in sizes if size < 0] == [-1, -1] and max(sizes) > 16


def test_an_interrupt_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupts = [KeyboardInterrupt()]
    before = functions.Function.many

    def many(self: functions.Function, run: Any) -> Any:
        function = before(self, run)

        def interrupted(*arguments: Any) -> Any:
            if interrupts:
                raise interrupts.pop()
            return function(*arguments)

        return interrupted

    monkeypatch.setattr(functions.Function, "many", many)
    following = D.range(50).map(lambda n: n * 2).make_one_shot_iterator().get_next()
    found = []
    with gc.Session() as session:
        while len(found) < 50:
            try:
                found.append(int(session.run(following)))
            except KeyboardInterrupt:
                continue
    assert not interrupts and found == list(range(0, 100, 2))
