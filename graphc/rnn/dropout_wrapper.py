"""DropoutWrapper: drops elements of a cell's inputs, outputs and states."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.lstm import LSTMStateTuple
from graphc.rnn.wrappers import Wrapper


@public("nn.rnn_cell.DropoutWrapper", "contrib.rnn.DropoutWrapper")
class DropoutWrapper(Wrapper):
    """Dropout of inputs, outputs and new states, each kept with its probability; as `tf.nn.rnn_cell.DropoutWrapper`.

    A probability is a number or a tensor. variational_recurrent: one mask for all steps and rows of a run; it needs
    dtype and, to drop inputs, input_size (a TensorShape without the batch, or a structure of them).
    dropout_state_filter_visitor(part of the state) says what may be dropped: True, False, or a tuple with one of them
    for each part; by default all but the c of an LSTMStateTuple. Raises TypeError for what is no cell and for a visitor
    that is not callable or gives no bool, ValueError for a probability outside [0, 1], or if dtype or input_size is
    missing.

    >>> keep = gc.placeholder_with_default(1., [])
    >>> cell = gc.nn.rnn_cell.DropoutWrapper(gc.nn.rnn_cell.GRUCell(8), output_keep_prob=keep, seed=3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([4, 5, 3]), dtype=gc.float32)
    >>> gc.global_variables_initializer().run()
    >>> bool((outputs.eval() == 0.).any()), bool((outputs.eval({keep: 0.5}) == 0.).any())
    (False, True)
    """

    def __init__(self, cell: Any, input_keep_prob: Any = 1.0, output_keep_prob: Any = 1.0, state_keep_prob: Any = 1.0,
                 variational_recurrent: bool = False, input_size: Any = None, dtype: Any = None,
                 seed: int | None = None, dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
                 **more: Any) -> None:
        super().__init__(cell, dtype=dtype, **more)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._filter = dropout_state_filter_visitor or _all_but_memory
        self._seed = seed
        with gc.name_scope("DropoutWrapperInit"):
            self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
            self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
            self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
            self._noise: dict[str, Any] = {}
            if variational_recurrent:
                self._draw_noise(input_size, dtype)

    def _draw_noise(self, input_size: Any, dtype: Any) -> None:
        """The masks of variational dropout: uniform numbers, drawn once a run."""
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        sizes = {"state": self.cell.state_size, "output": self.cell.output_size}
        if _may_drop(self._input_keep_prob):
            if input_size is None:
                raise ValueError("When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size "
                                 "must be provided")
            sizes = {"input": input_size, **sizes}
        for kind, size in sizes.items():
            numbers = count()
            self._noise[kind] = structures.map_structure(
                lambda s, kind=kind, numbers=numbers: gc.random_uniform(
                    [1, *structures.sizes_of(s)], dtype=dtype, seed=self._seed_of(kind, next(numbers))), size)

    def _seed_of(self, kind: str, number: int) -> int | None:
        """The seed of one part, as TensorFlow makes it of the seed given."""
        if self._seed is None:
            return None
        text = f"{self._seed}{kind}_{number}".encode()
        return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:8], 16) & 0x7FFFFFFF

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        if _may_drop(self._input_keep_prob):
            inputs = self._dropped("input", inputs, self._input_keep_prob)
        output, new_state = call(inputs)
        if _may_drop(self._state_keep_prob):
            chosen = _chosen(self._filter, new_state)
            new_state = self._dropped("state", new_state, self._state_keep_prob, chosen)
        if _may_drop(self._output_keep_prob):
            output = self._dropped("output", output, self._output_keep_prob)
        return output, new_state

    def _dropped(self, kind: str, values: Any, keep_prob: Any, chosen: Any = None) -> Any:
        if chosen is None:
            chosen = structures.map_structure(lambda _: True, values)
        return self._drop(kind, values, keep_prob, chosen, self._noise.get(kind), count())

    def _drop(self, kind: str, values: Any, keep_prob: Any, chosen: Any, noise: Any, numbers: Iterator[int]) -> Any:
        if isinstance(chosen, bool):
            number = next(numbers)
            if not chosen:
                return values
            if noise is None:
                return gc.nn.dropout(values, rate=1.0 - keep_prob, seed=self._seed_of(kind, number))
            kept = gc.div(values, keep_prob) * gc.floor(keep_prob + noise)
            kept.set_shape(values.shape)
            return kept
        parts = [self._drop(kind, part, keep_prob, choice, None if noise is None else noise[i], numbers)
                 for i, (part, choice) in enumerate(zip(values, chosen, strict=True))]
        return type(values)(*parts) if hasattr(values, "_fields") else type(values)(parts)


def _probability(name: str, given: Any) -> Any:
    """A number if it is known, else a tensor."""
    tensor = gc.convert_to_tensor(given)
    known = gc.get_static_value(tensor)
    if known is None:
        return tensor
    if not 0 <= known <= 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {float(known)}")
    return float(known)


def _may_drop(keep_prob: Any) -> bool:
    return not isinstance(keep_prob, float) or keep_prob < 1


def _all_but_memory(part: Any) -> Any:
    if isinstance(part, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(part, gc.TensorArray)


def _chosen(visitor: Callable[[Any], Any], part: Any) -> Any:
    """The state's structure with a bool for each leaf, or one for a whole part that is left alone."""
    answer = visitor(part)
    if not structures.is_nested(part):
        if not isinstance(answer, bool):
            raise TypeError(f"dropout_state_filter_visitor must give a bool for {part!r}, but gave {answer!r}")
        return answer
    if answer is False:
        return False
    answers = [True] * len(part) if answer is True else answer
    if not structures.is_nested(answers) or len(answers) != len(part) or not all(isinstance(a, bool) for a in answers):
        raise TypeError("dropout_state_filter_visitor must give a bool, or one for each part, for "
                        f"{part!r}, but gave {answer!r}")
    return tuple(_chosen(visitor, inner) if ok else False for inner, ok in zip(part, answers, strict=True))
