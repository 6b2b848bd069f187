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
    values: tensors whose graph becomes the default one. Raises ValueError if there is no name at all, or it is
    malformed.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Sequence[Any] | None = None) -> None:
        self._name = default_name if name is None else name
        if name is None and default_name is None and values is not None:
            raise ValueError("At least one of name (None) and default_name (None) must be provided.")
        self._values = values or ()
        self._entered: list[AbstractContextManager[Any]] = []

    @property
    def name(self) -> str | None:
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
    """name_scope with the arguments in another order: deprecated in TF 1, as `tf.op_scope`."""
    return name_scope(name, default_name, values)


@public("control_dependencies")
def control_dependencies(control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
    """Operations made inside run after `control_inputs`, as `tf.control_dependencies`. None: after nothing."""
    return get_default_graph().control_dependencies(control_inputs)


@public("init_scope")
@contextmanager
def init_scope() -> Iterator[None]:
    """Operations made inside are lifted out of loops and branches into the graph around them, and wait for nothing; the
    name scope stays. As `tf.init_scope`."""
    scope, graph = get_default_graph().get_name_scope(), outermost(get_default_graph())
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(f"{scope}/" if scope else None):
        yield


@public("device")
def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """Records a device on the operations made inside, as `tf.device`."""
    return get_default_graph().device(device_name_or_function)


@public("container")
def container(container_name: str) -> AbstractContextManager[str]:
    """Recorded on the variables made inside, as `tf.container`; it changes nothing else."""
    return get_default_graph().container(container_name)


@public("colocate_with")
def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """Operations made inside take the device of `op`, as `tf.colocate_with`. ignore_existing changes nothing."""
    return get_default_graph().colocate_with(op, ignore_existing)


@public("add_to_collection")
def add_to_collection(name: Any, value: Any) -> None:
    """Adds `value` to the default graph's collection, as `tf.add_to_collection`."""
    get_default_graph().add_to_collection(name, value)


@public("add_to_collections")
def add_to_collections(names: Any, value: Any) -> None:
    get_default_graph().add_to_collections(names, value)


@public("get_collection")
def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph, as `tf.get_collection`."""
    return get_default_graph().get_collection(key, scope)


@public("get_collection_ref")
def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself, as `tf.get_collection_ref`."""
    return get_default_graph().get_collection_ref(key)


@public("contrib.framework.get_name_scope")
def get_name_scope() -> str:
    """The name scope in force, without the last slash."""
    return get_default_graph().get_name_scope()
