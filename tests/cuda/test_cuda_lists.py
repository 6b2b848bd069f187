"""Lists whose elements stay on the device: what loops keep for their gradients, TensorArrays, lists of lists."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_cuda_mixed import only_engine, top_k

import graphc as gc
from graphc import errors
from graphc.exec.cuda.split.list_calls import ListUse
from graphc.exec.cuda.split.listed import Groups
from graphc.exec.cuda.split.mixed import joined

from on_both import ON_GPU, check_close, check_equal, results

pytestmark = pytest.mark.usefixtures("without_top_k")

RANDOM = np.random.default_rng(23)
SIZES = [0, 1, 3, 17, 65]


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def counted(device: Any, session: Any, fetches: Any, feeds: Any) -> dict[str, int]:
    before = dict(device.work)
    session.run(fetches, feeds)
    return {what: device.work[what] - before.get(what, 0) for what in ("upload", "download", "wait")}


@pytest.mark.parametrize("cell", [gc.nn.rnn_cell.BasicRNNCell, gc.nn.rnn_cell.BasicLSTMCell, gc.nn.rnn_cell.GRUCell])
def test_a_recurrent_net_is_trained_without_copies(device: Any, cell: Any) -> None:
    """Neither the number of copies nor that of recorded graphs depends on the steps, forward and backward."""
    if ON_GPU:
        pytest.skip("counts copies, which only the emulator can")
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        x = gc.placeholder(gc.float32, [2, None, 3])
        out, _ = gc.nn.dynamic_rnn(cell(20), x, dtype=gc.float32)
        loss = gc.reduce_mean(gc.square(out[:, -1]))
        train = gc.train.GradientDescentOptimizer(0.5).minimize(loss)
        session.run(gc.global_variables_initializer())
        counts, graphs = [], []
        for steps in (3, 3, 3, 6, 6, 6):
            counts.append(counted(device, session, [loss, train], {x: floats(2, steps, 3)}))
            loops = [part.number for part in only_engine(session).parts if part.repeats]
            graphs.append(sum(len(only_engine(session)._idle[0]._frames.get(number, ())) for number in loops))
    assert counts[2] == counts[5] and counts[2]["upload"] <= 3 and counts[2]["download"] <= 2
    assert graphs[2] == graphs[5]


@pytest.mark.parametrize("count", SIZES[1:])
def test_written_and_stacked(device: Any, count: int) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])
        made = gc.TensorArray(gc.float32, size=0, dynamic_size=True, element_shape=[None, 3])
        _, _, made = gc.while_loop(lambda i, *_: i < n, lambda i, y, made: (i + 1, gc.sin(y) + x, made.write(i, y)),
                                   [0, x, made])
        return [made.stack(), made.size()]

    check_equal(build, floats(4, 3), np.int32(count), runs=2)


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_rows_gathered_scattered_and_joined(device: Any, rows: int) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 20])
        order = gc.reverse(gc.range(gc.shape(x)[0]), [0])
        parts = gc.TensorArray(gc.float32, size=0, dynamic_size=True).scatter(order, gc.exp(x))
        again = parts.gather(order)
        lengths = gc.TensorArray(gc.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, 20])
        lengths = lengths.write(0, gc.tanh(x)).write(1, gc.sin(x[:1]))
        return [again + 1.0, gc.exp(-parts.stack()), lengths.concat() * 2.0]

    check_equal(build, floats(rows, 20), runs=2)


def test_what_was_never_written_is_zeros(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 2])
        array = gc.TensorArray(gc.float32, size=4, element_shape=[None, 2], clear_after_read=False)
        array = array.write(2, gc.exp(x))
        first, all_of_them = array.read(1), array.stack()
        return [gc.sin(first) + x, gc.exp(all_of_them), *gc.gradients(gc.reduce_sum(gc.exp(all_of_them)), x)]

    for size in SIZES[1:]:
        check_close(build, floats(size, 2), runs=2)


@pytest.mark.parametrize("times", [0, 1, 4])
def test_gradients_of_loops_in_loops(device: Any, times: int) -> None:
    """The list of the outer loop holds lists of the inner one's values."""
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])

        def outer(i: Any, y: Any) -> Any:
            _, inner = gc.while_loop(lambda j, z: j < i + 1, lambda j, z: (j + 1, gc.tanh(z * x)), [0, y])
            return i + 1, inner + gc.sin(y)

        _, y = gc.while_loop(lambda i, y: i < n, outer, [0, x])
        first, = gc.gradients(gc.reduce_sum(y * y), x)
        return [y, first, *gc.gradients(gc.reduce_sum(first * first), x)]

    check_close(build, floats(5, 3), np.int32(times), runs=2, tolerance=1e-4)


def test_gradients_of_branches_in_loops(device: Any) -> None:
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [])

        def body(i: Any, y: Any) -> Any:
            return i + 1, gc.cond(gc.equal(i % 2, 0), lambda: gc.exp(-y * y), lambda: top_k(y, 1).values * y)

        _, y = gc.while_loop(lambda i, y: i < n, body, [0, x])
        return [y, *gc.gradients(gc.reduce_sum(y), x)]

    for times in (0, 1, 5):
        check_close(build, floats(7), np.int32(times), runs=2, tolerance=1e-4)


def test_sizes_that_change_and_values_that_pass_by(device: Any) -> None:
    """Elements of several sizes; one that was taken goes into another list, and out of a loop, unchanged."""
    def build() -> Any:
        x, n = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.int32, [])
        array = gc.TensorArray(gc.float32, size=n, infer_shape=False, clear_after_read=False, element_shape=[None, 2])
        _, _, array = gc.while_loop(lambda i, *_: i < n, lambda i, y, a: (
            i + 1, gc.concat([y, gc.exp(-y[:1])], 0), a.write(i, gc.sin(y))), [0, x, array],
            shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 2]), None])
        other = gc.TensorArray(gc.float32, size=n, infer_shape=False, element_shape=[None, 2])
        _, last, other = gc.while_loop(lambda i, *_: i < n, lambda i, _, o: (
            i + 1, array.read(i), o.write(n - 1 - i, array.read(i))), [0, x, other],
            shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 2]), None])
        return [last + 1.0, gc.exp(other.concat())]

    for times in (1, 2, 6):
        check_equal(build, floats(3, 2), np.int32(times), runs=2)


def test_lists_of_integers_and_of_what_the_host_makes(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.int32, [None, 40])
        array = gc.TensorArray(gc.int32, size=3).write(0, x * 3).write(1, x - 1).write(2, x)
        y = gc.cast(x, gc.float32)
        kept = gc.TensorArray(gc.float32, size=2, clear_after_read=False).write(0, top_k(y, 3).values)
        kept = kept.write(1, gc.exp(-gc.abs(y[:, :3])))
        return [array.stack() + 1, gc.sin(kept.stack()), top_k(kept.read(1), 2).values]

    check_equal(build, RANDOM.integers(-9, 9, (5, 40)).astype(np.int32), runs=2)


@pytest.mark.parametrize("rows", [1, 5, 33])
def test_split_and_joined_and_their_gradients(device: Any, rows: int) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 3])
        count = gc.shape(x)[0]
        lengths = gc.stack([count - 1, 0, 1])
        array = gc.TensorArray(gc.float32, size=3, infer_shape=False, element_shape=[None, 3])
        array = array.split(gc.exp(x), lengths)
        parts = [gc.sin(array.read(i)) * (i + 1.0) for i in range(3)]
        other = gc.TensorArray(gc.float32, size=2, infer_shape=False, element_shape=[None, 3])
        joined_again = other.write(1, parts[0]).write(0, parts[2]).concat() * 2.0
        return [*parts, joined_again, *gc.gradients(gc.reduce_sum(joined_again * joined_again), x)]

    check_close(build, floats(rows, 3), runs=2)


ERRORS: dict[str, Callable[[Any, Any], Any]] = {
    "unwritten": lambda x, a: a.read(1),
    "sizes": lambda x, a: a.write(0, x).write(1, x[:1]).write(2, x).stack(),
    "lengths": lambda x, a: a.split(x, gc.constant([1, 7, 1])).read(0),
    "too_few": lambda x, a: a.split(x, gc.constant([1, 1, 1])).read(0),
    "unwritten_joined": lambda x, a: a.write(0, x).concat(),
    "index": lambda x, a: a.write(0, gc.exp(x)).read(7),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_cpus(device: Any, name: str) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, None])
        array = gc.TensorArray(gc.float32, size=3, infer_shape=False, element_shape=[None, None])
        return [gc.exp(ERRORS[name](gc.exp(x), array))]

    said = []
    for where in ("/cpu:0", "/gpu:0"):
        with pytest.raises(errors.InvalidArgumentError) as caught:
            results(where, build, [floats(4, 5)])
        said.append(caught.value.message)
    assert said[0] == said[1]


def test_memory_of_lists_is_the_next_runs(device: Any) -> None:
    if ON_GPU:
        pytest.skip("other processes may take and give memory, too")
    with gc.Graph().as_default(), gc.Session() as session, gc.device("/gpu:0"):
        x, n = gc.placeholder(gc.float32, [60000]), gc.placeholder(gc.int32, [])       # 6 of them: more than a chunk
        _, y = gc.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, gc.tanh(y) * x), [0, x])
        slope, = gc.gradients(gc.reduce_sum(y), x)
        free = []
        for _ in range(3):
            session.run(slope, {x: floats(60000), n: 6})
            free.append(device.free_memory())
        uses = [use for use in only_engine(session)._split.functions if isinstance(use, ListUse)]
    assert free[1] == free[2] and not uses


def test_copies_that_follow_one_another_are_one() -> None:
    assert joined([(0, 100, 8), (8, 108, 8), (16, 200, 4), (20, 300, 4), (24, 304, 4)]) == [
        (0, 100, 16), (16, 200, 4), (20, 300, 8)]


def test_groups_grow_together_with_what_their_lists_hold() -> None:
    groups = Groups()
    groups.join(groups.inside((0, 1)), (0, 2))
    groups.join(groups.inside((0, 3)), (0, 4))
    assert groups.of((0, 2)) != groups.of((0, 4))
    groups.join((0, 1), (0, 3))
    assert groups.of((0, 2)) == groups.of((0, 4)) != groups.of((0, 1))
    groups.join((0, 1), (0, 2))            # a list that may hold itself
    assert groups.of((0, 4)) == groups.of((0, 1)) == groups.of(groups.inside((0, 1)))
