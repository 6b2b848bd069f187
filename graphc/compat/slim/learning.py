"""slim.learning: a train op, one step of it, and the loop over all steps under a Supervisor."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.program import logging
from graphc.summary.timeline import Timeline
from graphc.train.loops.train_op import gradient_summaries

_DEFAULT: Any = 0            # slim's sign for "make it yourself"; None means "none"
Step = Callable[[Any, Any, Any, dict[str, Any]], tuple[Any, Any]]


@public("contrib.slim.learning.clip_gradient_norms")
def clip_gradient_norms(gradients_to_variables: Sequence[tuple[Any, Any]], max_norm: Any) -> list[tuple[Any, Any]]:
    """(gradient, variable) pairs in which each gradient's own norm is at most max_norm.

    A gradient of None stays. Gradients are floating point of any shape, which they keep; TypeError for integers. As
    `tf.contrib.slim.learning.clip_gradient_norms`.

    >>> w = gc.get_variable("w", initializer=[3.0, 4.0])
    >>> [(clipped, _)] = gc.contrib.slim.learning.clip_gradient_norms([(gc.constant([3.0, 4.0]), w)], max_norm=1.0)
    >>> clipped.eval()
    array([0.6, 0.8], dtype=float32)
    """
    return gc.contrib.training.clip_gradient_norms(gradients_to_variables, max_norm)  # type: ignore[no-any-return]


@public("contrib.slim.learning.multiply_gradients")
def multiply_gradients(grads_and_vars: list[tuple[Any, Any]], gradient_multipliers: dict[Any, Any]) -> Any:
    """(gradient, variable) pairs whose gradients are multiplied by the factors of their variables.

    gradient_multipliers: factors by variables or names of their operations; who has none stays as it is. Raises
    ValueError for pairs that are no list, factors that are no dict or none, or a variable with a factor and no
    gradient. As `tf.contrib.slim.learning.multiply_gradients`.

    >>> w = gc.get_variable("w", initializer=[3.0, 4.0])
    >>> [(scaled, _)] = gc.contrib.slim.learning.multiply_gradients([(gc.constant([1.0, 2.0]), w)], {"w": 10.0})
    >>> scaled.eval()
    array([10., 20.], dtype=float32)
    """
    return gc.contrib.training.multiply_gradients(grads_and_vars, gradient_multipliers)


@public("contrib.slim.learning.add_gradients_summaries")
def add_gradients_summaries(grads_and_vars: Sequence[tuple[Any, Any]]) -> list[Any]:
    """The summaries of (gradient, variable) pairs: a histogram and the norm of each gradient that is not None.

    A list of string scalars, of gradients that are real numbers of any shape; TypeError for others. As
    `tf.contrib.slim.learning.add_gradients_summaries`.

    >>> w = gc.get_variable("w", initializer=[3.0, 4.0])
    >>> [s.op.type for s in gc.contrib.slim.learning.add_gradients_summaries([(gc.constant([3.0, 4.0]), w)])]
    ['HistogramSummary', 'ScalarSummary']
    """
    return gradient_summaries(grads_and_vars, "/gradient")


@public("contrib.slim.learning.create_train_op")
def create_train_op(total_loss: Any, optimizer: Any, global_step: Any = _DEFAULT,
                    update_ops: Sequence[Any] | None = None, variables_to_train: Sequence[Any] | None = None,
                    clip_gradient_norm: Any = 0, summarize_gradients: bool = False, gate_gradients: int = 1,
                    aggregation_method: int | None = None, colocate_gradients_with_ops: bool = False,
                    gradient_multipliers: dict[Any, Any] | None = None, check_numerics: bool = True) -> Any:
    """The operation of a training step, whose value is the loss.

    It runs update_ops first (by default all of UPDATE_OPS, as batch normalisation's), then the optimizer for
    variables_to_train (all trainable ones), and counts global_step (None: no count). gradient_multipliers: factors by
    variable or name. clip_gradient_norm: the largest norm of each gradient, 0 for any. check_numerics: a loss that is
    not finite is an InvalidArgumentError. summarize_gradients: as `add_gradients_summaries`. total_loss: floating
    point, a scalar by rule; the result has its shape and dtype. Raises ValueError without variables, for some that are
    not trainable, and where none has a gradient. As `tf.contrib.slim.learning.create_train_op`.

    >>> w = gc.get_variable("w", initializer=4.0)
    >>> optimizer = gc.train.GradientDescentOptimizer(1.0)
    >>> step = gc.contrib.slim.learning.create_train_op(w ** 2, optimizer, clip_gradient_norm=1)
    >>> gc.global_variables_initializer().run()
    >>> step.eval(), step.eval(), w.eval()
    (np.float32(16.0), np.float32(9.0), np.float32(2.0))
    """
    def transform(pairs: Any) -> Any:
        if gradient_multipliers:
            with gc.name_scope("multiply_grads"):
                pairs = multiply_gradients(pairs, gradient_multipliers)
        if clip_gradient_norm > 0:
            with gc.name_scope("clip_grads"):
                pairs = clip_gradient_norms(pairs, clip_gradient_norm)
        return pairs

    step = gc.train.get_or_create_global_step() if global_step is _DEFAULT else global_step
    return gc.contrib.training.create_train_op(
        total_loss, optimizer, step, update_ops, variables_to_train, transform_grads_fn=transform,
        summarize_gradients=summarize_gradients, gate_gradients=gate_gradients, aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops, check_numerics=check_numerics)


@public("contrib.slim.learning.train_step")
def train_step(sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """(loss, whether to stop) after one step: what `train` runs in each step, by default.

    train_step_kwargs: boolean tensors should_stop, should_log and should_trace (with logdir, and perhaps
    summary_writer); each may be left out. Raises ValueError for should_trace without logdir. sess: a Session; loss: the
    value of train_op. As `tf.contrib.slim.learning.train_step`.

    >>> slim, step = gc.contrib.slim, gc.train.get_or_create_global_step()
    >>> w = gc.get_variable("w", initializer=4.0)
    >>> train_op = slim.learning.create_train_op(w ** 2, gc.train.GradientDescentOptimizer(0.25))
    >>> gc.global_variables_initializer().run()
    >>> slim.learning.train_step(gc.get_default_session(), train_op, step, {"should_stop": gc.greater_equal(step, 1)})
    (np.float32(16.0), np.True_)
    """
    start, given = time.time(), train_step_kwargs
    options = metadata = None
    if "should_trace" in given:
        if "logdir" not in given:
            raise ValueError("logdir must be present in train_step_kwargs when should_trace is present")
        if sess.run(given["should_trace"]):
            options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
            metadata = gc.RunMetadata()
    loss, step = sess.run([train_op, global_step], options=options, run_metadata=metadata)
    if metadata is not None:
        _write_trace(metadata, step, given)
    if "should_log" in given and sess.run(given["should_log"]):
        logging.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, time.time() - start)
    return loss, sess.run(given["should_stop"]) if "should_stop" in given else False


def _write_trace(metadata: Any, step: Any, given: dict[str, Any]) -> None:
    trace = Timeline(metadata.step_stats).generate_chrome_trace_format()
    Path(given["logdir"], f"tf_trace-{step}.json").write_text(trace)
    if "summary_writer" in given:
        given["summary_writer"].add_run_metadata(metadata, f"run_metadata-{step}")


@public("contrib.slim.learning.train")
def train(train_op: Any, logdir: str | None, train_step_fn: Step = train_step,
          train_step_kwargs: dict[str, Any] = _DEFAULT, log_every_n_steps: int = 1, graph: Any = None, master: str = "",
          is_chief: bool = True, global_step: Any = None, number_of_steps: int | None = None, init_op: Any = _DEFAULT,
          init_feed_dict: Any = None, local_init_op: Any = _DEFAULT, init_fn: Any = None, ready_op: Any = _DEFAULT,
          summary_op: Any = _DEFAULT, save_summaries_secs: int = 600, summary_writer: Any = _DEFAULT,
          startup_delay_steps: int = 0, saver: Any = None, save_interval_secs: int = 600, sync_optimizer: Any = None,
          session_config: Any = None, session_wrapper: Any = None, trace_every_n_steps: int | None = None,
          ignore_live_threads: bool = False) -> Any:
    """Trains until number_of_steps, the end of the data or a stop: the last loss. As `tf.contrib.slim.learning.train`.

    train_op: of `create_train_op`. Variables are initialised, or restored if logdir has a checkpoint; queue runners
    run. Raises ValueError if train_op is None, number_of_steps is not positive or startup_delay_steps is negative.

    Args:
        logdir: checkpoints (every save_interval_secs, and the last) and summaries (every save_summaries_secs) go there;
            None for none, and then neither summary_op, saver nor trace_every_n_steps may be given.
        train_step_fn: runs a step, as `train_step`, with train_step_kwargs.
        number_of_steps: the count at which it stops; what a restored checkpoint has done counts.
        init_op: initialises, by default all global variables, with init_feed_dict; then init_fn(session) runs.
        local_init_op: by default the initialisers of local variables and tables.
        startup_delay_steps: a worker that is not the chief begins at this step.
        sync_optimizer: replicas of several processes, which is an error (ValueError).
        session_wrapper: a function of the session, whose result is used in its place.

    >>> w = gc.get_variable("w", initializer=4.0)
    >>> train_op = gc.contrib.slim.learning.create_train_op(w ** 2, gc.train.GradientDescentOptimizer(0.25))
    >>> gc.contrib.slim.learning.train(train_op, "trained", number_of_steps=3)
    np.float32(1.0)
    >>> gc.train.latest_checkpoint("trained")
    'trained/model.ckpt-3'
    """
    _check(train_op, logdir, summary_op, saver, trace_every_n_steps, number_of_steps, sync_optimizer,
           startup_delay_steps)
    graph = graph or gc.get_default_graph()
    with graph.as_default():
        step = gc.train.get_or_create_global_step() if global_step is None else global_step
        saver = saver or gc.train.Saver()
        with gc.name_scope("init_ops"):
            init_op = gc.global_variables_initializer() if init_op is _DEFAULT else init_op
            ready_op = gc.report_uninitialized_variables() if ready_op is _DEFAULT else ready_op
            if local_init_op is _DEFAULT:
                local_init_op = gc.group(gc.local_variables_initializer(), gc.tables_initializer())
        if summary_op is _DEFAULT:
            summary_op = gc.summary.merge_all()
        given = train_step_kwargs
        if given is _DEFAULT:
            given = _step_arguments(step, number_of_steps, log_every_n_steps, trace_every_n_steps, logdir)
    writer = gc.train.Supervisor.USE_DEFAULT if summary_writer is _DEFAULT else summary_writer
    supervisor = gc.train.Supervisor(
        graph=graph, is_chief=is_chief, logdir=logdir, init_op=init_op, init_feed_dict=init_feed_dict,
        local_init_op=local_init_op, ready_op=ready_op, summary_op=summary_op, summary_writer=writer, global_step=step,
        saver=saver, save_summaries_secs=save_summaries_secs, save_model_secs=save_interval_secs, init_fn=init_fn)
    if writer is not None:
        given["summary_writer"] = supervisor.summary_writer
    while True:
        try:
            with supervisor.managed_session(master, start_standard_services=False, config=session_config) as session:
                wrapped = session_wrapper(session) if session_wrapper is not None else session
                if not is_chief and startup_delay_steps:
                    _wait_for_step(wrapped, step, min(startup_delay_steps, number_of_steps or startup_delay_steps))
                return _steps(supervisor, wrapped, train_op, step, train_step_fn, given, logdir, ignore_live_threads)
        except gc.errors.AbortedError:
            continue                    # a new session goes on from the last checkpoint


def _check(train_op: Any, logdir: str | None, summary_op: Any, saver: Any, trace_every_n_steps: Any,
           number_of_steps: int | None, sync_optimizer: Any, startup_delay_steps: int) -> None:
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None:
        for name, wrong in (("summary_op", summary_op is not _DEFAULT and summary_op is not None),
                            ("saver", saver is not None), ("trace_every_n_steps", trace_every_n_steps is not None)):
            if wrong:
                raise ValueError(f"Cannot provide {name} because logdir=None")
    if sync_optimizer is not None:
        raise ValueError("sync_optimizer: replicas of several processes are out of graphc's reach; leave it out, and "
                         "train with the optimizer itself")
    if startup_delay_steps < 0:
        raise ValueError(f"startup_delay_steps must not be negative, but is {startup_delay_steps}")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError(f"`number_of_steps` must be either None or a positive number, but is {number_of_steps}.")


def _step_arguments(step: Any, number_of_steps: int | None, log_every: int, trace_every: int | None,
                    logdir: str | None) -> dict[str, Any]:
    with gc.name_scope("train_step"):
        made = {"should_stop": gc.greater_equal(step, number_of_steps) if number_of_steps else gc.constant(False)}
        if log_every > 0:
            made["should_log"] = gc.equal(gc.mod(step, log_every), 0)
        if trace_every is not None:
            made |= {"should_trace": gc.equal(gc.mod(step, trace_every), 0), "logdir": logdir}
    return made


def _wait_for_step(session: Any, step: Any, wanted: int) -> None:
    """A worker that is not the chief begins when the others have got so far."""
    while gc.train.global_step(session, step) < wanted:
        time.sleep(1.0)


def _steps(supervisor: Any, session: Any, train_op: Any, step: Any, train_step_fn: Step, given: dict[str, Any],
           logdir: str | None, ignore_live_threads: bool) -> Any:
    if logdir and supervisor.is_chief:
        supervisor.start_standard_services(session)
    threads = supervisor.start_queue_runners(session)
    loss = None
    try:
        while not supervisor.should_stop():
            loss, should_stop = train_step_fn(session, train_op, step, given)
            if should_stop:
                supervisor.request_stop()
                break
    except gc.errors.OutOfRangeError:
        pass                            # the end of the data ends the training
    if logdir and supervisor.is_chief:
        try:                            # the thread that saves ends first: its checkpoint is not to be the latest one
            supervisor.stop(threads, close_summary_writer=False, ignore_live_threads=ignore_live_threads)
        finally:                        # the end of the managed session closes the writer
            supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
    return loss
