"""Linear-chain conditional random fields: the score of tags, the sum over all tags, and the best ones.

inputs: [batch, time, tags]; transition_params[i, j]: the score of tag j after tag i. As `tf.contrib.crf`.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros, zeros_like
from graphc.api.array.gather import gather, gather_nd, one_hot
from graphc.api.array.grids import sequence_mask
from graphc.api.array.join import concat, stack
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.control.tensor_array import TensorArray
from graphc.api.control.while_loop import while_loop
from graphc.api.math.binary import maximum
from graphc.api.math.comparison import less, less_equal
from graphc.api.math.reduce import argmax, reduce_logsumexp, reduce_max, reduce_sum
from graphc.api.public import public
from graphc.api.state.get_variable import get_variable
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("contrib.crf.crf_unary_score")
def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Tensor:
    """float[batch]: the sum of the inputs [batch, time, tags] at the tags of each sequence, up to its length.

    tag_indices: int[batch, time]; sequence_lengths: int[batch]. Raises TypeError for tags that are no integers,
    ValueError for inputs of another rank. As `tf.contrib.crf.crf_unary_score`.

    >>> inputs = [[[1., 2.], [3., 4.], [5., 6.]]]
    >>> gc.contrib.crf.crf_unary_score([[0, 1, 1]], [2], inputs).eval()
    array([5.], dtype=float32)
    """
    inputs, tags = convert_to_tensor(inputs), convert_to_tensor(tag_indices)
    chosen = reduce_sum(inputs * one_hot(tags, shape(inputs)[2], dtype=inputs.dtype), axis=2)
    return reduce_sum(chosen * _mask(sequence_lengths, shape(tags)[1], inputs.dtype), axis=1)


@public("contrib.crf.crf_binary_score")
def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """float[batch]: the sum of transition_params[tag, next tag] over each sequence, up to its length.

    tag_indices: int[batch, time]; sequence_lengths: int[batch]; transition_params: [tags, tags]. Raises ValueError for
    other ranks. As `tf.contrib.crf.crf_binary_score`.

    >>> gc.contrib.crf.crf_binary_score([[0, 1, 1]], [3], [[1., 2.], [3., 4.]]).eval()
    array([6.], dtype=float32)
    """
    transitions, tags = convert_to_tensor(transition_params), cast(convert_to_tensor(tag_indices), int32)
    pairs = stack([tags[:, :-1], tags[:, 1:]], axis=-1)
    lengths = maximum(convert_to_tensor(sequence_lengths) - 1, 0)
    return reduce_sum(gather_nd(transitions, pairs) * _mask(lengths, shape(pairs)[1], transitions.dtype), axis=1)


@public("contrib.crf.crf_sequence_score")
def crf_sequence_score(inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """float[batch]: the score of the tags of each sequence, its unary and its binary score; 0 of an empty one.

    Not normalised: `crf_log_norm` is the logarithm of what to divide exp(score) by. Arguments as of `crf_unary_score`
    and `crf_binary_score`, errors too. As `tf.contrib.crf.crf_sequence_score`.

    >>> inputs, transitions = [[[1., 2.], [3., 4.]]], [[0.1, 0.2], [0.3, 0.4]]
    >>> gc.contrib.crf.crf_sequence_score(inputs, [[0, 1]], [2], transitions).eval()
    array([5.2], dtype=float32)
    """
    with get_default_graph().name_scope("crf_sequence_score"):
        return (crf_unary_score(tag_indices, sequence_lengths, inputs)
                + crf_binary_score(tag_indices, sequence_lengths, transition_params))


@public("contrib.crf.crf_multitag_sequence_score")
def crf_multitag_sequence_score(inputs: Any, tag_bitmap: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """The logarithm of the sum of exp(score) over all tags that tag_bitmap, bool[batch, time, tags], allows.

    As `tf.contrib.crf.crf_multitag_sequence_score`. Raises TypeError for a bitmap that is not bool, ValueError for one
    of another shape than inputs. Of one allowed tag at each place it is `crf_sequence_score`.

    >>> inputs, transitions = [[[1., 2.], [3., 4.]]], gc.zeros([2, 2])
    >>> gc.contrib.crf.crf_multitag_sequence_score(inputs, [[[True, False], [True, True]]], [2], transitions).eval()
    array([5.3133], dtype=float32)
    """
    inputs = convert_to_tensor(inputs)
    allowed = where_v2(convert_to_tensor(tag_bitmap), inputs, cast(float("-inf"), inputs.dtype))
    return crf_log_norm(allowed, sequence_lengths, transition_params)


def _mask(lengths: Any, most: Any, dtype: Any) -> Tensor:
    return sequence_mask(lengths, maxlen=most, dtype=dtype)


@public("contrib.crf.crf_log_norm")
def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Tensor:
    """float[batch]: the logarithm of the sum of exp(score) over all tags of each sequence; 0 of an empty one.

    inputs: [batch, time, tags]; sequence_lengths: int[batch]; transition_params: [tags, tags]. Raises ValueError for
    other ranks and if the numbers of tags differ. As `tf.contrib.crf.crf_log_norm`.

    >>> gc.contrib.crf.crf_log_norm(gc.zeros([1, 3, 2]), [3], gc.zeros([2, 2])).eval()      # log 2 ** 3
    array([2.0794], dtype=float32)
    """
    with get_default_graph().name_scope("crf_log_norm"):
        inputs, transitions = convert_to_tensor(inputs), convert_to_tensor(transition_params)
        lengths, steps = convert_to_tensor(sequence_lengths), transpose(inputs, [1, 0, 2])

        def body(i: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
            ahead = reduce_logsumexp(expand_dims(alphas, 2) + transitions, 1) + gather(steps, i)
            return i + 1, where_v2(_runs_on(i, lengths), ahead, alphas)

        count = shape(steps)[0]
        _, alphas = while_loop(lambda i, _: less(i, count), body, (1, steps[0]), name="forward")
        total = reduce_logsumexp(alphas, 1)
        return where_v2(less_equal(lengths, cast(0, lengths.dtype)), zeros_like(total), total)


def _runs_on(i: Tensor, lengths: Tensor) -> Tensor:
    """bool[batch, 1]: whether place i is inside of the sequence."""
    return expand_dims(less(cast(i, lengths.dtype), lengths), 1)


@public("contrib.crf.crf_log_likelihood")
def crf_log_likelihood(inputs: Any, tag_indices: Any, sequence_lengths: Any,
                       transition_params: Any = None) -> tuple[Tensor, Any]:
    """(logarithms of the probabilities of the tags, float[batch]; the transition scores).

    inputs: floats [batch, time, tags]; tag_indices: int[batch, time]; sequence_lengths: int[batch]. transition_params:
    [tags, tags]; without it a variable "transitions", which training fits by minimising -mean(log likelihood). As
    `tf.contrib.crf.crf_log_likelihood`. Raises ValueError if that variable's size is not known.

    >>> inputs = gc.constant([[[2., 0.], [0., 2.], [0., 2.]]])
    >>> log_likelihood, transitions = gc.contrib.crf.crf_log_likelihood(inputs, [[0, 1, 1]], [3], gc.zeros([2, 2]))
    >>> gc.exp(log_likelihood).eval()
    array([0.6833], dtype=float32)
    >>> gc.gradients(-log_likelihood, transitions)[0].eval()
    array([[ 0.1192, -0.1192],
           [ 0.1192, -0.1192]], dtype=float32)
    """
    inputs = convert_to_tensor(inputs)
    if transition_params is None:
        tags = inputs.shape[2].value
        if tags is None:
            raise ValueError("crf_log_likelihood: the number of tags, the last size of inputs, must be known for a "
                             "variable of transition scores; give transition_params, or set_shape")
        transition_params = get_variable("transitions", [tags, tags], dtype=inputs.dtype)
    score = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return score - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


@public("contrib.crf.viterbi_decode")
def viterbi_decode(score: Any, transition_params: Any) -> tuple[list[int], Any]:
    """(the best tags of one sequence, a list; their score) of NumPy arrays, without a graph.

    score: [time, tags]; transition_params: [tags, tags]. Raises ValueError if the numbers of tags differ. As
    `tf.contrib.crf.viterbi_decode`.

    >>> tags, score = gc.contrib.crf.viterbi_decode([[1., 2.], [3., 1.], [1., 2.]], [[5., 0.], [0., 0.]])
    >>> tags, float(score)
    ([0, 0, 0], 15.0)
    """
    score, transitions = np.asarray(score), np.asarray(transition_params)
    best, behind = score[0], []
    for row in score[1:]:
        ahead = best[:, None] + transitions
        behind.append(ahead.argmax(0))
        best = row + ahead.max(0)
    tags = [int(best.argmax())]
    for pointers in reversed(behind):
        tags.append(int(pointers[tags[-1]]))
    return tags[::-1], best.max()


@public("contrib.crf.crf_decode")
def crf_decode(potentials: Any, transition_params: Any, sequence_length: Any) -> tuple[Tensor, Tensor]:
    """(the best tags of each sequence, int32[batch, time] with zeros after its end; their scores, float[batch]).

    potentials: floats [batch, time, tags]; transition_params: [tags, tags]; sequence_length: int[batch]. Raises
    ValueError for other ranks and if the numbers of tags differ. As `tf.contrib.crf.crf_decode`.

    >>> tags, score = gc.contrib.crf.crf_decode([[[1., 2.], [3., 1.], [1., 9.]]], [[5., 0.], [0., 0.]], [2])
    >>> tags.eval(), score.eval()
    (array([[0, 0, 0]], dtype=int32), array([9.], dtype=float32))
    """
    with get_default_graph().name_scope("crf_decode"):
        inputs, transitions = convert_to_tensor(potentials), convert_to_tensor(transition_params)
        lengths, steps = convert_to_tensor(sequence_length), transpose(inputs, [1, 0, 2])
        count, batch, tags = shape(steps)[0], shape(steps)[1], shape(steps)[2]

        def forward(i: Tensor, best: Tensor, pointers: TensorArray) -> tuple[Tensor, Tensor, TensorArray]:
            ahead = expand_dims(best, 2) + transitions
            inside = _runs_on(i, lengths)
            here = where_v2(inside, cast(argmax(ahead, 1), int32), range_(tags))
            return i + 1, where_v2(inside, reduce_max(ahead, 1) + gather(steps, i), best), pointers.write(i, here)

        empty = TensorArray(int32, size=count, element_shape=[None, None])
        _, best, pointers = while_loop(lambda i, *_: less(i, count), forward, (1, steps[0], empty), name="forward")
        last = cast(argmax(best, 1), int32)

        def backward(i: Tensor, tag: Tensor, found: TensorArray) -> tuple[Tensor, Tensor, TensorArray]:
            before = gather_nd(pointers.read(i), stack([range_(batch), tag], axis=1))
            return i - 1, before, found.write(i - 1, before)

        listed = TensorArray(int32, size=count, element_shape=[None]).write(count - 1, last)
        *_, listed = while_loop(lambda i, *_: less(0, i), backward, (count - 1, last, listed), name="backward")
        found = transpose(listed.stack(), [1, 0])
        inside = sequence_mask(maximum(lengths, 1), maxlen=count)
        made = where_v2(inside, found, zeros(concat([[batch], [count]], 0), int32))
        return reshape(made, [batch, count]), reduce_max(best, 1)
