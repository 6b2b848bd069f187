"""TPUEstimator with use_tpu=False: who learns which batch size, what a spec's functions become, what is refused."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc.compat.v1 as tf

MODES = tf.estimator.ModeKeys


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    params["seen"].append((mode, params.get("batch_size"), params["use_tpu"]))
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    counted = tf.get_variable("counted", [], tf.int32, tf.zeros_initializer(), trainable=False)
    y = features["x"] * w
    if mode == MODES.PREDICT:
        outputs = {"serving_default": tf.estimator.export.PredictOutput({"y": y})}
        return tf.contrib.tpu.TPUEstimatorSpec(mode, {"y": y}, export_outputs=outputs)
    loss = tf.losses.mean_squared_error(labels, y)
    if mode == MODES.EVAL:
        return tf.contrib.tpu.TPUEstimatorSpec(
            mode, loss=loss, eval_metrics=(lambda y: {"mean": tf.metrics.mean(y)}, {"y": y}),
            scaffold_fn=tf.train.Scaffold)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.contrib.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=step,
                                           host_call=(lambda one: tf.assign_add(counted, one), [tf.constant(1)]))


def input_fn(params: Any) -> Any:
    x = np.arange(1, 7, dtype=np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, 2 * x)).batch(params["batch_size"], drop_remainder=True)


class Seen(list):  # type: ignore[type-arg]
    """Stays one list where params are copied."""

    def __deepcopy__(self, memo: Any) -> Seen:
        return self


def estimator(folder: Path, **named: Any) -> tuple[Any, Seen]:
    seen = Seen()
    config = tf.contrib.tpu.RunConfig(model_dir=str(folder), master="", tpu_config=tf.contrib.tpu.TPUConfig(10, 8))
    made = tf.contrib.tpu.TPUEstimator(model_fn, config=config, params={"seen": seen}, use_tpu=False,
                                       train_batch_size=2, eval_batch_size=3, predict_batch_size=4, **named)
    return made, seen


def test_each_mode_has_its_batch_size(tmp_path: Path) -> None:
    made, seen = estimator(tmp_path)
    made.train(input_fn, max_steps=3)
    assert made.get_variable_value("counted") == 3                # the host_call, once a step
    found = made.evaluate(input_fn)
    w = made.get_variable_value("w")
    np.testing.assert_allclose(found["mean"], w * 3.5, rtol=1e-6)
    assert len(list(made.predict(input_fn))) == 4                 # the remainder of 6 is dropped
    assert seen == [(MODES.TRAIN, 2, False), (MODES.EVAL, 3, False), (MODES.PREDICT, 4, False)]


def test_an_exported_model_knows_no_batch_size(tmp_path: Path) -> None:
    made, seen = estimator(tmp_path)
    made.train(input_fn, max_steps=1)
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None])})
    made.export_saved_model(str(tmp_path / "export"), receiver)
    assert seen[-1] == (MODES.PREDICT, None, False)
    made.train(input_fn, max_steps=2)
    assert seen[-1] == (MODES.TRAIN, 2, False)


@pytest.mark.parametrize("named, error, said", [
    ({"use_tpu": True}, tf.errors.UnimplementedError, "use_tpu=False"),
    ({"config": tf.estimator.RunConfig("x")}, ValueError, "tf.contrib.tpu.RunConfig"),
    ({"params": {"batch_size": 3}}, ValueError, "'batch_size'"),
])
def test_what_is_refused(named: dict[str, Any], error: Any, said: str) -> None:
    given = {"use_tpu": False, "config": tf.contrib.tpu.RunConfig(model_dir="x"), "params": {}, **named}
    with pytest.raises(error, match=said):
        tf.contrib.tpu.TPUEstimator(model_fn, **given)


def test_functions_must_take_params(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"input_fn.*params argument"):
        estimator(tmp_path)[0].train(lambda: None, max_steps=1)
    with pytest.raises(tf.errors.UnimplementedError, match="'master'"):
        tf.contrib.tpu.RunConfig(master="grpc://10.0.0.1:8470")
    with pytest.raises(ValueError, match="iterations_per_loop"):
        tf.contrib.tpu.TPUConfig(iterations_per_loop=0)
    with pytest.raises(ValueError, match="eval_metrics"):
        tf.contrib.tpu.TPUEstimatorSpec(MODES.EVAL, eval_metrics={"a": 1})


def test_members_of_estimator_stay_the_ones_they_are() -> None:
    class Mine(tf.contrib.tpu.TPUEstimator):  # type: ignore[name-defined,misc]
        def train(self, *_: Any) -> None:
            """Not allowed, as in any Estimator."""

    with pytest.raises(ValueError, match="train"):
        Mine(model_fn, config=tf.contrib.tpu.RunConfig(model_dir="x"), use_tpu=False)
