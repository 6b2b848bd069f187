"""Arguments, names and methods that only scripts of TensorFlow 1 know."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc.compat.v1 as tf
from graphc.compat.v1.python.framework import dtypes
from graphc.compat.v1.python.ops import control_flow_ops


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


@pytest.mark.parametrize("values", [[[1, 2]], np.array([[1, 2]])])
def test_split_and_concat_with_the_axis_first(values: Any) -> None:
    left, right = run(tf.split(1, 2, values))
    assert left.tolist() == [[1]] and right.tolist() == [[2]]
    assert run(tf.concat(1, [values, values])).tolist() == [[1, 2, 1, 2]]


@pytest.mark.parametrize("name", ["softmax_cross_entropy_with_logits", "sigmoid_cross_entropy_with_logits",
                                  "sparse_softmax_cross_entropy_with_logits"])
def test_losses_want_named_arguments(name: str) -> None:
    with pytest.raises(ValueError, match="named arguments"):
        getattr(tf.nn, name)(tf.ones([1, 2]), tf.ones([1, 2]))


def test_dtypes_of_references_are_those_of_their_elements() -> None:
    assert tf.float32_ref.base_dtype is tf.float32 and dtypes.int32_ref is tf.int32
    assert tf.as_dtype("float64_ref") is tf.float64 and tf.as_dtype(101) is tf.float32
    assert tf.Variable(1.).dtype == tf.float32_ref and tf.uint8.limits == (0, 255)


def test_tf_dtypes_holds_functions_too() -> None:
    assert tf.dtypes.cast is tf.cast and tf.dtypes.bool is tf.bool and tf.dtypes.saturate_cast is tf.saturate_cast


def test_errors_are_made_as_tensorflow_makes_them() -> None:
    error = tf.errors.DataLossError(None, op=None, message="gone")
    assert (str(error), error.message, error.op, error.node_def, error.error_code) == ("gone", "gone", None, None, 15)
    assert tf.errors.OpError(node_def="n", op=None, message="m", error_code=3).error_code == 3
    with pytest.raises(tf.OpError, match="end"):
        raise tf.errors.OutOfRangeError(None, None, "end")


def test_messages_of_shapes_variables_and_graphs(graph: tf.Graph) -> None:
    assert [d.size for d in tf.TensorShape([2, None]).as_proto().dim] == [2, -1]
    assert tf.TensorShape(None).as_proto().unknown_rank and tf.TensorShape(tf.TensorShape([3]).as_proto()) == [3]
    with tf.variable_scope("a"):
        variable = tf.get_variable("v", [])
    assert variable.to_proto().variable_name == "a/v:0" and variable.to_proto(export_scope="b") is None
    assert variable.to_proto("a").variable_name == "v:0"
    assert graph.graph_def_versions.producer == graph.as_graph_def().versions.producer > 0


def test_seek_takes_the_old_name(tmp_path: Any) -> None:
    (tmp_path / "f").write_text("abc")
    file = tf.gfile.GFile(str(tmp_path / "f"))
    file.seek(position=1)
    assert file.read() == "bc"
    with pytest.raises(TypeError, match="offset"):
        file.seek()


def test_names_of_contrib_that_are_not_there_are_no_modules() -> None:
    assert tf.contrib.layers.python.layers.layers.fully_connected is tf.contrib.layers.fully_connected
    with pytest.raises(AttributeError, match="no_such_layer"):
        _ = tf.contrib.layers.python.layers.no_such_layer


def test_memory_stats() -> None:
    most, now, limit = run([tf.contrib.memory_stats.MaxBytesInUse(), tf.contrib.memory_stats.BytesInUse(),
                            tf.contrib.memory_stats.BytesLimit()])
    assert 0 < now <= limit and 0 < most <= limit and most.dtype == np.int64


def test_best_f1() -> None:
    labels, predictions = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.float32, [None])
    value, update = tf.contrib.metrics.f1_score(labels, predictions, num_thresholds=5, name="f",
                                                metrics_collections=["m"], updates_collections=["u"])
    assert tf.get_collection("m") == [value] and tf.get_collection("u") == [update]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update, {labels: [1, 0], predictions: [.9, .3]})
        session.run(update, {labels: [1, 0, 0], predictions: [.6, .6, .1]})
        # thresholds 0, 1/4, 1/2, 3/4, 1: two hits and one false alarm at 1/2 are best: 2 * 2/3 / (2/3 + 1)
        assert session.run(value) == pytest.approx(.8)


def _chosen(data: Any, which: Any, count: int) -> Any:
    """One of `count` functions of the data, as slim's preprocessing chooses one."""
    runs = tf.Variable(np.zeros(count, np.float32))

    def function(x: Any, i: int) -> Any:
        with tf.control_dependencies([tf.scatter_add(runs, [i], x[:1] * 0. + 1.)]):
            return tf.clip_by_value(x * (i + 1.), 0., 100.)

    cases = [function(control_flow_ops.switch(data, tf.equal(which, i))[1], i) for i in range(count)]
    return control_flow_ops.merge(cases), runs


def test_merge_computes_the_side_that_is_taken_only() -> None:
    data, which = tf.constant([1., 2.]), tf.placeholder(tf.int32, [])
    (output, place), runs = _chosen(data, which, 3)
    slope, = tf.gradients(output, data)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for i in range(3):
            got, where, by = session.run([output, place, slope], {which: i})
            assert got.tolist() == [i + 1, 2 * i + 2] and where == i and by.tolist() == [i + 1, i + 1]
            assert session.run(runs).tolist() == [1.] * (i + 1) + [0.] * (2 - i)
        with pytest.raises(tf.errors.InvalidArgumentError, match="merge: no input is taken"):
            session.run(output, {which: 7})


def test_a_side_that_is_not_taken_does_not_run() -> None:
    which = tf.placeholder(tf.bool, [])
    off, on = control_flow_ops.switch(tf.constant(5), which)
    variable = tf.Variable(0)
    changed = tf.assign(variable, on)
    with tf.Session() as session:
        session.run(variable.initializer)
        assert session.run(off, {which: False}) == 5
        with pytest.raises(tf.errors.InvalidArgumentError, match="true side"):
            session.run(changed, {which: False})
        assert session.run(variable) == 0 and session.run(changed, {which: True}) == 5


def test_merge_says_what_it_cannot_do() -> None:
    yes = tf.placeholder_with_default(True, [])
    with pytest.raises(ValueError, match="must come from a switch"):
        control_flow_ops.merge([tf.constant(1), tf.constant(2)])
    _, outer = control_flow_ops.switch(yes, yes)
    off, on = control_flow_ops.switch(tf.constant(1), outer)
    with pytest.raises(ValueError, match="comes from another switch"):
        control_flow_ops.merge([off, on])
    off, on = control_flow_ops.switch(tf.constant(1), yes)
    inner = tf.cond(yes, lambda: on + 1, lambda: on)
    with pytest.raises(ValueError, match="a loop or branch, lies between"):
        control_flow_ops.merge([off, inner])


def test_merge_inside_a_loop() -> None:
    def body(i: Any, total: Any) -> Any:
        off, on = control_flow_ops.switch(total, tf.equal(i % 2, 0))
        return i + 1, control_flow_ops.merge([off * 2., on + 1.]).output

    total = tf.while_loop(lambda i, _: i < 4, body, [tf.constant(0), tf.constant(0.)])[1]
    assert run(total) == 6.      # + 1, * 2, + 1, * 2


def test_with_dependencies() -> None:
    variable = tf.Variable(1.)
    whole = control_flow_ops.with_dependencies([tf.assign(variable, 2.)], tf.constant(5.), name="w")
    slices = control_flow_ops.with_dependencies([tf.assign(variable, 3.)],
                                                tf.IndexedSlices(tf.constant([1.]), tf.constant([0])))
    assert whole.op.name == "w" and slices.indices.op.type == "Const"
    with tf.Session() as session:
        session.run(variable.initializer)
        assert session.run([whole, variable]) == [5., 2.]
        assert session.run(slices.values).tolist() == [1.] and session.run(variable) == 3.


def test_assign_from_checkpoint_can_leave_out_what_is_missing(tmp_path: Any) -> None:
    kept, new = tf.Variable(1., name="kept"), tf.Variable(2., name="new")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver([kept]).save(session, str(tmp_path / "m"))
        with pytest.raises(ValueError, match="missing variable"):
            tf.contrib.framework.assign_from_checkpoint(path, [kept, new])
        with pytest.warns(UserWarning, match="new missing"):
            op, feeds = tf.contrib.framework.assign_from_checkpoint(path, [kept, new], ignore_missing_vars=True)
        session.run([kept.assign(5.), new.assign(6.)])
        session.run(op, feeds)
        assert session.run([kept, new]) == [1., 6.]


def test_accumulate_n_checks_shape_and_dtype() -> None:
    unknown = tf.placeholder(tf.float32)
    total = tf.accumulate_n([unknown, unknown], shape=[2], tensor_dtype=tf.float32)
    assert total.shape == [2] and run(total, {unknown: [1., 2.]}).tolist() == [2., 4.]
    with pytest.raises(TypeError, match="'tensor_dtype' is int32"):
        tf.accumulate_n([unknown], tensor_dtype=tf.int32)
    with pytest.raises(ValueError, match="compatible"):
        tf.accumulate_n([tf.ones([3])], shape=[2])


@pytest.mark.parametrize("first, second, wanted", [(1., 2, 3.), ([1.], [2], [3.]), (1, np.float64(2.), 3)])
def test_the_first_operand_decides_about_numbers(first: Any, second: Any, wanted: Any) -> None:
    total = tf.add(first, second)
    assert total.dtype == (tf.int32 if first == 1 and isinstance(first, int) else tf.float32)
    assert np.array_equal(run(total), wanted)
    assert run(tf.pow(2., 3)) == 8. and bool(run(tf.equal(1., 1)))
    with pytest.raises(TypeError, match="Expected int32"):
        tf.multiply(2, [1.])


@pytest.mark.parametrize("then, other", [([1.], [2.]), (np.ones(1, np.float32), np.full(1, 2., np.float32)),
                                         ([1.], [2]), (["a"], [b"b"])])
def test_where_of_a_tensor_chooses_between_lists(then: Any, other: Any) -> None:
    which = tf.placeholder(tf.bool, [1])
    chosen = tf.where(which, then, other)
    with tf.Session() as session:
        wanted = [x.encode() if isinstance(x, str) else x for x in (then[0], other[0])]
        assert [session.run(chosen, {which: [value]})[0] for value in (True, False)] == wanted


def test_numbers_beside_indices_keep_their_dtype() -> None:
    parts = tf.dynamic_partition([1., 2.], tf.constant([0, 1]), 2)
    sums = tf.sparse_segment_sum([[1.], [2.]], [0, 1], [0, 0])
    dense = tf.sparse_to_dense(tf.constant([[1]]), [3], [5.], 1.)
    assert [x.dtype for x in (*parts, sums, dense)] == [tf.float32] * 4
    assert run(sums).tolist() == [[3.]] and run(dense).tolist() == [1., 5., 1.]


def test_an_operation_tells_the_names_that_its_type_declares() -> None:
    product = tf.matmul(tf.ones([2, 3]), tf.ones([3, 2]))
    made = product.op.op_def
    assert (made.name, [a.name for a in made.input_arg], [a.name for a in made.output_arg]) == (
        "MatMul", ["a", "b"], ["product"])
    assert {a.name: a.type for a in made.attr} == {"transpose_a": "bool", "transpose_b": "bool", "T": "type"}
    parts = tf.split(tf.ones([4]), 2)[0].op.op_def
    assert [a.name for a in (*parts.input_arg, *parts.output_arg)] == ["split_dim", "value", "output"]


def test_a_tensor_is_no_list_for_who_asks() -> None:
    """As keras-rl does of a model's output."""
    x = tf.zeros([3])
    assert not hasattr(x, "__len__") and hasattr([x], "__len__")
    with pytest.raises(TypeError, match=r"len\(\) of the Tensor 'zeros:0' is not known .*int\(t.shape\[0\]\)"):
        len(x)


def test_pools_of_two_axes_take_an_input() -> None:
    """The form that 1.15 has beside the older one, whose argument is `value`."""
    x = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
    pools = [pool(input=x, ksize=2, strides=2, padding="VALID") for pool in (tf.nn.max_pool2d, tf.nn.avg_pool2d)]
    assert [float(found.item()) for found in run(pools)] == [3.0, 1.5]
