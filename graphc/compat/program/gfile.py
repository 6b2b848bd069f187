"""Files and folders under the names and arguments of `tf.gfile`; `gc.io.gfile` does the work."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.gfile.Exists")
def Exists(filename: Any) -> bool:
    """Whether there is a file or folder of this name: `gc.io.gfile.exists`.

    Raises TypeError for None. A name is a string or an os.PathLike. As `tf.gfile.Exists`.

    >>> gc.compat.v1.gfile.Exists("no_such_file")
    False
    """
    return gc.io.gfile.exists(filename)


@public("compat.v1.gfile.IsDirectory")
def IsDirectory(dirname: Any) -> bool:
    """Whether there is a folder of this name: `gc.io.gfile.isdir`.

    False for a file. Raises TypeError for None. A name is a string or an os.PathLike. As `tf.gfile.IsDirectory`.

    >>> gc.compat.v1.gfile.MakeDirs("logs")
    >>> gc.compat.v1.gfile.IsDirectory("logs")
    True
    """
    return gc.io.gfile.isdir(dirname)


@public("compat.v1.gfile.ListDirectory")
def ListDirectory(dirname: Any) -> list[str]:
    """The names in a folder, in any order: `gc.io.gfile.listdir`. Raises NotFoundError, FailedPreconditionError for a
    file.

    A name is a string or an os.PathLike. As `tf.gfile.ListDirectory`.

    >>> gc.compat.v1.gfile.MakeDirs("listed/run1")
    >>> gc.compat.v1.gfile.ListDirectory("listed")
    ['run1']
    """
    return gc.io.gfile.listdir(dirname)


@public("compat.v1.gfile.Glob")
def Glob(filename: Any) -> list[str]:
    """The files and folders that fit a pattern, or any of a list of patterns: `gc.io.gfile.glob`.

    A list of strings, empty if nothing fits. Raises TypeError for what is neither a string or os.PathLike nor a list of
    them. As `tf.gfile.Glob`.

    >>> gc.compat.v1.gfile.MakeDirs("found/run1")
    >>> gc.compat.v1.gfile.Glob(["found/run*", "found/none*"])
    ['found/run1']
    """
    return gc.io.gfile.glob(filename)


@public("compat.v1.gfile.MkDir")
def MkDir(dirname: Any) -> None:
    """Makes a folder in one that is there: `gc.io.gfile.mkdir`. Raises AlreadyExistsError if it is there, NotFoundError
    if the folder around it is not.

    A name is a string or an os.PathLike. As `tf.gfile.MkDir`.

    >>> gc.compat.v1.gfile.MkDir("made")
    >>> gc.compat.v1.gfile.IsDirectory("made")
    True
    """
    gc.io.gfile.mkdir(dirname)


@public("compat.v1.gfile.MakeDirs")
def MakeDirs(dirname: Any) -> None:
    """Makes a folder and those around it; one that is there is no error: `gc.io.gfile.makedirs`.

    Raises AlreadyExistsError if it is a file, FailedPreconditionError if a part of its path is one. A name is a string
    or an os.PathLike. As `tf.gfile.MakeDirs`.

    >>> gc.compat.v1.gfile.MakeDirs("deep/in/here")
    >>> gc.compat.v1.gfile.MakeDirs("deep/in/here")
    >>> gc.compat.v1.gfile.IsDirectory("deep/in")
    True
    """
    gc.io.gfile.makedirs(dirname)


@public("compat.v1.gfile.Remove")
def Remove(filename: Any) -> None:
    """Removes a file, not a folder: `gc.io.gfile.remove`. Raises NotFoundError, FailedPreconditionError for a folder.

    A name is a string or an os.PathLike. As `tf.gfile.Remove`.

    >>> with gc.compat.v1.gfile.GFile("old.txt", "w") as file:
    ...     file.write("old")
    >>> gc.compat.v1.gfile.Remove("old.txt")
    >>> gc.compat.v1.gfile.Exists("old.txt")
    False
    """
    gc.io.gfile.remove(filename)


@public("compat.v1.gfile.DeleteRecursively")
def DeleteRecursively(dirname: Any) -> None:
    """Removes a folder and all that is in it: `gc.io.gfile.rmtree`. Raises NotFoundError.

    A file is removed, too. A name is a string or an os.PathLike. As `tf.gfile.DeleteRecursively`.

    >>> gc.compat.v1.gfile.MakeDirs("gone/inner")
    >>> gc.compat.v1.gfile.DeleteRecursively("gone")
    >>> gc.compat.v1.gfile.Exists("gone")
    False
    """
    gc.io.gfile.rmtree(dirname)


@public("compat.v1.gfile.Copy")
def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copies a file: `gc.io.gfile.copy`. As `tf.gfile.Copy`.

    Raises NotFoundError if oldpath or the folder of newpath is not there, FailedPreconditionError if one is a folder,
    and AlreadyExistsError if newpath is there and overwrite is False.

    >>> with gc.compat.v1.gfile.GFile("first.txt", "w") as file:
    ...     file.write("text")
    >>> gc.compat.v1.gfile.Copy("first.txt", "second.txt")
    >>> gc.compat.v1.gfile.GFile("second.txt").read()
    'text'
    """
    gc.io.gfile.copy(oldpath, newpath, overwrite)


@public("compat.v1.gfile.Rename")
def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Gives a file or folder another name: `gc.io.gfile.rename`. As `tf.gfile.Rename`.

    Raises NotFoundError if oldname or the folder of newname is not there, FailedPreconditionError if a file would
    replace a folder, and AlreadyExistsError if newname is there and overwrite is False.

    >>> gc.compat.v1.gfile.MakeDirs("name1")
    >>> gc.compat.v1.gfile.Rename("name1", "name2")
    >>> gc.compat.v1.gfile.Exists("name1"), gc.compat.v1.gfile.Exists("name2")
    (False, True)
    """
    gc.io.gfile.rename(oldname, newname, overwrite)


@public("compat.v1.gfile.Stat")
def Stat(filename: Any) -> Any:
    """`length` in bytes, `mtime_nsec` and `is_directory` of a file: `gc.io.gfile.stat`. Raises NotFoundError.

    A name is a string or an os.PathLike. As `tf.gfile.Stat`.

    >>> with gc.compat.v1.gfile.GFile("five.txt", "w") as file:
    ...     file.write("12345")
    >>> gc.compat.v1.gfile.Stat("five.txt").length
    5
    """
    return gc.io.gfile.stat(filename)


@public("compat.v1.gfile.Walk")
def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, names of folders in it, names of files in it) of a folder and all below: `gc.io.gfile.walk`.

    in_order: a folder comes before those in it, else after them. top: a string or an os.PathLike; nothing comes of one
    that is not there. As `tf.gfile.Walk`.

    >>> gc.compat.v1.gfile.MakeDirs("walked/inner")
    >>> list(gc.compat.v1.gfile.Walk("walked"))
    [('walked', ['inner'], []), ('walked/inner', [], [])]
    """
    return gc.io.gfile.walk(top, in_order)
