"""Ways to make a program smaller; each gives candidates, which may not make sense (shrink.py tries them)."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from interpret import Example, Unfit
from programs import Apply, Block, Cond, Gradients, Input, Program, While, blocks, defined, pruned


def fewer_runs(program: Program) -> Iterator[Program]:
    schedule = program.schedule
    if len(schedule) > 1:
        for number in dict.fromkeys(schedule):
            yield dataclasses.replace(program, schedule=(number,))
        yield dataclasses.replace(program, schedule=schedule[:len(schedule) // 2])
        for i in range(len(schedule)):
            yield dataclasses.replace(program, schedule=(*schedule[:i], *schedule[i + 1:]))
    if program.sets > 1 and len(set(schedule)) < program.sets:
        kept = sorted(set(schedule))
        statements = tuple(
            dataclasses.replace(s, values=tuple(s.values[k] for k in kept)) if isinstance(s, Input) else s
            for s in program.statements)
        yield dataclasses.replace(program, statements=statements, schedule=tuple(kept.index(k) for k in schedule))


def fewer_fetches(program: Program) -> Iterator[Program]:
    if len(program.fetches) > 1:
        for fetch in program.fetches:
            yield dataclasses.replace(program, fetches=(fetch,))
        for i in range(len(program.fetches)):
            yield dataclasses.replace(program, fetches=(*program.fetches[:i], *program.fetches[i + 1:]))


def earlier_fetches(program: Program) -> Iterator[Program]:
    """What goes into a fetched statement in its place."""
    for statement in reversed(program.statements):
        for name in set(program.fetches) & set(defined(statement)):
            for other in inputs_of(statement):
                yield dataclasses.replace(program, fetches=tuple(other if f == name else f for f in program.fetches))


def inputs_of(statement: Any) -> tuple[str, ...]:
    if isinstance(statement, Gradients):
        return (*statement.ys, *statement.xs)
    if isinstance(statement, While):
        return statement.initial
    return tuple(i for i in getattr(statement, "inputs", ()) if isinstance(i, str))


def values_for_statements(program: Program) -> Iterator[Program]:
    """A fed value in the place of a statement's results, the last statements first."""
    known = _examples(program)
    for position in range(len(program.statements) - 1, -1, -1):
        statement = program.statements[position]
        names = defined(statement)
        if isinstance(statement, Input) or not all(all(n in v for v in known) for n in names):
            continue
        made = []
        for n in names:
            arrays = tuple(np.asarray(v[n]) for v in known)
            if len({a.ndim for a in arrays}) > 1:
                break
            sizes = zip(*(a.shape for a in arrays), strict=True)
            static = tuple(None if len(set(s)) > 1 else s[0] for s in sizes) if arrays[0].ndim else ()
            made.append(Input(n, "placeholder", arrays, static))
        else:
            yield dataclasses.replace(program, statements=(
                *program.statements[:position], *made, *program.statements[position + 1:]))


def _examples(program: Program) -> list[dict[str, Any]]:
    known = []
    for number in range(program.sets):
        values: dict[str, Any] = {}
        for statement in program.statements:
            try:
                Example(number).one(statement, values)
            except (Unfit, KeyError):
                continue
        known.append(values)
    return known


def unnested(program: Program) -> Iterator[Program]:
    """One branch, or one turn of a loop, in the place of the loop or branch: at the top, and inside bodies."""
    for path_block, put in _all_blocks(program):
        for i, s in enumerate(path_block):
            for inlined in _inlined(s):
                yield put((*path_block[:i], *inlined, *path_block[i + 1:]))


def clean_bodies(program: Program) -> Iterator[Program]:
    """All bodies without what their results do not need."""
    def clean(s: Any) -> Any:
        parts = {}
        for field in ("test", "body", "then", "otherwise"):
            block = getattr(s, field, None)
            if isinstance(block, Block):
                kept = pruned(Program(block.statements, block.results, (0,))).statements
                parts[field] = Block(tuple(map(clean, kept)), block.results)
        return dataclasses.replace(s, **parts) if parts else s

    yield dataclasses.replace(program, statements=tuple(map(clean, program.statements)))


def _inlined(s: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(s, Cond):
        for block in blocks(s):
            yield (*block.statements, *_aliases(s.outputs, block.results))
    elif isinstance(s, While):
        yield (*_aliases(s.params, s.initial), *s.body.statements, *_aliases(s.outputs, s.body.results))


def _aliases(names: tuple[str, ...], sources: tuple[str, ...]) -> list[Apply]:
    return [Apply((n,), "Identity", (source,), {}) for n, source in zip(names, sources, strict=True)]


def fewer_results(program: Program) -> Iterator[Program]:
    """Loops and branches without one of their values."""
    for statements, put in _all_blocks(program):
        for i, s in enumerate(statements):
            for smaller in _narrowed(s):
                yield put((*statements[:i], smaller, *statements[i + 1:]))


def _narrowed(s: Any) -> Iterator[Any]:
    if not isinstance(s, (While, Cond)) or len(s.outputs) < 2:
        return
    for gone in range(len(s.outputs)):
        def without(values: tuple[Any, ...], gone: int = gone) -> tuple[Any, ...]:
            return (*values[:gone], *values[gone + 1:])
        if isinstance(s, Cond):
            yield dataclasses.replace(
                s, outputs=without(s.outputs), then=Block(s.then.statements, without(s.then.results)),
                otherwise=Block(s.otherwise.statements, without(s.otherwise.results)))
        else:
            yield dataclasses.replace(
                s, outputs=without(s.outputs), params=without(s.params), initial=without(s.initial),
                invariants=without(s.invariants), body=Block(s.body.statements, without(s.body.results)))


def bypassed(program: Program) -> Iterator[Program]:
    """An op's input in the place of its result; no control inputs; bodies without a statement that nothing needs."""
    for statements, put in _all_blocks(program):
        for i in range(len(statements) - 1, -1, -1):
            s = statements[i]
            rest = (statements[:i], statements[i + 1:])
            if getattr(s, "after", ()):
                yield put((*rest[0], dataclasses.replace(s, after=()), *rest[1]))
            if isinstance(s, Input):
                continue
            yield put((*rest[0], *rest[1]))
            names = defined(s)
            for other in inputs_of(s):
                if len(names) == 1:
                    yield _renamed(put((*rest[0], *rest[1])), {names[0]: other})
    for s in program.statements:
        if isinstance(s, Gradients):
            yield from _smaller_gradients(program, s)


def _smaller_gradients(program: Program, s: Gradients) -> Iterator[Program]:
    def put(other: Gradients) -> Program:
        return dataclasses.replace(program, statements=tuple(other if x is s else x for x in program.statements))

    for i in range(len(s.ys)):
        if len(s.ys) > 1:
            yield put(dataclasses.replace(s, ys=(*s.ys[:i], *s.ys[i + 1:])))
    for i in range(len(s.xs)):
        if len(s.xs) > 1:
            yield put(dataclasses.replace(s, xs=(*s.xs[:i], *s.xs[i + 1:]),
                                          outputs=(*s.outputs[:i], *s.outputs[i + 1:])))


Put = Callable[[tuple[Any, ...]], Program]


def _all_blocks(program: Program) -> Iterator[tuple[tuple[Any, ...], Put]]:
    """The statements of the top and of every body, with what puts others in their place."""
    def walk(statements: tuple[Any, ...], put: Put) -> Iterator[tuple[tuple[Any, ...], Put]]:
        yield statements, put
        for i, s in enumerate(statements):
            for field in ("test", "body", "then", "otherwise"):
                block = getattr(s, field, None)
                if isinstance(block, Block):
                    def inner(made: tuple[Any, ...], i: int = i, s: Any = s, field: str = field,
                              block: Block = block) -> Program:
                        changed = dataclasses.replace(s, **{field: Block(made, block.results)})
                        return put((*statements[:i], changed, *statements[i + 1:]))
                    yield from walk(block.statements, inner)

    yield from walk(program.statements, lambda made: dataclasses.replace(program, statements=made))


def _renamed(program: Program, names: dict[str, str]) -> Program:
    """Uses of some names become uses of others."""
    def one(value: Any) -> Any:
        if isinstance(value, str):
            return names.get(value, value)
        if isinstance(value, tuple):
            return tuple(one(v) for v in value)
        return value

    def change(s: Any) -> Any:
        if isinstance(s, Input):
            return s
        parts = {n: one(getattr(s, n)) for n in ("inputs", "after", "ys", "xs", "initial", "pred") if hasattr(s, n)}
        for n in ("test", "body", "then", "otherwise"):
            if hasattr(s, n):
                block = getattr(s, n)
                parts[n] = Block(tuple(change(x) for x in block.statements), one(block.results))
        return dataclasses.replace(s, **parts)

    return dataclasses.replace(program, statements=tuple(change(s) for s in program.statements),
                               fetches=tuple(dict.fromkeys(one(program.fetches))))


def simpler_inputs(program: Program) -> Iterator[Program]:
    """Constants, known sizes, plain numbers."""
    for i, s in enumerate(program.statements):
        if not isinstance(s, Input):
            continue
        for other in _simpler(s):
            yield dataclasses.replace(program, statements=(*program.statements[:i], other, *program.statements[i + 1:]))


def _simpler(s: Input) -> Iterator[Input]:
    shape = s.values[0].shape
    if s.kind == "placeholder" and all(v.shape == shape for v in s.values):
        if s.static != shape:
            yield dataclasses.replace(s, static=shape)
        if len(s.values) == 1 and s.static == shape:
            yield dataclasses.replace(s, kind="constant")
    if s.kind == "variable":
        yield dataclasses.replace(s, kind="placeholder", static=shape)
    if s.dtype.kind == "f":
        for number in (1.0, 2.0):
            if any(not np.all(v == number) for v in s.values):
                yield dataclasses.replace(s, values=tuple(np.full_like(v, number) for v in s.values))
        counted = tuple(np.arange(1, v.size + 1, dtype=v.dtype).reshape(v.shape) for v in s.values)
        if any(not np.array_equal(a, b) and not np.all(b == b.flat[0]) for a, b in zip(counted, s.values, strict=True)
               if a.size):
            yield dataclasses.replace(s, values=counted)


def smaller_sizes(program: Program) -> Iterator[Program]:
    """One size of inputs, literals and attributes made 1, 2 or 3 wherever it stands."""
    inputs = [s for s in program.statements if isinstance(s, Input)]
    for size in sorted({n for s in inputs for v in s.values for n in v.shape if n > 1}, reverse=True):
        for small in (1, 2, 3):
            if small < size:
                yield _resized(program, size, small)


def _resized(program: Program, size: int, small: int) -> Program:
    def cut(array: np.ndarray) -> np.ndarray:
        return array[tuple(slice(small) if n == size else slice(None) for n in array.shape)]

    def literal(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            return np.where(value == size, small, value).astype(value.dtype)
        return value

    made = []
    for s in program.statements:
        if isinstance(s, Input):
            static = None if s.static is None else tuple(small if n == size else n for n in s.static)
            values = tuple(cut(literal(v) if s.kind == "placeholder" and v.ndim < 2 else v) for v in s.values)
            s = dataclasses.replace(s, values=values, static=static)
        elif isinstance(s, Apply):
            attributes = {k: small if type(v) is int and v == size else v for k, v in s.attributes.items()}
            s = dataclasses.replace(s, inputs=tuple(map(literal, s.inputs)), attributes=attributes)
        made.append(s)
    return dataclasses.replace(program, statements=tuple(made))


STEPS = (fewer_runs, fewer_fetches, clean_bodies, values_for_statements, earlier_fetches, unnested, fewer_results,
         bypassed, simpler_inputs, smaller_sizes)
