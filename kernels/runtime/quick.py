"""A whole run as one function of the interpreter's: values in, arrays out, no line of Python between.

An embedder that is Python makes a function object of gc_quick_run (tables.py: QUICK). Called with a dict or with the
values alone, it looks for a frame that is free and was bound for arrays like these, makes the results' arrays, runs,
and gives them. It never converts: for anything else than real, contiguous arrays of the dtypes wanted, or if no frame
fits, it gives None, and the embedder runs as it does otherwise. A run that fails gives the number of its record, which
stays taken until the embedder has read what went wrong.

Invariants: all but the run itself is done under the interpreter's lock. A record is taken, and its inputs are held,
before anything is called that may run other code of Python's.
"""
from __future__ import annotations

from . import tables as t
from .memory import call, call_status, function, load_int, set_word, word


@function
def quick_run(own, arguments, count):
    """A C function of METH_FASTCALL: an object, or 0 if an exception is set. own: an array, the QUICK table."""
    table = word(own, t.ARRAY_DATA)
    python = word(table, t.QUICK_PYTHON)
    record = 0
    if take_values(table, python, arguments, count) != 0:
        record = find_record(table, word(python, t.QUICK_ARRAY_TYPE))
    if record == 0:
        call(word(python, t.QUICK_INCREF), (word(python, t.QUICK_NONE),))
        return word(python, t.QUICK_NONE)
    return run_record(table, python, record)


@function
def take_values(table, python, arguments, count):
    """Notes the values in the table: those of a dict if it is the only argument, else the arguments. 0: they are not
    as many as the inputs."""
    inputs, values = word(table, t.QUICK_INPUTS), table + 8 * t.QUICK_VALUES
    if count == 1 and word(word(arguments, 0), t.OBJECT_TYPE) == word(python, t.QUICK_DICT_TYPE):
        place, found = table + 8 * t.QUICK_PLACE, 0
        set_word(place, 0, 0)
        while call_status(word(python, t.QUICK_DICT_NEXT), (word(arguments, 0), place, place + 8, place + 16)) != 0:
            if found == inputs:
                return 0
            set_word(values, found, word(place, 2))
            found += 1
        return 1 if found == inputs else 0
    if count != inputs:
        return 0
    for i in range(inputs):
        set_word(values, i, word(arguments, i))
    return 1


@function
def find_record(table, array_type):
    """A record that nobody uses and that fits the values, 0: none."""
    for i in range(word(table, t.QUICK_COUNT)):
        record = word(table, t.QUICK_RECORDS + i)
        if word(record, t.RECORD_BUSY) == 0 and fits(table, record, array_type) != 0:
            return record
    return 0


@function
def fits(table, record, array_type):
    port = record + 8 * t.RECORD_PORTS
    for i in range(word(table, t.QUICK_INPUTS)):
        value = word(table, t.QUICK_VALUES + i)
        if word(value, t.OBJECT_TYPE) != array_type or word(value, t.ARRAY_DTYPE) != word(port, t.PORT_DTYPE):
            return 0
        rank = load_int(value, 2 * t.ARRAY_RANK)
        if rank != word(port, t.PORT_RANK) or load_int(value, 2 * t.ARRAY_FLAGS) & t.ARRAY_FITS != t.ARRAY_FITS:
            return 0
        sizes = word(value, t.ARRAY_SIZES)
        for axis in range(rank):
            if word(sizes, axis) != word(port, t.PORT_SIZES + axis):
                return 0
        port += 8 * t.PORT_WORDS
    return 1


@function
def run_record(table, python, record):
    inputs, outputs = word(table, t.QUICK_INPUTS), word(table, t.QUICK_OUTPUTS)
    request = word(record, t.RECORD_CALL)
    given = request + 8 * t.CALL_WORDS
    made = given + 8 * inputs
    set_word(record, t.RECORD_BUSY, 1)
    set_word(request, t.CALL_CANCEL, 0)            # of an earlier run on the same frame that went the other way
    set_word(request, t.CALL_TRACE, 0)
    for i in range(inputs):
        set_word(given, i, word(table, t.QUICK_VALUES + i))
        call(word(python, t.QUICK_INCREF), (word(given, i),))
    number = call(word(python, t.QUICK_NEXT), (word(table, t.QUICK_COUNTER),))
    set_word(request, t.CALL_RUN, call(word(python, t.QUICK_AS_LONG), (number,)))
    call(word(python, t.QUICK_DECREF), (number,))
    set_word(table, t.QUICK_LAST, word(request, t.CALL_RUN))
    result, failed = 0, 0
    if make_outputs(python, record + 8 * (t.RECORD_PORTS + inputs * t.PORT_WORDS), made, outputs) != 0:
        state = call(word(python, t.QUICK_SAVE), (0,))
        failed = call_status(word(table, t.QUICK_RUN), (request,))
        call(word(python, t.QUICK_RESTORE), (state,))
        if failed != 0:
            release(python, made, outputs)
            result = call(word(python, t.QUICK_FROM_LONG), (word(record, t.RECORD_NUMBER),))
        else:
            result = given_back(python, word(table, t.QUICK_SINGLE), made, outputs)
    release(python, given, inputs)
    if failed == 0:
        set_word(record, t.RECORD_BUSY, 0)         # last: from now on the frame may go, and the record with it
    return result


@function
def make_outputs(python, port, made, outputs):
    """New arrays, uninitialised. 0: no memory, an exception is set."""
    for i in range(outputs):
        dtype = word(port, t.PORT_DTYPE)
        call(word(python, t.QUICK_INCREF), (dtype,))           # array functions take it over
        if word(port, t.PORT_ALIGNED) != 0:
            array = make_aligned(python, port, dtype)
        else:
            array = call(word(python, t.QUICK_EMPTY), (word(port, t.PORT_RANK), port + 8 * t.PORT_SIZES, dtype, 0))
        if array == 0:
            release(python, made, i)
            return 0
        set_word(made, i, array)
        port += 8 * t.PORT_WORDS
    return 1


@function
def make_aligned(python, port, dtype):
    """An array that begins at a multiple of 64 bytes, in a block of bytes that it keeps."""
    count = port + 8 * t.PORT_ALIGNED
    call(word(python, t.QUICK_INCREF), (word(python, t.QUICK_BYTE),))
    block = call(word(python, t.QUICK_EMPTY), (1, count, word(python, t.QUICK_BYTE), 0))
    if block == 0:
        call(word(python, t.QUICK_DECREF), (dtype,))
        return 0
    begin = (word(block, t.ARRAY_DATA) + 63) & -64
    array = call(word(python, t.QUICK_FROM_DTYPE), (
        word(python, t.QUICK_ARRAY_TYPE), dtype, word(port, t.PORT_RANK), port + 8 * t.PORT_SIZES, 0, begin,
        t.ARRAY_FITS | t.ARRAY_WRITEABLE, 0))
    if array == 0:
        call(word(python, t.QUICK_DECREF), (block,))
    else:
        call_status(word(python, t.QUICK_SET_BASE), (array, block))
    return array


@function
def given_back(python, single, made, outputs):
    """The arrays as a list, or the only one; scalars in place of arrays without axes."""
    if single != 0:
        return call(word(python, t.QUICK_RETURN), (word(made, 0),))
    result = call(word(python, t.QUICK_LIST), (outputs,))
    if result == 0:
        release(python, made, outputs)
        return 0
    failed = 0
    for i in range(outputs):
        value = call(word(python, t.QUICK_RETURN), (word(made, i),))
        if value == 0:
            failed = 1
        call_status(word(python, t.QUICK_SET_ITEM), (result, i, value))
    if failed != 0:
        call(word(python, t.QUICK_DECREF), (result,))
        return 0
    return result


@function
def release(python, objects, count):
    for i in range(count):
        call(word(python, t.QUICK_DECREF), (word(objects, i),))
