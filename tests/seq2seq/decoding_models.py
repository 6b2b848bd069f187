"""Models that decode, by name, and what their weights are: tests compare them with TensorFlow's numbers."""
from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import graphc as gc

BATCH, TIME, DEPTH, UNITS, SYMBOLS = 3, 5, 4, 6, 8
IDS = (np.arange(BATCH * TIME).reshape(BATCH, TIME) * 7 % SYMBOLS).astype(np.int32)
LENGTHS = np.array([5, 2, 4], np.int32)


def weights_of(variable: Any, scale: float) -> np.ndarray:
    """Numbers that depend on the variable's name and shape only."""
    shape = variable.shape.as_list()
    start = zlib.crc32(variable.op.name.encode()) % 97
    numbers = np.sin(np.arange(int(np.prod(shape))) * 1.7 + start) * scale
    return numbers.reshape(shape).astype(variable.dtype.as_numpy_dtype)


def leaves(value: Any) -> Iterator[np.ndarray]:
    """The arrays in fetched values; gradients of tables as whole tables."""
    if isinstance(value, gc.IndexedSlicesValue):
        table = np.zeros([value.dense_shape[0], *value.values.shape[1:]], value.values.dtype)
        np.add.at(table, value.indices, value.values)
        yield table
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from leaves(part)
    else:
        yield np.asarray(value)


def print_of(array: np.ndarray) -> list[Any]:
    """The shape, and two sums, the second one of which sees an exchange of elements."""
    flat = np.asarray(array, np.float64).ravel()
    return [list(array.shape), float(flat.sum()), float((flat * np.cos(np.arange(flat.size))).sum())]


def result_of(fetches: Any, feeds: dict[Any, Any], scale: float) -> tuple[list[str], list[list[Any]]]:
    """(names of the variables, prints of what a run gives) with weights_of as weights."""
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for variable in gc.global_variables():
            variable.load(weights_of(variable, scale), session)
        found = session.run(fetches, feeds)
    return sorted(v.name for v in gc.global_variables()), [print_of(a) for a in leaves(found)]


class Encoded:
    """An encoder and what it made of the ids; sizes are not known unless `static`."""

    def __init__(self, dtype: Any, static: bool) -> None:
        self.ids = gc.placeholder(gc.int32, [BATCH, TIME] if static else [None, None])
        self.lengths = gc.placeholder(gc.int32, [BATCH] if static else [None])
        self.feeds = {self.ids: IDS, self.lengths: LENGTHS}
        self.batch = BATCH if static else gc.shape(self.ids)[0]
        self.table = gc.get_variable("emb", [SYMBOLS, DEPTH], dtype=dtype)
        self.inputs = gc.nn.embedding_lookup(self.table, self.ids)
        self.memory, self.state = gc.nn.dynamic_rnn(self.cell(), self.inputs, self.lengths, dtype=dtype)

    @staticmethod
    def cell() -> Any:
        return gc.nn.rnn_cell.BasicLSTMCell(UNITS, name="basic_lstm_cell")


def attending(mechanism: str | list[str], helper: Callable[[Encoded], Any] | str = "training", dtype: Any = gc.float32,
              static: bool = False, of_mechanism: Any = None, of_wrapper: Any = None, project: bool = True,
              **of_decode: Any) -> tuple[Any, dict[Any, Any]]:
    """(fetches, feeds) of a BasicDecoder with attention; in training the loss and its gradients, too."""
    seq2seq, of_mechanism, of_wrapper = gc.contrib.seq2seq, of_mechanism or {}, of_wrapper or {}
    x = Encoded(dtype, static)
    names = mechanism if isinstance(mechanism, list) else [mechanism]
    made = [getattr(seq2seq, name)(UNITS, x.memory, x.lengths, dtype=dtype, **of_mechanism) for name in names]
    wrapper = seq2seq.AttentionWrapper(x.cell(), made if isinstance(mechanism, list) else made[0],
                                       alignment_history=True, **of_wrapper)
    state = wrapper.zero_state(x.batch, dtype).clone(cell_state=x.state)
    chosen = {"training": lambda x: seq2seq.TrainingHelper(x.inputs, x.lengths),
              "greedy": lambda x: seq2seq.GreedyEmbeddingHelper(x.table, gc.fill([x.batch], 1), 2),
              }[helper](x) if isinstance(helper, str) else helper(x)
    decoder = seq2seq.BasicDecoder(wrapper, chosen, state, gc.layers.Dense(SYMBOLS, name="proj") if project else None)
    outputs, final, lengths = seq2seq.dynamic_decode(decoder, **{"impute_finished": True, "maximum_iterations": 7,
                                                                 **of_decode})
    histories = final.alignment_history if isinstance(mechanism, list) else [final.alignment_history]
    fetches = [outputs.rnn_output, outputs.sample_id, lengths, final.cell_state.c, final.cell_state.h, final.attention,
               final.time, [history.stack() for history in histories]]
    if helper != "greedy" and project and not of_decode.get("output_time_major"):
        mask = gc.sequence_mask(x.lengths, gc.shape(x.ids)[1], dtype=dtype)
        loss = seq2seq.sequence_loss(outputs.rnn_output, x.ids[:, :gc.shape(outputs.rnn_output)[1]],
                                     mask[:, :gc.shape(outputs.rnn_output)[1]])
        gradients = gc.gradients(loss, sorted(gc.trainable_variables(), key=lambda v: v.name))
        fetches += [loss, [g for g in gradients if g is not None]]
    return fetches, x.feeds


def searching(mechanism: str | None = "LuongAttention", width: int = 3, length: float = 0.0, coverage: float = 0.0,
              end: int = 2, dtype: Any = gc.float32, steps: int = 6) -> tuple[Any, dict[Any, Any]]:
    """(fetches, feeds) of a BeamSearchDecoder."""
    seq2seq = gc.contrib.seq2seq
    x = Encoded(dtype, static=False)
    cell, state = x.cell(), seq2seq.tile_batch(x.state, width)
    if mechanism is not None:
        memory, lengths = seq2seq.tile_batch(x.memory, width), seq2seq.tile_batch(x.lengths, width)
        attention = getattr(seq2seq, mechanism)(UNITS, memory, lengths, dtype=dtype)
        cell = seq2seq.AttentionWrapper(cell, attention, attention_layer_size=UNITS, alignment_history=True)
        state = cell.zero_state(x.batch * width, dtype).clone(cell_state=state)
    decoder = seq2seq.BeamSearchDecoder(cell, x.table, gc.fill([x.batch], 1), end, state, width,
                                        gc.layers.Dense(SYMBOLS, name="proj", use_bias=False), length, coverage)
    outputs, final, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=steps)
    steps_ = outputs.beam_search_decoder_output
    fetches = [outputs.predicted_ids, steps_.scores, steps_.predicted_ids, steps_.parent_ids, final.log_probs,
               final.lengths, final.finished, lengths]
    if mechanism is None:
        return [*fetches, final.cell_state.h], x.feeds
    return [*fetches, final.cell_state.alignment_history, final.cell_state.cell_state.h,
            final.cell_state.attention], x.feeds


def _inference(x: Encoded) -> Any:
    return gc.contrib.seq2seq.InferenceHelper(lambda outputs: outputs, [DEPTH], gc.float32, x.inputs[:, 0],
                                              lambda samples: gc.reduce_sum(samples, 1) > 1.5)


def _custom(x: Encoded) -> Any:
    return gc.contrib.seq2seq.CustomHelper(
        lambda: (gc.tile([False], [x.batch]), x.inputs[:, 0]),
        lambda time, outputs, state: gc.cast(gc.argmin(outputs, -1), gc.int32),
        lambda time, outputs, state, sample_ids: (time + 1 >= x.lengths, gc.nn.embedding_lookup(x.table, sample_ids),
                                                  state))


def _read_outputs(x: Encoded, **more: Any) -> Any:
    return gc.contrib.seq2seq.ScheduledOutputTrainingHelper(x.inputs, x.lengths, 1.0, **more)


def _half(outputs: Any) -> Any:
    return outputs[:, :DEPTH] * 0.5


_LAYER = {"attention_layer_size": 5}
MODELS: dict[str, Callable[[], tuple[Any, dict[Any, Any]]]] = {
    "luong": lambda: attending("LuongAttention", of_wrapper=_LAYER),
    "luong greedy": lambda: attending("LuongAttention", "greedy", of_wrapper=_LAYER),
    "bahdanau": lambda: attending("BahdanauAttention", of_wrapper=_LAYER),
    "bahdanau greedy": lambda: attending("BahdanauAttention", "greedy", of_wrapper=_LAYER),
    "luong monotonic": lambda: attending("LuongMonotonicAttention", of_wrapper=_LAYER),
    "bahdanau monotonic": lambda: attending("BahdanauMonotonicAttention", of_wrapper=_LAYER),
    "recursive": lambda: attending("BahdanauMonotonicAttention", of_mechanism={
        "mode": "recursive", "normalize": True, "score_bias_init": -1.0}),
    "hard": lambda: attending("LuongMonotonicAttention", "greedy", of_mechanism={"mode": "hard", "scale": True}),
    "known sizes": lambda: attending("LuongAttention", static=True, of_wrapper=_LAYER),
    "float64, normalized": lambda: attending("BahdanauAttention", dtype=gc.float64, of_mechanism={"normalize": True}),
    "scaled, cell output, not imputed": lambda: attending(
        "LuongAttention", of_mechanism={"scale": True, "score_mask_value": -5.0},
        of_wrapper={"output_attention": False}, impute_finished=False),
    "two mechanisms, time major": lambda: attending(["LuongAttention", "BahdanauAttention"],
                                                    of_wrapper={"attention_layer_size": [3, 4]},
                                                    output_time_major=True),
    "two mechanisms, greedy": lambda: attending(["LuongAttention", "LuongAttention"], "greedy", impute_finished=False),
    "hardmax": lambda: attending("LuongAttention", of_mechanism={"probability_fn": gc.contrib.seq2seq.hardmax}),
    "cell_input_fn": lambda: attending("BahdanauAttention", of_wrapper={
        "cell_input_fn": lambda inputs, attention: gc.concat([attention, inputs * 2.0], -1),
        "attention_layer_size": 4}),
    "attention_layer": lambda: attending("LuongAttention", of_wrapper={
        "attention_layer": gc.layers.Dense(3, activation=gc.tanh, name="al")}),
    "two steps at most": lambda: attending("LuongAttention", "greedy", maximum_iterations=2),
    "nothing sampled": lambda: attending("LuongAttention", lambda x: (
        gc.contrib.seq2seq.ScheduledEmbeddingTrainingHelper(x.inputs, x.lengths, x.table, 0.0))),
    "outputs read": lambda: attending("LuongAttention", _read_outputs, project=False,
                                      of_wrapper={"attention_layer_size": DEPTH}),
    "functions of outputs read": lambda: attending("LuongAttention", lambda x: _read_outputs(x, next_inputs_fn=_half)),
    "auxiliary inputs": lambda: attending("LuongAttention", lambda x: _read_outputs(
        x, next_inputs_fn=_half, auxiliary_inputs=x.inputs * 0.3)),
    "inference helper": lambda: attending("LuongAttention", _inference, project=False,
                                          of_wrapper={"attention_layer_size": DEPTH}),
    "custom helper": lambda: attending("LuongAttention", _custom),
    "beams": searching,
    "beams, length": lambda: searching(length=0.8),
    "beams, coverage": lambda: searching(length=0.3, coverage=0.4),
    "beams without attention": lambda: searching(None, width=4, length=1.0),
    "five beams": lambda: searching("BahdanauAttention", width=5, end=3, coverage=0.2),
    "one beam": lambda: searching(width=1),
    "beams of float64": lambda: searching(dtype=gc.float64),
    "all symbols": lambda: searching(None, width=8, length=2.0, end=4, steps=40),
}
