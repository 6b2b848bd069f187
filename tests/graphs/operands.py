"""One op on values at hand: its sample says what it wants, sizes are renamed to those of the values that are taken.

A sample's MatMul of (3, 4) and (4, 5), on a value of shape (2, 7), wants (7, 5) beside it. No op is named here.
"""
from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any

import numpy as np

from graphc.ir.op import OPS, Effect, Op, Sample

import limits
from interpret import Unfit
from programs import Apply, takes_variable
from samples import arrays as sample_arrays
from samples import definition, specs
from scopes import NAMED, Scope

# Fields whose numbers are sizes: renamed as the sizes of operands are.
SIZES = re.compile("shape|size|dims|^num|^end$|limit|multiples")
# Fields that must be known while a graph is built: a refusal is tried now and then.
ONCE = re.compile("axis|^perm|dim$|dimension|depth")
Sizes = tuple[int, ...]      # of one axis, set by set


def add_op(scope: Scope, op: type[Op]) -> Apply:
    """Adds one use of the op. Raises Unfit."""
    rng = scope.maker.rng
    sample = rng.choice(usable_samples(op))
    attempts: list[tuple[bool, bool]] = [(True, True), (True, False), (False, False)]
    error: Unfit | None = None
    for reuse, rename in attempts:
        try:
            return _Use(scope, op, sample, reuse).made(rename)
        except Unfit as problem:
            error = problem
    assert error is not None
    raise error


class _Use:
    def __init__(self, scope: Scope, op: type[Op], sample: Sample, reuse: bool) -> None:
        self.scope, self.op, self.sample, self.reuse = scope, op, sample, reuse
        self.maker, self.rng = scope.maker, scope.maker.rng
        self.sets = self.maker.knobs.sets
        self.sizes: dict[int, Sizes] = {}
        self.taken: set[str] = set()       # an op writes different variables

    def made(self, rename: bool) -> Apply:
        values = sample_arrays(self.op, self.sample)
        instance = definition(self.op, self.sample)
        given = [isinstance(i, (np.ndarray, np.generic)) for i in self.sample.inputs]
        self._name_sizes(values, given)
        fields = self.op.field_operands()
        names = [n for n in self.op.operands if n not in fields]
        variadic = [n for n in names if n.endswith("*")]       # all take as many
        many = (len(values) - len(names) + len(variadic)) // max(len(variadic), 1)
        chosen: dict[str, list[Any]] = {}
        position = 0
        for name in names:
            count = many if name in variadic else 1
            ref = takes_variable(self.op, self.op.operands.index(name))
            chosen[name] = [self._operand(values[position + i], given[position + i], ref) for i in range(count)]
            position += count
        attributes: dict[str, Any] = {}
        for f in dataclasses.fields(self.op):
            value = getattr(instance, f.name)
            if f.metadata.get("operand"):
                chosen[f.name] = [self._field(f.name, f.metadata["kind"], value, rename)]
            elif f.name in self.sample.attributes:
                attributes[f.name] = self._renamed(value) if rename and isinstance(value, int) and not isinstance(
                    value, bool) and SIZES.search(f.name) else value
        if self.op.effect is Effect.RANDOM:
            attributes["key"] = self.rng.randrange(1, 2**60)
        inputs = tuple(v for name in self.op.operands for v in chosen[name])
        limits.settle(Apply((), self.op.type, inputs, attributes), self.scope.find)
        return self._add(inputs, attributes)

    def _add(self, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Apply:
        outputs = tuple(self.maker.name() for _ in range(self._results(attributes)))
        writes = bool(self.op.refs) or not self.op.results
        after = tuple(n for n in self.scope.writes if self.rng.random() < (0.9 if writes else 0.08))
        statement = Apply(outputs, self.op.type, inputs, attributes, after)
        self.scope.add(statement, hidden=writes)
        if writes:
            self.scope.writes.append(outputs[0])
        return statement

    def _results(self, attributes: dict[str, Any]) -> int:
        if not self.op.results:
            return 1      # the operation itself
        if not self.op.results[-1].endswith("*"):
            return len(self.op.results)
        lists = sum(name.endswith("*") for name in self.op.results)
        for name in ("num_split", "num", "num_partitions"):        # renamed with the sizes, maybe
            if name in attributes:
                return int(attributes[name]) * lists
        made = definition(self.op, self.sample).infer(*specs(sample_arrays(self.op, self.sample)))
        return len(made) if isinstance(made, tuple) else 1

    def _name_sizes(self, values: list[np.ndarray], given: list[bool]) -> None:
        """Now and then a size of the sample is one that differs from set to set."""
        if not self.maker.knobs.unknown_sizes or not self.reuse:
            return
        sizes = {s for v, g in zip(values, given, strict=True) if not g for s in v.shape if s > 1}
        for size in sorted(sizes):
            if self.rng.random() < 0.25:
                named = self.rng.choice(NAMED)
                self.sizes[size] = tuple(named[i % len(named)] for i in range(self.sets))

    def _operand(self, wanted: np.ndarray, given: bool, ref: bool) -> str:
        low, high = self.sample.low, self.sample.high
        if ref:
            return self._variable(wanted)
        if self.reuse and self.rng.random() < (0.3 if given else 0.85):
            found = self.scope.choose(lambda arrays: self._fits(arrays, wanted))
            if found is not None:
                self._learn(self.scope.find(found), wanted)
                return self._tamed(found, low)
            if not given:
                found = self._made_to_fit(wanted)
                if found is not None:
                    return self._tamed(found, low)
        if given:
            kind = self.rng.choice(("placeholder", "constant"))
            return self.maker.input(kind, [wanted] * self.sets)
        return self.maker.random_input(self._shapes(wanted), wanted.dtype, low, high)

    def _fits(self, arrays: list[np.ndarray], wanted: np.ndarray) -> bool:
        first = arrays[0]
        if any(a.ndim != first.ndim for a in arrays):
            return False
        if first.dtype != wanted.dtype or first.ndim != wanted.ndim:
            return False
        known = dict(self.sizes)
        for size, actual in zip(wanted.shape, _sizes(arrays), strict=True):
            if known.setdefault(size, actual) != actual or (size == 1 and set(actual) != {1}):
                return False
        return True

    def _learn(self, arrays: list[np.ndarray], wanted: np.ndarray) -> None:
        for size, actual in zip(wanted.shape, _sizes(arrays), strict=True):
            self.sizes.setdefault(size, actual)

    def _made_to_fit(self, wanted: np.ndarray) -> str | None:
        """A value of another dtype cast, or one of other sizes reshaped."""
        shapes = self._shapes(wanted)
        other = self.scope.choose(lambda arrays: [a.shape for a in arrays] == shapes and arrays[0].dtype.kind in "fib"
                                  and wanted.dtype.kind == "f")
        out = self.maker.name()
        if other is not None:
            from graphc.ir.dtypes import as_dtype
            self.scope.add(Apply((out,), "Cast", (other,), {"DstT": as_dtype(wanted.dtype)}))
            return out
        if len(set(shapes)) == 1:
            count = int(np.prod(shapes[0]))
            other = self.scope.choose(lambda arrays: all(a.size == count for a in arrays)
                                      and arrays[0].dtype == wanted.dtype)
            if other is not None:
                self.scope.add(Apply((out,), "Reshape", (other, np.array(shapes[0], np.int32)), {}))
                return out
        return None

    def _tamed(self, name: str, low: float) -> str:
        """Where the sample's numbers are all positive, or those at hand are large: their sigmoid or tanh."""
        array = self.scope.find(name)[0]
        if array.dtype.kind != "f" or not array.size:
            return name
        large = bool(np.abs(array).max() > 30)
        if (low >= 0 and array.min() < low) or (large and self.rng.random() < 0.7):
            out = self.maker.name()
            self.scope.add(Apply((out,), "Sigmoid" if low >= 0 else "Tanh", (name,), {}))
            return out
        return name

    def _variable(self, wanted: np.ndarray) -> str:
        for name in sorted(self.maker.variables - self.taken):
            if self.rng.random() < 0.6 and self._fits(self.maker.values[name], wanted):
                self._learn(self.maker.values[name], wanted)
                self.taken.add(name)
                return name
        shape = self._shapes(wanted)[0]
        name = self.maker.random_input([shape] * self.sets, wanted.dtype, self.sample.low, self.sample.high, "variable")
        self.taken.add(name)
        return name

    def _shapes(self, wanted: np.ndarray) -> list[tuple[int, ...]]:
        return [tuple(self.sizes[s][n] if s in self.sizes else s for s in wanted.shape) for n in range(self.sets)]

    def _renamed(self, size: int, number: int = 0) -> int:
        return self.sizes[size][number] if size in self.sizes else size

    # Operands that are fields.

    def _field(self, name: str, kind: str, value: Any, rename: bool) -> Any:
        dtype = np.dtype(np.int32)
        all_fields = len(self.op.field_operands()) == len(self.op.operands)
        if kind == "int" and all_fields and "dtype" in self.sample.attributes and not self.op.types:
            dtype = self.sample.attributes["dtype"].numpy
        arrays = []
        for number in range(self.sets):
            array = np.asarray(value, dtype)
            if kind == "pairs":
                array = array.reshape(-1, 2)
            if rename and SIZES.search(name):
                array = np.array([self._renamed(int(v), number) for v in array.ravel()], dtype).reshape(array.shape)
            arrays.append(array)
        differ = any(not np.array_equal(a, arrays[0]) for a in arrays)
        often = 0.02 if ONCE.search(name) else 0.25
        if not self.maker.knobs.runtime_fields or (not differ and self.rng.random() > often):
            return arrays[0]
        return self._at_run_time(arrays)

    def _at_run_time(self, arrays: list[np.ndarray]) -> str:
        """The field as a tensor: one at hand, a fed one, or scalars packed."""
        found = self.scope.choose(lambda have: have[0].dtype == arrays[0].dtype and all(
            np.array_equal(a, b) for a, b in zip(have, arrays, strict=True)))
        if found is not None:
            return found
        if arrays[0].ndim != 1 or not 0 < arrays[0].size <= 4 or self.rng.random() < 0.4:
            return self.maker.input("placeholder", self._varied(arrays), known=True)
        parts = []
        for i in range(arrays[0].size):
            kind = self.rng.choice(("placeholder", "constant"))
            part = [np.asarray(a[i]) for a in arrays]
            differ = any(p != part[0] for p in part)
            parts.append(self.maker.input(kind if not differ else "placeholder", part, known=True))
        out = self.maker.name()
        self.scope.add(Apply((out,), "Pack", tuple(parts), {"axis": 0}))
        return out

    def _varied(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """In later sets other numbers, negative ones among them."""
        return [a if n == 0 or not a.size or self.rng.random() < 0.5 else a + self.maker.generator.integers(
            -2, 2, a.shape).astype(a.dtype) for n, a in enumerate(arrays)]




def _sizes(arrays: list[np.ndarray]) -> list[Sizes]:
    return list(zip(*(a.shape for a in arrays), strict=True))


@functools.cache
def usable_samples(op: type[Op]) -> list[Sample]:
    """The samples but those of quantized numbers, which the evaluator has as integers: tests/matrix has them."""
    def is_quantized(sample: Sample) -> bool:
        values = sample_arrays(op, sample)
        made = definition(op, sample).infer(*specs(values))
        return any(s.dtype.is_quantized for s in (*specs(values), *(made if isinstance(made, tuple) else (made,))))

    return [s for s in op.samples if not is_quantized(s)]


@functools.cache
def usable() -> list[str]:
    """The ops that can be added by their samples."""
    return sorted(t for t, op in OPS.items() if t not in limits.INEXACT and usable_samples(op)
                  and op.__module__.startswith("graphc.ops."))
