"""contrib.legacy_seq2seq gives TensorFlow's numbers, with variables of TensorFlow's names (see
test_decoding_numbers.py)."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from decoding_models import result_of
from test_decoding_numbers import RECORDED
from unrolled_models import FEEDING, PLAIN, Lists, buckets, fetches_of

import graphc as gc


def check(name: str, fetches: Any, feeds: Any) -> None:
    names, prints = result_of(fetches, feeds, 1.1)
    assert names == RECORDED[name]["names"]
    assert [p[0] for p in prints] == [p[0] for p in RECORDED[name]["prints"]]
    for position, (found, wanted) in enumerate(zip(prints, RECORDED[name]["prints"], strict=True)):
        np.testing.assert_allclose(found[1:], wanted[1:], rtol=2e-4, atol=2e-4, err_msg=f"result {position}")


@pytest.mark.parametrize("back", (False, True))
@pytest.mark.parametrize("name", FEEDING)
def test_feed_previous(name: str, back: bool) -> None:
    gc.reset_default_graph()
    x = Lists()
    check(f"{name} {back}", fetches_of(FEEDING[name], x, back), x.feeds(back))


@pytest.mark.parametrize("name", FEEDING)
def test_feed_previous_by_a_tensor(name: str) -> None:
    """One graph, both ways: they share their variables."""
    gc.reset_default_graph()
    x = Lists()
    fetches = fetches_of(FEEDING[name], x, x.feeds_back)
    for back in (False, True):
        check(f"{name} {back} by tensor", fetches, x.feeds(back))


@pytest.mark.parametrize("name", PLAIN)
def test_without_embedding(name: str) -> None:
    gc.reset_default_graph()
    x = Lists()
    check(name, fetches_of(PLAIN[name], x, None), x.feeds(False))


@pytest.mark.parametrize("per_example", (False, True))
def test_buckets(per_example: bool) -> None:
    gc.reset_default_graph()
    x = Lists()
    check(f"buckets {per_example}", buckets(x, per_example), x.feeds(False))
