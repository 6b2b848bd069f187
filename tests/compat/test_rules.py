"""Rules of TensorFlow 1 that scripts rely on, one test or more each, by graphc.compat.v1.

Elsewhere: the numbers that seeds give in tests/random, names in tests/graph/test_node_names.py and
test_scope_programs.py, optimizers' numbers in tests/train, how scripts run and age beside this file; checkpoints, batch
norms and cells with the rooms that make them.
"""
from __future__ import annotations

import collections
import threading

import numpy as np
import pytest

import graphc.compat.v1 as tf


@pytest.fixture(autouse=True)
def fresh() -> None:
    tf.reset_default_graph()


def run(fetches, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed)


# 1. Feeds


def test_feeds_convert_to_the_placeholders_dtype() -> None:
    x, n = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.int32, [])
    values = run([x * 1.0, n + 0], {x: np.array([1, 2], np.int64), n: 3.5})
    assert values[0].dtype == np.float32 and values[0].tolist() == [1, 2] and values[1] == 3


@pytest.mark.parametrize(("value", "error"), [("words", ValueError), ([[1.0]], ValueError)])
def test_feeds_that_do_not_fit(value: object, error: type[Exception]) -> None:
    x = tf.placeholder(tf.float32, [2])
    with pytest.raises(error):
        run(x + 1.0, {x: value})


def test_a_tensor_is_no_feed() -> None:
    x = tf.placeholder(tf.float32, [])
    with pytest.raises(TypeError):
        run(x + 1.0, {x: tf.constant(1.0)})


# 2. Random numbers


def test_a_stream_goes_on_from_run_to_run_and_starts_anew_in_a_session() -> None:
    drawn, other = tf.random_uniform([3], seed=1), tf.random_uniform([3], seed=1)
    with tf.Session() as session:
        first, second, beside = session.run(drawn), session.run(drawn), session.run(other)
    with tf.Session() as session:
        again = session.run(drawn)
    assert first.tolist() != second.tolist() and first.tolist() == again.tolist() and beside.shape == (3,)


@pytest.mark.parametrize("seeds", [{"graph": 1}, {"graph": 1, "op": 2}, {"op": 2}])
def test_other_ops_change_no_numbers(seeds: dict[str, int]) -> None:
    """As long as the op keeps its name. (In TensorFlow a graph's seed counts the ops.)"""
    def drawn(others: int) -> np.ndarray:
        tf.reset_default_graph()
        if "graph" in seeds:
            tf.set_random_seed(seeds["graph"])
        for _ in range(others):
            tf.random_uniform([2]) + tf.constant(1.0)
        return run(tf.random_normal([3], seed=seeds.get("op"), name="kept"))

    np.testing.assert_array_equal(drawn(0), drawn(3))
    assert len(set(drawn(0))) == 3


def test_equal_random_ops_are_two_draws() -> None:
    a, b = run([tf.random_uniform([4]), tf.random_uniform([4])])
    assert a.tolist() != b.tolist()


# 3. Sparse gradients


def test_equal_rows_are_summed_and_adam_moves_every_row() -> None:
    table = tf.Variable(np.ones((3, 1), np.float32))
    adam = tf.train.AdamOptimizer(0.1)
    step = adam.minimize(tf.reduce_sum(tf.gather(table, [0, 0])))
    later = adam.minimize(tf.reduce_sum(tf.gather(table, [2])))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        once = session.run(table)[:, 0]
        session.run(later)
        twice = session.run(table)[:, 0]
    assert once[1] == 1 and once[0] < 1 and twice[0] < once[0], "moments of absent rows move them on"


def test_momentum_touches_given_rows_only() -> None:
    table = tf.Variable(np.ones((3, 1), np.float32))
    momentum = tf.train.MomentumOptimizer(0.1, 0.9)
    first = momentum.minimize(tf.reduce_sum(tf.gather(table, [0])))
    second = momentum.minimize(tf.reduce_sum(tf.gather(table, [1])))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(first)
        session.run(second)
        np.testing.assert_allclose(session.run(table)[:, 0], [0.9, 0.9, 1.0])


# 6. The user's graph is left alone


def test_equal_nodes_stay_and_stateful_ones_are_not_merged() -> None:
    x = tf.constant([1.0, 2.0])
    assert [x[0].name, x[0].name] == ["strided_slice:0", "strided_slice_1:0"]
    v = tf.Variable(0.0)
    assert run(tf.group(v.assign_add(1.0), v.assign_add(1.0))) is None
    with tf.Session() as session:
        session.run(v.initializer)
        session.run([v.assign_add(1.0), v.assign_add(1.0)])
        assert session.run(v) == 2


def test_minimize_does_not_run_update_ops() -> None:
    v, w = tf.Variable(1.0), tf.Variable(0.0)
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, w.assign_add(1.0))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(v * v, var_list=[v])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        assert session.run(w) == 0


# 7. Order of reads and assigns


def test_reads_see_the_start_of_the_run_and_variables_the_end() -> None:
    v = tf.Variable(1.0)
    read = v + 0.0
    update = v.assign(5.0)
    with tf.control_dependencies([update]):
        after = v.value() * 1.0
    assert run([read, update.op, v, after]) == [1, None, 5, 5]


def test_train_op_with_loss_and_step() -> None:
    w = tf.Variable(1.0)
    step_number = tf.train.get_or_create_global_step()
    loss = w * w
    step = tf.train.GradientDescentOptimizer(0.25).minimize(loss, global_step=step_number)
    assert run([step, loss, w, step_number]) == [None, 1.0, 0.5, 1]


# 8. Memory


def test_fetched_arrays_are_owned_and_feeds_stay() -> None:
    x = tf.placeholder(tf.float32, [3])
    v = tf.Variable([1.0, 2.0, 3.0])
    fed = np.ones(3, np.float32)
    with tf.Session() as session:
        session.run(v.initializer)
        for fetched in session.run([x, tf.identity(x), v, v + 0.0], {x: fed}):
            fetched += 1
        assert fed.tolist() == [1, 1, 1] and session.run(v).tolist() == [1, 2, 3]


# 9. Fetches


def test_structures_and_scalars() -> None:
    Pair = collections.namedtuple("Pair", "a b")
    x = tf.constant(1.5)
    found = run({"list": [x, (x,)], "pair": Pair(x, x), "op": x.op, "text": tf.constant("a"),
                 "texts": tf.constant(["a"]), "order": collections.OrderedDict([("z", x)])})
    assert f"{found['list'][0]:.3f}" == "1.500" and isinstance(found["list"][0], np.float32)
    assert isinstance(found["list"][1], tuple) and type(found["pair"]) is Pair and found["op"] is None
    assert found["text"] == b"a" and found["texts"].dtype == object
    assert isinstance(found["order"], collections.OrderedDict)


def test_a_fed_tensor_fetches_what_was_fed_and_ops_run_once() -> None:
    calls = []
    y = tf.py_func(lambda: np.float32(len(calls) or calls.append(1) or 0), [], tf.float32)
    x = tf.constant(1.0) + 1.0
    assert run([x, y, y], {x: 7.0}) == [7, 0, 0]


# 10. Initialisers


def test_initial_values_of_other_variables_share_the_draw() -> None:
    v = tf.Variable(tf.random_normal([2]))
    w = tf.Variable(v * 3.0)
    z = tf.Variable(v.initialized_value() + 1.0)
    a, b, c = run([v, w, z])
    np.testing.assert_allclose([b, c], [a * 3, a + 1], rtol=1e-6)


def test_initialisers_ignore_control_dependencies() -> None:
    x = tf.placeholder(tf.float32, [])
    with tf.control_dependencies([x + 1.0]):
        v = tf.Variable(1.0)
    assert run(v) == 1


# 11. Tensors as Python objects


def test_tensors_are_compared_by_identity_and_have_no_truth_value() -> None:
    t = tf.constant([1.0, 2.0])
    assert t == t and len({t, t}) == 1 and isinstance(np.ones(2, np.float32) * t, tf.Tensor)
    for broken in (lambda: bool(t), lambda: iter(t), lambda: len(t)):
        with pytest.raises(TypeError):
            broken()


# 12. dtypes


def test_the_other_operand_takes_the_tensors_dtype() -> None:
    x, n = tf.constant([1.0]), tf.constant([3], tf.int32)
    assert (x + np.float64(1)).dtype == tf.float32 and tf.constant(np.ones(2)).dtype == tf.float64
    assert (n / 2).dtype == tf.float64 and run(tf.div(tf.constant(-3), 2)) == -2
    with pytest.raises(TypeError):
        1.5 * n
    with pytest.raises(TypeError):
        x + tf.cast(x, tf.float64)


# 13. Names


def test_names_ignore_case_and_count_helpers() -> None:
    assert [tf.constant(1, name="Foo").name, tf.constant(1, name="foo").name] == ["Foo:0", "foo_1:0"]
    w = tf.Variable(1.0, name="w")
    tf.train.AdamOptimizer().minimize(w * w)
    names = [v.name for v in tf.global_variables()]
    assert names == ["w:0", "beta1_power:0", "beta2_power:0", "w/Adam:0", "w/Adam_1:0"]


# 14. Exceptions


def test_exceptions_are_those_of_tensorflow() -> None:
    v, x = tf.Variable(1.0), tf.placeholder(tf.float32, [], name="x")
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError):
            session.run(v + 1.0)
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(x + 1.0)
        with pytest.raises(TypeError):
            session.run(None)
    with pytest.raises(KeyError):
        tf.get_default_graph().get_tensor_by_name("nothing:0")
    assert issubclass(tf.errors.OutOfRangeError, tf.errors.OpError)


# 15. Sessions own state


def test_sessions_have_variables_and_queues_of_their_own() -> None:
    v, queue = tf.Variable(0.0), tf.FIFOQueue(5, tf.float32)
    put, size = queue.enqueue(1.0), queue.size()
    more = v.assign_add(1.0)
    with tf.Session() as a, tf.Session() as b:
        for session in (a, b):
            session.run(v.initializer)
        a.run([more, put])
        assert a.run([v, size]) == [1, 1] and b.run([v, size]) == [0, 0]


def test_default_graphs_belong_to_a_thread() -> None:
    seen = []
    with tf.Graph().as_default() as mine:
        thread = threading.Thread(target=lambda: seen.append(tf.get_default_graph() is mine))
        thread.start()
        thread.join()
    assert seen == [False]


# 16. cond


def test_what_stands_outside_runs_and_what_is_inside_only_if_taken() -> None:
    v, w, taken = tf.Variable(0.0), tf.Variable(0.0), tf.placeholder(tf.bool, [])
    outside = v.assign_add(1.0)
    chosen = tf.cond(taken, lambda: tf.identity(outside), lambda: w.assign_add(1.0))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(chosen, {taken: False})
        assert session.run([v, w]) == [1, 1]
        session.run(chosen, {taken: True})
        assert session.run([v, w]) == [2, 1]
    with pytest.raises(TypeError):
        tf.cond(True, lambda: 1, lambda: 2)
    assert isinstance(tf.cond(taken, lambda: [tf.constant(1)], lambda: [tf.constant(2)]), tf.Tensor)


# 18. Defaults


def test_slots_start_where_tensorflow_starts_them() -> None:
    w = tf.Variable([1.0], name="w")
    tf.train.RMSPropOptimizer(0.1).minimize(w * w)
    tf.train.AdagradOptimizer(0.1).minimize(w * w)
    found = dict(zip([v.name for v in tf.global_variables()], run(tf.global_variables()), strict=True))
    assert found["w/RMSProp:0"] == 1 and found["w/Adagrad:0"] == np.float32(0.1)


# 19. Gradients


def test_ties_labels_and_unconnected() -> None:
    x = tf.constant([0.0, 0.0])
    ties = [tf.gradients(tf.maximum(x, 0.0), x)[0], tf.gradients(tf.reduce_max(x), x)[0]]
    assert [v.tolist() for v in run(ties)] == [[1, 1], [0.5, 0.5]]
    assert tf.gradients(tf.constant(1.0) * 2.0, x) == [None]
    labels, logits = tf.constant([[0.5, 0.5]]), tf.constant([[1.0, 2.0]])
    first = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    second = tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    assert tf.gradients(first, labels) == [None] and tf.gradients(second, labels)[0] is not None


# 20. Shapes


def test_dimensions() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    assert x.shape[1].value == 3 and int(x.shape[1]) == 3 and x.shape[0].value is None
    assert (x.shape[0] == 3) is None and x.get_shape().as_list() == [None, 3]
    with pytest.raises(ValueError):
        tf.placeholder(tf.float32).shape.as_list()
    y = tf.zeros([4, 6])
    assert tf.reshape(y, [tf.shape(y)[0], 2, 3]).shape.as_list() == [4, 2, 3]


# 21. Imported graphs


def test_imports_in_any_order_under_their_own_prefix() -> None:
    tf.add(tf.constant(2.0, name="two"), 1.0, name="sum")
    definition = tf.get_default_graph().as_graph_def()
    backwards = type(definition)()
    for node in reversed(list(definition.node)):
        backwards.node.add().CopyFrom(node)
    tf.reset_default_graph()
    tf.import_graph_def(backwards)
    tf.import_graph_def(backwards)
    graph = tf.get_default_graph()
    assert run(graph.get_tensor_by_name("import_1/sum:0"), {graph.get_tensor_by_name("import_1/two:0"): 5.0}) == 6
    assert run("import/sum:0") == 3


# 23. Arguments


def test_older_names_of_arguments() -> None:
    x = tf.constant([[1.0, 2.0]])
    assert run([tf.reduce_sum(x, reduction_indices=[1], keep_dims=True), tf.expand_dims(x, dim=0),
                tf.squeeze(x, squeeze_dims=[0]), tf.argmax(x, dimension=1), tf.concat(0, [x, x])])[3].tolist() == [1]
    v = tf.Variable(1.0, name="v")
    with tf.Session() as session:
        v.load(3.0, session)
        assert session.run(v) == 3 and v.op.name == "v" and v.get_shape().as_list() == []
