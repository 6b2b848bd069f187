"""AttentionWrapper: a cell that attends to memories, and reads what it found at the next step."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.cell import RNNCell
from graphc.rnn.structures import assert_like_rnncell
from graphc.seq2seq.attention import AttentionMechanism
from graphc.seq2seq.attention_state import AttentionWrapperState
from graphc.seq2seq.samples import size_of, zeros

_TILE = ("Are you using the BeamSearchDecoder?  You may need to tile your {} via the tf.contrib.seq2seq.tile_batch "
         "function with argument multiple=beam_width.")


@public("contrib.seq2seq.AttentionWrapper")
class AttentionWrapper(RNNCell):
    """A cell that attends to a memory in each step and reads what it found in the next, as
    `tf.contrib.seq2seq.AttentionWrapper`.

    attention_mechanism: one, or a list; then attention_layer_size or attention_layer are lists, too. The attention is
    the context (the sum of the memory by alignments), or with attention_layer_size what a Dense layer of that size,
    attention_layer, makes of the cell's output and the context. output_attention: whether it is the output; else the
    cell's is. alignment_history: all alignments are kept, in a TensorArray. cell_input_fn(inputs, attention): by
    default both side by side. initial_cell_state: that of zero_state. attention_fn(mechanism, cell output, state,
    layer) gives (attention, alignments, next state). Inputs and state are floats, [batch, n] each. Raises TypeError for
    what is no cell or no mechanism, a cell_input_fn that is not callable, and when called a state that is no
    AttentionWrapperState; ValueError if both attention_layer_size and attention_layer are given or one of them has
    another number of entries than there are mechanisms. Another batch size than the memory's is an
    InvalidArgumentError.

    >>> memory, lengths = gc.ones([2, 7, 6]), gc.constant([7, 4])
    >>> mechanism = gc.contrib.seq2seq.LuongAttention(4, memory, lengths)
    >>> cell = gc.contrib.seq2seq.AttentionWrapper(gc.nn.rnn_cell.GRUCell(4), mechanism, attention_layer_size=5)
    >>> output, state = cell(gc.ones([2, 3]), cell.zero_state(2, gc.float32))
    >>> gc.global_variables_initializer().run()
    >>> output.shape, state.alignments.eval()
    (TensorShape([Dimension(2), Dimension(5)]), array([[0.1429, 0.1429, 0.1429, 0.1429, 0.1429, 0.1429, 0.1429],
           [0.25  , 0.25  , 0.25  , 0.25  , 0.    , 0.    , 0.    ]], dtype=float32))
    """

    def __init__(self, cell: Any, attention_mechanism: Any, attention_layer_size: Any = None,
                 alignment_history: bool = False, cell_input_fn: Callable[..., Any] | None = None,
                 output_attention: bool = True, initial_cell_state: Any = None, name: str | None = None,
                 attention_layer: Any = None, attention_fn: Callable[..., Any] | None = None,
                 dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        assert_like_rnncell("cell", cell)
        self._is_multi = isinstance(attention_mechanism, (list, tuple))
        self._attention_mechanisms = tuple(attention_mechanism) if self._is_multi else (attention_mechanism,)
        for mechanism in self._attention_mechanisms:
            if not isinstance(mechanism, AttentionMechanism):
                raise TypeError("attention_mechanism must be an AttentionMechanism or list of multiple "
                                f"AttentionMechanism instances, saw type: {type(mechanism).__name__}")
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        self._cell = cell
        self._cell_input_fn = cell_input_fn or (lambda inputs, attention: gc.concat([inputs, attention], -1))
        self._output_attention = output_attention
        self._alignment_history = alignment_history
        self._attention_fn = attention_fn or _attention
        self._set_layers(attention_layer_size, attention_layer)
        self._initial_cell_state = None
        if initial_cell_state is not None:
            with gc.name_scope(name, "AttentionWrapperInit"):
                batch_size = size_of(gc.nest.flatten(initial_cell_state)[-1], 0)
                message = (f"When constructing AttentionWrapper {self._base_name}: Non-matching batch sizes between "
                           "the memory (encoder output) and initial_cell_state.  " + _TILE.format("initial state"))
                self._initial_cell_state = self._checked(batch_size, initial_cell_state, "check_initial_cell_state",
                                                         message)

    def _set_layers(self, sizes: Any, layers: Any) -> None:
        mechanisms = self._attention_mechanisms
        if sizes is not None and layers is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        depths = [m.values.shape[-1].value for m in mechanisms]
        self._attention_layers: tuple[Any, ...] | None = None
        if sizes is not None:
            depths = self._for_each("attention_layer_size", "integer", sizes)
            self._attention_layers = tuple(
                gc.layers.Dense(size, name="attention_layer", use_bias=False, dtype=mechanism.dtype)
                for size, mechanism in zip(depths, mechanisms, strict=True))
        elif layers is not None:
            self._attention_layers = tuple(self._for_each("attention_layer", "layer", layers))
            depths = [layer.compute_output_shape([None, self._cell.output_size + depth])[-1].value
                      for layer, depth in zip(self._attention_layers, depths, strict=True)]
        self._attention_layer_size = sum(depths)

    def _for_each(self, argument: str, what: str, given: Any) -> list[Any]:
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(listed) != len(self._attention_mechanisms):
            raise ValueError(f"If provided, {argument} must contain exactly one {what} per attention_mechanism, saw: "
                             f"{len(listed)} vs {len(self._attention_mechanisms)}")
        return listed

    def _checked(self, batch_size: Any, tensors: Any, name: str, message: str) -> Any:
        """The tensors, after a check that the batch size is that of every memory."""
        checks = [gc.assert_equal(batch_size, m.batch_size, message=message) for m in self._attention_mechanisms]
        with gc.control_dependencies(checks):
            return gc.nest.map_structure(lambda tensor: gc.identity(tensor, name=name), tensors)

    def _item_or_tuple(self, parts: Iterable[Any]) -> Any:
        """As a tuple if the mechanisms were given as a list, else the one part. TensorFlow's name: decoders of other
        programs call it."""
        made = tuple(parts)
        return made if self._is_multi else made[0]

    @property
    def output_size(self) -> Any:
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> AttentionWrapperState:
        """The sizes in an AttentionWrapperState; those of alignments may be tensors."""
        sizes = [m.alignments_size for m in self._attention_mechanisms]
        return AttentionWrapperState(
            cell_state=self._cell.state_size, time=gc.TensorShape([]), attention=self._attention_layer_size,
            alignments=self._item_or_tuple(sizes),
            attention_state=self._item_or_tuple([m.state_size for m in self._attention_mechanisms]),
            alignment_history=self._item_or_tuple([size if self._alignment_history else () for size in sizes]))

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """The state before the first step. batch_size: that of the memory, which is checked (when run, if it is not
        known)."""
        with gc.name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.zero_state(batch_size, dtype)
            message = (f"When calling zero_state of AttentionWrapper {self._base_name}: Non-matching batch sizes "
                       "between the memory (encoder output) and the requested batch size.  "
                       + _TILE.format("encoder output") + "  Then batch_size is batch_size * beam_width.")
            cell_state = self._checked(batch_size, cell_state, "checked_cell_state", message)
            alignments = [m.initial_alignments(batch_size, dtype) for m in self._attention_mechanisms]
            return AttentionWrapperState(
                cell_state=cell_state, time=gc.zeros([], dtype=gc.int32),
                attention=zeros(batch_size, self._attention_layer_size, dtype),
                alignments=self._item_or_tuple(alignments),
                attention_state=self._item_or_tuple([m.initial_state(batch_size, dtype)
                                                     for m in self._attention_mechanisms]),
                alignment_history=self._item_or_tuple([self._empty_history(a, dtype) for a in alignments]))

    def _empty_history(self, alignments: Any, dtype: Any) -> Any:
        if not self._alignment_history:
            return ()
        return gc.TensorArray(dtype, size=0, dynamic_size=True, element_shape=alignments.shape)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """One step of the cell, and of every mechanism. Raises TypeError unless state is an AttentionWrapperState."""
        if not isinstance(state, AttentionWrapperState):
            raise TypeError("Expected state to be instance of AttentionWrapperState. Received type "
                            f"{type(state)} instead.")
        cell_output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        self._check_query(cell_output)
        count = len(self._attention_mechanisms)
        states = state.attention_state if self._is_multi else [state.attention_state]
        histories = state.alignment_history if self._is_multi else [state.alignment_history]
        found = [self._attention_fn(mechanism, cell_output, old, layer) for mechanism, old, layer in zip(
            self._attention_mechanisms, states, self._attention_layers or [None] * count, strict=True)]
        attention = gc.concat([made for made, _, _ in found], 1)
        next_state = AttentionWrapperState(
            time=state.time + 1, cell_state=cell_state, attention=attention,
            attention_state=self._item_or_tuple([new for _, _, new in found]),
            alignments=self._item_or_tuple([alignments for _, alignments, _ in found]),
            alignment_history=self._item_or_tuple([
                history.write(state.time, alignments) if self._alignment_history else ()
                for history, (_, alignments, _) in zip(histories, found, strict=True)]))
        return (attention if self._output_attention else cell_output), next_state


    def _check_query(self, cell_output: Any) -> None:
        """Sizes that are not known are checked where a state begins, in zero_state and clone, and not at every step."""
        given = cell_output.shape[0].value
        for known in (m.batch_size for m in self._attention_mechanisms):
            if given is not None and not isinstance(known, gc.Tensor) and known != given:
                raise ValueError(f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the "
                                 f"memory (encoder output), {known}, and the query (decoder output), {given}.  "
                                 + _TILE.format("memory input"))


def _attention(mechanism: Any, cell_output: Any, state: Any, layer: Any) -> tuple[Any, Any, Any]:
    """(attention, alignments, next state) of one mechanism."""
    alignments, next_state = mechanism(cell_output, state=state)
    context = gc.squeeze(gc.matmul(gc.expand_dims(alignments, 1), mechanism.values), [1])
    attention = context if layer is None else layer(gc.concat([cell_output, context], 1))
    return attention, alignments, next_state
