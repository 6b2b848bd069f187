"""Models of which the C++ library has a GPU do parts (graphc gpu, docs/adr/0065): the results, variables and errors of
the CPU, and to the bit what Python does with the same parts."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.commands.gpu import make_gpu_code
from graphc.commands.needs import model_needs, needs_of
from graphc.exec.cuda.recording.recorded import Memory, MemoryKind, Recorded, Shapes
from graphc.exec.cuda.recording.recorded_parts import Divided, RecordedPart, Walk, record_walk
from graphc.kernels.toolchain.tables import GPU
from graphc.serial.gpu_code import gpu_code
from graphc.serial.plan_proto import load_plan
from graphc.serial.tensors import read_array

import native as n
from files import build_runner
from gpu_models import WHERE, Pair, exported, gpu
from on_both import ON_GPU, assert_same_bits

RNG = np.random.default_rng(65)
pytestmark = pytest.mark.skipif(not WHERE, reason="wants the library in place of libcuda, or a GPU")


@pytest.fixture(params=WHERE)
def library(request: Any) -> Iterator[Any]:
    with gpu(request.param, compute=80) as found:
        yield found


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def number(value: int) -> np.ndarray:
    return np.array(value, np.int32)


def repeated() -> Any:
    """A loop with a product, between other steps, one of which only the CPU does."""
    x, times = gc.placeholder(gc.float32, [None, 5], "x"), gc.placeholder(gc.int32, [], "times")
    w = gc.Variable(np.linspace(-1, 1, 25, dtype=np.float32).reshape(5, 5), name="w")
    y = gc.while_loop(lambda i, y: i < times, lambda i, y: (i + 1, gc.tanh(gc.matmul(y, w))), [0, x * 2.])[1]
    chosen = gc.gather_nd(y, gc.where(y > 0.1))
    return {"f": gc.Signature({"y": gc.nn.softmax(y), "sum": gc.reduce_sum(chosen)}, {"x": x, "times": times}),
            "change": gc.Signature({"t": gc.assign_add(w, gc.ones([5, 5])).op}, [])}


def test_a_loop(tmp_path: Path, library: Any) -> None:
    model = exported(repeated)
    with Pair(model, tmp_path, [*({"x": (rows, 5), "times": ()} for rows in (0, 1, 17)), {}]) as pair:
        again = pair.in_python(model, "f")
        for rows, times in ((17, 2), (0, 3), (1, 1), (17, 7), (17, 0)):
            feeds = [normal(rows, 5), number(times)]
            pair.assert_close("f", *feeds)
            # The rows that are chosen have a size that only the run knows: Python sums them on the GPU.
            assert_same_bits(pair.gpu["f"].run(feeds)[0], again.run(feeds)[0])
        pair.run("change")
        pair.assert_close("f", normal(17, 5), number(3))
        with pytest.raises(n.NativeError, match=r"not made for inputs of these sizes: x \[4, 5\], times \[\]"):
            pair.gpu["f"].run([normal(4, 5), number(1)])
        if library is not None:
            x, found = normal(17, 5), []
            for times in (2, 9):
                before = library.work()
                pair.gpu["f"].run([x, number(times)])
                found.append([before["upload"], before["download"]])
            assert found[0] == found[1], "what a loop carries stays on the GPU"


def chosen() -> Any:
    """Branches in a loop in a loop, whose results are of other sizes than what they are given."""
    x, flag = gc.placeholder(gc.float32, [4, 6], "x"), gc.placeholder(gc.bool, [], "flag")

    def inner(j: Any, y: Any) -> Any:
        return j + 1, gc.cond(gc.logical_xor(flag, j > 1), lambda: gc.exp(-y * y), lambda: gc.reduce_max(y) - y)

    def outer(i: Any, y: Any, _: Any) -> Any:
        z = gc.while_loop(lambda j, y: j < 3, inner, [0, y])[1]
        return i + 1, z, gc.reduce_sum(z, 1)

    _, y, sums = gc.while_loop(lambda i, *_: i < 2, outer, [0, x, gc.zeros([4])])
    short = gc.cond(flag, lambda: y[:2], lambda: y * 2.)
    return {"f": gc.Signature({"y": y, "sums": sums, "short": gc.reduce_mean(short, 0)}, {"x": x, "flag": flag})}


def test_branches_and_loops_in_loops(tmp_path: Path, library: Any) -> None:
    model = exported(chosen)
    with Pair(model, tmp_path) as pair:
        again = pair.in_python(model, "f")
        for flag in (True, False, True):
            feeds = [normal(4, 6), np.array(flag)]
            pair.assert_close("f", *feeds)
            y, sums, short = zip(pair.gpu["f"].run(feeds), again.run(feeds), strict=True)
            assert_same_bits(*y)
            assert_same_bits(*sums)
            np.testing.assert_allclose(*short, rtol=1e-6)      # its rows are known in the run: Python adds on the GPU


def numbers() -> Any:
    """Bodies in which nothing has a size."""
    x = gc.placeholder(gc.float32, [], "x")
    y = gc.while_loop(lambda y: gc.abs(y) < 9., lambda y: [gc.cond(y > 0., lambda: y * 1.5, lambda: y * 2.)], [x])
    return {"f": gc.Signature({"y": gc.exp(-y)}, {"x": x})}


def test_numbers(tmp_path: Path, library: Any) -> None:
    with Pair(exported(numbers), tmp_path) as pair:
        for x in (0.7, -0.3, 12.):
            pair.assert_close("f", np.array(x, np.float32))


def recurrent() -> Any:
    """A recurrent net over sequences of several lengths: a training step, whose loops keep what gradients need."""
    x, length = gc.placeholder(gc.float32, [3, None, 4], "x"), gc.placeholder(gc.int32, [3], "length")
    _, state = gc.nn.dynamic_rnn(gc.nn.rnn_cell.GRUCell(5), x, length, dtype=gc.float32)
    loss = gc.reduce_mean(gc.square(gc.layers.dense(gc.nn.dropout(state, 0.8), 2) - 1.))
    train = gc.train.AdamOptimizer(0.01).minimize(loss)
    return {"train": gc.Signature({"loss": loss, "t": train}, {"x": x, "length": length})}


def test_training_a_recurrent_net(tmp_path: Path, library: Any) -> None:
    model = exported(recurrent)
    with Pair(model, tmp_path, [{"x": (3, steps, 4), "length": (3,)} for steps in (6, 2)]) as pair:
        for steps in (6, 2, 6):
            pair.assert_close("train", normal(3, steps, 4), np.array([steps, 1, 2], np.int32), tolerance=1e-4)
        pair.gpu["train"].save(tmp_path / "ours")
        pair.assert_same_states(1e-4)
        pair.cpu["train"].restore(tmp_path / "ours")
        pair.assert_close("train", normal(3, 6, 4), np.array([6, 6, 0], np.int32), tolerance=1e-4)


def table() -> Any:
    """A loop that changes rows of a table, which the CPU does in place, and takes rows of a variable."""
    i = gc.placeholder(gc.int32, [None], "i")
    w = gc.Variable(np.arange(21, dtype=np.float32).reshape(7, 3), name="w")
    v = gc.Variable(np.zeros(3, np.float32), name="v")

    def step(k: Any, rows: Any) -> Any:
        return k + 1, gc.tensor_scatter_nd_update(rows, [[k]], [gc.reduce_sum(gc.gather(w, i), 0)])

    rows = gc.while_loop(lambda k, _: k < 4, step, [0, gc.ones([5, 3])])[1]
    with gc.control_dependencies([rows]):
        late = gc.assign_add(v, gc.reduce_sum(rows, 0))
    return {"f": gc.Signature({"rows": rows, "t": late.op}, {"i": i})}


def test_a_bad_index_changes_nothing(tmp_path: Path, library: Any) -> None:
    with Pair(exported(table), tmp_path, [{"i": (3,)}]) as pair:
        pair.assert_close("f", np.array([1, 6, 1], np.int32))
        assert "index 7 is out of range: it must be at least 0 and less than 7" in pair.refused(
            "f", np.array([0, 7, 1], np.int32))
        pair.assert_same_states()
        pair.assert_close("f", np.array([0, 2, 1], np.int32))
        pair.assert_same_states()


def test_a_function_of_the_programs(tmp_path: Path, library: Any) -> None:
    """It runs between parts; what it throws is its own, and the model goes on."""
    def build() -> Any:
        x = gc.placeholder(gc.float32, [3], "x")
        y = gc.py_func(lambda v: v * 2., [gc.tanh(x)], gc.float32)
        y.set_shape([3])
        return {"f": gc.Signature({"z": gc.exp(y), "t": gc.tanh(x)}, {"x": x})}

    model, x = exported(build), normal(3)
    name = next(host for host in load_plan(model.plans[0]).hosts)
    with Pair(model, tmp_path) as pair:
        assert "no function is set for it" in pair.refused("f", x)
        for models in (pair.gpu, pair.cpu):
            models["f"].set_host(name, lambda v: np.asarray(v * 2., np.float32))
        pair.assert_close("f", x)


def test_threads(tmp_path: Path, library: Any) -> None:
    with Pair(exported(repeated), tmp_path, [{"x": (3, 5), "times": ()}, {}]) as pair:
        feeds = [[normal(3, 5), number(times)] for times in (1, 4)] * 3
        wanted = [pair.cpu["f"].run(feed) for feed in feeds]
        with ThreadPoolExecutor(3) as threads:
            for found, theirs in zip(threads.map(pair.gpu["f"].run, feeds), wanted, strict=True):
                for one, other in zip(found, theirs, strict=True):
                    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def in_runs(walk: Walk, change: Callable[[Recorded], Recorded]) -> Walk:
    """The walk with all runs of all parts changed."""
    return replace(walk, parts=tuple(replace(part, runs=tuple(map(change, part.runs))) for part in walk.parts))


def in_shapes(walk: Walk, change: Callable[[Shapes], Shapes]) -> Walk:
    return in_runs(walk, lambda run: replace(run, shapes=change(run.shapes or Shapes((), (), (), ()))))


def in_memory(walk: Walk, kind: MemoryKind, change: Callable[[Memory], Memory]) -> Walk:
    return in_runs(walk, lambda run: replace(run, memory=tuple(
        change(memory) if memory.kind == kind else memory for memory in run.memory)))


AT_ONCE: dict[str, tuple[str, Callable[[Walk], Walk]]] = {
    "another variable": ("a variable that", lambda w: replace(w, here=(9,))),
    "sizes too few": ("number of sizes", lambda w: replace(w, sizes=(w.sizes[0][1:],))),
    "a value that it does not get": ("does not get", lambda w: in_memory(
        w, MemoryKind.GIVEN, lambda m: replace(m, index=3))),
    "a value that it does not make": ("does not make", lambda w: in_memory(
        w, MemoryKind.MADE, lambda m: replace(m, index=-1))),
    "values without places": ("places", lambda w: in_shapes(w, lambda s: replace(s, uploads=((), *s.uploads)))),
    "a value of less than nothing": ("size below 0", lambda w: in_shapes(
        w, lambda s: replace(s, made=tuple((-1, *one[1:]) for one in s.made)))),
    "too many axes": ("too many axes", lambda w: in_shapes(w, lambda s: replace(s, given=((1,) * 9, *s.given)))),
    "a part in place of a whole plan": ("number of sizes", lambda w: w),
}
IN_A_RUN: dict[str, tuple[str, Callable[[Walk], Walk]]] = {
    "no parts": ("does not have", lambda w: replace(w, parts=())),
    "no runs": ("was not made for these sizes: [2]", lambda w: replace(
        w, parts=tuple(replace(part, runs=()) for part in w.parts))),
    "not told": ("another number of values", lambda w: replace(w, parts=tuple(
        RecordedPart(False, part.repeats, tuple(replace(run, sizes=()) for run in part.runs)) for part in w.parts))),
    "a larger value": ("another shape", lambda w: in_shapes(
        w, lambda s: replace(s, uploads=tuple((999, *one[1:]) for one in s.uploads)))),
    "more than comes down": ("larger than what comes", lambda w: in_shapes(
        w, lambda s: replace(s, downloads=tuple((1 << 30, *one[1:]) for one in s.downloads)))),
    "another rank": ("no vector", lambda w: in_shapes(
        w, lambda s: replace(s, given=tuple((1, *one) for one in s.given)))),
    "more than was made": ("no part has made", lambda w: in_memory(
        w, MemoryKind.GIVEN, lambda m: replace(m, size=1 << 30))),
    "values that nobody wants": ("another number of values", lambda w: in_shapes(
        w, lambda s: replace(s, made=(*s.made, (1,))))),
}


@pytest.mark.parametrize("build", [repeated, chosen, table])
def test_runners_for_models_in_parts_have_what_the_host_needs(build: Any, tmp_path: Path) -> None:
    """`graphc runner --gpu --only-for`: before anybody has said for which sizes."""
    model = exported(build)
    gc.train.write_graph(model, str(tmp_path), "m.pb", as_text=False)
    plan = load_plan(model.plans[0])
    shapes = [tuple(3 if size < 0 else size for size in port.shape) for port in plan.inputs]
    wanted, found = needs_of(Divided(plan, [shapes]).split.plan), model_needs(str(tmp_path / "m.pb"), gpu=True)
    for what in ("kernels", "primitives", "parts"):
        has = {name for needs in found for name in getattr(needs, what)}
        assert getattr(wanted, what) <= has and (what != "parts" or GPU in has)


def test_sizes_that_do_not_fit() -> None:
    def build() -> Any:
        x, y = gc.placeholder(gc.float32, [None, 2], "x"), gc.placeholder(gc.float32, [None, 3], "y")
        return {"f": gc.Signature([gc.where(x > 0.), gc.matmul(x, y)], [x, y])}

    with pytest.raises(gc.errors.InvalidArgumentError, match="MatMul"):
        make_gpu_code(exported(build), [{"x": (4, 2), "y": (5, 3)}])


@pytest.mark.skipif(ON_GPU, reason="about the library in place of libcuda")
def test_damaged_parts_are_refused(tmp_path: Path) -> None:
    """When the file is read, or when a run comes to what only a run shows."""
    model = exported(repeated)
    nodes, plan = {node.name: node for node in model.node}, load_plan(model.plans[0])
    constants = {c.name: read_array(nodes[c.name].attr["value"].tensor) for c in plan.constants}
    walk = record_walk(Divided(plan, [[(2, 5), ()]]), constants, 75)
    native, saved, path = n.Native(build_runner() / "libgraphc.so"), model.plans[0], tmp_path / "code.gpu"
    with gpu("late", compute=80):
        for name, (said, change) in (AT_ONCE | IN_A_RUN).items():
            changed: Any = change(walk)
            runs = walk.parts[0].runs if changed is walk else changed
            path.write_bytes(gpu_code(saved.graph_hash, {"f": (saved, runs)}))
            with pytest.raises(n.NativeError) as refused:
                with native.load(model.SerializeToString(), signature=b"f", gpu_code=str(path).encode()) as loaded:
                    assert name in IN_A_RUN, f"it took {name}"
                    loaded.run([normal(2, 5), number(2)])
            assert said in str(refused.value), name
