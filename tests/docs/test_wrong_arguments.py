"""The calls in docstrings with one argument replaced by a wrong one: it is taken, or refused in words for users.

Which functions are tried is drawn by MISUSE_SEED; MISUSE=all takes every one.
"""
from __future__ import annotations

import ast
import doctest
import os
import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

import definitions

FILE = "<example>"
SAMPLE, PARTS = 48, 12
WRONG: list[Any] = [None, 3, -1, 0, 1.5, "x", [], [1], ["a"], [None], {"k": 1}, object, float("nan"),
                    lambda a, b, c, d: a]
BUGS = (AssertionError, AttributeError, IndexError, NameError, RecursionError, ZeroDivisionError,
        gc.errors.InternalError)
# They end the program, or change all that comes behind them, where a wrong argument happens to be a right one.
ALONE = {"test.main", "register_tensor_conversion_function"}
SECONDS = 5                                     # what waits for a file by then does what it is for


class _WaitsError(BaseException):
    pass


def _drawn() -> list[definitions.Definition]:
    found = [d for d in definitions.definitions() if ">>>" in d.docstring and not isinstance(d.thing, type)
             and d.names[0] not in ALONE and "datasets" not in d.target        # these ask servers
             and "+SKIP" not in d.docstring]                                   # needs what need not be there
    if os.environ.get("MISUSE") == "all":
        return found
    return random.Random(int(os.environ.get("MISUSE_SEED", "1"))).sample(found, SAMPLE)


DRAWN = _drawn()


def _call(definition: definitions.Definition, tree: ast.AST) -> ast.Call | None:
    names = {f"gc.{name}" for name in definition.names}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next((call for call in calls if ast.unparse(call.func) in names), None)


def _with_one_wrong(call: ast.Call) -> Iterator[str]:
    """The places of its arguments, each with the name `wrong` put there meanwhile."""
    wrong = ast.Name("wrong", ast.Load(), lineno=call.lineno, col_offset=0, end_lineno=call.lineno, end_col_offset=0)
    for i, argument in enumerate(call.args):
        if not isinstance(argument, ast.Starred):
            call.args[i] = wrong
            yield f"argument {i}"
            call.args[i] = argument
    for keyword in call.keywords:
        if keyword.arg is not None:
            value, keyword.value = keyword.value, wrong
            yield keyword.arg
            keyword.value = value


def _outcome(before: list[str], statement: ast.Module, wrong: Any) -> BaseException | None:
    names = {"gc": gc, "np": np, "wrong": wrong}
    with gc.Graph().as_default(), gc.Session().as_default():
        for source in before:
            exec(compile(source, FILE, "exec"), names)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            exec(compile(statement, FILE, "exec"), names)
        except Exception as error:
            return error
        except _WaitsError:
            return None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _open_files() -> set[int]:
    """Those of this process that a wrong argument is the number of."""
    return {number for number in WRONG if type(number) is int and os.path.exists(f"/proc/self/fd/{number}")}


def _stop(number: int, frame: Any) -> None:
    raise _WaitsError


def _complaint(error: BaseException | None) -> str:
    """What is wrong with the error, if anything is."""
    if error is None or error.__traceback__ is None:
        return ""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    if last.tb_frame.f_code.co_filename == FILE:            # the example's own, of a result that is another one
        return ""
    if isinstance(error, BUGS) or type(error) is KeyError:
        return "is for developers"
    if type(error) in (TypeError, ValueError) and FILE not in str(error):
        return "does not say where"
    return ""


@pytest.mark.quotes
@pytest.mark.parametrize("part", range(PARTS))
def test_wrong_arguments_are_refused_in_words(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGALRM, _stop)
    found = []
    for definition in DRAWN[part::PARTS]:
        before: list[str] = []
        for example in doctest.DocTestParser().get_examples(definition.docstring):
            statement = ast.parse(example.source)
            call = _call(definition, statement)
            if call is None:
                before.append(example.source)
                continue
            for place in _with_one_wrong(call):
                for wrong in WRONG:
                    monkeypatch.chdir(tempfile.mkdtemp(dir=tmp_path))      # where none has written yet
                    files = _open_files()
                    error = _outcome(before, statement, wrong)
                    assert _open_files() >= files, f"gc.{definition.names[0]}, {place} = {wrong!r}: closes a file"
                    if complaint := _complaint(error):
                        found.append(f"gc.{definition.names[0]}, {place} = {wrong!r}: {complaint}: {error!r}")
            break
    assert not found, "\n".join(found)
