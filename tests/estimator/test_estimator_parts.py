"""EstimatorSpec, RunConfig and the input functions over arrays."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

est = gc.estimator


def test_a_specification_is_checked() -> None:
    with gc.Graph().as_default():
        foreign = gc.constant(1.0)
    with gc.Graph().as_default():
        loss, op = gc.constant([2.0]), gc.no_op()
        spec = est.EstimatorSpec("train", loss=loss, train_op=op)
        assert spec.loss.shape.as_list() == [] and spec.train_op is op and spec.predictions == {}
        assert isinstance(spec.scaffold, gc.train.Scaffold) and spec.training_hooks == ()
        for mode, fields, error, said in (
                ("train", {"loss": loss}, ValueError, "Missing train_op"), ("eval", {}, ValueError, "Missing loss"),
                ("infer", {}, ValueError, "Missing predictions"),
                ("eval", {"loss": gc.zeros([2])}, ValueError, "Loss must be scalar"),
                ("eval", {"loss": 3.0}, TypeError, "loss must be Tensor, given: 3.0"),
                ("eval", {"loss": foreign}, ValueError, "must be from the default graph"),
                ("infer", {"predictions": {"a": foreign}}, ValueError, "must be from the default graph"),
                ("train", {"loss": loss, "train_op": 3}, TypeError, "train_op must be Operation or Tensor"),
                ("eval", {"loss": loss, "eval_metric_ops": {"a": loss}}, TypeError, "metric_value, update_op"),
                ("eval", {"loss": loss, "eval_metric_ops": []}, TypeError, "eval_metric_ops must be a dict"),
                ("eval", {"loss": loss, "evaluation_hooks": [3]}, TypeError, "must be SessionRunHook instances"),
                ("eval", {"loss": loss, "scaffold": 3}, TypeError, "scaffold must be tf.train.Scaffold"),
                ("infer", {"predictions": loss, "export_outputs": {"a": loss}}, TypeError, "ExportOutput objects")):
            with pytest.raises(error, match=said):
                est.EstimatorSpec(mode, **fields)
        with pytest.raises(ValueError, match="mode of EstimatorSpec cannot be changed"):
            spec._replace(mode="eval")


def test_run_config() -> None:
    config = est.RunConfig()
    assert (config.save_checkpoints_secs, config.save_checkpoints_steps) == (600, None)
    assert (config.model_dir, config.is_chief, config.num_ps_replicas, config.task_type) == (None, True, 0, "worker")
    by_steps = config.replace(save_checkpoints_steps=5, tf_random_seed=3)
    assert (by_steps.save_checkpoints_secs, by_steps.save_checkpoints_steps, by_steps.tf_random_seed) == (None, 5, 3)
    assert config.tf_random_seed is None
    for fields, said in (({"save_checkpoints_steps": 1, "save_checkpoints_secs": 1}, "Only one of"),
                         ({"model_dir": ""}, "model_dir should be non-empty"),
                         ({"save_summary_steps": -1}, "save_summary_steps should be >= 0"),
                         ({"tf_random_seed": 1.5}, "tf_random_seed must be integer"),
                         ({"session_config": {}}, "instance of ConfigProto"),
                         ({"protocol": "x"}, "protocol should be")):
        with pytest.raises(ValueError, match=said):
            est.RunConfig(**fields)
    with pytest.raises(ValueError, match="Replacing master is not supported"):
        config.replace(master="x")
    with pytest.raises(gc.errors.UnimplementedError, match="'train_distribute' must be None"):
        est.RunConfig(train_distribute=object())


def test_tf_config_of_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}, '
                                    '"model_dir": "there"}')
    config = est.RunConfig()
    assert (config.task_type, config.model_dir) == ("chief", "there")
    assert config.cluster_spec.as_dict() == {"chief": ["a:1"]}
    with pytest.raises(ValueError, match="same value as the model_dir in TF_CONFIG"):
        est.RunConfig(model_dir="elsewhere")
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}')
    with pytest.raises(gc.errors.UnimplementedError, match="a cluster of 2 tasks, but graphc runs in one process"):
        est.RunConfig()


def read(input_fn: Any) -> list[Any]:
    """All batches."""
    with gc.Graph().as_default(), gc.Session() as session:
        gc.set_random_seed(7)
        batch, found = input_fn(), []
        while True:
            try:
                found.append(session.run(batch))
            except gc.errors.OutOfRangeError:
                return found


def test_batches_go_on_across_epochs() -> None:
    data = {"b": np.arange(5) * 10, "a": np.array(["x", "y", "z", "u", "v"])}
    found = read(est.inputs.numpy_input_fn(data, np.arange(5.0), batch_size=4, num_epochs=2, shuffle=False))
    assert [batch[0]["b"].tolist() for batch in found] == [[0, 10, 20, 30], [40, 0, 10, 20], [30, 40]]
    assert [batch[1].tolist() for batch in found] == [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4]]
    assert found[0][0]["a"].tolist() == [b"x", b"y", b"z", b"u"] and found[0][1].dtype == np.float64


def test_features_alone_targets_by_name_and_static_shapes() -> None:
    alone = est.inputs.numpy_input_fn(np.zeros([3, 2], np.float32), batch_size=2, num_epochs=None, shuffle=False)
    with gc.Graph().as_default():
        assert alone().shape.as_list() == [2, 2]
    named = est.inputs.numpy_input_fn({"x": np.arange(3)}, {"p": np.arange(3), "q": np.ones([3, 4])}, shuffle=False)
    with gc.Graph().as_default():
        features, targets = named()
        assert features["x"].shape.as_list() == [None] and targets["q"].shape.as_list() == [None, 4]


@pytest.mark.parametrize("window", [3, 1000])
def test_shuffled_rows_are_each_given_once_an_epoch(window: int) -> None:
    function = est.inputs.numpy_input_fn({"x": np.arange(20)}, batch_size=20, num_epochs=2, shuffle=True,
                                         queue_capacity=window)
    first, second = (batch["x"].tolist() for batch in read(function))
    assert sorted(first) == sorted(second) == list(range(20)) and first != second != list(range(20))
    assert [batch["x"].tolist() for batch in read(function)] == [first, second]      # the graph has a seed
    if window == 3:
        assert all(value < place + 3 for place, value in enumerate(first))


@pytest.mark.parametrize("x, y, more, said", [
    ({"x": np.zeros(2)}, None, {"shuffle": None}, "shuffle must be provided"),
    ({"x": np.zeros(2)}, np.zeros(3), {}, "Length of tensors in x and y is mismatched"),
    ({"x": np.zeros(2)}, {"x": np.zeros(2)}, {}, r"1 duplicate keys are found in both x and y: \['x'\]"),
    ({}, None, {}, "x cannot be an empty dict"), ({"x": np.zeros(2)}, {}, {}, "y cannot be an empty dict, use None"),
    ([1, 2], None, {}, "x must be a dict or array; got list"), ({"x": 3}, None, {}, "must have at least one axis"),
])
def test_arrays_that_are_refused(x: Any, y: Any, more: dict[str, Any], said: str) -> None:
    with gc.Graph().as_default(), pytest.raises((ValueError, TypeError), match=said):
        est.inputs.numpy_input_fn(x, y, **{"shuffle": False, **more})()


class Column:
    """As much of a pandas.Series as pandas_input_fn uses."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def to_numpy(self) -> np.ndarray:
        return self.values

    def equals(self, other: Any) -> bool:
        return bool(np.array_equal(self.values, other.values))


class Frame:
    """And of a pandas.DataFrame."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.columns = {name: Column(values) for name, values in columns.items()}
        self.index = Column(range(len(next(iter(columns.values())))))
        self.__iter__ = self.columns.__iter__

    def __iter__(self) -> Any:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]


def frame(columns: dict[str, Any]) -> Any:
    try:
        import pandas
    except ImportError:
        return Frame(columns)
    return pandas.DataFrame(columns)


def test_a_data_frame() -> None:
    x, y = frame({"a": [1.5, 2.5, 3.5], "b": ["u", "v", "w"]}), frame({"p": [1, 2, 3], "q": [4, 5, 6]})
    ((features, targets),) = read(est.inputs.pandas_input_fn(x, y, shuffle=False))
    assert features["a"].tolist() == [1.5, 2.5, 3.5] and features["b"].tolist() == [b"u", b"v", b"w"]
    assert sorted(features) == ["a", "b"] and targets["q"].tolist() == [4, 5, 6]
    (alone,) = read(est.inputs.pandas_input_fn(x, shuffle=False))
    assert sorted(alone) == ["a", "b"]
    with pytest.raises(TypeError, match="must be a pandas DataFrame, but is 3"):
        est.inputs.pandas_input_fn(3, shuffle=False)
    with pytest.raises(ValueError, match="Cannot use name a for target column"):
        est.inputs.pandas_input_fn(x, y, shuffle=False, target_column="a")
    with pytest.raises(ValueError, match="Index for x and y are mismatched"):
        est.inputs.pandas_input_fn(x, frame({"p": [1, 2]}), shuffle=False)


def test_examples_with_labels_and_weights() -> None:
    column, label = gc.feature_column.numeric_column("a"), gc.FixedLenFeature((1,), gc.int64, 3)
    number = gc.FixedLenFeature((1,), gc.float32, None)
    assert est.classifier_parse_example_spec([column], "y", label_default=3, weight_column="w") == {
        "a": number, "y": label, "w": number}
    assert est.regressor_parse_example_spec([column], "y", label_dimension=2) == {
        "a": number, "y": gc.FixedLenFeature((2,), gc.float32, None)}
    for make, said in ((lambda: est.regressor_parse_example_spec([column], "a"), "label should not be used as feature"),
                       (lambda: est.regressor_parse_example_spec([column], "y", weight_column="a"),
                        "weight_column should not be used as feature"),
                       (lambda: est.classifier_parse_example_spec([column], "y", weight_column=3),
                        "should be an instance of gc.feature_column.numeric_column")):
        with pytest.raises(ValueError, match=said):
            make()
