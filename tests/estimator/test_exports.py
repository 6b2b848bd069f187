"""SavedModels of estimators, receivers, and train_and_evaluate with its exporters."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

import lines

est = gc.estimator


def served(folder: Any, feeds: dict[str, Any], signature: str = "serving_default") -> dict[str, np.ndarray]:
    """What a signature of the SavedModel gives."""
    with gc.Graph().as_default(), gc.Session() as session:
        found = dict(gc.saved_model.load(session, ["serve"], folder).signature_def)[signature]
        return session.run({key: info.name for key, info in found.outputs.items()},
                           {found.inputs[key].name: value for key, value in feeds.items()})


def test_an_exported_model_is_served(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path).train(lines.batches(None), steps=2)
    extra = tmp_path / "words.txt"
    extra.write_text("a")
    path = model.export_savedmodel(tmp_path / "out", lines.receiver, assets_extra={"in/words": str(extra)})
    assert isinstance(path, bytes) and (Path(os.fsdecode(path)) / "assets.extra/in/words").read_text() == "a"
    np.testing.assert_allclose(served(path, {"rows": lines.X})["y"], lines.X @ lines.by_hand(2)[0], rtol=1e-5)
    second = model.export_saved_model(tmp_path / "out", lines.receiver, as_text=True,
                                      checkpoint_path=str(tmp_path / "model.ckpt-0"))
    assert second > path and sorted(os.listdir(tmp_path / "out")) == sorted(
        os.fsdecode(os.path.basename(p)) for p in (path, second))
    np.testing.assert_allclose(served(second, {"rows": lines.X})["y"], lines.X.sum(1, keepdims=True) / 2, rtol=1e-5)


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path)
    with pytest.raises(ValueError, match="Couldn't find trained model"):
        model.export_saved_model(tmp_path / "out", lines.receiver)
    model.train(lines.batches(None), steps=1)
    for extra, error in (({"../x": str(tmp_path / "graph.pbtxt")}, ValueError), ({"x": "no file"}, OSError)):
        with pytest.raises(error):
            model.export_saved_model(tmp_path / "out", lines.receiver, extra)
    assert os.listdir(tmp_path / "out") == []
    with pytest.raises(gc.errors.UnimplementedError, match=r"'experimental_mode' must be ModeKeys\.PREDICT"):
        model.export_saved_model(tmp_path / "out", lines.receiver, experimental_mode="train")


def classifier_fn(features: Any, labels: Any, mode: str) -> est.EstimatorSpec:
    scores = gc.nn.softmax(features["x"])
    outputs = {"serving_default": est.export.ClassificationOutput(scores, gc.as_string(gc.argmax(scores, 1))),
               "regression": est.export.RegressionOutput(gc.reduce_sum(features["x"], 1)),
               "predict": est.export.PredictOutput({"scores": scores})}
    step = gc.train.get_global_step().assign_add(1)
    return est.EstimatorSpec(mode, scores, gc.reduce_sum(scores), step, export_outputs=outputs)


def test_signatures_of_examples_and_of_tensors(tmp_path: Path) -> None:
    model = est.Estimator(classifier_fn, tmp_path).train(lambda: ({"x": gc.zeros([1, 2])}, gc.zeros([1])), steps=1)
    parsing = est.export.build_parsing_serving_input_receiver_fn({"x": gc.FixedLenFeature([2], gc.float32)})
    path = model.export_saved_model(tmp_path / "out", parsing)
    example = gc.train.Example(features=gc.train.Features(feature={
        "x": gc.train.Feature(float_list=gc.train.FloatList(value=[1.0, 3.0]))})).SerializeToString()
    found = served(path, {"inputs": [example]})
    assert found["classes"].tolist() == [b"1"]
    np.testing.assert_allclose(found["scores"], [[0.1192029, 0.8807971]], rtol=1e-5)
    assert served(path, {"inputs": [example]}, "regression")["outputs"].tolist() == [4]
    with gc.Graph().as_default():
        raw = est.export.build_raw_serving_input_receiver_fn({"x": gc.zeros([7, 2], name="x")})
    plain = model.export_saved_model(tmp_path / "out", raw)
    assert served(plain, {"x": [[1.0, 3.0]]}, "predict")["scores"].shape == (1, 2)
    with pytest.raises(KeyError):
        served(plain, {"x": [[1.0, 3.0]]}, "regression")                # needs Examples: left out


def test_outputs_are_checked() -> None:
    export = est.export
    with gc.Graph().as_default():
        number, text = gc.constant([1.0]), gc.constant(["a"])
        for make, said in ((lambda: export.ClassificationOutput(), "At least one of scores and classes"),
                           (lambda: export.ClassificationOutput(scores=text), "must be a float32 Tensor"),
                           (lambda: export.ClassificationOutput(classes=number), "must be a string Tensor"),
                           (lambda: export.RegressionOutput(text), "must be a float32 Tensor"),
                           (lambda: export.PredictOutput({1: number}), "key must be a string"),
                           (lambda: export.PredictOutput({"a": 1}), "must be a Tensor"),
                           (lambda: export.ServingInputReceiver({"a": 1}, number), "must be a Tensor or SparseTensor"),
                           (lambda: export.ServingInputReceiver(number, None), "receiver_tensors must be defined"),
                           (lambda: export.TensorServingInputReceiver({"a": number}, number), "feature must be a"),
                           (lambda: export.ServingInputReceiver(number, number, [number]), "must be a dict")):
            with pytest.raises(ValueError, match=said):
                make()
        one = export.ServingInputReceiver(number, text)
        assert one.features == {"feature": number} and one.receiver_tensors == {"input": text}
        with pytest.raises(ValueError, match="none of them is specified as the default"):
            est.EstimatorSpec("infer", number, export_outputs={"a": export.PredictOutput(number),
                                                              "b": export.PredictOutput(number)})
        alone = est.EstimatorSpec("infer", number, export_outputs={"a": export.PredictOutput(number)})
        assert sorted(alone.export_outputs) == ["a", "serving_default"]


def test_train_and_evaluate(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path)
    exporters = [est.FinalExporter("final", lines.receiver), est.BestExporter("best", lines.receiver)]
    spec = est.EvalSpec(lines.batches(), exporters=exporters, throttle_secs=0, name="all")
    metrics, exports = est.train_and_evaluate(model, est.TrainSpec(lines.batches(None), max_steps=6), spec)
    assert metrics["global_step"] == 6 and exports[0] is not None
    steps = [event.step for path in (tmp_path / "eval_all").glob("*")
             for event in gc.train.summary_iterator(str(path)) if any(v.tag == "loss" for v in event.summary.value)]
    assert steps == [4, 6]
    assert len(os.listdir(tmp_path / "export/final")) == 1 and len(os.listdir(tmp_path / "export/best")) == 2
    assert est.train_and_evaluate(model, est.TrainSpec(lines.batches(None), max_steps=6), spec) == (None, None)


def test_the_best_is_remembered_in_events(tmp_path: Path) -> None:
    model = lines.estimator(tmp_path).train(lines.batches(None), steps=4)
    good = model.evaluate(lines.batches())
    model.train(lines.batches(None), steps=1)
    now = model.evaluate(lines.batches())
    path = model.latest_checkpoint()
    assert now["loss"] < good["loss"]
    assert est.BestExporter("a", lines.receiver).export(model, str(tmp_path / "a"), path, now, False)
    worse = {**now, "loss": good["loss"] + 1, "global_step": 9}
    assert est.BestExporter("b", lines.receiver).export(model, str(tmp_path / "b"), path, worse, False) is None
    kept = est.LatestExporter("c", lines.receiver, exports_to_keep=1)
    made = [kept.export(model, str(tmp_path / "c"), path, now, False) for _ in range(2)]
    assert os.listdir(tmp_path / "c") == [os.fsdecode(os.path.basename(made[1]))]


def test_specifications_are_checked() -> None:
    with pytest.raises(TypeError, match="`input_fn` must be callable"):
        est.TrainSpec(3)
    with pytest.raises(ValueError, match="Must specify max_steps > 0"):
        est.TrainSpec(lines.batches(), max_steps=0)
    with pytest.raises(ValueError, match="Must specify throttle_secs >= 0"):
        est.EvalSpec(lines.batches(), throttle_secs=-1)
    with pytest.raises(TypeError, match="`exporters` must be an Exporter"):
        est.EvalSpec(lines.batches(), exporters=[3])
    with pytest.raises(ValueError, match="unique names"):
        est.EvalSpec(lines.batches(), exporters=[est.FinalExporter("a", lines.receiver)] * 2)
    with pytest.raises(TypeError, match="`estimator` must have type"):
        est.train_and_evaluate(3, est.TrainSpec(lines.batches()), est.EvalSpec(lines.batches()))
    with pytest.raises(ValueError, match="must be a function of best_eval_result"):
        est.BestExporter(compare_fn=lambda a: True)
