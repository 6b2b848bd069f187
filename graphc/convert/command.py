"""The command line of `graphc convert`."""
from __future__ import annotations

import argparse
from typing import Any

USE = "graphc convert MODEL -o MODEL.pb [options]"
ABOUT = """Makes a .pb with compiled Plans, which graphc-run and graphc.h run, of a frozen graph (.pb, .pbtxt), a
SavedModel (its folder), an ONNX model (.onnx), or a meta graph with its checkpoint (model.ckpt-100.meta, or the
checkpoint's name)."""


def add(commands: Any) -> None:
    """Adds the command to those of `graphc`."""
    command = commands.add_parser("convert", help="make a .pb that graphc-run runs", usage=USE, description=ABOUT)
    command.add_argument("model", help="a file or folder")
    command.add_argument("-o", "--out", required=True, metavar="MODEL.pb", help="what to write")
    command.add_argument("--signature", action="append", default=[], metavar="NAME[=INPUTS:OUTPUTS]",
                         help="a signature of the file's, or one of these tensors (x,y:logits); may be repeated; "
                              "default: all of the file's")
    command.add_argument("--input", action="append", default=[], metavar="NAME",
                         help="an input of the signature serving_default; may be repeated; default: the placeholders "
                              "that are needed")
    command.add_argument("--output", action="append", default=[], metavar="NAME", help="its outputs; may be repeated")
    command.add_argument("--shape", action="append", default=[], metavar="NAME=?,28,28,1",
                         help="the shape of an input, where more is known than the graph says; ? is any size")
    command.add_argument("--checkpoint", metavar="PREFIX", help="where the variables' values are")
    command.add_argument("--tag", action="append", default=[], metavar="TAG",
                         help="of the SavedModel's graph; may be repeated; default: serve")
    command.add_argument("--keep-variables", action="store_true",
                         help="variables that no signature writes stay variables, so that checkpoints can be restored")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> None:
    from graphc.convert.converting import Request, convert
    from graphc.convert.formats import Wishes

    wishes = Wishes(options.checkpoint, tuple(options.tag) or ("serve",), dict(map(shape_argument, options.shape)))
    for line in convert(Request(options.model, options.out, _signatures(options), wishes, options.keep_variables)):
        print(line)


def _signatures(options: argparse.Namespace) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in options.signature:
        name, equals, rest = text.partition("=")
        if not name or name in found:
            raise ValueError(f"--signature {text}: a name is missing, or stands there twice")
        found[name] = rest if equals else None
    if options.output or options.input:
        if not options.output:
            raise ValueError("--input needs --output, which says what is computed")
        if "serving_default" in found:
            raise ValueError("--input and --output are the signature serving_default, which --signature names, too")
        found["serving_default"] = f"{','.join(options.input)}:{','.join(options.output)}"
    return found


def shape_argument(text: str) -> tuple[str, tuple[int | None, ...]]:
    """(name, sizes) of `--shape`: None is any size."""
    name, equals, sizes = text.rpartition("=")
    try:
        shape = tuple(None if size.strip() == "?" else int(size) for size in sizes.split(",")) if sizes else ()
    except ValueError:
        shape = (-1,)
    if not equals or any(size is not None and size < 0 for size in shape):
        raise ValueError(f"--shape takes NAME=?,28,28,1 (? is any size), not '{text}'")
    return name, shape
