"""The flags of `graphc run` and of graphc-run: one table.

tools/runner_flags.py writes it down for C++ (runner/src/command/flags.inc), where run_arguments.cpp reads a line
as `parse` does here, with the same words about what is wrong.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LARGEST = 2 ** 62


@dataclass(frozen=True)
class Flag:
    """value: what stands after it, "" for a switch."""

    name: str
    value: str
    help: str


FLAGS = (
    Flag("--info", "", "print signatures, inputs, outputs and variables, and stop"),
    Flag("--feed", "NAME=FILE.npy",
         "an input; NAME as --info prints it, ':0' may be left out; once for each, or FILE.npz for all in it"),
    Flag("--feed-each", "NAME=FILE.npy",
         "the same, a row of the array's first axis for each step; after the last the first again"),
    Flag("--fetch", "NAME", "an output; may be repeated; default: all outputs"),
    Flag("--out", "FILE.npy",
         "where to write it, one for each output, in their order, or FILE.npz for all; default: print"),
    Flag("--signature", "NAME", "which of the file's signatures; default: the first"),
    Flag("--steps", "N", "run N times, such as steps of a training; outputs are the last run's; default: 1"),
    Flag("--restore", "CHECKPOINT", "begin with the variables of a checkpoint; default: those in the file"),
    Flag("--save", "CHECKPOINT",
         "save the variables after the last step, as TensorFlow does: CHECKPOINT.index and .data-..."),
    Flag("--bench", "N", "run N times more and print the times"),
    Flag("--device", "DEVICE", "cpu, gpu, or gpu:1 for the second GPU; default: cpu"),
    Flag("--gpu-code", "FILE.gpu", "with --device gpu: what `graphc gpu` made of the model; Python can do without"),
    Flag("--threads", "N", "threads, the calling one included; default: one a core"),
    Flag("--isa", "NAME", "x86-64-v3, x86-64-v4, aarch64; default: the best of this machine"),
    Flag("--memory", "BYTES",
         "the most that the model may allocate; default: 3/4 of what the machine or control group has"),
    Flag("--version", "", "print the version, and stop"),
    Flag("--help", "", "print this, and stop"),
)
NUMBERS = {"--steps": 1, "--bench": 0, "--threads": 0, "--memory": 0}        # with the smallest that there may be
LARGEST_THREADS = 2 ** 31 - 1


class UsageError(Exception):
    """A command line that means nothing; the message is a line."""


@dataclass
class Arguments:
    """A command line, read. given: the last value of each flag that counts once. feeds, each: (name, file),
    with the name "" for all arrays in a .npz file."""

    model: str = ""
    given: dict[str, str] = field(default_factory=dict)
    feeds: list[tuple[str, str]] = field(default_factory=list)
    each: list[tuple[str, str]] = field(default_factory=list)
    fetches: list[str] = field(default_factory=list)
    outs: list[str] = field(default_factory=list)

    @property
    def gpu(self) -> int | None:
        """The number of the GPU that is to run it, None for the CPU."""
        kind, _, number = self.given.get("--device", "cpu").partition(":")
        return int(number or 0) if kind == "gpu" else None

    def number(self, flag: str, default: int) -> int:
        return int(self.given.get(flag, default))


def parse(words: Sequence[str]) -> Arguments:
    """Raises UsageError."""
    found, waiting = Arguments(), list(words)
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("-") or word == "-":
            if found.model:
                raise UsageError(f"what is '{word}'? the model is {found.model}")
            found.model = word
            continue
        name, equals, value = word.partition("=")
        flag = next((f for f in FLAGS if f.name == ("--help" if name == "-h" else name)), None)
        if flag is None or (equals and not flag.value):
            raise UsageError(f"what is '{word}'?")
        if flag.value and not equals:
            if not waiting:
                raise UsageError(f"{flag.name} needs a value: {flag.name} {flag.value}")
            value = waiting.pop(0)
        _take(found, flag, value)
    if "--help" not in found.given and "--version" not in found.given and not found.model:
        raise UsageError("which model?")
    if "--gpu-code" in found.given and found.gpu is None:
        raise UsageError("--gpu-code is for --device gpu")
    return found


def _take(found: Arguments, flag: Flag, value: str) -> None:
    if flag.name in ("--feed", "--feed-each"):
        name, equals, file = value.partition("=")
        if not equals and value.endswith(".npz"):
            name, file = "", value
        elif not equals:
            raise UsageError(f"{flag.name} wants {flag.value}, or FILE.npz, not '{value}'")
        (found.feeds if flag.name == "--feed" else found.each).append((name, file))
    elif flag.name == "--fetch":
        found.fetches.append(value)
    elif flag.name == "--out":
        found.outs.append(value)
    else:
        least = NUMBERS.get(flag.name)
        most = LARGEST_THREADS if flag.name == "--threads" else LARGEST
        if least is not None and not (value.isdecimal() and value.isascii() and least <= int(value) <= most):
            raise UsageError(f"{flag.name} wants a number from {least} on, not '{value}'")
        if flag.name == "--device" and not re.fullmatch("cpu|gpu(:[0-9]{1,4})?", value):
            raise UsageError(f"--device wants cpu, gpu or gpu:N, not '{value}'")
        found.given[flag.name] = value


def help_text(program: str) -> str:
    lines = [f"{program} MODEL.pb [options]"]
    for flag in FLAGS:
        left = f"  {flag.name} {flag.value}".rstrip()
        lines.append(f"{left:<27}{flag.help}" if len(left) < 26 else f"{left}\n{'':27}{flag.help}")
    return "\n".join([*lines, "GRAPHC_TRACE=1 prints every kernel that is called.", ""])
