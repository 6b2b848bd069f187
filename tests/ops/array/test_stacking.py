"""Graphs of one element as graphs of many (api/stacking): each row is what the element alone gives, to the bit."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.api.stacking.graph import FLAT, ROWS, SPARSE, Stacked, is_pure, stacked
from graphc.api.stacking.rules import RULES
from graphc.exec.reference import run_reference
from graphc.ir.graph import Graph
from graphc.ir.op import OPS

from samples import ELSEWHERE, Built, arrays, build, registered

ELEMENTS = 3
SAMPLES = 3                   # of an op, besides those of other dtypes
SLOW = {"Igamma", "Igammac", "IgammaGradA", "Zeta"}       # in NumPy
TYPES = [name for name in registered() if name not in {*ELSEWHERE, *SLOW} and not OPS[name].refs]


def forms(op_type: str) -> Iterator[tuple[Built, list[np.ndarray], list[bool], Stacked]]:
    """The stacked forms of an op's samples: all operands differ from element to element, or only the first one, or all
    others."""
    op = OPS[op_type]
    for sample in (*op.samples[:SAMPLES], *op.samples[SAMPLES:][-1:]):
        values = arrays(op, sample)
        if not values:
            continue
        built = build(op, sample, values)
        count = len(values)
        for rows in {(True,) * count, (True, *(False,) * (count - 1)), (False, *(True,) * (count - 1))} - {(False,)}:
            feeds = [t for t, row in zip(built.inputs, rows, strict=True) if row]
            inner = [t for t, row in zip(built.inputs, rows, strict=True) if not row]
            form = stacked(built.graph, Graph(), feeds, inner, built.outputs, [False] * len(feeds))
            if form is not None and not {SPARSE, FLAT} & set(form.kinds):        # tests/data/test_chunks.py has those
                yield built, values, list(rows), form


def rolled(array: np.ndarray, places: int) -> np.ndarray:
    """Another element: the same numbers in another order."""
    return np.roll(array.ravel(), places).reshape(array.shape)


def below(values: Sequence[np.ndarray]) -> np.ndarray:
    made = np.empty((len(values), *values[0].shape), values[0].dtype)
    for i, value in enumerate(values):
        made[i] = value if value.ndim else value[()]
    return made


def same(a: Any, b: Any) -> bool:
    a, b = (np.asarray(v, object if isinstance(v, bytes) else None) for v in (a, b))
    return a.shape == b.shape and a.dtype == b.dtype and (
        bool((a == b).all()) if a.dtype == object else a.tobytes() == b.tobytes())


@pytest.mark.parametrize("op_type", TYPES)
def test_rows_are_what_elements_give(op_type: str) -> None:
    for built, values, rows, form in forms(op_type):
        elements = [[rolled(v, i) if row else v for v, row in zip(values, rows, strict=True)] for i in range(ELEMENTS)]
        fed = [below([e[i] for e in elements]) for i, row in enumerate(rows) if row]
        fed += [v for v, row in zip(values, rows, strict=True) if not row]
        try:
            alone = [run_reference(built.outputs, dict(zip(built.inputs, e, strict=True))) for e in elements]
        except gc.errors.OpError:
            continue                                     # rolled, the sample is none
        found = run_reference(form.fetches, dict(zip([*form.feeds, *form.inner], fed, strict=True)))
        for i in range(ELEMENTS):
            for one, expected, kind in zip(found, alone[i], form.kinds, strict=True):
                assert same(one[i] if kind == ROWS else one, expected), (rows, i)


def test_each_rule_is_tried() -> None:
    """By the samples of its op; the others' samples have operands that a rule refuses."""
    elsewhere = {"LookupTableFindV2", "ParseSingleExample", "Shape", "Size", "Rank", "Prod", "StringSplit",
                 "StringSplitV2"}
    assert {name for name in RULES if not any(True for _ in forms(name))} == elsewhere


PARSED = {"x": gc.FixedLenFeature([3], gc.float32), "n": gc.FixedLenFeature([], gc.int64, 7)}


def example(n: int) -> bytes:
    made = gc.train.Example()
    made.features.feature["x"].float_list.value.extend([n, n + 0.5, -n])
    if n % 3:
        made.features.feature["n"].int64_list.value.append(n)
    return made.SerializeToString()


CASES: dict[str, Any] = {
    "shapes": (lambda x: (gc.shape(x), gc.size(x) + gc.rank(x), gc.reshape(x, [-1]) * 2.),
               np.float32([[1, 2], [3, 4]])),
    "sums of integers": (lambda x: (gc.reduce_sum(x), gc.reduce_max(x, 0), gc.reduce_prod(x, -1, keepdims=True)),
                         np.int32([[1, 2, 3], [4, 5, 6]])),
    "broadcasting": (lambda x: x + gc.reduce_sum(gc.cast(x, gc.int32)) + [[1], [2]], np.int32([5, 6, 7])),
    "chosen": (lambda x: gc.where(gc.is_nan(x), gc.zeros_like(x), gc.exp(x)), np.float32([1, 2])),
    "parsed": (lambda x: gc.parse_single_example(x, PARSED), np.array(example(4), object)),
    "slices": (lambda x: (x[0], x[:, 1:], x[..., gc.newaxis, ::-1], x[-1, 0]),
               np.float64([[1, 2, 3], [4, 5, 6]])),
    "columns": (lambda x: gc.stack([*gc.decode_csv(x, [[0.], [1.]]), gc.string_to_number(gc.substr(x, 0, 1))]),
                np.array(b"1.5,", object)),
}


@pytest.mark.parametrize("name", CASES)
def test_functions(name: str) -> None:
    function, value = CASES[name]
    graph = gc.python.framework.func_graph.FuncGraph("function")
    with graph.as_default():
        x = gc.placeholder(gc.as_dtype(value.dtype), value.shape)
        results = gc.nest.flatten(function(x))
        fetches = [gc.convert_to_tensor(r) for r in results]
    form = graph.stacked([x], [], fetches, [False])
    assert form is not None
    values = [rolled(value, i) if value.dtype != object else value for i in range(5)]
    found = gc.Session(graph=form.graph).run(form.fetches, {form.feeds[0]: below(values)})
    session = gc.Session(graph=graph)
    for i, one in enumerate(values):
        for many, kind, expected in zip(found, form.kinds, session.run(fetches, {x: one}), strict=True):
            assert same(many[i] if kind == ROWS else many, expected)


def test_what_has_no_stacked_form() -> None:
    refused = [lambda x: gc.reduce_sum(x), lambda x: gc.reduce_max(x), lambda x: x + gc.random_uniform([2]),
               lambda x: gc.matmul(x[:, gc.newaxis], x[gc.newaxis]), lambda x: gc.py_func(np.sin, [x], gc.float32),
               lambda x: gc.cond(x[0] > 0, lambda: x, lambda: -x), lambda x: gc.constant(1.), lambda x: gc.where(x > 0)]
    for function in refused:
        graph = gc.python.framework.func_graph.FuncGraph("function")
        with graph.as_default():
            x = gc.placeholder(gc.float32, [2])
            fetched = gc.convert_to_tensor(function(x))
        assert graph.stacked([x], [], [fetched], [False]) is None


def test_what_is_pure() -> None:
    assert [is_pure(gc_graph(f)) for f in (
        lambda: gc.constant([1.]) * 2, lambda: gc.random_uniform([]), lambda: gc.py_func(np.sin, [1.], gc.float32),
        lambda: gc.Variable(1.) + 1)] == [True, False, False, False]


def gc_graph(function: Any) -> Graph:
    with Graph().as_default() as graph:
        function()
    return graph
