"""BasicDecoder: a cell, whose next input a helper chooses."""
from __future__ import annotations

from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.rnn.structures import assert_like_rnncell
from graphc.seq2seq.decoder import Decoder
from graphc.seq2seq.helper import Helper
from graphc.seq2seq.samples import check_layer, sizes_behind


@public("contrib.seq2seq.BasicDecoderOutput")
class BasicDecoderOutput(NamedTuple):
    """The outputs of the cell (or layer), and the ids that the helper made of them.

    rnn_output: [batch, size]; sample_id: [batch], or as the helper says. As `tf.contrib.seq2seq.BasicDecoderOutput`.

    >>> gc.contrib.seq2seq.BasicDecoderOutput(rnn_output=gc.float32, sample_id=gc.int32)
    BasicDecoderOutput(rnn_output=gc.float32, sample_id=gc.int32)
    """

    rnn_output: Any
    sample_id: Any


@public("contrib.seq2seq.BasicDecoder")
class BasicDecoder(Decoder):
    """Steps of a cell whose inputs and samples a helper makes, as `tf.contrib.seq2seq.BasicDecoder`. Its outputs are
    BasicDecoderOutputs.

    output_layer: applied to the outputs of the cell before samples are made. initial_state: as cell.zero_state gives
    it. Inputs are floats [batch, n], outputs [batch, output size]. Raises TypeError for what is no cell, a helper that
    is no Helper and an output_layer that is no layer.

    >>> cell, inputs = gc.nn.rnn_cell.GRUCell(3), gc.ones([2, 5, 4])
    >>> helper = gc.contrib.seq2seq.TrainingHelper(inputs, sequence_length=[5, 2])
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32), gc.layers.Dense(10))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder)
    >>> gc.global_variables_initializer().run()
    >>> outputs.rnn_output.eval().shape, lengths.eval()
    ((2, 5, 10), array([5, 2], dtype=int32))
    """

    def __init__(self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None) -> None:
        assert_like_rnncell("cell", cell)
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        check_layer("output_layer", output_layer)
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        return self._helper.batch_size

    def _rnn_output_size(self) -> Any:
        return sizes_behind(self._output_layer, self._cell.output_size)

    @property
    def output_size(self) -> BasicDecoderOutput:
        return BasicDecoderOutput(self._rnn_output_size(), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> BasicDecoderOutput:
        """That of the first tensor of the state, and of the helper's samples."""
        dtype = gc.nest.flatten(self._initial_state)[0].dtype
        return BasicDecoderOutput(gc.nest.map_structure(lambda _: dtype, self._rnn_output_size()),
                                  self._helper.sample_ids_dtype)

    def initialize(self, name: str | None = None) -> Any:
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        with gc.name_scope(name, "BasicDecoderStep", [time]):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            samples = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, inputs, state = self._helper.next_inputs(time=time, outputs=outputs, state=state,
                                                               sample_ids=samples)
        return BasicDecoderOutput(outputs, samples), state, inputs, finished
