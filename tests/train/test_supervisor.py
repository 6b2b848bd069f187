"""Supervisor: what it writes and starts; and LooperThread, on which its services rest."""
from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from until import until

import graphc as gc


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()


def model() -> tuple[Any, Any]:
    step = gc.train.get_or_create_global_step()
    loss = gc.square(gc.Variable(5.0, name="w"), name="loss")
    gc.summary.scalar("l", loss)
    return gc.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step), step


def test_a_managed_session_saves_summarises_and_recovers(tmp_path: Path) -> None:
    train, step = model()
    supervisor = gc.train.Supervisor(logdir=str(tmp_path), save_summaries_secs=0.05, save_model_secs=0.05)
    assert gc.get_default_graph().finalized and supervisor.save_path == str(tmp_path / "model.ckpt")
    with supervisor.managed_session() as session:
        for _ in range(3):
            session.run(train)
        supervisor.summary_computed(session, session.run(supervisor.summary_op))
        until(lambda: (gc.train.latest_checkpoint(str(tmp_path)) or "").endswith("-3"))
        assert not supervisor.should_stop()
    assert supervisor.should_stop()
    found = [e for p in tmp_path.glob("*events*") for e in gc.train.summary_iterator(str(p))]
    kinds = [e.WhichOneof("what") for e in found]
    assert kinds[1:3] == ["graph_def", "meta_graph_def"]
    tags = {v.tag for e in found for v in e.summary.value}
    assert tags == {"l", "global_step/sec"} and (tmp_path / "graph.pbtxt").exists()
    logs = [e.session_log.status for e in found if e.WhichOneof("what") == "session_log"]
    assert logs[0] == gc.SessionLog.START and logs[-1] == gc.SessionLog.STOP and gc.SessionLog.CHECKPOINT in logs

    gc.reset_default_graph()
    _, step = model()
    with gc.train.Supervisor(logdir=str(tmp_path), save_model_secs=0).managed_session() as session:
        assert session.run(step) == 3


def test_without_a_logdir_there_are_no_services() -> None:
    train, step = model()
    told = []
    supervisor = gc.train.Supervisor(init_fn=lambda session: told.append(session.run(step)))
    with supervisor.managed_session() as session:
        session.run(train)
        assert supervisor.start_standard_services(session) is None
        with pytest.raises(RuntimeError, match="requires a summary writer"):
            supervisor.summary_computed(session, b"")
    assert told == [0] and supervisor.summary_writer is None


def test_what_ends_a_managed_session() -> None:
    model()
    with gc.train.Supervisor(saver=None, summary_op=None).managed_session():
        raise gc.errors.OutOfRangeError("the end of the data")
    gc.reset_default_graph()
    _train, _ = model()
    with pytest.raises(KeyError), gc.train.Supervisor(saver=None).managed_session():
        raise KeyError("of the block")
    gc.reset_default_graph()
    model()
    supervisor = gc.train.Supervisor(saver=None)

    def fails() -> None:
        raise ValueError("of the thread")

    with pytest.raises(ValueError, match="of the thread"), supervisor.managed_session():
        supervisor.loop(None, fails)
        while not supervisor.should_stop():
            time.sleep(0.01)


def test_queue_runners_and_collections() -> None:
    number = gc.train.range_input_producer(3, num_epochs=1, shuffle=False).dequeue()
    first = gc.no_op(name="first")
    for operation in (first, gc.no_op(name="second")):
        gc.add_to_collection(gc.GraphKeys.INIT_OP, operation)
    supervisor = gc.train.Supervisor()
    assert supervisor.init_op is first and supervisor.saver is None and supervisor.global_step is None
    seen = []
    with supervisor.managed_session() as session:
        while not supervisor.should_stop():
            seen.append(session.run(number))
    assert seen == [0, 1, 2]


def test_who_is_not_the_chief() -> None:
    model()
    with pytest.raises(ValueError, match="must have their device set: global_step has none"):
        gc.train.Supervisor(is_chief=False)
    gc.reset_default_graph()
    with gc.device("/job:ps"):
        _, step = model()
    server = gc.train.Server.create_local_server()
    chief = gc.train.Supervisor()
    worker = gc.train.Supervisor(is_chief=False, recovery_wait_secs=0.01)
    with chief.managed_session(server.target) as session, worker.managed_session(server.target) as other:
        assert other.run(step) == session.run(step) == 0
        with pytest.raises(RuntimeError, match="Only chief supervisor"):
            worker.start_standard_services(other)


def test_looper_threads_call_at_once_and_again() -> None:
    waits: list[float] = []

    class Impatient(gc.train.Coordinator):
        def wait_for_stop(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            waits.append(timeout)
            return self.should_stop()

    coord, calls = Impatient(), []

    def call(label: str, more: int = 0) -> None:
        calls.append((label, more))
        if len(calls) == 3:
            coord.request_stop()

    looper = gc.train.LooperThread.loop(coord, 1000.0, call, args=("x",), kwargs={"more": 1})
    coord.join([looper])
    assert calls == [("x", 1)] * 3 and waits[0] == 0        # then at fixed times, however long a call takes
    assert [round(wait, -2) for wait in waits[1:]] == [1000, 2000, 3000]
    busy = gc.train.LooperThread(gc.train.Coordinator(), None)
    rounds = []
    busy.run_loop = lambda: (rounds.append(1), busy._coord.request_stop() if len(rounds) == 5 else None)  # type: ignore
    busy.start()
    busy.join(20)
    assert len(rounds) == 5
    with pytest.raises(ValueError, match="must be a Coordinator"):
        gc.train.LooperThread("no", 1)  # type: ignore[arg-type]


def test_the_basic_loop_begins_again() -> None:
    train, step = model()
    supervisor = gc.train.Supervisor()
    seen: list[int] = []

    def one_step(session: Any, most: int, label: str = "") -> None:
        seen.append(session.run([train, step])[1])
        if len(seen) == 2:
            raise gc.errors.AbortedError("lost")
        if len(seen) == most:
            supervisor.request_stop()

    gc.train.basic_train_loop(supervisor, one_step, args=(4,), kwargs={"label": "x"})
    assert seen == [1, 2, 1, 2]
