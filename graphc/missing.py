"""What to use in place of a TensorFlow 1 name that graphc does not have yet: the answer of the modules' __getattr__.

A key is the name behind `tf.`; a name inside a missing part (layers.dense) is answered when the part is asked for.
Every gc.* name in the advice exists (tests/errors/test_names.py reads them).
"""
from __future__ import annotations

from collections.abc import Iterable

from graphc.ir.names import suggestion

_FEED = "read the data in Python and feed the batches: session.run(..., feed_dict={placeholder: batch})"
_SAVE = ("gc.freeze and gc.train.write_graph save a trained model; to keep on training, numpy.savez of "
         "session.run(variables), and Variable.load brings them back")
_CELL = "the cell's equations in gc.while_loop, or unrolled by a Python loop: gc.matmul, gc.sigmoid, gc.tanh"
_HOST = "gc.py_func with NumPy's function"
_MATMUL = "gc.matmul, gc.transpose and gc.reshape"
_COMPARE = "gc.Assert with gc.reduce_all of the comparison"

ADVICE: dict[str, str] = {
    # whole parts
    "layers": "variables by gc.get_variable and the functions of gc.nn (gc.nn.conv2d, gc.nn.xw_plus_b)",
    "contrib.layers": "the functions of gc.nn, and gc.get_variable for their variables; contrib is no part of graphc",
    "keras": "gc.nn, gc.get_variable and gc.train; Keras is no part of graphc",
    "estimator": "a training loop of your own: session.run(train_op, feed_dict=...)",
    "metrics": "gc.reduce_mean(gc.cast(gc.equal(a, b), gc.float32)), added up in Python",
    "summary": "fetch the numbers and write them from Python",
    "data": _FEED,
    "gfile": "Python's open, os and glob",
    "io": "Python's open, and gc.train.write_graph for graphs",
    "flags": "Python's argparse",
    "app": "a plain call of your main()",
    "logging": "Python's logging",
    "saved_model": "gc.freeze and gc.train.write_graph",
    "python_io": _FEED,
    "feature_column": "gc.one_hot and gc.gather",
    "distributions": "gc.random_normal and gc.random_uniform",
    "signal": _HOST,
    "linalg.inv": _HOST, "linalg.solve": _HOST, "linalg.det": _HOST, "linalg.cholesky": _HOST, "linalg.svd": _HOST,
    "sparse.SparseTensor": "a dense tensor", "sparse.to_dense": "a dense tensor", "sparse.matmul": "gc.matmul",
    "strings": "gc.py_func, or Python before feeding",
    "nest": "Python's own lists and dicts: gc.while_loop and session.run take any nesting",
    "profiler": "GRAPHC_TRACE=1, or gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE) and gc.RunMetadata",
    "tpu": "nothing: graphc runs on CPUs",
    "distribute": "nothing: graphc runs in one process",
    # control flow, arrays
    "map_fn": _LOOP, "scan": _LOOP, "foldl": _LOOP, "foldr": _LOOP, "vectorized_map": _LOOP,
    "TensorArray": "a carried value of gc.while_loop that grows by gc.concat (its shape invariant: None for that axis)",
    "sparse_to_dense": "gc.one_hot",
    "unsorted_segment_sum": "gc.matmul with gc.one_hot",
    "unique": _HOST, "sort": _HOST, "argsort": _HOST, "string_split": _HOST, "edit_distance": _HOST,
    "count_nonzero": "gc.reduce_sum(gc.cast(gc.not_equal(x, 0), gc.int64))",
    "confusion_matrix": "gc.matmul of two gc.one_hot", "saturate_cast": "gc.clip_by_value, gc.cast",
    "linspace": "gc.range and arithmetic", "eye": "gc.one_hot(gc.range(n), n)",
    "diag": "gc.one_hot(gc.range(n), n) * gc.expand_dims(x, 1)",
    "diag_part": "gc.gather_nd", "matrix_diag": "gc.one_hot and a product", "matrix_diag_part": "gc.gather_nd",
    "matrix_band_part": "a product with a constant mask", "meshgrid": "gc.tile of gc.reshape",
    "sequence_mask": "gc.range(n) < gc.expand_dims(lengths, 1)", "roll": "gc.concat of two slices",
    "repeat": "gc.tile and gc.reshape", "reverse_sequence": "gc.gather with computed indices",
    "scatter_nd": "gc.matmul with gc.one_hot", "sparse_to_dense": "gc.one_hot",
    "depth_to_space": "gc.reshape and gc.transpose",
    "space_to_depth": "gc.reshape and gc.transpose", "extract_image_patches": "gc.nn.conv2d with a constant filter",
    "string_split": _HOST, "edit_distance": _HOST,
    "bitcast": _HOST,
    # math
    "moments": "gc.nn.moments", "select": "gc.where", "matrix_inverse": _HOST, "matrix_solve": _HOST,
    "matrix_determinant": _HOST, "cholesky": _HOST, "svd": _HOST, "self_adjoint_eig": _HOST, "qr": _HOST,
    "unique": _HOST, "sort": _HOST, "argsort": _HOST, "string_split": _HOST, "edit_distance": _HOST,
    "count_nonzero": "gc.reduce_sum(gc.cast(gc.not_equal(x, 0), gc.int64))",
    "confusion_matrix": "gc.matmul of two gc.one_hot", "bitcast": _HOST, "saturate_cast": "gc.clip_by_value, gc.cast",
    # pictures
    **dict.fromkeys(("image.decode_png", "image.decode_jpeg", "image.decode_image", "image.decode_bmp",
                     "image.decode_gif", "image.encode_png", "image.encode_jpeg", "image.extract_jpeg_shape",
                     "image.is_jpeg", "image.decode_and_crop_jpeg", "image.random_jpeg_quality",
                     "image.adjust_jpeg_quality"), "Pillow, and feed the arrays: strings cannot be computed yet"),
    "image.extract_glimpse": "gc.image.crop_and_resize", "image.extract_image_patches": "gc.nn.conv2d with a constant "
    "filter", "image.combined_non_max_suppression": "gc.image.non_max_suppression, class by class",
    "image.non_max_suppression_overlaps": "gc.image.non_max_suppression",
    # math
    "linalg.logm": _HOST, "linalg.eig": _HOST,
    "linalg.LinearOperatorFullMatrix": "matrices and gc.matmul, gc.matrix_solve",
    "linalg.LinearOperatorLowerTriangular": "matrices and gc.matmul, gc.matrix_triangular_solve",
    "linalg.LinearOperatorDiag": "a product with the diagonal", "matrix_logarithm": _HOST,
    "einsum": _MATMUL, "tensordot": _MATMUL, "norm": "gc.sqrt(gc.reduce_sum(gc.square(x)))",
    "cross": "its formula on slices", "atanh": "0.5 * gc.log((1 + x) / (1 - x))", "scalar_mul": "x * scalar",
    "moments": "gc.nn.moments", "select": "gc.where",
    "check_numerics": "gc.Assert(gc.reduce_all(gc.equal(x, x)), [x])",
    "assert_equal": _COMPARE, "assert_less": _COMPARE, "assert_less_equal": _COMPARE, "assert_greater": _COMPARE,
    "assert_greater_equal": _COMPARE, "assert_positive": _COMPARE, "assert_none_equal": _COMPARE,
    "assert_rank": "x.shape.assert_has_rank(n) while the graph is built",
    # random
    "orthogonal_initializer": "gc.constant_initializer of an array",
    # variables, gradients
    "all_variables": "gc.global_variables()", "fixed_size_partitioner": "variables in one piece",
    "tables_initializer": "nothing: there are no lookup tables", "placeholder_v2": "gc.placeholder",
    "SparseTensor": "a dense tensor", "sparse_placeholder": "gc.placeholder", "RaggedTensor": "a padded tensor and its "
    "lengths", "SparseTensorValue": "a dense array", "sparse_tensor_dense_matmul": "gc.matmul",
    "sparse_tensor_to_dense": "a dense tensor",
    # modes
    "enable_eager_execution": "gc.Session: graphc only has graphs", "executing_eagerly": "nothing: it would be False",
    "disable_eager_execution": "nothing: graphs are all there is, so leave the call out",
    "disable_v2_behavior": "nothing: graphs are all there is, so leave the call out",
    "container": "nothing: variables belong to their session", "VERSION": "gc.__version__",
    "TextLineReader": _FEED, "TFRecordReader": _FEED,
    "WholeFileReader": _FEED, "decode_csv": _FEED, "parse_single_example": _FEED, "parse_example": _FEED,
    "read_file": _FEED, "decode_raw": "numpy.frombuffer before feeding", "FixedLenFeature": _FEED,
    "scalar_summary": "fetch the numbers and write them from Python", "merge_all_summaries": "a list of fetches",
    # nn
    "nn.rnn_cell": _CELL, "nn.dynamic_rnn": _CELL, "nn.static_rnn": _CELL,
    "nn.bidirectional_dynamic_rnn": _CELL, "nn.seq2seq": _CELL, "nn.top_k": _HOST, "nn.in_top_k": _HOST,
    "nn.embedding_lookup": _TABLE_ROWS, "nn.rnn_cell": _CELL, "nn.dynamic_rnn": _CELL, "nn.static_rnn": _CELL,
    "nn.bidirectional_dynamic_rnn": _CELL, "nn.seq2seq": _CELL,
    "nn.lrn": "gc.nn.avg_pool over gc.square of the channels", "nn.local_response_normalization":
    "gc.nn.avg_pool over gc.square of the channels", "nn.conv1d": "gc.nn.conv2d with gc.expand_dims",
    "nn.depthwise_conv2d": "one gc.nn.conv2d a channel and gc.concat", "nn.separable_conv2d": "one gc.nn.conv2d a "
    "channel, gc.concat, gc.nn.conv2d", "nn.conv3d": "gc.nn.conv2d over slices", "nn.nce_loss":
    "gc.nn.sigmoid_cross_entropy_with_logits on samples of your own", "nn.sampled_softmax_loss":
    "gc.nn.softmax_cross_entropy_with_logits over all classes", "nn.zero_fraction":
    "gc.reduce_mean(gc.cast(gc.equal(x, 0), gc.float32))", "nn.ctc_loss": "gc.py_func (it has no gradient)",
    "nn.learned_unigram_candidate_sampler": "gc.nn.fixed_unigram_candidate_sampler with counts of your own",
    "nn.fractional_max_pool": "gc.nn.max_pool", "nn.fractional_avg_pool": "gc.nn.avg_pool",
    # train
    "train.Saver": _SAVE, "train.latest_checkpoint": _SAVE, "train.get_checkpoint_state": _SAVE,
    "train.import_meta_graph": "gc.import_graph_def", "train.export_meta_graph": "gc.train.write_graph",
    "train.Coordinator": _FEED, "train.start_queue_runners": _FEED, "train.batch": _FEED, "train.shuffle_batch": _FEED,
    "train.RMSPropOptimizer": "gc.train.AdamOptimizer or gc.train.MomentumOptimizer",
    "train.AdagradOptimizer": "gc.train.AdamOptimizer or gc.train.MomentumOptimizer",
    "train.AdadeltaOptimizer": "gc.train.AdamOptimizer or gc.train.MomentumOptimizer",
    "train.FtrlOptimizer": "gc.train.AdamOptimizer or gc.train.MomentumOptimizer",
    "train.ExponentialMovingAverage": "a variable and gc.assign_sub(average, (1 - decay) * (average - value))",
    "train.string_input_producer": _FEED, "train.MonitoredTrainingSession": "gc.Session and a loop",
    "train.Supervisor": "gc.Session and a loop", "train.SummaryWriter": "Python",
    "train.Server": "gc.Session: graphc runs in one process",
    "train.ClusterSpec": "gc.Session: graphc runs in one process",
    "train.replica_device_setter": "nothing: graphc runs in one process",
}


def missing(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for `name`, which `module` ("graphc", "graphc.nn", "graphc.train") does not have."""
    inner = module.partition(".")[2]
    wanted = f"{inner}.{name}" if inner else name
    advice = ADVICE.get(wanted)
    if advice is not None:
        return AttributeError(f"graphc does not have tf.{wanted} (yet); use instead: {advice}", name=name)
    near = suggestion(name, [n for n in known if not n.startswith("_")])
    return AttributeError(f"module '{module}' has no attribute {name!r}{near}", name=name)
