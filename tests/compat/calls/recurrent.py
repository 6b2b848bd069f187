"""Calls of recurrent cells and loops, seq2seq, crf and distributions."""
from __future__ import annotations

_STEPS = "tf.ones([2, 3, 4])"
_LIST = "([tf.ones([2, 4])] * 3)"
_WORDS = "[tf.constant([1, 2])] * 3"
_CELL = "tf.contrib.rnn.BasicLSTMCell(4)"
_ATTENTION = "tf.ones([2, 5, 4]), memory_sequence_length=[5, 4]"
_EMBEDDING = "tf.ones([6, 4])"

CALLS: dict[str, tuple[str, object]] = {
    "tf.nn.dynamic_rnn": (
        f"o, s = _({_CELL}, {_STEPS}, sequence_length=[3, 1], dtype=tf.float32, parallel_iterations=2,"
        " swap_memory=True, time_major=False, scope='r')\n[tf.shape(o)[1], tf.reduce_sum(o[1, 1:])]", [3, 0]),
    "tf.python.ops.rnn.dynamic_rnn": ("_ is tf.nn.dynamic_rnn", True),
    "tf.nn.bidirectional_dynamic_rnn": (
        f"o, s = _({_CELL}, {_CELL}, {_STEPS}, dtype=tf.float32)\ntf.shape(tf.concat(o, 2))", [2, 3, 8]),
    "tf.python.ops.rnn.bidirectional_dynamic_rnn": ("_ is tf.nn.bidirectional_dynamic_rnn", True),
    "tf.contrib.rnn.static_rnn": (f"tf.shape(_({_CELL}, {_LIST}, dtype=tf.float32)[0])", [3, 2, 4]),
    "tf.nn.static_rnn": (f"tf.shape(_({_CELL}, {_LIST}, dtype=tf.float32, sequence_length=[1, 2])[0])", [3, 2, 4]),
    "tf.nn.rnn": (f"tf.shape(_({_CELL}, {_LIST}, dtype=tf.float32)[0])", [3, 2, 4]),
    "tf.contrib.rnn.static_bidirectional_rnn": (
        f"tf.shape(_({_CELL}, {_CELL}, {_LIST}, dtype=tf.float32)[0])", [3, 2, 8]),
    "tf.contrib.rnn.BasicLSTMCell": (
        f"c = _(4, forget_bias=1., state_is_tuple=True, activation=tf.tanh)\n"
        f"tf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[1].h)", [2, 4]),
    "tf.nn.rnn_cell.BasicLSTMCell": ("_ is tf.contrib.rnn.BasicLSTMCell", True),
    "tf.python.ops.rnn_cell.BasicLSTMCell": ("_ is tf.contrib.rnn.BasicLSTMCell", True),
    "tf.contrib.rnn.LSTMCell": (
        "c = _(5, use_peepholes=True, cell_clip=3., initializer=None, num_proj=4, proj_clip=2., num_unit_shards=None,"
        " num_proj_shards=None, forget_bias=1.)\n"
        f"tf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 4]),
    "tf.nn.rnn_cell.LSTMCell": ("_ is tf.contrib.rnn.LSTMCell", True),
    "tf.contrib.rnn.LSTMStateTuple": ("_(1, h=2)", (1, 2)),
    "tf.nn.rnn_cell.LSTMStateTuple": ("_ is tf.contrib.rnn.LSTMStateTuple", True),
    "tf.contrib.rnn.GRUCell": (
        f"c = _(4, kernel_initializer=tf.zeros_initializer(), bias_initializer=None)\n"
        f"c({_LIST}[0], tf.ones([2, 4]))[0]", [[.7310586] * 4] * 2),
    "tf.nn.rnn_cell.GRUCell": ("_ is tf.contrib.rnn.GRUCell", True),
    "tf.contrib.rnn.BasicRNNCell": (f"tf.shape(_(4, activation=tf.nn.relu)({_LIST}[0], tf.ones([2, 4]))[0])", [2, 4]),
    "tf.nn.rnn_cell.BasicRNNCell": ("_ is tf.contrib.rnn.BasicRNNCell", True),
    "tf.contrib.rnn.RNNCell": (f"isinstance({_CELL}, _)", True),
    "tf.nn.rnn_cell.RNNCell": ("_ is tf.contrib.rnn.RNNCell", True),
    "tf.contrib.rnn.MultiRNNCell": (
        f"c = _([{_CELL}, {_CELL}], state_is_tuple=True)\n"
        f"tf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 4]),
    "tf.nn.rnn_cell.MultiRNNCell": ("_ is tf.contrib.rnn.MultiRNNCell", True),
    "tf.contrib.rnn.DropoutWrapper": (
        f"c = _({_CELL}, input_keep_prob=.5, output_keep_prob=tf.constant(.5), state_keep_prob=1.,"
        " variational_recurrent=True, input_size=4, dtype=tf.float32, seed=1)\n"
        f"tf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 4]),
    "tf.nn.rnn_cell.DropoutWrapper": ("_ is tf.contrib.rnn.DropoutWrapper", True),
    "tf.nn.rnn_cell.ResidualWrapper": (
        f"c = _(tf.contrib.rnn.GRUCell(4, kernel_initializer=tf.zeros_initializer()), residual_fn=None)\n"
        f"c({_LIST}[0], tf.zeros([2, 4]))[0]", [[1] * 4] * 2),
    "tf.contrib.rnn.DeviceWrapper": (
        f"c = _({_CELL}, '/cpu:0')\ntf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 4]),
    "tf.contrib.rnn.OutputProjectionWrapper": (
        f"c = _({_CELL}, output_size=7, activation=None)\ntf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])",
        [2, 7]),
    "tf.contrib.rnn.LayerNormBasicLSTMCell": (
        f"c = _(4, layer_norm=True, norm_gain=1., dropout_keep_prob=1.)\n"
        f"tf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 4]),
    "tf.contrib.rnn.NASCell": (
        f"c = _(4, num_proj=3, use_bias=True)\ntf.shape(c({_LIST}[0], c.zero_state(2, tf.float32))[0])", [2, 3]),
    # seq2seq
    "tf.contrib.seq2seq.sequence_loss": (
        "_(tf.zeros([2, 3, 2]), tf.zeros([2, 3], tf.int32), tf.ones([2, 3]), average_across_timesteps=True,"
        " average_across_batch=True)", .6931472),
    "tf.contrib.seq2seq.TrainingHelper": (f"_({_STEPS}, [3, 2], time_major=False).batch_size", 2),
    "tf.contrib.seq2seq.BasicDecoder": (
        f"h = tf.contrib.seq2seq.TrainingHelper({_STEPS}, [3, 2])\nc = {_CELL}\n"
        "d = _(c, h, c.zero_state(2, tf.float32), output_layer=tf.layers.Dense(6))\n"
        "tf.shape(tf.contrib.seq2seq.dynamic_decode(d)[0].rnn_output)", [2, 3, 6]),
    "tf.contrib.seq2seq.GreedyEmbeddingHelper": (
        f"c = {_CELL}\nh = _({_EMBEDDING}, start_tokens=[1, 1], end_token=0)\n"
        "d = tf.contrib.seq2seq.BasicDecoder(c, h, c.zero_state(2, tf.float32), tf.layers.Dense(6))\n"
        "tf.shape(tf.contrib.seq2seq.dynamic_decode(d, maximum_iterations=2)[0].sample_id)[0]", 2),
    "tf.contrib.seq2seq.SampleEmbeddingHelper": (
        f"c = {_CELL}\nh = _({_EMBEDDING}, [1, 1], 0, softmax_temperature=1., seed=1)\n"
        "d = tf.contrib.seq2seq.BasicDecoder(c, h, c.zero_state(2, tf.float32), tf.layers.Dense(6))\n"
        "tf.shape(tf.contrib.seq2seq.dynamic_decode(d, maximum_iterations=2)[0].sample_id)[0]", 2),
    "tf.contrib.seq2seq.dynamic_decode": (
        f"h = tf.contrib.seq2seq.TrainingHelper({_STEPS}, [3, 2])\nc = {_CELL}\n"
        "d = tf.contrib.seq2seq.BasicDecoder(c, h, c.zero_state(2, tf.float32))\n"
        "_(d, output_time_major=True, impute_finished=True, maximum_iterations=9, swap_memory=True)[2]", [3, 2]),
    "tf.contrib.seq2seq.tile_batch": ("_(tf.constant([[1], [2]]), multiplier=2)", [[1], [1], [2], [2]]),
    "tf.contrib.seq2seq.LuongAttention": (
        f"m = _(4, {_ATTENTION}, scale=True)\ntf.reduce_sum(m(tf.ones([2, 4]), m.initial_state(2, tf.float32))[0])", 2),
    "tf.contrib.seq2seq.BahdanauAttention": (
        f"m = _(4, {_ATTENTION}, normalize=True)\n"
        "tf.reduce_sum(m(tf.ones([2, 4]), m.initial_state(2, tf.float32))[0])", 2),
    "tf.contrib.seq2seq.AttentionWrapper": (
        f"c = _({_CELL}, tf.contrib.seq2seq.LuongAttention(4, {_ATTENTION}), attention_layer_size=3,"
        " alignment_history=True, output_attention=True)\n"
        "tf.shape(c(tf.ones([2, 4]), c.zero_state(2, tf.float32))[0])", [2, 3]),
    "tf.contrib.seq2seq.AttentionWrapperState": (
        f"c = tf.contrib.seq2seq.AttentionWrapper({_CELL}, tf.contrib.seq2seq.LuongAttention(4, {_ATTENTION}))\n"
        "s = c.zero_state(2, tf.float32)\nisinstance(s.clone(time=tf.constant(1)), _)", True),
    "tf.contrib.seq2seq.BeamSearchDecoder": (
        f"c = {_CELL}\nd = _(c, {_EMBEDDING}, [1, 1], 0, c.zero_state(6, tf.float32), beam_width=3,"
        " output_layer=tf.layers.Dense(6), length_penalty_weight=0.)\n"
        "tf.shape(tf.contrib.seq2seq.dynamic_decode(d, maximum_iterations=2)[0].predicted_ids)[::2]", [2, 3]),
    "tf.contrib.legacy_seq2seq.rnn_decoder": (
        f"c = {_CELL}\ntf.shape(_({_LIST}, c.zero_state(2, tf.float32), c, loop_function=None)[0])", [3, 2, 4]),
    "tf.nn.seq2seq.rnn_decoder": ("_ is tf.contrib.legacy_seq2seq.rnn_decoder", True),
    "tf.contrib.legacy_seq2seq.sequence_loss_by_example": (
        "_([tf.zeros([2, 2])], [tf.zeros([2], tf.int32)], [tf.ones([2])], average_across_timesteps=True)",
        [.6931472, .6931472]),
    "tf.nn.seq2seq.sequence_loss_by_example": ("_ is tf.contrib.legacy_seq2seq.sequence_loss_by_example", True),
    "tf.contrib.legacy_seq2seq.sequence_loss": (
        "_([tf.zeros([2, 2])], [tf.zeros([2], tf.int32)], [tf.ones([2])])", .6931472),
    "tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq": (
        f"tf.shape(_({_WORDS}, {_WORDS}, {_CELL}, 6, 7, embedding_size=3, feed_previous=True)[0])", [3, 2, 7]),
    "tf.contrib.legacy_seq2seq.embedding_attention_seq2seq": (
        f"tf.shape(_({_WORDS}, {_WORDS}, {_CELL}, 6, 7, embedding_size=3, num_heads=1)[0])", [3, 2, 7]),
    "tf.nn.seq2seq.embedding_attention_seq2seq": ("_ is tf.contrib.legacy_seq2seq.embedding_attention_seq2seq", True),
    "tf.contrib.legacy_seq2seq.model_with_buckets": (
        f"f = lambda x, y: tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(x, y, {_CELL}, 6, 7, 3)\n"
        f"tf.shape(_({_WORDS}, {_WORDS}, {_WORDS}, [tf.ones([2])] * 3, [(2, 2), (3, 3)], f)[1])", [2]),
    "tf.nn.seq2seq.model_with_buckets": ("_ is tf.contrib.legacy_seq2seq.model_with_buckets", True),
    "tf.contrib.crf.crf_log_likelihood": (
        "_(tf.zeros([1, 2, 2]), [[0, 1]], [2], transition_params=tf.zeros([2, 2]))[0]", [-1.3862944]),
    "tf.contrib.crf.viterbi_decode": ("_(np.array([[1., 0.], [0., 1.]]), np.zeros((2, 2)))", ([0, 1], 2)),
    # distributions
    "tf.distributions.Normal": ("_(loc=0., scale=1.).log_prob(0.)", -.9189385),
    "tf.contrib.distributions.Normal": ("_(0., 1., validate_args=True).prob(0.)", .3989423),
    "tf.contrib.distributions.MultivariateNormalDiag": ("_([0., 0.], [1., 1.]).log_prob([0., 0.])", -1.837877),
    "tf.distributions.Categorical": ("_(probs=[.25, .75]).prob(1)", .75),
    "tf.distributions.kl_divergence": ("_(tf.distributions.Normal(0., 1.), tf.distributions.Normal(1., 1.),"
                                       " allow_nan_stats=True)", .5),
}
