"""What processes that were killed leave in a folder of checkpoints, and how the next save finds and removes it.

    .graphc-*.unfinished    a file that was being written (io/whole_files.py)
    .graphc-*.note          names a checkpoint that had files of data and no index yet, or no more
    PREFIX_temp_*/          the shards of a checkpoint that was being written, one a device. A file in it is locked as
                            long as their writer lives
"""
from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from graphc.io.checkpoint.bundle import index_name
from graphc.io.whole_files import NewFile, abandoned, kind_of

SAFETENSORS = ".safetensors"            # a checkpoint of such a name is one file (safe_tensors.py)
LONGEST_NAME = 255                      # bytes, of a file
_TEMPORARY = re.compile(r".*_temp_[0-9a-f]{32}")
_held: dict[str, NewFile] = {}          # the locked files of folders that this process writes into


def clean(folder: str) -> None:
    """Removes what killed processes left there. What cannot be read or removed stays."""
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            with suppress(OSError):
                if kind_of(entry.name):
                    _end(folder, entry.name)
                elif _TEMPORARY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    _remove_temporary(entry.path)


def shards_of(prefix: str) -> list[str]:
    """Files that have the names of a checkpoint's data."""
    if prefix.endswith(SAFETENSORS):
        return [prefix] if os.path.isfile(prefix) else []
    return glob.glob(f"{glob.escape(prefix)}.data-?????-of-?????")


@contextmanager
def noted(prefix: str) -> Iterator[None]:
    """Meanwhile the checkpoint may have data and no index. If this process ends, `clean` removes them."""
    with NewFile(prefix, "note") as note:
        note.file.write(os.fsencode(os.path.basename(prefix)))
        note.file.flush()
        yield


def remove_files(prefix: str, others: Iterable[str] = ()) -> None:
    """Removes a checkpoint, and other files with it."""
    with noted(prefix):
        for path in (index_name(prefix), *shards_of(prefix), *others):
            with suppress(FileNotFoundError):
                os.unlink(path)


def make_folder(prefix: str) -> str:
    """The folder of a checkpoint, without leftovers; it is made if it is not there. If it is one of shards, others see
    that this process lives, until end_temporary."""
    folder = os.path.dirname(prefix)
    if folder:
        os.makedirs(folder, exist_ok=True)
    clean(folder)
    held = _held.get(folder)
    if _TEMPORARY.fullmatch(os.path.basename(folder)) and not (held and os.path.exists(held.path)):
        try:
            _held[folder] = NewFile(os.path.join(folder, "shards"))
        except FileNotFoundError:
            return make_folder(prefix)             # somebody removed the empty folder
    return folder


def end_temporary(folder: str) -> None:
    """Removes a folder of shards, if nothing else is in it."""
    held = _held.pop(folder, None)
    if held is not None:
        held.__exit__(None, None, None)
    if folder and os.path.isdir(folder) and not os.listdir(folder):
        with suppress(FileNotFoundError):
            os.rmdir(folder)


def _end(folder: str, name: str) -> None:
    """Removes a NewFile whose process has ended, and of a note what it is about."""
    path = os.path.join(folder, name)
    with abandoned(path) as file:
        if file is None:
            return
        if kind_of(name) == "note":
            prefix = os.path.join(folder, os.path.basename(os.fsdecode(file.read(LONGEST_NAME))))
            if not os.path.exists(index_name(prefix)):
                for other in (*shards_of(prefix), *glob.glob(f"{glob.escape(prefix)}.meta")):
                    os.unlink(other)
        os.unlink(path)


def _remove_temporary(folder: str) -> None:
    """Removes a folder of shards in which nobody holds a locked file. One that never had one is not graphc's, unless it
    is empty."""
    names = sorted(os.listdir(folder), key=lambda name: bool(kind_of(name)))     # what tells that it may go goes last
    locks = [name for name in names if kind_of(name)]
    for name in locks:
        with abandoned(os.path.join(folder, name)) as file:
            if file is None:
                return
    for name in names if locks else ():
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)                               # fails if something is in it
