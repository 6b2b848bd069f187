"""Runs a command in a process to which Linux refuses AMX: python refuse_tiles.py COMMAND ARGUMENTS...

A filter of system calls, which the command inherits, answers arch_prctl(ARCH_REQ_XCOMP_PERM) with EPERM. Ends with
status UNSUPPORTED where filters cannot be set.
"""
from __future__ import annotations

import ctypes
import os
import struct
import sys

UNSUPPORTED = 77
ARCH_PRCTL, ASK_FOR = 158, 0x1023      # x86-64's number of the call, and its first argument
NO_NEW_PRIVILEGES, SET_FILTER, BY_PROGRAM = 38, 22, 2
LOAD, JUMP_IF, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050001
NUMBER_AT, ARGUMENT_AT = 0, 16         # where a filter finds a call's number and first argument


def refuse_tiles() -> bool:
    """Sets the filter; whether that was possible."""
    steps = [(LOAD, 0, 0, NUMBER_AT), (JUMP_IF, 0, 3, ARCH_PRCTL), (LOAD, 0, 0, ARGUMENT_AT), (JUMP_IF, 0, 1, ASK_FOR),
             (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    call = ctypes.CDLL(None).prctl
    return call(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and call(
        SET_FILTER, BY_PROGRAM, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0


if __name__ == "__main__":
    if not refuse_tiles():
        sys.exit(UNSUPPORTED)
    os.execvp(sys.argv[1], sys.argv[1:])
