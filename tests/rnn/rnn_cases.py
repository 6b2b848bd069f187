"""Every kind of cell with settings, and weights and inputs that are the same in TensorFlow and here."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc as gc

core, contrib = gc.nn.rnn_cell, gc.contrib.rnn

CELLS: dict[str, Callable[[], Any]] = {
    "basic_rnn": lambda: core.BasicRNNCell(3),
    "basic_rnn_relu": lambda: core.BasicRNNCell(3, activation=gc.nn.relu),
    "gru": lambda: core.GRUCell(3),
    "basic_lstm": lambda: core.BasicLSTMCell(3),
    "basic_lstm_flat": lambda: core.BasicLSTMCell(3, forget_bias=0.5, state_is_tuple=False),
    "lstm": lambda: core.LSTMCell(3),
    "lstm_peep": lambda: core.LSTMCell(3, use_peepholes=True, cell_clip=0.2, forget_bias=2.0),
    "lstm_proj": lambda: core.LSTMCell(3, num_proj=2, proj_clip=0.1),
    "lstm_all_flat": lambda: core.LSTMCell(3, use_peepholes=True, num_proj=2, state_is_tuple=False),
    "multi": lambda: core.MultiRNNCell([core.BasicLSTMCell(3), core.GRUCell(2)]),
    "multi_flat": lambda: core.MultiRNNCell(
        [core.GRUCell(3), core.BasicLSTMCell(2, state_is_tuple=False)], state_is_tuple=False),
    "residual": lambda: core.ResidualWrapper(core.BasicRNNCell(4)),
    "residual_fn": lambda: core.ResidualWrapper(core.BasicRNNCell(4), residual_fn=lambda x, y: x * y),
    "dropout_1": lambda: core.DropoutWrapper(core.LSTMCell(3), output_keep_prob=1.0),
    "out_proj": lambda: contrib.OutputProjectionWrapper(core.GRUCell(3), 2),
    "in_proj": lambda: contrib.InputProjectionWrapper(core.GRUCell(3), 2, activation=gc.tanh),
    "highway": lambda: contrib.HighwayWrapper(core.BasicRNNCell(4)),
    "highway2": lambda: contrib.HighwayWrapper(
        core.BasicRNNCell(4), couple_carry_transform_gates=False, carry_bias_init=0.3),
    "layernorm": lambda: contrib.LayerNormBasicLSTMCell(3),
    "layernorm_off": lambda: contrib.LayerNormBasicLSTMCell(3, layer_norm=False, forget_bias=0.2),
    "layernorm_lstm": lambda: contrib.LayerNormLSTMCell(
        3, layer_norm=True, use_peepholes=True, num_proj=2, cell_clip=0.3, proj_clip=0.2),
    "layernorm_lstm_off": lambda: contrib.LayerNormLSTMCell(3),
    "nas": lambda: contrib.NASCell(3),
    "nas_proj": lambda: contrib.NASCell(3, num_proj=2, use_bias=True),
    "ugrnn": lambda: contrib.UGRNNCell(3),
    "intersection": lambda: contrib.IntersectionRNNCell(4),
    "intersection_proj": lambda: contrib.IntersectionRNNCell(3, num_in_proj=3),
    "sru": lambda: contrib.SRUCell(3),
    "indrnn": lambda: contrib.IndRNNCell(3),
    "indygru": lambda: contrib.IndyGRUCell(3),
    "indylstm": lambda: contrib.IndyLSTMCell(3),
    "attention": lambda: contrib.AttentionCellWrapper(core.GRUCell(3), 2),
    "attention_sizes": lambda: contrib.AttentionCellWrapper(
        core.BasicLSTMCell(3), 3, attn_size=2, attn_vec_size=5, input_size=2),
    "attention_flat": lambda: contrib.AttentionCellWrapper(core.GRUCell(3), 2, state_is_tuple=False),
    "glstm": lambda: contrib.GLSTMCell(4, number_of_groups=2),
    "glstm_proj": lambda: contrib.GLSTMCell(4, num_proj=2, number_of_groups=2, forget_bias=0.3),
    "coupled": lambda: contrib.CoupledInputForgetGateLSTMCell(3),
    "coupled_all": lambda: contrib.CoupledInputForgetGateLSTMCell(
        3, use_peepholes=True, num_proj=2, proj_clip=0.2, num_unit_shards=2),
    "coupled_norm": lambda: contrib.CoupledInputForgetGateLSTMCell(3, layer_norm=True, state_is_tuple=False),
    "timefreq": lambda: contrib.TimeFreqLSTMCell(3, feature_size=4, use_peepholes=True),
    "gridlstm": lambda: contrib.GridLSTMCell(
        2, feature_size=2, frequency_skip=1, num_frequency_blocks=[3], use_peepholes=True),
    "gridlstm_shared": lambda: contrib.GridLSTMCell(
        2, feature_size=2, frequency_skip=2, num_frequency_blocks=[2], share_time_frequency_weights=True,
        couple_input_forget_gates=True, cell_clip=0.1),
    "gridlstm_flat": lambda: contrib.GridLSTMCell(
        2, feature_size=2, frequency_skip=1, num_frequency_blocks=[2, 1], start_freqindex_list=[0, 2],
        end_freqindex_list=[3, 4], state_is_tuple=True),
    "bigrid": lambda: contrib.BidirectionalGridLSTMCell(
        2, feature_size=2, frequency_skip=1, num_frequency_blocks=[3], backward_slice_offset=1),
    "mixed_wrap": lambda: core.MultiRNNCell(
        [core.ResidualWrapper(core.DropoutWrapper(core.GRUCell(4), input_keep_prob=1.0)), contrib.UGRNNCell(2)]),
}


def wave(shape: Sequence[int], start: float, dtype: Any = np.float32) -> Any:
    """Numbers between -0.5 and 0.5 that are no multiples of each other."""
    return (0.5 * np.sin(np.arange(int(np.prod(shape))) * 0.7 + start)).reshape(shape).astype(dtype)


def load_waves(session: Any) -> list[Any]:
    """Gives every variable numbers of its own, in the order of their names, which are returned."""
    variables = sorted(gc.global_variables(), key=lambda v: v.name)
    for k, variable in enumerate(variables):
        variable.load(wave(variable.shape.as_list(), 0.1 * k, variable.dtype.base_dtype.as_numpy_dtype), session)
    return variables


def leaves(structure: Any) -> list[Any]:
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in leaves(part)]
    return [structure]
