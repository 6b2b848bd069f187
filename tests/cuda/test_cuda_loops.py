"""Loops and branches whose values stay on the device: carried, captured, nested, with sizes that change, with lists,
and their gradients."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_cuda_mixed import only_engine, top_k

import graphc as gc

from on_both import ON_GPU, check_close, check_equal

pytestmark = pytest.mark.usefixtures("without_top_k")

RANDOM = np.random.default_rng(11)
SOFT = gc.ConfigProto(allow_soft_placement=True)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("times", [0, 1, 2, 3, 8])
def test_carried_values(device: Any, times: int) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])
        found = gc.while_loop(lambda i, y, z: i < n, lambda i, y, z: (i + 1, gc.tanh(z) * 1.5 + x, y), [0, x, x * 2.0])
        return [found[0], found[1] + 1.0, found[2]]

    check_equal(build, floats(4, 3), np.int32(times), runs=2)


def test_carried_values_never_leave_the_device(device: Any) -> None:
    if ON_GPU:
        pytest.skip("counts copies, which only the emulator can")
    with gc.Graph().as_default(), gc.Session() as session:
        x, n = gc.placeholder(gc.float32, [64]), gc.placeholder(gc.int32, [])
        with gc.device("/gpu:0"):
            _, y = gc.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, gc.sin(y) + x), [0, x])
        counts, graphs = [], []
        for times in (10, 10, 50):
            before = dict(device.work)
            session.run(y, {x: floats(64), n: times})
            counts.append({what: device.work[what] - before.get(what, 0) for what in ("upload", "download", "copy")})
            graphs.append(sum(map(len, only_engine(session)._idle[0]._frames.values())))
        assert counts[0] == counts[2] and counts[0]["upload"] == 1 and counts[0]["download"] == 1
        assert graphs[0] == graphs[2]                      # nothing is recorded anew


def test_the_condition_looks_at_the_device(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None])
        y, count = gc.while_loop(lambda y, i: gc.reduce_sum(y) > 1.0, lambda y, i: (y * 0.5, i + 1), [x, 0])
        return [y, count]

    check_equal(build, np.full(17, 3, np.float32))
    check_equal(build, np.zeros(0, np.float32))


def test_sizes_that_change_in_a_loop(device: Any) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.int32, [])
        _, y = gc.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, gc.concat([y, gc.exp(-y[:1])], 0)), [0, x],
                             shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 2])])
        return [y, gc.reduce_sum(y, 0)]

    check_close(build, floats(3, 2), np.int32(12), runs=2)


def test_loops_in_loops(device: Any) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [])

        def outer(i: Any, a: Any, b: Any) -> Any:
            _, inner = gc.while_loop(lambda j, y: j < i, lambda j, y: (j + 1, gc.sin(y) + a), [0, b])
            return i + 1, inner, a

        return gc.while_loop(lambda i, a, b: i < n, outer, [0, x, x + 1.0])

    for times in (0, 1, 2, 5):
        check_equal(build, floats(9), np.int32(times), runs=2)


def test_branches_in_loops(device: Any) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [])

        def body(i: Any, y: Any, z: Any) -> Any:
            y, z = gc.cond(gc.equal(i % 3, 0), lambda: (gc.exp(-y), y), lambda: (z, y * 0.5))
            return i + 1, y, z

        return gc.while_loop(lambda i, y, z: i < n, body, [0, x, -x])

    for times in (0, 1, 4, 7):
        check_equal(build, floats(5), np.int32(times), runs=2)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_branches(device: Any, sign: float) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        y = gc.cond(gc.reduce_sum(x) > 0.0, lambda: gc.exp(x), lambda: top_k(x, 3).values)
        return [y + 1.0, *gc.gradients(gc.reduce_sum(gc.cond(gc.reduce_sum(x) > 0.0, lambda: x * x, lambda: x)), x)]

    check_close(build, sign * np.abs(floats(4, 3)), runs=2)


@pytest.mark.parametrize("times", [0, 1, 5])
def test_gradients_of_loops(device: Any, times: int) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])
        w = gc.constant(floats_of_weights)
        _, y = gc.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, gc.tanh(gc.matmul(y, w))), [0, x])
        return [y, *gc.gradients(gc.reduce_sum(y * y), [x, w])]

    floats_of_weights = floats(3, 3)
    check_close(build, floats(4, 3), np.int32(times), runs=2, tolerance=1e-4)


def test_tensor_arrays(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        count = gc.shape(x)[0]
        rows = gc.TensorArray(gc.float32, size=count).unstack(gc.exp(x))
        made = gc.TensorArray(gc.float32, size=count)

        def body(i: Any, state: Any, made: Any) -> Any:
            state = gc.tanh(state + rows.read(i))
            return i + 1, state, made.write(i, state)

        _, last, made = gc.while_loop(lambda i, *_: i < count, body, [0, gc.zeros([3]), made])
        stacked = made.stack()
        return [last, stacked * 2.0, *gc.gradients(gc.reduce_sum(stacked), x)]

    for count in (1, 6):
        check_close(build, floats(count, 3), runs=2, tolerance=1e-4)


def test_a_recurrent_net_learns(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [3, None, 2])
        out, _ = gc.nn.dynamic_rnn(gc.nn.rnn_cell.BasicLSTMCell(4), x, dtype=gc.float32)
        loss = gc.reduce_mean(gc.square(out))
        return [loss, gc.train.GradientDescentOptimizer(0.5).minimize(loss)]

    check_close(build, floats(3, 3, 2), runs=2, tolerance=1e-4)


def test_variables_written_in_a_loop(device: Any) -> None:
    def build() -> Any:
        n, v = gc.placeholder(gc.int32, []), gc.Variable(np.ones(20, np.float32))

        def body(i: Any) -> Any:
            with gc.control_dependencies([gc.assign(v, v.read_value() * 1.5 + 1.0)]):
                return i + 1

        count = gc.while_loop(lambda i: i < n, body, [0])
        with gc.control_dependencies([count]):
            return [count, v.read_value() + 0.0]

    check_equal(build, np.int32(4), runs=2)


@pytest.mark.parametrize("runs", [1, 3])
def test_a_variable_that_is_written_before_it_goes_into_a_branch_or_loop(device: Any, runs: int) -> None:
    """The host writes it: what the device then reads of it is this run's."""
    def build() -> Any:
        v, w = gc.Variable(floats(3) * 0 + 1), gc.Variable(floats(2, 3) * 0 + 2)
        flag = gc.placeholder(gc.bool, [])
        with gc.control_dependencies([gc.assign_sub(v, [0.5, 0.25, 2.0]), gc.assign_add(w, gc.ones([2, 3]))]):
            seen = gc.identity(v)
        chosen = gc.cond(flag, lambda: seen * 2.0, lambda: v * 3.0, strict=True)
        inner = gc.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, gc.cond(
            flag, lambda: y, lambda: gc.sin(y) + w, strict=True)), [0, gc.reshape(seen, [1, 3]) + w])[1]
        carried = gc.while_loop(lambda i, y: i < 2, lambda i, y: [i + 1, w], [gc.cast(seen[0], gc.int32) * 0, w])[1]
        with gc.control_dependencies([gc.while_loop(lambda i: i < 3, lambda i: gc.tuple([i + 1], control_inputs=[
                chosen, gc.assign_add(v, [1.0, 2.0, 3.0])])[0], [0])]):
            again = gc.cond(flag, lambda: v * 4.0, lambda: gc.sin(v), strict=True)
        return [chosen, inner, carried, again]

    for flag in (False, True):
        check_equal(build, np.array(flag), runs=runs)


def test_a_python_function_in_a_loop(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [4])

        def body(i: Any, y: Any) -> Any:
            told = gc.py_func(lambda a: a + 1, [gc.sin(y)], gc.float32)
            told.set_shape([4])
            return i + 1, told * y

        return gc.while_loop(lambda i, y: i < 3, body, [0, x])

    check_close(build, floats(4), runs=2)


def test_map_and_scan(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        return [gc.map_fn(lambda row: gc.exp(row) + row, x), gc.scan(lambda a, row: gc.tanh(a + row), x)]

    check_close(build, floats(5, 3), runs=2)


def test_a_loop_alone_on_the_cpu_needs_no_device(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        n = gc.placeholder_with_default(3, [])
        end = gc.while_loop(lambda i: i < n, lambda i: i + 1, [0])
        assert session.run(end) == 3
        assert not device.work if not ON_GPU else True


def test_memory_of_runs_is_given_back(device: Any) -> None:
    if ON_GPU:
        pytest.skip("other processes may take and give memory, too")
    import gc as collector

    def use() -> None:
        with gc.Graph().as_default(), gc.device("/gpu:0"), gc.Session() as session:
            x = gc.placeholder(gc.float32, [None])
            _, y = gc.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, gc.sin(y) + x), [0, x])
            for size in range(1, 30):
                session.run(y, {x: floats(size)})

    free = []
    for _ in range(3):
        use()
        collector.collect()
        free.append(device.free_memory())
    assert free[1] == free[2]


def test_a_loop_of_two_parts(device: Any) -> None:
    """What one iteration made is read late in the next, behind a step of the host."""
    def build() -> Any:
        x = gc.placeholder(gc.float32, [6])

        def body(i: Any, a: Any, b: Any) -> Any:
            new = gc.exp(-gc.abs(a))
            best = top_k(new, 6).values
            return i + 1, gc.sin(b) + best, new

        return gc.while_loop(lambda i, a, b: i < 7, body, [0, x, x * 2.0])

    check_equal(build, floats(6), runs=3)


def test_parts_of_a_loop_are_few(device: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=SOFT) as session, gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [8])
        _, y = gc.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, gc.tanh(gc.sin(y) + gc.cos(x))), [0, x])
        session.run(y, {x: floats(8)})
        bodies = [part.body for part in only_engine(session).parts if part.steps]
        assert bodies.count(2) == 1


def test_a_constant_that_both_sides_use(device: Any) -> None:
    def build() -> Any:
        x, c = gc.placeholder(gc.float32, [None]), gc.constant(np.arange(20, dtype=np.float32))
        _, y = gc.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, gc.exp(-y) + c), [0, c])
        best = top_k(c * gc.reduce_sum(x), 2).values
        again = gc.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, gc.sin(y) + c), [0, y])[1]
        return [y, best, top_k(c, 3).values, again]

    check_close(build, floats(5), runs=2)
