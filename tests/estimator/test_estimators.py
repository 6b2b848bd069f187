"""Estimator: training goes on from its checkpoints, evaluation, predictions, and what is refused."""
from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

import lines

est = gc.estimator


def test_train_runs_until_the_data_ends_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path)
    assert model.train(lines.batches(epochs=2)) is model
    assert model.get_variable_names() == ["global_step", "w"]
    assert model.get_variable_value("global_step") == 5
    np.testing.assert_allclose(model.get_variable_value("w"), lines.by_hand(5)[0], rtol=1e-5)
    again = lines.estimator(tmp_path).train(lines.batches(None), steps=2)
    assert again.get_variable_value("global_step") == 7
    assert again.train(lines.batches(None), max_steps=8).get_variable_value("global_step") == 8
    assert again.train(lines.batches(None), max_steps=8).latest_checkpoint() == str(tmp_path / "model.ckpt-8")


def test_checkpoints_and_events_of_a_training(tmp_path: Path) -> None:
    lines.estimator(tmp_path, keep_checkpoint_max=2).train(lines.batches(None), steps=9)
    assert gc.train.get_checkpoint_state(tmp_path).all_model_checkpoint_paths == [
        str(tmp_path / "model.ckpt-8"), str(tmp_path / "model.ckpt-9")]
    (events,) = tmp_path.glob("events*")
    tags = {value.tag for event in gc.train.summary_iterator(str(events)) for value in event.summary.value}
    losses = [value.simple_value for event in gc.train.summary_iterator(str(events))
              for value in event.summary.value if value.tag == "loss"]
    assert tags == {"loss"}
    np.testing.assert_allclose(losses, [lines.by_hand(n)[1] for n in (1, 4, 7)], rtol=1e-5)
    assert (tmp_path / "graph.pbtxt").exists()


def test_evaluate_gives_metrics_and_writes_them(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path).train(lines.batches(None), steps=3)
    found = model.evaluate(lines.batches())
    w = lines.by_hand(3)[0]
    errors = lines.X @ w - lines.Y
    batches = [np.mean(errors[i:i + 4] ** 2) for i in (0, 4, 8)]
    np.testing.assert_allclose([found["loss"], found["error"]], [np.mean(batches), np.mean(np.abs(errors))], rtol=1e-5)
    assert found["global_step"] == 3 and list(found) == ["error", "loss", "global_step"]
    assert model.evaluate(lines.batches(), steps=1, name="one")["loss"] == pytest.approx(batches[0], rel=1e-5)
    (events,) = (tmp_path / "eval_one").glob("events*")
    values = [value for event in gc.train.summary_iterator(str(events)) for value in event.summary.value]
    assert [v.tag for v in values] == ["error", "loss", "checkpoint_path"]
    assert gc.make_ndarray(values[2].tensor).item() == str(tmp_path / "model.ckpt-3").encode()
    first = model.evaluate(lines.batches(), checkpoint_path=str(tmp_path / "model.ckpt-0"))
    assert first["global_step"] == 0 and first["loss"] > found["loss"]


def test_evaluate_without_a_checkpoint_uses_initial_values(tmp_path: Path) -> None:
    assert lines.estimator(tmp_path).evaluate(lines.batches())["error"] == pytest.approx(
        np.mean(np.abs(lines.X.sum(1, keepdims=True) / 2 - lines.Y)), rel=1e-5)


def test_predictions_one_by_one_in_batches_and_in_turn(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path).train(lines.batches(None), steps=1)
    wanted = lines.X @ lines.by_hand(1)[0]
    outside = gc.get_default_graph()
    one, two = model.predict(lines.batches()), model.predict(lines.batches(), predict_keys=["double"])
    pairs = [(next(one), next(two)) for _ in range(3)]
    assert gc.get_default_graph() is outside
    pairs += zip(one, two, strict=True)
    np.testing.assert_allclose([a["y"] for a, _ in pairs], wanted, rtol=1e-5)
    assert all(list(b) == ["double"] for _, b in pairs) and len(pairs) == 10
    whole = list(model.predict(lines.batches(), yield_single_examples=False))
    assert [len(batch["y"]) for batch in whole] == [4, 4, 2]
    stopped = model.predict(lines.batches())
    next(stopped)
    stopped.close()
    assert gc.get_default_graph() is outside


def test_a_dataset_and_arguments_of_input_functions(tmp_path: Path) -> None:
    seen = []

    def input_fn(params: Any, mode: str, config: Any, label: str) -> gc.data.Dataset:
        seen.append((params["rate"], mode, config.model_dir, label))
        return gc.data.Dataset.from_tensor_slices(({"x": lines.X}, lines.Y)).batch(4).repeat(2)

    model = lines.estimator(tmp_path).train(functools.partial(input_fn, label="a"))
    assert model.get_variable_value("global_step") == 6
    assert seen == [(0.1, "train", str(tmp_path), "a")]


def test_queues_as_input(tmp_path: Path) -> None:
    def input_fn() -> Any:
        row, label = gc.train.slice_input_producer([lines.X, lines.Y], num_epochs=2, shuffle=False)
        x, y = gc.train.batch([row, label], 4, allow_smaller_final_batch=True)
        return {"x": x}, y

    model = lines.estimator(tmp_path).train(input_fn)
    np.testing.assert_allclose(model.get_variable_value("w"), lines.by_hand(5)[0], rtol=1e-5)
    assert len(list(model.predict(input_fn))) == 20 and model.evaluate(input_fn)["global_step"] == 5


def test_hooks_listeners_and_scaffold(tmp_path: Path) -> None:
    told: list[Any] = []

    class Hook(gc.train.SessionRunHook):
        def after_run(self, run_context: Any, run_values: Any) -> None:
            told.append("run")

    class Listener(gc.train.CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            told.append(int(global_step_value))

    def with_scaffold(features: Any, labels: Any, mode: str, params: Any) -> est.EstimatorSpec:
        spec = lines.model_fn(features, labels, mode, params)
        local = gc.get_local_variable("l", initializer=3.0)
        scaffold = gc.train.Scaffold(local_init_op=gc.group(local.initializer),
                                     init_fn=lambda scaffold, session: told.append("init"))
        return spec._replace(scaffold=scaffold, training_hooks=[Hook()], eval_metric_ops={
            **spec.eval_metric_ops, "local": (gc.identity(local), gc.no_op())})

    model = est.Estimator(with_scaffold, tmp_path, params={"rate": 0.1})
    model.train(lines.batches(None), hooks=[Hook()], steps=2, saving_listeners=[Listener()])
    assert told == ["init", 0, "run", "run", "run", "run", 2]
    assert model.evaluate(lines.batches())["local"] == 3


def test_warm_start(tmp_path: Path) -> None:
    first = lines.estimator(tmp_path / "first").train(lines.batches(None), steps=3)
    for source in (str(tmp_path / "first"), first.latest_checkpoint(), est.WarmStartSettings(str(tmp_path / "first")),
                   first.export_saved_model(tmp_path / "saved", lines.receiver)):
        second = est.Estimator(lines.model_fn, params={"rate": 0.0}, warm_start_from=source)
        found = second.train(lines.batches(None), steps=1)
        np.testing.assert_array_equal(found.get_variable_value("w"), first.get_variable_value("w"))
        assert found.get_variable_value("global_step") == 1
    with pytest.raises(ValueError, match="warm_start_from must be a string or a WarmStartSettings"):
        est.Estimator(lines.model_fn, warm_start_from=3, params={})


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    model = est.Estimator(lines.model_fn, tmp_path, params={"rate": float("inf")})
    with pytest.raises(gc.train.NanLossDuringTrainingError):
        model.train(lines.batches(None), steps=5)


@pytest.mark.parametrize("call, said", [
    (lambda m: m.train(lines.batches(), steps=1, max_steps=1), "Can not provide both steps and max_steps"),
    (lambda m: m.train(lines.batches(), steps=0), "Must specify steps > 0, given: 0"),
    (lambda m: m.evaluate(lines.batches(), steps=-1), "Must specify steps > 0, given: -1"),
    (lambda m: m.get_variable_value("w"), "Couldn't find trained model at"),
    (lambda m: m.train(lambda: (1, 2, 3)), "input_fn should return .features, labels. as a len 2 tuple"),
    (lambda m: list(m.predict(lines.batches(), predict_keys=["z"])), r"Expected to run at least one output from "
                                                                     r"\['double', 'y'\], provided \['z'\]"),
    (lambda m: m.export_saved_model("x", None), "An input_receiver_fn must be defined"),
    (lambda m: m.train(lines.batches(), hooks=["hook"]), "must be a SessionRunHook, given: 'hook'"),
])
def test_what_is_refused(tmp_path: Path, call: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        call(lines.estimator(tmp_path))


def _other(features: Any, data: Any) -> None:
    """A model function with an argument that nobody gives."""


def _no_spec(features: Any, labels: Any) -> int:
    return 3


@pytest.mark.parametrize("model_fn, params, said", [
    (None, None, "model_fn must be provided"), (lambda x: None, None, "must include features argument"),
    (lambda features: None, {"a": 1}, "does not include params argument"), (_other, None, "not expected args: .'data'"),
])
def test_model_functions_that_are_refused(model_fn: Any, params: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        est.Estimator(model_fn, params=params)


def test_a_model_function_gives_a_specification(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="model_fn should return an EstimatorSpec, but returned 3"):
        est.Estimator(_no_spec, tmp_path).train(lines.batches())
    with pytest.raises(ValueError, match="model_fn does not take labels, but input_fn returns labels"):
        est.Estimator(lambda features: None, tmp_path).train(lines.batches())


def test_subclasses_must_not_override() -> None:
    class Own(est.Estimator):
        def train(self) -> None:  # type: ignore[override]
            pass

    with pytest.raises(ValueError, match=r"cannot override members of Estimator. .* does override \['train'\]"):
        Own(lines.model_fn, params={})


def test_folders_must_agree(tmp_path: Path) -> None:
    config = est.RunConfig(model_dir=tmp_path / "a")
    assert est.Estimator(lines.model_fn, config=config, params={}).model_dir == str(tmp_path / "a")
    with pytest.raises(ValueError, match="are set both in constructor and `RunConfig`"):
        est.Estimator(lines.model_fn, tmp_path / "b", config, {})
