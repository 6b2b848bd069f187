"""Sessions on the device: training, variables on both devices, errors, placement, memory."""
from __future__ import annotations

import gc as collector
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.engine import CudaEngine

from on_both import ON_GPU, check_close
from stand_in import StandIn, standing_in

pytestmark = pytest.mark.usefixtures("without_top_k")

RANDOM = np.random.default_rng(2)
pytestmark = pytest.mark.usefixtures("without_top_k")


def net(where: str) -> Any:
    """(x, labels, loss, training step, accuracy) of a small net."""
    with gc.device(where):
        x, labels = gc.placeholder(gc.float32, [None, 12]), gc.placeholder(gc.int64, [None])
        hidden = gc.layers.dense(x, 16, activation=gc.nn.relu)
        logits = gc.layers.dense(hidden, 5)
        loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        return x, labels, loss, gc.train.AdamOptimizer(0.01).minimize(loss)


def engines(session: Any) -> list[Any]:
    return [engine for prepared in session._plans.values() for engine in prepared.engines.values()]


def test_training_learns_what_the_cpu_learns(device: Any) -> None:
    found = []
    given = RANDOM.standard_normal((20, 12)).astype(np.float32), RANDOM.integers(0, 5, 20)
    for where in ("/gpu:0", "/cpu:0"):
        with gc.Graph().as_default():
            gc.set_random_seed(3)
            x, labels, loss, step = net(where)
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                losses = [session.run([loss, step], {x: given[0][:n], labels: given[1][:n]})[0]
                          for n in (20, 20, 7, 13)]
                kinds = {type(engine) for engine in engines(session)}
                assert (CudaEngine in kinds) == (where == "/gpu:0")
                found.append([*losses, *session.run(gc.trainable_variables())])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


def test_variables_are_seen_on_both_devices(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(np.arange(4, dtype=np.float32))
        with gc.device("/gpu:0"):
            on_gpu, doubled = gc.assign(v, v * 2.0), v + 0.5
        on_cpu = gc.assign_add(v, [1.0, 1.0, 1.0, 1.0])
        session.run(v.initializer)
        session.run(on_gpu)
        assert session.run(v).tolist() == [0, 2, 4, 6]
        session.run(on_cpu)
        assert session.run(doubled).tolist() == [1.5, 3.5, 5.5, 7.5]
        session.run([on_gpu])
        assert session.run(v + 0.0).tolist() == [2, 6, 10, 14]
        assert session._states.read(v.op.name).tolist() == [2, 6, 10, 14]


def test_a_saver_saves_the_devices_values(device: Any, tmp_path: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable([1.0, 2.0])
        with gc.device("/gpu:0"):
            triple = gc.assign(v, v * 3.0)
        session.run(v.initializer)
        saver = gc.train.Saver()
        session.run(triple)
        path = saver.save(session, str(tmp_path / "model"))
        session.run(triple)
        assert session.run(v).tolist() == [9, 18]
        saver.restore(session, path)
        session.run(triple)
        assert session.run(v).tolist() == [9, 18]


def test_variables_stay_on_the_device(device: Any) -> None:
    if ON_GPU:
        pytest.skip("counts copies, which only the emulator can")
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(np.zeros(1000, np.float32))
        with gc.device("/gpu:0"):
            step = gc.assign_add(v, gc.ones([1000])).op
        session.run(v.initializer)
        session.run(step)
        before = device.work["upload"]
        for _ in range(5):
            session.run(step)
        assert device.work["upload"] == before
        assert session.run(v)[7] == 6


def test_an_uninitialised_variable_is_an_error(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        with gc.device("/gpu:0"):
            w = gc.Variable([1.0], name="w") * 2.0
        with pytest.raises(gc.errors.FailedPreconditionError, match="uninitialized value w: run its initializer"):
            session.run(w)


def test_a_failed_run_changes_nothing(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable([1.0, 2.0, 3.0])
        i = gc.placeholder(gc.int32, [None])
        with gc.device("/gpu:0"):
            taken = gc.gather(gc.constant([10.0, 20.0]), i)
            step = gc.assign_add(v, [1.0, 1.0, 1.0]).op
        session.run(v.initializer)
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"index 2 is not in \[0, 2\)"):
            session.run([taken, step], {i: [0, 2]})
        assert session.run(v).tolist() == [1, 2, 3]
        assert session.run([taken, step], {i: [0, 1]})[0].tolist() == [10, 20]
        assert session.run(v).tolist() == [2, 3, 4]


def test_shapes_that_do_not_fit_are_the_same_error(device: Any) -> None:
    said = []
    for where in ("/gpu:0", "/cpu:0"):
        with gc.Graph().as_default(), gc.Session() as session, gc.device(where):
            x, y = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.float32, [None])
            with pytest.raises(gc.errors.InvalidArgumentError) as caught:
                session.run(gc.add(x, y, name="sum"), {x: [1, 2, 3], y: [1, 2]})
            said.append(str(caught.value))
    assert said[0] == said[1]


def sorted_on(where: str) -> Any:
    with gc.device(where):
        given = gc.Variable([3.0, 1.0, 2.0]) * 1.0
        return gc.py_func(lambda a: -np.sort(-a)[:2], [given], gc.float32, name="best")


def test_what_the_device_lacks_runs_on_the_cpu_and_one_warning_says_so(device: Any) -> None:
    with gc.Graph().as_default():
        best = sorted_on("/gpu:0")
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            with pytest.warns(UserWarning, match="PyFunc 'best': the GPU does not have functions in Python.*CPU"):
                assert session.run(best).tolist() == [3, 2]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert session.run([best, best])[0].tolist() == [3, 2]


@pytest.mark.quotes
def test_the_warning_says_where_the_op_was_built(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        best = sorted_on("/gpu:0")
        session.run(gc.global_variables_initializer())
        with pytest.warns(UserWarning, match=r"built at .*test_cuda_session.py:\d+: .*py_func"):
            session.run(best)


def test_soft_placement_does_not_warn(device: Any, recwarn: pytest.WarningsRecorder) -> None:
    with gc.Graph().as_default():
        best = sorted_on("/gpu:0")
        with gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            session.run(gc.global_variables_initializer())
            assert session.run(best).tolist() == [3, 2]
    assert not [w for w in recwarn if "GPU" in str(w.message)]


def test_device_count_chooses(device: Any) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None])
        y = x * 2.0
        with gc.device("/gpu:0"):
            z = x * 3.0
        for count, kinds in ((1, [True, True]), (0, [False, False]), (None, [False, True])):
            config = gc.ConfigProto(device_count={"GPU": count}) if count is not None else gc.ConfigProto()
            with gc.Session(config=config) as session:
                assert session.run(y, {x: [1]}).tolist() == [2] and session.run(z, {x: [1]}).tolist() == [3]
                assert [type(engine) is CudaEngine for engine in engines(session)] == kinds
                assert len(session.list_devices()) == (1 if count == 0 else 2)


def test_a_second_gpu_is_refused(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        with gc.device("/gpu:1"):
            x = gc.zeros([3], name="far")
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"'far' is placed on /device:GPU:1"):
            session.run(x)


def test_without_a_gpu_everything_runs_on_the_cpu() -> None:
    with standing_in(None), gc.Graph().as_default(), gc.Session() as session:
        with gc.device("/gpu:0"):
            x = gc.constant([1.0, 2.0]) * 2.0
        assert session.run(x).tolist() == [2, 4]
        assert [type(engine) is CudaEngine for engine in engines(session)] == [False]
        assert [d.device_type for d in session.list_devices()] == ["CPU"]
        assert not gc.test.is_gpu_available() and not gc.test.gpu_device_name()


def test_the_gpu_is_listed(device: Any) -> None:
    assert gc.test.is_gpu_available() and gc.test.gpu_device_name() == "/device:GPU:0"
    listed = gc.compat.v1.python.client.device_lib.list_local_devices()
    assert [d.name for d in listed] == ["/device:CPU:0", "/device:GPU:0"]
    assert device.name in listed[1].physical_device_desc


def test_too_large_for_the_device_is_an_error() -> None:
    with standing_in(StandIn(most=1 << 20)), gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.exp(x)
        with pytest.raises(gc.errors.ResourceExhaustedError, match="the GPU stand-in has no memory for"):
            session.run(y, {x: np.zeros(200_000, np.float32)})
        assert session.run(y, {x: [0.0]}).tolist() == [1]


def test_memory_is_given_back(device: Any) -> None:
    if ON_GPU:
        pytest.skip("other processes may take and give memory, too")

    def use() -> None:
        with gc.Graph().as_default(), gc.device("/gpu:0"):
            x, v = gc.placeholder(gc.float32, [None, 30]), gc.Variable(gc.zeros([30]))
            y = x * v
            with gc.Session() as session:
                session.run(v.initializer)
                for n in range(1, 40):                          # more shapes than are kept
                    session.run(y, {x: np.zeros((n, 30), np.float32)})

    free = []
    for _ in range(3):                                         # the first time loads code
        use()
        collector.collect()
        free.append(device.free_memory())
    assert free[1] == free[2]


def test_threads_share_the_device(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.reduce_sum(gc.sqrt(x))
        wrong: list[Any] = []

        def work(size: int) -> None:
            for _ in range(10):
                found = session.run(y, {x: np.ones(size, np.float32)})
                if found != size:
                    wrong.append((size, found))

        threads = [threading.Thread(target=work, args=(size,)) for size in (1, 10, 100, 300)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_a_fetch_of_gradients_and_sizes(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 6])
        w = gc.Variable(gc.ones([6, 3]) * 0.1)
        y = gc.nn.softmax(gc.matmul(x, w))
        return [gc.shape(x), *gc.gradients(gc.reduce_mean(y[:, 0]), [x, w]), gc.reshape(x, [-1])]

    check_close(build, RANDOM.standard_normal((5, 6)).astype(np.float32))


@pytest.mark.skipif(ON_GPU, reason="there is a GPU")
def test_without_a_gpu_one_warning_says_that_the_cpu_computes(recwarn: pytest.WarningsRecorder) -> None:
    with gc.Graph().as_default():
        with gc.device("/gpu:0"):
            y, z = gc.exp(gc.constant(0.0)), gc.sqrt(gc.constant(4.0))
        with gc.Session() as session:
            assert session.run(y) == 1 and session.run(z) == 2
        assert [str(w.message) for w in recwarn] == [
            "there are ops on a GPU, but no GPU was found here: such runs happen on the CPU"]
        with gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            assert session.run(y) == 1
        assert len(recwarn) == 1


def test_whether_a_variable_is_there_is_the_hosts_answer(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(device_count={"GPU": 1})) as session:
        v = gc.Variable([1.0, 2.0])
        ready, twice = gc.is_variable_initialized(v), v * 2.0
        assert not session.run(ready)
        session.run(v.initializer)
        assert session.run(ready) and session.run([ready, twice])[1].tolist() == [2, 4]


@pytest.mark.parametrize("before", [False, True])
def test_a_check_behind_a_write_changes_nothing_either(device: Any, before: bool) -> None:
    """The scatter looks at its own indices, and writes; another variable was written before it."""
    with gc.Graph().as_default(), gc.Session() as session:
        i, j = gc.placeholder(gc.int32, [None]), gc.placeholder(gc.int32, [None])
        with gc.device("/gpu:0"):
            v, w = gc.Variable([1.0, 2.0, 3.0]), gc.Variable([5.0, 6.0])
            double = gc.assign(w, w * 2.0)
            with gc.control_dependencies([double]):
                step = gc.scatter_add(v, i, gc.ones_like(gc.cast(i, gc.float32)))
            fetches = [step, double, *([gc.gather(gc.constant([10.0, 20.0]), j)] if before else [])]
        session.run(gc.global_variables_initializer())
        good = {i: [2, 2], j: [1]}
        assert session.run(fetches, good)[0].tolist() == [1, 2, 5]
        for bad in ({i: [3], j: [0]}, {i: [-1, 0], j: [1]}, *([{i: [0], j: [2]}] if before else [])):
            with pytest.raises(gc.errors.InvalidArgumentError, match="is not in"):
                session.run(fetches, bad)
            assert session.run([v, w])[0].tolist() == [1, 2, 5] and session.run(w).tolist() == [10, 12]
        assert session.run(fetches, good)[0].tolist() == [1, 2, 7] and session.run(w).tolist() == [20, 24]


def test_strings_of_variables_stay_with_the_host(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(device_count={"GPU": 1})) as session:
        x, f = gc.placeholder(gc.string, [2]), gc.placeholder(gc.float32, [None])
        v = gc.Variable(["a", "b"])
        assign, before, twice = v.assign(x), gc.identity(v), f * 2.0
        session.run(v.initializer)
        for i in range(3):
            session.run([assign.op, twice], {x: [f"x{i}", f"y{i}"], f: [1.0] * 20})
        assert session.run(v).tolist() == session.run([before, twice], {f: [1.0]})[0].tolist() == [b"x2", b"y2"]


def test_a_traced_run_gives_its_results(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, told = gc.placeholder(gc.float32, [None]), gc.RunMetadata()
        with gc.device("/gpu:0"):
            y = gc.exp(x) + 1.0
        options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
        assert session.run(y, {x: [0.0]}, options=options, run_metadata=told).tolist() == [2.0]
        assert len(told.step_stats.dev_stats) == 2
