"""Values at hand while a program is made: the top level, and inside it the bodies of loops and branches."""
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from interpret import Example, Unfit
from programs import Input, defined

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0)
STRINGS = (b"", b"a", b"one two", b"12", b"-0.5", "\u00e4\u20ac".encode(), b"\xff\x00", b"a,b,,c")
UNUSUAL = (np.inf, -np.inf, np.nan)
NAMED = ((7, 1, 4), (6, 3, 0), (9, 2, 1))     # sizes that differ from set to set


@dataclass(frozen=True)
class Knobs:
    """What may occur; all of it unless a kind that is known to fail is to be looked behind."""

    operations: int = 14
    sets: int = 3
    control: bool = True
    gradients: bool = True
    writes: bool = True
    unknown_sizes: bool = True
    runtime_fields: bool = True
    functions: bool = True
    without: frozenset[str] = frozenset()      # op types


@dataclass
class Maker:
    """What all scopes of one program share."""

    rng: random.Random
    knobs: Knobs
    inputs: list[Input] = field(default_factory=list)
    values: dict[str, list[np.ndarray]] = field(default_factory=dict)     # of the inputs
    variables: set[str] = field(default_factory=set)
    alive: list[int] = field(default_factory=list)      # sets in which all that was made so far works
    count: int = 0

    def __post_init__(self) -> None:
        self.alive = list(range(self.knobs.sets))
        self.rankless = 0.15 if self.knobs.unknown_sizes and self.rng.random() < 0.2 else 0.0
        self.portable = self.rng.random() < 0.5     # TensorFlow has all its ops
        self.hosts = not self.portable and self.rng.random() < 0.25     # Python functions: not to be saved
        self.generator = np.random.default_rng(self.rng.getrandbits(32))

    def name(self, prefix: str = "v") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def input(self, kind: str, arrays: list[np.ndarray], known: bool = False) -> str:
        """A new input. A placeholder's unknown sizes are those that differ and, unless `known`, now and then others."""
        often = 0.25 if self.knobs.unknown_sizes and not known else 0.0
        static: Any = tuple(
            None if len(set(sizes)) > 1 or self.rng.random() < often else sizes[0]
            for sizes in zip(*(a.shape for a in arrays), strict=True)) if arrays[0].ndim else ()
        if not known and self.rng.random() < self.rankless:
            static = None
        made = Input(self.name({"placeholder": "x", "variable": "w"}.get(kind, "c")), kind, tuple(arrays), static)
        self.inputs.append(made)
        self.values[made.name] = arrays
        if kind == "variable":
            self.variables.add(made.name)
        return made.name

    def random_input(self, shapes: list[tuple[int, ...]], dtype: np.dtype[Any], low: float, high: float,
                     kind: str | None = None) -> str:
        """A new input of one shape a set. kind: None for any that can be."""
        differ = len(set(shapes)) > 1
        if kind is None or differ:
            kind = "placeholder" if differ else self.rng.choices(
                ("placeholder", "constant", "variable"), (6, 2, 2 if self.knobs.writes else 0))[0]
        return self.input(kind, [self.array(s, dtype, low, high) for s in shapes])

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], low: float, high: float) -> np.ndarray:
        if dtype.kind == "O":
            return self.strings(shape)
        if dtype.kind == "c":
            parts = [self.array(shape, np.empty(0, dtype).real.dtype, low, high) for _ in range(2)]
            made = np.empty(shape, dtype)
            made.real, made.imag = parts
            return made
        if dtype.kind == "b":
            return self.generator.integers(0, 2, shape).astype(np.bool_)
        if dtype.kind in "iu":
            least = max(low, np.iinfo(dtype).min)
            return np.asarray(self.generator.integers(int(least), int(max(high, least + 2)), shape)).astype(dtype)
        made = np.asarray(self.generator.uniform(low, high, shape))
        if self.rng.random() < 0.15 and made.size:
            places = self.generator.random(shape) < 0.3
            special = SPECIAL + UNUSUAL * (self.rng.random() < 0.1)
            fitting = [v for v in special if low <= v <= high] if low > 0 or high < 1 else special
            made = np.where(places, self.generator.choice(fitting or (high,), shape), made)
        return made.astype(dtype)

    def strings(self, shape: tuple[int, ...]) -> np.ndarray:
        made = np.empty(shape, object)
        for place in np.ndindex(shape):
            made[place] = self.rng.choice(STRINGS)
        return made


class Scope:
    def __init__(self, maker: Maker, outer: Scope | None = None) -> None:
        self.maker = maker
        self.outer = outer
        self.own: dict[str, list[np.ndarray]] = {}
        self.statements: list[Any] = []
        self.flow: list[str] = []          # results of loops and branches
        self.writes: list[str] = []        # names of operations that write variables

    @property
    def depth(self) -> int:
        return 0 if self.outer is None else self.outer.depth + 1

    def find(self, name: str) -> list[np.ndarray]:
        if name in self.own:
            return self.own[name]
        return self.outer.find(name) if self.outer is not None else self.maker.values[name]

    def visible(self) -> dict[str, list[np.ndarray]]:
        around = self.outer.visible() if self.outer is not None else self.maker.values
        return {**around, **self.own}

    def choose(self, fits: Callable[[list[np.ndarray]], bool]) -> str | None:
        """A value that fits; newer ones and those made in this scope are preferred."""
        found = [n for n, arrays in self.visible().items() if fits(arrays)]
        if not found:
            return None
        weights = [1 + 3 * (n in self.own) + 2 * i / len(found) for i, n in enumerate(found)]
        return self.maker.rng.choices(found, weights)[0]

    def add(self, statement: Any, hidden: bool = False) -> None:
        """Appends the statement. Raises Unfit if it does not work, in set 0 or, mostly, in another one.

        hidden: what it defines is no value to be used (the result of a write).
        """
        names, rng = defined(statement), self.maker.rng
        visible, alive = self.visible(), []
        values: dict[int, list[np.ndarray]] = {}
        for number in self.maker.alive:
            inner = {n: arrays[number] for n, arrays in visible.items()}
            try:
                Example(number).one(statement, inner)
            except Unfit:
                if number == 0 or rng.random() > 0.1:
                    raise
                continue
            values[number] = [inner.get(n) for n in names]  # type: ignore[misc]
            if any(np.ndim(a) != np.ndim(b) for a, b in zip(values[number], values[0], strict=True)):
                raise Unfit("a rank that differs from set to set")
            alive.append(number)
        self._check_numbers(values[0], visible)
        self.maker.alive = alive
        self.statements.append(statement)
        if not hidden and all(a is not None for a in values[0]):
            for i, name in enumerate(names):
                self.own[name] = [values.get(number, values[0])[i] for number in range(self.maker.knobs.sets)]

    def _check_numbers(self, results: list[np.ndarray], visible: dict[str, list[np.ndarray]]) -> None:
        """Raises Unfit, mostly, for results that are nothing but NaN or beyond all measure."""
        for array in results:
            if array is not None and array.dtype.kind in "fc" and array.size and self.maker.rng.random() < 0.9:
                with np.errstate(all="ignore"):
                    if not np.isfinite(array).any() or np.nanmax(np.abs(array)) > 1e6:
                        raise Unfit("numbers too large")
