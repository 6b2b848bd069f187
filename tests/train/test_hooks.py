"""The hooks one by one: what triggers them, what they log, write and refuse, as TensorFlow 2.21's (tf.compat.v1)."""
from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def own_graph(caplog: pytest.LogCaptureFixture) -> None:
    gc.reset_default_graph()
    gc.summary.FileWriterCache.clear()
    caplog.set_level(logging.INFO, "tensorflow")


def counting() -> Any:
    """An operation that counts the global step up."""
    return gc.assign_add(gc.train.get_or_create_global_step(), 1, name="count").op


def run(hooks: list[Any], times: int = 100, fetch: Any = None) -> int:
    """Runs until a hook stops; how often."""
    done = 0
    with gc.train.SingularMonitoredSession(hooks=hooks) as session:
        while not session.should_stop() and done < times:
            session.run(gc.get_default_graph().get_operation_by_name("count") if fetch is None else fetch)
            done += 1
    return done


def test_timer() -> None:
    timer = gc.train.SecondOrStepTimer(every_steps=3)
    assert timer.should_trigger_for_step(0) and timer.last_triggered_step() is None
    assert timer.update_last_triggered_step(0) == (None, None)
    assert [timer.should_trigger_for_step(n) for n in (0, 1, 2, 3, 4)] == [False, False, False, True, True]
    assert timer.update_last_triggered_step(4)[1] == 4 and timer.last_triggered_step() == 4
    timer.reset()
    assert timer.should_trigger_for_step(4)
    seconds = gc.train.SecondOrStepTimer(every_secs=1000)
    seconds.update_last_triggered_step(1)
    assert not seconds.should_trigger_for_step(9)
    for wrong in ({}, {"every_secs": 1, "every_steps": 1}):
        with pytest.raises(ValueError):
            gc.train.SecondOrStepTimer(**wrong)


def test_stop_at_step() -> None:
    counting()
    assert run([gc.train.StopAtStepHook(last_step=4)]) == 4
    assert run([gc.train.StopAtStepHook(num_steps=3)]) == 3
    hook = gc.train.StopAtStepHook(num_steps=1)
    assert run([hook], 5, gc.get_default_graph().get_tensor_by_name("global_step:0")) == 5    # nothing counts
    gc.reset_default_graph()
    with pytest.raises(RuntimeError, match="Global step should be created to use StopAtStepHook"):
        run([gc.train.StopAtStepHook(last_step=4)])
    for wrong in ({}, {"num_steps": 1, "last_step": 1}):
        with pytest.raises(ValueError):
            gc.train.StopAtStepHook(**wrong)


def test_a_global_step_of_the_users_own() -> None:
    """tf.Variable(0, name="global_step") is found by its name."""
    step = gc.Variable(0, name="global_step", trainable=False)
    gc.assign_add(step, 1, name="count")
    assert gc.train.get_global_step().name == "global_step:0"
    assert run([gc.train.StopAtStepHook(last_step=4)]) == 4


def test_global_step_helpers(caplog: pytest.LogCaptureFixture) -> None:
    names = gc.contrib.framework
    assert names.get_global_step() is None
    step = names.get_or_create_global_step()
    assert names.get_or_create_global_step() is step is gc.train.get_global_step()
    with pytest.raises(ValueError, match="already exists"):
        names.create_global_step()
    assert names.assert_or_get_global_step() is step
    with pytest.raises(TypeError, match="integer scalar"):
        names.assert_or_get_global_step(global_step_tensor=gc.constant([1.0]))
    gc.add_to_collection(gc.GraphKeys.GLOBAL_STEP, step)
    assert gc.train.get_global_step() is None and "Multiple tensors in global_step collection" in caplog.text


def test_logging_tensors(caplog: pytest.LogCaptureFixture) -> None:
    counting()
    gc.identity(gc.constant([1.0, 2.0]), name="pair")
    run([gc.train.LoggingTensorHook({"b": "pair:0", "a": "pair"}, every_n_iter=2)], 5)
    lines = [r.getMessage() for r in caplog.records if "a = " in r.getMessage()]
    assert lines[0] == "a = [1. 2.], b = [1. 2.]" and len(lines) == 3
    assert lines[1].startswith("a = [1. 2.], b = [1. 2.] (0.0") and lines[1].endswith(" sec)")
    caplog.clear()
    told = []
    hook = gc.train.LoggingTensorHook(["pair"], at_end=True, formatter=lambda v: told.append(v) or "formatted")
    run([hook], 3)
    assert len(told) == 1 and "formatted" in caplog.text
    np.testing.assert_array_equal(told[0]["pair"], [1, 2])
    gc.split(gc.constant([1.0, 2.0]), 2, name="halves")
    with pytest.raises(ValueError, match="ambiguous"):
        run([gc.train.LoggingTensorHook(["halves"], every_n_iter=1)])
    with gc.Graph().as_default():
        foreign = gc.constant(1)
    with pytest.raises(ValueError, match="equal to current graph"):
        run([gc.train.LoggingTensorHook([foreign], every_n_iter=1)])
    for wrong in ({}, {"every_n_iter": 1, "every_n_secs": 1}, {"every_n_iter": 0}):
        with pytest.raises(ValueError):
            gc.train.LoggingTensorHook([], **wrong)


def test_nan(caplog: pytest.LogCaptureFixture) -> None:
    x = gc.placeholder_with_default(np.float32("nan"), [], name="x")
    with pytest.raises(gc.train.NanLossDuringTrainingError, match="NaN loss during training"):
        run([gc.train.NanTensorHook(x)], 9, x)
    assert run([gc.train.NanTensorHook(x, fail_on_nan_loss=False)], 9, x) == 1
    assert caplog.text.count("Model diverged with loss = NaN.") == 2


def test_final_ops() -> None:
    counting()
    step = gc.train.get_global_step()
    x = gc.placeholder(gc.int64, [])
    hook = gc.train.FinalOpsHook({"sum": step + x}, {x: 10})
    run([hook], 3)
    assert hook.final_ops_values == {"sum": 13}
    empty = gc.FIFOQueue(1, gc.int32, shapes=[[]])
    closed, taken = empty.close(), empty.dequeue()
    with pytest.raises(gc.errors.OutOfRangeError):
        run([gc.train.FinalOpsHook(taken)], 1, closed)


def test_waiting_for_a_global_step() -> None:
    counting()
    assert run([gc.train.GlobalStepWaiterHook(0)], 2) == 2
    step = gc.train.get_global_step()
    server = gc.train.Server.create_local_server()
    with gc.train.SingularMonitoredSession(master=server.target) as chief:
        chief.run("count")
        with gc.train.MonitoredSession(gc.train.WorkerSessionCreator(master=server.target),
                                       hooks=[gc.train.GlobalStepWaiterHook(1)]) as worker:
            assert worker.run(step) == 1


def test_steps_per_second(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counting()
    run([gc.train.StepCounterHook(every_n_steps=2, output_dir=str(tmp_path))], 5)
    assert caplog.text.count("global_step/sec: ") == 2
    assert events(tmp_path, "summary") == [(3, ["global_step/sec"]), (5, ["global_step/sec"])]
    caplog.clear()
    run([gc.train.StepCounterHook()], 9, gc.train.get_global_step())
    assert caplog.text.count("It seems that global step") == 5
    with pytest.raises(ValueError):
        gc.train.StepCounterHook(every_n_steps=1, every_n_secs=1)


def events(folder: Path, what: str) -> list[Any]:
    """(step, tags) of the summaries, or (step, status) of the session logs."""
    gc.summary.FileWriterCache.get(str(folder)).flush()
    found = [e for p in folder.glob("*events*") for e in gc.train.summary_iterator(str(p))]
    return [(e.step, [v.tag for v in e.summary.value] if what == "summary" else e.session_log.status) for e in found
            if e.WhichOneof("what") == what]


def test_summaries(tmp_path: Path) -> None:
    counting()
    first, second = gc.summary.scalar("a", gc.constant(1.0)), gc.summary.scalar("b", gc.constant(2.0))
    run([gc.train.SummarySaverHook(save_steps=3, output_dir=str(tmp_path), summary_op=[first, second])], 6)
    assert events(tmp_path, "summary") == [(n, [tag]) for n in (1, 4) for tag in "ab"]
    assert events(tmp_path, "session_log") == [(1, gc.SessionLog.START)]
    for wrong in ({"save_steps": 1}, {"save_steps": 1, "summary_op": first, "scaffold": gc.train.Scaffold()}):
        with pytest.raises(ValueError, match="Exactly one of scaffold or summary_op"):
            gc.train.SummarySaverHook(**wrong)


class Listener(gc.train.CheckpointSaverListener):
    """Notes the calls; asks to stop at step `last`."""

    def __init__(self, last: int) -> None:
        self.calls: list[Any] = []
        self.last = last

    def begin(self) -> None:
        self.calls.append("begin")

    def before_save(self, session: Any, global_step_value: int) -> None:
        self.calls.append(("before", int(global_step_value)))

    def after_save(self, session: Any, global_step_value: int) -> bool:
        self.calls.append(("after", int(global_step_value)))
        return bool(global_step_value >= self.last)

    def end(self, session: Any, global_step_value: int) -> None:
        self.calls.append(("end", int(global_step_value)))


def test_checkpoints_and_their_listeners(tmp_path: Path) -> None:
    counting()
    listener = Listener(last=4)
    hook = gc.train.CheckpointSaverHook(str(tmp_path), save_steps=2, saver=gc.train.Saver(), listeners=[listener],
                                        checkpoint_basename="m")
    assert run([hook]) == 4
    assert listener.calls == ["begin", ("before", 0), ("after", 0), ("before", 2), ("after", 2), ("before", 4),
                              ("after", 4), ("end", 4)]
    assert gc.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "m-4")
    gc.summary.FileWriterCache.clear()
    assert events(tmp_path, "session_log") == [(n, gc.SessionLog.CHECKPOINT) for n in (0, 2, 4)]
    with pytest.raises(ValueError, match="both saver and scaffold"):
        gc.train.CheckpointSaverHook(str(tmp_path), 1, saver=gc.train.Saver(), scaffold=gc.train.Scaffold())


def test_savers_of_a_checkpoint_hook(tmp_path: Path) -> None:
    counting()
    hook = gc.train.CheckpointSaverHook(str(tmp_path), save_steps=2)
    with pytest.raises(RuntimeError, match="No items in collection savers"):
        hook._get_saver()
    run([hook], 1)                 # the scaffold's saver is in the collection
    assert gc.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-1")
    gc.add_to_collection(gc.GraphKeys.SAVERS, gc.train.Saver())
    with pytest.raises(RuntimeError, match="2 items in collection savers"):
        gc.train.CheckpointSaverHook(str(tmp_path), save_steps=2)._get_saver()


def test_timelines(tmp_path: Path) -> None:
    """Steps as TensorFlow 2.21 chooses them."""
    counting()
    run([gc.train.ProfilerHook(save_steps=2, output_dir=str(tmp_path))], 6)
    names = sorted(p.name for p in tmp_path.glob("timeline*"))
    assert names == ["timeline-2.json", "timeline-4.json", "timeline-6.json"]
    assert json.loads((tmp_path / names[0]).read_text())["traceEvents"]
    gc.summary.FileWriterCache.get(str(tmp_path)).flush()
    tags = [e.tagged_run_metadata.tag for p in tmp_path.glob("*events*") for e in gc.train.summary_iterator(str(p))
            if e.WhichOneof("what") == "tagged_run_metadata"]
    assert tags == ["step_2", "step_4", "step_6"]
