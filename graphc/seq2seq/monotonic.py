"""Monotonic attention: what was passed over is never attended to again (Raffel et al. 2017, arXiv 1704.00784)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.seq2seq.attention import BahdanauScore, LuongScore
from graphc.seq2seq.samples import size_of

MODES = ("recursive", "parallel", "hard")


@public("contrib.seq2seq.safe_cumprod")
def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> gc.Tensor:
    """gc.cumprod of numbers from 0 to 1, as exp(cumsum(log(x))): neither it nor its gradient underflows.

    The other arguments are those of gc.cumprod. x: floats of any shape, which the result has. Raises ValueError for an
    axis out of range and for integers. As `tf.contrib.seq2seq.safe_cumprod`.

    >>> x = gc.constant([0.5, 0.5, 0.25])
    >>> gc.contrib.seq2seq.safe_cumprod(x).eval(), gc.contrib.seq2seq.safe_cumprod(x, exclusive=True).eval()
    (array([0.5   , 0.25  , 0.0625], dtype=float32), array([1.  , 0.5 , 0.25], dtype=float32))
    """
    with gc.name_scope(None, "SafeCumprod", [x]):
        x = gc.convert_to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return gc.exp(gc.cumsum(gc.log(gc.clip_by_value(x, tiny, 1)), *args, **kwargs))


@public("contrib.seq2seq.monotonic_attention")
def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> gc.Tensor:
    """The attention [batch, time], of the probabilities to choose each place and the attention before.

    Both are floats of one dtype. mode: "recursive" is exact, step by step; "parallel" a closed form, which loses
    precision near 0 and 1; "hard" is for probabilities that are 0 or 1. Raises ValueError for another one and for
    shapes that do not fit. As `tf.contrib.seq2seq.monotonic_attention`.

    >>> choose, before = gc.constant([[0.5, 0.5, 1.]]), gc.constant([[1., 0., 0.]])
    >>> gc.contrib.seq2seq.monotonic_attention(choose, before, "recursive").eval()
    array([[0.5 , 0.25, 0.25]], dtype=float32)
    >>> gc.contrib.seq2seq.monotonic_attention(choose, before, "parallel").eval()
    array([[0.5 , 0.25, 0.25]], dtype=float32)
    """
    if mode not in MODES:
        raise ValueError(f"mode must be 'recursive', 'parallel', or 'hard', but is {mode!r}.")
    chosen = gc.convert_to_tensor(p_choose_i, name="p_choose_i")
    before = gc.convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        return _recursive(chosen, before)
    if mode == "parallel":
        passed = safe_cumprod(1 - chosen, axis=1, exclusive=True)
        return chosen * passed * gc.cumsum(before / gc.clip_by_value(passed, 1e-10, 1.0), axis=1)
    chosen *= gc.cumsum(before, axis=1)
    return chosen * gc.cumprod(1 - chosen, axis=1, exclusive=True)


def _recursive(chosen: Any, before: Any) -> gc.Tensor:
    """q[i] = (1 - chosen[i - 1]) * q[i - 1] + before[i]; the attention is chosen * q."""
    batch = size_of(chosen, 0)
    passed = gc.concat([gc.ones((batch, 1), dtype=chosen.dtype), 1 - chosen[:, :-1]], 1)
    reached = gc.scan(lambda q, step: gc.reshape(step[0] * q + step[1], (batch,)),
                      [gc.transpose(passed), gc.transpose(before)], gc.zeros((batch,), dtype=chosen.dtype))
    return chosen * gc.transpose(reached)


def _probability_of(sigmoid_noise: float, mode: str, seed: Any) -> Callable[[Any, Any], Any]:
    """What makes attention of scores and the attention before."""
    def function(score: Any, previous: Any) -> gc.Tensor:
        if sigmoid_noise > 0:
            score += sigmoid_noise * gc.random_normal(gc.shape(score), dtype=score.dtype, seed=seed)
        chosen = gc.cast(score > 0, score.dtype) if mode == "hard" else gc.sigmoid(score)
        return monotonic_attention(chosen, previous, mode)

    return function


class _Monotonic:
    """The first attention is all on the first place."""

    _alignments_size: Any

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """[batch_size, alignments_size]: 1, 0, 0, ..."""
        return gc.one_hot(gc.zeros((batch_size,), dtype=gc.int32), self._alignments_size, dtype=dtype)


@public("contrib.seq2seq.BahdanauMonotonicAttention")
class BahdanauMonotonicAttention(_Monotonic, BahdanauScore):
    """Additive attention that only moves forward in the memory (Raffel et al.), as
    `tf.contrib.seq2seq.BahdanauMonotonicAttention`.

    sigmoid_noise: standard deviation of what is added to scores, with sigmoid_noise_seed; score_bias_init: the first
    value of a variable that is added. mode: see monotonic_attention. memory, query and errors: as of BahdanauAttention;
    ValueError for another mode when called.

    >>> memory = gc.ones([2, 5, 6])
    >>> mechanism = gc.contrib.seq2seq.BahdanauMonotonicAttention(4, memory, mode="hard", score_bias_init=9.)
    >>> alignments, state = mechanism(gc.ones([2, 3]), mechanism.initial_state(2, gc.float32))
    >>> gc.global_variables_initializer().run()
    >>> alignments.eval()
    array([[1., 0., 0., 0., 0.],
           [1., 0., 0., 0., 0.]], dtype=float32)
    """

    def __init__(self, num_units: int, memory: Any, memory_sequence_length: Any = None, normalize: bool = False,
                 score_mask_value: Any = None, sigmoid_noise: float = 0.0, sigmoid_noise_seed: Any = None,
                 score_bias_init: float = 0.0, mode: str = "parallel", dtype: Any = None,
                 name: str | None = "BahdanauMonotonicAttention") -> None:
        super().__init__(num_units, memory, normalize, dtype, memory_sequence_length=memory_sequence_length,
                         probability_fn=_probability_of(sigmoid_noise, mode, sigmoid_noise_seed),
                         score_mask_value=score_mask_value, name=name)
        self._score_bias_init = score_bias_init

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(None, "bahdanau_monotonic_attention", [query]):
            score = self._score(query)
            score += self._score_bias(query.dtype, self._score_bias_init)
        return self._aligned(score, state)


@public("contrib.seq2seq.LuongMonotonicAttention")
class LuongMonotonicAttention(_Monotonic, LuongScore):
    """Multiplicative attention that only moves forward in the memory, as `tf.contrib.seq2seq.LuongMonotonicAttention`;
    parameters as BahdanauMonotonicAttention's.

    memory, query and errors: as of LuongAttention; ValueError for another mode when called.

    >>> mechanism = gc.contrib.seq2seq.LuongMonotonicAttention(3, gc.ones([2, 5, 6]), mode="recursive")
    >>> alignments, state = mechanism(gc.ones([2, 3]), mechanism.initial_state(2, gc.float32))
    >>> alignments.shape
    TensorShape([Dimension(2), Dimension(5)])
    """

    def __init__(self, num_units: int, memory: Any, memory_sequence_length: Any = None, scale: bool = False,
                 score_mask_value: Any = None, sigmoid_noise: float = 0.0, sigmoid_noise_seed: Any = None,
                 score_bias_init: float = 0.0, mode: str = "parallel", dtype: Any = None,
                 name: str | None = "LuongMonotonicAttention") -> None:
        super().__init__(num_units, memory, scale, dtype, memory_sequence_length=memory_sequence_length,
                         probability_fn=_probability_of(sigmoid_noise, mode, sigmoid_noise_seed),
                         score_mask_value=score_mask_value, name=name)
        self._score_bias_init = score_bias_init

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(None, "luong_monotonic_attention", [query]):
            score = self._score(query)
            score += self._score_bias(query.dtype, self._score_bias_init)
        return self._aligned(score, state)
