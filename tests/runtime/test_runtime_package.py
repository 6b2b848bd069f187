"""graphc-runtime on the C++ library of this checkout: the Session's numbers, dtypes, variables, errors, threads."""
from __future__ import annotations

import gc as collector
import importlib
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import graphc as gc
from graphc.ir.dtypes import as_dtype

from files import ROOT, build_runner, case_file
from five import CASES


@pytest.fixture(scope="module")
def rt() -> Any:
    """The package, imported from runtime/ with the checkout's library."""
    library = build_runner() / "libgraphc.so"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHC_LIBRARY", str(library))
        patch.syspath_prepend(str(ROOT / "runtime"))
        yield importlib.import_module("graphc_runtime")


@pytest.fixture(autouse=True)
def graph() -> Any:
    with gc.Graph().as_default() as made:
        yield made


def saved(session: gc.Session, fetches: list[gc.Tensor]) -> bytes:
    return gc.freeze(session, fetches).SerializeToString()


# --- runs

def test_the_sessions_numbers(rt: Any, tmp_path: Path) -> None:
    x = gc.placeholder(gc.float32, [None, 6], name="x")
    y = gc.identity(gc.layers.dense(gc.layers.dense(x, 8, activation=gc.tanh), 3), name="y")
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        gc.train.write_graph(gc.freeze(session, [y]), str(tmp_path), "m.pb", as_text=False)
        model = rt.load(tmp_path / "m.pb")
        for rows in (1, 7, 0):
            value = np.random.default_rng(rows).normal(size=(rows, 6)).astype(np.float32)
            found = model.run({"x": value})
            assert list(found) == ["y"] and found["y"].tobytes() == session.run(y, {x: value}).tobytes()
    assert str(model) == "<Model (x: float32[?, 6]) -> (y: float32[?, 3])>"
    assert model.run({"x:0": [[1, 2, 3, 4, 5, 6]]})["y"].shape == (1, 3)
    assert rt.version() == gc.__version__ and rt.instruction_sets()


@pytest.mark.parametrize("dtype", [
    "float32", "float64", "int32", "uint8", "int16", "int8", "complex64", "int64", "bool", "bfloat16", "uint16",
    "complex128", "float16", "uint32", "uint64"])
def test_every_dtype_comes_back(rt: Any, dtype: str) -> None:
    x = gc.placeholder(dtype, [None, 2], name="x")
    y = gc.identity(gc.reverse(x, [0]), name="y")
    value = (np.arange(6).reshape(3, 2) * 37 % 5).astype(as_dtype(dtype).numpy)
    with gc.Session() as session:
        model = rt.load(saved(session, [y]))
    found = model.run({"x": value})["y"]
    assert found.dtype == value.dtype and found.tobytes() == value[::-1].tobytes()
    swapped = value if dtype == "bfloat16" else value.astype(value.dtype.newbyteorder())
    assert model.run({"x": np.asfortranarray(swapped)})["y"].tobytes() == found.tobytes()


def test_bfloat16_by_its_bits(rt: Any) -> None:
    x = gc.placeholder(gc.bfloat16, [2], name="x")
    with gc.Session() as session:
        file = saved(session, [gc.identity(x, name="y")])
    model = rt.load(file)
    bits = np.array([0x3F80, 0xC000], np.uint16)
    assert model.run({"x": bits})["y"].astype(np.float32).tolist() == [1.0, -2.0]
    code = ("import sys; sys.modules['ml_dtypes'] = None\n"
            "import graphc_runtime as rt\n"
            f"model = rt.load({file!r})\n"
            "print(model.run({'x': rt.model.np.array([0x3F80, 0xC000], 'uint16')})['y'].tolist())\n"
            "try: model.run({'x': [1.0, 2.0]})\n"
            "except rt.InvalidArgumentError as error: print(error)\n"
            "print([m for m in ('graphc', 'google.protobuf', 'llvmlite') if m in sys.modules])\n")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "runtime")},
                          capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[16256, 49152]", "'x' is given an array of float64 and takes bfloat16: pass its 16 bits as uint16, or install "
        "ml_dtypes", "[]"]


def test_outputs_outlive_the_model(rt: Any) -> None:
    x = gc.placeholder(gc.float32, [None], name="x")
    with gc.Session() as session:
        model = rt.load(saved(session, [gc.identity(x * 2, name="y")]))
    before = model.memory_used
    kept = model.run({"x": np.arange(100000, dtype=np.float32)})["y"]
    assert model.memory_used >= before + kept.nbytes
    part = kept[-3:]
    del model, kept
    collector.collect()
    assert part.tolist() == [199994.0, 199996.0, 199998.0]


def test_memory_of_results_is_freed(rt: Any) -> None:
    x = gc.placeholder(gc.float32, [None], name="x")
    with gc.Session() as session:
        model = rt.load(saved(session, [gc.identity(x * 2, name="y")]), memory_limit=32 << 20)
    value = np.ones(1 << 20, np.float32)
    for _ in range(20):                       # 80 MB in all
        model.run({"x": value})
    with pytest.raises(rt.ResourceExhaustedError, match="memory") as caught:
        model.run({"x": np.ones(1 << 24, np.float32)})
    assert isinstance(caught.value, MemoryError)
    assert model.run({"x": value})["y"][0] == 2


# --- what does not fit

def test_feeds_that_do_not_fit(rt: Any) -> None:
    x = gc.placeholder(gc.float32, [None, 2], name="x")
    n = gc.placeholder(gc.int32, [], name="n")
    with gc.Session() as session:
        model = rt.load(saved(session, [gc.identity(x * gc.cast(n, gc.float32), name="y")]))
    good = np.ones((3, 2), np.float32)
    for feeds, message in (
            ({"x": good}, "input 'n' is not fed. The model takes x: float32[?, 2], n: int32[]"),
            ({"x": good, "n": 1, "z": 2}, "no input is called 'z'"),
            ({"x": good.astype(np.float64), "n": 1}, "'x' is given an array of float64 and takes float32: pass "
                                                     "array.astype('float32')"),
            ({"x": good, "n": 1.5}, "'n' is given an array of float64 and takes int32"),
            ({"x": good, "n": "one"}, "takes int32"), ({"x": good, "n": 2 ** 40}, "'n' takes int32"),
            ({"x": [[1, 2], [3]], "n": 1}, "'x' takes float32"),
            ({"x": np.ones((1,) * 9, np.float32), "n": 1}, "'x' has 9 axes; 8 are the most"),
            ({"x": np.ones((3, 3), np.float32), "n": 1}, "x"), ({"x": np.array("a"), "n": 1}, "takes float32")):
        with pytest.raises(rt.InvalidArgumentError) as caught:
            model.run(feeds)
        assert message in str(caught.value), str(caught.value)
    assert model.run({"x": good, "n": 3})["y"].tolist() == (3 * good).tolist()


def test_files_that_do_not_fit(rt: Any, tmp_path: Path) -> None:
    with pytest.raises(rt.NotFoundError, match="nowhere"):
        rt.load(tmp_path / "nowhere.pb")
    with pytest.raises(rt.DataLossError):
        rt.load(b"no graph")
    x = gc.placeholder(gc.float32, [2], name="x")
    with gc.Session() as session:
        data = saved(session, [gc.identity(x, name="y")])
    with pytest.raises(rt.NotFoundError, match="predict"):
        rt.load(data, "predict")
    with pytest.raises(rt.UnimplementedError, match="z80"):
        rt.load(data, isa="z80")
    with pytest.raises(rt.InvalidArgumentError, match="threads is negative"):
        rt.load(data, threads=-1)


def test_a_library_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "libgraphc.so").write_text("nothing")
    done = subprocess.run([sys.executable, "-c", "import graphc_runtime"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "runtime"),
                               "GRAPHC_LIBRARY": str(tmp_path / "libgraphc.so")})
    assert done.returncode == 1 and "cannot be used as graphc's C library" in done.stderr


# --- variables

@pytest.fixture
def trained(rt: Any, tmp_path: Path) -> tuple[Any, Path]:
    """A file with the signatures `train` and `predict`: w -= 0.5 * gradient of (w - x)^2."""
    x = gc.placeholder(gc.float32, [2], name="x")
    w = gc.Variable([1.0, 3.0], name="w")
    step = gc.train.GradientDescentOptimizer(0.25).minimize(gc.reduce_sum(gc.square(w - x)))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        made = gc.export_model(session, {"train": gc.Signature([step], [x]),
                                         "predict": gc.Signature([gc.identity(w, name="y")], [])})
    gc.train.write_graph(made, str(tmp_path), "m.pb", as_text=False)
    return rt.load(tmp_path / "m.pb", "train"), tmp_path


def test_training_and_checkpoints(rt: Any, trained: tuple[Any, Path]) -> None:
    train, folder = trained
    predict = train.signature("predict")
    assert train.signatures == ["train", "predict"] and [v.name for v in train.variables] == ["w"]
    counted = train.run_count
    train.run({"x": [0, 0]})
    assert train.run_count == predict.run_count == counted + 1
    assert predict.run()["y"].tolist() == [0.5, 1.5]
    train.save(folder / "trained")
    train.set("w", [7, 8])
    assert predict.run()["y"].tolist() == [7, 8] and train.get("w").dtype == np.float32
    train.restore(folder / "trained")
    assert train.get("w").tolist() == [0.5, 1.5]
    train.run_count = 41
    assert predict.run_count == 41
    for wrong, message in ((lambda: train.get("v"), "no variable 'v'; it has w: float32"),
                           (lambda: train.restore(folder / "none"), "none"),
                           (lambda: train.set("w", [1, 2, 3]), "shape")):
        with pytest.raises(rt.Error, match=message):
            wrong()
    assert train.get("w").tolist() == [0.5, 1.5]
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable([0.0, 0.0], name="w")
        gc.train.Saver([w]).restore(session, str(folder / "trained"))
        assert session.run(w).tolist() == [0.5, 1.5]


def test_a_variable_without_a_value(rt: Any) -> None:
    model = rt.load(case_file(CASES["adam"]()))
    with pytest.raises(rt.FailedPreconditionError, match="variable 'w' has no value"):
        model.get("w")


# --- functions of the caller's

def test_functions(rt: Any) -> None:
    model, x = rt.load(case_file(CASES["loop_with_host"]())), np.ones((3, 5), np.float32)
    name, = model.functions
    port = model.inputs[0].name

    def fail(_: np.ndarray) -> np.ndarray:
        raise KeyError("mine")

    with pytest.raises(rt.Error, match="no function is set"):
        model.run({port: x})
    model.set_function(name, fail)
    with pytest.raises(rt.UnknownError, match="plus_one") as caught:
        model.run({port: x})
    assert isinstance(caught.value.__cause__, KeyError)
    model.set_function(name, lambda r: r.astype(np.float64))
    with pytest.raises(rt.Error) as caught:
        model.run({port: x})
    assert "is not what the graph takes" in str(caught.value.__cause__)
    model.set_function(name, lambda r: (r, r))
    with pytest.raises(rt.Error) as caught:
        model.run({port: x})
    assert "gave 2 values" in str(caught.value.__cause__)

    def stop(_: np.ndarray) -> np.ndarray:
        raise KeyboardInterrupt

    model.set_function(name, stop)
    with pytest.raises(KeyboardInterrupt):
        model.run({port: x})
    model.set_function(name, lambda r: r + 1)
    case = CASES["loop_with_host"]()
    inputs = case.feeds(np.random.default_rng(0))[0]
    found = list(model.run({p.name: v for p, v in zip(model.inputs, inputs, strict=True)}).values())
    for output, right in zip(found, case.expected(inputs, case.constants, {}), strict=True):
        np.testing.assert_allclose(output, right, rtol=2e-4, atol=2e-5)


# --- threads

def test_threads_share_a_model(rt: Any) -> None:
    x = gc.placeholder(gc.float32, [None, 8], name="x")
    y = gc.identity(gc.matmul(x, gc.constant(np.eye(8, dtype=np.float32) * 3)), name="y")
    with gc.Session() as session:
        model = rt.load(saved(session, [y]), threads=2)
    wrong: list[Any] = []

    def work(number: int) -> None:
        for i in range(200):
            value = np.full((1 + (i + number) % 5, 8), number + i, np.float32)
            if model.run({"x": value})["y"].tolist() != (3 * value).tolist():
                wrong.append((number, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_cancel_and_the_lock_of_python(rt: Any) -> None:
    """A loop that would take hours: the other thread runs meanwhile, and ends it."""
    x = gc.placeholder(gc.float32, [], name="x")
    _, y = gc.while_loop(lambda i, v: i < 10 ** 12, lambda i, v: (i + 1, v * 0.5 + 1), [gc.constant(0, gc.int64), x])
    with gc.Session() as session:
        model = rt.load(saved(session, [gc.identity(y, name="y")]))
    ended = threading.Event()

    def end_it() -> None:
        while not ended.wait(0.02):
            model.cancel()

    other = threading.Thread(target=end_it)
    other.start()
    with pytest.raises(rt.CancelledError):
        model.run({"x": 1.0})
    ended.set()
    other.join()


# --- strings

def test_strings(rt: Any) -> None:
    x = gc.placeholder(gc.string, [None, 2], name="x")
    y = gc.concat([gc.reverse(x, [0]), gc.constant([["cat", ""]])], 0, name="y")
    with gc.Session() as session:
        model = rt.load(saved(session, [y, gc.equal(x, "cat", name="same")]))
        for value in (np.array([["cat", "\u00fc"], ["", "b"]]), np.array([[b"cat", b"\xff\0a"]]), [["a", b"cat"]],
                      np.empty((0, 2), object)):
            found = model.run({"x": value})
            assert found["y"].tolist() == session.run(y, {x: value}).tolist() and found["y"].dtype == object
            np.testing.assert_array_equal(found["same"], session.run("same:0", {x: value}))
    assert str(model) == "<Model (x: string[?, 2]) -> (y: string[?, 2], same: bool[?, 2])>"
    for wrong, said in ((np.ones((1, 2)), "'x' takes string: pass bytes or str, not float"),
                        ([["\ud800", ""]], "'x' takes string: 'utf-8' codec"), (["a"], "1 axes is given")):
        with pytest.raises(rt.InvalidArgumentError, match=said):
            model.run({"x": wrong})


# --- what must not differ from graphc

def test_dtypes_and_versions_are_graphcs(rt: Any) -> None:
    from graphc.kernels.contracts.dtypes import DTYPES
    fed = {row.number: row.name for row in DTYPES.values()
           if row.kind in ("float", "int", "uint", "bool", "complex") or row.name == "string"}
    assert fed == rt.tensors.NAMES
    versions = [tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["version"]
                for folder in (".", "runtime")]
    assert versions == [gc.__version__] * 2
    assert np.dtype(ml_dtypes.bfloat16) == rt.tensors.DTYPES[14]
