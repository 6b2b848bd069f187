"""slim.summaries: summaries named after their tensor, printed if wanted."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public


def _name_of(tensor: Any, name: str | None, prefix: str | None, postfix: str | None = None) -> str:
    return "/".join(part for part in (prefix, name or tensor.op.name, postfix) if part)


def _made(kind: Any, name: str, tensor: Any, print_summary: bool) -> Any:
    made = kind(name, tensor, collections=[] if print_summary else None)
    if print_summary:
        made = gc.Print(made, [tensor], name)
        gc.add_to_collection(gc.GraphKeys.SUMMARIES, made)
    return made


@public("contrib.slim.summaries.add_histogram_summary")
def add_histogram_summary(tensor: Any, name: str | None = None, prefix: str | None = None) -> Any:
    return gc.summary.histogram(_name_of(tensor, name, prefix), tensor)


@public("contrib.slim.summaries.add_image_summary")
def add_image_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                      print_summary: bool = False) -> Any:
    return _made(gc.summary.image, _name_of(tensor, name, prefix), tensor, print_summary)


@public("contrib.slim.summaries.add_scalar_summary")
def add_scalar_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                       print_summary: bool = False) -> Any:
    return _made(gc.summary.scalar, _name_of(tensor, name, prefix), tensor, print_summary)


@public("contrib.slim.summaries.add_zero_fraction_summary")
def add_zero_fraction_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                              print_summary: bool = False) -> Any:
    """A scalar's summary of the part of zeros in the tensor."""
    return add_scalar_summary(gc.nn.zero_fraction(tensor), _name_of(tensor, name, prefix, "Fraction_of_Zero_Values"),
                              print_summary=print_summary)


@public("contrib.slim.summaries.add_histogram_summaries")
def add_histogram_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    return [add_histogram_summary(tensor, prefix=prefix) for tensor in tensors]


@public("contrib.slim.summaries.add_image_summaries")
def add_image_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    return [add_image_summary(tensor, prefix=prefix) for tensor in tensors]


@public("contrib.slim.summaries.add_scalar_summaries")
def add_scalar_summaries(tensors: Iterable[Any], prefix: str | None = None, print_summary: bool = False) -> list[Any]:
    return [add_scalar_summary(tensor, prefix=prefix, print_summary=print_summary) for tensor in tensors]


@public("contrib.slim.summaries.add_zero_fraction_summaries")
def add_zero_fraction_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    return [add_zero_fraction_summary(tensor, prefix=prefix) for tensor in tensors]
