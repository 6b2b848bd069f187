"""tf.print: what it writes, as recorded from TensorFlow 2.21, where, and when."""
from __future__ import annotations

import collections
import logging
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc

Pair = collections.namedtuple("Pair", "a b")
ROWS = "[[0 1 2 3]\n [4 5 6 7]\n [8 9 10 11]]"


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def cases() -> list[tuple[Any, dict[str, Any], str]]:
    x = gc.constant(np.arange(12, dtype=np.float32).reshape(3, 4))
    i, text = gc.constant(7), gc.constant("hello")
    sparse = gc.SparseTensor([[0, 1]], [2.5], [2, 3])
    listed = "SparseTensor(indices=[[0 1]], values=[2.5], shape=[2 3])"
    return [
        ((x,), {}, ROWS), (("x:", x, "i:", i), {}, f"x: {ROWS} i: 7"), ((text,), {}, "hello"),
        ((text, i), {}, '"hello" 7'),
        (([x, i, {"b": i, "a": text}],), {"sep": "|"}, f"[{ROWS}, 7, {{'a': \"hello\", 'b': 7}}]"),
        (("a {} b", i), {}, "a {} b 7"), (("'{}'", i), {}, "'{}' 7"),
        ((Pair(i, 2), "q'q", ("t", 1.5, None)), {}, "Pair(a=7, b=2) q'q ('t', 1.5, None)"),
        ((sparse, "s"), {}, f"'{listed}' s"), (([sparse, i],), {}, f"['{listed}', 7]"),
        ((x,), {"summarize": 1}, "[[0 ... 3]\n ...\n [8 ... 11]]"), ((x,), {"summarize": -1}, ROWS),
        (("only",), {}, "only"), ((), {}, ""), ((1, 2.5, np.arange(3)), {"sep": ", "}, "1, 2.5, array([0, 1, 2])"),
        ((gc.constant(["a", "b"]), gc.constant(True), gc.constant(1.5)), {}, '["a" "b"] 1 1.5'),
        (({"z": [i, "k"], "y": (i,)},), {}, "{'y': (7,), 'z': [7, 'k']}")]


def test_texts(capsys: pytest.CaptureFixture[str]) -> None:
    with gc.Session() as session:
        for inputs, options, wanted in cases():
            session.run(gc.print(*inputs, output_stream=sys.stdout, end="!\n", **options))
            assert capsys.readouterr().out == wanted + "!\n"


def test_streams(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    x, path = gc.placeholder(gc.int32, []), tmp_path / "lines.txt"
    with gc.Session() as session:
        session.run(gc.print("x", x), {x: 1})
        assert capsys.readouterr() == ("", "x 1\n")
        session.run(gc.print("x", x, output_stream=logging.WARNING), {x: 1})
        assert capsys.readouterr() == ("", "W x 1\n")
        to_file = gc.print(x, output_stream=f"file://{path}")
        for i in range(3):
            session.run(to_file, {x: i})
    assert path.read_text() == "0\n1\n2\n"
    with pytest.raises(ValueError, match="Unsupported output stream"):
        gc.print(1, output_stream=3)
    with pytest.raises(ValueError, match="Unsupported output stream"):
        gc.print(1, output_stream="nowhere")


def test_as_a_control_dependency_in_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    def body(i: Any) -> Any:
        with gc.control_dependencies([gc.print("step", i)]):
            return i + 1

    with gc.Session() as session:
        assert session.run(gc.while_loop(lambda i: i < 3, body, [0])) == 3
    assert capsys.readouterr().err == "step 0\nstep 1\nstep 2\n"


def test_names_of_the_graph() -> None:
    made = gc.print(gc.constant(1), name="shown")
    assert (made.name, made.type, made.inputs[0].name) == ("shown", "PrintV2", "shown_format:0")
