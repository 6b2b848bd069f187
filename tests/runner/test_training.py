"""Training in C++: every step gives the Session's numbers to the bit, signatures share variables, and random ops go on where
the session that wrote the file was."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner

STEPS = 20


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@dataclass(frozen=True)
class Training:
    """What a program trains: its feeds, with a batch for each step, the loss, what is predicted, and the train op."""

    feeds: list[gc.Tensor]
    batches: list[list[np.ndarray]]
    loss: gc.Tensor
    predicted: gc.Tensor
    train: gc.Operation


def _batches(rng: np.random.Generator, width: int, classes: int) -> list[list[np.ndarray]]:
    return [[rng.normal(size=(5 + i % 3, width)).astype(np.float32), rng.integers(classes, size=5 + i % 3)]
            for i in range(STEPS)]


def dense() -> Training:
    """Adam with slots, a learning rate that decays with global_step, and dropout."""
    x, labels = gc.placeholder(gc.float32, [None, 12], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    hidden = gc.nn.dropout(gc.layers.dense(x, 16, activation=gc.nn.relu), keep_prob=0.7)
    logits = gc.layers.dense(hidden, 4)
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = gc.train.get_or_create_global_step()
    rate = gc.train.exponential_decay(0.01, step, 5, 0.5, staircase=True)
    train = gc.train.AdamOptimizer(rate).minimize(loss, global_step=step)
    return Training([x, labels], _batches(np.random.default_rng(0), 12, 4), loss, gc.nn.softmax(logits), train)


def batch_norm() -> Training:
    """A convolution and a batch norm, whose moving averages are updates that the train op waits for; momentum."""
    x, labels = gc.placeholder(gc.float32, [None, 36], name="x"), gc.placeholder(gc.int64, [None], name="labels")
    maps = gc.layers.conv2d(gc.reshape(x, [-1, 6, 6, 1]), 4, 3, use_bias=False)
    training = gc.placeholder_with_default(True, [], name="training")
    normed = gc.nn.relu(gc.layers.batch_normalization(maps, training=training))
    logits = gc.layers.dense(gc.layers.flatten(normed), 3)
    loss = gc.losses.sparse_softmax_cross_entropy(labels, logits)
    with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):
        train = gc.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    return Training([x, labels], _batches(np.random.default_rng(1), 36, 3), loss, logits, train)


def recurrent() -> Training:
    """A recurrent net in a while loop, its gradient clipped; Adagrad on an embedding, whose gradient is sparse."""
    words = gc.placeholder(gc.int32, [None, None], name="words")
    table = gc.get_variable("embedding", [20, 6])
    cell = gc.nn.rnn_cell.BasicRNNCell(8)
    outputs, last = gc.nn.dynamic_rnn(cell, gc.nn.embedding_lookup(table, words), dtype=gc.float32)
    loss = gc.reduce_mean(gc.square(gc.layers.dense(last, 1)))
    optimizer = gc.train.AdagradOptimizer(0.1)
    found, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = gc.clip_by_global_norm(found, 1.0)
    train = optimizer.apply_gradients(zip(clipped, variables, strict=True))
    rng = np.random.default_rng(2)
    batches = [[rng.integers(20, size=(3, 2 + i % 4)).astype(np.int32)] for i in range(STEPS)]
    return Training([words], batches, loss, outputs, train)


@pytest.mark.parametrize("program", [dense, batch_norm, recurrent])
def test_steps_equal_the_sessions(native: n.Native, program: Callable[[], Training]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        gc.set_random_seed(7)
        made = program()
        session.run(gc.global_variables_initializer())
        session.run(made.train, dict(zip(made.feeds, made.batches[-1], strict=True)))
        file = gc.export_model(session, {
            "train": gc.Signature([made.loss, made.train], made.feeds), "predict": gc.Signature(made.predicted)})
        losses, predictions = [], []
        for batch in made.batches:
            loss, _ = session.run([made.loss, made.train], dict(zip(made.feeds, batch, strict=True)))
            losses.append(loss)
            predictions.append(session.run(made.predicted, {made.feeds[0]: batch[0]}))
        final = {v.op.name: session.run(v) for v in gc.global_variables()}
    data = file.SerializeToString()
    with (native.load(data, signature=b"train") as train, native.load(data, share=train, signature=b"predict") as predict):
        for batch, loss, prediction in zip(made.batches, losses, predictions, strict=True):
            np.testing.assert_array_equal(train.run(batch)[0], loss)
            np.testing.assert_array_equal(predict.run(batch[:1])[0], prediction)
        states = predict.states()
    assert states.keys() == final.keys()
    for name, value in final.items():
        np.testing.assert_array_equal(states[name], value, err_msg=name)
