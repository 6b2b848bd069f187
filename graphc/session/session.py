"""Session: runs parts of a graph, and owns the variables.

A run looks up its plan by (what is fetched, what is fed, the feeds' ranks), converts the feeds and makes one native
call. The first run of each kind compiles; a new batch size never does. Plans are kept, the least recently used go
first. Any number of threads may run at once. What compiles is imported with the first run, so that `import graphc` is
quick.
"""
from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from operator import call
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import errors
from graphc.api.public import public
from graphc.api.random.mode import get_random_mode
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.locks import new_reentrant_lock
from graphc.ir.stacks import default_sessions
from graphc.ir.tensor import Operation, Tensor
from graphc.session.callables import callable_from_options
from graphc.session.careful_run import run_with_care
from graphc.session.compiling import make_engine
from graphc.session.config import DeviceAttributes, settings_of
from graphc.session.devices import CPU, GPU, MEMORY_LIMIT, gpus_if_they_work
from graphc.session.explain import cause_of, explained
from graphc.session.feeds import check_feed_key, flatten_feeds, is_composite, parts_of_key
from graphc.session.fetches import Fetches, fetch_key
from graphc.session.growth import Growth
from graphc.session.partial import SETUPS_KEPT, PartialRun, Setup, setup
from graphc.session.placement import Placement
from graphc.session.places import place_of
from graphc.session.prepared_run import PreparedRun
from graphc.session.warming import warmed
from graphc.tracebacks import shown, shows_errors, user_facing

if TYPE_CHECKING:
    from graphc.ir.dtypes import DType
    from graphc.serial.config_pb2 import ConfigProto, RunOptions
    from graphc.serial.run_metadata_pb2 import RunMetadata
    from graphc.session.reports.run_report import RunReport
    from graphc.session.tuning import Tuning

PLANS_KEPT = 256
CLOSED = "Attempted to use a closed Session. Make a new one; its variables start anew, or from a checkpoint"


@public("Session")
class Session:
    """Runs a graph, and keeps its state: the values of variables, queues, tables, random streams.

    target: "" or a `gc.train.Server`'s. graph: the default one if left out. config: a gc.ConfigProto;
    graphc/session/config.py says which settings have a meaning. `with gc.Session() as session:` makes it the default
    one and closes it after the block. Each kind of run is compiled once, whatever the sizes of its feeds. As
    `tf.Session`. Raises TypeError for another kind of graph or config, UnimplementedError for a server that is not in
    this process. run raises TypeError for what cannot be fetched, ValueError for what is not in the graph,
    InvalidArgumentError for a placeholder that is not fed, FailedPreconditionError for a variable without a value,
    RuntimeError after close().

    >>> x = gc.placeholder(gc.float32, [None, 2])
    >>> total = gc.reduce_sum(x, axis=1)
    >>> with gc.Session() as session:
    ...     session.run(total, {x: [[1., 2.]]}), session.run(total, {x: [[1., 2.], [3., 4.]]})
    (array([3.], dtype=float32), array([3., 7.], dtype=float32))
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: ConfigProto | None = None) -> None:
        if isinstance(target, Graph):
            raise TypeError("Session: the first argument is `target`; write gc.Session(graph=...)")
        self._place = place_of(target)
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"Session: argument 'graph' must be a gc.Graph, but is {type(graph).__name__}")
        self._graph = graph if graph is not None else get_default_graph()
        self._settings = settings_of(self._place.config if config is None and self._place is not None else config)
        self._plans: dict[Any, PreparedRun] = {}
        self._lock = new_reentrant_lock()
        self._runs = itertools.count()
        self._closed = False
        self._entered: list[ExitStack] = []
        self._states_made: Any = None
        self._objects: Any = None
        self._growth = Growth()
        self._placement = Placement(self._settings)
        self._partial_runs: dict[str, PartialRun] = {}
        self._partial_setups: dict[Any, Setup] = {}
        self._partial_numbers = itertools.count()
        if self._place is not None:
            self._place.sessions.add(self)
        self._exact_random = get_random_mode() == "tensorflow"
        self._shows = os.environ.get("GRAPHC_TRACE", "0") not in ("", "0")
        self._plain = not self._shows and not self._settings.timeout_in_ms

    def __repr__(self) -> str:
        from graphc.session.reports.describe import title

        return f"<{title(self)}>"

    def _repr_html_(self) -> str:
        from graphc.picture.notebook import session_html
        from graphc.session.reports.describe import summary

        return session_html(summary(self))

    @property
    def graph(self) -> Graph:
        """The graph that it runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The GraphDef of its graph as it is now."""
        return self._graph.as_graph_def()  # type: ignore[attr-defined]

    @property
    def sess_str(self) -> str:
        """The target."""
        return "" if self._place is None else self._place.target

    @property
    def _states(self) -> Any:
        """The variables' values (exec/states.py)."""
        if self._states_made is None:
            from graphc.exec.states import StateStore

            with self._lock:
                self._states_made = self._states_made or (StateStore() if self._place is None else self._place.states)
        return self._states_made

    # Running

    @shows_errors
    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, options: RunOptions | None = None,
            run_metadata: RunMetadata | None = None) -> Any:
        """The values of `fetches` (a graph element, or any nesting of lists, tuples and dicts of them), as
        `tf.Session.run`. Every op runs at most once; operations give None. Arrays are the caller's own.

        Raises TypeError and ValueError for fetches and feeds that do not fit, errors.OpError for what goes wrong in the
        run, RuntimeError if the session is closed.
        """
        try:
            if feed_dict:
                try:
                    key = (fetches if type(fetches) is Tensor else fetch_key(fetches), *feed_dict)
                    prepared = self._plans.get(key)
                except TypeError:
                    _check_feed_dict(feed_dict)
                    raise
                if prepared is None:
                    _check_feed_dict(feed_dict)
                    if any(map(is_composite, feed_dict)):
                        return self.run(fetches, flatten_feeds(feed_dict), options, run_metadata)
                    prepared = self._prepare(key, fetches, feed_dict)
            else:
                key = (fetches if type(fetches) is Tensor else fetch_key(fetches),)
                prepared = self._plans.get(key)
                if prepared is None:
                    prepared = self._prepare(key, fetches, {})
                feed_dict = {}
            if prepared.quick is not None and options is None and run_metadata is None:
                result = prepared.quick(feed_dict)
                if result is not None:
                    if type(result) is int:
                        raise self._quick_error(prepared, feed_dict.values(), result)
                    return result if prepared.single else prepared.build(result)
            return self._run(prepared, list(map(call, prepared.converters, feed_dict.values())), options, run_metadata)
        except Exception as error:
            raise shown(_not_of_feeds(error, feed_dict), "gc.Session.run")  # noqa: B904  (the same error)

    def _run(self, prepared: PreparedRun, inputs: list[np.ndarray], options: RunOptions | None,
             metadata: RunMetadata | None) -> Any:
        if self._closed:
            raise RuntimeError(CLOSED)
        engine = prepared.only
        if engine is None or options is not None or metadata is not None or not self._plain:
            return run_with_care(self, prepared, inputs, options, metadata)
        prepared.used = number = next(self._runs)
        try:
            values = engine.run_fitting(inputs, number)
        except errors.OpError as error:
            raise explained(error, self._graph, prepared, inputs) from cause_of(error)
        return prepared.build([v if v.ndim else v[()] for v in values])

    def _quick_error(self, prepared: PreparedRun, values: Iterable[Any], number: int) -> Exception:
        """What the quick run of these values ended with (Engine.quick_error)."""
        error: errors.OpError = prepared.only.quick_error(number)
        made = explained(error, self._graph, prepared, list(map(call, prepared.converters, values)))
        made.__cause__ = cause_of(error)
        return made

    def _fill_variables(self, numbers: Mapping[str, tuple[DType, tuple[int, ...]]],
                        fill: Callable[[str, np.ndarray], None], texts: Mapping[str, np.ndarray]) -> None:
        """Sets variables without a run: of numbers by `fill`, which gets each name and the array that is its value (if
        it raises, they are not initialised any more), of strings by their values. Raises RuntimeError if the session
        is closed."""
        if self._closed:
            raise RuntimeError(CLOSED)
        self._states.fill(numbers, fill)
        for name, value in texts.items():
            self._states.assign(name, value)

    @shows_errors
    def warmup(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> None:
        """Compiles all that `run` of the same arguments needs, fused programs to machine code included, and runs
        nothing: variables, queues and random numbers stay as they are. Of the feeds only dtypes and shapes matter.

        A server calls it before its first request, for each kind of run; other batch sizes need none of their own.
        Raises as `run` does for fetches and feeds that do not fit.

            >>> import graphc as gc
            >>> x = gc.placeholder(gc.float32, [None])
            >>> session = gc.Session()
            >>> session.warmup(x * 2.0 + 1.0, {x: [0.0]})
        """
        try:
            _check_feed_dict(feed_dict or {})
            warmed(self, fetches, feed_dict or {})
        except Exception as error:
            raise shown(error, "gc.Session.warmup")  # noqa: B904  (the same error)

    @shows_errors
    def explain(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, runs: int = 10) -> RunReport:
        """Where the time of `run` of the same arguments goes: for each step the kernel, what was chosen for these sizes
        (variant, format, tiles, threads), microseconds, operations and bytes a second, and what this machine's peak and
        memory would allow; of what a GPU does the same, by its kernels. Print the result, or look at its `steps`.

        It runs `runs` times, and twice before. Variables get their values back; what Python functions and queues do is
        done. Raises ValueError if `runs` is below 1, else as `run` does.

            >>> import graphc as gc
            >>> x = gc.placeholder(gc.float32, [None, 64])
            >>> report = gc.Session().explain(gc.matmul(x, x, transpose_b=True), {x: [[1.0] * 64]})
            >>> [step.call.split("(")[0] for step in report.steps]
            ['matmul.f32']
            >>> report.steps[0].flops
            128.0
        """
        try:
            _check_feed_dict(feed_dict or {})
            from graphc.session.reports.run_report import report

            return report(self, fetches, feed_dict or {}, runs)
        except Exception as error:
            raise shown(error, "gc.Session.explain")  # noqa: B904  (the same error)

    @shows_errors
    def tune(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, rounds: int = 5) -> Tuning:
        """Measures which way of each kernel (of convolutions, of products) is the quickest for the sizes of this run on
        this machine, and goes it from now on, here and in later Sessions; GRAPHC_TUNED=0 forbids them that. Print the
        result, or look at its `calls`.

        Results may differ in their last digits from those of the usual ways. Variables get their values back; what
        Python functions and queues do is done. Raises ValueError if `rounds` is below 1, UnimplementedError for a run
        on a GPU, else as `run` does.

            >>> import graphc as gc
            >>> x = gc.placeholder(gc.float32, [None, 8, 8, 16])
            >>> y = gc.nn.conv2d(x, gc.zeros([3, 3, 16, 16]), strides=1, padding="SAME")
            >>> found = gc.Session().tune(y, {x: [[[[1.0] * 16] * 8] * 8]}, rounds=1)
            >>> [call.sizes.kernel for call in found.calls]
            ['conv2d.f32']
        """
        try:
            _check_feed_dict(feed_dict or {})
            from graphc.session.tuning import tune

            return tune(self, fetches, feed_dict or {}, rounds)
        except Exception as error:
            raise shown(error, "gc.Session.tune")  # noqa: B904  (the same error)

    # Compiling

    def _prepare(self, key: Any, fetches: Any, feed_dict: Mapping[Any, Any]) -> PreparedRun:
        if self._closed:
            raise RuntimeError(CLOSED)
        _check_feed_dict(feed_dict)
        feeds = [self._fed(k) for k in feed_dict]
        found = Fetches(fetches, lambda part: self._element(part, feeds))   # tells what is wrong before the next line
        if not self._graph.version:
            raise RuntimeError("The Session graph is empty. Add operations to the graph before calling run().")
        prepared = PreparedRun(found, feeds)
        self._growth.look(self._graph)
        with self._lock:
            while len(self._plans) >= PLANS_KEPT:
                del self._plans[min(self._plans, key=lambda k: self._plans[k].last_used)]
            return self._plans.setdefault(key, prepared)

    def _fed(self, key: Any) -> Tensor:
        try:
            tensor = self._graph.as_graph_element(key, allow_operation=False)
        except (TypeError, ValueError, KeyError) as error:
            raise check_feed_key(key, error) from None
        if not self._graph.is_feedable(tensor):
            raise ValueError(f"Tensor {tensor.name} may not be fed.")
        return tensor  # type: ignore[no-any-return]

    def _element(self, part: Any, feeds: Sequence[Tensor]) -> Tensor | Operation:
        if hasattr(part, "_ref"):
            read = part._as_graph_element()
            part = read if read in feeds else part._ref()
        element = self._graph.as_graph_element(part)
        if not self._graph.is_fetchable(element):
            raise ValueError(f"{element!r} has been marked as not fetchable.")
        return element  # type: ignore[no-any-return]

    def _engine(self, prepared: PreparedRun, inputs: Sequence[np.ndarray]) -> Any:
        engine = prepared.engines.get(prepared.kind(inputs))
        if engine is None:
            with self._lock:
                engine = prepared.engines.get(prepared.kind(inputs)) or make_engine(self, prepared, inputs)
                prepared.engines[prepared.kind(inputs)] = engine
        return engine

    # Runs in parts

    @shows_errors
    def partial_run_setup(self, fetches: Any, feeds: Sequence[Any] | None = None) -> str:
        """A handle for partial_run: of all its parts together, `fetches` are fetched and `feeds` are fed. As
        `tf.Session.partial_run_setup`."""
        if self._closed:
            raise RuntimeError(CLOSED)
        handle = f"partial_run_{next(self._partial_numbers)}"
        fed = frozenset(self._fed(part) for key in feeds or () for part in parts_of_key(key))
        key = fetch_key(fetches), fed
        allowed = self._partial_setups.get(key)
        if allowed is None:
            if len(self._partial_setups) >= SETUPS_KEPT:
                self._partial_setups.clear()
            allowed = self._partial_setups[key] = setup(self, fetches, fed)
        self._partial_runs[handle] = PartialRun(self, allowed)
        return handle

    @shows_errors
    def partial_run(self, handle: str, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Goes on with a run: each operation is computed once in all of its parts. As `tf.Session.partial_run`.

        Raises InvalidArgumentError for a handle whose fetches have all been fetched, for what the setup did not name,
        and for a fetch that needs what is not fed yet.
        """
        part = self._partial_runs.get(handle)
        if part is None:
            raise errors.InvalidArgumentError("Must run 'setup' before performing partial runs! Session.partial_run: "
                                              f"no run goes on under the handle {handle!r}")
        values = part.run(fetches, feed_dict)
        if part.finished:
            del self._partial_runs[handle]
        return values

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] | None = None,
                      accept_options: bool = False) -> Callable[..., Any]:
        """A function of the values of `feed_list` that runs `fetches`; quicker than `run`, as
        `tf.Session.make_callable`. accept_options: it takes options and run_metadata, too."""
        given = list(feed_list or ())
        feeds = [part for key in given for part in parts_of_key(key)]
        key = (fetch_key(fetches), *feeds)
        prepared = self._plans.get(key) or self._prepare(key, fetches, dict.fromkeys(feeds))

        def called(*values: Any, options: RunOptions | None = None, run_metadata: RunMetadata | None = None) -> Any:
            if len(values) != len(given):
                raise TypeError(f"the callable takes {len(given)} values (feed_list), but was given {len(values)}")
            if len(given) != len(feeds):
                values = tuple(flatten_feeds(dict(zip(given, values, strict=True))).values())
            if prepared.quick is not None and options is None and run_metadata is None and not self._closed:
                result = prepared.quick(*values)
                if result is not None:
                    if type(result) is int:
                        raise self._quick_error(prepared, values, result)
                    return result if prepared.single else prepared.build(result)
            return self._run(prepared, list(map(call, prepared.converters, values)), options, run_metadata)

        return user_facing(called if accept_options else lambda *values: called(*values), "a callable of gc.Session")

    def _make_callable_from_options(self, callable_options: Any) -> Callable[..., Any]:
        """As Keras asks TensorFlow's session."""
        return callable_from_options(self, callable_options)

    def list_devices(self) -> list[DeviceAttributes]:
        """The devices that runs may use: the CPU and the GPUs, on which nothing is reserved by that."""
        gpus = gpus_if_they_work(self._settings) if self._settings.gpus != 0 else []
        return [DeviceAttributes(CPU, "CPU", MEMORY_LIMIT),
                *(DeviceAttributes(GPU.format(i), "GPU", gpu.limit or gpu.memory) for i, gpu in enumerate(gpus))]

    # Its life

    def as_default(self) -> AbstractContextManager[Session]:
        """Tensor.eval and Operation.run use this session inside the `with` block; it stays open after it."""
        return default_sessions.entered(self)

    def __enter__(self) -> Session:
        stack = ExitStack()
        stack.enter_context(self._graph.as_default())
        stack.enter_context(self.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)
        self.close()

    def close(self) -> None:
        """Frees plans and variables. The session cannot be used any more."""
        with self._lock:
            self._closed = True
            if self._objects is not None and self._place is None:
                self._objects.close()
            self._plans.clear()
            self._states_made = None

    @classmethod
    def reset(cls, target: Any = "", containers: Any = None, config: Any = None) -> None:
        """Closes the sessions of a gc.train.Server and frees their variables and queues, as `tf.Session.reset`. Without
        a server variables belong to their session: there is nothing to reset.

        config changes nothing. Raises UnimplementedError for the server's `containers` one by one.
        """
        place = place_of(target)
        if place is not None:
            if containers:
                raise errors.UnimplementedError(f"Session.reset: containers {containers!r} cannot be reset one by one; "
                                                "leave the argument out to reset all of them")
            place.reset()


def _check_feed_dict(feed_dict: Any) -> None:
    if not isinstance(feed_dict, Mapping):
        raise TypeError("Session.run: argument 'feed_dict' must be a dict {placeholder: value}, but is "
                        f"{type(feed_dict).__name__}")


def _not_of_feeds(error: Exception, feed_dict: Any) -> Exception:
    """The error of a run; if its feeds are no dictionary, which a run like an earlier one does not look at, of that."""
    try:
        _check_feed_dict(feed_dict or {})
    except TypeError as found:
        return found
    return error
