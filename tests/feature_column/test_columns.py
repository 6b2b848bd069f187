"""Feature columns give TensorFlow's numbers and name their variables as it does; Examples; what is refused."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

import column_cases

fc = gc.feature_column
RECORDED = json.loads(column_cases.RECORDED.read_text())


@pytest.mark.parametrize("name", column_cases.CASES)
def test_models_are_those_of_tensorflow(name: str, tmp_path: Path) -> None:
    found, wanted = column_cases.run(tf, name, tmp_path), RECORDED[name]
    np.testing.assert_allclose(found.pop("values"), wanted.pop("values"), rtol=1e-5, atol=1e-6)
    assert found == wanted


def example(**values: Any) -> bytes:
    def feature(listed: Any) -> gc.train.Feature:
        if isinstance(listed[0], bytes):
            return gc.train.Feature(bytes_list=gc.train.BytesList(value=listed))
        return gc.train.Feature(float_list=gc.train.FloatList(value=listed))
    return gc.train.Example(features=gc.train.Features(feature={
        key: feature(listed) for key, listed in values.items()})).SerializeToString()


def test_examples_parsed_by_columns() -> None:
    """Batches of any size, one plan; a loss of them has gradients."""
    price = fc.numeric_column("price", default_value=7)
    word = fc.categorical_column_with_vocabulary_list("word", ["a", "b"])
    listed = [price, fc.indicator_column(word), fc.embedding_column(word, 2, initializer=gc.ones_initializer()),
              fc.bucketized_column(price, [5])]
    spec = fc.make_parse_example_spec(listed)
    assert spec == {"price": gc.FixedLenFeature((1,), gc.float32, (7,)), "word": gc.VarLenFeature(gc.string)}
    with gc.Graph().as_default(), gc.Session() as session:
        data = gc.placeholder(gc.string, [None])
        layer = fc.input_layer(gc.parse_example(data, spec), listed)
        assert layer.shape.as_list() == [None, 7]
        table = gc.trainable_variables()[0]
        gradient = gc.convert_to_tensor(gc.gradients(layer, table)[0])
        session.run([gc.global_variables_initializer(), gc.tables_initializer()])
        rows = [example(price=[1.5], word=[b"b", b"b"]), example(word=[b"a"]), example(price=[9.0])]
        wanted = [[1.5, 1, 0, 1, 1, 0, 2], [7, 0, 1, 1, 1, 1, 0], [9, 0, 1, 0, 0, 0, 0]]
        for count in (1, 3):
            np.testing.assert_array_equal(session.run(layer, {data: rows[:count]}), wanted[:count])
        np.testing.assert_array_equal(session.run(gradient, {data: rows}), [[1, 1], [1, 1]])


def test_columns_may_be_used_twice_and_compared() -> None:
    one, other = fc.numeric_column("a", 2), fc.numeric_column("a", [2])
    assert one == other and len({one, other}) == 1 and one != fc.numeric_column("a")
    with gc.Graph().as_default():
        for _ in range(2):
            with gc.variable_scope("model", reuse=gc.AUTO_REUSE):
                fc.linear_model({"a": gc.zeros([3, 2])}, [one])
        assert [v.name for v in gc.global_variables()] == ["model/linear_model/a/weights:0",
                                                           "model/linear_model/bias_weights:0"]


def test_an_embedding_begins_with_values_of_a_checkpoint(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        gc.get_variable("table", initializer=[[1.0, 2.0], [3.0, 4.0]])
        session.run(gc.global_variables_initializer())
        path = gc.train.Saver().save(session, str(tmp_path / "m"))
    column = fc.embedding_column(fc.categorical_column_with_identity("id", 2), 2, ckpt_to_load_from=path,
                                 tensor_name_in_ckpt="table", trainable=False)
    with gc.Graph().as_default(), gc.Session() as session:
        layer = fc.input_layer({"id": gc.constant([[1], [0]])}, column)
        session.run(gc.global_variables_initializer())
        assert session.run(layer).tolist() == [[3, 4], [1, 2]] and gc.trainable_variables() == []


def test_weights_in_parts_and_collections() -> None:
    column = fc.categorical_column_with_identity("id", 4)
    with gc.Graph().as_default(), gc.Session() as session:
        with gc.variable_scope("", partitioner=gc.fixed_size_partitioner(2)):
            of_columns: dict[Any, Any] = {}
            line = fc.linear_model({"id": gc.constant([[3], [0]])}, column, weight_collections=["mine"],
                                   cols_to_vars=of_columns)
            layer = fc.input_layer({"id": gc.constant([[3], [0]])},
                                   fc.embedding_column(column, 1, initializer=gc.ones_initializer()))
        assert [v.op.name for v in of_columns[column]] == ["linear_model/id/weights/part_0",
                                                           "linear_model/id/weights/part_1"]
        assert len(gc.get_collection("mine")) == 3
        session.run(gc.global_variables_initializer())
        of_columns[column][1].load([[5.0], [6.0]], session)
        assert session.run([line, layer])[0].tolist() == [[6], [0]]


PRICE, WORDS = fc.numeric_column("price"), fc.categorical_column_with_vocabulary_list("words", ["a"])
IDS = fc.categorical_column_with_identity("ids", 2)


@pytest.mark.parametrize("make, error, said", [
    (lambda: fc.numeric_column(3), ValueError, "key must be a string"),
    (lambda: fc.numeric_column("a", 0), ValueError, "shape dimensions must be greater than 0"),
    (lambda: fc.numeric_column("a", 1.5), TypeError, "shape dimensions must be integer"),
    (lambda: fc.numeric_column("a", dtype=gc.string), ValueError, "dtype must be convertible to float"),
    (lambda: fc.numeric_column("a", 2, [1, 2, 3]), ValueError, "must be equal to given shape"),
    (lambda: fc.numeric_column("a", default_value=1.5, dtype=gc.int32), TypeError, "must be compatible with dtype"),
    (lambda: fc.numeric_column("a", normalizer_fn=3), TypeError, "normalizer_fn must be a callable"),
    (lambda: fc.bucketized_column(WORDS, [1]), ValueError, "must be a column generated with numeric_column"),
    (lambda: fc.bucketized_column(PRICE, [1, 1]), ValueError, "boundaries must be a sorted list"),
    (lambda: fc.bucketized_column(fc.numeric_column("a", [2, 2]), [1]), ValueError, "must be one-dimensional"),
    (lambda: fc.categorical_column_with_identity("a", 0), ValueError, "num_buckets 0 < 1"),
    (lambda: fc.categorical_column_with_identity("a", 2, 2), ValueError, r"not in range \[0, 2\)"),
    (lambda: fc.categorical_column_with_hash_bucket("a", 0), ValueError, "must be at least 1"),
    (lambda: fc.categorical_column_with_hash_bucket("a", 2, gc.float32), ValueError, "must be string or integer"),
    (lambda: fc.categorical_column_with_vocabulary_list("a", []), ValueError, "must be non-empty"),
    (lambda: fc.categorical_column_with_vocabulary_list("a", ["b", "b"]), ValueError, "Duplicate keys"),
    (lambda: fc.categorical_column_with_vocabulary_list("a", ["b"], gc.int64), ValueError, "do not match"),
    (lambda: fc.categorical_column_with_vocabulary_list("a", ["b"], None, 0, 1), ValueError, "Can't specify both"),
    (lambda: fc.categorical_column_with_vocabulary_file("a", "no file"), ValueError, "does not exist: no file"),
    (lambda: fc.weighted_categorical_column(PRICE, "w"), ValueError, "must be a categorical column"),
    (lambda: fc.weighted_categorical_column(WORDS, "w", gc.string), ValueError, "is not convertible to float"),
    (lambda: fc.crossed_column(["a"], 3), ValueError, "must be a list with length > 1"),
    (lambda: fc.crossed_column(["a", PRICE], 3), ValueError, "Unsupported key type"),
    (lambda: fc.crossed_column(["a", fc.categorical_column_with_hash_bucket("b", 2)], 3), ValueError,
     "is not supported for crossing"),
    (lambda: fc.indicator_column(PRICE), ValueError, "must be a categorical column"),
    (lambda: fc.embedding_column(WORDS, 0), ValueError, "Invalid dimension 0"),
    (lambda: fc.embedding_column(WORDS, 1, initializer=3), ValueError, "initializer must be callable"),
    (lambda: fc.embedding_column(WORDS, 1, ckpt_to_load_from="x"), ValueError, "Must specify both"),
    (lambda: fc.shared_embedding_columns([WORDS, IDS], 1), ValueError, "must have the same type"),
    (lambda: fc.input_layer({}, []), ValueError, "must not be empty"),
    (lambda: fc.input_layer({}, WORDS), ValueError, "embedding_column or indicator_column"),
    (lambda: fc.input_layer({}, {"a": PRICE}), ValueError, "found dict"),
    (lambda: fc.input_layer({}, [PRICE, PRICE]), ValueError, "Duplicate feature column name"),
    (lambda: fc.input_layer({"prize": gc.zeros([2])}, PRICE), ValueError,
     r"Feature price is not in features dictionary, which has \['prize'\]"),
    (lambda: fc.input_layer({"price": gc.zeros([])}, PRICE), ValueError, "cannot have rank 0"),
    (lambda: fc.input_layer({"price": gc.placeholder(gc.float32)}, PRICE), ValueError, "has an unknown rank"),
    (lambda: fc.linear_model({"price": gc.zeros([2]), "words": gc.constant(["a"] * 3)},
                             [fc.bucketized_column(PRICE, [1]), PRICE,
                              fc.numeric_column("words", normalizer_fn=lambda x: gc.zeros([3, 1]))]), ValueError,
     "Batch size .first dimension. of each feature must be same"),
    (lambda: fc.linear_model({"words": gc.constant([1])}, WORDS), ValueError, "must be compatible. key: words"),
    (lambda: fc.make_parse_example_spec([WORDS, fc.numeric_column("words")]), ValueError, "different parse_spec"),
])
def test_what_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with gc.Graph().as_default(), pytest.raises(error, match=said):
        make()


def test_ids_outside_are_refused_when_run() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        ids = gc.placeholder(gc.int64, [None, 1])
        layer = fc.input_layer({"ids": ids}, fc.indicator_column(IDS))
        assert session.run(layer, {ids: [[1], [-1]]}).tolist() == [[0, 1], [0, 0]]      # -1 stands for none
        for value, said in ((2, '"ids" exceeds number of buckets'), (-2, "Negative bucket index for .* \"ids\"")):
            with pytest.raises(gc.errors.InvalidArgumentError, match=said):
                session.run(layer, {ids: [[1], [value]]})


def test_a_layer_of_columns_keeps_its_variables() -> None:
    layer_of = tf.keras.layers.DenseFeatures
    table = fc.embedding_column(WORDS, 2, initializer=gc.ones_initializer())
    with gc.Graph().as_default(), gc.Session() as session:
        words = gc.placeholder(gc.string, [None])
        features = {"price": gc.constant([1.5, 2.5]), "words": words}
        layer, outputs = layer_of([table, PRICE]), {}
        one, two = layer(features, cols_to_output_tensors=outputs), layer(features)
        with gc.variable_scope("scope"):
            layer_of(table)({"words": words})
        layer_of([table], name="mine", trainable=False)({"words": words})
        assert [v.name for v in layer.weights] == ["dense_features/words_embedding/embedding_weights:0"]
        assert [v.name for v in gc.global_variables()] == [
            f"{scope}/words_embedding/embedding_weights:0" for scope in ("dense_features", "scope/dense_features_1",
                                                                         "mine")]
        assert len(gc.trainable_variables()) == 2 and set(outputs) == {table, PRICE}
        session.run([gc.global_variables_initializer(), gc.tables_initializer()])
        for found in session.run([one, two], {words: ["a", "z"]}):
            assert found.tolist() == [[1.5, 1, 1], [2.5, 0, 0]]
    for columns, said in ((WORDS, "embedding_column or indicator_column"), ([], "must not be empty")):
        with pytest.raises(ValueError, match=said):
            layer_of(columns)
    with gc.Graph().as_default(), pytest.raises(ValueError, match="We expected a dictionary here"):
        layer_of(PRICE)(gc.zeros([2]))
