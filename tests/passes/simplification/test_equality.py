"""Equal ops are merged, so an op's equality must see every field of it: over every class of op there is."""
from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.op import Effect, Op
from graphc.ir.records import dataclass
from graphc.passes.shared.control_flow import ControlOp
from graphc.passes.shared.fused import Fused

from checking import flow_of, types

for _folder in ("ops", "passes", "plan"):
    for _module in pkgutil.walk_packages(importlib.import_module(f"graphc.{_folder}").__path__, f"graphc.{_folder}."):
        importlib.import_module(_module.name)


def classes(base: type[Op] = Op) -> Iterator[type[Op]]:
    for derived in base.__subclasses__():
        if derived.__module__.startswith("graphc."):
            yield derived
            yield from classes(derived)


CLASSES = sorted(set(classes()), key=lambda c: (c.__module__, c.__name__))


def filled(cls: type[Op], changed: str = "") -> Op:
    """An op with some value in every field; that of the field `changed` is another one."""
    made = object.__new__(cls)
    for number, field in enumerate(dataclasses.fields(cls)):
        value: Any = number + 100 * (field.name == changed)
        object.__setattr__(made, field.name, np.array([value]) if field.metadata.get("kind") == "tensor" else value)
    return made


def compares_itself_only(cls: type[Op]) -> bool:
    return cls.__eq__ is object.__eq__ and cls.__hash__ is object.__hash__


def test_every_class_is_seen() -> None:
    names = {c.__name__ for c in CLASSES}
    assert {"Const", "Relu", "StatelessIf", "Loop", "BranchWithEffects", "Fused", "BindSizes", "ReadState"} <= names


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_equality_sees_every_field(cls: type[Op]) -> None:
    if compares_itself_only(cls):
        return
    assert filled(cls) == filled(cls) and hash(filled(cls)) == hash(filled(cls))
    missed = [f.name for f in dataclasses.fields(cls) if filled(cls) == filled(cls, f.name)]
    assert not missed, f"{cls.__name__} that differ in these fields are equal, so they would be merged: {missed}"


@pytest.mark.parametrize("cls", [c for c in CLASSES if issubclass(c, (ControlOp, Fused))], ids=lambda c: c.__name__)
def test_ops_that_hold_nodes_are_equal_to_themselves_only(cls: type[Op]) -> None:
    one = filled(cls)
    assert one == one and one != filled(cls) and len({one, filled(cls)}) == 2


def test_a_class_that_forgets_its_equality_merges_nothing() -> None:
    @dataclass(frozen=True, eq=False)
    class Forgetful(Op):
        field: int

    assert Forgetful(1) != Forgetful(2)


@pytest.mark.parametrize("value", [(0.0, -0.0), (1.0, 2.0)])
def test_programs_that_differ_in_a_constant_are_two(value: tuple[float, float]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        found = session.run([x * v for v in value], {x: [1.0, 2.0]})
    for array, v in zip(found, value, strict=True):
        np.testing.assert_array_equal(np.signbit(array), np.signbit(np.array([1.0, 2.0]) * v))
        np.testing.assert_array_equal(array, np.array([1.0, 2.0], np.float32) * np.float32(v))


def test_effects_are_never_merged() -> None:
    from graphc.passes.simplification.common_subexpressions import common_subexpressions

    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2])
        noise = [gc.random_uniform([2], seed=3) for _ in range(2)]
        called = [gc.py_func(np.sin, [x], gc.float32, stateful=True) for _ in range(2)]
        for result in called:
            result.set_shape([2])
        flow = common_subexpressions(flow_of([*noise, *called], [x]))
    effects = [n for n in flow.nodes() if n.op.effect in (Effect.RANDOM, Effect.HOST)]
    assert len(effects) == 4, types(flow)
