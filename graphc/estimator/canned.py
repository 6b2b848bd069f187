"""Canned models: linear ones, networks of hidden layers, and both together, for classes and for numbers."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.estimator.canned_logits import (
    check_features,
    dnn_logits,
    input_partitioner,
    linear_logits,
    optimizer_of,
    summarize_layer,
)
from graphc.estimator.estimator import Estimator
from graphc.estimator.heads import Head, RegressionHead, classifier_head
from graphc.estimator.run_config import RunConfig
from graphc.estimator.spec import EstimatorSpec

SUM = "weighted_sum"                  # gc.losses.Reduction.SUM
ModelFn = Callable[..., EstimatorSpec]


def linear_model_fn(head: Head, columns: Any, optimizer: Any, partitioner: Any, sparse_combiner: str) -> ModelFn:
    columns = tuple(columns or ())

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        check_features(features)
        with gc.variable_scope("linear", values=list(features.values()),
                               partitioner=input_partitioner(partitioner, config)):
            logits = linear_logits(features, columns, head.logits_dimension, sparse_combiner)
            made = optimizer_of(optimizer or _small_ftrl(len(columns), 0.2), 0.2)
            return head.create_estimator_spec(features, mode, logits, labels, _minimized_by(made))

    return model_fn


def _small_ftrl(columns: int, most: float) -> Any:
    return gc.train.FtrlOptimizer(_learning_rate(columns, most))


def _learning_rate(columns: int, most: float) -> float:
    """One that is smaller for many columns."""
    return min(most, 1 / columns ** 0.5)


def _minimized_by(optimizer: Any) -> Callable[[Any], Any]:
    return lambda loss: optimizer.minimize(loss, global_step=gc.train.get_global_step())


def dnn_model_fn(head: Head, columns: Any, hidden_units: Sequence[int], optimizer: Any, activation_fn: Any,
                 dropout: float | None, partitioner: Any, batch_norm: bool) -> ModelFn:
    columns = tuple(columns or ())

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        check_features(features)
        made = optimizer_of(optimizer, 0.05)
        with gc.variable_scope("dnn", values=list(features.values()), partitioner=_whole(config)):
            logits = dnn_logits(features, mode, columns, head.logits_dimension, hidden_units, activation_fn, dropout,
                                input_partitioner(partitioner, config), batch_norm)
            return head.create_estimator_spec(features, mode, logits, labels, _minimized_by(made))

    return model_fn


def _whole(config: Any) -> Any:
    """A partitioner that leaves variables in one part, named as parts are."""
    return gc.min_max_variable_partitioner(max(1, config.num_ps_replicas))


def combined_model_fn(head: Head, linear_columns: Any, linear_optimizer: Any, dnn_columns: Any, dnn_optimizer: Any,
                      hidden_units: Sequence[int] | None, activation_fn: Any, dropout: float | None, partitioner: Any,
                      batch_norm: bool, sparse_combiner: str) -> ModelFn:
    """The sum of both models' logits. Raises ValueError if there are no columns at all, or no hidden_units."""
    linear_columns, dnn_columns = tuple(linear_columns or ()), tuple(dnn_columns or ())
    if not linear_columns and not dnn_columns:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    if dnn_columns and not hidden_units:
        raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        check_features(features)
        parts, optimizers = [], {}
        values, slices = list(features.values()), input_partitioner(partitioner, config)
        if dnn_columns:
            optimizers["dnn"] = _unsynchronised(optimizer_of(dnn_optimizer, 0.001))
            with gc.variable_scope("dnn", values=values, partitioner=_whole(config)):
                parts.append(dnn_logits(features, mode, dnn_columns, head.logits_dimension, hidden_units or (),
                                        activation_fn, dropout, slices, batch_norm))
        if linear_columns:
            rate = _learning_rate(len(linear_columns), 0.005)
            optimizers["linear"] = _unsynchronised(optimizer_of(linear_optimizer, rate))
            with gc.variable_scope("linear", values=values, partitioner=slices) as scope:
                parts.append(linear_logits(features, linear_columns, head.logits_dimension, sparse_combiner))
                summarize_layer(parts[-1], scope.name)
        logits = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        return head.create_estimator_spec(features, mode, logits, labels, lambda loss: _step_of_both(loss, optimizers))

    return model_fn


def _step_of_both(loss: Any, optimizers: dict[str, Any]) -> Any:
    """Each optimizer's step for the variables of its scope; then the global step."""
    steps = [optimizer.minimize(loss, var_list=gc.get_collection(gc.GraphKeys.TRAINABLE_VARIABLES, scope=f"{scope}/"))
             for scope, optimizer in optimizers.items()]
    with gc.control_dependencies([gc.group(*steps)]):
        return gc.assign_add(gc.train.get_global_step(), 1).op


def _unsynchronised(optimizer: Any) -> Any:
    if isinstance(optimizer, gc.train.SyncReplicasOptimizer):
        raise ValueError("SyncReplicasOptimizer does not support multi optimizers case. Therefore, it is not supported "
                         "in DNNLinearCombined model. If you want to use this optimizer, please use either DNN or "
                         "Linear model.")
    return optimizer


@public("estimator.LinearClassifier")
class LinearClassifier(Estimator):
    """A linear model of classes, as `tf.estimator.LinearClassifier`. label_vocabulary: the labels, if they are strings.
    optimizer: one, a function that makes one, or "Adagrad", "Adam", "Ftrl", "RMSProp" or "SGD".

    Labels: integers below n_classes (others end the training with InvalidArgumentError), [batch] or [batch, 1]. Raises
    ValueError for n_classes below 2, a label_vocabulary of another length, or an unknown loss_reduction; train raises
    it for an unknown optimizer, for strings without label_vocabulary, and for labels of other shapes.

    >>> color = gc.feature_column.categorical_column_with_vocabulary_list("color", ["red", "green", "blue"])
    >>> def read():
    ...     return {"color": [["red"], ["green"], ["blue"]]}, [["stop"], ["go"], ["go"]]
    >>> model = gc.estimator.LinearClassifier([color], "linear", label_vocabulary=["go", "stop"])
    >>> _ = model.train(read, steps=20)
    >>> answers = model.predict(read)
    >>> [next(answers)["classes"][0] for _ in range(3)]
    [b'stop', b'go', b'go']
    """

    def __init__(self, feature_columns: Any, model_dir: Any = None, n_classes: int = 2, weight_column: Any = None,
                 label_vocabulary: Sequence[str] | None = None, optimizer: Any = "Ftrl",
                 config: RunConfig | None = None, partitioner: Any = None, warm_start_from: Any = None,
                 loss_reduction: str = SUM, sparse_combiner: str = "sum") -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(linear_model_fn(head, feature_columns, optimizer, partitioner, sparse_combiner), model_dir,
                         config, warm_start_from=warm_start_from)


@public("estimator.LinearRegressor")
class LinearRegressor(Estimator):
    """A linear model of numbers, as `tf.estimator.LinearRegressor`. optimizer: as of LinearClassifier.

    Labels: numbers, [batch] or [batch, label_dimension]. Raises ValueError for a label_dimension below 1, or an unknown
    loss_reduction; train raises it for labels of another shape, TypeError for strings.

    >>> x = gc.feature_column.numeric_column("x")
    >>> def read():
    ...     return {"x": [[0.], [1.], [2.]]}, [[1.], [3.], [5.]]
    >>> model = gc.estimator.LinearRegressor([x], "line", optimizer=gc.train.GradientDescentOptimizer(0.1))
    >>> _ = model.train(read, steps=200)
    >>> answers = model.predict(read)             # batch for batch, as long as `read` gives some
    >>> [round(float(next(answers)["predictions"][0]), 2) for _ in range(3)]
    [1.0, 3.0, 5.0]
    """

    def __init__(self, feature_columns: Any, model_dir: Any = None, label_dimension: int = 1,
                 weight_column: Any = None, optimizer: Any = "Ftrl", config: RunConfig | None = None,
                 partitioner: Any = None, warm_start_from: Any = None, loss_reduction: str = SUM,
                 sparse_combiner: str = "sum") -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(linear_model_fn(head, feature_columns, optimizer, partitioner, sparse_combiner), model_dir,
                         config, warm_start_from=warm_start_from)


@public("estimator.DNNClassifier")
class DNNClassifier(Estimator):
    """A network of hidden layers for classes, as `tf.estimator.DNNClassifier`. dropout: the share that is left out when
    it is trained. optimizer: as of LinearClassifier.

    It takes dense columns (train raises ValueError for others); labels and errors: as of LinearClassifier.

    >>> age = gc.feature_column.numeric_column("age")
    >>> def read():
    ...     return {"age": [[-2.], [-1.], [1.], [2.]]}, [0, 0, 1, 1]
    >>> model = gc.estimator.DNNClassifier([8], [age], "dnn", optimizer=gc.train.AdamOptimizer(0.1))
    >>> _ = model.train(read, steps=20)
    >>> float(model.evaluate(read, steps=1)["accuracy"])
    1.0
    """

    def __init__(self, hidden_units: Sequence[int], feature_columns: Any, model_dir: Any = None, n_classes: int = 2,
                 weight_column: Any = None, label_vocabulary: Sequence[str] | None = None, optimizer: Any = "Adagrad",
                 activation_fn: Any = gc.nn.relu, dropout: float | None = None, input_layer_partitioner: Any = None,
                 config: RunConfig | None = None, warm_start_from: Any = None, loss_reduction: str = SUM,
                 batch_norm: bool = False) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(dnn_model_fn(head, feature_columns, hidden_units, optimizer, activation_fn, dropout,
                                      input_layer_partitioner, batch_norm), model_dir, config,
                         warm_start_from=warm_start_from)


@public("estimator.DNNRegressor")
class DNNRegressor(Estimator):
    """A network of hidden layers for numbers, as `tf.estimator.DNNRegressor`. The arguments: as of DNNClassifier.

    Labels and errors: as of LinearRegressor.

    >>> age = gc.feature_column.numeric_column("age")
    >>> def read():
    ...     return {"age": [[-1.], [0.], [1.]]}, [[-3.], [0.], [3.]]
    >>> model = gc.estimator.DNNRegressor([8], [age], "regression", optimizer=gc.train.AdamOptimizer(0.05))
    >>> _ = model.train(read, steps=100)
    >>> bool(model.evaluate(read, steps=1)["average_loss"] < 0.1)
    True
    """

    def __init__(self, hidden_units: Sequence[int], feature_columns: Any, model_dir: Any = None,
                 label_dimension: int = 1, weight_column: Any = None, optimizer: Any = "Adagrad",
                 activation_fn: Any = gc.nn.relu, dropout: float | None = None, input_layer_partitioner: Any = None,
                 config: RunConfig | None = None, warm_start_from: Any = None, loss_reduction: str = SUM,
                 batch_norm: bool = False) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(dnn_model_fn(head, feature_columns, hidden_units, optimizer, activation_fn, dropout,
                                      input_layer_partitioner, batch_norm), model_dir, config,
                         warm_start_from=warm_start_from)


@public("estimator.DNNLinearCombinedClassifier")
class DNNLinearCombinedClassifier(Estimator):
    """A linear model and a network together ("wide and deep") for classes, as
    `tf.estimator.DNNLinearCombinedClassifier`. The arguments: as of LinearClassifier and DNNClassifier.

    Raises ValueError, too, if both kinds of columns are left out, or dnn_hidden_units where there are
    dnn_feature_columns.

    >>> age = gc.feature_column.numeric_column("age")
    >>> def read():
    ...     return {"age": [[-2.], [-1.], [1.], [2.]]}, [0, 0, 1, 1]
    >>> model = gc.estimator.DNNLinearCombinedClassifier(
    ...     "wide_and_deep", linear_feature_columns=[age], dnn_feature_columns=[age], dnn_hidden_units=[8])
    >>> _ = model.train(read, steps=2)
    >>> [name for name in model.get_variable_names() if name.startswith("linear")]
    ['linear/linear_model/age/weights', 'linear/linear_model/age/weights/Ftrl',
    'linear/linear_model/age/weights/Ftrl_1', 'linear/linear_model/bias_weights',
    'linear/linear_model/bias_weights/Ftrl', 'linear/linear_model/bias_weights/Ftrl_1']
    """

    def __init__(self, model_dir: Any = None, linear_feature_columns: Any = None, linear_optimizer: Any = "Ftrl",
                 dnn_feature_columns: Any = None, dnn_optimizer: Any = "Adagrad",
                 dnn_hidden_units: Sequence[int] | None = None, dnn_activation_fn: Any = gc.nn.relu,
                 dnn_dropout: float | None = None, n_classes: int = 2, weight_column: Any = None,
                 label_vocabulary: Sequence[str] | None = None, input_layer_partitioner: Any = None,
                 config: RunConfig | None = None, warm_start_from: Any = None, loss_reduction: str = SUM,
                 batch_norm: bool = False, linear_sparse_combiner: str = "sum") -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(combined_model_fn(
            head, linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer, dnn_hidden_units,
            dnn_activation_fn, dnn_dropout, input_layer_partitioner, batch_norm, linear_sparse_combiner), model_dir,
            config, warm_start_from=warm_start_from)


@public("estimator.DNNLinearCombinedRegressor")
class DNNLinearCombinedRegressor(Estimator):
    """A linear model and a network together for numbers, as `tf.estimator.DNNLinearCombinedRegressor`. The arguments:
    as of LinearRegressor and DNNRegressor.

    Raises ValueError, too, if both kinds of columns are left out, or dnn_hidden_units where there are
    dnn_feature_columns.

    >>> age = gc.feature_column.numeric_column("age")
    >>> model = gc.estimator.DNNLinearCombinedRegressor(
    ...     "both", linear_feature_columns=[age], dnn_feature_columns=[age], dnn_hidden_units=[4])
    >>> _ = model.train(lambda: ({"age": [[1.], [2.]]}, [[3.], [5.]]), steps=1)
    >>> model.get_variable_value("global_step")
    np.int64(1)
    """

    def __init__(self, model_dir: Any = None, linear_feature_columns: Any = None, linear_optimizer: Any = "Ftrl",
                 dnn_feature_columns: Any = None, dnn_optimizer: Any = "Adagrad",
                 dnn_hidden_units: Sequence[int] | None = None, dnn_activation_fn: Any = gc.nn.relu,
                 dnn_dropout: float | None = None, label_dimension: int = 1, weight_column: Any = None,
                 input_layer_partitioner: Any = None, config: RunConfig | None = None, warm_start_from: Any = None,
                 loss_reduction: str = SUM, batch_norm: bool = False, linear_sparse_combiner: str = "sum") -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(combined_model_fn(
            head, linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer, dnn_hidden_units,
            dnn_activation_fn, dnn_dropout, input_layer_partitioner, batch_norm, linear_sparse_combiner), model_dir,
            config, warm_start_from=warm_start_from)
