"""Programs whose sizes and indices only running tells: every family at every place, against NumPy in float64."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphc as gc

from size_families import COLUMNS, FAMILIES, PLACES


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
        gradient, = gc.gradients(gc.reduce_sum(gc.square(f.graph(x, n))), x)
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
