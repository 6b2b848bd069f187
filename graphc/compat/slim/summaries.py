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
    """A histogram of the tensor's values, named after the tensor, with the prefix before it.

    tensor: real numbers of any shape; the result is a string scalar. Raises TypeError for strings, bools and complex
    numbers. As `tf.contrib.slim.summaries.add_histogram_summary`.

    >>> made = gc.contrib.slim.summaries.add_histogram_summary(gc.constant([1., 2.], name="weights"), prefix="fc")
    >>> gc.Summary.FromString(made.eval()).value[0].tag
    'fc/weights'
    """
    return gc.summary.histogram(_name_of(tensor, name, prefix), tensor)


@public("contrib.slim.summaries.add_image_summary")
def add_image_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                      print_summary: bool = False) -> Any:
    """A summary of pictures [batch, height, width, channels], named after the tensor, with the prefix before it.

    A name that is taken gets a number. print_summary: prints the tensor when it runs, too. tensor: uint8, float16,
    float32 or float64; the result is a string scalar. Raises TypeError for other dtypes. As
    `tf.contrib.slim.summaries.add_image_summary`.

    >>> made = gc.contrib.slim.summaries.add_image_summary(gc.zeros([2, 4, 4, 3], name="pictures"))
    >>> [value.tag for value in gc.Summary.FromString(made.eval()).value]
    ['pictures_1/image/0', 'pictures_1/image/1']
    """
    return _made(gc.summary.image, _name_of(tensor, name, prefix), tensor, print_summary)


@public("contrib.slim.summaries.add_scalar_summary")
def add_scalar_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                       print_summary: bool = False) -> Any:
    """A summary of a number, named after the tensor (or `name`), with the prefix before it.

    print_summary: prints the number when it runs, too. tensor: a real number; the result is a string scalar. Raises
    TypeError for strings and bools. As `tf.contrib.slim.summaries.add_scalar_summary`.

    >>> made = gc.contrib.slim.summaries.add_scalar_summary(gc.constant(0.5, name="loss"), prefix="eval")
    >>> [(value.tag, value.simple_value) for value in gc.Summary.FromString(made.eval()).value]
    [('eval/loss', 0.5)]
    """
    return _made(gc.summary.scalar, _name_of(tensor, name, prefix), tensor, print_summary)


@public("contrib.slim.summaries.add_zero_fraction_summary")
def add_zero_fraction_summary(tensor: Any, name: str | None = None, prefix: str | None = None,
                              print_summary: bool = False) -> Any:
    """A summary of the part of the tensor's elements that are 0, as after relu.

    tensor: of any shape and dtype; the result is a string scalar. print_summary: prints the part when it runs, too. As
    `tf.contrib.slim.summaries.add_zero_fraction_summary`.

    >>> made = gc.contrib.slim.summaries.add_zero_fraction_summary(gc.nn.relu([-1., -2., 3., -4.]), name="relu")
    >>> [(value.tag, value.simple_value) for value in gc.Summary.FromString(made.eval()).value]
    [('relu/Fraction_of_Zero_Values', 0.75)]
    """
    return add_scalar_summary(gc.nn.zero_fraction(tensor), _name_of(tensor, name, prefix, "Fraction_of_Zero_Values"),
                              print_summary=print_summary)


@public("contrib.slim.summaries.add_histogram_summaries")
def add_histogram_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """`add_histogram_summary` of each tensor.

    A list of string scalars, of a list of tensors. As `tf.contrib.slim.summaries.add_histogram_summaries`.

    >>> len(gc.contrib.slim.summaries.add_histogram_summaries([gc.zeros([2]), gc.ones([3])]))
    2
    """
    return [add_histogram_summary(tensor, prefix=prefix) for tensor in tensors]


@public("contrib.slim.summaries.add_image_summaries")
def add_image_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """`add_image_summary` of each tensor.

    A list of string scalars, of a list of tensors. As `tf.contrib.slim.summaries.add_image_summaries`.

    >>> len(gc.contrib.slim.summaries.add_image_summaries([gc.zeros([1, 4, 4, 1])]))
    1
    """
    return [add_image_summary(tensor, prefix=prefix) for tensor in tensors]


@public("contrib.slim.summaries.add_scalar_summaries")
def add_scalar_summaries(tensors: Iterable[Any], prefix: str | None = None, print_summary: bool = False) -> list[Any]:
    """`add_scalar_summary` of each tensor.

    A list of string scalars, of a list of tensors. As `tf.contrib.slim.summaries.add_scalar_summaries`.

    >>> made = gc.contrib.slim.summaries.add_scalar_summaries([gc.constant(1.), gc.constant(2.)], prefix="eval")
    >>> made == gc.get_collection(gc.GraphKeys.SUMMARIES)
    True
    """
    return [add_scalar_summary(tensor, prefix=prefix, print_summary=print_summary) for tensor in tensors]


@public("contrib.slim.summaries.add_zero_fraction_summaries")
def add_zero_fraction_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """`add_zero_fraction_summary` of each tensor.

    A list of string scalars, of a list of tensors. As `tf.contrib.slim.summaries.add_zero_fraction_summaries`.

    >>> len(gc.contrib.slim.summaries.add_zero_fraction_summaries([gc.zeros([2]), gc.ones([3])]))
    2
    """
    return [add_zero_fraction_summary(tensor, prefix=prefix) for tensor in tensors]
