"""The names of TensorFlow 1 that scripts use most are there, and each can be called (the tables stand in calls/)."""
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import ALL

import graphc.compat.v1 as tf

FETCHED = (tf.Tensor, tf.Operation, tf.Variable, tf.SparseTensor, tf.IndexedSlices)


def symbol(name: str) -> Any:
    found = tf
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


class Runner:
    """The names that a sample can use: `_` is the symbol itself, ready() initializes, run(x) does so first."""

    def __init__(self, session: tf.Session, name: str, folder: Path) -> None:
        self.session, self.initialized = session, False
        self.names = {"tf": tf, "np": np, "_": symbol(name), "session": session, "folder": str(folder),
                      "run": self.run, "ready": self.ready}

    def ready(self) -> None:
        self.initialized = True
        self.session.run([tf.global_variables_initializer(), tf.local_variables_initializer(),
                          tf.tables_initializer()])

    def run(self, fetches: Any, feeds: dict[Any, Any] | None = None) -> Any:
        if not self.initialized:
            self.ready()
        return self.session.run(fetches, feeds)

    def value(self, code: str) -> Any:
        """Of the last line, run if it holds tensors."""
        *before, last = code.split("\n")
        exec("\n".join(before), self.names)
        value = eval(last, self.names)
        return self.run(value) if holds_tensors(value) else value


def holds_tensors(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(holds_tensors, value))
    return isinstance(value, FETCHED)


def same(got: Any, wanted: Any) -> bool:
    """Numbers up to rounding, everything else exactly."""
    if isinstance(wanted, (list, tuple)):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    if isinstance(wanted, (int, float)):
        return bool(np.allclose(got, wanted, rtol=1e-5, atol=1e-6))
    return bool(got == wanted)


def test_the_names_are_there() -> None:
    assert len(ALL) >= 680
    for name in ALL:
        symbol(name)


@pytest.mark.parametrize("name", ALL)
def test_call(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["program"])
    monkeypatch.chdir(tmp_path)
    code, wanted = ALL[name]
    assert "_" in re.split(r"\W+", code.replace(name, "_")), f"the sample of {name} does not use it"
    with tf.Graph().as_default(), tf.Session() as session:
        got = Runner(session, name, tmp_path).value(code)
    assert same(got, wanted), f"{code}\ngives {got!r}, not {wanted!r}"
