"""The hand-written Plans survive the file; newer and damaged ones are refused."""
from __future__ import annotations

import pytest

from graphc.errors import DataLossError
from graphc.plan.plan import FORMAT_VERSION
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import graph_hash, load_plan, parse_plan, save_plan

from five import CASES


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name: str) -> None:
    plan = CASES[name]().plan
    again = parse_plan(save_plan(plan, "s", 7).SerializeToString())
    assert again == plan


def test_newer_version_is_refused() -> None:
    saved = save_plan(CASES["adam"]().plan)
    saved.format_version = FORMAT_VERSION + 1
    with pytest.raises(DataLossError, match="made by a newer graphc"):
        load_plan(saved)


def test_truncated_is_refused() -> None:
    data = save_plan(CASES["adam"]().plan).SerializeToString()
    with pytest.raises(DataLossError, match="damaged"):
        parse_plan(data[:len(data) // 2])


def test_hash_is_of_names_ops_inputs_and_attributes() -> None:
    def graph(name: str = "a", inputs: tuple[str, ...] = ("x",), value: int = 1, device: str = "") -> GraphDef:
        made = GraphDef()
        node = made.node.add(name=name, op="Const", input=inputs, device=device)
        node.attr["v"].i = value
        return made

    hashes = [graph_hash(g) for g in (graph(), graph("b"), graph(inputs=("x", "y")), graph(value=2), GraphDef())]
    assert len(set(hashes)) == 5
    assert graph_hash(graph(device="/cpu:0")) == hashes[0]
