"""Calls of tf.nn, tf.losses, tf.metrics, tf.layers, contrib.layers and slim."""
from __future__ import annotations

_IMAGE = "np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)"
_ROWS = "tf.ones([2, 3])"
_TWO_BY_TWO = "np.ones([2, 2, 1, 1], np.float32)"
_ONES = "kernel_initializer=tf.ones_initializer()"
_WEIGHTS = "weights_initializer=tf.ones_initializer()"
_ARGUMENTS = ("weights=tf.constant([[1.], [3.]]), biases=tf.constant([0., 0.]), labels=[[0], [1]], "
              "inputs=[[1.], [2.]], num_sampled=1, num_classes=2")

CALLS: dict[str, tuple[str, object]] = {
    "tf.nn.relu": ("_([-1., 2.])", [0, 2]),
    "tf.nn.relu6": ("_([-1., 7.])", [0, 6]),
    "tf.nn.elu": ("_([-1., 2.])", [-.6321206, 2]),
    "tf.nn.selu": ("_([-1., 2.])", [-1.1113307, 2.101402]),
    "tf.nn.leaky_relu": ("_([-1., 2.], alpha=.5)", [-.5, 2]),
    "tf.nn.softplus": ("_([0.])", [.6931472]),
    "tf.nn.softsign": ("_([1.])", [.5]),
    "tf.nn.sigmoid": ("_([0.])", [.5]),
    "tf.nn.tanh": ("_([0., 1.])", [0, .7615942]),
    "tf.nn.softmax": ("_([[0., 0.], [0., 0.]], dim=0)", [[.5, .5], [.5, .5]]),
    "tf.nn.log_softmax": ("_([[0., 0.]], dim=-1)", [[-.6931472, -.6931472]]),
    "tf.nn.dropout": ("_(tf.ones([4]), keep_prob=1., noise_shape=None, seed=1)", [1] * 4),
    "tf.nn.softmax_cross_entropy_with_logits": ("_(labels=[[1., 0.]], logits=[[0., 0.]], dim=-1)", [.6931472]),
    "tf.nn.softmax_cross_entropy_with_logits_v2": ("_(labels=[[1., 0.]], logits=[[0., 0.]], dim=1)", [.6931472]),
    "tf.nn.sparse_softmax_cross_entropy_with_logits": ("_(labels=[0], logits=[[0., 0.]])", [.6931472]),
    "tf.nn.sigmoid_cross_entropy_with_logits": ("_(labels=[1.], logits=[0.])", [.6931472]),
    "tf.nn.weighted_cross_entropy_with_logits": ("_(targets=[1.], logits=[0.], pos_weight=2.)", [1.3862944]),
    "tf.nn.l2_normalize": ("_([[3., 4.]], dim=1, epsilon=1e-12)", [[.6, .8]]),
    "tf.nn.zero_fraction": ("_([0., 1.], name='z')", .5),
    "tf.nn.bias_add": ("_([[1., 2.]], [1., 1.], data_format='NHWC')", [[2, 3]]),
    "tf.nn.xw_plus_b": ("_([[1., 2.]], [[1.], [1.]], [5.])", [[8]]),
    "tf.nn.relu_layer": ("_([[1., 2.]], [[1.], [-1.]], [0.])", [[0]]),
    "tf.nn.conv1d": ("_(np.ones([1, 3, 1], np.float32), np.ones([2, 1, 1], np.float32), stride=1, padding='VALID',"
                     " use_cudnn_on_gpu=None, data_format='NHWC')", [[[2], [2]]]),
    "tf.nn.conv2d": (f"tf.nn.conv2d({_IMAGE}, filter={_TWO_BY_TWO}, strides=[1, 2, 2, 1], padding='VALID',"
                     " use_cudnn_on_gpu=True, data_format='NHWC', dilations=[1, 1, 1, 1])[0, :, :, 0]",
                     [[10, 18], [42, 50]]),
    "tf.nn.conv2d_transpose": (
        f"tf.shape(tf.nn.conv2d_transpose({_IMAGE}, filter={_TWO_BY_TWO}, output_shape=[1, 8, 8, 1],"
        " strides=[1, 2, 2, 1], padding='SAME'))", [1, 8, 8, 1]),
    "tf.nn.deconv2d": (f"tf.reduce_sum(tf.nn.deconv2d({_IMAGE}, {_TWO_BY_TWO}, [1, 8, 8, 1], [1, 2, 2, 1]))", 480),
    "tf.nn.depthwise_conv2d": (f"tf.nn.depthwise_conv2d({_IMAGE}, {_TWO_BY_TWO}, [1, 2, 2, 1], 'VALID',"
                               " rate=[1, 1])[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.nn.separable_conv2d": (f"tf.nn.separable_conv2d({_IMAGE}, {_TWO_BY_TWO}, np.ones([1, 1, 1, 1], np.float32),"
                               " strides=[1, 2, 2, 1], padding='VALID', rate=None)[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.nn.atrous_conv2d": (f"tf.nn.atrous_conv2d({_IMAGE}, {_TWO_BY_TWO}, rate=2, padding='VALID')[0, :, :, 0]",
                            [[20, 24], [36, 40]]),
    "tf.nn.max_pool": (f"tf.nn.max_pool({_IMAGE}, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1],"
                       " padding='SAME', data_format='NHWC')[0, :, :, 0]", [[5, 7], [13, 15]]),
    "tf.nn.avg_pool": (f"tf.nn.avg_pool({_IMAGE}, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1],"
                       " padding='SAME')[0, :, :, 0]", [[2.5, 4.5], [10.5, 12.5]]),
    "tf.nn.lrn": ("_(np.ones([1, 1, 1, 3], np.float32), depth_radius=1, bias=1., alpha=1., beta=1.)[0, 0, 0]",
                  [1 / 3, .25, 1 / 3]),
    "tf.nn.local_response_normalization": (
        "_(np.ones([1, 1, 1, 3], np.float32), 1, bias=1, alpha=1, beta=1)[0, 0, 0]", [1 / 3, .25, 1 / 3]),
    "tf.nn.moments": ("_([[1., 2.], [3., 4.]], axes=[0], shift=None, keep_dims=True)", [[[2, 3]], [[1, 1]]]),
    "tf.nn.batch_normalization": (
        "_(tf.constant([[1.], [3.]]), [2.], tf.ones([1]), offset=[0.], scale=None, variance_epsilon=0.)",
        [[-1], [1]]),
    "tf.nn.batch_norm_with_global_normalization": (
        "_(t=np.ones([1, 1, 1, 1], np.float32) * 3, m=[2.], v=np.ones(1), beta=[0.], gamma=[2.], variance_epsilon=0.,"
        " scale_after_normalization=True)[0, 0, 0]", [2]),
    "tf.nn.embedding_lookup": (
        "_(tf.constant([[1., 2.], [3., 4.]]), ids=[1], partition_strategy='mod', max_norm=None)", [[3, 4]]),
    "tf.nn.nce_loss": (f"tf.shape(tf.nn.nce_loss({_ARGUMENTS}, remove_accidental_hits=False))", [2]),
    "tf.nn.sampled_softmax_loss": (f"tf.shape(tf.nn.sampled_softmax_loss({_ARGUMENTS}, partition_strategy='div',"
                                   " seed=1))", [2]),
    "tf.nn.fixed_unigram_candidate_sampler": (
        "_(true_classes=[[0]], num_true=1, num_sampled=2, unique=True, range_max=3, unigrams=[1., 1., 0.])[0] >= 2",
        [False, False]),
    "tf.nn.top_k": ("_([1., 3., 2.], k=2, sorted=True)", [[3, 2], [1, 2]]),
    "tf.nn.in_top_k": ("_([[1., 3.]], targets=[1], k=1)", [True]),
    # losses and metrics
    "tf.losses.mean_squared_error": ("_(labels=[1.], predictions=[3.], weights=.5)", 2),
    "tf.losses.absolute_difference": ("_([1.], [3.], reduction=tf.losses.Reduction.SUM)", 2),
    "tf.losses.huber_loss": ("_([1.], [3.], delta=1.)", 1.5),
    "tf.losses.log_loss": ("_([1.], [.5], epsilon=0.)", .6931472),
    "tf.losses.sigmoid_cross_entropy": ("_([[1.]], logits=[[0.]], label_smoothing=0)", .6931472),
    "tf.losses.softmax_cross_entropy": ("_([[1., 0.]], logits=[[0., 0.]], label_smoothing=0)", .6931472),
    "tf.losses.sparse_softmax_cross_entropy": ("_(labels=[0], logits=[[0., 0.]])", .6931472),
    "tf.losses.compute_weighted_loss": ("_([1., 3.], weights=[1., 0.], loss_collection=None)", 1),
    "tf.losses.add_loss": ("_(tf.constant(2.), loss_collection='losses')\ntf.losses.get_total_loss()", 2),
    "tf.metrics.accuracy": ("_(labels=[1, 2], predictions=[1, 0], weights=None)[1]", .5),
    "tf.metrics.precision": ("_([1, 0], [1, 1])[1]", .5),
    "tf.metrics.recall": ("_([1, 1], [1, 0])[1]", .5),
    "tf.metrics.auc": ("_([1, 0], [.9, .1], num_thresholds=200, curve='ROC', summation_method='trapezoidal')[1]", 1),
    "tf.metrics.true_positives": ("_([1, 0], [1, 1])[1]", 1),
    "tf.metrics.false_positives": ("_([1, 0], [1, 1])[1]", 1),
    "tf.metrics.true_negatives": ("_([1, 0], [1, 0])[1]", 1),
    "tf.metrics.false_negatives": ("_([1, 1], [1, 0])[1]", 1),
    "tf.contrib.metrics.accuracy": ("_(predictions=tf.constant([1, 2]), labels=tf.constant([1, 0]), weights=None)", .5),
    "tf.contrib.metrics.f1_score": ("_(labels=[1, 0, 1], predictions=[.9, .8, .1], num_thresholds=3)[1]", .8),
    # layers
    "tf.layers.dense": (f"tf.layers.dense({_ROWS}, units=2, activation=tf.nn.relu, use_bias=True, {_ONES}, name='d')",
                        [[3, 3], [3, 3]]),
    "tf.layers.Dense": (f"tf.layers.Dense(2, {_ONES}, name='d')({_ROWS})", [[3, 3], [3, 3]]),
    "tf.python.layers.core.Dense": (f"tf.python.layers.core.Dense(1, {_ONES}).apply({_ROWS})", [[3], [3]]),
    "tf.layers.conv1d": (f"tf.layers.conv1d(tf.ones([1, 3, 1]), filters=1, kernel_size=2, {_ONES})", [[[2], [2]]]),
    "tf.layers.conv2d": (f"tf.layers.conv2d({_IMAGE}, 1, [2, 2], strides=(2, 2), {_ONES})[0, :, :, 0]",
                         [[10, 18], [42, 50]]),
    "tf.layers.conv2d_transpose": (f"tf.layers.conv2d_transpose(tf.ones([1, 1, 1, 1]), 1, 2, {_ONES})[0, :, :, 0]",
                                   [[1, 1], [1, 1]]),
    "tf.layers.separable_conv2d": (
        f"tf.layers.separable_conv2d({_IMAGE}, 1, 2, strides=2, depthwise_initializer=tf.ones_initializer(),"
        " pointwise_initializer=tf.ones_initializer())[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.layers.max_pooling2d": (f"tf.layers.max_pooling2d({_IMAGE}, pool_size=2, strides=2)[0, :, :, 0]",
                                [[5, 7], [13, 15]]),
    "tf.layers.average_pooling2d": (f"tf.layers.average_pooling2d({_IMAGE}, 2, 2)[0, :, :, 0]",
                                    [[2.5, 4.5], [10.5, 12.5]]),
    "tf.layers.batch_normalization": ("_(tf.constant([[1.], [3.]]), training=True, epsilon=0.)", [[-1], [1]]),
    "tf.layers.dropout": ("_(tf.ones([4]), rate=.5, training=False)", [1] * 4),
    "tf.layers.flatten": ("tf.shape(tf.layers.flatten(tf.ones([2, 3, 4])))", [2, 12]),
    "tf.contrib.layers.fully_connected": (f"tf.contrib.layers.fully_connected({_ROWS}, 2, activation_fn=None,"
                                          f" {_WEIGHTS}, scope='f')", [[3, 3], [3, 3]]),
    "tf.contrib.layers.conv2d": (f"tf.contrib.layers.conv2d({_IMAGE}, 1, 2, stride=2, padding='VALID', {_WEIGHTS})"
                                 "[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.contrib.layers.flatten": ("tf.shape(tf.contrib.layers.flatten(tf.ones([2, 3, 4])))", [2, 12]),
    "tf.contrib.layers.dropout": ("_(tf.ones([4]), keep_prob=.5, is_training=False)", [1] * 4),
    "tf.contrib.layers.batch_norm": ("_(tf.constant([[1.], [3.]]), is_training=True, epsilon=0., updates_collections="
                                     "None)", [[-1], [1]]),
    "tf.contrib.layers.python.layers.batch_norm": ("_ is tf.contrib.layers.batch_norm", True),
    "tf.contrib.layers.layer_norm": ("_(tf.constant([[1., 3.]]), center=True, scale=True)", [[-1, 1]]),
    "tf.contrib.layers.python.layers.layer_norm": ("_ is tf.contrib.layers.layer_norm", True),
    "tf.contrib.layers.bias_add": ("_(tf.ones([1, 2]), initializer=tf.ones_initializer())", [[2, 2]]),
    "tf.contrib.layers.embed_sequence": ("_([[1, 0]], vocab_size=2, embed_dim=1, initializer=tf.ones_initializer())",
                                         [[[1], [1]]]),
    "tf.contrib.layers.optimize_loss": (
        "v = tf.Variable(1.)\n_(v * v, tf.train.get_or_create_global_step(), learning_rate=.1, optimizer='SGD',"
        " clip_gradients=1.)", 1),
    "tf.contrib.layers.l2_regularizer": ("_(scale=.5)(tf.constant([2.]))", 1),
    "tf.contrib.layers.l1_regularizer": ("_(.5)(tf.constant([2.]))", 1),
    "tf.contrib.layers.xavier_initializer": ("tf.shape(tf.contrib.layers.xavier_initializer(uniform=False, seed=1)"
                                             "([2, 3]))", [2, 3]),
    "tf.contrib.layers.xavier_initializer_conv2d": ("tf.shape(_(seed=1)([2, 2, 1, 3]))", [2, 2, 1, 3]),
    "tf.contrib.layers.variance_scaling_initializer": ("tf.shape(_(factor=2., mode='FAN_IN', uniform=True)([2, 3]))",
                                                       [2, 3]),
    "tf.contrib.layers.python.layers.initializers": ("tf.shape(_.xavier_initializer()([2, 3]))", [2, 3]),
    "tf.contrib.layers.python.layers.initializers.xavier_initializer": (
        "_ is tf.contrib.layers.xavier_initializer", True),
    "tf.contrib.layers.summarize_activation": ("_(tf.nn.relu([1.], name='r')).op.type", "HistogramSummary"),
    "tf.contrib.framework.get_variables": ("v = tf.Variable(1., name='v')\n_(scope='v') == [v]", True),
    "tf.contrib.framework.get_global_step": ("_() is tf.train.get_global_step()", True),
    "tf.contrib.framework.arg_scope": ("_ is tf.contrib.slim.arg_scope", True),
    "tf.contrib.framework.python.ops.arg_scope": ("_ is tf.contrib.slim.arg_scope", True),
    # slim
    "tf.contrib.slim": (f"_.fully_connected({_ROWS}, 1, {_WEIGHTS})", [[3], [3]]),
    "tf.contrib.slim.arg_scope": (f"with _([tf.contrib.slim.fully_connected], {_WEIGHTS}):\n"
                                  f"    y = tf.contrib.slim.fully_connected({_ROWS}, 1)\ny", [[3], [3]]),
    "tf.contrib.slim.fully_connected": (f"_({_ROWS}, 1, {_WEIGHTS})", [[3], [3]]),
    "tf.contrib.slim.conv2d": (f"_({_IMAGE}, 1, [2, 2], stride=2, {_WEIGHTS})[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.contrib.slim.convolution2d": (f"_({_IMAGE}, 1, [2, 2], stride=2, {_WEIGHTS})[0, :, :, 0]",
                                      [[10, 18], [42, 50]]),
    "tf.contrib.slim.separable_convolution2d": (
        f"_({_IMAGE}, 1, [2, 2], 1, stride=2, {_WEIGHTS})[0, :, :, 0]", [[10, 18], [42, 50]]),
    "tf.contrib.slim.max_pool2d": (f"_({_IMAGE}, [2, 2])[0, :, :, 0]", [[5, 7], [13, 15]]),
    "tf.contrib.slim.avg_pool2d": (f"_({_IMAGE}, [2, 2])[0, :, :, 0]", [[2.5, 4.5], [10.5, 12.5]]),
    "tf.contrib.slim.dropout": ("_(tf.ones([4]), .5, is_training=False)", [1] * 4),
    "tf.contrib.slim.flatten": ("tf.shape(_(tf.ones([2, 3, 4])))", [2, 12]),
    "tf.contrib.slim.softmax": ("_(tf.constant([[0., 0.]]))", [[.5, .5]]),
    "tf.contrib.slim.batch_norm": ("_(tf.constant([[1.], [3.]]), epsilon=0.)", [[-1], [1]]),
    "tf.contrib.slim.one_hot_encoding": ("_([1], 2)", [[0, 1]]),
    "tf.contrib.slim.l2_regularizer": ("_(.5)(tf.constant([2.]))", 1),
    "tf.contrib.slim.repeat": (f"_({_ROWS}, 2, tf.contrib.slim.fully_connected, 1, {_WEIGHTS})", [[3], [3]]),
    "tf.contrib.slim.initializers.xavier_initializer": ("tf.shape(_()([2, 3]))", [2, 3]),
    "tf.contrib.slim.xavier_initializer_conv2d": ("tf.shape(_()([2, 2, 1, 3]))", [2, 2, 1, 3]),
    "tf.contrib.slim.utils.convert_collection_to_dict": (
        f"tf.contrib.slim.fully_connected({_ROWS}, 1, scope='f', outputs_collections='c')\n"
        "list(_('c', clear_collection=True))", ["f"]),
    "tf.contrib.slim.variable": ("_('v', shape=[2], initializer=tf.ones_initializer())", [1, 1]),
    "tf.contrib.slim.model_variable": ("_('v', shape=[2], initializer=tf.ones_initializer(), device='/cpu:0')", [1, 1]),
    "tf.contrib.slim.get_variables": ("v = tf.Variable(1.)\n_() == [v]", True),
    "tf.contrib.slim.get_model_variables": ("v = tf.contrib.slim.model_variable('v', [1])\n_('v') == [v]", True),
    "tf.contrib.slim.get_variables_to_restore": ("v = tf.Variable(1.)\n_(include=None, exclude=['w']) == [v]", True),
    "tf.contrib.slim.create_global_step": ("_().op.name", "global_step"),
    "tf.contrib.slim.get_or_create_global_step": ("_().op.name", "global_step"),
    "tf.contrib.slim.model_analyzer.analyze_vars": ("_([tf.Variable([1., 2.])], print_info=False)", [2, 8]),
    "tf.contrib.slim.metrics.streaming_mean": ("_([1., 3.])[1]", 2),
    "tf.contrib.slim.metrics.aggregate_metric_map": (
        "run(_({'m': tf.contrib.slim.metrics.streaming_mean([1., 3.])})[1]['m'])", 2),
    "tf.contrib.slim.learning.train": (
        "step = tf.contrib.slim.get_or_create_global_step()\nv = tf.Variable(1.)\n"
        "op = tf.contrib.slim.learning.create_train_op(v * v, tf.train.GradientDescentOptimizer(.25))\n"
        "_(op, logdir=folder, number_of_steps=2, save_summaries_secs=0, log_every_n_steps=1)", .25),
    "tf.contrib.slim.evaluation.evaluate_once": (
        "v = tf.contrib.slim.model_variable('v', [], initializer=tf.ones_initializer())\n"
        "tf.train.get_or_create_global_step()\nready()\npath = tf.train.Saver().save(session, folder + '/m')\n"
        "_('', checkpoint_path=path, logdir=folder, num_evals=2, eval_op=[v + 1.], final_op=v + 2.)", 3),
    "tf.contrib.slim.evaluation.evaluation_loop": (
        "v = tf.contrib.slim.model_variable('v', [], initializer=tf.ones_initializer())\n"
        "tf.train.get_or_create_global_step()\nready()\npath = tf.train.Saver().save(session, folder + '/m')\n"
        "_('', checkpoint_dir=folder, logdir=folder, eval_interval_secs=0, max_number_of_evaluations=1, timeout=1,"
        " final_op=v + 2.)", 3),
    "tf.contrib.slim.assign_from_checkpoint_fn": (
        "v = tf.Variable(1., name='v')\nready()\npath = tf.train.Saver().save(session, folder + '/m')\n"
        "run(v.assign(5.))\n_(path, [v], ignore_missing_vars=False, reshape_variables=False)(session)\nv", 1),
}
