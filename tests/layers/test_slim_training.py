"""slim from records to an evaluated model: data sets, queues, train ops, the training loop, evaluation, summaries."""
from __future__ import annotations

import io
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import graphc as gc
import graphc.compat.v1 as tf

slim = tf.contrib.slim


def _model(x: Any) -> Any:
    with slim.arg_scope([slim.fully_connected], weights_regularizer=slim.l2_regularizer(1e-4)):
        return slim.fully_connected(slim.flatten(x), 2, activation_fn=None, scope="logits")


def _write_records(path: Path) -> None:
    generator = np.random.default_rng(0)
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for i in range(32):
            pixels = (np.full((4, 4, 3), 180 * (i % 2)) + generator.integers(0, 40, (4, 4, 3))).astype(np.uint8)
            encoded = io.BytesIO()
            Image.fromarray(pixels).save(encoded, "PNG")
            features = {"image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded.getvalue()])),
                        "image/format": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"png"])),
                        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 2]))}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def _batch(folder: Path) -> tuple[Any, Any]:
    decoder = slim.tfexample_decoder.TFExampleDecoder(
        {"image/encoded": tf.FixedLenFeature((), tf.string), "image/format": tf.FixedLenFeature((), tf.string),
         "label": tf.FixedLenFeature((), tf.int64)},
        {"image": slim.tfexample_decoder.Image(), "label": slim.tfexample_decoder.Tensor("label")})
    data = slim.dataset.Dataset(str(folder / "*.tfrecord"), tf.TFRecordReader, decoder, 32, {}, num_classes=2)
    provider = slim.dataset_data_provider.DatasetDataProvider(data, common_queue_capacity=32, common_queue_min=4,
                                                               seed=1)
    image, label = provider.get(["image", "label"])
    image = gc.to_float(image) / 255
    image.set_shape([4, 4, 3])
    images, labels = gc.train.batch([image, label], 8)
    queue = slim.prefetch_queue.prefetch_queue([images, labels], capacity=2)
    return queue.dequeue()  # type: ignore[no-any-return]


def test_from_records_to_an_evaluated_model(tmp_path: Path) -> None:
    _write_records(tmp_path / "train.tfrecord")
    logs = tmp_path / "log"
    images, labels = _batch(tmp_path)
    slim.losses.sparse_softmax_cross_entropy(_model(images), labels)
    total = slim.losses.get_total_loss()
    gc.summary.scalar("total", total)
    train_op = slim.learning.create_train_op(total, gc.train.GradientDescentOptimizer(0.5), clip_gradient_norm=5.0,
                                             gradient_multipliers={"logits/biases": 2.0}, summarize_gradients=True)
    loss = slim.learning.train(train_op, str(logs), number_of_steps=30, log_every_n_steps=10)
    assert loss < 0.3
    assert tf.train.latest_checkpoint(str(logs)) == str(logs / "model.ckpt-30")
    with gc.Graph().as_default():
        gc.train.get_or_create_global_step()
        logits = _model(np.stack([np.full((4, 4, 3), v, np.float32) for v in (0.1, 0.8)]))
        found = slim.evaluation.evaluate_once("", tf.train.latest_checkpoint(str(logs)), str(logs), num_evals=2,
                                              eval_op=logits, final_op=gc.argmax(logits, 1))
    assert found.tolist() == [0, 1]


def test_the_last_checkpoint_is_the_latest_one(tmp_path: Path) -> None:
    """A short training ends while the supervisor's thread still saves the checkpoint of its begin."""
    saved = []

    class Slow(gc.train.Saver):
        def save(self, session: Any, path: str, global_step: Any = None, **more: Any) -> Any:
            step = gc.train.global_step(session, global_step)
            if threading.current_thread() is not threading.main_thread():
                time.sleep(0.3)
            saved.append(super().save(session, path, step, **more))
            return saved[-1]

    w = gc.get_variable("w", initializer=4.0)
    train_op = slim.learning.create_train_op(w ** 2, gc.train.GradientDescentOptimizer(0.25))
    with warnings.catch_warnings():
        warnings.simplefilter("error")          # nothing is written to a closed FileWriter
        assert slim.learning.train(train_op, str(tmp_path), number_of_steps=3, saver=Slow()) == 1.0
    assert tf.train.latest_checkpoint(str(tmp_path)) == saved[-1] == str(tmp_path / "model.ckpt-3")


def test_training_stops_at_the_end_of_the_data() -> None:
    step = gc.train.get_or_create_global_step()
    values = gc.train.input_producer(gc.constant([1.0, 2.0, 3.0]), shuffle=False, num_epochs=1).dequeue()
    w = gc.get_variable("w", initializer=0.0)
    train_op = slim.learning.create_train_op(gc.square(w - values), gc.train.GradientDescentOptimizer(0.5))
    seen = []

    def step_fn(session: Any, op: Any, global_step: Any, given: dict[str, Any]) -> tuple[Any, Any]:
        loss, stop = slim.learning.train_step(session, op, global_step, given)
        seen.append((float(loss), int(session.run(global_step))))
        return loss, stop

    assert slim.learning.train(train_op, None, step_fn, global_step=step) == seen[-1][0]
    assert seen == [(1.0, 1), (1.0, 2), (1.0, 3)]


@pytest.mark.parametrize(("given", "said"), [
    ({"train_op": None}, "train_op cannot be None"), ({"number_of_steps": 0}, "None or a positive number, but is 0"),
    ({"saver": object()}, "Cannot provide saver because logdir=None"),
    ({"sync_optimizer": object()}, "replicas of several processes"),
])
def test_wrong_arguments(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slim.learning.train(**{"train_op": gc.constant(0.0), "logdir": None, **given})


def test_slims_summaries() -> None:
    x = gc.constant([[0.0, 1.0]], name="x")
    made = [slim.summaries.add_histogram_summary(x, prefix="p"), slim.summaries.add_zero_fraction_summary(x),
            slim.summarize_tensor(gc.reduce_sum(x, name="s")), slim.summarize_activation(gc.nn.relu(x, name="r"))]
    texts = [tf.Summary.FromString(s) for s in gc.Session().run(made)]
    assert [t.value[0].tag for t in texts] == ["p/x", "x/Fraction_of_Zero_Values", "s_summary", "r/activation"]
    assert texts[1].value[0].simple_value == 0.5
