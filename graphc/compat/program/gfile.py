"""Files and folders under the names and arguments of `tf.gfile`; `gc.io.gfile` does the work."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.gfile.Exists")
def Exists(filename: Any) -> bool:
    """As `tf.gfile.Exists`."""
    return gc.io.gfile.exists(filename)


@public("compat.v1.gfile.IsDirectory")
def IsDirectory(dirname: Any) -> bool:
    """As `tf.gfile.IsDirectory`."""
    return gc.io.gfile.isdir(dirname)


@public("compat.v1.gfile.ListDirectory")
def ListDirectory(dirname: Any) -> list[str]:
    """The names in a folder, as `tf.gfile.ListDirectory`. Raises NotFoundError."""
    return gc.io.gfile.listdir(dirname)


@public("compat.v1.gfile.Glob")
def Glob(filename: Any) -> list[str]:
    """The files that fit a pattern, or any of a list of patterns, as `tf.gfile.Glob`."""
    return gc.io.gfile.glob(filename)


@public("compat.v1.gfile.MkDir")
def MkDir(dirname: Any) -> None:
    """As `tf.gfile.MkDir`. Raises AlreadyExistsError, NotFoundError."""
    gc.io.gfile.mkdir(dirname)


@public("compat.v1.gfile.MakeDirs")
def MakeDirs(dirname: Any) -> None:
    """A folder and those around it; one that is there is no error. As `tf.gfile.MakeDirs`."""
    gc.io.gfile.makedirs(dirname)


@public("compat.v1.gfile.Remove")
def Remove(filename: Any) -> None:
    """As `tf.gfile.Remove`. Raises NotFoundError."""
    gc.io.gfile.remove(filename)


@public("compat.v1.gfile.DeleteRecursively")
def DeleteRecursively(dirname: Any) -> None:
    """As `tf.gfile.DeleteRecursively`. Raises NotFoundError."""
    gc.io.gfile.rmtree(dirname)


@public("compat.v1.gfile.Copy")
def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """As `tf.gfile.Copy`. Raises AlreadyExistsError if newpath is there and overwrite is False."""
    gc.io.gfile.copy(oldpath, newpath, overwrite)


@public("compat.v1.gfile.Rename")
def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """As `tf.gfile.Rename`. Raises AlreadyExistsError if newname is there and overwrite is False."""
    gc.io.gfile.rename(oldname, newname, overwrite)


@public("compat.v1.gfile.Stat")
def Stat(filename: Any) -> Any:
    """Size and time of a file, as `tf.gfile.Stat`. Raises NotFoundError."""
    return gc.io.gfile.stat(filename)


@public("compat.v1.gfile.Walk")
def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, folders in it, files in it) of all folders below, as `tf.gfile.Walk`."""
    return gc.io.gfile.walk(top, in_order)
