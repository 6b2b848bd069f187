"""Faults planted in the pieces of `make gpu`, on the library in place of libcuda: whether its report names each, goes
on with the next piece, and keeps the limits.

    python tests/cuda/planted_faults.py [--piece NAME ...] [--fault NAME ...] [--seconds 60]

Each piece runs once for each fault, which happens at its LAUNCH-th kernel, or its ALLOCATION-th piece of memory, in
every process that has so many. A line for each says what the report does. Speeds are not judged by results, so a wrong
one is not noticed there; pieces that launch nothing in their own process have no fault to notice.

    python tests/cuda/planted_faults.py --child FAULT ARGUMENTS      Python with these arguments and that fault
"""
from __future__ import annotations

import argparse
import os
import runpy
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import first_contact

LAUNCH, ALLOCATION = 12, 40
NO_PLANT = ("library",)                        # nothing of it is on a GPU


def _left_out(launch: Callable[..., None], *arguments: Any) -> None:
    """A kernel that does nothing: a wrong result."""


def _crash(launch: Callable[..., None], *arguments: Any) -> None:
    os.abort()


def _hang(launch: Callable[..., None], *arguments: Any) -> None:
    time.sleep(3600)


LAUNCHES = {"wrong": _left_out, "crash": _crash, "hang": _hang}
FAULTS = (*LAUNCHES, "memory")


def plant(fault: str) -> None:
    """In this process: in the device, and in the emulator, which has no driver."""
    from graphc import errors
    from graphc.exec.cuda.driver import Device

    from stand_in import StandIn

    count = [0]

    def launching(launch: Callable[..., None]) -> Callable[..., None]:
        def launched(self: Any, *arguments: Any) -> None:
            count[0] += 1
            if count[0] == LAUNCH:
                return LAUNCHES[fault](launch, self, *arguments)
            return launch(self, *arguments)

        return launched

    def allocating(allocate: Callable[..., int]) -> Callable[..., int]:
        def allocated(self: Any, size: int) -> int:
            count[0] += 1
            if count[0] >= ALLOCATION:
                raise errors.ResourceExhaustedError(f"planted: no memory for {size} bytes")
            return allocate(self, size)

        return allocated

    for kind in (Device, StandIn):
        if fault == "memory":
            kind.allocate = allocating(kind.allocate)      # type: ignore[method-assign]
        else:
            kind.launch = launching(kind.launch)           # type: ignore[method-assign]


def child(fault: str, *arguments: str) -> None:
    """As Python would run the arguments: -m MODULE, -c TEXT, or a file."""
    plant(fault)
    first, *rest = arguments
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        exec(rest[0], {"__name__": "__main__"})
    else:
        sys.argv = [first, *rest]
        sys.path.insert(0, str(Path(first).parent))
        runpy.run_path(first, run_name="__main__")


def asked(piece: first_contact.Piece, fault: str, folder: Path, seconds: float) -> first_contact.Outcome:
    """The piece with the fault, and a limit that a hang may take."""
    kept = first_contact.command

    def planted(of: first_contact.Piece, stand_in: bool, processes: int) -> list[str]:
        python, *rest = kept(of, stand_in, 1)
        return [python, __file__, "--child", fault, *rest]

    first_contact.command = planted            # type: ignore[assignment]
    try:
        return first_contact.run(piece, seconds, folder, stand_in=True)
    finally:
        first_contact.command = kept


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--child"]:
        child(*arguments[1:])
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [piece.name for piece in first_contact.PIECES if piece.name not in NO_PLANT]
    parser.add_argument("--piece", action="append", choices=names)
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--seconds", type=float, default=60, help="of a piece")
    options = parser.parse_args(arguments)
    for piece in first_contact.PIECES:
        if piece.name not in (options.piece or names):
            continue
        for fault in options.fault or FAULTS:
            with tempfile.TemporaryDirectory() as folder:
                outcome = asked(piece, fault, Path(folder), options.seconds)
                print(f"{piece.name:20} {fault:7} {'' if outcome.good else 'FAILED '}{outcome.seconds:4.0f} s  "
                      f"{outcome.said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
