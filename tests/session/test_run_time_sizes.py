"""Programs whose sizes and indices only running tells: every family at every place, against NumPy in float64."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from size_families import COLUMNS, FAMILIES, PLACES

import graphc as gc
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Bind, Map


@pytest.fixture(params=["fused", "unfused"])
def fusion(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GRAPHC_FUSION", "1" if request.param == "fused" else "0")
    return request.param


def numbers(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).integers(-3, 4, (rows, COLUMNS)).astype(np.float32)


def feeds() -> tuple[Any, Any]:
    return gc.placeholder(gc.float32, [None, COLUMNS], name="x"), gc.placeholder(gc.int32, [], name="n")


def check(found: Any, expected: np.ndarray, what: Any) -> None:
    assert np.shape(found) == np.shape(expected), what
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=str(what))


@pytest.mark.parametrize("family", FAMILIES)
def test_everywhere(family: str, fusion: str) -> None:
    f = FAMILIES[family]
    with gc.Graph().as_default():
        x, n = feeds()
        made = {place: graph(x, n, f.graph) for place, (graph, _) in PLACES.items()}
        with gc.Session() as session:
            for rows in (4, 1, 0):
                for value in f.values(rows):
                    given_ = numbers(rows)
                    for place, tensor in made.items():
                        expected = PLACES[place][1](given_.astype(np.float64), value, f.numpy)
                        check(session.run(tensor, {x: given_, n: value}), expected, (place, rows, value))
                    found = session.run(list(made.values()), {x: given_, n: value})
                    for place, result in zip(made, found, strict=True):
                        expected = PLACES[place][1](given_.astype(np.float64), value, f.numpy)
                        check(result, expected, (place, rows, value, "all at once"))


@pytest.mark.parametrize("family", [k for k, f in FAMILIES.items() if f.gradient])
def test_gradients(family: str, fusion: str) -> None:
    """Of a sum of squares, which is what central differences give exactly."""
    f = FAMILIES[family]
    with gc.Graph().as_default():
        x, n = feeds()
        gradient = gc.convert_to_tensor(gc.gradients(gc.reduce_sum(gc.square(f.graph(x, n))), x)[0])
        with gc.Session() as session:
            for rows in (4, 1, 0):
                for value in f.values(rows):
                    given_ = numbers(rows).astype(np.float64)
                    expected = np.zeros_like(given_)
                    for index in np.ndindex(*given_.shape):
                        high, low = given_.copy(), given_.copy()
                        high[index] += 1
                        low[index] -= 1
                        expected[index] = (np.square(f.numpy(high, value)).sum()
                                           - np.square(f.numpy(low, value)).sum()) / 2
                    check(session.run(gradient, {x: given_, n: value}), expected, (rows, value))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_two_families_and_many_runs(data: Any) -> None:
    """Two families of one n, one behind the other's results where shapes allow, run until compiled code takes over."""
    names = [data.draw(st.sampled_from(sorted(FAMILIES))) for _ in range(2)]
    places = [data.draw(st.sampled_from(sorted(PLACES))) for _ in range(2)]
    rows = data.draw(st.integers(0, 5))
    common = sorted(set(FAMILIES[names[0]].values(rows)) & set(FAMILIES[names[1]].values(rows)))
    if not common:
        return
    value = data.draw(st.sampled_from(common))
    given_ = numbers(rows)
    with gc.Graph().as_default():
        x, n = feeds()
        parts = [PLACES[p][0](x, n, FAMILIES[f].graph) for p, f in zip(places, names, strict=True)]
        sums = [gc.reduce_sum(part) for part in parts]
        fetches = [*parts, parts[0] * sums[1], sums[0] + sums[1]]
        whole = [np.asarray(PLACES[p][1](given_.astype(np.float64), value, FAMILIES[f].numpy))
                 for p, f in zip(places, names, strict=True)]
        expected = [*whole, whole[0] * whole[1].sum(), whole[0].sum() + whole[1].sum()]
        with gc.Session() as session:
            for run in range(6):
                for found, want in zip(session.run(fetches, {x: given_, n: value}), expected, strict=True):
                    check(found, want, (names, places, rows, value, run))


def test_without_compiled_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's evaluator alone."""
    monkeypatch.setenv("GRAPHC_JIT", "0")
    with gc.Graph().as_default():
        x, n = feeds()
        made = {name: PLACES["between reductions"][0](x, n, f.graph) for name, f in FAMILIES.items()}
        with gc.Session() as session:
            for name, tensor in made.items():
                value, given_ = FAMILIES[name].values(4)[-1], numbers(4)
                expected = PLACES["between reductions"][1](given_.astype(np.float64), value, FAMILIES[name].numpy)
                for _ in range(6):
                    check(session.run(tensor, {x: given_, n: value}), expected, name)


def test_variables() -> None:
    with gc.Graph().as_default():
        start = numbers(4)
        v, n = gc.Variable(start), gc.placeholder(gc.int32, [])
        before = gc.reshape(v, [n, -1])
        written = gc.assign_add(v, gc.ones_like(v))
        with gc.Session() as session:
            session.run(v.initializer)
            check(session.run(v[n] * 2.0, {n: 2}), start[2] * 2, "map")
            check(session.run(gc.reduce_sum(v[n]), {n: -1}), start[-1].sum(), "sum")
            check(session.run([before, written], {n: 2})[0], start.reshape(2, 6), "old value under a size fed")
            check(session.run(v), start + 1, "new value")


@pytest.mark.parametrize("rows, expected", [(4, [3.0, 4.0]), (1, [])])
def test_masks_of_what_a_loop_carries(rows: int, expected: list[float]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None])
        carried = gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1.0, gc.boolean_mask(a, a > k + 1.0)],
                                [gc.constant(0.0), x], shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])[1]
        with gc.Session() as session:
            for _ in range(3):
                check(session.run(carried, {x: np.arange(1.0, rows + 1)}), np.array(expected), rows)
                check(session.run(carried * 2.0, {x: np.arange(1.0, rows + 1)}), np.array(expected) * 2, rows)


def test_what_is_known_of_a_shape_stays_known() -> None:
    """As in TensorFlow: the 3 of [n, 3] is known, and two shapes of one n are equal, so that what has them fuses."""
    with gc.Graph().as_default():
        x, n = feeds()
        assert gc.reshape(x, [n, 3]).shape.as_list() == [None, 3]
        assert gc.zeros([2, n + 1, 4]).shape.as_list() == [2, None, 4]
        assert gc.zeros([n // 2, 6 // n, 4]).shape.as_list() == [None, None, 4]
        assert gc.fill(gc.concat([[5], gc.reshape(n, [1])], 0), 1.0).shape.as_list() == [5, None]
        y = gc.exp(gc.zeros([n, 3])) + gc.broadcast_to(gc.tanh(x[0]), [n, 3]) + gc.fill(gc.stack([n, 3]), 2.0)
        plan = compile_graph([y], (), [x, n]).plan
        assert sum(isinstance(step, Bind) for step in plan.bodies[0].steps) == 1
        assert sum(isinstance(step, Map) for step in plan.bodies[0].steps) <= 2
        with gc.Session() as session:
            check(session.run(y, {x: numbers(4), n: 5}), np.broadcast_to(3 + np.tanh(numbers(4)[0]), (5, 3)), "sum")


# Each with the values that its message must show.
WRONG: dict[str, tuple[Any, Any, list[str]]] = {
    "index": (lambda x, n: x[n] * 2.0, 4, ["StridedSlice", "out of bounds for axis 0", "4 and 4"]),
    "negative index": (lambda x, n: x[n] * 2.0, -5, ["StridedSlice", "out of bounds for axis 0", "-4 and -5"]),
    "stride": (lambda x, n: x[::n] + 1.0, 0, ["StridedSlice", "strides[0] must not be 0"]),
    "slice begin": (lambda x, n: gc.slice(x, [n, 0], [1, 1]), -1, ["Slice", "axis 0", "0 and -1"]),
    "slice size": (lambda x, n: gc.slice(x, [1, 0], [n, 1]), 5, ["Slice", "axis 0", "6 and 4"]),
    "reshape": (lambda x, n: gc.reshape(x, [n]), 7, ["Reshape", "cannot reshape", "12 and 7"]),
    "reshape rest": (lambda x, n: gc.reshape(x, [n, -1]), 5, ["Reshape", "must divide", "2 and 0"]),
    "reshape by 0": (lambda x, n: gc.reshape(x, [n, -1]), 0, ["Reshape", "-1 is not determined"]),
    "two -1": (lambda x, n: gc.reshape(x, [n, -1]), -1, ["Reshape", "only one size may be -1"]),
    "two -1 fed": (lambda x, n: gc.reshape(x, [n, n]), -1, ["Reshape", "only one size may be -1", "2 and 1"]),
    "reshape to -2": (lambda x, n: gc.reshape(x, [n]), -2, ["Reshape", "only one size may be -1", "-1 and -2"]),
    "reshape there and back": (lambda x, n: gc.reshape(gc.reshape(x, [n]), gc.shape(x)), 7, ["Reshape", "12 and 7"]),
    "fill": (lambda x, n: gc.fill([n], 1.0), -1, ["Fill", "must not be negative", "0 and -1"]),
    "tile": (lambda x, n: gc.tile(x, [n, 1]), -1, ["Tile", "multiples must not be negative"]),
    "pad": (lambda x, n: gc.pad(x, [[n, 0], [0, 0]]), -1, ["Pad", "paddings must not be negative"]),
    "one_hot": (lambda x, n: gc.one_hot(gc.constant([0]), n), -1, ["OneHot", "depth must not be negative"]),
    "random": (lambda x, n: gc.random_uniform([n]), -1, ["RandomUniform", "must not have a negative size"]),
    "random integers": (lambda x, n: gc.random_uniform([n], 0, 9, gc.int32), -1,
                        ["RandomUniformInt", "negative size"]),
    "normal": (lambda x, n: gc.random_normal([n]), -1, ["RandomStandardNormal", "negative size"]),
    "broadcast_to": (lambda x, n: gc.broadcast_to(1.0, [n]), -1, ["BroadcastTo", "must not be negative"]),
    "split": (lambda x, n: gc.split(x, [n, 1], 0)[0], 2, ["SplitV", "must add up to axis 0", "3 and 4"]),
    "argmax of nothing": (lambda x, n: gc.argmax(x[:n, :n], 1), 0, ["ArgMax", "axis 1", "there is no extreme element"]),
    "argmin of nothing": (lambda x, n: gc.argmin(x[:n], 0), 0, ["ArgMin", "axis 0", "there is no extreme element"]),
    "range": (lambda x, n: gc.range(0, 5, n), 0, ["Range", "delta must not be 0"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_says_why(what: str, fusion: str) -> None:
    graph, value, texts = WRONG[what]
    with gc.Graph().as_default():
        x, n = feeds()
        tensor = graph(x, n)
        with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError) as error:
            session.run(tensor, {x: numbers(4), n: value})
    said, built = str(error.value).split("built at")      # the user's line would hold the texts
    assert all(text in said for text in texts), said
    assert "test_run_time_sizes.py" in built


@pytest.mark.parametrize("squeezed, by_numpy", [
    (lambda x: gc.squeeze(x), lambda x: np.squeeze(x)), (lambda x: gc.squeeze(x) * 2.0, lambda x: np.squeeze(x) * 2),
    (lambda x: gc.expand_dims(gc.squeeze(x), 0), lambda x: np.squeeze(x)[None]),
    (lambda x: gc.reduce_sum(gc.squeeze(gc.square(x))), lambda x: np.sum(np.square(x)))])
def test_squeeze_never_keeps_an_axis_of_size_1(squeezed: Any, by_numpy: Any, fusion: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 1])
        tensor = squeezed(x)
        with gc.Session() as session:
            for rows in (3, 0, 1, 2, 1):
                value = np.arange(float(rows)).reshape(rows, 1)
                check(session.run(tensor, {x: value}), by_numpy(value), f"{rows} rows")
            check(session.run(gc.squeeze(x, 1), {x: np.ones((1, 1))}), np.ones(1), "axis given")
            check(session.run(gc.squeeze(x[:2]), {x: np.ones((3, 1))}), np.ones(2), "a part")
