"""What is said of a name of TensorFlow 1 that is not here: which it is, if it is out of reach, what comes nearest."""
from __future__ import annotations

from collections.abc import Iterable

from graphc.compat.v1 import keras_package, second
from graphc.ir.names import suggestion
from graphc.missing import ADVICE
from graphc.wording import worded

# Parts that need what graphc does not mean to have, each with the reason.
OUT_OF_REACH: dict[str, str] = {
    "contrib.tpu": "graphc does not run on TPUs", "tpu": "graphc does not run on TPUs",
    "contrib.distribute": "graphc runs in one process", "distribute": "graphc runs in one process",
    "contrib.cluster_resolver": "graphc runs in one process",
    "contrib.tensor_forest": "it rests on C++ kernels of its own; scikit-learn has forests",
    "contrib.boosted_trees": "it rests on C++ kernels of its own; scikit-learn has boosted trees",
    **{f"estimator.BoostedTrees{kind}": "it rests on C++ kernels of its own; scikit-learn has boosted trees"
       for kind in ("Classifier", "Estimator", "Regressor")},
    "estimator.tpu": "graphc does not run on TPUs",
    "contrib.factorization": "it rests on C++ kernels of its own; scikit-learn has k-means and mixtures",
    "contrib.eager": "graphc only has graphs", "contrib.verbs": "graphc runs in one process",
    "contrib.mpi_collectives": "graphc runs in one process", "contrib.tensorrt": "graphc has kernels of its own",
    "contrib.lite": "graphc has a runner of its own: graphc-run",
    "lite": "graphc has a runner of its own: graphc-run", "contrib.cloud": "graphc reads local files",
    "contrib.bigtable": "graphc reads local files", "contrib.gan": "it is the package tensorflow-gan now",
    "contrib.timeseries": "it is no longer developed",
    "contrib.bayesflow": "it is the package tensorflow-probability now",
    "contrib.receptive_field": "it is the package receptive-field now", "xla": "graphc compiles every graph",
    "contrib.autograph": "write gc.cond and gc.while_loop", "autograph": "write gc.cond and gc.while_loop",
}
PLANNED = ("profiler", "python.tools")


def reach(path: str) -> tuple[str, str]:
    """("out of reach", "in Keras", "planned" or "missing", the reason or an empty text) of tf.<path>."""
    if keras_package.is_keras(path):
        return "in Keras", keras_package.advice()
    if (inside := second.inside(path)) is not None:
        return ("out of reach", why) if (why := second.why_not(inside)) else reach(inside)
    parts = path.split(".")
    for i in range(len(parts), 0, -1):
        prefix = ".".join(parts[:i])
        if prefix in OUT_OF_REACH:
            return "out of reach", OUT_OF_REACH[prefix]
        if prefix in PLANNED:
            return "planned", ""
    return "missing", ""


def unknown(path: str, known: Iterable[str]) -> AttributeError:
    """The error for tf.<path>; known: the names beside it."""
    kind, reason = reach(path)
    last = path.rpartition(".")[2]
    text = f"tf.{path} is out of reach: {reason}" if kind == "out of reach" else (
        f"graphc does not have tf.{path} yet{' (it is planned)' if kind == 'planned' else ''}")
    if kind == "in Keras":
        text = f"graphc does not have tf.{path} itself: {reason}"
    elif path in ADVICE:
        text += f"; use instead: {ADVICE[path]}"
    elif kind == "missing":
        text += suggestion(last, [n for n in known if not n.startswith("_")])
    return AttributeError(worded(text), name=last)
