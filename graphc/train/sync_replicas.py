"""SyncReplicasOptimizer where all replicas are in one process: the mean of several steps' gradients is applied once."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.coordinator import Coordinator
from graphc.train.moving_averages import ExponentialMovingAverage
from graphc.train.optimizer import GradsAndVars, Optimizer
from graphc.train.runners import QueueRunner
from graphc.train.wrappers import Around

Accumulators = Sequence[gc.ConditionalAccumulator | gc.SparseConditionalAccumulator]


@public("train.SyncReplicasOptimizer")
class SyncReplicasOptimizer(Optimizer):
    """The optimizer `opt` with the mean of the gradients of replicas_to_aggregate steps, as
    `tf.train.SyncReplicasOptimizer` in one process.

    Each run of the train op is one replica's step: it adds its gradients, and that which completes
    replicas_to_aggregate of them applies their mean and counts global_step up by one. So no run waits for another one,
    no token is needed, and the threads of total_num_replicas may come in any order. Gradients computed before the last
    update are dropped.
    variable_averages: a moving average of variables_to_average, made with each update. Raises ValueError unless
    replicas_to_aggregate is positive; minimize and apply_gradients need a global_step (ValueError).

    >>> v, x, count = gc.Variable(1.), gc.placeholder(gc.float32, []), gc.train.create_global_step()
    >>> optimizer = gc.train.SyncReplicasOptimizer(gc.train.GradientDescentOptimizer(1.), replicas_to_aggregate=2)
    >>> step = optimizer.minimize(v * x, global_step=count)
    >>> gc.global_variables_initializer().run()
    >>> optimizer.chief_init_op.run()
    >>> step.run({x: 2.})
    >>> v.eval(), count.eval()
    (np.float32(1.0), np.int64(0))
    >>> step.run({x: 4.})                       # the mean of both: 3
    >>> v.eval(), count.eval()
    (np.float32(-2.0), np.int64(1))
    """

    # Not by inheritance: libraries know TensorFlow's own optimizers by deriving from Optimizer itself.
    compute_gradients, variables = Around.compute_gradients, Around.variables
    get_slot, get_slot_names = Around.get_slot, Around.get_slot_names

    def __init__(self, opt: Optimizer, replicas_to_aggregate: int, total_num_replicas: int | None = None,
                 variable_averages: ExponentialMovingAverage | None = None, variables_to_average: Any = None,
                 use_locking: bool = False, name: str = "sync_replicas") -> None:
        super().__init__(use_locking, name)
        self._optimizer = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._total_num_replicas = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        for argument, value in (("replicas_to_aggregate", replicas_to_aggregate),
                                ("total_num_replicas", self._total_num_replicas)):
            if value < 1:
                raise ValueError(f"SyncReplicasOptimizer: argument '{argument}' must be positive, but is {value}")
        self._variable_averages = variable_averages
        self._variables_to_average = variables_to_average
        self._gradients_applied = False
        self._chief_queue_runner: QueueRunner | None = None

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> gc.Operation:
        """The train op. Raises ValueError without gradients or without a global step."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self.ready_for_local_init_op = gc.report_uninitialized_variables(gc.global_variables())
        self.local_step_init_op = gc.no_op(name="sync_rep_local_step_init")
        if self._replicas_to_aggregate == 1:
            accumulators: Accumulators = []
            made = self._update(pairs, global_step, name)
        else:
            accumulators, made = self._collected(pairs, global_step, name)
        with gc.get_default_graph().name_scope(self._name):
            self.chief_init_op = gc.group(self.local_step_init_op,
                                          *(a.set_global_step(global_step, name="SetGlobalStep") for a in accumulators))
            self._chief_queue_runner = _NothingToRun(global_step)
        self._gradients_applied = True
        return made

    def _update(self, pairs: GradsAndVars, global_step: Any, name: str | None) -> gc.Operation:
        step = self._optimizer.apply_gradients(pairs, global_step, name)
        if self._variable_averages is None:
            return step
        with gc.get_default_graph().control_dependencies([step]):
            averaged = self._variable_averages.apply(self._variables_to_average)
        return gc.group(step, averaged)

    def _collected(self, pairs: GradsAndVars, global_step: Any, name: str | None) -> tuple[Accumulators, gc.Operation]:
        """The gradients are added; the run that is the first to see enough of them applies their means."""
        wanted, graph = self._replicas_to_aggregate, gc.get_default_graph()
        with graph.name_scope(self._name):
            given = [(g, v, _accumulator(g, v)) for g, v in pairs if g is not None]
            if not given:
                raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in pairs]}.")
            accumulators = [a for _, _, a in given]
            added = [a.apply_indexed_slices_grad(g, global_step) if isinstance(a, gc.SparseConditionalAccumulator)
                     else a.apply_grad(g, global_step) for g, _, a in given]
            with graph.control_dependencies(added):
                claimed = accumulators[0]._claim(wanted)

        def update() -> gc.Tensor:
            # The one that was claimed comes last: until then nobody else takes any of them.
            means: dict[gc.Variable, Any] = {}
            before: list[Any] = []
            for _, variable, accumulator in reversed(given):
                with gc.get_default_graph().control_dependencies(before):
                    mean = means[variable] = _mean(accumulator, wanted)
                before.append(mean.op)
            with graph.name_scope(""):               # variables of the optimizer's own are named outside the branch
                made = self._update([(means[v], v) for _, v, _ in given], global_step, name)
            with gc.get_default_graph().control_dependencies([made]):
                return gc.no_op()

        return accumulators, gc.group(gc.cond(claimed, update, gc.no_op))

    def get_chief_queue_runner(self) -> QueueRunner:
        """A QueueRunner of no threads: the train op makes the updates. Raises ValueError before apply_gradients."""
        if self._chief_queue_runner is None:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_init_tokens_op(self, num_tokens: int = -1) -> gc.Operation:
        """An operation that does nothing: no step waits for a token. Raises ValueError before apply_gradients, or if
        there would be too few of them."""
        if not self._gradients_applied:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens != -1 and num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        return gc.no_op(name="no_init_tokens")

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SyncReplicasHook:
        """A hook for the session; without a session that takes hooks, run chief_init_op yourself."""
        if not self._gradients_applied:
            raise ValueError("apply_gradients should be called to make the hook")
        return SyncReplicasHook(self, is_chief, num_tokens)


class SyncReplicasHook:
    """The methods of a session run hook: a chief's begins with the accumulators at the global step."""

    def __init__(self, optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int) -> None:
        self._optimizer, self._is_chief, self._num_tokens = optimizer, is_chief, num_tokens

    def begin(self) -> None:
        """Before the session is made."""
        if self._is_chief:
            self._optimizer.get_init_tokens_op(self._num_tokens)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """After it. Raises RuntimeError if variables have no value."""
        missing = session.run(self._optimizer.ready_for_local_init_op)
        if len(missing):
            raise RuntimeError("Init operations did not make model ready for SyncReplicasOptimizer local_init: "
                               f"variables not initialized: {', '.join(m.decode() for m in missing)}")
        session.run(self._optimizer.chief_init_op if self._is_chief else self._optimizer.local_step_init_op)

    def before_run(self, run_context: Any) -> None:
        """Nothing more is fetched."""

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Nothing is done with the values."""

    def end(self, session: Any) -> None:
        """Nothing is left."""


class _NothingToRun(QueueRunner):
    """Has no threads."""

    def __init__(self, global_step: Any) -> None:
        queue = gc.FIFOQueue(-1, [global_step.dtype], shapes=[()], name="sync_token_q")
        super().__init__(queue, [queue.enqueue(global_step)])

    def create_threads(self, sess: Any, coord: Coordinator | None = None, daemon: bool = False,
                       start: bool = False) -> list[threading.Thread]:
        return []


def _accumulator(gradient: Any, variable: gc.Variable) -> gc.ConditionalAccumulator | gc.SparseConditionalAccumulator:
    kind = gc.SparseConditionalAccumulator if isinstance(gradient, gc.IndexedSlices) else gc.ConditionalAccumulator
    return kind(gradient.dtype, shape=variable.shape, shared_name=f"{variable.name}/grad_accum")


def _mean(accumulator: Any, wanted: int) -> Any:
    if isinstance(accumulator, gc.SparseConditionalAccumulator):
        return accumulator.take_indexed_slices_grad(wanted)
    return accumulator.take_grad(wanted)
