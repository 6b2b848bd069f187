"""The recurrent cells that are one op in TensorFlow 1 and in contrib.rnn's files: LSTMBlockCell, GRUBlockCell, and
BlockLSTM, a whole sequence."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.control.tensor_array import TensorArray
from graphc.api.control.while_loop import while_loop
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g
from graphc.serial.graph_pb2 import NodeDef

_GATES = ("i", "cs", "f", "o", "ci", "co", "h")


@dataclass(frozen=True)
class _Cell:
    """peepholes: what of the memory goes to i, f and o; clip: a bound of the memory, none if it is not positive.
    cell_first: the order of the columns is i, ci, f, o, and not i, f, ci, o."""

    peepholes: tuple[Tensor, ...]
    forget_bias: float
    clip: float
    cell_first: bool

    def gates(self, sums: Tensor, memory: Tensor) -> dict[str, Tensor]:
        """All that a step gives, of the sums that enter its gates and the memory before it."""
        i, second, third, o = g.split(2 if sums.spec.rank == 3 else 1, sums, num_split=4)
        ci, f = (second, third) if self.cell_first else (third, second)
        f = f + self.forget_bias
        if self.peepholes:
            i, f = i + memory * self.peepholes[0], f + memory * self.peepholes[1]
        i, f, ci = g.sigmoid(i), g.sigmoid(f), g.tanh(ci)
        cs = ci * i + memory * f
        if self.clip > 0:
            cs = g.clip_by_value(cs, -self.clip, self.clip)
        o = g.sigmoid(o + cs * self.peepholes[2] if self.peepholes else o)
        co = g.tanh(cs)
        return {"i": i, "cs": cs, "f": f, "o": o, "ci": ci, "co": co, "h": co * o}


def _cell(node: NodeDef, wci: Tensor, wcf: Tensor, wco: Tensor, bias: float, clip: float, cell_first: bool) -> _Cell:
    def attribute(name: str, default: float) -> float:
        return node.attr[name].f if name in node.attr else default

    peepholes = (wci, wcf, wco) if node.attr["use_peephole"].b else ()
    return _Cell(peepholes, attribute("forget_bias", bias), attribute("cell_clip", clip), cell_first)


def _step(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """LSTMBlockCell."""
    x, memory, h, w, wci, wcf, wco, b = inputs[:8]
    cell = _cell(node, wci, wcf, wco, 1.0, 3.0, cell_first=True)
    made = cell.gates(g.bias_add(g.mat_mul(g.concat_v2([x, h], 1), w), b), memory)
    return [made[name] for name in _GATES]


def _sequence(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """BlockLSTM and BlockLSTMV2. The loop finds cs and h alone; the gates that someone asks for are computed of those
    for all steps at once. From step seq_len_max on everything is 0."""
    length, x, memory, h, w, wci, wcf, wco, b = inputs[:9]
    first = node.op == "BlockLSTM"
    cell = _cell(node, wci, wcf, wco, 1.0 if first else 0.0, 3.0 if first else 0.0, cell_first=first)
    steps, depth = g.shape(x)[0], g.shape(x)[2]
    of_x, of_h = g.slice(w, g.pack([0, 0]), g.pack([depth, -1])), g.slice(w, g.pack([depth, 0]), g.pack([-1, -1]))
    wide = g.shape(w)[1]
    entering = g.bias_add(g.mat_mul(g.reshape(x, g.pack([-1, depth])), of_x), b)
    entering = g.reshape(entering, g.pack([steps, g.shape(memory)[0], wide]))      # the batch of what the loop carries
    memories, outputs = (TensorArray(x.dtype, steps, element_shape=t.shape) for t in (memory, h))

    def step(t: Tensor, cs: Tensor, h: Tensor, memories: Any, outputs: Any) -> tuple[Any, ...]:
        made = cell.gates(entering[t] + g.mat_mul(h, of_h), cs)
        return t + 1, made["cs"], made["h"], memories.write(t, made["cs"]), outputs.write(t, made["h"])

    _, _, _, memories, outputs = while_loop(lambda t, *_: t < steps, step,
                                            [g.identity(0), memory, h, memories, outputs])
    all_cs, all_h = memories.stack(), outputs.stack()
    before, h_before = (g.concat_v2([g.expand_dims(start, 0), rows[:-1]], 0)
                        for start, rows in ((memory, all_cs), (h, all_h)))
    hidden = g.shape(h)[1]
    of_states = g.mat_mul(g.reshape(h_before, g.pack([-1, hidden])), of_h)
    made = {**cell.gates(entering + g.reshape(of_states, g.pack([steps, -1, wide])), before), "cs": all_cs, "h": all_h}
    counts = g.reshape(g.less(g.range(0, steps), g.cast(length, steps.dtype)), [-1, 1, 1])
    return [g.select_v2(counts, made[name], g.zeros_like(made[name])) for name in _GATES]


def _gated(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """GRUBlockCell."""
    x, h, w_ru, w_c, b_ru, b_c = inputs[:6]
    r, u = g.split(1, g.sigmoid(g.bias_add(g.mat_mul(g.concat_v2([x, h], 1), w_ru), b_ru)), num_split=2)
    c = g.tanh(g.bias_add(g.mat_mul(g.concat_v2([x, h * r], 1), w_c), b_c))
    return [r, u, c, c + u * (h - c)]


RECURRENT = {
    "LSTMBlockCell": Composed(8, _GATES, _step), "GRUBlockCell": Composed(6, ("r", "u", "c", "h"), _gated),
    "BlockLSTM": Composed(9, _GATES, _sequence), "BlockLSTMV2": Composed(9, _GATES, _sequence)}
