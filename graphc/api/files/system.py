"""Files and folders, as `tf.io.gfile`: local ones, with TensorFlow's errors."""
from __future__ import annotations

import glob as globbing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from graphc import errors
from graphc.api.public import public


@contextmanager
def _tensorflows_errors(path: Any) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise errors.NotFoundError(f"{os.fspath(path)}: no such file or folder") from error
    except FileExistsError as error:
        raise errors.AlreadyExistsError(f"{os.fspath(path)} exists") from error
    except PermissionError as error:
        raise errors.PermissionDeniedError(f"{os.fspath(path)}: {error.strerror}") from error
    except (IsADirectoryError, NotADirectoryError, OSError) as error:
        raise errors.FailedPreconditionError(f"{os.fspath(path)}: {error.strerror}") from error


@dataclass(frozen=True)
class FileStatistics:
    """length in bytes, mtime_nsec in nanoseconds since 1970."""

    length: int
    mtime_nsec: int
    is_directory: bool


@public("io.gfile.GFile", "compat.v1.gfile.GFile", "compat.v1.gfile.FastGFile", "compat.v1.gfile.Open")
class GFile:
    r"""A file that is opened when it is first used.

    mode: "r", "w", "a", "r+", "w+", "a+", with "b" for bytes. Text is UTF-8. Iterating gives lines; `with` closes it.
    As `tf.io.gfile.GFile`. Raises InvalidArgumentError for another mode; when it is opened NotFoundError,
    FailedPreconditionError for a folder, and PermissionDeniedError, also for reading or writing that the mode does not
    allow.

    >>> with gc.io.gfile.GFile("note.txt", "w") as file:
    ...     file.write("one\ntwo\n")
    >>> gc.io.gfile.GFile("note.txt").readlines()
    ['one\n', 'two\n']
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        self._name = os.fspath(name)
        self._mode = mode
        self._binary = "b" in mode
        if mode.replace("b", "") not in ("r", "w", "a", "r+", "w+", "a+"):
            raise errors.InvalidArgumentError(f"GFile: argument 'mode' is {mode!r}: use 'r', 'w', 'a', 'r+', 'w+' or "
                                              "'a+', with a 'b' for bytes")
        self._file: Any = None

    @property
    def name(self) -> Any:
        """The file's name as it was given."""
        return self._name

    @property
    def mode(self) -> str:
        """How it is opened."""
        return self._mode

    def _opened(self) -> Any:
        if self._file is None:
            with _tensorflows_errors(self._name):
                self._file = open(self._name, f"{self._mode.replace('b', '')}b")
        return self._file

    def _shown(self, data: bytes) -> Any:
        return data if self._binary else data.decode("utf-8")

    def _readable(self) -> Any:
        if "r" not in self._mode and "+" not in self._mode:
            self._refuse("reading")
        return self._opened()

    def _refuse(self, what: str) -> NoReturn:
        raise errors.PermissionDeniedError(f"{os.fspath(self._name)} is not open for {what}: its mode is "
                                           f"{self._mode!r}")

    def read(self, n: int = -1) -> Any:
        """n characters (bytes, with "b") from here on; all that are left without."""
        return self._shown(self._readable().read(n))

    def readline(self) -> Any:
        """The next line with its end; empty after the last one."""
        return self._shown(self._readable().readline())

    def readlines(self) -> list[Any]:
        """The list of the lines that are left, with their ends."""
        return [self._shown(line) for line in self._readable().readlines()]

    def write(self, file_content: str | bytes) -> None:
        """Writes a string where the file is."""
        if self._mode.startswith("r") and "+" not in self._mode:
            self._refuse("writing")
        data = file_content.encode("utf-8") if isinstance(file_content, str) else bytes(file_content)
        self._opened().write(data)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """position: the old name of offset."""
        if (offset is None) == (position is None):
            raise TypeError("GFile.seek: give the argument offset" + ("" if offset is None else ", not position, too"))
        self._opened().seek(offset if position is None else position, whence)

    def tell(self) -> int:
        """The place in the file, in bytes."""
        return int(self._opened().tell())

    def size(self) -> int:
        """The file's length in bytes."""
        return stat(self._name).length

    def flush(self) -> None:
        """What is written so far goes to the file."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Closes the file, if it is open."""
        if self._file is not None:
            self._file.close()
            self._file = None
        elif not self._mode.startswith("r"):
            self._opened()                       # a file that nothing was written to is made, too
            self.close()

    def seekable(self) -> bool:
        """Whether `seek` works: it does."""
        return True

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


@public("io.gfile.exists")
def exists(path: Any) -> bool:
    """Whether there is a file or folder of this name. As `tf.io.gfile.exists`.

    path: a str, bytes or PathLike, else TypeError.

    >>> gc.io.gfile.makedirs("folder")
    >>> gc.io.gfile.exists("folder"), gc.io.gfile.exists("other")
    (True, False)
    """
    return os.path.exists(path)


@public("io.gfile.isdir")
def isdir(path: Any) -> bool:
    """Whether there is a folder of this name. As `tf.io.gfile.isdir`.

    path: a str, bytes or PathLike, else TypeError.

    >>> gc.io.gfile.makedirs("folder")
    >>> gc.io.gfile.isdir("folder")
    True
    """
    return os.path.isdir(path)


@public("io.gfile.listdir")
def listdir(path: Any) -> list[str]:
    """The names in a folder, in any order. As `tf.io.gfile.listdir`. Raises NotFoundError.

    A file in place of a folder is a FailedPreconditionError.

    >>> gc.io.gfile.makedirs("folder/inner")
    >>> gc.io.gfile.listdir("folder")
    ['inner']
    """
    with _tensorflows_errors(path):
        return os.listdir(path)


@public("io.gfile.glob")
def glob(pattern: Any) -> list[str]:
    """The files and folders that fit a pattern, or any of a list of patterns: *, ? and [a-z] stand for parts of a name.

    Nothing that fits gives an empty list. As `tf.io.gfile.glob`.

    >>> gc.io.gfile.makedirs("folder/inner")
    >>> gc.io.gfile.glob("folder/*")
    ['folder/inner']
    """
    patterns = [pattern] if isinstance(pattern, (str, os.PathLike)) else pattern
    return [path for p in patterns for path in sorted(globbing.glob(os.fspath(p)))]


@public("io.gfile.mkdir")
def mkdir(path: Any) -> None:
    """Makes a folder in one that is there. As `tf.io.gfile.mkdir`. Raises AlreadyExistsError, NotFoundError.

    >>> gc.io.gfile.mkdir("new")
    >>> gc.io.gfile.isdir("new")
    True
    """
    with _tensorflows_errors(path):
        os.mkdir(path)


@public("io.gfile.makedirs")
def makedirs(path: Any) -> None:
    """Makes a folder and those around it; one that is there is no error. As `tf.io.gfile.makedirs`.

    Raises AlreadyExistsError for a file of this name, FailedPreconditionError if one stands in the way.

    >>> gc.io.gfile.makedirs("a/b/c")
    >>> gc.io.gfile.isdir("a/b/c")
    True
    """
    with _tensorflows_errors(path):
        os.makedirs(path, exist_ok=True)


@public("io.gfile.remove")
def remove(path: Any) -> None:
    """Deletes a file. As `tf.io.gfile.remove`. Raises NotFoundError.

    A folder is a FailedPreconditionError.

    >>> gc.write_file("note.txt", "").run()
    >>> gc.io.gfile.remove("note.txt")
    >>> gc.io.gfile.exists("note.txt")
    False
    """
    with _tensorflows_errors(path):
        os.remove(path)


@public("io.gfile.rmtree")
def rmtree(path: Any) -> None:
    """Deletes a folder and all in it. As `tf.io.gfile.rmtree`. Raises NotFoundError.

    >>> gc.write_file("notes/one.txt", "").run()
    >>> gc.io.gfile.rmtree("notes")
    >>> gc.io.gfile.exists("notes")
    False
    """
    with _tensorflows_errors(path):
        (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)


@public("io.gfile.copy")
def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file. As `tf.io.gfile.copy`. Raises AlreadyExistsError if dst is there and overwrite is False.

    A src that is not there is a NotFoundError, a folder a FailedPreconditionError.

    >>> gc.write_file("note.txt", "hello").run()
    >>> gc.io.gfile.copy("note.txt", "same.txt")
    >>> gc.io.gfile.GFile("same.txt").read()
    'hello'
    """
    _into_place(src, dst, overwrite, shutil.copyfile)


@public("io.gfile.rename")
def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Moves a file or folder. As `tf.io.gfile.rename`. Raises AlreadyExistsError if dst is there and overwrite is
    False, NotFoundError if src is not.

    >>> gc.write_file("old.txt", "hello").run()
    >>> gc.io.gfile.rename("old.txt", "new.txt")
    >>> gc.io.gfile.exists("old.txt"), gc.io.gfile.exists("new.txt")
    (False, True)
    """
    _into_place(src, dst, overwrite, os.replace)


def _into_place(source: Any, target: Any, overwrite: bool, do: Callable[[Any, Any], Any]) -> None:
    if not overwrite and os.path.exists(target):
        raise errors.AlreadyExistsError(f"{os.fspath(target)} exists: with overwrite=True it is replaced")
    with _tensorflows_errors(source):
        do(os.fspath(source), os.fspath(target))        # a number would be an open file of somebody else's


@public("io.gfile.stat")
def stat(path: Any) -> FileStatistics:
    """Size and time of a file: `length` in bytes, `mtime_nsec`. As `tf.io.gfile.stat`. Raises NotFoundError.

    >>> gc.write_file("note.txt", "hello").run()
    >>> gc.io.gfile.stat("note.txt").length
    5
    """
    with _tensorflows_errors(path):
        found = os.stat(path)
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(path))


@public("io.gfile.walk")
def walk(top: Any, topdown: bool = True,
         onerror: Callable[[Any], Any] | None = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, folders in it, files in it) of `top` and of all folders below.

    topdown: a folder comes before those in it. onerror: called with an error; without it errors are left out. As
    `tf.io.gfile.walk`.

    >>> gc.write_file("notes/old/one.txt", "").run()
    >>> list(gc.io.gfile.walk("notes"))
    [('notes', ['old'], []), ('notes/old', [], ['one.txt'])]
    """
    yield from os.walk(top, topdown, onerror)
