"""PrintV2: a string written to a stream or file whenever the op runs."""
from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.elementwise import check_one_string
from graphc.ir.op import Effect, Op, attr, register
from graphc.ir.spec import Spec
from graphc.ops.control.script import add_host

FILE = "file://"
LEVELS = {"log(info)": "I", "log(warning)": "W", "log(error)": "E"}      # what such a line begins with
STREAMS = ("stdout", "stderr", *LEVELS)


@register
class PrintV2(Op):
    """Writes input and `end` to output_stream: one of STREAMS, or a file that it is appended to, FILE and a path."""

    operands = ("input",)
    results = ()
    effect = Effect.HOST
    output_stream: str = attr("string", "stderr")
    end: str = attr("string", "\n")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        check_one_string(self, "input", inputs[0])
        if self.output_stream not in STREAMS and not self.output_stream.startswith(FILE):
            raise ValueError(f"Unknown output stream: '{self.output_stream}'; must be one of {', '.join(STREAMS)}, or "
                             f"{FILE} and a path")
        return ()

    def reference(self, *inputs: np.ndarray) -> tuple[()]:
        return self._writer()(*inputs)  # type: ignore[no-any-return]

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        writer = self._writer()                # kept until the plan has it
        b.host(add_host("print", writer), inputs, [])

    def _writer(self) -> Callable[..., Any]:
        def write(given: Any) -> tuple[()]:
            line = np.asarray(given, object).item() + self.end.encode()
            if self.output_stream.startswith(FILE):
                with open(self.output_stream.removeprefix(FILE), "ab") as file:
                    file.write(line)
                return ()
            level = LEVELS.get(self.output_stream)
            stream = sys.stdout if self.output_stream == "stdout" else sys.stderr
            stream.write(f"{level + ' ' if level else ''}{line.decode(errors='replace')}")
            stream.flush()
            return ()

        return write
