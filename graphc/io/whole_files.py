"""Files that are written whole or not at all: under another name beside it, synced, then renamed.

Who is killed meanwhile leaves that other file behind. It was locked as long as its writer lived, so that
`abandoned` can tell it from one that is being written, by this process or another one.
"""
from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import BinaryIO

_OWN_NAME = re.compile(r"\.graphc-[0-9a-f]{16}\.(unfinished|note)")


class NewFile:
    """A new file beside `path`, under a name of its own. `rename` gives it that path; without that it goes with the end
    of the `with` block. kind: "unfinished", or "note" of what its writer has begun. Raises OSError."""

    def __init__(self, path: str, kind: str = "unfinished") -> None:
        self.final = path
        while True:
            self.path = os.path.join(os.path.dirname(path), f".graphc-{secrets.token_hex(8)}.{kind}")
            try:
                handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            except OSError as error:
                error.filename = path
                raise
            if _locked(handle) is not False and os.fstat(handle).st_nlink:
                break
            os.close(handle)                       # it was just taken for an abandoned one
        self.file = os.fdopen(handle, "wb")
        self._here = True

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:
        try:
            if self._here:
                with suppress(FileNotFoundError):          # its folder was deleted
                    os.unlink(self.path)
        finally:
            self.file.close()

    def sync(self) -> None:
        """What was written is on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def rename(self, path: str = "") -> None:
        """The file, synced before, takes the place of what had its path, or another one."""
        os.replace(self.path, path or self.final)
        self._here = False


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file that has this path once the block has ended well; before that, whatever had it stays."""
    with NewFile(path) as made:
        yield made.file
        made.sync()
        made.rename()


def sync_folder(folder: str) -> None:
    """The names in it are on the disk."""
    handle = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def kind_of(name: str) -> str:
    """The kind of the NewFile that gives itself such a name, or ""."""
    found = _OWN_NAME.fullmatch(name)
    return found[1] if found else ""


@contextmanager
def abandoned(path: str) -> Iterator[BinaryIO | None]:
    """A NewFile's file, locked meanwhile, if nobody writes it any more; else, and if it cannot be told, None."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    with os.fdopen(handle, "rb") as file:
        yield file if _locked(handle) else None


def _locked(handle: int) -> bool | None:
    """Whether the file could be locked, until it is closed; None where files have no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
