"""Calls of estimators, feature columns, and what scripts use of Keras beside them."""
from __future__ import annotations

_MODEL = ("def model_fn(features, labels, mode, params):\n"
          "    y = features['x'] * tf.get_variable('w', initializer=2.)\n"
          "    loss = tf.reduce_mean(tf.square(y - (0. if labels is None else labels)))\n"
          "    step = tf.train.GradientDescentOptimizer(params['rate']).minimize(loss, tf.train.get_global_step())\n"
          "    return tf.estimator.EstimatorSpec(mode, {'y': y}, loss, step)\n"
          "x = np.array([1., 2.], np.float32)\n"
          "data = tf.estimator.inputs.numpy_input_fn({'x': x}, x, batch_size=2, num_epochs=None, shuffle=False)\n"
          "once = tf.estimator.inputs.numpy_input_fn({'x': x}, x, batch_size=2, num_epochs=1, shuffle=False)\n")
_MADE = f"{_MODEL}m = tf.estimator.Estimator(model_fn, folder, params={{'rate': .1}}).train(data, steps=1)\n"
_COLUMN = "c = tf.feature_column.numeric_column('x')\n"
_RECEIVER = ("def receiver():\n    t = tf.placeholder(tf.float32, [None])\n"
             "    return tf.estimator.export.ServingInputReceiver({'x': t}, {'x': t})\n")
_ONE = "tf.constant([1.])"
_HOME = "import os\nfrom unittest import mock\nwith mock.patch.dict(os.environ, HOME=folder):\n"
_CIFAR = (_HOME + "    os.makedirs(folder + '/.keras/datasets/cifar-10-batches-py')\n    import pickle\n"
          "    for i in range(1, 7):\n"
          "        name = '/test_batch' if i == 6 else '/data_batch_%d' % i\n"
          "        with open(folder + '/.keras/datasets/cifar-10-batches-py' + name, 'wb') as f:\n"
          "            pickle.dump({b'data': np.zeros([2, 3072], np.uint8), b'labels': [i, 0]}, f, 2)\n"
          "    (a, b), (c, d) = _()\na.shape, b.shape, c.shape, d[0, 0]")
_CIFAR_GIVES = ((10, 32, 32, 3), (10, 1), (2, 32, 32, 3), 6)

CALLS: dict[str, tuple[str, object]] = {
    "tf.estimator.Estimator": (
        _MODEL + "m = _(model_fn=model_fn, model_dir=folder, config=None, params={'rate': .1}, warm_start_from=None)\n"
        "m.train(input_fn=data, hooks=None, steps=1, max_steps=None, saving_listeners=None)\n"
        "m.get_variable_value('w'), m.evaluate(once, name='e')['global_step'], [p['y'] for p in m.predict(once)]",
        (1.5, 1, [1.5, 3.0])),
    "tf.estimator.EstimatorSpec": (
        f"s = _('eval', loss={_ONE}, eval_metric_ops={{'m': tf.metrics.mean(3.)}})\ns.mode, s.loss.shape.ndims",
        ("eval", 0)),
    "tf.estimator.ModeKeys.TRAIN": ("_", "train"), "tf.estimator.ModeKeys.EVAL": ("_", "eval"),
    "tf.estimator.ModeKeys.PREDICT": ("_", "infer"), "tf.contrib.learn.ModeKeys.TRAIN": ("_", "train"),
    "tf.contrib.learn.ModeKeys.EVAL": ("_", "eval"), "tf.contrib.learn.ModeKeys.INFER": ("_", "infer"),
    "tf.estimator.RunConfig": (
        "c = _(model_dir=folder, tf_random_seed=1, save_summary_steps=2, save_checkpoints_steps=3,"
        " session_config=tf.ConfigProto(), keep_checkpoint_max=4, log_step_count_steps=5)\n"
        "c.save_checkpoints_secs, c.replace(save_checkpoints_secs=7).save_checkpoints_steps", (None, None)),
    "tf.estimator.DNNClassifier": (
        _COLUMN + "m = _(hidden_units=[2], feature_columns=[c], model_dir=folder, n_classes=3, optimizer='Adam',"
        " activation_fn=tf.nn.relu, dropout=.5)\n"
        "m.train(lambda: ({'x': tf.constant([1., 2.])}, tf.constant([0, 2])), steps=1)\n"
        "m.get_variable_value('dnn/hiddenlayer_0/kernel').shape", (1, 2)),
    "tf.estimator.LinearRegressor": (
        _COLUMN + "m = _([c], model_dir=folder, optimizer=tf.train.GradientDescentOptimizer(.1))\n"
        "m.train(lambda: ({'x': tf.constant([1., 2.])}, tf.constant([1., 2.])), steps=1)\n"
        "m.get_variable_value('linear/linear_model/x/weights')", [[1.0]]),
    "tf.estimator.inputs.numpy_input_fn": (
        "f, t = _(x={'x': np.arange(3.)}, y=np.arange(3), batch_size=2, num_epochs=1, shuffle=False,"
        " queue_capacity=10, num_threads=1)()\nf['x'], t", ([0, 1], [0, 1])),
    "tf.estimator.export.ServingInputReceiver": (f"r = _({_ONE}, {_ONE})\nlist(r.features), list(r.receiver_tensors)",
                                                 (["feature"], ["input"])),
    "tf.estimator.export.PredictOutput": (f"list(_({_ONE}).outputs)", ["output"]),
    "tf.estimator.export.build_raw_serving_input_receiver_fn": (
        "_({'x': tf.ones([3, 2])})().features['x'].shape.as_list()", [None, 2]),
    "tf.estimator.WarmStartSettings": ("_('there').vars_to_warm_start", ".*"),
    "tf.estimator.TrainSpec": ("_(input_fn=len, max_steps=3, hooks=None).max_steps", 3),
    "tf.estimator.EvalSpec": ("s = _(input_fn=len)\n(s.steps, s.throttle_secs)", (100, 600)),
    "tf.estimator.FinalExporter": ("_('name', len).name", "name"),
    "tf.estimator.LatestExporter": (
        _MADE + _RECEIVER + "e = _('last', receiver, exports_to_keep=1)\n"
        "p = e.export(m, folder + '/x', m.latest_checkpoint(), {}, True)\n"
        "tf.saved_model.contains_saved_model(p.decode())", True),
    "tf.estimator.BestExporter": ("_(serving_input_receiver_fn=len).name", "best_exporter"),
    "tf.estimator.train_and_evaluate": (
        _MADE + "e = tf.estimator.EvalSpec(once, steps=1)\n"
        "_(m, tf.estimator.TrainSpec(data, max_steps=3), e)[0]['global_step']", 3),
    "tf.estimator.SessionRunHook": ("_ is tf.train.SessionRunHook", True),
    "tf.python.estimator.estimator.Estimator": ("_ is tf.estimator.Estimator", True),
    "tf.python.estimator.model_fn.EstimatorSpec": ("_ is tf.estimator.EstimatorSpec", True),
    "tf.python.estimator.model_fn.ModeKeys.TRAIN": ("_", "train"),
    "tf.python.estimator.model_fn.ModeKeys.EVAL": ("_", "eval"),
    "tf.python.estimator.model_fn.ModeKeys.PREDICT": ("_", "infer"),
    "tf.python.estimator.export.export_output.ClassificationOutput": (
        f"_(scores={_ONE}).classes", None),
    "tf.python.estimator.export.export_output.PredictOutput": (f"list(_({{'a': {_ONE}}}).outputs)", ["a"]),
    "tf.python.estimator.export.export_output.RegressionOutput": (f"_({_ONE}).value", [1]),
    # feature columns
    "tf.feature_column.numeric_column": (
        "c = _('x', shape=(2,), default_value=None, dtype=tf.float32, normalizer_fn=lambda x: 2 * x)\n"
        "tf.feature_column.input_layer({'x': [[1., 2.]]}, [c])", [[2, 4]]),
    "tf.feature_column.bucketized_column": (
        _COLUMN + "tf.feature_column.input_layer({'x': [1., 5.]}, _(c, boundaries=[1., 3.]))", [[0, 1, 0], [0, 0, 1]]),
    "tf.feature_column.embedding_column": (
        "c = tf.feature_column.categorical_column_with_identity('x', 3)\n"
        "e = _(c, dimension=2, initializer=tf.ones_initializer())\n"
        "tf.feature_column.input_layer({'x': [0, 2]}, e)", [[1, 1], [1, 1]]),
    "tf.feature_column.crossed_column": (
        "c = tf.feature_column.indicator_column(_(['a', 'b'], hash_bucket_size=4))\n"
        "tf.feature_column.input_layer({'a': ['x'], 'b': ['y']}, c)", [[1, 0, 0, 0]]),
    "tf.feature_column.linear_model": (_COLUMN + "_({'x': [1., 2.]}, [c], units=1)", [[0], [0]]),
    "tf.feature_column.make_parse_example_spec": (_COLUMN + "_([c])['x'].shape", (1,)),
    "tf.sparse.cross_hashed": ("_([[['a', 'b']], [['c']]], num_buckets=100).values", [66, 54]),
    "tf.sparse.cross": ("_([[['a', 'b']], [['c']]]).values", [b"a_X_c", b"b_X_c"]),
    # Keras
    "tf.keras.layers.DenseFeatures": (_COLUMN + "_([c])({'x': tf.constant([1., 5.])})", [[1], [5]]),
    "tf.keras.layers.SimpleRNNCell": (
        "c = _(2, activation='tanh', kernel_initializer='zeros', bias_initializer='ones')\n"
        "c(tf.ones([1, 3]), [tf.zeros([1, 2])])[1]", [[[0.7615942, 0.7615942]]]),
    "tf.keras.datasets.cifar10.load_data": (_CIFAR, _CIFAR_GIVES),
    "tf.contrib.keras.datasets.cifar10.load_data": (_CIFAR, _CIFAR_GIVES),
}
