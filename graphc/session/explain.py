"""Why a run failed: the user's own exception behind an error, and shapes that do not fit in the user's terms."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc import errors
from graphc.ir.graph import Graph
from graphc.session.prepared_run import PreparedRun


def explained(error: errors.OpError, graph: Graph, prepared: PreparedRun,
              inputs: Sequence[np.ndarray]) -> errors.OpError:
    """The same error, or a clearer one if shapes do not fit: what inference says of the shapes that were fed."""
    from graphc.passes.snapshot.snapshot import take_snapshot

    if type(error) is not errors.InvalidArgumentError or cause_of(error) is not None:
        return error
    try:
        with graph._lock:
            take_snapshot(prepared.tensors, prepared.operations, prepared.feeds, [a.ndim for a in inputs],
                          [a.shape for a in inputs], variables=prepared.given, unset=prepared.unset)
    except errors.InvalidArgumentError as found:
        if error.op is None or getattr(error.op, "op_name", None) == getattr(found.op, "name", ""):
            return found
    except errors.OpError:
        pass
    return error


def cause_of(error: errors.OpError) -> BaseException | None:
    """The exception that the user's own function raised, if that is why the run failed."""
    cause = error.__cause__
    while isinstance(cause, errors.OpError) and cause.__cause__ is not None:
        cause = cause.__cause__
    return cause
