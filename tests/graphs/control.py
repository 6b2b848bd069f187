"""Random loops and branches: bodies of random statements, which use what is around them."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from interpret import Unfit
from programs import Apply, Block, Cond, While
from scopes import Scope

Filler = Callable[[Scope], Any]


def add_while(scope: Scope, fill: Filler) -> None:
    """A counted loop over one to three values, maybe with a second condition that depends on them."""
    maker, rng = scope.maker, scope.maker.rng
    counter = maker.input("constant", [np.asarray(0, np.int32)] * maker.knobs.sets)
    initial = [counter]
    for _ in range(rng.randint(1, 3)):
        found = scope.choose(lambda a: a[0].ndim <= 4)
        if found is not None and found not in initial:
            initial.append(found)
    if len(initial) == 1:
        raise Unfit("nothing to carry")
    params = [maker.name("p") for _ in initial]

    body = Scope(maker, scope)
    body.own.update({p: scope.find(i) for p, i in zip(params, initial, strict=True)})
    for _ in range(rng.randint(1, 4)):
        fill(body)
    step = maker.name()
    one = maker.input("constant", [np.asarray(1, np.int32)] * maker.knobs.sets)
    body.statements.append(Apply((step,), "AddV2", (params[0], one), {}))
    results, invariants = [step], [()]
    for param in params[1:]:
        result, invariant = _next_value(body, param, params)
        results.append(result)
        invariants.append(invariant)  # type: ignore[arg-type]
    outputs = tuple(maker.name() for _ in params)
    scope.add(While(outputs, tuple(params), tuple(initial), _test(scope, body, params, fill),
                    Block(tuple(body.statements), tuple(results)), tuple(invariants)))
    scope.flow += outputs


def _next_value(body: Scope, param: str, params: list[str]) -> tuple[str, tuple[int | None, ...] | None]:
    """What a body returns for one carried value, and the sizes that stay."""
    start, rng = body.find(param), body.maker.rng
    shapes = [a.shape for a in start]
    grows = rng.random() < 0.25

    def fits(arrays: list[np.ndarray]) -> bool:
        same = [a.shape for a in arrays] == shapes if not grows else arrays[0].ndim == start[0].ndim
        return arrays[0].dtype == start[0].dtype and same

    found = None
    for _ in range(4):
        found = body.choose(fits)
        if found is not None and found not in params:
            break
    found = found or param
    after = body.find(found)
    both = [*start, *after]
    free = rng.random() < 0.1
    invariant = tuple(None if free or len(set(sizes)) > 1 else sizes[0]
                      for sizes in zip(*(a.shape for a in both), strict=True)) if start[0].ndim else ()
    return found, invariant


def _test(scope: Scope, body: Scope, params: list[str], fill: Filler) -> Block:
    maker, rng = scope.maker, scope.maker.rng
    kind = rng.choice(("placeholder", "placeholder", "constant"))
    limit = maker.input(kind, [np.asarray(rng.choice((0, 1, 2, 3, 5)), np.int32) for _ in range(maker.knobs.sets)],
                        known=True)
    test = Scope(maker, scope)
    test.own.update({p: body.own[p] for p in params})
    more = maker.name()
    test.statements.append(Apply((more,), "Less", (params[0], limit), {}))
    if rng.random() < 0.3:
        fill(test)
        other = test.choose(lambda a: a[0].dtype.kind == "b" and all(v.ndim == 0 for v in a))
        if other is not None:
            both = maker.name()
            test.statements.append(Apply((both,), "LogicalAnd", (more, other), {}))
            more = both
    return Block(tuple(test.statements), (more,))


def add_cond(scope: Scope, fill: Filler) -> None:
    maker, rng = scope.maker, scope.maker.rng
    pred = scope.choose(lambda a: a[0].dtype.kind == "b" and all(v.ndim == 0 for v in a))
    if pred is None or rng.random() < 0.5:
        pred = maker.input("placeholder", [np.asarray(rng.random() < 0.5) for _ in range(maker.knobs.sets)])
    branches = []
    for _ in range(2):
        branch = Scope(maker, scope)
        for _ in range(rng.randint(1, 3)):
            fill(branch)
        branches.append(branch)
    then, otherwise = branches
    pairs = []
    for _ in range(rng.randint(1, 3)):
        first = then.choose(lambda a: True)
        if first is None:
            continue
        want = then.find(first)
        loose = rng.random() < 0.2
        second = otherwise.choose(lambda a, want=want, loose=loose: a[0].dtype == want[0].dtype and (
            a[0].ndim == want[0].ndim if loose else [v.shape for v in a] == [v.shape for v in want]))
        if second is not None:
            pairs.append((first, second))
    if not pairs:
        raise Unfit("no results of one kind")
    outputs = tuple(maker.name() for _ in pairs)
    scope.add(Cond(outputs, pred, Block(tuple(then.statements), tuple(a for a, _ in pairs)),
                   Block(tuple(otherwise.statements), tuple(b for _, b in pairs))))
    scope.flow += outputs
