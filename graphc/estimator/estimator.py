"""Estimator: trains, evaluates, asks and exports a model that a function builds."""
from __future__ import annotations

import contextlib
import copy
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.estimator import evaluation, exporting, training_run
from graphc.estimator.arguments import (
    LOG,
    argument_names,
    called_with,
    check_model_fn,
    checked_hooks,
    checked_listeners,
)
from graphc.estimator.input_results import ends, features_alone, features_and_labels
from graphc.estimator.modes import ModeKeys
from graphc.estimator.run_config import RunConfig
from graphc.estimator.spec import EstimatorSpec
from graphc.estimator.warm_start import settings_of

_MAY_BE_OVERRIDDEN = {"model_fn", "_create_and_assert_global_step"}


@public("estimator.Estimator")
class Estimator:
    """A model that is trained, evaluated, asked and exported by checkpoints in a folder, as `tf.estimator.Estimator`.

    model_fn(features, labels, mode, params, config) -> EstimatorSpec; it may leave out all but the first. model_dir
    (that of config, or else a new temporary folder): where checkpoints and events are written, and found again. params
    is given to model_fn and to input functions that have such an argument. warm_start_from: a checkpoint, a SavedModel,
    or WarmStartSettings, for the values to begin with.

    Each call builds a graph of its own. An input function gives (features, labels), or a Dataset of such pairs. A
    subclass may add methods, but not override these (ValueError). Raises ValueError for a model_fn without features, or
    with other arguments than these, a config that is no RunConfig, and another model_dir than that of config.

    >>> def model_fn(features, labels, mode, params):
    ...     w = gc.get_variable("w", [], initializer=gc.zeros_initializer())
    ...     predictions = features["x"] * w
    ...     if mode == gc.estimator.ModeKeys.PREDICT:
    ...         return gc.estimator.EstimatorSpec(mode, predictions)
    ...     loss = gc.losses.mean_squared_error(labels, predictions)
    ...     step = gc.train.GradientDescentOptimizer(params["rate"]).minimize(loss, gc.train.get_global_step())
    ...     return gc.estimator.EstimatorSpec(mode, predictions, loss, step)
    >>> model = gc.estimator.Estimator(model_fn, "model", params={"rate": 0.1})
    >>> _ = model.train(lambda: ({"x": gc.constant([1., 2.])}, gc.constant([3., 6.])), steps=20)
    >>> model.get_variable_value("w")
    np.float32(3.0)
    >>> next(model.predict(lambda: {"x": gc.constant([10.])}))
    np.float32(30.0)
    """

    def __init__(self, model_fn: Callable[..., EstimatorSpec], model_dir: Any = None, config: RunConfig | None = None,
                 params: Any = None, warm_start_from: Any = None) -> None:
        self._check_overridden()
        if model_fn is None:
            raise ValueError("model_fn must be provided to Estimator.")
        check_model_fn(model_fn, params)
        self._config = _config_with(config, model_dir)
        LOG.info("Using config: %r", self._config)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})
        self._warm_start_settings = settings_of(warm_start_from)

    def _check_overridden(self) -> None:
        ours = next(kind for kind in type(self).__mro__ if kind.__module__.startswith("graphc.estimator."))
        names = {name for name in dir(Estimator) if not name.startswith("__")} - _MAY_BE_OVERRIDDEN
        found = sorted(name for name in names if getattr(type(self), name) is not getattr(ours, name))
        if found:
            raise ValueError(f"Subclasses of Estimator cannot override members of Estimator. {type(self)} does "
                             f"override {found}")

    # What it is

    model_dir = property(lambda self: self._config.model_dir, doc="The folder of its checkpoints.")
    config = property(lambda self: copy.deepcopy(self._config), doc="A copy of its RunConfig.")
    params = property(lambda self: copy.deepcopy(self._params), doc="A copy of its hyperparameters.")

    @property
    def model_fn(self) -> Callable[..., EstimatorSpec]:
        """The model function with its params: (features, labels, mode, config) -> EstimatorSpec."""
        def public_model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
            return self._call_model_fn(features, labels, mode, config)
        return public_model_fn

    def latest_checkpoint(self) -> str | None:
        """The newest checkpoint, or None."""
        found: str | None = gc.train.latest_checkpoint(self.model_dir)
        return found

    def get_variable_names(self) -> list[str]:
        """The names in the newest checkpoint. ValueError if there is none yet."""
        return [name for name, _ in gc.train.list_variables(self._needed_checkpoint())]

    def get_variable_value(self, name: str) -> Any:
        """The array of that name in the newest checkpoint. ValueError if there is none yet."""
        return gc.train.load_variable(self._needed_checkpoint(), name)

    def _needed_checkpoint(self) -> str:
        found = self.latest_checkpoint()
        if found is None:
            raise ValueError(f"Couldn't find trained model at {self.model_dir}.")
        return found

    def eval_dir(self, name: str | None = None) -> str:
        """The folder of an evaluation's events."""
        return os.path.join(self.model_dir, f"eval_{name}" if name else "eval")

    # What it does

    def train(self, input_fn: Callable[..., Any], hooks: Iterable[Any] | None = None, steps: int | None = None,
              max_steps: int | None = None, saving_listeners: Iterable[Any] | None = None) -> Estimator:
        """Trains from the newest checkpoint on: `steps` steps, until the step is max_steps, or until the data ends.

        Raises ValueError if both are given, or one is not positive, for an input_fn that gives a tuple of
        other than two, and a model_fn that gives no EstimatorSpec; TypeError for what is no hook or listener.
        """
        for name, given in (("steps", steps), ("max_steps", max_steps)):
            if given is not None and given <= 0:
                raise ValueError(f"Must specify {name} > 0, given: {given}")
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        all_hooks, listeners = checked_hooks(hooks), checked_listeners(saving_listeners)
        if max_steps is not None and max_steps <= self._saved_step():
            LOG.info("Skipping training since max_steps has already saved.")
            return self
        if steps is not None or max_steps is not None:
            all_hooks.append(gc.train.StopAtStepHook(steps, max_steps))
        with self._new_graph() as graph, graph.device(self._config.device_fn):
            self._create_and_assert_global_step(graph)
            features, labels, input_hooks = features_and_labels(self._call_input_fn(input_fn, ModeKeys.TRAIN))
            spec = self._call_model_fn(features, labels, ModeKeys.TRAIN, self.config)
            self._warm_start(None)
            loss = training_run.run(spec, self._config, [*input_hooks, *all_hooks], listeners)
        LOG.info("Loss for final step: %s.", loss)
        return self

    def _saved_step(self) -> int:
        found = self.latest_checkpoint()
        return 0 if found is None else int(gc.train.load_variable(found, gc.GraphKeys.GLOBAL_STEP))

    def evaluate(self, input_fn: Callable[..., Any], steps: int | None = None, hooks: Iterable[Any] | None = None,
                 checkpoint_path: str | None = None, name: str | None = None) -> dict[str, Any]:
        """The metrics of the newest checkpoint (or that one) over `steps` batches, or all: eval_metric_ops, loss (the
        mean of the batches' losses) and global_step. They are written to eval_dir(name), too.

        Without a checkpoint the variables have their initial values. Raises ValueError unless steps is positive.
        """
        all_hooks = checked_hooks(hooks)
        if steps is not None:
            if steps <= 0:
                raise ValueError(f"Must specify steps > 0, given: {steps}")
            all_hooks.append(gc.contrib.training.StopAfterNEvalsHook(steps))
        checkpoint_path = self._checkpoint(checkpoint_path, "evaluate")
        with self._new_graph() as graph:
            self._create_and_assert_global_step(graph)
            features, labels, input_hooks = features_and_labels(self._call_input_fn(input_fn, ModeKeys.EVAL))
            spec = self._call_model_fn(features, labels, ModeKeys.EVAL, self.config)
            self._warm_start(checkpoint_path)
            return evaluation.run(spec, self._config, checkpoint_path, [*input_hooks, *all_hooks], self.eval_dir(name))

    def predict(self, input_fn: Callable[..., Any], predict_keys: Any = None, hooks: Iterable[Any] | None = None,
                checkpoint_path: str | None = None, yield_single_examples: bool = True) -> Iterator[Any]:
        """The predictions, an example at a time, or (yield_single_examples=False) a batch. predict_keys: names of those
        that are wanted, where predictions are a dict.

        Nothing happens before the first is asked for. With an input_fn of plain tensors, no Dataset and no queue, they
        never end (a warning says so). The graph is the default one only while one is computed, so that several may be
        asked in turn.
        """
        all_hooks = checked_hooks(hooks)
        checkpoint_path = self._checkpoint(checkpoint_path, "predict")
        with self._new_graph() as graph:
            self._create_and_assert_global_step(graph)
            features, input_hooks = features_alone(self._call_input_fn(input_fn, ModeKeys.PREDICT))
            if not ends(features):
                LOG.warning("Input graph does not use a Dataset or contain a QueueRunner. That means predict yields "
                            "forever. This is probably a mistake.")
            spec = self._call_model_fn(features, None, ModeKeys.PREDICT, self.config)
            self._warm_start(checkpoint_path)
            wanted = _chosen(spec.predictions, predict_keys)
            creator = gc.train.ChiefSessionCreator(scaffold=spec.scaffold, config=self._config.session_config,
                                                   checkpoint_filename_with_path=checkpoint_path)
            session = gc.train.MonitoredSession(creator, [*input_hooks, *all_hooks, *spec.prediction_hooks])
        with contextlib.ExitStack() as stack:
            stack.push(lambda *error: _left(graph, session, error))
            while not session.should_stop():
                with graph.as_default():
                    values = session.run(wanted)
                yield from _examples(values) if yield_single_examples else [values]

    def export_saved_model(self, export_dir_base: Any, serving_input_receiver_fn: Callable[[], Any],
                           assets_extra: dict[str, str] | None = None, as_text: bool = False,
                           checkpoint_path: str | None = None, experimental_mode: str = ModeKeys.PREDICT) -> bytes:
        """Writes a SavedModel for serving into a new folder of export_dir_base, named after the second; its path.

        serving_input_receiver_fn() -> ServingInputReceiver. assets_extra: path in assets.extra -> file to be copied.
        Raises ValueError without a checkpoint or a serving_input_receiver_fn, UnimplementedError for another mode than
        PREDICT.
        """
        if experimental_mode != ModeKeys.PREDICT:
            raise gc.errors.UnimplementedError(
                f"export_saved_model: argument 'experimental_mode' must be ModeKeys.PREDICT, but is "
                f"{experimental_mode!r}; a graph for training is written by gc.train.export_meta_graph")
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, True)

    def export_savedmodel(self, export_dir_base: Any, serving_input_receiver_fn: Callable[[], Any],
                          assets_extra: dict[str, str] | None = None, as_text: bool = False,
                          checkpoint_path: str | None = None, strip_default_attrs: bool = False) -> bytes:
        """The older name of export_saved_model; raises as that."""
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path,
                            strip_default_attrs)

    def _export(self, base: Any, receiver_fn: Any, assets_extra: Any, as_text: bool, checkpoint_path: str | None,
                strip_default_attrs: bool) -> bytes:
        if not receiver_fn:
            raise ValueError("An input_receiver_fn must be defined.")
        checkpoint_path = checkpoint_path or self.latest_checkpoint() or self._warm_checkpoint()
        with self._new_graph() as graph:
            self._create_and_assert_global_step(graph)
            receiver = receiver_fn()
            spec = self._call_model_fn(receiver.features, None, ModeKeys.PREDICT, self.config)
            return exporting.export(os.fsdecode(base), spec, receiver, checkpoint_path, self._config.session_config,
                                    assets_extra or {}, as_text, strip_default_attrs)

    # Its parts

    @contextlib.contextmanager
    def _new_graph(self) -> Iterator[Any]:
        with gc.Graph().as_default() as graph:
            gc.set_random_seed(self._config.tf_random_seed)
            yield graph

    def _create_and_assert_global_step(self, graph: Any) -> Any:
        step = gc.train.create_global_step(graph)
        gc.train.assert_global_step(step)
        return step

    def _call_input_fn(self, input_fn: Callable[..., Any], mode: str) -> Any:
        return called_with(input_fn, {"mode": mode, "params": self.params, "config": self.config})

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        if labels is not None and "labels" not in argument_names(self._model_fn):
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        LOG.info("Calling model_fn.")
        spec = called_with(self._model_fn, {"features": features, "labels": labels, "mode": mode, "params": self.params,
                                            "config": config})
        LOG.info("Done calling model_fn.")
        if not isinstance(spec, EstimatorSpec):
            raise ValueError(f"model_fn should return an EstimatorSpec, but returned {spec!r}.")
        return spec

    def _checkpoint(self, given: str | None, doing: str) -> str | None:
        found = given or self.latest_checkpoint()
        if found is None:
            LOG.info("Could not find trained model in model_dir: %s, running initialization to %s.", self.model_dir,
                     doing)
        return found

    def _warm_start(self, checkpoint_path: str | None) -> None:
        """Values to begin with; a checkpoint of this model goes before them."""
        if self._warm_start_settings is not None and not checkpoint_path:
            LOG.info("Warm-starting with WarmStartSettings: %s", self._warm_start_settings)
            gc.train.warm_start(*self._warm_start_settings)

    def _warm_checkpoint(self) -> str:
        if self._warm_start_settings is None:
            return self._needed_checkpoint()
        found = self._warm_start_settings.ckpt_to_initialize_from
        latest: str = gc.train.latest_checkpoint(found) if os.path.isdir(found) else found
        return latest


def _config_with(config: RunConfig | None, model_dir: Any) -> RunConfig:
    """The config, with the folder of the constructor, or a temporary one."""
    config = RunConfig() if config is None else config
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config!r}.")
    folder = None if model_dir is None else os.fsdecode(model_dir)
    if folder is not None and config.model_dir not in (None, folder):
        raise ValueError("`model_dir` are set both in constructor and `RunConfig`, but with different values. In "
                         f"constructor: '{folder}', in `RunConfig`: '{config.model_dir}'")
    if not folder and config.model_dir is None:
        folder = tempfile.mkdtemp()
        LOG.warning("Using temporary folder as model directory: %s", folder)
    return config.replace(model_dir=folder) if folder else config


def _chosen(predictions: Any, keys: Sequence[str] | None) -> Any:
    if not keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("predict_keys argument is not valid in case of non-dict predictions.")
    found = {key: value for key, value in predictions.items() if key in keys}
    if not found:
        raise ValueError(f"Expected to run at least one output from {sorted(predictions)}, provided {keys}.")
    return found


def _examples(values: Any) -> Iterator[Any]:
    """The rows of a batch."""
    if not isinstance(values, dict):
        yield from values
        return
    counts = {key: len(value) for key, value in values.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"Batch length of predictions should be same, but is {counts}. "
                         "yield_single_examples=False gives whole batches.")
    for i in range(next(iter(counts.values()))):
        yield {key: value[i] for key, value in values.items()}


def _left(graph: Any, session: Any, error: Any) -> bool:
    with graph.as_default():
        done: bool = session.__exit__(*error)
    return done
