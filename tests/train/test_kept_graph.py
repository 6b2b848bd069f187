"""A Saver makes the GraphDef beside a checkpoint anew if the graph has changed, and only then."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import graphc as gc
from graphc.ir.graph import Graph
from graphc.train.saving import kept_graph


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that were made messages of."""
    graphs: list[Any] = []
    whole = kept_graph.whole_graph_def
    monkeypatch.setattr(kept_graph, "whole_graph_def", lambda graph: graphs.append(graph) or whole(graph))
    return graphs


def loop(x: Any) -> Any:
    return gc.while_loop(lambda i: i < 3., lambda i: i + x, [x], name="loop")


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "an op": lambda x, y: gc.square(y),
    "a shape": lambda x, y: x.set_shape([4]),
    "a control input": lambda x, y: y.op._add_control_inputs([gc.no_op()]),
    "a loop": lambda x, y: loop(gc.reduce_sum(x)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_graph_is_written_as_it_is_now(change: str, made: list[Any], tmp_path: Path) -> None:
    with Graph().as_default() as graph, gc.Session() as session:
        x = gc.placeholder(gc.float32, [None], name="x")
        v = gc.Variable(gc.zeros([4]), name="v")
        y = gc.add(gc.reduce_sum(x), loop(gc.reduce_sum(v)))
        saver = gc.train.Saver()
        session.run(gc.global_variables_initializer())

        def saved(step: int) -> bytes:
            return Path(saver.save(session, str(tmp_path / "m"), step) + ".meta").read_bytes()

        def exported() -> bytes:
            return gc.train.export_meta_graph(saver_def=saver.saver_def).SerializeToString(deterministic=True)

        first = saved(1)
        assert saved(2) == first and made == [graph]
        CHANGES[change](x, y)
        second = saved(3)
        assert second != first and made == [graph, graph]
        assert saved(4) == second and made == [graph, graph]
        assert gc.MetaGraphDef.FromString(second).SerializeToString(deterministic=True) == exported()


def test_another_graph_and_one_with_large_constants(made: list[Any], tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    with Graph().as_default(), gc.Session() as session:
        gc.Variable([1.0] * 1_000)
        saver = gc.train.Saver()
        session.run(gc.global_variables_initializer())
        monkeypatch.setattr(kept_graph, "MOST_BYTES", 3_000)
        for step in range(2):
            saver.save(session, str(tmp_path / "m"), step)
        assert len(made) == 2
    with Graph().as_default() as other:
        assert not saver.export_meta_graph().graph_def.node and made[2] is other
