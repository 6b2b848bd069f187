"""A random program from a seed: ops by their samples, loops, branches, gradients, writes, run-time sizes."""
from __future__ import annotations

import dataclasses
import random
from collections import Counter
from typing import Any

import numpy as np

from graphc.ir.op import OPS

import limits
from control import add_cond, add_while
from interpret import Unfit
from operands import add_op, usable
from programs import Apply, BuildError, Call, Gradients, Input, Program, build, everywhere, pruned, used
from scopes import Knobs, Maker, Scope

FETCHES = 7
SCHEDULE = (0, 1, 2, 0, 0, 1, 2, 0)      # machine code is made at the fourth run


def generate(seed: int, knobs: Knobs = Knobs(), refused: Counter[str] | None = None) -> Program:
    """refused: counts, by reason, what graphc documents that it refuses while a graph is built."""
    rng = random.Random(f"graph {seed}")
    maker = Maker(rng, knobs)
    scope = Scope(maker)
    for _ in range(rng.randint(3, knobs.operations)):
        add_something(scope)
    statements = (*maker.inputs, *scope.statements)
    program = Program(statements, fetched(scope), SCHEDULE)
    return without_refused(pruned(program), refused if refused is not None else Counter())


def add_something(scope: Scope) -> None:
    """One op or more; a few tries."""
    rng, knobs = scope.maker.rng, scope.maker.knobs
    for _ in range(10):
        draw = rng.random()
        try:
            if knobs.control and draw < 0.10 and scope.depth < 2:
                return (add_while if draw < 0.055 else add_cond)(scope, add_something)
            if knobs.gradients and draw < 0.20 and scope.depth < 2:
                return add_gradients(scope)
            if knobs.functions and draw < 0.25:
                return add_function(scope)
            return add_one_op(scope)
        except Unfit:
            continue


def add_one_op(scope: Scope) -> None:
    maker = scope.maker
    without = maker.knobs.without | (limits.NOT_IN_TENSORFLOW if maker.portable else set())
    types = [t for t in usable() if t not in without and not (maker.portable and t.startswith("_"))]
    op = OPS[maker.rng.choice(types)]
    if op.refs and (not maker.knobs.writes or maker.rng.random() < 0.5):
        raise Unfit("no writes")
    statement = add_op(scope, op)
    if op.refs:
        read = statement.inputs[0]
        assert isinstance(read, str)
        scope.add(Apply((maker.name(),), "Identity", (read,), {}, after=statement.outputs[:1]))


def add_gradients(scope: Scope) -> None:
    maker, rng = scope.maker, scope.maker.rng
    ys = {scope.choose(_is_float) for _ in range(rng.randint(1, 2))} - {None}
    flow = [n for n in scope.flow if _is_float(scope.find(n))]
    if flow and rng.random() < 0.7:
        ys.add(rng.choice(flow))
    xs = {scope.choose(_is_float) for _ in range(rng.randint(1, 3))} - {None}
    if not ys or not xs:
        raise Unfit("nothing to differentiate")
    xs = {x for x in xs if x in scope.own or scope.depth == 0} or xs
    scope.add(Gradients(tuple(maker.name("g") for _ in xs), tuple(sorted(ys)), tuple(sorted(xs))))


def _is_float(arrays: list[np.ndarray]) -> bool:
    return arrays[0].dtype.kind == "f"


def add_function(scope: Scope) -> None:
    maker, rng = scope.maker, scope.maker.rng
    hosts = ("gc.Print", "gc.Assert", "twice") * maker.hosts
    function = rng.choice(("gc.boolean_mask", "gc.boolean_mask", "gc.placeholder_with_default", "variable", *hosts))
    out = maker.name()
    if function == "variable":
        if not maker.variables:
            raise Unfit("no variable")
        scope.add(Apply((out,), "IsVariableInitialized", (rng.choice(sorted(maker.variables)),), {}))
    elif function == "gc.boolean_mask":
        found = scope.choose(lambda a: a[0].ndim in (1, 2, 3))
        if found is None:
            raise Unfit("no value")
        shapes = [a.shape[:1] for a in scope.find(found)]
        mask = scope.choose(lambda a: a[0].dtype.kind == "b" and [v.shape for v in a] == shapes)
        mask = mask or maker.random_input(shapes, np.dtype(bool), 0, 2)
        scope.add(Call((out,), function, (found, mask)))
    elif function == "gc.Assert":
        fed = maker.input("placeholder", [np.asarray(n != 1 or rng.random() < 0.7) for n in range(maker.knobs.sets)])
        scope.add(Call((out,), function, (fed,)), hidden=True)
        scope.writes.append(out)
    else:
        found = scope.choose(lambda a: a[0].dtype.kind == "f" and scope.depth < 1)
        if found is None:
            raise Unfit("no value")
        scope.add(Call((out,), function, (found,)))


def fetched(scope: Scope) -> tuple[str, ...]:
    """What nothing uses, some values on the way, variables, and operations that write."""
    rng = scope.maker.rng
    taken = {n for s in scope.statements for n in used(s)}
    ends = [n for n in scope.own if n not in taken]
    rng.shuffle(ends)
    others = [n for n in scope.own if n in taken and rng.random() < 0.12]
    writes = [n for n in scope.writes if rng.random() < 0.7]
    variables = [n for n in sorted(scope.maker.variables) if rng.random() < 0.3]
    return tuple(dict.fromkeys([*ends[:FETCHES], *others[:2], *writes, *variables])) or tuple(scope.own)[-1:]


def without_refused(program: Program, refused: Counter[str]) -> Program:
    """The program without what graphc documents that it refuses: run-time fields become literals, else ops go."""
    for _ in range(30):
        try:
            build(program)
            return program
        except BuildError as problem:
            reason = limits.while_building(problem)
            if reason is None:
                return program
            refused[reason] += 1
            program = limits.simplified(program, problem.statement)
    return program


def kinds(program: Program) -> Counter[str]:
    """How often each kind of statement occurs, nested ones by their path."""
    found: Counter[str] = Counter()
    for statement in everywhere(program.statements):
        kind = type(statement).__name__
        found[kind if not isinstance(statement, Input) else statement.kind] += 1
    return found


def replaced(program: Program, **changes: Any) -> Program:
    return pruned(dataclasses.replace(program, **changes))
