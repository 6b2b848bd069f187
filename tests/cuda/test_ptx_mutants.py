"""How many planted faults the emulator notices, by their kinds. A fault that changes nothing (a bound that no thread is
at, a branch round an empty loop) cannot be noticed: so many of each kind there may be."""
from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np
import pytest

import graphc as gc

from on_both import ON_GPU
from ptx_mutants import KINDS, Mutating, is_noticed, mutants_of, run_on

RANDOM = np.random.default_rng(11)
EVERYTHING = os.environ.get("GRAPHC_TEST_CUDA") == "all"
EACH = 1000 if EVERYTHING else 4       # mutants of a kind and module
pytestmark = pytest.mark.skipif(ON_GPU, reason="planted faults would lose the GPU's context")


def product() -> list[Any]:
    a, b = gc.placeholder(gc.float32, [None, 37]), gc.placeholder(gc.float32, [37, None])
    return [gc.matmul(a, b)]


def rows() -> list[Any]:
    x = gc.placeholder(gc.float32, [None, None])
    return [gc.reduce_sum(x, 1), gc.reduce_max(x, 0)]


def elements() -> list[Any]:
    x, y = gc.placeholder(gc.float32, [None, 33]), gc.placeholder(gc.float32, [33])
    return [gc.transpose(x) * 2.0, x + y]


def by_index() -> list[Any]:
    x, i = gc.placeholder(gc.float32, [7, 3]), gc.placeholder(gc.int32, [None])
    taken = gc.gather(x, i)
    return [taken, gc.convert_to_tensor(gc.gradients(taken * taken, x)[0])]


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


CASES: dict[str, tuple[Any, list[Any]]] = {
    "product": (product, [floats(33, 37), floats(37, 18)]), "rows": (rows, [floats(5, 700)]),
    "elements": (elements, [floats(41, 33), floats(33)]),
    "by_index": (by_index, [floats(7, 3), np.array([6, 0, 3, 3, 6], np.int32)])}
# What share of the faults of a kind must be noticed.
WANTED = {"no barrier": 1.0, "operation": 1.0, "bound": 0.5, "stride": 0.75, "offset": 0.9, "no predicate": 0.6,
          "always": 0.7}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:Converting sparse")
def test_planted_faults_are_noticed(case: str) -> None:
    build, feeds = CASES[case]
    device = Mutating()
    expected = run_on(device, build, feeds)
    chosen = np.random.default_rng(12)
    planted: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    missed = []
    for text in device.texts:
        mutants = list(mutants_of(text))
        for kind in KINDS:
            some = [m for m in mutants if m.kind == kind]
            for mutant in [some[i] for i in chosen.permutation(len(some))[:EACH]]:
                planted[kind] += 1
                if is_noticed(mutant, build, feeds, expected):
                    noticed[kind] += 1
                else:
                    missed.append(str(mutant))
    print(case, {kind: f"{noticed[kind]} of {planted[kind]}" for kind in planted}, *missed, sep="\n  ")
    assert sum(planted.values()) >= 15
    few = [kind for kind in planted if planted[kind] > 3 and noticed[kind] < WANTED[kind] * planted[kind]]
    assert not few and noticed["no barrier"] == planted["no barrier"], missed
