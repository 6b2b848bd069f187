"""The C++ runner on the hand-written Plans: answers against NumPy, errors, damaged files, threads, the command line."""
from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphc.exec.engine import Engine
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import graph_hash
from graphc.session.reports.trace import Trace

import native as n
from files import build_runner, case_file, save_arrays
from five import CASES, Case
from threads import in_threads


@pytest.fixture(scope="session")
def folder() -> Path:
    return build_runner()


@pytest.fixture(scope="session")
def native(folder: Path) -> n.Native:
    return n.Native(folder / "libgraphc.so")


def contiguous(inputs: list[np.ndarray]) -> list[np.ndarray]:
    return [np.ascontiguousarray(x).reshape(np.shape(x)) for x in inputs]


def prepare(model: n.Model, case: Case) -> None:
    for i, value in enumerate(case.states.values()):
        model.set_state(i, value)
    for name, function in case.hosts.items():
        model.set_host(name, function)


def results(native: n.Native, case: Case, **options: object) -> list[list[np.ndarray]]:
    """Runs all feeds of a case; compares outputs, and states afterwards, with NumPy's."""
    found, truth = [], {name: value.copy() for name, value in case.states.items()}
    with native.load(case_file(case), **options) as model:
        prepare(model, case)
        for inputs in case.feeds(np.random.default_rng(0)):
            outputs = model.run(contiguous(inputs))
            for output, right in zip(outputs, case.expected(inputs, case.constants, truth), strict=True):
                assert output.shape == right.shape and output.dtype == right.dtype
                np.testing.assert_allclose(output, right, rtol=2e-4, atol=2e-5)
            found.append(outputs)
        for i, (name, value) in enumerate(truth.items()):
            np.testing.assert_allclose(model.get_state(i, case.states[name]), value, rtol=2e-4, atol=2e-5)
    return found


@pytest.mark.parametrize("isa", ["x86-64-v3", "x86-64-v4", "aarch64"])
@pytest.mark.parametrize("name", CASES)
def test_equals_numpy(native: n.Native, name: str, isa: str) -> None:
    if isa not in native.isas():
        pytest.skip(f"this machine or this library has no {isa}")
    results(native, CASES[name](), isa=isa.encode())


@pytest.mark.parametrize("name", CASES)
def test_threads_do_not_change_a_bit(native: n.Native, name: str) -> None:
    alone, together = results(native, CASES[name](), threads=1), results(native, CASES[name](), threads=4)
    for a, b in zip(alone, together, strict=True):
        assert [x.tobytes() for x in a] == [x.tobytes() for x in b]


@pytest.mark.parametrize("name", CASES)
def test_equals_python(native: n.Native, name: str) -> None:
    case = CASES[name]()
    engine = Engine(case.plan, case.constants, dict(case.states), case.hosts, threads=1)
    from graphc.exec.library import load_library
    for inputs, outputs in zip(case.feeds(np.random.default_rng(0)),
                               results(native, CASES[name](), isa=load_library().isa.encode()), strict=True):
        for python, cpp in zip(engine.run(contiguous(inputs)), outputs, strict=True):
            assert np.array(python).tobytes() == cpp.tobytes()


def test_description(native: n.Native) -> None:
    assert native.library.graphc_abi_version() == 1
    with native.load(case_file(CASES["conv_norm_dense"]())) as model:
        assert model.infos("input") == [("x", 1, [-1, 6, 6, 3])]
        assert model.infos("output") == [("logits", 1, [-1, 70])]
        assert model.infos("state") == []
        assert native.library.graphc_memory_used(model.handle) > 0
        with pytest.raises(n.NativeError, match="no input of this number"):
            native.check(native.library.graphc_input_info(model.handle, 1, ctypes.byref(n.Info())))


def test_results_live_on_and_memory_is_given_back(native: n.Native) -> None:
    case = CASES["conv_norm_dense"]()
    with native.load(case_file(case)) as model:
        inputs = [x[0] for x in case.feeds(np.random.default_rng(0))]
        for x in inputs:
            model.run([x])
        used = native.library.graphc_memory_used(model.handle)
        for x in inputs * 3:
            model.run([x])
        assert native.library.graphc_memory_used(model.handle) == used


# --- threads


@pytest.mark.parametrize("name", ["conv_norm_dense", "growing_loop", "masked_matmul", "loop_with_host"])
def test_one_model_many_threads(native: n.Native, name: str) -> None:
    case = CASES[name]()
    feeds = [contiguous(inputs) for inputs in case.feeds(np.random.default_rng(3))]
    with native.load(case_file(case)) as model:
        prepare(model, case)
        right = [[o.tobytes() for o in model.run(inputs)] for inputs in feeds]

        def work(number: int) -> None:
            for turn in range(20):
                k = (number + turn) % len(feeds)
                assert [o.tobytes() for o in model.run(feeds[k])] == right[k]

        in_threads(6, work)


def test_runs_that_write_variables_take_turns(native: n.Native) -> None:
    case = CASES["adam"]()
    g = case.feeds(np.random.default_rng(0))[0][0]
    states = []
    for threads in (1, 4):
        with native.load(case_file(case)) as model:
            prepare(model, case)
            in_threads(threads, lambda _, model=model, runs=20 // threads: [model.run([g]) for _ in range(runs)])
            states.append([model.get_state(i, v).tobytes() for i, v in enumerate(case.states.values())])
    assert states[0] == states[1]


def test_errors_belong_to_their_thread(native: n.Native) -> None:
    def work(number: int) -> None:
        for _ in range(50):
            with pytest.raises(n.NativeError, match=f"signature s{number};"):
                native.load(case_file(CASES["adam"]()), signature=f"s{number}".encode())
    in_threads(4, work)


# --- errors


def refused(native: n.Native, file: bytes, status: int, message: str, **options: object) -> None:
    with pytest.raises(n.NativeError, match=message) as caught:
        native.load(file, **options)
    assert caught.value.status == status


def changed(change: Callable[[GraphDef], None]) -> bytes:
    graph = GraphDef.FromString(case_file(CASES["masked_matmul"]()))
    change(graph)
    return graph.SerializeToString()


def test_files_that_are_refused(native: n.Native) -> None:
    good = case_file(CASES["masked_matmul"]())
    refused(native, b"", n.NOT_FOUND, "empty or no graph")
    refused(native, b"hello, world", n.DATA_LOSS, "damaged model")
    refused(native, changed(lambda g: g.ClearField("plans")), n.NOT_FOUND, "a graph without compiled plans")
    refused(native, good, n.NOT_FOUND, "no signature other; it has serving_default", signature=b"other")
    refused(native, good, n.UNIMPLEMENTED, "no code for z80", isa=b"z80")
    refused(native, good, n.RESOURCE_EXHAUSTED, "no memory", memory_limit=1000)

    def newer(graph: GraphDef) -> None:
        graph.plans[0].format_version = 2

    def stale(graph: GraphDef) -> None:
        graph.node[0].attr["value"].tensor.tensor_content = bytes(140)

    def no_constant(graph: GraphDef) -> None:
        graph.plans[0].plan.constants[0].name = "v"

    def other_shape(graph: GraphDef) -> None:
        graph.plans[0].plan.constants[0].shape[0] = 6

    def unknown_kernel(graph: GraphDef) -> None:
        graph.plans[0].plan.bodies[0].steps[2].call.kernel = "time_machine.f32"

    def unknown_primitive(graph: GraphDef) -> None:
        graph.plans[0].plan.programs[0].instrs[0].op = "frobnicate"

    def bad_buffer(graph: GraphDef) -> None:
        graph.plans[0].plan.bodies[0].steps[2].call.operands[0] = 999

    def bad_input(graph: GraphDef) -> None:
        graph.plans[0].plan.inputs[0].dtype = 2

    for change, status, message in (
            (newer, n.DATA_LOSS, "format version 2.*made by a newer graphc"),
            (stale, n.FAILED_PRECONDITION, "not made of this graph"),
            (no_constant, n.DATA_LOSS, "constant v, which the graph does not have"),
            (unknown_kernel, n.UNIMPLEMENTED, "kernel time_machine.f32"),
            (unknown_primitive, n.UNIMPLEMENTED, "scalar function frobnicate.i64.bool"),
            (bad_buffer, n.DATA_LOSS, "damaged model: the plan fails check"),
            (bad_input, n.DATA_LOSS, "another dtype or rank than its buffer")):
        refused(native, changed(change), status, message)
    with pytest.raises(n.NativeError) as caught:
        native.load(changed(other_shape))
    assert caught.value.status == n.DATA_LOSS


def test_inputs_that_do_not_fit(native: n.Native) -> None:
    case = CASES["masked_matmul"]()
    x, mask = np.zeros((4, 7), np.float32), np.ones(4, bool)
    with native.load(case_file(case)) as model:
        for inputs, message in (
                ([x], "has 2 inputs, 1 are given"),
                ([x.astype(np.float64), mask], "'x' is of dtype float32, a tensor of float64"),
                ([x[0], mask], r"'x' has shape \[any, 7\], a tensor of 1 axes"),
                ([x[:, :6].copy(), mask], r"'x' has shape \[any, 7\], a tensor of shape \[4, 6\]"),
                ([x, mask[:3]], r"rows of x and elements of mask: 4 must equal 3\n  in Mask 'mask', built at five")):
            with pytest.raises(n.NativeError, match=message) as caught:
                model.run(inputs)
            assert caught.value.status == n.INVALID_ARGUMENT
        np.testing.assert_allclose(model.run([x, mask])[0], np.zeros((4, 5)))


def test_variable_without_a_value(native: n.Native) -> None:
    with native.load(case_file(CASES["adam"]())) as model:
        with pytest.raises(n.NativeError, match="variable 'w' has no value") as caught:
            model.run([np.zeros(33, np.float32)])
        assert caught.value.status == n.FAILED_PRECONDITION


def test_host_functions_that_fail(native: n.Native) -> None:
    def divide_by_zero(r: np.ndarray) -> np.ndarray:
        return np.array([1 // 0])

    x = np.ones((3, 5), np.float32)
    with native.load(case_file(CASES["loop_with_host"]())) as model:
        with pytest.raises(n.NativeError, match="host function 'plus_one' failed: no function is set for it"):
            model.run([x])
        model.set_host("plus_one", divide_by_zero)
        with pytest.raises(n.NativeError, match=r"'plus_one' failed: it returned status 2\n  in Py_func"):
            model.run([x])
        model.set_host("plus_one", lambda r: r.astype(np.float64))
        with pytest.raises(n.NativeError, match="returned status 8"):      # another dtype than the plan says
            model.run([x])
        with pytest.raises(n.NativeError, match="calls no host function 'f'"):
            model.set_host("f", divide_by_zero)
        model.set_host("plus_one", lambda r: r + 1)
        assert model.run([x])[0].shape == (3, 5)


def test_memory_limit_of_a_run(native: n.Native) -> None:
    case = CASES["conv_norm_dense"]()
    with native.load(case_file(case), memory_limit=1 << 20) as model:
        small = np.zeros((2, 6, 6, 3), np.float32)
        right = model.run([small])[0]
        with pytest.raises(n.NativeError, match="no memory") as caught:
            model.run([np.zeros((20000, 6, 6, 3), np.float32)])
        assert caught.value.status == n.RESOURCE_EXHAUSTED
        assert model.run([small])[0].tobytes() == right.tobytes()


def test_constants_as_lists_of_values(native: n.Native) -> None:
    """TensorFlow's short form: the last value repeats."""
    def shorten(graph: GraphDef) -> None:
        tensor = graph.node[0].attr["value"].tensor
        tensor.tensor_content = b""
        tensor.float_val.extend([1.0, 2.0])
        graph.plans[0].graph_hash = graph_hash(graph)

    x = np.random.default_rng(0).standard_normal((4, 7)).astype(np.float32)
    w = np.full(35, 2, np.float32)
    w[0] = 1
    with native.load(changed(shorten)) as model:
        np.testing.assert_allclose(model.run([x, np.ones(4, bool)])[0], x @ w.reshape(7, 5), rtol=1e-4, atol=1e-5)


# --- damaged files


@pytest.mark.parametrize("name", CASES)
def test_damaged_files_never_crash(folder: Path, name: str, tmp_path: Path) -> None:
    """Cut short, and with bits turned over. `make fuzz` does this for longer, under sanitizers."""
    good, rng = case_file(CASES[name]()), np.random.default_rng(0)
    plan_at = good.index(b"serving_default")
    paths = []
    for i in range(150):
        data = bytearray(good)
        if i % 5 == 0:
            data = data[:int(rng.integers(len(good)))]
        else:
            for _ in range(int(rng.integers(1, 4))):
                data[int(rng.integers(plan_at, len(good)))] ^= 1 << int(rng.integers(8))
        paths.append(tmp_path / f"{i}.pb")
        paths[-1].write_bytes(data)
    done = subprocess.run([folder / "graphc-fuzz", *paths], capture_output=True, errors="replace", timeout=300,
                          check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]


# --- the command line


def graphc_run(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / "graphc-run", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=100, env=dict(os.environ, **environment))


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    (tmp_path / "model.pb").write_bytes(case_file(CASES["conv_norm_dense"]()))
    return tmp_path / "model.pb"


def test_command_line(folder: Path, model_file: Path, tmp_path: Path) -> None:
    case = CASES["conv_norm_dense"]()
    x = case.feeds(np.random.default_rng(0))[2][0]
    paths = save_arrays(tmp_path, {"x": x})
    out = tmp_path / "y.npy"
    done = graphc_run(folder, model_file, "--feed", f"x:0={paths['x']}", "--fetch", "logits", "--out", out, "--bench",
                      5)
    assert done.returncode == 0, done.stderr
    assert "5 runs: median" in done.stdout
    np.testing.assert_allclose(np.load(out), case.expected([x], case.constants, {})[0], rtol=2e-4, atol=2e-5)
    info = graphc_run(folder, model_file, "--info").stdout
    assert "input     x" in info and "[?, 6, 6, 3]" in info and "logits" in info


def traced(folder: Path, file: Path, *feeds: object) -> list[str]:
    done = graphc_run(folder, file, "--threads", 1, *feeds, GRAPHC_TRACE="1")
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("name", ["conv_norm_dense", "growing_loop", "masked_matmul"])
def test_traces_what_python_traces(folder: Path, name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    inputs = contiguous(case.feeds(np.random.default_rng(0))[-1])
    (tmp_path / "model.pb").write_bytes(case_file(case))
    paths = save_arrays(tmp_path, {port.name: x for port, x in zip(case.plan.inputs, inputs, strict=True)})
    feeds = [word for port in paths for word in ("--feed", f"{port}={paths[port]}")]
    engine, trace = Engine(case.plan, case.constants, threads=1), Trace()
    engine.run(inputs, trace=trace.address)
    lines = traced(folder, tmp_path / "model.pb", *feeds)
    assert lines == [f"graphc: {line}" for line in trace.lines(case.plan, engine.names)]
    assert len(lines) > 1 and not graphc_run(folder, tmp_path / "model.pb", *feeds).stderr


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "input 'x' is not fed: use --feed x=FILE.npy"),
    (["--feed", "z=x.npy"], "the model has no input 'z'; it has x"),
    (["--feed", "x=missing.npy"], "cannot read missing.npy: No such file"),
    (["--feed", "x=model.pb"], "model.pb: not a .npy file"),
    (["--feed", "x=double.npy"], "double.npy holds float64, but input 'x' is float32: convert it"),
])
def test_command_line_errors(folder: Path, model_file: Path, tmp_path: Path, arguments: list[str], message: str,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("double.npy", np.zeros((1, 6, 6, 3)))
    done = graphc_run(folder, "model.pb", *arguments)
    assert done.returncode == 1 and message in done.stderr
