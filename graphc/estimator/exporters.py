"""Exporters: which evaluated checkpoints train_and_evaluate writes as SavedModels."""
from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.estimator.arguments import LOG, argument_names


@public("estimator.Exporter")
class Exporter:
    """Base of the exporters, as `tf.estimator.Exporter`.

    A subclass has a property `name` and export(estimator, export_path, checkpoint_path, eval_result,
    is_the_final_export). Here they raise NotImplementedError.

    >>> class Report(gc.estimator.Exporter):
    ...     name = "report"
    ...     def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
    ...         print(checkpoint_path, is_the_final_export)
    >>> Report().export(None, "export", "model.ckpt-3", {"loss": 0.5}, True)
    model.ckpt-3 True
    """

    @property
    def name(self) -> str:
        """The folder inside export/."""
        raise NotImplementedError(f"{type(self).__name__}.name")

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Mapping[str, Any],
               is_the_final_export: bool) -> bytes | None:
        """The path of what it wrote, or None."""
        raise NotImplementedError(f"{type(self).__name__}.export")


class _Saving(Exporter):
    """Writes SavedModels."""

    def __init__(self, name: str, serving_input_receiver_fn: Any, assets_extra: dict[str, str] | None, as_text: bool,
                 exports_to_keep: int | None) -> None:
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError(f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}")
        self._name, self._receiver_fn = name, serving_input_receiver_fn
        self._assets_extra, self._as_text, self._keep = assets_extra, as_text, exports_to_keep

    @property
    def name(self) -> str:
        return self._name

    def _save(self, estimator: Any, export_path: str, checkpoint_path: str) -> bytes:
        made: bytes = estimator.export_saved_model(export_path, self._receiver_fn, self._assets_extra, self._as_text,
                                                   checkpoint_path)
        if self._keep is not None:
            for old in _exports(export_path)[:-self._keep]:
                shutil.rmtree(os.path.join(export_path, old))
        return made


def _exports(folder: str) -> list[str]:
    """The exports there, the oldest one first: folders named after a second."""
    return sorted(name for name in os.listdir(folder) if len(name) == 10 and name.isdigit())


@public("estimator.LatestExporter")
class LatestExporter(_Saving):
    """Exports each evaluated checkpoint, and keeps the last exports_to_keep, as `tf.estimator.LatestExporter`.

    Raises ValueError unless exports_to_keep is positive or None.

    >>> receive = gc.estimator.export.build_parsing_serving_input_receiver_fn(
    ...     {"x": gc.FixedLenFeature([1], gc.float32)})
    >>> gc.estimator.LatestExporter("latest", receive, exports_to_keep=2).name
    'latest'
    """

    def __init__(self, name: str, serving_input_receiver_fn: Any, assets_extra: dict[str, str] | None = None,
                 as_text: bool = False, exports_to_keep: int | None = 5) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Mapping[str, Any],
               is_the_final_export: bool) -> bytes | None:
        return self._save(estimator, export_path, checkpoint_path)


@public("estimator.FinalExporter")
class FinalExporter(_Saving):
    """Exports the checkpoint of the last step, as `tf.estimator.FinalExporter`.

    The folder is export/NAME/TIME under the model's; serving_input_receiver_fn: as of Estimator.export_saved_model.

    >>> x = gc.feature_column.numeric_column("x")
    >>> def read():
    ...     return {"x": [[1.]]}, [[2.]]
    >>> model = gc.estimator.LinearRegressor([x], "exported")
    >>> receive = gc.estimator.export.build_parsing_serving_input_receiver_fn(
    ...     gc.feature_column.make_parse_example_spec([x]))
    >>> evaluation = gc.estimator.EvalSpec(read, steps=1, exporters=gc.estimator.FinalExporter("final", receive))
    >>> _, [folder] = gc.estimator.train_and_evaluate(model, gc.estimator.TrainSpec(read, max_steps=1), evaluation)
    >>> sorted(gc.io.gfile.listdir(folder))
    [b'saved_model.pb', b'variables']
    """

    def __init__(self, name: str, serving_input_receiver_fn: Any, assets_extra: dict[str, str] | None = None,
                 as_text: bool = False) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, None)

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Mapping[str, Any],
               is_the_final_export: bool) -> bytes | None:
        if not is_the_final_export:
            return None
        LOG.info("Performing the final export in the end of training.")
        return self._save(estimator, export_path, checkpoint_path)


def _loss_smaller(best_eval_result: Mapping[str, Any], current_eval_result: Mapping[str, Any]) -> bool:
    for name, given in (("best", best_eval_result), ("current", current_eval_result)):
        if not given or "loss" not in given:
            raise ValueError(f"{name}_eval_result cannot be empty or no loss is found in it.")
    return bool(best_eval_result["loss"] > current_eval_result["loss"])


@public("estimator.BestExporter")
class BestExporter(_Saving):
    """Exports a checkpoint that is better than all evaluated before, as `tf.estimator.BestExporter`.

    compare_fn(best_eval_result, current_eval_result): whether the current one is better, by default by its loss.
    event_file_pattern: where earlier results are found, in the model's folder; None: nowhere.
    serving_input_receiver_fn, assets_extra, as_text: as of Estimator.export_saved_model. exports_to_keep: None for
    all. Raises ValueError unless exports_to_keep is positive or None, or compare_fn has these two arguments.

    >>> exporter = gc.estimator.BestExporter(
    ...     serving_input_receiver_fn=lambda: None,
    ...     compare_fn=lambda best_eval_result, current_eval_result: (
    ...         current_eval_result["accuracy"] > best_eval_result["accuracy"]))
    >>> exporter.name
    'best_exporter'
    """

    def __init__(self, name: str = "best_exporter", serving_input_receiver_fn: Any = None,
                 event_file_pattern: str | None = "eval/*.tfevents.*",
                 compare_fn: Callable[..., bool] = _loss_smaller, assets_extra: dict[str, str] | None = None,
                 as_text: bool = False, exports_to_keep: int | None = 5) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        if compare_fn is None or set(argument_names(compare_fn)) != {"best_eval_result", "current_eval_result"}:
            raise ValueError("`compare_fn` must be a function of best_eval_result and current_eval_result, but is "
                             f"{compare_fn!r}")
        self._is_better, self._pattern = compare_fn, event_file_pattern
        self._model_dir: str | None = None
        self._best: Mapping[str, Any] | None = None

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: Mapping[str, Any],
               is_the_final_export: bool) -> bytes | None:
        if self._pattern and self._model_dir != estimator.model_dir:
            LOG.info("Loading best metric from event files.")
            self._model_dir = estimator.model_dir
            self._best = self._best_in(os.path.join(estimator.model_dir, self._pattern),
                                       eval_result.get(gc.GraphKeys.GLOBAL_STEP))
        if self._best is not None and not self._is_better(best_eval_result=self._best, current_eval_result=eval_result):
            return None
        LOG.info("Performing best model export.")
        self._best = eval_result
        return self._save(estimator, export_path, checkpoint_path)

    def _best_in(self, pattern: str, step: int | None) -> Mapping[str, Any] | None:
        """The best of the results that were written as summaries before: not that of this step."""
        best = None
        for path in sorted(glob.glob(pattern)):
            for event in gc.train.summary_iterator(path):
                found = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
                if not found or event.step == step:
                    continue
                if best is None or self._is_better(best_eval_result=best, current_eval_result=found):
                    best = found
        return best
