"""Names and tags of summaries, and the collections they go into."""
from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import graphc as gc
from graphc.api.public import public

_INVALID = re.compile(r"[^-/\w\.]", re.ASCII)


@public("compat.v1.python.ops.summary_op_util.clean_tag")
def clean_tag(name: str | None) -> str | None:
    """A name that a node may have, as near to `name` as can be.

    Letters, digits, -, _, . and / stay, others become _; None stays None. As TensorFlow's of that module; TypeError for
    what is no string.

    >>> gc.compat.v1.python.ops.summary_op_util.clean_tag("my loss")
    'my_loss'
    """
    if name is None:
        return None
    cleaned = _INVALID.sub("_", name).lstrip("/")
    if cleaned != name:
        logging.getLogger("tensorflow").info("Summary name %s is illegal; using %s instead.", name, cleaned)
    return cleaned


@public("compat.v1.python.ops.summary_op_util.summary_scope")
def summary_scope(name: str | None, family: str | None = None, default_name: str | None = None,
                  values: Sequence[Any] | None = None) -> AbstractContextManager[tuple[str, str]]:
    """The tag and the scope of a summary.

    The tag is the name of the scope, which is unique; with a family, family/name is the name, and the family stands
    before the whole once more, so that TensorBoard shows it in one place. As TensorFlow's of that module. Raises
    ValueError without a name and default_name.

    >>> with gc.compat.v1.python.ops.summary_op_util.summary_scope("loss", family="train") as (tag, scope):
    ...     print(tag, scope)
    train/train/loss train/loss/
    """
    return _entered(clean_tag(name), clean_tag(family), default_name, values)


@contextmanager
def _entered(name: str | None, family: str | None, default_name: str | None,
             values: Sequence[Any] | None) -> Iterator[tuple[str, str]]:
    with gc.name_scope(name if family is None else f"{family}/{name}", default_name, values) as scope:
        tag = scope.rstrip("/")
        yield (tag if family is None else f"{family}/{tag}"), scope


@public("compat.v1.python.ops.summary_op_util.collect")
def collect(summary: gc.Tensor, collections: Sequence[str] | None, default: Sequence[str]) -> gc.Tensor:
    """Puts the summary into each of `collections`, or of `default` if that is None.

    collections, default: lists of names. As TensorFlow's of that module.

    >>> gc.compat.v1.python.ops.summary_op_util.collect(gc.constant(b""), None, [gc.GraphKeys.SUMMARIES])
    <gc.Tensor 'Const:0' shape=() dtype=string>
    >>> gc.get_collection(gc.GraphKeys.SUMMARIES)
    [<gc.Tensor 'Const:0' shape=() dtype=string>]
    """
    for key in default if collections is None else collections:
        gc.add_to_collection(key, summary)
    return summary
