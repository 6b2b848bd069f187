"""Names of operations and scopes, and the standard collections.

Uniquifying ignores case, as in TensorFlow 1: after "foo", "Foo" becomes "Foo_1" (file systems and
event files depend on it).
"""
from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterable

_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")
MANY_LETTERS, FEW_NAMES = 20_000, 50     # what takes some 10 ms to compare


class GraphKeys:
    """Names of the standard collections, for `gc.get_collection`. As `tf.GraphKeys`.

    >>> w = gc.Variable(1.)
    >>> gc.get_collection(gc.GraphKeys.TRAINABLE_VARIABLES) == [w]
    True
    """

    GLOBAL_VARIABLES = "variables"
    VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    TRAINABLE_RESOURCE_VARIABLES = "trainable_resource_variables"
    MODEL_VARIABLES = "model_variables"
    METRIC_VARIABLES = "metric_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    CONCATENATED_VARIABLES = "concatenated_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    LOSSES = "losses"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    SUMMARIES = "summaries"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    EVAL_STEP = "eval_step"
    TRAIN_OP = "train_op"
    INIT_OP = "init_op"
    READY_OP = "ready_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_FOR_LOCAL_INIT_OP = "ready_for_local_init_op"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    SAVERS = "savers"
    SAVEABLE_OBJECTS = "saveable_objects"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"
    _SUMMARY_COLLECTION = "_SUMMARY_V2"
    _STREAMING_MODEL_PORTS = "streaming_model_ports"
    _VARIABLE_COLLECTIONS = (GLOBAL_VARIABLES, LOCAL_VARIABLES, METRIC_VARIABLES, MODEL_VARIABLES, TRAINABLE_VARIABLES,
                             MOVING_AVERAGE_VARIABLES, CONCATENATED_VARIABLES, TRAINABLE_RESOURCE_VARIABLES)


class NamePool:
    """The names in use in one graph."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}

    def copy(self) -> NamePool:
        made = NamePool()
        made._uses = dict(self._uses)
        return made

    def is_free(self, name: str) -> bool:
        return name.lower() not in self._uses

    def unique(self, name: str, mark_as_used: bool = True) -> str:
        """`name`, or `name_1`, `name_2`, ... if it is taken."""
        key = name.lower()
        count = self._uses.get(key, 0)
        if mark_as_used:
            self._uses[key] = count + 1
        if count == 0:
            return name
        base = key
        while key in self._uses:
            key = f"{base}_{count}"
            count += 1
        if mark_as_used:
            self._uses[key] = 1
        return f"{name}_{count - 1}"


def check_op_name(name: str) -> None:
    """Raises ValueError unless `name` may be an operation's name or a scope at the top."""
    if not _OP_NAME.match(name):
        raise ValueError(f"'{name}' is not a valid name: it must start with a letter, digit or dot, and hold only "
                         "letters, digits and _ . \\ / > -")


def check_scope_name(name: str) -> None:
    """Raises ValueError unless `name` may be a scope inside another one."""
    if not _SCOPE_NAME.match(name):
        raise ValueError(f"'{name}' is not a valid scope name: it may hold only letters, digits and _ . \\ / > -")


def without_slash(scope: str) -> str:
    """The operation name that a name ending in "/" stands for: it is used as it is, not made unique."""
    return scope[:-1] if scope.endswith("/") else scope


def suggestion(name: str, known: Iterable[str]) -> str:
    """"; did you mean 'a', 'b'?" with the known names nearest to `name`, or nothing.

    Programs ask for names to see whether they are there, and catch the error. So of many names few are compared: those
    that begin or end with half of it, and of these the ones that have most letters at both ends in common with it.
    """
    choice = list(known)
    if sum(map(len, choice)) > MANY_LETTERS:
        begin, end = name[:(len(name) + 1) // 2], name[len(name) // 2:]
        alike = [n for n in choice if n.startswith(begin) or n.endswith(end)]
        choice = heapq.nlargest(FEW_NAMES, alike, key=lambda n: _in_common(n, name) + _in_common(n[::-1], name[::-1]))
    near = difflib.get_close_matches(name, choice, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(repr(n) for n in near)}?" if near else ""


def _in_common(a: str, b: str) -> int:
    """How many letters both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
