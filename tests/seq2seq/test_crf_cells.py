"""The cells of contrib.crf run by dynamic_rnn give what its functions give."""
from __future__ import annotations

import itertools

import numpy as np

import graphc as gc

RNG = np.random.default_rng(0)
INPUTS, TRANSITIONS = RNG.normal(size=(3, 5, 4)).astype(np.float32), RNG.normal(size=(4, 4)).astype(np.float32)
LENGTHS = [5, 2, 1]


def test_cells() -> None:
    gc.reset_default_graph()
    crf, x = gc.contrib.crf, gc.constant(INPUTS)
    less = gc.constant(LENGTHS) - 1
    _, alphas = gc.nn.dynamic_rnn(crf.CrfForwardRnnCell(TRANSITIONS), x[:, 1:], less, x[:, 0], dtype=gc.float32)
    behind, last = gc.nn.dynamic_rnn(crf.CrfDecodeForwardRnnCell(TRANSITIONS), x[:, 1:], less, x[:, 0], dtype=gc.int32)
    first = gc.expand_dims(gc.cast(gc.argmax(last, 1), gc.int32), -1)
    tags, _ = gc.nn.dynamic_rnn(crf.CrfDecodeBackwardRnnCell(4), gc.reverse_sequence(behind, less, seq_dim=1), less,
                                first, dtype=gc.int32)
    tags = gc.reverse_sequence(gc.concat([first, gc.squeeze(tags, [2])], 1), LENGTHS, seq_dim=1)
    with gc.Session() as session:
        norm, wanted, found, (best, score), top = session.run([
            gc.reduce_logsumexp(alphas, 1), crf.crf_log_norm(x, LENGTHS, TRANSITIONS), tags,
            crf.crf_decode(x, TRANSITIONS, gc.constant(LENGTHS)), gc.reduce_max(last, 1)])
    np.testing.assert_allclose(norm, wanted, rtol=1e-6)
    np.testing.assert_array_equal(found, best)
    np.testing.assert_allclose(top, score, rtol=1e-6)


def test_multitag_score() -> None:
    """Against all sequences of tags that are allowed."""
    gc.reset_default_graph()
    allowed = RNG.random((3, 5, 4)) > 0.4
    allowed[..., 0] = True
    score = gc.contrib.crf.crf_multitag_sequence_score(INPUTS, allowed, LENGTHS, TRANSITIONS)
    with gc.Session() as session:
        found = session.run(score)
    for n, length in enumerate(LENGTHS):
        scores = [sum(INPUTS[n, k, t] for k, t in enumerate(tags)) + sum(TRANSITIONS[a, b] for a, b in
                                                                         itertools.pairwise(tags))
                  for tags in itertools.product(range(4), repeat=length)
                  if all(allowed[n, k, t] for k, t in enumerate(tags))]
        np.testing.assert_allclose(found[n], np.log(np.exp(scores).sum()), rtol=1e-5)
