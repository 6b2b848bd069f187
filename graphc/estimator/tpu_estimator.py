"""TPUEstimator with use_tpu=False: an Estimator whose functions learn the batch's size from params["batch_size"]."""
from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.estimator.arguments import LOG, argument_names, called_with
from graphc.estimator.estimator import Estimator
from graphc.estimator.modes import ModeKeys
from graphc.estimator.spec import EstimatorSpec
from graphc.estimator.tpu_config import TPURunConfig

_RESERVED = ("batch_size", "context")


class _Fields(NamedTuple):
    mode: Any
    predictions: Any
    loss: Any
    train_op: Any
    eval_metrics: Any
    export_outputs: Any
    scaffold_fn: Any
    host_call: Any
    training_hooks: Any
    evaluation_hooks: Any
    prediction_hooks: Any


@public("contrib.tpu.TPUEstimatorSpec", "estimator.tpu.TPUEstimatorSpec")
class TPUEstimatorSpec(_Fields):
    """What a TPUEstimator's model function gives back, as `tf.contrib.tpu.TPUEstimatorSpec`.

    eval_metrics: (function, tensors), a list or a dict of them, whose function makes the metrics of the tensors.
    host_call: (function, tensors), whose result runs in each step. scaffold_fn() -> Scaffold. The others are those of
    tf.estimator.EstimatorSpec. Raises ValueError if eval_metrics or host_call are no such pair.

    >>> spec = gc.contrib.tpu.TPUEstimatorSpec(
    ...     gc.estimator.ModeKeys.EVAL, loss=gc.constant(1.),
    ...     eval_metrics=(lambda x: {"mean": gc.metrics.mean(x)}, [gc.constant([1., 2.])]))
    >>> sorted(spec.as_estimator_spec().eval_metric_ops)
    ['mean']
    """

    __slots__ = ()

    def __new__(cls, mode: str, predictions: Any = None, loss: Any = None, train_op: Any = None,
                eval_metrics: Any = None, export_outputs: Mapping[str, Any] | None = None,
                scaffold_fn: Callable[[], Any] | None = None, host_call: Any = None,
                training_hooks: Iterable[Any] | None = None, evaluation_hooks: Iterable[Any] | None = None,
                prediction_hooks: Iterable[Any] | None = None) -> TPUEstimatorSpec:
        for name, given in (("eval_metrics", eval_metrics), ("host_call", host_call)):
            if given is not None and not (isinstance(given, (tuple, list)) and len(given) == 2 and callable(given[0])):
                raise ValueError(f"TPUEstimatorSpec: argument '{name}' must be (function, tensors), but is {given!r}")
        return super().__new__(cls, mode, predictions, loss, train_op, eval_metrics, export_outputs, scaffold_fn,
                               host_call, tuple(training_hooks or ()), tuple(evaluation_hooks or ()),
                               tuple(prediction_hooks or ()))

    def as_estimator_spec(self) -> EstimatorSpec:
        """The EstimatorSpec of the same operations: its functions are called."""
        hooks = () if self.host_call is None else (_EachStep(_called(self.host_call)),)
        return EstimatorSpec(
            self.mode, self.predictions, self.loss, self.train_op,
            None if self.eval_metrics is None else _called(self.eval_metrics), self.export_outputs,
            scaffold=self.scaffold_fn() if self.scaffold_fn else None, training_hooks=(*self.training_hooks, *hooks),
            evaluation_hooks=(*self.evaluation_hooks, *hooks), prediction_hooks=(*self.prediction_hooks, *hooks))


def _called(pair: Any) -> Any:
    function, tensors = pair
    return function(**tensors) if isinstance(tensors, dict) else function(*tensors)


class _EachStep(gc.train.SessionRunHook):
    """Runs what a host_call gave along with each step."""

    def __init__(self, fetches: Any) -> None:
        self._fetches = fetches

    def before_run(self, run_context: Any) -> Any:
        return gc.train.SessionRunArgs(self._fetches)


@public("contrib.tpu.TPUEstimator", "estimator.tpu.TPUEstimator")
class TPUEstimator(Estimator):
    """An Estimator of programs that may run on TPUs, as `tf.contrib.tpu.TPUEstimator` with use_tpu=False.

    input_fn(params) and model_fn(features, labels, mode, params) learn from params["batch_size"] which of
    train_batch_size, eval_batch_size and predict_batch_size is theirs, model_fn from params["use_tpu"] that there is
    no TPU. model_fn gives a TPUEstimatorSpec or an EstimatorSpec. config: a tf.contrib.tpu.RunConfig.

    Raises UnimplementedError with use_tpu=True, ValueError for a config of another class, for params of reserved names
    ("batch_size", "context"), and for functions that do not take params. The arguments about exports and TPU's tables
    change nothing.

    >>> def model_fn(features, labels, mode, params):
    ...     w = gc.get_variable("w", [], initializer=gc.zeros_initializer())
    ...     loss = gc.losses.mean_squared_error(labels, features["x"] * w)
    ...     step = gc.train.GradientDescentOptimizer(0.1).minimize(loss, gc.train.get_global_step())
    ...     return gc.contrib.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=step)
    >>> def input_fn(params):
    ...     data = gc.data.Dataset.from_tensor_slices(({"x": [1., 2.]}, [3., 6.]))
    ...     return data.repeat().batch(params["batch_size"], drop_remainder=True)
    >>> config = gc.contrib.tpu.RunConfig(model_dir="model")
    >>> model = gc.contrib.tpu.TPUEstimator(model_fn, config=config, use_tpu=False, train_batch_size=2)
    >>> model.train(input_fn, steps=20).get_variable_value("w")
    np.float32(3.0)
    """

    def __init__(self, model_fn: Callable[..., Any], model_dir: Any = None, config: TPURunConfig | None = None,
                 params: Any = None, use_tpu: bool = True, train_batch_size: int | None = None,
                 eval_batch_size: int | None = None, predict_batch_size: int | None = None,
                 batch_axis: Sequence[int] | None = None, eval_on_tpu: bool = True, export_to_tpu: bool = True,
                 export_to_cpu: bool = True, warm_start_from: Any = None,
                 experimental_export_device_assignment: bool = False, embedding_config_spec: Any = None,
                 export_saved_model_api_version: int = 1) -> None:
        if use_tpu:
            raise UnimplementedError("TPUEstimator: argument 'use_tpu' must be False, but is True: graphc does not run "
                                     "on TPUs; the program runs on the CPU with use_tpu=False")
        if not isinstance(config, TPURunConfig):
            raise ValueError(f"`config` must be provided with type `tf.contrib.tpu.RunConfig`, but is {config!r}.")
        if params is not None and (taken := [name for name in _RESERVED if name in params]):
            raise ValueError(f"TPUEstimator: params hold {taken}, which are names of its own; rename yours")
        self._batch_sizes = {ModeKeys.TRAIN: train_batch_size, ModeKeys.EVAL: eval_batch_size,
                             ModeKeys.PREDICT: predict_batch_size}
        super().__init__(model_fn, model_dir, config, params, warm_start_from)

    def _call_input_fn(self, input_fn: Callable[..., Any], mode: str) -> Any:
        if "params" not in argument_names(input_fn):
            raise ValueError(f"input_fn ({input_fn}) does not include params argument, required by TPUEstimator to "
                             'pass batch size as params["batch_size"]')
        return called_with(input_fn, {"mode": mode, "params": self._params_of(mode), "config": self.config})

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        names = argument_names(self._model_fn)
        if labels is not None and "labels" not in names:
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        if "params" not in names:
            raise ValueError(f"model_fn ({self._model_fn}) does not include params argument, required by TPUEstimator "
                             'to pass batch size as params["batch_size"]')
        params = self._params_of(mode)
        _put(params, "use_tpu", False)
        LOG.info("Running %s on CPU", mode)
        spec = called_with(self._model_fn, {"features": features, "labels": labels, "mode": mode, "params": params,
                                            "config": config})
        if isinstance(spec, TPUEstimatorSpec):
            return spec.as_estimator_spec()
        if not isinstance(spec, EstimatorSpec):
            raise ValueError(f"model_fn should return a TPUEstimatorSpec or an EstimatorSpec, but returned {spec!r}.")
        return spec

    def _export(self, *arguments: Any) -> bytes:
        """A model that is exported serves batches of any size, so that params hold none."""
        any_size = copy.copy(self)
        any_size._batch_sizes = dict.fromkeys(self._batch_sizes)
        return Estimator._export(any_size, *arguments)

    def _params_of(self, mode: str) -> Any:
        params = copy.deepcopy(self._params)
        if self._batch_sizes[mode] is not None:
            _put(params, "batch_size", self._batch_sizes[mode])
        return params


def _put(params: Any, name: str, value: Any) -> None:
    """Into a dict, or an HParams."""
    if not hasattr(params, "set_hparam"):
        params[name] = value
    elif name in params:
        params.set_hparam(name, value)
    else:
        params.add_hparam(name, value)
