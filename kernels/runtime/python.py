"""For embedders that are Python: signals are handled in the middle of a run, and functions of a graph are called.

Both are made of the interpreter's C functions, whose addresses the embedder hands over (tables.py: PYTHON). A callback
of ctypes would not do: the interpreter handles signals before the first line of the function that it calls, where
nobody could catch what a handler raises, and ctypes drops it.
"""
from __future__ import annotations

from . import tables as t
from .memory import call, call_status, function, word


@function
def in_main_thread(python):
    return 1 if call(word(python, t.PYTHON_SELF), (0,)) == word(python, t.PYTHON_MAIN) else 0


@function
def keep_exception(python):
    at = python + 8 * t.PYTHON_EXCEPTION
    call(word(python, t.PYTHON_FETCH), (at, at + 8, at + 16))


@function
def poll_python(python):
    """A poll. In the thread that handles signals: runs their handlers. 1 if one raised; the exception is kept."""
    if in_main_thread(python) == 0:
        return 0
    state, raised = call(word(python, t.PYTHON_ENSURE), (0,)), 0
    if call_status(word(python, t.PYTHON_CHECK_SIGNALS), (0,)) != 0:
        keep_exception(python)
        raised = 1
    call(word(python, t.PYTHON_RELEASE), (state,))
    return raised


@function
def call_python(context, host, record):
    """Calls function(host, record), which gives 0 if all is well and raises nothing but what signals raise."""
    python = word(context, t.CALLING_PYTHON)
    state, status = call(word(python, t.PYTHON_ENSURE), (0,)), 1
    arguments = call(word(python, t.PYTHON_NEW), (2,))
    if arguments != 0:
        for i in range(2):
            value = call(word(python, t.PYTHON_FROM_LONG), (host if i == 0 else record,))
            call(word(python, t.PYTHON_SET_ITEM), (arguments, i, value))
        result = call(word(python, t.PYTHON_CALL), (word(context, t.CALLING_FUNCTION), arguments))
        if result != 0:
            status = call(word(python, t.PYTHON_AS_LONG), (result,))
            call(word(python, t.PYTHON_DECREF), (result,))
        elif in_main_thread(python) != 0:
            keep_exception(python)
        else:
            call(word(python, t.PYTHON_CLEAR), (0,))
        call(word(python, t.PYTHON_DECREF), (arguments,))
    else:
        call(word(python, t.PYTHON_CLEAR), (0,))
    call(word(python, t.PYTHON_RELEASE), (state,))
    return status
