"""Plans that the GPU and the host do together: what the device lacks, Python functions, sizes from data, variables on
either side; where values cross, and how often."""
from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from test_cuda_session import engines

import graphc as gc
from graphc.exec.code_queue import settle
from graphc.exec.cuda.split.mixed import MixedEngine

from on_both import ON_GPU, check_close, check_equal

pytestmark = pytest.mark.usefixtures("without_top_k")

RANDOM = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def only_engine(session: Any) -> MixedEngine:
    found = [engine for engine in engines(session) if isinstance(engine, MixedEngine)]
    assert len(found) == 1
    return found[0]


def top_k(x: Any, k: int) -> Any:
    """A step of the host, whatever the device has."""
    with gc.device("/cpu:0"):
        return gc.nn.top_k(x, k)


@pytest.mark.parametrize("size", [0, 1, 3, 17, 65])
def test_an_op_that_the_device_lacks_between_others(device: Any, size: int) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 7])
        best = top_k(gc.exp(x) * 2.0, 3)
        return [best.values + gc.reduce_max(x, 1, keepdims=True), best.indices, gc.sqrt(gc.abs(x))]

    check_equal(build, floats(size, 7), runs=2)


def test_a_function_in_python_between_others(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        y = gc.py_func(lambda a: a * 3, [gc.exp(x)], gc.float32)
        y.set_shape([None, 3])
        return [gc.sqrt(y) + x, gc.tanh(x)]

    check_close(build, floats(5, 3), runs=2)


def test_sizes_that_depend_on_data(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        kept = gc.boolean_mask(gc.tanh(x), x[:, 0] > 0.0)
        return [gc.exp(kept) + 1.0, gc.matmul(kept, kept, transpose_b=True), gc.reduce_sum(kept, 0)]

    for count in (0, 1, 9, 33):
        check_close(build, floats(count, 3), runs=2)


def test_strings_pass_by(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None])
        return [gc.as_string(gc.floor(gc.exp(x))), gc.strings.join([gc.constant("a"), gc.constant("b")]), gc.sqrt(x)]

    graph = gc.Graph()
    with graph.as_default(), graph.device("/gpu:0"):
        fetches = build()
        x = graph.get_operations()[0].outputs[0]
        with gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            texts, joined, roots = session.run(fetches, {x: [0.0, 4.0]})
    assert joined == b"ab" and roots.tolist() == [0, 2]
    assert [float(text) for text in texts] == [1, 54]


def test_a_value_crosses_once(device: Any) -> None:
    """Two steps of the host between three of the device: what the device reads again it keeps."""
    if ON_GPU:
        pytest.skip("counts copies, which only the emulator can")
    with gc.Graph().as_default(), gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [100])
        a = gc.exp(x)
        b = top_k(a, 5).values
        c = top_k(b + gc.reduce_sum(a), 4).values
        y = gc.reduce_sum(c) + a + x
        with gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            session.run(y, {x: np.zeros(100, np.float32)})
            parts = only_engine(session).parts
            assert [len(part.uploads) for part in parts] == [1, 1, 1]          # x, b, c
            assert [len(part.downloads) for part in parts] == [1, 1, 1]        # a, b + sum, y
            assert len(parts[2].given) == 2                                    # a and x


def test_what_need_not_wait_goes_ahead(device: Any) -> None:
    """Steps of the host that need nothing of the device do not cut a part in two."""
    with gc.Graph().as_default(), gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [None, 8])
        with gc.device("/cpu:0"):
            other = top_k(x, 2).values
        y = gc.matmul(gc.exp(x), gc.tanh(x), transpose_a=True)
        with gc.Session() as session:
            session.run([other, y], {x: floats(4, 8)})
            assert len(only_engine(session).parts) == 1


def test_explicit_places_are_kept(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.exp(x, name="there")
        with gc.device("/cpu:0"):
            z = gc.tanh(y, name="here")
        assert np.allclose(session.run(z, {x: [0.0, 1.0]}), np.tanh(np.exp([0.0, 1.0])), rtol=1e-6)
        assert only_engine(session).done_there() == {("there", "Exp"): 0}


def test_training_with_a_part_on_the_host(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 6])
        w, b = gc.Variable(np.full((6, 4), 0.1, np.float32)), gc.Variable(gc.zeros([4]))
        y = gc.matmul(x, w) + b
        best = top_k(y, 2).values
        loss = gc.reduce_mean(gc.square(best - 1.0))
        step = gc.train.AdamOptimizer(0.1).minimize(loss)
        with gc.control_dependencies([step]):
            return [loss, gc.identity(w), gc.identity(b)]

    check_close(build, floats(5, 6), runs=4, tolerance=1e-4)


def test_a_variable_that_both_sides_change(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        v = gc.Variable(np.arange(4, dtype=np.float32))
        with gc.device("/gpu:0"):
            grown = gc.assign_add(v, gc.ones([4]))
            with gc.control_dependencies([grown]):
                best = top_k(v.read_value() * 2.0, 2).values
            with gc.control_dependencies([best]):
                last = gc.assign(v, v.read_value() * 3.0)
        session.run(v.initializer)
        assert session.run([best, last])[0].tolist() == [8, 6]
        assert session.run(v).tolist() == [3, 6, 9, 12]


def test_a_run_that_fails_on_the_host_changes_nothing(device: Any) -> None:
    def fail(a: np.ndarray) -> np.ndarray:
        if a[0] > 5:
            raise ValueError("too large")
        return a

    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        v, x = gc.Variable([1.0, 2.0]), gc.placeholder(gc.float32, [2])
        with gc.device("/gpu:0"):
            seen = gc.py_func(fail, [x * 2.0], gc.float32)
            step = gc.assign_add(v, gc.exp(x * 0.0)).op
        session.run(v.initializer)
        with pytest.raises(gc.errors.InvalidArgumentError, match="too large"):
            session.run([seen, step], {x: [3.0, 3.0]})
        assert session.run(v).tolist() == [1, 2]
        session.run([seen, step], {x: [1.0, 1.0]})
        assert session.run(v).tolist() == [2, 3]


def test_a_bad_index_in_a_part_is_the_cpus_error(device: Any) -> None:
    said = []
    for where in ("/gpu:0", "/cpu:0"):
        with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
            x, i = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [None])
            with gc.device(where):
                y = top_k(gc.gather(gc.exp(x), i, name="taken"), 1).values
            with pytest.raises(gc.errors.InvalidArgumentError) as caught:
                session.run(y, {x: [1, 2], i: [0, 2]})
            assert session.run(y, {x: [0, 0], i: [0, 1]}).tolist() == [1]
            said.append(str(caught.value).replace(where, ""))
    assert said[0] == said[1]


def test_random_numbers_and_the_runs_number(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None])
        noisy = gc.nn.dropout(gc.exp(x), rate=0.5, seed=3)
        return [top_k(noisy, 3).values, noisy]

    check_equal(build, floats(20), runs=3)


def test_threads_have_their_own_memory(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/gpu:0"):
            y = gc.reduce_sum(top_k(gc.sqrt(x), 1).values * x)
        wrong: list[Any] = []

        def work(size: int) -> None:
            for _ in range(5):
                found = session.run(y, {x: np.full(size, 4, np.float32)})
                if found != 8 * size:
                    wrong.append((size, found))

        threads = [threading.Thread(target=work, args=(size,)) for size in (1, 10, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_a_run_inside_a_run(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        x, depth = gc.placeholder(gc.float32, [2]), gc.placeholder(gc.int32, [])

        def again(a: np.ndarray, left: np.ndarray) -> np.ndarray:
            return a if not left else session.run(y, {x: a, depth: left - 1})

        with gc.device("/gpu:0"):
            y = gc.py_func(again, [gc.sqrt(x), depth], gc.float32) + 1.0
        assert np.allclose(session.run(y, {x: [256.0, 16.0], depth: 2}), [2 + 3, 16 ** 0.125 + 3])


def test_placement_is_logged(device: Any, capfd: pytest.CaptureFixture[str]) -> None:
    config = gc.ConfigProto(log_device_placement=True, allow_soft_placement=True)
    with gc.Graph().as_default(), gc.Session(config=config) as session, gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [None], name="x")
        y = top_k(gc.exp(x, name="there"), 1).values
        for _ in range(2):
            session.run(y, {x: [1.0, 2.0]})
    lines = [line for line in capfd.readouterr().err.splitlines() if "job:localhost" in line]
    assert "there: (Exp): /job:localhost/replica:0/task:0/device:GPU:0" in lines
    assert "TopKV2: (TopKV2): /job:localhost/replica:0/task:0/device:CPU:0" in lines
    assert len(lines) == len(set(lines))


def test_the_hosts_maps_become_machine_code(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        with gc.device("/cpu:0"):
            y = gc.sqrt(x) * 2.0 + 1.0
        with gc.device("/gpu:0"):
            z = gc.exp(-y)
        given = np.abs(floats(40))
        first = session.run(z, {x: given})
        for _ in range(6):
            found = session.run(z, {x: given})
            settle()
            assert found.tolist() == first.tolist()
        assert only_engine(session)._compiled.any()


def test_variables_of_strings_stay_with_the_host(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        x, v = gc.placeholder(gc.float32, [2]), gc.Variable(["a", "b"])
        y = gc.exp(x)
        with gc.control_dependencies([gc.assign(v, gc.constant(["c", "d"]))]):
            z = y + 1.0
        session.run(v.initializer)
        assert session.run([z, v], {x: [0.0, 0.0]})[1].tolist() == [b"c", b"d"]
        assert session.run(gc.identity(v)).tolist() == [b"c", b"d"]


def test_explain_gives_variables_back_that_the_gpu_wrote(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [3])
        with gc.device("/gpu:0"):
            v = gc.Variable(np.arange(3, dtype=np.float32))
            more = gc.assign_add(v, x)
            doubled = x * 2.0
        run = [top_k(doubled, 1).values, more.op]
        session.run(v.initializer)
        session.run(run, {x: np.ones(3)})
        assert session._states.away, "the newest value is the GPU's"
        report = session.explain(run, {x: np.ones(3)})
        assert any("gpu_part" in step.call for step in report.steps)
        np.testing.assert_array_equal(session._states.read(v.op.name), [1, 2, 3])
        session.run(run, {x: np.ones(3)})
        np.testing.assert_array_equal(session.run(v), [2, 3, 4])


def test_steps_share_the_memory_that_they_need_while_they_run(device: Any) -> None:
    """Each of these pads its pictures; a frame has room for one padded set, not for eight."""
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [1, 9, 9, 3])
        y = x
        for _ in range(8):
            y = gc.nn.conv2d(y, np.full((3, 3, 3, 3), 0.1, np.float32), 1, "SAME")
        given = floats(243).reshape(1, 9, 9, 3)
        found = session.run(y, {x: given})
        (frame,) = engines(session)[0]._device_frames.values()
        assert len(frame.shared._blocks) == 1
    with gc.Graph().as_default(), gc.Session() as session:
        y = x = gc.placeholder(gc.float32, [1, 9, 9, 3])
        for _ in range(8):
            y = gc.nn.conv2d(y, np.full((3, 3, 3, 3), 0.1, np.float32), 1, "SAME")
        np.testing.assert_allclose(found, session.run(y, {x: given}), rtol=1e-4)
