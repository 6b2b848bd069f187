"""Names of variables and ops of cells, sharing of variables, cells of scripts' own, copies.

The names were recorded from TensorFlow (2.21, with 1.15's cells).
"""
from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

import graphc as gc

core, contrib = gc.nn.rnn_cell, gc.contrib.rnn


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def inputs() -> Any:
    return gc.constant(np.ones((2, 3, 4), np.float32))


def steps() -> list[Any]:
    return gc.unstack(inputs(), axis=1)


def names(variables: list[Any] | None = None) -> list[str]:
    return [v.op.name for v in (gc.global_variables() if variables is None else variables)]


def gru(scope: str) -> list[str]:
    return [f"{scope}/gru_cell/{part}" for part in ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")]


def test_scopes_of_dynamic_rnn_begin_anew_when_their_scope_is_entered_again() -> None:
    with gc.variable_scope("m"):
        gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32)
        gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32, scope="second")
    with gc.variable_scope("m", reuse=True):
        gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32)
    assert names() == gru("m/rnn") + gru("m/second")


def test_a_second_cell_needs_reuse() -> None:
    gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32)
    with pytest.raises(ValueError, match="Variable rnn/gru_cell/gates/kernel already exists"):
        gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32)


def test_a_cell_called_in_a_loop_of_python() -> None:
    cell = core.BasicLSTMCell(3)
    state = cell.zero_state(2, gc.float32)
    with gc.variable_scope("loop"):
        for time, step in enumerate(steps()):
            if time:
                gc.get_variable_scope().reuse_variables()
            output, state = cell(step, state)
    assert names() == ["loop/basic_lstm_cell/kernel", "loop/basic_lstm_cell/bias"]
    assert output.name == "loop/basic_lstm_cell/Mul_8:0"


def test_two_cells_have_their_own_variables_and_names() -> None:
    first, second = core.BasicRNNCell(3), core.BasicRNNCell(3)
    state = first.zero_state(2, gc.float32)
    first(steps()[0], state)
    second(steps()[0], state)
    first(steps()[1], state)
    assert [first.name, second.name] == ["basic_rnn_cell_1", "basic_rnn_cell_2"]
    assert [first.scope_name, second.scope_name] == ["basic_rnn_cell", "basic_rnn_cell_1"]
    assert names(second.weights) == ["basic_rnn_cell_1/kernel", "basic_rnn_cell_1/bias"]
    assert len(names()) == 4
    assert first.count_params() == 7 * 3 + 3


def test_a_cell_keeps_the_scope_of_its_first_call() -> None:
    cell = core.GRUCell(3)
    with gc.variable_scope("encoder"):
        gc.nn.dynamic_rnn(cell, inputs(), dtype=gc.float32)
    with gc.variable_scope("decoder"):
        gc.nn.dynamic_rnn(cell, inputs(), dtype=gc.float32)
    assert names() == gru("encoder/rnn")


def test_stacked_and_wrapped_cells() -> None:
    with gc.variable_scope("lm"):
        cell = core.MultiRNNCell([core.DropoutWrapper(core.BasicLSTMCell(3), output_keep_prob=0.5) for _ in range(2)])
        state = cell.zero_state(2, gc.float32)
        gc.nn.static_rnn(cell, steps(), initial_state=state)
    assert names() == [f"lm/rnn/multi_rnn_cell/cell_{i}/basic_lstm_cell/{part}"
                       for i in (0, 1) for part in ("kernel", "bias")]
    assert state[1].h.name == "lm/MultiRNNCellZeroState/DropoutWrapperZeroState_1/BasicLSTMCellZeroState/zeros_1:0"
    assert names(cell.trainable_variables) == names()


def test_both_directions() -> None:
    gc.nn.bidirectional_dynamic_rnn(core.GRUCell(3), core.GRUCell(3), inputs(), dtype=gc.float32)
    gc.nn.static_bidirectional_rnn(core.GRUCell(3), core.GRUCell(3), steps(), dtype=gc.float32, scope="static")
    forward, backward = [[core.GRUCell(3) for _ in range(2)] for _ in "fb"]
    contrib.stack_bidirectional_dynamic_rnn(forward, backward, inputs(), dtype=gc.float32)
    contrib.stack_bidirectional_rnn([core.GRUCell(3)], [core.GRUCell(3)], steps(), dtype=gc.float32, scope="st")
    scopes = ["bidirectional_rnn/fw", "bidirectional_rnn/bw", "static/fw", "static/bw"]
    scopes += [f"stack_bidirectional_rnn/cell_{i}/bidirectional_rnn/{way}" for i in (0, 1) for way in ("fw", "bw")]
    scopes += ["st/cell_0/fw", "st/cell_0/bw"]
    assert names() == [name for scope in scopes for name in gru(scope)]


def test_a_scope_given_to_a_cell() -> None:
    cell = core.GRUCell(3)
    with gc.variable_scope("u"):
        cell(steps()[0], cell.zero_state(2, gc.float32), scope="given")
    stack = core.MultiRNNCell([core.GRUCell(3)])
    with gc.variable_scope("v") as scope:
        stack(steps()[0], stack.zero_state(2, gc.float32), scope="given")
        again = core.MultiRNNCell([core.GRUCell(3)])
        again(steps()[0], again.zero_state(2, gc.float32), scope=scope)
    assert names()[::4] == ["u/given/gates/kernel", "v/given/cell_0/gru_cell/gates/kernel",
                            "v/cell_0/gru_cell/gates/kernel"]


def test_a_name_and_reuse_given_to_a_cell() -> None:
    gc.nn.dynamic_rnn(core.GRUCell(3, name="mine"), inputs(), dtype=gc.float32)
    gc.nn.dynamic_rnn(core.GRUCell(3, name="mine", reuse=True), inputs(), dtype=gc.float32)
    assert names()[0] == "rnn/mine/gates/kernel"
    assert len(names()) == 4


class WithoutInit(core.RNNCell):
    """As scripts write them: neither RNNCell.__init__ nor call."""

    def __init__(self, units: int) -> None:
        self.units = units

    state_size = property(lambda self: self.units)
    output_size = property(lambda self: self.units)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        with gc.variable_scope(scope or type(self).__name__):
            w = gc.get_variable("w", [inputs.shape[1], self.units])
            output = gc.tanh(gc.matmul(inputs, w) + state)
            return output, output


class WithCall(core.RNNCell):
    """As scripts write them: variables are asked for in each call."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    state_size = property(lambda self: self.units)
    output_size = property(lambda self: self.units)

    def call(self, inputs: Any, state: Any, scope: Any) -> Any:
        assert scope.name.endswith("with_call")
        w = gc.get_variable("w", [inputs.shape[1], self.units])
        with gc.variable_scope("inner"):
            b = gc.get_variable("b", [self.units], trainable=False)
        output = gc.tanh(gc.matmul(inputs, w) + state + b)
        return output, output


def test_cells_without_init() -> None:
    gc.nn.dynamic_rnn(WithoutInit(3), inputs(), dtype=gc.float32)
    gc.nn.static_rnn(WithoutInit(3), steps(), dtype=gc.float32, scope="static")
    gc.nn.dynamic_rnn(core.MultiRNNCell([WithoutInit(4), WithoutInit(4)]), inputs(), dtype=gc.float32, scope="multi")
    gc.nn.dynamic_rnn(core.DropoutWrapper(WithoutInit(4)), inputs(), dtype=gc.float32, scope="drop")
    assert names() == ["rnn/WithoutInit/w", "static/WithoutInit/w", "multi/multi_rnn_cell/cell_0/WithoutInit/w",
                       "multi/multi_rnn_cell/cell_1/WithoutInit/w", "drop/WithoutInit/w"]


def test_cells_that_ask_for_variables_in_call() -> None:
    cell = WithCall(3)
    gc.nn.static_rnn(cell, steps(), dtype=gc.float32)
    gc.nn.dynamic_rnn(cell, inputs(), dtype=gc.float32)
    assert names() == ["rnn/with_call/w", "rnn/with_call/inner/b"]
    assert names(cell.trainable_variables) == ["rnn/with_call/w"]
    assert names(cell.non_trainable_variables) == ["rnn/with_call/inner/b"]
    stack = core.MultiRNNCell([WithCall(4), WithCall(4)])
    gc.nn.dynamic_rnn(stack, inputs(), dtype=gc.float32, scope="multi")
    assert names(stack.weights) == [f"multi/multi_rnn_cell/cell_{i}/with_call/{part}"
                                    for part in ("w", "inner/b") for i in (0, 1)]


def test_variables_made_by_build() -> None:
    cell = core.BasicLSTMCell(3)
    cell.build(gc.TensorShape([None, 4]))
    assert names(cell.variables) == ["basic_lstm_cell/kernel", "basic_lstm_cell/bias"]


def test_projections_embedding_and_attention() -> None:
    cell = contrib.OutputProjectionWrapper(contrib.EmbeddingWrapper(core.GRUCell(3), 5, 2), 7)
    gc.nn.static_rnn(cell, [gc.constant([1, 2]), gc.constant([0, 4])], dtype=gc.float32)
    assert names() == ["rnn/output_projection_wrapper/embedding_wrapper/embedding",
                       *gru("rnn/output_projection_wrapper/embedding_wrapper"), "rnn/output_projection_wrapper/kernel",
                       "rnn/output_projection_wrapper/bias"]


def test_a_copy_has_its_own_variables() -> None:
    cell = core.MultiRNNCell([core.DropoutWrapper(core.GRUCell(3), 0.5, variational_recurrent=True, dtype=gc.float32,
                                                  input_size=gc.TensorShape([4])), core.LSTMCell(3)])
    copied = copy.deepcopy(cell)
    gc.nn.dynamic_rnn(cell, inputs(), dtype=gc.float32)
    gc.nn.dynamic_rnn(copied, inputs(), dtype=gc.float32, scope="copy")
    assert len(names()) == 12
    assert names(copied.weights) == [name.replace("rnn/", "copy/", 1) for name in names(cell.weights)]
    after = copy.deepcopy(cell)              # its variables belong to the graph: shared, as in TensorFlow
    gc.nn.dynamic_rnn(after, inputs(), dtype=gc.float32, scope="after")
    assert len(names()) == 12


def test_variables_have_the_dtype_of_the_inputs() -> None:
    cell = core.LSTMCell(3, num_proj=2, use_peepholes=True)
    outputs, state = gc.nn.dynamic_rnn(cell, gc.cast(inputs(), gc.float64), dtype=gc.float64)
    assert outputs.dtype == state.dtype == gc.float64
    assert {v.dtype.base_dtype for v in cell.weights} == {gc.float64}


def test_cells_that_are_not_trained() -> None:
    cell = core.GRUCell(3, trainable=False)
    gc.nn.dynamic_rnn(cell, inputs(), dtype=gc.float32)
    assert gc.trainable_variables() == [] and cell.trainable_weights == []
    assert len(cell.non_trainable_weights) == 4


def test_initializers_regularizers_and_getters_of_the_scope() -> None:
    seen = []

    def getter(getter: Any, name: str, *arguments: Any, **more: Any) -> Any:
        seen.append(name)
        return getter(name, *arguments, **more)

    with gc.variable_scope("s", initializer=gc.constant_initializer(0.5), custom_getter=getter,
                           regularizer=lambda w: gc.reduce_sum(w * w)):
        gc.nn.dynamic_rnn(core.BasicRNNCell(3), inputs(), dtype=gc.float32)
    assert set(seen) == {"s/rnn/basic_rnn_cell/kernel", "s/rnn/basic_rnn_cell/bias"}
    assert len(gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES)) == 2
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        kernel, bias = session.run(gc.global_variables())
    assert np.all(kernel == 0.5) and np.all(bias == 0)


def test_graphs_are_apart() -> None:
    for _ in range(2):
        with gc.Graph().as_default():
            gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), dtype=gc.float32)
            assert names() == gru("rnn")


@pytest.mark.parametrize(("make", "message"), [
    (lambda: gc.nn.dynamic_rnn(core.GRUCell(3), inputs()), "If there is no initial_state, you must give a dtype"),
    (lambda: gc.nn.dynamic_rnn(3, inputs(), dtype=gc.float32), "is not an RNNCell"),
    (lambda: gc.nn.static_rnn(core.GRUCell(3), inputs(), dtype=gc.float32), "inputs must be a sequence"),
    (lambda: gc.nn.static_rnn(core.GRUCell(3), [], dtype=gc.float32), "inputs must not be empty"),
    (lambda: gc.nn.dynamic_rnn(core.GRUCell(3), gc.placeholder(gc.float32, [2, 3, None]), dtype=gc.float32),
     "Input size .depth of inputs. must be accessible"),
    (lambda: gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), [[1, 2]], dtype=gc.float32), "must be a vector"),
    (lambda: gc.nn.dynamic_rnn(core.GRUCell(3), inputs(), [1, 2, 3], dtype=gc.float32), "Expected shape for Tensor"),
    (lambda: core.GRUCell(3)(inputs(), gc.zeros([2, 3])), "expected ndim=2, found ndim=3"),
    (lambda: core.GRUCell(3)(gc.constant([[1, 2]]), gc.zeros([1, 3])), "only supports floating point inputs"),
    (lambda: core.GRUCell(3, activation="thanh"), "Unknown activation: 'thanh'"),
    (lambda: core.GRUCell(3, wrong=1), "unknown argument 'wrong'"),
    (lambda: core.MultiRNNCell([]), "Must specify at least one cell"),
    (lambda: core.MultiRNNCell([core.LSTMCell(3)], state_is_tuple=False), "Some cells return tuples of states"),
    (lambda: core.DropoutWrapper(core.GRUCell(3), input_keep_prob=1.5), "must be between 0 and 1"),
    (lambda: core.GRUCell(3).zero_state(None, gc.float32), "the batch size of a state of zeros"),
    (lambda: core.GRUCell(3).count_params(), "isn.t built"),
])
def test_errors(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert re.search(message, str(caught.value).partition("\n")[0])      # the rest quotes the lines above


def test_a_layer_cell_of_a_script_takes_any_inputs() -> None:
    class Counting(contrib.LayerRNNCell):
        state_size = output_size = gc.TensorShape([2, 2])

        def build(self, inputs_shape: Any) -> None:
            self.step = self.add_variable("step", inputs_shape[1:], dtype=gc.int32, initializer=gc.ones_initializer())

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs + self.step, state + self.step

    cell = Counting()
    outputs, state = gc.nn.dynamic_rnn(cell, gc.zeros([3, 4, 2, 2], gc.int32), dtype=gc.int32)
    assert names(cell.weights) == ["rnn/counting/step"]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_array_equal(session.run(state), np.full((3, 2, 2), 4))
        np.testing.assert_array_equal(session.run(outputs), np.ones((3, 4, 2, 2)))


def test_batch_size_and_axes_of_a_sequence() -> None:
    x = gc.placeholder(gc.float32, [None, None, 4])
    assert contrib.best_effort_input_batch_size([x, gc.ones([3, 7, 4])]) == 7
    turned, size = contrib.transpose_batch_time(x), contrib.best_effort_input_batch_size([x])
    assert turned.shape.as_list() == [None, None, 4]
    with gc.Session() as session:
        value = np.arange(24.0).reshape(2, 3, 4)
        np.testing.assert_array_equal(session.run(turned, {x: value}), value.transpose(1, 0, 2))
        assert session.run(size, {x: value}) == 3
    row = gc.ones([3])
    assert contrib.transpose_batch_time(row) is row


def test_a_cell_is_a_layer() -> None:
    class Gated(core.RNNCell):                    # of a script: without RNNCell.__init__
        state_size = output_size = 2

        def __init__(self) -> None:
            pass

        def build(self, inputs_shape: Any) -> None:
            self.scale = self.add_variable("scale", [2], regularizer=gc.nn.l2_loss)

        def call(self, inputs: Any, state: Any) -> Any:
            shift = gc.get_variable("shift", [2], trainable=False)
            self.add_update(shift.assign(state[0]))
            return inputs * self.scale + shift, state

    cell = Gated()
    cell(gc.ones([1, 2]), gc.ones([1, 2]))
    assert isinstance(cell, gc.layers.Layer) and cell.name == "gated"
    assert [v.op.name for v in cell.weights] == ["gated/scale", "gated/shift"]
    assert cell.losses == gc.losses.get_regularization_losses() and len(cell.losses) == 1
    assert cell.updates == gc.get_collection(gc.GraphKeys.UPDATE_OPS) and len(cell.updates) == 1
    copied = copy.deepcopy(cell)
    assert copied.weights == cell.weights and copied.weights is not cell.weights
