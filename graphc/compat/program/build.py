"""What programs ask of TensorFlow's build: headers, libraries and flags, to compile ops of their own with."""
from __future__ import annotations

from typing import NoReturn

from graphc import errors
from graphc.api.public import public

_OPS = ("graphc compiles no C++ ops: write the op as a Python function with tf.py_func, or as a class "
        "(CONTRIBUTING.md, how to add an op)")


@public("compat.v1.sysconfig.get_include")
def get_include() -> NoReturn:
    """Raises UnimplementedError: there are no headers. An op in Python (`gc.py_func`) stands in for one in C++.

    Takes the place of `tf.sysconfig.get_include`.

    >>> gc.compat.v1.sysconfig.get_include()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.sysconfig.get_include: there are no headers: graphc compiles no C++ ops: ...
    """
    raise errors.UnimplementedError(f"tf.sysconfig.get_include: there are no headers: {_OPS}")


@public("compat.v1.sysconfig.get_lib")
def get_lib() -> NoReturn:
    """Raises UnimplementedError: there is no library to link.

    Takes the place of `tf.sysconfig.get_lib`.

    >>> gc.compat.v1.sysconfig.get_lib()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.sysconfig.get_lib: there is no library to link: graphc compiles no C++ ops: ...
    """
    raise errors.UnimplementedError(f"tf.sysconfig.get_lib: there is no library to link: {_OPS}")


@public("compat.v1.sysconfig.get_compile_flags")
def get_compile_flags() -> NoReturn:
    """Raises UnimplementedError, as get_include.

    Takes the place of `tf.sysconfig.get_compile_flags`.

    >>> gc.compat.v1.sysconfig.get_compile_flags()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.sysconfig.get_compile_flags: there are no headers: ...
    """
    raise errors.UnimplementedError(f"tf.sysconfig.get_compile_flags: there are no headers: {_OPS}")


@public("compat.v1.sysconfig.get_link_flags")
def get_link_flags() -> NoReturn:
    """Raises UnimplementedError, as get_lib.

    Takes the place of `tf.sysconfig.get_link_flags`.

    >>> gc.compat.v1.sysconfig.get_link_flags()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.sysconfig.get_link_flags: there is no library to link: ...
    """
    raise errors.UnimplementedError(f"tf.sysconfig.get_link_flags: there is no library to link: {_OPS}")


@public("compat.v1.load_op_library", "compat.v1.load_library", "compat.v1.load_file_system_library")
def load_op_library(library_filename: str) -> NoReturn:
    """Raises UnimplementedError: libraries of C++ ops rest on TensorFlow's own. `gc.py_func` makes an op of Python
    code.

    Takes the place of `tf.load_op_library`.

    >>> gc.compat.v1.load_op_library("zero_out.so")
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.load_op_library('zero_out.so'): graphc compiles no C++ ops: ...
    """
    raise errors.UnimplementedError(f"tf.load_op_library({library_filename!r}): {_OPS}")
