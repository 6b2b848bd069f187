"""Models that the C++ library runs on a GPU (graphc gpu, docs/adr/0052): the CPU's results, variables and errors."""
from __future__ import annotations

import importlib
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.commands.gpu import make_gpu_code
from graphc.exec.engine import Engine
from graphc.plan.joined import joined
from graphc.serial.plan_proto import load_plan
from graphc.serial.tensors import read_array

import native as n
from files import ROOT, build_runner
from gpu_models import WHERE, Pair, exported, gpu
from on_both import ON_GPU, assert_same_bits

pytestmark = pytest.mark.skipif(not WHERE, reason="the library in place of libcuda is for x86-64")
RNG = np.random.default_rng(5)


@pytest.fixture(params=WHERE, autouse=True)
def library(request: Any) -> Any:
    with gpu(request.param, compute=80) as found:
        yield found


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def net() -> Any:
    """A convolutional net: "train", a step of Adam, and "predict"."""
    x = gc.placeholder(gc.float32, [None, 8, 8, 2], "x")
    label = gc.placeholder(gc.int32, [None], "label")
    h = gc.layers.conv2d(x, 5, 3, activation=gc.nn.relu)
    h = gc.layers.max_pooling2d(h, 2, 2)
    h = gc.layers.dense(gc.layers.flatten(h), 17, activation=gc.nn.tanh)
    y = gc.layers.dense(h, 7)
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=y))
    train = gc.train.AdamOptimizer(0.01).minimize(loss)
    return {"predict": gc.Signature({"y": y, "best": gc.argmax(y, 1)}, {"x": x}),
            "train": gc.Signature({"loss": loss, "train": train}, {"x": x, "label": label})}


def net_pair(folder: Path, rows: int = 5) -> Pair:
    return Pair(exported(net), folder, [{"x": (rows, 8, 8, 2)}, {"x:0": (rows, 8, 8, 2), "label": (rows,)}])


def test_training_and_predicting(tmp_path: Path, library: Any) -> None:
    """Variables stay on the GPU from step to step, and are seen by whoever shares them."""
    x, label = normal(5, 8, 8, 2), np.arange(5, dtype=np.int32)
    with net_pair(tmp_path) as pair:
        for _ in range(4):
            pair.assert_close("train", x, label)
        pair.assert_close("predict", x)
        if library is not None:
            before = library.work()
            pair.gpu["train"].run([x, label])
            pair.cpu["train"].run([x, label])
            assert before["upload"] == 1 and before["graph"] == 2      # the inputs alone; labels are looked at between
        pair.assert_same_states()
        pair.assert_close("train", x, label)
        with pair.native.load(pair.file, pair.gpu["train"], signature=b"predict") as on_cpu:
            np.testing.assert_allclose(on_cpu.run([x])[0], pair.gpu["predict"].run([x])[0], rtol=1e-5, atol=1e-5)


def test_mixed_training_keeps_16_bits(tmp_path: Path, library: Any) -> None:
    """Products of bfloat16, whose kernels are those of 16-bit factors."""
    def mixed() -> Any:
        x = gc.placeholder(gc.float32, [None, 24], "x")
        w, v = (gc.get_variable(name, shape, initializer=gc.random_uniform_initializer(-0.5, 0.5, seed=2))
                for name, shape in (("w", [24, 40]), ("v", [40, 16])))
        hidden = gc.nn.relu(gc.matmul(gc.cast(x, gc.bfloat16), gc.cast(w, gc.bfloat16)))
        loss = gc.reduce_mean(gc.square(gc.cast(gc.matmul(hidden, gc.cast(v, gc.bfloat16)), gc.float32) - 1.0))
        train = gc.train.GradientDescentOptimizer(0.5).minimize(loss)
        return {"train": gc.Signature({"loss": loss, "train": train}, {"x": x})}

    with Pair(exported(mixed), tmp_path, [{"x": (32, 24)}]) as pair:
        assert b"mma.sync.aligned.m16n8k16.row.col.f32.bf16" in pair.code.read_bytes()
        for _ in range(3):
            x = normal(32, 24)
            ours, theirs = (model["train"].run([x])[0] for model in (pair.gpu, pair.cpu))
            np.testing.assert_allclose(ours, theirs, rtol=2e-2)


def test_variables_that_are_read_and_written_from_outside(tmp_path: Path) -> None:
    x, label = normal(5, 8, 8, 2), np.arange(5, dtype=np.int32)
    with net_pair(tmp_path) as pair:
        pair.assert_close("train", x, label)
        pair.gpu["train"].save(tmp_path / "ours")
        pair.cpu["train"].save(tmp_path / "theirs")
        for model in (pair.gpu["train"], pair.cpu["train"]):
            index, shape = next((i, s) for i, (name, _, s) in enumerate(model.infos("state")) if name.endswith("bias"))
            model.set_state(index, np.full(shape, 0.5, np.float32))
        pair.assert_close("predict", x)
        pair.assert_close("train", x, label)
        for model in (pair.gpu["train"], pair.cpu["train"]):
            model.restore(tmp_path / "ours")
        pair.assert_close("predict", x)
        for model in (pair.gpu["train"], pair.cpu["train"]):
            model.restore(tmp_path / "theirs")
        pair.assert_same_states()


@pytest.mark.skipif(ON_GPU, reason="wants two GPUs")
def test_two_gpus_and_the_cpu_share_variables(tmp_path: Path) -> None:
    x, label = normal(5, 8, 8, 2), np.arange(5, dtype=np.int32)
    with gpu("late", compute=80, devices=2), net_pair(tmp_path) as pair:
        first, code = pair.gpu["train"], str(pair.code).encode()
        with pair.native.load(pair.file, first, signature=b"train", gpu_code=code, gpu=1) as second:
            for model in (first, second, second, first):
                np.testing.assert_allclose(model.run([x, label])[0], pair.cpu["train"].run([x, label])[0], rtol=1e-5)
            with pair.native.load(pair.file, first, signature=b"train") as on_cpu:
                on_cpu.run([x, label])
                pair.cpu["train"].run([x, label])
            np.testing.assert_allclose(second.run([x, label])[0], pair.cpu["train"].run([x, label])[0], rtol=1e-5)
            pair.assert_same_states()


def test_threads(tmp_path: Path) -> None:
    """Steps on one thread; others predict on both devices and read variables meanwhile."""
    x, label, done = normal(5, 8, 8, 2), np.arange(5, dtype=np.int32), threading.Event()
    with net_pair(tmp_path) as pair, pair.native.load(pair.file, pair.gpu["train"], signature=b"predict") as on_cpu:
        before = pair.gpu["predict"].run([x])[0]
        work = [lambda: pair.gpu["predict"].run([x]), lambda: on_cpu.run([x]), pair.gpu["train"].states]
        with ThreadPoolExecutor(len(work)) as threads:
            def repeat(one: Any) -> int:
                runs = 0
                while not done.is_set():
                    one()
                    runs += 1
                return runs

            others = [threads.submit(repeat, one) for one in work]
            for _ in range(20):
                pair.run("train", x, label)
            done.set()
            assert all(other.result(60) for other in others)
        pair.assert_close("predict", x, tolerance=1e-4)
        pair.assert_same_states(1e-4)
        assert np.abs(before - pair.gpu["predict"].run([x])[0]).max() > 0.1


def test_a_bad_index_changes_nothing(tmp_path: Path) -> None:
    """Before and behind the first step that writes a variable; the message is the CPU's."""
    def build() -> Any:
        i = gc.placeholder(gc.int32, [None], "i")
        w = gc.Variable(np.arange(21, dtype=np.float32).reshape(7, 3), name="w")
        v = gc.Variable(np.zeros(3, np.float32), name="v")
        with gc.control_dependencies([gc.assign_add(v, [1., 2., 3.])]):
            late = gc.gather(w.read_value(), i)
        return {"early": gc.Signature({"t": gc.scatter_add(w, i, gc.gather(w, i)).op}, {"i": i}),
                "late": gc.Signature({"rows": late}, {"i": i})}

    with Pair(exported(build), tmp_path, [{"i": (3,)}]) as pair:
        for signature in ("early", "late"):
            pair.assert_close(signature, np.array([1, 6, 1], np.int32))
            assert "index 7 is out of range: it must be at least 0 and less than 7" in pair.refused(
                signature, np.array([0, 7, 1], np.int32))
            pair.assert_same_states(0)
            pair.assert_close(signature, np.array([1, 0, 1], np.int32))
        pair.assert_same_states(0)


@pytest.mark.parametrize("rows", [0, 1, 3, 17, 65])
def test_sizes(rows: int, tmp_path: Path) -> None:
    def build() -> Any:
        x, y = (gc.placeholder(gc.float32, [None, None], name) for name in "xy")
        z = gc.matmul(x, y, transpose_b=True)
        return {"f": gc.Signature([gc.nn.softmax(z), gc.reduce_sum(x, 0), gc.concat([x, y], 0)], [x, y])}

    inner = 31 - rows % 4
    with Pair(exported(build), tmp_path, [{"x": (rows, inner), "y": (4, inner)}]) as pair:
        pair.assert_close("f", normal(rows, inner), normal(4, inner), tolerance=1e-4)


def test_several_sizes_and_none_of_them(tmp_path: Path) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3], "x")
        return {"f": gc.Signature({"y": gc.cumsum(x, 1) * 2.}, {"x": x})}

    with Pair(exported(build), tmp_path, [{"x": (size, 3)} for size in (1, 4, 4, 9)]) as pair:
        for size in (4, 1, 9, 4):
            pair.assert_close("f", normal(size, 3))
        with pytest.raises(n.NativeError) as refused:
            pair.gpu["f"].run([normal(2, 3)])
        assert str(refused.value) == (
            "the GPU's code was not made for inputs of these sizes: x [2, 3]\nit was made for\n  x [1, 3]\n  x [4, 3]\n"
            "  x [9, 3]\n`graphc gpu --shapes` makes it for others")
        assert refused.value.status == n.INVALID_ARGUMENT


def test_maps_have_the_bits_of_the_cpu(tmp_path: Path) -> None:
    kinds = (gc.float32, gc.float64, gc.int32, gc.int64, gc.bool, gc.uint8, gc.int8)

    def build() -> Any:
        made: list[gc.Tensor] = []
        for kind in kinds:
            x = gc.placeholder(kind, [33, 2], f"x{kind.name}")
            made.append(gc.logical_not(x) if kind == gc.bool else gc.tanh(x) * gc.exp(x) if kind.is_floating
                        else gc.maximum(x, x * x))
        return {"f": gc.Signature(made)}

    feeds = [(RNG.standard_normal((33, 2)) * 20).astype(kind.as_numpy_dtype) for kind in kinds]
    feeds[0][:3, 0] = np.nan, np.inf, -np.inf
    with Pair(exported(build), tmp_path) as pair:
        for ours, theirs in zip(*pair.run("f", *feeds), strict=True):
            assert_same_bits(ours, theirs)


def test_random_numbers_are_those_of_the_run(tmp_path: Path) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [31], "x")
        return {"f": gc.Signature({"y": gc.nn.dropout(x, keep_prob=0.5)}, {"x": x})}

    with Pair(exported(build), tmp_path) as pair:
        seen = {pair.run("f", np.ones(31, np.float32))[0][0].tobytes() for _ in range(3)}
        assert len(seen) == 3
        pair.assert_close("f", np.ones(31, np.float32), tolerance=0)


def test_a_variable_without_a_value(tmp_path: Path) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [2], "x")
        w = gc.Variable([1., 2.], name="w")
        return {"use": gc.Signature({"y": x * w}, {"x": x}), "begin": gc.Signature({"t": w.initializer}, [])}

    with gc.Graph().as_default(), gc.Session() as session:
        model = gc.export_model(session, build())
    with Pair(model, tmp_path) as pair:
        assert "variable 'w' has no value; give it one" in pair.refused("use", np.ones(2, np.float32))
        pair.run("begin")
        pair.assert_close("use", np.ones(2, np.float32), tolerance=0)
        pair.assert_same_states(0)


def folded() -> Any:
    """What a CPU prepares before the run: weights that are scaled by variables."""
    x = gc.placeholder(gc.float32, [None, 6, 6, 3], "x")
    h = gc.layers.batch_normalization(gc.layers.conv2d(x, 4, 3, use_bias=False), training=False)
    w = gc.Variable(normal(4, 5), name="w")
    y = gc.matmul(gc.reduce_mean(gc.nn.relu(h), [1, 2]), gc.exp(w) / gc.reduce_sum(gc.exp(w), 0))
    return {"f": gc.Signature({"y": y}, {"x": x}), "change": gc.Signature({"t": gc.assign_add(w, gc.ones([4, 5])).op},
                                                                          [])}


def test_what_the_cpu_prepares_is_done_in_the_run(tmp_path: Path) -> None:
    model = exported(folded)
    assert any(load_plan(saved).prepare >= 0 for saved in model.plans)
    with Pair(model, tmp_path, [{"x": (3, 6, 6, 3)}, {}]) as pair:
        for _ in range(2):
            pair.assert_close("f", normal(3, 6, 6, 3))
            pair.run("change")


def test_joined_plans_compute_the_same() -> None:
    model = exported(folded)
    plan = load_plan(next(saved for saved in model.plans if saved.signature == "f"))
    nodes = {node.name: node for node in model.node}
    constants = {c.name: read_array(nodes[c.name].attr["value"].tensor) for c in plan.constants}
    states = {v.name: read_array(nodes[v.value].attr["value"].tensor) for v in model.state.variables}
    together = joined(plan)
    assert len(together.plan.bodies) == 1 and {body for body, _ in together.steps[0]} == {0, plan.prepare}
    x = normal(2, 6, 6, 3)
    for ours, theirs in zip(Engine(together.plan, constants, states).run([x]), Engine(plan, constants, states).run([x]),
                            strict=True):
        assert_same_bits(ours, theirs)


def test_tensor_cores_are_asked_for_only_if_they_are_there(tmp_path: Path) -> None:
    """Products of 16-bit floats on tensor cores need compute capability 8.0; code for 7.5 has them without."""
    def build() -> Any:
        x = gc.placeholder(gc.bfloat16, [None, 64], "x")
        return {"f": gc.Signature({"y": gc.cast(gc.matmul(x, x, transpose_b=True), gc.float32)}, {"x": x})}

    model, x = exported(build), np.ones((65, 64), gc.bfloat16.as_numpy_dtype)
    for compute, target in ((80, b".target sm_80"), (75, b".target sm_75")):
        assert target in make_gpu_code(model, [{"x": (65, 64)}], compute=compute)
        with Pair(model, tmp_path, [{"x": (65, 64)}], compute=compute) as pair:
            pair.assert_close("f", x)


def test_products_are_rounded_where_that_is_asked_for(tmp_path: Path) -> None:
    """--auto-mixed-precision: tensor cores, whose factors have 10 bits; without it, and of its results, the CPU's."""
    def build() -> Any:
        x, w = gc.placeholder(gc.float32, [None, 64], "x"), gc.constant(weights)
        return {"f": gc.Signature({"y": gc.matmul(x, w)}, {"x": x})}

    x, weights = normal(65, 64), normal(64, 33)
    model = exported(build)
    exact, size = x @ weights, np.abs(x) @ np.abs(weights)
    of_sums, of_factors = 2 * 64 * 2.0 ** -24 * size, 2.0 ** -10 * size
    found = {}
    for rounded in (False, True):
        assert (b"mma.sync" in make_gpu_code(model, [{"x": x.shape}], auto_mixed_precision=rounded)) == rounded
        with Pair(model, tmp_path, [{"x": x.shape}], auto_mixed_precision=rounded) as pair:
            found[rounded] = np.abs(pair.gpu["f"].run([x])[0] - exact)
    assert (found[False] <= of_sums).all() and (found[True] <= of_factors).all() and (found[True] > of_sums).any()
    with pytest.raises(gc.errors.InvalidArgumentError, match="is for tensor cores"):
        make_gpu_code(model, [{"x": x.shape}], compute=75, auto_mixed_precision=True)


def test_graphc_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`graphc run --device gpu` needs no file: a Plan that is done by the GPU alone, and a graph without one."""
    monkeypatch.chdir(tmp_path)
    model = exported(net)
    gc.train.write_graph(model, ".", "m.pb", as_text=False)
    del model.plans[:]
    np.save("x.npy", normal(3, 8, 8, 2))
    np.save("label.npy", np.arange(3, dtype=np.int32))
    words = ["run", "m.pb", "--feed", "x=x.npy"]
    train = [*words, "--feed", "label=label.npy", "--signature", "train", "--steps", "3"]
    for device in ("gpu", "cpu"):
        assert main([*train, "--device", device, "--out", f"{device}.npy", "--save", f"{device}.ckpt"]) == 0
        assert main([*words, "--device", f"{device}", "--restore", f"{device}.ckpt", "--fetch", "y", "--out",
                     f"y-{device}.npy"]) == 0
    for name in ("{}.npy", "y-{}.npy"):
        np.testing.assert_allclose(np.load(name.format("gpu")), np.load(name.format("cpu")), rtol=1e-5, atol=1e-5)
    assert main([*words, "--device", "gpu:7"]) == 1 and "there is no GPU 7" in capsys.readouterr().err


def test_graphc_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_LIBRARY", str(build_runner() / "libgraphc.so"))
    monkeypatch.syspath_prepend(str(ROOT / "runtime"))
    rt, x, label = importlib.import_module("graphc_runtime"), normal(5, 8, 8, 2), np.arange(5, dtype=np.int32)
    with net_pair(tmp_path) as pair:
        train = rt.load(pair.file, "train", gpu_code=pair.code)
        for _ in range(2):
            loss = train.run({"x": x, "label": label})["loss"]
            np.testing.assert_allclose(loss, pair.cpu["train"].run([x, label])[0], rtol=1e-5)
        predict = train.signature("predict")
        np.testing.assert_allclose(predict.run({"x": x})["y"], pair.cpu["predict"].run([x])[0], rtol=1e-4, atol=1e-5)
        with pytest.raises(rt.InvalidArgumentError, match="was not made for inputs of these sizes"):
            predict.run({"x": x[:1]})
        del train, predict


@pytest.mark.skipif(not ON_GPU, reason="kernels of the library in place of libcuda are compiled in this process")
def test_the_program(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", normal(5, 8, 8, 2))
    np.save(tmp_path / "label.npy", np.arange(5, dtype=np.int32))
    with net_pair(tmp_path) as pair:
        (tmp_path / "m.pb").write_bytes(pair.file)
    words = ["m.pb", "--signature", "train", "--feed", "x=x.npy", "--feed", "label=label.npy", "--steps", "9"]
    for device, more in (("cpu", []), ("gpu", ["--device", "gpu", "--gpu-code", "m.gpu"])):
        subprocess.run([build_runner() / "graphc-run", *words, *more, "--out", f"{device}.npy", "--save", device],
                       cwd=tmp_path, check=True, timeout=100)
    np.testing.assert_allclose(np.load(tmp_path / "gpu.npy"), np.load(tmp_path / "cpu.npy"), rtol=1e-4)


@pytest.mark.skipif(ON_GPU, reason="about the library in place of libcuda")
def test_the_gpu_has_no_memory(tmp_path: Path) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [1 << 18], "x")
        return {"f": gc.Signature({"y": gc.cumsum(x)}, {"x": x})}

    model = exported(build)
    with gpu("late", compute=80, memory=1 << 20), Pair(model, tmp_path) as pair:
        with pytest.raises(n.NativeError, match=r"the GPU stand-in has no memory for .* bytes more") as refused:
            pair.gpu["f"].run([normal(1 << 18)])
        assert refused.value.status == n.RESOURCE_EXHAUSTED
