"""Nodes of files that are cells of recurrent layers, or a layer of them: LSTMBlockCell, BlockLSTM, GRUBlockCell."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.fill import zeros_like
from graphc.api.array.join import concat, split
from graphc.api.array.shapes import shape
from graphc.api.array.source import constant
from graphc.api.control.tensor_array import TensorArray
from graphc.api.control.while_loop import while_loop
from graphc.ir.apply import apply
from graphc.ir.dtypes import int32, int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.graph_pb2 import NodeDef


def _product(x: Any, w: Any) -> Any:
    return apply(OPS["MatMul"], x, w)


def _sigmoid(x: Any) -> Any:
    return apply(OPS["Sigmoid"], x)


def _tanh(x: Any) -> Any:
    return apply(OPS["Tanh"], x)


def _lstm_step(node: NodeDef, x: Any, cell: Any, h: Any, weights: Sequence[Any], gates_first: bool) -> list[Any]:
    """i, cs, f, o, ci, co, h. gates_first: the columns of w are i, f, ci, o, as of BlockLSTMV2; else i, ci, f, o."""
    w, wci, wcf, wco, b = weights
    forget = 0.0 if node.op == "BlockLSTMV2" else node.attr["forget_bias"].f if "forget_bias" in node.attr else 1.0
    clip = node.attr["cell_clip"].f if "cell_clip" in node.attr else 0.0 if node.op == "BlockLSTMV2" else 3.0
    peephole = node.attr["use_peephole"].b
    parts = split(_product(concat([x, h], 1), w) + b, 4, 1)
    i, f, ci, o = parts if gates_first else (parts[0], parts[2], parts[1], parts[3])
    i = _sigmoid(i + cell * wci if peephole else i)
    f = _sigmoid((f + cell * wcf if peephole else f) + forget)
    ci = _tanh(ci)
    new = ci * i + cell * f
    if clip > 0:
        new = apply(OPS["ClipByValue"], new, -clip, clip)
    o = _sigmoid(o + new * wco if peephole else o)
    co = _tanh(new)
    return [i, new, f, o, ci, co, co * o]


def lstm_block_cell(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    x, cell, h, *weights = inputs
    return _lstm_step(node, x, cell, h, weights, gates_first=False)


def block_lstm(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A whole layer over x [time, batch, width]; from the step seq_len_max on there are zeros."""
    steps, x, cell, h, *weights = inputs
    count: Any = shape(x, out_type=int32)[0]
    limit = apply(OPS["Minimum"], apply(OPS["Cast"], steps, DstT=int32) if steps.dtype == int64 else steps, count)
    arrays = [TensorArray(x.dtype, size=count, element_shape=h.shape) for _ in range(7)]

    def body(t: Any, cell: Any, h: Any, arrays: Any) -> Any:
        made = _lstm_step(node, x[t], cell, h, weights, gates_first=node.op == "BlockLSTMV2")
        return t + 1, made[1], made[6], [a.write(t, row) for a, row in zip(arrays, made, strict=True)]

    def rest(t: Any, arrays: Any) -> Any:
        return t + 1, [a.write(t, zeros_like(h)) for a in arrays]

    t, _, _, arrays = while_loop(lambda t, *_: t < limit, body, [constant(0), cell, h, arrays])
    _, arrays = while_loop(lambda t, _: t < count, rest, [t, arrays])
    return [a.stack() for a in arrays]


def gru_block_cell(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """r, u, c, h."""
    x, h, w_ru, w_c, b_ru, b_c = inputs
    r, u = split(_sigmoid(_product(concat([x, h], 1), w_ru) + b_ru), 2, 1)
    c = _tanh(_product(concat([x, r * h], 1), w_c) + b_c)
    return [r, u, c, u * h + (1.0 - u) * c]
