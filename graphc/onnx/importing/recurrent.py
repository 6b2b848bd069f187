"""Recurrent layers: RNN, GRU, LSTM, of both directions, with lengths of their own.

The products with the inputs are computed for all steps at once; the loop holds the products with the state, of both
directions in one iteration.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes

Activation = Callable[[Any], Any]
_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class Layer:
    """The directions of a layer that have the same activations: xs [time, directions, batch, gates * size], the
    inputs' part with all biases that are simply added, in the order in which the steps are taken; r: matrices
    [directions, size, gates * size], cut once for the products of each step (of GRU: both gates, the hidden one); bias:
    of the recurrent part, [directions, 1, gates * size]; functions: the activations; lengths [batch] or None."""

    node: Node
    xs: Any
    r: list[Any]
    bias: Any
    functions: list[Activation]
    lengths: Any
    size: int


@onnx_op("RNN")
def rnn(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    def step(layer: Layer, x: Any, h: Any) -> list[Any]:
        (f,) = layer.functions
        return [f(x + gc.matmul(h, layer.r[0]) + layer.bias)]
    return _both_ways(node, step, x, w, r, b, lengths, [h])


@onnx_op("GRU")
def gru(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    """Gates: update, reset, hidden."""
    before = node.attr("linear_before_reset", 0)

    def step(layer: Layer, x: Any, h: Any) -> list[Any]:
        f, g = layer.functions
        n = layer.size
        gates = f(x[..., :2 * n] + gc.matmul(h, layer.r[0]) + layer.bias[..., :2 * n])
        update, reset = gates[..., :n], gates[..., n:]
        if before:
            inner = reset * (gc.matmul(h, layer.r[1]) + layer.bias[..., 2 * n:])
        else:
            inner = gc.matmul(reset * h, layer.r[1]) + layer.bias[..., 2 * n:]
        hidden = g(x[..., 2 * n:] + inner)
        return [(full_like(h, 1) - update) * hidden + update * h]
    return _both_ways(node, step, x, w, r, b, lengths, [h])


@onnx_op("LSTM")
def lstm(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None,
         peepholes: Any = None) -> Any:
    """Gates: input, output, forget, cell."""
    coupled = node.attr("input_forget", 0)

    def step(layer: Layer, x: Any, h: Any, c: Any, p: Any = None) -> list[Any]:
        f, g, last = layer.functions
        n = layer.size
        gates = x + gc.matmul(h, layer.r[0]) + layer.bias
        first = f(gates[..., :3 * n]) if p is None else gates[..., :3 * n]     # in one step, where they need no state
        i, o, forget = (first[..., k * n:(k + 1) * n] for k in range(3))
        if p is not None:
            i, forget = f(i + p[..., :n] * c), f(forget + p[..., 2 * n:] * c)
        if coupled:
            forget = full_like(i, 1) - i
        new = forget * c + i * g(gates[..., 3 * n:])
        if p is not None:
            o = f(o + p[..., n:2 * n] * new)
        return [o * last(new), new]

    return _both_ways(node, step, x, w, r, b, lengths, [h, c], peepholes)


def _both_ways(node: Node, step: Callable[..., list[Any]], x: Any, w: Any, r: Any, b: Any, lengths: Any,
               initial: list[Any], extra: Any = None) -> tuple[Any, ...]:
    """(all states [time, directions, batch, size], the last ones [directions, batch, size], for each state)."""
    directions = 2 if node.attr("direction", "forward") == "bidirectional" else 1
    size = node.attr("hidden_size") or static_sizes(r)[-1]
    if size is None:
        raise node.refuse("the hidden size must be known while the graph is built")
    batch_first = bool(node.attr("layout", 0))
    if batch_first:
        x = gc.transpose(x, [1, 0, 2])
        initial = [None if s is None else gc.transpose(s, [1, 0, 2]) for s in initial]
    names = node.attr("activations") or _DEFAULTS[node.op] * directions
    per = len(_DEFAULTS[node.op])
    same = directions == 1 or (names[:per] == names[per:] and not node.attr("activation_alpha") and \
        not node.attr("activation_beta"))
    runs = []
    for ways in [range(directions)] if same else [range(1), range(1, 2)]:
        functions = _activations(node, names, ways[0] * per, per)
        first, last = ways[0], ways[-1] + 1
        start = [gc.zeros(shape_vector([len(ways), sizes_of(x)[1], size]), x.dtype) if s is None else s[first:last]
                 for s in initial]
        backwards = [d == 1 or node.attr("direction", "forward") == "reverse" for d in ways]
        layer = _layer(node, x, w[first:last], r[first:last], None if b is None else b[first:last], functions, lengths,
                       size, backwards)
        more = () if extra is None else (gc.expand_dims(extra[first:last], 1),)
        runs.append(_run(layer, step, start, backwards, more))
    rows, *states = runs[0] if len(runs) == 1 else [
        gc.concat(parts, 1 if k == 0 else 0) for k, parts in enumerate(zip(*runs, strict=True))]
    if batch_first:
        rows = gc.transpose(rows, [2, 0, 1, 3])
        states = [gc.transpose(s, [1, 0, 2]) for s in states]
    return (rows, *states)


def _layer(node: Node, x: Any, w: Any, r: Any, b: Any, functions: list[Activation], lengths: Any, size: int,
           backwards: list[bool]) -> Layer:
    gates = _GATES[node.op] * size
    time, batch, width = sizes_of(x)
    r = gc.ensure_shape(r, [len(backwards), gates, size])      # which may be inputs of open sizes
    b = None if b is None else gc.ensure_shape(b, [len(backwards), 2 * gates])
    parts = []
    for d, back in enumerate(backwards):
        rows = gc.reshape(_turned(x, lengths) if back else x, shape_vector([-1, width]))
        part = gc.matmul(rows, w[d], transpose_b=True)
        parts.append(gc.reshape(part if b is None else part + b[d, :gates], shape_vector([time, batch, gates])))
    xs = gc.stack(parts, 1)
    r = gc.transpose(r, [0, 2, 1])
    matrices = [r[:, :, :2 * size], r[:, :, 2 * size:]] if node.op == "GRU" else [r]
    bias = gc.zeros([gates], x.dtype) if b is None else gc.expand_dims(b[:, gates:], 1)
    return Layer(node, xs, matrices, bias, functions, lengths, size)


def _turned(x: Any, lengths: Any) -> Any:
    """Backwards in time; what lies behind a row's length stays."""
    return gc.reverse(x, [0]) if lengths is None else gc.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def _run(layer: Layer, step: Callable[..., list[Any]], start: list[Any], backwards: list[bool],
         extra: tuple[Any, ...]) -> list[Any]:
    """[the first state at all times [time, directions, batch, size], the last one of each]."""
    count = gc.shape(layer.xs)[0]
    rows = gc.TensorArray(layer.xs.dtype, size=count, element_shape=start[0].shape)

    def body(t: Any, rows: Any, *states: Any) -> Any:
        new = step(layer, gc.gather(layer.xs, t), *states, *extra)
        row = new[0]
        if layer.lengths is not None:
            inside = gc.reshape(gc.less(gc.cast(t, layer.lengths.dtype), layer.lengths), [1, -1, 1])
            row = gc.where_v2(inside, row, gc.zeros_like(row))
            new = [gc.where_v2(inside, a, b) for a, b in zip(new, states, strict=True)]
        return (t + 1, rows.write(t, row), *new)

    shapes = [gc.TensorShape([]), gc.TensorShape(None), *(s.shape for s in start)]
    _, rows, *states = gc.while_loop(lambda t, *_: gc.less(t, count), body, [gc.constant(0), rows, *start],
                                     shape_invariants=shapes)
    made = rows.stack()
    if any(backwards):
        made = gc.stack([_turned(made[:, d], layer.lengths) if back else made[:, d]
                         for d, back in enumerate(backwards)], 1)
    return [made, *states]


def _activations(node: Node, names: list[Any], first: int, count: int) -> list[Activation]:
    """The functions of one direction; alpha and beta go to those that have them, in order."""
    alphas, betas = list(node.attr("activation_alpha") or []), list(node.attr("activation_beta") or [])
    limit = node.attr("clip")
    made: list[Activation] = []
    for position, given in enumerate(names):
        name = given.decode() if isinstance(given, bytes) else given
        known = {known.lower(): known for known in _PARAMETERS}.get(name.lower())
        if known is None:
            raise node.refuse(f"the activation {name!r} is not known")
        parameters = [values.pop(0) if values else default
                      for values, default in zip((alphas, betas), _PARAMETERS[known], strict=False)]
        if first <= position < first + count:
            made.append(_clipped(_FUNCTIONS[known](*parameters), limit))
    if len(made) != count:
        raise node.invalid(f"it has {len(names)} activations")
    return made


def _clipped(function: Activation, limit: float | None) -> Activation:
    if limit is None:
        return function
    return lambda x: function(gc.clip_by_value(x, full_like(x, -limit), full_like(x, limit)))


# The parameters' defaults of each activation, and what it is with them.
_PARAMETERS: dict[str, tuple[float, ...]] = {
    "Relu": (), "Tanh": (), "Sigmoid": (), "Softsign": (), "Softplus": (), "Affine": (1.0, 0.0), "LeakyRelu": (0.01,),
    "ThresholdedRelu": (1.0,), "ScaledTanh": (1.0, 1.0), "HardSigmoid": (0.2, 0.5), "Elu": (1.0,)}
_FUNCTIONS: dict[str, Callable[..., Activation]] = {
    "Relu": lambda: gc.nn.relu, "Tanh": lambda: gc.tanh, "Sigmoid": lambda: gc.sigmoid,
    "Softsign": lambda: gc.nn.softsign, "Softplus": lambda: gc.nn.softplus,
    "Affine": lambda a, b: lambda x: full_like(x, a) * x + full_like(x, b),
    "LeakyRelu": lambda a: lambda x: gc.nn.leaky_relu(x, a),
    "ThresholdedRelu": lambda a: lambda x: gc.where_v2(gc.greater(x, full_like(x, a)), x, gc.zeros_like(x)),
    "ScaledTanh": lambda a, b: lambda x: full_like(x, a) * gc.tanh(full_like(x, b) * x),
    "HardSigmoid": lambda a, b: lambda x: gc.clip_by_value(full_like(x, a) * x + full_like(x, b), full_like(x, 0),
                                                           full_like(x, 1)),
    "Elu": lambda a: lambda x: gc.where_v2(gc.less(x, full_like(x, 0)), full_like(x, a) * gc.expm1(x), x)}
