"""What to use in place of a TensorFlow 1 name that graphc does not have yet: the answer of the modules' __getattr__.

A key is the name behind `tf.`; a name inside a missing part (layers.dense) is answered when the part is asked for.
Every gc.* name in the advice exists (tests/errors/test_names.py reads them).
"""
from __future__ import annotations

from collections.abc import Iterable

from graphc.ir.names import suggestion
from graphc.wording import worded

_LOOP = "gc.while_loop with gc.gather of the element; over a known number of elements a Python loop and gc.stack"
_TABLE_ROWS = "gc.gather (its gradient is dense)"
_HOST = "gc.py_func with NumPy's function"
_COMPARE = "gc.Assert with gc.reduce_all of the comparison"
_MATMUL = "gc.matmul, gc.transpose and gc.reshape"

ADVICE: dict[str, str] = {
    # whole parts
    "keras": "gc.nn, gc.get_variable and gc.train; `graphc tf1` runs programs with tf.keras on the package keras 2.2",
    "gfile": "Python's open, os and glob",
    "io.parse_tensor": "Python before feeding: gc.make_ndarray of a TensorProto",
    "parse_tensor": "Python before feeding: gc.make_ndarray of a TensorProto",
    "flags": "Python's argparse",
    "app": "a plain call of your main()",
    "logging": "Python's logging",
    "strings.unicode_script": _HOST, "strings.unicode_split": _HOST, "strings.bytes_split": _HOST,
    "strings.ngrams": _HOST, "strings.unicode_split_with_offsets": _HOST,
    "profiler": "GRAPHC_TRACE=1, or gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE) and gc.RunMetadata",
    "tpu": "nothing: graphc runs on CPUs",
    "distribute": "nothing: graphc runs in one process",
    # inside parts that exist
    "linalg.eig": _HOST, "matrix_logarithm": "gc.linalg.logm",
    # control flow, arrays
    # math
    "moments": "gc.nn.moments", "select": "gc.where", # random
    # variables, gradients
    "placeholder_v2": "gc.placeholder",
    "RaggedTensor": "a padded tensor and its lengths",
    # estimators
    **{f"contrib.learn.{name}": f"gc.estimator.{name}, with feature columns (gc.feature_column) and an input_fn"
       for name in ("DNNClassifier", "DNNRegressor", "DNNLinearCombinedClassifier", "DNNLinearCombinedRegressor",
                    "Estimator", "LinearClassifier", "LinearRegressor", "RunConfig")},
    "contrib.learn.infer_real_valued_columns_from_input": "gc.feature_column.numeric_column with the input's shape",
    "contrib.learn.Experiment": "gc.estimator.train_and_evaluate",
    "contrib.layers.real_valued_column": "gc.feature_column.numeric_column",
    # modes
    "enable_eager_execution": "gc.Session: graphc only has graphs", "executing_eagerly": "nothing: it would be False",
    "disable_eager_execution": "nothing: graphs are all there is, so leave the call out",
    "disable_v2_behavior": "nothing: graphs are all there is, so leave the call out",
    # nn
}


def missing(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for `name`, which `module` ("graphc", "graphc.nn", "graphc.train") does not have."""
    inner = module.partition(".")[2]
    wanted = f"{inner}.{name}" if inner else name
    advice = ADVICE.get(wanted)
    if advice is not None:
        return AttributeError(worded(f"graphc does not have tf.{wanted} (yet); use instead: {advice}"), name=name)
    # Python's own machinery asks for many names of its own; comparing with thousands takes milliseconds.
    near = "" if name.startswith("_") else suggestion(name, [n for n in known if not n.startswith("_")])
    return AttributeError(f"module '{module}' has no attribute {name!r}{near}", name=name)
