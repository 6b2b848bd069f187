"""Session.warmup: everything that the first runs of a kind do but run."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.code_queue import submit
from graphc.session.explain import cause_of, explained
from graphc.session.feeds import flatten_feeds
from graphc.session.fetches import fetch_key
from graphc.session.prepared_run import PreparedRun
from graphc.session.unshaped import with_variables


def warmed(session: Any, fetches: Any, feed_dict: Mapping[Any, Any]) -> tuple[PreparedRun, Any, list[np.ndarray]]:
    """Compiles the plan, waits for its machine code, and binds it to the shapes of these feeds. Returns the run, its
    engine and what that takes."""
    if feed_dict:
        feed_dict = flatten_feeds(feed_dict)
    key = (fetch_key(fetches), *feed_dict)
    prepared = session._plans.get(key) or session._prepare(key, fetches, feed_dict)
    inputs = [convert(fed) for convert, fed in zip(prepared.converters, feed_dict.values(), strict=True)]
    prepared, inputs = with_variables(session, prepared, inputs)
    engine = session._engine(prepared, inputs)
    if not engine.on_device:
        submit(engine).wait()
    try:
        engine.bind(inputs)
    except errors.OpError as error:
        raise explained(error, session.graph, prepared, inputs) from cause_of(error)
    return prepared, engine, inputs
