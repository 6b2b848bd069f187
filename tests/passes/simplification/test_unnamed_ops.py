"""A new op is optimised by what its class says: no pass names it."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import graphc as gc
from graphc.ir.dtypes import float32
from graphc.ir.elementwise import Binary, Unary
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Value, make_node
from graphc.ir.op import Op, View
from graphc.ir.records import dataclass
from graphc.passes.simplification.fold_constants import constant_node
from graphc.passes.simplification.simplify import simplify

from checking import check_rewrite, flow_of, types


@dataclass(frozen=True)
class Shift(Binary):
    type: ClassVar[str] = "Shift"
    primitive = "sub"
    function = np.subtract
    neutral_operand = 0, (1,)


@dataclass(frozen=True)
class Mirror(Unary):
    type: ClassVar[str] = "Mirror"
    primitive = "neg"
    function = np.negative
    self_inverse = True


@dataclass(frozen=True)
class Turn(View):
    type: ClassVar[str] = "Turn"
    operands = ("x",)

    def infer(self, *inputs: Any) -> Any:
        return inputs[0].__class__(inputs[0].dtype, inputs[0].shape[::-1])

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].T

    def permutation(self) -> tuple[int, ...]:
        return (1, 0)


def simplified(*ops: Op, fill: float | None = None) -> list[str]:
    """Op types of op_n(...op_1(x)), simplified. fill: of the second operand, if they have one."""
    given = make_node(FlowInput("x", 0, float32, (3, 5)), ())
    value: Value = given.value()
    for op in ops:
        more = () if fill is None else (constant_node(np.full((5,), fill, np.float32), given).value(),)
        value = make_node(op, (value, *more)).value()
    flow = Flow((given,), (value,))
    return types(check_rewrite(flow, simplify, [np.arange(15, dtype=np.float32).reshape(3, 5)]))


def test_neutral() -> None:
    assert simplified(Shift(), fill=0) == []
    assert simplified(Shift(), fill=1) == ["Shift"]


def test_self_inverse() -> None:
    assert simplified(Mirror(), Mirror()) == []
    assert simplified(Mirror(), Mirror(), Mirror()) == ["Mirror"]


def test_permutation() -> None:
    assert simplified(Turn(), Turn()) == []


def test_batched_products_take_their_second_operand_transposed() -> None:
    with gc.Graph().as_default():
        x, y = gc.placeholder("float32", (4, 3, 5)), gc.placeholder("float32", (4, 7, 5))
        flow = flow_of([gc.matmul(x, gc.transpose(y, (0, 2, 1)))], [x, y])
        made = np.random.default_rng(0).uniform(-1, 1, (4, 7, 5)).astype(np.float32)
        check_rewrite(flow, simplify, [made[:, :3], made], ["BatchMatMulV2"])
