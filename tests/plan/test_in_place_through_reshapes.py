"""What is computed in the memory of something else, where a Reshape of as many axes lies between the two."""
from __future__ import annotations

import numpy as np

import graphc as gc


def test_a_variable_takes_what_was_reshaped() -> None:
    x = gc.placeholder(gc.float32, [None, 3])
    given = np.random.default_rng(0).random((8, 3), np.float32)
    for make, reference in ((lambda v: gc.exp(v) * 2.0, lambda v: np.exp(v) * 2), (gc.nn.softmax, None),
                            (lambda v: gc.exp(gc.reshape(gc.cumsum(v), [2, 12])),
                             lambda v: np.exp(np.cumsum(v, 0)))):
        variable = gc.Variable(np.zeros((6, 4), np.float32))
        step = variable.assign(gc.reshape(make(x), [6, 4])).op
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            for _ in range(2):
                session.run(step, {x: given})
            found = session.run(variable)
        wanted = reference(given) if reference else np.exp(given) / np.exp(given).sum(1, keepdims=True)
        np.testing.assert_allclose(found, wanted.reshape(6, 4), rtol=1e-5)


def test_a_loss_of_what_was_reshaped_gives_its_gradient_in_place() -> None:
    x, labels = gc.placeholder(gc.float32, [None, 40, 8]), gc.placeholder(gc.int32, [None])
    w = gc.Variable(np.linspace(-1, 1, 8, dtype=np.float32)[:, None])
    logits = gc.squeeze(gc.tensordot(x, w, 1), [2])
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))
    gradient = gc.gradients(loss, [w])[0]
    draw = np.random.default_rng(0)
    given, classes = draw.random((16, 40, 8), np.float32), draw.integers(0, 40, 16)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        found = session.run([loss, gradient], {x: given, labels: classes})
    scores = given.astype(np.float64) @ np.linspace(-1, 1, 8)
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(found[0], -np.log(shares[np.arange(16), classes]).mean(), rtol=1e-5)
    slope = (shares - np.eye(40)[classes]) / 16
    np.testing.assert_allclose(found[1][:, 0], np.einsum("bi,bif->f", slope, given), rtol=1e-3, atol=1e-6)
