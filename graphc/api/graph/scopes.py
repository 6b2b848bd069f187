"""What works on the default graph: name_scope, control_dependencies, device, collections, under TensorFlow 1's
names."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import graph_of
from graphc.ir.func_graph import outermost
from graphc.ir.graph import get_default_graph


@public("name_scope")
class name_scope:
    """`with gc.name_scope("layer") as scope:` names the operations made inside "layer/...".

    name_scope(name, default_name, values): default_name is taken if name is None, as in functions that build ops;
    values: tensors whose graph becomes the default one. A scope entered again gets a number, "layer_1"; the `scope` of
    before, which ends in a slash, returns to it. Variables of gc.get_variable are not named by it. As `tf.name_scope`.
    Raises ValueError if there is no name at all, or it is malformed.

    >>> with gc.name_scope("layer") as scope:
    ...     gc.constant(1., name="x").name
    'layer/x:0'
    >>> with gc.name_scope("layer"):
    ...     gc.constant(1., name="x").name
    'layer_1/x:0'
    >>> with gc.name_scope(scope):
    ...     gc.constant(1., name="y").name
    'layer/y:0'
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Sequence[Any] | None = None) -> None:
        self._name = default_name if name is None else name
        if name is None and default_name is None and values is not None:
            raise ValueError("At least one of name (None) and default_name (None) must be provided.")
        if not isinstance(self._name, (str, type(None))):
            raise TypeError(f"argument '{'name' if name is not None else 'default_name'}' must be a string or None, "
                            f"not {self._name!r} of type {type(self._name).__name__}")
        self._values = () if values is None else tuple(values)
        self._entered: list[AbstractContextManager[Any]] = []

    @property
    def name(self) -> str | None:
        """The name that it was given, or default_name."""
        return self._name

    def __enter__(self) -> str:
        graph = graph_of(self._values)
        default, scope = graph.as_default(), graph.name_scope(self._name)
        default.__enter__()
        self._entered += [default, scope]
        try:
            return scope.__enter__()
        except BaseException:
            self._entered.clear()
            default.__exit__(None, None, None)
            raise

    def __exit__(self, *error: Any) -> None:
        scope, default = self._entered.pop(), self._entered.pop()
        scope.__exit__(*error)
        default.__exit__(*error)


@public("op_scope")
def op_scope(values: Sequence[Any], name: str | None, default_name: str | None = None) -> name_scope:
    """`name_scope` with the arguments in another order: deprecated in TF 1. As `tf.op_scope`.

    Raises ValueError if there is no name at all, or it is malformed.

    >>> with gc.op_scope([], "layer"):
    ...     gc.constant(1., name="x").name
    'layer/x:0'
    """
    return name_scope(name, default_name, values)


@public("control_dependencies")
def control_dependencies(control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
    """Operations made inside run after `control_inputs`: operations, tensors or variables; None: after nothing.

    It holds for what is made inside only: a tensor from outside is not delayed, `gc.identity` of it is. As
    `tf.control_dependencies`. Entering it raises TypeError for what is no such list, NotFoundError for the name of
    nothing in the graph.

    >>> v = gc.Variable(1.)
    >>> with gc.control_dependencies([v.assign_add(10.)]):
    ...     after = gc.identity(v)
    >>> v.initializer.run()
    >>> after.eval(), after.eval()
    (np.float32(11.0), np.float32(21.0))
    """
    return get_default_graph().control_dependencies(control_inputs)


@public("init_scope")
@contextmanager
def init_scope() -> Iterator[None]:
    """Operations made inside are lifted out of loops and branches into the graph around them, and wait for nothing.

    The name scope stays. As `tf.init_scope`.

    >>> def branch():
    ...     with gc.init_scope():
    ...         return 2 * gc.constant(3., name="outside")
    >>> y = gc.cond(gc.constant(True), branch, lambda: 0.)
    >>> y.eval(), "outside" in [operation.name.split("/")[-1] for operation in gc.get_default_graph().get_operations()]
    (np.float32(6.0), True)
    """
    scope, graph = get_default_graph().get_name_scope(), outermost(get_default_graph())
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(f"{scope}/" if scope else None):
        yield


@public("device")
def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """Records a device on the operations made inside: "/cpu:0", "/gpu:0", or a function from an Operation to a name.

    On "/gpu:0" they run on the NVIDIA GPU, if there is one (else on the CPU, with a warning); None: nothing is recorded
    inside. Inner names complete outer ones. As `tf.device`. What is no name of a device is a ValueError as soon as an
    operation is made.

    >>> with gc.device("/job:worker"), gc.device("/cpu:0"):
    ...     gc.constant(1.).device
    '/job:worker/device:CPU:0'
    """
    return get_default_graph().device(device_name_or_function)


@public("container")
def container(container_name: str) -> AbstractContextManager[str]:
    """Recorded on the variables made inside; it changes nothing else. As `tf.container`.

    >>> with gc.container("experiment"):
    ...     v = gc.Variable(1.)
    >>> v.op.get_attr("container")
    'experiment'
    """
    return get_default_graph().container(container_name)


@public("colocate_with")
def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """Operations made inside take the device of `op`, an operation, tensor or variable. ignore_existing changes
    nothing.

    As `tf.colocate_with`. Entering it raises TypeError for what is none of these, NotFoundError for the name of nothing
    in the graph.

    >>> with gc.device("/cpu:0"):
    ...     x = gc.constant(1.)
    >>> with gc.colocate_with(x):
    ...     gc.constant(2.).device
    '/device:CPU:0'
    """
    return get_default_graph().colocate_with(op, ignore_existing)


@public("add_to_collection")
def add_to_collection(name: Any, value: Any) -> None:
    """Adds `value`, anything, to the default graph's collection `name`. As `tf.add_to_collection`.

    name: whatever may be a key of a dict, TypeError for others.

    >>> x = gc.constant(1.)
    >>> gc.add_to_collection("outputs", x)
    >>> gc.get_collection("outputs") == [x]
    True
    """
    get_default_graph().add_to_collection(name, value)


@public("add_to_collections")
def add_to_collections(names: Any, value: Any) -> None:
    """Adds `value` to each of the default graph's collections `names`. As `tf.add_to_collections`.

    names: a list of such as `add_to_collection` takes, with its errors.

    >>> gc.add_to_collections(["a", "b"], 1)
    >>> gc.get_collection("a"), gc.get_collection("b")
    ([1], [1])
    """
    get_default_graph().add_to_collections(names, value)


@public("get_collection")
def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph, a list; empty if there is none.

    scope: only what has a name that matches this regular expression at its start. key: as of `add_to_collection`. As
    `tf.get_collection`.

    >>> for name in ("net/x", "y"):
    ...     gc.add_to_collection("outputs", gc.constant(1., name=name))
    >>> [x.name for x in gc.get_collection("outputs", scope="net/")]
    ['net/x:0']
    """
    return get_default_graph().get_collection(key, scope)


@public("get_collection_ref")
def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself: changes of the list are the collection's. As `tf.get_collection_ref`.

    >>> gc.get_collection_ref("outputs").append(3)
    >>> gc.get_collection("outputs")
    [3]
    """
    return get_default_graph().get_collection_ref(key)


@public("contrib.framework.get_name_scope")
def get_name_scope() -> str:
    """The name scope in force, without the last slash. As `tf.contrib.framework.get_name_scope`.

    >>> with gc.name_scope("a"), gc.name_scope("b"):
    ...     gc.contrib.framework.get_name_scope()
    'a/b'
    """
    return get_default_graph().get_name_scope()
