"""Records are frozen dataclasses: each of them is compared with Python's own of the same body."""
from __future__ import annotations

import copy
import dataclasses
import pickle
import sys
import threading
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from graphc.ir import records
from graphc.ir.op_base import Op


def make(decorator: Any) -> tuple[type, type, type]:
    @decorator(frozen=True)
    class Point:
        """A point."""

        x: int
        y: tuple[int, ...] = (1, 2)
        name: str = field(default="p", compare=False)
        notes: list[int] = field(default_factory=list, repr=False, hash=False)
        twice: int = field(init=False, repr=False, compare=False)
        shown: bool = field(default=True, kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "twice", 2 * self.x)

    @decorator(frozen=True)
    class Named(Point):
        label: str = ""

        def __repr__(self) -> str:
            return "named"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Named) and other.label == self.label

    @decorator(frozen=True, eq=False)
    class Same:
        a: int = 0

    return Point, Named, Same


OURS, PYTHONS = make(records.dataclass), make(dataclasses.dataclass)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("arguments, more", [
    ((3,), {}), ((3, (4,)), {"shown": False}), ((3, (4,), "q", [5]), {}), ((), {"x": 1, "notes": [7]})])
def test_made_as_python_makes_them(number: int, arguments: tuple[Any, ...], more: dict[str, Any]) -> None:
    ours, pythons = OURS[number](*arguments, **more), PYTHONS[number](*arguments, **more)
    assert repr(ours) == repr(pythons) and vars(ours) == vars(pythons)
    again = OURS[number](*arguments, **more)
    assert ours == again and hash(ours) == hash(again) == hash(pythons)
    assert ours != pythons and (ours == dataclasses.replace(again, x=9)) is (number == 1)
    assert dataclasses.asdict(ours) == dataclasses.asdict(pythons)
    assert vars(copy.deepcopy(ours)) == vars(ours)
    assert type(ours).__match_args__ == type(pythons).__match_args__      # type: ignore[attr-defined]


@pytest.mark.parametrize("arguments, more", [((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"z": 1}), ((1,), {"x": 1})])
def test_wrong_arguments_are_refused_as_python_refuses_them(arguments: Any, more: Any) -> None:
    with pytest.raises(TypeError) as pythons:
        PYTHONS[0](*arguments, **more)
    with pytest.raises(TypeError) as ours:
        OURS[0](*arguments, **more)
    assert str(ours.value) == str(pythons.value)


def test_fields_cannot_be_changed() -> None:
    for cls in (OURS[0], PYTHONS[0]):
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
            cls(1).x = 2
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
            del cls(1).x


def test_equal_to_itself_alone() -> None:
    one, other = OURS[2](1), OURS[2](1)
    assert one == one and one != other and len({one, other}) == 2
    with pytest.raises(TypeError, match="frozen"):
        records.dataclass(frozen=False)


def test_a_field_without_a_default_behind_one() -> None:
    @records.dataclass(frozen=True)
    class Wrong:
        a: int = 0
        b: int  # type: ignore[misc]

    with pytest.raises(TypeError, match="field 'b' without a default"):
        Wrong(1, 2)


@records.dataclass(frozen=True)
class Kept:
    a: int
    b: str = "b"


def test_pickled() -> None:
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)


def test_first_called_by_many_threads() -> None:
    for _ in range(20):
        cls = make(records.dataclass)[0]
        start = threading.Barrier(4)
        made: list[Any] = []

        def work(cls: Any = cls, start: Any = start, made: Any = made) -> None:
            start.wait(20)
            made.append(cls(2, name="n"))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4 and len(set(made)) == 1


def test_a_derived_class_that_is_not_decorated_is_made_as_its_base() -> None:
    class Derived(Kept):
        pass

    assert Derived(1, "x").b == "x" and Derived(1) != Kept(1) and Derived(1) == Derived(1)


def test_methods_of_ops_are_made_when_they_are_called() -> None:
    import graphc as gc

    definition = gc.placeholder(gc.float32, [2]).op.definition
    assert isinstance(definition, Op) and definition == dataclasses.replace(definition)
    assert "first" not in type(definition).__init__.__code__.co_name
    assert sys.modules["graphc.ir.records"].__file__ == type(definition).__init__.__code__.co_filename
