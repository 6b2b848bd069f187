"""What to use in place of a TensorFlow 1 name that graphc does not have yet: the answer of the modules' __getattr__.

A key is the name behind `tf.`; a name inside a missing part (layers.dense) is answered when the part is asked for.
Every gc.* name in the advice exists (tests/errors/test_names.py reads them).
"""
from __future__ import annotations

from collections.abc import Iterable

from graphc.ir.names import suggestion

_LOOP = "gc.while_loop with gc.gather of the element; over a known number of elements a Python loop and gc.stack"
_FEED = "read the data in Python and feed the batches: session.run(..., feed_dict={placeholder: batch})"
_SAVE = ("gc.freeze and gc.train.write_graph save a trained model; to keep on training, numpy.savez of "
         "session.run(variables), and Variable.load brings them back")
_TABLE_ROWS = "gc.gather (its gradient is dense)"
_CELL = "the cell's equations in gc.while_loop, or unrolled by a Python loop: gc.matmul, gc.sigmoid, gc.tanh"
_HOST = "gc.py_func with NumPy's function"
_COMPARE = "gc.Assert with gc.reduce_all of the comparison"
_MATMUL = "gc.matmul, gc.transpose and gc.reshape"

ADVICE: dict[str, str] = {
    # whole parts
    "layers": "variables by gc.get_variable and the functions of gc.nn (gc.nn.conv2d, gc.nn.xw_plus_b)",
    "keras": "gc.nn, gc.get_variable and gc.train; Keras is no part of graphc",
    "estimator": "a training loop of your own: session.run(train_op, feed_dict=...)",
    "metrics": "gc.reduce_mean(gc.cast(gc.equal(a, b), gc.float32)), added up in Python",
    "summary": "fetch the numbers and write them from Python",
    "data": _FEED,
    "gfile": "Python's open, os and glob",
    "io.parse_tensor": "Python before feeding: gc.make_ndarray of a TensorProto",
    "parse_tensor": "Python before feeding: gc.make_ndarray of a TensorProto",
    "io.gfile": "Python's open, os and glob",
    "io.write_graph": "gc.train.write_graph", "io.TFRecordWriter": _FEED, "io.tf_record_iterator": _FEED,
    "flags": "Python's argparse",
    "app": "a plain call of your main()",
    "logging": "Python's logging",
    "saved_model": "gc.freeze and gc.train.write_graph",
    "python_io": _FEED,
    "feature_column": "gc.one_hot and gc.gather",
    "strings.unicode_script": _HOST, "strings.unicode_split": _HOST, "strings.bytes_split": _HOST,
    "strings.ngrams": _HOST, "strings.unicode_split_with_offsets": _HOST,
    "nest": "Python's own lists and dicts: gc.while_loop and session.run take any nesting",
    "profiler": "GRAPHC_TRACE=1, or gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE) and gc.RunMetadata",
    "tpu": "nothing: graphc runs on CPUs",
    "distribute": "nothing: graphc runs in one process",
    # inside parts that exist
    "contrib.layers": "the functions of gc.nn, and gc.get_variable for their variables",
    "linalg.eig": _HOST, "matrix_logarithm": "gc.linalg.logm",
    # control flow, arrays
    # math
    "moments": "gc.nn.moments", "select": "gc.where", # random
    # variables, gradients
    "fixed_size_partitioner": "variables in one piece", "placeholder_v2": "gc.placeholder",
    "RaggedTensor": "a padded tensor and its lengths",
    # modes
    "enable_eager_execution": "gc.Session: graphc only has graphs", "executing_eagerly": "nothing: it would be False",
    "disable_eager_execution": "nothing: graphs are all there is, so leave the call out",
    "disable_v2_behavior": "nothing: graphs are all there is, so leave the call out",
    "container": "nothing: variables belong to their session", "VERSION": "gc.__version__",
    "TextLineReader": _FEED, "TFRecordReader": _FEED,
    "WholeFileReader": _FEED,
    "scalar_summary": "fetch the numbers and write them from Python", "merge_all_summaries": "a list of fetches",
    # nn
    "nn.rnn_cell": _CELL, "nn.dynamic_rnn": _CELL, "nn.static_rnn": _CELL,
    "nn.bidirectional_dynamic_rnn": _CELL, "nn.seq2seq": _CELL, # train
    "train.Saver": _SAVE, "train.latest_checkpoint": _SAVE, "train.get_checkpoint_state": _SAVE,
    "train.import_meta_graph": "gc.import_graph_def", "train.export_meta_graph": "gc.train.write_graph",
    "train.MonitoredTrainingSession": "gc.Session and a loop",
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
