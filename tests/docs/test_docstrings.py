"""Every public function and class has an example in its docstring, and it prints what it says.

An example may use `gc`, `np` (printing four digits) and, as a default session is there, `tensor.eval()` and
`operation.run()`; it starts in an empty graph with seed 1.
"""
from __future__ import annotations

import doctest
import math
import re
from collections import defaultdict

import numpy as np
import pytest

import graphc as gc

import definitions

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+\.\d*(?:e[-+]?\d+)?")      # with a point: whole numbers are to be equal
MODULES: dict[str, list[definitions.Definition]] = defaultdict(list)
for _definition in definitions.definitions():
    MODULES[_definition.module].append(_definition)


class Checker(doctest.OutputChecker):
    """Takes floats that agree in the four digits that are written: the last ones differ between instruction sets."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        wanted, given = NUMBER.findall(want), NUMBER.findall(got)
        close = len(wanted) == len(given) and all(
            math.isclose(float(a), float(b), rel_tol=6e-4, abs_tol=1e-4) for a, b in zip(wanted, given, strict=True))
        if close:
            want, got = (re.sub(r"\s+|<BLANKLINE>", "", NUMBER.sub("<number>", text)) for text in (want, got))
        return super().check_output(want, got, optionflags)


def test_the_checker_takes_close_floats_only() -> None:
    check = Checker().check_output
    assert check("array([0.1, 2.  ])", "array([0.10000001, 2.])", FLAGS) and check("0.1234", "0.12342", FLAGS)
    assert check("[[0.1]\n<BLANKLINE>\n [2.]]\n", "[[0.1]\n\n [2.]]\n", FLAGS)
    assert check("axis -2. ...", "axis -2. More.", FLAGS)
    assert not check("array([0.1, 2.])", "array([0.1, 3.])", FLAGS)
    assert not check("array([1, 2])", "array([1, 3])", FLAGS)
    assert not check("(0.1, 'a')", "(0.1, 'b')", FLAGS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_examples_print_what_they_say(module: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures: list[str] = []
    for definition in MODULES[module]:
        name = f"gc.{definition.names[0]}"
        test = doctest.DocTestParser().get_doctest(definition.docstring, {"gc": gc, "np": np}, name, module, 0)
        if not test.examples:
            continue
        gc.reset_default_graph()
        gc.set_random_seed(1)
        with np.printoptions(precision=4, suppress=True, threshold=100, linewidth=120):
            session = gc.InteractiveSession()
            try:
                doctest.DocTestRunner(Checker(), optionflags=FLAGS).run(test, out=failures.append)
            finally:
                session.close()
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_definition_has_an_example(module: str) -> None:
    without = [f"gc.{d.names[0]}" for d in MODULES[module] if ">>>" not in d.docstring]
    assert not without, f"no example in the docstring of {', '.join(without)}"
