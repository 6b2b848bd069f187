"""The chooser: every possible pair is chosen, nothing impossible is, and the same each time."""
from __future__ import annotations

import itertools

from matrix.pairwise import full, pairwise, product

FACTORS = {"a": (0, 1, 2, 3), "b": (0, 1, 2), "c": (0, 1), "d": (0, 1, 2)}


def possible(choice: dict[str, int]) -> bool:
    """a = 0 goes with b = 0 only, and d = 2 with c = 1 only."""
    return not (choice.get("a") == 0 and choice.get("b", 0) != 0) and not (
        choice.get("d") == 2 and choice.get("c", 1) != 1)


def pairs(choices: list[dict[str, int]]) -> set[object]:
    return {pair for choice in choices for pair in itertools.combinations(choice.items(), 2)}


def test_every_possible_pair_is_chosen_and_nothing_else() -> None:
    chosen, every = pairwise(FACTORS, possible), product(FACTORS, possible)
    assert all(choice in every for choice in chosen)
    assert pairs(chosen) == pairs(every)
    assert len(chosen) < len(every) / 2
    assert chosen == pairwise(FACTORS, possible)


def test_a_turning_factor_has_every_level_but_not_every_pair() -> None:
    factors = {"sample": tuple(range(20)), **FACTORS}
    chosen = pairwise(factors, possible, turning="sample")
    assert {choice["sample"] for choice in chosen} == set(range(20))
    without = [{k: v for k, v in choice.items() if k != "sample"} for choice in chosen]
    assert pairs(without) == pairs(product(FACTORS, possible))
    assert len(chosen) <= 24


def test_the_main_factors_are_combined_in_full() -> None:
    chosen = full(FACTORS, ("a", "b"), possible)
    assert [(c["a"], c["b"]) for c in chosen] == [
        (c["a"], c["b"]) for c in product({"a": FACTORS["a"], "b": FACTORS["b"]}, possible)]
    assert all(possible(c) and set(c) == set(FACTORS) for c in chosen)
