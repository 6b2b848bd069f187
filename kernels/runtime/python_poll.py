"""A poll (tables.py: HOST) for embedders that are Python: has the interpreter run its signal handlers.

It is made of the interpreter's C functions, whose addresses the embedder hands over, since the interpreter would
interrupt a Python function before its first line.
"""
from __future__ import annotations

from . import tables as t
from .memory import call, call_status, function, word


@function
def poll_python(record):
    """In the thread that handles signals: runs their handlers. 1 if one raised; what it raised is in the record."""
    if call(word(record, t.POLL_SELF), (0,)) != word(record, t.POLL_MAIN):
        return 0
    state = call(word(record, t.POLL_ENSURE), (0,))
    raised = 0
    if call_status(word(record, t.POLL_CHECK), (0,)) != 0:
        raised = 1
        exception = record + 8 * t.POLL_EXCEPTION
        call(word(record, t.POLL_FETCH), (exception, exception + 8, exception + 16))
    call(word(record, t.POLL_RELEASE), (state,))
    return raised
