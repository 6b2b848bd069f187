"""What runs cells over sequences: in a loop, unrolled, in both directions; lengths, sizes known in a run only, nesting.

The oracle is NumPy written out, and that the loop and the unrolled graph agree, gradients included.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rnn_cases import leaves, load_waves, wave

import graphc as gc

core, contrib = gc.nn.rnn_cell, gc.contrib.rnn
LENGTHS = [5, 2, 0]


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def evaluated(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        load_waves(session)
        return session.run(fetches, feeds)


def rnn_by_numpy(x: np.ndarray, lengths: list[int], kernel: np.ndarray, bias: np.ndarray) -> tuple[Any, Any]:
    """BasicRNNCell over [batch, time, depth]."""
    state = np.zeros((len(x), bias.size), x.dtype)
    outputs = np.zeros((*x.shape[:2], bias.size), x.dtype)
    for time in range(x.shape[1]):
        for row, length in enumerate(lengths):
            if time < length:
                state[row] = np.tanh(np.concatenate([x[row, time], state[row]]) @ kernel + bias)
                outputs[row, time] = state[row]
    return outputs, state


@pytest.mark.parametrize("shape", [[None, None, 4], [3, None, 4], [None, 6, 4], [3, 6, 4]])
@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
@pytest.mark.parametrize("with_lengths", [False, True])
def test_sizes_may_be_unknown(shape: list[Any], dtype: Any, with_lengths: bool) -> None:
    x = gc.placeholder(dtype, shape)
    lengths = gc.placeholder(gc.int64, [None]) if with_lengths else None
    outputs, state = gc.nn.dynamic_rnn(core.BasicRNNCell(3), x, lengths, dtype=dtype)
    assert outputs.shape.as_list() == [*shape[:2], 3] and state.shape.as_list() == [shape[0], 3]
    value = wave((3, 6, 4), 0.2, dtype.as_numpy_dtype)
    got = evaluated([outputs, state, *gc.trainable_variables()], {x: value, lengths: LENGTHS} if with_lengths
                    else {x: value})
    wanted = rnn_by_numpy(value, LENGTHS if with_lengths else [6] * 3, got[2], got[3])
    for a, b in zip(got, wanted, strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_one_plan_serves_all_sizes() -> None:
    x, lengths = gc.placeholder(gc.float32, [None, None, 2]), gc.placeholder(gc.int32, [None])
    outputs, state = gc.nn.dynamic_rnn(core.BasicRNNCell(2), x, lengths, dtype=gc.float32)
    with gc.Session() as session:
        variables = load_waves(session)
        kernel, bias = session.run([variables[1], variables[0]])
        for batch, time in ((1, 1), (4, 7), (0, 3), (2, 5)):
            value = wave((batch, time, 2), 0.1)
            ends = [min(time, 1 + row) for row in range(batch)]
            got = session.run([outputs, state], {x: value, lengths: ends})
            for a, b in zip(got, rnn_by_numpy(value, ends, kernel, bias), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_no_steps_at_all() -> None:
    x = gc.placeholder(gc.float32, [2, None, 4])
    outputs, state = gc.nn.dynamic_rnn(core.GRUCell(3), x, initial_state=gc.ones([2, 3]))
    got = evaluated([outputs, state], {x: np.zeros((2, 0, 4))})
    assert got[0].shape == (2, 0, 3)
    np.testing.assert_array_equal(got[1], np.ones((2, 3)))


def cell() -> Any:
    return core.MultiRNNCell([core.LSTMCell(3, use_peepholes=True, num_proj=2), core.GRUCell(4)])


def with_gradients(outputs: Any, state: Any) -> list[Any]:
    weights = gc.constant(wave(outputs.shape.as_list(), 0.3))
    loss = gc.reduce_sum(outputs * weights) + sum(gc.reduce_sum(part ** 2) for part in leaves(state))
    variables = sorted(gc.trainable_variables(), key=lambda v: v.name)
    return [outputs, leaves(state), gc.gradients(loss, variables)]


def assert_same(a: Any, b: Any) -> None:
    a, b = leaves(a), leaves(b)
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("time_major", [False, True])
def test_loop_and_unrolled_graph_agree(lengths: Any, time_major: bool) -> None:
    x = wave((3, 5, 4), 0.1)
    initial = ((wave((3, 3), 1.0), wave((3, 2), 2.0)), wave((3, 4), 3.0))
    with gc.Graph().as_default():
        begin = (core.LSTMStateTuple(*initial[0]), initial[1])
        outputs, state = gc.nn.dynamic_rnn(cell(), gc.constant(x.transpose(1, 0, 2) if time_major else x), lengths,
                                           begin, time_major=time_major)
        loop = evaluated(with_gradients(gc.transpose(outputs, [1, 0, 2]) if time_major else outputs, state))
    with gc.Graph().as_default():
        begin = (core.LSTMStateTuple(*map(gc.constant, initial[0])), gc.constant(initial[1]))
        listed, state = gc.nn.static_rnn(cell(), gc.unstack(gc.constant(x), axis=1), begin, sequence_length=lengths)
        unrolled = evaluated(with_gradients(gc.stack(listed, 1), state))
    assert_same(loop, unrolled)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_both_directions_agree(lengths: Any) -> None:
    x = wave((3, 5, 4), 0.1)
    with gc.Graph().as_default():
        (forward, backward), states = gc.nn.bidirectional_dynamic_rnn(
            core.GRUCell(2), core.BasicRNNCell(3), gc.constant(x), lengths, dtype=gc.float32)
        loop = evaluated(with_gradients(gc.concat([forward, backward], 2), states))
    with gc.Graph().as_default():
        listed, *states = gc.nn.static_bidirectional_rnn(
            core.GRUCell(2), core.BasicRNNCell(3), gc.unstack(gc.constant(x), axis=1), dtype=gc.float32,
            sequence_length=lengths)
        unrolled = evaluated(with_gradients(gc.stack(listed, 1), states))
    assert_same(loop, unrolled)
    if lengths:                                          # past the end there is nothing, in either direction
        assert not loop[0][1, 2:].any() and loop[0][1, :2].all()


def test_the_backward_cell_begins_at_the_end_of_each_row() -> None:
    x = wave((2, 4, 2), 0.1)
    (_, backward), (_, state) = gc.nn.bidirectional_dynamic_rnn(
        core.BasicRNNCell(3), core.BasicRNNCell(3), gc.constant(x), [4, 2], dtype=gc.float32)
    bias, kernel = (v for v in sorted(gc.trainable_variables(), key=lambda v: v.name) if "/bw/" in v.name)
    got = evaluated([backward, state, kernel, bias])
    turned = np.stack([x[0, ::-1], np.concatenate([x[1, 1::-1], x[1, 2:]])])
    outputs, last = rnn_by_numpy(turned, [4, 2], got[2], got[3])
    np.testing.assert_allclose(got[0][0], outputs[0, ::-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got[0][1, :2], outputs[1, 1::-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got[1], last, rtol=1e-5, atol=1e-6)


def test_layers_of_both_directions_agree() -> None:
    x = wave((3, 5, 4), 0.1)

    def cells() -> Any:
        return [core.GRUCell(2), core.BasicLSTMCell(3)], [core.GRUCell(3), core.BasicLSTMCell(2)]

    with gc.Graph().as_default():
        outputs, *states = contrib.stack_bidirectional_dynamic_rnn(*cells(), gc.constant(x), dtype=gc.float32,
                                                                   sequence_length=LENGTHS)
        names = sorted(v.name.replace("bidirectional_rnn/", "") for v in gc.global_variables())
        loop = evaluated(with_gradients(outputs, states))
    with gc.Graph().as_default():
        listed, *states = contrib.stack_bidirectional_rnn(*cells(), gc.unstack(gc.constant(x), axis=1),
                                                          dtype=gc.float32, sequence_length=LENGTHS)
        assert names == sorted(v.name.replace("bidirectional_rnn/", "") for v in gc.global_variables())
        unrolled = evaluated(with_gradients(gc.stack(listed, 1), states))
    assert_same(loop, unrolled)


class Pair(core.RNNCell):
    """A cell whose inputs, outputs and state are nested, with a state that is no matrix and one that is a scalar."""

    output_size = (2, gc.TensorShape([2, 3]))
    state_size = {"sum": 2, "grid": gc.TensorShape([2, 3])}

    def call(self, inputs: Any, state: Any) -> Any:
        row, grid = inputs["row"], inputs["grid"]
        new = {"sum": state["sum"] + row, "grid": state["grid"] * 0.5 + grid}
        return (new["sum"] * 2, new["grid"] + gc.expand_dims(row, 2)), new


def test_nested_inputs_outputs_and_states() -> None:
    rows, grids = wave((3, 4, 2), 0.1), wave((3, 4, 2, 3), 0.2)
    x = {"row": gc.constant(rows), "grid": gc.placeholder(gc.float32, [None, None, 2, 3])}
    (sums, pictures), state = gc.nn.dynamic_rnn(Pair(), x, [4, 1, 3], dtype=gc.float32)
    with gc.Session() as session:
        got = session.run([sums, pictures, state], {x["grid"]: grids})
    np.testing.assert_allclose(got[0][0], 2 * np.cumsum(rows[0], 0), rtol=1e-5)
    np.testing.assert_allclose(got[2]["sum"][1], rows[1, 0], rtol=1e-5)
    assert not got[1][1, 1:].any()
    np.testing.assert_allclose(got[1][2, 0], grids[2, 0] + rows[2, 0][:, None], rtol=1e-5)
    grid = np.zeros((2, 3))
    for step in grids[2, :3]:
        grid = grid * 0.5 + step
    np.testing.assert_allclose(got[2]["grid"][2], grid, rtol=1e-5, atol=1e-6)


def test_raw_rnn_makes_dynamic_rnn() -> None:
    x, lengths = wave((5, 3, 4), 0.1), gc.placeholder(gc.int32, [None])
    with gc.variable_scope("same"):
        own = core.LSTMCell(2)
        wanted, wanted_state = gc.nn.dynamic_rnn(own, gc.constant(x), lengths, dtype=gc.float32, time_major=True)
        source = gc.TensorArray(gc.float32, 5).unstack(gc.constant(x))

        def loop_fn(time: Any, output: Any, state: Any, seen: Any) -> Any:
            finished = time >= lengths
            following = gc.cond(gc.reduce_all(finished), lambda: gc.zeros([3, 4]), lambda: source.read(time))
            following.set_shape([3, 4])
            if output is None:
                return finished, following, own.zero_state(3, gc.float32), None, gc.constant(0.0)
            return finished, following, state, output, seen + gc.reduce_sum(following)

        arrays, state, seen = gc.nn.raw_rnn(own, loop_fn)
    loss = gc.reduce_sum(arrays.stack() ** 2) + gc.reduce_sum(state.c)
    wanted_loss = gc.reduce_sum(wanted ** 2) + gc.reduce_sum(wanted_state.c)
    variables = gc.trainable_variables()
    assert len(variables) == 2
    got = evaluated([arrays.stack(), state, gc.gradients(loss, variables), wanted, wanted_state,
                     gc.gradients(wanted_loss, variables), seen], {lengths: [4, 2, 3]})
    assert_same(got[:3], [got[3][:4], *got[4:6]])
    np.testing.assert_allclose(got[6], x[1:4].sum(), rtol=1e-4)


def test_raw_rnn_emits_what_the_first_call_says() -> None:
    own = core.BasicRNNCell(2)

    def loop_fn(time: Any, output: Any, state: Any, _: Any) -> Any:
        emit = (gc.zeros([], gc.int32), gc.zeros([2, 1])) if output is None else (
            gc.fill([3], time), gc.reshape(output, [3, 2, 1]))
        state = own.zero_state(3, gc.float32) if output is None else state
        return time >= gc.constant([1, 2, 3]), gc.ones([3, 4]), state, emit, None

    (times, outputs), state, nothing = gc.nn.raw_rnn(own, loop_fn)
    assert nothing is None
    got = evaluated([times.stack(), outputs.stack(), state])
    np.testing.assert_array_equal(got[0], [[1, 1, 1], [0, 2, 2], [0, 0, 3]])
    assert got[1].shape == (3, 3, 2, 1) and not got[1][1, 0].any()
    np.testing.assert_array_equal(got[1][0, 0, :, 0], got[2][0])


def test_fused_cells() -> None:
    x = wave((5, 3, 4), 0.1)
    with gc.Graph().as_default():
        outputs, state = gc.nn.dynamic_rnn(core.LSTMCell(2, use_peepholes=True, name="lstm_fused_cell"), gc.constant(x),
                                           LENGTHS, dtype=gc.float32, time_major=True)
        names = sorted(v.op.name.replace("rnn/", "") for v in gc.global_variables())
        wanted = evaluated(with_gradients(outputs, state))
    for listed in (False, True):
        with gc.Graph().as_default():
            fused = contrib.LSTMBlockFusedCell(2, use_peephole=True)
            given = gc.constant(x)
            outputs, state = fused(gc.unstack(given) if listed else given, dtype=gc.float32, sequence_length=LENGTHS)
            assert isinstance(outputs, list) == listed
            assert sorted(v.op.name for v in gc.global_variables()) == names
            assert_same(evaluated(with_gradients(gc.stack(outputs) if listed else outputs, state)), wanted)


def test_adaptors_and_the_other_direction() -> None:
    x = gc.constant(wave((5, 3, 4), 0.1))
    own = core.GRUCell(2)
    results = []
    for use_dynamic_rnn in (True, False):
        for listed in (True, False):
            fused = contrib.TimeReversedFusedRNN(contrib.FusedRNNCellAdaptor(own, use_dynamic_rnn))
            outputs, state = fused(gc.unstack(x) if listed else x, dtype=gc.float32)
            results.append([gc.stack(outputs) if listed else outputs, state])
    backward, state = gc.nn.dynamic_rnn(own, gc.reverse(x, [0]), dtype=gc.float32, time_major=True)
    got = evaluated([*results, [gc.reverse(backward, [0]), state]])
    assert len(gc.global_variables()) == 4
    for one in got[:-1]:
        assert_same(one, got[-1])


class Saver:
    """Keeps states in variables, as the state savers of tf.contrib.training do."""

    def __init__(self) -> None:
        self.variables = {name: gc.Variable(gc.ones([2, 3]), trainable=False, name=name) for name in ("c", "h")}

    def state(self, name: str) -> Any:
        return gc.identity(self.variables[name])

    def save_state(self, name: str, value: Any) -> Any:
        return self.variables[name].assign(value)


def test_a_state_is_kept_from_run_to_run() -> None:
    saver = Saver()
    steps = gc.unstack(gc.constant(wave((2, 3, 4), 0.1)), axis=1)
    outputs, _ = gc.nn.static_state_saving_rnn(core.BasicLSTMCell(3), steps, saver, ("c", "h"))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        first = session.run(outputs[-1])
        np.testing.assert_array_equal(session.run(saver.variables["h"]), first)
        assert not np.allclose(session.run(outputs[-1]), first)


def test_inside_a_branch_and_a_loop() -> None:
    x = gc.constant(wave((2, 3, 4), 0.1))
    own = core.GRUCell(4)
    outputs, _ = gc.nn.dynamic_rnn(own, x, dtype=gc.float32)

    def again(value: Any) -> Any:
        return gc.nn.dynamic_rnn(own, value, [3, 1], dtype=gc.float32)[0]

    twice = gc.cond(gc.reduce_sum(x) > -100.0, lambda: again(x), lambda: x)
    _, thrice = gc.while_loop(lambda i, _: i < 3, lambda i, value: (i + 1, again(value)), (gc.constant(0), x))
    unrolled = again(again(again(x)))
    gradients = [gc.gradients(gc.reduce_sum(y * y), gc.trainable_variables()) for y in (thrice, unrolled)]
    got = evaluated([outputs, twice, thrice, unrolled, gradients])
    np.testing.assert_allclose(got[1][0], got[0][0], rtol=1e-6)
    assert_same([got[2], got[4][0]], [got[3], got[4][1]])


def test_training_lowers_the_loss() -> None:
    gc.set_random_seed(1)
    x, y = gc.placeholder(gc.float32, [None, None, 1]), gc.placeholder(gc.float32, [None, 1])
    stack = core.MultiRNNCell([core.DropoutWrapper(core.BasicLSTMCell(8), output_keep_prob=0.95) for _ in range(2)])
    outputs, _ = gc.nn.dynamic_rnn(stack, x, dtype=gc.float32)
    prediction = gc.matmul(outputs[:, -1], gc.get_variable("w", [8, 1]))
    loss = gc.reduce_mean((prediction - y) ** 2)
    train = gc.train.AdamOptimizer(0.02).minimize(loss)
    values = np.random.default_rng(0).standard_normal((64, 6, 1))
    feeds = {x: values, y: values[:, :3].sum(1)}
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        before = session.run(loss, feeds)
        for _ in range(150):
            session.run(train, feeds)
        assert session.run(loss, feeds) < 0.2 * before


@pytest.mark.parametrize(("batch", "as_it_lies"), [(2, True), (16, False)])
def test_the_gradient_transposes_a_matrix_once_or_reads_it_as_it_lies(batch: int, as_it_lies: bool) -> None:
    """The copy pays if an iteration multiplies more than a few rows."""
    x = gc.placeholder(gc.float32, [batch, None, 4])
    outputs, _ = gc.nn.dynamic_rnn(core.BasicRNNCell(3), x, dtype=gc.float32)
    gc.gradients(outputs, gc.trainable_variables())
    backward = [op for op in gc.get_default_graph().get_operations() if op.type == "StatelessWhile"][-1]
    inside = [op for op in backward.definition.body.get_operations() if op.type == "MatMul"]
    assert len(inside) == 2 and any(op.definition.transpose_b for op in inside) is as_it_lies
