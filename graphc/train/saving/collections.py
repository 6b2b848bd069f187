"""Collections of a graph as the messages of a meta graph, and the other way round.

Variables, queue runners and Savers have messages of their own; of other lists the first element decides: strings,
integers, floats, or things of the graph by their names.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage

import graphc as gc
from graphc.api.public import public
from graphc.serial.collections_pb2 import QueueRunnerDef, VariableDef
from graphc.serial.meta_graph_pb2 import CollectionDef
from graphc.train.runners import QueueRunner
from graphc.wording import warn

ToProto = Callable[[Any, str | None], Any]
FromProto = Callable[[Any, str | None], Any]
_KEYS = gc.GraphKeys
VARIABLE_KEYS = (_KEYS.GLOBAL_VARIABLES, _KEYS.TRAINABLE_VARIABLES, _KEYS.MOVING_AVERAGE_VARIABLES,
                 _KEYS.LOCAL_VARIABLES, _KEYS.MODEL_VARIABLES, _KEYS.METRIC_VARIABLES, _KEYS.GLOBAL_STEP)


@dataclass(frozen=True)
class Kind:
    """How the elements of a collection become messages."""

    message: Any
    to_proto: ToProto
    from_proto: FromProto


_KINDS: dict[Any, Kind] = {
    **dict.fromkeys(VARIABLE_KEYS, Kind(VariableDef, gc.Variable.to_proto, gc.Variable.from_proto)),
    _KEYS.QUEUE_RUNNERS: Kind(QueueRunnerDef, QueueRunner.to_proto, QueueRunner.from_proto),
}


def register(key: str, kind: Kind) -> None:
    """Says how elements of a collection become messages (saver.py: Savers)."""
    _KINDS[key] = kind


@public("compat.v1.python.framework.ops.register_proto_function")
def register_proto_function(collection_name: str, proto_type: Any = None, to_proto: ToProto | None = None,
                            from_proto: FromProto | None = None) -> None:
    """Says how meta graphs hold the elements of a collection: as messages of the class proto_type.

    to_proto(element, export_scope) -> message, from_proto(message, import_scope) -> element. Raises TypeError for what
    cannot be called. As `ops.register_proto_function` of TensorFlow 1.15.

    >>> from graphc.train.saving.collections import register_proto_function
    >>> register_proto_function("names", gc.NodeDef, lambda name, scope: gc.NodeDef(name=name),
    ...                         lambda proto, scope: proto.name)
    >>> gc.add_to_collection("names", "first")
    >>> meta_graph = gc.train.export_meta_graph()
    >>> gc.reset_default_graph()
    >>> _ = gc.train.import_meta_graph(meta_graph)
    >>> gc.get_collection("names")
    ['first']
    """
    for name, given in (("to_proto", to_proto), ("from_proto", from_proto)):
        if given is not None and not callable(given):
            raise TypeError(f"register_proto_function: argument '{name}' must be callable, but is {given!r}")
    if to_proto is not None and from_proto is not None:
        register(collection_name, Kind(proto_type, to_proto, from_proto))


def export_collection(target: Any, key: str, elements: list[Any], scope: str | None, skipped: set[str]) -> None:
    """Fills target[key], a map of a meta graph, with the elements of the scope. What no message can hold is left out as
    a whole, with a warning, as TensorFlow does. skipped: names that are not exported."""
    chosen = [e for e in elements if _inside(e, scope) and getattr(e, "name", None) not in skipped]
    if not chosen:
        return
    made = CollectionDef()
    try:
        _fill(made, _KINDS.get(key), chosen, scope)
    except (TypeError, ValueError, AttributeError) as error:
        warn(f"the collection '{key}' is not saved, as {type(chosen[0]).__name__} has no form in a meta "
             f"graph: {error}")
        return
    target[key].CopyFrom(made)


def _fill(made: CollectionDef, kind: Kind | None, elements: list[Any], scope: str | None) -> None:
    first = elements[0]
    if kind is not None:
        made.bytes_list.SetInParent()
        protos = [kind.to_proto(element, scope) for element in elements]
        made.bytes_list.value.extend(p.SerializeToString(deterministic=True) for p in protos if p is not None)
    elif isinstance(first, (str, bytes)):
        made.bytes_list.value.extend(e.encode() if isinstance(e, str) else e for e in elements)
    elif isinstance(first, AnyMessage):
        made.any_list.value.extend(elements)
    elif isinstance(first, int):
        made.int64_list.value.extend(elements)
    elif isinstance(first, float):
        made.float_list.value.extend(elements)
    else:
        made.node_list.value.extend(strip_scope(e.name, scope) for e in elements)


def import_collections(collections: Any, scope: str | None, wanted: Callable[[str], bool],
                       has_trainable: bool) -> None:
    """Adds the elements of a meta graph's collections, whose nodes are in the default graph under the scope."""
    made: dict[bytes, Any] = {}
    trainable_first = sorted(collections, key=lambda key: (key != _KEYS.TRAINABLE_VARIABLES, key))
    for key in filter(wanted, trainable_first):
        found = collections[key]
        listed = found.WhichOneof("kind")
        if listed is None:
            continue
        kind = _KINDS.get(key)
        for value in getattr(found, listed).value:
            if kind is None or listed != "bytes_list":
                gc.add_to_collection(key, _element(listed, value, scope))
            elif key in VARIABLE_KEYS:
                if value not in made:
                    made[value] = _variable(value, key, scope, has_trainable)
                gc.add_to_collection(key, made[value])
            else:
                gc.add_to_collection(key, kind.from_proto(kind.message.FromString(value), scope))


def _variable(value: bytes, key: str, scope: str | None, has_trainable: bool) -> Any:
    """Before TensorFlow 1.9, messages did not say whether a variable is trainable: the collections do."""
    proto = VariableDef.FromString(value)
    if not has_trainable:
        proto.trainable = key == _KEYS.TRAINABLE_VARIABLES
    return gc.Variable.from_proto(proto, scope)


def _element(listed: str, value: Any, scope: str | None) -> Any:
    if listed == "node_list":
        return gc.get_default_graph().as_graph_element(add_scope(value, scope))
    return value


def _inside(element: Any, scope: str | None) -> bool:
    name = getattr(element, "name", None)
    return not scope or not isinstance(name, str) or name.startswith(f"{scope}/")


def add_scope(name: str, scope: str | None) -> str:
    """The name of a node, tensor or control input, under the scope."""
    return name if not scope else f"^{scope}/{name[1:]}" if name.startswith("^") else f"{scope}/{name}"


def strip_scope(name: str, scope: str | None) -> str:
    mark = "^" if name.startswith("^") else ""
    return name if not scope else mark + name.removeprefix("^").removeprefix(f"{scope}/")
