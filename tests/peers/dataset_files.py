"""Makes the GraphDefs of tests/serial/data/datasets: data sets as TensorFlow writes them, and what elements it gives.

    build/peers/bin/python tests/peers/dataset_files.py
"""
from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow.compat.v1 as tf

FOLDER = Path(__file__).parents[1] / "serial" / "data" / "datasets"
D, experimental = tf.data.Dataset, tf.data.experimental
FEATURES = {"x": tf.FixedLenFeature([], tf.int64), "t": tf.FixedLenFeature([], tf.string)}
COUNT = 30                                   # elements of each that are kept


def write_files() -> None:
    """The files that they read, in the current folder; tests/serial/test_datasets_of_files.py has them, too."""
    Path("lines.txt").write_text("a,1\nb,2\nc,3\nd,4\ne,5\n")
    Path("fixed.bin").write_bytes(bytes(range(16)))
    with tf.io.TFRecordWriter("some.tfrecord") as writer:
        for i in range(6):
            feature = {"x": tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),
                       "t": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"w" * i]))}
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def slices() -> Any:
    return D.from_tensor_slices((np.arange(10.0), np.arange(10)))


def parsed(record: Any) -> Any:
    found = tf.parse_single_example(record, FEATURES)
    return found["x"], found["t"]


def parsed_many(records: Any) -> Any:
    found = tf.parse_example(records, FEATURES)
    return found["x"], found["t"]


def summed(n: Any) -> Any:
    return tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + i), [np.int64(0), np.int64(0)])[1]


SETS: dict[str, Callable[[], Any]] = {
    "slices": lambda: slices().map(lambda a, b: (a * 2, b + 1), num_parallel_calls=2).filter(lambda a, b: b < 8)
    .repeat(2).batch(3).prefetch(1),
    "shuffle": lambda: slices().shuffle(5, seed=3).batch(4, drop_remainder=True),
    "shuffle_and_repeat": lambda: D.range(6).apply(experimental.shuffle_and_repeat(3, 2, seed=4)),
    "flat_map": lambda: D.range(5).flat_map(lambda n: D.from_tensors(n).repeat(2))
    .interleave(lambda n: D.range(n), cycle_length=2).cache(),
    "interleave": lambda: D.range(4).interleave(lambda n: D.range(n, n + 3), 2, 2, num_parallel_calls=2),
    "padded": lambda: D.range(1, 6).map(lambda n: (tf.fill([n], n), n)).padded_batch(2, ([None], [])),
    "lines": lambda: tf.data.TextLineDataset("lines.txt").skip(1)
    .map(lambda line: tuple(tf.decode_csv(line, [["z"], [0]]))).batch(2),
    "records": lambda: tf.data.TFRecordDataset(["some.tfrecord"]).map(parsed).batch(4),
    "many_records": lambda: tf.data.TFRecordDataset(["some.tfrecord"], num_parallel_reads=2).batch(3).map(parsed_many),
    "fixed": lambda: tf.data.FixedLengthRecordDataset("fixed.bin", 4, 2, 2).map(lambda r: tf.decode_raw(r, tf.uint8)),
    "zip": lambda: D.zip((D.range(3).concatenate(D.range(10, 12)), (D.range(5, 15), D.from_tensors("x").repeat())))
    .take(4),
    "window": lambda: D.range(20).shard(2, 1).window(3, shift=2, drop_remainder=True).flat_map(lambda w: w.batch(3)),
    "unbatch": lambda: D.range(10).batch(4).unbatch().map(lambda n: n * n),
    "groups": lambda: D.range(10).apply(
        experimental.group_by_window(lambda n: n % 3, lambda k, d: d.batch(2), window_size=2)),
    "buckets": lambda: D.range(1, 9).map(lambda n: tf.fill([n], n)).apply(
        experimental.bucket_by_sequence_length(tf.size, [3, 6], [2, 2, 2])),
    "scan": lambda: D.range(10).apply(experimental.scan(np.int64(0), lambda s, n: (s + n, s + n)))
    .apply(experimental.take_while(lambda n: n < 20)),
    "unique": lambda: D.from_tensor_slices(["a", "b", "a", "c"]).apply(experimental.unique()).enumerate(),
    "map_and_batch": lambda: D.range(7).apply(experimental.map_and_batch(lambda n: n + 1, 3, drop_remainder=True)),
    "choose": lambda: experimental.choose_from_datasets(
        [D.range(3), D.range(10, 13)], D.from_tensor_slices(np.array([1, 0, 1, 0], np.int64))),
    "dicts": lambda: D.from_tensor_slices({"b": np.arange(4), "a": ["p", "q", "r", "s"]})
    .map(lambda d: {"a": tf.strings.join([d["a"], "!"]), "z": d["b"] * 2}).batch(3),
    "cond": lambda: D.range(6).map(lambda n: tf.cond(n > 2, lambda: n * 10, lambda: -n)).batch(6),
    "while": lambda: D.range(4).map(summed).batch(4),
    "ignore_errors": lambda: D.from_tensor_slices([1.0, 0.0, 4.0])
    .map(lambda x: tf.check_numerics(1.0 / x, "inf")).apply(experimental.ignore_errors()),
    "options": lambda: D.range(5).with_options(tf.data.Options()).batch(2),
}


def shown(value: Any) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.kind in "OS":             # a scalar string is one of NumPy's own
        return {"dtype": "object", "value": np.vectorize(bytes.decode, otypes=[object])(array).tolist()}
    return {"dtype": array.dtype.name, "value": array.tolist()}


def write(name: str, graph: Any, found: Any) -> None:
    data = gzip.compress(graph.as_graph_def().SerializeToString(deterministic=True), mtime=0)
    (FOLDER / f"{name}.pb.gz").write_bytes(data)
    (FOLDER / f"{name}.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(f"{name}: {len(graph.as_graph_def().node)} nodes, {len(data)} bytes")


def elements() -> None:
    """All of SETS in one graph, every second one with an iterator that needs no initializer. For each name: the
    initializer, how many components an element has, and the elements."""
    found: dict[str, Any] = {}
    with tf.Graph().as_default() as graph:
        for i, (name, make) in enumerate(SETS.items()):
            with tf.name_scope(name):
                one_shot = i % 2 == 1
                iterator = (tf.data.make_one_shot_iterator if one_shot else tf.data.make_initializable_iterator)(make())
                parts = [tf.identity(part, name=f"part_{k}") for k, part in enumerate(tf.nest.flatten(
                    iterator.get_next()))]
            taken = []
            with tf.Session(graph=graph) as session:
                if not one_shot:
                    session.run(iterator.initializer)
                for _ in range(COUNT):
                    try:
                        taken.append([shown(part) for part in session.run(parts)])
                    except tf.errors.OutOfRangeError:
                        break
            found[name] = {"initializer": None if one_shot else iterator.initializer.name, "parts": len(parts),
                           "elements": taken}
    write("elements", graph, found)


def iterators() -> None:
    """Iterators of every kind, what they take from the graph, and data sets that no file holds."""
    with tf.Graph().as_default() as graph:
        handle = tf.placeholder(tf.string, [], name="handle")
        first, second = D.range(3), D.range(10, 13)
        named = [tf.data.make_initializable_iterator(first), tf.data.make_one_shot_iterator(second)]
        for i, iterator in enumerate(named):
            tf.identity(iterator.string_handle(), name=f"handle_{i}")
        fed = tf.data.Iterator.from_string_handle(handle, tf.int64, [])
        tf.identity(fed.get_next(), name="of_handle")
        tf.identity(fed.string_handle(), name="handle_again")
        several = tf.data.Iterator.from_structure(tf.int64, [])
        several.make_initializer(first, name="use_first")
        several.make_initializer(second, name="use_second")
        tf.identity(several.get_next(), name="of_several")

        x, size = tf.placeholder(tf.float32, [None], name="x"), tf.placeholder(tf.int64, [], name="size")
        factor = tf.placeholder_with_default(tf.constant(3.0), [], name="factor")
        scaled = tf.data.make_initializable_iterator(D.from_tensor_slices(x).map(lambda v: v * factor).batch(size))
        tf.identity(scaled.get_next(), name="scaled")
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [7, 8]), -1)
        words = D.from_tensor_slices(["a", "c", "b"]).map(table.lookup).batch(3)
        looked_up = tf.data.make_initializable_iterator(words)
        tf.identity(looked_up.get_next(), name="looked_up")
        tf.identity(experimental.get_single_element(D.range(5).batch(5).map(tf.reduce_sum)), name="single")
        tf.identity(D.range(5).reduce(np.int64(0), lambda s, n: s + n), name="total")

        generated = tf.data.make_initializable_iterator(D.from_generator(lambda: iter([1.0]), tf.float32, []).batch(2))
        tf.identity(generated.get_next(name="next_generated") * 2.0, name="generated")
        called = tf.data.make_initializable_iterator(D.range(3).map(lambda n: tf.py_func(lambda v: v, [n], tf.int64)))
        tf.identity(called.get_next(), name="called")
        rare = tf.data.make_initializable_iterator(D.range(3).map(lambda n: tf.fill([n], n)).apply(
            experimental.dense_to_sparse_batch(2, [3])).map(lambda rows: rows.values))
        tf.identity(rare.get_next(), name="rare")
        initializers = {"first": named[0], "scaled": scaled, "looked_up": looked_up, "generated": generated,
                        "called": called, "rare": rare}
        write("iterators", graph, {k: v.initializer.name for k, v in initializers.items()}
              | {"table": table.initializer.name})


if __name__ == "__main__":
    tf.disable_eager_execution()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_files()
        elements()
        iterators()
