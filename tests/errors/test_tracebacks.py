"""A traceback shows the user's own frames; an error of an argument names the call and its line."""
from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from messages import line

import graphc as gc

pytestmark = pytest.mark.quotes
PACKAGE = str(Path(gc.__file__).parent)


def _frames(function: Callable[[], object]) -> list[str]:
    """Whose frames a traceback has: "user", or the internal function's name."""
    with pytest.raises(Exception) as caught:
        function()
    return [f.name if f.filename.startswith(PACKAGE) else "user"
            for f in traceback.extract_tb(caught.value.__traceback__)][1:]     # behind pytest's own


def _missing_feed() -> None:
    x = gc.placeholder(gc.float32, [None])
    gc.Session().run(gc.reduce_sum(x * 2.0))


def _wrong_shapes() -> None:
    gc.matmul(gc.zeros([2, 3]), gc.zeros([2, 3]))


def _operator() -> None:
    gc.zeros([2]) + gc.zeros([3])


def _uninitialised() -> None:
    gc.Session().run(gc.Variable(1.0))


def _bad_list() -> None:
    gc.nn.conv2d([1.0, "a"], gc.zeros([1, 1, 1, 1]), 1, "SAME")


@pytest.mark.parametrize("case", [_missing_feed, _wrong_shapes, _operator, _uninitialised, _bad_list])
def test_at_most_one_internal_frame_and_behind_the_users(case: Callable[[], None]) -> None:
    frames = _frames(case)
    assert frames[0] == "user" and len(frames) == 2


def test_frames_of_the_users_functions_stay() -> None:
    def body(i: gc.Tensor) -> gc.Tensor:
        return i + gc.zeros([2, 3], gc.int32)[:, 0:"a"]

    with pytest.raises(TypeError) as caught:
        gc.while_loop(lambda i: i < 3, body, [gc.constant(0)])
    names = [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert "body" in names
    internal = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.filename.startswith(PACKAGE)]
    assert len(internal) <= 2


def test_an_error_of_the_users_own_is_theirs() -> None:
    def body(i: gc.Tensor) -> gc.Tensor:
        return {}["missing"]

    with pytest.raises(KeyError) as caught:
        gc.while_loop(lambda i: i < 3, body, [gc.constant(0)])
    assert caught.value.args == ("missing",)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "body"


def test_argument_that_does_not_convert() -> None:
    x = gc.placeholder(gc.float32, [None, 4])
    with pytest.raises(TypeError) as caught:
        gc.matmul(x, "a")
    at = line() - 1
    assert str(caught.value) == (
        "Expected float32, got 'a' of type 'str' instead.\n"
        f"  in gc.matmul, called at {__file__}:{at}: gc.matmul(x, \"a\")")


def _script(text: str, tmp_path: Path, **environment: str) -> str:
    path = tmp_path / "script.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment})
    assert done.returncode == 1
    return done.stderr


SCRIPT = """import graphc as gc
x = gc.placeholder(gc.float32, [None, 3], name="x")
gc.Session().run(x + 1.0)
"""


def test_script_without_a_feed(tmp_path: Path) -> None:
    lines = _script(SCRIPT, tmp_path).splitlines()
    assert sum(PACKAGE in text for text in lines) == 1
    assert f'File "{tmp_path}/script.py", line 3' in lines[1]
    assert any("You must feed a value for placeholder tensor 'x'" in text for text in lines)


def test_full_traceback_on_request(tmp_path: Path) -> None:
    assert _script(SCRIPT, tmp_path, GRAPHC_FULL_TRACEBACK="1").count(PACKAGE) > 4


def test_bugs_keep_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphc.plan import compile as compiling

    def broken(*_: object, **__: object) -> None:
        raise gc.errors.InternalError("deep inside")

    monkeypatch.setattr(compiling, "compile_graph", broken)
    session = gc.Session()
    with pytest.raises(gc.errors.InternalError) as caught:
        session.run(gc.constant(1.0) + 2.0)
    assert len([f for f in traceback.extract_tb(caught.value.__traceback__) if f.filename.startswith(PACKAGE)]) >= 3


def test_wrapped_functions_keep_name_signature_and_pickle() -> None:
    import inspect

    assert list(inspect.signature(gc.matmul).parameters)[:2] == ["a", "b"]
    assert gc.matmul.__doc__.startswith("The product of matrices")
    for function in (gc.matmul, gc.nn.relu, gc.train.exponential_decay):
        assert pickle.loads(pickle.dumps(function)) is function


def test_python_function_of_the_graph() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise OSError("no such file")

    y = gc.py_func(broken, [gc.constant(1.0)], gc.float32)
    with pytest.raises(gc.errors.UnknownError) as caught:
        gc.Session().run(y)
    assert [f.name for f in traceback.extract_tb(caught.value.__cause__.__traceback__)] == ["broken"]
