"""Dropout of attention's weights, in the ways that programs write it, and the op that says what it draws.

    (p * factor) * cast(u >= rate)             TensorFlow from 1.13 on, and this package
    (p / keep) * floor(keep + u)               before that

u are the numbers of a random op of p's own shape; factor, rate and keep are one number each, which may be fed. Factors
may stand in any order. The step draws u again, number by number (kernels/cpu/attention/dropping.py), so the nodes that
make it here may have other readers.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import bool_, float32, int64
from graphc.ir.node import Node, Origin, Value, make_node
from graphc.ir.op import Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ops.array.cast import Cast
from graphc.ops.array.join import Pack
from graphc.ops.array.source import Const
from graphc.ops.math.binary import Add, AddV2, Mul
from graphc.ops.math.comparison import GreaterEqual
from graphc.ops.math.division import RealDiv
from graphc.ops.math.unary import Floor
from graphc.ops.random.random import RandomUniform
from graphc.ops.random.stateless import StatelessRandomUniform
from graphc.ops.random.streams import MadeAt, signed
from graphc.passes.simplification.fold_constants import constant_node

Readers = Mapping[Value, Sequence[Node]]
DRAW = Spec(int64, (4,))


class Draw(Op):
    """Where a random op's numbers come from, draw[4]: key, run and iteration of a stream, and the first word."""

    results = ("draw",)

    def infer(self, *inputs: Spec) -> Spec:
        return DRAW


@dataclass(frozen=True)
class RunDraw(Draw):
    """Of a RandomUniform of this key."""

    type: ClassVar[str] = "_RunDraw"
    operands = ()
    effect = Effect.RANDOM
    key: int

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:
        return np.array([self.key, run, iteration, 0])

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        counters = [b.counter().select(0, i).broadcast(DRAW.shape) for i in (0, 1)]
        b.map(lambda s, run, iteration: _words(s, lambda: (_whole(s, self.key), run, iteration)), counters, outputs)


@dataclass(frozen=True)
class StreamDraw(Draw):
    """Of numbers from group `position` of a stream on (ops/random/streams.py)."""

    type: ClassVar[str] = "_StreamDraw"
    operands = ("position",)
    source: MadeAt

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        def words(s: Any, position: Any) -> tuple[Any, ...]:
            key, run = (_whole(s, signed(seed)) for seed in (self.source.seed, self.source.seed2))
            return key, run, _whole(s, 0), s("mul", position, _whole(s, 4))

        b.map(lambda s, position: _words(s, lambda: words(s, position)), [inputs[0].broadcast(DRAW.shape)], outputs)


@dataclass(frozen=True)
class StatelessDraw(Draw):
    """Of a stateless op, whose seeds, or key and counter, it is given."""

    type: ClassVar[str] = "_StatelessDraw"
    operands = ("given*",)
    source: StatelessRandomUniform

    @property
    def checks_data(self) -> bool:  # type: ignore[override]
        return self.source.checks_data

    def reference(self, *given: np.ndarray) -> np.ndarray:
        return np.array([*self.source.stream(*given), 0, 0], np.uint64).view(np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        b.copy(self.source.mixed(b, *inputs), y.part(0, 0, 2))
        b.fill(y.part(0, 2, 2), 0)


def _whole(s: Any, value: int) -> Any:
    return s.constant(value, int64)


def _words(s: Any, words: Callable[[], tuple[Any, ...]]) -> Any:
    """One of these words, 0 after them: which one, the place in the result says."""
    found = _whole(s, 0)
    for number, word in enumerate(words()):
        found = s("select", s("equal", s.linear(), _whole(s, number)), word, found)
    return found


@dataclass(frozen=True)
class Dropout:
    """drawn: the random op's node. shift, least: u is kept if u + shift >= least; None: 0, and 1. factors: what weights
    are multiplied by besides the flags, each a number and whether it divides. nodes: from the weights to what is left
    of them."""

    drawn: Node
    shift: Value | None
    least: Value | None
    flags: Value
    factors: tuple[tuple[Value, bool], ...]
    nodes: tuple[Node, ...]

    @property
    def dropped(self) -> Value:
        return self.nodes[-1].value()

    def parts(self) -> tuple[Value, ...]:
        """Values of the flow that the step's operands are made of."""
        numbers = (*(number for number, _ in self.factors), self.shift, self.least)
        return (*self.drawn.inputs, *(number for number in numbers if number is not None))

    def operands(self, parts: Sequence[Value], origins: tuple[Origin, ...]) -> tuple[Value, Value]:
        """draw and drop (kernels/cpu/attention/dropping.py), of the parts as they are now."""
        inputs, numbers = parts[:len(self.drawn.inputs)], list(parts[len(self.drawn.inputs):])
        one = factor = self._number(1.0)
        for _, divides in self.factors:
            factor = make_node(RealDiv() if divides else Mul(), (factor, numbers.pop(0)), origins).value()
        shift = self._number(0.0) if self.shift is None else numbers.pop(0)
        least = one if self.least is None else numbers.pop(0)
        drop = make_node(Pack(axis=0), (shift, least, factor), origins)
        return make_node(_draw_of(self.drawn.op), inputs, origins).value(), drop.value()

    def _number(self, number: float) -> Value:
        like = self.nodes[-1]
        return constant_node(like.specs[0].dtype.array(number), like).value()

    def behind(self, by_weights: Value) -> tuple[Value, tuple[Node, ...]] | None:
        """Of the gradient by weights: that by what is left of them, and the nodes in between, the last one first."""
        left, nodes = [(self.flags, False), *self.factors], []
        while left:
            for factor in left:
                x = _without(by_weights.node, factor)
                if x is not None:
                    break
            else:
                return None
            nodes.append(by_weights.node)
            left.remove(factor)
            by_weights = x
        return by_weights, tuple(nodes)


def dropout_of(weights: Value, readers: Readers) -> Dropout | None:
    """The dropout of these weights, if one of their readers begins one."""
    found = (_along(weights, reader, readers) for reader in readers[weights])
    return next((dropout for dropout in found if dropout is not None), None)


def _along(weights: Value, reader: Node, readers: Readers) -> Dropout | None:
    """Factors that are applied one after the other, one of which is flags."""
    value, flags, factors, nodes = weights, None, [], []
    while True:
        number, divides = _number_of(reader, value)
        drawn = _flags_of(reader, value) if number is None and flags is None else None
        if number is None and drawn is None:
            break
        if number is not None:
            factors.append((number, divides))
        flags = drawn or flags
        nodes.append(reader)
        value = reader.value()
        if len(readers[value]) != 1:
            break
        reader = readers[value][0]
    return Dropout(*flags, tuple(factors), tuple(nodes)) if flags else None


def _number_of(node: Node, x: Value) -> tuple[Value | None, bool]:
    """What single number the node multiplies x by, or divides it by."""
    if isinstance(node.op, (Mul, RealDiv)) and x in node.inputs:
        divides = isinstance(node.op, RealDiv)
        number = node.inputs[1] if divides or node.inputs[0] == x else node.inputs[0]
        if number != x and number.spec.shape == ():
            return number, divides
    return None, False


def _flags_of(node: Node, x: Value) -> tuple[Node, Value | None, Value | None, Value] | None:
    """drawn, shift, least and flags, if the node multiplies x by flags of its shape."""
    if not isinstance(node.op, Mul) or x not in node.inputs:
        return None
    flags = node.inputs[1] if node.inputs[0] == x else node.inputs[0]
    made, dtype = flags.node, x.spec.dtype
    if isinstance(made.op, Cast) and made.inputs[0].spec.dtype == bool_ and flags.spec.dtype == dtype:
        compared = made.inputs[0].node
        if isinstance(compared.op, GreaterEqual) and _is_drawn(compared.inputs[0], x) \
                and compared.inputs[1].spec.shape == ():
            return compared.inputs[0].node, None, compared.inputs[1], flags
    if isinstance(made.op, Floor) and isinstance(made.inputs[0].node.op, (Add, AddV2)):
        for shift, drawn in (made.inputs[0].node.inputs, made.inputs[0].node.inputs[::-1]):
            if _is_drawn(drawn, x) and shift.spec.shape == ():
                return drawn.node, shift, None, flags
    return None


def _is_drawn(value: Value, like: Value) -> bool:
    """Whether it is a random op's numbers of that shape and dtype which a step can draw again."""
    op = value.node.op
    if value.spec.dtype != like.spec.dtype or value.spec.shape != like.spec.shape:
        return False
    if isinstance(op, RandomUniform):
        return not value.node.inputs
    single = value.spec.dtype == float32               # float64 is made of words in another order
    return single and (isinstance(op, StatelessRandomUniform)
                       or (isinstance(op, MadeAt) and op.kind == RandomUniform.type))


def _draw_of(op: Op) -> Draw:
    if isinstance(op, RandomUniform):
        return RunDraw(op.key)
    if isinstance(op, StatelessRandomUniform):
        return StatelessDraw(replace(op, shape=()))
    assert isinstance(op, MadeAt)
    return StreamDraw(replace(op, shape=()))


def _without(node: Node, factor: tuple[Value, bool]) -> Value | None:
    """The other operand of a node that multiplies by the factor, or divides by it."""
    number, divides = factor
    if not isinstance(node.op, RealDiv if divides else Mul):
        return None
    pairs = (node.inputs,) if divides else (node.inputs, node.inputs[::-1])
    return next((x for x, other in pairs if _equal(other, number)), None)


def _equal(a: Value, b: Value) -> bool:
    """Whether they are one value, or constants of the same number."""
    if a == b or not (isinstance(a.node.op, Const) and isinstance(b.node.op, Const)):
        return a == b
    return a.spec == b.spec and np.array_equal(a.node.op.value, b.node.op.value)
