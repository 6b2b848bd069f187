"""Calls of graphs, sessions, variables, control flow and flags."""
from __future__ import annotations

CALLS: dict[str, tuple[str, object]] = {
    "tf.Session": ("with tf.Session('', graph=tf.get_default_graph(), config=tf.ConfigProto()) as s:\n"
                   "    got = s.run(tf.constant(1))\ngot", 1),
    "tf.InteractiveSession": ("s = tf.InteractiveSession(config=None)\ngot = tf.constant(1).eval()\ns.close()\ngot", 1),
    "tf.ConfigProto": ("c = tf.ConfigProto(allow_soft_placement=True, gpu_options=tf.GPUOptions(allow_growth=True))\n"
                       "c.gpu_options.allow_growth", True),
    "tf.GPUOptions": ("tf.GPUOptions(per_process_gpu_memory_fraction=.25).per_process_gpu_memory_fraction", .25),
    "tf.RunOptions.FULL_TRACE": ("_", 3),
    "tf.RunMetadata": ("m = tf.RunMetadata()\n"
                       "session.run(tf.constant(1), options=tf.RunOptions(trace_level=3), run_metadata=m)\n"
                       "len(m.step_stats.dev_stats) > 0", True),
    "tf.python.client.timeline.Timeline": (
        "m = tf.RunMetadata()\n"
        "session.run(tf.constant([1., 2.]) + 1, options=tf.RunOptions(trace_level=3), run_metadata=m)\n"
        "'traceEvents' in tf.python.client.timeline.Timeline(m.step_stats).generate_chrome_trace_format()", True),
    "tf.Graph": (
        "g = tf.Graph()\nwith g.as_default():\n    c = tf.constant(1, name='c')\ng.get_tensor_by_name('c:0') is c",
        True),
    "tf.get_default_graph": ("_() is session.graph", True),
    "tf.get_default_session": ("_() is session", True),
    "tf.reset_default_graph": ("with tf.Graph().as_default():\n    pass\ncallable(tf.reset_default_graph)", True),
    "tf.python.framework.ops.reset_default_graph": ("tf.python.framework.ops.reset_default_graph is "
                                                    "tf.reset_default_graph", True),
    "tf.python.framework.ops": ("tf.python.framework.ops.get_default_graph() is session.graph", True),
    "tf.disable_v2_behavior": ("_()", None),
    "tf.disable_eager_execution": ("_()", None),
    "tf.__version__": ("tf.__version__[:5]", "1.15."),
    "tf.__version__.startswith": ("_('1.')", True),
    "tf.device": ("with tf.device('/gpu:0'):\n    c = tf.constant(1)\nc.device", "/device:GPU:0"),
    "tf.name_scope": ("with tf.name_scope('a', default_name='b', values=[]) as s:\n    c = tf.constant(1, name='c')\n"
                      "(s, c.name)", ("a/", "a/c:0")),
    "tf.python.framework.ops.name_scope": (
        "with tf.python.framework.ops.name_scope(None, 'b', []) as s:\n    pass\ns", "b/"),
    "tf.op_scope": ("with tf.op_scope([tf.constant(1)], None, 'b') as s:\n    pass\ns", "b/"),
    "tf.control_dependencies": ("v = tf.Variable(1)\nready()\nwith tf.control_dependencies([tf.assign(v, 2)]):\n"
                                "    c = tf.identity(v)\nc", 2),
    "tf.Operation": ("isinstance(tf.no_op(), tf.Operation)", True),
    "tf.no_op": ("_(name='n').name", "n"),
    "tf.group": ("_(tf.constant(1), tf.no_op(), name='g').name", "g"),
    "tf.NodeDef": ("tf.NodeDef(name='a', op='NoOp').op", "NoOp"),
    "tf.GraphDef": ("tf.GraphDef.FromString(session.graph.as_graph_def().SerializeToString()).versions.producer > 0",
                    True),
    "tf.import_graph_def": (
        "with tf.Graph().as_default() as g:\n    tf.constant(5, name='c')\n"
        "tf.import_graph_def(g.as_graph_def(), input_map=None, return_elements=['c:0'], name='i')[0]",
        5),
    "tf.placeholder": ("p = tf.placeholder(tf.float32, shape=[None, 2], name='p')\n"
                       "run(p * 2, {p: [[1, 2]]})", [[2, 4]]),
    "tf.placeholder_with_default": (
        "p = tf.placeholder_with_default([1.], shape=[None])\nrun(p, {p: [1., 2.]})", [1, 2]),
    "tf.sparse_placeholder": ("p = tf.sparse_placeholder(tf.float32, shape=[2, 2])\n"
                              "run(tf.sparse_tensor_to_dense(p), {p: ([[0, 1]], [3.], [2, 2])})", [[0, 3], [0, 0]]),
    "tf.Variable": ("v = tf.Variable(initial_value=1, trainable=False, collections=None, validate_shape=True,\n"
                    "                caching_device=None, name='v', variable_def=None, dtype=tf.float32,\n"
                    "                expected_shape=None, import_scope=None, constraint=None)\n"
                    "(v.name, run(v))", ("v:0", 1)),
    "tf.get_variable": (
        "v = tf.get_variable('v', [2], tf.float64, initializer=tf.ones_initializer(),\n"
        "    regularizer=None, trainable=True, collections=None, caching_device=None, partitioner=None,\n"
        "    validate_shape=True, use_resource=None, custom_getter=None, constraint=None,\n"
        "    synchronization=tf.VariableSynchronization.AUTO, aggregation=tf.VariableAggregation.NONE)\n"
        "(v.op.name, run(v))", ("v", [1, 1])),
    "tf.variable_scope": (
        "with tf.variable_scope('a', default_name=None, values=[], initializer=tf.ones_initializer(),\n"
        "                       reuse=tf.AUTO_REUSE, dtype=tf.float32) as s:\n"
        "    v = tf.get_variable('v', [])\n(s.name, v.name, run(v))", ("a", "a/v:0", 1)),
    "tf.get_variable_scope": ("with tf.variable_scope('a'):\n    s = tf.get_variable_scope()\n"
                              "(s.name, s.original_name_scope)", ("a", "a/")),
    "tf.VariableScope": ("with tf.variable_scope('a') as s:\n    pass\nisinstance(s, tf.VariableScope)", True),
    "tf.AUTO_REUSE": ("with tf.variable_scope('a', reuse=tf.AUTO_REUSE):\n    v = tf.get_variable('v', [])\n"
                      "    w = tf.get_variable('v', [])\nv is w", True),
    "tf.global_variables_initializer": ("v = tf.Variable(3)\nsession.run(tf.global_variables_initializer())\nv", 3),
    "tf.local_variables_initializer": ("v = tf.Variable(3, collections=['local_variables'])\n"
                                       "session.run(tf.local_variables_initializer())\nv", 3),
    "tf.variables_initializer": ("v = tf.Variable(3)\nsession.run(tf.variables_initializer([v], name='i'))\nv", 3),
    "tf.initialize_all_variables": ("v = tf.Variable(3)\nsession.run(tf.initialize_all_variables())\nv", 3),
    "tf.tables_initializer": ("_(name='t').name", "t"),
    "tf.global_variables": ("v = tf.Variable(3)\n[x.name for x in tf.global_variables(scope=None)]", ["Variable:0"]),
    "tf.all_variables": ("v = tf.Variable(3)\n[x.name for x in tf.all_variables()]", ["Variable:0"]),
    "tf.trainable_variables": ("v = tf.Variable(3)\n[x.name for x in tf.trainable_variables('Var')]", ["Variable:0"]),
    "tf.is_variable_initialized": ("v = tf.Variable(3)\nsession.run(tf.is_variable_initialized(variable=v))", False),
    "tf.assign": ("v = tf.Variable(1.)\nready()\ntf.assign(v, 2., validate_shape=None, use_locking=None)", 2),
    "tf.assign_add": ("v = tf.Variable(1.)\nready()\ntf.assign_add(v, 2., use_locking=None)", 3),
    "tf.scatter_sub": ("v = tf.Variable([1., 2.])\nready()\ntf.scatter_sub(v, [1], [5.], use_locking=False)", [1, -3]),
    "tf.get_collection": ("tf.add_to_collection('c', 1)\ntf.get_collection('c', scope=None)", [1]),
    "tf.add_to_collection": ("tf.add_to_collection('c', value=1)\ntf.get_collection(key='c')", [1]),
    "tf.GraphKeys.TRAINABLE_VARIABLES": ("_", "trainable_variables"),
    "tf.GraphKeys.GLOBAL_VARIABLES": ("_", "variables"),
    "tf.GraphKeys.VARIABLES": ("_", "variables"),
    "tf.GraphKeys.UPDATE_OPS": ("_", "update_ops"),
    "tf.GraphKeys.REGULARIZATION_LOSSES": ("_", "regularization_losses"),
    "tf.GraphKeys.ASSET_FILEPATHS": ("_", "asset_filepaths"),
    "tf.GraphKeys.SUMMARIES": ("_", "summaries"),
    "tf.GraphKeys.LOSSES": ("_", "losses"),
    "tf.cond": ("_(tf.constant(True), true_fn=lambda: 1, false_fn=lambda: 2, strict=False)", 1),
    "tf.python.ops.control_flow_ops.cond": ("_(tf.constant(False), lambda: 1, lambda: 2)", 2),
    "tf.python.ops.control_flow_ops.with_dependencies": (
        "v = tf.Variable(1)\nready()\n"
        "tf.python.ops.control_flow_ops.with_dependencies([tf.assign(v, 2)], tf.constant(5), name='w')", 5),
    "tf.python.ops.control_flow_ops.switch": ("_(tf.constant(5), tf.constant(True), name='s')[1]", 5),
    "tf.python.ops.control_flow_ops.merge": (
        "off, on = tf.python.ops.control_flow_ops.switch(tf.constant(5.), tf.placeholder_with_default(False, []))\n"
        "_([off + 1., on * 2.])", [6, 0]),
    "tf.case": ("_([(tf.constant(False), lambda: 1)], default=lambda: 2, exclusive=True)", 2),
    "tf.while_loop": ("_(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)], parallel_iterations=1, swap_memory=True,"
                      " maximum_iterations=2)", 2),
    "tf.scan": ("_(lambda a, x: a + x, tf.constant([1, 2, 3]), initializer=tf.constant(0), reverse=True)", [6, 5, 3]),
    "tf.map_fn": ("_(lambda x: x + 1, tf.constant([1, 2]), dtype=tf.int32, parallel_iterations=2)", [2, 3]),
    "tf.TensorArray": (
        "_(tf.float32, size=2, clear_after_read=False, element_shape=[]).write(0, 1.).write(1, 2.).stack()",
        [1, 2]),
    "tf.gradients": ("x = tf.constant(3.)\n_(x * x, [x], grad_ys=[2.], stop_gradients=None, name='g',"
                     " aggregation_method=None, gate_gradients=False)", [12]),
    "tf.custom_gradient": ("@tf.custom_gradient\ndef f(x):\n    return x, lambda dy: dy * 5.\nx = tf.constant(1.)\n"
                           "tf.gradients(f(x), x)", [5]),
    "tf.py_func": ("_(lambda x: x + 1, [tf.constant(1.)], tf.float32, stateful=False)", 2),
    "tf.Print": ("_(tf.constant(1.), [tf.constant(2.)], message='m', first_n=0, summarize=1)", 1),
    "tf.Assert": ("with tf.control_dependencies([tf.Assert(True, ['x'], summarize=1)]):\n    c = tf.constant(1)\nc", 1),
    "tf.assert_equal": ("with tf.control_dependencies([tf.assert_equal([1], [1], data=None, message='m')]):\n"
                        "    c = tf.constant(1)\nc", 1),
    "tf.assert_less_equal": ("with tf.control_dependencies([tf.assert_less_equal([1], [1], summarize=3)]):\n"
                             "    c = tf.constant(1)\nc", 1),
    "tf.errors.OutOfRangeError": ("tf.errors.OutOfRangeError(None, None, 'end').message", "end"),
    "tf.errors.CancelledError": ("tf.errors.CancelledError(node_def=None, op=None, message='x').error_code", 1),
    "tf.errors.NotFoundError": ("str(tf.errors.NotFoundError(None, None, 'gone'))", "gone"),
    "tf.flags.FLAGS": ("tf.flags.DEFINE_string('of_flags', 'x', 'help')\ntf.flags.FLAGS.of_flags", "x"),
    "tf.flags.DEFINE_string": ("tf.flags.DEFINE_string('of_string', 'x', 'help')\ntf.flags.FLAGS.of_string", "x"),
    "tf.flags.DEFINE_boolean": ("tf.flags.DEFINE_boolean('of_boolean', True, 'help')\ntf.flags.FLAGS.of_boolean", True),
    "tf.flags.DEFINE_bool": ("tf.flags.DEFINE_bool('of_bool', True, 'help')\ntf.flags.FLAGS.of_bool", True),
    "tf.flags.DEFINE_integer": ("tf.flags.DEFINE_integer('of_integer', 3, 'help')\ntf.flags.FLAGS.of_integer", 3),
    "tf.flags.DEFINE_float": ("tf.flags.DEFINE_float('of_float', .5, 'help')\ntf.flags.FLAGS.of_float", .5),
    "tf.flags.mark_flag_as_required": ("tf.flags.DEFINE_string('of_mark', 'x', 'help')\n"
                                       "tf.flags.mark_flag_as_required('of_mark')\ntf.flags.FLAGS.of_mark", "x"),
    "tf.app.run": ("got = []\ntry:\n    tf.app.run(main=got.append, argv=['program'])\n"
                   "except SystemExit:\n    pass\ngot", [["program"]]),
    "tf.logging.info": ("_('%d', 3)", None),
    "tf.logging.set_verbosity": ("_(tf.logging.get_verbosity())", None),
    "tf.logging.INFO": ("_", 20),
    "tf.logging.DEBUG": ("_", 10),
    "tf.logging.WARN": ("_", 30),
    "tf.test.is_gpu_available": ("_(cuda_only=False, min_cuda_compute_capability=None)", False),
    "tf.test.is_built_with_cuda": ("_()", False),
    "tf.test.TestCase": ("case = type('T', (tf.test.TestCase,), {'runTest': lambda self: None})()\n"
                         "case.assertAllClose([1.], np.ones(1), rtol=1e-6, atol=1e-6)", None),
    "tf.test.main": ("callable(tf.test.main)", True),
    "tf.graph_util.convert_variables_to_constants": (
        "v = tf.Variable(3., name='v')\nready()\ntf.identity(v, name='out')\n"
        "d = tf.graph_util.convert_variables_to_constants(session, session.graph_def, output_node_names=['out'],\n"
        "    variable_names_whitelist=None, variable_names_blacklist=None)\n"
        "tf.import_graph_def(d, return_elements=['out:0'])[0]", 3),
    "tf.python.framework.graph_util.convert_variables_to_constants": (
        "tf.python.framework.graph_util.convert_variables_to_constants is "
        "tf.graph_util.convert_variables_to_constants", True),
    "tf.contrib.util.make_tensor_proto": ("tf.contrib.util.make_tensor_proto([1., 2.], shape=[2]).dtype", 1),
    "tf.contrib.memory_stats.MaxBytesInUse": ("session.run(tf.contrib.memory_stats.MaxBytesInUse()) > 0", True),
}
