"""The hand-written Plans survive the file; newer and damaged ones are refused."""
from __future__ import annotations

import pytest
from five import CASES

from graphc.errors import DataLossError
from graphc.plan.plan import FORMAT_VERSION
from graphc.serial.plan_proto import graph_hash, load_plan, parse_plan, save_plan


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name: str) -> None:
    plan = CASES[name]().plan
    again = parse_plan(save_plan(plan, "s", 7).SerializeToString())
    # Constants of programs are stored in their own dtype, so a Python 0.9 comes back as float32's 0.9.
    assert save_plan(again, "s", 7) == save_plan(plan, "s", 7)
    assert again.bodies == plan.bodies and again.constants == plan.constants


def test_newer_version_is_refused() -> None:
    saved = save_plan(CASES["adam"]().plan)
    saved.format_version = FORMAT_VERSION + 1
    with pytest.raises(DataLossError, match="made by a newer graphc"):
        load_plan(saved)


def test_truncated_is_refused() -> None:
    data = save_plan(CASES["adam"]().plan).SerializeToString()
    with pytest.raises(DataLossError, match="damaged"):
        parse_plan(data[:len(data) // 2])


def test_hash_depends_on_order_and_split() -> None:
    assert len({graph_hash(x) for x in ([b"ab"], [b"a", b"b"], [b"b", b"a"], [])}) == 4
