"""MonitoredSession and its kin: the order of what is called is recorded from TensorFlow 2.21 (tf.compat.v1)."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()
    gc.summary.FileWriterCache.clear()


def model() -> tuple[Any, Any]:
    """(train_op, global step): w shrinks by a fifth each step."""
    step = gc.train.get_or_create_global_step()
    loss = gc.square(gc.Variable(5.0, name="w"), name="loss")
    gc.summary.scalar("l", loss)
    return gc.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step), step


class Recorder(gc.train.SessionRunHook):
    """Notes what is called; asks for the loss, unless told otherwise."""

    def __init__(self, name: str, events: list[Any], fetches: Any = "loss:0") -> None:
        self.name, self.events, self.fetches = name, events, fetches

    def begin(self) -> None:
        self.events.append((self.name, "begin", gc.get_default_graph().finalized))

    def after_create_session(self, session: Any, coord: Any) -> None:
        assert isinstance(session, gc.Session) and isinstance(coord, gc.train.Coordinator)
        self.events.append((self.name, "created", gc.get_default_graph().finalized))

    def before_run(self, run_context: gc.train.SessionRunContext) -> Any:
        self.events.append((self.name, "before", run_context.stop_requested))
        assert isinstance(run_context.original_args, gc.train.SessionRunArgs)
        return None if self.fetches is None else gc.train.SessionRunArgs({"loss": self.fetches})

    def after_run(self, run_context: gc.train.SessionRunContext, run_values: gc.train.SessionRunValues) -> None:
        self.events.append((self.name, "after", run_values.results and sorted(run_values.results)))

    def end(self, session: Any) -> None:
        self.events.append((self.name, "end"))


def test_hooks_are_called_in_their_order() -> None:
    train, step = model()
    events: list[Any] = []
    hooks = [Recorder("a", events), gc.train.StopAtStepHook(last_step=2), Recorder("b", events, None)]
    with gc.train.MonitoredSession(hooks=hooks) as session:
        while not session.should_stop():
            events.append(session.run([train, step])[1])
        with pytest.raises(RuntimeError, match="Run called even after should_stop requested"):
            session.run(train)
    run = [("a", "before", False), ("b", "before", False), ("a", "after", ["loss"])]
    assert events == [
        ("a", "begin", False), ("b", "begin", False), ("a", "created", True), ("b", "created", True),
        *run, ("b", "after", None), 1, *run, ("b", "after", None), 2, ("a", "end"), ("b", "end")]
    assert not gc.get_default_graph().finalized


def test_an_error_ends_without_end() -> None:
    model()
    events: list[Any] = []
    with pytest.raises(KeyError), gc.train.MonitoredSession(hooks=[Recorder("a", events)]) as session:
        raise KeyError("x")
    assert events[-1] == ("a", "created", True)
    assert session.should_stop() and session.graph is None
    with pytest.raises(RuntimeError, match="closed MonitoredSession"):
        session.run("loss:0")
    with pytest.raises(RuntimeError, match="already closed"):
        session.close()


@pytest.mark.parametrize("end", [StopIteration, gc.errors.OutOfRangeError])
def test_the_end_of_data_ends_the_block(end: type[Exception]) -> None:
    model()
    events: list[Any] = []
    with gc.train.MonitoredSession(hooks=[Recorder("a", events)]):
        raise end("no more")
    assert events[-1] == ("a", "end")


@pytest.mark.parametrize("error", [gc.errors.AbortedError, gc.errors.UnavailableError])
def test_a_lost_session_is_made_again(error: type[gc.errors.OpError]) -> None:
    train, step = model()
    made = []

    class Fails(gc.train.SessionRunHook):
        runs = 0

        def after_create_session(self, session: Any, coord: Any) -> None:
            made.append(session)

        def before_run(self, run_context: Any) -> None:
            self.runs += 1
            if self.runs == 3:
                raise error(None, None, "lost")

    with gc.train.MonitoredSession(hooks=[Fails()]) as session:
        assert [session.run([train, step])[1] for _ in range(4)] == [1, 2, 1, 2]
    assert len(made) == 2 and made[0] is not made[1]
    with pytest.raises(error), gc.train.SingularMonitoredSession(hooks=[Fails()]) as single:
        assert isinstance(single.raw_session(), gc.Session)
        for _ in range(4):
            single.run(train)


def test_creation_is_repeated_while_the_session_is_lost() -> None:
    gc.placeholder(gc.float32, [], name="x")

    class Creator(gc.train.SessionCreator):
        tries = 0

        def create_session(self) -> Any:
            self.tries += 1
            if self.tries < 3:
                raise gc.errors.UnavailableError("not yet")
            return gc.Session()

    creator = Creator()
    with gc.train.MonitoredSession(creator) as session:
        assert creator.tries == 3 and session.run("x:0", {"x:0": 2.0}) == 2


def test_step_functions() -> None:
    train, step = model()
    events: list[Any] = []

    def step_fn(step_context: Any) -> int:
        before = step_context.session.run(step)
        if before == 2:
            step_context.request_stop()
        step_context.run_with_hooks(train)
        return int(before)

    seen = []
    with gc.train.MonitoredSession(hooks=[Recorder("a", events)]) as session:
        with pytest.raises(ValueError, match="may either have one `step_context` argument"):
            session.run_step_fn(lambda other: None)
        while not session.should_stop():
            seen.append(session.run_step_fn(step_fn))
    assert seen == [0, 1] and events.count(("a", "before", False)) == 2


def test_feeds_of_hooks() -> None:
    x, y = gc.placeholder(gc.float32, [], name="x"), gc.placeholder(gc.float32, [], name="y")
    total = x + y
    feeding = gc.train.FeedFnHook(lambda: {x: 3.0})
    with gc.train.SingularMonitoredSession(hooks=[feeding]) as session:
        assert session.run(total, {y: 4.0}) == 7
        with pytest.raises(RuntimeError, match="fed by a SessionRunHook and user"):
            session.run(total, {x: 1.0, y: 4.0})
    with gc.train.SingularMonitoredSession(hooks=[feeding, gc.train.FeedFnHook(lambda: {x: 1.0})]) as session:
        with pytest.raises(RuntimeError, match="fed by two hooks"):
            session.run(total, {y: 4.0})


def test_queue_runners_are_started_and_their_errors_raised() -> None:
    number = gc.train.range_input_producer(3, num_epochs=1, shuffle=False).dequeue()
    seen = []
    with gc.train.MonitoredSession() as session:
        while not session.should_stop():
            seen.append(session.run(number))
    assert seen == [0, 1, 2]

    gc.reset_default_graph()

    def fails(x: Any) -> Any:
        raise ValueError("from the thread")

    queue = gc.FIFOQueue(2, gc.float32, shapes=[[]])
    size = queue.size()
    gc.train.add_queue_runner(gc.train.QueueRunner(queue, [queue.enqueue(gc.py_func(fails, [1.0], gc.float32))]))
    with pytest.raises(gc.errors.InvalidArgumentError, match="from the thread"), gc.train.MonitoredSession() as session:
        while not session.should_stop():
            session.run(size)


def test_scaffold_takes_what_collections_hold() -> None:
    model()
    ready = gc.report_uninitialized_variables()
    gc.add_to_collection(gc.GraphKeys.READY_OP, ready)
    told = []
    scaffold = gc.train.Scaffold(init_fn=lambda s, session: told.append((s, session.run("w/read:0"))))
    copy = gc.train.Scaffold(local_init_op=gc.no_op(name="mine"), copy_from_scaffold=scaffold)
    with gc.train.MonitoredSession(gc.train.ChiefSessionCreator(scaffold=copy)):
        pass
    assert told == [(copy, 5)] and copy.ready_op is ready and copy.local_init_op.name == "mine"
    assert copy.saver is gc.get_collection(gc.GraphKeys.SAVERS)[0]
    gc.add_to_collection(gc.GraphKeys.READY_OP, ready)
    with pytest.raises(RuntimeError, match=r'More than one item in the collection "ready_op".*ready_op=item'):
        gc.train.Scaffold().finalize()
    with pytest.raises(TypeError, match="not a Scaffold instance"):
        gc.train.Scaffold(copy_from_scaffold=3)  # type: ignore[arg-type]


def test_models_that_are_not_ready() -> None:
    model()
    with pytest.raises(RuntimeError, match=r"did not make model ready for local_init.*global_step, w"):
        gc.train.MonitoredSession(gc.train.ChiefSessionCreator(gc.train.Scaffold(init_op=gc.no_op())))
    gc.reset_default_graph()
    model()
    worker = gc.train.WorkerSessionCreator(max_wait_secs=0)
    with pytest.raises(gc.errors.DeadlineExceededError, match=r"not ready after waiting 0 secs.*global_step, w"):
        gc.train.MonitoredSession(worker)
    gc.reset_default_graph()
    with pytest.raises(RuntimeError, match="no init_op or init_fn or local_init_op"):
        gc.train.SessionManager().prepare_session("")
    with pytest.raises(ValueError, match="must also pass a local_init_op"):
        gc.train.SessionManager(ready_for_local_init_op=gc.no_op())


def test_a_worker_shares_the_variables_of_the_chief() -> None:
    train, step = model()
    server = gc.train.Server.create_local_server()
    with gc.train.MonitoredTrainingSession(master=server.target) as chief:
        chief.run(train)
        with gc.train.MonitoredTrainingSession(master=server.target, is_chief=False) as worker:
            assert worker.run(step) == 1


def test_training_sessions_save_and_restore(tmp_path: Path) -> None:
    """The files, steps of checkpoints and events that TensorFlow 2.21 writes for the same program."""
    train, step = model()
    with gc.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), hooks=[gc.train.StopAtStepHook(last_step=5)],
                                           save_checkpoint_steps=2, save_summaries_steps=2,
                                           log_step_count_steps=2) as session:
        while not session.should_stop():
            session.run(train)
    gc.summary.FileWriterCache.get(str(tmp_path)).flush()
    names = {p.name for p in tmp_path.iterdir() if "events" not in p.name}
    assert names == {"checkpoint", "graph.pbtxt", *(f"model.ckpt-{n}.{end}" for n in (0, 2, 4, 5)
                                                    for end in ("data-00000-of-00001", "index", "meta"))}
    events = [(e.WhichOneof("what"), e.step) for p in tmp_path.glob("*events*") for e in
              gc.train.summary_iterator(str(p))]
    assert events == [
        ("file_version", 0), ("graph_def", 0), ("meta_graph_def", 0), ("graph_def", 0), ("meta_graph_def", 0),
        ("session_log", 0), ("session_log", 1), ("summary", 1), ("session_log", 2), ("summary", 3), ("summary", 3),
        ("session_log", 4), ("summary", 5), ("summary", 5), ("session_log", 5)]

    gc.reset_default_graph()
    train, step = model()
    w = gc.get_default_graph().get_tensor_by_name("w/read:0")
    with gc.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), save_checkpoint_secs=None) as session:
        assert session.run([step, w]) == [5, pytest.approx(5 * 0.8 ** 5)]


def test_workers_wait_for_a_checkpoint(tmp_path: Path) -> None:
    model()
    saver = gc.train.Saver()
    manager = gc.train.SessionManager(ready_op=gc.report_uninitialized_variables(), recovery_wait_secs=0.01)
    session, restored = manager.recover_session("", saver, str(tmp_path), wait_for_checkpoint=True, max_wait_secs=0.05)
    assert not restored
    session.run(gc.global_variables_initializer())
    path = saver.save(session, str(tmp_path / "model"), global_step=3)
    session, restored = manager.recover_session("", saver, str(tmp_path))
    assert restored and session.run("w/read:0") == 5 and saver.last_checkpoints == [path]
    with pytest.raises(ValueError, match="both checkpoint_dir and checkpoint_filename_with_path"):
        manager.prepare_session("", saver=saver, checkpoint_dir="a", checkpoint_filename_with_path="b")


def test_programs_that_walk_down_to_the_session() -> None:
    model()
    with gc.train.MonitoredSession() as session:
        inner: Any = session
        while type(inner).__name__ != "Session":
            inner = inner._sess
        assert inner is session._tf_sess() and inner.run("w/read:0") == 5


def test_options_of_hooks_are_merged() -> None:
    train, _ = model()
    seen: list[Any] = []

    class Asks(gc.train.SessionRunHook):
        def before_run(self, run_context: Any) -> Any:
            options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE, output_partition_graphs=True)
            return gc.train.SessionRunArgs(None, options=options)

        def after_run(self, run_context: Any, run_values: Any) -> None:
            seen.append(run_values)

    mine, metadata = gc.RunOptions(timeout_in_ms=60000), gc.RunMetadata()
    with gc.train.MonitoredSession(hooks=[Asks()]) as session:
        session.run(train, options=mine, run_metadata=metadata)
    (values,) = seen
    assert values.results is None and values.run_metadata is metadata and metadata.step_stats.dev_stats
    assert values.options.timeout_in_ms == 60000 and values.options.output_partition_graphs
    assert len(metadata.partition_graphs) == 1 and mine == gc.RunOptions(timeout_in_ms=60000)
